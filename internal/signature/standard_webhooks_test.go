package signature_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/signature"
)

// oracle is the official library for one secret, written whsec_ or raw as ours is.
func oracle(t rapid.TB, secret string) *standardwebhooks.Webhook {
	t.Helper()
	build := func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhookRaw([]byte(secret)) }
	if strings.HasPrefix(secret, "whsec_") {
		build = func() (*standardwebhooks.Webhook, error) { return standardwebhooks.NewWebhook(secret) }
	}
	w, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func standardSecrets() *rapid.Generator[string] {
	return rapid.OneOf(
		rapid.StringMatching(`[a-z0-9]{1,40}`),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 1, 64), func(b []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(b) }),
	)
}

// hmacKey returns what HMAC makes of a secret: keys that differ only in zeros at their end are the same.
func hmacKey(secret string) string {
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		key, _ := base64.StdEncoding.DecodeString(encoded)
		secret = string(key)
	}
	return strings.TrimRight(secret, "\x00")
}

func standardIDs() *rapid.Generator[string] { return rapid.StringMatching(`[!-\-/-~]{1,40}`) }

// TestStandardWebhooksOracle signs with several secrets: the official library accepts exactly those. It signs with one: Verify finds which.
func TestStandardWebhooksOracle(t *testing.T) {
	s := named(t, "standard-webhooks")
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfNDistinct(standardSecrets(), 2, 5, hmacKey).Draw(t, "secrets")
		secrets := secretsOf(t, texts...)
		id := standardIDs().Draw(t, "id")
		at := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "time"), 0)
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")

		last := len(texts) - 1
		h := sign(t, s, secrets[:last], signature.Message{ID: id, Time: at, Body: body})
		for i, text := range texts {
			if err := oracle(t, text).VerifyIgnoringTimestamp(body, h); (err == nil) != (i < last) {
				t.Fatalf("the official library, secret %d of %d signed with: %v, headers %v", i, last, err, h)
			}
		}

		theirs := rapid.IntRange(0, last).Draw(t, "signer")
		value, err := oracle(t, texts[theirs]).Sign(id, at, body)
		if err != nil {
			t.Fatal(err)
		}
		h.Set("webhook-signature", value)
		if r := s.Verify(secrets, h, body, at, time.Second); !r.OK || r.Secret != theirs {
			t.Fatalf("signed by the official library with secret %d: %+v", theirs, r)
		}
		others := append(append([]signature.Secret{}, secrets[:theirs]...), secrets[theirs+1:]...)
		if r := s.Verify(others, h, body, at, time.Second); r.OK || r.Reason != signature.Wrong {
			t.Fatalf("signed by the official library with a secret that is not given: %+v", r)
		}
	})
}

// TestStandardWebhooksTolerance agrees with the official library, which reads the clock itself, at distances far from its limit's edge.
func TestStandardWebhooksTolerance(t *testing.T) {
	s := named(t, "standard-webhooks")
	secrets, w := secretsOf(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), oracle(t, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	now, body := time.Now(), []byte("{}")
	for _, away := range []time.Duration{-24 * time.Hour, -10 * time.Minute, -time.Minute, 0, time.Minute, 10 * time.Minute, 24 * time.Hour} {
		h := sign(t, s, secrets, signature.Message{ID: "msg_1", Time: now.Add(away), Body: body})
		theirs, ours := w.Verify(body, h), s.Verify(secrets, h, body, now, signature.DefaultTolerance)
		if (theirs == nil) != ours.OK || ours.OK != (ours.Reason != signature.Stale) {
			t.Errorf("%v from now: the official library says %v, ours %+v", away, theirs, ours)
		}
		if r := s.Verify(secrets, h, body, now, 0); !r.OK {
			t.Errorf("%v from now without tolerance: %+v", away, r)
		}
	}
}

// TestStandardWebhooksLists reads signature lists as the official library does.
func TestStandardWebhooksLists(t *testing.T) {
	s := named(t, "standard-webhooks")
	secrets, w := secretsOf(t, "secret"), oracle(t, "secret")
	now, body := time.Now(), []byte(`{"a":1}`)
	h := sign(t, s, secrets, signature.Message{ID: "msg_1", Time: now, Body: body})
	ours := h.Get("webhook-signature")
	other := "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	for _, value := range []string{
		ours, other, other + " " + ours, ours + " " + other, strings.Replace(ours, "v1", "v2", 1), strings.Replace(ours, "v1", "v1a", 1),
		"v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== " + ours, "v1,", ours[3:], ours[:len(ours)-1], "v1",
	} {
		h := http.Header{"Webhook-Id": h["Webhook-Id"], "Webhook-Timestamp": h["Webhook-Timestamp"], "Webhook-Signature": {value}}
		if err, r := w.Verify(body, h), s.Verify(secrets, h, body, now, signature.DefaultTolerance); (err == nil) != r.OK {
			t.Errorf("%s: the official library says %v, ours %+v", value, err, r)
		}
	}
}
