package scenario_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/scenario"
)

// TestOrders: each is an order of all deliveries, none is the one they have, no
// two are the same, and where there are few they are all there.
func TestOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(rapid.IntRange(0, 4), 0, 12).Draw(t, "keys")
		n, seed := rapid.IntRange(0, 60).Draw(t, "n"), rapid.Uint64().Draw(t, "seed")
		orders := scenario.Orders(keys, n, seed)
		if len(orders) > n {
			t.Fatalf("%d orders, and %d were asked for", len(orders), n)
		}
		seen := map[string]bool{fmt.Sprint(keys): true}
		for _, order := range orders {
			if sorted := slices.Sorted(slices.Values(order)); len(sorted) != len(keys) || len(keys) > 0 && (sorted[0] != 0 || sorted[len(sorted)-1] != len(keys)-1 || len(slices.Compact(sorted)) != len(keys)) {
				t.Fatalf("%v is no order of %d", order, len(keys))
			}
			var named []int
			for _, i := range order {
				named = append(named, keys[i])
			}
			if seen[fmt.Sprint(named)] {
				t.Fatalf("%v comes twice, or is the order there was", named)
			}
			seen[fmt.Sprint(named)] = true
		}
		if fmt.Sprint(orders) != fmt.Sprint(scenario.Orders(keys, n, seed)) {
			t.Fatal("other orders for the same seed")
		}
	})
	for _, test := range []struct {
		keys []int
		want int
	}{{nil, 0}, {[]int{1}, 0}, {[]int{1, 1, 1}, 0}, {[]int{1, 2}, 1}, {[]int{1, 2, 3, 4}, 23}, {[]int{1, 1, 2, 2}, 5}, {[]int{1, 2, 3, 4, 5, 6, 7}, 1000}} {
		if got := len(scenario.Orders(test.keys, 1000, 7)); got != test.want {
			t.Errorf("%v has %d other orders, not %d", test.keys, got, test.want)
		}
	}
}

// bug is what is wrong with an endpoint: it fails when all of some deliveries come,
// each pair of them in this order.
type bug struct {
	needs  []int
	before [][2]int
}

func (b bug) fails(order []int) bool {
	at := func(n int) int { return slices.Index(order, n) }
	for _, n := range b.needs {
		if at(n) < 0 {
			return false
		}
	}
	for _, p := range b.before {
		if at(p[0]) < 0 || at(p[1]) < 0 || at(p[0]) > at(p[1]) {
			return false
		}
	}
	return true
}

// TestShrink: what is left still fails, is made of what there was, and cannot lose
// a delivery, nor a step out of order, unless the tries ran out.
func TestShrink(t *testing.T) {
	minimal := 0
	rapid.Check(t, func(t *rapid.T) {
		order := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0)).Perm(rapid.IntRange(1, 30).Draw(t, "n"))
		number := rapid.SampledFrom(order)
		var b bug
		b.needs = rapid.SliceOfN(number, 1, 4).Draw(t, "needs")
		for range rapid.IntRange(0, 3).Draw(t, "pairs") {
			pair := rapid.SliceOfNDistinct(rapid.IntRange(0, len(order)-1), min(2, len(order)), 2, rapid.ID).Draw(t, "pair")
			if len(pair) == 2 {
				slices.Sort(pair)
				b.before = append(b.before, [2]int{order[pair[0]], order[pair[1]]})
			}
		}
		before := slices.Clone(order)
		tries, last := 0, []int(nil)
		got := scenario.Shrink(order, func(o []int) bool {
			tries++
			if len(o) == 0 {
				t.Fatal("the empty order is tried")
			}
			if b.fails(o) {
				last = slices.Clone(o)
				return true
			}
			return false
		})
		checkShrunk(t, before, order, got, b)
		if tries > 200 {
			t.Fatalf("%d tries", tries)
		}
		if last != nil && !slices.Equal(last, got) {
			t.Fatalf("%v is not the last that failed, %v", got, last)
		}
		if tries < 200 {
			minimal++
			checkMinimal(t, got, b)
		}
	})
	if minimal == 0 {
		t.Error("the tries always run out")
	}
}

func checkShrunk(t *rapid.T, before, order, got []int, b bug) {
	if !slices.Equal(before, order) {
		t.Fatalf("the caller's order was changed to %v", order)
	}
	if !b.fails(got) {
		t.Fatalf("%v does not fail", got)
	}
	left := slices.Clone(before)
	for _, n := range got {
		i := slices.Index(left, n)
		if i < 0 {
			t.Fatalf("%v is not made of %v", got, before)
		}
		left = slices.Delete(left, i, i+1)
	}
}

func checkMinimal(t *rapid.T, got []int, b bug) {
	for i := range got {
		if shorter := slices.Delete(slices.Clone(got), i, i+1); len(shorter) > 0 && b.fails(shorter) {
			t.Fatalf("%v fails, too, and is shorter than %v", shorter, got)
		}
	}
	for i := range len(got) - 1 {
		other := slices.Clone(got)
		other[i], other[i+1] = other[i+1], other[i]
		if got[i] > got[i+1] && b.fails(other) {
			t.Fatalf("%v fails, too, and is nearer to the documented order than %v", other, got)
		}
	}
}

// TestShrinkWhatAlwaysFails ends with one delivery.
func TestShrinkWhatAlwaysFails(t *testing.T) {
	if got := scenario.Shrink([]int{4, 2, 0, 3, 1}, func([]int) bool { return true }); len(got) != 1 {
		t.Errorf("%v", got)
	}
	if got := scenario.Shrink([]int{2, 0, 1}, func([]int) bool { return false }); !slices.Equal(got, []int{2, 0, 1}) {
		t.Errorf("%v", got)
	}
}
