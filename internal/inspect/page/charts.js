import { h, s } from './dom.js';
import { clock, count, visible } from './text.js';

// table is what a picture says, for those who do not see it or want figures.
function table(caption, columns, rows) {
  return h('details', { class: 'as-table' }, h('summary', null, 'As a table'),
    h('table', null, h('caption', { class: 'hidden-text' }, caption),
      h('thead', null, h('tr', null, columns.map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', null, rows.map((cells) => h('tr', null, cells.map((cell) => h('td', null, cell)))))));
}

const sum = (bucket) => bucket.ok + bucket.warning + bucket.violation;

// overTime draws stacked bars, one for each span of time.
export function overTime(buckets) {
  if (buckets.length === 0) return h('p', { class: 'quiet-text' }, 'Nothing yet.');
  const most = Math.max(1, ...buckets.map(sum));
  const label = `Verdicts over time: at most ${count(most)} deliveries at once`;
  const svg = s('svg', { class: 'bars', viewBox: `0 0 ${Math.max(buckets.length, 12) * 10} 100`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label });
  buckets.forEach((bucket, i) => {
    let y = 100;
    for (const verdict of ['ok', 'warning', 'violation']) {
      const height = (bucket[verdict] / most) * 100;
      if (height === 0) continue;
      y -= height;
      svg.append(s('rect', { class: `bar-${verdict}`, x: i * 10 + 1, y, width: 8, height }));
    }
  });
  return h('div', { class: 'chart' },
    h('p', { class: 'chart-most', 'aria-hidden': 'true' }, count(most)), svg,
    h('p', { class: 'chart-ends' }, h('span', null, clock(buckets[0].time)), buckets.length > 1 ? h('span', null, clock(buckets.at(-1).time)) : null),
    h('p', { class: 'legend' }, [['ok', 'Ok'], ['warning', 'Warning'], ['violation', 'Violation']].map(([verdict, word]) => h('span', null, h('span', { class: `swatch swatch-${verdict}`, 'aria-hidden': 'true' }), word))),
    table('Verdicts over time', ['From', 'Ok', 'Warning', 'Violation'], buckets.map((b) => [clock(b.time), count(b.ok), count(b.warning), count(b.violation)])));
}

const upTo = (bucket, i, all) => (bucket.upToMs ? `≤ ${bucket.upToMs} ms` : `> ${all[i - 1]?.upToMs ?? 0} ms`);

// steps stand below the bars: all where there is room, else the ends.
function steps(words) {
  if (words.length > 7) return h('p', { class: 'chart-ends' }, h('span', null, words[0]), h('span', null, words.at(-1)));
  return h('p', { class: 'chart-steps' }, words.map((word) => h('span', null, word)));
}

// latency draws how many answers took how long.
export function latency(buckets) {
  const most = Math.max(0, ...buckets.map((bucket) => bucket.count));
  if (most === 0) return h('p', { class: 'quiet-text' }, 'Nothing yet.');
  const svg = s('svg', { class: 'bars', viewBox: `0 0 ${buckets.length * 10} 100`, preserveAspectRatio: 'none', role: 'img', 'aria-label': 'Latency: how many answers took how long' });
  buckets.forEach((bucket, i) => {
    const height = (bucket.count / most) * 100;
    svg.append(s('rect', { class: 'bar-plain', x: i * 10 + 0.6, y: 100 - height, width: 8.8, height }));
  });
  return h('div', { class: 'chart' },
    h('p', { class: 'chart-most', 'aria-hidden': 'true' }, count(most)), svg,
    steps(buckets.map(upTo)),
    table('Latency', ['Latency', 'Answers'], buckets.map((bucket, i) => [upTo(bucket, i, buckets), count(bucket.count)])));
}

// ranked is a table whose counts are also bars.
export function ranked(caption, columns, rows) {
  if (rows.length === 0) return h('p', { class: 'quiet-text' }, 'Nothing yet.');
  const most = Math.max(...rows.map(([, n]) => n), 1);
  return h('table', { class: 'ranked' }, h('caption', { class: 'hidden-text' }, caption),
    h('thead', null, h('tr', null, columns.map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', null, rows.slice(0, 100).map(([name, n]) => {
      const bar = h('span', { class: 'ranked-bar', 'aria-hidden': 'true' });
      bar.style.width = `${(n / most) * 100}%`;
      return h('tr', null, h('th', { scope: 'row' }, visible(name)), h('td', null, h('span', { class: 'ranked-cell' }, h('span', { class: 'ranked-track' }, bar), h('span', { class: 'ranked-count' }, count(n)))));
    })));
}
