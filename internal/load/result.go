package load

import (
	"cmp"
	"sort"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/paytest/paytest/internal/contract"
)

// Kind is a way in which a request fails.
type Kind uint8

// The kinds of failure.
const (
	// Connect: no connection, because resolving, connecting or the TLS handshake
	// failed or took too long. Nothing was sent.
	Connect Kind = iota
	// Timeout: no complete answer within the limit.
	Timeout
	// Reset: the connection broke before the answer was complete.
	Reset
	// Malformed: what came is no HTTP/1.1 answer, or more than one.
	Malformed
	// Status: a complete answer, whose status the contract does not count as
	// success.
	Status
)

const kinds = int(Status) + 1

// String returns the kind as a word.
func (k Kind) String() string {
	return [kinds]string{"connect", "timeout", "reset", "malformed", "status"}[k]
}

// ErrorCount is how many requests failed in one way.
type ErrorCount struct {
	Kind Kind
	// Status is the answer's status where Kind is Status, or else 0.
	Status int
	Count  uint64
	// Example says what one of them was.
	Example string
}

// Stats are the requests of one state, or all.
type Stats struct {
	// Count is the number of requests that ended: answered or failed.
	Count uint64
	// Errors are those that failed, most frequent first.
	Errors []ErrorCount
	// Rate is Count per second.
	Rate float64
	// Latency is that of the complete answers, whatever their status, and of the
	// requests that timed out. In an open model it counts from the intended start,
	// but for what the generator itself was late by.
	Latency Latency
	// Sent and Received are bytes on the connections, heads included, TLS not.
	Sent, Received uint64
}

// Failed is the number of errors of all kinds.
func (s Stats) Failed() uint64 {
	var n uint64
	for _, e := range s.Errors {
		n += e.Count
	}
	return n
}

// Latency is a distribution of latencies, to three significant digits.
type Latency struct {
	Count                          uint64
	P50, P90, P99, P999, Max, Mean time.Duration

	histogram *hdrhistogram.Histogram
}

// At returns the latency that share of the requests, 0 to 1, stay within; 0 where
// there are none.
func (l Latency) At(share float64) time.Duration {
	if l.histogram == nil {
		return 0
	}
	return time.Duration(l.histogram.ValueAtQuantile(100 * share))
}

// Quantile is a point of a distribution.
type Quantile struct {
	Share   float64
	Latency time.Duration
}

// Curve returns the distribution for a plot: 0, 50, 75, 87.5 % and so on, each
// half as far from 100 % as the one before, to where single requests stand, and
// 100 %.
func (l Latency) Curve() []Quantile {
	if l.Count == 0 {
		return nil
	}
	out := []Quantile{{0, l.At(0)}}
	for rest := 0.5; rest*float64(l.Count) >= 1; rest /= 2 {
		out = append(out, Quantile{1 - rest, l.At(1 - rest)})
	}
	return append(out, Quantile{1, l.Max})
}

func latency(h *hdrhistogram.Histogram) Latency {
	at := func(percent float64) time.Duration { return time.Duration(h.ValueAtQuantile(percent)) }
	return Latency{
		Count: uint64(max(h.TotalCount(), 0)),
		P50:   at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: time.Duration(h.Max()), Mean: time.Duration(h.Mean()),
		histogram: h,
	}
}

// StateStats are the requests of one state.
type StateStats struct {
	State *contract.State
	Stats
}

// OutcomeCount is how many payments came to an outcome.
type OutcomeCount struct {
	// Name is as it was typed in the mix.
	Name string
	// Opened payments had an event sent, or tried; of Finished ones all were.
	Opened, Finished uint64
}

// Point is one second of a run, or the rest of one at the end.
type Point struct {
	// At is when it started, Length how long it was.
	At, Length time.Duration
	// Due is how many arrivals were meant to start in it; 0 at the highest rate.
	Due uint64
	// Count and Errors are the requests that ended in it.
	Count, Errors uint64
	// P50 and P99 are their latencies.
	P50, P99 time.Duration
}

// Snapshot is how a run is getting on.
type Snapshot struct {
	Elapsed time.Duration
	// Count and Errors are the requests that ended so far.
	Count, Errors uint64
	// Rate is Count per second since the snapshot before.
	Rate float64
	// P50 and P99 are the latencies of the last full second.
	P50, P99 time.Duration
}

// Result is what came of a run.
type Result struct {
	Rate        Rate
	Ramp        time.Duration
	Duration    time.Duration
	Connections int
	// Timeout is the limit of one request.
	Timeout time.Duration
	// Started is when the first arrival was meant to start; Elapsed the time from
	// then to the last answer, and at least the duration asked for unless the run
	// was interrupted.
	Started time.Time
	Elapsed time.Duration
	// Interrupted says that the run was ended before its time.
	Interrupted bool

	// Total is all requests, States those of each state in the contract's order.
	Total  Stats
	States []StateStats
	// Outcomes are the payments by outcome, in the order of the mix.
	Outcomes []OutcomeCount
	// Series is the run second by second.
	Series []Point

	// Due is how many arrivals were meant to start, until the run was interrupted if
	// it was; at the highest rate it is the number of those that did.
	Due uint64
	// Behind is how many of them had not started when time was up, or the run was
	// interrupted.
	Behind uint64
	// Unsent arrivals waited longer than Timeout for a connection to come free, and
	// the run ended. Thresholds count them among the errors.
	Unsent uint64
	// Unfinished requests were under way when the run was interrupted.
	Unfinished uint64
	// Queued arrivals started more than LateAfter late because no connection was
	// free. Either the endpoint is slower than the rate, or there are too few
	// connections.
	Queued uint64
	// Late arrivals started more than LateAfter late although a connection was
	// free: the load generator itself fell behind. Lateness is by how much, over all
	// arrivals that found a connection free. It is no part of any Latency.
	Late     uint64
	Lateness Latency
	// Duplicates are requests that repeated an earlier one, Disordered those that
	// came before one they should have followed.
	Duplicates, Disordered uint64
	// NextPayment is an index from which on no payment has been used.
	NextPayment uint64
}

// LateAfter is how late a start may be without being counted as Queued or Late.
const LateAfter = 5 * time.Millisecond

// GeneratorBound reports whether the load generator itself was late for more
// than one arrival in a hundred, so that the figures say as much about it as
// about the endpoint.
func (r *Result) GeneratorBound() bool { return 100*r.Late > r.Due }

// InTime is the share of the arrivals that were due that had started when time
// was up, or the run was interrupted: 1 at the highest rate, and less where the
// endpoint, or the connections, cannot keep up.
func (r *Result) InTime() float64 {
	if r.Due == 0 {
		return 1
	}
	return 1 - float64(min(r.Behind, r.Due))/float64(r.Due)
}

func sortErrors(list []ErrorCount) {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Status, b.Status)) < 0
	})
}
