import { h, s } from './dom.js';
import { clip, clock, counted, short, since, visible } from './text.js';
import { VERDICTS } from './verdict.js';
import { toDelivery } from './router.js';

const LANE = 76;
const SIDE = 34;
const GAP = 30;
const LABEL = 78;
const MOST_POINTS = 200;
const MOST_LANES = 20;

// lanes draws what happened to each subject over time. Places follow the clock,
// but two points never come closer than can be told apart.
export function lanes(all) {
  const shown = all.slice(0, MOST_LANES).map((lane) => ({ ...lane, points: (lane.points ?? []).slice(-MOST_POINTS) }));
  const points = shown.flatMap((lane, i) => lane.points.map((point) => ({ ...point, lane: i, at: Date.parse(point.time) || 0 })));
  points.sort((a, b) => a.at - b.at || a.n - b.n);
  if (points.length === 0) return h('p', { class: 'quiet-text' }, 'No delivery of this payment is kept.');
  const left = all.reduce((sum, lane) => sum + (lane.points ?? []).length, 0) - points.length;
  return h('div', { class: 'lanes' },
    h('div', { class: 'lanes-scroll', tabindex: 0, role: 'region', 'aria-label': 'Deliveries over time, one lane for each subject' }, picture(shown, points)),
    left > 0 ? h('p', { class: 'quiet-text' }, `${counted(left, 'earlier delivery', 'earlier deliveries')} not drawn`) : null,
    table(shown, points));
}

// place gives each point its x and returns the width.
function place(points) {
  const start = points[0].at;
  const span = Math.max(1, points.at(-1).at - start);
  const room = Math.max(480, points.length * GAP * 1.6);
  let last = -Infinity;
  for (const point of points) {
    point.x = Math.max(SIDE + ((point.at - start) / span) * room, last + GAP);
    last = point.x;
  }
  return last + SIDE + LABEL;
}

function picture(all, points) {
  const width = place(points);
  const height = all.length * LANE + 26;
  const svg = s('svg', { class: 'lanes-svg', viewBox: `0 0 ${width} ${height}`, width, height, role: 'group', 'aria-label': 'Lanes' });
  all.forEach((lane, i) => {
    const own = points.filter((point) => point.lane === i);
    const y = i * LANE + 40;
    svg.append(
      s('text', { class: 'lane-name', x: 8, y: y - 22 }, `${visible(lane.subject)} ${short(lane.id, 24)}`),
      s('line', { class: 'lane-line', x1: 8, x2: width - 8, y1: y, y2: y }));
    if (own.length > 1) svg.append(s('line', { class: 'lane-life', x1: own[0].x, x2: own.at(-1).x, y1: y, y2: y }));
    svg.append(...labelled(own, y));
  });
  svg.append(...axis(points, height - 6));
  return svg;
}

function labelled(own, y) {
  const free = [-Infinity, -Infinity];
  return own.map((point) => {
    const level = free[0] <= point.x ? 0 : 1;
    const fits = free[level] <= point.x;
    if (fits) free[level] = point.x + point.label.length * 6.6 + 8;
    return s('a', { href: toDelivery(point.n), class: `point point-${point.verdict}`, 'aria-label': told(point) },
      s('title', null, told(point)),
      s('circle', { class: 'point-room', cx: point.x, cy: y, r: 13 }),
      s('use', { href: `#shape-${VERDICTS.has(point.verdict) ? point.verdict : 'note'}`, x: point.x - 8, y: y - 8, width: 16, height: 16 }),
      fits ? s('text', { x: point.x - 8, y: y + 22 + level * 13 }, clip(point.label, 16)) : null);
  });
}

const told = (point) => `#${point.n} ${clip(point.label, 60)}, ${VERDICTS.get(point.verdict) ?? ''}, ${clock(point.time)}`;

function axis(points, y) {
  const out = [];
  let free = -Infinity;
  for (const point of points) {
    if (point.x < free) continue;
    const text = point === points[0] ? clock(point.time) : since(point.at - points[0].at);
    out.push(s('text', { class: 'axis', x: point.x - 8, y }, text));
    free = point.x + text.length * 6.6 + 12;
  }
  return out;
}

function table(all, points) {
  return h('details', { class: 'as-table' }, h('summary', null, 'As a table'),
    h('table', null, h('caption', { class: 'hidden-text' }, 'Deliveries over time'),
      h('thead', null, h('tr', null, ['Time', 'Subject', 'State', 'Verdict', 'Delivery'].map((name) => h('th', { scope: 'col' }, name)))),
      h('tbody', null, points.map((point) => h('tr', null,
        h('td', { class: 'mono' }, clock(point.time)), h('td', null, `${visible(all[point.lane].subject)} ${short(all[point.lane].id)}`),
        h('td', null, clip(point.label, 40)), h('td', null, VERDICTS.get(point.verdict) ?? visible(point.verdict)),
        h('td', null, h('a', { href: toDelivery(point.n) }, `#${point.n}`)))))));
}
