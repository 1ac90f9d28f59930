package payment_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/payment"
)

// TestRadixWritesBase58: whatever a number is, and for addresses, that it is not
// left to the slow way.
func TestRadixWritesBase58(t *testing.T) {
	check := func(t interface{ Fatalf(string, ...any) }, b []byte) {
		if got, ok := payment.RadixOf(b); ok && got != simpleBase58(b) || !ok && len(b) <= 25 {
			t.Fatalf("%x is %s, not %s", b, got, simpleBase58(b))
		}
	}
	for n := range 70 {
		for zeros := range n + 1 {
			for _, fill := range []byte{1, 0x41, 0xff} {
				b := append(make([]byte, zeros), bytes.Repeat([]byte{fill}, n-zeros)...)
				check(t, b)
				if zeros < n {
					clear(b[zeros+1:])
					check(t, b)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "number")) })
}
