package listen_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/verify"
)

func TestParseResponse(t *testing.T) {
	for _, test := range []struct {
		in   string
		want listen.Response
	}{
		{"500", listen.Response{Status: 500, First: 1, Of: 1}},
		{"200", listen.Response{Status: 200, First: 1, Of: 1}},
		{"599", listen.Response{Status: 599, First: 1, Of: 1}},
		{"drop", listen.Response{First: 1, Of: 1}},
		{"503:2/3", listen.Response{Status: 503, First: 2, Of: 3}},
		{"drop:1/2", listen.Response{First: 1, Of: 2}},
		{"200:1/1", listen.Response{Status: 200, First: 1, Of: 1}},
		{"500:1000/1000", listen.Response{Status: 500, First: 1000, Of: 1000}},
	} {
		got, err := listen.ParseResponse(test.in)
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%q: %v %s", test.in, err, diff)
		}
	}
	for _, in := range []string{
		"", "drop ", "Drop", "ok", "199", "600", "100", "-500", "5000000000000000000000", "500:", "500:2", "500:2/", "500:/3", "500:0/3",
		"500:-1/3", "500:4/3", "500:1/1001", "500:1/0", "500:1/2/3", "500:1/2:3", "drop:", "drop:x/y", "500,200", "0x1f4", "500 :1/2", "\x00",
	} {
		got, err := listen.ParseResponse(in)
		if !errors.Is(err, listen.ErrRespond) || !strings.Contains(err.Error(), "503:2/3") {
			t.Errorf("%q: %+v %v", in, got, err)
		}
	}
	if _, err := listen.ParseResponse(strings.Repeat("9", 10_000)); err == nil || len(err.Error()) > 300 {
		t.Errorf("a long one is not shortened: %v", err)
	}
}

func FuzzParseResponse(f *testing.F) {
	for _, s := range []string{"500", "503:2/3", "drop:1/2", "drop", ":", "/", "500:1000/1000", "+500:+1/+2", "500:1/1001"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		r, err := listen.ParseResponse(s)
		if err != nil {
			if !errors.Is(err, listen.ErrRespond) {
				t.Fatal(err)
			}
			return
		}
		if r.Status != 0 && (r.Status < 200 || r.Status > 599) || r.First < 1 || r.First > r.Of || r.Of > 1000 {
			t.Fatalf("%q: %+v", s, r)
		}
		// Of every Of attempts the first ones are overridden.
		n = 1 + abs(n)%1_000_000
		if got, want := r.Applies(n), (n-1)%r.Of+1 <= r.First; got != want {
			t.Fatalf("%+v applies to attempt %d: %v", r, n, got)
		}
	})
}

func abs(n int) int { return max(n, -(n + 1)) }

func TestApplies(t *testing.T) {
	for in, want := range map[string]string{"500": "xxxxxxx", "500:2/3": "xx.xx.x", "drop:1/2": "x.x.x.x", "500:1/7": "x......", "200:7/7": "xxxxxxx"} {
		r, err := listen.ParseResponse(in)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for n := 1; n <= 7; n++ {
			if r.Applies(n) {
				got += "x"
			} else {
				got += "."
			}
		}
		if got != want {
			t.Errorf("%s: %s, not %s", in, got, want)
		}
	}
}

// clock is a time that passes only when it is waited for.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	waited []time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.pass(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waited = append(c.waited, d)
	return nil
}

// bench is a receiver with a clock of its own.
type bench struct {
	receiver
	*clock
}

func newBench(t testing.TB, set func(*listen.Options)) *bench {
	t.Helper()
	c := load(t)
	b := &bench{clock: &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}}
	o := listen.Options{
		Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: b.Now, Wait: b.Wait,
		OnDelivery: func(d *listen.Delivery) { b.got = append(b.got, *d) },
	}
	set(&o)
	b.Handler = listen.New(o)
	return b
}

// send delivers a body and says what came back: a status, or "dropped".
func (b *bench) send(t testing.TB, path string, body []byte) string {
	t.Helper()
	return deliverTo(t, b, httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body)))
}

func deliverTo(t testing.TB, h http.Handler, request *http.Request) (answer string) {
	t.Helper()
	request.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	defer func() {
		switch r := recover(); {
		case r == http.ErrAbortHandler: //nolint:errorlint // it is the very value
			if w.Body.Len() > 0 {
				t.Errorf("dropped after %q", w.Body)
			}
			answer = "dropped"
		case r != nil:
			panic(r)
		}
	}()
	h.ServeHTTP(w, request)
	return http.StatusText(w.Code) + " " + w.Body.String()
}

func codes(d listen.Delivery) string {
	var out []string
	for _, f := range d.Verdict.Findings {
		out = append(out, string(f.Severity)+" "+string(f.Code))
	}
	return strings.Join(out, ", ")
}

// TestRespond holds that answers are overridden by the attempts at each delivery
// alone.
func TestRespond(t *testing.T) {
	const okay, duplicate, told = `OK {"status":"ok"`, `OK {"status":"duplicate","findings"`, `{"error":"answered as told to"}`
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 0)
	_, complete := post(t, c, "invoice", "complete", 0)
	for _, test := range []struct {
		respond string
		bodies  [][]byte
		want    []string
	}{
		{"500", [][]byte{pending, pending, complete}, []string{"Internal Server Error " + told, "Internal Server Error " + told, "Internal Server Error " + told}},
		{"500:2/3", [][]byte{pending, pending, pending}, []string{"Internal Server Error " + told, "Internal Server Error " + told, okay}},
		{"500:1/2", [][]byte{pending, complete, pending, complete}, []string{"Internal Server Error " + told, "Internal Server Error " + told, okay, okay}},
		{"500:1/2", [][]byte{pending, pending, pending, pending}, []string{"Internal Server Error " + told, okay, "Internal Server Error " + told, duplicate}},
		{"drop:1/2", [][]byte{pending, pending}, []string{"dropped", okay}},
		{"204:1/2", [][]byte{pending, pending}, []string{"No Content " + told, okay}},
		{"drop", [][]byte{pending, []byte("{")}, []string{"dropped", "dropped"}},
	} {
		t.Run(test.respond, func(t *testing.T) {
			r, err := listen.ParseResponse(test.respond)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, func(o *listen.Options) { o.Response = &r })
			for i, body := range test.bodies {
				got := b.send(t, path, body)
				if !strings.HasPrefix(got, test.want[i]) {
					t.Errorf("delivery %d: %s, not %s", i, got, test.want[i])
				}
				d := b.got[i]
				if dropped := got == "dropped"; d.Dropped != dropped || dropped && (d.Status != 0 || len(d.Answer) > 0) {
					t.Errorf("delivery %d is reported as %+v", i, d)
				}
				b.pass(2 * time.Second)
			}
		})
	}
}

// TestDelay holds that every answer waits, by the clock that was given.
func TestDelay(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	b := newBench(t, func(o *listen.Options) { o.Delay = 3 * time.Second })
	b.send(t, path, body)
	b.send(t, path, []byte("{"))
	if diff := cmp.Diff([]time.Duration{3 * time.Second, 3 * time.Second}, b.waited); diff != "" {
		t.Error(diff)
	}
	if d := b.got[0]; d.Latency != 3*time.Second || d.Status != http.StatusOK {
		t.Errorf("%+v", d)
	}
}

// TestGone holds that a sender that gives up during a delay gets no answer, and
// that its next attempt is a retry.
func TestGone(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	b := newBench(t, func(o *listen.Options) { o.Delay = 2 * time.Second })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := deliverTo(t, b, httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body))); got != "dropped" {
		t.Error(got)
	}
	b.pass(time.Second)
	b.send(t, path, body)
	if got := codes(b.got[1]); got != "" || b.got[1].Attempt != 2 || !b.got[0].Dropped {
		t.Errorf("%s, %+v", got, b.got)
	}
}

// TestRetry holds the documented waits, 1, 2 and 4 seconds, with their margins.
func TestRetry(t *testing.T) {
	documented := load(t).Delivery
	if diff := cmp.Diff([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, documented.Backoff); diff != "" {
		t.Fatal(diff)
	}
	for _, test := range []struct {
		attempt  int
		after    time.Duration
		want     verify.Code
		expected string
	}{
		{0, 0, "", ""},
		{1, 0, "", ""},
		{1, time.Hour, "", ""},
		{2, time.Second, "", ""},
		{2, 800 * time.Millisecond, "", ""},
		{2, 799 * time.Millisecond, verify.RetryEarly, "1s after"},
		{2, -time.Second, verify.RetryEarly, "1s after"},
		{2, 2500 * time.Millisecond, "", ""},
		{2, 2501 * time.Millisecond, verify.RetryLate, "1s after"},
		{3, 1600 * time.Millisecond, "", ""},
		{3, 1599 * time.Millisecond, verify.RetryEarly, "2s after"},
		{3, 4 * time.Second, "", ""},
		{3, 4001 * time.Millisecond, verify.RetryLate, "2s after"},
		{4, 3200 * time.Millisecond, "", ""},
		{4, time.Second, verify.RetryEarly, "4s after"},
		{4, 7 * time.Second, "", ""},
		{4, 7001 * time.Millisecond, verify.RetryLate, "4s after"},
		{5, 8 * time.Second, verify.RetryExcess, "4 attempts"},
		{1 << 40, 0, verify.RetryExcess, "4 attempts"},
	} {
		f := listen.Retry(documented, test.attempt, test.after)
		if f == nil {
			f = &verify.Finding{}
		} else if f.Message == "" || f.Got == "" || f.Source != documented.Source || (f.Severity == verify.Violation) != (f.Code == verify.RetryExcess) {
			t.Errorf("%+v", f)
		}
		if f.Code != test.want || !strings.HasPrefix(f.Expected, test.expected) {
			t.Errorf("attempt %d after %s: %+v, not %s", test.attempt, test.after, f, test.want)
		}
	}
	if f := listen.Retry(contract.Delivery{}, 2, time.Second); f == nil || f.Code != verify.RetryExcess {
		t.Errorf("a retry where none is documented: %+v", f)
	}
}

// TestSchedule sends one delivery again and again and holds what is found in
// each attempt.
func TestSchedule(t *testing.T) {
	const ms = time.Millisecond
	type try struct {
		after time.Duration // since the answer before
		want  string
	}
	for _, test := range []struct {
		name    string
		respond string
		delay   time.Duration
		strict  verify.Strict
		tries   []try
	}{
		{"as documented", "500", 0, verify.Strict{}, []try{{0, ""}, {1000 * ms, ""}, {2000 * ms, ""}, {4000 * ms, ""}}},
		{"as documented, strictly", "500", 0, verify.Strict{Duplicates: true}, []try{{0, ""}, {1000 * ms, ""}, {2000 * ms, ""}, {4000 * ms, ""}}},
		{"once more", "500", 0, verify.Strict{}, []try{{0, ""}, {1000 * ms, ""}, {2000 * ms, ""}, {4000 * ms, ""}, {8000 * ms, "violation retry-excess"}}},
		{"at once", "500", 0, verify.Strict{}, []try{{0, ""}, {0, "warning retry-early"}, {0, "warning retry-early"}}},
		{"late", "drop", 0, verify.Strict{}, []try{{0, ""}, {time.Minute, "warning retry-late"}}},
		{"taken at last", "500:2/3", 0, verify.Strict{Duplicates: true}, []try{{0, ""}, {1000 * ms, ""}, {2000 * ms, ""}}},
		{"after it was taken", "500:1/4", 0, verify.Strict{}, []try{{0, ""}, {1000 * ms, ""}, {2000 * ms, "note duplicate"}, {0, "note duplicate"}}},
		{"after it was taken, strictly", "500:1/4", 0, verify.Strict{Duplicates: true}, []try{{0, ""}, {1000 * ms, ""}, {2000 * ms, "violation duplicate"}}},
		{"taken at once", "200", 0, verify.Strict{}, []try{{0, ""}, {1000 * ms, "note duplicate"}}},
		{"answered with another 2xx", "204", 0, verify.Strict{}, []try{{0, ""}, {1000 * ms, ""}}},
		{"answered within the time", "200", 5 * time.Second, verify.Strict{}, []try{{0, ""}, {1000 * ms, "note duplicate"}}},
		// The sender gives up after 5 s, so its retry comes 1 s after that.
		{"answered too late", "200", 5100 * ms, verify.Strict{Duplicates: true}, []try{{0, ""}, {900 * ms, ""}, {1900 * ms, ""}, {4000 * ms, ""}}},
		{"answered too late, tried too early", "200", 5100 * ms, verify.Strict{}, []try{{0, ""}, {0, "warning retry-early"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := listen.ParseResponse(test.respond)
			if err != nil {
				t.Fatal(err)
			}
			b := newBench(t, func(o *listen.Options) {
				o.Response, o.Delay, o.Checker = &r, test.delay, verify.NewChecker(o.Contract, test.strict)
			})
			path, body := post(t, load(t), "invoice", "pending", 0)
			for i, try := range test.tries {
				b.pass(try.after)
				b.send(t, path, body)
				d := b.got[i]
				if got := codes(d); got != try.want || d.Attempt != i+1 || d.Verdict.Duplicate != strings.Contains(try.want, "duplicate") {
					t.Errorf("attempt %d: %q, not %q; %+v", i+1, got, try.want, d)
				}
			}
		})
	}
}

// TestOvertakenRetry retries while the attempt before, on which the sender has
// given up, is not answered yet.
func TestOvertakenRetry(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	var b *bench
	depth, between := 0, 6*time.Second
	b = newBench(t, func(o *listen.Options) {
		o.Delay = 8 * time.Second
		o.Wait = func(context.Context, time.Duration) error {
			if depth++; depth == 1 {
				b.pass(between)
				b.send(t, path, body)
			}
			return nil
		}
	})
	b.send(t, path, body)
	if retry := b.got[0]; retry.Attempt != 2 || codes(retry) != "" {
		t.Errorf("the retry: %d %s", retry.Attempt, codes(retry))
	}
	depth, between = 0, time.Second
	_, body = post(t, c, "invoice", "pending", 1)
	b.send(t, path, body)
	if second := b.got[2]; second.Attempt != 2 || codes(second) != "note duplicate" {
		t.Errorf("a second one while the sender still waits: %d %s", second.Attempt, codes(second))
	}
}

// TestAttemptsSideBySide holds the schedule of a sender that gives up on each
// attempt long before it is answered.
func TestAttemptsSideBySide(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *listen.Options) { o.Now, o.Wait, o.Delay = time.Now, sleep, 8*time.Second })
		var all sync.WaitGroup
		for _, after := range []time.Duration{0, 6 * time.Second, 7 * time.Second, 9 * time.Second} {
			_ = sleep(t.Context(), after)
			all.Go(func() { b.send(t, path, body) })
		}
		all.Wait()
		for i, d := range b.got {
			if got := codes(d); got != "" || d.Attempt != i+1 {
				t.Errorf("attempt %d: %s", d.Attempt, got)
			}
		}
	})
}

// TestForgotten holds that a retry of a delivery that fell out of memory is not
// taken for a duplicate: nobody knows whether it was taken.
func TestForgotten(t *testing.T) {
	c := load(t)
	r, err := listen.ParseResponse("500:1/2")
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, func(o *listen.Options) {
		o.Response, o.Checker = &r, verify.NewChecker(c, verify.Strict{Duplicates: true})
	})
	b.Remember(10)
	for range 2 { // each fails once, and is tried again
		for i := range 30 {
			path, body := post(t, c, "invoice", "pending", uint64(i))
			b.send(t, path, body)
		}
		b.pass(time.Second)
	}
	for i, d := range b.got {
		if got := codes(d); got != "" {
			t.Errorf("delivery %d: %s", i, got)
		}
	}
}

// TestForgottenTaken holds that forgetting what was taken loses no duplicate.
func TestForgottenTaken(t *testing.T) {
	c := load(t)
	b := newBench(t, func(*listen.Options) {})
	b.Remember(10)
	for range 2 {
		for i := range 30 {
			path, body := post(t, c, "invoice", "pending", uint64(i))
			b.send(t, path, body)
		}
	}
	for i, d := range b.got {
		if got := codes(d); (got == "note duplicate") != (i >= 30) {
			t.Errorf("delivery %d: %q", i, got)
		}
	}
}

// TestRecordFirst holds that what cannot be recorded is not acknowledged, and
// that what is acknowledged was recorded before.
func TestRecordFirst(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	var full error
	var recorded []listen.Delivery
	b := newBench(t, func(o *listen.Options) {
		o.AlwaysOK = true
		o.Record = each(func(d *listen.Delivery) error {
			recorded = append(recorded, *d)
			return full
		})
	})
	w := &watched{ResponseRecorder: httptest.NewRecorder(), onWrite: func() int { return len(recorded) }}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	b.ServeHTTP(w, request)
	if w.Code != http.StatusOK || w.before != 1 {
		t.Errorf("%d, with %d records before the answer", w.Code, w.before)
	}
	if r := recorded[0]; r.Status != http.StatusOK || string(r.Answer) != w.Body.String() || !bytes.Equal(r.Body, body) || r.Attempt != 1 {
		t.Errorf("recorded as %+v", r)
	}

	full = errors.New("no space left on device")
	_, body = post(t, c, "invoice", "complete", 0)
	if got := b.send(t, path, body); got != `Service Unavailable {"error":"Not recorded"}` {
		t.Error(got)
	}
	if d := b.got[1]; codes(d) != "violation not-recorded" || d.Status != http.StatusServiceUnavailable || !strings.Contains(d.Verdict.Findings[0].Message, "no space left") {
		t.Errorf("%+v", d)
	}

	full = nil
	b.pass(time.Second)
	b.send(t, path, body)
	if d := b.got[2]; codes(d) != "" || d.Attempt != 2 || d.Status != http.StatusOK {
		t.Errorf("the retry: %s %+v", codes(d), d)
	}
}

// watched notes what was the case before the answer began.
type watched struct {
	*httptest.ResponseRecorder
	onWrite func() int
	before  int
}

func (w *watched) WriteHeader(status int) {
	w.before = w.onWrite()
	w.ResponseRecorder.WriteHeader(status)
}

// each makes a recorder of what records one delivery.
func each(record func(*listen.Delivery) error) func([]*listen.Delivery) []error {
	return func(ds []*listen.Delivery) []error {
		errs := make([]error, len(ds))
		for i, d := range ds {
			errs[i] = record(d)
		}
		return errs
	}
}

// TestFilter holds that what is not asked for is acknowledged and not judged.
func TestFilter(t *testing.T) {
	c := load(t)
	var asked [][2]string
	b := newBench(t, func(o *listen.Options) {
		o.Record = each(func(*listen.Delivery) error { return nil })
		o.Filter = func(event, state string) bool {
			asked = append(asked, [2]string{event, state})
			return event != "invoice.updated" || state == "Complete"
		}
	})
	path, pending := post(t, c, "invoice", "pending", 0)
	_, complete := post(t, c, "invoice", "complete", 0)
	for _, body := range [][]byte{pending, complete, []byte("{"), pending} {
		b.send(t, path, body)
	}
	want := [][2]string{{"invoice.updated", "Pending"}, {"invoice.updated", "Complete"}, {"", ""}, {"invoice.updated", "Pending"}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Error(diff)
	}
	if len(b.got) != 2 || codes(b.got[0]) != "note gap" || codes(b.got[1]) != "violation invalid-json" {
		t.Errorf("reported: %+v", b.got)
	}
	if got := b.send(t, path, pending); got != `OK {"status":"ok"}` {
		t.Error(got)
	}
	if got := b.send(t, "/x", pending); !strings.HasPrefix(got, "Not Found") || len(b.got) != 3 {
		t.Errorf("an unknown path is no matter of choice: %s", got)
	}
}

// TestAttemptsOfRefused holds that what was refused at the door is no attempt.
func TestAttemptsOfRefused(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	b := newBench(t, func(*listen.Options) {})
	for range 6 {
		b.serve("PUT", path, nil, bytes.NewReader(body))
		b.serve("POST", path, map[string]string{"Content-Type": "text/plain"}, bytes.NewReader(body))
	}
	b.send(t, path, body)
	for i, d := range b.got {
		if (d.Attempt == 1) != (i == 12) || d.Verdict.Has(verify.RetryExcess) {
			t.Errorf("delivery %d: attempt %d, %s", i, d.Attempt, codes(d))
		}
	}
}

// TestMissed: who makes deliveries fail is told at the end which of them were not
// tried again, once a retry would have been late.
func TestMissed(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	for _, test := range []struct {
		name     string
		response string
		attempts []time.Duration // when, each after the one before
		then     time.Duration
		want     int
	}{
		{"not tried again", "500", []time.Duration{0}, 2501 * time.Millisecond, 1},
		{"not yet", "500", []time.Duration{0}, 2500 * time.Millisecond, 0},
		{"dropped, and not tried again", "drop", []time.Duration{0}, time.Minute, 1},
		{"taken in the end", "500:1/2", []time.Duration{0, time.Second}, time.Minute, 0},
		{"given up after one retry", "500", []time.Duration{0, time.Second}, time.Minute, 1},
		{"tried as often as documented", "500", []time.Duration{0, time.Second, 2 * time.Second, 4 * time.Second}, time.Minute, 0},
		{"nothing was made to fail", "", []time.Duration{0}, time.Minute, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, func(o *listen.Options) {
				if test.response != "" {
					r, err := listen.ParseResponse(test.response)
					if err != nil {
						t.Fatal(err)
					}
					o.Response = &r
				}
			})
			for _, after := range test.attempts {
				b.pass(after)
				b.send(t, path, body)
			}
			b.pass(test.then)
			got := b.Missed()
			if len(got) != test.want {
				t.Fatalf("%d deliveries were missed: %+v", len(got), got)
			}
			for _, f := range got {
				if f.Code != verify.RetryMissed || f.Severity != verify.Warning || !strings.Contains(f.Message, "invoice pending") {
					t.Errorf("%+v", f)
				}
			}
		})
	}
}
