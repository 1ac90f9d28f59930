import { h } from './dom.js';

// What a reader could not see or would see in the wrong place: also marks that are
// heaped on one character, which some fonts draw beside it, in a line without end.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]+|(?<=\p{M}{4})\p{M}+/gu;
const UNSEEN_BUT_BREAKS = /(?:(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}])+|(?<=\p{M}{4})\p{M}+/gu;

const SHORT = new Map([['\n', '\\n'], ['\r', '\\r'], ['\t', '\\t']]);

const escaped = (text) => Array.from(text, (char) => {
  const code = char.codePointAt(0);
  return SHORT.get(char) ?? (code > 0xffff ? `\\u{${code.toString(16)}}` : `\\u${code.toString(16).padStart(4, '0')}`);
}).join('');

// visible writes unseen characters as escapes.
export const visible = (text) => String(text ?? '').replace(UNSEEN, escaped);

// clip is visible, cut to at most size characters.
export function clip(text, size) {
  const all = String(text ?? '');
  return all.length <= size ? visible(all) : `${visible(wholeCharacters(all, size))}…`;
}

// wholeCharacters cuts without leaving half a surrogate pair.
function wholeCharacters(text, size) {
  const code = text.charCodeAt(size - 1);
  return text.slice(0, code >= 0xd800 && code < 0xdc00 && size < text.length ? size - 1 : size);
}

// pieces is text as nodes with unseen characters set apart; line breaks stay.
function pieces(text) {
  const out = [];
  let from = 0;
  for (const match of text.matchAll(UNSEEN_BUT_BREAKS)) {
    if (match.index > from) out.push(text.slice(from, match.index));
    out.push(h('span', { class: 'unseen' }, escaped(match[0])));
    from = match.index + match[0].length;
  }
  out.push(text.slice(from));
  return out;
}

const STEP = 32_768;

// long shows text of any length: the first size characters, and the rest on
// request, a piece at a time.
export function long(text, size = 2000, show = pieces) {
  const box = h('span', { class: 'long' });
  let at = 0;
  const more = h('button', { type: 'button', class: 'more', onclick: () => extend(STEP) });
  function extend(by) {
    const next = wholeCharacters(text.slice(at), by);
    at += next.length;
    more.remove();
    box.append(...show(next));
    if (at >= text.length) return;
    more.textContent = `Show more (${count(text.length - at)} characters left)`;
    box.append(' ', more);
  }
  extend(text.length <= size * 1.2 ? text.length : size);
  return box;
}

const grouped = new Intl.NumberFormat('en');
export const count = (n) => grouped.format(n);
export const counted = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;

const two = (n) => String(n).padStart(2, '0');

// clock is the local time of day, to the millisecond.
export function clock(time) {
  const t = new Date(time);
  if (Number.isNaN(t.getTime())) return visible(time);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}.${String(t.getMilliseconds()).padStart(3, '0')}`;
}

export function millis(ms) {
  if (ms === null || ms === undefined) return '';
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms >= 100 ? `${Math.round(ms)} ms` : `${ms.toFixed(ms >= 1 ? 1 : 2)} ms`;
}

export function bytes(n) {
  if (n < 1024) return `${n} B`;
  return n < 1 << 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`;
}

// since is a span of milliseconds as a distance from a start.
export function since(ms) {
  if (ms < 1000) return `+${Math.round(ms)} ms`;
  if (ms < 60_000) return `+${(ms / 1000).toFixed(1)} s`;
  return ms < 3_600_000 ? `+${(ms / 60_000).toFixed(1)} min` : `+${(ms / 3_600_000).toFixed(1)} h`;
}

// short is an identifier cut in the middle of nothing: its first characters.
export const short = (id, size = 13) => clip(id, size);
