package payment

import (
	"sort"
	"time"

	"github.com/paytest/paytest/internal/contract"
)

// recentGap is how far events lie apart that happen one after the other.
const recentGap = 200 * time.Millisecond

// Recent puts all events of a payment, in their usual order, just before it is
// as old as age: a receiver may refuse events that are not recent.
func Recent(c *contract.Contract, age time.Duration) map[*contract.State]time.Duration {
	states := c.States()
	sort.SliceStable(states, func(i, j int) bool { return states[i].At < states[j].At })
	out := make(map[*contract.State]time.Duration, len(states))
	for i, st := range states {
		out[st] = age - time.Duration(len(states)-i)*recentGap
	}
	return out
}
