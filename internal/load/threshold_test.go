package load

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// measured is a result of so many latencies and errors.
func measured(failed, unsent uint64, latencies ...time.Duration) *Result {
	var t tally
	for _, d := range latencies {
		t.add(&sample{latency: d})
	}
	for range failed {
		t.add(&sample{failed: true, kind: Reset})
	}
	return &Result{Total: t.stats(10 * time.Second), Unsent: unsent}
}

func hundred() []time.Duration {
	out := make([]time.Duration, 100)
	for i := range out {
		out[i] = time.Duration(i+1) * time.Millisecond
	}
	return out
}

func TestThreshold(t *testing.T) {
	for _, x := range []struct {
		text           string
		failed, unsent uint64
		got            string // in the breach; empty where it holds
	}{
		{"p99>250ms", 0, 0, ""},
		{"p99>90ms", 0, 0, "99ms"},
		{"p50 > 51ms", 0, 0, ""},
		{"p50>49ms", 0, 0, "50ms"},
		{"p99.9>99ms", 0, 0, "100ms"},
		{"p1>0.5ms", 0, 0, "1ms"},
		{"max>100ms", 0, 0, "100"}, // to three digits upwards
		{"max>101ms", 0, 0, ""},
		{"max>=101ms", 0, 0, ""},
		{"max<1s", 0, 0, "100"},
		{"mean>50ms", 0, 0, "50.5ms"},
		{"mean>51ms", 0, 0, ""},
		{"mean<=51ms", 0, 0, "50.5ms"},
		{"errors>0", 0, 0, ""},
		{"errors>=0", 0, 0, "0"},
		{"errors>10", 10, 0, ""},
		{"errors>10", 11, 0, "11"},
		{"errors>10", 6, 5, "11"},
		{"errors>50%", 100, 0, ""},
		{"errors>49.9%", 100, 0, "50% (100 of 200)"},
		{"errors>49.9%", 0, 100, "50% (100 of 200)"},
		{"errors>0.1%", 1, 0, "0.99% (1 of 101)"},
		{"rate<10/s", 0, 0, ""},
		{"rate<=10/s", 0, 0, "10/s"},
		{"rate<11/s", 0, 0, "10/s"},
		{"rate<660/m", 0, 0, "10/s"},
		{"rate>9/s", 0, 0, "10/s"},
	} {
		th, err := ParseThreshold(x.text)
		if err != nil {
			t.Errorf("%s: %v", x.text, err)
			continue
		}
		got := Broken(measured(x.failed, x.unsent, hundred()...), []Threshold{th})
		switch {
		case x.got == "" && len(got) > 0:
			t.Errorf("%s: %v", x.text, got)
		case x.got != "" && (len(got) != 1 || !strings.HasPrefix(got[0].Got, x.got)):
			t.Errorf("%s: %v, want %s", x.text, got, x.got)
		}
	}
}

// TestThresholdWithoutData holds that nobody passes by not being measured.
func TestThresholdWithoutData(t *testing.T) {
	for text, broken := range map[string]bool{"p99>250ms": true, "max>1h": true, "mean>1h": true, "errors>0.1%": true, "errors>5": false, "rate<1/s": true} {
		th, err := ParseThreshold(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := Broken(measured(5, 0), []Threshold{th}); (len(got) > 0) != broken {
			t.Errorf("%s: %v", text, got)
		}
		if got := Broken(&Result{}, []Threshold{th}); (len(got) > 0) != (broken && text != "errors>0.1%") {
			t.Errorf("%s of an empty result: %v", text, got)
		}
	}
}

func TestThresholdErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":             "at character 1: has no < or >",
		"p99":          "at character 1: has no < or >",
		"p99=1ms":      "at character 1: has no < or >",
		"p99>":         "at character 5: \"\" is no duration",
		"p99>250":      "at character 5: \"250\" is no duration",
		"p99>-1ms":     "at character 5: \"-1ms\" is no duration",
		"p99>>1ms":     "at character 5",
		"p99>=x":       "at character 6: \"x\" is no duration",
		"p0>1ms":       "at character 1: \"p0\" is not between p0 and p100",
		"p100>1ms":     "p100 is max",
		"p99.9.9>1ms":  "is no metric",
		"pNaN>1ms":     "is no metric",
		"p+9>1ms":      "is no metric",
		"P99>1ms":      "is no metric",
		"latency>1ms":  "at character 1: \"latency\" is no metric; metrics: p50",
		"errors>1ms":   "is neither a percentage nor a number",
		"errors>101%":  "is neither a percentage nor a number",
		"errors>-1":    "is neither a percentage nor a number",
		"errors>1e3":   "is neither a percentage nor a number",
		"rate<450":     "at character 6: \"450\" is no rate; write it as 450/s",
		"rate<max":     "is no rate",
		">250ms":       "at character 1: \"\" is no metric",
		"p99>250ms<1s": "is no duration",
	} {
		var e *ThresholdError
		if _, err := ParseThreshold(in); !errors.As(err, &e) || e.Input != in || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func FuzzParseThreshold(f *testing.F) {
	for _, s := range []string{"p99>250ms", "p99.9>=1s", "max>2s", "mean<1h", "errors>0.1%", "errors<=10", "rate<450/s", "p>1s", ">", "p99>9999999h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		th, err := ParseThreshold(s)
		if err != nil {
			var e *ThresholdError
			if !errors.As(err, &e) || e.At > len(s) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		r := measured(3, 1, hundred()...)
		got := Broken(r, []Threshold{th})
		op := map[bool]string{true: ">", false: "<"}
		i := strings.IndexAny(s, "<>")
		flipped, err := ParseThreshold(s[:i] + op[s[i] == '<'] + strings.TrimPrefix(s[i+1:], "="))
		if err != nil {
			t.Fatalf("%q is taken, but not the other way round: %v", s, err)
		}
		if back := Broken(r, []Threshold{flipped}); len(got) > 0 && len(back) > 0 && !strings.Contains(s, "=") {
			t.Errorf("%q and its opposite are both broken: %v, %v", s, got, back)
		}
	})
}

func TestShown(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 999: "999ns", 1234: "1.23µs", 12345678: "12.3ms", time.Second: "1s", 61234 * time.Millisecond: "1m1.2s",
	} {
		if got := shown(d); got != want {
			t.Errorf("%d is shown as %s, want %s", d, got, want)
		}
	}
}
