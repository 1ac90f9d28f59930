package payment

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// maxAmountBytes is how long an amount's notation may be.
const maxAmountBytes = 64

// Amount is an exact decimal number, such as an amount of money. The zero
// Amount is 0.
type Amount struct{ d decimal.Decimal }

// ParseAmount reads digits with at most one point between them and a minus
// before them, up to 64 bytes in all. It reports false for everything else:
// signs, exponents, white space, digits of other scripts.
func ParseAmount(s string) (Amount, bool) {
	whole, fraction, pointed := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if len(s) > maxAmountBytes || !isDigits(whole) || pointed && !isDigits(fraction) {
		return Amount{}, false
	}
	d, err := decimal.NewFromString(s)
	return Amount{d}, err == nil
}

// maxExponent bounds how many digits an exponent may stand for.
const maxExponent = 64

// ParseNumber reads a JSON number, which may have an exponent. It reports false for
// what is none, and for those of more than 64 digits on a side of the point.
func ParseNumber(s string) (Amount, bool) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	a, ok := ParseAmount(mantissa)
	if !ok || exponent == "" {
		return a, ok && mantissa == s
	}
	places, err := strconv.ParseInt(exponent, 10, 32)
	if err != nil || max(places, -places) > maxExponent {
		return Amount{}, false
	}
	return a.Shift(int32(places)), true
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// Add returns a+b.
func (a Amount) Add(b Amount) Amount { return Amount{a.d.Add(b.d)} }

// Cmp returns -1, 0 or 1: how a compares to b.
func (a Amount) Cmp(b Amount) int { return a.d.Cmp(b.d) }

// Sign returns -1, 0 or 1: how a compares to zero.
func (a Amount) Sign() int { return a.d.Sign() }

// Shift returns a times ten to the power of places.
func (a Amount) Shift(places int32) Amount { return Amount{a.d.Shift(places)} }

// Whole reports whether a has no fraction.
func (a Amount) Whole() bool { return a.d.IsInteger() }

// Between returns the largest amount not above a, and the smallest not below it,
// that have so many decimals.
func (a Amount) Between(places int32) (below, above Amount) {
	return Amount{a.d.RoundFloor(places)}, Amount{a.d.RoundCeil(places)}
}

// Like reports whether a and b are one number to who reads both as floating-point
// numbers of 64 bits.
func (a Amount) Like(b Amount) bool {
	x, err := strconv.ParseFloat(a.String(), 64)
	y, other := strconv.ParseFloat(b.String(), 64)
	return x == y && err == nil && other == nil
}

// String returns the shortest notation that ParseAmount reads.
func (a Amount) String() string { return a.d.String() }

// meanPlaces is how many more places a mean has than the amounts it is of.
const meanPlaces = 2

// Mean adds up amounts exactly. The zero Mean is that of none.
type Mean struct {
	sum    decimal.Decimal
	count  int64
	places int32
}

// Add takes one more amount into account.
func (m *Mean) Add(a Amount) {
	m.sum = m.sum.Add(a.d)
	m.places = max(m.places, -a.d.Exponent())
	m.count++
}

// Count returns how many amounts were added.
func (m *Mean) Count() int { return int(m.count) }

// Sum returns the sum of all amounts.
func (m *Mean) Sum() Amount { return Amount{m.sum} }

// Value returns the mean, rounded half away from zero to two places more than the
// amount with the most places has. It reports false for the mean of none.
func (m *Mean) Value() (Amount, bool) {
	if m.count == 0 {
		return Amount{}, false
	}
	return Amount{m.sum.DivRound(decimal.NewFromInt(m.count), m.places+meanPlaces)}, true
}
