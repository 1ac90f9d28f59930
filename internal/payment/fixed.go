package payment

import (
	"math/bits"
	"strconv"

	"github.com/shopspring/decimal"
)

// fixed is units / 10^places: an amount that fits a machine word.
type fixed struct {
	units  uint64
	places int
}

// mostUnits and mostPlaces bound what toFixed takes for fitting. Of those,
// the sums and products below do not overflow.
const (
	mostUnits  = 1_000_000_000_000_000_000
	mostPlaces = 18
)

// toFixed reports false for what is negative, or has more places, or does not
// fit.
func toFixed(d decimal.Decimal, places int) (fixed, bool) {
	units := d.Shift(int32(places))
	if places > mostPlaces || units.IsNegative() || !units.IsInteger() || units.GreaterThan(decimal.NewFromInt(mostUnits)) {
		return fixed{}, false
	}
	return fixed{uint64(units.IntPart()), places}, true
}

func (f fixed) decimal() decimal.Decimal { return decimal.New(int64(f.units), -int32(f.places)) }

// truncate gives f other places; those it loses are cut off.
func (f fixed) truncate(places int) fixed {
	if places >= f.places {
		return fixed{f.units * pow10(places-f.places), places}
	}
	return fixed{f.units / pow10(f.places-places), places}
}

// round gives f the same places or fewer, half rounded up.
func (f fixed) round(places int) fixed {
	unit := pow10(f.places - places)
	return fixed{(f.units + unit/2) / unit, places}
}

func (f fixed) equal(g fixed) bool {
	places := max(f.places, g.places)
	return f.truncate(places) == g.truncate(places)
}

// append writes all the places.
func (f fixed) append(dst []byte) []byte {
	unit := pow10(f.places)
	return appendPlaces(dst, f.units/unit, f.units%unit, f.places)
}

func appendPlaces(dst []byte, whole, fraction uint64, places int) []byte {
	dst = strconv.AppendUint(dst, whole, 10)
	if places == 0 {
		return dst
	}
	dst, out := room(append(dst, '.'), places)
	for ; len(out) >= 2; out = out[:len(out)-2] {
		digits(out[len(out)-2:], uint32(fraction%100))
		fraction /= 100
	}
	if len(out) > 0 {
		out[0] = byte('0' + fraction)
	}
	return dst
}

// appendShort writes no zeros at the end.
func appendShort(dst []byte, whole, fraction uint64, places int) []byte {
	for ; places > 0 && fraction%10 == 0; places-- {
		fraction /= 10
	}
	return appendPlaces(dst, whole, fraction, places)
}

// divide returns a/b with that many places, half rounded up.
func divide(a, b uint64, places int) (whole, fraction uint64) {
	one := pow10(places)
	high, low := bits.Mul64(a%b, one)
	fraction, rest := bits.Div64(high, low, b)
	if rest >= b-rest {
		fraction++
	}
	return a/b + fraction/one, fraction % one
}

func pow10(n int) uint64 {
	p := uint64(1)
	for ten := uint64(10); n > 0; n >>= 1 {
		if n&1 > 0 {
			p *= ten
		}
		ten *= ten
	}
	return p
}
