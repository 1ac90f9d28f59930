package conform_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/merchant"
)

func ordered(o *merchant.Options) { o.Ordered = true }

// TestStrictMerchants shows that nothing is held against a merchant that refuses
// what comes too early, nor against one that waits with the credit until all has
// come.
func TestStrictMerchants(t *testing.T) {
	t.Parallel()
	for name, merchant := range map[string]func(t *testing.T) subject{
		"refuses": func(t *testing.T) subject { return modelWith(t, "", ordered) },
		"waits": func(t *testing.T) subject {
			waits, waiting := waitsFor("update-invoice", "Pending")
			return modelBehind(t, waits, waiting)
		},
		"waits for both": func(t *testing.T) subject {
			waits, waiting := waitsFor("update-transaction", "Complete")
			return modelBehind(t, waits, waiting)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				o := options(t, merchant(t))
				quick(&o)
				o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool { return spec.ID == "X16" }) // it is about the server
				nothingWrong(t, o)
			})
		})
	}
}

// waitsFor hides what came of a payment until it has been told of a state, at a
// path that ends in a word.
func waitsFor(path, state string) (front func(http.Handler) http.HandlerFunc, change func(*conform.Options)) {
	var s seen
	front = seeing(func(_ http.ResponseWriter, r *http.Request, body string) bool {
		if strings.HasSuffix(r.URL.Path, path) && text(body, "state") == state {
			s.knows(text(body, "invoiceId"), "", "told")
		}
		return false
	})
	return front, telling(func(id string, doc *jsondoc.Value) {
		if s.knows(id, "told", "") {
			return
		}
		_ = doc.Set(jsondoc.Pointer{"state"}, jsondoc.StringValue("Ready"))
		for _, name := range []string{"credited", "deliveries", "balance"} {
			_ = doc.Set(jsondoc.Pointer{name}, jsondoc.StringValue("0"))
		}
	})
}

// TestStrictMerchantWithBugs shows that what an ordered merchant refuses because
// it comes too early does not hide its bugs.
func TestStrictMerchantWithBugs(t *testing.T) {
	t.Parallel()
	for id, bug := range map[string]string{
		"D01": "never-credits", "P03": "text-plain-500", "P06": "charset-ignored", "P14": "any-method", "P15": "head-delivers",
		"S09": "unknown-state-credits", "S11": "last-key-wins", "S12": "caseless-keys", "X05": "restringified-signature",
		"X06": "old-events", "X07": "future-events", "X11": "sql-injection", "X15": "two-lengths", "U06": "truncated-ids",
	} {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				if res := run(t, options(t, modelWith(t, bug, ordered), id)).Results[0]; res.Status != conform.Failed {
					t.Errorf("%s is %s: %s", id, res.Status, res.Problem)
				}
			})
		})
	}
}

// oneOfACustomer refuses what comes while it works on another payment of the same
// customer, and works on the first of several until there is one.
func oneOfACustomer() func(http.Handler) http.HandlerFunc {
	var mu sync.Mutex
	payments, working := map[string]int{}, map[string]chan bool{}
	return seeing(func(w http.ResponseWriter, r *http.Request, body string) bool {
		customer := text(body, "customerId")
		mu.Lock()
		if text(body, "state") == "Pending" && strings.HasSuffix(r.URL.Path, "invoice") {
			payments[customer]++
		}
		other, held := working[customer]
		several := payments[customer] > 1 && strings.Contains(body, paid)
		if several && !held {
			other = make(chan bool, 20)
			working[customer] = other
		}
		mu.Unlock()
		switch {
		case several && !held:
			select {
			case <-other:
			case <-r.Context().Done():
			}
			mu.Lock()
			payments[customer] = 0 // and from now on all at once
			mu.Unlock()
		case several:
			other <- true
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return several && held
	})
}

// TestOneOfACustomer shows that a merchant may have the payments of a customer
// wait for each other.
func TestOneOfACustomer(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{{name: "refuses the others", ids: "R01", front: oneOfACustomer(), want: conform.Passed}})
}
