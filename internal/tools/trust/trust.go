// Package trust is what the proofs of paytest's own rightness share. A proof is a
// test whose name begins with TestTrust; "go run ./internal/tools/verify" runs
// them all and shows what they say here.
package trust

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Scale is how much a proof tries: by "go test" alone, in a quick run of all
// proofs, or in a full one.
func Scale[T any](always, quick, full T) T {
	switch os.Getenv("TRUST") {
	case "quick":
		return quick
	case "full":
		return full
	}
	return always
}

// Seed is the seed of this run, which the table shows beside the proof: 1, unless
// the environment's TRUST_SEED says otherwise.
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(1)
	if text := os.Getenv("TRUST_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("TRUST_SEED is no number: %v", err)
		}
		seed = n
	}
	t.Attr("seed", strconv.FormatUint(seed, 10))
	return seed
}

// Rand is a source of randomness that this run's seed determines.
func Rand(t testing.TB) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(Seed(t), 0))
}

// Figure puts a number or a word into the proof's line of the table, such as
// "deliveries acknowledged" and 12345.
func Figure(t testing.TB, name string, value any) {
	t.Helper()
	t.Attr(strings.ReplaceAll(name, " ", "-"), fmt.Sprint(value))
}

// Caught tells of a deliberately broken build, or a broken part, that the proof
// was held against and did report, such as "acknowledges before it writes". A
// proof that never caught anything proves nothing, and the run fails.
func Caught(t testing.TB, broken string) {
	t.Helper()
	t.Attr("caught", broken)
}
