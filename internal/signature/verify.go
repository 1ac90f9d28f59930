package signature

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Reason is why a signature is refused; "" when it is not.
type Reason string

// The reasons.
const (
	Missing   Reason = "missing"   // a header the scheme needs is absent or empty
	Malformed Reason = "malformed" // the headers do not have the scheme's form
	Wrong     Reason = "wrong"     // no secret gives one of the signatures
	Stale     Reason = "stale"     // a signature fits, but its timestamp lies too far from now
)

// Family says which bytes a signature was computed over.
type Family string

// The families.
const (
	Raw          Family = "raw"           // the body as it came
	Reserialised Family = "re-serialised" // JSON.stringify(JSON.parse(body)), which differs from the body
	Both         Family = "both"          // the body is what JSON.stringify(JSON.parse(body)) gives: they are the same bytes
)

// Result is what verifying found.
type Result struct {
	OK     bool
	Reason Reason   // "" exactly when OK
	Family Family   // of the bytes the signature fits; "" when it fits none
	Secret int      // 0-based index of the first secret that fits, for rotation; -1 when none does
	Tried  []Family // what was hashed, in order; nil when the headers held nothing to compare with
	Detail string   // for people, "" when OK; never a signature or a secret, and nothing quoted from the headers
}

// Verify looks for a signature of the body by one of the secrets. It tries the raw body, then, when the body is strict JSON (jsondoc.Parse)
// and not the fixed point of JSON.stringify, the re-serialised one; a scheme that signs raw bodies refuses what fits only that, and Detail
// says so. A fitting signature whose timestamp is more than tolerance before or after now is Stale; a tolerance of 0 or less, and a scheme
// without timestamp, skip that check. Compares take constant time for each secret, and all secrets are compared.
func (s Scheme) Verify(secrets []Secret, h http.Header, body []byte, now time.Time, tolerance time.Duration) Result {
	return s.Verifier(secrets).Verify(h, body, now, tolerance)
}

// Verifier verifies one delivery after another with the same secrets. It is safe for concurrent use.
type Verifier struct {
	// Canonical says that headers come with canonical names alone, as those of a net/http server do. They need not be searched then.
	Canonical bool

	scheme  Scheme
	secrets []Secret
	work    sync.Pool // of *work
	// What results say was tried; nobody writes to it.
	both, raw, each []Family
}

// work is what verifying one delivery takes.
type work struct {
	claim claim
	// sums gives, for each secret, the MAC over a preamble and a body; a function, as in Secret. It is nil for a secret that cannot be used.
	sums []func(dst []byte, preamble string, body []byte) []byte
	room [sha256.Size]byte
}

// Verifier returns a Verifier of the scheme.
func (s Scheme) Verifier(secrets []Secret) *Verifier {
	v := &Verifier{scheme: s, secrets: slices.Clone(secrets), both: []Family{Both}, raw: []Family{Raw}, each: []Family{Raw, Reserialised}}
	v.work.New = func() any {
		w := &work{sums: make([]func(dst []byte, preamble string, body []byte) []byte, len(v.secrets))}
		for i, secret := range v.secrets {
			if key, problem := s.key(secret); problem == "" {
				w.sums[i] = summer(key)
			}
		}
		return w
	}
	return v
}

func summer(key []byte) func(dst []byte, preamble string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	return func(dst []byte, preamble string, body []byte) []byte {
		mac.Reset()
		if preamble != "" {
			mac.Write([]byte(preamble))
		}
		mac.Write(body)
		return mac.Sum(dst)
	}
}

// Verify is Scheme.Verify.
func (v *Verifier) Verify(h http.Header, body []byte, now time.Time, tolerance time.Duration) Result {
	w, ok := v.work.Get().(*work)
	if !ok {
		return Result{Reason: Wrong, Secret: -1}
	}
	defer v.work.Put(w)
	w.claim = claim{macs: w.claim.macs[:0], canonical: v.Canonical}
	if no := v.scheme.read(h, &w.claim); no != nil {
		return Result{Reason: no.reason, Detail: no.detail, Secret: -1}
	}
	r := v.match(w, body)
	if detail := stale(w.claim, now, tolerance); r.OK && detail != "" {
		r.OK, r.Reason, r.Detail = false, Stale, detail
	}
	return r
}

// forms says what a signature of the body may cover, and the body's re-serialised form where that is another.
func (v *Verifier) forms(body []byte) (families []Family, canonical []byte) {
	if jsondoc.IsPlain(body) {
		return v.both, nil
	}
	doc, err := jsondoc.Parse(body)
	if err != nil {
		return v.raw, nil
	}
	canonical = doc.AppendCanonical(nil)
	if bytes.Equal(canonical, body) {
		return v.both, nil
	}
	return v.each, canonical
}

func (v *Verifier) match(w *work, body []byte) Result {
	s := v.scheme
	r := Result{Reason: Wrong, Secret: -1}
	families, canonical := v.forms(body)
	for i, family := range families {
		r.Tried = families[: i+1 : i+1]
		content := body
		if family == Reserialised {
			content = canonical
		}
		if r.Secret = w.find(s.preamble(w.claim), content); r.Secret < 0 {
			continue
		}
		r.Family = family
		if s.rawOnly && family == Reserialised {
			r.Detail = "the signature covers the body as JSON.stringify writes it, and the scheme signs the body as it is sent"
			return r
		}
		r.OK, r.Reason = true, ""
		return r
	}
	r.Detail = s.wrong(v.secrets, r.Tried)
	return r
}

// find returns the index of the first secret that gives one of the signatures, -1 when none does.
func (w *work) find(preamble string, content []byte) int {
	found := -1
	for i, sum := range w.sums {
		if sum == nil {
			continue
		}
		want := sum(w.room[:0], preamble, content)
		for _, got := range w.claim.macs {
			if hmac.Equal(got[:], want) && found < 0 {
				found = i
			}
		}
	}
	return found
}

func (s Scheme) wrong(secrets []Secret, tried []Family) string {
	for i, secret := range secrets {
		if _, problem := s.key(secret); problem != "" {
			return fmt.Sprintf("secret %d cannot be used: %s", i+1, problem)
		}
	}
	who := "the secret does not give"
	switch {
	case len(secrets) == 0:
		return "there is no secret to verify with"
	case len(secrets) > 1:
		who = fmt.Sprintf("none of the %d secrets gives", len(secrets))
	}
	switch {
	case len(tried) > 1:
		return who + " this signature, neither over the raw body nor over the re-serialised one"
	case s.rawOnly:
		return who + " this signature over the body"
	case tried[0] == Both:
		return who + " this signature over the body (raw and re-serialised are the same bytes)"
	}
	return who + " this signature over the raw body (it is not strict JSON, so it has no re-serialised form)"
}

// stale says how far the claim's time lies from now, in seconds rounded up, when that is more than tolerance.
func stale(c claim, now time.Time, tolerance time.Duration) string {
	if c.time == "" || tolerance <= 0 {
		return ""
	}
	seconds := now.Unix() - c.unix
	at := time.Unix(c.unix, 0)
	switch allowed := fmt.Sprintf("%v is allowed", tolerance); {
	case now.Sub(at) > tolerance:
		if now.Nanosecond() > 0 {
			seconds++
		}
		return fmt.Sprintf("timestamp is %d s old, %s", seconds, allowed)
	case at.Sub(now) > tolerance:
		return fmt.Sprintf("timestamp is %d s in the future, %s", -seconds, allowed)
	}
	return ""
}
