package conform

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/suggest"
)

// Probe asks the merchant what became of a payment. Facts are those that
// identify it, by their names in the contract. Known is false when the merchant
// has never heard of it; raw is a JSON object.
type Probe func(ctx context.Context, facts map[string]string) (raw []byte, known bool, err error)

// Effect is what the merchant says became of a payment. A member that the probe
// does not tell is nil, or an empty State.
type Effect struct {
	Known bool
	State string
	// Credited and Refunded are sums; Deliveries is how often goods were handed
	// out; Balance is all that the payment's customer has.
	Credited, Refunded, Deliveries, Balance *payment.Amount

	// said is how the answer began, number whether an amount was a JSON number.
	said   string
	number bool
}

// String describes the effect as users read it.
func (e Effect) String() string {
	if !e.Known {
		return "the probe does not know the order"
	}
	var parts []string
	if e.State != "" {
		parts = append(parts, "state "+e.State)
	}
	for _, m := range e.amounts() {
		if *m.value != nil {
			parts = append(parts, m.name+" "+(*m.value).String())
		}
	}
	return strings.Join(parts, ", ")
}

type amountMember struct {
	name  string
	value **payment.Amount
}

func (e *Effect) amounts() []amountMember {
	return []amountMember{{"credited", &e.Credited}, {"refunded", &e.Refunded}, {"deliveries", &e.Deliveries}, {"balance", &e.Balance}}
}

// Mapping says where in the probe's answer each member of an Effect stands.
type Mapping struct {
	at map[string]jsondoc.Pointer
	// asked are the members that the user has said the place of.
	asked []string
}

func effectMembers() []string {
	return []string{"state", "credited", "refunded", "deliveries", "balance"}
}

// ParseMapping reads "state=status,credited=balance.total"; what it does not
// name is looked for under its own name. Empty means that for all.
func ParseMapping(s string) (Mapping, error) {
	m := Mapping{at: map[string]jsondoc.Pointer{}}
	for _, name := range effectMembers() {
		m.at[name] = jsondoc.Pointer{name}
	}
	if s == "" {
		return m, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		name, where, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok || !slices.Contains(effectMembers(), name) {
			return Mapping{}, fmt.Errorf("%q maps nothing; it takes NAME=PATH with one of the names %s%s", part, strings.Join(effectMembers(), ", "), suggest.DidYouMean(name, effectMembers()))
		}
		p, err := jsondoc.ParsePath(strings.TrimPrefix(where, "."))
		if err != nil {
			return Mapping{}, fmt.Errorf("%q: %w", part, err)
		}
		m.at[name], m.asked = p, append(m.asked, name)
	}
	return m, nil
}

// read finds an effect in a probe's answer.
func (m Mapping) read(raw []byte) (Effect, error) {
	doc, err := jsondoc.Parse(raw)
	if err != nil {
		return Effect{}, notJSON(raw, err)
	}
	e := Effect{Known: true, said: shownAmount(doc)}
	if v := doc.At(m.at["state"]); v != nil && v.Kind == jsondoc.String {
		e.State = v.Text
	}
	found := e.State != ""
	for _, member := range e.amounts() {
		v := doc.At(m.at[member.name])
		if v == nil || v.Kind == jsondoc.Null {
			continue
		}
		a, ok := payment.ParseAmount(v.Text)
		if v.Kind == jsondoc.Number {
			a, ok = payment.ParseNumber(v.Text)
		}
		if !ok || v.Kind != jsondoc.String && v.Kind != jsondoc.Number {
			return Effect{}, &amountError{fmt.Sprintf("%s (%s)", member.name, m.at[member.name]), shownAmount(*v)}
		}
		*member.value, found = &a, true
		e.number = e.number || v.Kind == jsondoc.Number
	}
	if !found {
		return Effect{}, fmt.Errorf("the probe's answer has none of %s; say with --probe-map where they stand: it was %s", strings.Join(effectMembers(), ", "), e.said)
	}
	return e, nil
}

// missing names the first member that the user has said the place of and that is
// not there.
func (m Mapping) missing(e Effect) string {
	told := map[string]bool{"state": e.State != ""}
	for _, member := range e.amounts() {
		told[member.name] = *member.value != nil
	}
	for _, name := range m.asked {
		if !told[name] {
			return name
		}
	}
	return ""
}

// amountError says that a probe told an amount that is none, such as NaN.
type amountError struct{ member, shown string }

func (e *amountError) Error() string {
	return fmt.Sprintf("the probe's %s is %s, which is no decimal number such as \"74.074074\"", e.member, e.shown)
}

// notJSON says why an answer cannot be read; the words some languages write for
// what is no number are told apart, since they are amounts gone wrong.
func notJSON(raw []byte, err error) error {
	var at *jsondoc.SyntaxError
	if errors.As(err, &at) && at.Offset <= len(raw) {
		for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
			if bytes.HasPrefix(raw[at.Offset:], []byte(word)) {
				return &amountError{at.Pointer.String(), word}
			}
		}
	}
	return fmt.Errorf("the probe's answer is no JSON: %w", err)
}

func shownAmount(v jsondoc.Value) string {
	text := v.AppendLiteral(nil)
	return string(text[:min(len(text), maxShownBytes)])
}

// ErrProbe is wrapped by errors about a probe that does not work.
var ErrProbe = errors.New("the probe does not work")
