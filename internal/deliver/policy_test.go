package deliver

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func answered(status int) Result { return Result{Outcome: Answered, Status: status} }

func ended(o Outcome) Result { return Result{Outcome: o} }

func TestNext(t *testing.T) {
	documented := Policy{Success: []int{200}, Backoff: Exponential(3, time.Second)}
	bad := answered(500)
	for name, tt := range map[string]struct {
		p     Policy
		done  []Result
		wait  time.Duration
		again bool
	}{
		"nothing done":               {documented, nil, 0, true},
		"nothing done, no retries":   {Policy{}, nil, 0, true},
		"success":                    {documented, []Result{answered(200)}, 0, false},
		"almost success":             {documented, []Result{answered(204)}, 1 * time.Second, true},
		"redirect":                   {documented, []Result{answered(302)}, 1 * time.Second, true},
		"answered 200, incompletely": {documented, []Result{{Outcome: TimedOut, Status: 200}}, 1 * time.Second, true},
		"timed out":                  {documented, []Result{ended(TimedOut)}, 1 * time.Second, true},
		"unreachable":                {documented, []Result{ended(Unreachable)}, 1 * time.Second, true},
		"unknown":                    {documented, []Result{ended(Unknown)}, 1 * time.Second, true},
		"refused":                    {documented, []Result{ended(Refused)}, 0, false},
		"canceled":                   {documented, []Result{ended(Canceled)}, 0, false},
		"second retry":               {documented, []Result{bad, bad}, 2 * time.Second, true},
		"third retry":                {documented, []Result{bad, bad, bad}, 4 * time.Second, true},
		"no fourth retry":            {documented, []Result{bad, bad, bad, bad}, 0, false},
		"more done than planned":     {documented, []Result{bad, bad, bad, bad, bad, bad}, 0, false},
		"success in the end":         {documented, []Result{bad, bad, answered(200)}, 0, false},
		"success of the overlapped":  {documented, []Result{answered(200), ended(TimedOut)}, 0, false},
		"no retries":                 {Policy{Success: []int{200}}, []Result{bad}, 0, false},
		"other success":              {Policy{Success: []int{201, 202}, Backoff: []time.Duration{1}}, []Result{answered(202)}, 0, false},
		"no status counts":           {Policy{Backoff: []time.Duration{7}}, []Result{answered(200)}, 7, true},
		"negative wait":              {Policy{Backoff: []time.Duration{-7}}, []Result{bad}, 0, true},
	} {
		if wait, again := tt.p.Next(tt.done); wait != tt.wait || again != tt.again {
			t.Errorf("%s: %s, %v, want %s, %v", name, wait, again, tt.wait, tt.again)
		}
	}
}

func TestJitter(t *testing.T) {
	for name, tt := range map[string]struct {
		wait   time.Duration
		jitter float64
		drawn  float64
		want   time.Duration
	}{
		"shortest":       {time.Second, 0.2, 0, 800 * time.Millisecond},
		"middle":         {time.Second, 0.2, 0.5, time.Second},
		"long":           {time.Second, 0.2, 0.75, 1100 * time.Millisecond},
		"none":           {time.Second, 0, 0, time.Second},
		"negative":       {time.Second, -0.5, 0, time.Second},
		"not a number":   {time.Second, math.NaN(), 0, time.Second},
		"above 1":        {time.Second, 7, 0, 0},
		"above 1, long":  {time.Second, 7, 0.75, 1500 * time.Millisecond},
		"bad draw":       {time.Second, 0.2, math.NaN(), 0},
		"too long":       {math.MaxInt64, 1, 0.9, math.MaxInt64},
		"as long as can": {math.MaxInt64, 0, 0.9, math.MaxInt64},
	} {
		p := Policy{Backoff: []time.Duration{tt.wait}, Jitter: tt.jitter, Rand: func() float64 { return tt.drawn }}
		if wait, again := p.Next([]Result{answered(500)}); wait != tt.want || !again {
			t.Errorf("%s: %s, %v, want %s", name, wait, again, tt.want)
		}
	}
	p := Policy{Backoff: []time.Duration{time.Second}, Jitter: 0.2}
	if wait, _ := p.Next([]Result{answered(500)}); wait != time.Second {
		t.Errorf("without Rand: %s", wait)
	}
}

func TestJitterStaysInItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wait := time.Duration(rapid.Int64Range(0, int64(MaxBackoff)).Draw(t, "wait"))
		jitter := rapid.Float64Range(0, 1).Draw(t, "jitter")
		drawn := 0
		p := Policy{Backoff: []time.Duration{wait}, Jitter: jitter, Rand: func() float64 {
			drawn++
			return rapid.Float64Range(0, math.Nextafter(1, 0)).Draw(t, "random")
		}}
		got, again := p.Next([]Result{answered(500)})
		const rounding = 1.0
		low, high := float64(wait)*(1-jitter)-rounding, float64(wait)*(1+jitter)+rounding
		if !again || float64(got) < low || float64(got) > high {
			t.Errorf("%s is not %s ± %g", got, wait, jitter)
		}
		if (drawn == 1) != (jitter > 0) {
			t.Errorf("%d numbers drawn for jitter %g", drawn, jitter)
		}
	})
}

func TestExponential(t *testing.T) {
	second := func(n ...time.Duration) []time.Duration {
		for i := range n {
			n[i] *= time.Second
		}
		return n
	}
	for name, tt := range map[string]struct {
		retries int
		first   time.Duration
		want    []time.Duration
	}{
		"documented": {3, time.Second, second(1, 2, 4)},
		"one":        {1, 5 * time.Second, second(5)},
		"none":       {0, time.Second, nil},
		"negative":   {-1, time.Second, nil},
		"in a past":  {3, -time.Second, nil},
		"at once":    {3, 0, second(0, 0, 0)},
		"capped":     {4, 25 * time.Minute, second(1500, 3000, 3600, 3600)},
		"huge":       {2, math.MaxInt64, second(3600, 3600)},
	} {
		if diff := cmp.Diff(tt.want, Exponential(tt.retries, tt.first)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if n := len(Exponential(math.MaxInt, time.Second)); n != MaxRetries {
		t.Errorf("%d retries, want %d", n, MaxRetries)
	}
}

func TestParseBackoff(t *testing.T) {
	for input, want := range map[string][]time.Duration{
		"1s,2s,4s":         {time.Second, 2 * time.Second, 4 * time.Second},
		" 1s , 500ms":      {time.Second, 500 * time.Millisecond},
		"0":                {0},
		"1h":               {time.Hour},
		many("1s", 20):     twentySeconds(),
		"1.5s,1m30s,250us": {1500 * time.Millisecond, 90 * time.Second, 250 * time.Microsecond},
	} {
		got, err := ParseBackoff(input)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", input, err, diff)
		}
	}
	for input, text := range map[string]string{
		"":             `--backoff "": wait 1 is not a duration`,
		"3":            `--backoff "3": wait 1 is not a duration; write the wait before each retry, such as 1s,2s,4s`,
		"1s,":          `"1s,": wait 2 is not a duration`,
		"1s 2s":        `"1s 2s": wait 1 is not a duration`,
		"1s,-2s":       `"1s,-2s": wait 2 is not between 0s and 1h0m0s`,
		"1h1ns":        `"1h1ns": wait 1 is not between`,
		many("1s", 21): "has more than 20 waits",
	} {
		got, err := ParseBackoff(input)
		var typed *BackoffError
		if got != nil || !errors.As(err, &typed) || !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v, %v, want an error with %q", input, got, err, text)
		}
	}
}

func many(wait string, n int) string { return strings.TrimSuffix(strings.Repeat(wait+",", n), ",") }

func twentySeconds() []time.Duration {
	waits := make([]time.Duration, 20)
	for i := range waits {
		waits[i] = time.Second
	}
	return waits
}

func FuzzParseBackoff(f *testing.F) {
	for _, seed := range []string{"1s,2s,4s", "", ",", "0", "1h,1h0m0.000000001s", "-1s", "9999999999h", many("1s", 21), "1s,\x00", "1e9s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		waits, err := ParseBackoff(s)
		if err != nil {
			if waits != nil || len(err.Error()) > 2000 {
				t.Fatalf("%v with an error of %d bytes", waits, len(err.Error()))
			}
			return
		}
		if len(waits) == 0 || len(waits) > MaxRetries {
			t.Fatalf("%d waits", len(waits))
		}
		texts := make([]string, len(waits))
		for i, wait := range waits {
			if wait < 0 || wait > MaxBackoff {
				t.Fatalf("%s is out of bounds", wait)
			}
			texts[i] = wait.String()
		}
		again, err := ParseBackoff(strings.Join(texts, ","))
		if diff := cmp.Diff(waits, again); diff != "" || err != nil {
			t.Fatalf("%v\n%s", err, diff)
		}
	})
}
