package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// eachState runs a benchmark for each state of the embedded contract, with a payload of it.
func eachState(b *testing.B, run func(b *testing.B, st *contract.State, s subject, raw []byte)) {
	c := packs(b)[0]
	for _, st := range c.States() {
		s, raw := stateSubject(b, c, st), made(b, c, st, 1)
		b.Run(st.Subject.Name+"-"+st.Name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			run(b, st, s, raw)
		})
	}
}

func BenchmarkAccept(b *testing.B) {
	eachState(b, func(b *testing.B, _ *contract.State, s subject, raw []byte) {
		slots := make([]schema.Slot, len(s.captures))
		for b.Loop() {
			if !s.acceptor.Accept(raw, slots) {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkJSONValid(b *testing.B) {
	eachState(b, func(b *testing.B, _ *contract.State, _ subject, raw []byte) {
		for b.Loop() {
			if !json.Valid(raw) {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	eachState(b, func(b *testing.B, st *contract.State, _ subject, raw []byte) {
		for b.Loop() {
			doc, err := jsondoc.Parse(raw)
			if err != nil || st.Schema().Validate(doc) != nil || st.Schema().Undeclared(doc) != nil {
				b.Fatal("refused")
			}
		}
	})
}

func BenchmarkNewAcceptor(b *testing.B) {
	eachState(b, func(b *testing.B, st *contract.State, s subject, _ []byte) {
		for b.Loop() {
			if _, ok := st.Schema().Acceptor(s.captures, s.fixed); !ok {
				b.Fatal("refused")
			}
		}
	})
}
