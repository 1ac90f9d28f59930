package verify

import (
	"net/http"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// Delivery is a delivery that was received, what it was found to be, and the
// answer it got.
type Delivery struct {
	Time         time.Time
	Method, Path string
	Header       http.Header
	Body         []byte
	Verdict      Verdict
	// Attempt counts deliveries of the same bytes, from 1; 0 where a delivery was
	// refused before its bytes were looked at.
	Attempt int
	// Signature says over which bytes the signature is right: raw, re-serialised
	// or both; empty where none was asked for, or where it is wrong.
	Signature string
	// Forwarded says where the delivery was passed on to; empty when it was not.
	Forwarded string
	// Dropped is set when the connection was closed without an answer.
	Dropped bool
	Status  int
	Answer  []byte
	// Latency is from the arrival to the answer.
	Latency time.Duration
}

// Fact returns the value of a fact that the payload carries.
func (v Verdict) Fact(f *contract.Fact) (jsondoc.Value, bool) {
	for _, x := range v.values {
		if x.field.Fact == f {
			return x.v, true
		}
	}
	for i, s := range v.slots {
		if v.State.Fields()[i].Fact == f && s.End > 0 {
			return decoded(v.raw[s.Start:s.End]), true
		}
	}
	return jsondoc.Value{}, false
}

// Add adds a finding of somebody who knows more than the payload.
func (v *Verdict) Add(f Finding) { v.add(f) }

// First forgets that the delivery is a duplicate: the one before was not taken.
func (v *Verdict) First() {
	v.Duplicate = false
	var rest []Finding
	for _, f := range v.Findings {
		if f.Code != Duplicate {
			rest = append(rest, f)
		}
	}
	v.Findings = rest
}
