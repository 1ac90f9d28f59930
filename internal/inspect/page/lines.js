import { indexed } from './json.js';

// How many findings stand beside one member; the list above has them all.
const BESIDE = 4;
// How many findings are looked for in the payload.
const MOST = 500;

// linesOf lays a parsed payload out as lines: {depth, node, part, comma} for its
// text ("open", "close", "whole", "omitted"), {depth, finding} below what a
// finding is about, and {depth, ghost} where a member is missing.
export function linesOf(root, findings) {
  const { at, ghosts } = placed(root, findings);
  const lines = [];
  function annotate(node, depth) {
    for (const finding of (at.get(node) ?? []).slice(0, BESIDE)) lines.push({ depth, finding });
  }
  function walk(node, depth, comma) {
    if (!node.members || (node.members.length === 0 && node.omitted === 0 && !ghosts.has(node))) {
      lines.push({ depth, node, part: 'whole', comma, marks: at.get(node) });
      annotate(node, depth);
      return;
    }
    lines.push({ depth, node, part: 'open', marks: at.get(node) });
    annotate(node, depth);
    node.members.forEach((member, i) => walk(member, depth + 1, i < node.members.length - 1 || node.omitted > 0));
    if (node.omitted) lines.push({ depth: depth + 1, node, part: 'omitted' });
    for (const ghost of ghosts.get(node) ?? []) {
      lines.push({ depth: depth + 1, ghost: ghost.name, pointer: ghost.pointer, marks: ghost.findings });
      for (const finding of ghost.findings.slice(0, BESIDE)) lines.push({ depth: depth + 1, finding });
    }
    lines.push({ depth, node, part: 'close', comma });
  }
  walk(root, 0, false);
  return lines;
}

// placed says which node each finding is about, and, for what is not there, the
// closest container that is.
function placed(root, findings) {
  const nodes = indexed(root);
  const at = new Map();
  const ghosts = new Map();
  for (const finding of findings.slice(0, MOST)) {
    if (!finding.pointer) continue;
    const found = nodes.get(finding.pointer);
    for (const node of found ?? []) at.set(node, [...(at.get(node) ?? []), finding]);
    if (!found) missing(nodes, finding, ghosts);
  }
  return { at, ghosts };
}

function missing(nodes, finding, ghosts) {
  const steps = finding.pointer.split('/');
  for (let n = steps.length - 1; n > 0; n--) {
    const parent = nodes.get(steps.slice(0, n).join('/'))?.at(-1);
    if (!parent?.members || parent.omitted) continue;
    const pointer = steps.slice(0, n + 1).join('/');
    const known = ghosts.get(parent) ?? [];
    const same = known.find((ghost) => ghost.pointer === pointer);
    if (same) same.findings.push(finding);
    else known.push({ name: steps[n].replaceAll('~1', '/').replaceAll('~0', '~'), pointer, findings: [finding] });
    ghosts.set(parent, known);
    return;
  }
}
