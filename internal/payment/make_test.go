package payment_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
)

// simple is the plain way to draw a fact, for which the seeds in people's scripts
// stand; nothing for one that is made of others.
func simple(o payment.Options, name string, g *contract.Generator) string {
	r := simpleSource(o, name)
	switch g.Kind {
	case contract.UUID:
		b := simpleBytes(r, 16)
		b[6] = b[6]&0x0f | 0x40
		b[8] = b[8]&0x3f | 0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	case contract.CUID:
		return "c" + simpleDigits(r, "0123456789abcdefghijklmnopqrstuvwxyz", 24)
	case contract.Hex:
		return simpleDigits(r, "0123456789abcdef", g.Length)
	case contract.Base58Check:
		payload := append([]byte{g.Version}, simpleBytes(r, g.Length)...)
		once := sha256.Sum256(payload)
		twice := sha256.Sum256(once[:])
		return simpleBase58(append(payload, twice[:4]...))
	case contract.Pick:
		return g.Texts[r.IntN(len(g.Texts))]
	case contract.Integer:
		low, _ := strconv.ParseInt(g.Min, 10, 64)
		high, _ := strconv.ParseInt(g.Max, 10, 64)
		return strconv.FormatInt(low+r.Int64N(high-low+1), 10)
	default:
		return ""
	}
}

func simpleSource(o payment.Options, name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return rand.New(rand.NewPCG(o.Seed, h.Sum64()^(o.Index*0x9e3779b97f4a7c15)))
}

func simpleBytes(r *rand.Rand, n int) []byte {
	out := make([]byte, n)
	for i := range out {
		out[i] = byte(r.Uint32())
	}
	return out
}

func simpleDigits(r *rand.Rand, alphabet string, n int) string {
	out := make([]byte, n)
	for i := range out {
		out[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(out)
}

func simpleBase58(b []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	var out []byte
	n, base, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		out = append(out, alphabet[digit.Int64()])
	}
	for i := 0; i < len(b) && b[i] == 0; i++ {
		out = append(out, alphabet[0])
	}
	slices.Reverse(out)
	return string(out)
}

func TestDrawsAreTheSimpleOnes(t *testing.T) {
	all := []*contract.Contract{pack(t), changed(t, boxes), changed(t, shipments)}
	for n := range 64 {
		code := fmt.Sprintf(`{"version": %d, "bytes": %d}`, n%3*127, n+1)
		span := fmt.Sprintf(`{"min": %d, "max": %d}`, n%7, uint64(1)<<(n%53)+uint64(n))
		all = append(all, changed(t, boxes, `{"version": 0, "bytes": 4}`, code, `{"min": 1, "max": 3}`, span, `{"hex": 8}`, `{"hex": `+strconv.Itoa(n*16+1)+`}`))
	}
	rapid.Check(t, func(t *rapid.T) {
		c := rapid.SampledFrom(all).Draw(t, "pack")
		o := payment.Options{Seed: rapid.Uint64().Draw(t, "seed"), Index: rapid.Uint64().Draw(t, "index")}
		p := payment.New(c, o)
		for _, f := range c.Facts {
			if f.Generate == nil {
				continue
			}
			want := simple(o, f.Name, f.Generate)
			if got := p.Fact(f, c.States()[0]).Text; want != "" && got != want {
				t.Fatalf("%s is %s, not %s", f.Name, got, want)
			}
		}
		for _, st := range c.States() {
			if late := simpleSource(o, st.String()+" late").Int64N(st.Late.Milliseconds() + 1); p.Offset(st) != st.At+time.Duration(late)*time.Millisecond {
				t.Fatalf("%s is %s late, not %d ms", st, p.Offset(st)-st.At, late)
			}
		}
	})
}

// TestBase58OfZeros: leading zeros are digits of their own, which no payment is
// likely to have many of.
func TestBase58OfZeros(t *testing.T) {
	for n := range 70 {
		for zeros := range n + 1 {
			for _, fill := range []byte{1, 0x41, 0xff} {
				b := make([]byte, n)
				for i := zeros; i < n; i++ {
					b[i] = fill
				}
				if got, want := payment.Base58(b), simpleBase58(b); got != want {
					t.Fatalf("%s is %s, not %s", hex.EncodeToString(b), got, want)
				}
				if zeros < n {
					clear(b[zeros+1:])
					if got, want := payment.Base58(b), simpleBase58(b); got != want {
						t.Fatalf("%s is %s, not %s", hex.EncodeToString(b), got, want)
					}
				}
			}
		}
	}
}

func TestBelow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Range(1, 1<<64-1).Draw(t, "n")
		if rapid.Bool().Draw(t, "halfway") {
			n = 1<<63 + n/2 // where every other number is drawn again
		}
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		mine, r := rand.NewPCG(a, b), rand.New(rand.NewPCG(a, b))
		for range 20 {
			if got, want := payment.Below(mine, n), r.Uint64N(n); got != want {
				t.Fatalf("%d, not %d", got, want)
			}
		}
	})
}
