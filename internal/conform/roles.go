package conform

import (
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// creditsByTransfer reports whether an endpoint that is not told when a payment
// is paid has credited it all the same, with what was received: by its transfer.
func (t *trial) creditsByTransfer(o *order, e Effect) bool {
	r := t.s.Contract.Roles
	if t.served(r.Paid) || !t.served(r.Confirmed) || !e.shows() {
		return false
	}
	received, ok := o.amount(r.Received)
	return ok && (e.Credited == nil || received.Cmp(*e.Credited) == 0)
}

// transferRoles are the roles where a transfer stands for the payment that it
// makes. Texts that no event tells which the endpoint serves have none.
func (s *session) transferRoles() *contract.Roles {
	r := *s.Contract.Roles
	r.Pending, r.Paid, r.Failed = r.Seen, r.Confirmed, r.Dropped
	r.Waiting, r.Expired, r.Refused = nil, nil, nil
	r.Price, r.Reason = r.Received, r.DropReason
	r.Cash, r.CashAsset = nil, nil
	for _, f := range []**contract.Fact{&r.Title, &r.CustomerName, &r.Output} {
		if *f != nil && !slices.ContainsFunc(s.Contract.States(), func(st *contract.State) bool { return s.Serves(st) && st.Carries((*f).Name) == *f }) {
			*f = nil
		}
	}
	return &r
}

// wholeCases are those that send all events of a payment also where transfers
// alone credit it: what the others do must not credit or refund it again.
func wholeCases() []string { return []string{"D02", "I07", "M10", "O04", "O12"} }

// wholeFor reports whether a case sends what the others leave out.
func (s *session) wholeFor(spec *Case) bool {
	return s.whole != nil && slices.Contains(wholeCases(), spec.ID)
}

// told are the roles by which a case sends events: the contract's own where it
// sends all of them.
func (s *session) told(spec *Case) *contract.Roles {
	if s.wholeFor(spec) {
		return s.Contract.Roles
	}
	return s.roles
}

// payer are the facts by which an endpoint may tell which payment is meant.
func (t *trial) payer() []*contract.Fact {
	if id := t.s.roles.Paid.Subject.ID; id == t.s.Contract.Roles.Paid.Subject.ID {
		return []*contract.Fact{id}
	}
	return t.identifiers()
}

// bearing is the usual state, or else one that is served and whose event tells a
// fact.
func (t *trial) bearing(f *contract.Fact) *contract.State {
	states := append([]*contract.State{t.usual()}, append(slices.Clone(t.s.Contract.Flow), t.s.Contract.States()...)...)
	i := slices.IndexFunc(states, func(st *contract.State) bool { return t.s.Serves(st) && st.Carries(f.Name) == f })
	return states[max(i, 0)]
}
