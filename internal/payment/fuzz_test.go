package payment_test

import (
	"math/big"
	"regexp"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/payment"
)

// FuzzAmount holds amounts against big.Rat: what is read is the number that stands
// there, and two of them compare and add as those do.
func FuzzAmount(f *testing.F) {
	for _, seed := range [][2]string{
		{"0", "-0"},
		{"74.074074", "74.07407400"},
		{"1e5", "100000"},
		{"+1", ".5"},
		{"1.", "01"},
		{"", " 1"},
		{"1,000", "٣"},
		{"-5", "5.000000000000000000000001"},
		{"1e-7", "0x10"},
		{"NaN", "Infinity"},
		{"99999999999999999999999999", "0.000001"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		plain := regexp.MustCompile(`^-?[0-9]{1,60}(\.[0-9]{1,60})?$`)
		a, okA := payment.ParseAmount(x)
		b, okB := payment.ParseAmount(y)
		if !okA || !okB || !plain.MatchString(x) || !plain.MatchString(y) {
			return
		}
		p, _ := new(big.Rat).SetString(x)
		q, _ := new(big.Rat).SetString(y)
		if a.Cmp(b) != p.Cmp(q) || a.Sign() != p.Sign() {
			t.Fatalf("%q and %q compare as %d, and as %d", x, y, a.Cmp(b), p.Cmp(q))
		}
		sum, _ := new(big.Rat).SetString(a.Add(b).String())
		if sum.Cmp(new(big.Rat).Add(p, q)) != 0 {
			t.Fatalf("%q + %q = %s", x, y, a.Add(b))
		}
	})
}

// FuzzMoment holds moments against time.Parse: what is read is that time, but for
// leap seconds, which time.Parse does not know.
func FuzzMoment(f *testing.F) {
	for _, seed := range []string{
		"2025-09-05T10:45:00.000Z", "2025-09-05T10:45:00+09:00", "2016-12-31T23:59:60Z", "2025-02-29T00:00:00Z", "0000-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z",
		"2025-09-05 10:45:00Z", "2025-09-05t10:45:00z", "", "2025-09-05T10:45:00.0000000001Z", "2025-09-05T24:00:00Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, ok := payment.Moment(text)
		want, err := time.Parse(time.RFC3339Nano, text)
		if ok && err == nil && !at.Equal(want) {
			t.Fatalf("%q is %s, and to time.Parse %s", text, at, want)
		}
	})
}
