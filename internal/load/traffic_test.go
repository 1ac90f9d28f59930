package load

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func counter(from uint64) func() uint64 {
	return func() uint64 { from++; return from - 1 }
}

// lives collects what each payment's events were, in the order they came.
func lives(tr *traffic, n int) map[uint64][]event {
	out := map[uint64][]event{}
	for range n {
		e := tr.next()
		out[e.index] = append(out[e.index], e)
	}
	return out
}

// TestTrafficInOrder holds that payments walk their paths: every event once, in
// order, and each that ended whole.
func TestTrafficInOrder(t *testing.T) {
	o := options(t, "")
	all := lives(newTraffic(&o, 0, counter(100)), 5000)
	unfinished := 0
	for index, events := range all {
		for i, e := range events {
			if e.step != i || e.again || e.disordered || e.opens != (i == 0) || e.closes != (i == len(e.walk.Steps)-1) || e.walk != events[0].walk {
				t.Fatalf("payment %d: event %d is %+v", index, i, e)
			}
		}
		if !events[len(events)-1].closes {
			unfinished++
		}
	}
	if unfinished > maxOpen {
		t.Errorf("%d payments are under way at once", unfinished)
	}
	if _, first := all[100]; !first || len(all) < 1000 {
		t.Errorf("%d payments", len(all))
	}
}

// TestTrafficStartsWhole holds that the first payment is walked to its end before
// another begins, so that a short run sees whole ones.
func TestTrafficStartsWhole(t *testing.T) {
	o := options(t, "paid=1")
	tr := newTraffic(&o, 0, counter(0))
	for i := 0; ; i++ {
		e := tr.next()
		if e.index != 0 || e.step != i {
			t.Fatalf("event %d is step %d of payment %d", i, e.step, e.index)
		}
		if e.closes {
			break
		}
	}
	if tr.room != 2 {
		t.Errorf("after the first, %d payments may be under way", tr.room)
	}
	for range 500 {
		tr.next()
	}
	if tr.room != maxOpen {
		t.Errorf("%d payments may be under way in the end", tr.room)
	}
}

// TestTrafficDependsOnSeedAndIndex holds that what a payment does depends on
// neither its connection nor its turn.
func TestTrafficDependsOnSeedAndIndex(t *testing.T) {
	o := options(t, "")
	o.Duplicates, o.Disorder = 0.3, 0.3
	one, other := lives(newTraffic(&o, 3, counter(0)), 3000), lives(newTraffic(&o, 8, counter(50)), 3000)
	plans := func(all map[uint64][]event) map[uint64][]delivery {
		out := map[uint64][]delivery{}
		for index, events := range all {
			if !events[len(events)-1].closes {
				continue
			}
			for _, e := range events {
				out[index] = append(out[index], e.delivery)
			}
		}
		return out
	}
	a, b := plans(one), plans(other)
	compared := 0
	for index := range a {
		if _, both := b[index]; both {
			compared++
			if diff := cmp.Diff(a[index], b[index], cmp.AllowUnexported(delivery{})); diff != "" {
				t.Fatalf("payment %d: %s", index, diff)
			}
		}
	}
	if compared < 400 {
		t.Fatalf("only %d payments are in both", compared)
	}
	o.Seed++
	if cmp.Equal(a, plans(lives(newTraffic(&o, 3, counter(0)), 3000)), cmp.AllowUnexported(delivery{})) {
		t.Error("another seed makes no difference")
	}
}

func TestPlanLaws(t *testing.T) {
	o := options(t, "")
	rapid.Check(t, func(t *rapid.T) {
		o.Duplicates = rapid.Float64Range(0, 1).Draw(t, "duplicates")
		o.Disorder = rapid.Float64Range(0, 1).Draw(t, "disorder")
		tr := newTraffic(&o, 0, counter(0))
		tr.pcg.Seed(1, rapid.Uint64().Draw(t, "index"))
		steps := rapid.IntRange(1, 12).Draw(t, "steps")
		plan := tr.plan(nil, steps)
		at := make([]int, steps)
		first := make([]int, 0, steps)
		for i, d := range plan {
			if d.again && at[d.step] == 0 {
				t.Fatalf("%+v is repeated before it comes: %+v", d, plan)
			}
			if at[d.step]++; at[d.step] == 1 {
				first = append(first, d.step)
			}
			if at[d.step] > 2 || (at[d.step] == 2) != d.again {
				t.Fatalf("delivery %d: %+v", i, plan)
			}
		}
		if len(first) != steps {
			t.Fatalf("%d steps: %+v", steps, plan)
		}
		for i, s := range first {
			if s < i-2 || s > i+2 {
				t.Fatalf("step %d is delivered as number %d: %+v", s, i, plan)
			}
		}
		switch {
		case o.Disorder == 0 && !slices.IsSorted(first):
			t.Fatalf("out of order: %+v", plan)
		case o.Duplicates == 0 && len(plan) != steps:
			t.Fatalf("repeated: %+v", plan)
		case o.Duplicates == 1 && len(plan) != 2*steps:
			t.Fatalf("not all repeated: %+v", plan)
		}
	})
}

func TestTrafficShares(t *testing.T) {
	o := options(t, "expired=1,refused=1")
	o.Duplicates, o.Disorder = 0.1, 0.05
	var again, events, swapped, pairs float64
	for _, life := range lives(newTraffic(&o, 0, counter(0)), 100_000) {
		if len(life[0].walk.Steps) == 2 {
			pairs++
		}
		for _, e := range life {
			if e.again {
				again++
				continue
			}
			events++
			if e.disordered {
				swapped++
			}
		}
	}
	if share := again / events; math.Abs(share-0.1) > 0.01 {
		t.Errorf("%g of the events are repeated, not 0.1", share)
	}
	if share := swapped / pairs; math.Abs(share-0.05) > 0.01 {
		t.Errorf("%g of the pairs change places, not 0.05", share)
	}
}

func TestTrafficAllocatesNothing(t *testing.T) {
	o := options(t, "")
	o.Duplicates, o.Disorder = 0.5, 0.5
	tr := newTraffic(&o, 0, counter(0))
	if n := testing.AllocsPerRun(10_000, func() { tr.next() }); n != 0 {
		t.Errorf("%g allocations per event", n)
	}
}
