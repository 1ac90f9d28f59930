// Package generate makes payloads: a state's documented sample with the facts
// of a payment in the places where the contract says they stand.
package generate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/suggest"
)

// Options say which event of a payment is made.
type Options struct {
	// Previous is the state the subject comes from; nil takes the usual one.
	Previous *contract.State
	// Force allows what the contract does not: a state that no event reports,
	// and a previous state from which no transition leads here.
	Force bool
}

// Payload returns the payload that reports a payment's entering state st. An
// error says what the contract allows instead.
func Payload(c *contract.Contract, p *payment.Payment, st *contract.State, o Options) (jsondoc.Value, error) {
	if st.IsInitial() {
		return initial(c, p, st, o)
	}
	previous, err := previous(st, o)
	if err != nil {
		return jsondoc.Value{}, err
	}
	doc := st.Sample.Clone()
	fill(&doc, p, st, st.Fields())
	if at := doc.At(c.Envelope.PreviousState); at != nil {
		*at = spelled(previous)
	}
	return doc, nil
}

func fill(doc *jsondoc.Value, p *payment.Payment, st *contract.State, fields []contract.Field) {
	for _, f := range fields {
		_, set := p.Facts[f.Fact]
		if at := doc.At(f.Pointer); at != nil && (f.Fact.Generate != nil || set) {
			*at = p.Fact(f.Fact, st)
		}
	}
}

func previous(st *contract.State, o Options) (*contract.State, error) {
	switch {
	case o.Previous == nil:
		return st.From[0].From, nil
	case o.Force || st.EdgeFrom(o.Previous) != nil:
		return o.Previous, nil
	}
	from := make([]string, len(st.From))
	for i, e := range st.From {
		from[i] = e.From.Name
	}
	return nil, fmt.Errorf("no transition leads from %s to %s: %s comes from %s (--force makes it all the same)",
		o.Previous.Label(), st.Label(), st, strings.Join(from, " or "))
}

func spelled(st *contract.State) jsondoc.Value {
	if st == nil || st.Wire == "" {
		return jsondoc.NullValue()
	}
	return jsondoc.StringValue(st.Wire)
}

// initial makes what no gateway sends: an event for the state a subject starts
// in, with the members that all the subject's events have in common.
func initial(c *contract.Contract, p *payment.Payment, st *contract.State, o Options) (jsondoc.Value, error) {
	sub := st.Subject
	switch {
	case !o.Force:
		hint := " (--force makes one all the same)"
		if st.Wire == "" {
			hint = ""
		}
		return jsondoc.Value{}, fmt.Errorf("no webhook carries %s: %s; states: %s%s", st, st.Meaning, strings.Join(sub.StateNames(), ", "), hint)
	case st.Wire == "":
		return jsondoc.Value{}, fmt.Errorf("%s cannot be forced: payloads have no word for it; states: %s", st, strings.Join(sub.StateNames(), ", "))
	}
	model := sub.States[0]
	doc := model.Sample.Clone()
	for _, f := range model.Fields() {
		if !inEvery(sub, f.Pointer) {
			_ = doc.Remove(f.Pointer)
		}
	}
	fill(&doc, p, model, model.Fields())
	if at := doc.At(c.Envelope.State); at != nil {
		*at = spelled(st)
	}
	if at := doc.At(c.Envelope.PreviousState); at != nil {
		*at = spelled(o.Previous)
	}
	return doc, nil
}

func inEvery(sub *contract.Subject, at jsondoc.Pointer) bool {
	for _, st := range sub.States {
		if st.Sample.At(at) == nil {
			return false
		}
	}
	return true
}

// Edit is one change to a payload, as a user types it.
type Edit struct {
	// Kind is set, add or remove.
	Kind EditKind
	// Expression is path=value, path:=JSON, or for remove a path.
	Expression string
}

// EditKind says what an Edit does.
type EditKind string

// The edits.
const (
	Set    EditKind = "set"    // replaces a member that is there
	Add    EditKind = "add"    // replaces or adds a member
	Remove EditKind = "remove" // removes a member that is there
)

// Apply makes the change, or says why it cannot.
func (e Edit) Apply(doc *jsondoc.Value) error {
	if e.Kind == Remove {
		at, err := jsondoc.ParsePath(e.Expression)
		if err != nil {
			return fmt.Errorf("--remove %q: %w", e.Expression, err)
		}
		return e.explain(at, doc, doc.Remove(at))
	}
	path, typed, found := strings.Cut(e.Expression, "=")
	if !found {
		return fmt.Errorf("--%s %q: it takes path=value, or path:=JSON", e.Kind, e.Expression)
	}
	path, raw := strings.CutSuffix(path, ":")
	at, err := jsondoc.ParsePath(path)
	if err != nil {
		return fmt.Errorf("--%s %q: %w", e.Kind, e.Expression, err)
	}
	v, err := value(doc.At(at), typed, raw)
	if err != nil {
		return fmt.Errorf("--%s %q: %w", e.Kind, e.Expression, err)
	}
	if e.Kind == Add {
		return e.explain(at, doc, doc.Add(at, v))
	}
	return e.explain(at, doc, doc.Set(at, v))
}

// value keeps the kind of the member it replaces, where what was typed can be
// read as one.
func value(old *jsondoc.Value, typed string, raw bool) (jsondoc.Value, error) {
	if raw {
		v, err := jsondoc.Parse([]byte(typed))
		if err != nil {
			return v, fmt.Errorf("after := it takes JSON: %w", err)
		}
		return v, nil
	}
	if old != nil && old.Kind != jsondoc.String {
		if v, err := jsondoc.Parse([]byte(typed)); err == nil && v.Kind == old.Kind {
			return v, nil
		}
	}
	v := jsondoc.StringValue(strings.ToValidUTF8(typed, "\uFFFD"))
	return v, nil
}

func (e Edit) explain(at jsondoc.Pointer, doc *jsondoc.Value, err error) error {
	if err == nil {
		return nil
	}
	hint := ""
	var pathErr *jsondoc.PathError
	if errors.As(err, &pathErr) {
		err = errors.New(pathErr.Reason)
	}
	if e.Kind == Set {
		hint = " (--add adds it)"
	}
	if near := suggest.Nearest(strings.Join(at, "."), paths(doc, nil, len(at))); near != "" && near != strings.Join(at, ".") {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return fmt.Errorf("--%s %q: %w%s", e.Kind, e.Expression, err, hint)
}

// paths lists the members that are that many steps deep.
func paths(v *jsondoc.Value, at []string, depth int) []string {
	if depth == 0 {
		return []string{strings.Join(at, ".")}
	}
	var out []string
	for i := range v.Members {
		here := append(at[:len(at):len(at)], v.Members[i].Name)
		out = append(out, paths(&v.Members[i].Value, here, depth-1)...)
	}
	return out
}
