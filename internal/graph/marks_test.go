package graph_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/graph"
	"github.com/paytest/paytest/internal/verify"
)

func TestMarksOfVerdicts(t *testing.T) {
	sub := load(t).Subjects[0]
	complete, pending := sub.State("complete"), sub.State("pending")
	paid := sub.Edge(pending, complete)
	illegal := verify.Finding{Code: verify.IllegalTransition, Severity: verify.Violation, Message: "not so"}
	var m graph.Marks
	for _, v := range []verify.Verdict{
		{State: pending, Edge: sub.Edge(sub.Initial, pending)},
		{State: complete, Edge: paid},
		{State: complete, Edge: paid},
		{State: complete, Edge: paid, Duplicate: true},
		{State: complete, Edge: paid, Findings: []verify.Finding{{Code: verify.FactDrift, Severity: verify.Violation}}},
		{State: sub.State("fail"), Previous: "Complete", Findings: []verify.Finding{illegal}},
		{State: sub.State("fail"), Previous: "Complete", Findings: []verify.Finding{illegal}},
		{State: complete, Edge: paid, Findings: []verify.Finding{{Code: verify.Contradiction, Severity: verify.Violation, Message: "both"}}},
		{State: pending, Findings: []verify.Finding{illegal}},
		{Findings: []verify.Finding{illegal}},
	} {
		m.Add(v)
	}
	want := []graph.Attempt{
		{From: "Complete", To: "Fail", Reason: "not so", Count: 2},
		{From: "Pending", To: "Complete", Reason: "both", Count: 1},
		{From: "Ready", To: "Pending", Reason: "not so", Count: 1},
	}
	if diff := cmp.Diff(want, m.Illegal); diff != "" {
		t.Error(diff)
	}
	if len(m.Taken) != 2 || m.Taken[paid] != 2 {
		t.Errorf("taken: %v", m.Taken)
	}
	if m.Locate(); len(m.Current) != 1 || m.Current[0] != complete {
		t.Errorf("stands at %v", m.Current)
	}
}
