package verify

import (
	"bytes"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/payment"
)

// FuzzForms holds the short readings of times, amounts and identities, by which
// values are remembered, against the long ones.
func FuzzForms(f *testing.F) {
	for _, seed := range []string{
		"2025-09-05T10:45:00.000Z", "2024-02-29T23:59:59.999Z", "2100-02-29T00:00:00.000Z", "2016-12-31T23:59:60.000Z", "0001-01-01T00:00:00.000Z", "8000-12-31T00:00:00.000Z",
		"74.074074", "74.07407400", "0074", "0.0", "00.10", "1.", ".5", "-1", "", "1.2.3", strings.Repeat("0", 128), strings.Repeat("0", 129), "1." + strings.Repeat("0", 127), "550E8400-e29b-41d4-a716-446655440000", "aé", "ABCDEFGHabcdefgh[@`{",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if ms, ok := plainTime(text); ok {
			if at, known := payment.Moment(string(text)); !known || at.UnixMilli()-yearZero != ms {
				t.Fatalf("%q is %d, and to the long way %s, %t", text, ms, at, known)
			}
		}
		plain := plainDecimal(text)
		if len(text) <= payment.MaxDigits && regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`).Match(text) {
			a, _ := new(big.Rat).SetString(string(text))
			b, ok := new(big.Rat).SetString(string(plain))
			if !ok || a.Cmp(b) != 0 || bytes.HasSuffix(plain, []byte(".")) || bytes.Contains(plain, []byte(".")) && bytes.HasSuffix(plain, []byte("0")) {
				t.Fatalf("%q is kept as %q", text, plain)
			}
		} else if !bytes.Equal(plain, text) {
			t.Fatalf("%q is no plain decimal, and kept as %q", text, plain)
		}
		folded, ok := lower(nil, text)
		ascii := bytes.IndexFunc(text, func(r rune) bool { return r >= 0x80 }) < 0
		if ok != ascii || ok && !bytes.Equal(folded, bytes.ToLower(text)) {
			t.Fatalf("%q in lower case is %q, %t", text, folded, ok)
		}
	})
}
