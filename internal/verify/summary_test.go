package verify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// deliver has a checker judge events of the payment of a number.
func deliver(t *testing.T, k *Checker, index uint64, states ...*contract.State) {
	t.Helper()
	for _, st := range states {
		o := payment.Options{Index: index, Start: k.c.Epoch, Toward: []*contract.State{k.c.Roles.Paid}}
		doc, err := generate.Payload(k.c, payment.New(k.c, o), st, generate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if v := k.Check(doc.AppendCanonical(nil), ""); !v.OK() {
			t.Fatal(v.Findings)
		}
	}
}

// TestGapsAreInOrder: gaps are told in the order in which their subjects were first
// heard of, and those of one subject in that of its edges; those whose name is
// forgotten come last.
func TestGapsAreInOrder(t *testing.T) {
	c := builtin(t)
	k := NewSmallChecker(c, Strict{})
	deliver(t, k, 3, c.Roles.Paid)
	k.silence()
	deliver(t, k, 1, c.Roles.Paid)
	deliver(t, k, 2, c.Roles.Paid, c.Roles.Confirmed)
	deliver(t, k, 1, c.Roles.Confirmed)
	s := k.Summary()
	var got, want []string
	for _, gap := range s.Gaps {
		words := strings.Fields(gap)
		got = append(got, words[0]+" "+words[1])
	}
	for _, index := range []uint64{1, 2} {
		p := payment.New(c, payment.Options{Index: index, Start: c.Epoch})
		names := []string{}
		for _, kind := range c.Subjects {
			names = append(names, short(p.Fact(kind.ID, c.Roles.Paid).Text)+": "+kind.Name)
		}
		slices.Sort(names)
		for _, name := range names {
			id, kind, _ := strings.Cut(name, ": ")
			want = append(want, kind+" "+id+":")
		}
	}
	if diff := cmp.Diff(append(want, "invoice (name"), got); diff != "" {
		t.Error(diff)
	}
	if len(got) != 5 || s.GapCount != 5 || s.GapSeverity != Warning {
		t.Errorf("%+v", s)
	}
}

// TestManyGaps: a hundred gaps are named, and all are counted, whether or not their
// names are known.
func TestManyGaps(t *testing.T) {
	c := builtin(t)
	const payments = 300 // whose words take more than one chunk
	for _, silent := range []bool{false, true} {
		k := newChecker(c, Strict{Gaps: true}, 1<<10, 1<<22)
		for i := range uint64(payments) {
			deliver(t, k, i, c.Roles.Paid)
		}
		if n := len(k.shards[0].words.chunks); n < 3 {
			t.Fatalf("the words take %d chunks", n)
		}
		if silent {
			k.silence()
		}
		deliver(t, k, 1000, c.Roles.Paid)
		s := k.Summary()
		if len(s.Gaps) != maxGaps || s.GapCount != payments+1 || s.GapSeverity != Violation || s.Forgotten != 0 || s.Subjects != 2*(payments+1) {
			t.Errorf("silent %t: %d gaps of %d, %s, %d subjects, %d forgotten", silent, len(s.Gaps), s.GapCount, s.GapSeverity, s.Subjects, s.Forgotten)
		}
		first := payment.New(c, payment.Options{Index: 0, Start: c.Epoch})
		if silent {
			first = payment.New(c, payment.Options{Index: 1000, Start: c.Epoch}) // the only one whose name is known
		}
		if name := short(first.Fact(c.Subjects[0].ID, c.Roles.Paid).Text); !strings.Contains(s.Gaps[0], name) {
			t.Errorf("silent %t: the first is %s, not of %s", silent, s.Gaps[0], name)
		}
		if forgotten := slices.IndexFunc(s.Gaps, func(gap string) bool { return strings.Contains(gap, "(name forgotten)") }); silent != (forgotten == 1) {
			t.Errorf("silent %t: the first without a name is number %d", silent, forgotten)
		}
		m := s.Merge(s)
		if len(m.Gaps) != maxGaps || m.GapCount != 2*s.GapCount || m.Subjects != 2*s.Subjects || m.GapSeverity != Violation || m.Gaps[0] != s.Gaps[0] {
			t.Errorf("merged: %d gaps of %d, %d subjects", len(m.Gaps), m.GapCount, m.Subjects)
		}
		if diff := cmp.Diff(fmt.Sprint(s.Edges), fmt.Sprint(m.Edges)); diff != "" {
			t.Error("merged with itself:", diff)
		}
	}
}

// TestMerge: what two summaries count adds up, and neither changes.
func TestMerge(t *testing.T) {
	c := builtin(t)
	one, two := newChecker(c, Strict{}, 3, 1<<20), newChecker(c, Strict{Gaps: true}, 1<<10, 1<<20)
	for i := range uint64(3) {
		deliver(t, one, i, c.Roles.Pending)
	}
	deliver(t, two, 5, c.Roles.Paid)
	deliver(t, two, 6, c.Roles.Confirmed, c.Roles.Pending)
	a, b := one.Summary(), two.Summary()
	was := fmt.Sprint(a, b)
	m := a.Merge(b)
	if fmt.Sprint(a, b) != was {
		t.Error("a summary changes where it is merged")
	}
	want := Summary{
		Edges:       []Coverage{{Subject: "invoice", Seen: 2, Of: 7}, {Subject: "transaction", Seen: 1, Of: 3}},
		Gaps:        append(slices.Clone(a.Gaps), b.Gaps...),
		GapCount:    a.GapCount + b.GapCount,
		GapSeverity: Warning,
		Subjects:    a.Subjects + b.Subjects,
		Forgotten:   3,
	}
	if diff := cmp.Diff(want, m, cmpopts.IgnoreUnexported(Coverage{})); diff != "" || len(b.Gaps) != 2 || a.Forgotten != 3 {
		t.Error(diff)
	}
	if m = b.Merge(a); m.Forgotten != 3 || m.GapSeverity != Violation || m.Edges[0].Seen != 2 {
		t.Errorf("%+v", m)
	}
}

// TestGapsOfTheOtherParts: where one part of the memory has forgotten something, the
// gaps that the others know of are told.
func TestGapsOfTheOtherParts(t *testing.T) {
	c := builtin(t)
	k := newChecker(c, Strict{}, 4*maxShard, MaxKept)
	k.shards[2].forgotten = 1
	for i := range uint64(40) {
		deliver(t, k, i, c.Roles.Paid)
	}
	want := 0
	for _, r := range records(k) {
		if r.kind == 0 && k.shardOf(r.hash) != 2 {
			want++
		}
	}
	if s := k.Summary(); s.GapCount != want || len(s.Gaps) != want || want == 40 || want == 0 {
		t.Errorf("%d gaps of %d, want %d", len(s.Gaps), s.GapCount, want)
	}
}

// TestNoGapsOfWhatWasForgotten: what may have been told before is not missed.
func TestNoGapsOfWhatWasForgotten(t *testing.T) {
	c := builtin(t)
	k := newChecker(c, Strict{}, 4, 1<<20)
	for i := range uint64(5) {
		deliver(t, k, i, c.Roles.Paid)
	}
	if s := k.Summary(); s.GapCount != 0 || len(s.Gaps) != 0 || s.Forgotten != 6 || s.Subjects != 4 {
		t.Errorf("%+v", s)
	}
}

// TestFacts holds what a verdict tells of each fact to the payload, by either way.
func TestFacts(t *testing.T) {
	c := builtin(t)
	for _, st := range c.States() {
		raw := st.Sample.AppendCanonical(nil)
		for way, v := range map[string]Verdict{"quick": NewSmallChecker(c, Strict{}).Check(raw, st.Path), "explained": Payload(c, raw, st.Path)} {
			for _, f := range c.Facts {
				fields := fieldsOf(st, f)
				got, ok := v.Fact(f)
				if ok != (len(fields) > 0) {
					t.Fatalf("%s %s: %s is told: %t", way, st, f.Name, ok)
				}
				if ok && string(got.AppendLiteral(nil)) != string(st.Sample.At(st.Fields()[fields[0]].Pointer).AppendLiteral(nil)) {
					t.Errorf("%s %s: %s is %s", way, st, f.Name, literal(got))
				}
			}
		}
	}
}

// TestOneOfAFewFacts: a fact that a payload may do without is not told where it does.
func TestOneOfAFewFacts(t *testing.T) {
	c, err := contract.Load(boxes())
	if err != nil {
		t.Fatal(err)
	}
	st := c.Subject("box").State("folded")
	k := NewSmallChecker(c, Strict{})
	doc := st.Sample.Clone()
	if err := doc.Remove(jsondoc.Pointer{"foldedAt"}); err != nil {
		t.Fatal(err)
	}
	v := k.Check(doc.AppendCanonical(nil), "")
	if _, ok := v.Fact(c.Fact("foldedAt")); ok || !v.Quick() || !v.OK() {
		t.Errorf("%+v", v)
	}
	if x, ok := v.Fact(c.Fact("size")); !ok || x.Text != "1.0" {
		t.Errorf("the size is %+v", x)
	}
}
