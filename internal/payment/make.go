package payment

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
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

// golden is 2^64 divided by the golden ratio: its multiples lie far apart.
const golden = 0x9e3779b97f4a7c15

// source starts the random stream of that name, which belongs to one payment.
func (o *Options) source(name uint64) rand.PCG {
	var r rand.PCG
	r.Seed(o.Seed, name^(o.Index*golden))
	return r
}

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

func randomBytes(r *rand.PCG, out []byte) {
	for i := range out {
		out[i] = byte(r.Uint64() >> 32)
	}
}

func appendHex(dst []byte, r *rand.PCG, n int) []byte {
	dst, out := room(dst, n)
	for i := range out {
		out[i] = base16[r.Uint64()%16]
	}
	return dst
}

func appendCUID(dst []byte, r *rand.PCG) []byte {
	dst, out := room(append(dst, 'c'), 24)
	for i := range out {
		out[i] = base36[below(r, 36)]
	}
	return dst
}

func appendUUID(dst []byte, r *rand.PCG) []byte {
	var b [16]byte
	randomBytes(r, b[:])
	b[6] = b[6]&0x0f | 0x40 // version 4
	b[8] = b[8]&0x3f | 0x80 // the variant of RFC 9562
	dst, out := room(dst, 36)
	hex.Encode(out, b[:4])
	hex.Encode(out[9:], b[4:6])
	hex.Encode(out[14:], b[6:8])
	hex.Encode(out[19:], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return dst
}

func appendBase58Check(dst []byte, r *rand.PCG, version byte, n int) []byte {
	var enough [69]byte // for the 64 bytes a contract can ask for
	payload, fresh := room(append(enough[:0], version), n)
	randomBytes(r, fresh)
	once := sha256.Sum256(payload)
	twice := sha256.Sum256(once[:])
	return appendBase58(dst, append(payload, twice[:4]...))
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
