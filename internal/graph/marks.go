package graph

import (
	"slices"
	"sort"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
)

// Marks say what is emphasised in a drawing.
type Marks struct {
	// Taken is how often each transition was reported.
	Taken map[*contract.Edge]int
	// Current are the states the subject is in.
	Current []*contract.State
	// Illegal are reported transitions that the contract does not have, or that
	// contradict others.
	Illegal []Attempt
}

// Attempt is a reported transition that is not legal.
type Attempt struct {
	// From and To are the states as they were spelled; what names no state of the
	// subject is told in the description alone.
	From, To string
	// Reason says in a sentence why it is illegal.
	Reason string
	// Count is how often it was attempted.
	Count int
}

// Add marks the transition that a delivery reported. Of a duplicate nothing is
// marked, and of a delivery that breaks the contract only what is wrong with its
// transition.
func (m *Marks) Add(v verify.Verdict) {
	switch f := illegal(v); {
	case v.State == nil:
	case f != nil:
		m.attempt(Attempt{From: from(v), To: v.State.Label(), Reason: f.Message, Count: 1})
	case v.OK() && v.Edge != nil && !v.Duplicate:
		if m.Taken == nil {
			m.Taken = map[*contract.Edge]int{}
		}
		m.Taken[v.Edge]++
	}
}

func (m *Marks) attempt(a Attempt) {
	for i, b := range m.Illegal {
		if a.From == b.From && a.To == b.To {
			m.Illegal[i].Count++
			return
		}
	}
	m.Illegal = append(m.Illegal, a)
}

// Locate sets Current to the states that a transition led to and none left,
// which for the transitions of a single payment is where it stands.
func (m *Marks) Locate() {
	m.Current = nil
	for e := range m.Taken {
		left := false
		for other := range m.Taken {
			left = left || other.From == e.To
		}
		if !left && !slices.Contains(m.Current, e.To) {
			m.Current = append(m.Current, e.To)
		}
	}
	place := func(st *contract.State) int { return slices.Index(st.Subject.States, st) }
	sort.Slice(m.Current, func(i, j int) bool { return place(m.Current[i]) < place(m.Current[j]) })
}

// illegal is what is wrong with the transition of a delivery, or nil.
func illegal(v verify.Verdict) *verify.Finding {
	about := []verify.Code{verify.SelfTransition, verify.IllegalTransition, verify.Contradiction, verify.ExcludedState}
	i := slices.IndexFunc(v.Findings, func(f verify.Finding) bool { return slices.Contains(about, f.Code) })
	if i < 0 {
		return nil
	}
	return &v.Findings[i]
}

// from is the state that a delivery says was left.
func from(v verify.Verdict) string {
	switch {
	case v.Previous != "":
		return v.Previous
	case v.Edge != nil:
		return v.Edge.From.Label()
	}
	return v.State.Subject.Initial.Label()
}
