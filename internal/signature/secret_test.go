package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/signature"
)

func TestNewSecret(t *testing.T) {
	s := signature.Documented()
	body := []byte("body")
	want := sign(t, s, secretsOf(t, "k"), signature.Message{Body: body})
	for _, test := range []struct {
		in   string
		same bool
		err  error
	}{
		{in: "k", same: true},
		{in: "k\n", same: true},
		{in: "k\r\n", same: true},
		{in: "k\n\n"},
		{in: "k "},
		{in: "k\r"},
		{in: " k"},
		{in: "", err: signature.ErrEmptySecret},
		{in: "\n", err: signature.ErrEmptySecret},
		{in: "\r\n", err: signature.ErrEmptySecret},
		{in: strings.Repeat("k", signature.MaxSecretBytes) + "\n"},
		{in: strings.Repeat("k", signature.MaxSecretBytes+1), err: signature.ErrLongSecret},
	} {
		secret, err := signature.NewSecret([]byte(test.in))
		if !errors.Is(err, test.err) {
			t.Errorf("%.20q: error %v, want %v", test.in, err, test.err)
		}
		if err != nil {
			continue
		}
		if r := s.Verify([]signature.Secret{secret}, want, body, noon(), 0); r.OK != test.same {
			t.Errorf("%.20q is taken for \"k\": %v, want %v", test.in, r.OK, test.same)
		}
	}
}

func TestNewSecretCopies(t *testing.T) {
	held := []byte("secret")
	secret, err := signature.NewSecret(held)
	if err != nil {
		t.Fatal(err)
	}
	clear(held)
	h := sign(t, signature.Documented(), secretsOf(t, "secret"), signature.Message{})
	if r := signature.Documented().Verify([]signature.Secret{secret}, h, nil, noon(), 0); !r.OK {
		t.Errorf("clearing the buffer cleared the secret: %+v", r)
	}
}

// leaks says whether s, or what follows its whsec_, can be read out of text.
func leaks(text, s string) bool {
	if encoded, ok := strings.CutPrefix(s, "whsec_"); ok && leaks(text, encoded) {
		return true
	}
	for _, form := range []string{
		s, base64.StdEncoding.EncodeToString([]byte(s)), hex.EncodeToString([]byte(s)), strings.ToUpper(hex.EncodeToString([]byte(s))),
		strings.Trim(fmt.Sprintf("%d", []byte(s)), "[]"), strings.Trim(fmt.Sprintf("%#v", []byte(s)), "[]byte{}"),
	} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestSecretIsNeverPrinted(t *testing.T) {
	const text = "hunter2-correct-horse"
	secret := secretsOf(t, text)[0]
	type shown struct{ S signature.Secret }
	type buried struct {
		s signature.Secret
		p *signature.Secret
	}
	values := map[string]any{
		"value": secret, "pointer": &secret, "slice": []signature.Secret{secret}, "map": map[string]signature.Secret{"s": secret},
		"field": shown{secret}, "unexported field": buried{secret, &secret}, "pointer to it": &buried{secret, &secret}, "zero": signature.Secret{},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%p", "%t", "%08.3f", "%T"} {
			if out := fmt.Sprintf(verb, v); leaks(out, text) {
				t.Errorf("%s of %s: %s", verb, name, out)
			}
		}
		out, err := json.Marshal(v)
		if leaks(string(out), text) || leaks(fmt.Sprint(err), text) {
			t.Errorf("json of %s: %s %v", name, out, err)
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("m", "v", v)
		if leaks(logged.String(), text) {
			t.Errorf("slog of %s: %s", name, logged.String())
		}
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if out := fmt.Sprintf(verb, secret); out != "[secret]" {
			t.Errorf("%s: %s", verb, out)
		}
	}
	marshalled, err := json.Marshal(shown{secret})
	if string(marshalled) != `{"S":"[secret]"}` || err != nil {
		t.Errorf("json: %s %v", marshalled, err)
	}
	textual, err := secret.MarshalText()
	if string(textual) != "[secret]" || err != nil || secret.String() != "[secret]" || secret.GoString() != "[secret]" {
		t.Errorf("text: %s %v %s %s", textual, err, secret.String(), secret.GoString())
	}
}

// TestLeaks shows that leaks finds a secret that is printed.
func TestLeaks(t *testing.T) {
	held := []byte("hunter2-correct-horse")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		if out := fmt.Sprintf(verb, struct{ s []byte }{held}); !leaks(out, string(held)) {
			t.Errorf("%s goes unnoticed: %s", verb, out)
		}
	}
}

// TestNothingSaysTheSecretOrSignature looks at all that Sign and Verify return on secrets and headers that are wrong in many ways.
func TestNothingSaysTheSecretOrSignature(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(schemes(t)).Draw(t, "scheme")
		text := rapid.StringMatching(`(whsec_)?[a-zA-Z0-9+/]{20,60}={0,2}`).Draw(t, "secret")
		secrets := secretsOf(t, text)
		body := []byte(canonicalBodies().Draw(t, "body"))
		h, err := s.Sign(secrets, signature.Message{ID: "id", Time: noon(), Body: body})
		if leaks(fmt.Sprintf("%v %+v %#v", err, err, err), text) {
			t.Fatalf("Sign: %v", err)
		}
		expected := h.Get(s.Header())
		sent := rapid.OneOf(rapid.Just(strings.ToUpper(expected)), rapid.String(), rapid.Just(strings.Repeat("0", 64))).Draw(t, "sent")
		r := s.Verify(secrets, map[string][]string{
			s.Header(): {sent}, "Webhook-Id": {"id"}, "Webhook-Timestamp": {"1"},
		}, body, noon(), time.Second)
		shown := fmt.Sprintf("%v %#v", r, r)
		if r.OK || leaks(shown, text) || len(expected) > 60 && strings.Contains(shown, expected[len(expected)-40:]) {
			t.Fatalf("Verify: %s", shown)
		}
	})
}

func TestCheckSecrets(t *testing.T) {
	many := make([]string, signature.MaxSecrets+1)
	for i := range many {
		many[i] = fmt.Sprint("secret", i)
	}
	standard := named(t, "standard-webhooks")
	for _, test := range []struct {
		name    string
		scheme  signature.Scheme
		secrets []signature.Secret
		index   int
		want    string
	}{
		{"none", signature.Documented(), nil, -1, "signature scheme X-Signature: there is no secret"},
		{"too many", signature.Documented(), secretsOf(t, many...), -1, "17 secrets: give at most 16"},
		{"zero value", signature.Documented(), append(secretsOf(t, "a"), signature.Secret{}), 1, "secret 2: it is empty"},
		{"not base64", standard, secretsOf(t, "whsec_a.b"), 0, "not base64"},
		{"unpadded", standard, secretsOf(t, "raw", "whsec_YQ"), 1, "not base64"},
		{"nothing", standard, secretsOf(t, "whsec_"), 0, "nothing follows its whsec_"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := test.scheme.CheckSecrets(test.secrets)
			var typed *signature.SecretError
			if !errors.As(err, &typed) || typed.Index != test.index || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q at %d", err, test.want, test.index)
			}
			if _, signErr := test.scheme.Sign(test.secrets, signature.Message{ID: "id", Time: noon()}); signErr == nil || signErr.Error() != err.Error() {
				t.Errorf("Sign says %v, CheckSecrets %v", signErr, err)
			}
		})
	}
	for _, s := range schemes(t) {
		if err := s.CheckSecrets(secretsOf(t, many[1:]...)); err != nil {
			t.Errorf("%s: %v", s.Name, err)
		}
	}
}

// TestUnusableSecretNeverMatches signs with the key an unusable secret would decay to: the empty one.
func TestUnusableSecretNeverMatches(t *testing.T) {
	body := []byte("{}")
	w := oracle(t, "")
	value, err := w.Sign("id", noon(), body)
	if err != nil {
		t.Fatal(err)
	}
	h := map[string][]string{"Webhook-Id": {"id"}, "Webhook-Timestamp": {fmt.Sprint(noon().Unix())}, "Webhook-Signature": {value}}
	for _, secrets := range [][]signature.Secret{nil, {{}}, secretsOf(t, "whsec_"), secretsOf(t, "whsec_!")} {
		r := named(t, "standard-webhooks").Verify(secrets, h, body, noon(), 0)
		if r.OK || r.Reason != signature.Wrong || r.Secret != -1 || !strings.Contains(r.Detail, "secret") {
			t.Errorf("%+v", r)
		}
	}
}
