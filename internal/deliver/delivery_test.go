package deliver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

const sample = `{"event":"invoice.updated","data":{}}`

// documented is the documented schedule.
func documented() Policy {
	return Policy{Success: []int{200}, Backoff: Exponential(3, time.Second)}
}

// skipping records the waits and waits for nothing.
func skipping(waits *[]time.Duration) func(context.Context, time.Duration) error {
	return func(_ context.Context, d time.Duration) error {
		*waits = append(*waits, d)
		return nil
	}
}

func skip(context.Context, time.Duration) error { return nil }

func outcomes(d Delivery) []Outcome {
	all := make([]Outcome, len(d.Attempts))
	for i, r := range d.Attempts {
		all[i] = r.Outcome
	}
	return all
}

func expectOutcomes(t *testing.T, d Delivery, whole Outcome, each ...Outcome) {
	t.Helper()
	if diff := cmp.Diff(each, outcomes(d)); diff != "" || d.Outcome() != whole {
		t.Fatalf("outcome %s, want %s\n%s%+v", d.Outcome(), whole, diff, d)
	}
	for i, r := range d.Attempts {
		if r.Attempt != i+1 || (r.Err == nil) != (r.Outcome == Answered) {
			t.Errorf("attempt %d is numbered %d, error %v", i+1, r.Attempt, r.Err)
		}
	}
}

// wireTap is a server that keeps the bytes of each request and answers it as
// the next of answers says; an empty one means to hang up.
type wireTap struct {
	*rawServer
	requests chan string
}

func newWireTap(t *testing.T, answers ...string) *wireTap {
	t.Helper()
	tap := &wireTap{requests: make(chan string, 100)}
	next := make(chan string, len(answers))
	for _, answer := range answers {
		next <- answer
	}
	tap.rawServer = newRawServer(t, func(conn net.Conn) {
		var got bytes.Buffer
		complete := readRequest(io.TeeReader(conn, &got))
		tap.requests <- got.String()
		if complete != nil {
			write(conn, <-next)
		}
	})
	return tap
}

func status(code int) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 2\r\nRetry-After: 100\r\n\r\nok", code)
}

func TestDeliverRepeats(t *testing.T) {
	for name, tt := range map[string]struct {
		answers []string
		waits   []time.Duration
		whole   Outcome
		each    []Outcome
	}{
		"at once":          {[]string{status(200)}, nil, Success, []Outcome{Answered}},
		"at last":          {[]string{status(500), "", status(302), status(200)}, Exponential(3, time.Second), Success, []Outcome{Answered, Unknown, Answered, Answered}},
		"second":           {[]string{status(503), status(200)}, Exponential(1, time.Second), Success, []Outcome{Answered, Answered}},
		"never":            {[]string{status(500), status(500), status(400), status(201)}, Exponential(3, time.Second), Failed, []Outcome{Answered, Answered, Answered, Answered}},
		"once unknown":     {[]string{status(500), "", status(500), status(500)}, Exponential(3, time.Second), Unknown, []Outcome{Answered, Unknown, Answered, Answered}},
		"cut answer":       {[]string{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", status(200)}, Exponential(1, time.Second), Success, []Outcome{Unknown, Answered}},
		"garbage for ever": {[]string{"x\r\n\r\n", "x\r\n\r\n", "x\r\n\r\n", "x\r\n\r\n"}, Exponential(3, time.Second), Unknown, []Outcome{Unknown, Unknown, Unknown, Unknown}},
	} {
		t.Run(name, func(t *testing.T) {
			tap := newWireTap(t, tt.answers...)
			var waits []time.Duration
			var told []Result
			d := newClient(t, Options{}).Deliver(t.Context(), parse(t, tap.url), http.Header{"X-Signature": {"ab"}}, []byte(sample), documented(), NoFault,
				skipping(&waits), func(n int, r Result) {
					if n != len(told)+1 {
						t.Errorf("told of attempt %d after %d", n, len(told))
					}
					told = append(told, r)
				})
			expectOutcomes(t, d, tt.whole, tt.each...)
			if diff := cmp.Diff(tt.waits, waits); diff != "" {
				t.Errorf("waits: %s", diff)
			}
			if diff := cmp.Diff(d.Attempts, told, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
				t.Errorf("told: %s", diff)
			}
			if n := int(tap.connections.Load()); n != len(tt.each) {
				t.Errorf("%d connections for %d attempts", n, len(tt.each))
			}
		})
	}
}

// Nothing the caller does to its header and body in between reaches the wire.
func TestDeliverRepeatsTheSameBytes(t *testing.T) {
	for _, f := range append(Faults(), NoFault) {
		t.Run(string(f), func(t *testing.T) {
			tap := newWireTap(t, "", "", "", "")
			header, body := http.Header{"X-Signature": {"ab"}, "X-B": {"1", "2"}, "idempotency-key": {"k"}}, []byte(sample)
			u := parse(t, tap.url)
			d := newClient(t, Options{Pause: skip}).Deliver(t.Context(), u, header, body, documented(), f, skip, func(int, Result) {
				header.Set("X-Signature", "changed")
				body[2] = 'X'
			})
			expectOutcomes(t, d, Unknown, Unknown, Unknown, Unknown, Unknown)
			got := []string{<-tap.requests, <-tap.requests, <-tap.requests, <-tap.requests}
			slices.Sort(got)
			want := "POST " + callback + " HTTP/1.1\r\nHost: " + u.Host + "\r\nUser-Agent: paytest\r\nContent-Length: 37\r\n" +
				"Content-Type: application/json\r\nIdempotency-Key: k\r\nX-B: 1\r\nX-B: 2\r\nX-Signature: ab\r\nConnection: close\r\n\r\n" + sample
			first := want
			if f == CutBody {
				first = want[:len(want)-len(sample)+len(sample)/2]
			}
			if diff := cmp.Diff([]string{first, want, want, want}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRetryAfterIsRecordedOnly(t *testing.T) {
	tap := newWireTap(t, status(503), status(200))
	var waits []time.Duration
	d := newClient(t, Options{}).Deliver(t.Context(), parse(t, tap.url), nil, []byte(sample), documented(), NoFault, skipping(&waits), nil)
	expectOutcomes(t, d, Success, Answered, Answered)
	if d.Attempts[0].Header.Get("Retry-After") != "100" || len(waits) != 1 || waits[0] != time.Second {
		t.Errorf("header %v, waits %v", d.Attempts[0].Header, waits)
	}
}

// Without a wait of its own, Deliver takes the time that is documented: 5 s for
// each attempt, and 1, 2 and 4 s between them.
func TestDeliverInRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		pipeTo(t, c, silent)
		begin := time.Now()
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), documented(), NoFault, nil, nil)
		expectOutcomes(t, d, Unknown, TimedOut, TimedOut, TimedOut, TimedOut)
		for i, want := range []time.Duration{0, 6 * time.Second, 13 * time.Second, 22 * time.Second} {
			if r := d.Attempts[i]; r.Started.Sub(begin) != want || r.Latency != 5*time.Second {
				t.Errorf("attempt %d began after %s and took %s, want %s and 5s", i+1, r.Started.Sub(begin), r.Latency, want)
			}
		}
		if took := time.Since(begin); took != 27*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

// answer does as net/http would: it reports what was sent, and answers or breaks.
func answer(r *http.Request, code int) (*http.Response, error) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return nil, err
	}
	httptrace.ContextClientTrace(r.Context()).WroteHeaders()
	if code == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	return &http.Response{StatusCode: code, Proto: "HTTP/1.1", Body: http.NoBody, Request: r}, nil
}

func TestDeliverKeepsToItsPolicy(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		codes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 200, 201, 204, 302, 400, 500}), 25, 25).Draw(rt, "codes")
		p := Policy{
			Success: rapid.SliceOfN(rapid.SampledFrom([]int{200, 201, 204}), 0, 2).Draw(rt, "success"),
			Backoff: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
				return time.Duration(rapid.Int64Range(0, int64(MaxBackoff)).Draw(t, "ns"))
			}), 0, MaxRetries).Draw(rt, "backoff"),
		}
		f := rapid.SampledFrom([]Fault{NoFault, Overlap}).Draw(rt, "fault")
		if len(p.Backoff) == 0 {
			f = NoFault
		}
		rest := make(chan int, len(codes))
		for _, code := range codes {
			rest <- code
		}
		c := newClient(t, Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) { return answer(r, <-rest) })})
		var waits []time.Duration
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), p, f, skipping(&waits), nil)
		n := len(d.Attempts)
		together := 1 // attempts that had no wait before them
		if f == Overlap {
			together = 2
		}
		if n < together || n > 1+len(p.Backoff) {
			rt.Fatalf("%d attempts for %d retries", n, len(p.Backoff))
		}
		if diff := cmp.Diff(p.Backoff[together-1:n-1], append([]time.Duration{}, waits...)); diff != "" && len(waits)+n-together > 0 {
			rt.Errorf("waits: %s", diff)
		}
		succeeded := func(r Result) bool { return r.Outcome == Answered && slices.Contains(p.Success, r.Status) }
		if early := slices.IndexFunc(d.Attempts, succeeded); early >= 0 && early < n-together {
			rt.Errorf("%d attempts, but number %d succeeded", n, early+1)
		}
		if success := slices.ContainsFunc(d.Attempts, succeeded); success != (d.Outcome() == Success) || !success && n != 1+len(p.Backoff) {
			rt.Errorf("%s after %d attempts of %d", d.Outcome(), n, 1+len(p.Backoff))
		}
		if lost := slices.Contains(codes[:n], 0); d.Outcome() != Success && lost != (d.Outcome() == Unknown) {
			rt.Errorf("%s, although an answer was lost: %v", d.Outcome(), lost)
		}
	})
}

func TestDeliveryOutcome(t *testing.T) {
	ok, bad := answered(200), answered(500)
	for name, tt := range map[string]struct {
		attempts []Result
		err      error
		want     Outcome
	}{
		"nothing":                       {nil, nil, Failed},
		"answered well":                 {[]Result{ok}, nil, Success},
		"answered otherwise":            {[]Result{bad, answered(201)}, nil, Failed},
		"unreachable":                   {[]Result{ended(Unreachable), ended(Unreachable)}, nil, Failed},
		"unreachable and otherwise":     {[]Result{ended(Unreachable), bad}, nil, Failed},
		"timed out":                     {[]Result{ended(TimedOut), ended(TimedOut)}, nil, Unknown},
		"timed out once":                {[]Result{ended(TimedOut), bad}, nil, Unknown},
		"200, but incomplete":           {[]Result{{Outcome: Unknown, Status: 200}}, nil, Unknown},
		"lost, then answered well":      {[]Result{ended(Unknown), ok}, nil, Success},
		"lost, then unreachable":        {[]Result{ended(Unknown), ended(Unreachable)}, nil, Unknown},
		"refused":                       {[]Result{ended(Refused)}, nil, Refused},
		"otherwise, then refused":       {[]Result{bad, ended(Refused)}, nil, Refused},
		"lost, then refused":            {[]Result{ended(Unknown), ended(Refused)}, nil, Unknown},
		"canceled":                      {[]Result{ended(Canceled)}, nil, Canceled},
		"lost, then canceled":           {[]Result{ended(Unknown), ended(Canceled)}, nil, Canceled},
		"canceled in a wait":            {[]Result{bad}, context.Canceled, Canceled},
		"overlap: well, then otherwise": {[]Result{ok, bad}, nil, Success},
		"overlap: well, then canceled":  {[]Result{ok, ended(Canceled)}, nil, Success},
	} {
		d := Delivery{Attempts: tt.attempts, Success: []int{200}, Err: tt.err}
		if got := d.Outcome(); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestCancelWhileWaiting(t *testing.T) {
	broken := errors.New("broken clock")
	for name, tt := range map[string]struct {
		wait func(cancel func()) func(context.Context, time.Duration) error
		want error
	}{
		"wait says so": {func(cancel func()) func(context.Context, time.Duration) error {
			return func(ctx context.Context, _ time.Duration) error {
				cancel()
				return ctx.Err()
			}
		}, context.Canceled},
		"wait does not notice": {func(cancel func()) func(context.Context, time.Duration) error {
			return func(context.Context, time.Duration) error {
				cancel()
				return nil
			}
		}, context.Canceled},
		"wait breaks": {func(func()) func(context.Context, time.Duration) error {
			return func(context.Context, time.Duration) error { return broken }
		}, broken},
	} {
		t.Run(name, func(t *testing.T) {
			tap := newWireTap(t, status(500), status(200))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			d := newClient(t, Options{}).Deliver(ctx, parse(t, tap.url), nil, []byte(sample), documented(), NoFault, tt.wait(cancel), nil)
			expectOutcomes(t, d, Canceled, Answered)
			if n := tap.connections.Load(); n != 1 || !errors.Is(d.Err, tt.want) || !strings.Contains(d.Err.Error(), "attempt 2") {
				t.Errorf("%d connections, %v", n, d.Err)
			}
		})
	}
}

func TestCancelInRealWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		pipeTo(t, c, answering(status(500)))
		ctx, cancel := context.WithTimeout(t.Context(), 2500*time.Millisecond)
		defer cancel()
		begin := time.Now()
		d := c.Deliver(ctx, parse(t, "http://shop.test"), nil, []byte(sample), documented(), NoFault, nil, nil)
		expectOutcomes(t, d, Canceled, Answered, Answered)
		if took := time.Since(begin); took != 2500*time.Millisecond || !errors.Is(d.Err, context.DeadlineExceeded) {
			t.Errorf("%s, %v", took, d.Err)
		}
	})
}

func TestCancelInAnAttempt(t *testing.T) {
	for _, f := range append(Faults(), NoFault) {
		t.Run(string(f), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, Options{})
				pipeTo(t, c, silent)
				ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
				defer cancel()
				d := c.Deliver(ctx, parse(t, "http://shop.test"), nil, []byte(sample), documented(), f, nil, nil)
				want := map[Fault][]Outcome{CutBody: {Unknown}, Overlap: {Canceled, Canceled}}[f]
				if want == nil {
					want = []Outcome{Canceled}
				}
				expectOutcomes(t, d, Canceled, want...)
			})
		})
	}
}

func TestCanceledBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range append(Faults(), NoFault) {
		tap := newWireTap(t)
		d := newClient(t, Options{}).Deliver(ctx, parse(t, tap.url), nil, []byte(sample), documented(), f, skip, nil)
		expectOutcomes(t, d, Canceled, Canceled)
	}
}

func TestGuardHoldsForEveryAttempt(t *testing.T) {
	for _, f := range append(Faults(), NoFault) {
		var lookups atomic.Int32
		names := fakeDNS(func(string) []string {
			lookups.Add(1)
			return []string{"192.0.2.1"}
		})
		for _, target := range []string{"http://192.0.2.1", "https://192.0.2.1", "http://shop.test", "https://shop.test"} {
			d := newClient(t, Options{Resolver: names}).Deliver(t.Context(), parse(t, target), nil, []byte(sample), documented(), f, skip, nil)
			expectOutcomes(t, d, Refused, Refused)
			expect(t, d.Attempts[0], Refused, "192.0.2.1")
		}
		if lookups.Load() == 0 {
			t.Error("no name was resolved")
		}
	}
}

// The guard judges the address of each attempt anew.
func TestGuardHoldsForRetries(t *testing.T) {
	tap := newWireTap(t, status(500))
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(tap.url, "http://"))
	var moved atomic.Bool
	names := fakeDNS(func(string) []string {
		if moved.Load() {
			return []string{"192.0.2.1"}
		}
		return []string{"127.0.0.1"}
	})
	d := newClient(t, Options{Resolver: names}).Deliver(t.Context(), parse(t, "http://shop.test:"+port), nil, []byte(sample), documented(), NoFault, skip,
		func(int, Result) { moved.Store(true) })
	expectOutcomes(t, d, Refused, Answered, Refused)
}
