import { h } from './dom.js';
import { bytes, long } from './text.js';

const FIRST_ROWS = 256;
const MORE_ROWS = 2048;
const WIDTH = 16;

// raw shows a body as it came: text with what cannot be seen as escapes, and
// bytes that are no text as a dump.
export function raw({ body, bodyBase64, size }) {
  if (bodyBase64) {
    return [h('p', { class: 'quiet-text' }, `${bytes(size)} that are not UTF-8`), dump(Uint8Array.from(atob(bodyBase64), (c) => c.charCodeAt(0)))];
  }
  if (body === '') return [h('p', { class: 'quiet-text' }, 'The body is empty.')];
  return [h('pre', { class: 'raw', tabindex: 0, role: 'region', 'aria-label': 'Raw body' }, long(body, 16_384))];
}

function dump(data) {
  const box = h('pre', { class: 'raw', tabindex: 0, role: 'region', 'aria-label': 'Raw body, hexadecimal' });
  const more = h('button', { type: 'button', class: 'more', onclick: () => extend(MORE_ROWS) }, 'Show more');
  let at = 0;
  function extend(rows) {
    const lines = [];
    for (const end = Math.min(data.length, at + rows * WIDTH); at < end; at += WIDTH) lines.push(row(data.subarray(at, at + WIDTH), at));
    more.remove();
    box.append(`${lines.join('\n')}\n`);
    if (at < data.length) box.append(more);
  }
  extend(FIRST_ROWS);
  return box;
}

function row(part, at) {
  const hex = Array.from(part, (b) => b.toString(16).padStart(2, '0')).join(' ');
  const text = Array.from(part, (b) => (b >= 32 && b < 127 ? String.fromCharCode(b) : '·')).join('');
  return `${at.toString(16).padStart(6, '0')}  ${hex.padEnd(WIDTH * 3 - 1)}  ${text}`;
}
