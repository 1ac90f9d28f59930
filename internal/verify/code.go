package verify

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// code stands for a value of a fact: of two values, those that the fact takes for
// the same have the same code. Of a moment it is the moment itself, in
// milliseconds; of most others 32 bits of a hash under a seed that no sender
// knows, so that of four thousand million differences one goes unnoticed, and
// what is the same is never taken for different.
type code uint64

const (
	codeBits = 56
	noCode   = code(0)
)

// The kinds of codes, above codeBits.
const (
	codeDigest = 1 + iota
	codeTime
	codeNull
	// codeOpaque is for values that cannot be compared by a code.
	codeOpaque
)

const nullCode, opaqueCode = code(codeNull) << codeBits, code(codeOpaque) << codeBits

func (c code) kind() int       { return int(c >> codeBits) }
func (c code) payload() uint64 { return uint64(c) & (1<<codeBits - 1) }

// sameCode reports whether two values are not known to be different.
func sameCode(a, b code) bool { return a == b || a == opaqueCode || b == opaqueCode }

// likeness is a contract.Compare; comparing those takes longer.
type likeness uint8

const (
	asText likeness = iota
	asDecimal
	asTime
	asCaseless
)

func likenessOf(f *contract.Fact) likeness {
	switch f.Compare {
	case contract.Decimal:
		return asDecimal
	case contract.Time:
		return asTime
	case contract.Caseless:
		return asCaseless
	case contract.Exact:
	}
	return asText
}

// coder makes codes.
type coder struct{ seed maphash.Seed }

// write returns the code of a kept field's value and how an entry has it; implied is
// set when that says the token too.
func (c coder) write(x *kept, token []byte) (value code, nibble byte, implied bool) {
	for i := range x.known {
		if string(token) == x.known[i].token {
			return x.known[i].code, byte(literalNibble + i), true
		}
	}
	value = c.as(x.like, token)
	switch value.kind() {
	case codeTime:
		return value, timeNibble, isPlain(token)
	case codeNull:
		return value, nullNibble, true
	case codeOpaque:
		return value, opaqueNibble, false
	}
	return value, digestNibble, false
}

// isPlain reports whether the token of a time can be told from its code.
func isPlain(token []byte) bool {
	return len(token) == len(plainForm)+2 && token[len(token)-2] == 'Z'
}

// of returns the code of a fact's value, given as a JSON token.
func (c coder) of(f *contract.Fact, token []byte) code { return c.as(likenessOf(f), token) }

func (c coder) as(like likeness, token []byte) code {
	switch first := token[0]; {
	case first == '"':
		return c.text(like, unquoted(token))
	case first == 'n':
		return nullCode
	case first == 't' || first == 'f' || isDigits(token):
		return c.digest(1, token)
	}
	return opaqueCode // 1.0 is 1
}

func isDigits(token []byte) bool {
	for _, b := range token {
		if b < '0' || b > '9' {
			return false
		}
	}
	return true
}

func (c coder) text(like likeness, text []byte) code {
	switch like {
	case asTime:
		if ms, ok := plainTime(text); ok {
			return timeCode(ms)
		}
		if at, ok := payment.Moment(string(text)); ok {
			ms := at.UnixMilli() - yearZero
			if at.Nanosecond()%1e6 != 0 || ms < 0 || ms >= 1<<timeBits {
				return opaqueCode
			}
			return timeCode(ms)
		}
	case asDecimal:
		return c.digest(0, plainDecimal(text))
	case asCaseless:
		var small [2 * maxValue]byte
		folded, ok := lower(small[:0], text)
		if !ok {
			return opaqueCode
		}
		text = folded
	case asText:
	}
	return c.digest(0, text)
}

func (c coder) digest(kind uint32, text []byte) code {
	return code(codeDigest)<<codeBits | code(uint32(maphash.Bytes(c.seed, text))^kind)
}

func timeCode(ms int64) code { return code(codeTime)<<codeBits | code(ms) }

// unquoted is the text of a string's token.
func unquoted(token []byte) []byte {
	if bytes.IndexByte(token, '\\') >= 0 {
		return []byte(decoded(token).Text)
	}
	return token[1 : len(token)-1]
}

// plainDecimal strips the zeros that change no number; what is no plain decimal, or
// too long to be compared as one, stays as it is.
func plainDecimal(text []byte) []byte {
	if len(text) > payment.MaxDigits {
		return text
	}
	point := -1
	for i, b := range text {
		switch {
		case b == '.' && point < 0:
			point = i
		case b < '0' || b > '9':
			return text
		}
	}
	if point == 0 || point == len(text)-1 {
		return text
	}
	if point > 0 {
		text = bytes.TrimRight(text, "0")
		text = bytes.TrimSuffix(text, []byte{'.'})
	} else {
		point = len(text)
	}
	for point > 1 && text[0] == '0' {
		text, point = text[1:], point-1
	}
	return text
}

// lower returns text with its ASCII letters in lower case, which is text itself or
// else appended to dst; ok is false when it has others, whose case is not one
// byte's.
func lower(dst, text []byte) (folded []byte, ok bool) {
	const each = 0x0101010101010101
	var high, capital uint64
	rest := text
	for ; len(rest) >= 8; rest = rest[8:] {
		x := binary.LittleEndian.Uint64(rest)
		high |= x
		capital |= (x + (0x80-'A')*each) &^ (x + (0x80-'Z'-1)*each)
	}
	for _, b := range rest {
		high |= uint64(b)
		if 'A' <= b && b <= 'Z' {
			capital = 0x80
		}
	}
	switch {
	case high&(0x80*each) != 0:
		return nil, false
	case capital&(0x80*each) == 0:
		return text, true
	}
	for _, b := range text {
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst, true
}

const (
	plainForm = "0000-00-00T00:00:00.000Z"

	yearZero = -62_167_219_200_000 // the year 0, in milliseconds since 1970
	timeBits = 48
)

// plainTime reads a time such as 2025-09-05T10:30:00.000Z, in milliseconds since
// the year 0. It gives up on all others, and on leap seconds.
func plainTime(t []byte) (ms int64, ok bool) {
	if len(t) != len(plainForm) {
		return 0, false
	}
	if !formed(t, 0x2d30302d30303030, 0xff0000ff00000000) || // 0000-00-
		!formed(t[8:], 0x30303a3030543030, 0x0000ff0000ff0000) || // 00T00:00
		!formed(t[16:], 0x5a3030302e30303a, 0xff000000ff0000ff) { // :00.000Z
		return 0, false
	}
	two := func(i int) int64 { return int64(t[i]-'0')*10 + int64(t[i+1]-'0') }
	year, month, day := two(0)*100+two(2), two(5), two(8)
	hour, minute, second := two(11), two(14), two(17)
	if year < 1 || year > 8000 || month < 1 || month > 12 || day < 1 || day > 28 && day > lastDay(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	// The year begins in March here, so that the leap day is its last.
	y, m := year, month-3
	if month < 3 {
		y, m = year-1, month+9
	}
	days := 365*y + y/4 - y/100 + y/400 + (153*m+2)/5 + day - 1 + 60
	return ((days*24+hour)*60+minute)*60_000 + second*1000 + two(20)*10 + int64(t[22]-'0'), true
}

// formed reports whether the first eight bytes are those of form in the places of
// signs, and digits elsewhere, where form has zeros.
func formed(t []byte, form, signs uint64) bool {
	x := binary.LittleEndian.Uint64(t) ^ form
	return x&signs == 0 && (x|(x+0x0606060606060606))&0xf0f0f0f0f0f0f0f0 == 0
}

func lastDay(year, month int64) int64 {
	switch {
	case month == 2 && (year%4 != 0 || year%100 == 0 && year%400 != 0):
		return 28
	case month == 2:
		return 29
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	}
	return 31
}

// decoded is the value of a token.
func decoded(t []byte) jsondoc.Value {
	v, err := jsondoc.Parse(t)
	if err != nil {
		return jsondoc.Value{Kind: jsondoc.Number, Text: string(t)} // a long number's hash
	}
	return v
}
