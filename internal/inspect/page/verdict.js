import { h, s } from './dom.js';
import { visible } from './text.js';

// The verdicts, from the gravest on, with the word for each.
export const VERDICTS = new Map([
  ['violation', 'Violation'],
  ['warning', 'Warning'],
  ['note', 'Note'],
  ['duplicate', 'Duplicate'],
  ['ok', 'Ok'],
]);

const known = (verdict) => (VERDICTS.has(verdict) ? verdict : 'note');

// shape is the mark of a verdict: its form tells it from others, without colour.
export function shape(verdict) {
  return s('svg', { class: `shape shape-${known(verdict)}`, 'aria-hidden': 'true', viewBox: '0 0 16 16' },
    s('use', { href: `#shape-${known(verdict)}` }));
}

// badge is a shape and its word.
export function badge(verdict) {
  return h('span', { class: `badge badge-${known(verdict)}` }, shape(verdict), VERDICTS.get(verdict) ?? visible(verdict));
}

// edge is a transition: from, an arrow (broken when it is illegal), to.
export function edge(row) {
  if (!row.from && !row.to) return h('span', { class: 'edge-none' }, visible(row.state) || '–');
  return h('span', { class: row.illegal ? 'move move-illegal' : 'move' },
    row.from ? [visible(row.from), ' '] : null,
    h('span', { class: 'arrow', 'aria-hidden': 'true' }, row.illegal ? '↛' : '→'),
    h('span', { class: 'hidden-text' }, row.illegal ? ' not allowed to ' : ' to '),
    ' ', visible(row.to || row.state));
}
