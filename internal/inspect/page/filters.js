import { h, replace } from './dom.js';
import { clip, count } from './text.js';
import { NO_FILTER } from './store.js';
import { VERDICTS, shape } from './verdict.js';

const CHOICES = [['event', 'Event', 'Any event'], ['subject', 'Subject', 'Any subject'], ['state', 'State', 'Any state']];

// Filters is the bar above the list: search, choices, verdicts, pause, counts.
export class Filters {
  constructor(root, store) {
    this.store = store;
    this.search = h('input', {
      type: 'search', class: 'search', placeholder: 'Search ids, codes, messages', 'aria-label': 'Search ids, codes and messages',
      'aria-keyshortcuts': '/', spellcheck: 'false', autocomplete: 'off',
      oninput: () => store.setFilter({ text: this.search.value }),
    });
    this.selects = CHOICES.map(([facet, label, any]) => this.select(facet, label, any));
    this.verdicts = new Map([...VERDICTS].map(([verdict, word]) => [verdict, this.chip(verdict, word)]));
    this.pause = h('button', { type: 'button', class: 'pause', 'aria-pressed': 'false', 'aria-keyshortcuts': 'p', title: 'Hold back new rows (p)', onclick: () => store.setPaused(!store.paused) }, 'Pause');
    this.clear = h('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => this.reset() }, 'Clear');
    this.shown = h('p', { class: 'shown', id: 'shown' });
    root.append(
      h('div', { class: 'filter-line' }, this.search, ...this.selects.map((one) => one.element), this.clear),
      h('div', { class: 'filter-line' },
        h('div', { class: 'chips', role: 'group', 'aria-label': 'Verdict' }, [...this.verdicts.values()].map((one) => one.element)),
        this.shown, this.pause));
    store.addEventListener('change', () => this.schedule());
    this.update();
  }

  select(facet, label, any) {
    const element = h('select', { 'aria-label': label, onchange: () => this.store.setFilter({ [facet]: element.value }) }, h('option', { value: '' }, any));
    return { facet, any, element, listed: '' };
  }

  chip(verdict, word) {
    const number = h('span', { class: 'chip-count' }, '0');
    const element = h('button', { type: 'button', class: `chip badge-${verdict}`, 'aria-pressed': 'false', title: word, onclick: () => this.toggle(verdict) }, shape(verdict), h('span', { class: 'chip-word' }, word), ' ', number);
    return { element, number };
  }

  toggle(verdict) {
    const chosen = new Set(this.store.filter.verdict);
    if (!chosen.delete(verdict)) chosen.add(verdict);
    this.store.setFilter({ verdict: chosen });
  }

  reset() {
    this.search.value = '';
    for (const { element } of this.selects) element.value = '';
    this.store.setFilter(NO_FILTER);
  }

  schedule() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.update();
    });
  }

  update() {
    const { store } = this;
    for (const one of this.selects) this.list(one);
    for (const [verdict, { element, number }] of this.verdicts) {
      number.textContent = count(store.counts.get('verdict').get(verdict) ?? 0);
      element.setAttribute('aria-pressed', store.filter.verdict.has(verdict));
    }
    this.shown.textContent = `${count(store.view.length)} of ${count(store.rows.length)}`;
    this.clear.hidden = !store.filtered;
    this.pause.setAttribute('aria-pressed', store.paused);
    replace(this.pause, store.paused ? `Resume · ${count(store.waiting.length)} waiting` : 'Pause');
  }

  list(one) {
    const values = [...this.store.counts.get(one.facet).keys()].sort();
    const listed = values.join('\n');
    if (listed === one.listed) return;
    one.listed = listed;
    const chosen = this.store.filter[one.facet];
    if (chosen && !values.includes(chosen)) values.unshift(chosen);
    replace(one.element, h('option', { value: '' }, one.any), values.map((value) => h('option', { value }, clip(value, 48))));
    one.element.value = chosen;
  }
}
