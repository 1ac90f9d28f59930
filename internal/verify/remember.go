package verify

import "slices"

// remember keeps a delivery that breaks nothing: the scratch holds its codes, its
// subjects and the earlier deliveries about them.
func (k *Checker) remember(s *scratch) {
	for kind, named := range s.named {
		if named && s.slots[kind] == noSlot {
			at := &k.shards[k.shardOf(s.hashes[kind])]
			s.slots[kind] = at.add(kind, s.hashes[kind])
			s.records[kind] = at.load(s.slots[kind])
		}
	}
	own := k.shardOf(s.hashes[s.p.own])
	k.shards[own].covered[s.p.own] = k.shards[own].covered[s.p.own].With(s.edge)
	s.records[s.p.own].seen = s.records[s.p.own].seen.With(s.edge)
	if at := k.enter(s); at != nowhere {
		for kind := range s.records {
			s.records[kind].last = at
			s.records[kind].count++
		}
	}
	for kind, named := range s.named {
		if !named {
			continue
		}
		at := &k.shards[k.shardOf(s.hashes[kind])]
		if at.count == at.limit && at.find(s.hashes[kind]) != s.slots[kind] {
			continue // it was forgotten for the sake of another
		}
		at.save(s.slots[kind], &s.records[kind])
	}
}

// enter makes an entry of the delivery, unless an earlier one says it all.
func (k *Checker) enter(s *scratch) place {
	for kind, named := range s.named {
		if s.before[kind] = s.records[kind].last; named && s.records[kind].count == maxChain {
			return nowhere
		}
	}
	if s.again || k.repeats(s) {
		return nowhere
	}
	s.draft.begin(s.p, s.edge, s.named, s.hashes, s.before)
	s.spare()
	home := k.shardOf(s.hashes[slices.Index(s.named, true)])
	at := s.draft.keep(home, &k.shards[home])
	if at != nowhere {
		k.shards[home].speak(at, k.told.Add(1), s)
	}
	return at
}

// spare leaves out the words of what was told before: those of the first time are
// shown.
func (s *scratch) spare() {
	for i := range s.p.kept {
		if x := &s.p.kept[i]; x.kind >= 0 && s.facts[x.fact].told {
			s.implied[x.field] = true
		}
	}
}

// repeats reports whether an earlier delivery says all that this one does. Where
// this one demands more by its time, the earlier one gets it.
func (k *Checker) repeats(s *scratch) bool {
	if !s.p.plain {
		return false
	}
	for i := range s.found {
		if e := &s.found[i]; e.p == s.p && s.covered(e) && k.sharpen(s, e) {
			return true
		}
	}
	return false
}

// covered reports whether an earlier delivery of the same state says all that
// this one does, but for stamps.
func (s *scratch) covered(e *entry) bool {
	if !s.sameSubjects(e) {
		return false
	}
	i := 0
	for c := e.cursor(); c.next(); i++ {
		for ; i < c.i; i++ {
			if s.codes[i] != noCode {
				return false
			}
		}
		switch x := &s.p.kept[i]; {
		case x.stamp:
			if c.code.kind() != codeTime || s.codes[i].kind() != codeTime {
				return false
			}
		case s.codes[i] != c.code && (s.codes[i] != noCode || x.kind < 0) || c.code == opaqueCode:
			return false
		}
	}
	for ; i < len(s.codes); i++ {
		if s.codes[i] != noCode {
			return false
		}
	}
	return true
}

// sharpen gives an earlier delivery those times of the new one that demand more;
// it fails where that would change another time.
func (k *Checker) sharpen(s *scratch, e *entry) bool {
	for _, st := range s.p.stamps {
		mine, theirs := s.codes[st.field], e.code(st.field)
		if mine == theirs || mine < theirs != st.earliest {
			continue
		}
		words, ok := k.words(e)
		if e.anchored() || ok && len(words[s.p.kept[st.field].field]) > 0 {
			return false
		}
		e.overwrite(st.field, mine)
	}
	return true
}
