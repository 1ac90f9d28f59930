package load

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/verify"
)

// lendable counts how often its file is asked for: that is when a connection is
// carried.
type lendable struct {
	*net.TCPConn
	lent *atomic.Int64
}

func (c lendable) File() (*os.File, error) {
	c.lent.Add(1)
	return c.TCPConn.File()
}

// unlendable is a connection that cannot be carried.
type unlendable struct{ net.Conn }

// plainly answers so many requests of a connection; then odd does.
func plainly(first int, odd func(net.Conn) bool) func(net.Conn) {
	return func(conn net.Conn) {
		n := 0
		each(func(c net.Conn) bool {
			if n++; n > first {
				return odd(c)
			}
			_, err := io.WriteString(c, okAnswer)
			return err == nil
		})(conn)
	}
}

// pieces answers with one piece after the other.
func pieces(all ...string) func(net.Conn) bool {
	return func(c net.Conn) bool {
		for _, piece := range all {
			if _, err := io.WriteString(c, piece); err != nil {
				return false
			}
		}
		return true
	}
}

// TestCarried holds that exchanges that are carried end as those do that are not,
// in whatever way the endpoint goes on after a while.
func TestCarried(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, x := range map[string]struct {
		odd     func(net.Conn) bool
		kind    string // of errors; empty when all succeed
		timeout time.Duration
	}{
		"sound":         {odd: pieces(okAnswer)},
		"head and body": {odd: pieces(ok+"Content-Length: 15\r\n\r\n", `{"status":"ok"}`)},
		"in a line":     {odd: pieces(ok[:5], ok[5:]+"Content-Length: 2\r\n\r\n{", "}")},
		"interim":       {odd: pieces("HTTP/1.1 100 Continue\r\n\r\n", okAnswer)},
		"chunks":        {odd: pieces(ok+"Transfer-Encoding: chunked\r\n\r\n", "2\r\n{}\r\n", "0\r\n\r\n")},
		"closing": {odd: func(c net.Conn) bool {
			return pieces(ok+"Connection: close\r\nContent-Length: 2\r\n\r\n{}")(c) && false
		}},
		"until its end":    {odd: func(c net.Conn) bool { return pieces(ok+"\r\n{", "}")(c) && false }},
		"a long body":      {odd: pieces(ok+"Content-Length: 70000\r\n\r\n", strings.Repeat("x", 70_000))},
		"slow":             {odd: func(c net.Conn) bool { wait(2 * slow); return pieces(okAnswer)(c) }},
		"refused":          {odd: pieces("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"), kind: "status 503"},
		"closed":           {odd: func(net.Conn) bool { return false }, kind: "reset"},
		"in the midst":     {odd: func(c net.Conn) bool { return pieces(okAnswer[:30])(c) && false }, kind: "reset"},
		"garbage":          {odd: pieces("garbage\r\n\r\n"), kind: "malformed"},
		"more than asked":  {odd: pieces(okAnswer + okAnswer), kind: "malformed"},
		"reset":            {odd: func(c net.Conn) bool { return c.(*net.TCPConn).SetLinger(0) != nil }, kind: "reset"}, //nolint:errcheck // it is one
		"silent":           {odd: func(c net.Conn) bool { _, _ = io.Copy(io.Discard, c); return false }, kind: "timeout", timeout: 3 * slow},
		"half, and silent": {odd: func(c net.Conn) bool { _ = pieces(okAnswer[:30])(c); _, _ = io.Copy(io.Discard, c); return false }, kind: "timeout", timeout: 3 * slow},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, "")
			o.To = serve(t, plainly(20, x.odd))
			o.Rate, o.Duration, o.Connections = Rate{Max: true}, 100*time.Millisecond, 4
			if x.timeout > 0 {
				o.Timeout = x.timeout
			}
			for _, carried := range []bool{true, false} {
				var lent atomic.Int64
				r, err := run(t.Context(), o, func(ctx context.Context, u *url.URL) (net.Conn, error) {
					conn, err := o.dial(ctx, u)
					if tcp, is := conn.(*net.TCPConn); is && carried {
						return lendable{tcp, &lent}, err
					}
					return unlendable{conn}, err
				})
				if err != nil {
					t.Fatal(err)
				}
				check(t, r, o)
				if n := lent.Load(); carried && n == 0 {
					t.Error("nothing was carried")
				}
				got, want := kindsOf(r.Total), map[string]uint64{}
				if x.kind != "" {
					want[x.kind] = max(got[x.kind], 1)
				}
				if diff := cmp.Diff(want, got); diff != "" || r.Total.Count < 20 {
					t.Errorf("carried %v: %d requests, %v", carried, r.Total.Count, r.Total.Errors)
				}
			}
		})
	}
}

// TestCarriedPayloads holds that what is carried is sound, and answered for each
// connection in its order.
func TestCarriedPayloads(t *testing.T) {
	o := options(t, "")
	checker := verify.NewChecker(o.Contract, verify.Strict{Duplicates: true})
	var served, bad atomic.Int64
	o.To = serve(t, func(c net.Conn) {
		for in := bufio.NewReader(c); ; {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if s := o.Scheme.Verify(o.Secrets, r.Header, body, time.Now(), time.Minute); err != nil || !s.OK || !checker.Check(body, r.URL.Path).OK() {
				bad.Add(1)
			}
			served.Add(1)
			if _, err := io.WriteString(c, okAnswer); err != nil {
				return
			}
		}
	})
	o.Rate, o.Duration, o.Connections = Rate{Max: true}, 200*time.Millisecond, 8
	before := openFiles(t)
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, o)
	if n := uint64(served.Load()); r.Total.Failed() != 0 || r.Total.Count != n || r.Total.Received != n*uint64(len(okAnswer)) || bad.Load() != 0 || n < 100 {
		t.Errorf("%d requests, %d served, %d bytes received, %v, %d unsound", r.Total.Count, n, r.Total.Received, r.Total.Errors, bad.Load())
	}
	if after := openFiles(t); after > before+o.Connections { // the server may still have its ends
		t.Errorf("%d files were open, and %d are", before, after)
	}
}

// TestCarriedAnswers holds that each answer counts as what it says, whatever the one
// before was.
func TestCarriedAnswers(t *testing.T) {
	answers := []string{ // of one length, and of another
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\n{}", "HTTP/1.1 502 No\r\nContent-Length: 2\r\n\r\n{}",
		"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + strings.Repeat("x", 2000), "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
	}
	order := []int{0, 0, 1, 1, 0, 2, 1, 3, 3, 0, 4, 4, 2, 2}
	said := make([]atomic.Int64, len(answers))
	var bytes atomic.Int64
	o := options(t, "")
	o.To = serve(t, func(conn net.Conn) {
		n := 0
		each(func(c net.Conn) bool {
			i := order[n%len(order)]
			n++
			said[i].Add(1)
			bytes.Add(int64(len(answers[i])))
			_, err := io.WriteString(c, answers[i])
			return err == nil
		})(conn)
	})
	o.Rate, o.Duration, o.Connections = Rate{Max: true}, 100*time.Millisecond, 1
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, o)
	want := map[string]uint64{"status 500": uint64(said[1].Load()), "status 502": uint64(said[2].Load()), "status 503": uint64(said[4].Load())}
	if diff := cmp.Diff(want, kindsOf(r.Total)); diff != "" || r.Total.Received != uint64(bytes.Load()) || r.Total.Count < 100 {
		t.Errorf("%d requests, %d bytes received, not %d; kinds (-said +counted):\n%s", r.Total.Count, r.Total.Received, bytes.Load(), diff)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestCarriedInterrupted ends a run whose exchanges are carried.
func TestCarriedInterrupted(t *testing.T) {
	o := options(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	var once sync.Once
	o.To = serve(t, plainly(20, func(c net.Conn) bool {
		once.Do(cancel)
		_, err := io.Copy(io.Discard, c)
		return err == nil
	}))
	o.Rate, o.Duration, o.Connections = Rate{Max: true}, time.Hour, 8
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if check(t, r, o); !r.Interrupted || r.Unfinished == 0 || r.Total.Failed() != 0 || r.Total.Count < 20 {
		t.Errorf("%d requests, %d unfinished, interrupted %v, %v", r.Total.Count, r.Unfinished, r.Interrupted, r.Total.Errors)
	}
}

// TestWhole holds that an answer of which only part has come is read from its start
// when the rest is there, wherever it was cut.
func TestWhole(t *testing.T) {
	const answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nA: b\r\n\r\n"
	for cut := 1; cut <= len(answer); cut++ {
		a := newAnswers()
		n := copy(a.buf, answer[:cut])
		status, keep, err := a.whole(n)
		if cut < len(answer) {
			if err != errPart { //nolint:errorlint // it is not wrapped
				t.Fatalf("cut at %d: %d, %v", cut, status, err)
			}
			a.from = bytes.NewReader([]byte(answer[cut:]))
			status, keep, err = a.next()
		}
		if status != http.StatusOK || !keep || err != nil || a.got != uint64(len(answer)) {
			t.Errorf("cut at %d: %d, %v, %v, %d bytes", cut, status, keep, err, a.got)
		}
	}
}
