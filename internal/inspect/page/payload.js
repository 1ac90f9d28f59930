import { h } from './dom.js';
import { clip, count, counted, long, visible } from './text.js';
import { parse } from './json.js';
import { linesOf } from './lines.js';
import { shape } from './verdict.js';
import { explain } from './tip.js';
import { copy } from './toast.js';

const FIRST = 300;
const MORE = 500;
const AROUND = 3;
const MOST_WINDOWS = 60;
const LONGEST = 600;
const DEEPEST = 24;

// Payload shows JSON with its findings beside the members they are about. What
// is far from the start and from every finding waits behind a button.
export class Payload {
  constructor(text, findings, fields) {
    this.fields = new Map(fields.map((field) => [field.pointer, field]));
    const { root, error } = parse(text);
    this.element = h('div', { class: 'json', role: 'group', 'aria-label': 'Payload' });
    if (error) {
      this.lines = [];
      this.element.append(h('p', { class: 'problem' }, `This is not JSON: ${error}. What came stands under Raw.`));
      return;
    }
    this.lines = linesOf(root, findings);
    this.windows();
  }

  windows() {
    let from = Math.min(this.lines.length, FIRST);
    this.element.append(this.range(0, from));
    const far = [];
    for (let i = from; i < this.lines.length && far.length < MOST_WINDOWS; i++) if (this.lines[i].finding) far.push(i);
    for (const i of far) {
      if (i + AROUND < from) continue;
      const to = Math.min(this.lines.length, i + AROUND);
      const start = Math.max(from, i - AROUND);
      this.element.append(this.gap(from, start), this.range(start, to));
      from = to;
    }
    this.element.append(this.gap(from, this.lines.length));
  }

  range(from, to) {
    const part = document.createDocumentFragment();
    for (let i = from; i < to; i++) part.append(this.line(this.lines[i]));
    return part;
  }

  // gap stands for lines that are not drawn; each press draws some of them.
  gap(from, to) {
    if (from >= to) return '';
    const next = Math.min(to, from + MORE);
    const button = h('button', {
      type: 'button', class: 'more gap',
      onclick: () => {
        const rest = this.gap(next, to);
        button.replaceWith(this.range(from, next), rest);
        if (rest) rest.focus();
      },
    }, `Show ${count(next - from)} of ${counted(to - from, 'more line')}`);
    button.from = from;
    button.to = to;
    return button;
  }

  line(line) {
    if (line.finding) return annotation(line);
    const element = h('div', { class: 'line', 'data-pointer': line.part === 'close' ? null : line.pointer ?? line.node.pointer });
    element.style.setProperty('--depth', Math.min(line.depth, DEEPEST));
    if (line.marks) element.classList.add('line-marked', `line-${line.marks[0].severity}`);
    if (line.ghost !== undefined) {
      element.classList.add('line-ghost');
      element.append(h('span', { class: 'key' }, `"${clip(line.ghost, 80)}"`), ': missing');
      return element;
    }
    element.append(...this.tokens(line));
    return element;
  }

  tokens({ node, part, comma }) {
    const open = node.kind === 'object' ? '{' : '[';
    const close = node.kind === 'object' ? '}' : ']';
    const tail = comma ? ',' : '';
    if (part === 'close') return [close + tail];
    if (part === 'omitted') return [h('em', null, `${count(node.omitted)} more; all of them stand under Raw`)];
    const head = node.key === null ? [] : [this.key(node), ': '];
    if (part === 'open') return [...head, open];
    if (node.members) return [...head, open + close + tail];
    return [...head, h('span', { class: `value value-${node.kind}` }, long(node.text, LONGEST)), tail];
  }

  key(node) {
    const field = this.fields.get(node.pointer);
    if (!field) return h('span', { class: 'key' }, long(node.key, 200));
    const button = h('button', { type: 'button', class: 'key key-known', onclick: () => copy(node.pointer, visible(node.pointer)) }, clip(node.key, 200));
    explain(button, [h('strong', null, visible(field.fact)), ' ', visible(field.meaning), field.source ? h('span', { class: 'source' }, visible(field.source)) : null,
      h('span', { class: 'source' }, 'Click to copy ', h('code', null, visible(node.pointer)))]);
    return button;
  }

  // reveal brings the member at a pointer in sight, and reports whether it could.
  reveal(pointer) {
    const at = this.lines.findIndex((line) => line.part !== 'close' && (line.pointer ?? line.node?.pointer) === pointer);
    if (at < 0) return false;
    for (const gap of this.element.querySelectorAll('.gap')) {
      if (gap.from > at || gap.to <= at) continue;
      const from = Math.max(gap.from, at - AROUND);
      const to = Math.min(gap.to, at + AROUND);
      gap.replaceWith(this.gap(gap.from, from), this.range(from, to), this.gap(to, gap.to));
    }
    const line = [...this.element.querySelectorAll('[data-pointer]')].find((one) => one.dataset.pointer === pointer);
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    line.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
    line.classList.remove('flash');
    requestAnimationFrame(() => line.classList.add('flash'));
    line.tabIndex = -1;
    line.focus({ preventScroll: true });
    return true;
  }
}

function annotation({ depth, finding }) {
  const element = h('div', { class: `beside beside-${finding.severity}` },
    shape(finding.severity), h('span', null, h('code', null, clip(finding.code, 60)), ' ', clip(finding.message, 400),
      finding.source ? h('span', { class: 'source' }, clip(finding.source, 120)) : null));
  element.style.setProperty('--depth', Math.min(depth, DEEPEST));
  return element;
}
