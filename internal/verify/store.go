package verify

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/paytest/paytest/internal/contract"
)

const (
	// MaxSubjects is how many subjects a Checker remembers. Beyond it the one first
	// heard of longest ago is forgotten: what is told of it later is judged as if
	// it were new, and never called a gap.
	MaxSubjects = 1 << 20
	// MaxKept is how many bytes of facts a Checker remembers. Beyond it the oldest
	// are forgotten, and later ones not compared with them; which states a subject
	// has been in is remembered for longer, up to MaxSubjects.
	MaxKept = 64 << 20
	// maxChain is how many deliveries about one subject are remembered, but for
	// those that repeat another.
	maxChain = 64

	chunkBits  = 18
	chunkBytes = 1 << chunkBits
	none       = address(0)
)

// address says where an entry stands: the number of its chunk, counted from 1,
// and its offset there.
type address uint64

// record is what is remembered of a subject when nothing else is.
type record struct {
	hash uint64 // of its kind and identity
	seen contract.Edges
	last address // of the newest entry about it
	kind uint8
	// count is how many entries there are about it.
	count uint8
	// partial is set when earlier deliveries may have been forgotten.
	partial bool
}

// store remembers subjects and the facts that deliveries told. An entry is a
// delivery: its state and edge, for each kind of subject the entry before about
// the same one, and the fields' tokens.
type store struct {
	kinds int
	seed  maphash.Seed
	limit int // of records

	index     map[uint64]uint32
	records   []record
	oldest    int // of the records, once there are as many as may be
	forgotten int

	chunks [][]byte // a ring of maxChunks
	chunk  uint64   // the newest, counted from 1
	used   int      // of the newest
}

func newStore(kinds, limit, kept int) *store {
	return &store{kinds: kinds, seed: maphash.MakeSeed(), limit: limit, index: map[uint64]uint32{}, chunks: make([][]byte, max(2, kept/chunkBytes))}
}

// hash identifies a subject; id is its token, in one case of letters.
func (s *store) hash(kind int, id []byte) uint64 {
	return maphash.Bytes(s.seed, id) + uint64(kind)*0x9e3779b97f4a7c15
}

// find returns what is remembered of a subject, or nil. The record stays where
// it is until the next call of add.
func (s *store) find(hash uint64) *record {
	if i, ok := s.index[hash]; ok {
		return &s.records[i]
	}
	return nil
}

// add remembers a subject, forgetting the oldest when there are too many.
func (s *store) add(kind int, hash uint64) *record {
	r := record{hash: hash, kind: uint8(kind), partial: s.forgotten > 0}
	if len(s.records) < s.limit {
		s.records = append(s.records, r)
		s.index[hash] = uint32(len(s.records) - 1)
		return &s.records[len(s.records)-1]
	}
	at := s.oldest
	s.oldest = (s.oldest + 1) % s.limit
	delete(s.index, s.records[at].hash)
	s.forgotten++
	r.partial = true
	s.records[at] = r
	s.index[hash] = uint32(at)
	return &s.records[at]
}

// The layout of an entry: state, edge, number of tokens, the addresses of the
// entries before, the ends of the tokens, the tokens.
const (
	entryHead  = 4
	prevBytes  = 8
	endBytes   = 4
	maxEntry   = chunkBytes / 4
	tokenLimit = 2 + maxValue // a string with its quotes
)

// entry is one remembered delivery.
type entry struct {
	b     []byte
	kinds int
}

func (e entry) state() int  { return int(e.b[0]) | int(e.b[1])<<8 }
func (e entry) edge() int   { return int(e.b[2]) }
func (e entry) fields() int { return int(e.b[3]) }

func (e entry) before(kind int) address {
	return address(binary.LittleEndian.Uint64(e.b[entryHead+kind*prevBytes:]))
}

// token returns a field's value as JSON, or nothing when the delivery did not
// have it. It is part of the store: who overwrites it changes what is remembered.
func (e entry) token(field int) []byte {
	ends := e.b[entryHead+e.kinds*prevBytes:]
	start := uint32(0)
	if field > 0 {
		start = binary.LittleEndian.Uint32(ends[(field-1)*endBytes:])
	}
	end := binary.LittleEndian.Uint32(ends[field*endBytes:])
	return ends[e.fields()*endBytes:][start:end]
}

// at returns the entry at an address; ok is false when it was forgotten.
func (s *store) at(a address) (e entry, ok bool) {
	chunk := uint64(a) >> chunkBits
	if a == none || chunk+uint64(len(s.chunks)) <= s.chunk {
		return entry{}, false
	}
	return entry{s.chunks[chunk%uint64(len(s.chunks))][uint64(a)%chunkBytes:], s.kinds}, true
}

// keep remembers a delivery. An entry that would be larger than a quarter of a
// chunk is not kept.
func (s *store) keep(state, edge int, before []address, tokens [][]byte) address {
	size := entryHead + s.kinds*prevBytes + len(tokens)*endBytes
	for _, t := range tokens {
		size += len(t)
	}
	if size > maxEntry || state > 0xffff || len(tokens) > 0xff {
		return none
	}
	if s.chunk == 0 || s.used+size > chunkBytes {
		s.chunk++
		s.used = 0
		if at := s.chunk % uint64(len(s.chunks)); s.chunks[at] == nil {
			s.chunks[at] = make([]byte, chunkBytes)
		}
	}
	b := s.chunks[s.chunk%uint64(len(s.chunks))][s.used:s.used]
	a := address(s.chunk<<chunkBits | uint64(s.used))
	s.used += size
	b = append(b, byte(state), byte(state>>8), byte(edge), byte(len(tokens)))
	for _, p := range before {
		b = binary.LittleEndian.AppendUint64(b, uint64(p))
	}
	end := uint32(0)
	for _, t := range tokens {
		end += uint32(len(t))
		b = binary.LittleEndian.AppendUint32(b, end)
	}
	for _, t := range tokens {
		b = append(b, t...)
	}
	return a
}
