package verify

import "slices"

const (
	chunkBits  = 15
	chunkBytes = 1 << chunkBits
	none       = address(0)
)

// address says where something stands in a ring: the number of its chunk, counted
// from 1, and its offset there.
type address uint64

// ring keeps what was written last, in chunks of which the oldest make room for
// new ones.
type ring struct {
	chunks [][]byte
	first  uint64 // the number of chunks[0]
}

// write appends room for size bytes, in at most limit chunks. It fails when that
// is more than a chunk.
func (r *ring) write(size, limit int) (a address, b []byte) {
	if size > chunkBytes {
		return none, nil
	}
	if n := len(r.chunks); n == 0 || len(r.chunks[n-1])+size > chunkBytes {
		r.turn(limit)
	}
	last := len(r.chunks) - 1
	at := len(r.chunks[last])
	r.chunks[last] = slices.Grow(r.chunks[last], size)[:at+size]
	return address((r.first+uint64(last))<<chunkBits | uint64(at)), r.chunks[last][at:][:size:size]
}

// turn begins a chunk. The very first one grows from nothing: many a ring stays
// small.
func (r *ring) turn(limit int) {
	var fresh []byte
	for len(r.chunks) >= max(2, limit) {
		fresh = r.chunks[0][:0]
		r.chunks = slices.Delete(r.chunks, 0, 1)
		r.first++
	}
	switch {
	case r.first == 0:
		r.first = 1
	case cap(fresh) < chunkBytes:
		fresh = make([]byte, 0, chunkBytes)
	}
	r.chunks = append(r.chunks, fresh)
}

// at returns what stands at an address and behind it; nil when it was forgotten.
func (r *ring) at(a address) []byte {
	chunk := uint64(a) >> chunkBits
	if chunk-r.first >= uint64(len(r.chunks)) { // also where chunk is less
		return nil
	}
	return r.chunks[chunk-r.first][uint64(a)%chunkBytes:]
}
