package conform_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/payloads"
)

func TestEveryFaultIsACase(t *testing.T) {
	t.Parallel()
	_, catalog := pack(t)
	counts := map[string]int{}
	for _, spec := range catalog.Cases {
		counts[spec.Category]++
	}
	want := map[string]int{
		"delivery": 7, "ordering": 13, "idempotency": 12, "protocol": 19, "schema": 18, "text": 6, "security": 18, "money": 13, "resilience": 8,
	}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error(diff)
	}
}

func TestSelection(t *testing.T) {
	t.Parallel()
	_, catalog := pack(t)
	for name, tt := range map[string]struct {
		s    conform.Selection
		want string
		err  string
	}{
		"one case whatever the profile":   {conform.Selection{Profile: conform.Core, Cases: []string{"x15"}}, "X15", ""},
		"a category without one":          {conform.Selection{Profile: conform.Hostile, Only: []string{"delivery"}, Skip: []string{"d02", "D06"}}, "D01 D03 D04 D05 D07", ""},
		"only a case of a larger profile": {conform.Selection{Profile: conform.Core, Only: []string{"I10"}}, "I10", ""},
		"no such case":                    {conform.Selection{Profile: conform.Core, Cases: []string{"I99"}}, "", `there is no case "I99"`},
		"no such word":                    {conform.Selection{Profile: conform.Core, Only: []string{"mony"}}, "", `did you mean`},
	} {
		cases, err := catalog.Select(tt.s)
		if tt.err != "" {
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		var ids []string
		for _, spec := range cases {
			ids = append(ids, spec.ID)
		}
		if got := strings.Join(ids, " "); got != tt.want || err != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	core, _ := catalog.Select(conform.Selection{Profile: conform.Core})
	full, _ := catalog.Select(conform.Selection{Profile: conform.Full})
	hostile, _ := catalog.Select(conform.Selection{Profile: conform.Hostile})
	if len(core) == 0 || len(core) >= len(full) || len(full) >= len(hostile) || len(hostile) != len(catalog.Cases) {
		t.Errorf("the profiles have %d, %d and %d cases", len(core), len(full), len(hostile))
	}
}

func TestCatalogIsRefused(t *testing.T) {
	t.Parallel()
	c, _ := pack(t)
	text := `{"category": "money", "meaning": "m", "cases": [{"id": "M01", "severity": "high", "profile": "core", "sent": "s", "holds": "h", "source": "o", "needs": ["paid"], "costs": "c", "fix": "f"}]}`
	for name, change := range map[string][2]string{
		"an unknown field":   {`"meaning"`, `"means"`},
		"an unknown case":    {`M01`, `M77`},
		"an unknown role":    {`["paid"]`, `["pade"]`},
		"a wrong severity":   {`"high"`, `"grave"`},
		"a wrong profile":    {`"core"`, `"care"`},
		"no fix":             {`"f"}`, `""}`},
		"another category":   {`"money"`, `"text"`},
		"the same one twice": {`"f"}`, `"f"}, {"id": "M01", "severity": "high", "profile": "core", "sent": "s", "holds": "h", "source": "o", "needs": [], "costs": "c", "fix": "f"}`},
	} {
		if _, err := conform.Load(c, fstest.MapFS{"conform/money.json": {Data: []byte(strings.Replace(text, change[0], change[1], 1))}}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := conform.Load(c, fstest.MapFS{"conform/money.json": {Data: []byte(text)}}); err != nil {
		t.Error(err)
	}
	if _, err := conform.Load(c, fstest.MapFS{}); err == nil {
		t.Error("a pack without cases is taken")
	}
	if _, err := conform.Load(&contract.Contract{}, payloads.FS); err == nil {
		t.Error("a contract without roles is taken")
	}
}

// hangUp serves connections with f, one after the other in goroutines of their
// own, until ctx ends.
func hangUp(f func(ctx context.Context, c net.Conn)) func(context.Context, net.Listener) error {
	return func(ctx context.Context, l net.Listener) error {
		stop := context.AfterFunc(ctx, func() { _ = l.Close() })
		defer stop()
		for {
			c, err := l.Accept()
			if err != nil {
				return err
			}
			go func() {
				defer func() { _ = c.Close() }()
				end := context.AfterFunc(ctx, func() { _ = c.Close() })
				defer end()
				f(ctx, c)
			}()
		}
	}
}

// TestBadServers shows that a run ends whatever the endpoint does, and that
// nothing passes that was not seen to hold.
func TestBadServers(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	servers := map[string]func(context.Context, net.Conn){
		"never answers": func(_ context.Context, c net.Conn) { _, _ = io.Copy(io.Discard, c) },
		"resets": func(_ context.Context, c net.Conn) {
			_, _ = c.Read(make([]byte, 1))    // else connecting may fail, which is another matter
			_ = c.(*net.TCPConn).SetLinger(0) //nolint:errcheck // it is one
		},
		"garbage": func(_ context.Context, c net.Conn) {
			_, _ = c.Write(bytes.Repeat([]byte("\x00\xff garbage \r\n"), 1000))
		},
		"a tarpit": func(ctx context.Context, c net.Conn) {
			for i := 0; deliver.Sleep(ctx, 20*time.Millisecond) == nil; i++ {
				if _, err := c.Write([]byte{(head + strings.Repeat("x", 1<<20))[i%(1<<20)]}); err != nil {
					return
				}
			}
		},
		"an endless header": func(_ context.Context, c net.Conn) {
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n"))
			for err := error(nil); err == nil; {
				_, err = c.Write([]byte("X-More: " + strings.Repeat("x", 1000) + "\r\n"))
			}
		},
	}
	for name, server := range servers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := subject{endpoint: serveTCP(t, hangUp(server)), timeout: 200 * time.Millisecond, probe: true}
			r := run(t, options(t, s))
			if r.Problem == "" || r.Count("", conform.NotRun) != len(r.Results) {
				t.Errorf("problem %q; %d of %d not run", r.Problem, r.Count("", conform.NotRun), len(r.Results))
			}
		})
	}
}

// TestLongAnswers shows that what an endpoint answers cannot keep a run busy.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		server := hangUp(func(_ context.Context, c net.Conn) {
			buf := make([]byte, 64<<10)
			if _, err := c.Read(buf); err != nil {
				return
			}
			_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
			for range 1 << 30 / len(buf) {
				if _, err := c.Write(buf); err != nil {
					return
				}
			}
		})
		r := run(t, options(t, subject{endpoint: serve(t, server)}, "D01", "D05", "S01", "P12", "X01"))
		if got := statuses(r); got["D01"] != conform.Unproven || got["S01"] != conform.Failed || got["X01"] != conform.Failed {
			t.Errorf("%v", got)
		}
	})
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is there at once
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	_, err = conform.Run(t.Context(), options(t, subject{endpoint: endpoint{target: "http://" + l.Addr().String()}}))
	var f *deliver.Failure
	if !errors.As(err, &f) || f.Outcome != deliver.Unreachable {
		t.Errorf("%v", err)
	}
}

// TestRefusingEndpoint shows that an endpoint that refuses everything passes
// nothing.
func TestRefusingEndpoint(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		for _, status := range []int{400, 401, 404, 500} {
			s := subject{endpoint: serve(t, httpServer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) })), probe: true}
			if r := run(t, options(t, s)); r.Problem == "" || r.Count("", conform.Passed) != 0 {
				t.Errorf("%d: problem %q, %d passed", status, r.Problem, r.Count("", conform.Passed))
			}
		}
	})
}

type lifetimeKey struct{}

// lifetime is the context of the server that a request came to.
func lifetime(r *http.Request) context.Context {
	ctx, _ := r.Context().Value(lifetimeKey{}).(context.Context)
	return ctx
}

func httpServer(h http.HandlerFunc) func(context.Context, net.Listener) error {
	return func(ctx context.Context, l net.Listener) error {
		s := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute, BaseContext: func(net.Listener) context.Context {
			return context.WithValue(ctx, lifetimeKey{}, ctx)
		}}
		stop := context.AfterFunc(ctx, func() { _ = s.Close() })
		defer stop()
		return s.Serve(l)
	}
}

// TestBrokenProbe shows that a probe that does not work ends the run with an
// error, and is not taken for an endpoint that has no effects.
func TestBrokenProbe(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		for name, answer := range map[string]string{
			"no JSON": "<html>", "nothing that is mapped": `{"balance_total": "1"}`, "no decimal": `{"credited": "1e5"}`, "an array": `[]`,
		} {
			s := model(t, "")
			o := options(t, s, "D01")
			o.Probe = func(context.Context, map[string]string) ([]byte, bool, error) { return []byte(answer), true, nil }
			if _, err := conform.Run(t.Context(), o); !errors.Is(err, conform.ErrProbe) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// TestSilentProbe shows that a probe that never shows a credit proves nothing.
func TestSilentProbe(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, model(t, ""), "O07", "M02", "I01", "D02")
		o.Settle = 50 * time.Millisecond
		o.Probe = func(context.Context, map[string]string) ([]byte, bool, error) {
			return []byte(`{"credited": "0", "refunded": "0", "deliveries": "0"}`), true, nil
		}
		got := statuses(run(t, o))
		if got["O07"] != conform.Unproven || got["D02"] != conform.Failed || got["I01"] != conform.Failed {
			t.Errorf("%v", got)
		}
	})
}

// TestInterrupted shows that a run that is interrupted says what it found so far.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, model(t, ""), "D01", "D02", "I01")
		ctx, stop := context.WithCancel(t.Context())
		o.OnResult = func(conform.Result) { stop() }
		r, err := conform.Run(ctx, o)
		if !errors.Is(err, context.Canceled) || r == nil {
			t.Fatalf("%v, %v", r, err)
		}
		if got := statuses(r); got["D01"] != conform.Passed || got["D02"] != conform.NotRun || got["I01"] != conform.NotRun {
			t.Errorf("%v", got)
		}
	})
}

// TestTimeIsBounded shows that a case ends when its time is over, and that no
// other one is begun when that of all is.
func TestTimeIsBounded(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		slow := behind(t, changes(func(r *http.Request) { _ = deliver.Sleep(r.Context(), time.Millisecond) }))
		o := options(t, slow, "I10")
		o.Budget = 30 * time.Millisecond
		if got := statuses(run(t, o)); got["I10"] != conform.Unproven {
			t.Errorf("%v", got)
		}
		o = options(t, slow, "D01", "D02")
		o.Limit = 1
		if got := statuses(run(t, o)); got["D01"] != conform.NotRun || got["D02"] != conform.NotRun {
			t.Errorf("%v", got)
		}
	})
}

// TestEventsServed shows that cases whose events an endpoint does not serve are
// not run, and that the others do without them.
func TestEventsServed(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, model(t, ""))
		o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool { return spec.Profile != conform.Core })
		o.Serves = func(st *contract.State) bool { return st.Event == "invoice.updated" }
		sent := 0
		r := run(t, o)
		for _, res := range r.Results {
			sent += res.Sent
			for _, x := range res.Exchanges {
				if strings.HasPrefix(x.Sent, "transaction/") {
					t.Errorf("%s sent %s", res.Case.ID, x.Sent)
				}
			}
			if res.Status == conform.Failed || res.Status == conform.Unproven {
				t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
			}
		}
		if sent == 0 || r.Count("", conform.NotRun) == 0 {
			t.Errorf("%d deliveries, %d cases not run", sent, r.Count("", conform.NotRun))
		}
	})
}

func reportOptions() cmp.Options {
	return cmp.Options{
		cmpopts.IgnoreFields(conform.Report{}, "Started", "Duration"), cmpopts.IgnoreFields(conform.Result{}, "Duration", "Sent"),
		cmpopts.IgnoreFields(conform.Exchange{}, "Latency"),
	}
}

// TestSameSeedSameReport shows that two runs of one seed say the same, but for
// times, about a merchant that fails some cases.
func TestSameSeedSameReport(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		for _, bug := range []string{"", "double-credit"} {
			quick := func() *conform.Report {
				o := options(t, model(t, bug))
				o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool { return spec.Profile != conform.Core })
				return run(t, o)
			}
			if diff := cmp.Diff(quick(), quick(), reportOptions()); diff != "" {
				t.Errorf("%q: %s", bug, diff)
			}
		}
	})
}

// TestCaseAloneReproduces shows that a case says the same alone as after all
// others.
func TestCaseAloneReproduces(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, model(t, "float-money"))
		o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool { return spec.Category != "money" })
		all := run(t, o)
		if all.Count("", conform.Failed) == 0 {
			t.Fatal("nothing failed")
		}
		for _, res := range all.Results {
			alone := against(t, "float-money", res.Case.ID)
			if diff := cmp.Diff(res, alone.Results[0], reportOptions()); diff != "" {
				t.Errorf("%s: %s", res.Case.ID, diff)
			}
		}
	})
}

func TestBaseline(t *testing.T) {
	t.Parallel()
	_, catalog := pack(t)
	result := func(id string, s conform.Status) conform.Result {
		spec, err := catalog.Find(id)
		if err != nil {
			t.Fatal(err)
		}
		return conform.Result{Case: spec, Status: s}
	}
	r := &conform.Report{Results: []conform.Result{result("D01", conform.Failed), result("D02", conform.Passed), result("M06", conform.Failed), result("O05", conform.Unproven)}}
	r.Compare(map[string]bool{"D01": true, "D02": true, "O05": true})
	if f := r.Failures(conform.Low); len(f) != 1 || f[0].Case.ID != "M06" || !slices.Equal(r.Mended, []string{"D02"}) {
		t.Errorf("failures %v, mended %v", f, r.Mended)
	}
	if f := r.Failures(conform.Critical); len(f) != 0 {
		t.Errorf("critical: %v", f)
	}
	if passed, of := r.Score(); passed != 1 || of != 4 {
		t.Errorf("score %d of %d", passed, of)
	}
}

func TestMapping(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"credited", "credit=x", "state=", "=x", "credited=a..b"} {
		if _, err := conform.ParseMapping(s); err == nil {
			t.Errorf("%q is taken", s)
		}
	}
	if _, err := conform.ParseMapping("state=.status, credited=balance.total,refunded=/a/0"); err != nil {
		t.Error(err)
	}
}
