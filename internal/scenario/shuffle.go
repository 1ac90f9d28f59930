package scenario

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// maxTries bounds how many orders are tried to shorten a failing one.
const maxTries = 200

// maxAll is up to how many deliveries all their orders are listed: 7! are 5040.
const maxAll = 7

// Orders returns up to n orders of deliveries, other than the one they have:
// their numbers, from 0. Deliveries with the same key are the same, so no two
// orders differ only in those. Where there are no more than n, it returns all.
func Orders(keys []int, n int, seed uint64) [][]int {
	r := rand.New(rand.NewPCG(seed, uint64(len(keys))))
	seen := map[string]bool{fmt.Sprint(keys): true}
	var out [][]int
	add := func(order []int) {
		named := make([]int, len(order))
		for i, x := range order {
			named[i] = keys[x]
		}
		if name := fmt.Sprint(named); !seen[name] && len(out) < n {
			seen[name] = true
			out = append(out, order)
		}
	}
	if len(keys) <= maxAll {
		all := permutations(len(keys))
		for _, i := range r.Perm(len(all)) {
			add(all[i])
		}
		return out
	}
	for tries := 0; tries < 20*n && len(out) < n; tries++ {
		add(r.Perm(len(keys)))
	}
	return out
}

func permutations(n int) [][]int {
	out := [][]int{{}}
	for x := range n {
		var longer [][]int
		for _, p := range out {
			for at := range len(p) + 1 {
				longer = append(longer, slices.Insert(slices.Clone(p), at, x))
			}
		}
		out = longer
	}
	return out
}

// Shrink returns the shortest order it can find that still fails: first fewer
// deliveries, then fewer of them out of their documented order. fails must give
// each order a payment of its own.
func Shrink(order []int, fails func([]int) bool) []int {
	tries := 0
	try := func(candidate []int) bool {
		if tries++; tries > maxTries || len(candidate) == 0 {
			return false
		}
		return fails(candidate)
	}
	for changed := true; changed; {
		changed = false
		for i := range order {
			if shorter := slices.Delete(slices.Clone(order), i, i+1); try(shorter) {
				order, changed = shorter, true
				break
			}
		}
		for i := 0; !changed && i+1 < len(order); i++ {
			if order[i] < order[i+1] {
				continue
			}
			sorted := slices.Clone(order)
			sorted[i], sorted[i+1] = sorted[i+1], sorted[i]
			if try(sorted) {
				order, changed = sorted, true
			}
		}
	}
	return order
}

// Pick returns the deliveries of a plan in another order; what is expected of
// the endpoint's state is left out, since it depends on the order.
func Pick(plan []Planned, order []int) []Planned {
	sends := slices.DeleteFunc(slices.Clone(plan), func(p Planned) bool { return p.Step.Send == nil })
	out := make([]Planned, len(order))
	for i, n := range order {
		out[i] = sends[n]
	}
	return out
}
