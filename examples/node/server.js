// A small, correct receiver of the gateway's webhooks. Read it from top to bottom.
// Environment: WEBHOOK_SECRET, PORT (0 = any free port), DATA (a file that keeps what must survive a restart),
// TOLERANCE (seconds that an event may be away from now).
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import express from 'express';

const { WEBHOOK_SECRET, PORT = '3000', DATA, TOLERANCE = '300' } = process.env;
if (!WEBHOOK_SECRET) throw new Error('set WEBHOOK_SECRET to the secret you share with the gateway');

const INVOICE_STATES = ['Wait', 'Pending', 'Complete', 'Fail', 'Cancel', 'Reject'];
const FINAL_STATES = ['Complete', 'Fail', 'Cancel', 'Reject'];
const TRANSACTION_STATES = { 'transaction.created': ['Pending'], 'transaction.updated': ['Complete', 'Fail'] };

/** What we answer when an event is not taken. Messages are constants: nothing of the event is ever sent back. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// ---- What we know -------------------------------------------------------------------------------------------------
//
// An event is a set of facts ("invoice A costs 74.074074", "invoice A is credited with 74.074074"). A fact is written
// once and never changed. So it does not matter in which order events arrive, or how often: a second credit of an
// invoice has no place to be written to. Deduplicate by such facts, never by a hash of the body or by the timestamp:
// a retry may be stamped and formatted anew.
//
// Node has a database of its own (node:sqlite) only since 22.5, so this example keeps a Map, and a file to which each
// event's facts are appended. In a real shop: one table with a unique key, and one database transaction for each event.

const facts = new Map(); // "credited:INVOICE" -> "74074074"; a Map, because in an object "__proto__" is not just a key
const invoicesOf = new Map(); // customer -> invoices

function remember(news) {
  for (const [name, value] of news) {
    facts.set(name, value);
    if (!name.startsWith('customer:')) continue;
    if (!invoicesOf.has(value)) invoicesOf.set(value, []);
    invoicesOf.get(value).push(name.slice('customer:'.length));
  }
}

let journal;
if (DATA) {
  journal = fs.openSync(DATA, 'a+');
  const text = fs.readFileSync(DATA, 'utf8');
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  fs.ftruncateSync(journal, Buffer.byteLength(whole)); // a line cut by a crash was never answered with 200
  for (const line of whole.split('\n').slice(0, -1)) remember(JSON.parse(line));
}

// Look-up and credit in one step: there is no await in here, and there must be none. While one request waits between
// "have I seen this?" and "remember it", its duplicate gets through, and the customer is credited twice.
function settle(claims) {
  for (const [name, value] of claims) {
    if (facts.has(name) && facts.get(name) !== value) throw new Refusal(409, 'Contradicts an earlier event');
  }
  const [itself] = claims.keys();
  if (facts.has(itself)) return 'duplicate';
  const news = [...claims].filter(([name]) => !facts.has(name));
  if (journal !== undefined) {
    try {
      fs.appendFileSync(journal, JSON.stringify(news) + '\n');
      fs.fsyncSync(journal); // answer 200 only when it is on the disk: the gateway will not send it again
    } catch (error) {
      console.error(error);
      process.exit(1); // nobody knows what is in the file now; the next start reads it, the gateway tries again
    }
  }
  remember(news);
  return 'ok';
}

// ---- What an event claims -----------------------------------------------------------------------------------------

/** An identifier is only ever a key. It is not cut to a length: two long ones could become the same. */
function key(value) {
  if (typeof value !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value)) throw new Refusal(422, 'Invalid identifier');
  return value;
}

/** Money is a decimal string, and is counted in millionths by BigInt. parseFloat would credit 100000 for "1e5", 1 for
 * "1,000.5", and 9007199254740992 for "9007199254740993"; ten times 0.1 would not be 1. */
function millionths(value) {
  const valid = typeof value === 'string' && value.length <= 40 && /^(0|[1-9][0-9]*)(\.[0-9]{1,6})?$/.test(value);
  if (!valid) throw new Refusal(422, 'Invalid amount');
  const [whole, fraction = ''] = value.split('.');
  return BigInt(whole + fraction.padEnd(6, '0')).toString();
}

const oneOf = (known) => (value) => { // strict: "1001" is not 1001
  if (!known.includes(value)) throw new Refusal(422, 'Unknown asset');
  return String(value);
};
const cashAsset = oneOf([1, 2]); // KRW, USD
const cryptoAsset = oneOf([101, 1001]); // TRX, USDT on TRON

/** Collects an event's claims. What is absent or null claims nothing. */
class Claims extends Map {
  add(kind, id, value, read = key) {
    if (value == null) return;
    const name = `${kind}:${id}`;
    const fact = read(value);
    if (this.has(name) && this.get(name) !== fact) throw new Refusal(409, 'Contradicts itself');
    this.set(name, fact);
  }
}

function invoiceClaims(event, data) {
  const { state, customerId, cryptoAmount, cryptoAssetId, transaction } = data;
  if (!INVOICE_STATES.includes(state)) return null;
  const id = key(data.invoiceId);
  const claims = new Claims();
  claims.add(`invoice said ${state}`, id, 'yes'); // the first claim is the event itself
  claims.add('customer', id, customerId);
  claims.add('cash', id, data.cashAmount, millionths);
  claims.add('cash asset', id, data.cashAssetId, cashAsset);
  claims.add('price', id, cryptoAmount, millionths);
  claims.add('price', id, transaction?.expectedAmount, millionths);
  claims.add('asset', id, cryptoAssetId, cryptoAsset);
  const complete = state === 'Complete';
  const refund = state === 'Fail' && data.reason === 'amount_mismatch';
  const received = complete ? cryptoAmount : transaction?.receivedAmount;
  if (transaction?.id != null) {
    const tx = key(transaction.id);
    claims.add('invoice', tx, id);
    claims.add('hash', tx, transaction.detail); // not an invoice for each hash: one hash may pay several invoices
    claims.add('sent', tx, received, millionths);
    if (complete) claims.add('fate', tx, state);
  }
  // An invoice ends once: Complete after Fail, Cancel or Reject contradicts, and a person must look at it. previousState
  // is not asked: what we have seen decides, and Complete may well come before Pending.
  if (FINAL_STATES.includes(state)) claims.add('outcome', id, state);
  if (complete) claims.add('credited', id, received, millionths);
  if (refund) claims.add('refunded', id, received, millionths);
  const needed = complete ? [customerId, cryptoAssetId, received] : refund ? [customerId, received] : [];
  if (needed.some((value) => value == null)) throw new Refusal(422, 'Incomplete'); // for whom, of what, how much
  return claims;
}

/** Transactions tell how a payment gets on. They never credit or refund: the invoice's own event does, and both come. */
function transactionClaims(event, data) {
  const { id, invoiceId, state } = data;
  if (!TRANSACTION_STATES[event].includes(state)) return null;
  const claims = new Claims();
  claims.add(`transaction said ${state}`, key(id), 'yes');
  claims.add('invoice', id, key(invoiceId));
  claims.add('hash', id, data.detail);
  claims.add('sent', id, data.amount, millionths);
  if (state !== 'Pending') claims.add('fate', id, state);
  claims.add('customer', invoiceId, data.customerId);
  claims.add('asset', invoiceId, data.assetId, cryptoAsset);
  claims.add('asset', invoiceId, data.Asset?.id, cryptoAsset);
  return claims;
}

// ---- What comes over the network ----------------------------------------------------------------------------------

/** The signature is of the raw bytes. Verify those, before anything else reads them: what JSON.parse and JSON.stringify
 * make of a body is another body. Compared as text, so a header that is short or no hexadecimal cannot throw. */
function signed(body, header = '') {
  const expected = Buffer.from(crypto.createHmac('sha256', WEBHOOK_SECRET).update(body).digest('hex'));
  const received = Buffer.from(header);
  return received.length === expected.length && crypto.timingSafeEqual(received, expected);
}

/** JSON.parse keeps the last of two members of one name, others keep the first: such a body has no one meaning. */
function hasDuplicateName(json) {
  const open = []; // the names so far in each object that is still open
  for (const [token, name, colon] of json.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")\s*(:?)|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon) {
      const names = open.at(-1);
      if (names.size === names.add(JSON.parse(name)).size) return true; // parsed: "a" and "\u0061" are the same name
    }
  }
  return false;
}

function parse(body) {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const value = JSON.parse(json);
    if (!hasDuplicateName(json)) return value;
  } catch { /* no UTF-8, or no JSON */ }
  throw new Refusal(400, 'Invalid JSON');
}

/** A signature stays valid for ever, so an event that is too old may be a recording. */
function checkMoment(timestamp) {
  const iso = typeof timestamp === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(timestamp);
  const age = Math.abs(Date.now() - (iso ? Date.parse(timestamp) : NaN));
  if (!(age <= Number(TOLERANCE) * 1000)) throw new Refusal(400, 'Invalid or distant timestamp');
}

const JSON_TYPE = /^application\/([\w.-]+\+)?json\s*(;\s*charset="?utf-?8"?\s*)?$/i;

const receive = (expected, claimsOf) => (req, res) => {
  if (!JSON_TYPE.test(req.headers['content-type'])) throw new Refusal(415, 'Send application/json in UTF-8');
  const body = req.body ?? Buffer.alloc(0);
  if (!signed(body, req.headers['x-signature'])) throw new Refusal(401, 'Invalid signature');
  const payload = parse(body);
  if (payload?.event !== expected) throw new Refusal(400, 'Invalid event type');
  const { data, timestamp } = payload;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Refusal(400, 'Invalid data');
  checkMoment(timestamp);
  const claims = claimsOf(expected, data);
  res.json({ status: claims === null ? 'received' : settle(claims) }); // a state we do not know: taken, without effect
};

const app = express();
app.disable('x-powered-by');
const raw = express.raw({ type: () => true, limit: '1mb', inflate: false }); // not express.json(): see signed
app.post('/callback/update-invoice', raw, receive('invoice.updated', invoiceClaims));
app.post('/callback/create-transaction', raw, receive('transaction.created', transactionClaims));
app.post('/callback/update-transaction', raw, receive('transaction.updated', transactionClaims));

// The probe lets a test see effects. It tells everybody what customers have: in production leave it out, or protect it.
app.get('/orders/:id', (req, res) => {
  const fact = (kind, id = req.params.id) => facts.get(`${kind}:${id}`);
  const sum = (kind, id) => BigInt(fact(kind, id) ?? 0);
  const state = fact('outcome') ?? ['Pending', 'Wait'].find((s) => fact(`invoice said ${s}`));
  if (!state) throw new Refusal(404, 'Unknown order');
  const balance = (invoicesOf.get(fact('customer')) ?? [])
    .filter((id) => fact('asset', id) === fact('asset')) // USDT and TRX do not add up
    .reduce((total, id) => total + sum('credited', id) - sum('refunded', id), 0n);
  const deliveries = fact('credited') === undefined ? '0' : '1';
  const [credited, refunded] = [decimal(sum('credited')), decimal(sum('refunded'))];
  res.json({ state, credited, refunded, deliveries, balance: decimal(balance) });
});

function decimal(n) {
  const digits = String(n < 0n ? -n : n).padStart(7, '0');
  return (n < 0n ? '-' : '') + `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, '');
}

app.use((req, res) => res.status(404).json({ error: 'Not found' }));
// Four parameters make it an error handler. Without one, Express answers with the stack.
app.use((error, req, res, next) => {
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  if (status === 500) console.error(error);
  res.status(status).json({ error: error instanceof Refusal ? error.message : http.STATUS_CODES[status] });
});

// Without limits, slow clients hold all connections.
const limits = { headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 5_000 };
const server = http.createServer(limits, app);
server.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
