package listen_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/listen"
)

// TestLanes holds that one lane keeps its order, and that no lane waits for
// another.
func TestLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l listen.Lanes
		var mu sync.Mutex
		var order []int
		leave := l.Enter("a")
		var inA sync.WaitGroup
		for i := range 20 {
			inA.Go(func() {
				done := l.Enter("a")
				defer done()
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait() // so that they come one after the other
		}
		if len(order) > 0 {
			t.Errorf("somebody overtook: %v", order)
		}
		for i := range 20 {
			l.Enter(fmt.Sprint("b", i))()
		}
		leave()
		inA.Wait()
		leave = l.Enter("a")
		var second func()
		inA.Go(func() { second = l.Enter("a") })
		synctest.Wait()
		leave()
		inA.Wait()
		entered := false
		inA.Go(func() {
			defer l.Enter("a")()
			entered = true
		})
		synctest.Wait()
		if entered {
			t.Error("a third one entered beside the second")
		}
		second()
		inA.Wait()
		if !slices.IsSorted(order) || len(order) != 20 {
			t.Errorf("the order was %v", order)
		}
		if n := l.Entered(); n != 0 {
			t.Errorf("%d lanes are kept", n)
		}
	})
}

// TestLanesExclude holds for any crowd that no two are in one lane at a time and
// that nothing is left.
func TestLanesExclude(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l listen.Lanes
		crowd := rapid.SliceOfN(rapid.IntRange(0, 3), 1, 40).Draw(t, "crowd")
		inside := make([]int, 4) // unguarded: the lane is the guard
		var all sync.WaitGroup
		for _, lane := range crowd {
			all.Go(func() {
				done := l.Enter(fmt.Sprint(lane))
				defer done()
				inside[lane]++
			})
		}
		all.Wait()
		for lane := range inside {
			want := 0
			for _, x := range crowd {
				if x == lane {
					want++
				}
			}
			if inside[lane] != want {
				t.Fatalf("lane %d: %d of %d", lane, inside[lane], want)
			}
		}
		if l.Entered() != 0 {
			t.Fatal("a lane is kept")
		}
	})
}
