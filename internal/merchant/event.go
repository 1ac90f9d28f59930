package merchant

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
)

const (
	maxID      = 255     // bytes
	maxInteger = 1 << 53 // beyond it readers of JSON disagree
)

// event is what a merchant reads of a delivery.
type event struct {
	state *contract.State
	// previous is the state it says was left; said is unset when it says nothing.
	previous string
	said     bool
	facts    map[*contract.Fact]jsondoc.Value
	moment   time.Time
	// order and transfer are the ids; transfer is empty where none is named.
	order, transfer string
	// body and target are the delivery's bytes and path, which only bugs look at;
	// fresh is set when a bug has taken it for new.
	body   []byte
	target string
	fresh  bool
}

// signed refuses what none of the secrets signed. The bytes as they came are
// what counts: what a parser makes of them is not what was signed.
func (m *Merchant) signed(h http.Header, body []byte) *reply {
	if len(m.Secrets) == 0 || m.takesUnsigned(h, body) {
		return nil
	}
	if no := m.spoilSignature(h); no != nil {
		return no
	}
	res := m.scheme.Verify(m.secrets(), h, body, m.Now(), 0)
	if !res.OK || res.Family == signature.Reserialised {
		return answered(m.Contract.Signature.Answer)
	}
	return nil
}

// parse reads strict JSON: what readers disagree about is refused.
func (m *Merchant) parse(body []byte) (jsondoc.Value, *reply) {
	doc, err := m.reread(body)
	if no := m.spoilParse(body, doc, err); no != nil {
		return doc, no
	}
	if err != nil || doc.Kind != jsondoc.Object || !finite(doc) && !m.has("huge-numbers") {
		return doc, m.invalid()
	}
	return doc, nil
}

// finite reports whether every number is one that a double can come near.
func finite(v jsondoc.Value) bool {
	if v.Kind == jsondoc.Number {
		f, err := strconv.ParseFloat(v.Text, 64)
		return err == nil && !math.IsInf(f, 0)
	}
	for _, m := range v.Members {
		if !finite(m.Value) {
			return false
		}
	}
	return !slices.ContainsFunc(v.Items, func(i jsondoc.Value) bool { return !finite(i) })
}

// understand reads the event of a document that came to one of the paths.
func (m *Merchant) understand(doc *jsondoc.Value, path string) (*event, *reply) {
	env := m.Contract.Envelope
	name := doc.At(env.Event)
	if name == nil || name.Kind != jsondoc.String {
		return nil, m.invalid()
	}
	states := m.Contract.Event(name.Text)
	if !m.has("any-path") {
		states = slices.DeleteFunc(slices.Clone(states), func(s *contract.State) bool { return s.Path != path })
	}
	if len(states) == 0 {
		return nil, m.wrongEvent(name.Text)
	}
	m.soften(doc, states)
	if no := m.spoilDocument(doc, states); no != nil {
		return nil, no
	}
	e := &event{facts: map[*contract.Fact]jsondoc.Value{}}
	if !m.timely(e, doc, states[0]) {
		return nil, m.invalid()
	}
	state, previous := doc.At(env.State), doc.At(env.PreviousState)
	if state == nil || state.Kind != jsondoc.String || !absent(previous) && previous.Kind != jsondoc.String {
		return nil, m.invalid()
	}
	if e.state = m.stateOf(states, state.Text); e.state == nil {
		return nil, &reply{status: http.StatusOK, body: object("status", "received")}
	}
	if !absent(previous) {
		e.previous, e.said = previous.Text, true
	}
	return e, m.gather(e, doc)
}

func absent(v *jsondoc.Value) bool { return v == nil || v.Kind == jsondoc.Null }

// timely reads when the event says it happened, and reports whether that is
// near enough to now.
func (m *Merchant) timely(e *event, doc *jsondoc.Value, st *contract.State) bool {
	i := slices.IndexFunc(st.Fields(), func(f contract.Field) bool { return f.Fact == m.roles.Moment })
	if i < 0 {
		return true
	}
	v := doc.At(st.Fields()[i].Pointer)
	if absent(v) || v.Kind != jsondoc.String {
		return false
	}
	var ok bool
	e.moment, ok = payment.Moment(v.Text)
	age := m.Now().Sub(e.moment)
	return ok && (age <= m.Tolerance || m.has("old-events")) && (age >= -m.Tolerance || m.has("future-events"))
}

// gather reads the facts, and refuses what is not of the form they have. Members
// that are missing, null or unknown are tolerated.
func (m *Merchant) gather(e *event, doc *jsondoc.Value) *reply {
	for _, v := range e.state.Schema().Validate(*doc) {
		if m.matters(e.state, v.Pointer, v.Keyword, v.Got) {
			return m.invalid()
		}
	}
	for _, f := range e.state.Fields() {
		v := doc.At(f.Pointer)
		if absent(v) {
			continue
		}
		old, twice := e.facts[f.Fact]
		if !m.sound(f.Fact, v) || twice && m.used(f.Fact) && !payment.Equal(f.Fact, old, *v) {
			return m.invalid()
		}
		e.facts[f.Fact] = *v
	}
	return m.identify(e)
}

// matters reports whether a violation of the schema keeps a merchant from
// working with a payload: any wrong type, and the wrong form of what it uses.
func (m *Merchant) matters(st *contract.State, at jsondoc.Pointer, keyword, got string) bool {
	if keyword == "type" {
		return got != "null"
	}
	i := slices.IndexFunc(st.Fields(), func(f contract.Field) bool { return slices.Equal(f.Pointer, at) })
	return i >= 0 && keyword != "required" && m.used(st.Fields()[i].Fact) && !m.isID(st.Fields()[i].Fact) && !m.takesForm(st.Fields()[i].Fact)
}

func (m *Merchant) used(f *contract.Fact) bool {
	r := m.roles
	return m.isID(f) || slices.Contains([]*contract.Fact{
		r.Price, r.Cash, r.Received, r.Asset, r.CashAsset, r.Hash, r.Output, r.Reason, r.DropReason,
	}, f)
}

func (m *Merchant) isID(f *contract.Fact) bool {
	if f == m.roles.Customer {
		return true
	}
	return slices.ContainsFunc(m.Contract.Subjects, func(s *contract.Subject) bool { return s.ID == f })
}

// sound judges one value by what a merchant does with it.
func (m *Merchant) sound(f *contract.Fact, v *jsondoc.Value) bool {
	switch {
	case v.Kind == jsondoc.Number:
		n, err := strconv.ParseInt(v.Text, 10, 64)
		plain := err == nil && n <= maxInteger && n >= -maxInteger
		if m.has("huge-numbers") && !plain {
			return true
		}
		return plain && (len(f.Known) == 0 || !m.isAsset(f) || knows(f, *v) || m.has("assets-unchecked"))
	case m.isID(f):
		return v.Text != "" && len(v.Text) <= maxID
	case m.used(f) && f.Compare == contract.Decimal:
		_, ok := payment.ParseAmount(v.Text)
		return ok
	case m.used(f):
		return len(v.Text) <= maxID
	}
	return true
}

func (m *Merchant) isAsset(f *contract.Fact) bool {
	return f == m.roles.Asset || f == m.roles.CashAsset
}

func knows(f *contract.Fact, v jsondoc.Value) bool {
	return slices.ContainsFunc(f.Known, func(k jsondoc.Value) bool { return jsondoc.Equal(k, v) })
}

// identify finds out which payment, and which transfer, the event is about.
func (m *Merchant) identify(e *event) *reply {
	if no := m.spoilText(e); no != nil {
		return no
	}
	e.order = m.key(m.payments(), e)
	if t := m.transfers(); t != nil {
		e.transfer = m.key(t.ID, e)
	}
	if e.order == "" || e.state.Subject == m.transfers() && e.transfer == "" {
		return m.invalid()
	}
	return nil
}

// payments is the fact that identifies a payment. Where a transfer says that it is
// paid, that is still not the transfer's own.
func (m *Merchant) payments() *contract.Fact {
	paid := m.roles.Paid.Subject
	if paid != m.transfers() {
		return paid.ID
	}
	for _, s := range m.Contract.Subjects {
		if s != paid {
			return s.ID
		}
	}
	return paid.ID
}

// transfers is the subject that transfers are, or nil.
func (m *Merchant) transfers() *contract.Subject {
	for _, st := range []*contract.State{m.roles.Seen, m.roles.Confirmed, m.roles.Dropped} {
		if st != nil {
			return st.Subject
		}
	}
	return nil
}

// key returns the text of a fact in the one spelling that equal ones share.
func (m *Merchant) key(f *contract.Fact, e *event) string {
	if f == nil {
		return ""
	}
	return m.shorten(f, fold(f, e.facts[f].Text))
}

// fold lowers the letters A to Z, and no others, where case does not count.
func fold(f *contract.Fact, text string) string {
	if f.Compare != contract.Caseless {
		return text
	}
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, text)
}

// amount returns an amount that the event carries.
func (e *event) amount(f *contract.Fact) (payment.Amount, bool) {
	v, ok := e.facts[f]
	if f == nil || !ok {
		return payment.Amount{}, false
	}
	return payment.ParseAmount(v.Text)
}
