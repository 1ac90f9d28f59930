package conform_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) (*contract.Contract, *conform.Catalog) {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := conform.Load(c, payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c, catalog
}

func secret(t testing.TB, text string) signature.Secret {
	t.Helper()
	s, err := signature.NewSecret([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// endpoint is where deliveries go.
type endpoint struct {
	target string
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// serve keeps an endpoint up in memory for as long as the test runs.
func serve(t testing.TB, server func(context.Context, net.Listener) error) endpoint {
	t.Helper()
	l := newMemory()
	return endpoint{keepUp(t, l, server), l.Dial}
}

// serveTCP keeps an endpoint up on a port of this machine.
func serveTCP(t testing.TB, server func(context.Context, net.Listener) error) endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is there at once
	if err != nil {
		t.Fatal(err)
	}
	return endpoint{target: keepUp(t, l, server)}
}

func keepUp(t testing.TB, l net.Listener, server func(context.Context, net.Listener) error) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background()) //nolint:usetesting // it must outlive the test's own, to be waited for
	ended := make(chan error, 1)
	go func() { ended <- server(ctx, l) }()
	t.Cleanup(func() {
		stop()
		<-ended //nolint:errcheck // it is stopped
	})
	return "http://" + l.Addr().String()
}

// subject is what the cases are tried on.
type subject struct {
	endpoint
	timeout time.Duration
	probe   bool
	change  func(*conform.Options)
}

// options attack the endpoint of target with all cases named, or with every
// case.
func options(t testing.TB, s subject, ids ...string) conform.Options {
	t.Helper()
	c, catalog := pack(t)
	cases, err := catalog.Select(conform.Selection{Profile: conform.Hostile, Cases: ids})
	if err != nil {
		t.Fatal(err)
	}
	if s.timeout == 0 {
		s.timeout = c.Delivery.Timeout
	}
	client, err := deliver.New(deliver.Options{Timeout: s.timeout, Now: time.Now, Dial: s.dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	mapping, err := conform.ParseMapping("")
	if err != nil {
		t.Fatal(err)
	}
	o := conform.Options{
		Contract: c, Catalog: catalog, Cases: cases, Profile: conform.Hostile, Target: "the target",
		URL:    func(path string) (*url.URL, error) { return deliver.ResolveURL(s.target, path) },
		Client: client, Timeout: s.timeout, Scheme: signature.HMACHeader(c.Signature.Header, "", signature.Hex),
		Secrets: []signature.Secret{secret(t, "current"), secret(t, "previous")}, Retired: []signature.Secret{secret(t, "retired")},
		Serves:  func(*contract.State) bool { return true },
		Mapping: mapping, Settle: time.Second, Soak: 2 * time.Second, Budget: time.Minute, Patience: 200 * time.Millisecond, Limit: 10 * time.Minute,
		Seed: 1, Salt: uint64(time.Now().UnixNano()), Now: time.Now, Wait: deliver.Sleep, Reproduce: "paytest conform --case %s",
	}
	if s.probe {
		o.Probe = httpProbe(client, s.target)
	}
	if s.change != nil {
		s.change(&o)
	}
	return o
}

func httpProbe(client *deliver.Client, target string) conform.Probe {
	return func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
		u, err := url.Parse(target + "/orders/" + url.PathEscape(facts["invoiceId"]))
		if err != nil {
			return nil, false, err
		}
		r := client.Get(ctx, u, http.Header{})
		return r.Body, r.Status == http.StatusOK, r.Err
	}
}

func run(t testing.TB, o conform.Options) *conform.Report {
	t.Helper()
	r, err := conform.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// model starts the model merchant with a bug, "" for none.
func model(t testing.TB, bug string) subject {
	t.Helper()
	return modelWith(t, bug, func(*merchant.Options) {})
}

// modelWith is model for a merchant that works in another way.
func modelWith(t testing.TB, bug string, change func(*merchant.Options)) subject {
	t.Helper()
	m := newModel(t, bug, change)
	return subject{endpoint: serve(t, m.Serve), probe: true, change: hooks(m)}
}

func newModel(t testing.TB, bug string, change func(*merchant.Options)) *merchant.Merchant {
	t.Helper()
	c, _ := pack(t)
	o := merchant.Options{
		Contract: c, Secrets: []signature.Secret{secret(t, "current"), secret(t, "previous")}, Bug: bug,
		Now: time.Now, Wait: deliver.Sleep,
	}
	change(&o)
	m, err := merchant.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// hooks let a run restart a merchant, and make it fail half-way.
func hooks(m *merchant.Merchant) func(*conform.Options) {
	return func(o *conform.Options) {
		o.Restart = func(context.Context) error { m.Restart(); return nil }
		o.Break = func(context.Context) error { m.FailNext(); return nil }
	}
}

// modelBehind is the model with something that stands before it, and another
// change of the options after its own.
func modelBehind(t testing.TB, front func(http.Handler) http.HandlerFunc, change func(*conform.Options)) subject {
	t.Helper()
	m := newModel(t, "", func(*merchant.Options) {})
	return subject{endpoint: serve(t, httpServer(front(m))), probe: true, change: func(o *conform.Options) {
		hooks(m)(o)
		change(o)
	}}
}

// against runs cases on the model merchant with a bug, "" for none.
func against(t testing.TB, bug string, ids ...string) *conform.Report {
	t.Helper()
	return run(t, options(t, model(t, bug), ids...))
}

// quick leaves out the cases that take long.
func quick(o *conform.Options) {
	o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool { return spec.ID == "I10" || spec.ID == "R08" })
}

// statuses returns how each case ended.
func statuses(r *conform.Report) map[string]conform.Status {
	out := map[string]conform.Status{}
	for _, res := range r.Results {
		out[res.Case.ID] = res.Status
	}
	return out
}
