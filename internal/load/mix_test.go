package load

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

func describe(m *Mix) []string {
	var out []string
	for _, o := range m.Outcomes {
		for _, w := range o.Walks {
			var steps []string
			for _, s := range w.Steps {
				steps = append(steps, s.State.String())
			}
			out = append(out, fmt.Sprintf("%s %g: %s", o.State, o.Weight, strings.Join(steps, ", ")))
		}
	}
	return out
}

func TestParseMix(t *testing.T) {
	c, paths := pack(t)
	paid := []string{
		"invoice complete 70: invoice wait, transaction created, invoice pending, transaction complete, invoice complete",
		"invoice complete 70: transaction created, invoice pending, transaction complete, invoice complete",
	}
	for in, want := range map[string][]string{
		"paid=70":               paid,
		" PAID = 70 ":           paid,
		"complete=70":           paid,
		"invoice/complete=70":   paid,
		"cancel=2,rejected=0.5": nil,
		"refused=0.5,expired=2": {"invoice reject 0.5: invoice wait, invoice reject", "invoice cancel 2: invoice cancel"},
		"dropped=1":             {"transaction fail 1: transaction created, invoice pending, transaction fail, invoice fail"},
		"failed=3": {
			"invoice fail 3: invoice wait, transaction created, invoice pending, transaction complete, invoice fail",
			"invoice fail 3: transaction created, invoice pending, transaction complete, invoice fail",
			"invoice fail 3: transaction created, invoice pending, transaction fail, invoice fail",
		},
	} {
		m, err := ParseMix(c, paths, in)
		if want == nil {
			if err == nil {
				t.Errorf("%q: %v", in, m)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		if diff := cmp.Diff(want, describe(m)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
	all, err := ParseMix(c, paths, "")
	if err != nil || len(all.Outcomes) != 4 {
		t.Errorf("without a mix: %v, %v", all, err)
	}
	if got := all.String(); !strings.Contains(got, "25 %") {
		t.Errorf("written: %s", got)
	}
}

func TestMixErrors(t *testing.T) {
	c, paths := pack(t)
	for in, want := range map[string]string{
		"paid":                                "at character 1: has no weight",
		"paid=70,":                            "at character 9: has no weight",
		"paid=70,expird=30":                   "at character 9: no payment ends as \"expird\"; did you mean expired? outcomes: ",
		"pending=1":                           "no payment ends as",
		"transaction/created=1":               "no payment ends as",
		"paid=0":                              "is not a number above 0",
		"paid=-1":                             "is not a number above 0",
		"paid=1e3":                            "is not a number above 0",
		"paid=1000001":                        "is not a number above 0",
		"paid=NaN":                            "is not a number above 0",
		"paid=":                               "is not a number above 0",
		"paid=1=2":                            "is not a number above 0",
		"paid=1,expired=1,invoice/complete=2": "at character 18: invoice complete is there twice: paid means it, too",
		"=1":                                  "no payment ends as",
		strings.Repeat("paid=1,", 99):         "has more than 64 outcomes",
	} {
		var e *MixError
		_, err := ParseMix(c, paths, in)
		if !errors.As(err, &e) || e.Input != in || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

// TestMixWithoutScenarios takes the documented flow where the graph alone knows
// nothing of other subjects.
func TestMixWithoutScenarios(t *testing.T) {
	c, paths := pack(t)
	for _, p := range paths {
		steps := p.Steps[:0:0]
		for _, s := range p.Steps {
			if s.Send == nil || s.Send.Subject == c.Subjects[0] {
				steps = append(steps, s)
			}
		}
		p.Steps = steps
	}
	m, err := ParseMix(c, paths, "paid=1,expired=1")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"invoice complete 1: invoice wait, invoice pending, invoice complete",
		"invoice complete 1: transaction created, invoice pending, transaction complete, invoice complete",
		"invoice cancel 1: invoice cancel",
	}
	if diff := cmp.Diff(want, describe(m)); diff != "" {
		t.Error(diff)
	}
}

// TestWalksAreLegal sends every walk to the judge, strictly: not even an order
// that is only unusual.
func TestWalksAreLegal(t *testing.T) {
	c, paths := pack(t)
	m, err := ParseMix(c, paths, "")
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range m.Outcomes {
		for j, walk := range o.Walks {
			w := generate.NewWriterOf(c, walk.facts)
			checker := verify.NewChecker(c, verify.Strict{Order: true, Duplicates: true, UnknownFields: true, UnknownValues: true, Gaps: true})
			for _, s := range walk.Steps {
				p := payment.Options{Seed: uint64(i), Index: uint64(j), Start: c.Epoch, Toward: walk.toward}
				body, err := w.AppendFrom(nil, p, s.State, s.From)
				if err != nil {
					t.Fatalf("%s, %s: %v", walk.Name, s.State, err)
				}
				if v := checker.Check(body, s.State.Path); len(v.Findings) > 0 {
					t.Errorf("%s, %s: %v", walk.Name, s.State, v.Findings)
				}
			}
		}
	}
}

func TestPick(t *testing.T) {
	_, m := mixed(t, "paid=70,expired=20,failed=10")
	pcg := rand.NewPCG(0, 0)
	const n = 20_000
	counts, walks := make([]float64, 3), map[*Walk]float64{}
	for i := range uint64(n) {
		pcg.Seed(5, i)
		o, w := m.pick(rand.New(pcg))
		counts[o]++
		walks[w]++
	}
	for i, o := range m.Outcomes {
		if share := counts[i] / n; math.Abs(share-o.Weight/100) > 0.01 {
			t.Errorf("%s: %g of the payments", o.Name, share)
		}
		for j := range o.Walks {
			if share := walks[&o.Walks[j]] / counts[i]; math.Abs(share-1/float64(len(o.Walks))) > 0.05 {
				t.Errorf("%s: %g of those %s", o.Walks[j].Name, share, o.Name)
			}
		}
	}
}

func TestParseMixNeverPanics(t *testing.T) {
	c, paths := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching(`((paid|failed|expired|x|)(=|)([0-9.\-]{0,4})(,|)){0,4}`).Draw(t, "mix")
		mixLaws(t, in, func() (*Mix, error) { return ParseMix(c, paths, in) })
	})
}

type fataler interface{ Fatalf(string, ...any) }

func mixLaws(t fataler, in string, parse func() (*Mix, error)) {
	m, err := parse()
	if err != nil {
		var e *MixError
		if !errors.As(err, &e) || e.At < 0 || e.At > len(in) {
			t.Fatalf("%q: %v", in, err)
		}
		return
	}
	var total float64
	for _, o := range m.Outcomes {
		if o.Weight <= 0 || len(o.Walks) == 0 || !o.State.IsFinal() {
			t.Fatalf("%q: %+v", in, o)
		}
		total += o.Weight
	}
	m.each(func(s *Step) {
		if m.states[s.slot] != s.State {
			t.Fatalf("%q: %s is in slot %d, that of %s", in, s.State, s.slot, m.states[s.slot])
		}
	})
	if total != m.total {
		t.Fatalf("%q: the weights add up to %g, not %g", in, total, m.total)
	}
}

func FuzzParseMix(f *testing.F) {
	for _, s := range []string{"", "paid=70,expired=20,failed=10", "paid=1,complete=1", "=", ",,,", "paid=0.0000000001", "expired=\x00", "x=1"} {
		f.Add(s)
	}
	c, paths := pack(f)
	f.Fuzz(func(t *testing.T, s string) {
		mixLaws(t, s, func() (*Mix, error) { return ParseMix(c, paths, s) })
	})
}
