package deliver

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// The bounds of a retry schedule that Exponential makes and ParseBackoff takes.
const (
	// MaxRetries is the largest number of retries.
	MaxRetries = 20
	// MaxBackoff is the longest wait before one retry.
	MaxBackoff = time.Hour
)

// Policy says when a delivery is repeated. The documents ask for status 200, and
// 3 retries after 1, 2 and 4 seconds [README, Delivery]; these facts are the
// contract's to say, so the zero Policy never succeeds and never retries. An
// answer's Retry-After is not honoured: the documents do not know it.
type Policy struct {
	// Success lists the statuses that count as success.
	Success []int
	// Backoff is the wait before retry 1, 2, 3 and so on; its length is the
	// number of retries.
	Backoff []time.Duration
	// Jitter spreads the waits: 0.2 means up to 20 % shorter or longer, drawn
	// evenly from Rand; 0 (the default) means none, above 1 counts as 1.
	Jitter float64
	// Rand returns numbers in [0, 1). It is called for each wait while Jitter is
	// above 0; without it there is no jitter.
	Rand func() float64
}

// Next says after the attempts done so far whether there is to be another one,
// and how long to wait before it. A success, a Canceled or a Refused attempt
// ends a delivery, and so does the end of the schedule. Each attempt beyond the
// first counts as a retry, two that overlapped included. But for Rand, it
// depends on its input alone.
func (p Policy) Next(done []Result) (wait time.Duration, again bool) {
	if slices.ContainsFunc(done, p.ends) || len(done) > len(p.Backoff) {
		return 0, false
	}
	if len(done) == 0 {
		return 0, true
	}
	return p.jittered(p.Backoff[len(done)-1]), true
}

func (p Policy) ends(r Result) bool {
	return r.Outcome == Canceled || r.Outcome == Refused || r.Success(p.Success)
}

func (p Policy) jittered(d time.Duration) time.Duration {
	d = max(d, 0)
	if !(p.Jitter > 0) || p.Rand == nil {
		return d
	}
	scaled := float64(d) * (1 + min(p.Jitter, 1)*(2*p.Rand()-1))
	switch {
	case !(scaled > 0):
		return 0
	case scaled >= math.MaxInt64:
		return math.MaxInt64
	}
	return time.Duration(scaled)
}

// Exponential returns the waits first, 2 first, 4 first and so on, each at most
// MaxBackoff. It gives no more than MaxRetries of them, and none for a negative
// number or first.
func Exponential(retries int, first time.Duration) []time.Duration {
	if retries <= 0 || first < 0 {
		return nil
	}
	waits := make([]time.Duration, min(retries, MaxRetries))
	wait := min(first, MaxBackoff)
	for i := range waits {
		waits[i] = wait
		wait = min(2*wait, MaxBackoff)
	}
	return waits
}

// BackoffError says why a retry schedule was refused.
type BackoffError struct {
	Input   string
	Problem string
}

func (e *BackoffError) Error() string {
	return fmt.Sprintf("--backoff %q: %s", e.Input, e.Problem)
}

// ParseBackoff reads the waits before each retry from a list such as "1s,2s,4s".
// There must be 1 to MaxRetries of them, each from 0 to MaxBackoff; anything else
// is a *BackoffError.
func ParseBackoff(s string) ([]time.Duration, error) {
	if strings.Count(s, ",") >= MaxRetries {
		return nil, &BackoffError{Input: shorten(s), Problem: fmt.Sprintf("it has more than %d waits", MaxRetries)}
	}
	parts := strings.Split(s, ",")
	waits := make([]time.Duration, len(parts))
	for i, part := range parts {
		part = strings.TrimSpace(part)
		wait, err := time.ParseDuration(part)
		if err != nil {
			return nil, &BackoffError{Input: shorten(s), Problem: fmt.Sprintf("wait %d is not a duration; write the wait before each retry, such as 1s,2s,4s", i+1)}
		}
		if wait < 0 || wait > MaxBackoff {
			return nil, &BackoffError{Input: shorten(s), Problem: fmt.Sprintf("wait %d is not between 0s and %s", i+1, MaxBackoff)}
		}
		waits[i] = wait
	}
	return waits, nil
}
