package verify

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// The layout of an entry: the state and the edge, a byte for each kind of subject,
// the hash of each subject if there are several, the place of the entry before
// about each that has one, a nibble for each kept field, and the codes.
const (
	edgeBits = 6 // contract.Edges is as wide

	unnamed, namedFirst, namedAgain = 0, 1, 2

	absentNibble  = 0
	digestNibble  = 1
	timeNibble    = 2
	sameNibble    = 3 // as the last time before
	nullNibble    = 4
	opaqueNibble  = 5
	literalNibble = 8 // and which of the known values

	digestBytes = 4
	timeBytes   = timeBits / 8
)

// entry is one remembered delivery. Its bytes are part of the memory: who overwrites
// them changes what is remembered.
type entry struct {
	at   place
	p    *plan
	edge int
	b    []byte
	// Where in b the parts begin; kinds is where the first stands.
	kinds, hashes, before, nibbles, codes int
	only                                  uint64 // the hash where b has none
}

// entry reads the entry at a place, in the chain of the subject with that hash; ok
// is false when it was forgotten.
func (k *Checker) entry(at place, hash uint64) (e entry, ok bool) {
	b := k.shards[at.shard()].entries.at(at.address())
	if b == nil {
		return entry{}, false
	}
	head, n := binary.Uvarint(b)
	e = entry{at: at, p: k.plan(int(head >> edgeBits)), edge: int(head & (1<<edgeBits - 1)), b: b, kinds: n, only: hash}
	e.hashes = n + len(k.c.Subjects)
	named, again := 0, 0
	for _, x := range b[e.kinds:e.hashes] {
		if x != unnamed {
			named++
		}
		if x == namedAgain {
			again++
		}
	}
	e.before = e.hashes
	if named > 1 {
		e.before += named * hashBytes
	}
	e.nibbles = e.before + again*placeBytes
	e.codes = e.nibbles + (len(e.p.kept)+1)/2
	return e, true
}

// about reports whether the delivery named a subject of a kind.
func (e *entry) about(kind int) bool { return e.b[e.kinds+kind] != unnamed }

// names returns the hash of the subject of a kind; ok is false when there is none.
func (e *entry) names(kind int) (hash uint64, ok bool) {
	switch {
	case !e.about(kind):
		return 0, false
	case e.before == e.hashes:
		return e.only, true
	}
	at := e.hashes
	for _, x := range e.b[e.kinds : e.kinds+kind] {
		if x != unnamed {
			at += hashBytes
		}
	}
	return binary.LittleEndian.Uint64(e.b[at:]), true
}

// previous is the entry before about the subject of a kind.
func (e *entry) previous(kind int) place {
	if e.b[e.kinds+kind] != namedAgain {
		return nowhere
	}
	at := e.before
	for _, x := range e.b[e.kinds : e.kinds+kind] {
		if x == namedAgain {
			at += placeBytes
		}
	}
	return place(uint48(e.b[at:]))
}

// cursor goes through the codes of an entry.
type cursor struct {
	e    *entry
	i    int // of the kept field
	code code
	// literal is which of the known values it is, -1 for none.
	literal int
	at      int  // behind the code
	last    code // time
}

func (e *entry) cursor() cursor { return cursor{e: e, i: -1, at: e.codes} }

// next goes to the next field that the delivery had.
func (c *cursor) next() bool {
	for c.i++; c.i < len(c.e.p.kept); c.i++ {
		if nibble := c.e.b[c.e.nibbles+c.i/2] >> (c.i % 2 * 4) & 15; nibble != absentNibble {
			c.read(nibble)
			return true
		}
	}
	return false
}

func (c *cursor) read(nibble byte) {
	c.literal = -1
	switch nibble {
	case digestNibble:
		c.code = code(codeDigest)<<codeBits | code(binary.LittleEndian.Uint32(c.e.b[c.at:]))
		c.at += digestBytes
	case timeNibble:
		c.code = code(codeTime)<<codeBits | code(uint48(c.e.b[c.at:]))
		c.last = c.code
		c.at += timeBytes
	case sameNibble:
		c.code = c.last
	case nullNibble:
		c.code = nullCode
	case opaqueNibble:
		c.code = opaqueCode
	default:
		c.literal = int(nibble - literalNibble)
		c.code = c.e.p.kept[c.i].known[c.literal].code
	}
}

// code returns the code of a kept field, or noCode.
func (e *entry) code(field int) code {
	c := e.cursor()
	for c.next() {
		if c.i == field {
			return c.code
		}
	}
	return noCode
}

// anchored reports whether a time of the entry stands for another one too.
func (e *entry) anchored() bool {
	return slices.ContainsFunc(e.b[e.nibbles:e.codes], func(b byte) bool { return b&15 == sameNibble || b>>4 == sameNibble })
}

// overwrite changes the time of a kept field, which the entry has as one.
func (e *entry) overwrite(field int, to code) {
	c := e.cursor()
	for c.next() {
		if c.i == field {
			putUint48(e.b[c.at-timeBytes:], to.payload())
		}
	}
}

// draft is an entry that is being made.
type draft struct {
	head   []byte
	nibble []byte
	codes  []byte
}

// begin writes what comes before the fields; before has the newest entry about each
// kind of subject.
func (d *draft) begin(p *plan, edge *contract.Edge, named []bool, hashes []uint64, before []place) {
	d.head = binary.AppendUvarint(d.head[:0], uint64(p.index)<<edgeBits|uint64(edge.Index))
	count := 0
	for kind, is := range named {
		switch {
		case !is:
			d.head = append(d.head, unnamed)
			continue
		case before[kind] == nowhere:
			d.head = append(d.head, namedFirst)
		default:
			d.head = append(d.head, namedAgain)
		}
		count++
	}
	for kind, is := range named {
		if is && count > 1 {
			d.head = binary.LittleEndian.AppendUint64(d.head, hashes[kind])
		}
	}
	for kind, is := range named {
		if is && before[kind] != nowhere {
			d.head = appendUint48(d.head, uint64(before[kind]))
		}
	}
}

// same reports whether an entry of the same state has the very same fields.
func (d *draft) same(e *entry) bool {
	return bytes.HasPrefix(e.b[e.nibbles:], d.nibble) && bytes.HasPrefix(e.b[e.codes:], d.codes)
}

// fields writes the codes.
func (d *draft) fields(codes []code, nibbles []byte) {
	d.nibble, d.codes = d.nibble[:0], d.codes[:0]
	last := noCode
	for i, c := range codes {
		if i%2 == 0 {
			d.nibble = append(d.nibble, 0)
		}
		nibble := nibbles[i]
		switch {
		case nibble == digestNibble:
			d.codes = binary.LittleEndian.AppendUint32(d.codes, uint32(c))
		case nibble == timeNibble && c == last:
			nibble = sameNibble
		case nibble == timeNibble:
			d.codes, last = appendUint48(d.codes, c.payload()), c
		}
		d.nibble[i/2] |= nibble << (i % 2 * 4)
	}
}

// keep writes the draft into a shard.
func (d *draft) keep(shard int, s *shard) place {
	room, _ := s.room()
	a, b := s.entries.write(len(d.head)+len(d.nibble)+len(d.codes), room)
	if a == none {
		return nowhere
	}
	n := copy(b, d.head)
	n += copy(b[n:], d.nibble)
	copy(b[n:], d.codes)
	return placeOf(shard, a)
}

func appendUint48(b []byte, x uint64) []byte {
	return append(b, byte(x), byte(x>>8), byte(x>>16), byte(x>>24), byte(x>>32), byte(x>>40))
}
