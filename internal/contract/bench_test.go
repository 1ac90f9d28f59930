package contract_test

import (
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

func BenchmarkOpen(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := contract.Open(payloads.FS); err != nil {
			b.Fatal(err)
		}
	}
}
