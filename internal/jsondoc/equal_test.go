package jsondoc_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/jsondoc"
)

func TestEqual(t *testing.T) {
	million := strings.Repeat("9", 1<<20)
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"1", "1.0", true},
		{"1", "10e-1", true},
		{"100", "1E+2", true},
		{"0", "-0.0e7", true},
		{"1", "-1", false},
		{"0.1", "0.10000000000000000000000001", false},
		{"9007199254740993", "9007199254740992", false},
		{"1e400", "1e401", false},
		{"1e400", "10e399", true},
		{"1e999999999999999999", "0.1e1000000000000000000", true},
		{"1e1000000000000000000", "10e999999999999999999", true},
		{"1e1000000000000000000", "100e999999999999999999", false},
		{"1e-1000000000000000000", "0.1e-999999999999999999", true},
		{"1e2000000000000000000", "0.1e2000000000000000001", true},
		{"1e-1999999999999999999", "10e-2000000000000000000", true},
		{"1e" + million, "1e" + million[1:] + "8", false},
		{"1e" + million, "0.1e1" + strings.Repeat("0", 1<<20), true},
		{"1e000000000000000000000000002", "100", true},
		{"0e" + million, "0", true},
		{"1", `"1"`, false},
		{"null", "false", false},
		{"true", "true", true},
		{"true", "false", false},
		{"null", "null", true},
		{`"a"`, `"\u0061"`, true},
		{`[1,2]`, `[1.0,2]`, true},
		{`[1,2]`, `[2,1]`, false},
		{`[1]`, `[1,1]`, false},
		{`{"a":1,"b":2}`, `{"b":2.0,"a":1}`, true},
		{`{"a":1}`, `{"a":1,"b":2}`, false},
		{`{"a":1}`, `{"b":1}`, false},
		{`{"a":1}`, `{"a":2}`, false},
		{`{}`, `[]`, false},
	} {
		a, b := parse(t, test.a), parse(t, test.b)
		if got := jsondoc.Equal(a, b); got != test.want || jsondoc.Equal(b, a) != got {
			t.Errorf("Equal(%.60s, %.60s) = %t, want %t both ways", test.a, test.b, got, test.want)
		}
	}
}

func numbers() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,5})?`).Draw(t, "mantissa")
		if rapid.Bool().Draw(t, "scaled") {
			literal += fmt.Sprintf("e%d", rapid.IntRange(-12, 12).Draw(t, "exponent"))
		}
		return literal
	})
}

// TestNumbersAgainstRationals holds the decimal comparison against math/big.
func TestNumbersAgainstRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := numbers().Draw(t, "a"), numbers().Draw(t, "b")
		if rapid.Bool().Draw(t, "same") {
			b = respell(t, a)
		}
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		u := jsondoc.Value{Kind: jsondoc.Number, Text: a}
		v := jsondoc.Value{Kind: jsondoc.Number, Text: b}
		if got, want := jsondoc.CompareNumbers(u, v), x.Cmp(y); got != want {
			t.Fatalf("CompareNumbers(%s, %s) = %d, want %d", a, b, got, want)
		}
		if got, want := u.IsInteger(), x.IsInt(); got != want {
			t.Fatalf("IsInteger(%s) = %t, want %t", a, got, want)
		}
	})
}

// respell writes the same number with another exponent.
func respell(t *rapid.T, literal string) string {
	mantissa, exponent, _ := strings.Cut(literal, "e")
	if exponent == "" {
		exponent = "0"
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction += strings.Repeat("0", rapid.IntRange(0, 3).Draw(t, "zeros"))
	var power int
	if _, err := fmt.Sscan(exponent, &power); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s%se%d", whole, fraction, power-len(fraction))
}

func TestIsInteger(t *testing.T) {
	for raw, want := range map[string]bool{
		"1": true, "1.0": true, "10e1": true, "10e-1": true, "0.0": true, "-0e-9": true, "1.5": false, "1e-1": false, "1e400": true,
		"12e-99999999999999999999": false, "1.5e99999999999999999999": true, `"1"`: false, "null": false,
	} {
		if got := parse(t, raw).IsInteger(); got != want {
			t.Errorf("IsInteger(%s) = %t", raw, got)
		}
	}
}
