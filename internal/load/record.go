package load

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	finest   = int64(time.Microsecond)
	longestT = int64(24 * time.Hour)
	digits   = 3
	failures = 32 // different errors and statuses that are told apart for each state
	example  = 200
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(finest, longestT, digits) }

func measure(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(int64(d), 0), longestT)) // within the histogram's bounds
}

// sample is how one request ended.
type sample struct {
	slot           int           // of the state
	waited         bool          // for its time: what it is late by is the generator's
	late           time.Duration // of its start
	behind         bool          // it started when time was up
	sent, received uint64
	latency        time.Duration
	failed         bool
	kind           Kind
	status         int
	err            error
}

// measured reports whether the latency says something of the endpoint: a fast
// failure does not.
func (s *sample) measured() bool { return !s.failed || s.kind == Status || s.kind == Timeout }

// tally is what is known of one state's requests.
type tally struct {
	count, sent, received uint64
	errors                []ErrorCount
	latency               *hdrhistogram.Histogram
}

func (t *tally) add(s *sample) {
	t.count++
	t.sent += s.sent
	t.received += s.received
	if s.failed {
		t.fail(s)
	}
	if s.measured() {
		if t.latency == nil {
			t.latency = newHistogram()
		}
		measure(t.latency, s.latency)
	}
}

func (t *tally) fail(s *sample) {
	e := ErrorCount{Kind: s.kind, Status: s.status, Count: 1}
	if s.err != nil && len(t.errors) < failures {
		e.Example = clip(s.err.Error())
	}
	t.errors = merge(t.errors, e)
}

// merge adds a count to those of its kind; beyond a bound, statuses are not told
// apart any more.
func merge(list []ErrorCount, e ErrorCount) []ErrorCount {
	for i := range list {
		if list[i].Kind == e.Kind && list[i].Status == e.Status {
			list[i].Count += e.Count
			return list
		}
	}
	if len(list) >= failures && e.Status != 0 {
		e.Status, e.Example = 0, ""
		return merge(list, e)
	}
	return append(list, e)
}

func clip(s string) string {
	if len(s) > example {
		return s[:example] + "…"
	}
	return s
}

// recorder collects what the connections of one shard do. The lock is hardly ever
// contended: there are as many recorders as threads.
type recorder struct {
	mu      sync.Mutex
	states  []tally
	payment []OutcomeCount
	second  *hdrhistogram.Histogram // since it was taken
	spare   *hdrhistogram.Histogram // that was taken
	count   uint64
	errors  uint64

	behind, queued, late, duplicates, disordered uint64
	lateness                                     *hdrhistogram.Histogram
}

func newRecorder(m *Mix) *recorder {
	return &recorder{
		states: make([]tally, len(m.states)), payment: make([]OutcomeCount, len(m.Outcomes)),
		second: newHistogram(), spare: newHistogram(), lateness: newHistogram(),
	}
}

func (r *recorder) add(e *event, s *sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.start(s)
	r.count++
	if s.failed {
		r.errors++
	}
	r.states[s.slot].add(s)
	if s.measured() {
		measure(r.second, s.latency)
	}
	o := &r.payment[e.outcome]
	if e.opens {
		o.Opened++
	}
	if e.closes {
		o.Finished++
	}
	if e.again {
		r.duplicates++
	}
	if e.disordered {
		r.disordered++
	}
}

func (r *recorder) start(s *sample) {
	if s.behind {
		r.behind++
	}
	if s.waited {
		measure(r.lateness, s.late)
	}
	switch {
	case s.late <= LateAfter:
	case s.waited:
		r.late++
	default:
		r.queued++
	}
}

// take returns the latencies since the last time, until the next time; and the
// number of requests and errors from the start on.
func (r *recorder) take() (second *hdrhistogram.Histogram, count, errors uint64) {
	r.spare.Reset()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.second, r.spare = r.spare, r.second
	return r.spare, r.count, r.errors
}

func (r *recorder) counts() (count, errors uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count, r.errors
}
