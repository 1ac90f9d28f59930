package verify

import (
	"encoding/binary"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// NewSmallChecker is a Checker with a memory of one part, in which all is found
// that it remembers.
func NewSmallChecker(c *contract.Contract, strict Strict) *Checker {
	return NewLimitedChecker(c, strict, 1<<10)
}

// NewLimitedChecker is a small Checker that remembers a number of subjects.
func NewLimitedChecker(c *contract.Contract, strict Strict, limit int) *Checker {
	return newChecker(c, strict, limit, 1<<20)
}

// Memory is all that a Checker remembers, written out: what it says of the next
// delivery depends on nothing else.
func (k *Checker) Memory() string {
	var out []byte
	number := func(all ...uint64) {
		for _, n := range all {
			out = binary.AppendUvarint(out, n)
		}
	}
	bytes := func(all [][]byte) {
		number(uint64(len(all)))
		for _, b := range all {
			number(uint64(len(b)))
			out = append(out, b...)
		}
	}
	for i := range k.shards {
		s := &k.shards[i]
		number(uint64(s.limit), uint64(s.kept), uint64(s.stride), uint64(s.count), uint64(s.oldest), uint64(s.forgotten), uint64(len(s.index)))
		for _, x := range s.index {
			number(uint64(x))
		}
		for _, x := range s.covered {
			number(uint64(x))
		}
		number(s.entries.first, s.words.first)
		bytes(s.blocks)
		bytes(s.entries.chunks)
		bytes(s.words.chunks)
	}
	number(k.told.Load())
	return string(out)
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
