// Measures ajv: node ajv.mjs PAYLOADS BODIES MILLISECONDS. BODIES holds lines "SUBJECT-STATE payload". It prints, for each, how
// many nanoseconds ajv takes for the parsed body, and JSON.parse and ajv together for the text.
import { readFileSync } from 'node:fs';
import { compile } from './schema.mjs';

const [folder, bodies, time] = process.argv.slice(2);
const states = compile(folder);

function measure(accepts) {
  const run = (n) => {
    for (let i = 0; i < n; i++) if (!accepts()) throw new Error('refused');
    return n;
  };
  run(5000); // until it is compiled
  const start = performance.now();
  let n = 0;
  while (performance.now() < start + Number(time)) n += run(100);
  return ((performance.now() - start) * 1e6) / n;
}

for (const line of readFileSync(bodies, 'utf8').trim().split('\n')) {
  const [name, text] = [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)];
  const { validate } = states.get(name);
  const parsed = JSON.parse(text);
  if (validate({ ...parsed, data: null })) throw new Error(`${name}: ajv takes what is wrong`);
  console.log(name, measure(() => validate(parsed)).toFixed(1), measure(() => validate(JSON.parse(text))).toFixed(1));
}
