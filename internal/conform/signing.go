package conform

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
)

// signatureHeader is the header that carries signatures. A contract without one
// ends the case.
func (t *trial) signatureHeader() string {
	switch {
	case t.s.Contract.Signature == nil:
		t.skip("the contract does not say that deliveries are signed")
	case t.s.Scheme.Header() == "":
		return t.s.Contract.Signature.Header
	}
	return t.s.Scheme.Header()
}

// needSecret ends a case that nobody can carry out without the shared secret.
func (t *trial) needSecret() {
	if len(t.s.Secrets) == 0 {
		t.skip("nothing can be signed: give the shared secret with --secret-file")
	}
}

// unauthorised fails unless each was answered as a wrong signature is, and had
// no effect as far as that can be seen.
func (t *trial) unauthorised(all []tried) {
	for _, x := range all {
		t.answeredAs(x.answer, t.s.Contract.Signature.Answer)
	}
	t.settle(all, t.nothing, anyAnswer)
}

// doors are states whose events, together, come to every path that is served.
func (t *trial) doors() []*contract.State {
	out := []*contract.State{t.usual()}
	for _, st := range append(slices.Clone(t.s.Contract.Flow), t.s.Contract.States()...) {
		if t.s.Serves(st) && !slices.ContainsFunc(out, func(other *contract.State) bool { return other.Path == st.Path }) {
			out = append(out, st)
		}
	}
	return out
}

// wrongSignature signs with a secret that is not the endpoint's.
func wrongSignature(t *trial) {
	t.signatureHeader()
	secret := t.madeUpSecret()
	if secret == nil {
		t.skip("no secret can be made up for the scheme %s", t.s.Scheme.Name)
	}
	var all []tried
	for _, st := range t.doors() {
		e := t.order().event(st, called("signed with another secret"))
		r := e.request()
		r.Secret = secret
		all = append(all, t.tryRequest(e, r))
	}
	t.unauthorised(all)
}

// madeUpSecret is one that nobody has, nil where the scheme cannot use it.
func (t *trial) madeUpSecret() *signature.Secret {
	text := make([]byte, 32)
	for i := range text {
		text[i] = byte('a' + t.rng.IntN(26))
	}
	s, err := signature.NewSecret(text)
	if err != nil || t.s.Scheme.CheckSecrets([]signature.Secret{s}) != nil {
		return nil
	}
	return &s
}

// noSignature leaves the signature out, or empty.
func noSignature(t *trial) {
	name := t.signatureHeader()
	var all []tried
	for _, st := range t.doors() {
		e := t.order().event(st, called("without a signature"))
		r := e.request()
		r.Unsigned = true
		all = append(all, t.tryRequest(e, r))
		e = t.order().event(st, called("with an empty signature"))
		r = e.request()
		r.Header = http.Header{name: {""}}
		all = append(all, t.tryRequest(e, r))
	}
	t.unauthorised(all)
}

// oddSignatures have not the form of a signature, though some hold the right
// one.
func oddSignatures(t *trial) {
	var all []tried
	for _, v := range []struct {
		what string
		of   func(value string) string
	}{
		{"of one character", func(string) string { return "a" }},
		{"cut to half", func(value string) string { return value[:len(value)/2] }},
		{"with a digit more", func(value string) string { return value + "0" }},
		{"without a hexadecimal digit", func(value string) string { return strings.Repeat("z", len(value)) }},
		{"after sha256=", func(value string) string { return "sha256=" + value }},
	} {
		for _, st := range t.doors() {
			e := t.order().event(st, called("a signature "+v.what))
			all = append(all, t.tryRequest(e, t.signedAs(e, v.of)))
		}
	}
	t.unauthorised(all)
}

// signedAs is an event's request with the signature changed; without a secret it
// is one that was made up.
func (t *trial) signedAs(e event, change func(value string) string) *request {
	r, name := e.request(), t.signatureHeader()
	r.Header = http.Header{name: {change(t.signatureOf(r.Body))}}
	return r
}

// signatureOf is the signature of a body as it stands in its header.
func (t *trial) signatureOf(body []byte) string {
	if len(t.s.Secrets) == 0 {
		digest := make([]byte, 32)
		for i := range digest {
			digest[i] = byte(t.rng.IntN(256))
		}
		return hex.EncodeToString(digest)
	}
	h, err := t.sign(t.s.Secrets[0], body)
	if err != nil {
		panic(stopCase{"cannot sign: " + err.Error()})
	}
	return h.Get(t.s.Scheme.Header())
}

// signatureOfAnother sends an event with the signature of another, and one of
// which a digit was changed after it was signed.
func signatureOfAnother(t *trial) {
	t.signatureHeader()
	t.needSecret()
	var all []tried
	for _, st := range t.doors() {
		e := t.order().event(st, called("with the signature of another event"))
		r := e.request()
		r.Signed = t.order().event(st).body()
		all = append(all, t.tryRequest(e, r))

		e = t.order().event(st, called("a digit of it changed after signing"))
		r = e.request()
		r.Signed, r.Body = r.Body, flipped(r.Body)
		all = append(all, t.tryRequest(e, r))

		e = t.order().event(st, called("a digit of its signature changed"))
		all = append(all, t.tryRequest(e, t.signedAs(e, func(value string) string { return string(flipped([]byte(value))) })))
	}
	t.unauthorised(all)
}

// flipped changes the last bit of the last digit, so that what was JSON still is.
func flipped(b []byte) []byte {
	out := append([]byte(nil), b...)
	for i := len(out) - 1; i >= 0; i-- {
		if '0' <= out[i] && out[i] <= '9' {
			out[i] ^= 1
			return out
		}
	}
	return append(out, '0')
}

// keyAddedAfterSigning repeats a member in a body that is otherwise the one that
// was signed: who takes the last of two reads the signed event, who takes the
// first another.
func keyAddedAfterSigning(t *trial) {
	t.signatureHeader()
	t.needSecret()
	state, st := t.s.Contract.Envelope.State, t.usual()
	var all []tried
	e := t.begun().event(st, called("another state added before the signed one"))
	r := e.request()
	r.Signed, r.Body = r.Body, t.twice(e, t.otherWord(st), st.Wire)
	all = append(all, t.tryRequest(e, r))
	for _, field := range st.Fields() {
		v := e.doc.At(field.Pointer)
		if field.Fact != t.s.roles.Price || v == nil || len(field.Pointer) != len(state) {
			continue
		}
		e := t.begun().event(st, called("another "+field.Fact.Name+" added before the signed one"))
		r := e.request()
		signed := quoted(e.doc.At(field.Pointer).Text)
		r.Signed = r.Body
		r.Body = t.written(e, field.Pointer, func(name string) string { return name + `"999999.000000",` + name + signed })
		all = append(all, t.tryRequest(e, r))
	}
	for _, x := range all {
		t.turnedAway(x.answer, t.signatureStatus(), t.s.Contract.Answers.Invalid.Status)
	}
	t.settle(all, t.nothing, anyAnswer)
}

// shifted is how far an event's moment lies from now, more than any clock is
// wrong or any retry late.
const shifted = 10 * time.Minute

// oldEvent reports, well signed, what happened long ago.
func oldEvent(t *trial) { t.atAnotherTime("10 minutes old", -shifted) }

// futureEvent reports, well signed, what has not happened yet.
func futureEvent(t *trial) { t.atAnotherTime("10 minutes ahead", shifted) }

// atAnotherTime pays a payment all of whose moments are shifted, that of the
// signature included.
func (t *trial) atAnotherTime(what string, by time.Duration) {
	e := t.begun().event(t.s.roles.Paid, called(what), allMoved(by))
	r := e.request()
	if len(t.s.Secrets) > 0 {
		signed, err := t.s.Scheme.Sign(t.s.Secrets[:1], signature.Message{ID: "msg_" + t.spec.ID + fmt.Sprint(t.s.Salt), Time: t.s.Now().Add(by), Body: r.Body})
		if err != nil {
			panic(stopCase{"cannot sign: " + err.Error()})
		}
		r.Header = signed
	}
	t.refusedOrNothing([]tried{t.tryRequest(e, r)})
}

// allMoved shifts every moment in an event.
func allMoved(by time.Duration) edit {
	return func(e *event) {
		for _, field := range e.state.Fields() {
			if v := e.doc.At(field.Pointer); v != nil && v.Kind == jsondoc.String && field.Fact.Compare == contract.Time {
				put(field.Pointer, jsondoc.StringValue(payment.Shift(v.Text, by)))(e)
			}
		}
	}
}

// rotatedSecrets signs with each secret that is in use, and with those that no
// longer are.
func rotatedSecrets(t *trial) {
	t.signatureHeader()
	t.needSecret()
	if len(t.s.Secrets) == 1 && len(t.s.Retired) == 0 {
		t.skip("only one secret is known: give a second --secret-file that is in use, too, or a --retired-secret-file")
	}
	var valid, invalid []tried
	for i, s := range t.s.Secrets {
		valid = append(valid, t.signedWith(s, fmt.Sprintf("signed with secret %d of those in use", i+1)))
	}
	for i, s := range t.s.Retired {
		invalid = append(invalid, t.signedWith(s, fmt.Sprintf("signed with secret %d of those that no longer are", i+1)))
	}
	t.acceptedEach(valid, anyAnswer)
	t.unauthorised(invalid)
}

func (t *trial) signedWith(s signature.Secret, what string) tried {
	e := t.begun().event(t.usual(), called(what))
	r := e.request()
	r.Secret = &s
	return t.tryRequest(e, r)
}

// prettyPrinted sends an event over several lines, signed as it is and signed as
// it would be without them, to see which of the two the endpoint verifies.
func prettyPrinted(t *trial) {
	t.signatureHeader()
	t.needSecret()
	try := func(what string, sign func(e event) []byte) bool {
		e := t.begun().event(t.usual(), called("over several lines, "+what))
		r := e.request()
		r.Body = e.doc.AppendIndent(nil, "  ")
		r.Signed = sign(e)
		x := t.tryRequest(e, r)
		t.handled(x.answer)
		return x.taken(t.s.Contract)
	}
	raw := try("signed as it is", func(e event) []byte { return e.doc.AppendIndent(nil, "  ") })
	restored := try("signed as JSON.stringify writes it", event.body)
	switch {
	case raw && restored:
		t.note("it takes a signature of the bytes as they came, and one of the JSON written anew")
	case raw:
		t.note("it verifies the signature over the bytes as they came, which is the safe way")
	case restored:
		t.note("it verifies the signature over the JSON written anew (JSON.stringify), not over the bytes as they came: what is signed and what is read may differ")
	default:
		t.note("it refuses an event over several lines, however signed")
	}
}

// upperCaseSignature writes the signature in upper case.
func upperCaseSignature(t *trial) {
	t.signatureHeader()
	t.needSecret()
	e := t.begun().event(t.usual(), called("its signature in upper case"))
	value := t.signatureOf(e.body())
	at := strings.LastIndex(value, "=") + 1
	if _, err := hex.DecodeString(value[at:]); err != nil || at == len(value) {
		t.skip("signatures of the scheme %s are not hexadecimal", t.s.Scheme.Name)
	}
	x := t.tryRequest(e, t.signedAs(e, func(string) string { return value[:at] + strings.ToUpper(value[at:]) }))
	t.handled(x.answer)
	if x.taken(t.s.Contract) {
		t.note("it takes a signature in upper case, too")
	} else {
		t.note("it takes a signature in lower case only, as documented")
	}
}
