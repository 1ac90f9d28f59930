package contract_test

import (
	"testing"

	"github.com/paytest/paytest/internal/signature"
)

// TestScheme holds that a pack says by which scheme its deliveries are signed.
func TestScheme(t *testing.T) {
	named := func(name string) signature.Scheme { s, _ := signature.Named(name); return s }
	for text, want := range map[string]signature.Scheme{
		`"header": "X-Signature"`:                                          signature.HMACHeader("X-Signature", "", signature.Hex),
		`"header": "x-sum", "prefix": "sha256="`:                           signature.HMACHeader("X-Sum", "sha256=", signature.Hex),
		`"header": "X-Hmac-Sha256", "encoding": "base64", "prefix": "v1,"`: signature.HMACHeader("X-Hmac-Sha256", "v1,", signature.Base64),
		`"scheme": "standard-webhooks"`:                                    named("standard-webhooks"),
		`"scheme": "stripe"`:                                               named("stripe"),
		`"scheme": "github"`:                                               named("github"),
	} {
		pack := boxes(t)
		replace("contract.json", `"delivery": {`, `"signature": {`+text+`, "answer": {"status": 401, "body": {}, "source": "manual"}, "source": "manual"}, "delivery": {`)(t, pack)
		c := load(t, pack)
		if c.Signature.Scheme != want || c.Signature.Header != want.Header() {
			t.Errorf("%s: %+v in %s", text, c.Signature.Scheme, c.Signature.Header)
		}
	}
}
