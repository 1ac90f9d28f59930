package signature_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/signature"
)

func noon() time.Time { return time.Date(2025, 9, 5, 12, 0, 0, 0, time.UTC) }

func secretsOf(t rapid.TB, texts ...string) []signature.Secret {
	t.Helper()
	secrets := make([]signature.Secret, len(texts))
	for i, text := range texts {
		secret, err := signature.NewSecret([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		secrets[i] = secret
	}
	return secrets
}

func sign(t rapid.TB, s signature.Scheme, secrets []signature.Secret, m signature.Message) http.Header {
	t.Helper()
	h, err := s.Sign(secrets, m)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func named(t rapid.TB, name string) signature.Scheme {
	t.Helper()
	s, ok := signature.Named(name)
	if !ok {
		t.Fatalf("no scheme %s", name)
	}
	return s
}

// schemes returns one of each kind.
func schemes(t rapid.TB) []signature.Scheme {
	t.Helper()
	all := []signature.Scheme{signature.Documented(), signature.HMACHeader("x-mac", "hmac ", signature.Base64)}
	for _, name := range signature.Names() {
		all = append(all, named(t, name))
	}
	return all
}

func TestSchemes(t *testing.T) {
	if signature.HMACHeader("x-signature", "", signature.Hex) != signature.Documented() {
		t.Error("the case of the header makes another scheme")
	}
	want := []string{"X-Signature", "X-Mac", "Webhook-Signature", "Stripe-Signature", "X-Hub-Signature-256"}
	var got []string
	for _, s := range schemes(t) {
		got = append(got, s.Header())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	for _, name := range signature.Names() {
		if s := named(t, name); s.Name != name {
			t.Errorf("%s is named %s", name, s.Name)
		}
	}
	for _, name := range []string{"", "Stripe", "X-Signature"} {
		if s, ok := signature.Named(name); ok {
			t.Errorf("%q is %+v", name, s)
		}
	}
}

// TestSignRefuses has the messages and schemes nothing can be signed with.
func TestSignRefuses(t *testing.T) {
	standard := named(t, "standard-webhooks")
	for _, test := range []struct {
		scheme  signature.Scheme
		message signature.Message
		want    string
	}{
		{signature.Scheme{}, signature.Message{}, "needs a header"},
		{signature.HMACHeader("X", "", "rot13"), signature.Message{}, "encoding hex or base64"},
		{standard, signature.Message{Time: noon()}, "the id is empty"},
		{standard, signature.Message{ID: "a.b", Time: noon()}, "full stop"},
		{standard, signature.Message{ID: "a b", Time: noon()}, "visible ASCII"},
		{standard, signature.Message{ID: "é", Time: noon()}, "visible ASCII"},
		{standard, signature.Message{ID: "a\r\nb", Time: noon()}, "visible ASCII"},
		{standard, signature.Message{ID: strings.Repeat("a", 257), Time: noon()}, "more than 256 bytes"},
		{standard, signature.Message{ID: "a"}, "needs a time"},
		{named(t, "stripe"), signature.Message{}, "needs a time"},
		{named(t, "stripe"), signature.Message{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, "needs a time"},
	} {
		h, err := test.scheme.Sign(secretsOf(t, "k"), test.message)
		if err == nil || h != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v %v, want an error with %q", test.message, h, err, test.want)
		}
	}
}

// TestVerifyRefuses changes one thing about a delivery that verifies.
func TestVerifyRefuses(t *testing.T) {
	const mac = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	const mac64 = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	const at = "1757073600"
	doc, github, base64 := signature.Documented(), named(t, "github"), signature.HMACHeader("X-Mac", "", signature.Base64)
	standard, stripe := named(t, "standard-webhooks"), named(t, "stripe")
	set := func(name string, values ...string) func(http.Header) {
		return func(h http.Header) {
			h.Del(name)
			if values != nil {
				h[name] = values
			}
		}
	}
	for _, test := range []struct {
		name   string
		scheme signature.Scheme
		change func(http.Header)
		reason signature.Reason
		detail string
	}{
		{"no header", doc, set("X-Signature"), signature.Missing, "there is no X-Signature header"},
		{"empty", doc, set("X-Signature", ""), signature.Missing, "the X-Signature header is empty"},
		{"twice", doc, set("X-Signature", mac, mac), signature.Malformed, "there are 2 X-Signature headers, and only one may be"},
		{"twice in two cases", doc, func(h http.Header) { h["x-signature"] = h["X-Signature"] }, signature.Malformed, "there are 2 X-Signature headers, and only one may be"},
		{"not hex", doc, set("X-Signature", mac[:63]+"g"), signature.Malformed, "X-Signature is not hexadecimal"},
		{"spaces", doc, set("X-Signature", " "+mac), signature.Malformed, "X-Signature is not hexadecimal"},
		{"prefixed", doc, set("X-Signature", "sha256="+mac), signature.Malformed, "X-Signature is not hexadecimal"},
		{"short", doc, set("X-Signature", mac[:40]), signature.Malformed, "X-Signature is 40 hexadecimal digits long, an HMAC-SHA256 has 64"},
		{"long", doc, set("X-Signature", mac+"0"), signature.Malformed, "X-Signature is 65 hexadecimal digits long, an HMAC-SHA256 has 64"},
		{"huge", doc, set("X-Signature", strings.Repeat("a", 4097)), signature.Malformed, "X-Signature has more than 4096 bytes"},
		{"other", doc, set("X-Signature", mac), signature.Wrong, "the secret does not give this signature over the body (raw and re-serialised are the same bytes)"},
		{
			"upper case", doc, func(h http.Header) { h.Set("X-Signature", strings.ToUpper(h.Get("X-Signature"))) },
			signature.Malformed, "X-Signature is upper-case hexadecimal, and the scheme writes lower case",
		},

		{"no prefix", github, set("X-Hub-Signature-256", mac), signature.Malformed, "X-Hub-Signature-256 does not start with sha256="},
		{"sha1", github, set("X-Hub-Signature-256", "sha1="+mac[:40]), signature.Malformed, "X-Hub-Signature-256 does not start with sha256="},
		{"other", github, set("X-Hub-Signature-256", "sha256="+mac), signature.Wrong, "the secret does not give this signature over the body"},

		{"not base64", base64, set("X-Mac", mac64[:43]+"!"), signature.Malformed, "X-Mac is not base64 with padding"},
		{"unpadded", base64, set("X-Mac", mac64[:43]), signature.Malformed, "X-Mac is not base64 with padding"},
		{"line feed", base64, set("X-Mac", mac64[:20]+"\n"+mac64[20:]), signature.Malformed, "X-Mac is not base64 with padding"},
		{"loose bits", base64, set("X-Mac", mac64[:42]+"d="), signature.Malformed, "X-Mac is not base64 with padding"},
		{"hex", base64, set("X-Mac", mac), signature.Malformed, "X-Mac is base64 of 48 bytes, an HMAC-SHA256 has 32"},

		{"no id", standard, set("Webhook-Id"), signature.Missing, "there is no Webhook-Id header"},
		{"two ids", standard, set("Webhook-Id", "a", "a"), signature.Malformed, "there are 2 Webhook-Id headers, and only one may be"},
		{
			"id takes over the timestamp", standard, set("Webhook-Id", "id."+at), signature.Malformed,
			"Webhook-Id: the id contains a full stop, which separates it from the timestamp in what is signed",
		},
		{"another id", standard, set("Webhook-Id", "id2"), signature.Wrong, "the secret does not give this signature over the body"},
		{"no time", standard, set("Webhook-Timestamp"), signature.Missing, "there is no Webhook-Timestamp header"},
		{"another time", standard, set("Webhook-Timestamp", "1757073601"), signature.Wrong, "the secret does not give this signature over the body"},
		{"words", standard, set("Webhook-Timestamp", "now"), signature.Malformed, "Webhook-Timestamp is not a whole number of seconds"},
		{"negative", standard, set("Webhook-Timestamp", "-1"), signature.Malformed, "Webhook-Timestamp is not a whole number of seconds"},
		{"fraction", standard, set("Webhook-Timestamp", at+".5"), signature.Malformed, "Webhook-Timestamp is not a whole number of seconds"},
		{"plus", standard, set("Webhook-Timestamp", "+"+at), signature.Malformed, "Webhook-Timestamp is not a whole number of seconds"},
		{"leading zero", standard, set("Webhook-Timestamp", "0"+at), signature.Malformed, "Webhook-Timestamp starts with a zero"},
		{"milliseconds", standard, set("Webhook-Timestamp", at+"000"), signature.Malformed, "Webhook-Timestamp is not a number of seconds up to the year 9999"},
		{"beyond int64", standard, set("Webhook-Timestamp", strings.Repeat("9", 30)), signature.Malformed, "Webhook-Timestamp is not a number of seconds up to the year 9999"},
		{"no signature", standard, set("Webhook-Signature"), signature.Missing, "there is no Webhook-Signature header"},
		{"no version", standard, set("Webhook-Signature", mac64), signature.Malformed, "Webhook-Signature holds something that is not version,signature"},
		{"two spaces", standard, set("Webhook-Signature", "v1,"+mac64+"  v1,"+mac64), signature.Malformed, "Webhook-Signature holds something that is not version,signature"},
		{"asymmetric only", standard, set("Webhook-Signature", "v1a,"+mac64), signature.Malformed, "Webhook-Signature holds no v1 signature"},
		{"hex", standard, set("Webhook-Signature", "v1,"+mac), signature.Malformed, "a v1 signature in Webhook-Signature is base64 of 48 bytes, an HMAC-SHA256 has 32"},

		{"no t", stripe, set("Stripe-Signature", "v1="+mac), signature.Malformed, "Stripe-Signature holds no t"},
		{"empty t", stripe, set("Stripe-Signature", "t=,v1="+mac), signature.Malformed, "t in Stripe-Signature is not a number of seconds up to the year 9999"},
		{"two t", stripe, set("Stripe-Signature", "t=1,t=1,v1="+mac), signature.Malformed, "Stripe-Signature holds more than one t"},
		{"t is a word", stripe, set("Stripe-Signature", "t=x,v1="+mac), signature.Malformed, "t in Stripe-Signature is not a whole number of seconds"},
		{"v0 only", stripe, set("Stripe-Signature", "t=1,v0="+mac), signature.Malformed, "Stripe-Signature holds no v1 signature"},
		{"bare mac", stripe, set("Stripe-Signature", mac), signature.Malformed, "Stripe-Signature holds something that is not key=value"},
		{"upper case", stripe, set("Stripe-Signature", "t=1,v1="+strings.ToUpper(mac)), signature.Malformed, "a v1 signature in Stripe-Signature is upper-case hexadecimal, and the scheme writes lower case"},
		{"other", stripe, set("Stripe-Signature", "t="+at+",v1="+mac), signature.Wrong, "the secret does not give this signature over the body"},
	} {
		t.Run(test.scheme.Name+" "+test.name, func(t *testing.T) {
			body, secrets := []byte(`{"a":1}`), secretsOf(t, "k")
			h := sign(t, test.scheme, secrets, signature.Message{ID: "id", Time: noon(), Body: body})
			if r := test.scheme.Verify(secrets, h, body, noon(), time.Minute); !r.OK {
				t.Fatalf("before the change: %+v", r)
			}
			test.change(h)
			want := signature.Result{Reason: test.reason, Detail: test.detail, Secret: -1}
			if test.reason == signature.Wrong {
				want.Tried = []signature.Family{signature.Both}
			}
			if diff := cmp.Diff(want, test.scheme.Verify(secrets, h, body, noon(), time.Minute)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFamilies signs one form of a body and verifies another.
func TestFamilies(t *testing.T) {
	const both, raw, reserialised = signature.Both, signature.Raw, signature.Reserialised
	type families = []signature.Family
	doc, github := signature.Documented(), named(t, "github")
	for _, test := range []struct {
		name         string
		scheme       signature.Scheme
		signed, sent string
		want         signature.Result
	}{
		{"fixed point", doc, `{"a":1}`, `{"a":1}`, signature.Result{OK: true, Family: both, Tried: families{both}}},
		{"spaced, raw", doc, `{"a": 1}`, `{"a": 1}`, signature.Result{OK: true, Family: raw, Tried: families{raw}}},
		{"spaced, re-serialised", doc, `{"a":1}`, `{"a": 1}`, signature.Result{OK: true, Family: reserialised, Tried: families{raw, reserialised}}},
		{"escaped", doc, `{"a":"é<\u2028"}`, `{"a":"\u00e9\u003c\u2028"}`, signature.Result{
			Reason: signature.Wrong, Secret: -1, Tried: families{raw, reserialised},
			Detail: "the secret does not give this signature, neither over the raw body nor over the re-serialised one",
		}},
		{"escaped, as node writes it", doc, "{\"a\":\"é<\u2028\"}", `{"a":"\u00e9\u003c\u2028"}`, signature.Result{OK: true, Family: reserialised, Tried: families{raw, reserialised}}},
		{"numbers", doc, `{"1":100,"b":1e+21}`, `{"b":1000000000000000000000,"1":1.0e2}`, signature.Result{OK: true, Family: reserialised, Tried: families{raw, reserialised}}},
		{"not JSON, raw", doc, `hello`, `hello`, signature.Result{OK: true, Family: raw, Tried: families{raw}}},
		{"repeated name, as node reads it", doc, `{"a":2}`, `{"a":1,"a":2}`, signature.Result{
			Reason: signature.Wrong, Secret: -1, Tried: families{raw},
			Detail: "the secret does not give this signature over the raw body (it is not strict JSON, so it has no re-serialised form)",
		}},
		{"repeated name, raw", doc, `{"a":1,"a":2}`, `{"a":1,"a":2}`, signature.Result{OK: true, Family: raw, Tried: families{raw}}},
		{"empty", doc, ``, ``, signature.Result{OK: true, Family: raw, Tried: families{raw}}},
		{"github spaced", github, `{"a": 1}`, `{"a": 1}`, signature.Result{OK: true, Family: raw, Tried: families{raw}}},
		{"github re-serialised", github, `{"a":1}`, `{"a": 1}`, signature.Result{
			Reason: signature.Wrong, Family: reserialised, Tried: families{raw, reserialised},
			Detail: "the signature covers the body as JSON.stringify writes it, and the scheme signs the body as it is sent",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			secrets := secretsOf(t, "k")
			h := sign(t, test.scheme, secrets, signature.Message{Body: []byte(test.signed)})
			if diff := cmp.Diff(test.want, test.scheme.Verify(secrets, h, []byte(test.sent), noon(), 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTolerance(t *testing.T) {
	for _, test := range []struct {
		away      time.Duration // of now from the signed time
		tolerance time.Duration
		detail    string
	}{
		{0, time.Nanosecond, ""},
		{300 * time.Second, 300 * time.Second, ""},
		{300*time.Second + 1, 300 * time.Second, "timestamp is 301 s old, 5m0s is allowed"},
		{600 * time.Second, 300 * time.Second, "timestamp is 600 s old, 5m0s is allowed"},
		{-300 * time.Second, 300 * time.Second, ""},
		{-300*time.Second - 1, 300 * time.Second, "timestamp is 301 s in the future, 5m0s is allowed"},
		{-600 * time.Second, 300 * time.Second, "timestamp is 600 s in the future, 5m0s is allowed"},
		{600 * time.Second, 0, ""},
		{-600 * time.Second, -1, ""},
	} {
		for _, name := range []string{"standard-webhooks", "stripe"} {
			s, secrets := named(t, name), secretsOf(t, "old", "new")
			h := sign(t, s, secrets[1:], signature.Message{ID: "id", Time: noon(), Body: []byte("[]")})
			want := signature.Result{OK: true, Family: signature.Both, Secret: 1, Tried: []signature.Family{signature.Both}}
			if test.detail != "" {
				want.OK, want.Reason, want.Detail = false, signature.Stale, test.detail
			}
			if diff := cmp.Diff(want, s.Verify(secrets, h, []byte("[]"), noon().Add(test.away), test.tolerance)); diff != "" {
				t.Errorf("%s, %v away with tolerance %v (-want +got):\n%s", name, test.away, test.tolerance, diff)
			}
			if r := s.Verify(secrets, h, []byte("{}"), noon().Add(test.away), test.tolerance); r.OK || r.Reason != signature.Wrong {
				t.Errorf("%s, %v away and another body: %+v", name, test.away, r)
			}
		}
	}
	far := http.Header{"Stripe-Signature": {"t=253402300799,v1=" + strings.Repeat("0", 64)}}
	if r := named(t, "stripe").Verify(secretsOf(t, "k"), far, nil, noon(), time.Second); r.Reason != signature.Wrong {
		t.Errorf("the year 9999: %+v", r)
	}
	doc := signature.Documented()
	h := sign(t, doc, secretsOf(t, "k"), signature.Message{})
	if r := doc.Verify(secretsOf(t, "k"), h, nil, noon(), time.Nanosecond); !r.OK {
		t.Errorf("a scheme without timestamp is stale: %+v", r)
	}
}

// TestRotation signs with some secrets and verifies with others: a delivery is accepted exactly when they share one the scheme sends.
func TestRotation(t *testing.T) {
	all := schemes(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(all).Draw(t, "scheme")
		pick := rapid.SliceOfNDistinct(rapid.IntRange(0, 7), 1, 8, rapid.ID[int])
		senders, receivers := pick.Draw(t, "senders"), pick.Draw(t, "receivers")
		of := func(numbers []int) []signature.Secret {
			texts := make([]string, len(numbers))
			for i, n := range numbers {
				texts[i] = fmt.Sprint("secret ", n)
			}
			return secretsOf(t, texts...)
		}
		body := []byte(canonicalBodies().Draw(t, "body"))
		h := sign(t, s, of(senders), signature.Message{ID: "id", Time: noon(), Body: body})
		sent := senders
		if s.Name != "standard-webhooks" && s.Name != "stripe" {
			sent = senders[:1]
		}
		want := slices.IndexFunc(receivers, func(n int) bool { return slices.Contains(sent, n) })
		if r := s.Verify(of(receivers), h, body, noon(), time.Second); r.OK != (want >= 0) || r.Secret != want {
			t.Fatalf("%+v, want secret %d", r, want)
		}
	})
}

// TestAnyFlipFails changes one byte of a header or of the body. A body may change and keep the meaning that the documented scheme signs.
func TestAnyFlipFails(t *testing.T) {
	all := schemes(t)
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SampledFrom(all).Draw(t, "scheme")
		secrets := secretsOf(t, "k")
		body := []byte(canonicalBodies().Draw(t, "body"))
		h := sign(t, s, secrets, signature.Message{ID: "msg_1", Time: noon(), Body: body})
		mask := rapid.ByteRange(1, 255).Draw(t, "mask")
		for name := range h {
			value := []byte(h.Get(name))
			for i := range value {
				value[i] ^= mask
				flipped := h.Clone()
				flipped[name] = []string{string(value)}
				value[i] ^= mask
				if r := s.Verify(secrets, flipped, body, noon(), 0); r.OK {
					t.Fatalf("byte %d of %s: %+v", i, name, r)
				}
			}
		}
		i := rapid.IntRange(0, len(body)-1).Draw(t, "at")
		flipped := bytes.Clone(body)
		flipped[i] ^= mask
		r := s.Verify(secrets, h, flipped, noon(), 0)
		rawOnly := slices.Contains(signature.Names(), s.Name)
		if r.OK && (rawOnly || r.Family != signature.Reserialised || !sameMeaning(flipped, body)) {
			t.Fatalf("byte %d of the body: %+v", i, r)
		}
	})
}

func sameMeaning(a, canonical []byte) bool {
	v, err := jsondoc.Parse(a)
	return err == nil && bytes.Equal(v.AppendCanonical(nil), canonical)
}

// TestFlippedSpelling is the one flip that keeps the meaning: raw schemes refuse it, the documented one accepts it as re-serialised.
func TestFlippedSpelling(t *testing.T) {
	secrets := secretsOf(t, "k")
	for _, s := range schemes(t) {
		h := sign(t, s, secrets, signature.Message{ID: "id", Time: noon(), Body: []byte(`[1e+21]`)})
		r := s.Verify(secrets, h, []byte(`[1e021]`), noon(), 0)
		if raw := slices.Contains(signature.Names(), s.Name); r.OK == raw || r.Family != signature.Reserialised {
			t.Errorf("%s: %+v", s.Name, r)
		}
	}
}

// TestVerifier holds that a Verifier says what Scheme.Verify says, of one delivery after another and of many at a time.
func TestVerifier(t *testing.T) {
	secrets := secretsOf(t, "old", "new")
	for _, name := range append(signature.Names(), "X-Signature") {
		scheme, ok := signature.Named(name)
		if !ok {
			scheme = signature.HMACHeader(name, "", signature.Hex)
		}
		every := scheme.Verifier(secrets)
		every.Canonical = true
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for n := range 20 {
					body := fmt.Appendf(nil, `{"delivery":%d,"of":%d}`, n, i)
					h, err := scheme.Sign(secrets[n%2:], signature.Message{ID: "msg", Time: noon(), Body: body})
					if err != nil {
						t.Error(err)
						return
					}
					if n%3 == 0 {
						body = append(body, ' ')
					}
					want := scheme.Verify(secrets, h, body, noon(), time.Second)
					if diff := cmp.Diff(want, every.Verify(h, body, noon(), time.Second)); diff != "" {
						t.Errorf("%s, delivery %d: %s", name, n, diff)
					}
				}
			})
		}
		all.Wait()
	}
	scheme := signature.Documented()
	body := []byte(`{"a":"b"}`)
	h, err := scheme.Sign(secrets, signature.Message{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	every := scheme.Verifier(secrets)
	every.Canonical = true
	if r := every.Verify(http.Header{"x-signature": h["X-Signature"]}, body, noon(), 0); r.OK {
		t.Error("a header is searched although its name is said to be canonical")
	}
}
