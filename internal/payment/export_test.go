package payment

import "math/rand/v2"

// Base58 is the alphabet of addresses.
func Base58(b []byte) string { return string(appendBase58(nil, b)) }

// Below is the first number below n of a stream.
func Below(r *rand.PCG, n uint64) uint64 { return below(r, n) }

// RadixOf is Base58 by what Drawers use; it reports false for what is too long.
func RadixOf(b []byte) (string, bool) {
	x := newRadix(len(b))
	if x == nil {
		return "", false
	}
	return string(x.append(nil, b)), true
}
