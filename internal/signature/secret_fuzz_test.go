package signature_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"

	"github.com/paytest/paytest/internal/signature"
)

// FuzzSecret reads any file as a secret: its signature is that of the standard
// library over the same bytes but for the line's end, and no way of printing shows
// it.
func FuzzSecret(f *testing.F) {
	for _, seed := range []string{"", "\n", "\r\n", "whsec-of-a-merchant\n", "whsec_", "whsec_bm9uZQ==", "a\nb\n", "a\r\r\n", "\xff\x00"} {
		f.Add([]byte(seed), []byte(`{"a":1}`))
	}
	f.Fuzz(func(t *testing.T, raw, body []byte) {
		secret, err := signature.NewSecret(raw)
		if err != nil {
			return
		}
		kept := raw
		if trimmed, ok := bytes.CutSuffix(raw, []byte("\n")); ok {
			kept = bytes.TrimSuffix(trimmed, []byte("\r"))
		}
		mac := hmac.New(sha256.New, kept)
		mac.Write(body)
		want := hex.EncodeToString(mac.Sum(nil))
		h := signature.HMACHeader("X-Signature", "", signature.Hex)
		if got := h.Verifier([]signature.Secret{secret}).Verify(map[string][]string{"X-Signature": {want}}, body, noon(), signature.DefaultTolerance); !got.OK {
			t.Fatalf("%q: %+v", raw, got)
		}
		if told := fmt.Sprintf("%v %+v %#v %s %q %x", secret, secret, secret, secret, secret, secret); len(kept) > 8 && bytes.Contains([]byte(told), kept) {
			t.Fatalf("%q is printed: %s", raw, told)
		}
	})
}
