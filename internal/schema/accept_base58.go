package schema

import (
	"crypto/sha256"
	"encoding"
	"encoding/binary"
	"math/bits"
)

// maxBase58Bytes bounds the texts isBase58CheckBytes decodes.
const maxBase58Bytes = 112

// isBase58CheckBytes is isBase58Check for texts of at most maxBase58Bytes; it says no to longer ones.
func isBase58CheckBytes(s []byte) bool {
	if len(s) <= maxBase58Short {
		return isBase58CheckShort(s)
	}
	if len(s) > maxBase58Bytes {
		return false
	}
	var raw [maxBase58Bytes + 8]byte
	n, ok := decodeBase58Bytes(&raw, s)
	if !ok {
		return false
	}
	body := raw[len(raw)-n:] // far more than base58Check, of so many characters
	return doubleSHA256Start(body[:n-base58Check]) == binary.BigEndian.Uint32(body[n-base58Check:])
}

const (
	base58Check    = 4              // bytes at the end
	maxBase58Short = 4 * base58Step // characters; addresses have less
	base58Bytes    = 4 * 8          // what they stand for has at most
)

// isBase58CheckShort is isBase58CheckBytes for texts of at most maxBase58Short.
func isBase58CheckShort(s []byte) bool {
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	first := len(s) % base58Step
	fourth, wrong := base58Digits(s[:first])
	var tens [3]uint64 // before the fourth
	for rest := s[first:]; len(rest) >= base58Step; rest = rest[base58Step:] {
		ten, bad := base58TenDigits((*[base58Step]byte)(rest))
		tens[0], tens[1], tens[2], fourth = tens[1], tens[2], fourth, ten
		wrong |= bad
	}
	// Zeros, the bytes that s stands for, and the rest of a block.
	var buffer [maxBase58Short + base58Bytes + sha256Block]byte
	n := zeros + putTens((*[base58Bytes]byte)(buffer[maxBase58Short:]), tens[0], tens[1], tens[2], fourth)
	if wrong&base58Wrong != 0 || n < base58Check {
		return false
	}
	block := (*[sha256Block]byte)(buffer[maxBase58Short+base58Bytes-n:])
	check := binary.BigEndian.Uint32(block[n-base58Check:])
	binary.BigEndian.PutUint32(block[n-base58Check:], 0)
	return doubleSHA256OfBlock(block, n-base58Check) == check
}

// putTens writes the number that has four times ten digits, and returns how many bytes it has without leading zeros.
func putTens(raw *[base58Bytes]byte, one, two, three, four uint64) int {
	high0, low0 := bits.Mul64(one, base58Scale)
	a, carry := bits.Add64(low0, two, 0)
	b := high0 + carry

	high0, low0 = bits.Mul64(a, base58Scale)
	high1, low1 := bits.Mul64(b, base58Scale)
	a, carry = bits.Add64(low0, three, 0)
	b, carry = bits.Add64(low1, high0, carry)
	c := high1 + carry

	high0, low0 = bits.Mul64(a, base58Scale)
	high1, low1 = bits.Mul64(b, base58Scale)
	high2, low2 := bits.Mul64(c, base58Scale)
	a, carry = bits.Add64(low0, four, 0)
	b, carry = bits.Add64(low1, high0, carry)
	c, carry = bits.Add64(low2, high1, carry)
	d := high2 + carry

	binary.BigEndian.PutUint64(raw[0:], d)
	binary.BigEndian.PutUint64(raw[8:], c)
	binary.BigEndian.PutUint64(raw[16:], b)
	binary.BigEndian.PutUint64(raw[24:], a)
	for i, limb := range [...]uint64{d, c, b, a} {
		if limb != 0 {
			return base58Bytes - 8*i - bits.LeadingZeros64(limb)/8
		}
	}
	return 0
}

// decodeBase58Bytes writes what s stands for to the end of raw, which is zero, and returns its length.
func decodeBase58Bytes(raw *[maxBase58Bytes + 8]byte, s []byte) (int, bool) {
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	first := (len(s) - zeros) % base58Step
	limb, wrong := base58Digits(s[zeros : zeros+first])
	var limbs [maxBase58Bytes/base58Step + 1]uint64 // little-endian
	limbs[0] = limb
	used := 1
	for rest := s[zeros+first:]; len(rest) >= base58Step; rest = rest[base58Step:] {
		carry, bad := base58TenDigits((*[base58Step]byte)(rest))
		wrong |= bad
		for i := range limbs[:used] {
			high, low := bits.Mul64(limbs[i], base58Scale)
			var over uint64
			limbs[i], over = bits.Add64(low, carry, 0)
			carry = high + over
		}
		if carry > 0 {
			limbs[used] = carry
			used++
		}
	}
	for i, limb := range limbs[:used] {
		binary.BigEndian.PutUint64(raw[len(raw)-8*(i+1):], limb)
	}
	return zeros + 8*used - bits.LeadingZeros64(limbs[used-1])/8, wrong&base58Wrong == 0
}

const (
	base58Step  = 10
	base58Scale = 58 * 58 * 58 * 58 * 58 * 58 * 58 * 58 * 58 * 58 // below 2^59
	base58Wrong = 0x80
)

// base58TenDigits returns the value of ten digits, and base58Wrong among the bits of wrong if some are none.
func base58TenDigits(s *[base58Step]byte) (value uint64, wrong uint8) {
	a, b, c, d, e := base58Place(s[0]), base58Place(s[1]), base58Place(s[2]), base58Place(s[3]), base58Place(s[4])
	f, g, h, i, j := base58Place(s[5]), base58Place(s[6]), base58Place(s[7]), base58Place(s[8]), base58Place(s[9])
	const two = 58 * 58
	value = uint64(a)*58 + uint64(b)
	value = value*two + uint64(c)*58 + uint64(d)
	value = value*two + uint64(e)*58 + uint64(f)
	value = value*two + uint64(g)*58 + uint64(h)
	value = value*two + uint64(i)*58 + uint64(j)
	return value, a | b | c | d | e | f | g | h | i | j
}

// base58Digits is base58TenDigits for less digits.
func base58Digits(s []byte) (value uint64, wrong uint8) {
	for _, c := range s {
		place := base58Place(c)
		value = value*58 + uint64(place)
		wrong |= place
	}
	return value, wrong
}

// base58Place returns where in Bitcoin's alphabet a byte stands, and base58Wrong if nowhere.
func base58Place(c byte) uint8 {
	const places = "" +
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80" +
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80" +
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80" +
		"\x80\x00\x01\x02\x03\x04\x05\x06\x07\x08\x80\x80\x80\x80\x80\x80" +
		"\x80\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x80\x11\x12\x13\x14\x15\x80" +
		"\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20\x80\x80\x80\x80\x80" +
		"\x80\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a\x2b\x80\x2c\x2d\x2e" +
		"\x2f\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x80\x80\x80\x80\x80" +
		base58Nowhere + base58Nowhere + base58Nowhere + base58Nowhere
	return places[c]
}

// base58Nowhere is for 32 bytes in a row.
const base58Nowhere = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"

// doubleSHA256Start is the first word of the SHA-256 of the SHA-256 of s.
func doubleSHA256Start(s []byte) uint32 {
	once := sha256.Sum256(s)
	twice := sha256.Sum256(once[:])
	return binary.BigEndian.Uint32(twice[:])
}

const (
	sha256Block = 64
	sha256Magic = "sha\x03" // what an encoded state starts with
	sha256State = len(sha256Magic) + sha256.Size + sha256Block + 8
)

// doubleSHA256OfBlock is doubleSHA256Start for the first n bytes of a block that is zero behind them; there must be room for the padding.
// It writes the padding.
func doubleSHA256OfBlock(block *[sha256Block]byte, n int) uint32 {
	h := sha256.New()
	appender, ok := h.(encoding.BinaryAppender)
	if !ok {
		return doubleSHA256Start(block[:n])
	}
	block[n] = 0x80
	binary.BigEndian.PutUint64(block[sha256Block-8:], uint64(n)*8)
	h.Write(block[:])
	// Where padding is part of what is written, the state is the sum; that spares the copies of states that Sum256 makes.
	var state [sha256State]byte
	encoded, err := appender.AppendBinary(state[:0])
	if err != nil || !isSHA256State(encoded) {
		return doubleSHA256Start(block[:n])
	}
	next := [sha256Block]byte{sha256.Size: 0x80, sha256Block - 2: sha256.Size * 8 >> 8, sha256Block - 1: sha256.Size * 8 & 0xff}
	copy(next[:sha256.Size], encoded[len(sha256Magic):])
	h.Reset()
	h.Write(next[:])
	encoded, _ = appender.AppendBinary(state[:0])
	return binary.BigEndian.Uint32(encoded[len(sha256Magic):])
}

// isSHA256State reports whether an encoded state has the form that is known here.
func isSHA256State(encoded []byte) bool {
	return len(encoded) == sha256State && string(encoded[:len(sha256Magic)]) == sha256Magic
}
