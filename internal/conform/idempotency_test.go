package conform_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/signature"
)

// busy refuses what comes while another delivery of the same event is worked on,
// and works on the first until there is one.
func busy(m http.Handler) http.HandlerFunc {
	var s seen
	var mu sync.Mutex
	others := map[string]chan bool{}
	of := func(id string) chan bool {
		mu.Lock()
		defer mu.Unlock()
		if others[id] == nil {
			others[id] = make(chan bool, 20)
		}
		return others[id]
	}
	return seeing(func(w http.ResponseWriter, r *http.Request, body string) bool {
		if !strings.Contains(body, paid) || strings.Contains(body, "paytest begin") {
			return false
		}
		id := text(body, "invoiceId")
		if s.knows(id, "paid", "paid") {
			of(id) <- true
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		select {
		case <-of(id):
		case <-r.Context().Done():
		}
		return false
	})(m)
}

// stringified verifies the signature of what it parsed, as the documents do.
func stringified(t testing.TB) func(m http.Handler) http.HandlerFunc {
	scheme := signature.HMACHeader("X-Signature", "", signature.Hex)
	secrets := []signature.Secret{secret(t, "current"), secret(t, "previous")}
	return seeing(func(w http.ResponseWriter, r *http.Request, body string) bool {
		doc, err := jsondoc.Parse([]byte(body))
		canonical := doc.AppendCanonical(nil)
		if err != nil || !scheme.Verify(secrets, r.Header, canonical, time.Now(), 0).OK {
			w.WriteHeader(http.StatusUnauthorized)
			return true
		}
		r.Body = io.NopCloser(bytes.NewReader(canonical))
		return false
	})
}

// limited refuses all after the first deliveries, for as long as paid payments
// come that nothing was heard of.
func limited(m http.Handler) http.HandlerFunc {
	var n atomic.Int64
	return seeing(func(w http.ResponseWriter, _ *http.Request, body string) bool {
		if strings.Contains(body, paid) && n.Add(1) > 100 {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		return false
	})(m)
}

// forgetful loses all that it knows when it restarts.
func forgetful(t testing.TB) (front func(http.Handler) http.HandlerFunc, change func(*conform.Options)) {
	var now atomic.Pointer[merchant.Merchant]
	c, _ := pack(t)
	begin := func() {
		m, err := merchant.New(merchant.Options{Contract: c, Now: time.Now, Wait: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		now.Store(m)
	}
	begin()
	front = func(http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { now.Load().ServeHTTP(w, r) }
	}
	return front, func(o *conform.Options) { o.Restart = func(context.Context) error { begin(); return nil } }
}

// silencedByRestart has the probe know nothing more after a restart.
func silencedByRestart(o *conform.Options) {
	var silent atomic.Bool
	probe := o.Probe
	o.Probe = func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
		if silent.Load() {
			return nil, false, nil
		}
		return probe(ctx, facts)
	}
	o.Restart = func(context.Context) error { silent.Store(true); return nil }
}

// down refuses all deliveries after a restart, whose command ends with an error or
// nil.
func down(err error) (front func(http.Handler) http.HandlerFunc, change func(*conform.Options)) {
	var gone atomic.Bool
	front = seeing(func(w http.ResponseWriter, _ *http.Request, _ string) bool {
		if gone.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
		return gone.Load()
	})
	return front, func(o *conform.Options) {
		o.Restart = func(context.Context) error { gone.Store(true); return err }
		o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	okToConflicts := answering("", func(w http.ResponseWriter, code int, _ string) { w.WriteHeader(min(code, 200)) })
	serverError := answering("", func(w http.ResponseWriter, code int, _ string) {
		w.WriteHeader(map[bool]int{true: 500, false: code}[code == 409])
	})
	forgets, forgetting := forgetful(t)
	stopped, stopping := down(nil)
	gone, going := down(errors.New("no such container"))
	all := "I01 I02 I03 I04 I05 I06 I07 I08 I09 I11 I12"
	failing := errors.New("no such container")
	tryAll(t, []attacked{
		{name: "as documented", ids: all, want: conform.Passed},
		{name: "effects unseen", ids: all, change: noProbe, want: conform.Unproven, says: "probe"},
		{name: "what comes too early is refused", ids: all, front: inOrder(409), want: conform.Passed},
		{name: "no state, refund and balance told", ids: all, change: func(o *conform.Options) {
			without("state")(o)
			without("refunded")(o)
			without("balance")(o)
		}, want: conform.Passed},

		{name: "a duplicate refused", ids: "I01", front: answering("", refusesSecond()), want: conform.Failed, says: "the same bytes again: answered 409"},
		{name: "one at a time", ids: "I02", front: busy, want: conform.Passed},
		{name: "not one of the race is answered", ids: "I02", front: hungUpOnPaid, change: noProbe, want: conform.Failed, says: "the connection ended without an answer"},
		{name: "a contradicting hash is ignored", ids: "I05", front: okToConflicts, want: conform.Passed, says: "whether it was flagged cannot be seen"},
		{name: "a contradicting hash breaks it", ids: "I05 I08", front: serverError, want: conform.Failed, says: "answered 500"},
		{name: "a changed amount is ignored", ids: "I08", front: okToConflicts, want: conform.Failed, says: "with twice the amount: answered 200"},

		{name: "no hooks", ids: "I09 I11", change: func(o *conform.Options) { o.Restart, o.Break = nil, nil }, want: conform.NotRun, says: "nobody can"},
		{name: "hooks that fail", ids: "I09 I11", change: func(o *conform.Options) {
			o.Restart = func(context.Context) error { return failing }
			o.Break = o.Restart
		}, want: conform.Unproven, says: "no such container"},
		{name: "nothing breaks", ids: "I11", change: func(o *conform.Options) { o.Break = func(context.Context) error { return nil } }, want: conform.Unproven, says: "was accepted"},
		{name: "all is forgotten", ids: "I09", front: forgets, change: forgetting, want: conform.Failed, says: "forgotten what it credited before it was restarted: before state Complete, credited"},
		{name: "the probe forgets all", ids: "I09", change: silencedByRestart, want: conform.Unproven, says: "may still come"},
		{name: "the command ends it, and fails", ids: "I09", front: gone, change: going, want: conform.Unproven, says: "could not be restarted: no such container; afterwards a valid event is not accepted"},
		{name: "it does not come back", ids: "I09", front: stopped, change: stopping, want: conform.Failed, says: "after a restart a valid event is not accepted: answered 502"},

		{name: "a limited rate", ids: "I10", front: limited, want: conform.Unproven, says: "not all of the other events were accepted: answered 429"},

		{name: "the signature of what was parsed", ids: "I12", front: stringified(t), want: conform.Passed},
		{name: "bytes as key under it", bug: "bytes-as-key", ids: "I12", front: stringified(t), want: conform.Failed, says: "its members in another order: credited"},
		{name: "white space is tried under it", bug: "double-credit", ids: "I12", front: stringified(t), want: conform.Failed, says: "with white space: credited"},
		{name: "white space in the key", ids: "I12", bug: "double-credit", want: conform.Failed, says: "with white space: credited"},
	})
}

// refusesSecond answers every delivery of a kind but the first with 409.
func refusesSecond() func(http.ResponseWriter, int, string) {
	return func(w http.ResponseWriter, code int, body string) {
		if strings.Contains(body, "duplicate") {
			code = http.StatusConflict
		}
		w.WriteHeader(code)
	}
}

// hungUpOnPaid closes the connection when a payment is paid.
func hungUpOnPaid(m http.Handler) http.HandlerFunc {
	return seeing(func(_ http.ResponseWriter, _ *http.Request, body string) bool {
		if strings.Contains(body, paid) {
			panic(http.ErrAbortHandler)
		}
		return false
	})(m)
}

// oneThread is a server with an event loop: it looks up all requests that it reads
// at once before it works on any of them.
func oneThread(m http.Handler) func(context.Context, net.Conn) {
	var mu sync.Mutex
	known := map[string]bool{}
	return func(ctx context.Context, c net.Conn) {
		var unread []byte
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			mu.Lock()
			var requests []*http.Request
			var bodies []string
			for unread = append(unread, buf[:n]...); ; {
				r, body, rest := firstRequest(unread)
				if r == nil {
					break
				}
				if known[body] {
					r = nil
				}
				requests, bodies, unread = append(requests, r), append(bodies, body), rest
			}
			for i, r := range requests {
				known[bodies[i]] = bodies[i] != ""
				out := httptest.NewRecorder()
				if r != nil {
					m.ServeHTTP(out, r.WithContext(ctx))
				}
				res := out.Result()
				res.ContentLength = int64(out.Body.Len())
				_ = res.Write(c)
			}
			mu.Unlock()
		}
	}
}

// firstRequest takes a whole request off what was read; it is nil where there is none.
func firstRequest(unread []byte) (r *http.Request, body string, rest []byte) {
	in := bytes.NewReader(unread)
	buffered := bufio.NewReader(in)
	r, err := http.ReadRequest(buffered)
	if err != nil {
		return nil, "", unread
	}
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, "", unread
	}
	r.Body = io.NopCloser(bytes.NewReader(raw))
	return r, string(raw), unread[len(unread)-in.Len()-buffered.Buffered():]
}

// TestRaceInOneThread shows that I02 finds what an endpoint with a single thread
// looks up before an await and remembers after it, though each connection's bytes
// come on their own.
func TestRaceInOneThread(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		m := newModel(t, "double-credit", func(*merchant.Options) {})
		r := run(t, options(t, subject{endpoint: serve(t, hangUp(oneThread(m))), probe: true}, "I01", "I02"))
		if got := statuses(r); got["I01"] != conform.Passed || got["I02"] != conform.Failed {
			t.Errorf("%v", got)
		}
	})
}
