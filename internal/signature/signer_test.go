package signature_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/signature"
)

// bodySchemes sign the body alone.
func bodySchemes(t rapid.TB) []signature.Scheme {
	t.Helper()
	return []signature.Scheme{
		signature.Documented(), signature.HMACHeader("x-mac", "hmac ", signature.Base64), signature.HMACHeader("x-mac", "", signature.Base64), named(t, "github"),
	}
}

// TestSignerSignsAsSign signs several bodies in turn, each in the buffer that its
// signature goes to.
func TestSignerSignsAsSign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(bodySchemes(t)).Draw(t, "scheme")
		secrets := secretsOf(t, rapid.StringMatching(`(whsec_)?[ -~]{1,200}`).Draw(t, "secret"))
		g := s.Signer(secrets[0])
		for range rapid.IntRange(1, 5).Draw(t, "bodies") {
			body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
			want := string(body) + sign(t, s, secrets, signature.Message{Body: body}).Get(s.Header())
			buffer := append(make([]byte, 0, rapid.IntRange(0, 400).Draw(t, "room")), body...)
			if got := string(g.Append(buffer, buffer)); got != want {
				t.Fatalf("%s: %q, not %q", s.Name, got, want)
			}
		}
	})
}

func TestSignerDoesNotAllocate(t *testing.T) {
	secret, body, dst := secretsOf(t, "key")[0], []byte(strings.Repeat("body", 300)), make([]byte, 0, 100)
	for _, s := range bodySchemes(t) {
		g := s.Signer(secret)
		if n := testing.AllocsPerRun(100, func() { dst = g.Append(dst[:0], body) }); n > 0 {
			t.Errorf("%s: %v allocations", s.Name, n)
		}
	}
}

func TestNoSigner(t *testing.T) {
	secret := secretsOf(t, "key")[0]
	for name, g := range map[string]*signature.Signer{
		"a scheme with an id":  named(t, "standard-webhooks").Signer(secret),
		"a scheme with a time": named(t, "stripe").Signer(secret),
		"another encoding":     signature.HMACHeader("x", "", "base32").Signer(secret),
		"no header":            signature.Scheme{}.Signer(secret),
		"no secret":            signature.Documented().Signer(signature.Secret{}),
	} {
		if g != nil {
			t.Errorf("%s has a Signer", name)
		}
	}
}

func TestSignerHidesItsSecret(t *testing.T) {
	g := signature.Documented().Signer(secretsOf(t, "hunter2-hunter2")[0])
	g.Append(nil, nil)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x"} {
		if got := fmt.Sprintf(verb, *g); strings.Contains(got, "hunter") || strings.Contains(got, "68756e746572") {
			t.Errorf("%s: %s", verb, got)
		}
	}
}

func BenchmarkSigner(b *testing.B) {
	body := []byte(strings.Repeat("x", 800))
	g := signature.Documented().Signer(secretsOf(b, "a secret of some length")[0])
	dst := []byte(nil)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		dst = g.Append(dst[:0], body)
	}
}
