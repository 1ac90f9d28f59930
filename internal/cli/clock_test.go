package cli

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestClock asks each speed to wait, where waiting is seen: at most no timer runs.
func TestClock(t *testing.T) {
	for speed, want := range map[string]time.Duration{
		"max": 0, "1x": 30 * time.Minute, "60x": 30 * time.Second, "0.5x": time.Hour, "1000000000x": 1800 * time.Nanosecond,
	} {
		t.Run(speed, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				wait, jump, err := clock(speed)
				if err != nil || jump != (speed == "max") {
					t.Fatal(jump, err)
				}
				began := time.Now()
				if err := wait(t.Context(), 30*time.Minute); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != want {
					t.Errorf("it took %s, not %s", took, want)
				}
			})
		})
	}
}

// TestClockEnds: a wait ends with its context, even one that would take centuries.
func TestClockEnds(t *testing.T) {
	for _, speed := range []string{"max", "1x", "1e-300x"} {
		synctest.Test(t, func(t *testing.T) {
			wait, _, err := clock(speed)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error, 1)
			if speed == "max" {
				cancel()
			}
			go func() { ended <- wait(ctx, time.Hour) }()
			synctest.Wait()
			select {
			case err := <-ended:
				if speed != "max" || !errors.Is(err, context.Canceled) {
					t.Errorf("%s: it ended at once with %v", speed, err)
				}
				return
			default:
			}
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", speed, err)
			}
		})
	}
}

func TestShare(t *testing.T) {
	for text, want := range map[string]float64{"": 0, "0": 0, "1": 1, "0.8": 0.8, "80%": 0.8, "100%": 1, "0%": 0} {
		if got, err := share("min-coverage", text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"80", "101%", "-1%", "NaN", "NaN%", "Inf", "all", "%", "8 0%"} {
		if got, err := share("min-coverage", text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, x := range []struct {
		before, now int
		want        string
	}{
		{200, 200, same},
		{500, 500, same},
		{0, 0, same},
		{200, 500, regressed},
		{200, 201, regressed},
		{200, 0, regressed},
		{500, 200, fixed},
		{0, 200, fixed},
		{500, 404, changed},
		{0, 503, changed},
	} {
		if got := compare(x.before, x.now, []int{200}); got != x.want {
			t.Errorf("%d and now %d is %s, not %s", x.before, x.now, got, x.want)
		}
	}
}
