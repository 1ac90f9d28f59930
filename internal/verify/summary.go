package verify

import (
	"math/bits"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// Coverage is how many of a subject's transitions were seen.
type Coverage struct {
	Subject string `json:"subject"`
	Seen    int    `json:"seen"`
	Of      int    `json:"of"`

	edges contract.Edges
}

// Summary is what a Checker knows at the end.
type Summary struct {
	Edges []Coverage `json:"edges"`
	// Gaps says, a sentence each, which event never came; GapCount counts them,
	// also those beyond the first hundred, which are not in Gaps.
	Gaps     []string `json:"gaps,omitempty"`
	GapCount int      `json:"gapCount"`
	// GapSeverity is a warning, or a violation where gaps are judged strictly.
	GapSeverity Severity `json:"gapSeverity"`
	// Subjects are those remembered, Forgotten those beyond MaxSubjects.
	Subjects  int `json:"subjects"`
	Forgotten int `json:"forgotten"`
}

// Summary returns what is known of all deliveries so far.
func (k *Checker) Summary() Summary {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := Summary{Subjects: k.subjects.Len(), Forgotten: k.forgotten, GapSeverity: Warning}
	if k.strict.Gaps {
		s.GapSeverity = Violation
	}
	for _, kind := range k.c.Subjects {
		seen := k.covered[kind]
		c := Coverage{Subject: kind.Name, Seen: bits.OnesCount64(uint64(seen)), Of: len(kind.Edges), edges: seen}
		s.Edges = append(s.Edges, c)
	}
	for _, of := range k.subjects.Values() {
		s.gaps(of)
	}
	return s
}

func (s *Summary) gaps(of *subject) {
	if of.partial {
		return
	}
	for _, e := range of.kind.Edges {
		if of.seen.Has(e) && of.seen.Missing(e) {
			if s.GapCount++; len(s.Gaps) < maxGaps {
				s.Gaps = append(s.Gaps, gap(of, e))
			}
		}
	}
}

// Merge returns the summary of two separate histories: an edge that both have
// counts once.
func (s Summary) Merge(o Summary) Summary {
	out := s
	out.Edges = slices.Clone(s.Edges)
	for i, c := range o.Edges {
		out.Edges[i].edges |= c.edges
		out.Edges[i].Seen = bits.OnesCount64(uint64(out.Edges[i].edges))
	}
	out.Gaps = append(slices.Clone(s.Gaps), o.Gaps...)
	out.Gaps = out.Gaps[:min(len(out.Gaps), maxGaps)]
	out.GapCount += o.GapCount
	out.Subjects += o.Subjects
	out.Forgotten += o.Forgotten
	return out
}
