package payment_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
)

func TestShift(t *testing.T) {
	for _, x := range []struct {
		text string
		by   time.Duration
		want string
	}{
		{"2025-09-05T10:45:00.000Z", 0, "2025-09-05T10:45:00.000Z"},
		{"2025-09-05T10:45:00.000Z", 75 * time.Minute, "2025-09-05T12:00:00.000Z"},
		{"2025-12-31T23:59:59.999Z", time.Millisecond, "2026-01-01T00:00:00.000Z"},
		{"2025-09-05T10:45:00.000Z", -24 * time.Hour, "2025-09-04T10:45:00.000Z"},
		{"2025-09-05T19:45:00+09:00", time.Second, "2025-09-05T10:45:01.000Z"},
		{"2016-12-31T23:59:60Z", time.Second, "2017-01-01T00:00:01.000Z"},
		{"yesterday", time.Hour, "yesterday"},
		{"", time.Hour, ""},
		{"2025-13-05T10:45:00.000Z", time.Hour, "2025-13-05T10:45:00.000Z"},
	} {
		if got := payment.Shift(x.text, x.by); got != x.want {
			t.Errorf("%q by %s is %q, not %q", x.text, x.by, got, x.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "at")).UTC().Format(payment.TimeLayout)
		by := time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "by")) * time.Millisecond
		if back := payment.Shift(payment.Shift(at, by), -by); back != at {
			t.Fatalf("%s by %s and back is %s", at, by, back)
		}
	})
}

// TestMoments: an event happens when it is told to, and all that tells that moment
// agrees; the others keep the documented rhythm.
func TestMoments(t *testing.T) {
	c := pack(t)
	complete, cancel := c.Subject("invoice").State("complete"), c.Subject("invoice").State("cancel")
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		plain := payment.New(c, o)
		at := time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "at")) * time.Millisecond
		o.Moments = map[*contract.State]time.Duration{complete: at}
		moved := payment.New(c, o)
		if moved.Offset(complete) != at || moved.Offset(cancel) != plain.Offset(cancel) {
			t.Fatalf("%s and %s", moved.Offset(complete), moved.Offset(cancel))
		}
		want := o.Start.Add(at).UTC().Format(payment.TimeLayout)
		for _, name := range []string{"timestamp", "completedAt"} {
			if _, given := o.Facts[c.Fact(name)]; given {
				continue
			}
			if got := moved.Fact(c.Fact(name), complete).Text; got != want {
				t.Fatalf("%s is %s, not %s", name, got, want)
			}
		}
		if late := plain.Offset(cancel) - cancel.At; late < 0 || late > cancel.Late || plain.Offset(complete) != complete.At {
			t.Fatalf("cancel %s late, complete at %s", late, plain.Offset(complete))
		}
		if plain.Offset(cancel) != payment.New(c, o).Offset(cancel) {
			t.Fatal("the same payment expires twice")
		}
	})
}
