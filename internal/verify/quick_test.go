package verify

import (
	"fmt"
	"hash/maphash"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

// oracle judges by a history of everything, and never by bytes alone.
type oracle struct {
	c *contract.Contract
	h *history
}

func newOracle(c *contract.Contract, strict Strict) *oracle {
	return &oracle{c, &history{c: c, strict: strict, subjects: map[key]*subject{}}}
}

func (o *oracle) check(raw []byte, path string) Verdict {
	v := Payload(o.c, raw, path)
	o.h.strict.tighten(&v)
	if v.OK() && v.ID != "" && v.Edge != nil {
		if o.h.observe(&v); v.OK() {
			parties := o.h.parties(&v)
			o.h.record(&v, partyOf(parties, v.State.Subject), parties)
		}
	}
	return v
}

// drawnEvent is a delivery of one of a few payments, sound, spoiled or unusual.
func drawnEvent(t *rapid.T, c *contract.Contract) ([]byte, string) {
	st := rapid.SampledFrom(c.States()).Draw(t, "state")
	p := payment.New(c, payment.Options{
		Seed: rapid.Uint64Range(0, 2).Draw(t, "payment"), Start: c.Epoch,
		Toward: rapid.SampledFrom([][]*contract.State{nil, {c.Roles.Failed}, {c.Roles.Dropped, c.Roles.Failed}, {c.Roles.Paid}}).Draw(t, "toward"),
	})
	doc, err := generate.Payload(c, p, st, generate.Options{Previous: rapid.SampledFrom(st.From).Draw(t, "edge").From})
	if err != nil {
		t.Fatal(err)
	}
	doc = doc.Clone()
	other := payment.New(c, payment.Options{Seed: 7, Start: c.Epoch})
	for range rapid.SampledFrom([]int{0, 0, 0, 1, 1, 2}).Draw(t, "changes") {
		f := rapid.SampledFrom(st.Fields()).Draw(t, "field")
		v := other.Fact(f.Fact, st)
		switch rapid.IntRange(0, 9).Draw(t, "change") {
		case 0:
			v = jsondoc.NullValue()
		case 1:
			_ = doc.Remove(f.Pointer)
			continue
		case 2:
			_ = doc.Add(jsondoc.Pointer{"data", "more"}, v)
			continue
		case 3, 4, 5:
			if at := doc.At(f.Pointer); at != nil && f.Fact.Compare == contract.Time {
				v = jsondoc.StringValue(payment.Shift(at.Text, time.Duration(rapid.IntRange(-3, 3).Draw(t, "shift"))*time.Minute))
			}
		case 6:
			if at := doc.At(f.Pointer); at != nil && at.Kind == jsondoc.String {
				v = jsondoc.StringValue(at.Text + "0")
			}
		}
		_ = doc.Set(f.Pointer, v)
	}
	raw := doc.AppendCanonical(nil)
	if rapid.IntRange(0, 9).Draw(t, "spaced") == 0 {
		raw = doc.AppendIndent(nil, "  ")
	}
	return raw, rapid.SampledFrom([]string{"", st.Path}).Draw(t, "path")
}

// TestQuickIsAsExplained holds verdicts that are found by bytes alone, and from
// what is remembered, against those of a history that forgets nothing.
func TestQuickIsAsExplained(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	quick, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		strict := rapid.SampledFrom([]Strict{{}, {}, {Order: true}, {Duplicates: true, Gaps: true}, {UnknownFields: true, UnknownValues: true}}).Draw(t, "strict")
		k, o := NewChecker(c, strict), newOracle(c, strict)
		for i := range rapid.IntRange(1, 30).Draw(t, "deliveries") {
			raw, path := drawnEvent(t, c)
			got, want := k.Check(raw, path), o.check(raw, path)
			if all++; got.slots != nil {
				quick++
			}
			if diff := cmp.Diff(plainVerdict(want), plainVerdict(got)); diff != "" {
				t.Fatalf("delivery %d: %s\n%s", i, diff, raw)
			}
			for _, f := range c.Facts {
				a, okA := got.Fact(f)
				b, okB := want.Fact(f)
				if okA != okB || okA && !jsondoc.Equal(a, b) {
					t.Fatalf("delivery %d: %s is %v %v, not %v %v", i, f.Name, a, okA, b, okB)
				}
			}
		}
	})
	if quick*10 < all || quick == all {
		t.Errorf("%d of %d verdicts were found by bytes alone: the comparison is worth little", quick, all)
	}
}

// plainVerdict is all of a verdict that is told.
func plainVerdict(v Verdict) []string {
	out := []string{v.Event, v.Previous, v.ID, fmt.Sprint(v.Duplicate)}
	if v.State != nil {
		out = append(out, v.State.String())
	}
	if v.Edge != nil {
		out = append(out, v.Edge.String())
	}
	for _, f := range v.Findings {
		out = append(out, fmt.Sprintf("%+v", f))
	}
	return out
}

// TestForgottenFactsAreUnknown fills the memory for facts, and shows that what
// was forgotten is not compared, while states are still known.
func TestForgottenFactsAreUnknown(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	k := newChecker(c, Strict{}, 8000, 2*chunkBytes)
	deliver := func(st *contract.State, index uint64, edits ...string) Verdict {
		doc, err := generate.Payload(c, payment.New(c, payment.Options{Index: index, Start: c.Epoch, Toward: []*contract.State{c.Roles.Paid}}), st, generate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range edits {
			if err := (generate.Edit{Kind: generate.Set, Expression: x}).Apply(&doc); err != nil {
				t.Fatal(err)
			}
		}
		return k.Check(doc.AppendCanonical(nil), "")
	}
	pending, paid, failed := c.Roles.Pending, c.Roles.Paid, c.Roles.Failed
	for i := range uint64(3000) {
		if v := deliver(paid, i); !v.OK() {
			t.Fatal(v.Findings)
		}
	}
	if v := deliver(pending, 2999, "data.cryptoAmount=1.000000"); v.OK() {
		t.Error("a fact that is remembered is not compared")
	}
	if v := deliver(pending, 0, "data.cryptoAmount=1.000000"); !v.OK() {
		t.Error("a fact that is forgotten is held against a delivery:", v.Findings)
	}
	if v := deliver(failed, 1); !v.Has(Contradiction) {
		t.Error("a state is forgotten with the facts:", v.Findings)
	}
	if v := deliver(paid, 2); !v.Duplicate {
		t.Error("a duplicate is not seen:", v.Findings)
	}
	if s := k.Summary(); s.Forgotten != 0 || s.GapCount != 2999 && s.GapCount != 3000 || slices.Contains(s.Gaps, "") {
		t.Errorf("%d forgotten, %d gaps", s.Forgotten, s.GapCount)
	}
}

// TestTimesAsCodes holds the order of times as codes against that as moments.
func TestTimesAsCodes(t *testing.T) {
	f := &contract.Fact{Compare: contract.Time}
	rel := &contract.Relation{Kind: contract.NotBefore, A: f, B: f}
	k := coder{maphash.MakeSeed()}
	times := []string{
		"2016-12-31T23:59:59.999Z", "2016-12-31T23:59:60.000Z", "2016-12-31T23:59:60.500Z", "2017-01-01T00:00:00.000Z",
		"2017-01-01T00:00:00.100Z", "2017-01-01T00:00:00.600Z", "2017-01-01T00:00:00Z", "2017-01-01T01:00:00.000+01:00", "no time", "",
		"2024-02-29T00:00:00.000Z", "2023-02-29T00:00:00.000Z", "2023-03-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z",
	}
	for _, a := range times {
		for _, b := range times {
			x, y := k.of(f, []byte(`"`+a+`"`)), k.of(f, []byte(`"`+b+`"`))
			want := !payment.Before(jsondoc.StringValue(a), jsondoc.StringValue(b))
			if got := (&demand{rel: rel}).holds(x, y); got != want && x != opaqueCode && y != opaqueCode {
				t.Errorf("%s is not before %s: %v, want %v", a, b, got, want)
			}
		}
	}
}
