package verify_test

import (
	"encoding/json"
	"testing"

	"github.com/paytest/paytest/internal/verify"
)

// BenchmarkPayload judges the largest payload; BenchmarkJSONValid is the peer to
// hold it against, in the same run.
func BenchmarkPayload(b *testing.B) {
	c := pack(b)
	raw := state(b, c, "invoice/complete").Sample.AppendCanonical(nil)
	b.ReportAllocs()
	for b.Loop() {
		if v := verify.Payload(c, raw, ""); !v.OK() {
			b.Fatal(v.Findings)
		}
	}
}

// BenchmarkCheck judges a duplicate of it, which is what most memory is used for.
func BenchmarkCheck(b *testing.B) {
	c := pack(b)
	k := verify.NewChecker(c, verify.Strict{})
	raw := state(b, c, "invoice/complete").Sample.AppendCanonical(nil)
	b.ReportAllocs()
	for b.Loop() {
		if v := k.Check(raw, ""); !v.OK() {
			b.Fatal(v.Findings)
		}
	}
}

func BenchmarkJSONValid(b *testing.B) {
	raw := state(b, pack(b), "invoice/complete").Sample.AppendCanonical(nil)
	b.ReportAllocs()
	for b.Loop() {
		if !json.Valid(raw) {
			b.Fatal("not valid")
		}
	}
}
