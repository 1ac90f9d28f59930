package merchant

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
)

// takesUnsigned plants the bugs that take what nobody signed.
func (m *Merchant) takesUnsigned(h http.Header, body []byte) bool {
	value := h.Get(m.Contract.Signature.Header)
	switch m.bug {
	case "signature-of-any-value":
		return value != ""
	case "signature-optional":
		return value == ""
	case "signature-by-form":
		return isDigest(value)
	case "restringified-signature":
		doc, err := lastWins(body)
		return err == nil && m.scheme.Verify(m.Secrets, h, doc.AppendCanonical(nil), m.Now(), 0).OK
	}
	return false
}

func isDigest(s string) bool {
	return len(s) == hex.EncodedLen(sha256.Size) && strings.Trim(s, "0123456789abcdef") == ""
}

func (m *Merchant) spoilSignature(h http.Header) *reply {
	value := h.Get(m.Contract.Signature.Header)
	lower := isDigest(strings.ToLower(value))
	if m.has("signature-form-500") && value != "" && !lower || m.has("upper-hex-500") && lower && !isDigest(value) {
		return m.broke()
	}
	return nil
}

func (m *Merchant) secrets() []signature.Secret {
	if m.has("first-secret-only") {
		return m.Secrets[:1]
	}
	return m.Secrets
}

// reread parses strictly, or as the bug does.
func (m *Merchant) reread(body []byte) (jsondoc.Value, error) {
	doc, err := jsondoc.Parse(body)
	var syntax *jsondoc.SyntaxError
	switch {
	case (m.has("last-key-wins") || m.has("restringified-signature")) && errors.As(err, &syntax) && syntax.Code == jsondoc.CodeDuplicateKey:
		return lastWins(body)
	case m.has("caseless-keys") && err == nil:
		return m.caseless(doc), nil
	}
	return doc, err
}

// lastWins reads JSON as most parsers do: the last member of a name counts.
func lastWins(body []byte) (jsondoc.Value, error) {
	if !json.Valid(body) {
		return jsondoc.Value{}, errors.New("not JSON")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	return lastWinsValue(dec, 0)
}

func lastWinsValue(dec *json.Decoder, depth int) (jsondoc.Value, error) {
	token, err := dec.Token()
	if err != nil || depth > jsondoc.MaxDepth {
		return jsondoc.Value{}, errors.Join(err, errors.New("too deep"))
	}
	switch t := token.(type) {
	case bool:
		return jsondoc.BoolValue(t), nil
	case string:
		return jsondoc.StringValue(t), nil
	case json.Number:
		return jsondoc.NumberValue(t.String())
	case json.Delim:
		return lastWinsItems(dec, t == '{', depth)
	}
	return jsondoc.NullValue(), nil
}

func lastWinsItems(dec *json.Decoder, object bool, depth int) (jsondoc.Value, error) {
	out := jsondoc.ArrayValue()
	if object {
		out = jsondoc.ObjectValue()
	}
	for dec.More() {
		name := ""
		if object {
			token, err := dec.Token()
			if err != nil {
				return out, err
			}
			name, _ = token.(string)
		}
		v, err := lastWinsValue(dec, depth+1)
		if err != nil {
			return out, err
		}
		if object {
			setLast(&out, name, v)
		} else {
			out.Items = append(out.Items, v)
		}
	}
	_, err := dec.Token()
	return out, err
}

func setLast(v *jsondoc.Value, name string, to jsondoc.Value) {
	if old := v.Member(name); old != nil {
		*old = to
		return
	}
	v.Members = append(v.Members, jsondoc.Member{Name: name, Value: to})
}

// caseless spells member names as the documents do, whatever their case.
func (m *Merchant) caseless(v jsondoc.Value) jsondoc.Value {
	if v.Kind != jsondoc.Object {
		return v
	}
	out := jsondoc.ObjectValue()
	for _, member := range v.Members {
		setLast(&out, m.documented(member.Name), m.caseless(member.Value))
	}
	return out
}

func (m *Merchant) documented(name string) string {
	for _, st := range m.Contract.States() {
		for _, f := range st.Fields() {
			for _, token := range f.Pointer {
				if strings.EqualFold(token, name) {
					return token
				}
			}
		}
	}
	return name
}

// spoilParse plants the bugs that show in how JSON is read.
func (m *Merchant) spoilParse(body []byte, doc jsondoc.Value, err error) *reply {
	if err == nil {
		if m.has("no-object-500") && doc.Kind != jsondoc.Object {
			return m.broke()
		}
		return nil
	}
	var code jsondoc.Code
	if syntax := new(jsondoc.SyntaxError); errors.As(err, &syntax) {
		code = syntax.Code
	}
	switch {
	case m.has("deep-nesting-dies") && code == jsondoc.CodeTooDeep:
		return m.die()
	case m.has("malformed-500") && code == jsondoc.CodeInvalidJSON,
		m.has("surrogate-500") && (code == jsondoc.CodeLoneSurrogate || code == jsondoc.CodeInvalidUTF8),
		m.has("trailing-bytes-500") && trails(body):
		return m.broke()
	case m.has("truncated-ok") && len(body) > 0 && truncated(body), m.has("nan-ok") && notNumbers(body):
		return answered(m.Contract.Answers.OK)
	}
	return nil
}

// die leaves the merchant broken until it restarts.
func (m *Merchant) die() *reply {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.memory.dead = true
	return m.broke()
}

func truncated(body []byte) bool {
	var v any
	return errors.Is(json.NewDecoder(bytes.NewReader(body)).Decode(&v), io.ErrUnexpectedEOF)
}

// trails reports whether a byte order mark precedes a document, or anything
// follows it.
func trails(body []byte) bool {
	bare, marked := bytes.CutPrefix(body, []byte("\ufeff"))
	dec := json.NewDecoder(bytes.NewReader(bare))
	var v any
	err := dec.Decode(&v)
	_, end := dec.Token()
	return err == nil && (marked || !errors.Is(end, io.EOF))
}

// notNumbers reports whether the only thing wrong is NaN or Infinity.
func notNumbers(body []byte) bool {
	bare := regexp.MustCompile(`([:\[,]\s*)-?(NaN|Infinity)\b`).ReplaceAll(body, []byte("${1}0"))
	_, err := jsondoc.Parse(bare)
	return err == nil
}

// wrongEvent answers an event that does not belong to the path.
func (m *Merchant) wrongEvent(name string) *reply {
	if m.has("unknown-event-ok") && len(m.Contract.Event(name)) == 0 {
		return answered(m.Contract.Answers.OK)
	}
	return answered(m.Contract.Answers.WrongEvent)
}

func (m *Merchant) stateOf(states []*contract.State, wire string) *contract.State {
	i := slices.IndexFunc(states, func(s *contract.State) bool { return s.Wire == wire })
	switch {
	case i >= 0:
		return states[i]
	case m.has("unknown-state-credits") && slices.Contains(states, m.roles.Paid):
		return m.roles.Paid
	}
	return nil
}

// spoilDocument plants the bugs that break on, or refuse, what a document has.
func (m *Merchant) spoilDocument(doc *jsondoc.Value, states []*contract.State) *reply {
	st := states[0]
	if state := doc.At(m.Contract.Envelope.State); state != nil {
		if named := m.stateOf(states, state.Text); named != nil {
			st = named
		}
	}
	data := doc.At(m.Contract.Envelope.State[:len(m.Contract.Envelope.State)-1])
	switch {
	case m.has("no-data-500") && absent(data),
		m.has("missing-field-500") && lacks(doc, st),
		m.has("prototype-500") && pollutes(*doc),
		m.has("odd-timestamp-500") && m.oddMoment(doc, st):
		return m.broke()
	case m.has("null-refused") && slices.ContainsFunc(st.Fields(), func(f contract.Field) bool { v := doc.At(f.Pointer); return v != nil && v.Kind == jsondoc.Null }),
		m.has("extra-fields-refused") && len(st.Schema().Undeclared(*doc)) > 0:
		return m.invalid()
	}
	return nil
}

func lacks(doc *jsondoc.Value, st *contract.State) bool {
	return slices.ContainsFunc(st.Fields(), func(f contract.Field) bool { return f.Required && doc.At(f.Pointer) == nil })
}

func pollutes(v jsondoc.Value) bool {
	odd := []string{"__proto__", "constructor", "prototype"}
	for _, m := range v.Members {
		if slices.Contains(odd, m.Name) || pollutes(m.Value) {
			return true
		}
	}
	return slices.Contains(odd, v.Text)
}

func (m *Merchant) oddMoment(doc *jsondoc.Value, st *contract.State) bool {
	for _, f := range st.Fields() {
		if v := doc.At(f.Pointer); f.Fact == m.roles.Moment && v != nil {
			return len(f.Schema().Validate(*v)) > 0
		}
	}
	return false
}

// texts are the texts that people wrote, one a line.
func (m *Merchant) texts(e *event) string {
	if e == nil {
		return ""
	}
	var out []string
	for _, f := range []*contract.Fact{m.roles.CustomerName, m.roles.Title, m.roles.Reason, m.roles.DropReason} {
		if v, ok := e.facts[f]; ok {
			out = append(out, v.Text)
		}
	}
	return strings.Join(out, "\x1e")
}

// spoilText plants the bugs that break on a text.
func (m *Merchant) spoilText(e *event) *reply {
	s := m.texts(e)
	has := func(pattern string) bool { return regexp.MustCompile(pattern).MatchString(s) }
	switch {
	case m.has("control-characters-die") && has(`[\x01-\x1d\x1f\x7f]`):
		return m.die()
	case m.has("emoji-500") && has(`[\x{10000}-\x{10ffff}]`),
		m.has("bidi-500") && has(`[\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{2069}\x{feff}]`),
		m.has("nul-500") && has(`\x00`),
		m.has("sql-injection") && has(`(?is)'.*(;|--|\bor\b|\bunion\b)|;.*\bdrop\b`),
		m.has("path-in-id-500") && strings.Contains(e.facts[m.payments()].Text, ".."):
		return m.broke()
	}
	return nil
}

// shorten cuts ids where the bug does.
func (m *Merchant) shorten(f *contract.Fact, text string) string {
	const column = 64 // bytes
	if m.has("truncated-ids") && m.isID(f) && len(text) > column {
		return text[:column]
	}
	return text
}

// takesForm reports whether the bug takes amounts of the wrong form as they are.
func (m *Merchant) takesForm(f *contract.Fact) bool {
	return f.Compare == contract.Decimal && (m.has("negative-amounts") || m.has("nan-amounts"))
}

// soften makes what a lenient merchant would read of the values in a document.
func (m *Merchant) soften(doc *jsondoc.Value, states []*contract.State) {
	for _, st := range states {
		for _, f := range st.Fields() {
			v := doc.At(f.Pointer)
			if absent(v) {
				continue
			}
			if f.Fact.Compare == contract.Decimal {
				m.softenAmount(v)
			}
			m.coerce(v, f)
		}
	}
}

// coerce makes a value of another type the type that the field has.
func (m *Merchant) coerce(v *jsondoc.Value, f contract.Field) {
	if !m.has("nosql-operators") && !m.has("coerces-types") || !mistyped(f, *v) {
		return
	}
	text := !mistyped(f, jsondoc.StringValue(""))
	switch {
	case m.has("nosql-operators") && text && v.Kind == jsondoc.Object:
		*v = jsondoc.StringValue(m.matched(f.Fact))
	case m.has("coerces-types") && text:
		*v = jsondoc.StringValue(scalar(*v))
	case m.has("coerces-types"):
		if n, err := jsondoc.NumberValue(scalar(*v)); err == nil {
			*v = n
		} else {
			*v = jsondoc.NullValue()
		}
	}
}

// mistyped reports whether a value has not the type that the field has.
func mistyped(f contract.Field, v jsondoc.Value) bool {
	for _, found := range f.Schema().Validate(v) {
		if found.Keyword == "type" {
			return true
		}
	}
	return false
}

func scalar(v jsondoc.Value) string {
	switch {
	case v.Kind == jsondoc.Array && len(v.Items) > 0:
		return scalar(v.Items[0])
	case v.Kind == jsondoc.Bool:
		return strconv.FormatBool(v.Bool)
	case v.Kind == jsondoc.Object:
		return "[object Object]"
	}
	return v.Text
}

// matched is what an operator such as {"$gt": ""} finds: for a payment's id,
// the payment heard of last.
func (m *Merchant) matched(f *contract.Fact) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f == m.payments() {
		return m.book.last
	}
	return "*"
}

// softenAmount turns what the bug takes for an amount into one.
func (m *Merchant) softenAmount(v *jsondoc.Value) {
	if m.has("number-amounts") && v.Kind == jsondoc.Number {
		whole, _, _ := strings.Cut(v.Text, ".")
		*v = jsondoc.StringValue(whole)
	}
	if v.Kind == jsondoc.String {
		*v = jsondoc.StringValue(m.lenient(v.Text))
	}
}

func (m *Merchant) lenient(s string) string {
	whole, fraction, pointed := strings.Cut(s, ".")
	switch m.bug {
	case "float-money":
		return throughFloat(s)
	case "exponent-amounts":
		if strings.ContainsAny(s, "eE") {
			return throughFloat(s)
		}
	case "amount-prefix":
		return prefix(s)
	case "thousands-separators":
		return strings.ReplaceAll(s, ",", "")
	case "truncates-decimals":
		if pointed && len(fraction) > 6 {
			return whole + "." + fraction[:6]
		}
	case "drops-the-point":
		if a, ok := payment.ParseAmount(whole + fraction); ok {
			return a.Shift(-6).String()
		}
	case "octal-amounts":
		return octal(s, whole, fraction, pointed)
	case "nan-amounts":
		return strings.NewReplacer("-Infinity", "0", "Infinity", "1000000000", "NaN", "0").Replace(cmp.Or(s, "0"))
	}
	return s
}

func throughFloat(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}

// prefix reads as parseFloat does, digits of other scripts and _ included.
func prefix(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '_':
			return -1
		case '٠' <= r && r <= '٩':
			return r - '٠' + '0'
		case '۰' <= r && r <= '۹':
			return r - '۰' + '0'
		case '０' <= r && r <= '９':
			return r - '０' + '0'
		}
		return r
	}, strings.TrimSpace(s))
	return regexp.MustCompile(`^[0-9]*(\.[0-9]+)?`).FindString(s)
}

func octal(s, whole, fraction string, pointed bool) string {
	switch {
	case pointed && (whole == "" || fraction == ""):
		return strings.Trim(whole+"00"+fraction, "0") + "0"
	case len(whole) > 1 && whole[0] == '0':
		if n, err := strconv.ParseInt(whole, 8, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	}
	return s
}
