package jsondoc

import (
	"cmp"
	"strings"
)

// Equal reports JSON Schema equality: numbers are equal when they are mathematically (1, 1.0 and 10e-1), objects whatever the order of
// their members.
func Equal(a, b Value) bool {
	if a.Kind != b.Kind || len(a.Items) != len(b.Items) || len(a.Members) != len(b.Members) {
		return false
	}
	switch a.Kind {
	case Null:
		return true
	case Bool:
		return a.Bool == b.Bool
	case Number:
		return CompareNumbers(a, b) == 0
	case String:
		return a.Text == b.Text
	case Array:
		for i := range a.Items {
			if !Equal(a.Items[i], b.Items[i]) {
				return false
			}
		}
		return true
	case Object:
		return equalMembers(a.Members, b.Members)
	}
	return false
}

func equalMembers(a, b []Member) bool {
	positions := make(map[string]int, len(b))
	for i := range b {
		positions[b[i].Name] = i
	}
	for i := range a {
		j, found := positions[a[i].Name]
		if !found || !Equal(a[i].Value, b[j].Value) {
			return false
		}
	}
	return true
}

// CompareNumbers returns -1, 0 or 1 as number a is less than, equal to or greater than number b, exactly. Its cost is bounded by the
// length of the literals, not by the size of the numbers.
func CompareNumbers(a, b Value) int {
	if a.Text == b.Text {
		return 0
	}
	x, y := newDecimal(a.Text), newDecimal(b.Text)
	if x.sign != y.sign || x.sign == 0 {
		return cmp.Compare(x.sign, y.sign)
	}
	if c := x.point.compare(y.point); c != 0 {
		return c * x.sign
	}
	return strings.Compare(x.digits, y.digits) * x.sign
}

// IsInteger reports whether v is a number without a fractional part, however it is written: 1.0 and 10e-1 are.
func (v Value) IsInteger() bool {
	if v.Kind != Number {
		return false
	}
	d := newDecimal(v.Text)
	return d.sign == 0 || d.point.compare(newExponent("", len(d.digits))) >= 0
}
