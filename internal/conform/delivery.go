package conform

import (
	"mime"
	"net/url"
	"time"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
)

func deliveryCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"D01": documentedSample,
		"D02": documentedFlow,
		"D03": abandonedDelivery,
		"D04": overlappingRetry,
		"D05": exactStatus,
		"D06": manyInSequence,
		"D07": answersAsDocumented,
	}
}

// documentedSample sends the documented payload of a paid payment.
func documentedSample(t *trial) {
	r := t.s.roles
	o := t.begun(t.asDocumented(r.Paid))
	a := t.send(o.event(r.Paid, called("the documented sample")))
	t.delivered(a)
	t.inTime(a)
	t.once(o)
}

// documentedFlow sends the events of a paid payment in the documented order.
func documentedFlow(t *trial) {
	o := t.order()
	for _, e := range o.flow() {
		t.delivered(t.send(e))
	}
	t.once(o)
}

// delivered fails unless the gateway takes the answer for a success: after any
// other, 2xx or not, it delivers again and then gives up.
func (t *trial) delivered(a answer) {
	d := t.s.Contract.Delivery
	switch {
	case a.success(t.s.Contract):
	case a.taken(t.s.Contract):
		t.fail("%s: %s; the gateway takes only %s for delivered (%s)", a.sent, a.came(), either(d.Success), d.Source)
	default:
		t.fail("%s: %s; it must be accepted", a.sent, a.came())
	}
}

// abandonedDelivery sends whole requests and hangs up, then retries as often as
// the gateway does: at once, or when the first attempt has been worked on.
func abandonedDelivery(t *trial) {
	for _, v := range []struct {
		label string
		wait  time.Duration
	}{
		{"retried at once", 0},
		{"retried a moment later", max(minQuiet, t.s.learned.quiet)},
	} {
		o := t.begun()
		e := o.event(t.s.roles.Paid)
		t.abandon(e)
		if t.s.Wait(t.ctx, v.wait) != nil {
			t.stop()
		}
		for range t.s.Contract.Delivery.Backoff {
			if t.retry(o.event(t.s.roles.Paid, called("the retry"))).Outcome != deliver.Answered {
				break
			}
		}
		t.about(v.label, func() { t.once(o) })
	}
}

// abandon delivers an event and closes the connection without reading.
func (t *trial) abandon(e event) {
	w := t.opened(e)
	w.write(t.bytes(w.u, e.request()))
	w.close()
	t.record(e.label+", hung up before the answer", unanswered(e.label))
}

// retry sends an event, of which another attempt may still be worked on: which of
// them is told that it is the first is a matter of time, and is not recorded.
func (t *trial) retry(e event) answer {
	a := t.exchange(e.request())
	a.Body = nil
	t.record(e.label, a)
	return a
}

// attempt is a connection to where an event goes.
type attempt struct {
	*wire
	u *url.URL
}

// opened dials where an event goes; without a connection the case proves nothing.
func (t *trial) opened(e event) attempt {
	w, u := t.dialState(e.state)
	if w.conn == nil {
		t.cannotTell("%s: no connection of its own could be opened", e.label)
		t.stop()
	}
	return attempt{w, u}
}

// overlapRounds is how often a retry overlaps its first attempt.
const overlapRounds = 3

// overlappingRetry sends a retry while the first attempt is not answered yet.
func overlappingRetry(t *trial) {
	t.racy = true
	for range overlapRounds {
		o := t.begun()
		e := o.event(t.s.roles.Paid)
		if t.overlap(e) {
			t.send(o.event(t.s.roles.Paid, called("the retry after the time limit")))
			_ = t.s.Wait(t.ctx, t.s.Timeout) // what is late takes effect
		}
		if t.once(o); len(t.problems) > 0 {
			return // whether the next ones are found is a matter of chance
		}
	}
}

// overlap sends an event twice, the second time before the first is answered,
// and reports whether an attempt was not answered in time.
func (t *trial) overlap(e event) (late bool) {
	first, second := t.opened(e), t.opened(e)
	raw := t.bytes(first.u, e.request())
	first.write(raw)
	second.write(raw)
	wires := []*wire{first.wire, second.wire}
	answers := make([]answer, len(wires))
	t.parallel(len(wires), func(i int) {
		answers[i] = answer{wires[i].answer(e.request().method()), e.label + ", while another attempt is open"}
		wires[i].close()
	})
	t.recordAlike(answers)
	for _, a := range answers {
		late = late || a.Outcome == deliver.TimedOut
	}
	return late
}

// exactStatus looks at the status of every answer in the documented flow.
func exactStatus(t *trial) {
	for _, e := range t.order().flow() {
		switch a := t.send(e); {
		case a.success(t.s.Contract):
		case a.taken(t.s.Contract):
			t.note("%s: %s; the gateway takes only %s for delivered", a.sent, a.came(), either(t.s.Contract.Delivery.Success))
		default:
			t.fail("%s: %s; expected %s", a.sent, a.came(), either(t.s.Contract.Delivery.Success))
		}
	}
}

// sequenceSize is how many valid events manyInSequence sends.
const sequenceSize = 100

// manyInSequence sends events of many payments, each of which must be answered
// in time.
func manyInSequence(t *trial) {
	for n := 0; n < sequenceSize; {
		for _, e := range t.order().flow() {
			t.inTime(t.send(e))
			if n++; n == sequenceSize {
				return
			}
		}
	}
}

// inTime ends the case unless the answer came within the documented limit.
func (t *trial) inTime(a answer) {
	limit := t.s.Contract.Delivery.Timeout
	t.answered(a)
	t.must(a.Latency <= limit, "%s: answered, but not within %s", a.sent, limit)
}

// answersAsDocumented looks at the form of every answer in the documented flow.
func answersAsDocumented(t *trial) {
	for _, e := range t.order().flow() {
		a := t.send(e)
		if problem := t.malformed(a); problem != "" {
			t.fail("%s: %s; %s", a.sent, a.came(), problem)
		}
	}
}

// malformed says what an answer lacks of the form of the documented one.
func (t *trial) malformed(a answer) string {
	if a.Outcome != deliver.Answered {
		return "it must be answered"
	}
	media, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	if err != nil || media != "application/json" {
		return "its Content-Type is not application/json"
	}
	doc, err := jsondoc.Parse(a.Body)
	if err != nil {
		return "its body is no JSON"
	}
	for _, m := range t.s.Contract.Answers.OK.Body.Members {
		if v := doc.Member(m.Name); v == nil || v.Kind != m.Value.Kind {
			return "its body has no member " + m.Name + " that is a " + m.Value.Kind.String()
		}
	}
	return ""
}
