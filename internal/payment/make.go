package payment

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
)

const (
	base36 = "0123456789abcdefghijklmnopqrstuvwxyz"
	base58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	base16 = "0123456789abcdef"
)

const (
	uuidLength = 36
	cuidLength = 1 + 24
)

// A base58check has a version before and a checksum behind its bytes, of which a
// contract can ask for 64.
const (
	checksum = 4
	checked  = 1 + 64 + checksum
)

// golden is 2^64 divided by the golden ratio: its multiples lie far apart.
const golden = 0x9e3779b97f4a7c15

// source starts the random stream of that name, which belongs to one payment.
func source(seed, index, name uint64) rand.PCG {
	var r rand.PCG
	r.Seed(seed, name^(index*golden))
	return r
}

// lateness is the name of the stream that says how late a state comes.
func lateness(st *contract.State) uint64 { return hash(st.Subject.Name, " ", st.Name, " late") }

// hash is the 64-bit FNV-1a hash of the parts, one after the other.
func hash(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, part := range parts {
		for i := range len(part) {
			h = (h ^ uint64(part[i])) * 1099511628211
		}
	}
	return h
}

// below is Uint64N of math/rand/v2, without the interface in between.
func below(r *rand.PCG, n uint64) uint64 {
	if n&(n-1) == 0 {
		return r.Uint64() & (n - 1)
	}
	high, low := bits.Mul64(r.Uint64(), n)
	for low < n && low < -n%n {
		high, low = bits.Mul64(r.Uint64(), n)
	}
	return high
}

func pick(r *rand.PCG, texts []string) string { return texts[below(r, uint64(len(texts)))] }

// room appends n bytes to be overwritten and returns them too.
func room(dst []byte, n int) (all, fresh []byte) {
	dst = slices.Grow(dst, n)[:len(dst)+n]
	return dst, dst[len(dst)-n:]
}

// hexDigits spreads eight digits of 4 bits each into as many characters.
func hexDigits(v uint32) uint64 {
	x := uint64(v)
	x = (x | x<<16) & 0x0000ffff_0000ffff
	x = (x | x<<8) & 0x00ff00ff_00ff00ff
	x = (x | x<<4) & 0x0f0f0f0f_0f0f0f0f
	return hexCharacters(x)
}

// hexCharacters turns numbers below 16, one in each byte, into their digits.
func hexCharacters(x uint64) uint64 {
	const each = 0x01010101_01010101
	return x + '0'*each + ('a'-10-'0')*((x+6*each)>>4&each)
}

func appendHex(dst []byte, r *rand.PCG, n int) []byte {
	dst, out := room(dst, n)
	for ; len(out) >= 8; out = out[8:] {
		var eight uint64
		for range 8 {
			eight = eight<<8 | r.Uint64()&15
		}
		binary.BigEndian.PutUint64(out, hexCharacters(eight))
	}
	for i := range out {
		out[i] = base16[r.Uint64()&15]
	}
	return dst
}

func appendCUID(dst []byte, r *rand.PCG) []byte {
	const n = uint64(len(base36))
	const unfair = (1<<64-1)%n + 1 // as in below: n is not a power of two
	dst, out := room(append(dst, 'c'), cuidLength-1)
	for i := range out {
		high, low := bits.Mul64(r.Uint64(), n)
		for low < unfair {
			high, low = bits.Mul64(r.Uint64(), n)
		}
		out[i] = base36[high]
	}
	return dst
}

func appendUUID(dst []byte, r *rand.PCG) []byte {
	var words [4]uint32
	for i := range words {
		for range 4 {
			words[i] = words[i]<<8 | uint32(r.Uint64()>>32&0xff)
		}
	}
	second := hexDigits(words[1]&0xffff_0fff | 0x0000_4000) // version 4
	third := hexDigits(words[2]&0x3fff_ffff | 0x8000_0000)  // the variant of RFC 9562
	dst, out := room(dst, uuidLength)
	binary.BigEndian.PutUint64(out, hexDigits(words[0]))
	binary.BigEndian.PutUint32(out[9:], uint32(second>>32))
	binary.BigEndian.PutUint32(out[14:], uint32(second))
	binary.BigEndian.PutUint32(out[19:], uint32(third>>32))
	binary.BigEndian.PutUint32(out[24:], uint32(third))
	binary.BigEndian.PutUint64(out[28:], hexDigits(words[3]))
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return dst
}

// appendBase58Check writes the number by x, or with none by appendBase58.
func appendBase58Check(dst []byte, r *rand.PCG, version byte, n int, x *radix) []byte {
	var enough [checked]byte
	payload := append(enough[:0], version)
	for range n {
		payload = append(payload, byte(r.Uint64()>>32))
	}
	once := sha256.Sum256(payload)
	twice := sha256.Sum256(once[:])
	payload = append(payload, twice[:checksum]...)
	if x != nil {
		return x.append(dst, payload)
	}
	return appendBase58(dst, payload)
}

// appendBase58 takes ten digits at once, 58^10 being the largest power that fits
// a machine word, and these as two halves that do not wait for each other.
func appendBase58(dst, b []byte) []byte {
	const half = 58 * 58 * 58 * 58 * 58
	for len(b) > 0 && b[0] == 0 {
		dst, b = append(dst, base58[0]), b[1:]
	}
	var enough [9]uint64
	number := words(enough[:0], b)
	dst, out := room(dst, (len(number)*64/58+1)*10)
	at := len(out)
	for len(number) > 0 {
		var rest uint64
		for i, word := range number {
			number[i], rest = bits.Div64(rest, word, half*half)
		}
		if number[0] == 0 {
			number = number[1:]
		}
		high, low := uint32(rest/half), uint32(rest%half)
		at -= 10
		digits := out[at : at+10]
		for i := 4; i >= 0; i-- {
			digits[i], digits[i+5] = base58[high%58], base58[low%58]
			high, low = high/58, low/58
		}
	}
	for at < len(out) && out[at] == base58[0] {
		at++
	}
	return append(dst[:len(dst)-len(out)], out[at:]...)
}

// words appends a number of big-endian bytes, the highest word first.
func words(dst []uint64, b []byte) []uint64 {
	var first [8]byte
	head := len(b) % 8
	if head > 0 {
		copy(first[8-head:], b[:head])
		dst = append(dst, binary.BigEndian.Uint64(first[:]))
	}
	for b = b[head:]; len(b) > 0; b = b[8:] {
		dst = append(dst, binary.BigEndian.Uint64(b))
	}
	return dst
}

// amounts returns the least amount a generator makes, its step, and how many
// steps there are above the least.
func amounts(g *contract.Generator) (low, step decimal.Decimal, steps int64) {
	low, _ = number(g.Min)
	high, _ := number(g.Max)
	step, _ = number(g.Step)
	return low, step, max(decimal.Min(high.Sub(low).Div(step), decimal.NewFromInt(1<<62)).IntPart(), 0)
}

// integers returns the least integer a generator makes, and how many there are.
func integers(g *contract.Generator) (low, count uint64) {
	low, _ = strconv.ParseUint(g.Min, 10, 64)
	high, _ := strconv.ParseUint(g.Max, 10, 64)
	return low, high - low + 1
}

func percent(r *rand.PCG, g *contract.Generator) uint64 {
	return uint64(g.Percent[0]) + below(r, uint64(g.Percent[1]-g.Percent[0])+1)
}
