package schema

import (
	"bytes"
	"encoding/binary"
)

const momentLength = len("2006-01-02T15:04:05.000Z")

// readMoment is readForm for a moment.
func readMoment(raw []byte, pos int) int {
	end := pos + momentLength
	if end >= len(raw) || raw[end] != '"' || !isMoment(raw[pos:end]) {
		return refused
	}
	return end + 1
}

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
	return isUsual(one, two, three) ||
		isCalendar(decimal4(s), decimal2(s[5:]), decimal2(s[8:])) && isClock(decimal2(s[11:]), decimal2(s[14:]), decimal2(s[17:]), 0)
}

// isUsual reports whether a moment, as words of its digits and zeros, is in the first 28 days of a month, and in no leap second.
func isUsual(one, two, three uint64) bool {
	// Each byte plus ten times the one before it; then the day, second, hour, month and minute in bytes 0, 1, 3, 5 and 6. Seconds are below
	// 60 by their first digit alone.
	one, two, three = one*10+one>>8, two*10+two>>8, three*10
	parts := two&(0xff|0xff<<24|0xff<<48) | three&(0xff<<8) | one&(0xff<<40)
	const most = (0x7f - 28) | (0x7f-59)<<8 | (0x7f-23)<<24 | (0x7f-12)<<40 | (0x7f-59)<<48
	return (parts+most|(parts-(1|1<<40)))&highs == 0
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
