import { h, replace } from './dom.js';
import { bytes, clip, clock, count, counted, long, millis, visible } from './text.js';
import { badge, edge, shape } from './verdict.js';
import { toDelivery, toPayment } from './router.js';
import { tabs } from './tabs.js';
import { Payload } from './payload.js';
import { raw } from './raw.js';
import { parse } from './json.js';
import { diffView, others } from './diffview.js';
import { copy, toast } from './toast.js';
import * as api from './api.js';

const FIRST_FINDINGS = 12;
const MORE_FINDINGS = 100;
const MOST_PARTIES = 4;

// DeliveryView draws one delivery. It remembers which tab the reader likes.
export class DeliveryView {
  constructor({ target, store, marked, mark, step, close }) {
    Object.assign(this, { target, store, marked, mark, step, close, tab: 'json' });
  }

  draw(delivery) {
    this.delivery = delivery;
    const payload = delivery.bodyBase64 ? null : new Payload(delivery.body, delivery.findings ?? [], delivery.fields ?? []);
    this.payload = payload;
    this.tabs = this.body(payload);
    this.result = h('div', { class: 'resent', role: 'status' });
    return [this.head(), h('div', { class: 'panel-body' }, this.summary(), this.actions(), this.result, this.findings(), this.tabs.elements)];
  }

  head() {
    const { row } = this.delivery;
    return h('div', { class: 'panel-head' },
      badge(row.verdict),
      h('h2', { id: 'panel-title', tabindex: -1 }, h('span', { class: 'number' }, `#${row.n}`), ' ', clip(row.event || row.path, 80)),
      h('span', { class: 'panel-tools' },
        h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Previous delivery', title: 'Previous (k)', onclick: () => this.step(-1) }, '↑'),
        h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Next delivery', title: 'Next (j)', onclick: () => this.step(1) }, '↓'),
        h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', title: 'Close (Esc)', onclick: this.close }, '×')));
  }

  summary() {
    const { row, method, size, signature, forwarded, redacted, url } = this.delivery;
    const facts = [
      ['Edge', edge(row)],
      ['Time', h('time', { datetime: row.time, title: row.time }, clock(row.time))],
      ['Answer', `${row.status || 'none'} in ${millis(row.latencyMs)}`],
      ['Signature', visible(signature) || (row.codes.includes('wrong-signature') ? 'wrong' : 'not verified')],
      ...this.parties(),
      ['Request', [h('span', { class: 'mono' }, `${visible(method)} ${clip(url || row.path, 200)}`), ` · ${bytes(size)}`], 'wide'],
    ];
    if (forwarded) facts.push(['Forwarded', h('span', { class: 'mono' }, clip(forwarded, 200)), 'wide']);
    if (redacted) facts.push(['Body', clip(redacted, 200), 'wide']);
    if (row.direction === 'sent') facts.push(['Attempt', count(row.attempt || 1)]);
    return h('dl', { class: 'summary' }, facts.map(([name, value, wide]) => h('div', { class: wide }, h('dt', null, name), h('dd', null, value))));
  }

  // parties are the subjects that the delivery is about, its own first.
  parties() {
    const { row, parties } = this.delivery;
    const link = (subject, id, own) => [visible(subject) || 'subject', h('a', {
      href: toPayment(subject, id), class: 'mono', id: own ? 'to-payment' : null, title: own ? 'State graph and facts (v)' : 'State graph and facts',
    }, clip(id, 120)), 'wide'];
    const others = (parties ?? []).filter((party) => party.id !== row.id || party.subject !== row.subject);
    return [...(row.id ? [link(row.subject, row.id, true)] : []), ...others.slice(0, MOST_PARTIES).map((party) => link(party.subject, party.id, false))];
  }

  actions() {
    const { row, curl, command, fixture, resendable } = this.delivery;
    const offer = (text, label, what) => (text ? h('button', { type: 'button', onclick: () => copy(text, what) }, label) : null);
    this.markButton = h('button', { type: 'button', title: 'Mark to compare others with it (m)', onclick: () => this.mark() });
    this.marking();
    return h('div', { class: 'actions', role: 'group', 'aria-label': 'Actions' },
      resendable ? h('button', { type: 'button', class: 'primary', id: 'resend', title: `Send it again to ${visible(this.target)} (r)`, onclick: () => this.resend() }, 'Resend') : null,
      this.markButton,
      h('span', { class: 'copy-group', role: 'group', 'aria-label': 'Copy' }, h('span', { class: 'copy-word', 'aria-hidden': 'true' }, 'Copy'),
        offer(curl, 'curl', 'curl command'), offer(command, 'paytest', 'paytest command'), offer(fixture, 'fixture', 'fixture')));
  }

  // marking shows whether this is the delivery that others are compared with.
  marking() {
    const marked = this.marked() === this.delivery?.row.n;
    this.markButton?.setAttribute('aria-pressed', marked);
    this.markButton?.replaceChildren(marked ? 'Marked' : 'Mark');
  }

  async resend() {
    if (!this.delivery?.resendable || this.sending) return;
    const { n } = this.delivery.row;
    this.sending = true;
    replace(this.result, h('p', null, `Sending again to ${visible(this.target)} …`));
    try {
      const { row } = await api.resend(n);
      const link = row.n ? h('a', { href: toDelivery(row.n) }, `#${row.n}`) : null;
      this.tell(n, h('p', null, badge(row.verdict), ` Resent to ${visible(this.target)}: answered ${row.status || 'nothing'} in ${millis(row.latencyMs)} `, link));
    } catch (error) {
      this.tell(n, h('p', { class: 'problem' }, `Not resent: ${visible(error.message)}`));
    } finally {
      this.sending = false;
    }
  }

  // tell shows how resending ended, elsewhere when the reader has moved on.
  tell(n, words) {
    if (this.delivery?.row.n === n) replace(this.result, words);
    else toast(`#${n}: ${words.textContent}`);
  }

  findings() {
    const findings = this.delivery.findings ?? [];
    if (findings.length === 0) return h('p', { class: 'no-findings' }, shape('ok'), 'Nothing found: as the contract says.');
    const list = h('ul', { class: 'findings' });
    const more = h('button', { type: 'button', class: 'more', onclick: () => extend(MORE_FINDINGS) });
    let at = 0;
    const extend = (by) => {
      list.append(...findings.slice(at, at + by).map((finding) => this.finding(finding)));
      at = Math.min(findings.length, at + by);
      more.hidden = at === findings.length;
      more.textContent = `Show more (${counted(findings.length - at, 'finding')} left)`;
    };
    extend(FIRST_FINDINGS);
    return h('section', { 'aria-labelledby': 'findings-title' }, h('h3', { id: 'findings-title' }, counted(findings.length, 'finding')), list, more);
  }

  finding(finding) {
    const sides = [['expected', finding.expected], ['got', finding.got], ['rule', finding.source]].filter(([, text]) => text);
    const pointer = finding.pointer && this.payload
      ? h('button', { type: 'button', class: 'pointer', onclick: () => this.reveal(finding.pointer) }, clip(finding.pointer, 120)) : null;
    return h('li', { class: `finding finding-${finding.severity}` }, shape(finding.severity),
      h('div', null,
        h('p', { class: 'finding-head' }, h('code', null, clip(finding.code, 60)), ' ', h('span', { class: 'severity' }, clip(finding.severity, 20)), ' ', pointer),
        h('p', null, long(finding.message, 500)),
        sides.length > 0 ? h('dl', { class: 'sides' }, sides.map(([name, text]) => h('div', null, h('dt', null, name), h('dd', null, long(text, 300))))) : null));
  }

  reveal(pointer) {
    this.tabs.choose('json');
    if (!this.payload.reveal(pointer)) toast(`${clip(pointer, 80)} is not in the payload`);
  }

  body(payload) {
    const { headers, answer } = this.delivery;
    const items = [
      { id: 'json', label: 'JSON', draw: () => (payload ? payload.element : raw(this.delivery)) },
      { id: 'raw', label: 'Raw', draw: () => raw(this.delivery) },
      { id: 'headers', label: ['Headers ', h('span', { class: 'tab-count' }, count(headers.length))], draw: () => headerTable(headers) },
      { id: 'answer', label: ['Answer ', h('span', { class: 'tab-count' }, answer.status || 'none')], draw: () => answerView(answer) },
      { id: 'diff', label: 'Compare', draw: () => diffView(this.delivery, others(this.delivery, this.store, this.marked()), this.marked() ? 'marked' : '') },
    ];
    return tabs('Parts of the delivery', items, this.tab, (id) => {
      this.tab = id;
    });
  }
}

function headerTable(headers) {
  if (headers.length === 0) return h('p', { class: 'quiet-text' }, 'No header is recorded.');
  return h('table', { class: 'headers' }, h('caption', { class: 'hidden-text' }, 'Headers'),
    h('thead', { class: 'hidden-text' }, h('tr', null, h('th', { scope: 'col' }, 'Name'), h('th', { scope: 'col' }, 'Value'))),
    h('tbody', null, headers.slice(0, 200).map(([name, value]) =>
      h('tr', null, h('th', { scope: 'row' }, clip(name, 120)), h('td', null, long(value, 400))))));
}

function answerView({ status, body }) {
  if (!status && !body) return h('p', { class: 'quiet-text' }, 'Nothing came back.');
  const line = h('p', { class: 'answer-line' }, status ? `Status ${status}` : 'No status');
  if (!body) return [line, h('p', { class: 'quiet-text' }, 'The answer has no body.')];
  return [line, parse(body).error ? h('pre', { class: 'raw', tabindex: 0, role: 'region', 'aria-label': 'Body of the answer' }, long(body, 16_384)) : new Payload(body, [], []).element];
}
