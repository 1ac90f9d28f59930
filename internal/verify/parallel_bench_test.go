package verify_test

import (
	"sync/atomic"
	"testing"

	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// BenchmarkPaid delivers whole paid payments to one Checker, from as many
// goroutines as there are processors: each event once. It is to be run with -cpu 1,2.
func BenchmarkPaid(b *testing.B) {
	c := pack(b)
	const payments = 1 << 12
	w := generate.NewWriter(c)
	var bodies [][]byte
	for i := range uint64(payments) {
		for _, st := range c.Flow {
			raw, err := w.Append(nil, payment.Options{Seed: 7, Index: i, Start: c.Epoch, Toward: c.Flow}, st)
			if err != nil {
				b.Fatal(err)
			}
			bodies = append(bodies, raw)
		}
	}
	var checker atomic.Pointer[verify.Checker]
	checker.Store(verify.NewChecker(c, verify.Strict{}))
	var next atomic.Uint64
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n := next.Add(1) - 1
			if n%uint64(len(bodies)) == 0 {
				checker.Store(verify.NewChecker(c, verify.Strict{}))
			}
			if v := checker.Load().Check(bodies[n%uint64(len(bodies))], ""); !v.OK() {
				b.Error(v.Findings)
			}
		}
	})
}
