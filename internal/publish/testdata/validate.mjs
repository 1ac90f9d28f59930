// Holds what paytest export wrote against the validators of its ecosystem:
//
//   node validate.mjs openapi|asyncapi|jsonschema FILE [PAYLOADS]
//
// With a schema go payloads, one a line: all of them must satisfy it, and no
// mutant of them may.
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import { Parser } from '@asyncapi/parser';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

const here = import.meta.dirname;
const read = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

function fail(message) {
  console.error(message);
  process.exit(1);
}

function openapi(file) {
  const args = ['lint', '--config', path.join(here, 'redocly.yaml'), '--format', 'json', file];
  const run = spawnSync(path.join(here, 'node_modules', '.bin', 'redocly'), args, { encoding: 'utf8' });
  if (!run.stdout.startsWith('{')) fail(run.stdout + run.stderr);
  const { problems } = JSON.parse(run.stdout);
  for (const p of problems) console.error(p.ruleId, p.message, p.location[0]?.pointer);
  if (problems.length || run.status) fail(`${problems.length} problems`);
}

async function asyncapi(file) {
  const { document, diagnostics } = await new Parser().parse(fs.readFileSync(file, 'utf8'));
  // Severity 2 says that there is a newer version of the specification.
  const problems = diagnostics.filter((d) => d.severity < 2);
  if (!document || problems.length) fail(JSON.stringify(problems, null, 2));
  if (!document.allMessages().length) fail('no messages');
}

// extensions are the members of a document that start with x-.
function extensions(value, found = new Set()) {
  if (value && typeof value === 'object') {
    for (const [name, inner] of Object.entries(value)) {
      if (name.startsWith('x-')) found.add(name);
      extensions(inner, found);
    }
  }
  return found;
}

// mutants are copies of a payload, each with one member taken away or of another type.
function* mutants(payload, at = []) {
  let object = payload;
  for (const name of at) object = object[name];
  for (const name of Object.keys(object)) {
    for (const change of ['remove', 'retype']) {
      const mutant = structuredClone(payload);
      let inner = mutant;
      for (const step of at) inner = inner[step];
      if (change === 'remove') delete inner[name];
      else inner[name] = [[]];
      yield [mutant, change, [...at, name].join('.')];
    }
    if (object[name] && typeof object[name] === 'object') yield* mutants(payload, [...at, name]);
  }
}

function jsonschema(file, payloads) {
  const schema = read(file);
  const ajv = new Ajv({ strict: true, strictTypes: false, allErrors: true });
  formats(ajv);
  ajv.addVocabulary([...extensions(schema)]);
  const valid = ajv.compile(schema);
  const lines = fs.readFileSync(payloads, 'utf8').trim().split('\n');
  let refused = 0;
  for (const line of lines) {
    const payload = JSON.parse(line);
    if (!valid(payload)) fail(`${line}\n${JSON.stringify(valid.errors, null, 2)}`);
    for (const [mutant, change, where] of mutants(payload)) {
      if (valid(mutant)) fail(`${change} ${where} is accepted: ${JSON.stringify(mutant)}`);
      refused++;
    }
  }
  console.log(`${lines.length} payloads accepted, ${refused} mutants refused`);
}

const [format, ...rest] = process.argv.slice(2);
await { openapi, asyncapi, jsonschema }[format](...rest);
