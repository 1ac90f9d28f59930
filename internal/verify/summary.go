package verify

import (
	"math/bits"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// maxGaps is how many gaps a Summary names.
const maxGaps = 100

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
	s := Summary{Subjects: len(k.store.records), Forgotten: k.store.forgotten, GapSeverity: Warning}
	if k.strict.Gaps {
		s.GapSeverity = Violation
	}
	for i, kind := range k.c.Subjects {
		seen := k.covered[i]
		c := Coverage{Subject: kind.Name, Seen: bits.OnesCount64(uint64(seen)), Of: len(kind.Edges), edges: seen}
		s.Edges = append(s.Edges, c)
	}
	for i := range k.store.records {
		k.gaps(&s, &k.store.records[i])
	}
	return s
}

func (k *Checker) gaps(s *Summary, r *record) {
	kind := k.c.Subjects[r.kind]
	if r.partial {
		return
	}
	for _, e := range kind.Edges {
		if r.seen.Has(e) && r.seen.Missing(e) {
			if s.GapCount++; len(s.Gaps) < maxGaps {
				s.Gaps = append(s.Gaps, gap(&subject{key: key{kind, k.name(r)}}, e))
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
