package verify

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"sort"

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
	for i := range k.shards {
		k.shards[i].mu.Lock()
		defer k.shards[i].mu.Unlock()
	}
	s := Summary{GapSeverity: Warning}
	if k.strict.Gaps {
		s.GapSeverity = Violation
	}
	for i, kind := range k.c.Subjects {
		c := Coverage{Subject: kind.Name, Of: len(kind.Edges)}
		for j := range k.shards {
			c.edges |= k.shards[j].covered[i]
		}
		c.Seen = bits.OnesCount64(uint64(c.edges))
		s.Edges = append(s.Edges, c)
	}
	var open []missed
	for i := range k.shards {
		at := &k.shards[i]
		s.Subjects += at.count
		s.Forgotten += at.forgotten
		for slot := range at.count {
			open = k.missing(&s, open, at.load(slot))
		}
	}
	sort.Slice(open, func(i, j int) bool {
		a, b := open[i], open[j]
		return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.name, b.name), cmp.Compare(a.edge.Index, b.edge.Index)) < 0
	})
	for _, m := range open[:min(len(open), maxGaps)] {
		s.Gaps = append(s.Gaps, gap(&subject{key: key{m.edge.To.Subject, m.name}}, m.edge))
	}
	return s
}

// missed is an edge without one that leads to it.
type missed struct {
	edge *contract.Edge
	name string
	// order is the number of the first delivery about the subject whose words are
	// remembered; those whose name is forgotten come last.
	order uint64
}

// missing counts what a subject misses, and takes note of it while that can be told.
func (k *Checker) missing(s *Summary, open []missed, r record) []missed {
	if r.partial {
		return open
	}
	m := missed{order: math.MaxUint64}
	for _, e := range k.c.Subjects[r.kind].Edges {
		if !r.seen.Has(e) || !r.seen.Missing(e) {
			continue
		}
		if m.name == "" {
			m.name, m.order = k.name(r)
		}
		s.GapCount++
		if m.edge = e; m.order < math.MaxUint64 || len(open) < maxGaps {
			open = append(open, m)
		}
	}
	return open
}

// name is the identity of a remembered subject, as text, and the number of the
// first delivery about it whose words are remembered. They are forgotten before the
// subject itself.
func (k *Checker) name(r record) (name string, order uint64) {
	name, order = "(name forgotten)", math.MaxUint64
	for at := r.last; at != nowhere; {
		e, ok := k.entry(at, r.hash)
		if !ok {
			break
		}
		then := past{entry: e}
		if then.words, ok = k.words(&e); !ok {
			break
		}
		_, order = k.shards[e.at.shard()].spoken(e.at)
		name = k.key(int(r.kind), then.words[e.p.id(int(r.kind), then.word)]).id
		at = e.previous(int(r.kind))
	}
	return name, order
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
