package verify

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// agrees reports whether nothing that is known is in the way of the delivery. It
// collects what is known in the scratch.
func (k *Checker) agrees(s *scratch) bool {
	own := &s.records[s.p.own]
	if own.seen.Contradicts(s.edge) != nil {
		return false
	}
	if s.again = own.seen.Has(s.edge) && k.known(s); s.again {
		return true
	}
	for kind := range s.records {
		if s.slots[kind] != noSlot && !k.chain(s, kind) {
			return false
		}
	}
	s.news = s.tellsNews()
	for i := range s.found {
		if e := &s.found[i]; s.news && !s.undisturbed(e) || s.excludes(e) {
			return false
		}
	}
	return s.holds()
}

// known reports whether the very same was delivered before.
func (k *Checker) known(s *scratch) bool {
	for at := s.records[s.p.own].last; at != nowhere; {
		if !slices.Contains(s.locked, at.shard()) {
			return false
		}
		e, ok := k.entry(at, s.hashes[s.p.own])
		if !ok {
			return false
		}
		if e.p == s.p && s.draft.same(&e) && s.sameSubjects(&e) {
			return true
		}
		at = e.previous(s.p.own)
	}
	return false
}

// sameSubjects reports whether an entry names all subjects that the delivery does.
func (s *scratch) sameSubjects(e *entry) bool {
	for kind, named := range s.named {
		if hash, ok := e.names(kind); named && (!ok || hash != s.hashes[kind]) {
			return false
		}
	}
	return true
}

func (s *scratch) tellsNews() bool {
	for i := range s.p.kept {
		if x := &s.p.kept[i]; x.kind >= 0 && s.isNew(x.fact) {
			return true
		}
	}
	return false
}

func (s *scratch) isNew(f int) bool { return s.facts[f].code != noCode && !s.facts[f].told }

// chain follows the deliveries about one subject, the newest first.
func (k *Checker) chain(s *scratch, kind int) bool {
	left := int(s.records[kind].count)
	for i := range s.found {
		if s.found[i].about(kind) {
			left--
		}
	}
	for at := s.records[kind].last; at != nowhere && left > 0; {
		if !slices.Contains(s.locked, at.shard()) {
			return false // it is about another subject besides
		}
		e, ok := k.entry(at, s.hashes[kind])
		if !ok {
			return true
		}
		at = e.previous(kind)
		if slices.Contains(s.seen, e.at) {
			continue
		}
		if len(s.found) == maxRelated || e.p.unusual || !s.sameAs(&e) {
			return false
		}
		s.found, s.seen = append(s.found, e), append(s.seen, e.at)
		left--
	}
	return true
}

// sameAs reports whether an earlier delivery is about the same subjects, and says
// the same of them, which is taken note of.
func (s *scratch) sameAs(e *entry) bool {
	for kind, mine := range s.named {
		hash, ok := e.names(kind)
		if ok && mine && hash != s.hashes[kind] {
			return false
		}
		s.both[kind] = ok && mine
	}
	for c := e.cursor(); c.next(); {
		x := &e.p.kept[c.i]
		if x.kind < 0 || !s.both[x.kind] {
			continue
		}
		known := &s.facts[x.fact]
		if known.code != c.code && known.code != noCode || c.code == opaqueCode {
			return false
		}
		known.code, known.told = c.code, true
	}
	return true
}

// undisturbed reports whether what an earlier delivery demands stays true with what
// the new one tells. What was known before was judged before.
func (s *scratch) undisturbed(e *entry) bool {
	for i := range e.p.demands {
		d := &e.p.demands[i]
		if d.never >= 0 || !s.tells(d.a) && !s.tells(d.b) || !d.applies(e.code) {
			continue
		}
		a, okA := s.of(e, d.a)
		b, okB := s.of(e, d.b)
		if !okA || !okB || !d.holds(a, b) {
			return false
		}
	}
	return true
}

func (s *scratch) tells(x side) bool { return x.kind >= 0 && s.isNew(x.fact) }

// of finds one side of what an earlier delivery demands, noCode when it is
// unknown; ok is false when that is not said, for it is about a subject that the
// new delivery does not name.
func (s *scratch) of(e *entry, x side) (c code, ok bool) {
	switch {
	case x.field >= 0:
		return e.code(x.field), true
	case x.kind < 0:
		return noCode, true
	case !e.about(x.kind):
		return noCode, true
	case !s.named[x.kind]:
		return noCode, false
	}
	return s.facts[x.fact].code, true
}

// excludes reports whether the new delivery and an earlier one report states that
// exclude each other.
func (s *scratch) excludes(e *entry) bool {
	return slices.Contains(s.p.nevers, e.p.index) || slices.Contains(e.p.nevers, s.p.index)
}

// holds reports whether what the new delivery demands is true of all that is
// known.
func (s *scratch) holds() bool {
	own := func(field int) code { return s.codes[field] }
	for i := range s.p.demands {
		if d := &s.p.demands[i]; d.never < 0 && d.applies(own) && !d.holds(s.facts[d.a.fact].code, s.facts[d.b.fact].code) {
			return false
		}
	}
	return true
}

func (d *demand) applies(of func(field int) code) bool {
	for _, w := range d.when {
		if of(w.field) != w.code {
			return false
		}
	}
	return true
}

// holds judges the relation by two codes, neither of which is opaque.
func (d *demand) holds(a, b code) bool {
	switch {
	case a == noCode || b == noCode:
		return true
	case d.rel.Kind == contract.Equal:
		return a == b
	case d.rel.Kind == contract.Different:
		return a != b
	}
	return a.kind() != codeTime || b.kind() != codeTime || a >= b
}
