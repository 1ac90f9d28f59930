package payment

import (
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
)

func bytes(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func digits(r *rand.Rand, alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out)
}

func uuid(r *rand.Rand) string {
	b := bytes(r, 16)
	b[6] = b[6]&0x0f | 0x40 // version 4
	b[8] = b[8]&0x3f | 0x80 // the variant of RFC 9562
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func base58check(r *rand.Rand, version byte, n int) string {
	payload := append([]byte{version}, bytes(r, n)...)
	once := sha256.Sum256(payload)
	twice := sha256.Sum256(once[:])
	return base58(append(payload, twice[:4]...))
}

func base58(b []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var out []byte
	n, base, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		out = append(out, alphabet[digit.Int64()])
	}
	for _, x := range b {
		if x != 0 {
			break
		}
		out = append(out, alphabet[0])
	}
	slices.Reverse(out)
	return string(out)
}

func amount(r *rand.Rand, g *contract.Generator) decimal.Decimal {
	low, _ := number(g.Min)
	high, _ := number(g.Max)
	step, _ := number(g.Step)
	steps := decimal.Min(high.Sub(low).Div(step), decimal.NewFromInt(1<<62)).IntPart()
	return low.Add(step.Mul(decimal.NewFromInt(r.Int64N(max(steps, 0) + 1))))
}
