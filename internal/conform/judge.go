package conform

import (
	"errors"
	"fmt"
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/payment"
)

// accepted fails unless the answer's status tells of success: any 2xx, since that
// the gateway takes only some for it is what delivered is about.
func (t *trial) accepted(a answer) bool {
	if !a.taken(t.s.Contract) {
		t.fail("%s: %s; it must be accepted", a.sent, a.came())
		return false
	}
	return true
}

// refused fails unless the answer has one of the statuses.
func (t *trial) refused(a answer, statuses ...int) bool {
	if a.Outcome != deliver.Answered || !slices.Contains(statuses, a.Status) {
		t.fail("%s: %s; expected %s", a.sent, a.came(), either(statuses))
		return false
	}
	return true
}

// handled fails unless there is an answer, and none that says the server broke.
func (t *trial) handled(a answer) bool {
	if a.Outcome != deliver.Answered || a.Status >= 500 {
		t.fail("%s: %s; whatever it is sent, it must not break", a.sent, a.came())
		return false
	}
	return true
}

// effect waits for effects to settle and returns them. Without a probe the case
// is unproven, and ok is false.
func (t *trial) effect(o *order, wanted func(Effect) bool) (e Effect, ok bool) {
	if t.s.Probe == nil {
		t.cannotTell("effects cannot be seen without a probe: add --probe-url or --probe-cmd")
		return Effect{}, false
	}
	_, err := t.poll(o, wanted)
	if err == nil {
		if err = t.s.Wait(t.ctx, t.s.learned.quiet); err == nil {
			e, err = t.probe(o)
		}
	}
	return e, t.told(err)
}

// told reports whether the probe worked. It did for a plain payment, so an
// amount that is none is what the case has made of it.
func (t *trial) told(err error) bool {
	var odd *amountError
	switch {
	case errors.As(err, &odd):
		t.fail("%v", odd)
	case err != nil:
		t.cannotTell("the probe failed: %v", err)
	}
	return err == nil
}

// anything is satisfied by any effect.
func anything(Effect) bool { return true }

// final returns effects when all that was sent before has had its own, as far as
// a payment that is sent now and seen later can tell. Without a probe the case is
// unproven, and ok is false.
func (t *trial) final(o *order) (e Effect, ok bool) {
	if t.s.Probe == nil {
		return t.effect(o, anything) // which says what is missing
	}
	t.caughtUp()
	e, err := t.probe(o)
	return e, t.told(err)
}

// once fails unless the payment was credited exactly once.
func (t *trial) once(o *order) {
	if e, ok := t.credit(o); ok {
		t.count(o, e, true)
		t.watch(o, e)
	}
}

// credit is effect for a payment that must be credited.
func (t *trial) credit(o *order) (e Effect, ok bool) {
	if t.s.learned.late {
		if e, err := t.poll(o, Effect.shows); err == nil && e.shows() {
			return t.final(o) // a second credit may come later than the first
		}
	}
	return t.effect(o, Effect.shows)
}

// atMostOnce fails if the payment was credited more than once, or wrongly.
func (t *trial) atMostOnce(o *order) {
	if e, ok := t.final(o); ok {
		t.count(o, e, false)
		t.watch(o, e)
	}
}

// count compares an effect with one credit of the payment.
func (t *trial) count(o *order, e Effect, needed bool) {
	if problem := t.miscounted(o, e, needed); problem != "" {
		t.fail("%s", problem)
	}
}

// miscounted says what keeps an effect from being one credit of the payment.
func (t *trial) miscounted(o *order, e Effect, needed bool) string {
	switch {
	case e.Credited == nil && e.Deliveries == nil && e.Known:
		t.cannotTell("the probe tells neither what was credited nor what was delivered: say where with --probe-map credited=PATH")
	case !e.shows() && needed:
		return fmt.Sprintf("not credited (%s)", e)
	case !e.shows():
		t.believe()
	case e.Credited != nil && !t.fits(o, *e.Credited) && t.racy:
		return "not credited exactly once, which is " + o.prices() // how often is a matter of chance
	case e.Credited != nil && !t.fits(o, *e.Credited):
		return fmt.Sprintf("credited %s; exactly once is %s%s", *e.Credited, o.prices(), e.doubt())
	case e.Deliveries != nil && e.Deliveries.Cmp(one()) != 0 && t.racy:
		return "goods not handed out exactly once"
	case e.Deliveries != nil && e.Deliveries.Cmp(one()) != 0 && (needed || e.Deliveries.Sign() != 0):
		return fmt.Sprintf("goods handed out %s times, not once", *e.Deliveries)
	}
	return t.unbalanced(o, e)
}

// unbalanced says what is wrong with the account of a payment's customer, who has
// made no other: it may be written apart from the payment, and later.
func (t *trial) unbalanced(o *order, e Effect) string {
	balanced := func(e Effect) bool {
		switch {
		case e.Balance == nil, e.Credited == nil, e.Refunded != nil && e.Refunded.Sign() != 0:
			return true
		case e.Refunded == nil:
			return e.Balance.Cmp(*e.Credited) <= 0 // less may be what was given back
		}
		return e.Balance.Cmp(*e.Credited) == 0
	}
	if !t.s.learned.balances || t.customers[o.customer()] > 1 || balanced(e) {
		return ""
	}
	e, err := t.poll(o, balanced)
	switch {
	case err != nil || balanced(e):
		return ""
	case t.racy:
		return "the customer's balance is not what was credited"
	}
	return fmt.Sprintf("the customer, who has made no other payment, has %s although %s was credited", *e.Balance, *e.Credited)
}

// doubt warns of amounts that may have lost digits on their way.
func (e Effect) doubt() string {
	if e.number {
		return " (the probe tells a JSON number, which may have lost digits: let it tell a string)"
	}
	return ""
}

func one() payment.Amount {
	a, _ := payment.ParseAmount("1")
	return a
}

// believe doubts a case in which a probe shows no credit, if it never has.
func (t *trial) believe() {
	if !t.s.learned.credits {
		t.cannotTell("the probe has not shown the credit of a plainly paid payment, so that it shows none here proves nothing")
	}
}

// fits reports whether an amount is what the payment costs, in the unit that the
// endpoint is known to credit in.
func (t *trial) fits(o *order, credited payment.Amount) bool {
	for _, f := range t.units() {
		if want, ok := o.amount(f); ok && want.Cmp(credited) == 0 {
			return true
		}
	}
	return false
}

func (t *trial) units() []*contract.Fact {
	if u := t.s.learned.unit; u != nil {
		return []*contract.Fact{u}
	}
	return []*contract.Fact{t.s.roles.Price, t.s.roles.Cash}
}

// prices are the amounts that one credit may have, as users read them.
func (o *order) prices() string {
	out := ""
	for _, f := range o.t.units() {
		want, ok := o.amount(f)
		if !ok {
			continue
		}
		if out != "" {
			out += " or "
		}
		out += want.String() + " (" + f.Name + ")"
	}
	return out
}

// notCredited fails if the payment was credited at all.
func (t *trial) notCredited(o *order) {
	e, ok := t.final(o)
	if !ok {
		return
	}
	if e.shows() {
		t.fail("credited although it must not be (%s)", e)
		return
	}
	t.believe()
	if problem := t.unbalanced(o, e); problem != "" {
		t.fail("%s", problem)
	}
}

// notRefunded fails if anything was given back.
func (t *trial) notRefunded(o *order) {
	if e, ok := t.refunds(o); ok && e.Refunded.Sign() != 0 {
		t.fail("refunded %s; nothing may be given back", *e.Refunded)
	}
}

// refundedAtMostOnce fails if more was given back than was received.
func (t *trial) refundedAtMostOnce(o *order) {
	e, ok := t.refunds(o)
	if !ok || e.Refunded.Sign() == 0 {
		return
	}
	received, ok := o.amount(t.s.roles.Received)
	limit := received
	if cash, known := o.amount(t.s.roles.Cash); known && t.s.learned.unit != t.s.roles.Price && cash.Cmp(limit) > 0 {
		limit = cash // it may be given back in the merchant's own money
	}
	if e.Refunded.Sign() < 0 || ok && (e.Refunded.Cmp(limit) > 0 || e.Refunded.Cmp(received.Add(received)) == 0) {
		t.fail("refunded %s; %s was received", *e.Refunded, received)
	}
}

func (t *trial) refunds(o *order) (Effect, bool) {
	e, ok := t.final(o)
	if ok && !e.Known {
		e.Refunded = new(payment.Amount)
	}
	if ok && e.Refunded == nil {
		t.cannotTell("the probe tells nothing of refunds: let it, and say where with --probe-map refunded=PATH")
		return e, false
	}
	return e, ok
}

// same fails if an effect is not as it was.
func (t *trial) same(o *order, before Effect, why string) {
	if after, ok := t.effect(o, anything); ok && after.String() != before.String() {
		t.fail("%s: before %s, after %s", why, before, after)
	}
}

// converged fails unless the merchant's word for the state is that of a paid
// payment.
func (t *trial) converged(o *order) {
	e, ok := t.effect(o, func(e Effect) bool { return e.State == t.s.learned.paid })
	switch {
	case !ok:
	case t.s.learned.paid == "" || !t.s.learned.credits:
		t.note("the probe tells no state, so only amounts were compared")
	case e.State != t.s.learned.paid:
		t.fail("its state is %q; that of a payment paid in order is %q", e.State, t.s.learned.paid)
	}
}

// about puts what is special about a sub-check before the problems that it finds.
func (t *trial) about(what string, check func()) {
	from := len(t.problems)
	defer func() {
		for i := from; i < len(t.problems); i++ {
			t.problems[i] = t.mask(what) + ": " + t.problems[i]
		}
	}()
	check()
}

// creditedEach fails unless each payment was credited exactly once; it tells the
// first that was not.
func (t *trial) creditedEach(orders []*order) {
	t.each(orders, Effect.shows, func(o *order, e Effect) { t.count(o, e, true) })
}

// each judges the effects of many payments once they have settled, up to the
// first that fails.
func (t *trial) each(orders []*order, wanted func(Effect) bool, judge func(*order, Effect)) {
	if t.s.Probe == nil {
		t.effect(orders[0], wanted) // which says what is missing
		return
	}
	for _, o := range orders {
		if e, err := t.poll(o, wanted); err != nil || !wanted(e) {
			break
		}
	}
	if t.s.learned.late {
		t.caughtUp()
	} else if t.s.Wait(t.ctx, t.s.learned.quiet) != nil {
		t.stop()
	}
	for _, o := range orders {
		e, err := t.probe(o)
		if err != nil {
			t.cannotTell("the probe failed: %v", err)
			return
		}
		before := len(t.problems)
		if judge(o, e); len(t.problems) > before {
			return
		}
	}
}
