package listen_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/verify"
)

func secret(t testing.TB, text string) signature.Secret {
	t.Helper()
	s, err := signature.NewSecret([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	oldSecret   = "whsec_b2xkLXNlY3JldC10aGF0LWlzLWxvbmctZW5vdWdo"
	newSecret   = "whsec_bmV3LXNlY3JldC10aGF0LWlzLWxvbmctZW5vdWdo"
	otherSecret = "whsec_bm9ib2R5cy1zZWNyZXQtdGhhdC1pcy1sb25nLWVub3Vn"
)

func allSchemes(t testing.TB) map[string]signature.Scheme {
	t.Helper()
	out := map[string]signature.Scheme{"documented": signature.HMACHeader(load(t).Signature.Header, "", signature.Hex)}
	for _, name := range signature.Names() {
		s, ok := signature.Named(name)
		if !ok {
			t.Fatal(name)
		}
		out[name] = s
	}
	return out
}

// TestSignature sends deliveries that are signed in every way, right and wrong.
func TestSignature(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	spaced := append(bytes.Clone(body), '\n')
	for name, scheme := range allSchemes(t) {
		timed := name == "standard-webhooks" || name == "stripe"
		for _, test := range []signedCase{
			{name: "right", by: newSecret, sign: body, send: body, family: signature.Both},
			{name: "with the old secret", by: oldSecret, sign: body, send: body, family: signature.Both},
			{name: "of the raw bytes", by: newSecret, sign: spaced, send: spaced, family: signature.Raw},
			{name: "missing", by: newSecret, sign: body, send: body, edit: func(h http.Header) { h.Del(scheme.Header()) }, refuse: signature.Missing},
			{name: "empty", by: newSecret, sign: body, send: body, edit: func(h http.Header) { h.Set(scheme.Header(), "") }, refuse: signature.Missing},
			{name: "malformed", by: newSecret, sign: body, send: body, edit: func(h http.Header) { h.Set(scheme.Header(), "zzz") }, refuse: signature.Malformed},
			{name: "with a stranger's secret", by: otherSecret, sign: body, send: body, refuse: signature.Wrong},
			{name: "of another body", by: newSecret, sign: []byte("{}"), send: body, refuse: signature.Wrong},
		} {
			t.Run(name+"/"+test.name, func(t *testing.T) { checkSigned(t, scheme, path, test) })
		}
		if timed {
			t.Run(name+"/stale", func(t *testing.T) {
				checkSigned(t, scheme, path, signedCase{by: newSecret, sign: body, send: body, age: 6 * time.Minute, refuse: signature.Stale})
			})
			t.Run(name+"/not yet stale", func(t *testing.T) {
				checkSigned(t, scheme, path, signedCase{by: newSecret, sign: body, send: body, age: 5 * time.Minute, family: signature.Both})
			})
		}
		t.Run(name+"/of the re-serialised bytes", func(t *testing.T) {
			test := signedCase{by: newSecret, sign: body, send: spaced, family: signature.Reserialised}
			if name != "documented" { // the others sign what is on the wire
				test.family, test.refuse = "", signature.Wrong
			}
			checkSigned(t, scheme, path, test)
		})
	}
}

// signedCase is a delivery and how it is signed.
type signedCase struct {
	name   string
	by     string // the secret
	sign   []byte // the bytes that are signed
	send   []byte
	age    time.Duration
	edit   func(http.Header)
	refuse signature.Reason
	family signature.Family
}

func checkSigned(t *testing.T, scheme signature.Scheme, path string, test signedCase) {
	t.Helper()
	b := newBench(t, func(o *listen.Options) {
		o.Secrets, o.Scheme = []signature.Secret{secret(t, newSecret), secret(t, oldSecret)}, scheme
	})
	m := signature.Message{ID: "msg_1", Time: b.Now().Add(-test.age), Body: test.sign}
	headers, err := scheme.Sign([]signature.Secret{secret(t, test.by)}, m)
	if err != nil {
		t.Fatal(err)
	}
	if test.edit != nil {
		test.edit(headers)
	}
	flat := map[string]string{}
	for name := range headers {
		flat[name] = headers.Get(name)
	}
	w := b.serve(http.MethodPost, path, flat, bytes.NewReader(test.send))
	d := b.got[0]
	if test.refuse == "" {
		want := ""
		if test.family != signature.Both {
			want = "note signature-family"
		}
		if w.Code != http.StatusOK || codes(d) != want || d.Signature != string(test.family) {
			t.Errorf("%d %s %q", w.Code, codes(d), d.Signature)
		}
		if want != "" && !strings.Contains(d.Verdict.Findings[0].Message, string(test.family)) {
			t.Errorf("%+v", d.Verdict.Findings)
		}
		return
	}
	got := read(t, w)
	if diff := cmp.Diff(answer{http.StatusUnauthorized, map[string]any{"error": "Invalid signature"}, []string{"violation wrong-signature"}}, got); diff != "" {
		t.Error(diff)
	}
	f := d.Verdict.Findings[0]
	if !strings.Contains(f.Message, scheme.Header()+" is "+string(test.refuse)) || f.Source != "webhook/README" || d.Signature != "" || d.Attempt != 0 {
		t.Errorf("%+v", d)
	}
	noSecret(t, scheme, m, test.send, w.Body.String())
	told, err := json.Marshal(d.Verdict)
	if err != nil {
		t.Fatal(err)
	}
	noSecret(t, scheme, m, test.send, string(told))
	if s := b.Checker.Summary(); s.Subjects != 0 {
		t.Errorf("%d subjects are remembered of it", s.Subjects)
	}
}

// noSecret holds that a text has no secret in it, and no signature that would
// have been right.
func noSecret(t *testing.T, scheme signature.Scheme, m signature.Message, body []byte, text string) {
	t.Helper()
	m.Body = body
	for _, key := range []string{oldSecret, newSecret, otherSecret} {
		right, err := scheme.Sign([]signature.Secret{secret(t, key)}, m)
		if err != nil {
			t.Fatal(err)
		}
		mac := right.Get(scheme.Header())
		mac = mac[strings.LastIndexAny(mac[:len(mac)-10], ",=")+1:]
		if strings.Contains(text, key) || strings.Contains(text, strings.TrimPrefix(key, "whsec_")) || strings.Contains(text, mac) {
			t.Errorf("%s tells %s or %s", text, key, mac)
		}
	}
}

// TestUnsigned holds that an unsigned delivery leaves nothing behind that could
// make a signed one look wrong.
func TestUnsigned(t *testing.T) {
	c := load(t)
	scheme := allSchemes(t)["documented"]
	path, body := post(t, c, "invoice", "pending", 0)
	_, contrary := post(t, c, "invoice", "cancel", 0)
	b := newBench(t, func(o *listen.Options) {
		o.Secrets, o.Scheme, o.Checker = []signature.Secret{secret(t, newSecret)}, scheme, verify.NewChecker(c, verify.Strict{Duplicates: true})
	})
	for range 5 {
		b.send(t, path, contrary)
		b.send(t, path, body)
	}
	signed := func(body []byte) string {
		h, err := scheme.Sign(b.Secrets, signature.Message{Body: body})
		if err != nil {
			t.Fatal(err)
		}
		b.serve(http.MethodPost, path, map[string]string{scheme.Header(): h.Get(scheme.Header())}, bytes.NewReader(body))
		return codes(b.got[len(b.got)-1])
	}
	if got := signed(body); got != "" {
		t.Error(got)
	}
	b.send(t, path, body)
	if got := signed(body); got != "violation duplicate" {
		t.Error(got)
	}
}

// TestUnsignedCopy holds that an unsigned copy of a delivery does not pass for an
// attempt at it.
func TestUnsignedCopy(t *testing.T) {
	c := load(t)
	scheme := allSchemes(t)["documented"]
	path, body := post(t, c, "invoice", "pending", 0)
	var full error
	b := newBench(t, func(o *listen.Options) {
		o.Secrets, o.Scheme, o.AlwaysOK = []signature.Secret{secret(t, newSecret)}, scheme, true
		o.Record = each(func(*listen.Delivery) error { return full })
	})
	h, err := scheme.Sign(b.Secrets, signature.Message{Body: body})
	if err != nil {
		t.Fatal(err)
	}
	signed := map[string]string{scheme.Header(): h.Get(scheme.Header())}
	full = io.ErrShortWrite
	b.serve(http.MethodPost, path, signed, bytes.NewReader(body))
	full = nil
	b.send(t, path, body)
	b.pass(time.Second)
	b.serve(http.MethodPost, path, signed, bytes.NewReader(body))
	if d := b.got[2]; codes(d) != "" || d.Attempt != 2 {
		t.Errorf("the retry: attempt %d, %s", d.Attempt, codes(d))
	}
}
