import { parse } from './json.js';

// compare lays two payloads out as one list of lines {sign, depth, text, kind}:
// sign is " ", "-" for what only the first has, "+" for what only the second has;
// kind is "value" where only a value differs and "form" where a member or its
// type does. Members are paired by name, so their order does not matter.
export function compare(before, after) {
  const a = parse(before);
  const b = parse(after);
  if (a.error || b.error) return { lines: [], error: a.error ?? b.error };
  const lines = [];
  both(lines, a.root, b.root, 0);
  return { lines, error: null };
}

const opening = (node) => (node.kind === 'object' ? '{' : '[');
const closing = (node) => (node.kind === 'object' ? '}' : ']');
const headed = (node) => (node.key === null ? '' : `${node.key}: `);
const typeOf = (node) => (node.kind === 'word' && node.text !== 'null' ? 'boolean' : node.kind);

function both(lines, a, b, depth) {
  if (typeOf(a) === typeOf(b) && a.members) {
    lines.push({ sign: ' ', depth, text: headed(b) + opening(b) });
    members(lines, a, b, depth + 1);
    if (a.omitted || b.omitted) lines.push({ sign: ' ', depth: depth + 1, text: '… the rest is not compared' });
    lines.push({ sign: ' ', depth, text: closing(b) });
    return;
  }
  if (a.text === b.text && a.kind === b.kind) {
    lines.push({ sign: ' ', depth, text: headed(b) + b.text });
    return;
  }
  const kind = typeOf(a) === typeOf(b) ? 'value' : 'form';
  only(lines, '-', a, depth, kind);
  only(lines, '+', b, depth, kind);
}

function members(lines, a, b, depth) {
  const left = new Map(a.members.map((member) => [member.name, member]));
  const right = new Map(b.members.map((member) => [member.name, member]));
  for (const [name, member] of left) {
    if (right.has(name)) both(lines, member, right.get(name), depth);
    else only(lines, '-', member, depth, 'form');
  }
  for (const [name, member] of right) if (!left.has(name)) only(lines, '+', member, depth, 'form');
}

function only(lines, sign, node, depth, kind) {
  if (!node.members) {
    lines.push({ sign, depth, text: headed(node) + node.text, kind });
    return;
  }
  lines.push({ sign, depth, text: headed(node) + opening(node), kind });
  for (const member of node.members) only(lines, sign, member, depth + 1, kind);
  lines.push({ sign, depth, text: closing(node), kind });
}
