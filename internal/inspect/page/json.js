// JSON as it was written: JSON.parse would round numbers and hide all but the
// last of repeated keys.

const DEPTH = 128;
const NODES = 20_000;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORD = /true|false|null/y;

// A pointer is repeated in all that is below it; a long one is not kept.
const POINTER = 1000;

// pointerTo is the JSON pointer of a member, or null where it would be too long.
function pointerTo(parent, name) {
  const step = String(name);
  if (parent === null || parent.length + step.length > POINTER) return null;
  return `${parent}/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

// parse returns {root, error}; exactly one of them is null. A node has kind,
// pointer (or null), name and key (the token) when a member, text (the token) when a value,
// members when a container, and omitted: how many of these were left out.
export function parse(text) {
  const reader = new Reader(text);
  try {
    const root = reader.value('', null, null, 0);
    reader.space();
    if (reader.at < text.length) reader.fail('more text after the value');
    return { root, error: null };
  } catch (error) {
    if (error instanceof SyntaxError) return { root: null, error: error.message };
    throw error;
  }
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.left = NODES;
  }

  fail(what) {
    throw new SyntaxError(`${what} at character ${this.at + 1}`);
  }

  space() {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  take(char) {
    this.space();
    if (this.text[this.at] !== char) return false;
    this.at++;
    return true;
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }

  value(pointer, name, key, depth) {
    this.left--;
    this.space();
    const node = { kind: '', pointer, name, key, text: '', members: null, omitted: 0 };
    const first = this.text[this.at];
    if (first === '{' || first === '[') return this.container(node, depth);
    if (first === '"') return Object.assign(node, { kind: 'string', text: this.string() });
    const word = this.match(WORD);
    if (word) return Object.assign(node, { kind: 'word', text: word });
    const number = this.match(NUMBER);
    if (!number) this.fail(this.at < this.text.length ? 'no JSON value' : 'the text ends where a value should be');
    return Object.assign(node, { kind: 'number', text: number });
  }

  container(node, depth) {
    if (depth >= DEPTH) this.fail(`nesting deeper than ${DEPTH} levels`);
    const object = this.text[this.at++] === '{';
    const close = object ? '}' : ']';
    node.kind = object ? 'object' : 'array';
    node.members = [];
    if (this.take(close)) return node;
    for (let i = 0; ; i++) {
      const key = object ? this.key() : null;
      const name = object ? decoded(key) : i;
      const member = this.value(pointerTo(node.pointer, name), name, key, depth + 1);
      if (this.left > 0) node.members.push(member);
      else node.omitted++;
      if (this.take(close)) return node;
      if (!this.take(',')) this.fail(`neither "," nor "${close}"`);
    }
  }

  key() {
    this.space();
    if (this.text[this.at] !== '"') this.fail('no key');
    const key = this.string();
    if (!this.take(':')) this.fail('no ":" after a key');
    return key;
  }

  string() {
    const start = this.at++;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (Number.isNaN(code)) this.fail('the text ends inside a string');
      if (code < 32) this.fail('a control character inside a string');
      this.at += code === 92 ? 2 : 1;
      if (code === 34) return this.text.slice(start, this.at);
    }
  }
}

function decoded(token) {
  try {
    return JSON.parse(token);
  } catch {
    return token.slice(1, -1);
  }
}

// indexed returns the nodes by their pointers: several where a key is repeated.
export function indexed(root) {
  const nodes = new Map();
  const rest = [root];
  for (let node = rest.pop(); node; node = rest.pop()) {
    if (node.pointer !== null) nodes.set(node.pointer, [...(nodes.get(node.pointer) ?? []), node]);
    if (node.members) rest.push(...node.members);
  }
  return nodes;
}
