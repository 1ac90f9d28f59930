package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/paytest/paytest/internal/deliver"
)

const (
	maxRecorders = 16
	// dialling is how many connections are made at once before a run.
	dialling = 32
)

// engine is a run: workers, one for each connection, that take their turns from a
// common schedule.
type engine struct {
	o         *Options
	ctx       context.Context
	cancel    context.CancelCauseFunc
	at        *url.URL
	schedule  Schedule
	workers   []*worker
	recorders []*recorder
	start     time.Time
	elapsed   time.Duration
	ended     atomic.Pointer[time.Time] // when the run was interrupted
	series    []Point
	makers    *makers
	pollers   *pollers

	arrivals   atomic.Uint64 // that were given to workers
	sent       atomic.Uint64
	unfinished atomic.Uint64
	payments   atomic.Uint64
}

func newEngine(ctx context.Context, o *Options, dial dialer) (*engine, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	heads, at, err := heads(o)
	if err != nil {
		return nil, err
	}
	e := &engine{o: o, at: at, schedule: Schedule{o.Rate.PerSecond, o.Ramp}}
	e.payments.Store(o.FirstPayment)
	for range min(runtime.GOMAXPROCS(0), o.Connections, maxRecorders) {
		e.recorders = append(e.recorders, newRecorder(o.Mix))
	}
	e.makers = &makers{make(chan *requests, len(e.recorders)), func() *requests { return newRequests(o, heads) }}
	q := e.makers.lend()
	if err := q.rehearse(o.Mix); err != nil {
		return nil, err
	}
	e.makers.back(q)
	for i := range o.Connections {
		e.workers = append(e.workers, e.worker(i, dial))
	}
	e.pollers = newPollers(e)
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	return e, nil
}

func (e *engine) worker(i int, dial dialer) *worker {
	size := 1
	if e.o.Rate.Max {
		size = ahead
	}
	return &worker{
		run: e, number: i, recorder: e.recorders[i%len(e.recorders)],
		supply: &supply{
			traffic: newTraffic(e.o, uint64(i), func() uint64 { return e.payments.Add(1) - 1 }),
			makers:  e.makers,
			size:    size,
		},
		link: &link{
			dial:    func(ctx context.Context) (net.Conn, error) { return dial(ctx, e.at) },
			timeout: e.o.Timeout,
			answers: newAnswers(),
		},
	}
}

// shut ends what is under way; drop closes the connections.
func (e *engine) shut() {
	now := e.o.Now()
	e.ended.Store(&now)
	for _, w := range e.workers {
		w.link.shut()
	}
}

func (e *engine) drop() {
	for _, w := range e.workers {
		w.link.drop()
	}
}

// connect makes the first connection, and if that can be done the others, so that
// a run does not measure it. Those that fail are tried again when they are needed.
func (e *engine) connect() error {
	err := e.workers[0].link.open(e.ctx)
	if e.ctx.Err() != nil {
		return e.ctx.Err()
	}
	if err != nil {
		var remote *deliver.RemoteError
		if errors.As(err, &remote) && remote.Host == "" {
			err = &deliver.RemoteError{Host: e.at.Hostname(), Addr: remote.Addr.Unmap()}
		}
		if deliver.NobodyListens(err) {
			return fmt.Errorf("%w: connection refused: nothing listens on %s; start your server, or give another URL", ErrConnect, e.at.Host)
		}
		return fmt.Errorf("%w to %s: %w", ErrConnect, e.at.Host, err)
	}
	var all sync.WaitGroup
	free := make(chan struct{}, dialling)
	for _, w := range e.workers[1:] {
		free <- struct{}{}
		all.Go(func() {
			_ = w.link.open(e.ctx)
			<-free
		})
	}
	all.Wait()
	return nil
}

// work runs the workers to their end.
func (e *engine) work() {
	e.start = e.o.Now()
	done := make(chan struct{})
	var watch, workers sync.WaitGroup
	watch.Go(func() { e.watch(done) })
	for _, w := range e.workers {
		workers.Go(w.work)
	}
	workers.Wait()
	e.elapsed = e.since()
	if e.ctx.Err() == nil {
		e.elapsed = e.o.Duration
		for _, w := range e.workers {
			e.elapsed = max(e.elapsed, w.last)
		}
	}
	close(done)
	watch.Wait()
	e.pollers.stop()
}

// since is how long the run has taken. It does not ask what time it is, which takes
// another look at the clock.
func (e *engine) since() time.Duration {
	return time.Since(e.start) //nolint:forbidigo // timers and deadlines go by the machine's own clock, too
}

// watch keeps the series and tells of the progress until done.
func (e *engine) watch(done <-chan struct{}) {
	s := &series{e: e, sum: newHistogram()}
	second := time.NewTicker(time.Second)
	defer second.Stop()
	var progress <-chan time.Time
	if e.o.Progress != nil {
		t := time.NewTicker(e.o.Every)
		defer t.Stop()
		progress = t.C
	}
	for {
		select {
		case <-second.C:
			s.point(e.since())
		case <-progress:
			e.o.Progress(s.snapshot(e.since()))
		case <-done:
			s.point(e.elapsed)
			e.series = s.points
			return
		}
	}
}

// series makes points and snapshots from what the recorders hold.
type series struct {
	e             *engine
	points        []Point
	sum           *hdrhistogram.Histogram
	to            time.Duration
	count, errors uint64
	last          Snapshot
}

// point ends a point at a time.
func (s *series) point(to time.Duration) {
	var count, errors uint64
	s.sum.Reset()
	for _, r := range s.e.recorders {
		second, n, failed := r.take()
		count, errors = count+n, errors+failed
		s.sum.Merge(second)
	}
	if to <= s.to {
		if n := len(s.points); n > 0 { // the last requests ended on the second
			s.points[n-1].Count += count - s.count
			s.points[n-1].Errors += errors - s.errors
		}
		return
	}
	p := Point{
		At: s.to, Length: to - s.to, Count: count - s.count, Errors: errors - s.errors,
		P50: time.Duration(s.sum.ValueAtQuantile(50)), P99: time.Duration(s.sum.ValueAtQuantile(99)),
	}
	if o := s.e.o; !o.Rate.Max {
		p.Due = s.e.schedule.Due(min(to, o.Duration)) - s.e.schedule.Due(min(s.to, o.Duration))
	}
	s.points = append(s.points, p)
	s.to, s.count, s.errors = to, count, errors
}

func (s *series) snapshot(now time.Duration) Snapshot {
	shot := Snapshot{Elapsed: now}
	for _, r := range s.e.recorders {
		count, errors := r.counts()
		shot.Count, shot.Errors = shot.Count+count, shot.Errors+errors
	}
	if n := len(s.points); n > 0 {
		shot.P50, shot.P99 = s.points[n-1].P50, s.points[n-1].P99
	}
	if d := now - s.last.Elapsed; d > 0 {
		shot.Rate = float64(shot.Count-s.last.Count) / d.Seconds()
	}
	s.last = shot
	return shot
}
