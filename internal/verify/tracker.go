package verify

import (
	"bytes"
	"slices"
	"sync"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
)

// maxRelated is how many deliveries a new one is held against at the most, when
// it is judged the long way.
const maxRelated = 4 * maxChain

// Checker judges deliveries one by one and remembers what it needs to judge
// them together. It is safe for concurrent use.
//
// A delivery that repeats or continues what is known is judged by its bytes
// alone. Whatever is unusual about it is left to a history, which is made of what
// is remembered of its subjects, and which can say what is wrong.
type Checker struct {
	c      *contract.Contract
	strict Strict
	plans  []*plan
	places map[*contract.State]int

	mu      sync.Mutex
	store   *store
	covered []contract.Edges
	scratch scratch
}

// scratch is what judging one delivery takes; it is used again for the next.
type scratch struct {
	tokens [][]byte // of the fields
	ids    [][]byte // of each kind of subject, nil for none
	hashes []uint64
	before []address
	seen   []address
	found  []entry
	facts  [][]byte // by the facts' index
	lower  []byte
}

// NewChecker returns a Checker that has seen nothing.
func NewChecker(c *contract.Contract, strict Strict) *Checker {
	return newChecker(c, strict, MaxSubjects, MaxKept)
}

func newChecker(c *contract.Contract, strict Strict, limit, kept int) *Checker {
	kinds := len(c.Subjects)
	k := &Checker{
		c: c, strict: strict, plans: newPlans(c), places: map[*contract.State]int{},
		store: newStore(kinds, limit, kept), covered: make([]contract.Edges, kinds),
		scratch: scratch{ids: make([][]byte, kinds), hashes: make([]uint64, kinds), before: make([]address, kinds), facts: make([][]byte, len(c.Facts))},
	}
	for i, p := range k.plans {
		k.places[p.st] = i
	}
	return k
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
		k.mu.Lock()
		defer k.mu.Unlock()
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
	p := k.plans[k.places[st]]
	a := st.Acceptor(k.c.Envelope)
	if a == nil || p.unusual {
		return v, false
	}
	slots := make([]schema.Slot, len(st.Fields))
	if !a.Accept(raw, slots) {
		return v, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.tokens(raw, slots) || !k.usual(p) {
		return v, false
	}
	edge := k.edge(p)
	if edge == nil || !k.identify(p) || !k.agrees(p, edge) {
		return v, false
	}
	id := k.scratch.ids[p.own]
	v = Verdict{Event: st.Event, State: st, Edge: edge, ID: string(id[1 : len(id)-1]), raw: raw, slots: slots}
	if p.previous >= 0 {
		if v.Previous = edge.From.Wire; v.Previous == "" {
			v.Previous = "null"
		}
	}
	own := subject{key: key{st.Subject, v.ID}, partial: k.store.forgotten > 0}
	if r := k.store.find(k.scratch.hashes[p.own]); r != nil {
		own.seen, own.partial = r.seen, r.partial
	}
	v.notes(&own)
	if k.strict.tighten(&v); v.OK() {
		k.remember(p, edge)
	}
	return v, true
}

// tokens takes the fields' values; it gives up on long ones, which are
// remembered by their hash, and on lists.
func (k *Checker) tokens(raw []byte, slots []schema.Slot) bool {
	t := k.scratch.tokens[:0]
	for _, s := range slots {
		token := raw[s.Start:s.End]
		if len(token) > tokenLimit || len(token) > 0 && (token[0] == '[' || token[0] == '{') {
			return false
		}
		t = append(t, token)
	}
	k.scratch.tokens = t
	return true
}

// usual reports whether the values are those that documents name, and no fact
// is told twice, differently.
func (k *Checker) usual(p *plan) bool {
	t := k.scratch.tokens
	for _, n := range p.named {
		if len(t[n.field]) > 0 && !slices.Contains(n.tokens, string(t[n.field])) {
			return false
		}
	}
	for _, pair := range p.twins {
		if a, b := t[pair[0]], t[pair[1]]; len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b) {
			return false
		}
	}
	return true
}

func (k *Checker) edge(p *plan) *contract.Edge {
	if p.previous < 0 {
		return p.moves[0].edge
	}
	for _, m := range p.moves {
		if string(k.scratch.tokens[p.previous]) == m.token {
			return m.edge
		}
	}
	return nil
}

// identify finds the subjects the delivery is about; it gives up when its own
// has no name.
func (k *Checker) identify(p *plan) bool {
	for kind := range p.ids {
		id := p.id(kind, func(field int) []byte { return k.scratch.tokens[field] })
		if k.scratch.ids[kind] = id; id != nil {
			k.scratch.hashes[kind] = k.hash(kind, id)
		}
	}
	own := k.scratch.ids[p.own]
	return len(own) > 2 && own[0] == '"'
}

// id returns the token that identifies a kind of subject, nil for none.
func (p *plan) id(kind int, token func(field int) []byte) []byte {
	for _, field := range p.ids[kind] {
		if t := token(field); len(t) > 0 && string(t) != "null" {
			return t
		}
	}
	return nil
}

func (k *Checker) hash(kind int, id []byte) uint64 {
	if k.c.Subjects[kind].ID.Compare == contract.Caseless {
		k.scratch.lower = append(k.scratch.lower[:0], id...)
		id = lower(k.scratch.lower)
	}
	return k.store.hash(kind, id)
}

// lower puts ASCII letters into lower case; it gives up on others, whose case is
// not one byte's.
func lower(b []byte) []byte {
	for i, c := range b {
		switch {
		case 'A' <= c && c <= 'Z':
			b[i] = c + 'a' - 'A'
		case c >= 0x80:
			return bytes.ToLower(b)
		}
	}
	return b
}

// agrees reports whether nothing that is known is in the way of the delivery. It
// collects what is known in the scratch.
func (k *Checker) agrees(p *plan, edge *contract.Edge) bool {
	s := &k.scratch
	if r := k.store.find(s.hashes[p.own]); r != nil && r.seen.Contradicts(edge) != nil {
		return false
	}
	s.seen, s.found = s.seen[:0], s.found[:0]
	clear(s.facts)
	k.gather(p, func(field int) []byte { return s.tokens[field] })
	for kind, id := range s.ids {
		if id == nil {
			continue
		}
		if r := k.store.find(s.hashes[kind]); r != nil && !k.chain(p, kind, r.last) {
			return false
		}
	}
	for _, e := range s.found {
		if !k.holds(k.plans[e.state()], p, e.token) {
			return false
		}
	}
	return k.holds(p, nil, func(field int) []byte { return s.tokens[field] })
}

// chain follows the deliveries about one subject, the newest first.
func (k *Checker) chain(p *plan, kind int, a address) bool {
	s := &k.scratch
	for {
		e, ok := k.store.at(a)
		if !ok {
			return true
		}
		if !slices.Contains(s.seen, a) {
			if len(s.seen) == maxRelated || !k.sameAs(p, e) {
				return false
			}
			s.seen, s.found = append(s.seen, a), append(s.found, e)
			k.gather(k.plans[e.state()], e.token)
		}
		a = e.before(kind)
	}
}

// sameAs reports whether an earlier delivery is about the same subjects, and
// says the same of them.
func (k *Checker) sameAs(p *plan, e entry) bool {
	s, other := &k.scratch, k.plans[e.state()]
	for kind, mine := range s.ids {
		if theirs := other.id(kind, e.token); mine != nil && theirs != nil && !bytes.Equal(mine, theirs) {
			return false
		}
	}
	for _, x := range p.shared[e.state()] {
		mine, theirs := s.tokens[x.mine], e.token(x.theirs)
		if len(mine) > 0 && len(theirs) > 0 && s.ids[x.kind] != nil && !bytes.Equal(mine, theirs) {
			return false
		}
	}
	return true
}

// gather takes note of the facts that relations ask for.
func (k *Checker) gather(p *plan, token func(field int) []byte) {
	for _, n := range p.needed {
		if t := token(n.field); len(t) > 0 && p.id(n.kind, token) != nil {
			k.scratch.facts[n.fact] = t
		}
	}
}

// holds reports whether what one delivery demands is true of all that is known.
// newest is the plan of the delivery being judged, unless it is the one that
// demands.
func (k *Checker) holds(p, newest *plan, token func(field int) []byte) bool {
	for i := range p.demands {
		d := &p.demands[i]
		if !d.applies(token) {
			continue
		}
		if d.never >= 0 {
			excluded := func(e entry) bool { return e.state() == d.never }
			if newest != nil && newest.index == d.never || slices.ContainsFunc(k.scratch.found, excluded) {
				return false
			}
			continue
		}
		a, b := k.value(d.a, token), k.value(d.b, token)
		if len(a) > 0 && len(b) > 0 && !holdsOf(d.rel, a, b) {
			return false
		}
	}
	return true
}

func (d *demand) applies(token func(field int) []byte) bool {
	for _, w := range d.when {
		if string(token(w.field)) != w.tokens[0] {
			return false
		}
	}
	return true
}

func (k *Checker) value(s side, token func(field int) []byte) []byte {
	if s.field >= 0 {
		return token(s.field)
	}
	return k.scratch.facts[s.fact]
}

// holdsOf judges a relation by two tokens.
func holdsOf(rel *contract.Relation, a, b []byte) bool {
	switch {
	case rel.Kind == contract.Equal && bytes.Equal(a, b):
		return true
	case rel.Kind == contract.NotBefore && plainTime(a) && plainTime(b):
		return bytes.Compare(a, b) >= 0
	}
	return holds(rel, decoded(a), decoded(b))
}

// plainTime reports whether a token is a time such as "2025-09-05T10:30:00.000Z"
// without a leap second: of two such times, the one that comes first is the
// smaller text.
func plainTime(t []byte) bool {
	const form = `"0000-00-00T00:00:00.000Z"`
	if len(t) != len(form) || t[18] == '6' {
		return false
	}
	for i := range t {
		if c := t[i]; c != form[i] && (form[i] != '0' || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// decoded is the value of a token.
func decoded(t []byte) jsondoc.Value {
	v, err := jsondoc.Parse(t)
	if err != nil {
		return jsondoc.Value{Kind: jsondoc.Number, Text: string(t)} // a long number's hash
	}
	return v
}

// remember keeps a delivery that breaks nothing: the scratch holds its tokens,
// its subjects and the earlier deliveries about them.
func (k *Checker) remember(p *plan, edge *contract.Edge) {
	s := &k.scratch
	for kind, id := range s.ids {
		if id != nil && k.store.find(s.hashes[kind]) == nil {
			k.store.add(kind, s.hashes[kind])
		}
	}
	k.covered[p.own] = k.covered[p.own].With(edge)
	own := k.store.find(s.hashes[p.own])
	if own == nil {
		return // there is room for fewer subjects than one delivery names
	}
	own.seen = own.seen.With(edge)
	if k.repeats(p) {
		return
	}
	for kind, id := range s.ids {
		s.before[kind] = none
		if r := k.store.find(s.hashes[kind]); id != nil && r != nil {
			if s.before[kind] = r.last; r.count == maxChain {
				return
			}
		}
	}
	a := k.store.keep(p.index, edge.Index, s.before, s.tokens)
	for kind, id := range s.ids {
		if r := k.store.find(s.hashes[kind]); id != nil && r != nil && a != none {
			r.last = a
			r.count++
		}
	}
}

// repeats reports whether an earlier delivery says all that this one does. Where
// this one demands more by its time, the earlier one gets it.
func (k *Checker) repeats(p *plan) bool {
	if !p.plain {
		return false
	}
	for _, e := range k.scratch.found {
		if e.state() == p.index && k.covers(p, e) {
			for _, st := range p.stamps {
				mine, theirs := k.scratch.tokens[st.field], e.token(st.field)
				if earlier := payment.Before(decoded(mine), decoded(theirs)); earlier == st.earliest && !bytes.Equal(mine, theirs) {
					copy(theirs, mine)
				}
			}
			return true
		}
	}
	return false
}

// covers reports whether an earlier delivery of the same state says all that
// this one does, but for stamps, which are as long.
func (k *Checker) covers(p *plan, e entry) bool {
	for i, t := range k.scratch.tokens {
		theirs := e.token(i)
		stamped := slices.ContainsFunc(p.stamps, func(s stamp) bool { return s.field == i })
		switch f := p.st.Fields[i].Fact; {
		case stamped && len(t) != len(theirs):
			return false
		case f.Scope != nil && !bytes.Equal(t, theirs) && len(t) > 0:
			return false
		}
	}
	return true
}
