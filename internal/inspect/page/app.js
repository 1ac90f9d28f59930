import { byId, h, replace } from './dom.js';
import { count, counted, visible } from './text.js';
import { Store } from './store.js';
import { Timeline } from './timeline.js';
import { Filters } from './filters.js';
import { Keys } from './keys.js';
import { LIST, Router, toDelivery, toPayment } from './router.js';
import { Panel } from './panel.js';
import { follow } from './stream.js';
import { toast } from './toast.js';
import * as api from './api.js';

const STATES = {
  connecting: 'Connecting', live: 'Live', reconnecting: 'Reconnecting', ended: 'Ended', recorded: 'Recorded', lost: 'Disconnected',
};
const SAY_EVERY = 4000;

function connection(state) {
  byId('connection').dataset.state = state;
  if (state === 'lost') toast('paytest does not know this page any more: open the URL that it printed last');
  const text = byId('connection-text');
  if (text.textContent !== STATES[state]) text.textContent = STATES[state];
}

// Teller puts what the server counts into the title and before a screen reader.
class Teller {
  constructor(name) {
    this.name = name;
    this.violations = -1;
    this.quietUntil = 0;
  }

  status({ violations, forgotten }) {
    byId('forgotten').hidden = !(forgotten > 0);
    byId('forgotten').textContent = forgotten > 0 ? `${counted(forgotten, 'older delivery is', 'older deliveries are')} no longer kept` : '';
    if (violations === this.violations) return;
    document.title = `${violations > 0 ? `(${count(violations)}) ` : ''}paytest${this.name ? ` · ${this.name}` : ''}`;
    if (this.violations >= 0 && performance.now() > this.quietUntil) {
      replace(byId('announce'), h('p', null, counted(violations, 'violation')));
      this.quietUntil = performance.now() + SAY_EVERY;
    }
    this.violations = violations;
  }
}

function commands({ timeline, filters, panel, router, store }) {
  const grid = timeline.grid;
  const move = (steps) => {
    const n = timeline.move(steps);
    if (n && panel.showsDelivery) router.swap(toDelivery(n));
  };
  const open = () => timeline.active && router.go(toDelivery(timeline.active));
  const search = () => {
    if (panel.hidesList) router.go(LIST);
    filters.search.focus();
    filters.search.select();
  };
  return [
    { keys: ['j'], label: 'Next delivery', run: () => move(1) },
    { keys: ['k'], label: 'Previous delivery', run: () => move(-1) },
    { keys: ['ArrowDown'], label: 'Next, in the list', within: grid, run: () => move(1) },
    { keys: ['ArrowUp'], label: 'Previous, in the list', within: grid, run: () => move(-1) },
    { keys: ['PageDown'], label: 'A page down, in the list', within: grid, run: () => move(timeline.page()) },
    { keys: ['PageUp'], label: 'A page up, in the list', within: grid, run: () => move(-timeline.page()) },
    { keys: ['g'], label: 'First delivery', run: () => move(-Infinity) },
    { keys: ['G'], label: 'Last delivery', run: () => move(Infinity) },
    { keys: ['Home'], label: 'First, in the list', within: grid, run: () => move(-Infinity) },
    { keys: ['End'], label: 'Last, in the list', within: grid, run: () => move(Infinity) },
    { keys: ['Enter'], label: 'Open the delivery', within: grid, run: open },
    { keys: ['v'], label: 'Open its payment', run: () => panel.toPayment(store.get(timeline.active)) },
    { keys: ['Escape'], label: 'Close, or leave the search', run: () => (document.activeElement === filters.search ? timeline.focusActive() : panel.close()) },
    { keys: ['/'], label: 'Search', run: search },
    { keys: ['r'], label: 'Resend the open delivery', run: () => panel.resend() },
    { keys: ['m'], label: 'Mark, to compare others with it', run: () => panel.mark(timeline.active) },
    { keys: ['p'], label: 'Pause or resume', run: () => store.setPaused(!store.paused) },
  ];
}

async function start() {
  let contract;
  try {
    contract = await api.contract();
  } catch (error) {
    connection('lost');
    toast(`The page cannot start: ${visible(error.message)}`);
    return;
  }
  byId('title').textContent = visible(contract.title);
  const store = new Store(contract.kept?.records || 100_000);
  const filters = new Filters(byId('filters'), store);
  const panel = new Panel({ contract, store });
  const timeline = new Timeline(byId('timeline'), store, { open: (n) => router.go(toDelivery(n)), marked: () => panel.marked });
  const router = new Router((route) => panel.show(route));
  Object.assign(panel, { timeline, router });
  const keys = new Keys([...commands({ timeline, filters, panel, router, store }), { keys: ['?'], label: 'This help', run: () => keys.help() }]);
  const teller = new Teller(visible(contract.title));
  store.addEventListener('change', () => panel.fresh());
  router.apply();
  follow({
    rows: (rows) => store.add(rows),
    status: (status) => {
      teller.status(status);
      if (status.forgotten > 0 && status.first > 0) store.forget(status.first);
    },
    state: (state) => connection(state === 'ended' && !contract.live ? 'recorded' : state),
  });
}

start();
