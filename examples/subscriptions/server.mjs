// A small, correct receiver of Lantern's webhooks: node server.mjs [HOST:PORT], with the secret in WEBHOOK_SECRET.
// What it knows is in memory. A real one has one table with a unique key, and one transaction for each event.
import crypto from 'node:crypto';
import http from 'node:http';

const [, , address = '127.0.0.1:3000'] = process.argv;
const secret = process.env.WEBHOOK_SECRET?.trim();
if (!secret) throw new Error('set WEBHOOK_SECRET to the secret that Lantern shows for the endpoint');
const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : Buffer.from(secret);

/** What is answered when an event is not taken. Nothing of the event is ever sent back. */
class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Standard Webhooks: the id, the time and the raw bytes are signed. */
function verify(headers, body) {
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signatures } = headers;
  const fresh = /^\d+$/.test(time) && Math.abs(Date.now() / 1000 - Number(time)) <= 300;
  const expected = crypto.createHmac('sha256', key).update(`${id}.${time}.`).update(body).digest('base64');
  const wanted = Buffer.from(`v1,${expected}`);
  const fits = (one) => one.length === wanted.length && crypto.timingSafeEqual(one, wanted);
  if (!id || !fresh || !String(signatures).split(' ').some((s) => fits(Buffer.from(s)))) throw new Refusal(401, 'invalid signature');
}

/** JSON.parse keeps the last of two members of one name, others keep the first: such a body has no one meaning. */
function repeats(json) {
  const open = [];
  for (const [token, name, colon] of json.matchAll(/("[^"\\]*(?:\\.[^"\\]*)*")\s*(:?)|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon && open.at(-1).size === open.at(-1).add(JSON.parse(name)).size) return true;
  }
  return false;
}

function parse(body) {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
    const event = JSON.parse(json);
    if (!repeats(json)) return event;
  } catch { /* no UTF-8, or no JSON */ }
  throw new Refusal(400, 'invalid JSON');
}

const STATES = { attempted: ['scheduled'], paid: ['attempted'], declined: ['attempted'], canceled: ['scheduled'] };
const renewals = new Map(); // by id: the facts that events have told, and the states
const balances = new Map(); // by customer, in cents

function text(value) {
  if (typeof value !== 'string' || !/^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value)) throw new Refusal(422, 'invalid payload');
  return value;
}

function cents(value) {
  if (typeof value !== 'string' || value.length > 20 || !/^(0|[1-9][0-9]*)\.[0-9]{2}$/.test(value)) throw new Refusal(422, 'invalid payload');
  return BigInt(value.replace('.', ''));
}

/** Takes an event in one step, without an await: a duplicate that came in between would be credited, too. */
function settle({ type, data }) {
  const state = Object.keys(STATES).find((s) => type === `renewal.${s}`);
  if (!state) throw new Refusal(400, 'unknown event');
  if (typeof data !== 'object' || data === null || data.status !== state) throw new Refusal(422, 'invalid payload');
  if (!STATES[state].includes(data.previous_status)) throw new Refusal(409, 'contradiction');
  const told = { customer: text(data.customer_id), plan: text(data.plan), amount: cents(data.amount), starts: text(data.starts_at) };
  text(data.customer_name);
  const id = text(data.renewal_id).toLowerCase();
  const known = renewals.get(id);
  if (known && Object.keys(told).some((name) => known[name] !== told[name])) throw new Refusal(409, 'contradiction');
  const states = new Set(known?.states).add(state);
  // A renewal ends once, whatever the order in which that is heard.
  if (['paid', 'declined', 'canceled'].filter((s) => states.has(s)).length > 1 || states.has('canceled') && states.has('attempted')) {
    throw new Refusal(409, 'contradiction');
  }
  renewals.set(id, { ...told, states });
  if (state === 'paid' && !known?.states.has('paid')) balances.set(told.customer, (balances.get(told.customer) ?? 0n) + told.amount);
}

/** The probe shows a test what became of a renewal. In production leave it out, or protect it. */
function probe(id) {
  const renewal = renewals.get(id.toLowerCase());
  if (!renewal) throw new Refusal(404, 'unknown renewal');
  const paid = renewal.states.has('paid');
  const euros = (n) => `${n / 100n}.${String(n % 100n).padStart(2, '0')}`;
  const state = ['paid', 'declined', 'canceled', 'attempted'].find((s) => renewal.states.has(s));
  return { state, credited: paid ? euros(renewal.amount) : '0', refunded: '0', deliveries: paid ? '1' : '0', balance: euros(balances.get(renewal.customer) ?? 0n) };
}

async function read(request) {
  const parts = [];
  let size = 0;
  for await (const part of request) {
    size += part.length;
    if (size > 1 << 20) throw new Refusal(413, 'too large');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

async function answer(request) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const [, id] = pathname.match(/^\/renewals\/([^/]+)$/) ?? [];
  if (id && request.method === 'GET') return probe(decodeURIComponent(id));
  if (pathname !== '/webhooks/lantern') throw new Refusal(404, 'not found');
  if (request.method !== 'POST') throw new Refusal(405, 'POST it');
  if (!/^application\/([\w.-]+\+)?json\s*(;\s*charset="?utf-?8"?\s*)?$/i.test(request.headers['content-type'])) throw new Refusal(415, 'send application/json in UTF-8');
  if (request.headers['content-encoding']) throw new Refusal(415, 'send it uncompressed');
  const body = await read(request);
  verify(request.headers, body);
  settle(parse(body) ?? {});
  return { received: true };
}

const server = http.createServer({ headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 5_000 }, async (request, response) => {
  let status = 200;
  let body;
  try {
    body = await answer(request);
  } catch (error) {
    status = error instanceof Refusal ? error.status : 500;
    body = { error: error instanceof Refusal ? error.message : 'internal error' };
    if (status === 500) console.error(error);
  }
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
});
const [, host, port] = address.match(/^(.*):(\d+)$/);
server.listen(Number(port), host, () => console.log(`listening on http://${host}:${server.address().port}`));
