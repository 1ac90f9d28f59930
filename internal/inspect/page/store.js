// The rows the page knows, those of them that a filter shows, and those that
// wait while the reader has paused. Numbers grow by one from row to row.

const FACETS = ['event', 'subject', 'state', 'verdict'];
// A hostile sender can make up names without end; a list of choices has one.
const MOST_CHOICES = 200;

export const NO_FILTER = Object.freeze({ event: '', subject: '', state: '', verdict: new Set(), text: '' });

function haystack(row) {
  row.searched ??= [row.n, row.event, row.subject, row.id, row.state, row.from, row.to, row.path, row.status,
    row.verdict, row.codes?.join(' '), row.messages?.join(' ')].join(' ').toLowerCase();
  return row.searched;
}

function matcher(filter) {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) => (!filter.event || row.event === filter.event) &&
    (!filter.subject || row.subject === filter.subject) &&
    (!filter.state || row.state === filter.state) &&
    (filter.verdict.size === 0 || filter.verdict.has(row.verdict)) &&
    words.every((word) => haystack(row).includes(word));
}

// before is how many of the rows have a lower number than n.
export function before(rows, n) {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].n < n) low = middle + 1;
    else high = middle;
  }
  return low;
}

export class Store extends EventTarget {
  constructor(limit) {
    super();
    this.limit = limit;
    this.rows = [];
    this.view = [];
    this.waiting = [];
    this.paused = false;
    this.filter = NO_FILTER;
    this.matches = matcher(NO_FILTER);
    this.last = 0;
    this.counts = new Map(FACETS.map((facet) => [facet, new Map()]));
  }

  // add takes rows from the stream; one that is known already is left out.
  add(batch) {
    const fresh = batch.filter((row) => row.n > this.last);
    if (fresh.length === 0) return;
    this.last = fresh.at(-1).n;
    if (this.paused) {
      this.waiting.push(...fresh);
      if (this.waiting.length > this.limit) this.waiting.splice(0, this.waiting.length - this.limit);
      this.changed();
      return;
    }
    this.take(fresh);
  }

  take(rows) {
    for (const row of rows) {
      this.rows.push(row);
      this.tally(row, 1);
      if (this.matches(row)) this.view.push(row);
    }
    const over = this.rows.length - this.limit;
    this.forget(over > 0 ? this.rows[over].n : 0);
  }

  // forget drops the rows before number n, as the server has.
  forget(n) {
    const gone = this.rows.splice(0, before(this.rows, n));
    for (const row of gone) this.tally(row, -1);
    const dropped = before(this.view, n);
    this.view.splice(0, dropped);
    this.waiting.splice(0, before(this.waiting, n));
    this.changed(dropped);
  }

  tally(row, by) {
    for (const [facet, values] of this.counts) {
      const value = row[facet];
      if (!value || (!values.has(value) && values.size >= MOST_CHOICES)) continue;
      const n = (values.get(value) ?? 0) + by;
      if (n > 0) values.set(value, n);
      else values.delete(value);
    }
  }

  setFilter(change) {
    this.filter = { ...this.filter, ...change };
    this.matches = matcher(this.filter);
    this.view = this.rows.filter(this.matches);
    this.dispatchEvent(new CustomEvent('filter'));
    this.changed();
  }

  get filtered() {
    const f = this.filter;
    return Boolean(f.event || f.subject || f.state || f.verdict.size || f.text.trim());
  }

  setPaused(paused) {
    this.paused = paused;
    if (!paused) this.take(this.waiting.splice(0));
    else this.changed();
  }

  index(n) {
    const at = before(this.view, n);
    return this.view[at]?.n === n ? at : -1;
  }

  get(n) {
    const row = this.rows[before(this.rows, n)];
    return row?.n === n ? row : null;
  }

  // previous is the last row before n about the same subject, or null.
  previous(n, subject, id) {
    for (let at = before(this.rows, n) - 1; at >= 0; at--) {
      const row = this.rows[at];
      if (row.id === id && row.subject === subject) return row;
    }
    return null;
  }

  changed(dropped = 0) {
    this.dispatchEvent(new CustomEvent('change', { detail: { dropped } }));
  }
}
