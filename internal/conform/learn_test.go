package conform_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// inMinorUnits has the probe tell all amounts of money as whole millionths.
func inMinorUnits(o *conform.Options) {
	telling(func(_ string, doc *jsondoc.Value) {
		for _, name := range []string{"credited", "refunded", "balance"} {
			v := doc.Member(name)
			if a, ok := payment.ParseAmount(v.Text); ok {
				*v = jsondoc.StringValue(a.Shift(6).String())
			}
		}
	})(o)
}

// TestUnits shows that amounts may be told in minor units, and are judged as
// exactly then.
func TestUnits(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, model(t, ""))
		quick(&o)
		inMinorUnits(&o)
		r := run(t, o)
		for _, res := range r.Results {
			if res.Status == conform.Failed || res.Status == conform.Unproven {
				t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
			}
		}
		if notes := strings.Join(r.Notes, "; "); !strings.Contains(notes, "10^-6") {
			t.Errorf("notes %q", notes)
		}
	})
	tryAll(t, []attacked{
		{name: "credited twice", ids: "I01", bug: "double-credit", change: inMinorUnits, want: conform.Failed, says: "exactly once is"},
		{name: "as floats", ids: "M01", bug: "float-money", change: inMinorUnits, want: conform.Failed, says: "exactly it is"},
		{name: "decimals dropped", ids: "M06", bug: "truncates-decimals", change: inMinorUnits, want: conform.Failed, says: "exactly it is"},
	})
}

// TestPointLeftOut shows that who leaves the point out of amounts is not taken for
// one who tells minor units.
func TestPointLeftOut(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{
		{name: "as minor units", ids: "D01 M07", bug: "drops-the-point", change: inMinorUnits, want: conform.Failed, says: "; exactly"},
	})
	inNoTime(t, func(t *testing.T) {
		o := options(t, model(t, "drops-the-point"), "D01")
		inMinorUnits(&o)
		if notes := strings.Join(run(t, o).Notes, "; "); !strings.Contains(notes, "but 55 of 5.5") {
			t.Errorf("notes %q", notes)
		}
	})
}

// asFloats has the probe tell amounts as the numbers that JavaScript would write.
func asFloats(o *conform.Options) {
	telling(func(_ string, doc *jsondoc.Value) {
		for _, name := range []string{"credited", "refunded", "balance"} {
			v := doc.Member(name)
			if f, err := strconv.ParseFloat(v.Text, 64); err == nil {
				*v, _ = jsondoc.NumberValue(strconv.FormatFloat(f, 'g', -1, 64))
			}
		}
	})(o)
}

// TestNumbersTold shows that what a probe loses is not held against the endpoint,
// and what the endpoint loses still is.
func TestNumbersTold(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{
		{name: "digits lost", ids: "M01 M06", change: asFloats, want: conform.Unproven, says: "let it tell strings"},
		{name: "digits kept", ids: "D01 I01 M07 M08 M09", change: asFloats, want: conform.Passed},
		{name: "digits dropped", ids: "M06", bug: "truncates-decimals", change: asFloats, want: conform.Failed, says: "exactly it is"},
	})
}

// slowing answers ok at once, and works through the deliveries one by one, slower
// than at first once there have been some.
func slowing(m http.Handler) http.HandlerFunc {
	const quick, from = 15 * time.Millisecond, 8
	var mu sync.Mutex
	var last chan struct{}
	n := 0
	return seeing(func(w http.ResponseWriter, r *http.Request, _ string) bool {
		later, done := r.Clone(lifetime(r)), make(chan struct{})
		mu.Lock()
		before, takes := last, quick
		if n++; n > from {
			takes = 400 * time.Millisecond
		}
		last = done
		mu.Unlock()
		go func() {
			defer close(done)
			if before != nil {
				<-before
			}
			if deliver.Sleep(later.Context(), takes) == nil {
				m.ServeHTTP(httptest.NewRecorder(), later)
			}
		}()
		w.WriteHeader(http.StatusOK)
		return true
	})(m)
}

// TestLateEffects shows that a second credit is found that comes long after the
// first, and that who answers before it works need not refuse.
func TestLateEffects(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{
		{name: "credited once", ids: "D01 D03 I01 I03 I06", front: slowing, change: settling(5 * time.Second), want: conform.Passed},
		{name: "credited twice, the second time late", ids: "I01 I03", bug: "double-credit", front: slowing, change: settling(5 * time.Second), want: conform.Failed, says: "exactly once is"},
		{name: "a contradiction is not refused", ids: "I08", front: queued, change: settling(2 * time.Second), want: conform.Passed, says: "answers before it works"},
		{name: "a contradiction is credited", ids: "I08", bug: "amount-in-key", front: queued, change: settling(2 * time.Second), want: conform.Failed, says: "exactly once is"},
	})
}

// TestWhatCredits shows that an endpoint that is told of everything may credit by
// transfers alone, and that its bugs are found then.
func TestWhatCredits(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		o := options(t, modelWith(t, "", byTransfer))
		quick(&o)
		r := run(t, o)
		for _, res := range r.Results {
			unsent := slices.Contains([]string{"O05", "O08", "O09", "O10", "P01", "U01"}, res.Case.ID)
			whole := slices.Contains([]string{"D02", "I07", "M10", "O04", "O12"}, res.Case.ID)
			if res.Status == conform.Failed || (onMoney(res.Case) || whole) && res.Status != conform.Passed || res.Status == conform.Unproven && !unsent {
				t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
			}
		}
		if notes := strings.Join(r.Notes, "; "); !strings.Contains(notes, "transaction complete, not by invoice complete") {
			t.Errorf("notes %q", notes)
		}
	})
	for id, bug := range map[string]string{"I01": "double-credit", "I02": "racy-dedupe", "M01": "float-money", "I06": "hash-set"} {
		t.Run(bug, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				if res := run(t, options(t, modelWith(t, bug, byTransfer), id)).Results[0]; res.Status != conform.Failed {
					t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
				}
			})
		})
	}
}

// TestWhatCreditsIsToldOfAll shows that an endpoint that credits by transfers is
// sent the events of payments, too, and must not credit by them once more.
func TestWhatCreditsIsToldOfAll(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"I07", "O04", "O12"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				var s seen
				front := seeing(func(_ http.ResponseWriter, r *http.Request, body string) bool {
					name := strings.TrimPrefix(r.URL.Path, "/callback/") + text(body, "state")
					if s.knows(text(body, "invoiceId"), "", name); name == "update-transactionComplete" && s.knows(text(body, "invoiceId"), "update-invoiceComplete", "") {
						s.knows(text(body, "invoiceId"), "", "twice")
					}
					return false
				})
				m := newModel(t, "", byTransfer)
				o := options(t, subject{endpoint: serve(t, httpServer(front(m))), probe: true, change: telling(func(id string, doc *jsondoc.Value) {
					if v := doc.Member("credited"); s.knows(id, "twice", "") {
						a, _ := payment.ParseAmount(v.Text)
						*v = jsondoc.StringValue(a.Add(a).String())
					}
				})}, id)
				if res := run(t, o).Results[0]; res.Status != conform.Failed {
					t.Errorf("%s is %s: %s", id, res.Status, res.Problem)
				}
			})
		})
	}
}

// atRandom lets what came of a payment show a while after the answer: of every
// second one soon, of the others late.
func atRandom() (front func(http.Handler) http.HandlerFunc, change func(*conform.Options)) {
	var mu sync.Mutex
	shown := map[string]time.Time{}
	front = seeing(func(_ http.ResponseWriter, _ *http.Request, body string) bool {
		mu.Lock()
		defer mu.Unlock()
		if id := text(body, "invoiceId"); shown[id].IsZero() && strings.Contains(body, paid) {
			shown[id] = time.Now().Add([]time.Duration{30 * time.Millisecond, 350 * time.Millisecond}[len(shown)%2])
		}
		return false
	})
	return front, telling(func(id string, doc *jsondoc.Value) {
		mu.Lock()
		defer mu.Unlock()
		if time.Now().Before(shown[id]) {
			for _, name := range []string{"credited", "deliveries", "balance"} {
				_ = doc.Set(jsondoc.Pointer{name}, jsondoc.StringValue("0"))
			}
		}
	})
}

// TestEffectsInNoOrder shows that a later payment that shows is not held against an
// earlier one that does not yet.
func TestEffectsInNoOrder(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		front, change := atRandom()
		nothingWrong(t, options(t, modelBehind(t, front, change), "M01", "M08", "U06"))
	})
}

// TestCreditedLater shows that a second credit is found that comes long after the
// answer, where effects else come with it.
func TestCreditedLater(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		var mu sync.Mutex
		again := map[string]time.Time{}
		front := seeing(func(_ http.ResponseWriter, _ *http.Request, body string) bool {
			mu.Lock()
			defer mu.Unlock()
			if id := text(body, "invoiceId"); strings.Contains(body, paid) {
				if _, known := again[id]; known {
					again[id] = time.Now().Add(300 * time.Millisecond)
				} else {
					again[id] = time.Time{}
				}
			}
			return false
		})
		o := options(t, modelBehind(t, front, telling(func(id string, doc *jsondoc.Value) {
			mu.Lock()
			defer mu.Unlock()
			if at := again[id]; !at.IsZero() && time.Now().After(at) {
				_ = doc.Set(jsondoc.Pointer{"deliveries"}, jsondoc.StringValue("2"))
			}
		})), "I01", "D01")
		for _, res := range run(t, o).Results {
			if want := map[string]conform.Status{"I01": conform.Failed, "D01": conform.Passed}[res.Case.ID]; res.Status != want {
				t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
			}
		}
	})
}
