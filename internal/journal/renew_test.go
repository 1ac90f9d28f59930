package journal_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// life is what is delivered of a paid payment.
func life(t testing.TB, c *contract.Contract, seed uint64) [][]byte {
	t.Helper()
	p := payment.New(c, payment.Options{Seed: seed, Start: c.Epoch, Toward: []*contract.State{c.Flow[len(c.Flow)-1]}})
	var out [][]byte
	for _, st := range c.Flow {
		out = append(out, payloadOf(t, c, p, st))
	}
	return out
}

func member(t testing.TB, raw []byte, pointer ...string) string {
	t.Helper()
	doc, err := jsondoc.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	v := doc.At(pointer)
	if v == nil {
		t.Fatalf("there is no %v in %s", pointer, raw)
	}
	return v.Text
}

// TestRenewedPaymentIsAnother: to a receiver that has seen a payment, its renewal is
// a new one, legal and whole; its facts that identify nobody stay.
func TestRenewedPaymentIsAnother(t *testing.T) {
	c := builtin(t)
	rapid.Check(t, func(r *rapid.T) {
		seed := rapid.Uint64().Draw(r, "payment")
		n := journal.Renewal{IDs: true, Seed: rapid.SliceOf(rapid.Byte()).Draw(r, "seed"), Shift: time.Duration(rapid.Int64Range(-1e6, 1e9).Draw(r, "shift")) * time.Millisecond}
		k := verify.NewChecker(c, verify.Strict{Order: true, Duplicates: true, UnknownFields: true, UnknownValues: true, Gaps: true})
		for _, raw := range life(t, c, seed) {
			k.Check(raw, "")
		}
		for i, raw := range life(t, c, seed) {
			fresh := n.Renew(c, raw)
			if v := k.Check(fresh, c.Flow[i].Path); !v.OK() || len(v.Findings) > 0 {
				r.Fatalf("%s\n%+v", fresh, v.Findings)
			}
			if !bytes.Equal(fresh, n.Renew(c, raw)) {
				r.Fatal("renewed twice, it is two")
			}
			if got := moment(t, fresh).Sub(moment(t, raw)); got != n.Shift {
				r.Fatalf("%s moved by %s, not %s", fresh, got, n.Shift)
			}
			if a, b := member(t, raw, "data", "customerId"), member(t, fresh, "data", "customerId"); a != b {
				r.Fatalf("the customer %s became %s", a, b)
			}
		}
	})
}

func moment(t testing.TB, raw []byte) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, member(t, raw, "timestamp"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestRenewalKeepsPaymentsApart: equal identifiers become equal ones, different ones
// different ones, another seed makes others.
func TestRenewalKeepsPaymentsApart(t *testing.T) {
	c := builtin(t)
	one, two := journal.Renewal{IDs: true, Seed: []byte("1")}, journal.Renewal{IDs: true, Seed: []byte("2")}
	seen := map[string]string{}
	for seed := range uint64(50) {
		for _, raw := range life(t, c, seed) {
			old := member(t, raw, "data", "invoiceId")
			for _, n := range []journal.Renewal{one, two} {
				fresh := member(t, n.Renew(c, raw), "data", "invoiceId")
				if before, known := seen[fresh]; known && before != old+string(n.Seed) || fresh == old {
					t.Fatalf("%s became %s, as did %s", old, fresh, before)
				}
				seen[fresh] = old + string(n.Seed)
			}
		}
	}
	first := life(t, c, 7)[0]
	if a, b := member(t, first, "data", "detail"), member(t, one.Renew(c, first), "data", "detail"); a == b || len(a) != len(b) {
		t.Errorf("the hash %s became %s", a, b)
	}
	if len(seen) != 100 {
		t.Errorf("%d identifiers of 50 payments, renewed twice", len(seen))
	}
}

// TestRenewalLeaves what it does not understand, and what it is not to change, byte
// for byte.
func TestRenewalLeaves(t *testing.T) {
	c := builtin(t)
	raw := life(t, c, 7)[1]
	spaced := bytes.ReplaceAll(raw, []byte(`":`), []byte(`" : `))
	both := journal.Renewal{IDs: true, Seed: []byte("1"), Shift: time.Hour}
	for _, x := range []struct {
		n   journal.Renewal
		raw []byte
	}{
		{journal.Renewal{Seed: []byte("1")}, spaced},
		{both, nil},
		{both, []byte("{")},
		{both, []byte(`{"event":"invoice.deleted","data":{"invoiceId":"x"}}`)},
		{both, []byte(`[1, 2]`)},
	} {
		if got := x.n.Renew(c, x.raw); !bytes.Equal(got, x.raw) {
			t.Errorf("%s became %s", x.raw, got)
		}
	}
	times := journal.Renewal{Shift: time.Hour}.Renew(c, raw)
	if a, b := member(t, raw, "data", "invoiceId"), member(t, times, "data", "invoiceId"); a != b || bytes.Equal(raw, times) {
		t.Errorf("%s\n%s", raw, times)
	}
	ids := journal.Renewal{IDs: true, Seed: []byte("1")}.Renew(c, raw)
	if !moment(t, ids).Equal(moment(t, raw)) || bytes.Equal(raw, ids) {
		t.Errorf("%s\n%s", raw, ids)
	}
	odd := bytes.Replace(raw, []byte(member(t, raw, "timestamp")), []byte("yesterday"), 1)
	odd = bytes.Replace(odd, []byte(`"`+member(t, raw, "data", "invoiceId")+`"`), []byte("7"), 1)
	if got := both.Renew(c, odd); !strings.Contains(string(got), `"timestamp":"yesterday"`) || !strings.Contains(string(got), `"invoiceId":7`) {
		t.Errorf("%s", got)
	}
}

// TestMoment is when the event of a payload happened.
func TestMoment(t *testing.T) {
	c := builtin(t)
	for _, raw := range life(t, c, 7) {
		if at, ok := journal.Moment(c, raw); !ok || !at.Equal(moment(t, raw)) {
			t.Errorf("%s happened at %s, %v", raw, at, ok)
		}
	}
	last := life(t, c, 7)[3]
	early := bytes.Replace(last, []byte(`"timestamp":"2025-`), []byte(`"timestamp":"2024-`), 1)
	if at, ok := journal.Moment(c, early); !ok || !at.Equal(moment(t, last)) {
		t.Errorf("%s happened at %s", early, at)
	}
	for _, raw := range []string{"", "{", `{"event":"invoice.updated","timestamp":"2025-09-05T10:45:00.000Z"}`, strings.ReplaceAll(string(life(t, c, 7)[1]), "2025-", "MMXXV-")} {
		if at, ok := journal.Moment(c, []byte(raw)); ok {
			t.Errorf("%s happened at %s", raw, at)
		}
	}
}
