import { h, replace } from './dom.js';
import { counted, long, visible } from './text.js';
import { compare } from './diff.js';
import * as api from './api.js';

const CONTEXT = 2;
const MOST = 1000;

// others are the payloads this one can be held against: {id, label, form, load()}.
// With form, values are expected to differ and only the form is compared first.
export function others(delivery, store, marked) {
  const { row, sample } = delivery;
  const list = [];
  const fetched = (n) => api.delivery(n).then((other) => other.body);
  const previous = row.id ? store.previous(row.n, row.subject, row.id) : null;
  if (previous) list.push({ id: 'previous', label: `Previous of this ${visible(row.subject)}, #${previous.n}`, load: () => fetched(previous.n) });
  if (marked && marked !== row.n) list.push({ id: 'marked', label: `Marked, #${marked}`, load: () => fetched(marked) });
  if (sample) list.push({ id: 'sample', label: `Documented ${visible(sample.subject)} ${visible(sample.state)}`, form: true, load: async () => sample.body });
  return list;
}

// diffView compares a payload with one the reader chooses.
export function diffView(delivery, list, chosen) {
  if (list.length === 0) return h('p', { class: 'quiet-text' }, 'There is nothing to compare with yet: mark another delivery with m.');
  const result = h('div', { class: 'diff-result', 'aria-live': 'polite' });
  const formOnly = h('input', { type: 'checkbox', id: 'diff-form', onchange: () => show() });
  const select = h('select', { id: 'diff-with', onchange: () => choose() }, list.map(({ id, label }) => h('option', { value: id }, label)));
  if (chosen) select.value = chosen;
  const current = () => list.find((one) => one.id === select.value) ?? list[0];

  function choose() {
    formOnly.checked = Boolean(current().form);
    return show();
  }

  async function show() {
    const other = current();
    try {
      const { lines, error } = compare(await other.load(), delivery.body);
      if (other === current()) replace(result, error ? h('p', { class: 'problem' }, `One of the two is not JSON: ${error}.`) : drawn(lines, formOnly.checked));
    } catch (error) {
      replace(result, h('p', { class: 'problem' }, `${other.label}: ${visible(error.message)}`));
    }
  }

  choose();
  return h('div', { class: 'diff' },
    h('div', { class: 'diff-bar' }, h('label', { for: 'diff-with' }, 'Compare with'), select,
      h('span', { class: 'check' }, formOnly, h('label', { for: 'diff-form' }, 'Only missing, extra and retyped'))),
    result);
}

function drawn(lines, formOnly) {
  const counts = (line) => line.sign !== ' ' && (!formOnly || line.kind === 'form');
  const kept = formOnly ? lines.filter((line) => !(line.sign === '-' && line.kind === 'value')) : lines;
  const changed = kept.filter(counts);
  if (changed.length === 0) return h('p', { class: 'quiet-text' }, formOnly ? 'The form is the same: the same members, of the same types.' : 'The two are the same.');
  const of = (sign, kind) => changed.filter((line) => line.sign === sign && line.kind === kind).length;
  return [
    h('p', { class: 'quiet-text' }, `${counted(of('+', 'value'), 'other value')}, ${counted(of('-', 'form'), 'line')} only there, ${counted(of('+', 'form'), 'line')} only here`),
    h('div', { class: 'diff-lines' }, folded(kept, counts)),
  ];
}

// folded leaves out what is the same for long.
function folded(lines, counts) {
  const near = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (counts(line)) near.fill(1, Math.max(0, i - CONTEXT), i + CONTEXT + 1);
  });
  const out = [];
  let same = 0;
  const fold = () => {
    if (same > 0) out.push(h('div', { class: 'diff-fold' }, `${counted(same, 'line')} the same`));
    same = 0;
  };
  for (let i = 0; i < lines.length && out.length < MOST; i++) {
    if (!near[i]) {
      same++;
      continue;
    }
    fold();
    out.push(diffLine(lines[i], counts(lines[i])));
  }
  fold();
  if (out.length >= MOST) out.push(h('p', { class: 'quiet-text' }, `Only the first ${counted(MOST, 'line')} are shown.`));
  return out;
}

const SAID = { '-': 'only there: ', '+': 'only here: ', ' ': '' };

function diffLine({ sign, depth, text }, changed) {
  const shown = changed ? sign : ' ';
  const element = h('div', { class: `diff-line ${{ '-': 'diff-gone', '+': 'diff-new', ' ': 'diff-same' }[shown]}` },
    h('span', { class: 'sign', 'aria-hidden': 'true' }, shown), h('span', { class: 'hidden-text' }, SAID[shown]), long(text, 300));
  element.style.setProperty('--depth', Math.min(depth, 24));
  return element;
}
