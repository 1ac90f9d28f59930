import { h, replace } from './dom.js';

// tabs shows one of several panels. Each is {id, label, draw()}, drawn when it is
// first chosen; chosen(id) is told of every choice.
export function tabs(label, items, first, chosen = () => {}) {
  const panel = h('div', { role: 'tabpanel', id: 'tab-panel', class: 'tab-panel', tabindex: -1 });
  const buttons = items.map(({ id, label: word }) => h('button', {
    type: 'button', role: 'tab', id: `tab-${id}`, 'aria-controls': 'tab-panel', onclick: () => choose(id),
  }, word));
  const drawn = new Map();
  const list = h('div', { class: 'tabs', role: 'tablist', 'aria-label': label, onkeydown: step }, buttons);

  function choose(id) {
    items.forEach((item, i) => {
      buttons[i].setAttribute('aria-selected', item.id === id);
      buttons[i].tabIndex = item.id === id ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', `tab-${id}`);
    if (!drawn.has(id)) drawn.set(id, items.find((item) => item.id === id).draw());
    replace(panel, drawn.get(id));
    chosen(id);
  }

  function step(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const at = (buttons.indexOf(event.target) + by + items.length) % items.length;
    choose(items[at].id);
    buttons[at].focus();
  }

  choose(items.some((item) => item.id === first) ? first : items[0].id);
  return { elements: [list, panel], choose };
}
