package load

import (
	"errors"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseRate(t *testing.T) {
	for in, want := range map[string]Rate{
		"500/s": {PerSecond: 500}, "30/m": {PerSecond: 0.5}, "7200/h": {PerSecond: 2}, "0.5/s": {PerSecond: 0.5}, "max": {Max: true},
		"1/h": {PerSecond: MinRate}, "10000000/s": {PerSecond: MaxRate},
	} {
		if got, err := ParseRate(in); err != nil || got != want {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "500", "500/", "/s", "500/d", "500/ms", "500 /s", "-1/s", "+1/s", "0/s", "1e3/s", "0x10/s", "inf/s", "NaN/s", "1_000/s", ".5/s", "5./s", "1.2.3/s",
		"10000001/s", "0.9/h", "Max", "max/s", "500/s/s", "１/s",
	} {
		var e *RateError
		if got, err := ParseRate(in); !errors.As(err, &e) || e.Input != in || e.Problem == "" {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"500/s", "30/m", "max", "0.000/h", "1e9/s", "9999999999999999999999/s", "0.00000000000000000001/s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		if again, err := ParseRate(r.String()); err != nil && r.PerSecond != MinRate || err == nil && again != r {
			t.Errorf("%q is %v, written %q, and read again %v, %v", s, r, r, again, err)
		}
		if !r.Max && !(r.PerSecond >= MinRate && r.PerSecond <= MaxRate) {
			t.Errorf("%q is %v", s, r)
		}
	})
}

func TestSchedule(t *testing.T) {
	even := Schedule{PerSecond: 4}
	for n, want := range []time.Duration{0, 250 * time.Millisecond, 500 * time.Millisecond, 750 * time.Millisecond, time.Second} {
		if got := even.At(uint64(n)); got != want {
			t.Errorf("arrival %d at %s, want %s", n, got, want)
		}
	}
	// 100/s after 10 s: 500 arrivals while it rises, the first quarter of them in half the time.
	rising := Schedule{PerSecond: 100, Ramp: 10 * time.Second}
	for n, want := range map[uint64]time.Duration{0: 0, 125: 5 * time.Second, 500: 10 * time.Second, 600: 11 * time.Second} {
		if got := rising.At(n); (got - want).Abs() > time.Microsecond {
			t.Errorf("arrival %d at %s, want %s", n, got, want)
		}
	}
	for d, want := range map[time.Duration]uint64{-1: 0, 0: 0, 1: 1, 10 * time.Second: 500, 20 * time.Second: 1500} {
		if got := rising.Due(d); got != want {
			t.Errorf("%d arrivals are due within %s, want %d", got, d, want)
		}
	}
}

func TestScheduleLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := Schedule{
			PerSecond: rapid.Float64Range(MinRate, MaxRate).Draw(t, "rate"),
			Ramp:      time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "ramp")),
		}
		n := rapid.Uint64Range(0, uint64(s.PerSecond*MaxDuration.Seconds())).Draw(t, "n")
		at, next := s.At(n), s.At(n+1)
		if at < 0 || next < at {
			t.Fatalf("arrival %d at %s, the next at %s", n, at, next)
		}
		if gap := seconds(1 / s.PerSecond); next-at < gap-gap/1000-time.Microsecond {
			t.Fatalf("only %s between arrivals %d and the next, at %g/s", next-at, n, s.PerSecond)
		}
		d := time.Duration(rapid.Int64Range(0, int64(MaxDuration)).Draw(t, "d"))
		if s.PerSecond*d.Seconds() > 1e9 {
			return
		}
		k := s.Due(d)
		if k > 0 && s.At(k-1) >= d || s.At(k) < d {
			t.Fatalf("%d are due within %s, and they are at %s and %s", k, d, s.At(max(k, 1)-1), s.At(k))
		}
		whole := s.PerSecond * (d - min(d, s.Ramp)).Seconds()
		if r := min(d, s.Ramp).Seconds(); s.Ramp > 0 {
			whole += s.PerSecond * r * r / s.Ramp.Seconds() / 2
		}
		if math.Abs(float64(k)-whole) > 2+whole/1e6 {
			t.Fatalf("%d are due within %s, the area under the rate is %f", k, d, whole)
		}
	})
}
