package conform

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
)

// tried is one of the ways that a case tries: the event, and what was answered.
type tried struct {
	o     *order
	state *contract.State
	answer
}

// try sends an event.
func (t *trial) try(e event) tried { return t.tryRequest(e, e.request()) }

// tryBody sends other bytes in place of an event's.
func (t *trial) tryBody(e event, body []byte) tried {
	r := e.request()
	r.Body = body
	return t.tryRequest(e, r)
}

// tryRequest sends a request that was made of an event. Where nothing is
// answered the case ends: whatever it would try next might take as long.
func (t *trial) tryRequest(e event, r *request) tried {
	a := t.do(r)
	t.must(a.Outcome == deliver.Answered, "%s: %s; it must be answered", a.sent, a.came())
	return tried{e.o, e.state, a}
}

// pay sends the events of a payment in the documented order, all changed in the
// same way, and the one that pays it last.
func (t *trial) pay(o *order, edits ...edit) []tried {
	paid := t.s.roles.Paid
	states := slices.DeleteFunc(slices.Clone(t.s.Contract.Flow), func(st *contract.State) bool { return st == paid || !t.s.Serves(st) })
	var out []tried
	for _, st := range append(states, paid) {
		out = append(out, t.try(o.event(st, edits...)))
	}
	return out
}

// paid sends the events of a payment and returns what became of the last, which
// pays it. Those before may be refused.
func (t *trial) paid(o *order, edits ...edit) tried {
	all := t.pay(o, edits...)
	for _, x := range all[:len(all)-1] {
		t.handled(x.answer)
	}
	return all[len(all)-1]
}

// served reports whether there is such a state, and the endpoint is sent its
// events.
func (t *trial) served(st *contract.State) bool {
	return st != nil && (t.s.Serves(st) || t.s.wholeFor(t.spec) && t.s.whole(st))
}

// refuses reports whether the answer refuses what was sent.
func (a answer) refuses() bool { return a.Outcome == deliver.Answered && a.Status/100 == 4 }

// anyAnswer and noAnswer are what proves by itself that nothing was caused.
func anyAnswer(answer) bool { return true }
func noAnswer(answer) bool  { return false }

// settle asks what became of all that was tried, and fails for each effect with
// which something is wrong. Without a probe the case is unproven, unless the
// answers prove it.
func (t *trial) settle(all []tried, wrong func(tried, Effect) string, proves func(answer) bool) {
	if t.s.Probe == nil {
		if i := slices.IndexFunc(all, func(x tried) bool { return !proves(x.answer) }); i >= 0 {
			t.effect(all[i].o, anything) // which says what is missing
		}
		return
	}
	late := !t.caughtUp()
	until := t.s.Now().Add(t.s.Settle)
	for _, x := range all {
		e, err := t.probe(x.o)
		if !t.told(err) || late && !e.shows() {
			continue
		}
		problem := wrong(x, e)
		if problem != "" && !e.shows() { // a later payment that shows does not say that this one will not
			if e, err = t.pollUntil(until, x.o, Effect.shows); !t.told(err) {
				continue
			}
			problem = wrong(x, e)
		}
		if problem != "" {
			t.fail("%s: %s; %s", x.sent, x.came(), problem)
		}
	}
}

// patience is how many times Settle an endpoint gets for all that a case has
// sent at once.
const patience = 3

// caughtUp pays one more payment and waits until that shows, so that whatever
// was sent before has had its effects, too. Where it does not show, nothing can
// be made of effects that are not there, and the case is unproven.
func (t *trial) caughtUp() bool {
	paid, shown := t.s.roles.Paid, true
	if t.s.Serves(paid) && t.s.learned.credits {
		o := t.begun()
		t.send(o.event(paid, called("a sound one, to see that all before it was worked through")))
		shown = false
		for try := 0; try < patience && !shown; try++ {
			e, err := t.poll(o, Effect.shows)
			shown = e.shows() || err != nil
		}
	}
	if !shown {
		t.cannotTell("a sound payment sent afterwards was not credited in time: what is not to be seen may still come")
	}
	if t.s.Wait(t.ctx, t.s.learned.margin) != nil {
		t.stop()
	}
	return shown
}

// nothing says what an effect is where there must be none.
func (t *trial) nothing(x tried, e Effect) string {
	if problem := t.uncredited(x, e); problem != "" {
		return problem
	}
	if e.Refunded != nil && e.Refunded.Sign() != 0 {
		return "refunded although it must not be (" + e.String() + ")"
	}
	return t.unbalanced(x.o, e)
}

// uncredited says what an effect is where nothing must be credited.
func (t *trial) uncredited(_ tried, e Effect) string {
	if e.shows() {
		return "credited although it must not be (" + e.String() + ")"
	}
	t.believe()
	return ""
}

// onceOrRefused says what is wrong unless a payment was credited once, or
// refused and not credited.
func (t *trial) onceOrRefused(x tried, e Effect) string {
	if x.refuses() {
		return t.nothing(x, e)
	}
	return t.miscounted(x.o, e, true)
}

// refusedOrNothing fails for what broke the endpoint, and for what was neither
// refused nor without effect.
func (t *trial) refusedOrNothing(all []tried) {
	t.handledEach(all)
	t.settle(all, t.nothing, answer.refuses)
}

// never fails for what broke the endpoint or had an effect, however answered.
func (t *trial) never(all []tried) {
	t.handledEach(all)
	t.settle(all, t.nothing, noAnswer)
}

// turnedAwayEach fails unless each was refused, and without effect as far as
// that can be seen.
func (t *trial) turnedAwayEach(all []tried, statuses ...int) {
	for _, x := range all {
		t.turnedAway(x.answer, statuses...)
	}
	t.settle(all, t.nothing, anyAnswer)
}

func (t *trial) handledEach(all []tried) {
	for _, x := range all {
		t.handled(x.answer)
	}
}

// acceptedEach fails unless each was accepted, and the payments that were paid
// are credited once, as far as that can be seen.
func (t *trial) acceptedEach(all []tried, proves func(answer) bool) {
	var paid []tried
	for _, x := range all {
		if t.accepted(x.answer) && x.state == t.s.roles.Paid {
			paid = append(paid, x)
		}
	}
	t.settle(paid, func(x tried, e Effect) string { return t.miscounted(x.o, e, true) }, proves)
}
