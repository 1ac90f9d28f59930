package verify

import (
	"bytes"
	"testing"
)

// fill writes n bytes of b into a ring.
func fill(r *ring, b byte, n, limit int) (address, []byte) {
	a, into := r.write(n, limit)
	for i := range into {
		into[i] = b
	}
	return a, into
}

// TestRing writes chunks full, to their last byte, and turns them.
func TestRing(t *testing.T) {
	var r ring
	if r.at(none) != nil || r.at(1<<chunkBits) != nil {
		t.Error("an empty ring has something")
	}
	if a, b := r.write(chunkBytes+1, 3); a != none || b != nil || len(r.chunks) != 0 {
		t.Errorf("more than a chunk is at %x", a)
	}
	first, b := fill(&r, 1, 10, 3)
	if first != 1<<chunkBits || len(b) != 10 || cap(b) != 10 || cap(r.chunks[0]) >= chunkBytes {
		t.Errorf("the first is at %x, %d of %d, in a chunk of %d", first, len(b), cap(b), cap(r.chunks[0]))
	}
	second, _ := fill(&r, 2, chunkBytes-10, 3)
	if second != first+10 || len(r.chunks) != 1 {
		t.Errorf("what fills the chunk is at %x", second)
	}
	third, _ := fill(&r, 3, 1, 3)
	if third != 2<<chunkBits || cap(r.chunks[1]) != chunkBytes {
		t.Errorf("what follows is at %x, in a chunk of %d", third, cap(r.chunks[1]))
	}
	fourth, _ := fill(&r, 4, chunkBytes, 3)
	if fourth != 3<<chunkBits || len(r.chunks) != 3 {
		t.Errorf("a whole chunk is at %x", fourth)
	}
	for at, want := range map[address]byte{first: 1, second: 2, third: 3, fourth: 4} {
		if got := r.at(at); len(got) == 0 || got[0] != want {
			t.Errorf("%x is lost", at)
		}
	}
	old := r.chunks[1]
	fifth, _ := fill(&r, 5, 20, 3)
	if fifth != 4<<chunkBits || len(r.chunks) != 3 || r.first != 2 || r.at(first) != nil || r.at(second) != nil || r.at(third)[0] != 3 || r.at(5<<chunkBits) != nil {
		t.Errorf("%d chunks from %d", len(r.chunks), r.first)
	}
	if cap(r.chunks[2]) < chunkBytes {
		t.Errorf("a chunk of %d", cap(r.chunks[2]))
	}
	sixth, _ := fill(&r, 6, chunkBytes, 2) // there is room for less than before
	if sixth != 5<<chunkBits || len(r.chunks) != 2 || r.first != 4 || r.at(third) != nil || !bytes.Equal(r.at(fifth), bytes.Repeat([]byte{5}, 20)) {
		t.Errorf("%x, %d chunks from %d", sixth, len(r.chunks), r.first)
	}
	fill(&r, 7, chunkBytes, 0)
	fill(&r, 8, chunkBytes, 0)
	if len(r.chunks) != 2 || r.first != 6 || len(old) != 1 {
		t.Errorf("%d chunks from %d", len(r.chunks), r.first)
	}
}

// TestRingUsesItsChunksAgain counts what is allocated once there are as many as may
// be.
func TestRingUsesItsChunksAgain(t *testing.T) {
	var r ring
	write := func() { fill(&r, 1, chunkBytes, 2) }
	for range 4 {
		write()
	}
	if n := testing.AllocsPerRun(20, write); n > 0 {
		t.Errorf("%v allocations for a chunk", n)
	}
}
