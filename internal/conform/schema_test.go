package conform_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/signature"
)

// bodyCases are the cases about what deliveries hold, and about who signed them.
func bodyCases(t testing.TB) []string {
	t.Helper()
	_, catalog := pack(t)
	var ids []string
	for _, spec := range catalog.Cases {
		if slices.Contains([]string{"schema", "text", "security", "money"}, spec.Category) {
			ids = append(ids, spec.ID)
		}
	}
	return ids
}

// allBut are the body cases without some.
func allBut(t testing.TB, others string) string {
	t.Helper()
	return strings.Join(slices.DeleteFunc(bodyCases(t), func(id string) bool { return strings.Contains(others, id) }), " ")
}

// TestBodyCasesWithoutProbe shows which of the cases the answers alone prove.
func TestBodyCasesWithoutProbe(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		unproven := strings.Fields("S06 S09 S12 S16 U01 U02 U06 X11 X15 M01 M02 M03 M04 M05 M06 M07 M08 M10 M12 M13")
		o := options(t, model(t, ""), bodyCases(t)...)
		o.Probe = nil
		for _, res := range run(t, o).Results {
			want := conform.Passed
			if slices.Contains(unproven, res.Case.ID) {
				want = conform.Unproven
			}
			if res.Status != want {
				t.Errorf("%s is %s, not %s: %s", res.Case.ID, res.Status, want, res.Problem)
			}
		}
	})
}

// inPlaceOf answers with another status where the model has one of some.
func inPlaceOf(now int, body string, statuses ...int) func(http.Handler) http.HandlerFunc {
	return answering("", func(w http.ResponseWriter, status int, was string) {
		w.Header().Set("Content-Type", "application/json")
		if slices.Contains(statuses, status) {
			status, was = now, body
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(was))
	})
}

// refusing refuses the deliveries that hold a text.
func refusing(code int, text string) func(http.Handler) http.HandlerFunc {
	return seeing(func(w http.ResponseWriter, _ *http.Request, body string) bool {
		if strings.Contains(body, text) {
			w.WriteHeader(code)
		}
		return strings.Contains(body, text)
	})
}

// queued answers ok at once, and works through the deliveries one by one.
func queued(m http.Handler) http.HandlerFunc {
	var mu sync.Mutex
	var last chan struct{}
	return seeing(func(w http.ResponseWriter, r *http.Request, _ string) bool {
		later, done := r.Clone(lifetime(r)), make(chan struct{})
		mu.Lock()
		before := last
		last = done
		mu.Unlock()
		go func() {
			defer close(done)
			if before != nil {
				<-before
			}
			if deliver.Sleep(later.Context(), 15*time.Millisecond) == nil {
				m.ServeHTTP(httptest.NewRecorder(), later)
			}
		}()
		w.WriteHeader(http.StatusOK)
		return true
	})(m)
}

// unread takes members away before the model sees them, as who never looks at
// them, and signs what is left.
func unread(t testing.TB, members ...string) func(http.Handler) http.HandlerFunc {
	scheme := signature.HMACHeader("X-Signature", "", signature.Hex)
	secrets := []signature.Secret{secret(t, "current")}
	return seeing(func(_ http.ResponseWriter, r *http.Request, body string) bool {
		doc, err := jsondoc.Parse([]byte(body))
		if err != nil {
			return false
		}
		for _, name := range members {
			_ = doc.Remove(jsondoc.Pointer{"data", name})
		}
		left := doc.AppendCanonical(nil)
		signed, err := scheme.Sign(secrets, signature.Message{Body: left})
		if err != nil {
			t.Error(err)
		}
		r.Header.Set("X-Signature", signed.Get("X-Signature"))
		r.Body = io.NopCloser(bytes.NewReader(left))
		return false
	})
}

func settling(d time.Duration) func(*conform.Options) {
	return func(o *conform.Options) { o.Settle = d }
}

// TestOtherCorrectEndpoints shows that nothing is wrong with endpoints that do
// what may be done otherwise.
func TestOtherCorrectEndpoints(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{
		{name: "422 for 400", ids: allBut(t, "S02 X15 X16"), front: inPlaceOf(422, `{"error":"?"}`, 400), want: conform.Passed},
		{
			name: "200 to what it ignores", ids: "S06 S09 S10 S11 S12 S15 S16 U04 X06 X07 X11 X14 X18 M02 M03 M04 M05 M09 M10 M11 M12 M13", want: conform.Passed,
			front: inPlaceOf(200, `{"status":"received"}`, 400, 409, 422),
		},
		{name: "JSON written anew", ids: allBut(t, "S02 X09 X15 X16"), front: stringified(t), want: conform.Passed},
		{name: "JSON written anew, and told so", ids: "X09", front: stringified(t), want: conform.Passed, says: "written anew"},
		{name: "what it does not need is unread", ids: "S06 S10 X14 M12", front: unread(t, "cashAssetId", "cashAmount", "title", "customerName"), want: conform.Passed},
		{name: "effects later", ids: "S08 S16 U01 U02 X11 M08 M12", front: queued, change: settling(2 * time.Second), want: conform.Passed},
		{name: "effects too late", ids: "M08", front: queued, change: settling(150 * time.Millisecond), want: conform.Unproven, says: "may still come"},
		{name: "no balance", ids: allBut(t, "S02 X15 X16 M08"), change: without("balance"), want: conform.Passed},
		{name: "no balance of tenths", ids: "M08", change: without("balance"), want: conform.Unproven, says: "balance"},
		{name: "special members refused", ids: "S16", front: refusing(400, `"__proto__":`), want: conform.Passed},
		{name: "a proxy refuses large bodies", ids: "S13", front: refusing(413, strings.Repeat("[", 40_000)), want: conform.Passed},
	})
}

// TestSchema shows that what is wrong is found, and said.
func TestSchema(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{
		{name: "malformed taken", ids: "S01 S02 S03 S04 S05 S14", front: inPlaceOf(200, `{}`, 400), want: conform.Failed, says: "expected 400"},
		{name: "effects later, and wrong", ids: "S09", bug: "unknown-state-credits", front: queued, change: settling(2 * time.Second), want: conform.Failed, says: "credited although"},
		{name: "an unknown state redirected", ids: "S09", front: refusing(302, "Paytested"), want: conform.Failed, says: "accepted, or refused by a 4xx"},
		{name: "nulls", ids: "S07", front: refusing(500, `"memo":null`), want: conform.Failed, says: "data.balance"},
		{name: "a field needed", ids: "S07", front: refusing(400, `"balance":null,"state":"Pending","type":"DEPOSIT","detail"`), want: conform.Failed},
		{name: "dies of a list", ids: "S13", front: refusing(500, "[[[["), want: conform.Failed, says: "5000 lists"},
		{name: "a name that is special", ids: "S16", front: refusing(400, `"customerName":"__proto__"`), want: conform.Failed, says: "customer named __proto__"},
		{name: "epoch", ids: "S18", front: refusing(500, `"timestamp":9`), want: conform.Failed, says: "number of seconds"},
	})
}

// TestCutBodiesStopEarly shows that an endpoint that waits for the rest of what
// is cut off is not asked hundreds of times.
func TestCutBodiesStopEarly(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		s := model(t, "")
		m := seeing(func(_ http.ResponseWriter, r *http.Request, body string) bool {
			if !strings.HasSuffix(body, "}") {
				<-r.Context().Done()
			}
			return !strings.HasSuffix(body, "}")
		})(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
		s.endpoint, s.probe, s.timeout = serve(t, httpServer(m)), false, 200*time.Millisecond
		r := run(t, options(t, s, "S02"))
		if res := r.Results[0]; res.Status != conform.Failed || res.Sent > 1 {
			t.Errorf("%s after %d deliveries: %s", res.Status, res.Sent, res.Problem)
		}
	})
}
