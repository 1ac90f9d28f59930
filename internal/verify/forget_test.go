package verify

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

func records(k *Checker) []record {
	var out []record
	for i := range k.shards {
		for slot := range k.shards[i].count {
			out = append(out, k.shards[i].load(slot))
		}
	}
	return out
}

// indexed counts the records that are found by their hashes.
func indexed(k *Checker) int {
	n := 0
	for _, r := range records(k) {
		if at := &k.shards[k.shardOf(r.hash)]; at.find(r.hash) != noSlot {
			n++
		}
	}
	return n
}

// TestForgetting delivers more payments than are remembered, one event of each
// in turn, so that a payment's earlier events are always forgotten.
func TestForgetting(t *testing.T) {
	const limit, payments = 6, 20
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	k := newChecker(c, Strict{}, limit, MaxKept)
	for _, name := range []string{"transaction/created", "invoice/pending", "transaction/complete", "invoice/complete", "invoice/pending"} {
		subject, state, _ := strings.Cut(name, "/")
		st := c.Subject(subject).State(state)
		for i := range uint64(payments) {
			p := payment.New(c, payment.Options{Index: i, Start: c.Epoch})
			doc, err := generate.Payload(c, p, st, generate.Options{})
			if err != nil {
				t.Fatal(err)
			}
			v := k.Check(doc.AppendCanonical(nil), "")
			if !v.OK() || v.Has(Gap) || v.Duplicate {
				t.Errorf("%s of payment %d: %+v", name, i, v.Findings)
			}
			if found := indexed(k); k.shards[0].count > limit || found != k.shards[0].count {
				t.Fatalf("%d subjects are remembered, %d can be found, not %d", k.shards[0].count, found, limit)
			}
		}
	}
	if s := k.Summary(); s.Subjects != limit || s.Forgotten != 5*payments*2-limit || s.GapCount != 0 {
		t.Errorf("%+v", s)
	}
}

// TestClaimsAreBounded repeats one event with ever other times: what is
// remembered of its subject must not grow without end.
func TestClaimsAreBounded(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	k := newChecker(c, Strict{}, 10, MaxKept)
	st := c.Subject("transaction").State("created")
	doc, err := generate.Payload(c, payment.New(c, payment.Options{Start: c.Epoch}), st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		edit := generate.Edit{Kind: generate.Set, Expression: fmt.Sprintf("timestamp=2025-09-05T11:00:00.%03dZ", i)}
		if err := edit.Apply(&doc); err != nil {
			t.Fatal(err)
		}
		if v := k.Check(doc.AppendCanonical(nil), ""); !v.OK() {
			t.Fatal(v.Findings)
		}
	}
	for _, r := range records(k) {
		if r.count != 1 {
			t.Errorf("%d deliveries are remembered, which differ in their times alone", r.count)
		}
	}
}

func TestLongValuesAreBounded(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	k := newChecker(c, Strict{}, 10, MaxKept)
	st := c.Subject("invoice").State("cancel")
	for i, want := range []Code{"", Duplicate, Conflict} {
		doc := st.Sample.Clone()
		name := strings.Repeat("x", 1<<16) + []string{"", "", "y"}[i]
		edit := generate.Edit{Kind: generate.Set, Expression: "data.customerName=" + name}
		if err := edit.Apply(&doc); err != nil {
			t.Fatal(err)
		}
		v := k.Check(doc.AppendCanonical(nil), "")
		if want == "" && len(v.Findings) > 0 || want != "" && !v.Has(want) {
			t.Errorf("delivery %d: %d findings, want %q", i, len(v.Findings), want)
		}
		for _, f := range v.Findings {
			if len(f.Message)+len(f.Expected)+len(f.Got) > 2000 {
				t.Errorf("a finding of %d bytes", len(f.Message))
			}
		}
	}
	for _, r := range records(k) {
		e, ok := k.entry(r.last, r.hash)
		if !ok || r.count != 1 {
			t.Fatalf("%d deliveries are remembered: %v", r.count, ok)
		}
		words, ok := k.words(&e)
		if !ok {
			t.Fatal("the words are not remembered")
		}
		for i, w := range words {
			if len(w) > tokenLimit {
				t.Errorf("%d bytes are remembered of %s", len(w), st.Fields()[i].Path())
			}
		}
	}
}
