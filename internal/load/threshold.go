package load

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/suggest"
)

// Threshold is what a run must not do, such as p99>250ms.
type Threshold struct {
	// Text is as it was typed.
	Text string

	metric metric
	share  float64 // of a quantile, 0 to 1
	below  bool    // the operator is < or <=
	equal  bool    // the operator is <= or >=
	value  float64 // nanoseconds, a share of the requests, a number, or per second
}

type metric uint8

const (
	quantile metric = iota
	longest
	mean
	errorCount
	errorShare
	rate
)

// ThresholdError says why a threshold was refused; At is the byte of the input
// where the refused part starts.
type ThresholdError struct {
	Input   string
	At      int
	Problem string
}

func (e *ThresholdError) Error() string {
	return fmt.Sprintf("threshold %.40q, at character %d: %s", e.Input, e.At+1, e.Problem)
}

// ParseThreshold reads a metric, an operator (>, >=, <, <=) and a value:
//
//	p50, p90, p99.9, any percentile  a duration: p99>250ms
//	max, mean                        a duration: max>2s
//	errors                           a percentage or a number: errors>0.1%, errors>10
//	rate                             per second, minute or hour: rate<450/s
//
// Errors are *ThresholdError.
func ParseThreshold(s string) (Threshold, error) {
	t := Threshold{Text: s}
	from := strings.IndexAny(s, "<>")
	if from < 0 {
		return t, &ThresholdError{s, 0, "has no < or >; write it as p99>250ms, errors>0.1% or rate<450/s"}
	}
	to := from + 1
	t.below = s[from] == '<'
	if t.equal = strings.HasPrefix(s[to:], "="); t.equal {
		to++
	}
	if problem := t.parseMetric(strings.TrimSpace(s[:from])); problem != "" {
		return t, &ThresholdError{s, 0, problem}
	}
	if problem := t.parseValue(strings.TrimSpace(s[to:])); problem != "" {
		return t, &ThresholdError{s, to, problem}
	}
	return t, nil
}

func (t *Threshold) parseMetric(name string) (problem string) {
	switch name {
	case "max":
		t.metric = longest
	case "mean":
		t.metric = mean
	case "errors":
		t.metric = errorCount
	case "rate":
		t.metric = rate
	default:
		number, is := strings.CutPrefix(name, "p")
		percent, ok := decimal(number)
		if !is || !ok {
			return fmt.Sprintf("%.20q is no metric%s", name, suggest.Among(name, "metrics", []string{"p50", "p99.9 or another percentile", "max", "mean", "errors", "rate"}))
		}
		if percent <= 0 || percent >= 100 {
			return fmt.Sprintf("%.20q is not between p0 and p100; p100 is max", name)
		}
		t.metric, t.share = quantile, percent/100
	}
	return ""
}

func (t *Threshold) parseValue(s string) (problem string) {
	var ok bool
	switch t.metric {
	case quantile, longest, mean:
		d, err := time.ParseDuration(s)
		if t.value = float64(d); err != nil || d < 0 {
			return fmt.Sprintf("%.20q is no duration; write it as 250ms or 2s", s)
		}
	case rate:
		r, err := ParseRate(s)
		if t.value = r.PerSecond; err != nil || r.Max {
			return fmt.Sprintf("%.20q is no rate; write it as 450/s", s)
		}
	default:
		number, percent := strings.CutSuffix(s, "%")
		if t.value, ok = decimal(number); !ok || percent && t.value > 100 {
			return fmt.Sprintf("%.20q is neither a percentage nor a number; write it as 0.1%% or 10", s)
		}
		if percent {
			t.metric, t.value = errorShare, t.value/100
		}
	}
	return ""
}

// String returns the threshold as it was typed.
func (t Threshold) String() string { return t.Text }

// Breach is a threshold that a run broke.
type Breach struct {
	Threshold Threshold
	// Got is what was measured, in the threshold's unit.
	Got string
}

func (b Breach) String() string { return fmt.Sprintf("%s: %s", b.Threshold.Text, b.Got) }

// Broken returns the thresholds that the run broke, in their order. Of a run
// without a measured request every threshold about latency is broken: that it
// would have held nobody knows. Arrivals that were never sent count among the
// errors, and among what the percentage is of.
func Broken(r *Result, thresholds []Threshold) []Breach {
	var out []Breach
	for _, t := range thresholds {
		if got, broken := t.check(r); broken {
			out = append(out, Breach{t, got})
		}
	}
	return out
}

func (t Threshold) check(r *Result) (got string, broken bool) {
	l := r.Total.Latency
	failed, all := float64(r.Total.Failed()+r.Unsent), float64(r.Total.Count+r.Unsent)
	switch t.metric {
	case rate:
		return fmt.Sprintf("%.4g/s", r.Total.Rate), t.breaks(r.Total.Rate)
	case errorCount:
		return strconv.FormatFloat(failed, 'f', -1, 64), t.breaks(failed)
	case errorShare:
		share := failed / max(all, 1)
		return fmt.Sprintf("%.3g%% (%.0f of %.0f)", 100*share, failed, all), t.breaks(share)
	case quantile, longest, mean:
	}
	if l.Count == 0 {
		return "nothing was measured", true
	}
	d := map[metric]time.Duration{quantile: l.At(t.share), longest: l.Max, mean: l.Mean}[t.metric]
	return shown(d), t.breaks(float64(d))
}

func (t Threshold) breaks(got float64) bool {
	switch {
	case t.equal && got == t.value:
		return true
	case t.below:
		return got < t.value
	}
	return got > t.value
}

// shown rounds a latency to the three digits it is known to.
func shown(d time.Duration) string {
	unit := time.Nanosecond
	for d/unit >= 1000 {
		unit *= 10
	}
	return d.Round(unit).String()
}
