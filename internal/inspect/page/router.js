// Where the reader is stands in the address, so that back, forward and a copied
// link work.

export const toDelivery = (n) => `#/d/${n}`;
export const toPayment = (subject, id) => `#/p/${encodeURIComponent(subject)}/${encodeURIComponent(id)}`;
export const LIST = '#/';

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function read(hash) {
  const [, view, ...rest] = hash.split('/');
  if (view === 'd' && /^[1-9][0-9]{0,15}$/.test(rest[0] ?? '')) return { view: 'delivery', n: Number(rest[0]) };
  if (view === 'p' && rest.length === 2) return { view: 'payment', subject: decoded(rest[0]), id: decoded(rest[1]) };
  return { view: view === 'overview' ? 'overview' : 'list' };
}

export class Router {
  constructor(show) {
    this.show = show;
    window.addEventListener('hashchange', () => this.apply());
  }

  apply() {
    // Any other fragment is a place on the page, such as that of the skip link.
    if (location.hash !== '' && !location.hash.startsWith('#/')) return;
    this.route = read(location.hash);
    this.show(this.route);
  }

  go(hash) {
    if (location.hash !== hash) history.pushState(null, '', hash);
    this.apply();
  }

  // swap goes there without a new entry in the history.
  swap(hash) {
    history.replaceState(null, '', hash);
    this.apply();
  }
}
