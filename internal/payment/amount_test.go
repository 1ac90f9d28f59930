package payment_test

import (
	"testing"

	"github.com/paytest/paytest/internal/payment"
)

func TestParseAmount(t *testing.T) {
	for in, want := range map[string]string{
		"0": "0", "-0": "0", "74.074074": "74.074074", "100000.000000": "100000", "-5.5": "-5.5", "00012": "12",
		"9007199254740993.000001": "9007199254740993.000001", "0.1": "0.1",
	} {
		a, ok := payment.ParseAmount(in)
		if !ok || a.String() != want {
			t.Errorf("%q: %v %v, want %s", in, a, ok, want)
		}
	}
	for _, in := range []string{"", "-", ".5", "5.", "1e5", "+1", " 1", "1 ", "1_000", "1,000", "٣", "0x1", "NaN", "Infinity", "--1", "1.2.3", "12abc", "1." + string(make([]byte, 64))} {
		if a, ok := payment.ParseAmount(in); ok {
			t.Errorf("%q is taken for %v", in, a)
		}
	}
}

func TestAmountsAreExact(t *testing.T) {
	sum, tenth := payment.Amount{}, parse(t, "0.1")
	for range 10 {
		sum = sum.Add(tenth)
	}
	if sum.Cmp(parse(t, "1.0")) != 0 || sum.Sign() != 1 || parse(t, "-0.01").Sign() != -1 || (payment.Amount{}).String() != "0" {
		t.Errorf("ten times 0.1 is %v", sum)
	}
}

func parse(t *testing.T, s string) payment.Amount {
	t.Helper()
	a, ok := payment.ParseAmount(s)
	if !ok {
		t.Fatalf("%q is no amount", s)
	}
	return a
}
