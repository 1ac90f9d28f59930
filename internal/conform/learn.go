package conform

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
)

// learned is what plainly paid payments have shown of the endpoint.
type learned struct {
	credits, balances, tellsRefunds, tellsDeliveries, tellsBalance bool
	// unit is the fact whose value was credited; nil where none fits.
	unit *contract.Fact
	// places is how many decimal places of the unit the probe tells as whole numbers:
	// 6 where it says 74074074 of 74.074074.
	places int32
	// paid is the merchant's word for the state of a paid payment.
	paid string
	// quiet is how long to wait before an effect that is not there counts as absent,
	// margin the same where a later payment has been seen to have its own.
	quiet, margin time.Duration
	// late says that effects show only after the answer.
	late bool
	// both says that a payment is credited when it is paid and its transfer confirmed.
	both bool
}

// The bounds of learned.quiet and learned.places.
const (
	minQuiet    = 25 * time.Millisecond
	quietFactor = 3
	maxPlaces   = 18
)

// learn pays a payment and looks at what that does.
func (t *trial) learn() {
	o := t.order()
	accepted := false
	for _, e := range o.flow() {
		accepted = t.send(e).success(t.s.Contract)
	}
	started := t.s.Now()
	l := &t.s.learned
	e, err := t.probe(o)
	if l.late = err == nil && !e.shows(); l.late {
		e, err = t.poll(o, Effect.shows)
	}
	if err != nil {
		t.probeErr = fmt.Errorf("%w: %w", ErrProbe, err)
		return
	}
	switch name := t.s.Mapping.missing(e); {
	case !e.Known && accepted:
		t.probeErr = fmt.Errorf("%w: it knows nothing of a payment whose events the endpoint has just accepted; check where it asks, and let the application take orders it has not made itself", ErrProbe)
		return
	case e.Known && name != "":
		t.probeErr = fmt.Errorf("%w: its answer has no %s at %s, where --probe-map says it stands: it was %s", ErrProbe, name, t.s.Mapping.at[name], e.said)
		return
	}
	l.margin = min(max(minQuiet, t.s.Now().Sub(started)), t.s.Settle)
	l.quiet = min(quietFactor*l.margin, t.s.Settle)
	if !l.late {
		l.quiet = l.margin
	}
	l.paid, l.credits = e.State, e.shows()
	l.tellsRefunds, l.tellsDeliveries, l.tellsBalance = e.Refunded != nil, e.Deliveries != nil, e.Balance != nil
	t.learnUnit(o, e)
	t.confirmPlaces(o)
	t.learnCause(o, e.shifted(-l.places))
}

// learnUnit finds which amount was credited, and in what unit that is told.
func (t *trial) learnUnit(o *order, e Effect) {
	if e.Credited == nil {
		return
	}
	l, r := &t.s.learned, t.s.roles
	l.balances = e.Balance != nil && e.Credited.Sign() != 0 && e.Balance.Cmp(*e.Credited) == 0
	for places := range int32(maxPlaces + 1) {
		for _, f := range []*contract.Fact{r.Price, r.Cash} {
			want, ok := o.amount(f)
			if !ok || want.Shift(places).Cmp(*e.Credited) != 0 || places > 0 && !e.Credited.Whole() {
				continue
			}
			l.unit, l.places = f, places
			return
		}
	}
}

// confirmPlaces pays amounts that have other decimals than the first payment: who
// tells minor units tells them of these, too, and who only leaves the point out does
// not.
func (t *trial) confirmPlaces(first *order) {
	l := &t.s.learned
	if l.places == 0 {
		return
	}
	whole, _ := first.amount(l.unit)
	for _, text := range []string{"5.5", "12"} {
		if !t.allows(text) {
			continue
		}
		o := t.order(t.priced(text))
		for _, e := range o.flow() {
			t.send(e)
		}
		want, _ := payment.ParseAmount(text)
		e, err := t.poll(o, Effect.shows)
		if err == nil && e.Credited != nil && e.shows() && e.Credited.Cmp(want) != 0 {
			t.s.tell(fmt.Sprintf("the probe says %s of %s (%s), but %s of %s: those are no whole numbers of one unit, and are taken as they are", whole.Shift(l.places), whole, l.unit.Name, e.Credited.Shift(l.places), text))
			l.unit, l.places = nil, 0
			return
		}
	}
	t.s.tell(fmt.Sprintf("the probe says %s of %s (%s): its amounts are read as whole numbers of 10^-%d", whole.Shift(l.places), whole, l.unit.Name, l.places))
}

// learnCause finds out whether an endpoint credits by other events than that of
// a paid payment: by the one of its confirmed transfer, or when it has both.
func (t *trial) learnCause(o *order, e Effect) {
	r, l := t.s.roles, &t.s.learned
	switch {
	case !e.shows() || !t.served(r.Confirmed) || r.Confirmed == r.Paid:
		return
	case !t.served(r.Paid):
		if t.creditsByTransfer(o, e) {
			t.s.roles = t.s.transferRoles()
			t.learnUnit(o, e.shifted(l.places))
		}
		return
	}
	alone := t.order()
	if t.paysBy(alone, r.Seen, r.Pending, r.Paid) {
		return
	}
	if other := t.order(); t.paysBy(other, r.Seen, r.Pending, r.Confirmed) {
		if !t.paidOnce(o) {
			return // by both, in the documented order: that is for the cases to find
		}
		serves := t.s.Serves
		t.s.whole = serves
		t.s.Serves = func(st *contract.State) bool { return serves(st) && st.Subject == r.Confirmed.Subject }
		t.s.roles = t.s.transferRoles()
		t.learnUnit(o, e.shifted(l.places))
		t.s.tell("it credits a payment by " + r.Confirmed.String() + ", not by " + r.Paid.String() + ": it is tested by what it is told of transfers, and sent the other events only by " + strings.Join(wholeCases(), ", "))
		return
	}
	if l.both = t.paysBy(alone, r.Confirmed); l.both {
		t.s.tell("it credits a payment when it has both " + r.Paid.String() + " and " + r.Confirmed.String() + ", and is sent both")
	}
}

// tell notes what a user should know of what was learned.
func (s *session) tell(note string) {
	if !slices.Contains(s.notes, note) {
		s.notes = append(s.notes, note)
	}
}

// paysBy reports whether a payment is credited once its events of some states are
// delivered.
func (t *trial) paysBy(o *order, states ...*contract.State) bool {
	for _, e := range o.events(states...) {
		t.send(e)
	}
	e, err := t.poll(o, Effect.shows)
	return err == nil && e.shows()
}

// paidOnce reports whether a payment whose events were all sent was credited
// exactly once.
func (t *trial) paidOnce(o *order) bool {
	e, ok := t.effect(o, Effect.shows)
	return ok && t.miscounted(o, e, true) == ""
}

// alsoNeeded are the states that a payment must come to besides being paid before
// it is credited.
func (s *session) alsoNeeded() []*contract.State {
	if s.learned.both {
		return []*contract.State{s.roles.Confirmed}
	}
	return nil
}

// shifted is the effect with its amounts of money times ten to the power of
// places.
func (e Effect) shifted(places int32) Effect {
	if places == 0 {
		return e
	}
	for _, m := range []**payment.Amount{&e.Credited, &e.Refunded, &e.Balance} {
		if *m != nil {
			a := (*m).Shift(places)
			*m = &a
		}
	}
	return e
}
