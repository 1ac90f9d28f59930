package verify_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

func TestEveryGeneratedPayloadPasses(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		st := rapid.SampledFrom(c.States()).Draw(t, "state")
		o := payment.Options{
			Seed: rapid.Uint64().Draw(t, "seed"), Index: rapid.Uint64Range(0, 1000).Draw(t, "index"),
			Start:  time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "start")),
			Toward: []*contract.State{st},
		}
		previous := rapid.SampledFrom(st.From).Draw(t, "edge").From
		doc, err := generate.Payload(c, payment.New(c, o), st, generate.Options{Previous: previous})
		if err != nil {
			t.Fatal(err)
		}
		raw := doc.AppendCanonical(nil)
		v := verify.NewChecker(c, verify.Strict{Order: true, Duplicates: true, UnknownFields: true, UnknownValues: true}).Check(raw, st.Path)
		if !v.OK() || v.State != st || v.Edge == nil || v.Edge.From != previous || v.ID == "" || v.Duplicate {
			t.Fatalf("%s\n%+v", raw, v)
		}
		if found := codes(v); !slices.Equal(found, nil) && !slices.Equal(found, codeList{verify.Gap}) {
			t.Fatalf("%s\n%+v", raw, v)
		}
	})
}

// walk is one payment's way, whose events can all be true together.
type walk struct {
	toward []string
	events []event
}

// legalWalks are the six paths with the transactions that go with each.
func legalWalks() []walk {
	created, completed, failed := ev("transaction/created"), ev("transaction/complete"), ev("transaction/fail")
	mismatched := ev("transaction/fail", "failureReason=amount_mismatch")
	direct := []event{ev("invoice/pending").from("ready")}
	waited := []event{ev("invoice/wait"), ev("invoice/pending").from("wait")}
	var out []walk
	for _, begin := range [][]event{direct, waited} {
		join := func(more ...event) []event { return append(slices.Clone(begin), more...) }
		short := []string{"invoice/fail"}
		out = append(
			out,
			walk{nil, join(created, completed, ev("invoice/complete"))},
			walk{short, join(created, completed, ev("invoice/fail"))},
			walk{short, join(created, failed, ev("invoice/fail"))},
			walk{short, join(created, mismatched, ev("invoice/fail"))},
			walk{nil, join(created, failed, ev("invoice/fail", "reason=transaction_failed"))},
		)
	}
	return append(
		out,
		walk{nil, []event{ev("invoice/cancel")}},
		walk{nil, []event{ev("invoice/wait"), ev("invoice/reject")}},
	)
}

// sent is a delivery in a drawn history.
type sent struct {
	raw  []byte
	move move // its duplicates make the same
	path string
}

// move is a transition that one of the drawn subjects makes.
type move struct {
	walk              int
	subject, from, to string
}

// moved writes out what the documents say of where each state comes from.
func moved(walk int, e event) move {
	before := map[string]string{
		"invoice/wait": "ready", "invoice/pending": e.previous, "invoice/complete": "pending", "invoice/fail": "pending",
		"invoice/cancel": "ready", "invoice/reject": "wait",
		"transaction/created": "unseen", "transaction/complete": "created", "transaction/fail": "created",
	}
	subject, to, _ := strings.Cut(e.state, "/")
	return move{walk, subject, before[e.state], to}
}

func (m move) starts() bool { return m.from == "ready" || m.from == "unseen" }

// follows reports whether m begins where the other ends.
func (m move) follows(before move) bool {
	return m.walk == before.walk && m.subject == before.subject && m.from == before.to
}

// drawWalks delivers some walks in any order, any event any number of times,
// each time stamped anew.
func drawWalks(t *rapid.T, c *contract.Contract, least int) []sent {
	var history []sent
	walks := rapid.SliceOfN(rapid.SampledFrom(legalWalks()), 1, 3).Draw(t, "walks")
	seed := rapid.Uint64Range(0, 1<<40).Draw(t, "seed")
	for i, w := range walks {
		for _, e := range w.events {
			times := rapid.IntRange(least, 3).Draw(t, "times")
			for n := range times {
				stamp := c.Epoch.Add(time.Hour + time.Duration(n)*time.Second).Format(payment.TimeLayout)
				again := e
				if n > 0 {
					again = e.edit("timestamp=" + stamp)
				}
				history = append(history, sent{
					raw: payload(t, c, seed+uint64(i), again, w.toward...), move: moved(i, e), path: state(t, c, e.state).Path,
				})
			}
		}
	}
	return rapid.Permutation(history).Draw(t, "order")
}

func TestLegalWalksInAnyOrder(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		history := drawWalks(t, c, 1)
		k := verify.NewChecker(c, verify.Strict{})
		seen := map[move]bool{}
		for _, d := range history {
			v := k.Check(d.raw, d.path)
			if !v.OK() {
				t.Fatalf("%s\n%+v", d.raw, v.Findings)
			}
			if v.Duplicate != seen[d.move] || v.Has(verify.Duplicate) != seen[d.move] {
				t.Fatalf("seen before: %v, duplicate: %v\n%s", seen[d.move], v.Duplicate, d.raw)
			}
			seen[d.move] = true
		}
		if s := k.Summary(); s.GapCount != 0 || len(s.Gaps) != 0 {
			t.Fatalf("all was delivered, and yet: %v", s.Gaps)
		}
	})
}

// TestPartsOfLegalWalks leaves events out: no violation, and the gaps are those
// events that were told to come from where nothing had led.
func TestPartsOfLegalWalks(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		history := drawWalks(t, c, 0)
		k := verify.NewChecker(c, verify.Strict{})
		told := map[move]bool{}
		for _, d := range history {
			if v := k.Check(d.raw, ""); !v.OK() {
				t.Fatalf("%s\n%+v", d.raw, v.Findings)
			}
			told[d.move] = true
		}
		want := 0
		for one := range told {
			if !one.starts() && !slices.ContainsFunc(slices.Collect(maps.Keys(told)), one.follows) {
				want++
			}
		}
		if got := k.Summary(); got.GapCount != want || len(got.Gaps) != want {
			t.Fatalf("%d gaps, want %d: %v", got.GapCount, want, got.Gaps)
		}
	})
}

// TestAnyNonEdgeIsAViolation adds one event with a transition that is none to a
// history that is all right.
func TestAnyNonEdgeIsAViolation(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		history := drawWalks(t, c, 0)
		sub := c.Subject("invoice")
		all := append([]*contract.State{sub.Initial}, sub.States...)
		from, to := rapid.SampledFrom(all).Draw(t, "from"), rapid.SampledFrom(all).Draw(t, "to")
		if sub.Edge(from, to) != nil {
			t.Skip("a transition")
		}
		bad := payload(t, c, rapid.Uint64Range(0, 1<<40).Draw(t, "bad"), ev("invoice/"+to.Name).from(from.Name))
		at := rapid.IntRange(0, len(history)).Draw(t, "at")
		k := verify.NewChecker(c, verify.Strict{})
		for i, d := range slices.Insert(history, at, sent{raw: bad}) {
			v := k.Check(d.raw, "")
			if v.OK() == (i == at) {
				t.Fatalf("delivery %d, the illegal one is %d: %+v", i, at, v.Findings)
			}
			if i == at && !v.Has(verify.IllegalTransition) && !v.Has(verify.SelfTransition) {
				t.Fatalf("%s to %s: %+v", from, to, v.Findings)
			}
		}
	})
}
