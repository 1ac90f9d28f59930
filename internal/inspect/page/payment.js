import { drawing, h } from './dom.js';
import { clip, counted, long, visible } from './text.js';
import { shape } from './verdict.js';
import { toDelivery } from './router.js';
import { lanes } from './lanes.js';

const MOST_LINKS = 40;
const MOST_SUBJECTS = 20;

// graph is the server's picture of a subject's states, in a box that scrolls.
export function graph(svg, label) {
  const picture = svg ? drawing(svg) : null;
  if (!picture) return h('p', { class: 'quiet-text' }, 'There is no picture of the graph.');
  return h('div', { class: 'graph', tabindex: 0, role: 'region', 'aria-label': label }, picture);
}

const link = (n) => h('a', { href: toDelivery(n) }, `#${n}`);

// paymentView draws a payment: its subjects on their graphs, its lanes, its facts.
export function paymentView(payment, close) {
  return [
    h('div', { class: 'panel-head' },
      h('h2', { id: 'panel-title', tabindex: -1 }, 'Payment ', h('span', { class: 'mono id' }, clip(payment.id, 80))),
      h('span', { class: 'panel-tools' }, h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', title: 'Close (Esc)', onclick: close }, '×'))),
    h('div', { class: 'panel-body payment' },
      payment.subjects.slice(0, MOST_SUBJECTS).map(subjectCard),
      h('section', { 'aria-labelledby': 'lanes-title' }, h('h3', { id: 'lanes-title' }, 'Over time'), lanes(payment.lanes ?? [])),
      h('section', { 'aria-labelledby': 'facts-title' }, h('h3', { id: 'facts-title' }, 'Facts'), facts(payment.facts ?? []))),
  ];
}

function subjectCard(subject, i) {
  const illegal = subject.illegal ?? [];
  const deliveries = subject.deliveries ?? [];
  const title = `subject-${i}`;
  return h('section', { class: 'card', 'aria-labelledby': title },
    h('div', { class: 'card-head' },
      h('h3', { id: title }, visible(subject.subject), ' ', h('span', { class: 'mono id' }, clip(subject.id, 60))),
      h('p', { class: 'current' }, (subject.current ?? []).map((state) => h('span', { class: 'state' }, clip(state, 40))))),
    graph(subject.svg, `State graph of ${visible(subject.subject)} ${clip(subject.id, 60)}`),
    illegal.length > 0 ? h('ul', { class: 'illegal' }, illegal.slice(0, MOST_LINKS).map(attempt)) : null,
    h('p', { class: 'links' }, counted(deliveries.length, 'delivery', 'deliveries'), ': ',
      deliveries.slice(-MOST_LINKS).flatMap((n, at) => [at > 0 ? ' ' : '', link(n)])));
}

function attempt({ n, from, to, code, message }) {
  return h('li', null, shape('violation'),
    h('div', null,
      h('p', null, h('strong', { class: 'move-illegal' }, clip(from, 40), h('span', { 'aria-hidden': 'true' }, ' ↛ '), h('span', { class: 'hidden-text' }, ' not allowed to '), clip(to, 40)), ' ', h('code', null, clip(code, 60)), ' ', link(n)),
      h('p', null, long(message ?? '', 500))));
}

function facts(all) {
  if (all.length === 0) return h('p', { class: 'quiet-text' }, 'No fact is known.');
  return h('table', { class: 'facts' }, h('caption', { class: 'hidden-text' }, 'Facts of the payment and where each was first seen'),
    h('thead', null, h('tr', null, ['Fact', 'Value', 'First seen'].map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', null, all.slice(0, 400).map(fact)));
}

function fact({ name, meaning, source, value, n, state, pointer, drift }) {
  const drifted = drift ?? [];
  return h('tr', { class: drifted.length > 0 ? 'drifted' : null },
    h('th', { scope: 'row', title: clip([meaning, source].filter(Boolean).join(' · '), 300) }, h('span', { class: 'mono' }, clip(name, 60)), h('span', { class: 'meaning' }, clip(meaning, 120))),
    h('td', { class: 'mono' }, long(value ?? '', 200), drifted.slice(0, 10).map((other) => h('span', { class: 'drift' },
      shape('violation'), h('span', { class: 'hidden-text' }, 'Drift: '), long(other.value ?? '', 200), ' ', link(other.n)))),
    h('td', null, link(n), ' ', visible(state), ' ', h('span', { class: 'mono meaning' }, clip(pointer, 80))));
}
