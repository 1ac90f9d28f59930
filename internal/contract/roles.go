package contract

// Roles say what a merchant's endpoint does in which state, and which facts say
// how much and for whom. A role that the gateway does not know is nil.
type Roles struct {
	// Waiting is a payment held back, Pending one whose transfer has been seen.
	Waiting, Pending *State
	// Paid is where the merchant credits.
	Paid *State
	// Failed ends a payment whose transfer was wrong, and is where the merchant
	// gives back what was received; Expired ends one that nobody paid, Refused one
	// that was waiting.
	Failed, Expired, Refused *State
	// Seen, Confirmed and Dropped are the states of the transfer itself.
	Seen, Confirmed, Dropped *State

	// Price and Cash are what the customer owes, in the asset that is transferred
	// and in the merchant's own; Received is what was transferred.
	Price, Cash, Received *Fact
	// Asset and CashAsset identify the assets of Price and Cash.
	Asset, CashAsset *Fact
	// Hash identifies a transfer where it happened, Output one of several in it.
	Hash, Output *Fact
	// Customer identifies the merchant's customer.
	Customer, CustomerName, Title *Fact
	// Reason says why a payment failed, DropReason why a transfer did.
	Reason, DropReason *Fact
	// Moment is when an event happened.
	Moment *Fact
	// Mismatch is the Reason of a payment whose transfer had another amount than
	// its Price.
	Mismatch string
}

// States lists the states' roles by name; those the gateway does not know are
// nil.
func (r *Roles) States() map[string]*State {
	out := map[string]*State{}
	for name, st := range r.states() {
		out[name] = *st
	}
	return out
}

func (r *Roles) states() map[string]**State {
	return map[string]**State{
		"waiting": &r.Waiting, "pending": &r.Pending, "paid": &r.Paid, "failed": &r.Failed, "expired": &r.Expired,
		"refused": &r.Refused, "seen": &r.Seen, "confirmed": &r.Confirmed, "dropped": &r.Dropped,
	}
}

func (r *Roles) facts() map[string]**Fact {
	return map[string]**Fact{
		"price": &r.Price, "cash": &r.Cash, "received": &r.Received, "asset": &r.Asset, "cashAsset": &r.CashAsset,
		"hash": &r.Hash, "output": &r.Output, "customer": &r.Customer, "customerName": &r.CustomerName,
		"title": &r.Title, "reason": &r.Reason, "dropReason": &r.DropReason, "moment": &r.Moment,
	}
}

func (l *loader) roles() {
	n := l.root.child("roles")
	if !n.exists() || !n.object("states", "facts", "mismatch") {
		return
	}
	r := &Roles{Mismatch: n.child("mismatch").optionalText()}
	states, facts := r.states(), r.facts()
	for _, m := range n.child("states").members() {
		if to := states[m.name]; to != nil {
			*to = l.stateRef(m)
			continue
		}
		m.fail("is no role of a state")
	}
	for _, m := range n.child("facts").members() {
		if to := facts[m.name]; to != nil {
			*to = l.fact(m)
			continue
		}
		m.fail("is no role of a fact")
	}
	if l.err == nil && (r.Paid == nil || r.Price == nil) {
		n.fail("names no state that is paid, or no fact that is the price: without them no role means anything")
	}
	l.c.Roles = r
}
