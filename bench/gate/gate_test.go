// Package gate fails when the validator or the listener has become much slower than
// the standard library in the same run. Its margins are generous: it looks for
// mistakes, not for percents.
package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

const (
	rounds      = 7    // of which each side's best counts: a busy machine spoils some
	maxRounds   = 28   // when it spoils more
	maxAccept   = 0.6  // of the time of json.Valid
	minListener = 0.7  // of the throughput of a bare handler
	accepts     = 2000 // of each state's payload, in a round
	deliveries  = 2000 // in a round
)

// TestAccept holds the accepting path of the validator against json.Valid.
func TestAccept(t *testing.T) {
	c := load(t)
	var mine, theirs []func() bool
	for _, st := range c.States() {
		if st.Schema() == nil || st.IsInitial() {
			continue
		}
		raw := body(t, c, st, 1)
		captures := make([]jsondoc.Pointer, 0, len(st.Fields()))
		for _, f := range st.Fields() {
			captures = append(captures, f.Pointer)
		}
		acceptor, ok := st.Schema().Acceptor(captures, []schema.Fixed{{Pointer: c.Envelope.State, Text: st.Wire}})
		if !ok {
			t.Fatalf("%s has no acceptor", st)
		}
		slots := make([]schema.Slot, len(captures))
		mine = append(mine, func() bool { return acceptor.Accept(raw, slots) })
		theirs = append(theirs, func() bool { return json.Valid(raw) })
	}
	got := 1 / ratio(1/maxAccept, func() (peer, ours float64) { return took(t, theirs), took(t, mine) })
	t.Logf("validator: %.2f of the time of json.Valid, at most %.2f is wanted", got, maxAccept)
	if got > maxAccept {
		t.Errorf("the validator takes %.2f of the time of json.Valid, and may take %.2f", got, maxAccept)
	}
}

// TestListener holds the listener, with all that it checks, against a handler that
// reads the body and answers, both over the loopback.
func TestListener(t *testing.T) {
	c := load(t)
	secret, err := signature.NewSecret([]byte("a secret of the gate"))
	if err != nil {
		t.Fatal(err)
	}
	scheme := signature.HMACHeader(c.Signature.Header, "", signature.Hex)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	}))
	defer bare.Close()
	listener := serve(t, listen.New(listen.Options{
		Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: time.Now, OnDelivery: func(*listen.Delivery) {}, Lend: true,
		Secrets: []signature.Secret{secret}, Scheme: scheme,
	}))
	next := uint64(0)
	got := ratio(minListener, func() (peer, ours float64) {
		var events []delivery
		for ; len(events) < deliveries; next++ {
			for _, st := range c.Flow {
				raw := body(t, c, st, next)
				h, err := scheme.Sign([]signature.Secret{secret}, signature.Message{Body: raw})
				if err != nil {
					t.Fatal(err)
				}
				h.Set("Content-Type", "application/json")
				events = append(events, delivery{st.Path, h, raw})
			}
		}
		return deliver(t, bare.URL, events), deliver(t, listener, events)
	})
	t.Logf("listener: %.2f of the throughput of a bare handler, at least %.2f is wanted", got, minListener)
	if got < minListener {
		t.Errorf("the listener has %.2f of the throughput of a bare handler, and must have %.2f", got, minListener)
	}
}

func load(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func body(t *testing.T, c *contract.Contract, st *contract.State, index uint64) []byte {
	t.Helper()
	p := payment.New(c, payment.Options{Seed: 5, Index: index, Start: c.Epoch, Toward: c.Flow})
	doc, err := generate.Payload(c, p, st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc.AppendCanonical(nil)
}

// ratio returns how many times as long the peer takes as we do, by the shortest times
// over all rounds. There are more of them while that is less than is wanted, since what
// else the machine does can only make either slower.
func ratio(wanted float64, round func() (peer, ours float64)) float64 {
	peer, ours := round()
	for n := 1; n < rounds || n < maxRounds && peer/ours < wanted; n++ {
		a, b := round()
		peer, ours = min(peer, a), min(ours, b)
	}
	return peer / ours
}

// took is how many seconds the functions take, which must all say yes.
func took(t *testing.T, all []func() bool) float64 {
	t.Helper()
	start := time.Now()
	for range accepts {
		for _, f := range all {
			if !f() {
				t.Fatal("a payload is refused")
			}
		}
	}
	return time.Since(start).Seconds()
}

type delivery struct {
	path   string
	header http.Header
	body   []byte
}

// serve listens as the program does, until the test ends, and returns the URL.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	listeners, err := listen.Open(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- listen.Serve(ctx, listeners, h, func() {}) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + listeners[0].Addr().String()
}

// deliver is how many seconds the deliveries take, which must all be answered 200.
func deliver(t *testing.T, url string, all []delivery) float64 {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	start := time.Now()
	for _, d := range all {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+d.path, bytes.NewReader(d.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = d.header
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		said, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v\n%s", answer.Status, err, said)
		}
	}
	return time.Since(start).Seconds()
}
