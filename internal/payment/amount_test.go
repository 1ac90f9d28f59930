package payment_test

import (
	"testing"

	"pgregory.net/rapid"

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

func TestMean(t *testing.T) {
	for _, test := range []struct {
		of        []string
		sum, mean string
	}{
		{[]string{"1", "2"}, "3", "1.5"},
		{[]string{"1", "1", "2"}, "4", "1.33"},
		{[]string{"1", "2", "2"}, "5", "1.67"},
		{[]string{"-1", "-2", "-2"}, "-5", "-1.67"},
		{[]string{"0.1", "0.2", "0.3", "0.4"}, "1", "0.25"},
		{[]string{"74.074074", "1", "1"}, "76.074074", "25.35802467"},
		{[]string{"9007199254740993.000001", "9007199254740993.000003"}, "18014398509481986.000004", "9007199254740993.000002"},
		{[]string{"0.00", "0"}, "0", "0"},
		{[]string{"100000.000000"}, "100000", "100000"},
	} {
		var m payment.Mean
		for _, s := range test.of {
			m.Add(parse(t, s))
		}
		got, ok := m.Value()
		if !ok || got.String() != test.mean || m.Sum().String() != test.sum || m.Count() != len(test.of) {
			t.Errorf("%v: %v %v of %v in %d", test.of, got, ok, m.Sum(), m.Count())
		}
	}
	if _, ok := new(payment.Mean).Value(); ok {
		t.Error("nothing has a mean")
	}
}

// TestMeanIsBetween: whatever is added, the mean lies between the least and the
// most, as exact as it says.
func TestMeanIsBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOfN(rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,18})?`), 1, 20).Draw(t, "amounts")
		var m payment.Mean
		var low, high payment.Amount
		for i, s := range amounts {
			a, ok := payment.ParseAmount(s)
			if !ok {
				t.Fatalf("%q is no amount", s)
			}
			if i == 0 || a.Cmp(low) < 0 {
				low = a
			}
			if i == 0 || a.Cmp(high) > 0 {
				high = a
			}
			m.Add(a)
		}
		mean, ok := m.Value()
		if !ok || mean.Cmp(low) < 0 || mean.Cmp(high) > 0 {
			t.Errorf("%v is not between %v and %v", mean, low, high)
		}
	})
}

func TestAmountInOtherUnits(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		micro, below, above string
		whole               bool
	}{
		"74.074074": {"74074074", "74.07", "74.08", false},
		"0.1":       {"100000", "0.1", "0.1", false},
		"-0.005":    {"-5000", "-0.01", "0", false},
		"100000":    {"100000000000", "100000", "100000", true},
		"1.0000001": {"1000000.1", "1", "1.01", false},
	} {
		a, ok := payment.ParseAmount(in)
		below, above := a.Between(2)
		if micro := a.Shift(6); !ok || micro.String() != want.micro || micro.Shift(-6).Cmp(a) != 0 || a.Whole() != want.whole {
			t.Errorf("%s: %s, whole %v", in, micro, a.Whole())
		}
		if below.String() != want.below || above.String() != want.above {
			t.Errorf("%s lies between %s and %s", in, below, above)
		}
	}
}

func TestParseNumber(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"9.007199254740993e+21": "9007199254740993000000", "1e-7": "0.0000001", "-2E3": "-2000", "74.074074": "74.074074",
		"1e65": "", "1e": "", "e5": "", "1e5e5": "", "+1": "", "1e999999999999": "",
	} {
		if a, ok := payment.ParseNumber(in); ok != (want != "") || ok && a.String() != want {
			t.Errorf("%s: %s, %v", in, a, ok)
		}
	}
}

func TestAmountLike(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"9007199254740993", "9007199254740992", true}, {"9007199254740994", "9007199254740992", false}, {"0.1", "0.2", false}} {
		a, _ := payment.ParseAmount(tt.a)
		b, _ := payment.ParseAmount(tt.b)
		if a.Like(b) != tt.want {
			t.Errorf("%s and %s", tt.a, tt.b)
		}
	}
}
