import { byId, h } from './dom.js';

let fade = 0;

// toast tells of something done, for a few seconds.
export function toast(text) {
  const box = byId('toast');
  box.replaceChildren(h('span', null, text));
  clearTimeout(fade);
  fade = setTimeout(() => box.replaceChildren(), 5000);
}

// copy puts text on the clipboard, or, where the browser refuses, in front of the
// reader, selected.
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`Copied ${what}`);
  } catch {
    offer(text, what);
  }
}

function offer(text, what) {
  const area = h('textarea', { readonly: true, rows: 10, 'aria-label': what });
  area.value = text;
  const dialog = h('dialog', { class: 'offer', 'aria-labelledby': 'offer-title', onclose: () => dialog.remove() },
    h('form', { method: 'dialog' },
      h('h2', { id: 'offer-title' }, 'Copy by hand'),
      h('p', null, `The browser does not let the page write to the clipboard. ${what} is selected: press Ctrl+C or ⌘C.`),
      area, h('button', null, 'Close')));
  document.body.append(dialog);
  dialog.showModal();
  area.focus();
  area.select();
}
