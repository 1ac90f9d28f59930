package signature_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/signature"
)

// FuzzVerify gives hostile headers and bodies to every scheme. What is accepted, Sign with that secret reproduces.
func FuzzVerify(f *testing.F) {
	all, secrets := schemes(f), secretsOf(f, "old", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	for i, s := range all {
		for _, body := range []string{`{"a":"김"}`, `{"a": 1.0}`, "\xff", ""} {
			h := sign(f, s, secrets, signature.Message{ID: "msg_1", Time: noon(), Body: []byte(body)})
			f.Add(byte(i), h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get(s.Header()), "", []byte(body))
			f.Add(byte(i), "a.b", "-9223372036854775808", h.Get(s.Header()), "v1,", []byte(`{"a":1e999}`))
		}
	}
	f.Add(byte(3), "", "", "t=9223372036854775807,v1=,v1", "", []byte("[[[["))
	f.Add(byte(2), "\x00", "99999999999999999999", "v1,====", "", []byte(`{"a":1,"a":2}`))
	f.Fuzz(func(t *testing.T, which byte, id, at, value, second string, body []byte) {
		s := all[int(which)%len(all)]
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {at}, s.Header(): {value}}
		if second != "" {
			h.Add(s.Header(), second)
		}
		checkResult(t, s, secrets, h, body, s.Verify(secrets, h, body, noon(), time.Minute))

		m := signature.Message{ID: "msg_1", Time: noon(), Body: body}
		r := s.Verify(secrets[1:], sign(t, s, secrets[1:], m), body, noon(), time.Minute)
		if !r.OK || r.Family == signature.Reserialised {
			t.Fatalf("signed by Sign: %+v", r)
		}
	})
}

func checkResult(t *testing.T, s signature.Scheme, secrets []signature.Secret, h http.Header, body []byte, r signature.Result) {
	t.Helper()
	if r.OK != (r.Reason == "") || r.OK != (r.Detail == "") || (r.Family == "") != (r.Secret < 0) || len(r.Detail) > 200 {
		t.Fatalf("inconsistent: %+v", r)
	}
	if !r.OK {
		return
	}
	m := signature.Message{ID: h.Get("webhook-id"), Time: noon(), Body: body}
	if unix, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64); err == nil && s.Name == "standard-webhooks" {
		m.Time = time.Unix(unix, 0)
	}
	if r.Family == signature.Reserialised {
		v, err := jsondoc.Parse(body)
		if err != nil {
			t.Fatalf("re-serialised what does not parse: %+v", r)
		}
		m.Body = v.AppendCanonical(nil)
	}
	again := sign(t, s, secrets[r.Secret:r.Secret+1], m)
	if got := s.Verify(secrets, again, body, noon(), time.Minute); !got.OK || got.Secret != r.Secret || got.Family != r.Family {
		t.Fatalf("accepted %+v, but not what Sign makes of it: %+v", r, got)
	}
}
