package jsondoc

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// The bounds of what IsPlain looks at.
const (
	plainDepth   = 16
	plainMembers = 32
	plainBytes   = 1 << 30
	plainDigits  = 15 // a number of that many digits is exact as a double
)

// IsPlain reports whether raw is a document that Parse reads and AppendCanonical
// writes again as the same bytes. It finds that out in one pass and without an
// allocation; for what is rare (escapes, fractions, many members) it reports
// false although it may be true.
func IsPlain(raw []byte) bool {
	return len(raw) <= plainBytes && plainValue(raw, 0, 0) == len(raw)
}

// notPlain is the end of a value that is not plain.
const notPlain = -1

func plainValue(raw []byte, pos, depth int) int {
	if pos >= len(raw) || depth > plainDepth {
		return notPlain
	}
	switch c := raw[pos]; {
	case c == '"':
		return plainString(raw, pos+1)
	case c == '{':
		return plainObject(raw, pos+1, depth)
	case c == '[':
		return plainArray(raw, pos+1, depth)
	case c == 't':
		return plainWord(raw, pos, "true")
	case c == 'f':
		return plainWord(raw, pos, "false")
	case c == 'n':
		return plainWord(raw, pos, "null")
	case '0' <= c && c <= '9':
		return plainNumber(raw, pos)
	}
	return notPlain
}

func plainWord(raw []byte, pos int, w string) int {
	if end := pos + len(w); end <= len(raw) && string(raw[pos:end]) == w {
		return end
	}
	return notPlain
}

// plainNumber takes whole numbers without a sign.
func plainNumber(raw []byte, pos int) int {
	end := pos
	for end < len(raw) && '0' <= raw[end] && raw[end] <= '9' {
		end++
	}
	if end-pos > plainDigits || raw[pos] == '0' && end > pos+1 || end < len(raw) && (raw[end] == '.' || raw[end] == 'e' || raw[end] == 'E') {
		return notPlain
	}
	return end
}

// plainString starts after the quote; it takes strings without escapes.
func plainString(raw []byte, pos int) int {
	start, ascii := pos, true
	for ; pos < len(raw); pos++ {
		if ascii {
			pos += Ordinary(raw[pos:])
		}
		if pos == len(raw) {
			break
		}
		switch c := raw[pos]; {
		case c == '"':
			if !ascii && !utf8.Valid(raw[start:pos]) {
				return notPlain
			}
			return pos + 1
		case c == '\\' || c < ' ':
			return notPlain
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return notPlain
}

// Ordinary counts the bytes at the start of raw that stand for themselves in JSON:
// ASCII from the space on, but the quote and the backslash. It looks at eight at a
// time, and may leave out up to seven before the end.
func Ordinary(raw []byte) int {
	const (
		ones  = 0x0101010101010101
		highs = 0x80 * ones
	)
	n := 0
	for ; n+8 <= len(raw); n += 8 {
		w := binary.LittleEndian.Uint64(raw[n:])
		quote, backslash := w^'"'*ones, w^'\\'*ones
		// A high bit is set where the byte was below a space, one of the two, or not ASCII.
		if special := ((w - ' '*ones) | (quote - ones) | (backslash - ones)) & highs; special != 0 {
			return n + bits.TrailingZeros64(special)/8
		}
	}
	return n
}

func plainArray(raw []byte, pos, depth int) int {
	if pos < len(raw) && raw[pos] == ']' {
		return pos + 1
	}
	for {
		pos = plainValue(raw, pos, depth+1)
		switch {
		case pos == notPlain || pos >= len(raw):
			return notPlain
		case raw[pos] == ']':
			return pos + 1
		case raw[pos] != ',':
			return notPlain
		}
		pos++
	}
}

func plainObject(raw []byte, pos, depth int) int {
	if pos < len(raw) && raw[pos] == '}' {
		return pos + 1
	}
	var names [plainMembers][2]int32
	var met uint64 // a bit for each length and first letter of a name
	for n := 0; ; n++ {
		if n == plainMembers || pos >= len(raw) || raw[pos] != '"' {
			return notPlain
		}
		start := pos + 1
		if pos = plainString(raw, start); pos == notPlain || pos >= len(raw) || raw[pos] != ':' {
			return notPlain
		}
		if '0' <= raw[start] && raw[start] <= '9' {
			return notPlain // it may be an array index, which comes first
		}
		name := raw[start : pos-1]
		bit := uint64(1) << ((uint(raw[start]) + uint(len(name))*5) % 64)
		if met&bit != 0 && named(raw, names[:n], name) {
			return notPlain
		}
		met |= bit
		names[n] = [2]int32{int32(start), int32(pos - 1)}
		pos = plainValue(raw, pos+1, depth+1)
		switch {
		case pos == notPlain || pos >= len(raw):
			return notPlain
		case raw[pos] == '}':
			return pos + 1
		case raw[pos] != ',':
			return notPlain
		}
		pos++
	}
}

// named reports whether one of the names, by where they start and end, is that name.
func named(raw []byte, names [][2]int32, name []byte) bool {
	for _, other := range names {
		if string(raw[other[0]:other[1]]) == string(name) {
			return true
		}
	}
	return false
}
