// Compiles the schemas of a folder of payloads with ajv.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import Ajv from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const places = new Int8Array(128).fill(-1);
for (let i = 0; i < alphabet.length; i++) places[alphabet.charCodeAt(i)] = i;

const step = 9; // 58 ** 9 is below 2 ** 53
const scales = Array.from({ length: step + 1 }, (_, i) => 58n ** BigInt(i));

const sha256 = (data) => createHash('sha256').update(data).digest();

function base58check(text) {
  let value = 0n;
  for (let start = 0; start < text.length; start += step) {
    const end = Math.min(start + step, text.length);
    let part = 0;
    for (let i = start; i < end; i++) {
      const place = places[text.charCodeAt(i)] ?? -1;
      if (place < 0) return false;
      part = part * 58 + place;
    }
    value = value * scales[end - start] + BigInt(part);
  }
  const ones = text.length - text.replace(/^1+/, '').length;
  const hex = value === 0n ? '' : value.toString(16);
  const raw = Buffer.from('00'.repeat(ones) + (hex.length % 2 ? '0' : '') + hex, 'hex');
  return raw.length >= 4 && sha256(sha256(raw.subarray(0, -4))).subarray(0, 4).equals(raw.subarray(-4));
}

/** compile returns, by SUBJECT-STATE, each state's path, state and validator. */
export function compile(folder) {
  const ajv = new Ajv({ strict: false });
  addFormats(ajv);
  ajv.addFormat('base58check', base58check);
  ajv.addSchema(JSON.parse(readFileSync(join(folder, 'facts.json'), 'utf8')), 'facts.json');
  const states = new Map();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    for (const file of readdirSync(join(folder, entry.name))) {
      if (!file.endsWith('.json')) continue;
      const state = JSON.parse(readFileSync(join(folder, entry.name, file), 'utf8'));
      if (!state.schema) continue;
      const name = `${entry.name}-${file.slice(0, -'.json'.length)}`;
      states.set(name, { path: state.path, state: state.state, validate: ajv.compile({ $id: `${name}.json`, ...state.schema }) });
    }
  }
  return states;
}
