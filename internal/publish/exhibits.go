package publish

import (
	"fmt"
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
)

// seed determines the payments that are made up: always the same ones.
const seed = 1

// exhibit is a delivery to try.
type exhibit struct {
	state *contract.State
	body  string
}

// exhibits are the documented payment, in the documented order, and for each
// state that it does not come to an event of another payment. A receiver can take
// all of them, one after the other.
func exhibits(c *contract.Contract) (flow, others []exhibit, err error) {
	for _, st := range c.Flow {
		flow = append(flow, exhibit{st, string(st.Sample.AppendCanonical(nil))})
	}
	for i, st := range c.States() {
		if slices.Contains(c.Flow, st) {
			continue
		}
		p := payment.New(c, payment.Options{Seed: seed, Index: uint64(i), Start: c.Epoch, Toward: []*contract.State{st}})
		doc, err := generate.Payload(c, p, st, generate.Options{})
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", st, err)
		}
		others = append(others, exhibit{st, string(doc.AppendCanonical(nil))})
	}
	return flow, others, nil
}
