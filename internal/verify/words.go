package verify

import "encoding/binary"

// The layout of the words of an entry: where it stands, the number of the delivery,
// their size, and the tokens that its codes do not say, each behind its length.
const (
	wordsHead   = 20
	lengthBytes = 1
)

// speak keeps the words of the scratch's delivery, for the entry at a place.
func (s *shard) speak(at place, number uint64, d *scratch) {
	size := wordsHead + len(d.p.spoken)*lengthBytes
	for _, field := range d.p.spoken {
		if !d.implied[field] {
			size += len(d.token(field))
		}
	}
	_, room := s.room()
	_, b := s.words.write(size, room)
	if b == nil {
		return
	}
	binary.LittleEndian.PutUint64(b, uint64(at))
	binary.LittleEndian.PutUint64(b[8:], number)
	binary.LittleEndian.PutUint32(b[16:], uint32(size))
	b = b[wordsHead:]
	for _, field := range d.p.spoken {
		n := 0
		if !d.implied[field] {
			n = copy(b[lengthBytes:], d.token(field))
		}
		b[0] = byte(n) // at most tokenLimit
		b = b[lengthBytes+n:]
	}
}

// spoken returns the words of the entry at a place, and the number of its delivery;
// nil when they are forgotten.
func (s *shard) spoken(at place) (b []byte, number uint64) {
	for i := len(s.words.chunks) - 1; i >= 0; i-- {
		b := s.words.chunks[i]
		if len(b) == 0 || place(binary.LittleEndian.Uint64(b)) > at {
			continue
		}
		for len(b) > 0 {
			size := binary.LittleEndian.Uint32(b[wordsHead-4:])
			if place(binary.LittleEndian.Uint64(b)) == at {
				return b[wordsHead:size], binary.LittleEndian.Uint64(b[8:])
			}
			b = b[size:]
		}
		break
	}
	return nil, 0
}

// words returns the fields' tokens of an entry, which are a part of the memory; ok
// is false when they are forgotten.
func (k *Checker) words(e *entry) (tokens [][]byte, ok bool) {
	b, _ := k.shards[e.at.shard()].spoken(e.at)
	if b == nil {
		return nil, false
	}
	tokens = make([][]byte, len(e.p.st.Fields()))
	for _, field := range e.p.spoken {
		n := int(b[0])
		tokens[field] = b[lengthBytes:][:n:n]
		b = b[lengthBytes+n:]
	}
	return tokens, true
}
