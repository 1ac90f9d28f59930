// A receiver as it is often written: express, ajv, the signature, and the last state in a Map. node express.mjs PAYLOADS PORT
import { createHmac, timingSafeEqual } from 'node:crypto';
import express from 'express';
import { compile } from './schema.mjs';

const [folder, port] = process.argv.slice(2);
const secret = process.env.SECRET;
const byPath = new Map();
for (const { path, state, validate } of compile(folder).values()) {
  if (!byPath.has(path)) byPath.set(path, new Map());
  byPath.get(path).set(state, validate);
}
const last = new Map();
const app = express().disable('x-powered-by').disable('etag');
app.use(express.raw({ type: 'application/json' }));

for (const [path, validators] of byPath) {
  app.post(path, (req, res) => {
    const want = createHmac('sha256', secret).update(req.body).digest();
    const got = Buffer.from(req.get('X-Signature') ?? '', 'hex');
    if (got.length !== want.length || !timingSafeEqual(got, want)) return res.status(401).json({ error: 'Invalid signature' });
    const event = JSON.parse(req.body);
    if (!validators.get(event.data?.state)?.(event)) return res.status(400).json({ error: 'Invalid payload' });
    last.set(event.data.invoiceId, event.data.state);
    return res.json({ status: 'ok' });
  });
}
app.listen(Number(port), '127.0.0.1');
