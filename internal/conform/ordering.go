package conform

import (
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/payment"
)

func orderingCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"O01": paidBeforePending,
		"O02": latePending,
		"O03": confirmedBeforeSeen,
		"O04": paidBeforeTransfer,
		"O05": pendingNeverSent,
		"O06": failedAfterPaid,
		"O07": paidAfterFailed,
		"O08": paidAfterExpired,
		"O09": pendingAfterRefused,
		"O10": contradictedPrevious,
		"O11": paidOutOfTheBlue,
		"O12": everyOrder,
		"O13": olderTimestamp,
	}
}

// paidBeforePending delivers the two events of a payment the wrong way round.
func paidBeforePending(t *trial) {
	r := t.s.roles
	usual, o := t.order(), t.order()
	t.insist(usual.events(r.Pending, r.Paid)...)
	t.insist(o.events(r.Paid, r.Pending)...)
	t.once(o)
	t.endsAs(o, t.word(usual, Effect.shows))
}

// latePending delivers Pending after Paid: for the first time, or once more.
func latePending(t *trial) {
	r := t.s.roles
	for _, v := range []struct {
		label  string
		before []*contract.State
	}{
		{"Pending comes late", []*contract.State{r.Paid}},
		{"Pending comes once more", []*contract.State{r.Pending, r.Paid}},
	} {
		o := t.order()
		t.insist(o.events(v.before...)...)
		t.about(v.label, func() { t.keeps(o, o.event(r.Pending, called("late"))) })
	}
}

// keeps sends an event that must change nothing about a paid payment. One that
// waits for its other events before it counts as paid is left to other cases.
func (t *trial) keeps(o *order, e event) {
	before, ok := t.effect(o, Effect.shows)
	a := t.send(e)
	t.answered(a)
	switch {
	case !ok:
	case before.shows():
		t.same(o, before, "it must stay as it was when it was paid")
	default:
		t.atMostOnce(o)
		t.noteOnce("without the events before it, a paid payment is not credited yet")
	}
}

// confirmedBeforeSeen delivers a transfer's two events the wrong way round.
func confirmedBeforeSeen(t *trial) {
	r := t.s.roles
	usual := t.order()
	o := t.order(t.like(usual))
	t.insist(usual.events(r.Seen, r.Confirmed, r.Pending, r.Paid)...)
	t.handledAll(t.insist(o.events(r.Confirmed, r.Seen, r.Pending, r.Paid)...))
	t.alike(usual, []*order{o}, []string{"with " + r.Confirmed.String() + " before " + r.Seen.String()})
}

// paidBeforeTransfer delivers the payment's events before those of its transfer.
func paidBeforeTransfer(t *trial) {
	r := t.s.told(t.spec)
	o := t.order()
	t.handledAll(t.insist(o.events(r.Pending, r.Paid, r.Seen, r.Confirmed)...))
	t.once(o)
}

// pendingNeverSent delivers Paid straight from the initial state, which is
// illegal.
func pendingNeverSent(t *trial) {
	r := t.s.roles
	o := t.order()
	a := t.send(o.event(r.Paid, previous(r.Paid.Subject.Initial)))
	t.handled(a)
	e, ok := t.effect(o, anything)
	if !ok {
		return
	}
	t.count(o, e, false)
	t.note("policy: it is %s, and %s", map[bool]string{true: "accepted", false: "refused"}[a.success(t.s.Contract)],
		map[bool]string{true: "credited", false: "not credited"}[e.shows()])
}

// failedAfterPaid delivers Failed for a payment that is paid, which is final.
func failedAfterPaid(t *trial) {
	r := t.s.roles
	o := t.order(toward(r.Failed))
	t.insist(o.events(r.Pending, r.Paid)...)
	before, ok := t.effect(o, Effect.shows)
	t.send(o.event(r.Failed, previous(r.Paid)))
	if !ok {
		return
	}
	t.notRefunded(o)
	after, ok := t.effect(o, anything)
	switch {
	case !ok:
	case after.money().String() != before.money().String():
		t.fail("what a paid payment caused was reversed: before %s, after %s", before, after)
	case after.State != before.State:
		t.note("its state went from %q to %q, although nothing was reversed", before.State, after.State)
	}
}

// money is an effect without the merchant's word for it.
func (e Effect) money() Effect {
	e.State = ""
	return e
}

// paidAfterFailed delivers Paid for a payment that has failed, which is final.
func paidAfterFailed(t *trial) {
	r := t.s.roles
	for _, from := range []*contract.State{r.Failed.From[0].From, r.Failed} {
		o := t.order(toward(r.Failed))
		o.happens(r.Pending, r.Failed, r.Paid)
		t.insist(o.events(r.Pending, r.Failed)...)
		paid := o.event(r.Paid, previous(from), called("after the payment failed"))
		t.send(paid)
		t.about(paid.label, func() { t.notCredited(o) })
	}
}

// paidAfterExpired delivers a payment that came after its time was over.
func paidAfterExpired(t *trial) {
	r := t.s.roles
	usual, o := t.order(asOld), t.order(asOld)
	t.insist(usual.events(r.Pending, r.Paid)...)
	o.happens(r.Expired, r.Pending, r.Paid)
	t.insist(o.events(r.Expired)...)
	before, _ := t.effect(o, func(e Effect) bool { return e.Known })
	expired := before.State // that alone tells nobody that it was credited all the same
	for _, e := range o.events(r.Pending, r.Paid) {
		t.answered(t.send(e))
	}
	e, ok := t.final(o)
	switch {
	case !ok:
	case !e.shows():
		t.believe()
	case e.State != "" && e.State != expired && e.State != t.word(usual, Effect.shows):
		t.note("it is credited, but not silently: its state is %q", e.State)
	default:
		t.fail("credited silently, although it had expired (%s)", e)
	}
}

// pendingAfterRefused delivers Pending for a payment that was refused, which is
// final.
func pendingAfterRefused(t *trial) {
	r := t.s.roles
	usual, o := t.order(), t.order()
	t.insist(usual.events(r.Pending)...)
	o.happens(r.Waiting, r.Refused, r.Pending)
	t.insist(o.events(r.Waiting, r.Refused)...)
	before, ok := t.effect(o, func(e Effect) bool { return e.Known })
	t.send(o.event(r.Pending, called("after the payment was refused")))
	if !ok {
		return
	}
	t.notCredited(o)
	t.notRevived(o, before, t.word(usual, func(e Effect) bool { return e.Known }))
}

// notRevived fails if a payment that was over goes on as one that is pending.
func (t *trial) notRevived(o *order, before Effect, pending string) {
	after, ok := t.effect(o, anything)
	switch {
	case !ok:
	case pending == "":
		t.noteOnce("the probe tells no state, so only amounts were compared")
	case after.State == pending && before.State != pending:
		t.fail("a payment that was over goes on: before %s, after %s", before, after)
	case after.State != before.State:
		t.note("its state went from %q to %q", before.State, after.State)
	}
}

// contradictedPrevious says in an event that another state was left than the one
// that is known.
func contradictedPrevious(t *trial) {
	r := t.s.roles
	initial := r.Paid.Subject.Initial
	cases := [][]event{}
	for _, from := range []*contract.State{r.Waiting, initial} {
		if from != nil {
			cases = append(cases, []event{t.order().event(r.Paid, previous(from))})
		}
	}
	if r.Pending != nil && t.s.Serves(r.Pending) {
		o := t.order()
		cases = append(cases, []event{o.event(r.Pending, previous(r.Paid)), o.event(r.Paid, moved(eventGap), called("again"))})
	}
	for _, events := range cases {
		o := events[0].o
		t.insist(o.events(r.Pending, r.Paid)...)
		for _, e := range events {
			t.handled(t.send(e))
		}
		t.about(events[0].label+", when it is paid", func() { t.atMostOnce(o) })
	}
}

// paidOutOfTheBlue delivers Paid for a payment that nothing was heard of.
func paidOutOfTheBlue(t *trial) { t.handled(t.send(t.order().event(t.s.roles.Paid))) }

// everyOrder delivers equal payments, each in another order of its events.
func everyOrder(t *trial) {
	states := slices.DeleteFunc(slices.Clone(t.s.Contract.Flow), func(st *contract.State) bool { return !t.served(st) })
	usual := t.order()
	t.insist(usual.events(states...)...)
	var others []*order
	var labels []string
	for permuted := range permutations(states) {
		o := t.order(t.like(usual))
		t.insist(o.events(permuted...)...)
		others, labels = append(others, o), append(labels, "in the order "+listed(permuted))
	}
	t.alike(usual, others, labels)
}

func listed(states []*contract.State) string {
	names := make([]string, len(states))
	for i, st := range states {
		names[i] = st.String()
	}
	return strings.Join(names, ", ")
}

// permutations yields every other order of the states, as new slices.
func permutations(states []*contract.State) iter.Seq[[]*contract.State] {
	at := make([]int, len(states))
	for i := range at {
		at[i] = i
	}
	return func(yield func([]*contract.State) bool) {
		for next(at) {
			out := make([]*contract.State, len(at))
			for i, j := range at {
				out[i] = states[j]
			}
			if !yield(out) {
				return
			}
		}
	}
}

// next turns a permutation into the one that follows it in lexicographic order,
// and reports whether there is one.
func next(at []int) bool {
	i := len(at) - 2
	for i >= 0 && at[i] > at[i+1] {
		i--
	}
	if i < 0 {
		return false
	}
	j := len(at) - 1
	for at[j] < at[i] {
		j--
	}
	at[i], at[j] = at[j], at[i]
	slices.Reverse(at[i+1:])
	return true
}

// olderTimestamp lets the order of the timestamps and that of the deliveries
// differ, as they do in the documented payloads: there the payment is paid before
// its transfer is confirmed.
func olderTimestamp(t *trial) {
	r := t.s.roles
	late := t.order()
	t.insist(late.events(r.Pending, r.Paid)...)
	older := late.event(r.Pending, moved(-time.Minute), called("a minute older, after Paid"))
	t.about(older.label, func() { t.keeps(late, older) })

	again := t.order()
	again.p.Moments[r.Paid] = again.p.Moments[r.Pending] - time.Minute
	t.insist(again.events(r.Pending, r.Paid)...)
	newer := again.event(r.Pending, moved(eventGap), called("again, a minute newer than Paid"))
	t.about(newer.label, func() { t.keeps(again, newer) })

	if !t.served(r.Confirmed) || r.Confirmed == r.Paid {
		return
	}
	last := t.order()
	for i, st := range []*contract.State{r.Paid, r.Pending, r.Seen} {
		if st != nil {
			last.p.Moments[st] -= time.Duration(i+1) * time.Minute
		}
	}
	t.insist(last.events(r.Seen, r.Pending, r.Confirmed, r.Paid)...)
	t.about(r.Paid.String()+", a minute older than "+r.Confirmed.String()+" before it", func() {
		t.once(last)
		t.converged(last)
	})
}

// begun is a new payment of which the endpoint has been told what comes before
// the usual event, as far as it serves that: one that is strict about the order
// refuses an event that comes without those before it, as it may.
func (t *trial) begun(options ...orderOption) *order {
	o := t.order(options...)
	t.insist(o.before()...)
	return o
}

// before are the events that come before the usual one.
func (o *order) before() []event {
	states := []*contract.State{o.t.s.roles.Seen, o.t.s.roles.Pending}
	if i := slices.Index(states, o.t.usual()); i >= 0 {
		states = states[:i]
	}
	return o.events(append(states, o.t.s.alsoNeeded()...)...)
}

// events are those of the states, in that order and each once, as far as the
// contract knows and the endpoint serves them. What must come for a paid payment
// to be credited comes with it.
func (o *order) events(states ...*contract.State) []event {
	if i := slices.Index(states, o.t.s.roles.Paid); i >= 0 {
		states = slices.Insert(slices.Clone(states), i, slices.DeleteFunc(o.t.s.alsoNeeded(), func(st *contract.State) bool { return slices.Contains(states, st) })...)
	}
	var out []event
	for i, st := range states {
		if o.t.served(st) && !slices.Contains(states[:i], st) {
			out = append(out, o.event(st))
		}
	}
	return out
}

// happens puts the moments of states in the given order of time. It comes before
// the payment's events are made.
func (o *order) happens(states ...*contract.State) {
	states = slices.DeleteFunc(states, func(st *contract.State) bool { return st == nil })
	moments := make([]time.Duration, len(states))
	for i, st := range states {
		moments[i] = o.p.Moments[st]
	}
	slices.Sort(moments)
	for i, st := range states {
		o.p.Moments[st] = moments[i]
	}
}

// like gives a payment the facts of another, but for identifiers, customer and
// moments.
func (t *trial) like(other *order) orderOption {
	own := append(t.identifiers(), t.s.roles.Customer)
	return func(p *payment.Options) {
		for _, f := range t.s.Contract.Facts {
			if f.Scope != nil && f.Generate != nil && f.Generate.Kind != contract.Moment && !slices.Contains(own, f) {
				p.Facts[f] = other.p.Fact(f, t.carrier(f))
			}
		}
	}
}

// insist sends events in their order. What is refused comes again after the
// others, as often as the gateway retries. It ends the case where no answer
// comes.
func (t *trial) insist(events ...event) []answer {
	var out []answer
	for round := range 1 + len(t.s.Contract.Delivery.Backoff) {
		var refused []event
		for _, e := range events {
			a := t.send(e)
			t.answered(a)
			out = append(out, a)
			switch {
			case !a.taken(t.s.Contract):
				refused = append(refused, e)
			case round > 0:
				t.noteOnce("some events were refused when they came too early, and accepted when they were delivered again")
			}
		}
		if events = refused; len(events) == 0 {
			break
		}
	}
	return out
}

// answered ends the case where no answer came.
func (t *trial) answered(a answer) {
	t.must(a.Outcome == deliver.Answered, "%s: %s", a.sent, a.came())
}

func (t *trial) handledAll(answers []answer) {
	for _, a := range answers {
		t.handled(a)
	}
}

// noteOnce tells something that need not be told again.
func (t *trial) noteOnce(text string) {
	if !slices.Contains(t.notes, text) {
		t.note("%s", text)
	}
}

// word is the merchant's word for the state of a payment, once it is as wanted.
func (t *trial) word(o *order, wanted func(Effect) bool) string {
	e, _ := t.effect(o, wanted)
	return e.State
}

// endsAs fails unless the merchant has that word for the payment.
func (t *trial) endsAs(o *order, word string) {
	e, ok := t.effect(o, func(e Effect) bool { return e.State == word })
	switch {
	case !ok:
	case word == "":
		t.noteOnce("the probe tells no state, so only amounts were compared")
	case e.State != word:
		t.fail("its state is %q; that of a payment whose events came in order is %q", e.State, word)
	}
}

// alike fails for each payment that had not the effect that another had, which is
// the same payment but for the order of its events. All of them have been
// delivered, so that one that is not alike in time leaves the others none.
func (t *trial) alike(usual *order, others []*order, labels []string) {
	want, ok := t.effect(usual, Effect.shows)
	if !ok {
		return
	}
	if !want.shows() {
		t.believe()
	}
	wanted := func(e Effect) bool { return e.String() == want.String() }
	for i, o := range others {
		got, ok := t.effect(o, wanted)
		if ok && got.String() != want.String() {
			t.fail("%s: %s; in the documented order: %s", labels[i], got, want)
			wanted = anything
		}
	}
}
