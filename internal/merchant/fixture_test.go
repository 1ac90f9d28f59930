package merchant_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func secret(t testing.TB, s string) signature.Secret {
	t.Helper()
	out, err := signature.NewSecret([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// noon is when all happens; nothing in the merchant may look at another clock.
func noon() time.Time { return time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC) }

// world is a merchant and what a gateway knows of it.
type world struct {
	t     testing.TB
	c     *contract.Contract
	r     *contract.Roles
	m     *merchant.Merchant
	base  string // where it is served; "" is not served
	seed  uint64
	wait  func(context.Context, time.Duration) error
	mu    sync.Mutex
	waits []time.Duration
}

const shared, older = "the shared secret", "the one before"

func newWorld(t testing.TB, bug string, change ...func(*merchant.Options)) *world {
	t.Helper()
	w := &world{t: t, seed: 7}
	o := merchant.Options{
		Secrets: []signature.Secret{secret(t, shared), secret(t, older)}, Bug: bug, Now: noon,
		Wait: func(ctx context.Context, d time.Duration) error {
			if w.wait != nil {
				return w.wait(ctx, d)
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			w.waits = append(w.waits, d)
			return ctx.Err()
		},
	}
	for _, f := range change {
		f(&o)
	}
	if o.Contract == nil {
		o.Contract = pack(t)
	}
	w.c, w.r = o.Contract, o.Contract.Roles
	m, err := merchant.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.m = m
	return w
}

// serve puts the merchant on a port of its own.
func (w *world) serve() *world {
	w.t.Helper()
	l, err := (&net.ListenConfig{}).Listen(w.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	done := make(chan error, 1)
	go func() { done <- w.m.Serve(ctx, l) }()
	w.t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			w.t.Error(err)
		}
	})
	w.base = l.Addr().String()
	return w
}

// edit changes a payload.
type edit func(*jsondoc.Value)

// set writes a member; the path is dotted.
func set(path string, v any) edit {
	return func(doc *jsondoc.Value) { _ = doc.Add(strings.Split(path, "."), value(v)) }
}

func drop(path string) edit {
	return func(doc *jsondoc.Value) { _ = doc.Remove(strings.Split(path, ".")) }
}

func value(v any) jsondoc.Value {
	switch v := v.(type) {
	case string:
		return jsondoc.StringValue(v)
	case jsondoc.Value:
		return v
	case nil:
		return jsondoc.NullValue()
	}
	panic("no such value")
}

func number(literal string) jsondoc.Value {
	v, err := jsondoc.NumberValue(literal)
	if err != nil {
		panic(err)
	}
	return v
}

// doc is the event of a state of payment n, from the state called from.
func (w *world) doc(n uint64, st *contract.State, from *contract.State, edits ...edit) jsondoc.Value {
	w.t.Helper()
	at := map[*contract.State]time.Duration{}
	for _, s := range w.c.States() {
		at[s] = 0
	}
	toward := w.c.Flow
	if st == w.r.Failed || st == w.r.Dropped {
		toward = []*contract.State{st}
	}
	p := payment.New(w.c, payment.Options{Seed: w.seed, Index: n, Start: noon(), Moments: at, Toward: toward})
	doc, err := generate.Payload(w.c, p, st, generate.Options{Previous: from, Force: true})
	if err != nil {
		w.t.Fatal(err)
	}
	doc = doc.Clone()
	for _, f := range edits {
		f(&doc)
	}
	return doc
}

func (w *world) body(n uint64, st *contract.State, edits ...edit) []byte {
	w.t.Helper()
	return w.doc(n, st, nil, edits...).AppendLiteral(nil)
}

func sign(body []byte, with string) string {
	mac := hmac.New(sha256.New, []byte(with))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// request is a signed delivery, to be changed.
func (w *world) request(path string, body []byte, changes ...func(*http.Request)) *http.Request {
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Signature", sign(body, shared))
	for _, f := range changes {
		f(r)
	}
	return r
}

func header(name, v string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		if v != "" {
			r.Header.Set(name, v)
		}
	}
}

func (w *world) do(r *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	w.m.ServeHTTP(rec, r)
	return rec
}

// post delivers bytes at the path of a state.
func (w *world) post(st *contract.State, body []byte, changes ...func(*http.Request)) *httptest.ResponseRecorder {
	return w.do(w.request(st.Path, body, changes...))
}

// send delivers an event and returns the answer's status.
func (w *world) send(n uint64, st *contract.State, edits ...edit) int {
	w.t.Helper()
	return w.post(st, w.body(n, st, edits...)).Code
}

// from delivers an event of payment 1 that says which state was left.
func (w *world) from(st, from *contract.State, edits ...edit) int {
	w.t.Helper()
	return w.post(st, w.doc(1, st, from, edits...).AppendLiteral(nil)).Code
}

// id is the id of payment n, price what it costs, received what came in a wrong
// amount.
func (w *world) id(n uint64) string { return w.text(n, w.r.Paid, "data.invoiceId") }

func (w *world) price(n uint64) string { return w.amount(n, w.r.Paid, "data.cryptoAmount") }

func (w *world) received(n uint64) string {
	return w.amount(n, w.r.Failed, "data.transaction.receivedAmount")
}

func (w *world) amount(n uint64, st *contract.State, path string) string {
	a, ok := payment.ParseAmount(w.text(n, st, path))
	if !ok {
		w.t.Fatal("no amount at", path)
	}
	return a.String()
}

func (w *world) text(n uint64, st *contract.State, path string) string {
	w.t.Helper()
	doc := w.doc(n, st, nil)
	return doc.At(strings.Split(path, ".")).Text
}

// effect is what the probe shows.
type effect struct{ State, Credited, Refunded, Deliveries, Balance string }

func (w *world) probe(id string) (effect, int) {
	w.t.Helper()
	rec := w.do(httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/orders/"+url.PathEscape(id), http.NoBody))
	doc, err := jsondoc.Parse(rec.Body.Bytes())
	if err != nil {
		w.t.Fatal(err)
	}
	var e effect
	for name, to := range map[string]*string{
		"state": &e.State, "credited": &e.Credited, "refunded": &e.Refunded, "deliveries": &e.Deliveries, "balance": &e.Balance,
	} {
		if v := doc.Member(name); v != nil {
			*to = v.Text
		}
	}
	return e, rec.Code
}

// of is the effect of payment n.
func (w *world) of(n uint64) effect {
	w.t.Helper()
	e, _ := w.probe(w.id(n))
	return e
}

// paid is the effect of a payment that was credited once.
func (w *world) paid(n uint64) effect {
	return effect{"Complete", w.price(n), "0", "1", w.price(n)}
}

func nothing(state string) effect { return effect{state, "0", "0", "0", "0"} }
