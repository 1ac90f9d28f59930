import { byId, h, replace } from './dom.js';
import { visible } from './text.js';
import { DeliveryView } from './delivery.js';
import { paymentView } from './payment.js';
import { overviewView } from './overview.js';
import { LIST, toDelivery, toPayment } from './router.js';
import { toast } from './toast.js';
import * as api from './api.js';

// Summaries are asked for again at most so often while deliveries come.
const REFRESH = 2000;
const NARROW = '(max-width: 800px)';

const STOPS = 'a, button, summary, h2, [tabindex]';

function placeIn(box) {
  return {
    scrolled: box.querySelector('.panel-body')?.scrollTop ?? 0,
    open: [...box.querySelectorAll('details')].map((one) => one.open),
    focus: [...box.querySelectorAll(STOPS)].indexOf(document.activeElement),
  };
}

function restore(box, { scrolled, open, focus }) {
  box.querySelectorAll('details').forEach((one, i) => {
    one.open = Boolean(open[i]);
  });
  if (scrolled) box.querySelector('.panel-body').scrollTop = scrolled;
  if (focus >= 0) [...box.querySelectorAll(STOPS)].at(focus)?.focus({ preventScroll: true });
}

// Panel shows what the address names: a delivery, a payment, the overview, or
// nothing but the list.
export class Panel {
  constructor({ contract, store }) {
    this.store = store;
    this.marked = 0;
    this.route = { view: 'list' };
    this.box = byId('panel');
    this.view = new DeliveryView({
      target: contract.target, store, marked: () => this.marked, mark: () => this.mark(this.route.n),
      step: (by) => this.step(by), close: () => this.close(),
    });
  }

  get showsDelivery() {
    return this.route.view === 'delivery';
  }

  get hidesList() {
    return byId('deliveries').hidden || (!this.box.hidden && matchMedia(NARROW).matches);
  }

  show(route) {
    const before = this.route;
    this.route = route;
    byId('main').dataset.view = route.view === 'overview' ? 'overview' : route.view === 'list' ? 'deliveries' : 'panel';
    for (const link of document.querySelectorAll('nav a')) {
      if ((route.view === 'overview') === (link.dataset.view === 'overview')) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    byId('overview').hidden = route.view !== 'overview';
    byId('deliveries').hidden = route.view === 'overview';
    this.box.hidden = route.view === 'list' || route.view === 'overview';
    this.timeline.select(route.view === 'delivery' ? route.n : 0);
    this.load(before);
  }

  // load asks for what the route names; a later call makes an earlier one stop.
  async load(before) {
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    const { view } = this.route;
    if (view === 'list') {
      this.listed(before);
      return;
    }
    const again = before === this.route;
    try {
      if (view === 'delivery') await this.delivery(stop.signal, before);
      else if (view === 'payment') this.put(this.box, paymentView(await api.payment(this.route.subject, this.route.id, stop.signal), () => this.close()), { again });
      else this.put(byId('overview'), overviewView(await api.overview(stop.signal)), { again });
    } catch (error) {
      if (!stop.signal.aborted) this.failed(error);
    }
  }

  listed(before) {
    replace(this.box);
    this.view.delivery = null;
    this.timeline.shown();
    if (before.view !== 'list') this.timeline.focusActive();
  }

  async delivery(signal, before) {
    const { n } = this.route;
    const delivery = await api.delivery(n, signal);
    const inList = before.view === 'delivery' && Boolean(document.activeElement?.closest('.rows'));
    this.put(this.box, this.view.draw(delivery), { inList });
    this.timeline.activate(n, false);
  }

  // put shows new content. The focus goes to its title, unless the reader walks
  // through the list; when the same is drawn again, everything stays in its place.
  put(box, content, { inList = false, again = false }) {
    const place = again ? placeIn(box) : null;
    replace(box, content);
    if (place) restore(box, place);
    else if (!inList) box.querySelector('h2')?.focus({ preventScroll: true });
  }

  failed(error) {
    const box = this.route.view === 'overview' ? byId('overview') : this.box;
    this.view.delivery = null;
    const text = error.status === 404 ? 'This is not kept, or no longer.' : `It cannot be shown: ${error.message}`;
    this.put(box, [
      h('div', { class: 'panel-head' }, h('h2', { id: box === this.box ? 'panel-title' : 'overview-title', tabindex: -1 }, this.showsDelivery ? `#${this.route.n}` : visible(this.route.id ?? 'Overview')),
        h('span', { class: 'panel-tools' }, h('button', { type: 'button', class: 'icon-button', 'aria-label': 'Close', onclick: () => this.close() }, '×'))),
      h('div', { class: 'panel-body' }, h('p', { class: 'problem' }, visible(text))),
    ], {});
  }

  close() {
    if (this.route.view !== 'list') this.router.go(LIST);
  }

  step(by) {
    const n = this.timeline.move(by);
    if (n) this.router.swap(toDelivery(n));
  }

  toPayment(row) {
    if (row?.id) this.router.go(toPayment(row.subject, row.id));
  }

  resend() {
    if (this.showsDelivery && this.view.delivery && !this.view.delivery.resendable) toast('There is nowhere to resend this to');
    if (this.showsDelivery) this.view.resend();
  }

  mark(n) {
    if (!n) return;
    this.marked = this.marked === n ? 0 : n;
    toast(this.marked ? `Marked #${n}: open another delivery and choose Compare` : `#${n} is no longer marked`);
    this.timeline.render();
    this.view.marking();
  }

  // fresh asks again for a summary that new deliveries may have changed.
  fresh() {
    if (this.waits || this.store.paused || this.showsDelivery || this.route.view === 'list') return;
    this.waits = true;
    setTimeout(() => {
      this.waits = false;
      if (!this.showsDelivery) this.load(this.route);
    }, REFRESH);
  }
}
