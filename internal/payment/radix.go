package payment

import (
	"encoding/binary"
	"math/bits"
)

const (
	limb     = 58 * 58 * 58 * 58 * 58 // what a word of digits counts up to
	perLimb  = 5
	maxWords = 8
	maxLimbs = 9
)

// radix writes big-endian numbers of one length in base 58, as appendBase58 does
// for any: with what each word of 32 bits is worth in limbs, nothing is divided
// but by constants.
type radix struct {
	words, limbs int
	worth        [maxWords][maxLimbs]uint64 // the highest limb first
	first        [maxWords]int              // which is not 0
}

// newRadix returns nil for numbers that are too long.
func newRadix(size int) *radix {
	x := &radix{words: (size + 3) / 4, limbs: size*8/29 + 1} // a limb has 29.3 bits
	if x.words > maxWords || x.limbs > maxLimbs {
		return nil
	}
	var power [maxLimbs]uint64
	power[x.limbs-1] = 1
	for i := x.words - 1; i >= 0; i-- {
		x.worth[i] = power
		for x.first[i] < x.limbs-1 && power[x.first[i]] == 0 {
			x.first[i]++
		}
		for j, hand := x.limbs-1, uint64(0); j >= 0; j-- {
			sum := power[j]<<32 + hand
			power[j], hand = sum%limb, sum/limb
		}
	}
	return x
}

// append takes a number of the length that x is for. Of so few words, no sum
// overflows.
func (x *radix) append(dst, b []byte) []byte {
	var sums [maxLimbs]uint64
	at := len(b)
	for i := x.words - 1; i >= 0; i-- {
		var word uint64
		if at >= 4 {
			at -= 4
			word = uint64(binary.BigEndian.Uint32(b[at:]))
		} else {
			for _, c := range b[:at] {
				word = word<<8 | uint64(c)
			}
		}
		from := sums[x.first[i]:x.limbs]
		for j, worth := range x.worth[i][x.first[i]:x.limbs] {
			from[j] += word * worth
		}
	}
	dst, out := room(dst, x.limbs*perLimb)
	for j := x.limbs - 1; j > 0; j-- {
		sums[j-1] += sums[j] / limb
		five(out[j*perLimb:], sums[j]%limb)
	}
	five(out, sums[0])
	return append(dst[:len(dst)-len(out)], unpadded(out, b)...)
}

// five writes the digits of a limb: as a fraction of 2^64, rounded up, each is what
// multiplying by 58 brings over the point.
func five(out []byte, n uint64) {
	const one = (1<<64-1)/limb + 1
	first, rest := bits.Mul64(n*one, 58)
	second, rest := bits.Mul64(rest, 58)
	third, rest := bits.Mul64(rest, 58)
	fourth, rest := bits.Mul64(rest, 58)
	fifth, _ := bits.Mul64(rest, 58)
	out = out[:perLimb]
	out[0], out[1], out[2], out[3], out[4] = base58[first], base58[second], base58[third], base58[fourth], base58[fifth]
}

// unpadded leaves as many zeros at the start of the digits as the number has zero
// bytes there.
func unpadded(digits, b []byte) []byte {
	i := 0
	for i < len(digits) && digits[i] == base58[0] {
		i++
	}
	for j := 0; j < len(b) && b[j] == 0; j++ {
		i--
	}
	return digits[i:]
}
