package verify

import (
	"fmt"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// NewSmallChecker is a Checker with a memory of one part, in which all is found
// that it remembers.
func NewSmallChecker(c *contract.Contract) *Checker {
	return newChecker(c, Strict{}, 1<<10, 1<<20)
}

// Memory is all that a Checker remembers, written out: what it says of the next
// delivery depends on nothing else.
func (k *Checker) Memory() string {
	var out []byte
	for i := range k.shards {
		s := &k.shards[i]
		out = fmt.Appendf(out, "%d %d %d %d %d %d %v %v ", s.limit, s.kept, s.stride, s.count, s.oldest, s.forgotten, s.index, s.covered)
		out = fmt.Appendf(out, "%x %x %d %x %d ", s.blocks, s.entries.chunks, s.entries.first, s.words.chunks, s.words.first)
	}
	return string(fmt.Appendf(out, "%d", k.told.Load()))
}

// Copy is a Checker that remembers the same.
func (k *Checker) Copy() *Checker {
	out := &Checker{c: k.c, strict: k.strict, states: k.states, places: k.places, plans: k.plans, coder: k.coder, scratch: k.scratch}
	out.told.Store(k.told.Load())
	out.shards = make([]shard, len(k.shards))
	for i := range k.shards {
		a, b := &k.shards[i], &out.shards[i]
		b.limit, b.kept, b.stride, b.count, b.oldest, b.forgotten = a.limit, a.kept, a.stride, a.count, a.oldest, a.forgotten
		b.index, b.covered = slices.Clone(a.index), slices.Clone(a.covered)
		b.entries, b.words = a.entries.copy(), a.words.copy()
		b.blocks = deep(a.blocks)
	}
	return out
}

func (r *ring) copy() ring { return ring{chunks: deep(r.chunks), first: r.first} }

func deep(all [][]byte) [][]byte {
	var out [][]byte
	for _, b := range all {
		out = append(out, slices.Clone(b))
	}
	return out
}
