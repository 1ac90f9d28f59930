// Package compat says how two contracts differ, and whom that breaks. A receiver is
// broken by a contract under which it gets what the old one did not allow; a sender
// by one that forbids, or no longer suffices for, what it does.
package compat

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// Breaks says whom a change breaks.
type Breaks struct{ Receivers, Senders bool }

// Any reports whether it breaks anybody.
func (b Breaks) Any() bool { return b.Receivers || b.Senders }

// String names those who are broken: "receivers, senders", or "nobody".
func (b Breaks) String() string {
	switch {
	case b.Receivers && b.Senders:
		return "receivers, senders"
	case b.Receivers:
		return "receivers"
	case b.Senders:
		return "senders"
	}
	return "nobody"
}

// Change is one difference.
type Change struct {
	// About is what changed: a state, a fact, or a part of the contract.
	About string
	// Pointer is where in its payload; empty where it is no member.
	Pointer jsondoc.Pointer
	// Message says what changed, Why what that means for whom it breaks.
	Message, Why string
	Breaks       Breaks
}

func receivers() Breaks { return Breaks{Receivers: true} }
func senders() Breaks   { return Breaks{Senders: true} }
func both() Breaks      { return Breaks{true, true} }
func nobody() Breaks    { return Breaks{} }

// Compare lists what changed from one contract to another: first the whole, then
// state by state, then the facts.
func Compare(before, after *contract.Contract) []Change {
	d := &differ{}
	d.envelope(before.Envelope, after.Envelope)
	d.signature(before.Signature, after.Signature)
	d.delivery(before.Delivery, after.Delivery)
	d.answers(before, after)
	d.subjects(before, after)
	d.facts(before, after)
	return d.changes
}

type differ struct{ changes []Change }

func (d *differ) tell(b Breaks, about string, at jsondoc.Pointer, message, why string) {
	d.changes = append(d.changes, Change{About: about, Pointer: at, Message: message, Why: why, Breaks: b})
}

// changed tells of a value that is another one.
func (d *differ) changed(b Breaks, about, what, before, after, why string) {
	if before != after {
		d.tell(b, about, nil, fmt.Sprintf("%s was %s, and is %s", what, before, after), why)
	}
}

func (d *differ) envelope(before, after contract.Envelope) {
	const why = "events are recognised at another place"
	d.changed(both(), "envelope", "the event's name", before.Event.String(), after.Event.String(), why)
	d.changed(both(), "envelope", "the state", before.State.String(), after.State.String(), why)
	d.changed(both(), "envelope", "the state left", before.PreviousState.String(), after.PreviousState.String(), why)
}

func (d *differ) signature(before, after *contract.Signature) {
	const about = "signature"
	switch {
	case before == nil && after == nil:
	case before == nil:
		d.tell(senders(), about, nil, "deliveries are signed now, in "+after.Header, "a sender must sign; a receiver should verify")
	case after == nil:
		d.tell(receivers(), about, nil, "deliveries are no longer signed", "a receiver that verifies refuses them")
	case before.Scheme != after.Scheme:
		d.tell(both(), about, nil, fmt.Sprintf("the scheme was %s, and is %s", scheme(before), scheme(after)), "what one side signs the other cannot verify")
	}
}

// scheme tells of a header how its value is made.
func scheme(s *contract.Signature) string {
	headers := s.Scheme.Recipe().Headers
	return s.Scheme.Name + " (" + headers[len(headers)-1].Value + ")"
}

func (d *differ) delivery(before, after contract.Delivery) {
	const about = "delivery"
	for _, s := range before.Success {
		if !slices.Contains(after.Success, s) {
			d.tell(receivers(), about, nil, fmt.Sprintf("the answer %d no longer counts as success", s), "a receiver that answers so gets every event again")
		}
	}
	for _, s := range after.Success {
		if !slices.Contains(before.Success, s) {
			d.tell(senders(), about, nil, fmt.Sprintf("the answer %d counts as success, too", s), "a sender must take it for one")
		}
	}
	switch was, is := before.Timeout, after.Timeout; {
	case is < was:
		d.changed(receivers(), about, "the time to answer", was.String(), is.String(), "a receiver has less time")
	case is > was:
		d.changed(senders(), about, "the time to answer", was.String(), is.String(), "a sender must wait longer")
	}
	d.changed(both(), about, "the schedule of retries", waits(before.Backoff), waits(after.Backoff), "deliveries are retried more or less often than either side expects, or at other times")
}

func waits(all []time.Duration) string {
	if len(all) == 0 {
		return "none"
	}
	words := make([]string, len(all))
	for i, w := range all {
		words[i] = w.String()
	}
	return "after " + strings.Join(words, ", ")
}

func (d *differ) answers(before, after *contract.Contract) {
	was := map[string]contract.Answer{}
	for _, a := range before.AllAnswers() {
		was[a.Name] = a.Answer
	}
	for _, a := range after.AllAnswers() {
		old, known := was[a.Name]
		if !known {
			continue // with the signature, or the documents name one more
		}
		about := "answer " + a.Name
		d.changed(receivers(), about, "the status", fmt.Sprint(old.Status), fmt.Sprint(a.Answer.Status), "a receiver must answer otherwise")
		d.changed(nobody(), about, "the body", written(old.Body), written(a.Answer.Body), "")
	}
}

func written(v jsondoc.Value) string { return string(v.AppendCanonical(nil)) }
