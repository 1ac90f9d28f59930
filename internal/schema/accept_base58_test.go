package schema

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding"
	"encoding/binary"
	"hash"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

func TestBase58Places(t *testing.T) {
	for c := range 256 {
		want := strings.IndexByte(base58Alphabet, byte(c))
		if want < 0 {
			want = base58Wrong
		}
		if got := base58Place(byte(c)); int(got) != want {
			t.Errorf("%q stands at %d, not %d", byte(c), got, want)
		}
	}
}

// checkBase58 holds both functions for bytes against those of the evaluator.
func checkBase58(t *testing.T, s []byte) {
	t.Helper()
	var raw [maxBase58Bytes + 8]byte
	n, ok := decodeBase58Bytes(&raw, s)
	want, valid := decodeBase58(string(s))
	if ok != valid || ok && !bytes.Equal(raw[len(raw)-n:], want) {
		t.Fatalf("%q is %x, %t, want %x, %t", s, raw[max(0, len(raw)-n):], ok, want, valid)
	}
	if got, want := isBase58CheckBytes(s), isBase58Check(string(s)); got != want {
		t.Fatalf("%q: %t, want %t", s, got, want)
	}
}

func TestBase58OfAllLengths(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for length := range maxBase58Bytes + 1 {
		for range 50 {
			s := make([]byte, length)
			for i := range s {
				s[i] = base58Alphabet[random.IntN(len(base58Alphabet))]
			}
			for i := range random.IntN(length + 1) {
				if random.IntN(3) == 0 {
					break
				}
				s[i] = '1'
			}
			checkBase58(t, s)
		}
		checkBase58(t, bytes.Repeat([]byte("z"), length))
		checkBase58(t, bytes.Repeat([]byte("1"), length))
		checkBase58(t, bytes.Repeat([]byte("\xff"), length))
	}
	for _, s := range []string{"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "3QJmnh"} {
		for at := range s {
			for c := range 256 {
				changed := []byte(s)
				changed[at] = byte(c)
				checkBase58(t, changed)
			}
		}
	}
}

func TestBase58OfAllBodies(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for length := range 79 { // what 78 bytes and their sum are written with is maxBase58Bytes
		for zeros := range 3 {
			body := make([]byte, length)
			for i := min(zeros, length); i < length; i++ {
				body[i] = byte(random.Uint32())
			}
			s := encodeBase58(binary.BigEndian.AppendUint32(body, doubleSHA256Start(body)))
			if !isBase58Check(string(s)) {
				t.Fatalf("%s is no Base58Check", s)
			}
			checkBase58(t, s)
			for at := range s {
				changed := bytes.Clone(s)
				changed[at] = base58Alphabet[random.IntN(len(base58Alphabet))]
				checkBase58(t, changed)
			}
		}
	}
}

// TestBase58RefusesAliases spells numbers with a byte outside of the alphabet, which counts as base58Wrong while digits are summed up.
func TestBase58RefusesAliases(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	const fewer, rest = base58Wrong / 58, base58Wrong % 58
	tried := 0
	for length := range 70 {
		for range 100 {
			body := make([]byte, length)
			for i := range body {
				body[i] = byte(random.Uint32())
			}
			s := encodeBase58(binary.BigEndian.AppendUint32(body, doubleSHA256Start(body)))
			for at := 1; at < len(s); at++ {
				if before := base58Place(s[at-1]); base58Place(s[at]) == rest && before >= fewer {
					alias := bytes.Clone(s)
					alias[at-1], alias[at] = base58Alphabet[before-fewer], '0'
					checkBase58(t, alias)
					tried++
				}
			}
		}
	}
	if tried < 100 {
		t.Errorf("only %d aliases were tried", tried)
	}
}

func encodeBase58(raw []byte) []byte {
	var s []byte
	for zeros := raw; len(zeros) > 0 && zeros[0] == 0; zeros = zeros[1:] {
		s = append(s, '1')
	}
	first := len(s)
	for _, b := range raw {
		carry := int(b)
		for i := len(s) - 1; i >= first; i-- {
			carry += int(strings.IndexByte(base58Alphabet, s[i])) << 8
			s[i] = base58Alphabet[carry%58]
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			s = append(s[:first:first], append([]byte{base58Alphabet[carry%58]}, s[first:]...)...)
		}
	}
	return s
}

func TestDoubleSHA256(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	for length := range sha256Block - 8 {
		var block [sha256Block]byte
		for i := range length {
			block[i] = byte(random.Uint32())
		}
		once := sha256.Sum256(block[:length])
		twice := sha256.Sum256(once[:])
		if got, want := doubleSHA256OfBlock(&block, length), binary.BigEndian.Uint32(twice[:]); got != want {
			t.Errorf("%d bytes: %08x, want %08x", length, got, want)
		}
	}
}

func TestSHA256States(t *testing.T) {
	for _, test := range []struct {
		name string
		hash hash.Hash
		want bool
	}{
		{"SHA-256", sha256.New(), true},
		{"SHA-224", sha256.New224(), false},
		{"SHA-512", sha512.New(), false},
	} {
		appender, ok := test.hash.(encoding.BinaryAppender)
		if !ok {
			t.Fatalf("%s hides its state", test.name)
		}
		encoded, err := appender.AppendBinary(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := isSHA256State(encoded); got != test.want {
			t.Errorf("%s: %t", test.name, got)
		}
		for _, other := range [][]byte{nil, encoded[1:], encoded[:len(encoded)-1], append(encoded, 0)} {
			if isSHA256State(other) {
				t.Errorf("%s: %d bytes are a state", test.name, len(other))
			}
		}
	}
}

// TestTens holds the sum of four times ten digits against big numbers: random ones carry seldom, and at the bounds.
func TestTens(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	check := func(tens [4]uint64) {
		var want big.Int
		for _, ten := range tens {
			want.Add(want.Mul(&want, big.NewInt(base58Scale)), new(big.Int).SetUint64(ten))
		}
		var raw [base58Bytes]byte
		n := putTens(&raw, tens[0], tens[1], tens[2], tens[3])
		if n != len(want.Bytes()) || !bytes.Equal(raw[len(raw)-n:], want.Bytes()) {
			t.Fatalf("%d are %d bytes of %x, want %x", tens, n, raw, want.Bytes())
		}
	}
	for range 20_000 {
		var tens [4]uint64
		for i := range tens {
			tens[i] = [...]uint64{0, 1, random.Uint64N(256), base58Scale - 1, random.Uint64N(base58Scale), random.Uint64N(base58Scale)}[random.IntN(6)]
		}
		check(tens)
	}
}
