package load

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// bears simulates an endpoint that holds up to a rate.
func bears(capacity float64) func(float64) (*Result, error) {
	return func(rate float64) (*Result, error) {
		r := &Result{Due: 1000}
		if rate > capacity {
			r.Behind = 500
		}
		return r, nil
	}
}

func TestFindLimitSteps(t *testing.T) {
	for _, x := range []struct {
		limit    Limit
		capacity float64
		want     string
	}{
		{Limit{From: 100, Precision: 0.1}, 300, "[100 150 225 337.5 275.6 305 289.9] knee 289.9, broke 305"},
		{Limit{From: 100, Precision: 0.1}, 60, "[100 50 70.71 59.46 64.84] knee 59.46, broke 64.84"},
		{Limit{From: 100, To: 200, Precision: 0.1}, 300, "[100 150 200] knee 200, broke 0"},
		{Limit{From: 100, To: 100, Precision: 0.1}, 300, "[100] knee 100, broke 0"},
		{Limit{From: 0.002, Precision: 0.1}, 0, "[0.002 0.001 0.0005] knee 0, broke 0.0005"},
	} {
		s, err := findLimit(x.limit, bears(x.capacity))
		if err != nil {
			t.Fatal(err)
		}
		var rates []string
		for _, a := range s.Attempts {
			rates = append(rates, fmt.Sprintf("%.4g", a.Rate))
		}
		if got := fmt.Sprintf("%s knee %.4g, broke %.4g", rates, s.Knee, s.Broke); got != x.want {
			t.Errorf("%+v, %g/s: %s, want %s", x.limit, x.capacity, got, x.want)
		}
	}
}

func TestFindLimitLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := Limit{
			From:      math.Exp(rapid.Float64Range(math.Log(MinRate), 16).Draw(t, "from")),
			Precision: rapid.Float64Range(minPrecision, 0.5).Draw(t, "precision"),
		}
		capacity := math.Exp(rapid.Float64Range(math.Log(2*MinRate), 16).Draw(t, "capacity"))
		s, err := findLimit(l, bears(capacity))
		if err != nil {
			t.Fatal(err)
		}
		if n := len(s.Attempts); n >= maxAttempts {
			t.Fatalf("%d attempts", n)
		}
		if s.Knee > capacity || s.Broke <= capacity || s.Knee > 0 && s.Broke/s.Knee > 1+l.Precision {
			t.Fatalf("knee %g, broke %g; the endpoint bears %g", s.Knee, s.Broke, capacity)
		}
	})
}

// TestFindLimitNoise holds that a step that held above one that broke counts for
// nothing.
func TestFindLimitNoise(t *testing.T) {
	a := func(rate float64, behind uint64) Attempt {
		return Attempt{Rate: rate, Result: &Result{Due: 100, Behind: behind}, Short: behind > 0}
	}
	held, broke := bounds([]Attempt{a(100, 0), a(400, 0), a(200, 50), a(150, 0), a(300, 50)})
	if held != 150 || broke != 200 {
		t.Errorf("between %g and %g", held, broke)
	}
}

func TestFindLimitErrors(t *testing.T) {
	for _, l := range []Limit{{}, {From: 1}, {From: 0, Precision: 0.1}, {From: 10, To: 5, Precision: 0.1}, {From: 10, Precision: 1}, {From: 10, Precision: 0.001}, {From: math.NaN(), Precision: 0.1}, {From: math.Inf(1), Precision: 0.1}} {
		if _, err := findLimit(l, bears(1)); !errors.Is(err, ErrOptions) {
			t.Errorf("%+v: %v", l, err)
		}
	}
	broken := errors.New("broken")
	if _, err := findLimit(Limit{From: 1, Precision: 0.1}, func(float64) (*Result, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
	s, err := findLimit(Limit{From: 1, Precision: 0.1}, func(rate float64) (*Result, error) { return &Result{Interrupted: rate > 2}, nil })
	if err != nil || !s.Interrupted || len(s.Attempts) != 2 || s.Knee != 1.5 {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestFindLimitRuns searches for real: one connection and 10 ms for each answer
// bear 100 a second.
func TestFindLimitRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t, "")
		p := newEndpoint(func(got) []byte { wait(10 * time.Millisecond); return []byte(okAnswer) })
		th, err := ParseThreshold("p99>40ms")
		if err != nil {
			t.Fatal(err)
		}
		steps := 0
		s, err := findLimit(Limit{From: 20, Precision: 0.05, Thresholds: []Threshold{th}, Step: func(Attempt) { steps++ }}, runner(t.Context(), o, p.dial))
		if err != nil {
			t.Fatal(err)
		}
		if s.Knee < 90 || s.Knee > 101 || steps != len(s.Attempts) || s.GeneratorBound {
			t.Errorf("the knee is %g/s, %d steps", s.Knee, steps)
		}
		seen := map[string]bool{}
		for _, g := range p.got {
			if seen[string(g.body)] {
				t.Fatalf("sent by two steps: %s", g.body)
			}
			seen[string(g.body)] = true
		}
		p.conns.Wait()
	})
}
