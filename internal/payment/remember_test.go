package payment_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
)

// formsOf are all facts that a Drawer draws, for each state.
func formsOf(c *contract.Contract, d *payment.Drawer) map[*contract.State]*payment.Form {
	var pieces []payment.Piece
	for _, f := range c.Facts {
		if d.Draws(f) {
			pieces = append(pieces, payment.Piece{Before: []byte(","), Fact: f})
		}
	}
	out := map[*contract.State]*payment.Form{}
	for _, st := range c.States() {
		out[st] = d.NewForm(st, pieces)
	}
	return out
}

func plain(c *contract.Contract, d *payment.Drawer, o payment.Options, st *contract.State) string {
	var out []byte
	p := payment.New(c, o)
	for _, f := range c.Facts {
		if d.Draws(f) {
			out = p.Fact(f, st).AppendCanonical(append(out, ','))
		}
	}
	return string(out)
}

// TestDrawerRemembersNoMoreThanItMay asks for the same few payments again and again,
// with what changes from event to event.
func TestDrawerRemembersNoMoreThanItMay(t *testing.T) {
	for name, c := range map[string]*contract.Contract{"payloads": pack(t), "box": changed(t, boxes), "shipment": changed(t, shipments)} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				d, states := payment.NewDrawer(c, nil), rapid.SampledFrom(c.States())
				forms := formsOf(c, d)
				for range rapid.IntRange(1, 30).Draw(t, "events") {
					o := payment.Options{
						Seed: rapid.Uint64Range(0, 1).Draw(t, "seed"), Index: rapid.Uint64Range(0, 1).Draw(t, "index"),
						Start:  c.Epoch.Add(rapid.SampledFrom([]time.Duration{0, 1, time.Millisecond, -time.Hour * 24 * 365 * 60}).Draw(t, "start")),
						Toward: rapid.SliceOfN(states, 0, 2).Draw(t, "toward"),
					}
					if rapid.Bool().Draw(t, "moved") {
						o.Moments = map[*contract.State]time.Duration{states.Draw(t, "state moved"): time.Duration(rapid.Int64Range(-1e15, 1e15).Draw(t, "moment"))}
					}
					st := states.Draw(t, "state")
					checkForm(t, d, o, forms[st], st.String(), "before"+plain(c, d, o, st))
				}
			})
		})
	}
}

// TestDrawerOnTheEdgesOfTime: years of four digits are drawn, and no others.
func TestDrawerOnTheEdgesOfTime(t *testing.T) {
	c := pack(t)
	d := payment.NewDrawer(c, nil)
	st := c.Flow[0]
	form := d.NewForm(st, []payment.Piece{{Fact: c.Fact("timestamp")}, {Fact: c.Fact("createdAt")}})
	first, beyond := time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, x := range []struct {
		start time.Time
		after time.Duration
		want  bool
	}{
		{first, 0, true},
		{first, -1, false},
		{first.Add(-1), 0, false},
		{first.Add(-1), 1, false},
		{first, 1<<63 - 1, true},
		{beyond.Add(-1), 0, true},
		{beyond.Add(-2), 1, true},
		{beyond.Add(-1), 1, false},
		{beyond, -1, false},
		{beyond, 0, false},
		{time.Unix(1<<62, 0), 0, false},
		{time.Unix(-1<<62, 0), 0, false},
		{time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC), 1, true},
		{time.Date(1969, 12, 31, 23, 59, 59, 999_999_999, time.UTC), -1_000_000, true},
		{time.Date(2024, 2, 29, 23, 59, 59, 999_000_000, time.FixedZone("", 3600)), time.Hour, true},
	} {
		o := payment.Options{Start: x.start, Moments: map[*contract.State]time.Duration{st: x.after}}
		got, ok := d.Append(nil, &o, form)
		p := payment.New(c, o)
		want := string(p.Fact(c.Fact("createdAt"), st).AppendCanonical(p.Fact(c.Fact("timestamp"), st).AppendCanonical(nil)))
		if ok != x.want || ok && string(got) != want {
			t.Errorf("%s and %s later: %v, %s, not %s", x.start, x.after, ok, got, want)
		}
	}
}
