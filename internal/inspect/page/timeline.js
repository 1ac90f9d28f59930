import { h } from './dom.js';
import { clip, clock, count, counted, millis, short, visible } from './text.js';
import { before } from './store.js';
import { badge, edge } from './verdict.js';
import { toPayment } from './router.js';

const COLUMNS = ['Time', 'Event', 'Edge', 'Subject', 'Verdict', 'Answer', 'Latency'];
const OVERSCAN = 8;
// Within so many pixels of the end the reader follows what comes.
const AT_END = 6;

// Timeline is a grid of which only the rows in sight, and the active one, are in
// the document. Rows have one height, which the style sheet says.
export class Timeline {
  constructor(root, store, { open, marked }) {
    this.store = store;
    this.open = open;
    this.marked = marked;
    this.active = 0;
    this.selected = 0;
    this.following = true;
    this.seen = 0;
    this.drawn = new Map();
    this.build(root);
    store.addEventListener('change', (event) => this.changed(event.detail.dropped));
    store.addEventListener('filter', () => this.filtered());
    new ResizeObserver(() => this.resized()).observe(this.grid);
  }

  build(root) {
    this.body = h('div', { class: 'rows', role: 'rowgroup', onclick: (e) => this.clicked(e), onfocusin: (e) => this.focused(e) });
    this.head = h('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 },
      COLUMNS.map((name, i) => h('span', { role: 'columnheader', class: `c${i}`, 'aria-colindex': i + 1 }, name)));
    this.grid = h('div', { class: 'grid', role: 'grid', 'aria-label': 'Deliveries', 'aria-colcount': COLUMNS.length, onscroll: () => this.scrolled() },
      h('div', { class: 'grid-head', role: 'rowgroup' }, this.head), this.body);
    this.empty = h('div', { class: 'empty' });
    this.jump = h('button', { type: 'button', class: 'jump', hidden: true, onclick: () => this.end() });
    root.append(this.grid, this.empty, this.jump);
    this.resized();
  }

  resized() {
    const height = parseFloat(getComputedStyle(this.body).getPropertyValue('--row'));
    if (height > 0) this.height = height;
    this.render();
  }

  changed(dropped) {
    if (dropped && !this.following) this.grid.scrollTop -= dropped * this.height;
    if (this.awaited && this.store.index(this.awaited) >= 0) this.reveal(this.awaited);
    this.schedule();
  }

  filtered() {
    this.following = true;
    for (const element of this.drawn.values()) element.remove();
    this.drawn.clear();
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.render();
    });
  }

  scrolled() {
    if (this.grid.clientHeight === 0) return;
    this.top = this.grid.scrollTop;
    this.following = this.below() <= AT_END;
    this.render();
  }

  // shown puts the list back to where it was before it was hidden.
  shown() {
    if (this.following) this.toEnd();
    else this.grid.scrollTop = this.top ?? 0;
    if (this.active && !this.following) this.reveal(this.active);
    this.render();
  }

  toEnd() {
    this.grid.scrollTop = this.grid.scrollHeight;
  }

  end() {
    this.following = true;
    this.toEnd();
  }

  // range is the indexes of the rows to draw, in order.
  range() {
    const rows = this.store.view.length;
    const from = Math.max(0, Math.floor(this.grid.scrollTop / this.height) - OVERSCAN);
    const to = Math.min(rows, Math.ceil((this.grid.scrollTop + this.grid.clientHeight) / this.height) + OVERSCAN);
    const out = [];
    for (let i = from; i < to; i++) out.push(i);
    const active = this.store.index(this.active);
    if (active >= 0 && active < from) out.unshift(active);
    if (active >= 0 && active >= to) out.push(active);
    return out;
  }

  render() {
    const { view } = this.store;
    this.grow();
    this.grid.setAttribute('aria-rowcount', view.length + 1);
    const wanted = this.range();
    const numbers = new Set(wanted.map((i) => view[i].n));
    for (const [n, element] of this.drawn) {
      if (numbers.has(n)) continue;
      element.remove();
      this.drawn.delete(n);
    }
    let cursor = this.body.firstChild;
    for (const i of wanted) {
      const element = this.place(view[i], i);
      if (element === cursor) cursor = cursor.nextSibling;
      else this.body.insertBefore(element, cursor);
    }
    this.tabStop(wanted);
    this.say();
    if (this.following) this.toEnd();
  }

  place(row, index) {
    let element = this.drawn.get(row.n);
    if (!element) {
      element = this.draw(row);
      this.drawn.set(row.n, element);
    }
    if (element.index !== index) {
      element.index = index;
      element.style.transform = `translateY(${index * this.height}px)`;
      element.setAttribute('aria-rowindex', index + 2);
    }
    element.setAttribute('aria-selected', row.n === this.selected);
    element.classList.toggle('marked', row.n === this.marked());
    return element;
  }

  draw(row) {
    const cell = (i, props, ...children) =>
      h('span', { role: 'gridcell', class: `c${i}`, 'aria-colindex': i + 1, ...props }, ...children);
    const codes = (row.codes ?? []).filter((code) => code !== row.verdict);
    const element = h('div', { role: 'row', class: `row row-${row.verdict}`, tabindex: -1 },
      cell(0, { title: row.time }, h('time', { datetime: row.time }, clock(row.time))),
      cell(1, { title: clip(row.event || row.path, 200) }, row.direction === 'sent' ? h('span', { class: 'tag' }, row.attempt > 1 ? `sent ${row.attempt}×` : 'sent') : null, clip(row.event || row.path, 60)),
      cell(2, {}, edge({ ...row, from: short(row.from, 24), to: short(row.to, 24) })),
      cell(3, { title: clip(`${row.subject} ${row.id}`, 300) }, row.id
        ? h('a', { href: toPayment(row.subject, row.id), tabindex: -1 }, h('span', { class: 'subject' }, `${visible(row.subject)} `), short(row.id))
        : ''),
      cell(4, { title: clip(row.messages?.[0] ?? '', 300) }, badge(row.verdict),
        codes.length ? h('span', { class: 'codes' }, clip(codes[0], 40), codes.length > 1 ? ` +${codes.length - 1}` : '') : null),
      cell(5, { class: `c5${row.status >= 400 || !row.status ? ' answer-bad' : ''}` }, row.status ? String(row.status) : 'none'),
      cell(6, {}, millis(row.latencyMs)));
    element.n = row.n;
    return element;
  }

  // tabStop keeps exactly one row in the order of the Tab key.
  tabStop(wanted) {
    const { view } = this.store;
    const stop = this.drawn.has(this.active) ? this.active : view[wanted.at(-1)]?.n;
    for (const [n, element] of this.drawn) element.tabIndex = n === stop ? 0 : -1;
  }

  // grow makes room for all rows that there are by now.
  grow() {
    this.room = this.store.view.length * this.height;
    this.body.style.height = `${this.room}px`;
  }

  // below is how many pixels of that room are below what is in sight.
  below() {
    return this.room + this.head.offsetHeight - this.grid.scrollTop - this.grid.clientHeight;
  }

  say() {
    const { store } = this;
    this.jump.hidden = this.following || this.below() <= AT_END;
    if (this.jump.hidden) this.seen = store.view.at(-1)?.n ?? 0;
    const fresh = store.view.length - before(store.view, this.seen + 1);
    this.jump.textContent = fresh > 0 ? `↓ ${count(fresh)} new` : '↓ Latest';
    this.empty.hidden = store.view.length > 0;
    if (this.empty.hidden) return;
    const text = store.rows.length === 0 ? 'Waiting for the first delivery' : `None of ${counted(store.rows.length, 'delivery', 'deliveries')} matches the filter`;
    if (this.empty.textContent !== text) this.empty.textContent = text;
  }

  clicked(event) {
    const row = event.target.closest('.row');
    if (!row || event.target.closest('a')) return;
    this.activate(row.n);
    this.open(row.n);
  }

  focused(event) {
    const row = event.target.closest('.row');
    if (row && row.n !== this.active) {
      this.active = row.n;
      this.render();
    }
  }

  // move makes the row so many steps away the active one and returns its number.
  move(steps) {
    const { view } = this.store;
    if (view.length === 0) return 0;
    const at = this.store.index(this.active);
    const start = at >= 0 ? at : steps > 0 ? this.firstInSight() - 1 : view.length;
    const next = start + steps;
    const { n } = view[Math.min(Math.max(next, 0), view.length - 1)];
    this.activate(n);
    return n;
  }

  firstInSight() {
    return Math.ceil(this.grid.scrollTop / this.height);
  }

  page() {
    return Math.max(1, Math.floor((this.grid.clientHeight - this.head.offsetHeight) / this.height) - 1);
  }

  // activate makes row n the active one, in sight and focused.
  activate(n, focus = true) {
    this.active = n;
    this.reveal(n);
    this.render();
    if (focus) this.drawn.get(n)?.focus({ preventScroll: true });
  }

  reveal(n) {
    const at = this.store.index(n);
    this.awaited = at < 0 ? n : 0; // the page was opened at it, and its row is yet to come
    if (at < 0) return;
    this.grow();
    const top = at * this.height;
    const inner = this.grid.clientHeight - this.head.offsetHeight;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top + this.height > this.grid.scrollTop + inner) this.grid.scrollTop = top + this.height - inner;
    this.following = at === this.store.view.length - 1 && this.following;
  }

  select(n) {
    this.selected = n;
    if (n) this.active = n;
    this.render();
  }

  focusActive() {
    this.render(); // after a filter has changed, no row is drawn until the next frame
    const element = this.drawn.get(this.active) ?? this.body.lastElementChild;
    element?.focus({ preventScroll: true });
  }
}
