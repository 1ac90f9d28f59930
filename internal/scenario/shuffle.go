package scenario

import (
	"math/rand/v2"
	"slices"
)

// maxTries bounds how many orders are tried to shorten a failing one.
const maxTries = 200

// Shuffled returns interleaving number i of n deliveries: their numbers, from 0,
// in the order in which they are made.
func Shuffled(n int, seed, i uint64) []int {
	return rand.New(rand.NewPCG(seed, i)).Perm(n)
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
