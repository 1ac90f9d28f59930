import { h } from './dom.js';
import { clip, count, counted, visible } from './text.js';
import { VERDICTS, shape } from './verdict.js';
import { graph } from './payment.js';
import { latency, overTime, ranked } from './charts.js';

function card(title, id, className, ...content) {
  return h('section', { class: `card ${className}`, 'aria-labelledby': id }, h('h3', { id }, title), content);
}

// overviewView draws what all deliveries say together.
export function overviewView(data) {
  return [
    h('h2', { id: 'overview-title', tabindex: -1 }, 'Overview'),
    figures(data),
    data.missed > 0 ? h('p', { class: 'quiet-text' }, `${counted(data.missed, 'delivery was', 'deliveries were')} forgotten before the overview was first opened: the figures leave them out.`) : null,
    h('div', { class: 'cards' },
      (data.coverage ?? []).map(coverage),
      card('Verdicts over time', 'over-time-title', '', overTime(data.overTime ?? [])),
      card('Latency', 'latency-title', '', latency(data.latency ?? [])),
      card('States', 'states-title', '', ranked('Deliveries per state', ['State', 'Deliveries'], (data.perState ?? []).map((one) => [`${one.subject} ${one.state}`, one.count]))),
      (data.groups ?? []).map((group, i) => card(clip(group.fact, 60), `group-${i}`, '', h('p', { class: 'quiet-text' }, clip(group.meaning, 160)),
        ranked(`Payments per ${group.fact}`, [group.fact, 'Count'], (group.counts ?? []).map((one) => [clip(one.value, 60), one.count])))),
      averages(data.averages ?? [])),
  ];
}

function figures({ total, forgotten, verdicts }) {
  return h('dl', { class: 'figures' },
    h('div', null, h('dt', null, 'Deliveries'), h('dd', null, count(total ?? 0))),
    [...VERDICTS].map(([verdict, word]) => h('div', { class: `figure-${verdict}` }, h('dt', null, shape(verdict), ' ', word), h('dd', null, count(verdicts?.[verdict] ?? 0)))),
    forgotten > 0 ? h('div', null, h('dt', null, 'No longer kept'), h('dd', null, count(forgotten))) : null);
}

function coverage({ subject, seen, of, svg }, i) {
  const name = visible(subject);
  return card([`${name} `, h('span', { class: 'fraction' }, `${seen}/${of}`), h('span', { class: 'quiet-text' }, ` ${of === 1 ? 'edge' : 'edges'} covered`)], `coverage-${i}`, 'card-graph',
    meter(seen, of, name), graph(svg, `Covered edges of ${name}: ${seen} of ${counted(of, 'edge')}`));
}

function meter(seen, of, name) {
  return h('meter', { class: 'coverage', min: 0, max: of || 1, value: seen, 'aria-label': `Edges of ${name} covered` });
}

function averages(all) {
  if (all.length === 0) return null;
  return card('Averages', 'averages-title', '', h('table', { class: 'averages' }, h('caption', { class: 'hidden-text' }, 'Averages'),
    h('thead', null, h('tr', null, ['Fact', 'By', 'Count', 'Average'].map((name, i) => h('th', { scope: 'col', class: i > 1 ? 'figure' : null }, name)))),
    h('tbody', null, all.slice(0, 100).map((one) => h('tr', null, h('th', { scope: 'row' }, clip(one.fact, 60)), h('td', null, clip(one.by, 60) || 'all'),
      h('td', { class: 'figure' }, count(one.count)), h('td', { class: 'figure mono' }, clip(one.average, 60)))))));
}
