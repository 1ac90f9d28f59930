package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/verify"
)

// play runs against an endpoint in a bubble.
func play(t *testing.T, o Options, p *endpoint) *Result {
	t.Helper()
	r, err := run(t.Context(), o, p.dial)
	if err != nil {
		t.Fatal(err)
	}
	check(t, r, o)
	p.conns.Wait()
	return r
}

// check holds what is true of every result.
func check(t *testing.T, r *Result, o Options) {
	t.Helper()
	var sum, series, failed uint64
	for _, s := range r.States {
		sum += s.Count
		failed += s.Failed()
	}
	var at time.Duration
	for _, p := range r.Series {
		if p.At != at || p.Length <= 0 {
			t.Errorf("a point from %s, %s long, follows one to %s", p.At, p.Length, at)
		}
		at += p.Length
		series += p.Count
	}
	if sum != r.Total.Count || failed != r.Total.Failed() || series != r.Total.Count {
		t.Errorf("%d requests in all, %d by state, %d in the series; %d errors, %d by state", r.Total.Count, sum, series, r.Total.Failed(), failed)
	}
	if !r.Rate.Max && !r.Interrupted && r.Total.Count+r.Unsent != r.Due {
		t.Errorf("%d requests and %d unsent of %d arrivals", r.Total.Count, r.Unsent, r.Due)
	}
	if !r.Interrupted && r.Elapsed < o.Duration {
		t.Errorf("ended after %s", r.Elapsed)
	}
}

func kindsOf(s Stats) map[string]uint64 {
	out := map[string]uint64{}
	for _, e := range s.Errors {
		name := e.Kind.String()
		if e.Status != 0 {
			name += fmt.Sprint(" ", e.Status)
		}
		out[name] += e.Count
	}
	return out
}

// TestPacing holds that requests start by the clock.
func TestPacing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Ramp, o.Duration, o.Connections = 20, 4*time.Second, 10*time.Second, 3
		p := newEndpoint(always(okAnswer))
		r := play(t, o, p)
		schedule := Schedule{20, 4 * time.Second}
		if want := schedule.Due(o.Duration); r.Total.Count != want || uint64(len(p.got)) != want || want != 160 {
			t.Fatalf("%d requests, %d received, want %d", r.Total.Count, len(p.got), want)
		}
		for i, g := range p.got {
			if want := schedule.At(uint64(i)); g.at != want {
				t.Errorf("request %d at %s, want %s", i, g.at, want)
			}
		}
		if r.Total.Failed() != 0 || r.Late+r.Queued+r.Behind+r.Unsent != 0 || r.Total.Latency.Max > time.Microsecond || r.Elapsed != o.Duration || math.Abs(r.Total.Rate-16) > 1e-9 {
			t.Errorf("%+v", r)
		}
		if p.dials != 3 {
			t.Errorf("%d connections", p.dials)
		}
	})
}

// TestPayloads holds that what is sent is signed and legal, every event once.
func TestPayloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "paid=60,expired=20,failed=10,refused=5,dropped=5")
		o.Rate.PerSecond, o.Connections = 200, 4
		o.To = "http://localhost:3000/hook?a=b"
		o.Header = http.Header{"x-mine": {"1", "2"}}
		p := newEndpoint(always(okAnswer))
		r := play(t, o, p)
		checker := verify.NewChecker(o.Contract, verify.Strict{Order: true, Duplicates: true, UnknownFields: true, UnknownValues: true})
		states := map[*contract.State]uint64{}
		for _, g := range p.got {
			v := checker.Check(g.body, "")
			if len(v.Findings) > 0 {
				t.Fatalf("%v: %s", v.Findings, g.body)
			}
			states[v.State]++
			if s := o.Scheme.Verify(o.Secrets, g.header, g.body, time.Now(), time.Minute); !s.OK {
				t.Fatalf("%s: %s", s.Reason, s.Detail)
			}
			want := http.Header{
				"X-Mine": {"1", "2"}, "Content-Type": {"application/json"}, "User-Agent": {"paytest"},
				"Host": {"localhost:3000"}, "Content-Length": {fmt.Sprint(len(g.body))},
			}
			for name := range want {
				if !slices.Equal(g.header[name], want[name]) {
					t.Fatalf("%s: %q", name, g.header[name])
				}
			}
			if g.path != "/hook?a=b" {
				t.Fatalf("sent to %s", g.path)
			}
		}
		for _, s := range r.States {
			if s.Count == 0 || s.Count != states[s.State] {
				t.Errorf("%s: %d sent, %d received", s.State, s.Count, states[s.State])
			}
		}
		if sum := checker.Summary(); len(r.States) != 9 || r.Duplicates+r.Disordered != 0 || sum.GapCount != 0 {
			t.Errorf("%d states, %d duplicates, %d disordered, %d gaps", len(r.States), r.Duplicates, r.Disordered, sum.GapCount)
		}
		var opened, finished uint64
		for _, c := range r.Outcomes {
			opened, finished = opened+c.Opened, finished+c.Finished
		}
		if opened != r.NextPayment || opened-finished > 4*maxOpen || finished < 300 {
			t.Errorf("%d payments opened, %d finished, the next is %d", opened, finished, r.NextPayment)
		}
	})
}

func TestDocumentedPaths(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "paid=1")
		o.To, o.Secrets = "localhost:3000", nil
		o.Header = http.Header{"host": {"shop.test"}, "user-agent": {"gateway"}, "content-type": {"application/json; charset=utf-8"}}
		p := newEndpoint(always(okAnswer))
		play(t, o, p)
		for _, g := range p.got {
			v := verify.Payload(o.Contract, g.body, g.path)
			if !v.OK() || g.header.Get(o.Scheme.Header()) != "" || g.header.Get("Host") != "shop.test" ||
				len(g.header["User-Agent"]) != 1 || g.header.Get("User-Agent") != "gateway" || g.header.Get("Content-Type") != "application/json; charset=utf-8" {
				t.Fatalf("%s: %v, %v", g.path, v.Findings, g.header)
			}
		}
	})
}

func TestDuplicatesAndDisorder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "paid=1")
		o.Rate.PerSecond, o.Connections, o.Duplicates, o.Disorder = 300, 2, 0.2, 0.2
		p := newEndpoint(always(okAnswer))
		r := play(t, o, p)
		checker := verify.NewChecker(o.Contract, verify.Strict{})
		var duplicates, late uint64
		seen := map[string]bool{}
		for _, g := range p.got {
			v := checker.Check(g.body, g.path)
			if !v.OK() {
				t.Fatalf("%v: %s", v.Findings, g.body)
			}
			if v.Duplicate != seen[string(g.body)] {
				t.Fatalf("a duplicate: %t: %s", v.Duplicate, g.body)
			}
			seen[string(g.body)] = true
			if v.Duplicate {
				duplicates++
			}
			if v.Has(verify.Late) {
				late++
			}
		}
		if duplicates == 0 || duplicates != r.Duplicates || late == 0 || r.Disordered < late {
			t.Errorf("%d duplicates, told %d; %d late, told %d disordered", duplicates, r.Duplicates, late, r.Disordered)
		}
	})
}

// TestSchemes signs by each scheme, also those with several headers.
func TestSchemes(t *testing.T) {
	for _, name := range signature.Names() {
		synctest.Test(t, func(t *testing.T) {
			o := options(t, "paid=1")
			o.Scheme, _ = signature.Named(name)
			o.Secrets = slices.Repeat(o.Secrets, 16) // the headers of all of them need more room
			p := newEndpoint(always(okAnswer))
			play(t, o, p)
			for _, g := range p.got {
				if s := o.Scheme.Verify(o.Secrets, g.header, g.body, time.Now(), time.Minute); !s.OK {
					t.Fatalf("%s: %s: %s", name, s.Reason, s.Detail)
				}
			}
			if len(p.got) != 100 {
				t.Errorf("%d requests", len(p.got))
			}
		})
	}
}

// TestCoordinatedOmission holds that a stall is charged to every request that
// had to wait, by the time it was meant to start.
func TestCoordinatedOmission(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Connections, o.Duration = 100, 2, 10*time.Second
		p := newEndpoint(nil)
		p.answer = func(g got) []byte {
			if stalled := g.at - 3*time.Second; stalled >= 0 && stalled < 2*time.Second {
				wait(2*time.Second - stalled)
			}
			return []byte(okAnswer)
		}
		r := play(t, o, p)
		// 200 of 1000 arrivals fall into the stall, and wait for 2 s, 1.99 s and so on; but only two were on their way.
		l := r.Total.Latency
		for _, x := range []struct {
			share    float64
			from, to time.Duration
		}{{0.79, 0, time.Microsecond}, {0.9, 950 * time.Millisecond, 1050 * time.Millisecond}, {0.99, 1850 * time.Millisecond, 1950 * time.Millisecond}, {1, 1990 * time.Millisecond, 2010 * time.Millisecond}} {
			if got := l.At(x.share); got < x.from || got > x.to {
				t.Errorf("%g of the requests within %s, want %s to %s", x.share, got, x.from, x.to)
			}
		}
		if r.Queued < 195 || r.Queued > 200 || r.Late != 0 || r.Behind != 0 || r.Total.Failed() != 0 || r.InTime() != 1 {
			t.Errorf("%d queued, %d late, %d behind, %d failed", r.Queued, r.Late, r.Behind, r.Total.Failed())
		}
		var worst Point
		for _, x := range r.Series {
			if x.P99 > worst.P99 {
				worst = x
			}
		}
		for _, x := range r.Series[6:] {
			if x.P99 > time.Millisecond {
				t.Errorf("%s in the second from %s on", x.P99, x.At)
			}
		}
		if worst.At+worst.Length < 5*time.Second || worst.At > 5*time.Second {
			t.Errorf("the worst second is that from %s", worst.At)
		}
	})
}

// TestOverload holds that an endpoint that is too slow for the rate is not
// waited for without end, and that what was never sent is told.
func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Connections, o.Timeout = 100, 5, 2*time.Second
		p := newEndpoint(func(got) []byte { wait(time.Second); return []byte(okAnswer) })
		r := play(t, o, p)
		if r.Due != 1000 || r.Total.Count != 60 || r.Unsent != 940 || r.Behind != 950 || r.Elapsed > 13*time.Second || r.InTime() > 0.0501 {
			t.Errorf("%d due, %d sent, %d unsent, %d behind, %s, %g in time", r.Due, r.Total.Count, r.Unsent, r.Behind, r.Elapsed, r.InTime())
		}
		th, err := ParseThreshold("errors>90%")
		if err != nil || len(Broken(r, []Threshold{th})) != 1 {
			t.Errorf("%v: unsent arrivals do not break %s", err, th)
		}
	})
}

// TestGeneratorLate puts the blame where it belongs: a clock that oversleeps is
// not the endpoint's.
func TestGeneratorLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		clock := o.Now
		var calls atomic.Int64
		o.Now = func() time.Time {
			if calls.Add(1)%97 == 0 {
				wait(250 * time.Millisecond) // the machine is busy with something else
			}
			return clock()
		}
		p := newEndpoint(always(okAnswer))
		r := play(t, o, p)
		if r.Late == 0 || r.Lateness.Max < 50*time.Millisecond || r.Lateness.P50 > time.Millisecond || !r.GeneratorBound() {
			t.Errorf("%d late, %v", r.Late, r.Lateness)
		}
	})
}

// TestStarted says from when a latency counts, and whose the lateness is.
func TestStarted(t *testing.T) {
	const at, began = time.Second, 1300 * time.Millisecond
	for _, x := range []struct {
		max, waited bool
		from, late  time.Duration
	}{{false, false, at, began - at}, {false, true, began, began - at}, {true, false, began, 0}} {
		o := options(t, "")
		o.Rate.Max = x.max
		w := &worker{run: &engine{o: &o}, flight: flight{at: at, sample: sample{waited: x.waited}}}
		w.started(began)
		if f := &w.flight; f.at != x.from || f.began != began || f.late != x.late || f.behind {
			t.Errorf("%+v: %+v", x, f)
		}
	}
}

// TestShut holds that a connection that was being made when the run was
// interrupted is closed.
func TestShut(t *testing.T) {
	near, far := net.Pipe()
	l := &link{timeout: time.Second, answers: newAnswers()}
	l.dial = func(context.Context) (net.Conn, error) {
		l.shut()
		return near, nil
	}
	if err := l.open(t.Context()); !errors.Is(err, errDown) {
		t.Errorf("%v", err)
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection is open: %v", err)
	}
}

func TestMaxRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate, o.Connections, o.Ramp = Rate{Max: true}, 4, 4*time.Second
		p := newEndpoint(func(got) []byte { wait(10 * time.Millisecond); return []byte(okAnswer) })
		r := play(t, o, p)
		// The connections start at 0, 1, 2 and 3 s: 10+9+8+7 seconds of 100 requests each.
		if r.Total.Count != 3400 || r.Due != 3400 || r.Queued+r.Late+r.Behind+r.Unsent != 0 || r.Total.Latency.P50.Round(time.Millisecond) != 10*time.Millisecond {
			t.Errorf("%d requests, %d due, %s", r.Total.Count, r.Due, r.Total.Latency.P50)
		}
		if r.Series[0].Count > 101 || r.Series[3].Count < 390 || r.Series[3].Due != 0 {
			t.Errorf("%+v", r.Series)
		}
	})
}

func TestErrorsByKind(t *testing.T) {
	for _, x := range []struct {
		name   string
		answer func(got) []byte
		want   map[string]uint64
		dials  int
	}{
		{"status", always("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"), map[string]uint64{"status 503": 100}, 1},
		{"a success elsewhere", always("HTTP/1.1 204 No Content\r\n\r\n"), map[string]uint64{"status 204": 100}, 1},
		{"some", func(g got) []byte {
			return []byte(fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n", []int{200, 500, 200, 409}[g.number%4]))
		}, map[string]uint64{"status 500": 25, "status 409": 25}, 1},
		{"closed", func(got) []byte { return nil }, map[string]uint64{"reset": 100}, 100},
		{"cut", func(g got) []byte {
			if g.number%2 == 0 {
				return []byte(okAnswer)
			}
			return []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n" + half)
		}, map[string]uint64{"reset": 50}, 50},
		{"garbage", always("hello\n\n"), map[string]uint64{"malformed": 100}, 100},
		{"too much", always(okAnswer + okAnswer), map[string]uint64{"malformed": 100}, 100},
		{"slow", func(g got) []byte {
			if g.number == 50 {
				wait(time.Minute)
			}
			return []byte(okAnswer)
		}, map[string]uint64{"timeout": 1}, 2},
		{"drips", func(got) []byte { wait(1900 * time.Millisecond); return []byte(okAnswer) }, nil, 1},
		{"connection: close", always("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"), nil, 100},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := options(t, "")
				o.Timeout = 2 * time.Second
				if x.name == "drips" {
					o.Rate.PerSecond = 0.5
				}
				p := newEndpoint(x.answer)
				r := play(t, o, p)
				got := kindsOf(r.Total)
				for kind, n := range x.want {
					if got[kind] != n {
						t.Errorf("%s: %d, want %d", kind, got[kind], n)
					}
				}
				if len(got) != len(x.want) {
					t.Errorf("%v, want %v", got, x.want)
				}
				if p.dials != x.dials && p.dials != x.dials+1 {
					t.Errorf("%d connections, want %d", p.dials, x.dials)
				}
				for _, e := range r.Total.Errors {
					if e.Example == "" && e.Kind != Status {
						t.Errorf("%s without an example", e.Kind)
					}
				}
			})
		})
	}
}

// TestTimeoutIsMeasured holds that a request without an answer counts for as long
// as it was waited for.
func TestTimeoutIsMeasured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Timeout = 0.2, 2*time.Second
		p := newEndpoint(func(got) []byte { wait(time.Hour); return nil })
		r := play(t, o, p)
		if l := r.Total.Latency; l.Count != 2 || l.P50 < 2*time.Second || l.Max > 2510*time.Millisecond || kindsOf(r.Total)["timeout"] != 2 {
			t.Errorf("%+v, %v", l, r.Total.Errors)
		}
	})
}

// TestTimeoutOnNewConnection holds that a connection that was dialled again has a
// limit of its own.
func TestTimeoutOnNewConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate, o.Timeout = Rate{Max: true}, 2*time.Second
		p := newEndpoint(func(g got) []byte {
			if g.number > 0 {
				wait(time.Hour)
			}
			return nil
		})
		r := play(t, o, p)
		if got := kindsOf(r.Total); got["reset"] != 1 || got["timeout"] < 4 || len(got) != 2 {
			t.Errorf("%v", got)
		}
	})
}

// TestLateAnswer is one that comes after the limit, but before the connection's
// deadline: it is late all the same.
func TestLateAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Timeout = 0.2, 2*time.Second
		p := newEndpoint(func(got) []byte { wait(2100 * time.Millisecond); return []byte(okAnswer) })
		r := play(t, o, p)
		if got := kindsOf(r.Total); got["timeout"] != 2 || len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

// TestIdleConnection holds that a server may close a connection that is not used:
// nothing is lost.
func TestIdleConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Duration = 0.1, time.Minute
		p := newEndpoint(always(okAnswer))
		p.idle = 4 * time.Second
		r := play(t, o, p)
		if r.Total.Count != 6 || r.Total.Failed() != 0 || p.dials < 6 {
			t.Errorf("%d requests, %v", r.Total.Count, r.Total.Errors)
		}
	})
}

func TestConnectErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		refused := errors.New("refused")
		p, dials := newEndpoint(func(got) []byte { return nil }), 0
		dial := func(ctx context.Context, u *url.URL) (net.Conn, error) {
			if dials++; dials > 1 {
				return nil, refused
			}
			return p.dial(ctx, u)
		}
		r, err := run(t.Context(), o, dial)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r, o)
		if got := kindsOf(r.Total); got["connect"] != 99 || got["reset"] != 1 || r.Total.Latency.Count != 0 {
			t.Errorf("%v, %d measured", got, r.Total.Latency.Count)
		}
		dials = 1
		if _, err := run(t.Context(), o, dial); !errors.Is(err, ErrConnect) || !errors.Is(err, refused) || !strings.Contains(err.Error(), "127.0.0.1:3000") {
			t.Errorf("without a first connection: %v", err)
		}
		dials, o.Rate = 0, Rate{Max: true}
		r, err = run(t.Context(), o, dial)
		if err != nil {
			t.Fatal(err)
		}
		if got := kindsOf(r.Total); got["connect"] != 101 || got["reset"] != 1 {
			t.Errorf("at the highest rate: %v", got)
		}
	})
}

func TestInterrupted(t *testing.T) {
	for name, rate := range map[string]Rate{"open": {PerSecond: 100}, "max": {Max: true}} {
		synctest.Test(t, func(t *testing.T) {
			o := options(t, "")
			o.Rate, o.Connections, o.Duration = rate, 3, time.Hour
			ctx, cancel := context.WithCancel(t.Context())
			p := newEndpoint(func(g got) []byte {
				if g.at > 4*time.Second {
					wait(time.Hour)
				}
				wait(10 * time.Millisecond)
				return []byte(okAnswer)
			})
			go func() {
				wait(5 * time.Second)
				cancel()
			}()
			before := time.Now()
			r, err := run(ctx, o, p.dial)
			if err != nil {
				t.Fatal(err)
			}
			if took := time.Since(before); took != 5*time.Second || r.Elapsed != took || !r.Interrupted {
				t.Errorf("%s: ended after %s, told %s", name, took, r.Elapsed)
			}
			if started := r.Total.Count + r.Unfinished; r.Behind != r.Due-started || !r.Rate.Max && (r.Due != 500 || r.InTime() != float64(started)/500) || r.Rate.Max && r.InTime() != 1 {
				t.Errorf("%s: %d due, %d started, %d behind, %g in time", name, r.Due, started, r.Behind, r.InTime())
			}
			if r.Unfinished != 3 || r.Total.Count < 395 || r.Total.Failed() != 0 || r.Unsent != 0 || len(r.Series) < 4 {
				t.Errorf("%s: %d unfinished, %d requests, %v, %d unsent", name, r.Unfinished, r.Total.Count, r.Total.Errors, r.Unsent)
			}
			check(t, r, o)
			p.conns.Wait()
			if _, err := run(ctx, o, p.dial); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: a run that was ended before its start", name)
			}
		})
	}
}

// TestInterruptedWhileIdle ends a run that waits for its next arrival, with and
// without a connection.
func TestInterruptedWhileIdle(t *testing.T) {
	for _, idle := range []time.Duration{0, time.Second} {
		synctest.Test(t, func(t *testing.T) {
			o := options(t, "")
			o.Rate.PerSecond, o.Duration, o.Connections = 0.01, time.Hour, 3
			ctx, cancel := context.WithCancel(t.Context())
			p := newEndpoint(always(okAnswer))
			p.idle = idle
			time.AfterFunc(5*time.Second, cancel)
			r, err := run(ctx, o, p.dial)
			if err != nil || r.Elapsed != 5*time.Second || r.Unfinished != 0 || r.Total.Count != 1 || r.Total.Failed() != 0 {
				t.Errorf("%+v, %v", r, err)
			}
			p.conns.Wait()
		})
	}
}

// TestInterruptedWhileDialling holds that what was not due yet when a run was
// interrupted is not missed, although a connection takes its time to give up.
func TestInterruptedWhileDialling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Duration = time.Hour
		ctx, cancel := context.WithCancel(t.Context())
		p := newEndpoint(func(g got) []byte {
			if g.at > 4*time.Second {
				return nil
			}
			return []byte(okAnswer)
		})
		time.AfterFunc(5*time.Second, cancel)
		r, err := run(ctx, o, func(ctx context.Context, u *url.URL) (net.Conn, error) {
			if time.Since(p.start) > 4*time.Second {
				wait(time.Minute)
			}
			return p.dial(ctx, u)
		})
		if err != nil || r.Elapsed < time.Minute || r.Due != 50 || r.Behind != 50-r.Total.Count-r.Unfinished || r.Behind < 5 || r.Unsent != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		p.conns.Wait()
	})
}

// TestOwnSignature holds that a header that the user gives is not given twice.
func TestOwnSignature(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "paid=1")
		o.Header = http.Header{strings.ToLower(o.Scheme.Header()): {"mine"}}
		p := newEndpoint(always(okAnswer))
		play(t, o, p)
		for _, g := range p.got {
			if got := g.header[o.Scheme.Header()]; len(got) != 1 || got[0] != "mine" {
				t.Fatalf("%q", got)
			}
		}
	})
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		o.Rate.PerSecond, o.Every = 100, 250*time.Millisecond
		var shots []Snapshot
		o.Progress = func(s Snapshot) { shots = append(shots, s) }
		p := newEndpoint(func(g got) []byte {
			wait(2 * time.Millisecond)
			if g.number%10 == 0 {
				return []byte("HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
			}
			return []byte(okAnswer)
		})
		r := play(t, o, p)
		if n := len(shots); n < 39 || n > 40 {
			t.Fatalf("%d snapshots", n)
		}
		last := shots[38]
		if last.Elapsed != 9750*time.Millisecond || last.Count < 970 || last.Errors < 97 || last.Errors > 98 || last.P99 < 2*time.Millisecond || math.Abs(last.Rate-100) > 5 {
			t.Errorf("%+v", last)
		}
		if len(r.Series) != 10 || r.Series[5].Due != 100 || r.Series[5].Errors != 10 || r.Series[5].P50.Round(100*time.Microsecond) != 2*time.Millisecond {
			t.Errorf("%d points: %+v", len(r.Series), r.Series)
		}
	})
}

func TestOptions(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"clock is missing":        func(o *Options) { o.Now = nil },
		"--rate 0/s":              func(o *Options) { o.Rate = Rate{} },
		"--rate NaN/s":            func(o *Options) { o.Rate.PerSecond = math.NaN() },
		"--duration 0s: ":         func(o *Options) { o.Duration = 0 },
		"--duration 25h":          func(o *Options) { o.Duration = 25 * time.Hour },
		"--ramp 11s":              func(o *Options) { o.Ramp = 11 * time.Second },
		"--timeout -1s":           func(o *Options) { o.Timeout = -time.Second },
		"--connections 0":         func(o *Options) { o.Connections = 0 },
		"--connections 10001":     func(o *Options) { o.Connections = 10_001 },
		"--duplicates 1.5":        func(o *Options) { o.Duplicates = 1.5 },
		"--disorder -1":           func(o *Options) { o.Disorder = -1 },
		"snapshots every 1ms":     func(o *Options) { o.Progress, o.Every = func(Snapshot) {}, time.Millisecond },
		`target "ftp://x"`:        func(o *Options) { o.To = "ftp://x" },
		`header "Content-Length"`: func(o *Options) { o.Header = http.Header{"content-length": {"1"}} },
		`header "X-A"`:            func(o *Options) { o.Header = http.Header{"x-a": {"1\r\nX-B: 2"}} },
		`header "Host"`:           func(o *Options) { o.Header = http.Header{"Host": {"a b"}} },
		`header "User-Agent"`:     func(o *Options) { o.UserAgent = "a\r\nb: c" },
		"secret 1: it starts with whsec_": func(o *Options) {
			o.Scheme, _ = signature.Named("standard-webhooks")
			o.Secrets[0], _ = signature.NewSecret([]byte("whsec_!"))
		},
	} {
		o := options(t, "")
		change(&o)
		if _, err := Run(t.Context(), o); !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestGuard holds that no run leaves the machine's own network by itself.
func TestGuard(t *testing.T) {
	o := options(t, "")
	o.To = "http://192.0.2.1:80"
	var remote *deliver.RemoteError
	if _, err := Run(t.Context(), o); !errors.As(err, &remote) || remote.Host != "192.0.2.1" {
		t.Errorf("%v", err)
	}
}
