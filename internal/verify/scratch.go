package verify

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/schema"
)

// scratch is what judging one delivery takes; it is used again for the next.
type scratch struct {
	p     *plan
	edge  *contract.Edge
	raw   []byte
	at    []schema.Slot // of the fields, in raw
	codes []code        // of the kept fields
	// nibbles say how the codes are written, implied by field what they imply.
	nibbles []byte
	implied []bool

	// By kind of subject: whether the delivery names one, its token, its hash, its
	// slot and its record; and the newest entry about it.
	named   []bool
	both    []bool // whether an entry names one too
	ids     []schema.Slot
	hashes  []uint64
	slots   []int
	records []record
	before  []place

	locked []int // shards, ascending
	found  []entry
	seen   []place // where the entries found stand
	facts  []fact  // by the facts' index
	news   bool    // whether the delivery tells any
	again  bool    // whether the very same was delivered before
	draft  draft
	lower  []byte
}

// fact is what is known of a fact of the subjects at hand.
type fact struct {
	code code
	told bool // before, and not only now
}

// token is a field's value as JSON, empty when the delivery does not have it.
func (s *scratch) token(field int) []byte { return s.raw[s.at[field].Start:s.at[field].End] }

// id is the token that identifies a kind of subject, empty for none.
func (s *scratch) id(kind int) []byte { return s.raw[s.ids[kind].Start:s.ids[kind].End] }

// begin takes the fields' values; it gives up on long ones, which are remembered
// by their hash, and on lists.
func (s *scratch) begin(p *plan, raw []byte, slots []schema.Slot) bool {
	s.p, s.edge, s.raw, s.at = p, nil, raw, slots
	for _, at := range slots {
		if at.End-at.Start > tokenLimit || at.End > at.Start && (raw[at.Start] == '[' || raw[at.Start] == '{') {
			return false
		}
	}
	return true
}

// usual finds the edge. It gives up on values that documents do not name, and on
// facts that are told twice, differently.
func (s *scratch) usual() bool {
	for i := range s.p.named {
		n := &s.p.named[i]
		if t := s.token(n.field); len(t) > 0 && !slices.Contains(n.tokens, string(t)) {
			return false
		}
	}
	for _, pair := range s.p.twins {
		if a, b := s.token(pair[0]), s.token(pair[1]); len(a) > 0 && len(b) > 0 && !bytes.Equal(a, b) {
			return false
		}
	}
	for _, m := range s.p.moves {
		if s.p.previous < 0 || string(s.token(s.p.previous)) == m.token {
			s.edge = m.edge
			return true
		}
	}
	return false
}

// identify finds the subjects the delivery is about; it gives up when its own
// has no name.
func (k *Checker) identify(s *scratch) bool {
	s.locked = s.locked[:0]
	for kind := range s.ids {
		field := s.p.id(kind, s.token)
		if s.named[kind] = field >= 0; field < 0 {
			s.ids[kind] = schema.Slot{}
			continue
		}
		s.ids[kind] = s.at[field]
		s.hashes[kind] = k.hash(s, kind, s.id(kind))
		if at := k.shardOf(s.hashes[kind]); !slices.Contains(s.locked, at) {
			s.locked = append(s.locked, at)
		}
	}
	slices.Sort(s.locked)
	own := s.id(s.p.own)
	return len(own) > 2 && own[0] == '"'
}

// id returns the field that identifies a kind of subject, -1 for none.
func (p *plan) id(kind int, token func(field int) []byte) int {
	for _, field := range p.ids[kind] {
		if t := token(field); len(t) > 0 && string(t) != "null" {
			return field
		}
	}
	return -1
}

func (k *Checker) shardOf(hash uint64) int { return int(hash) & (len(k.shards) - 1) }

// hash identifies a subject; id is its token.
func (k *Checker) hash(s *scratch, kind int, id []byte) uint64 {
	if k.c.Subjects[kind].ID.Compare == contract.Caseless {
		folded, ok := lower(s.lower[:0], id)
		if !ok {
			folded = bytes.ToLower(id)
		}
		s.lower, id = folded, folded
	}
	return maphash.Bytes(k.coder.seed, id) + uint64(kind)*0x9e3779b97f4a7c15
}

// encode makes the codes of what is to be remembered, of each fact once; it gives
// up on values that have none.
func (k *Checker) encode(s *scratch) (ok bool) {
	clear(s.facts)
	s.codes, s.nibbles = s.codes[:0], s.nibbles[:0]
	s.implied = slices.Grow(s.implied[:0], len(s.at))[:len(s.at)]
	clear(s.implied)
	ok = true
	last, lastToken := noCode, []byte(nil)
	for i := range s.p.kept {
		x := &s.p.kept[i]
		known := &s.facts[x.fact]
		c, nibble, token := noCode, byte(absentNibble), s.token(x.field)
		switch {
		case len(token) == 0 || known.code != noCode:
			s.implied[x.field] = true
		case x.like == asTime && last != noCode && bytes.Equal(token, lastToken):
			c, nibble, s.implied[x.field] = last, timeNibble, isPlain(token)
		default:
			if c, nibble, s.implied[x.field] = k.coder.write(x, token); nibble == timeNibble {
				last, lastToken = c, token
			}
			ok = ok && c != opaqueCode
		}
		if c != noCode && (x.kind < 0 || s.named[x.kind]) {
			known.code = c
		}
		s.codes, s.nibbles = append(s.codes, c), append(s.nibbles, nibble)
	}
	s.draft.fields(s.codes, s.nibbles)
	return ok
}
