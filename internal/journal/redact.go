package journal

import (
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// Redactor replaces what identifies people and payments in recorded deliveries,
// so that what was captured in production can be kept as a fixture. Its output
// is determined by the contract and the seed: equal values get equal
// replacements, in whichever record they stand, and different ones different
// replacements. It is safe for concurrent use.
type Redactor struct {
	c    *contract.Contract
	seed []byte
	// words are the names of events and states.
	words map[string]bool
	// documented are the values of facts that the pack names.
	documented map[*contract.Fact]map[string]bool
	// makers are, for each fact with a generated value, the first one whose value
	// is generated in the same way: what stands in two of them stays the same.
	makers map[*contract.Fact]*contract.Fact
}

// NewRedactor returns a Redactor for the contract's payloads. Who knows the seed
// can find out a value by trying: keep it secret, or forget it.
func NewRedactor(c *contract.Contract, seed []byte) *Redactor {
	r := &Redactor{
		c: c, seed: slices.Clone(seed), words: map[string]bool{},
		documented: map[*contract.Fact]map[string]bool{}, makers: map[*contract.Fact]*contract.Fact{},
	}
	for _, s := range c.Subjects {
		r.words[s.Initial.Wire] = true
	}
	for _, st := range c.States() {
		r.words[st.Wire], r.words[st.Event] = true, true
		for _, f := range st.Fields() {
			r.document(f, st)
		}
	}
	for i, f := range c.Facts {
		r.makers[f] = f
		same := slices.IndexFunc(c.Facts[:i], func(o *contract.Fact) bool { return madeAlike(f.Generate, o.Generate) })
		if same >= 0 {
			r.makers[f] = c.Facts[same]
		}
	}
	return r
}

func (r *Redactor) document(f contract.Field, st *contract.State) {
	if r.documented[f.Fact] == nil {
		r.documented[f.Fact] = map[string]bool{}
	}
	values := append(slices.Clone(f.Known), f.Fact.Known...)
	if v := st.Sample.At(f.Pointer); v != nil {
		values = append(values, *v)
	}
	for _, v := range values {
		r.documented[f.Fact][v.Text] = true
	}
}

func madeAlike(a, b *contract.Generator) bool {
	if a == nil || b == nil {
		return false
	}
	switch a.Kind {
	case contract.UUID, contract.CUID, contract.Hex, contract.Base58Check:
		return a.Kind == b.Kind && a.Length == b.Length && a.Version == b.Version
	default:
		return false
	}
}

// Record returns the record without what is personal:
//
//   - in the body the values of facts that a payment draws at random (ids, hashes,
//     addresses, names, texts) are replaced by others of the same form, and so is
//     every text that the contract neither names nor takes for an amount or a
//     time; members that the contract does not know are left out; amounts, times,
//     numbers, states and the order of members stay;
//   - what the record says about the body follows from the new one; findings keep
//     their code and severity, not their texts, and the answer its status;
//   - of the headers Content-Type and User-Agent stay, and Content-Length says the
//     new length; URL, host and query are left out.
//
// The new body breaks the contract in the same way as the old one. Where that
// cannot be had, as with a body that is no JSON, it is empty and Redacted says
// why.
func (r *Redactor) Record(rec Record) Record {
	out := Record{
		Seq: rec.Seq, Time: rec.Time, Attempt: rec.Attempt, OK: rec.OK, Duplicate: rec.Duplicate,
		LatencyMS: rec.LatencyMS, Answer: Answer{Status: rec.Answer.Status}, Method: method(rec.Method),
	}
	if rec.Direction == Received || rec.Direction == Sent {
		out.Direction = rec.Direction
	}
	b := body{Redactor: r}
	out.Body, out.Redacted = b.redact(rec.Body)
	out.Path = b.path(rec)
	out.Headers = b.headers(rec.Headers, len(out.Body))
	v := verify.Payload(r.c, out.Body, "")
	out.Event, out.ID, out.PreviousState = v.Event, v.ID, v.Previous
	if v.State != nil {
		out.Subject, out.State = v.State.Subject.Name, v.State.Wire
	}
	out.Findings = b.findings(rec.Findings)
	return out
}

// body is the redaction of one record.
type body struct {
	*Redactor
	// model is the state whose members are kept; nil when the event is unknown.
	model *contract.State
	// gone are the texts that were replaced.
	gone []string
}

func (b *body) redact(raw []byte) (redacted []byte, reason string) {
	if len(raw) == 0 {
		return []byte{}, ""
	}
	doc, err := jsondoc.Parse(raw)
	if err != nil {
		return []byte{}, "the body was no JSON that could be redacted"
	}
	before := verify.Payload(b.c, raw, "")
	b.model = before.State
	if states := b.c.Event(before.Event); b.model == nil && len(states) > 0 {
		b.model = states[0]
	}
	redacted = b.value(doc, nil).AppendLiteral(nil)
	if !slices.Equal(violations(before), violations(verify.Payload(b.c, redacted, ""))) {
		return []byte{}, "the body could not be redacted without changing what is wrong with it"
	}
	return redacted, ""
}

func violations(v verify.Verdict) []verify.Code {
	var out []verify.Code
	for _, f := range v.Findings {
		if f.Severity == verify.Violation {
			out = append(out, f.Code)
		}
	}
	return out
}

// value rebuilds what stands at a pointer from what the contract knows: nothing
// is kept because it was overlooked.
func (b *body) value(v jsondoc.Value, at jsondoc.Pointer) jsondoc.Value {
	if f := b.field(at); f != nil {
		return b.fact(*f, v)
	}
	if b.isWord(at) {
		return b.word(v, at)
	}
	if v.Kind != jsondoc.Object {
		return b.placeholder(v, at.String())
	}
	out := jsondoc.Value{Kind: jsondoc.Object}
	for _, m := range v.Members {
		here := append(slices.Clone(at), m.Name)
		if b.known(here) {
			out.Members = append(out.Members, jsondoc.Member{Name: m.Name, Value: b.value(m.Value, here)})
			continue
		}
		b.forget(m.Value)
	}
	return out
}

func (b *body) field(at jsondoc.Pointer) *contract.Field {
	if b.model == nil || b.isWord(at) {
		return nil
	}
	i := slices.IndexFunc(b.model.Fields(), func(f contract.Field) bool { return slices.Equal(f.Pointer, at) })
	if i < 0 {
		return nil
	}
	return &b.model.Fields()[i]
}

// isWord reports whether the name of the event or of a state stands there.
func (b *body) isWord(at jsondoc.Pointer) bool {
	env := b.c.Envelope
	return slices.Equal(at, env.Event) || slices.Equal(at, env.State) || slices.Equal(at, env.PreviousState)
}

// known reports whether the contract knows what stands there, or something in it.
func (b *body) known(at jsondoc.Pointer) bool {
	leads := func(p jsondoc.Pointer) bool { return len(p) >= len(at) && slices.Equal(p[:len(at)], at) }
	env := b.c.Envelope
	if leads(env.Event) || leads(env.State) || leads(env.PreviousState) {
		return true
	}
	return b.model != nil && slices.ContainsFunc(b.model.Fields(), func(f contract.Field) bool { return leads(f.Pointer) })
}

func (b *body) forget(v jsondoc.Value) {
	if v.Kind == jsondoc.String && v.Text != "" {
		b.gone = append(b.gone, v.Text)
	}
	for _, x := range v.Items {
		b.forget(x)
	}
	for _, m := range v.Members {
		b.forget(m.Value)
	}
}

func (b *body) mentions(s string) bool {
	return slices.ContainsFunc(b.gone, func(old string) bool { return strings.Contains(s, old) })
}

func (b *body) path(rec Record) string {
	path := rec.Path
	if u, err := url.Parse(rec.URL); path == "" && err == nil {
		path = u.EscapedPath()
	}
	path, _, _ = strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	if slices.Contains(b.c.Paths(), path) {
		return path
	}
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if !harmless(part) || b.mentions(part) {
			parts[i] = b.tag("path", part)
		}
	}
	return strings.Join(parts, "/")
}

// harmless reports whether part of a path is a word, or as short as a version,
// and so names nobody.
func harmless(part string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
	return len(part) <= 32 && strings.Trim(part, letters) == "" || len(part) <= 3 && strings.Trim(part, letters+"0123456789.") == ""
}

func (b *body) headers(h http.Header, length int) http.Header {
	out := http.Header{}
	for name, values := range h {
		for _, value := range values {
			switch name = http.CanonicalHeaderKey(name); name {
			case "Content-Type":
				value = mediaType(value)
			case "Content-Length":
				value = strconv.Itoa(length)
			case "User-Agent":
			default:
				value = ""
			}
			if value != "" && !b.mentions(value) {
				out.Add(name, value)
			}
		}
	}
	return out
}

// mediaType keeps the type and its charset; other parameters can say anything.
func mediaType(s string) string {
	kind, params, err := mime.ParseMediaType(s)
	if err != nil {
		return ""
	}
	keep := map[string]string{}
	if charset, ok := params["charset"]; ok {
		keep["charset"] = charset
	}
	return mime.FormatMediaType(kind, keep)
}

func method(s string) string {
	switch s {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return s
	}
	return ""
}

// findings keeps which findings there were. Their texts quote the payload.
func (b *body) findings(findings []verify.Finding) []verify.Finding {
	out := []verify.Finding{}
	for _, f := range findings {
		code := string(f.Code)
		if f.Code == verify.UnknownField || code == "" || len(code) > 40 || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz-") != "" {
			continue
		}
		kept := verify.Finding{Code: f.Code, Severity: f.Severity, Message: "the text was redacted"}
		if at, err := jsondoc.ParsePointer(f.Pointer); err == nil && b.known(at) {
			kept.Pointer = f.Pointer
		}
		switch f.Severity {
		case verify.Violation, verify.Warning, verify.Note:
		default:
			kept.Severity = verify.Note
		}
		out = append(out, kept)
	}
	return out
}
