// Every address is relative: the token in the page's own address goes with it.

async function answered(response) {
  const body = await response.json().catch(() => null);
  if (response.ok) return body;
  const error = new Error(body?.error ?? `the server answered ${response.status}`);
  error.status = response.status;
  throw error;
}

async function get(path, signal) {
  return answered(await fetch(`./api/${path}`, { signal }));
}

export const contract = () => get('contract');
export const delivery = (n, signal) => get(`deliveries/${n}`, signal);
export const overview = (signal) => get('overview', signal);
export const payment = (subject, id, signal) =>
  get(`payments?subject=${encodeURIComponent(subject)}&id=${encodeURIComponent(id)}`, signal);

export async function resend(n) {
  return answered(await fetch(`./api/deliveries/${n}/resend`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}',
  }));
}
