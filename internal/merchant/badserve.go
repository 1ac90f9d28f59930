package merchant

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
)

// What bugs go by that are a matter of amounts.
const (
	workers      = 8 // for deliveries at a time
	workTime     = 20 * time.Millisecond
	spareWorkers = 20        // for bodies that are cut off
	connections  = 100       // served at a time
	patience     = 100       // refusals before a ban
	largeBody    = 512 << 10 // bytes
	inflated     = 16 << 20  // bytes at which the memory ends
	headerNoise  = 60        // header fields
	longValue    = 8 << 10   // bytes of a header field
	headPoll     = 10 * time.Millisecond
	slowerBy     = 5 * time.Microsecond // times the cube of how many deliveries there were
)

// memory is what a merchant keeps only while it runs.
type memory struct {
	keys       map[string]bool
	dead       bool
	deliveries int
	inFlight   int
	rejects    int
	stuck      int
	heads      map[net.Conn]bool // connections in the middle of a request's head
}

func newMemory() *memory { return &memory{keys: map[string]bool{}, heads: map[net.Conn]bool{}} }

type connKey struct{}

// spoilServer plants the bugs that are a matter of the server's set-up.
func (m *Merchant) spoilServer(srv *http.Server, l net.Listener) net.Listener {
	switch m.bug {
	case "big-headers-500":
		srv.MaxHeaderBytes = maxBody
	case "few-connections":
		srv.ReadHeaderTimeout = idleTimeout
		return &limited{Listener: l, free: make(chan struct{}, connections), closed: make(chan struct{})}
	case "slow-head-blocks":
		srv.ReadHeaderTimeout = 0
		srv.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
		srv.ConnState = func(c net.Conn, s http.ConnState) { m.head(c, s == http.StateNew) }
	}
	return l
}

func (m *Merchant) head(c net.Conn, under bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.memory.heads, c)
	if under {
		m.memory.heads[c] = true
	}
}

// limited accepts a connection only when another has gone.
type limited struct {
	net.Listener
	free   chan struct{}
	once   sync.Once
	closed chan struct{}
}

// Accept waits for a place, and then for a connection.
func (l *limited) Accept() (net.Conn, error) {
	select {
	case l.free <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.free
		return nil, err
	}
	return &placed{Conn: c, leave: sync.OnceFunc(func() { <-l.free })}, nil
}

// Close ends the waiting for a place.
func (l *limited) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

type placed struct {
	net.Conn
	leave func()
}

// Close gives the place to another.
func (c *placed) Close() error {
	c.leave()
	return c.Conn.Close()
}

// enter counts a delivery in, and dawdles where a bug does; what it returns
// counts it out.
func (m *Merchant) enter(r *http.Request) func(*reply) {
	m.mu.Lock()
	mem := m.memory
	mem.deliveries++
	mem.inFlight++
	n := mem.deliveries
	m.mu.Unlock()
	m.dawdle(r.Context(), n)
	return func(a *reply) {
		m.mu.Lock()
		defer m.mu.Unlock()
		mem.inFlight--
		if a.status >= http.StatusBadRequest {
			mem.rejects++
		}
	}
}

func (m *Merchant) dawdle(ctx context.Context, n int) {
	switch m.bug {
	case "every-50th-slow":
		if n%50 == 0 {
			_ = m.Wait(ctx, m.Slow)
		}
	case "slower-and-slower":
		n = min(n, 1000)
		_ = m.Wait(ctx, min(time.Duration(n*n*n)*slowerBy, m.Slow))
	case "few-workers":
		_ = m.Wait(ctx, workTime)
	case "slow-head-blocks":
		m.blocked(ctx)
	}
}

// blocked waits until no other request is on its way, or for as long as Slow.
func (m *Merchant) blocked(ctx context.Context) {
	if c, ok := ctx.Value(connKey{}).(net.Conn); ok {
		m.head(c, false)
	}
	for range int(m.Slow / headPoll) {
		m.mu.Lock()
		free := len(m.memory.heads) == 0
		m.mu.Unlock()
		if free || m.Wait(ctx, headPoll) != nil {
			return
		}
	}
}

// spoilDoor plants the bugs that show before the body is read.
func (m *Merchant) spoilDoor(r *http.Request) *reply {
	m.mu.Lock()
	mem := *m.memory
	m.mu.Unlock()
	switch {
	case mem.dead:
		return m.broke()
	case m.has("bans-senders") && mem.rejects >= patience:
		return refused(http.StatusForbidden, "Banned")
	case m.has("cut-bodies-leak") && mem.stuck >= spareWorkers, m.has("few-workers") && mem.inFlight > workers:
		return refused(http.StatusServiceUnavailable, "Busy")
	case m.has("no-http10") && !r.ProtoAtLeast(1, 1):
		return refused(http.StatusHTTPVersionNotSupported, "HTTP version not supported")
	case m.has("no-chunks") && len(r.TransferEncoding) > 0:
		return refused(http.StatusLengthRequired, "Length required")
	case m.has("no-continue") && r.Header.Get("Expect") != "", m.breaksOn(r.Header):
		return refused(m.doorStatus(), "Internal server error")
	}
	return nil
}

func (m *Merchant) doorStatus() int {
	if m.has("no-continue") {
		return http.StatusExpectationFailed
	}
	return http.StatusInternalServerError
}

// breaksOn reports whether the bug is to break on such header fields.
func (m *Merchant) breaksOn(h http.Header) bool {
	kind := h.Get("Content-Type")
	fields, long := 0, false
	for _, values := range h {
		fields += len(values)
		long = long || slices.ContainsFunc(values, func(v string) bool { return len(v) > longValue })
	}
	switch m.bug {
	case "text-plain-500":
		return strings.HasPrefix(kind, "text/plain")
	case "no-content-type-500":
		return kind == ""
	case "content-type-parameters-500":
		return kind != "application/json" && m.isJSON(h.Values("Content-Type"))
	case "gzip-500":
		return h.Get("Content-Encoding") == "gzip"
	case "many-headers-500":
		return fields > headerNoise || m.Contract.Signature != nil && len(h.Values(m.Contract.Signature.Header)) > 1
	case "big-headers-500":
		return fields > maxFields || long
	}
	return false
}

// route is the path that a request is taken to have.
func (m *Merchant) route(r *http.Request) string {
	if m.has("path-in-key") {
		return path.Clean(strings.ToLower(r.URL.Path))
	}
	return r.URL.Path
}

func (m *Merchant) takesMethod(method string) bool {
	harmless := method == http.MethodHead || method == http.MethodOptions
	return harmless && m.has("head-delivers") || !harmless && m.has("any-method")
}

// decodes reports whether a content encoding is taken that should be refused.
func (m *Merchant) decodes(r *http.Request) bool {
	gzipped := r.Header.Get("Content-Encoding") == "gzip"
	return gzipped && m.has("gzip-bomb") || !gzipped && m.has("encoding-ignored")
}

// cut notes that a body was cut off.
func (m *Merchant) cut() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.memory.stuck++
}

// spoilBody plants the bugs that are a matter of the body's bytes.
func (m *Merchant) spoilBody(r *http.Request, body []byte) ([]byte, *reply) {
	switch {
	case m.has("large-body-500") && len(body) > largeBody,
		m.has("empty-body-500") && len(body) == 0,
		m.has("pretty-printed-500") && bytes.Contains(body, []byte("\n")):
		return nil, m.broke()
	case m.has("gzip-bomb") && r.Header.Get("Content-Encoding") == "gzip":
		return m.inflate(body)
	}
	return body, nil
}

// inflate stops where the memory of a merchant with the bug would have ended.
func (m *Merchant) inflate(body []byte) ([]byte, *reply) {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, m.invalid()
	}
	plain, err := io.ReadAll(io.LimitReader(z, inflated))
	switch {
	case err != nil:
		return nil, m.invalid()
	case len(plain) == inflated:
		return nil, m.broke()
	}
	return plain, nil
}

// spoilAnswer returns the answer's bytes, and plants the bugs that show in it.
func (m *Merchant) spoilAnswer(h http.Header, a *reply) []byte {
	body := a.body.Clone()
	ok := a.status < http.StatusMultipleChoices
	switch {
	case m.has("redirects") && ok && a.event != nil && a.event.state == m.roles.Paid:
		a.status = http.StatusFound
		h.Set("Location", "/thanks")
	case m.has("plain-answer") && ok && a.event != nil:
		h.Set("Content-Type", "text/plain")
		return []byte("OK")
	case m.has("html-reflected") && ok && strings.Contains(m.texts(a.event), "<"):
		h.Set("Content-Type", "text/html")
		return []byte("<p>Thank you, " + m.texts(a.event) + "</p>")
	case m.has("stack-trace") && !ok:
		body.Members = append(body.Members, jsondoc.Member{Name: "stack", Value: jsondoc.StringValue(
			"Error: cannot take the delivery\n    at receive (/srv/shop/webhooks.js:42:17)\n    at Layer.handle (/srv/shop/node_modules/express/lib/router/layer.js:95:5)")})
	}
	return body.AppendCanonical(nil)
}
