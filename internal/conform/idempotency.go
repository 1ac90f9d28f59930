package conform

import (
	"slices"
	"sort"
	"sync/atomic"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

func idempotencyCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"I01": duplicateBytes,
		"I02": concurrentDuplicates,
		"I03": restampedDuplicate,
		"I04": renamedTransfer,
		"I05": otherHash,
		"I06": sharedHash,
		"I07": bothReported,
		"I08": changedAmount,
		"I09": duplicateAfterRestart,
		"I10": duplicateAfterMany,
		"I11": retryAfterFailure,
		"I12": rewrittenDuplicate,
	}
}

// duplicateBytes sends the same bytes twice.
func duplicateBytes(t *trial) {
	o := t.begun()
	t.accepted(t.send(o.event(t.s.roles.Paid)))
	t.accepted(t.send(o.event(t.s.roles.Paid, called("the same bytes again"))))
	t.once(o)
}

// racePairs is how many pairs of equal deliveries arrive at the same moment, in each
// of raceRounds rounds.
const (
	racePairs  = 10
	raceRounds = 3
)

// concurrentDuplicates sends equal deliveries whose last bytes leave together.
func concurrentDuplicates(t *trial) {
	t.racy = true
	for range raceRounds {
		o := t.begun()
		answers := t.together(o.event(t.s.roles.Paid), racePairs)
		if !slices.ContainsFunc(answers, func(a answer) bool { return a.Outcome == deliver.Answered }) {
			t.answered(answers[0])
		}
		if t.once(o); len(t.problems) > 0 {
			return // whether the next ones are found is a matter of chance
		}
	}
}

// together sends an event over n connections; the last byte of each is held back
// until all others are sent (last-byte synchronisation). Right behind it comes the
// event once more: an endpoint with a single thread reads both at once, however a
// busy machine spreads the last bytes of the connections.
func (t *trial) together(e event, n int) []answer {
	r := e.request()
	wires, releases := make([]*wire, n), make([][]byte, n)
	for i := range wires {
		w := t.opened(e)
		raw := t.bytes(w.u, r)
		last := len(raw) - 1
		w.write(raw[:last])
		wires[i], releases[i] = w.wire, slices.Concat(raw[last:], raw)
	}
	for i, w := range wires {
		w.write(releases[i])
	}
	answers := make([][]answer, len(wires))
	t.parallel(len(wires), func(i int) {
		label := r.Label + ", at the same moment"
		answers[i] = append(answers[i], answer{wires[i].answer(r.method()), label})
		if answers[i][0].Outcome == deliver.Answered && !wires[i].last {
			answers[i] = append(answers[i], answer{wires[i].answer(r.method()), label})
		}
		wires[i].close()
	})
	all := slices.Concat(answers...)
	t.recordAlike(all)
	return all
}

// recordAlike records the answers to equal deliveries without what tells which of
// them was the first, or how many were taken for it: that is a matter of chance.
func (t *trial) recordAlike(answers []answer) {
	answers = slices.Clone(answers)
	sort.SliceStable(answers, func(i, j int) bool { return answers[i].Status < answers[j].Status })
	for _, a := range answers {
		a.Body = nil
		t.record(a.sent, a)
	}
}

// restampedDuplicate sends an event again with other timestamps.
func restampedDuplicate(t *trial) {
	if t.s.roles.Moment == nil {
		t.skip("the contract names no fact that is an event's moment")
	}
	o := t.begun()
	for _, e := range []event{
		o.event(t.s.roles.Paid),
		o.event(t.s.roles.Paid, moved(eventGap), called("stamped anew")),
		o.event(t.s.roles.Paid, moved(-eventGap), called("stamped earlier")),
	} {
		t.answered(t.send(e))
	}
	t.once(o)
}

// renamedTransfer reports a transfer again under another identifier.
func renamedTransfer(t *trial) {
	r := t.s.roles
	for _, st := range t.transferEvents() {
		o := t.order()
		t.insist(o.events(r.Seen, r.Pending, r.Confirmed, r.Paid)...)
		again := o.event(st, t.otherTransfer(t.transferID()), called("the same hash under a new id"))
		t.answered(t.send(again))
		t.about(again.label, func() { t.once(o) })
	}
}

// otherHash reports a transfer again with another hash.
func otherHash(t *trial) {
	r := t.s.roles
	for _, st := range t.transferEvents() {
		o := t.order()
		t.insist(o.events(r.Seen, r.Pending, r.Confirmed, r.Paid)...)
		again := o.event(st, t.otherTransfer(r.Hash), called("the same id with another hash"))
		a := t.send(again)
		if t.handled(a) && a.Status < 400 {
			t.note("%s: %s; whether it was flagged cannot be seen", a.sent, a.came())
		}
		t.about(again.label, func() { t.atMostOnce(o) })
	}
}

// transferEvents are the states whose events tell a transfer's identifier and
// hash, as far as they may credit.
func (t *trial) transferEvents() []*contract.State {
	r := t.s.roles
	if r.Hash == nil || t.transferID() == nil {
		t.skip("the contract tells no identifier of a transfer, or no hash")
	}
	return slices.DeleteFunc(slices.Compact([]*contract.State{r.Paid, r.Confirmed}), func(st *contract.State) bool {
		return st == nil || !t.s.Serves(st) || st.Carries(r.Hash.Name) == nil || st.Carries(t.transferID().Name) == nil
	})
}

// transferID is the fact that identifies a transfer at the gateway, or nil.
func (t *trial) transferID() *contract.Fact {
	r := t.s.roles
	for _, st := range []*contract.State{r.Confirmed, r.Seen, r.Dropped} {
		if st != nil {
			return st.Subject.ID
		}
	}
	return nil
}

// otherTransfer gives a fact of a transfer the value that it has in another
// payment.
func (t *trial) otherTransfer(f *contract.Fact) edit {
	return set(f, t.order().p.Fact(f, t.carrier(f)))
}

// sharedHash pays two payments by two outputs of one transfer on the chain.
func sharedHash(t *trial) {
	r := t.s.roles
	if r.Hash == nil || r.Output == nil {
		t.skip("the contract tells no hash of a transfer, or not which output of it is meant")
	}
	first := t.order()
	output := first.p.Fact(r.Output, t.carrier(r.Output)).Text
	second := t.order(t.sameChainTransfer(first), withText(r.Output, following(output)))
	for _, o := range []*order{first, second} {
		t.insist(o.events(r.Seen, r.Pending, r.Confirmed, r.Paid)...)
	}
	t.about("the payment by the first output", func() { t.once(first) })
	t.about("the payment by the second output", func() { t.once(second) })
}

// following is the name of the output after the given one: 1/1 after 1/0.
func following(output string) string {
	last := len(output) - 1
	if last < 0 || output[last] < '0' || output[last] > '8' {
		return output + "1"
	}
	return output[:last] + string(output[last]+1)
}

// sameChainTransfer gives a payment what is true of another's transfer on the
// chain, but not its identifier, amount and moments.
func (t *trial) sameChainTransfer(other *order) orderOption {
	hash := t.s.roles.Hash
	return func(o *payment.Options) {
		for _, f := range t.s.Contract.Facts {
			plain := f.Generate != nil && f.Generate.Kind != contract.Moment && f.Compare != contract.Decimal
			if f.Scope != nil && f.Scope == hash.Scope && plain && f != t.transferID() {
				o.Facts[f] = other.p.Fact(f, t.carrier(f))
			}
		}
	}
}

// bothReported lets the payment and its transfer both report the end, in either
// order.
func bothReported(t *trial) {
	r := t.s.told(t.spec)
	for _, last := range [][]*contract.State{{r.Paid, r.Confirmed}, {r.Confirmed, r.Paid}} {
		o := t.order()
		t.insist(o.events(r.Seen, r.Pending)...)
		t.insist(o.events(last...)...)
		t.about(listed(last), func() { t.once(o) })
	}
}

// changedAmount reports a paid payment again with twice the amount.
func changedAmount(t *trial) {
	r := t.s.roles
	o := t.begun()
	t.insist(o.events(r.Paid)...)
	a := t.send(o.event(r.Paid, t.doubled(o, r.Price), t.doubled(o, r.Cash), called("with twice the amount")))
	switch {
	case a.refuses():
	case a.taken(t.s.Contract) && t.s.learned.late:
		t.note("%s: %s; it answers before it works, so whether it was refused cannot be seen", a.sent, a.came())
	default:
		t.fail("%s: %s; a contradiction must be refused with 409, 422 or another 4xx", a.sent, a.came())
	}
	t.atMostOnce(o)
}

func (t *trial) doubled(o *order, f *contract.Fact) edit {
	a, ok := o.amount(f)
	if !ok {
		return func(*event) {}
	}
	return set(f, jsondoc.StringValue(a.Add(a).String()))
}

// duplicateAfterRestart sends an event again to an endpoint that was restarted.
func duplicateAfterRestart(t *trial) {
	if t.s.Restart == nil {
		t.skip("nobody can restart the endpoint: give --restart-cmd")
	}
	o := t.begun()
	t.insist(o.events(t.s.roles.Paid)...)
	before, _ := t.effect(o, Effect.shows)
	t.restart()
	if before.shows() {
		t.remembers(o, before)
	}
	t.answered(t.send(o.event(t.s.roles.Paid, called("again, after a restart"))))
	t.once(o)
}

// remembers ends the case if a payment that was credited no longer is. A later one
// that is must show that the probe can be relied on.
func (t *trial) remembers(o *order, before Effect) {
	if !t.caughtUp() {
		t.stop()
	}
	after, ok := t.effect(o, Effect.shows)
	t.must(!ok || after.shows(), "it has forgotten what it credited before it was restarted: before %s, after %s", before, after)
}

// restart restarts the endpoint, and waits until it takes events again.
func (t *trial) restart() {
	if err := t.s.Restart(t.ctx); err != nil {
		t.s.down = true
		t.cannotTell("the endpoint could not be restarted: %v", err)
		t.stop()
	}
	problem := t.alive()
	for range recoverTries {
		if problem == "" || t.s.Wait(t.ctx, t.s.Patience/recoverTries) != nil {
			break
		}
		problem = t.alive()
	}
	t.must(problem == "", "after a restart a valid event is not accepted: %s", problem)
}

// How many events come between an event and its duplicate, from how many senders,
// and how many of them are made at a time.
const (
	crowdSize    = 10_000
	crowdSenders = 20
	crowdBatch   = 500
)

// duplicateAfterMany sends an event again when those of many other payments have
// been taken.
func duplicateAfterMany(t *trial) {
	r := t.s.roles
	o := t.begun()
	t.insist(o.events(r.Paid)...)
	others := r.Paid
	if !t.send(t.order().event(r.Paid)).success(t.s.Contract) && r.Pending != nil && t.s.Serves(r.Pending) {
		others = r.Pending // Paid may be refused for a payment never seen
	}
	for range crowdSize / crowdBatch {
		if bad := t.crowd(others, crowdBatch); bad != nil {
			bad.Body = nil // the identifiers in it are not known to be masked
			t.cannotTell("not all of the other events were accepted: %s", bad.came())
			t.stop()
		}
	}
	t.answered(t.send(o.event(t.s.roles.Paid, called("again, after many others"))))
	t.once(o)
}

// crowd sends that many events of a state, each of a payment of its own, from
// several senders, and returns an answer that is no success. What it sends is
// counted, but not kept.
func (t *trial) crowd(st *contract.State, n int) *answer {
	ids := len(t.ids)
	requests := make([]*request, n)
	for i := range requests {
		requests[i] = t.order().event(st).request()
	}
	t.ids = t.ids[:ids] // or masking would take longer than sending
	var bad atomic.Pointer[answer]
	var sent atomic.Int64
	t.parallel(crowdSenders, func(sender int) {
		for i := sender; i < n && bad.Load() == nil && t.ctx.Err() == nil; i += crowdSenders {
			sent.Add(1)
			if a := t.exchange(requests[i]); !a.success(t.s.Contract) {
				bad.CompareAndSwap(nil, &a)
			}
		}
	})
	t.sent += int(sent.Load())
	return bad.Load()
}

// retryAfterFailure lets the endpoint fail half-way through a delivery, and sends
// the same bytes again.
func retryAfterFailure(t *trial) {
	if t.s.Break == nil {
		t.skip("nobody can make the endpoint fail half-way through a delivery: give --fail-cmd")
	}
	o := t.begun()
	if err := t.s.Break(t.ctx); err != nil {
		t.cannotTell("the endpoint could not be made to fail: %v", err)
		t.stop()
	}
	if a := t.send(o.event(t.s.roles.Paid, called("which must fail half-way"))); a.success(t.s.Contract) {
		t.cannotTell("the delivery that was to fail half-way was accepted")
	}
	t.accepted(t.send(o.event(t.s.roles.Paid, called("the retry after the failure"))))
	t.once(o)
}

// rewrittenDuplicate sends an event again in other bytes that mean the same JSON.
func rewrittenDuplicate(t *trial) {
	plain := func(v jsondoc.Value) []byte { return v.AppendCanonical(nil) }
	spaced := func(v jsondoc.Value) []byte { return append(v.AppendIndent(nil, "\t "), "\r\n"...) }
	for _, v := range []struct {
		label string
		doc   func(jsondoc.Value) jsondoc.Value
		write func(jsondoc.Value) []byte
	}{
		{"its members in another order", backwards, plain},
		{"with white space", func(v jsondoc.Value) jsondoc.Value { return v }, spaced},
		{"its members in another order, with white space", backwards, spaced},
	} {
		o := t.begun()
		t.insist(o.events(t.s.roles.Paid)...)
		e := o.event(t.s.roles.Paid, called(v.label))
		doc := v.doc(*e.doc)
		r := e.request()
		r.Body = v.write(doc)
		if a := t.do(r); a.Status == t.refusal() {
			// Some endpoints verify the signature of what they parsed.
			r.Signed, r.Label = plain(doc), r.Label+", signed without white space"
			t.do(r)
		}
		t.about(v.label, func() { t.once(o) })
	}
}

// refusal is the status that answers a wrong signature, 0 where nothing is signed.
func (t *trial) refusal() int {
	if t.s.Contract.Signature == nil || len(t.s.Secrets) == 0 {
		return 0
	}
	return t.s.Contract.Signature.Answer.Status
}

// backwards is a value with the members of all its objects in reverse order.
func backwards(v jsondoc.Value) jsondoc.Value {
	v = v.Clone()
	slices.Reverse(v.Members)
	for i := range v.Members {
		v.Members[i].Value = backwards(v.Members[i].Value)
	}
	for i := range v.Items {
		v.Items[i] = backwards(v.Items[i])
	}
	return v
}
