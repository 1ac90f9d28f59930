package payment

import "math/rand/v2"

// Base58 is the alphabet of addresses.
func Base58(b []byte) string { return string(appendBase58(nil, b)) }

// Below is the first number below n of a stream.
func Below(r *rand.PCG, n uint64) uint64 { return below(r, n) }
