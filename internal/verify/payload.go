package verify

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/internal/suggest"
)

// maxFindings bounds the schema's violations and the unknown fields that are
// told of one payload: a hostile one could have a hundred thousand.
const maxFindings = 100

// Verdict is what a delivery was found to be.
type Verdict struct {
	// Event is the event's name as the payload has it.
	Event string
	// State is the state it reports; nil when the payload cannot be placed.
	State *contract.State
	// Edge is the legal transition it reports, or nil.
	Edge *contract.Edge
	// Previous is the state it says was left, as spelled; empty when it does not.
	Previous string
	// ID identifies the subject; empty when the payload does not.
	ID string
	// Duplicate is set when the same delivery was seen before.
	Duplicate bool
	// Findings are what was noticed, the payload's own first.
	Findings []Finding

	values []value
	// raw and slots are the payload and where its fields stand; they take the place
	// of values where nothing else was asked for.
	raw   []byte
	slots []schema.Slot
}

// value is a fact as one payload carries it.
type value struct {
	field *contract.Field
	v     jsondoc.Value
	lost  code // as in known
}

// OK reports whether nothing breaks the contract.
func (v Verdict) OK() bool { return v.Count(Violation) == 0 }

// Has reports whether there is a finding with that code.
func (v Verdict) Has(c Code) bool {
	return slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Code == c })
}

// Count counts the findings of one severity.
func (v Verdict) Count(s Severity) int {
	n := 0
	for _, f := range v.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

//go:noinline
func (v *Verdict) add(f Finding) { v.Findings = append(v.Findings, f) }

// Payload judges one payload on its own: syntax, event, path, schema, the
// transition it reports, and whether its facts agree with each other. path is
// where it was delivered; empty means unknown, and is not judged.
func Payload(c *contract.Contract, raw []byte, path string) Verdict {
	if v, ok := accept(c, raw, path); ok {
		return v
	}
	return explain(c, raw, path)
}

// accept judges a sound payload without building a document from it. It gives up
// on anything unusual: then it is explained.
func accept(c *contract.Contract, raw []byte, path string) (v Verdict, ok bool) {
	st := guess(c, raw)
	if st == nil || path != "" && path != st.Path {
		return v, false
	}
	a := st.Acceptor(c.Envelope)
	slots := make([]schema.Slot, len(st.Fields()))
	if a == nil || !a.Accept(raw, slots) {
		return v, false
	}
	v = Verdict{Event: st.Event, State: st, values: make([]value, 0, len(st.Fields()))}
	text := string(raw) // the values are parts of this one copy
	for i := range st.Fields() {
		at, ok := token(text, slots[i])
		if !ok {
			return v, false
		}
		if slots[i].End > 0 {
			v.tell(&st.Fields()[i], at)
		}
	}
	v.transition(c)
	v.agreement()
	return v, true
}

// guess finds the state a payload most likely reports, by the first words that
// look like it; whether they are what they seem the acceptor sees.
func guess(c *contract.Contract, raw []byte) *contract.State {
	states := c.Event(string(word(raw, c.Envelope.Event)))
	if len(states) == 1 {
		return states[0]
	}
	wire := word(raw, c.Envelope.State)
	for _, st := range states {
		if st.Wire == string(wire) {
			return st
		}
	}
	return nil
}

// word returns the text behind the first member of a name.
func word(raw []byte, at jsondoc.Pointer) []byte {
	name := at[len(at)-1]
	for rest := raw; ; {
		i := bytes.Index(rest, []byte(name))
		if i < 1 {
			return nil
		}
		after := rest[i+len(name):]
		if rest[i-1] == '"' && bytes.HasPrefix(after, []byte(`":"`)) {
			text, _, _ := bytes.Cut(after[3:], []byte{'"'})
			return text
		}
		rest = after
	}
}

// token reads a captured value; the acceptor takes no strings with escapes.
// Arrays and objects are left to the explanation.
func token(text string, s schema.Slot) (v jsondoc.Value, ok bool) {
	t := text[s.Start:s.End]
	switch {
	case t == "" || t == "null":
		return jsondoc.NullValue(), true
	case t == "true" || t == "false":
		return jsondoc.BoolValue(t == "true"), true
	case t[0] == '"':
		return jsondoc.StringValue(t[1 : len(t)-1]), true
	}
	return jsondoc.Value{Kind: jsondoc.Number, Text: t}, t[0] != '[' && t[0] != '{'
}

// explain judges a payload step by step, and says all that is wrong with it.
func explain(c *contract.Contract, raw []byte, path string) Verdict {
	var v Verdict
	doc, err := jsondoc.Parse(raw)
	if err != nil {
		v.add(syntax(err))
		return v
	}
	if !v.place(c, doc, path) {
		return v
	}
	v.schema(doc)
	v.extract(doc)
	v.transition(c)
	v.agreement()
	return v
}

func syntax(err error) Finding {
	f := Finding{Code: InvalidJSON, Severity: Violation, Message: err.Error(), Source: "RFC 8259"}
	var se *jsondoc.SyntaxError
	if errors.As(err, &se) {
		f.Code, f.Pointer = Code(se.Code), se.Pointer.String()
	}
	return f
}

// place finds the state a payload reports; it fails when there is none.
func (v *Verdict) place(c *contract.Contract, doc jsondoc.Value, path string) bool {
	name, ok := v.text(c.Envelope.Event, doc, "one of "+strings.Join(c.EventNames(), ", "))
	if !ok {
		return false
	}
	v.Event = clip(name)
	states := c.Event(name)
	if len(states) == 0 {
		v.add(Finding{
			Code: UnknownEvent, Severity: Violation, Pointer: c.Envelope.Event.String(),
			Message:  fmt.Sprintf("no event is called %q%s", v.Event, suggest.DidYouMean(v.Event, c.EventNames())),
			Expected: strings.Join(c.EventNames(), ", "), Got: v.Event,
		})
		return false
	}
	if path != "" && states[0].Path != path {
		v.add(Finding{
			Code: WrongPath, Severity: Violation, Source: states[0].Source,
			Message:  fmt.Sprintf("%s was delivered to the wrong path", v.Event),
			Expected: states[0].Path, Got: clip(path),
		})
		return false
	}
	return v.state(c, doc, states)
}

func (v *Verdict) state(c *contract.Contract, doc jsondoc.Value, states []*contract.State) bool {
	wires := make([]string, len(states))
	for i, st := range states {
		wires[i] = st.Wire
	}
	at := c.Envelope.State
	wire, ok := v.text(at, doc, "one of "+strings.Join(wires, ", "))
	if !ok {
		return false
	}
	for _, st := range states {
		if st.Wire == wire {
			v.State = st
			return true
		}
	}
	sub := states[0].Subject
	f := Finding{
		Code: UnknownState, Severity: Violation, Pointer: at.String(), Source: states[0].Source,
		Message:  fmt.Sprintf("%q is no state of %s", clip(wire), sub.Name) + suggest.DidYouMean(wire, wires),
		Expected: "one of " + strings.Join(wires, ", "), Got: clip(wire),
	}
	switch known := sub.Spelled(wire); {
	case known == nil:
	case known.IsInitial():
		f.Code = IllegalTransition
		f.Message = fmt.Sprintf("no event reports %s: %s", wire, known.Meaning)
		f.Source = contract.Basis(known.Source, known.Derived)
	default:
		f.Message = fmt.Sprintf("%s does not report %s; %s does", v.Event, wire, known.Event)
	}
	v.add(f)
	return false
}

// text reads a string that every event has.
func (v *Verdict) text(at jsondoc.Pointer, doc jsondoc.Value, expected string) (string, bool) {
	member := doc.At(at)
	switch {
	case member == nil:
		v.absent(at, doc, expected)
	case member.Kind != jsondoc.String:
		v.add(Finding{
			Code: WrongType, Severity: Violation, Pointer: at.String(), Expected: expected, Got: literal(*member),
			Message: fmt.Sprintf("%s is a JSON %s and not a string", at[len(at)-1], member.Kind),
		})
	default:
		return member.Text, true
	}
	return "", false
}

// absent says what keeps a member from being there: the first one that is
// missing on the way to it, or that is no object.
func (v *Verdict) absent(at jsondoc.Pointer, doc jsondoc.Value, expected string) {
	here, i := &doc, 0
	for next := here.At(at[:1]); next != nil; next = here.At(at[i : i+1]) {
		here, i = next, i+1
	}
	f := Finding{
		Code: MissingField, Severity: Violation, Pointer: at[:i+1].String(), Expected: expected, Got: "nothing",
		Message: fmt.Sprintf("%s is missing", at[i]),
	}
	if i+1 < len(at) {
		f.Expected = "object"
	}
	if here.Kind != jsondoc.Object {
		f.Code, f.Pointer, f.Expected, f.Got = WrongType, at[:i].String(), "object", literal(*here)
		f.Message = fmt.Sprintf("%s is a JSON %s and not an object", cmpOr(at[:i].String(), "the payload"), here.Kind)
	}
	v.add(f)
}

func (v *Verdict) schema(doc jsondoc.Value) {
	wrong := v.State.Schema().Validate(doc)
	for _, w := range wrong[:min(len(wrong), maxFindings)] {
		v.add(violated(v.State, w))
	}
	unknown := v.State.Schema().Undeclared(doc)
	for _, at := range unknown[:min(len(unknown), maxFindings)] {
		v.add(Finding{
			Code: UnknownField, Severity: Warning, Pointer: at.String(), Source: v.State.Source,
			Message: fmt.Sprintf("%s is not documented for %s", clip(strings.Join(at, ".")), v.State),
			Got:     literal(*doc.At(at)),
		})
	}
}

func violated(st *contract.State, w schema.Violation) Finding {
	f := Finding{
		Severity: Violation, Pointer: w.Pointer.String(), Expected: w.Expected, Got: w.Got,
		Source: contract.Basis(st.Source, st.Derived),
	}
	name := "the payload"
	if len(w.Pointer) > 0 {
		name = clip(strings.Join(w.Pointer, "."))
	}
	switch w.Keyword {
	case "required":
		f.Code, f.Message = MissingField, name+" is missing"
	case "type":
		f.Code, f.Message = WrongType, name+" has the wrong type"
	default:
		f.Code, f.Message = WrongValue, name+" "+wrongness(w.Keyword)
	}
	for _, field := range st.Fields() {
		if slices.Equal(field.Pointer, w.Pointer) {
			f.Source = contract.Basis(field.Fact.Source, cmpOr(field.Fact.Derived, st.Derived))
		}
	}
	return f
}

// wrongness says what a violated keyword means for the value.
func wrongness(keyword string) string {
	switch keyword {
	case "pattern", "format":
		return "does not have the form it takes"
	case "enum", "const":
		return "is not one of the values it takes"
	case "minimum", "exclusiveMinimum":
		return "is too small"
	case "maximum", "exclusiveMaximum":
		return "is too large"
	case "minLength", "minItems":
		return "is too short"
	case "maxLength", "maxItems":
		return "is too long"
	}
	return "has a value that it does not take (" + keyword + ")"
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// extract collects the facts.
func (v *Verdict) extract(doc jsondoc.Value) {
	for i := range v.State.Fields() {
		f := &v.State.Fields()[i]
		if at := doc.At(f.Pointer); at != nil {
			v.tell(f, *at)
		}
	}
}

// tell takes note of a fact, and of a value that the documents do not name.
func (v *Verdict) tell(f *contract.Field, at jsondoc.Value) {
	v.values = append(v.values, value{field: f, v: at})
	if f.Fact == v.State.Subject.ID && at.Kind == jsondoc.String {
		v.ID = at.Text
	}
	if len(f.Known) > 0 && !slices.ContainsFunc(f.Known, func(k jsondoc.Value) bool { return jsondoc.Equal(k, at) }) && len(f.Schema().Validate(at)) == 0 {
		v.add(Finding{
			Code: UnknownValue, Severity: Warning, Pointer: f.Pointer.String(), Source: f.Fact.Source,
			Message:  fmt.Sprintf("%s is not a documented value of %s", literal(at), f.Path()),
			Expected: alternatives(f.Known), Got: literal(at),
		})
	}
}

func alternatives(values []jsondoc.Value) string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = literal(v)
	}
	return strings.Join(out, " or ")
}

// transition judges the edge the payload reports.
func (v *Verdict) transition(c *contract.Contract) {
	st, at := v.State, c.Envelope.PreviousState
	if !st.ReportsPrevious(c.Envelope) {
		v.Edge = st.From[0]
		return
	}
	var from *contract.State
	switch member := v.at(at); {
	case member != nil && member.Kind == jsondoc.String:
		v.Previous, from = clip(member.Text), st.Subject.Spelled(member.Text)
	case member != nil && member.Kind == jsondoc.Null && st.Subject.Initial.Wire == "":
		v.Previous, from = "null", st.Subject.Initial // payloads have no word for it
	case member == nil, slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Pointer == at.String() }):
		return // the schema has said so
	default:
		v.Previous = clip(literal(*member)) // null, say, where the schema takes it and no state is called so
	}
	if from != nil {
		v.Edge = st.EdgeFrom(from)
	}
	if v.Edge != nil {
		return
	}
	f := Finding{
		Code: IllegalTransition, Severity: Violation, Pointer: at.String(), Source: st.From[0].Source,
		Expected: "from " + origins(st), Got: "from " + v.Previous,
		Message: fmt.Sprintf("no transition leads from %s to %s", v.Previous, st.Wire),
	}
	switch {
	case from == nil:
		f.Message = fmt.Sprintf("%q is no state of %s%s", v.Previous, st.Subject.Name, suggest.DidYouMean(v.Previous, labels(st.Subject)))
	case from == st:
		f.Code, f.Message = SelfTransition, fmt.Sprintf("%s to %s is no change of state", st.Wire, st.Wire)
	case from.IsFinal():
		f.Message = fmt.Sprintf("%s is final: nothing leads from it to %s", from.Wire, st.Wire)
	}
	v.add(f)
}

// at returns the fact that stands at a pointer, or nil.
func (v *Verdict) at(p jsondoc.Pointer) *jsondoc.Value {
	for i := range v.values {
		if slices.Equal(v.values[i].field.Pointer, p) {
			return &v.values[i].v
		}
	}
	return nil
}

func origins(st *contract.State) string {
	out := make([]string, len(st.From))
	for i, e := range st.From {
		out[i] = e.From.Label()
	}
	return strings.Join(out, " or ")
}

func labels(s *contract.Subject) []string {
	out := []string{s.Initial.Label()}
	for _, st := range s.States {
		out = append(out, st.Label())
	}
	return out
}

// agreement notices a fact that the payload itself states twice, differently.
func (v *Verdict) agreement() {
	for i, x := range v.values {
		for _, y := range v.values[:i] {
			if x.field.Fact == y.field.Fact && !payment.Equal(x.field.Fact, x.v, y.v) {
				v.add(Finding{
					Code: FactDisagreement, Severity: Violation, Pointer: x.field.Pointer.String(), Source: x.field.Fact.Source,
					Message:  fmt.Sprintf("%s differs from %s, which is the same fact", x.field.Path(), y.field.Path()),
					Expected: literal(y.v), Got: literal(x.v),
				})
				break
			}
		}
	}
}

// Names returns the event and the state of a payload, as it spells them; empty
// where it has none.
func Names(c *contract.Contract, raw []byte) (event, state string) {
	doc, err := jsondoc.Parse(raw)
	if err != nil {
		return "", ""
	}
	if m := doc.At(c.Envelope.Event); m != nil {
		event = m.Text
	}
	if m := doc.At(c.Envelope.State); m != nil {
		state = m.Text
	}
	return event, state
}
