package schema

import (
	"crypto/sha256"
	"strings"
	"time"
)

// judgeOf returns what judges the texts of a format, nil for a format that is not known.
func judgeOf(format string) func(string) bool {
	switch format {
	case "date-time":
		return isDateTime
	case "uuid":
		return isUUID
	case "base58check":
		return isBase58Check
	}
	return nil
}

// isDateTime follows RFC 3339 section 5.6. A second of 60 is allowed where it is 23:59:60 in UTC.
func isDateTime(s string) bool {
	if len(s) < len("2006-01-02T15:04:05Z") || s[10]|0x20 != 't' {
		return false
	}
	if _, err := time.Parse(time.DateOnly, s[:10]); err != nil {
		return false
	}
	hour, ok1 := twoDigits(s[11:], 23)
	minute, ok2 := twoDigits(s[14:], 59)
	second, ok3 := twoDigits(s[17:], 60)
	if !ok1 || !ok2 || !ok3 || s[13] != ':' || s[16] != ':' {
		return false
	}
	offset, ok := zoneMinutes(skipFraction(s[19:]))
	const day = 24 * 60
	utc := (hour*60 + minute - offset + day) % day
	return ok && (second < 60 || utc == day-1)
}

// twoDigits reads the two digits s starts with, a number up to limit, which is below 100.
func twoDigits(s string, limit int) (int, bool) {
	ten, one := s[0]-'0', s[1]-'0' // above 9 for what is no digit
	n := int(ten)*10 + int(one)
	return n, one <= 9 && n <= limit
}

// skipFraction drops ".123"; a dot without digits leaves nothing, which is no zone.
func skipFraction(s string) string {
	fraction, found := strings.CutPrefix(s, ".")
	if !found {
		return s
	}
	rest := strings.TrimLeft(fraction, "0123456789")
	if len(rest) == len(fraction) {
		return ""
	}
	return rest
}

// zoneMinutes reads Z or a numeric offset as minutes east of UTC.
func zoneMinutes(s string) (int, bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hours, ok1 := twoDigits(s[1:], 23)
	minutes, ok2 := twoDigits(s[4:], 59)
	total := hours*60 + minutes
	if s[0] == '-' {
		total = -total
	}
	return total, ok1 && ok2
}

// isUUID follows RFC 9562 section 4: any version, any case.
func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'f':
		default:
			return false
		}
	}
	return true
}

// maxBase58 bounds the quadratic decoding; the longest texts in use, extended public keys, have 112 characters.
const maxBase58 = 256

// isBase58Check reports whether s is Bitcoin's Base58Check: base58 of bytes whose last four are the start of the double SHA-256 of the
// others.
func isBase58Check(s string) bool {
	if len(s) > maxBase58 {
		return false
	}
	raw, ok := decodeBase58(s)
	if !ok || len(raw) < 4 {
		return false
	}
	body, check := raw[:len(raw)-4], raw[len(raw)-4:]
	once := sha256.Sum256(body)
	twice := sha256.Sum256(once[:])
	return string(check) == string(twice[:4])
}

func decodeBase58(s string) ([]byte, bool) {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	value := make([]byte, 0, len(s)) // little-endian
	for i := range len(s) {
		carry := strings.IndexByte(alphabet, s[i])
		if carry < 0 {
			return nil, false
		}
		for j := range value {
			carry += int(value[j]) * 58
			value[j] = byte(carry)
			carry >>= 8
		}
		if carry > 0 {
			value = append(value, byte(carry))
		}
	}
	zeros := len(s) - len(strings.TrimLeft(s, "1"))
	raw := make([]byte, zeros, zeros+len(value))
	for i := len(value) - 1; i >= 0; i-- {
		raw = append(raw, value[i])
	}
	return raw, true
}
