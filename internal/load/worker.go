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
	flight   flight
}

// flight is a request from its turn on.
type flight struct {
	event   *event
	request []byte
	at      time.Duration // from when its latency counts
	began   time.Duration
	before  uint64 // bytes that had come
	sample
}

func (w *worker) work() {
	w.timer = time.NewTimer(0)
	defer w.timer.Stop()
	if o := w.run.o; o.Rate.Max {
		w.last = o.Ramp * time.Duration(w.number) / time.Duration(o.Connections)
		if _, ok := w.await(w.last); !ok {
			return
		}
		if !w.run.pollers.carry(w) {
			return
		}
	}
	for w.step() {
		continue
	}
}

// step has one turn; it returns false after the last.
func (w *worker) step() bool {
	if !w.ready() {
		return false
	}
	w.begin()
	err := w.connected()
	if f := &w.flight; err == nil {
		f.status, err = w.link.exchange(w.run.start, f.began, f.request)
	}
	if !w.end(err) {
		return false
	}
	if w.flight.failed && w.flight.kind == Connect && w.run.o.Rate.Max {
		w.pause(redialPause)
	}
	return true
}

// ready takes the next turn and waits until it is to start; it returns false after
// the last.
func (w *worker) ready() bool {
	at, ok := w.turn()
	if !ok {
		return false
	}
	w.flight = flight{at: at}
	f := &w.flight
	if !w.run.o.Rate.Max {
		if f.waited, ok = w.await(at); !ok {
			return false
		}
	}
	var err error
	if f.event, f.request, err = w.supply.next(); err != nil {
		w.run.cancel(err)
		return false
	}
	f.slot = f.event.of().slot
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

// begin has the request start now.
func (w *worker) begin() {
	w.flight.before = w.link.answers.got
	w.started(w.run.since())
}

// started notes when the request starts, and how late that is. The clock that was
// waited by oversleeps, and making a request takes time: neither is the endpoint's.
func (w *worker) started(now time.Duration) {
	f := &w.flight
	w.run.sent.Add(1)
	f.began = now
	if w.run.o.Rate.Max {
		f.at = now
		return
	}
	f.late, f.behind = now-f.at, now >= w.run.o.Duration
	if f.waited {
		f.at = now
	}
}

// connected makes sure of a connection; the request begins when there is one.
func (w *worker) connected() error {
	f := &w.flight
	if w.link.conn == nil {
		err := w.link.open(w.run.ctx)
		f.began = w.run.since()
		if err != nil {
			f.failed, f.kind = true, Connect
			return err
		}
	}
	f.sent = uint64(len(f.request))
	return nil
}

// end notes how the request ended. It returns false when the run was ended
// meanwhile.
func (w *worker) end(err error) bool {
	f := &w.flight
	w.last = w.run.since()
	f.latency, f.received = w.last-f.at, w.link.answers.got-f.before
	if err != nil && w.run.ctx.Err() != nil {
		w.run.unfinished.Add(1)
		return false
	}
	w.judge(w.last-f.began, &f.sample, err)
	w.recorder.add(f.event, &f.sample)
	return true
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
