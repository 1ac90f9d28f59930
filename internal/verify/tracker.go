package verify

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/schema"
)

// maxRelated is how many deliveries a new one is held against at the most, when
// it is judged the long way.
const maxRelated = 4 * maxChain

// Checker judges deliveries one by one and remembers what it needs to judge
// them together. It is safe for concurrent use.
//
// A delivery that repeats or continues what is known is judged by its bytes
// alone, while only the parts of the memory are locked that hold its subjects.
// Whatever is unusual about it is left to a history, which is made of what
// is remembered of its subjects, and which can say what is wrong.
type Checker struct {
	c      *contract.Contract
	strict Strict
	states []*contract.State
	places map[*contract.State]int
	plans  []atomic.Pointer[plan]
	coder  coder

	shards  []shard
	told    atomic.Uint64 // how many deliveries said something new
	scratch *sync.Pool    // apart: what the runtime knows of a pool must not keep a Checker alive
}

// NewChecker returns a Checker that has seen nothing.
func NewChecker(c *contract.Contract, strict Strict) *Checker {
	return newChecker(c, strict, MaxSubjects, MaxKept)
}

func newChecker(c *contract.Contract, strict Strict, limit, kept int) *Checker {
	k := &Checker{c: c, strict: strict, states: c.States(), places: map[*contract.State]int{}, coder: coder{maphash.MakeSeed()}}
	k.plans = make([]atomic.Pointer[plan], len(k.states))
	for i, st := range k.states {
		k.places[st] = i
	}
	kinds, edges := len(c.Subjects), 0
	for _, kind := range c.Subjects {
		edges = max(edges, len(kind.Edges))
	}
	k.shards = newShards(kinds, edges, limit, kept)
	k.scratch = &sync.Pool{New: func() any {
		return &scratch{
			named: make([]bool, kinds), both: make([]bool, kinds), ids: make([]schema.Slot, kinds), hashes: make([]uint64, kinds), slots: make([]int, kinds),
			records: make([]record, kinds), before: make([]place, kinds), facts: make([]fact, len(c.Facts)),
		}
	}}
	return k
}

// borrow takes a scratch for one delivery; giveBack ends that.
func (k *Checker) borrow() *scratch {
	s, _ := k.scratch.Get().(*scratch)
	return s
}

func (k *Checker) giveBack(s *scratch) {
	s.raw, s.at = nil, nil
	clear(s.found)
	s.found, s.seen = s.found[:0], s.seen[:0]
	k.scratch.Put(s)
}

// Check judges a delivery; path is where it was delivered, or empty. A delivery
// that breaks the contract is not remembered, so that it cannot make a later,
// legal one look wrong. The verdict refers to raw, which must not change.
func (k *Checker) Check(raw []byte, path string) Verdict {
	if v, ok := k.quick(raw, path); ok {
		return v
	}
	v := Payload(k.c, raw, path)
	k.strict.tighten(&v)
	if v.OK() && v.ID != "" && v.Edge != nil {
		k.explained(&v)
	}
	return v
}

// tighten makes violations of what is to be judged strictly.
func (s Strict) tighten(v *Verdict) {
	for i, f := range v.Findings {
		if s.covers(f.Code) {
			v.Findings[i].Severity = Violation
		}
	}
}

// quick judges a sound delivery that agrees with all that is known. It gives up,
// changing nothing, on everything else.
func (k *Checker) quick(raw []byte, path string) (v Verdict, ok bool) {
	st := guess(k.c, raw)
	if st == nil || path != "" && path != st.Path {
		return v, false
	}
	a := st.Acceptor(k.c.Envelope)
	p := k.plan(k.places[st])
	if a == nil || p.unusual {
		return v, false
	}
	slots := make([]schema.Slot, len(st.Fields()))
	if !a.Accept(raw, slots) {
		return v, false
	}
	s := k.borrow()
	defer k.giveBack(s)
	if !s.begin(p, raw, slots) || !s.usual() || !k.identify(s) || !k.encode(s) {
		return v, false
	}
	own, ok := k.judged(s)
	if !ok {
		return v, false
	}
	id := s.id(p.own)
	v = Verdict{Event: st.Event, State: st, Edge: s.edge, ID: string(id[1 : len(id)-1]), raw: raw, slots: slots}
	if p.previous >= 0 {
		if v.Previous = s.edge.From.Wire; v.Previous == "" {
			v.Previous = "null"
		}
	}
	own.key = key{st.Subject, v.ID}
	v.notes(&own)
	k.strict.tighten(&v)
	return v, true
}

// judged holds the delivery against what is known, and remembers it; it returns
// what was known of its subject before.
func (k *Checker) judged(s *scratch) (own subject, ok bool) {
	k.lock(s)
	defer k.unlock(s)
	k.look(s)
	if !k.agrees(s) {
		return own, false
	}
	r := &s.records[s.p.own]
	own.seen, own.partial = r.seen, r.partial
	if k.strict.permits(r.seen, s.edge) {
		k.remember(s)
	}
	return own, true
}

// permits reports whether a delivery of that edge, after those, is remembered
// although it is judged strictly.
func (s Strict) permits(seen contract.Edges, e *contract.Edge) bool {
	if seen.Has(e) {
		return !s.Duplicates
	}
	return !s.Order || seen.Overtook(e) == nil
}

func (k *Checker) lock(s *scratch) {
	for _, i := range s.locked {
		k.shards[i].mu.Lock()
	}
}

func (k *Checker) unlock(s *scratch) {
	for _, i := range s.locked {
		k.shards[i].mu.Unlock()
	}
}

// look finds what is remembered of the delivery's subjects.
func (k *Checker) look(s *scratch) {
	for kind, named := range s.named {
		s.slots[kind], s.records[kind] = noSlot, record{}
		if !named {
			continue
		}
		at := &k.shards[k.shardOf(s.hashes[kind])]
		if s.slots[kind] = at.find(s.hashes[kind]); s.slots[kind] != noSlot {
			s.records[kind] = at.load(s.slots[kind])
		} else {
			s.records[kind].partial = at.forgotten > 0
		}
	}
}
