package verify

import (
	"math"
	"slices"
	"testing"

	"github.com/paytest/paytest/internal/contract"
)

// TestShards: the memory has as many parts as its records need, which share it.
func TestShards(t *testing.T) {
	for _, x := range []struct{ kinds, edges, limit, kept, parts, each, bytes, stride int }{
		{2, 7, 1, 100, 1, 1, 100, recordBytes + 1},
		{2, 8, maxShard, 1 << 20, 1, maxShard, 1 << 20, recordBytes + 1},
		{2, 9, maxShard + 1, 1 << 20, 2, maxShard / 2, 1 << 19, recordBytes + 2},
		{1, 0, 2 * maxShard, 1 << 20, 2, maxShard, 1 << 19, recordBytes},
		{3, 64, MaxSubjects, MaxKept, 32, maxShard, 2_000_000, recordBytes + 8},
		{3, 64, 1 << 30, 1 << 30, maxShards, 1 << 22, 1 << 22, recordBytes + 8},
	} {
		all := newShards(x.kinds, x.edges, x.limit, x.kept)
		if s := &all[len(all)-1]; len(all) != x.parts || s.limit != x.each || s.kept != x.bytes || s.stride != x.stride || len(s.covered) != x.kinds {
			t.Errorf("%+v: %d parts of %d records, %d bytes, stride %d", x, len(all), s.limit, s.kept, s.stride)
		}
	}
}

// TestRecords writes every part of a record in full.
func TestRecords(t *testing.T) {
	s := &newShards(2, 64, 10, 1<<20)[0]
	for _, want := range []record{
		{hash: math.MaxUint64, seen: math.MaxUint64, last: placeOf(maxShards-1, 1<<addressBits-1), kind: 255, count: maxChain, partial: true},
		{hash: 0x0102030405060708, seen: 0x1112131415161718, last: placeOf(0x21, 0x2223242526), kind: 1, count: 127},
		{partial: true},
	} {
		slot := s.add(0, want.hash)
		s.save(slot, &want)
		if got := s.load(slot); got != want {
			t.Errorf("%+v is kept as %+v", want, got)
		}
		if want.last.shard() != int(want.last>>addressBits) || placeOf(want.last.shard(), want.last.address()) != want.last {
			t.Errorf("%x is in %d at %x", uint64(want.last), want.last.shard(), want.last.address())
		}
	}
}

// TestIndex: the index grows with the records, and stays as small as it may; hashes
// are spread over it.
func TestIndex(t *testing.T) {
	s := &newShards(1, 8, 1000, 1<<20)[0]
	sizes := map[int]int{}
	for i := range uint64(2000) {
		s.add(0, i*0x9e3779b97f4a7c15)
		sizes[s.count] = len(s.index)
	}
	for count, want := range map[int]int{1: 64, 51: 64, 52: 128, 102: 128, 103: 256, 205: 512, 410: 1024, 819: 1024, 820: 1251, 1000: 1251} {
		if sizes[count] != want {
			t.Errorf("the index of %d records has %d places, want %d", count, sizes[count], want)
		}
	}
	if s.oldest != 0 || s.forgotten != 1000 || s.count != 1000 {
		t.Errorf("%d records, %d forgotten, the oldest %d", s.count, s.forgotten, s.oldest)
	}
	for hash, want := range map[uint64]int{0: 0, math.MaxUint64: 1250, 1 << 63: 625} {
		if got := s.home(hash); got != want {
			t.Errorf("%x is at home in %d, want %d", hash, got, want)
		}
	}
	if s.next(0) != 1 || s.next(1249) != 1250 || s.next(1250) != 0 {
		t.Error("the index is no ring")
	}
	far := 0
	for at, x := range s.index {
		if x != 0 {
			home := s.home(s.load(int(x & (maxShard - 1))).hash)
			far = max(far, (at-home+len(s.index))%len(s.index))
		}
	}
	if far > 60 {
		t.Errorf("a record stands %d places from its home", far)
	}
	if used := slices.DeleteFunc(slices.Clone(s.index), func(x uint32) bool { return x == 0 }); len(used) != s.count {
		t.Errorf("%d of %d records are in the index", len(used), s.count)
	}
}

// TestMarks: a mark is never empty, leaves the slot its bits, and differs where the
// hashes differ behind the shard's.
func TestMarks(t *testing.T) {
	for hash, want := range map[uint64]uint32{0: used, 1<<shardBits - 1: used, 1 << shardBits: used | 1<<slotBits, 1 << (shardBits + tagBits - 1): used | 1<<(slotBits+tagBits-1), 1 << (shardBits + tagBits): used} {
		if got := mark(hash); got != want {
			t.Errorf("%x is marked %x, want %x", hash, got, want)
		}
	}
}

// TestBlocks: records stand in blocks that grow, and are never longer than one may be.
func TestBlocks(t *testing.T) {
	s := &newShards(1, 8, 2000, 1<<20)[0]
	per := blockBytes / s.stride
	var caps []int
	for i := range uint64(2*per + 1) {
		s.add(0, i)
		if c := cap(s.blocks[len(s.blocks)-1]); len(caps) == 0 || caps[len(caps)-1] != c {
			caps = append(caps, c)
		}
	}
	if len(s.blocks) != 3 || len(s.blocks[0]) != per*s.stride || len(s.blocks[2]) != s.stride {
		t.Errorf("%d blocks", len(s.blocks))
	}
	if want := []int{68, 272, 1088, 4352, 8192, 68, 272, 1088, 4352, 8192, 68}; !slices.Equal(caps, want) {
		t.Errorf("the blocks grow to %d, want %d", caps, want)
	}
}

// TestRoom shares out what the table leaves.
func TestRoom(t *testing.T) {
	s := &newShards(1, 8, 2000, 64*chunkBytes)[0]
	if entries, words := s.room(); entries != 56 || words != 8 {
		t.Errorf("at first %d and %d", entries, words)
	}
	for i := range uint64(1000) {
		s.add(0, i<<50)
	}
	// 3 blocks of 8 KiB and an index of 2048 places make 32 KiB.
	if entries, words := s.room(); entries != 55 || words != 8 {
		t.Errorf("then %d and %d", entries, words)
	}
	s.kept--
	if entries, words := s.room(); entries != 55 || words != 7 {
		t.Errorf("with a byte less %d and %d", entries, words)
	}
}

// TestForgettingTurns: with room for n, the n newest are known, whatever their
// hashes.
func TestForgettingTurns(t *testing.T) {
	for name, hash := range map[string]func(i int) uint64{
		"far apart":     func(i int) uint64 { return uint64(i) * 0x9e3779b97f4a7c15 },
		"side by side":  func(i int) uint64 { return uint64(i) },
		"at the end":    func(i int) uint64 { return math.MaxUint64 - uint64(i) },
		"in few places": func(i int) uint64 { return uint64(i%5)<<61 | uint64(i)<<20 },
	} {
		const limit = 70
		s := &newShards(1, 8, limit, 1<<20)[0]
		for i := range 300 {
			slot := s.add(0, hash(i))
			r := s.load(slot)
			if r.partial != (i >= limit) {
				t.Fatalf("%s: %d is partial: %t", name, i, r.partial)
			}
			r.seen = contract.Edges(i % 251)
			s.save(slot, &r)
			for j := max(0, i-limit-3); j <= i; j++ {
				slot := s.find(hash(j))
				if known := slot != noSlot; known != (j > i-limit) || known && s.load(slot).seen != contract.Edges(j%251) {
					t.Fatalf("%s: after %d, %d is known: %t", name, i, j, known)
				}
			}
		}
	}
}
