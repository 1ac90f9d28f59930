package conform

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
)

// usual is the state whose event stands for any other: what the endpoint does
// with it can be seen, if it takes it at all.
func (t *trial) usual() *contract.State {
	states := append([]*contract.State{t.s.roles.Paid}, append(slices.Clone(t.s.Contract.Flow), t.s.Contract.States()...)...)
	i := slices.IndexFunc(states, t.s.Serves)
	if i < 0 {
		panic(stopCase{"the endpoint serves no event of the contract"})
	}
	return states[i]
}

// taken fails unless the delivery of a usual event was accepted, and credited
// once where that can be seen.
func (t *trial) taken(o *order, a answer) {
	if t.accepted(a) && t.s.Probe != nil && t.usual() == t.s.roles.Paid {
		t.about(a.sent, func() { t.once(o) })
	}
}

// takenOr is taken, but allows refusals, too.
func (t *trial) takenOr(o *order, a answer, statuses ...int) {
	if a.success(t.s.Contract) {
		t.taken(o, a)
		return
	}
	t.turnedAway(a, append(slices.Clone(t.s.Contract.Delivery.Success), statuses...)...)
}

// turnedAway fails unless the delivery was refused. A client error that is not
// one of the statuses is told only: it leaves no effect either.
func (t *trial) turnedAway(a answer, statuses ...int) {
	if a.Outcome == deliver.Answered && a.Status/100 == 4 && !slices.Contains(statuses, a.Status) {
		t.note("%s: refused, but with %d; expected %s", a.sent, a.Status, either(statuses))
		return
	}
	t.refused(a, statuses...)
}

// answeredAs fails unless the answer has the documented status. Another body is
// told only: the gateway goes by the status.
func (t *trial) answeredAs(a answer, want contract.Answer) {
	if !t.refused(a, want.Status) {
		return
	}
	got, err := jsondoc.Parse(a.Body)
	for _, m := range want.Body.Members {
		if v := got.Member(m.Name); err != nil || v == nil || !jsondoc.Equal(*v, m.Value) {
			t.note("%s: the body is not the documented %s", a.sent, want.Body.AppendCanonical(nil))
			return
		}
	}
}
