package verify

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
)

// explained judges a delivery by the history of its subjects, for which it locks
// all of the memory.
func (k *Checker) explained(v *Verdict) {
	s := k.borrow()
	defer k.giveBack(s)
	k.take(s, v)
	k.lock(s)
	defer k.unlock(s)
	k.look(s)
	h := k.history(s, v)
	h.observe(v)
	if v.OK() {
		k.remember(s)
	}
}

// take puts a verdict's values into the scratch.
func (k *Checker) take(s *scratch, v *Verdict) {
	s.p, s.edge, s.raw = k.plan(k.places[v.State]), v.Edge, nil
	s.at = make([]schema.Slot, len(s.p.st.Fields()))
	for _, x := range v.values {
		field := slices.IndexFunc(s.p.st.Fields(), func(f contract.Field) bool { return slices.Equal(f.Pointer, x.field.Pointer) })
		start := len(s.raw)
		s.raw = append(s.raw, tokenOf(x.v)...)
		s.at[field] = schema.Slot{Start: start, End: len(s.raw)}
	}
	k.identify(s)
	k.encode(s)
	s.again, s.locked = false, s.locked[:0]
	for i := range k.shards {
		s.locked = append(s.locked, i)
	}
}

const tokenLimit = 2 + maxValue // a string with its quotes

// tokenOf is a value as it is remembered; long lists are not.
func tokenOf(v jsondoc.Value) []byte {
	t := bounded(v).AppendLiteral(nil)
	if (v.Kind == jsondoc.Array || v.Kind == jsondoc.Object) && len(t) > tokenLimit {
		return nil
	}
	return t
}

// past is a delivery as it is remembered: its entry, and its words unless they are
// forgotten.
type past struct {
	entry

	number uint64
	words  [][]byte
}

func (e *past) word(field int) []byte { return e.words[field] }

// history is what is remembered of the subjects of a verdict, and of those that
// were reported together with them. The scratch holds the verdict's tokens.
func (k *Checker) history(s *scratch, v *Verdict) *history {
	h := &history{c: k.c, subjects: map[key]*subject{}, coder: &k.coder}
	all, known := k.related(s)
	names := map[uint64]key{}
	for kind, named := range s.named {
		if named {
			names[s.hashes[kind]] = k.key(kind, s.id(kind))
		}
	}
	for i := range all {
		s.found = append(s.found, all[i].entry)
		k.call(&all[i], names)
	}
	for i := range all {
		then := k.past(&all[i])
		var parties []*subject
		for kind := range k.c.Subjects {
			if hash, ok := all[i].names(kind); ok {
				parties = append(parties, h.subject(names[hash]))
			}
		}
		h.record(then, partyOf(parties, then.State.Subject), parties)
	}
	for _, party := range h.parties(v) {
		h.subjects[party.key] = party
	}
	for hash, name := range names {
		if r := known[hash]; r.hash == hash {
			h.subjects[name].seen, h.subjects[name].partial = r.seen, r.partial
		}
	}
	for kind, named := range s.named {
		if named && s.slots[kind] == noSlot {
			h.subjects[names[s.hashes[kind]]].partial = s.records[kind].partial
		}
	}
	h.strict = k.strict
	return h
}

// related finds the deliveries about the scratch's subjects, about those reported
// together with them, and so on; the oldest first. With them come the records.
func (k *Checker) related(s *scratch) ([]past, map[uint64]record) {
	known := map[uint64]record{}
	var open []uint64
	enter := func(hash uint64) {
		if _, done := known[hash]; done {
			return
		}
		at := &k.shards[k.shardOf(hash)]
		if slot := at.find(hash); slot != noSlot {
			known[hash] = at.load(slot)
			open = append(open, hash)
		}
	}
	for kind, named := range s.named {
		if named {
			enter(s.hashes[kind])
		}
	}
	var all []past
	seen := map[place]bool{}
	for ; len(open) > 0; open = open[1:] {
		r := known[open[0]]
		for at := r.last; at != nowhere && len(all) < maxRelated; {
			e, ok := k.entry(at, r.hash)
			if !ok {
				break
			}
			at = e.previous(int(r.kind))
			if seen[e.at] {
				continue
			}
			seen[e.at] = true
			_, number := k.shards[e.at.shard()].spoken(e.at)
			words, _ := k.words(&e)
			all = append(all, past{e, number, words})
			for kind := range k.c.Subjects {
				if hash, ok := e.names(kind); ok {
					enter(hash)
				}
			}
		}
	}
	// Those without words are older, and of those of one shard the order is known.
	sort.Slice(all, func(i, j int) bool {
		return cmp.Or(cmp.Compare(all[i].number, all[j].number), cmp.Compare(all[i].at, all[j].at)) < 0
	})
	return all, known
}

// key names a subject by the token that identifies it.
func (k *Checker) key(kind int, id []byte) key {
	return key{k.c.Subjects[kind], identity(k.c.Subjects[kind], decoded(id))}
}

// call gives the subjects of an entry names, which its words know.
func (k *Checker) call(e *past, names map[uint64]key) {
	for kind, of := range k.c.Subjects {
		hash, ok := e.names(kind)
		if _, done := names[hash]; !ok || done {
			continue
		}
		names[hash] = key{of, fmt.Sprintf("(forgotten %d)", len(names))}
		if e.words != nil {
			names[hash] = k.key(kind, e.words[e.p.id(kind, e.word)])
		}
	}
}

// past is a delivery as it is remembered.
func (k *Checker) past(e *past) *Verdict {
	v := &Verdict{Event: e.p.st.Event, State: e.p.st, Edge: e.p.st.Subject.Edges[e.edge]}
	for c := e.cursor(); c.next(); {
		field := e.p.kept[c.i].field
		x := value{field: &e.p.st.Fields()[field]}
		switch {
		case e.words != nil && len(e.words[field]) > 0:
			x.v = decoded(e.words[field])
		case c.code.kind() == codeTime:
			at := time.UnixMilli(int64(c.code.payload()) + yearZero)
			x.v = jsondoc.StringValue(at.UTC().Format(payment.TimeLayout))
		case c.code == nullCode: // as which it begins
		case c.literal >= 0:
			x.v = e.p.kept[c.i].known[c.literal].v
		default:
			x.lost = c.code
		}
		v.values = append(v.values, x)
	}
	return v
}
