package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/verify"
)

// serve answers each connection of a listener on the loopback, until the test
// ends, and returns the URL.
func serve(t testing.TB, handle func(net.Conn)) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return "http://" + l.Addr().String()
}

// each answers every request.
func each(answer func(net.Conn) bool) func(net.Conn) {
	return func(conn net.Conn) {
		for in := bufio.NewReader(conn); ; {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r.Body); err != nil || !answer(conn) {
				return
			}
		}
	}
}

// TestNetwork is what only a real connection does.
func TestNetwork(t *testing.T) {
	for name, x := range map[string]struct {
		handle func(net.Conn)
		kind   string // of every request; empty when all succeed
	}{
		"sound": {each(func(c net.Conn) bool { _, err := io.WriteString(c, okAnswer); return err == nil }), ""},
		"reset": {each(func(c net.Conn) bool {
			_ = c.(*net.TCPConn).SetLinger(0) //nolint:errcheck // it is one
			return false
		}), "reset"},
		"closed":  {each(func(net.Conn) bool { return false }), "reset"},
		"garbage": {func(c net.Conn) { _, _ = io.WriteString(c, strings.Repeat("garbage ", 10_000)) }, "malformed"},
		"silent":  {func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, "timeout"},
		"1 GB": {each(func(c net.Conn) bool {
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
			for page := make([]byte, 1<<20); err == nil; {
				_, err = c.Write(page)
			}
			return false
		}), ""},
		"one byte after the other": {each(func(c net.Conn) bool {
			for _, b := range []byte(okAnswer) {
				if _, err := c.Write([]byte{b}); err != nil {
					return false
				}
			}
			return true
		}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t, "")
			o.To = serve(t, x.handle)
			o.Rate.PerSecond, o.Duration, o.Timeout, o.Connections = 100, 100*time.Millisecond, 5*time.Second, 2
			if name == "silent" {
				o.Timeout = 50 * time.Millisecond
			}
			r, err := Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r, o)
			got := kindsOf(r.Total)
			if r.Total.Count == 0 || x.kind == "" && r.Total.Failed() != 0 || x.kind != "" && (got[x.kind] == 0 || len(got) != 1) {
				t.Errorf("%d requests, %v", r.Total.Count, r.Total.Errors)
			}
		})
	}
}

// TestTLS holds that a run over TLS is one over HTTP/1.1, and sound.
func TestTLS(t *testing.T) {
	o := options(t, "")
	checker := verify.NewChecker(o.Contract, verify.Strict{Duplicates: true})
	var bad atomic.Int64
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if s := o.Scheme.Verify(o.Secrets, r.Header, body, time.Now(), time.Minute); err != nil || !s.OK || r.ProtoMajor != 1 || !checker.Check(body, r.URL.Path).OK() {
			bad.Add(1)
		}
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	client, err := deliver.New(deliver.Options{Now: time.Now, CACert: ca})
	if err != nil {
		t.Fatal(err)
	}
	o.To, o.Client = server.URL, client
	o.Rate, o.Duration, o.Connections = Rate{Max: true}, 100*time.Millisecond, 4
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Total.Failed() != 0 || r.Total.Count < 10 || bad.Load() != 0 {
		t.Errorf("%d requests, %v, %d unsound", r.Total.Count, r.Total.Errors, bad.Load())
	}
}

// TestNothingIsLeft interrupts a run, and looks for goroutines.
func TestNothingIsLeft(t *testing.T) {
	o := options(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	stop := make(chan struct{})
	o.To = serve(t, each(func(c net.Conn) bool {
		once.Do(func() { close(stop) })
		_, err := io.Copy(io.Discard, c)
		return err == nil
	}))
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	go func() {
		<-stop
		cancel()
	}()
	o.Connections = 8
	r, err := Run(ctx, o)
	if err != nil || !r.Interrupted || r.Unfinished == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

// canned is a connection to an endpoint that answers at once.
type canned struct {
	net.Conn
	raw    []byte
	answer bytes.Reader
}

func (c *canned) Write(b []byte) (int, error) { c.answer.Reset(c.raw); return len(b), nil }
func (c *canned) Read(b []byte) (int, error)  { return c.answer.Read(b) }
func (c *canned) SetDeadline(time.Time) error { return nil }
func (c *canned) Close() error                { return nil }

// steps returns what makes one request after the other, on each connection in turn.
func steps(t testing.TB, o Options, dial dialer) func() {
	t.Helper()
	e, err := newEngine(t.Context(), &o, dial)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.drop)
	e.start = time.Now()
	turn := 0
	return func() {
		if turn++; !e.workers[turn%len(e.workers)].step() {
			t.Fatal("the run is over")
		}
	}
}

// TestRequestsAllocateNothing holds for the whole way of a request, once it is
// warm.
func TestRequestsAllocateNothing(t *testing.T) {
	o := options(t, "paid=70,expired=20,failed=5,refused=5")
	o.Rate, o.Duration, o.Duplicates, o.Disorder = Rate{Max: true}, time.Hour, 0.1, 0.1
	step := steps(t, o, func(context.Context, *url.URL) (net.Conn, error) { return &canned{raw: []byte(okAnswer)}, nil })
	for range 5000 {
		step()
	}
	if n := testing.AllocsPerRun(5000, step); n != 0 {
		t.Errorf("%g allocations per request", n)
	}
}

// BenchmarkStep is the load generator's own share of a request.
func BenchmarkStep(b *testing.B) {
	o := options(b, "paid=70,expired=20,failed=10")
	o.Rate, o.Duration, o.Connections = Rate{Max: true}, MaxDuration, 64
	step := steps(b, o, func(context.Context, *url.URL) (net.Conn, error) { return &canned{raw: []byte(okAnswer)}, nil })
	b.ReportAllocs()
	for b.Loop() {
		step()
	}
}

// sink takes requests off a connection without looking at more than their
// length, and answers each.
func sink(conn net.Conn) {
	buf, n := make([]byte, 64<<10), 0
	answer := []byte(okAnswer)
	for {
		m, err := conn.Read(buf[n:])
		if n += m; err != nil {
			return
		}
		for {
			head := bytes.Index(buf[:n], []byte("\r\n\r\n"))
			at := bytes.LastIndex(buf[:max(head, 0)], []byte("Content-Length: "))
			if at < 0 {
				break
			}
			size := 0
			for _, c := range buf[at+len("Content-Length: ") : head] {
				size = 10*size + int(c-'0')
			}
			if n < head+4+size {
				break
			}
			n = copy(buf, buf[head+4+size:n])
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// BenchmarkRun is requests per second over 32 connections to a sink in the same
// process: its share is in the figure, too.
func BenchmarkRun(b *testing.B) {
	o := options(b, "paid=70,expired=20,failed=10")
	o.Rate, o.Connections, o.Duration, o.To = Rate{Max: true}, 32, MaxDuration, serve(b, sink)
	e, err := newEngine(b.Context(), &o, o.dial)
	if err != nil {
		b.Fatal(err)
	}
	defer e.drop()
	if err := e.connect(); err != nil {
		b.Fatal(err)
	}
	e.start = time.Now()
	b.ReportAllocs()
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var all sync.WaitGroup
	for _, w := range e.workers {
		all.Go(func() {
			for left.Add(-1) >= 0 && w.step() {
				continue
			}
		})
	}
	all.Wait()
	b.StopTimer()
	e.elapsed = e.since()
	if r := e.result(); r.Total.Failed() != 0 {
		b.Fatalf("%v", r.Total.Errors)
	}
}
