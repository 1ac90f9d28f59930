package verify_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/verify"
)

// TestConcurrentDeliveries has many senders deliver the same payments, each in
// an order of its own, while others ask for the summary.
func TestConcurrentDeliveries(t *testing.T) {
	const senders, payments = 16, 8
	c := pack(t)
	walks := legalWalks()
	var history [][]byte
	moves := map[move]bool{}
	for i := range payments {
		w := walks[i%len(walks)]
		for _, e := range w.events {
			history = append(history, payload(t, c, uint64(i), e, w.toward...))
			moves[moved(i, e)] = true
		}
	}
	k := verify.NewChecker(c, verify.Strict{})
	firsts := make(chan int, senders)
	var group sync.WaitGroup
	for sender := range senders {
		group.Go(func() {
			first := 0
			order := rand.New(rand.NewPCG(1, uint64(sender))).Perm(len(history))
			for _, i := range order {
				v := k.Check(history[i], "")
				if !v.OK() {
					t.Errorf("%s: %+v", history[i], v.Findings)
				}
				if !v.Duplicate {
					first++
				}
			}
			_ = k.Summary()
			firsts <- first
		})
	}
	group.Wait()
	close(firsts)
	total := 0
	for n := range firsts {
		total += n
	}
	if total != len(moves) {
		t.Errorf("%d deliveries were the first of their kind, want %d", total, len(moves))
	}
	if s := k.Summary(); s.GapCount != 0 {
		t.Error(s.Gaps)
	}
}
