package load

import (
	"context"
	"fmt"
	"math"
)

// Limit says how FindLimit searches.
type Limit struct {
	// From is the first rate; To, unless 0, is never exceeded.
	From, To float64
	// Thresholds are what must not break.
	Thresholds []Threshold
	// Precision is how near the knee is found, from 0.01 up: 0.05 is 5 %.
	Precision float64
	// Step, unless nil, is called after each step.
	Step func(Attempt)
}

const (
	grow        = 1.5
	maxAttempts = 80 // more than from MinRate to MaxRate it takes
	// minPrecision is finer than what a run can tell.
	minPrecision = 0.01
	// inTime is the share of the arrivals that must have started when time is up.
	inTime = 0.98
)

// Attempt is one step: a run at one rate.
type Attempt struct {
	Rate   float64
	Result *Result
	// Breaches are the thresholds that broke; Short says that arrivals were left
	// waiting. Without either the step held.
	Breaches []Breach
	Short    bool
}

// Held reports whether the endpoint kept up.
func (a Attempt) Held() bool { return len(a.Breaches) == 0 && !a.Short }

// Search is what FindLimit found.
type Search struct {
	// Attempts are the steps in the order in which they were made.
	Attempts []Attempt
	// Knee is the highest rate that held below the lowest that broke; 0 if none
	// held.
	Knee float64
	// Broke is the lowest rate that broke; 0 if none did up to the highest tried.
	Broke float64
	// GeneratorBound says that at Broke it was the load generator that fell behind:
	// the endpoint may bear more.
	GeneratorBound bool
	// Interrupted says that the search was ended before it was done.
	Interrupted bool
}

// FindLimit runs o at rising rates, each for o.Duration, until a threshold breaks
// or arrivals are left waiting, and then halves the interval, on a logarithmic
// scale, until the knee is known. Every step sends payments of its own. Errors are
// those of Run.
func FindLimit(ctx context.Context, o Options, l Limit) (*Search, error) {
	return findLimit(l, runner(ctx, o, o.dial))
}

// runner returns what makes one step, with payments that no step before had.
func runner(ctx context.Context, o Options, dial dialer) func(rate float64) (*Result, error) {
	return func(rate float64) (*Result, error) {
		o.Rate = Rate{PerSecond: rate}
		r, err := run(ctx, o, dial)
		if err == nil {
			o.FirstPayment = r.NextPayment
		}
		return r, err
	}
}

func findLimit(l Limit, run func(rate float64) (*Result, error)) (*Search, error) {
	if !(l.From >= MinRate && l.From <= MaxRate) || l.To != 0 && l.To < l.From || !(l.Precision >= minPrecision && l.Precision < 1) {
		return nil, fmt.Errorf("%w: the search starts at %g/s, ends at %g/s and is to be precise to %g; give rates above 0 in that order, and a precision from 0.01 to 1, such as 0.05",
			ErrOptions, l.From, l.To, l.Precision)
	}
	s := &Search{}
	for {
		rate, more := l.next(s.Attempts)
		if !more {
			s.judge()
			return s, nil
		}
		r, err := run(rate)
		if err != nil {
			return nil, err
		}
		if r.Interrupted {
			s.judge()
			s.Interrupted = true
			return s, nil
		}
		a := Attempt{Rate: rate, Result: r, Breaches: Broken(r, l.Thresholds), Short: r.InTime() < inTime}
		if s.Attempts = append(s.Attempts, a); l.Step != nil {
			l.Step(a)
		}
	}
}

// next decides from the steps so far at which rate the next one is made. It
// depends on its input alone.
func (l Limit) next(done []Attempt) (rate float64, more bool) {
	top := float64(MaxRate)
	if l.To > 0 {
		top = min(l.To, top)
	}
	held, broke := bounds(done)
	switch {
	case len(done) >= maxAttempts:
		return 0, false
	case len(done) == 0:
		return l.From, true
	case broke == 0 && held >= top:
		return 0, false
	case broke == 0:
		return min(held*grow, top), true
	case held == 0 && broke/2 >= MinRate:
		return broke / 2, true
	case held == 0 || broke/held <= 1+l.Precision:
		return 0, false
	}
	return math.Sqrt(held * broke), true
}

// bounds returns the lowest rate that broke and the highest below it that held.
func bounds(done []Attempt) (held, broke float64) {
	for _, a := range done {
		if !a.Held() && (broke == 0 || a.Rate < broke) {
			broke = a.Rate
		}
	}
	for _, a := range done {
		if a.Held() && (broke == 0 || a.Rate < broke) {
			held = max(held, a.Rate)
		}
	}
	return held, broke
}

func (s *Search) judge() {
	s.Knee, s.Broke = bounds(s.Attempts)
	for _, a := range s.Attempts {
		if a.Rate == s.Broke {
			s.GeneratorBound = a.Result.GeneratorBound()
		}
	}
}
