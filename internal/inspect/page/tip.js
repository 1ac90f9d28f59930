import { byId, replace } from './dom.js';

const MARGIN = 8;

const tip = () => byId('tip');

function hide() {
  tip().hidden = true;
}

// explain shows words about an element while the pointer or the focus is on it;
// Escape takes them away, and the pointer may move onto them.
export function explain(element, words) {
  element.setAttribute('aria-describedby', 'tip');
  const show = () => {
    const box = tip();
    replace(box, words);
    box.hidden = false;
    const at = element.getBoundingClientRect();
    const below = at.bottom + box.offsetHeight + MARGIN < innerHeight;
    box.style.left = `${Math.max(MARGIN, Math.min(at.left, innerWidth - box.offsetWidth - MARGIN))}px`;
    box.style.top = `${below ? at.bottom : at.top - box.offsetHeight}px`;
  };
  element.addEventListener('mouseenter', show);
  element.addEventListener('focus', show);
  element.addEventListener('blur', hide);
  element.addEventListener('mouseleave', (event) => {
    if (!tip().contains(event.relatedTarget) && document.activeElement !== element) hide();
  });
  element.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || tip().hidden) return;
    hide();
    event.preventDefault();
  });
}

// Where the text moves, the words about it would stay behind.
document.addEventListener('scroll', hide, { capture: true, passive: true });
tip().addEventListener('mouseleave', hide);
