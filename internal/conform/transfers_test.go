package conform_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/merchant"
)

// byTransfer makes a merchant credit what was received when the transfer is
// confirmed.
func byTransfer(o *merchant.Options) {
	other, roles := *o.Contract, *o.Contract.Roles
	roles.Paid, roles.Failed, roles.Pending = roles.Confirmed, roles.Dropped, nil
	roles.Price, roles.Cash, roles.CashAsset, roles.Reason = roles.Received, nil, nil, roles.DropReason
	other.Roles = &roles
	o.Contract = &other
}

// onMoney reports whether a case needs a payment that can be credited, and can be
// carried out where a transfer alone tells that it is.
func onMoney(spec *conform.Case) bool {
	return slices.Contains(spec.Needs, "paid") && !slices.Contains([]string{"I07", "O04", "O08", "O12", "P01", "U01"}, spec.ID)
}

// TestTransfersAlone shows that an endpoint that is told of transfers alone is
// sent nothing else and fails nothing, and that what it must not do with money is
// proven where it credits by them.
func TestTransfersAlone(t *testing.T) {
	t.Parallel()
	records := func(*merchant.Options) {}
	strict := func(o *merchant.Options) {
		byTransfer(o)
		o.Ordered = true
	}
	for name, tt := range map[string]struct {
		change func(*merchant.Options)
		money  conform.Status
	}{
		"credits": {byTransfer, conform.Passed}, "credits, and is strict": {strict, conform.Passed}, "only records": {records, conform.NotRun},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				o := options(t, modelWith(t, "", tt.change))
				o.Serves = func(st *contract.State) bool { return strings.HasPrefix(st.Event, "transaction.") }
				quick(&o)
				for _, res := range run(t, o).Results {
					if onMoney(res.Case) && res.Status != tt.money || res.Status == conform.Failed {
						t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
					}
					for _, x := range res.Exchanges {
						if strings.HasPrefix(x.Sent, "invoice ") {
							t.Errorf("%s sent %s", res.Case.ID, x.Sent)
						}
					}
				}
			})
		})
	}
}

// TestEndOfTransfersAlone shows that an endpoint may be told of nothing but how
// transfers end.
func TestEndOfTransfersAlone(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, modelWith(t, "", byTransfer))
		o.Serves = func(st *contract.State) bool { return st.Event == "transaction.updated" }
		o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool { return spec.Profile != conform.Core })
		r := run(t, o)
		for _, res := range r.Results {
			if res.Status == conform.Failed || res.Status == conform.Unproven {
				t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
			}
		}
		if r.Count("money", conform.Passed) == 0 {
			t.Error("nothing about money was proven")
		}
	})
}

// TestBugsInTransfersAlone shows that bugs of one that credits by transfers are
// found.
func TestBugsInTransfersAlone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"forgets-unanswered", "overlapping-retry", "double-credit", "account-apart", "racy-dedupe", "timestamp-in-key", "transfer-id-key", "hash-as-key",
		"hash-set", "memory-dedupe", "memory-ledger", "seen-before-processed", "bytes-as-key", "any-method", "path-in-key",
		"unknown-state-credits", "coerces-types", "last-key-wins", "caseless-keys", "nul-500", "truncated-ids", "old-events", "html-reflected",
		"path-in-id-500", "float-money", "exponent-amounts", "negative-amounts", "amount-prefix", "thousands-separators", "truncates-decimals",
		"octal-amounts", "float-sum", "number-amounts", "refunds-again", "assets-unchecked", "nan-amounts",
	} {
		bugs := merchant.Bugs()
		bug := bugs[slices.IndexFunc(bugs, func(b merchant.Bug) bool { return b.Name == name })]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				o := options(t, modelWith(t, name, byTransfer), bug.Case)
				o.Serves = func(st *contract.State) bool { return strings.HasPrefix(st.Event, "transaction.") }
				if res := run(t, o).Results[0]; res.Status != conform.Failed {
					t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
				}
			})
		})
	}
}
