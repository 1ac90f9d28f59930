package schema

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The functions here look at eight bytes at a time, the first in the lowest bits. Bytes that are wrong get their high bit set. Other bits mean
// nothing, and bytes above a wrong one may be set too: a sum or a difference carries upwards, but only out of a wrong byte.

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// notPlain marks quotes, backslashes, control characters and what is not ASCII.
func notPlain(w uint64) uint64 {
	// Flipping the second bit moves the quote to the end of the control characters. What is not ASCII keeps its high bit in the second
	// difference, but for 0xdc, which keeps it in the first.
	return ((w ^ 2*ones) - 0x21*ones) | ((w ^ '\\'*ones) - ones)
}

// notDigits marks what is no decimal digit.
func notDigits(w uint64) uint64 {
	value := w ^ '0'*ones
	return value | (value + (0x80-10)*ones)
}

// notHexDigits marks what is no hexadecimal digit, and nothing but that.
func notHexDigits(w uint64) uint64 {
	// With the high bits gone nothing carries.
	low := w &^ highs
	lower := low | 0x20*ones
	notDigit := ('0'+0x7f)*ones - low | (low + (0x7f-'9')*ones)
	notLetter := ('a'+0x7f)*ones - lower | (lower + (0x7f-'f')*ones)
	return w | notDigit&notLetter
}

// afterDigits returns the end of the decimal digits at pos.
func afterDigits(raw []byte, pos int) int {
	for pos+8 <= len(raw) {
		if stop := notDigits(binary.LittleEndian.Uint64(raw[pos:])) & highs; stop != 0 {
			return pos + bits.TrailingZeros64(stop)/8
		}
		pos += 8
	}
	return skipDigits(raw, pos)
}

// afterDecimal returns the end of the number at pos: 0 or digits without a leading 0, and perhaps a point and digits, at most some places.
func afterDecimal(raw []byte, pos, places int) int {
	end := afterDigits(raw, pos)
	if end == pos || raw[pos] == '0' && end > pos+1 {
		return refused
	}
	if end == len(raw) || raw[end] != '.' {
		return end
	}
	last := afterDigits(raw, end+1)
	if last == end+1 || last > end+1+places {
		return refused
	}
	return last
}

// areHexDigits judges eight bytes or more.
func areHexDigits(s []byte) bool {
	wrong := notHexDigits(binary.LittleEndian.Uint64(s[len(s)-8:]))
	for len(s) > 8 {
		wrong |= notHexDigits(binary.LittleEndian.Uint64(s))
		s = s[8:]
	}
	return wrong&highs == 0
}

const uuidLength = len("f47ac10b-58cc-4372-a567-0e02b2c3d479")

// isUUIDBytes is isUUID.
func isUUIDBytes(s []byte) bool {
	if len(s) != uuidLength {
		return false
	}
	const dashes1, dashes2, zeros = '-' | '-'<<40, '-'<<16 | '-'<<56, '-' ^ '0'
	one, two := binary.LittleEndian.Uint64(s[8:]), binary.LittleEndian.Uint64(s[16:])
	if one&(0xff|0xff<<40) != dashes1 || two&(0xff<<16|0xff<<56) != dashes2 {
		return false
	}
	wrong := notHexDigits(binary.LittleEndian.Uint64(s)) |
		notHexDigits(one^(zeros|zeros<<40)) | notHexDigits(two^(zeros<<16|zeros<<56)) |
		notHexDigits(binary.LittleEndian.Uint64(s[24:])) | notHexDigits(binary.LittleEndian.Uint64(s[28:]))
	return wrong&highs == 0
}

// readUUID is readForm for a UUID.
func readUUID(raw []byte, pos int) int {
	end := pos + uuidLength
	if end >= len(raw) || raw[end] != '"' || !isUUIDBytes(raw[pos:end]) {
		return refused
	}
	return end + 1
}

// readFree is readForm for any string in UTF-8 without escapes and control characters.
func readFree(raw []byte, pos int) int {
	for pos+8 <= len(raw) {
		if stop := notPlain(binary.LittleEndian.Uint64(raw[pos:])) & highs; stop != 0 {
			pos += bits.TrailingZeros64(stop) / 8
			if raw[pos] == '"' {
				return pos + 1
			}
			break
		}
		pos += 8
	}
	return readUnicode(raw, pos)
}

// readUnicode is readFree byte by byte.
func readUnicode(raw []byte, pos int) int {
	for pos < len(raw) {
		switch c := raw[pos]; {
		case isPlainByte(int(c)):
			pos++
		case c == '"':
			return pos + 1
		case c < utf8.RuneSelf:
			return refused
		default:
			size := sizeOfRune(raw[pos:])
			if size == 0 {
				return refused
			}
			pos += size
		}
	}
	return refused
}

// sizeOfRune is how many bytes the first character in s has, which is not ASCII; 0 if it is not UTF-8.
func sizeOfRune(s []byte) int {
	if len(s) < utf8.UTFMax {
		var padded [utf8.UTFMax]byte
		copy(padded[:], s)
		s = padded[:]
	}
	one, two, three := rune(s[1])^0x80, rune(s[2])^0x80, rune(s[3])^0x80
	switch c := rune(s[0]); {
	case c >= 0xc2 && c < 0xe0 && one < 0x40:
		return 2
	case c >= 0xe0 && c < 0xf0 && one|two < 0x40:
		if r := c&0xf<<6 | one; r >= 0x800>>6 && r&^0x1f != 0xd800>>6 {
			return 3
		}
	case c >= 0xf0 && c < 0xf5 && one|two|three < 0x40:
		if r := c&7<<6 | one; r >= 0x10000>>12 && r < 0x110000>>12 {
			return 4
		}
	}
	return 0
}
