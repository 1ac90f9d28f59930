package conform_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/jsondoc"
)

// crediting has the probe tell another credit in place of one.
func crediting(was, now string) func(*conform.Options) {
	return telling(func(_ string, doc *jsondoc.Value) {
		if v := doc.Member("credited"); v != nil && v.Text == was {
			*v = jsondoc.StringValue(now)
		}
	})
}

// writing changes the bytes that the probe tells.
func writing(was, now string) func(*conform.Options) {
	return func(o *conform.Options) {
		probe := o.Probe
		o.Probe = func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
			raw, known, err := probe(ctx, facts)
			return bytes.ReplaceAll(raw, []byte(was), []byte(now)), known, err
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	const large = "9007199254740993.000001"
	tryAll(t, []attacked{
		{name: "NaN told", ids: "M13", bug: "nan-amounts", change: crediting("1000000000", "NaN"), want: conform.Failed, says: "is \"NaN\""},
		{name: "NaN written bare", ids: "M13", bug: "nan-amounts", change: writing(`"1000000000"`, "NaN"), want: conform.Failed, says: "NaN"},
		{name: "an exponent told", ids: "M02", bug: "exponent-amounts", change: crediting("100000", "1E+5"), want: conform.Failed, says: "1E+5"},
		{name: "accepted and forgotten", ids: "M01", front: refusing(200, large), want: conform.Failed, says: "accepted and not credited"},
		{name: "refused by 422", ids: "M01", front: refusing(422, large), want: conform.Passed},
		{name: "broken by it", ids: "M01", front: refusing(500, large), want: conform.Failed, says: "must not break"},
		{name: "off by a cent", ids: "M06", change: crediting("999999999999.999999", "1000000000000"), want: conform.Failed, says: "exactly it is 999999999999.999999"},
		{name: "no credit told", ids: "M01", change: without("credited"), want: conform.Unproven, says: "credited=PATH"},
		{name: "one tenth is lost", ids: "M08", change: crediting("0.1", "0.10000000000000001"), want: conform.Failed, says: "exactly once is 0.1"},
		{name: "accepted, later wrong", ids: "M04", bug: "amount-prefix", front: queued, change: settling(2 * time.Second), want: conform.Failed, says: "credited although"},
		{name: "refunds unseen", ids: "M10", change: without("refunded"), want: conform.Unproven, says: "refunded=PATH"},
		{name: "credited by a wrong transfer", ids: "M10", bug: "credit-when-confirmed", want: conform.Failed, says: "transaction complete"},
	})
}
