//go:build !race

package signature_test

import (
	"testing"

	"github.com/paytest/paytest/internal/signature"
)

// TestVerifierAllocs holds that a Verifier allocates nothing for a plain body. Under the race detector a sync.Pool forgets at random.
func TestVerifierAllocs(t *testing.T) {
	secrets, scheme, body := secretsOf(t, "old", "new"), signature.Documented(), []byte(`{"a":"b"}`)
	h, err := scheme.Sign(secrets, signature.Message{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	every := scheme.Verifier(secrets)
	every.Canonical = true
	if n := testing.AllocsPerRun(100, func() { every.Verify(h, body, noon(), 0) }); n > 0.5 {
		t.Errorf("%v allocations", n)
	}
}
