"""A small, correct receiver of the gateway's webhooks. Read it from top to bottom.

Environment: WEBHOOK_SECRET, PORT (0 = any free port), DATA (an SQLite file that keeps what must survive a restart),
TOLERANCE (seconds that an event may be away from now).
"""

import hashlib
import hmac
import json
import logging
import os
import re
import sqlite3
import threading
from datetime import datetime, timedelta, timezone

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

SECRET = os.environ["WEBHOOK_SECRET"].encode()
TOLERANCE = timedelta(seconds=int(os.environ.get("TOLERANCE", "300")))
INVOICE_STATES = ("Wait", "Pending", "Complete", "Fail", "Cancel", "Reject")
FINAL_STATES = ("Complete", "Fail", "Cancel", "Reject")
TRANSACTION_STATES = {"transaction.created": ("Pending",), "transaction.updated": ("Complete", "Fail")}


class Refusal(Exception):
    """Why an event is not taken. Messages are constants: nothing of the event is ever sent back."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


# ---- What we know ----------------------------------------------------------------------------------------------------
#
# An event is a set of facts ("invoice A costs 74.074074", "invoice A is credited with 74.074074"). A fact is written
# once and never changed. So it does not matter in which order events arrive, or how often: a second credit of an
# invoice has no place to be written to. Deduplicate by such facts, never by a hash of the body or by the timestamp: a
# retry may be stamped and formatted anew.

lock = threading.Lock()  # one connection for all threads, one thread at a time
db = sqlite3.connect(os.environ.get("DATA") or ":memory:", isolation_level=None, check_same_thread=False)
db.execute("CREATE TABLE IF NOT EXISTS facts (kind TEXT, id TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, id))")
db.execute("CREATE INDEX IF NOT EXISTS facts_by_value ON facts (kind, value)")


def known(kind, id):
    row = db.execute("SELECT value FROM facts WHERE kind = ? AND id = ?", (kind, id)).fetchone()
    return row and row[0]


def settle(claims):
    """Look-up and credit in one transaction. Without it, an event and its duplicate, handled at the same time by two
    threads or processes, are both new, and the customer is credited twice. An exception undoes all of it, so that the
    gateway's next attempt finds nothing half done; and 200 is answered only after the commit."""
    with lock, db:
        db.execute("BEGIN IMMEDIATE")
        facts = {name: known(*name) for name in claims}
        if any(facts[name] not in (None, value) for name, value in claims.items()):
            raise Refusal(409, "Contradicts an earlier event")
        itself = next(iter(claims))
        if facts[itself]:
            return "duplicate"
        news = [(kind, id, value) for (kind, id), value in claims.items() if facts[kind, id] is None]
        db.executemany("INSERT INTO facts VALUES (?, ?, ?)", news)
        return "ok"


# ---- What an event claims --------------------------------------------------------------------------------------------


def key(value):
    """An identifier is only ever a key. It is not cut to a length: two long ones could become the same."""
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not value.isprintable():
        raise Refusal(422, "Invalid identifier")
    return value


def millionths(value):
    """Money is a decimal string, and is counted in whole millionths. float() would credit 100000 for "1e5" and
    9007199254740992 for "9007199254740993", and ten times 0.1 would not be 1; Decimal() takes "NaN", "1_000" and
    Arabic digits, and rounds sums to 28 digits. fullmatch, because $ also matches before a line feed."""
    if not isinstance(value, str) or len(value) > 40 or not re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]{1,6})?", value):
        raise Refusal(422, "Invalid amount")
    whole, _, fraction = value.partition(".")
    return str(int(whole + fraction.ljust(6, "0")))


def one_of(*assets):
    def read(value):
        if type(value) is not int or value not in assets:  # type(): True == 1, and 1.0 == 1
            raise Refusal(422, "Unknown asset")
        return str(value)

    return read


cash_asset = one_of(1, 2)  # KRW, USD
crypto_asset = one_of(101, 1001)  # TRX, USDT on TRON


class Claims(dict):
    """An event's claims. What is absent or null claims nothing."""

    def add(self, kind, id, value, read=key):
        if value is None:
            return
        fact = read(value)
        if self.setdefault((kind, id), fact) != fact:
            raise Refusal(409, "Contradicts itself")


def members(value):
    return value if isinstance(value, dict) else {}


def invoice_claims(event, data):
    state = data.get("state")
    if state not in INVOICE_STATES:
        return None
    id = key(data.get("invoiceId"))
    transaction = members(data.get("transaction"))
    complete = state == "Complete"
    claims = Claims()
    claims.add(f"invoice said {state}", id, "yes")  # the first claim is the event itself
    claims.add("customer", id, data.get("customerId"))
    claims.add("cash", id, data.get("cashAmount"), millionths)
    claims.add("cash asset", id, data.get("cashAssetId"), cash_asset)
    claims.add("price", id, data.get("cryptoAmount"), millionths)
    claims.add("price", id, transaction.get("expectedAmount"), millionths)
    claims.add("asset", id, data.get("cryptoAssetId"), crypto_asset)
    received = data.get("cryptoAmount") if complete else transaction.get("receivedAmount")
    if transaction.get("id") is not None:
        tx = key(transaction["id"])
        claims.add("invoice", tx, id)
        claims.add("hash", tx, transaction.get("detail"))  # not an invoice for each hash: one may pay several invoices
        claims.add("sent", tx, received, millionths)
        if complete:
            claims.add("fate", tx, state)
    # An invoice ends once: Complete after Fail, Cancel or Reject contradicts, and a person must look at it.
    # previousState is not asked: what we have seen decides, and Complete may well come before Pending.
    if state in FINAL_STATES:
        claims.add("outcome", id, state)
    needed = ()  # for whom, of what, how much
    if complete:
        claims.add("credited", id, received, millionths)
        needed = ("customer", "asset", "credited")
    if state == "Fail" and data.get("reason") == "amount_mismatch":
        claims.add("refunded", id, received, millionths)
        needed = ("customer", "refunded")
    if not all((kind, id) in claims for kind in needed):
        raise Refusal(422, "Incomplete")
    return claims


def transaction_claims(event, data):
    """Transactions tell how a payment gets on. They never credit or refund: the invoice's own event does; both come."""
    state = data.get("state")
    if state not in TRANSACTION_STATES[event]:
        return None
    id, invoice = key(data.get("id")), key(data.get("invoiceId"))
    claims = Claims()
    claims.add(f"transaction said {state}", id, "yes")
    claims.add("invoice", id, invoice)
    claims.add("hash", id, data.get("detail"))
    claims.add("sent", id, data.get("amount"), millionths)
    if state != "Pending":
        claims.add("fate", id, state)
    claims.add("customer", invoice, data.get("customerId"))
    claims.add("asset", invoice, data.get("assetId"), crypto_asset)
    claims.add("asset", invoice, members(data.get("Asset")).get("id"), crypto_asset)
    return claims


# ---- What comes over the network -------------------------------------------------------------------------------------


def signed(raw, header):
    """The signature is of the raw bytes. Verify those, before anything else reads them: what json.loads and json.dumps
    make of a body is another body. compare_digest takes as long for a near miss as for any other; bytes, because it
    raises an exception for text that is not ASCII."""
    return hmac.compare_digest(hmac.new(SECRET, raw, hashlib.sha256).hexdigest().encode(), header.encode())


def unique(pairs):
    """json.loads keeps the last of two members of one name, others keep the first: such a body has no one meaning."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


def no_number(text):  # json.loads takes NaN and Infinity, which are no JSON
    raise ValueError(text)


def parse(raw):
    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=unique, parse_constant=no_number)
    except (ValueError, RecursionError):  # RecursionError: too many brackets
        raise Refusal(400, "Invalid JSON") from None


def check_moment(timestamp):
    """A signature stays valid for ever, so an event that is too old may be a recording."""
    try:
        if abs(datetime.now(timezone.utc) - datetime.fromisoformat(timestamp)) <= TOLERANCE:
            return
    except (TypeError, ValueError, OverflowError):  # no text, no date, no time zone
        pass
    raise Refusal(400, "Invalid or distant timestamp")


def receive(expected, claims_of):
    json_type = re.fullmatch(r"application/(\S+\+)?json", request.mimetype)
    if not json_type or request.mimetype_params.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise Refusal(415, "Send application/json in UTF-8")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(415, "Send it uncompressed")
    raw = request.get_data(cache=False)  # not request.json: see signed
    if not signed(raw, request.headers.get("X-Signature", "")):
        raise Refusal(401, "Invalid signature")
    payload = parse(raw)
    if members(payload).get("event") != expected:
        raise Refusal(400, "Invalid event type")
    if not isinstance(payload.get("data"), dict):
        raise Refusal(400, "Invalid data")
    check_moment(payload.get("timestamp"))
    claims = claims_of(expected, payload["data"])
    return {"status": "received" if claims is None else settle(claims)}  # a state we do not know: without effect


app = Flask(__name__)
app.config["MAX_CONTENT_LENGTH"] = 1 << 20
app.url_map.merge_slashes = False


@app.post("/callback/update-invoice")
def update_invoice():
    return receive("invoice.updated", invoice_claims)


@app.post("/callback/create-transaction")
def create_transaction():
    return receive("transaction.created", transaction_claims)


@app.post("/callback/update-transaction")
def update_transaction():
    return receive("transaction.updated", transaction_claims)


@app.get("/orders/<path:id>")
def order(id):
    """Lets a test see effects. It tells everybody what customers have: in production leave it out, or protect it."""

    def total(kind, id):
        return int(known(kind, id) or 0)

    with lock:
        seen = (state for state in ("Pending", "Wait") if known(f"invoice said {state}", id))
        state = known("outcome", id) or next(seen, None)
        if not state:
            raise Refusal(404, "Unknown order")
        orders = db.execute("SELECT id FROM facts WHERE kind = 'customer' AND value = ?", (known("customer", id),))
        same = [o for (o,) in orders.fetchall() if known("asset", o) == known("asset", id)]  # USDT and TRX do not add up
        return {
            "state": state,
            "credited": decimal(total("credited", id)),
            "refunded": decimal(total("refunded", id)),
            "deliveries": "1" if known("credited", id) else "0",
            "balance": decimal(sum(total("credited", o) - total("refunded", o) for o in same)),
        }


def decimal(n):
    digits = f"{abs(n):07}"
    return ("-" if n < 0 else "") + f"{digits[:-6]}.{digits[-6:]}".rstrip("0").rstrip(".")


@app.errorhandler(Exception)
def failed(error):
    if isinstance(error, Refusal):
        return {"error": str(error)}, error.status
    if isinstance(error, HTTPException):
        return {"error": error.name}, error.code
    app.logger.exception("processing failed")  # the stack is for us alone
    return {"error": "Processing failed"}, 500


class Handler(WSGIRequestHandler):
    timeout = 10  # seconds of silence


if __name__ == "__main__":
    # Flask's own server is for development. In production: gunicorn server:app --workers 4, and DATA a file.
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", int(os.environ.get("PORT", "3000")), app, threaded=True, request_handler=Handler)
    print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()
