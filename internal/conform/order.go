package conform

import (
	"fmt"
	"slices"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// mark begins what makes test payments recognisable.
const mark = "paytest"

// How long ago a payment began.
const (
	paymentAge = 15 * time.Minute
	expiredAge = 30*time.Minute + 30*time.Second
	eventGap   = 200 * time.Millisecond // between events whose order a case tells
)

// order is one test payment.
type order struct {
	t *trial
	p *payment.Payment
}

// orderOption changes how a test payment is made.
type orderOption func(*payment.Options)

// withFact gives a fact another value, wherever the payment's events carry it.
//
//go:noinline
func withFact(f *contract.Fact, v jsondoc.Value) orderOption {
	return func(o *payment.Options) {
		if f != nil {
			o.Facts[f] = v
		}
	}
}

// withText is withFact for a string.
func withText(f *contract.Fact, text string) orderOption {
	return withFact(f, jsondoc.StringValue(text))
}

// toward says which states the payment comes to, in place of those of a paid
// one.
func toward(states ...*contract.State) orderOption {
	return func(o *payment.Options) { o.Toward = states }
}

// asOld makes the payment begin so long ago that it may expire.
func asOld(o *payment.Options) { o.Start = o.Start.Add(paymentAge - expiredAge) }

// withAmount makes all amounts of a payment the given text, valid or not.
func (t *trial) withAmount(text string) orderOption {
	r := t.s.roles
	return func(o *payment.Options) {
		for _, f := range []*contract.Fact{r.Price, r.Cash, r.Received} {
			withText(f, text)(o)
		}
	}
}

// asDocumented gives a payment the facts of a state's documented payload, but for
// its identifiers, customer, title and moments.
func (t *trial) asDocumented(st *contract.State) orderOption {
	own := append(t.identifiers(), t.s.roles.Customer, t.s.roles.Title)
	return func(o *payment.Options) {
		for _, field := range st.Fields() {
			v := st.Sample.At(field.Pointer)
			if v != nil && field.Fact.Scope != nil && field.Fact.Compare != contract.Time && !slices.Contains(own, field.Fact) {
				o.Facts[field.Fact] = *v
			}
		}
	}
}

// order makes a new payment. Its facts are random by the seed, its identifiers
// also by the salt; the customer and the title start with "paytest".
func (t *trial) order(options ...orderOption) *order {
	c, r := t.s.Contract, t.s.roles
	t.orders++
	o := payment.Options{
		Seed: t.s.Seed ^ t.key, Index: t.orders, Facts: map[*contract.Fact]jsondoc.Value{},
		Start:  t.s.Now().UTC().Truncate(time.Millisecond).Add(-paymentAge),
		Toward: slices.DeleteFunc([]*contract.State{c.Roles.Confirmed, c.Roles.Paid}, func(st *contract.State) bool { return st == nil }),
	}
	salted := payment.New(c, payment.Options{Seed: o.Seed ^ t.s.Salt, Index: o.Index, Start: o.Start})
	for _, f := range t.identifiers() {
		v := salted.Fact(f, t.carrier(f))
		o.Facts[f] = v
		t.ids = append(t.ids, v.Text)
	}
	if r.Customer != nil {
		name := mark + "-" + payment.New(c, payment.Options{Seed: o.Seed ^ t.s.Salt, Index: o.Index}).Fact(r.Customer, t.carrier(r.Customer)).Text
		withText(r.Customer, name)(&o)
		t.ids = append(t.ids, name)
	}
	withText(r.Title, mark+" "+t.spec.ID)(&o)
	for _, option := range options {
		option(&o)
	}
	o.Moments = payment.Recent(c, t.s.Now().Sub(o.Start))
	made := &order{t, payment.New(c, o)}
	t.customers[made.customer()]++
	return made
}

// customer identifies whose payment it is; empty where the contract knows none.
func (o *order) customer() string {
	if o.t.s.roles.Customer == nil {
		return ""
	}
	return o.text(o.t.s.roles.Customer)
}

// identifiers are the facts that tell one payment from another.
//
//go:noinline
func (t *trial) identifiers() []*contract.Fact {
	var out []*contract.Fact
	for _, sub := range t.s.Contract.Subjects {
		out = append(out, sub.ID)
	}
	if t.s.roles.Hash != nil {
		out = append(out, t.s.roles.Hash)
	}
	return out
}

// carrier is a state whose event carries the fact.
//
//go:noinline
func (t *trial) carrier(f *contract.Fact) *contract.State {
	for _, st := range t.s.Contract.States() {
		if st.Carries(f.Name) == f {
			return st
		}
	}
	return t.s.roles.Paid
}

// names are the facts that identify the payment, for the probe.
func (o *order) names() map[string]string {
	out := map[string]string{}
	facts := o.t.identifiers()
	if o.t.s.roles.Customer != nil {
		facts = append(facts, o.t.s.roles.Customer)
	}
	for _, f := range facts {
		out[f.Name] = o.p.Fact(f, o.t.carrier(f)).Text
	}
	return out
}

// amount returns the value of a fact that is an amount.
func (o *order) amount(f *contract.Fact) (payment.Amount, bool) {
	if f == nil {
		return payment.Amount{}, false
	}
	return payment.ParseAmount(o.p.Fact(f, o.t.carrier(f)).Text)
}

// event is one event of a payment, ready to be sent.
type event struct {
	o     *order
	state *contract.State
	doc   *jsondoc.Value
	label string
}

// edit changes an event.
type edit func(e *event)

// event makes the event that reports a state, and changes it.
func (o *order) event(st *contract.State, edits ...edit) event {
	doc, err := generate.Payload(o.t.s.Contract, o.p, st, generate.Options{Force: true})
	if err != nil {
		panic(stopCase{fmt.Sprintf("no event %s can be made: %v", st, err)})
	}
	doc = doc.Clone()
	e := event{o: o, state: st, doc: &doc, label: st.String()}
	for _, change := range edits {
		change(&e)
	}
	return e
}

// flow is the documented flow, as far as the endpoint serves it, or else the usual
// event alone.
func (o *order) flow() []event {
	if out := o.events(o.t.s.Contract.Flow...); len(out) > 0 {
		return out
	}
	return []event{o.event(o.t.usual())}
}

// body is the event's canonical JSON.
func (e event) body() []byte { return e.doc.AppendCanonical(nil) }

// called says in the report what is special about an event.
//
//go:noinline
func called(what string) edit {
	return func(e *event) { e.label += ", " + what }
}

// set gives a fact another value in this event alone.
//
//go:noinline
func set(f *contract.Fact, v jsondoc.Value) edit {
	return func(e *event) {
		for _, field := range e.state.Fields() {
			if field.Fact == f && e.doc.At(field.Pointer) != nil {
				_ = e.doc.Set(field.Pointer, v)
			}
		}
	}
}

// put writes a value at a place, which need not exist.
//
//go:noinline
func put(p jsondoc.Pointer, v jsondoc.Value) edit {
	return func(e *event) { _ = e.doc.Add(p, v) }
}

// drop takes a member out.
func drop(p jsondoc.Pointer) edit {
	return func(e *event) { _ = e.doc.Remove(p) }
}

// previous says which state was left, whatever the graph says.
func previous(st *contract.State) edit {
	return func(e *event) {
		v := jsondoc.StringValue(st.Wire)
		if st.Wire == "" {
			v = jsondoc.NullValue()
		}
		put(e.o.t.s.Contract.Envelope.PreviousState, v)(e)
		e.label += " from " + st.Label()
	}
}

// moved shifts the moment of the event itself.
func moved(d time.Duration) edit {
	return func(e *event) {
		f := e.o.t.s.roles.Moment
		if f == nil {
			return
		}
		for _, field := range e.state.Fields() {
			if at := e.doc.At(field.Pointer); field.Fact == f && at != nil {
				_ = e.doc.Set(field.Pointer, jsondoc.StringValue(payment.Shift(at.Text, d)))
			}
		}
	}
}
