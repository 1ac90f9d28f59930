package signature_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/signature"
)

// follow signs as the recipe says and by nothing else.
func follow(t *testing.T, r signature.Recipe, secret string, m signature.Message) http.Header {
	t.Helper()
	key := []byte(secret)
	if rest, ok := strings.CutPrefix(secret, r.KeyPrefix); ok && r.KeyPrefix != "" {
		var err error
		if key, err = base64.StdEncoding.DecodeString(rest); err != nil {
			t.Fatal(err)
		}
	}
	words := []string{signature.RecipeID, m.ID, signature.RecipeTime, "1700000000", signature.RecipeBody, string(m.Body)}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(strings.NewReplacer(words...).Replace(r.Signed)))
	encoded := hex.EncodeToString(mac.Sum(nil))
	if r.Encoding == signature.Base64 {
		encoded = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	}
	out := http.Header{}
	for _, h := range r.Headers {
		out.Set(h.Name, strings.NewReplacer(append(words, signature.RecipeSignature, encoded)...).Replace(h.Value))
	}
	return out
}

// TestRecipe holds that who follows a scheme's recipe signs as the scheme does,
// and that each header has the form that the recipe says.
func TestRecipe(t *testing.T) {
	schemes := []signature.Scheme{
		signature.HMACHeader("X-Signature", "", signature.Hex),
		signature.HMACHeader("X-Sum", "v0.1/sum=", signature.Base64),
	}
	for _, name := range signature.Names() {
		s, _ := signature.Named(name)
		schemes = append(schemes, s)
	}
	m := signature.Message{ID: "msg_1", Time: time.Unix(1700000000, 0), Body: []byte(`{"a":"가"}`)}
	for _, s := range schemes {
		for _, text := range []string{"a secret", "whsec_AAECAwQFBgcICQ=="} {
			secret, err := signature.NewSecret([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			want, err := s.Sign([]signature.Secret{secret}, m)
			if err != nil {
				t.Fatal(err)
			}
			r := s.Recipe()
			if diff := cmp.Diff(want, follow(t, r, text, m)); diff != "" {
				t.Errorf("%s: %s", s.Name, diff)
			}
			for _, h := range r.Headers {
				form := regexp.MustCompile(h.Pattern)
				if value := want.Get(h.Name); !form.MatchString(value) || form.MatchString(value+"\n") || form.MatchString(" "+value) {
					t.Errorf("%s: %s %q and the form %s", s.Name, h.Name, value, h.Pattern)
				}
			}
			if last := r.Headers[len(r.Headers)-1].Name; last != s.Header() {
				t.Errorf("%s: the last header is %s", s.Name, last)
			}
		}
	}
}
