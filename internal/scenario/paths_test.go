package scenario_test

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

func shipment(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(os.DirFS("../contract/testdata/shipment"))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func words(paths [][]*contract.Edge) []string {
	var out []string
	for _, p := range paths {
		w := []string{p[0].From.Label()}
		for _, e := range p {
			w = append(w, e.To.Label())
		}
		out = append(out, strings.Join(w, "-"))
	}
	slices.Sort(out)
	return out
}

func TestPaths(t *testing.T) {
	want := []string{
		"Ready-Cancel", "Ready-Pending-Complete", "Ready-Pending-Fail",
		"Ready-Wait-Pending-Complete", "Ready-Wait-Pending-Fail", "Ready-Wait-Reject",
	}
	if diff := cmp.Diff(want, words(scenario.Paths(pack(t).Subject("invoice")))); diff != "" {
		t.Error(diff)
	}
	c := shipment(t)
	for _, sub := range c.Subjects {
		paths := scenario.Paths(sub)
		var seen contract.Edges
		for _, p := range paths {
			for i, e := range p {
				seen = seen.With(e)
				if i > 0 && p[i-1].To != e.From || i == 0 && e.From != sub.Initial {
					t.Errorf("%s: %v is no path", sub.Name, p)
				}
			}
			if end := p[len(p)-1].To; !end.IsFinal() && !visits(p, end.Next()) {
				t.Errorf("%s: %v goes on", sub.Name, p)
			}
		}
		for _, e := range sub.Edges {
			if !seen.Has(e) && !e.To.Reaches(e.From) { // no path goes round in circles
				t.Errorf("%s: no path of %v takes %s", sub.Name, words(paths), e)
			}
		}
	}
}

// visits reports whether every one of the edges leads back into the path.
func visits(p, edges []*contract.Edge) bool {
	return !slices.ContainsFunc(edges, func(e *contract.Edge) bool {
		return e.To != p[0].From && !slices.ContainsFunc(p, func(q *contract.Edge) bool { return q.To == e.To })
	})
}

func names(all []*scenario.Scenario) []string {
	var out []string
	for _, s := range all {
		out = append(out, s.Name)
	}
	slices.Sort(out)
	return out
}

// TestAllPaths: every maximal path by the scenarios that walk it, and all edges.
func TestAllPaths(t *testing.T) {
	c := pack(t)
	all := scenario.AllPaths(c, builtin(t, c))
	want := []string{"expired", "failed-by-amount", "failed-by-chain", "paid", "rejected", "waited-then-failed", "waited-then-paid"}
	if diff := cmp.Diff(want, names(all)); diff != "" {
		t.Error(diff)
	}
	checkCoverage(t, c, all, "invoice 7/7", "transaction 3/3")
}

// TestAllPathsOfTheGraph: without scenarios the graph itself is walked.
func TestAllPathsOfTheGraph(t *testing.T) {
	c := pack(t)
	all := scenario.AllPaths(c, nil)
	want := []string{"ready-cancel", "ready-pending-complete", "ready-pending-fail", "ready-wait-pending-complete", "ready-wait-pending-fail", "ready-wait-reject"}
	if diff := cmp.Diff(want, names(all)); diff != "" {
		t.Error(diff)
	}
	checkCoverage(t, c, all, "invoice 7/7", "transaction 0/3")
	mixed := scenario.AllPaths(c, []*scenario.Scenario{find(t, c, "rejected"), find(t, c, "duplicate"), find(t, c, "overlapping-retry")})
	want[5] = "rejected"
	if diff := cmp.Diff(want, names(mixed)); diff != "" {
		t.Error(diff)
	}

	other := shipment(t)
	none, err := scenario.Builtin(other, os.DirFS("../contract/testdata/shipment"))
	if err != nil || len(none) != 0 {
		t.Fatal(none, err)
	}
	straight := other.Subjects[0].Edges
	straight = slices.DeleteFunc(slices.Clone(straight), func(e *contract.Edge) bool { return e.From.Name == "held" && e.To.Name == "shipped" })
	checker := verify.NewChecker(other, verify.Strict{})
	seen := 0
	for _, s := range scenario.AllPaths(other, none) {
		if last := s.Steps[len(s.Steps)-1]; last.Reach != s.Outcome || s.Outcome == nil || s.Description == "" {
			t.Errorf("%+v", s)
		}
		for _, p := range plan(t, other, s, scenario.Options{Seed: 7, Index: uint64(seen), Start: other.Epoch}) {
			if p.Body == nil {
				continue
			}
			if v := checker.Check(p.Body, p.Step.Send.Path); !v.OK() {
				t.Errorf("%s, %s: %+v", s.Name, p.Name(), v.Findings)
			}
		}
		seen++
	}
	if got := checker.Summary().Edges[0]; got.Seen != len(straight) || got.Of != len(straight)+1 {
		t.Errorf("%+v; straight are %v", got, straight)
	}
}

// checkCoverage plays scenarios to a checker, and asks it which edges it saw.
func checkCoverage(t *testing.T, c *contract.Contract, all []*scenario.Scenario, want ...string) {
	t.Helper()
	checker := verify.NewChecker(c, verify.Strict{})
	for i, s := range all {
		for _, p := range plan(t, c, s, scenario.Options{Seed: 7, Index: uint64(i), Start: c.Epoch}) {
			if p.Body == nil {
				continue
			}
			if v := checker.Check(p.Body, p.Step.Send.Path); !v.OK() {
				t.Errorf("%s, %s: %+v", s.Name, p.Name(), v.Findings)
			}
		}
	}
	var got []string
	for _, e := range checker.Summary().Edges {
		got = append(got, e.Subject+" "+strings.Join([]string{digit(e.Seen), digit(e.Of)}, "/"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func digit(n int) string { return string(rune('0' + n)) }

// TestWalks: only the path itself, as it should be, is a walk of it.
func TestWalks(t *testing.T) {
	c := pack(t)
	pending, complete := state(t, c, "invoice pending"), state(t, c, "invoice complete")
	path := []*contract.Edge{pending.EdgeFrom(state(t, c, "invoice ready")), complete.EdgeFrom(pending)}
	const steps = "steps:\n- send: transaction created\n- send: invoice pending\n- wait: 5m\n- send: invoice complete\n"
	for text, want := range map[string]bool{
		steps:                               true,
		steps + "- state: invoice complete": true,
		steps + "  repeat: 2":               false,
		steps + "  fault: lost-ack":         false,
		steps + "  set: data.title=x":       false,
		steps + "  answer: any":             false,
		steps + "  answer: 200":             false,
		steps + "  from: wait":              false,
		steps + "- send: invoice complete":  false,
		"steps:\n- send: invoice complete\n- send: invoice pending\n":                                     false,
		"steps:\n- send: invoice wait\n- send: invoice pending\n  from: wait\n- send: invoice complete\n": false,
		"steps:\n- send: invoice pending\n":                                                               false,
		"steps:\n- send: transaction created\n":                                                           false,
	} {
		if got := parse(t, c, text).Walks(path); got != want {
			t.Errorf("%v, not %v:\n%s", got, want, text)
		}
	}
	if parse(t, c, steps).Walks(nil) {
		t.Error("nothing is walked")
	}
	if got := parse(t, c, steps+"  from: cancel").Edges(c.Subject("invoice")); got != nil {
		t.Errorf("an illegal move is %v", got)
	}
	if got := parse(t, c, steps).Edges(c.Subject("invoice")); !slices.Equal(got, path) {
		t.Errorf("%v, not %v", got, path)
	}
}

func TestBuiltin(t *testing.T) {
	c := pack(t)
	var got []string
	for _, s := range builtin(t, c) {
		got = append(got, s.Name)
		if s.Description == "" || s.Outcome == nil || s.File != "" {
			t.Errorf("%+v", s)
		}
	}
	want := []string{
		"duplicate", "expired", "failed-by-amount", "failed-by-chain", "late-payment-after-cancel", "out-of-order", "overlapping-retry",
		"paid", "rejected", "waited-then-failed", "waited-then-paid",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for file, want := range map[string]string{
		"steps: 5": "scenarios/x.yaml:1:8: steps takes a list",
		"steps:\n- send: invoice complete\n  set: data.x=y": `scenarios/x.yaml:2:3: --set "data.x=y"`,
	} {
		if _, err := scenario.Builtin(c, fstest.MapFS{"scenarios/x.yaml": {Data: []byte(file)}}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
	if _, err := scenario.Builtin(c, broken{payloads.FS}); err == nil {
		t.Error("a pack that cannot be read is taken")
	}
}

// broken lists its files, and opens none of the scenarios.
type broken struct{ fs.FS }

func (b broken) Open(name string) (fs.File, error) {
	if strings.HasSuffix(name, ".yaml") {
		return nil, fs.ErrPermission
	}
	return b.FS.Open(name)
}

func TestFind(t *testing.T) {
	c := pack(t)
	all := builtin(t, c)
	if s, err := scenario.Find(all, "paid"); err != nil || s.Name != "paid" {
		t.Error(s, err)
	}
	for name, want := range map[string]string{
		"payd":     `unknown scenario "payd"; did you mean paid? scenarios: duplicate, expired, `,
		"nonsense": `unknown scenario "nonsense"; scenarios: duplicate, expired, `,
	} {
		_, err := scenario.Find(all, name)
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "; a file is YAML, and named by its path, such as ./"+name+".yaml") {
			t.Errorf("%v", err)
		}
	}
}
