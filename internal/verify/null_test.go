package verify_test

import (
	"os"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// TestNullPrevious holds that null is no state where the first state has a word,
// although the schema takes it.
func TestNullPrevious(t *testing.T) {
	c, err := contract.Load(os.DirFS("../contract/testdata/shipment"))
	if err != nil {
		t.Fatal(err)
	}
	doc := c.Subject("shipment").State("packed").Sample.Clone()
	if v := verify.Payload(c, doc.AppendCanonical(nil), ""); !v.OK() || v.Edge == nil {
		t.Fatalf("the sample: %+v", v.Findings)
	}
	*doc.At(c.Envelope.PreviousState) = jsondoc.NullValue()
	v := verify.Payload(c, doc.AppendCanonical(nil), "")
	if !v.Has(verify.IllegalTransition) || v.Edge != nil || len(v.Findings) != 1 {
		t.Errorf("null: %+v", v.Findings)
	}
}
