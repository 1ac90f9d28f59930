package load

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The rates that ParseRate takes, in arrivals per second.
const (
	MinRate = 1.0 / 3600
	MaxRate = 10_000_000
)

// Rate is how often an event is sent: PerSecond arrivals, whether or not the
// earlier ones were answered; or, with Max, one after the other on every
// connection, as fast as they are answered.
type Rate struct {
	PerSecond float64
	Max       bool
}

// String writes the rate as ParseRate takes it.
func (r Rate) String() string {
	if r.Max {
		return "max"
	}
	return strconv.FormatFloat(r.PerSecond, 'f', -1, 64) + "/s"
}

// RateError says why a rate was refused.
type RateError struct {
	Input   string
	Problem string
}

func (e *RateError) Error() string { return fmt.Sprintf("rate %.40q: %s", e.Input, e.Problem) }

// ParseRate reads a rate such as 500/s, 30/m, 0.5/s, 90/h or max; anything else,
// and a rate below MinRate or above MaxRate, is a *RateError.
func ParseRate(s string) (Rate, error) {
	if s == "max" {
		return Rate{Max: true}, nil
	}
	number, unit, _ := strings.Cut(s, "/")
	per, known := map[string]float64{"s": 1, "m": 60, "h": 3600}[unit]
	if !known {
		return Rate{}, &RateError{s, "has no unit; write it as 500/s, 30/m or 90/h, or as max"}
	}
	n, ok := decimal(number)
	if !ok {
		return Rate{}, &RateError{s, "does not start with a number; write it as 500/s, 30/m or 90/h, or as max"}
	}
	if r := n / per; MinRate <= r && r <= MaxRate {
		return Rate{PerSecond: r}, nil
	}
	return Rate{}, &RateError{s, fmt.Sprintf("is not between 1/h and %d/s", MaxRate)}
}

// decimal reads digits with at most one point between them: no sign, exponent or
// hexadecimal, no infinity.
func decimal(s string) (float64, bool) {
	whole, part, pointed := strings.Cut(s, ".")
	if whole == "" || pointed && part == "" || strings.Trim(whole+part, "0123456789") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// Schedule says when each arrival of an open model is meant to start: the rate
// rises linearly from 0 to PerSecond during Ramp and then stays.
type Schedule struct {
	PerSecond float64
	Ramp      time.Duration
}

// At returns when arrival n, counted from 0, is meant to start. It never
// decreases with n.
func (s Schedule) At(n uint64) time.Duration {
	k, ramp := float64(n), s.Ramp.Seconds()
	if during := s.PerSecond * ramp / 2; k < during {
		return seconds(math.Sqrt(2 * ramp * k / s.PerSecond))
	} else if ramp > 0 {
		return seconds(ramp + (k-during)/s.PerSecond)
	}
	return seconds(k / s.PerSecond)
}

// Due returns how many arrivals are meant to start before d.
func (s Schedule) Due(d time.Duration) uint64 {
	if d <= 0 {
		return 0
	}
	t, ramp := d.Seconds(), s.Ramp.Seconds()
	n := s.PerSecond * (t - ramp/2)
	if t < ramp {
		n = s.PerSecond * t * t / (2 * ramp)
	}
	k := uint64(max(n, 0))
	for k > 0 && s.At(k-1) >= d {
		k--
	}
	for s.At(k) < d {
		k++
	}
	return k
}

// seconds keeps what no run lasts within a Duration.
func seconds(s float64) time.Duration {
	return time.Duration(min(s*float64(time.Second), math.MaxInt64/2))
}
