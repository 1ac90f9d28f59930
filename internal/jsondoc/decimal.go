package jsondoc

import (
	"cmp"
	"strconv"
	"strings"
)

// decimal is sign * 0.digits * 10^point; digits has no leading and no trailing zero, so equal numbers have equal fields.
type decimal struct {
	sign   int
	digits string
	point  exponent
}

func newDecimal(literal string) decimal {
	mantissa, power := literal, ""
	if i := strings.IndexAny(literal, "eE"); i >= 0 {
		mantissa, power = literal[:i], literal[i+1:]
	}
	d := decimal{sign: 1}
	if strings.HasPrefix(mantissa, "-") {
		d.sign, mantissa = -1, mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	d.digits = strings.TrimLeft(all, "0")
	offset := len(whole) - (len(all) - len(d.digits))
	d.digits = strings.TrimRight(d.digits, "0")
	if d.digits == "" {
		return decimal{}
	}
	d.point = newExponent(power, offset)
	return d
}

// exponent is sign * (high * 10^18 + low), with high in decimal and 0 <= low < 10^18. It holds exponents of any length at a cost linear in
// it, where big.Int would take seconds to read a million digits.
type exponent struct {
	sign int
	high string
	low  int64
}

const (
	lowDigits = 18
	lowLimit  = 1_000_000_000_000_000_000
)

// newExponent returns power + offset, where power is the exponent of a number literal and offset is far smaller than 10^18.
func newExponent(power string, offset int) exponent {
	e := exponent{sign: 1}
	if strings.HasPrefix(power, "-") {
		e.sign = -1
	}
	power = strings.TrimLeft(power, "+-0")
	if split := len(power) - lowDigits; split > 0 {
		e.high, power = power[:split], power[split:]
	}
	e.low, _ = strconv.ParseInt("0"+power, 10, 64)
	e.low += int64(e.sign * offset)
	switch {
	case e.low >= lowLimit:
		e.low -= lowLimit
		e.high = increment(e.high)
	case e.low < 0 && e.high == "":
		e.sign, e.low = -e.sign, -e.low
	case e.low < 0:
		e.low += lowLimit
		e.high = decrement(e.high)
	}
	if e.high == "" && e.low == 0 {
		e.sign = 0
	}
	return e
}

func (e exponent) compare(f exponent) int {
	if e.sign != f.sign {
		return cmp.Compare(e.sign, f.sign)
	}
	magnitude := cmp.Or(cmp.Compare(len(e.high), len(f.high)), strings.Compare(e.high, f.high), cmp.Compare(e.low, f.low))
	return e.sign * magnitude
}

func increment(number string) string {
	kept := strings.TrimRight(number, "9")
	zeros := strings.Repeat("0", len(number)-len(kept))
	if kept == "" {
		return "1" + zeros
	}
	last := len(kept) - 1
	return kept[:last] + string(kept[last]+1) + zeros
}

// decrement takes 1 from a number that is at least 1.
func decrement(number string) string {
	kept := strings.TrimRight(number, "0")
	last := len(kept) - 1
	nines := strings.Repeat("9", len(number)-len(kept))
	return strings.TrimLeft(kept[:last]+string(kept[last]-1)+nines, "0")
}
