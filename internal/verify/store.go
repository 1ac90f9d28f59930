package verify

import (
	"encoding/binary"
	"math/bits"
	"sync"

	"github.com/paytest/paytest/internal/contract"
)

// What is remembered of a subject is a record in a table: the hash that it is
// found by, its edges, and the newest entry about it. An entry is a delivery that
// said something new, as codes of its facts, and leads to the entries before it
// about the same subjects; that is all a verdict needs. The words of the latest
// deliveries are kept beside, only to say in a finding what was told before.
//
// A record takes 16 bytes and a bit for each edge, its place in the table 5, an
// entry with one subject about 25 bytes and one with two about 60. Nothing of it
// holds a pointer.
const (
	// MaxSubjects is how many subjects a Checker remembers. Beyond it the one first
	// heard of longest ago, of those that share its part of the memory, is
	// forgotten: what is told of it later is judged as if it were new, and never
	// called a gap.
	MaxSubjects = 1 << 21
	// MaxKept is how many bytes a Checker remembers subjects and facts in. The facts
	// have what the subjects leave; beyond it the oldest are forgotten, and later ones
	// not compared with them. Which states a subject has been in is remembered for
	// longer, up to MaxSubjects.
	MaxKept = 64_000_000
	// maxChain is how many deliveries about one subject are remembered, but for
	// those that repeat another.
	maxChain = 64

	// wordsShare is the part of the memory that the words of the latest deliveries
	// have.
	wordsShare = 8

	maxShard   = 1 << slotBits // records
	slotBits   = 16
	tagBits    = 15
	used       = 1 << (slotBits + tagBits)
	blockBytes = 8 << 10
	firstIndex = 64
)

// place is where an entry stands: the shard, and the address in its ring.
type place uint64

const (
	placeBytes   = 6
	placeBits    = 8 * placeBytes
	shardBits    = 8
	addressBits  = placeBits - shardBits
	hashBytes    = 8
	recordBytes  = hashBytes + placeBytes + 2 // and the edges
	partialFlag  = 1 << 7
	noSlot       = -1
	nowhere      = place(0)
	maxShards    = 1 << shardBits
	indexPercent = 80
)

func placeOf(shard int, a address) place { return place(shard)<<addressBits | place(a) }

func (p place) shard() int       { return int(p >> addressBits) }
func (p place) address() address { return address(p & (1<<addressBits - 1)) }

// record is what is remembered of a subject when nothing else is.
type record struct {
	hash uint64 // of its kind and identity
	seen contract.Edges
	last place // of the newest entry about it
	kind uint8
	// count is how many entries there are about it.
	count uint8
	// partial is set when earlier deliveries may have been forgotten.
	partial bool
}

// shard is a part of the memory, and has the subjects whose hashes say so. A slot
// is the number of a record in it.
type shard struct {
	mu sync.Mutex

	limit, kept int // records and bytes
	stride      int // of a record

	index     []uint32 // the slots by their hash, and some bits of it; 0 is empty
	blocks    [][]byte // of records
	count     int
	oldest    int // of the records, once there are as many as may be
	forgotten int

	entries ring
	words   ring

	covered []contract.Edges // by kind
}

func newShards(kinds, edges, limit, kept int) []shard {
	n := 1
	for n < maxShards && n*maxShard < limit {
		n *= 2
	}
	out := make([]shard, n)
	for i := range out {
		out[i] = shard{limit: limit / n, kept: kept / n, stride: recordBytes + (edges+7)/8, covered: make([]contract.Edges, kinds)}
	}
	return out
}

func (s *shard) record(slot int) []byte {
	per := blockBytes / s.stride
	return s.blocks[slot/per][slot%per*s.stride:][:s.stride:s.stride]
}

func (s *shard) load(slot int) record {
	b := s.record(slot)
	r := record{
		hash: binary.LittleEndian.Uint64(b), last: place(uint48(b[hashBytes:])),
		kind: b[recordBytes-2], count: b[recordBytes-1] &^ partialFlag, partial: b[recordBytes-1]&partialFlag != 0,
	}
	for i, x := range b[recordBytes:] {
		r.seen |= contract.Edges(x) << (8 * i)
	}
	return r
}

func (s *shard) save(slot int, r *record) {
	b := s.record(slot)
	binary.LittleEndian.PutUint64(b, r.hash)
	putUint48(b[hashBytes:], uint64(r.last))
	b[recordBytes-2], b[recordBytes-1] = r.kind, r.count
	if r.partial {
		b[recordBytes-1] |= partialFlag
	}
	for i := range b[recordBytes:] {
		b[recordBytes+i] = byte(r.seen >> (8 * i))
	}
}

// home is where the index is first looked at for a hash, mark what stands there
// besides the slot.
func (s *shard) home(hash uint64) int {
	at, _ := bits.Mul64(hash, uint64(len(s.index)))
	return int(at)
}

func mark(hash uint64) uint32 { return used | uint32(hash>>shardBits)<<slotBits&(used-1) }

// find returns the slot of a subject, or noSlot.
func (s *shard) find(hash uint64) int {
	if len(s.index) == 0 {
		return noSlot
	}
	want := mark(hash)
	for at := s.home(hash); s.index[at] != 0; at = s.next(at) {
		if x := s.index[at]; x&^(maxShard-1) == want {
			slot := int(x & (maxShard - 1))
			if binary.LittleEndian.Uint64(s.record(slot)) == hash {
				return slot
			}
		}
	}
	return noSlot
}

func (s *shard) next(at int) int {
	if at++; at == len(s.index) {
		return 0
	}
	return at
}

// add remembers a subject that find does not know, forgetting the oldest when
// there are too many.
func (s *shard) add(kind int, hash uint64) (slot int) {
	r := record{hash: hash, kind: uint8(kind), partial: s.forgotten > 0}
	switch {
	case s.count < s.limit:
		slot = s.count
		s.count++
		if slot%(blockBytes/s.stride) == 0 {
			s.blocks = append(s.blocks, nil)
		}
		last := &s.blocks[len(s.blocks)-1]
		*last = grown(*last, s.stride)
	default:
		slot = s.oldest
		s.oldest = (s.oldest + 1) % s.limit
		s.drop(slot)
		s.forgotten++
		r.partial = true
	}
	s.save(slot, &r)
	if s.count*100 > len(s.index)*indexPercent {
		s.rebuild()
	}
	s.enter(slot, hash)
	return slot
}

// grown lengthens a block, which is never longer than blockBytes.
func grown(block []byte, by int) []byte {
	n := len(block)
	if n+by > cap(block) {
		longer := make([]byte, n, min(blockBytes, max(4*n, 4*by)))
		copy(longer, block)
		block = longer
	}
	return block[:n+by]
}

func (s *shard) enter(slot int, hash uint64) {
	at := s.home(hash)
	for s.index[at] != 0 {
		at = s.next(at)
	}
	s.index[at] = mark(hash) | uint32(slot)
}

// rebuild makes the index larger, for all records but the last, which is new.
func (s *shard) rebuild() {
	size := min(2*len(s.index), s.limit*100/indexPercent+1)
	s.index = make([]uint32, max(firstIndex, size))
	for slot := range s.count - 1 {
		s.enter(slot, binary.LittleEndian.Uint64(s.record(slot)))
	}
}

// drop takes the oldest record out of the index, and moves those up that stand behind
// it only because it was there: the index is then as if it had never been entered
// (Knuth, The Art of Computer Programming, section 6.4, algorithm R). That is why the
// oldest always stands at home: of those that are left none was entered before it.
func (s *shard) drop(slot int) {
	hole := s.home(binary.LittleEndian.Uint64(s.record(slot)))
	n := len(s.index)
	for at := s.next(hole); s.index[at] != 0; at = s.next(at) {
		home := s.home(binary.LittleEndian.Uint64(s.record(int(s.index[at] & (maxShard - 1)))))
		if (at-home+n)%n >= (at-hole+n)%n {
			s.index[hole] = s.index[at]
			hole = at
		}
	}
	s.index[hole] = 0
}

// room returns how many chunks there may be of entries and of words.
func (s *shard) room() (entries, words int) {
	words = s.kept / wordsShare / chunkBytes
	table := len(s.blocks)*blockBytes + 4*len(s.index)
	return (s.kept-table)/chunkBytes - words, words
}

func uint48(b []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint16(b[4:]))<<32
}

func putUint48(b []byte, x uint64) {
	binary.LittleEndian.PutUint32(b, uint32(x))
	binary.LittleEndian.PutUint16(b[4:], uint16(x>>32))
}
