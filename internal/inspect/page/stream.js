// follow reads the stream of rows for as long as there is one. The browser
// connects again by itself and says where it was.
export function follow({ rows, status, state }) {
  const source = new EventSource('./api/stream');
  let ended = false;
  source.addEventListener('open', () => state('live'));
  source.addEventListener('rows', (event) => rows(JSON.parse(event.data) ?? []));
  source.addEventListener('status', (event) => status(JSON.parse(event.data) ?? {}));
  source.addEventListener('end', () => {
    ended = true;
    source.close();
    state('ended');
  });
  source.addEventListener('error', () => {
    if (!ended) state(source.readyState === EventSource.CLOSED ? 'lost' : 'reconnecting');
  });
  return source;
}
