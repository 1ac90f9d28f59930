package payment

import (
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// MaxDigits bounds what is compared as a number, in characters; anything longer is
// compared as text, so that no payload can make a comparison expensive.
const MaxDigits = 128

// number reads plain decimal digits with at most one point between them, which
// is less than shopspring/decimal takes: "1e5", "+1" and ".5" are no amounts.
func number(s string) (decimal.Decimal, bool) {
	whole, fraction, pointed := strings.Cut(s, ".")
	if len(s) > MaxDigits || !allDigits(whole) || (pointed && !allDigits(fraction)) {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(s)
	return d, err == nil
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// Moment reads an RFC 3339 time; a leap second counts as the one after it. It
// reports false for what is no time.
func Moment(s string) (time.Time, bool) {
	leap := len(s) > 19 && s[16:19] == ":60"
	if leap {
		s = s[:16] + ":59" + s[19:]
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if leap {
		t = t.Add(time.Second)
	}
	return t, err == nil
}

// Equal reports whether two values of a fact are the same: amounts as
// decimals, never as floats, times as moments, all else exactly.
func Equal(f *contract.Fact, a, b jsondoc.Value) bool {
	if a.Kind == jsondoc.String && b.Kind == jsondoc.String {
		switch f.Compare {
		case contract.Decimal:
			x, okX := number(a.Text)
			y, okY := number(b.Text)
			if okX && okY {
				return x.Equal(y)
			}
		case contract.Time:
			x, okX := Moment(a.Text)
			y, okY := Moment(b.Text)
			if okX && okY {
				return x.Equal(y)
			}
		case contract.Caseless:
			return strings.EqualFold(a.Text, b.Text)
		case contract.Exact:
		}
		return a.Text == b.Text
	}
	return jsondoc.Equal(a, b)
}

// Before reports whether a is an earlier time than b; values that are no times
// are never before one another.
func Before(a, b jsondoc.Value) bool {
	x, okX := Moment(a.Text)
	y, okY := Moment(b.Text)
	return okX && okY && x.Before(y)
}

// Shift moves a time by d, in the form payments have; what is no time stays.
func Shift(s string, d time.Duration) string {
	t, ok := Moment(s)
	if !ok {
		return s
	}
	return t.Add(d).UTC().Format(TimeLayout)
}
