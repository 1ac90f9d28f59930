import { byId, h, replace } from './dom.js';

const OFF = 'paytest.single-keys-off';

function remembered() {
  try {
    return localStorage.getItem(OFF) === 'true';
  } catch {
    return false;
  }
}

function remember(off) {
  try {
    localStorage.setItem(OFF, off);
  } catch {
    // Where nothing can be stored, the choice lasts as long as the page.
  }
}

const typing = (target) => target.closest?.('input, textarea, select, [contenteditable]');
const printed = { ' ': 'Space', ArrowDown: '↓', ArrowUp: '↑', Escape: 'Esc' };

// Keys runs commands by key. A command is {keys, label, run(event)}; with
// "within" only while the focus is inside that element or nowhere.
export class Keys {
  constructor(commands) {
    this.commands = commands;
    this.off = remembered();
    document.addEventListener('keydown', (event) => this.pressed(event));
    byId('help-open').addEventListener('click', () => this.help());
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || document.querySelector('dialog[open]')) return;
    const single = event.key.length === 1;
    if (typing(event.target) ? event.key !== 'Escape' : single && this.off) return;
    const command = this.commands.find((one) => one.keys.includes(event.key) && this.reaches(one, event.target));
    if (!command) return;
    event.preventDefault();
    command.run(event);
  }

  reaches(command, target) {
    return !command.within || target === document.body || command.within.contains(target);
  }

  help() {
    const rows = this.commands.map(({ keys, label }) => h('div', { class: 'help-row' },
      h('dt', null, keys.map((key, i) => [i > 0 ? ' ' : '', h('kbd', null, printed[key] ?? key)])), h('dd', null, label)));
    const dialog = h('dialog', { class: 'help', 'aria-labelledby': 'help-title', onclose: () => dialog.remove() });
    const single = h('input', { type: 'checkbox', id: 'single-keys', onchange: () => this.switch(!single.checked) });
    single.checked = !this.off;
    replace(dialog, h('form', { method: 'dialog' },
      h('div', { class: 'help-head' }, h('h2', { id: 'help-title' }, 'Keyboard'), h('button', { class: 'icon-button', 'aria-label': 'Close' }, '×')),
      h('dl', null, rows),
      h('p', { class: 'help-switch' }, single, h('label', { for: 'single-keys' }, ' Single-key shortcuts are on'))));
    document.body.append(dialog);
    dialog.showModal();
  }

  switch(off) {
    this.off = off;
    remember(off);
  }
}
