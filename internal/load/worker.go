package load

import (
	"context"
	"slices"
	"time"
)

const (
	// listenFrom is from which wait on a connection is listened to, and lead how
	// long before its end that ends: time enough to dial another near by.
	listenFrom = 5 * time.Millisecond
	lead       = 3 * time.Millisecond
	// redialPause keeps the closed model from doing nothing but dialling.
	redialPause = 100 * time.Millisecond
	// dialAhead is how long before it is needed a connection is dialled again, and
	// predials how often at most.
	dialAhead = 250 * time.Millisecond
	predials  = 2
)

// worker sends requests over one connection, one at a time.
type worker struct {
	run      *engine
	number   int
	link     *link
	supply   *supply
	recorder *recorder
	timer    *time.Timer
	last     time.Duration // when its last request ended
}

func (w *worker) work() {
	w.timer = time.NewTimer(0)
	defer w.timer.Stop()
	if o := w.run.o; o.Rate.Max {
		w.last = o.Ramp * time.Duration(w.number) / time.Duration(o.Connections)
		if _, ok := w.await(w.last); !ok {
			return
		}
	}
	for w.step() {
		continue
	}
}

// step has one turn; it returns false after the last.
func (w *worker) step() bool {
	at, ok := w.turn()
	if !ok {
		return false
	}
	var s sample
	if !w.run.o.Rate.Max {
		if s.waited, ok = w.await(at); !ok {
			return false
		}
	}
	e, request, err := w.supply.next()
	if err != nil {
		w.run.cancel(err)
		return false
	}
	s.slot = e.of().slot
	if !w.exchange(at, request, &s) {
		return false
	}
	w.recorder.add(e, &s)
	if s.failed && s.kind == Connect && w.run.o.Rate.Max {
		w.pause(redialPause)
	}
	return true
}

// turn takes the next arrival and says when it is to start.
func (w *worker) turn() (at time.Duration, ok bool) {
	o := w.run.o
	if o.Rate.Max {
		return w.last, w.last < o.Duration && w.run.ctx.Err() == nil
	}
	at = w.run.schedule.At(w.run.arrivals.Add(1) - 1)
	return at, at < o.Duration && w.last < o.Duration+o.Timeout
}

// await waits until an arrival is to start; waited is false where that was past
// already, or was by the time there was a connection, and ok when the run was
// interrupted. Servers may close idle connections: here that is noticed, and no
// request is lost by it.
func (w *worker) await(at time.Duration) (waited, ok bool) {
	for dials := 0; ; {
		now := w.run.o.Now()
		left := at - now.Sub(w.run.start)
		if stopped := w.run.ctx.Err() != nil; stopped || left <= 0 {
			return waited, !stopped
		}
		connected := w.link.conn != nil
		switch waited = true; {
		case !connected && dials < predials && left <= dialAhead:
			dials++
			waited = false
			_ = w.link.open(w.run.ctx) // or else when it is needed
		case !connected && dials < predials:
			w.pause(left - dialAhead)
		case connected && left > listenFrom:
			w.link.listen(now.Add(left - lead))
		default:
			w.pause(left)
		}
	}
}

func (w *worker) pause(d time.Duration) {
	w.timer.Reset(d)
	select {
	case <-w.timer.C:
	case <-w.run.ctx.Done():
	}
}

// exchange sends a request that was to start at a time, and reads the answer. It
// returns false when the run was ended meanwhile.
func (w *worker) exchange(at time.Duration, request []byte, s *sample) bool {
	now := w.run.since()
	at = w.started(at, now, s)
	before := w.link.answers.got
	err := w.connected(&now, s)
	if err == nil {
		s.sent = uint64(len(request))
		s.status, err = w.link.exchange(w.run.start, now, request)
	}
	w.last = w.run.since()
	s.latency, s.received = w.last-at, w.link.answers.got-before
	if err != nil && w.run.ctx.Err() != nil {
		w.run.unfinished.Add(1)
		return false
	}
	w.judge(w.last-now, s, err)
	return true
}

// started notes how late a request is, and returns from when its latency counts.
// The clock that was waited by oversleeps, and making a request takes time:
// neither is the endpoint's.
func (w *worker) started(at, began time.Duration, s *sample) time.Duration {
	w.run.sent.Add(1)
	if w.run.o.Rate.Max {
		return began
	}
	s.late, s.behind = began-at, began >= w.run.o.Duration
	if s.waited {
		return began
	}
	return at
}

// connected makes sure of a connection; now moves on by what that takes.
func (w *worker) connected(now *time.Duration, s *sample) error {
	if w.link.conn != nil {
		return nil
	}
	err := w.link.open(w.run.ctx)
	*now = w.run.since()
	if err != nil {
		s.failed, s.kind = true, Connect
	}
	return err
}

// judge says how a request ended that took so long.
func (w *worker) judge(took time.Duration, s *sample, err error) {
	o := w.run.o
	switch {
	case s.failed:
	case err != nil:
		s.failed, s.kind = true, kindOf(err)
	case took > o.Timeout:
		s.failed, s.kind, err = true, Timeout, context.DeadlineExceeded
	case !slices.Contains(o.Contract.Delivery.Success, s.status):
		s.failed, s.kind = true, Status
		return
	}
	s.status, s.err = 0, err
}
