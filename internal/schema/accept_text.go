package schema

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// textNode accepts strings without escapes.
type textNode struct {
	form     form
	lead     *pattern   // what reads the string, by its form
	patterns []*pattern // what else it must match
	min, max int        // code points
	counted  bool       // min and max need the code points to be counted
	dateTime bool
	uuid     bool
	base58   bool
	more     bool // something is left to check when the string is read
}

// form is how a string is read up to its closing quote.
type form uint8

const (
	formFree      form = iota // to the quote, wherever it is
	formFixed                 // lead has one length
	formAutomaton             // by lead's automaton
	formMoment                // 2006-01-02T15:04:05.000Z
	formUUID
)

// text returns nil when a pattern is unknown to acceptors.
func (b *builder) text(all []*Schema) *textNode {
	t := &textNode{max: math.MaxInt}
	for _, s := range all {
		if s.MinLength != nil {
			t.min = max(t.min, *s.MinLength)
		}
		if s.MaxLength != nil {
			t.max = min(t.max, *s.MaxLength)
		}
		if s.Pattern != nil {
			p := b.pattern(s.Pattern.String())
			if p == nil {
				return nil
			}
			if !slices.Contains(t.patterns, p) {
				t.patterns = append(t.patterns, p)
			}
		}
		t.dateTime = t.dateTime || s.Format == "date-time"
		t.uuid = t.uuid || s.Format == "uuid"
		t.base58 = t.base58 || s.Format == "base58check"
	}
	t.counted = t.min > 1 || t.max < math.MaxInt
	t.choose()
	t.more = t.patterns != nil || t.counted || t.dateTime || t.uuid || t.base58
	return t
}

// choose finds the form that leaves the least to check, and takes from t what it checks.
func (t *textNode) choose() {
	at := slices.IndexFunc(t.patterns, func(p *pattern) bool { return p.runs != nil })
	switch {
	case t.dateTime && at >= 0 && t.patterns[at].isMoment():
		t.form, t.dateTime = formMoment, false
		t.patterns = slices.Delete(t.patterns, at, at+1)
	case at >= 0:
		t.form, t.lead = formFixed, t.patterns[at]
		t.patterns = slices.Delete(t.patterns, at, at+1)
	case t.uuid:
		t.form, t.uuid = formUUID, false
	case len(t.patterns) > 0:
		t.form, t.lead = formAutomaton, t.patterns[0]
		t.patterns = slices.Delete(t.patterns, 0, 1)
	}
	if len(t.patterns) == 0 {
		t.patterns = nil
	}
}

// read starts after the opening quote.
func (t *textNode) read(raw []byte, pos int) int {
	end := refused
	switch t.form {
	case formFree:
		end = t.readFree(raw, pos)
	case formFixed:
		if end = pos + t.lead.length; end >= len(raw) || !t.lead.matchRuns(raw[pos:end]) {
			return refused
		}
	case formAutomaton:
		end = t.lead.readAutomaton(raw, pos)
	case formMoment:
		if end = pos + momentLength; end >= len(raw) || !isMoment(raw[pos:end]) {
			return refused
		}
	case formUUID:
		if end = pos + uuidLength; end >= len(raw) || !isUUIDBytes(raw[pos:end]) {
			return refused
		}
	}
	if end < 0 || end >= len(raw) || raw[end] != '"' || end-pos < min(t.min, 1) || t.more && !t.rest(raw[pos:end]) {
		return refused
	}
	return end + 1
}

// readFree finds the closing quote of a string in UTF-8 without escapes and control characters.
func (t *textNode) readFree(raw []byte, pos int) int {
	start := pos
	var high uint64
	for ; pos+8 <= len(raw); pos += 8 {
		w := binary.LittleEndian.Uint64(raw[pos:])
		if stop := special(w); stop != 0 {
			n := bits.TrailingZeros64(stop)
			pos += n / 8
			high |= w & highs & (1<<(n-7) - 1)
			return closed(raw, start, pos, high != 0)
		}
		high |= w & highs
	}
	for pos < len(raw) && raw[pos] >= ' ' && raw[pos] != '"' && raw[pos] != '\\' {
		high |= uint64(raw[pos] & utf8.RuneSelf)
		pos++
	}
	return closed(raw, start, pos, high != 0)
}

// closed returns end if the string from start ends there.
func closed(raw []byte, start, end int, unicode bool) int {
	if end >= len(raw) || raw[end] != '"' || unicode && !utf8.Valid(raw[start:end]) {
		return refused
	}
	return end
}

const (
	ones  = 0x0101010101010101
	highs = 0x80 * ones
)

// special sets the high bit of bytes that are a quote, a backslash or a control character. Bytes above the first such byte may be set too.
func special(w uint64) uint64 {
	quote, backslash := w^'"'*ones, w^'\\'*ones
	return ((quote-ones)&^quote | (backslash-ones)&^backslash | (w-' '*ones)&^w) & highs
}

// rest checks what reading has not.
func (t *textNode) rest(s []byte) bool {
	for _, p := range t.patterns {
		if !p.match(s) {
			return false
		}
	}
	if t.counted {
		if n := utf8.RuneCount(s); n < t.min || n > t.max {
			return false
		}
	}
	return (!t.dateTime || isDateTimeBytes(s)) && (!t.uuid || isUUIDBytes(s)) && (!t.base58 || isBase58CheckBytes(s))
}

// match reports whether all of s, which has neither quotes nor escapes, matches.
func (p *pattern) match(s []byte) bool {
	if p.runs != nil {
		return len(s) == p.length && p.matchRuns(s)
	}
	state := p.start
	for _, c := range s {
		if state = p.next[state][p.class[c]]; state == dead {
			return false
		}
	}
	return p.accepts[state]
}

// readAutomaton returns the end of the string if it matches.
func (p *pattern) readAutomaton(raw []byte, pos int) int {
	state := p.start
	for ; pos < len(raw) && raw[pos] != '"'; pos++ {
		if state = p.next[state][p.class[raw[pos]]]; state == dead {
			return refused
		}
	}
	if !p.accepts[state] {
		return refused
	}
	return pos
}

// matchRuns reports whether s, which has the length of all runs, matches them.
func (p *pattern) matchRuns(s []byte) bool {
	for i := range p.runs {
		r := &p.runs[i]
		part := s[:r.length]
		s = s[r.length:]
		if r.literal != "" {
			if string(part) != r.literal {
				return false
			}
			continue
		}
		wrong := uint8(0)
		for _, c := range part {
			wrong |= r.class[c]
		}
		if wrong != 0 {
			return false
		}
	}
	return true
}

const (
	momentLength = len("2006-01-02T15:04:05.000Z")
	uuidLength   = len("f47ac10b-58cc-4372-a567-0e02b2c3d479")
)

// isMoment is isDateTime for the form of 24 bytes with milliseconds and Z.
func isMoment(s []byte) bool {
	// A byte that should be a digit becomes its value, one that should be a separator 0; adding 0x76 or 0x7f then sets the high bit of those
	// that are not.
	one := binary.LittleEndian.Uint64(s[0:8]) ^ 0x2d30302d30303030     // 2006-01-
	two := binary.LittleEndian.Uint64(s[8:16]) ^ 0x30303a3030543030    // 02T15:04
	three := binary.LittleEndian.Uint64(s[16:24]) ^ 0x5a3030302e30303a // :05.000Z
	wrong := one | (one + 0x7f76767f76767676) | two | (two + 0x76767f76767f7676) | three | (three + 0x7f7676767f76767f)
	if wrong&highs != 0 {
		return false
	}
	return isCalendar(decimal4(s), decimal2(s[5:]), decimal2(s[8:])) && isClock(decimal2(s[11:]), decimal2(s[14:]), decimal2(s[17:]), 0)
}

// decimal2 is the value of two digits.
func decimal2(s []byte) int { return 10*int(s[0]-'0') + int(s[1]-'0') }

func decimal4(s []byte) int { return 100*decimal2(s) + decimal2(s[2:]) }

func isCalendar(year, month, day int) bool {
	switch month {
	case 2:
		leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
		return day >= 1 && (day <= 28 || leap && day == 29)
	case 4, 6, 9, 11:
		return day >= 1 && day <= 30
	}
	return month >= 1 && month <= 12 && day >= 1 && day <= 31
}

// isClock judges a time of day at an offset of minutes east of UTC; a second of 60 ends a day of UTC.
func isClock(hour, minute, second, offset int) bool {
	const day = 24 * 60
	return hour <= 23 && minute <= 59 && (second <= 59 || second == 60 && (hour*60+minute-offset+day)%day == day-1)
}

// isDateTimeBytes is isDateTime.
func isDateTimeBytes(s []byte) bool {
	if len(s) == momentLength && isMoment(s) {
		return true
	}
	if len(s) < len("2006-01-02T15:04:05Z") || !hasShape(s[:19], "0000-00-00T00:00:00") {
		return false
	}
	zone := s[19:]
	if zone[0] == '.' {
		rest := bytes.TrimLeft(zone[1:], "0123456789")
		if len(rest) == len(zone)-1 {
			return false
		}
		zone = rest
	}
	offset, ok := offsetMinutes(zone)
	return ok && isCalendar(decimal4(s), decimal2(s[5:]), decimal2(s[8:])) && isClock(decimal2(s[11:]), decimal2(s[14:]), decimal2(s[17:]), offset)
}

// hasShape reports whether s has digits where shape has 0, and elsewhere what shape has, in any case.
func hasShape(s []byte, shape string) bool {
	for i, c := range s {
		if shape[i] == '0' && c-'0' > 9 || shape[i] != '0' && c != shape[i] && (shape[i] != 'T' || c != 't') {
			return false
		}
	}
	return true
}

func offsetMinutes(s []byte) (int, bool) {
	if len(s) == 1 {
		return 0, s[0]|0x20 == 'z'
	}
	if len(s) != len("+00:00") || !hasShape(s[1:], "00:00") {
		return 0, false
	}
	hours, minutes := decimal2(s[1:]), decimal2(s[4:])
	total := hours*60 + minutes
	if s[0] == '-' {
		total = -total
	}
	return total, hours <= 23 && minutes <= 59 && (s[0] == '-' || s[0] == '+')
}

// isUUIDBytes is isUUID.
func isUUIDBytes(s []byte) bool {
	if len(s) != uuidLength {
		return false
	}
	if s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	wrong := notHex(s) | notHex4(s[9:]) | notHex4(s[14:]) | notHex4(s[19:]) | notHex4(s[24:]) | notHex(s[28:])
	return wrong == 0
}

// notHex is 0 if the first eight bytes of s are hexadecimal digits.
func notHex(s []byte) uint64 { return notHexWord(binary.LittleEndian.Uint64(s)) }

// notHex4 is notHex for four bytes.
func notHex4(s []byte) uint64 {
	return notHexWord(uint64(binary.LittleEndian.Uint32(s)) | 0x30303030<<32)
}

// notHexWord sets the high bit of bytes that are no hexadecimal digit, and is 0 when all are.
func notHexWord(w uint64) uint64 {
	// With the high bits gone no sum carries into the next byte.
	low := w &^ highs
	digit := (low + (0x80-'0')*ones) &^ (low + (0x80-'9'-1)*ones)
	lower := low | 0x20*ones
	letter := (lower + (0x80-'a')*ones) &^ (lower + (0x80-'f'-1)*ones)
	return (w | ^(digit | letter)) & highs
}
