package load

import "time"

// result puts together what the recorders hold.
func (e *engine) result() *Result {
	o := e.o
	r := &Result{
		Rate: o.Rate, Ramp: o.Ramp, Duration: o.Duration, Connections: o.Connections, Timeout: o.Timeout,
		Started: e.start, Elapsed: e.elapsed, Interrupted: e.ctx.Err() != nil,
		Series: e.series, Unfinished: e.unfinished.Load(), NextPayment: e.payments.Load(),
	}
	for _, outcome := range o.Mix.Outcomes {
		r.Outcomes = append(r.Outcomes, OutcomeCount{Name: outcome.Name})
	}
	lateness := newHistogram()
	for _, rec := range e.recorders {
		rec.addTo(r)
		lateness.Merge(rec.lateness)
	}
	r.Lateness = latency(lateness)
	e.arrived(r)
	var total tally
	for slot, st := range o.Mix.states {
		var t tally
		for _, rec := range e.recorders {
			t.merge(&rec.states[slot])
		}
		total.merge(&t)
		r.States = append(r.States, StateStats{st, t.stats(e.elapsed)})
	}
	r.Total = total.stats(e.elapsed)
	return r
}

// arrived compares what was due with what was sent.
func (e *engine) arrived(r *Result) {
	sent := e.sent.Load()
	if r.Rate.Max {
		r.Due, r.Behind, r.Queued = sent, 0, 0
		return
	}
	until := e.elapsed
	if at := e.ended.Load(); at != nil { // the last worker may have ended later
		until = min(until, at.Sub(e.start))
	}
	r.Due = e.schedule.Due(min(until, e.o.Duration))
	r.Behind += r.Due - min(sent, r.Due)
	must := r.Due
	if r.Interrupted {
		must = e.schedule.Due(min(until-e.o.Timeout, e.o.Duration))
	}
	r.Unsent = must - min(sent, must)
}

func (r *recorder) addTo(out *Result) {
	for i, p := range r.payment {
		out.Outcomes[i].Opened += p.Opened
		out.Outcomes[i].Finished += p.Finished
	}
	out.Behind += r.behind
	out.Queued += r.queued
	out.Late += r.late
	out.Duplicates += r.duplicates
	out.Disordered += r.disordered
}

func (t *tally) merge(from *tally) {
	t.count += from.count
	t.sent += from.sent
	t.received += from.received
	for _, e := range from.errors {
		t.errors = merge(t.errors, e)
	}
	if from.latency == nil {
		return
	}
	if t.latency == nil {
		t.latency = newHistogram()
	}
	t.latency.Merge(from.latency)
}

func (t *tally) stats(elapsed time.Duration) Stats {
	s := Stats{Count: t.count, Sent: t.sent, Received: t.received, Errors: t.errors}
	sortErrors(s.Errors)
	if elapsed > 0 {
		s.Rate = float64(t.count) / elapsed.Seconds()
	}
	if t.latency != nil {
		s.Latency = latency(t.latency)
	}
	return s
}
