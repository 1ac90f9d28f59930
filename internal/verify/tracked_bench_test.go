package verify_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// judge takes a delivery and says whether it takes it for legal.
type judge func(raw []byte) bool

// BenchmarkTracked delivers an event of each of n payments, then all of them again
// in another order, then events that contradict them. It reports what a delivery
// costs, how many bytes a subject takes, and how many verdicts were false.
func BenchmarkTracked(b *testing.B) {
	benchTracked(b, func(c *contract.Contract) judge {
		k := verify.NewChecker(c, verify.Strict{})
		return func(raw []byte) bool { return k.Check(raw, "").OK() }
	})
}

// BenchmarkTrackedByMap is the peer: what a merchant writes first, with encoding/json
// and a map. It looks at the state alone.
func BenchmarkTrackedByMap(b *testing.B) {
	benchTracked(b, func(*contract.Contract) judge {
		states := map[string]string{}
		return func(raw []byte) bool {
			var event struct {
				Data struct{ InvoiceID, State, PreviousState string }
			}
			if json.Unmarshal(raw, &event) != nil || event.Data.InvoiceID == "" {
				return false
			}
			if was, known := states[event.Data.InvoiceID]; known && was != event.Data.State {
				return false
			}
			states[event.Data.InvoiceID] = event.Data.State
			return true
		}
	})
}

func benchTracked(b *testing.B, start func(*contract.Contract) judge) {
	c := pack(b)
	for _, n := range []uint64{1_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("subjects=%d", n), func(b *testing.B) {
			r := tracked{b: b, c: c, n: n, w: generate.NewWriter(c)}
			for b.Loop() {
				for range max(1, 100_000/n) {
					r.round(start)
				}
			}
			r.report()
		})
	}
}

type tracked struct {
	b                         *testing.B
	c                         *contract.Contract
	n                         uint64
	w                         *generate.Writer
	rounds, bytes, false      uint64
	fresh, repeat, contradict float64 // nanoseconds
}

func (r *tracked) round(start func(*contract.Contract) judge) {
	expired, paid := state(r.b, r.c, "invoice/cancel"), state(r.b, r.c, "invoice/complete")
	before := heap()
	judge := start(r.c)
	r.fresh += r.deliver(judge, expired, r.n, 1, true)
	r.bytes += max(heap(), before) - before
	r.repeat += r.deliver(judge, expired, r.n, 7919, true)
	r.contradict += r.deliver(judge, paid, r.n/100, 7919, false)
	r.rounds++
	runtime.KeepAlive(judge)
}

// deliver has the events of count payments judged, every step-th of all, and returns
// how long that took. Making them is not timed.
func (r *tracked) deliver(judge judge, st *contract.State, count, step uint64, legal bool) float64 {
	const batch = 1000
	var bodies []byte
	var ends [batch]int
	spent := 0.0
	for done := uint64(0); done < count; {
		size := min(batch, count-done)
		bodies = bodies[:0]
		for i := range size {
			var err error
			o := payment.Options{Seed: 7, Index: (done + i) * step % r.n, Start: r.c.Epoch}
			if bodies, err = r.w.Append(bodies, o, st); err != nil {
				r.b.Fatal(err)
			}
			ends[i] = len(bodies)
		}
		at := 0
		began := time.Now()
		for _, end := range ends[:size] {
			if judge(bodies[at:end:end]) != legal {
				r.false++
			}
			at = end
		}
		spent += float64(time.Since(began))
		done += size
	}
	return spent
}

func (r *tracked) report() {
	all := float64(r.rounds * r.n)
	r.b.ReportMetric(0, "ns/op")
	r.b.ReportMetric(r.fresh/all, "ns/fresh")
	r.b.ReportMetric(r.repeat/all, "ns/repeat")
	r.b.ReportMetric(r.contradict/float64(r.rounds*(r.n/100)), "ns/contradiction")
	r.b.ReportMetric(float64(r.bytes)/all, "B/subject")
	r.b.ReportMetric(float64(r.false), "false")
	if r.false > 0 {
		r.b.Errorf("%d verdicts are false", r.false)
	}
}

// heap is how many bytes are in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
