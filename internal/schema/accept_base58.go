package schema

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
)

// maxBase58Bytes bounds the texts isBase58CheckBytes decodes.
const maxBase58Bytes = 112

// isBase58CheckBytes is isBase58Check for texts of at most maxBase58Bytes; it says no to longer ones.
func isBase58CheckBytes(s []byte) bool {
	const check = 4
	if len(s) > maxBase58Bytes {
		return false
	}
	var raw [maxBase58Bytes + 8]byte
	n, ok := decodeBase58Bytes(&raw, s)
	if !ok || n < check {
		return false
	}
	body := raw[len(raw)-n:]
	once := sha256.Sum256(body[:n-check])
	twice := sha256.Sum256(once[:])
	return binary.LittleEndian.Uint32(twice[:]) == binary.LittleEndian.Uint32(body[n-check:])
}

// decodeBase58Bytes writes what s stands for to the end of raw, which is zero, and returns its length.
func decodeBase58Bytes(raw *[maxBase58Bytes + 8]byte, s []byte) (int, bool) {
	const step = 10 // 58^10 < 2^59
	zeros := 0
	for zeros < len(s) && s[zeros] == '1' {
		zeros++
	}
	var limbs [maxBase58Bytes/step + 1]uint64 // little-endian
	used := 0
	for rest := s[zeros:]; len(rest) > 0; {
		n := min(step, len(rest))
		digits, scale, ok := base58Digits(rest[:n])
		if !ok {
			return 0, false
		}
		carry := digits
		for i := range used {
			high, low := bits.Mul64(limbs[i], scale)
			var over uint64
			limbs[i], over = bits.Add64(low, carry, 0)
			carry = high + over
		}
		if carry > 0 {
			limbs[used] = carry
			used++
		}
		rest = rest[n:]
	}
	if used == 0 {
		return zeros, true
	}
	for i := range used {
		binary.BigEndian.PutUint64(raw[len(raw)-8*(i+1):], limbs[i])
	}
	return zeros + 8*used - bits.LeadingZeros64(limbs[used-1])/8, true
}

// base58Digits reads at most ten digits and returns their value and 58 to the power of their number.
func base58Digits(s []byte) (value, scale uint64, ok bool) {
	// Where each byte from '1' stands in the alphabet of Bitcoin, and 99 for those that do not.
	const places = "\x00\x01\x02\x03\x04\x05\x06\x07\x08" + "ccccccc" +
		"\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10c\x11\x12\x13\x14\x15c\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x20" + "cccccc" +
		"\x21\x22\x23\x24\x25\x26\x27\x28\x29\x2a\x2bc\x2c\x2d\x2e\x2f\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39"
	scale = 1
	wrong := false
	for _, c := range s {
		at := int(c - '1')
		if at >= len(places) {
			return 0, 0, false
		}
		place := places[at]
		wrong = wrong || place == 99
		value = value*58 + uint64(place)
		scale *= 58
	}
	return value, scale, !wrong
}
