package conform_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/merchant"
)

// attacked is what a case must say of a merchant.
type attacked struct {
	name string
	// bug is the model's, "" for none; front stands before it, change after.
	bug    string
	front  func(m http.Handler) http.HandlerFunc
	change func(o *conform.Options)
	// timeout is the sender's limit, 0 for the contract's.
	timeout time.Duration
	ids     string
	want    conform.Status
	// says is part of the problem, or of a note where there is none.
	says string
}

// tryAll runs each row's cases, all of which must end as it says.
func tryAll(t *testing.T, rows []attacked) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, row.try)
		})
	}
}

func (row attacked) try(t *testing.T) {
	m := newModel(t, row.bug, func(*merchant.Options) {})
	front := m.ServeHTTP
	if row.front != nil {
		front = row.front(m)
	}
	o := options(t, subject{endpoint: serve(t, httpServer(front)), timeout: row.timeout, probe: true}, strings.Fields(row.ids)...)
	o.Settle = 100 * time.Millisecond
	hooks(m)(&o)
	if row.change != nil {
		row.change(&o)
	}
	r := run(t, o)
	if r.Problem != "" {
		t.Fatal(r.Problem)
	}
	for _, res := range r.Results {
		if res.Status != row.want || !strings.Contains(res.Problem+strings.Join(res.Notes, " "), row.says) {
			t.Errorf("%s is %s: %s %q", res.Case.ID, res.Status, res.Problem, res.Notes)
		}
	}
}

func noProbe(o *conform.Options) { o.Probe = nil }

// seeing gives f the body of each delivery before it answers; it returns false
// where the model shall answer.
func seeing(f func(w http.ResponseWriter, r *http.Request, body string) bool) func(http.Handler) http.HandlerFunc {
	return func(m http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if r.Method != http.MethodPost || !f(w, r, string(body)) {
				m.ServeHTTP(w, r)
			}
		}
	}
}

// answering changes the model's answers to deliveries of events that hold text.
func answering(text string, f func(w http.ResponseWriter, status int, body string)) func(http.Handler) http.HandlerFunc {
	return func(m http.Handler) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			if r.Method != http.MethodPost || !strings.Contains(string(body), text) {
				m.ServeHTTP(w, r)
				return
			}
			rec := httptest.NewRecorder()
			m.ServeHTTP(rec, r)
			f(w, rec.Code, rec.Body.String())
		}
	}
}

func status(code int) func(http.ResponseWriter, int, string) {
	return func(w http.ResponseWriter, _ int, _ string) { w.WriteHeader(code) }
}

func json(contentType, text string) func(http.ResponseWriter, int, string) {
	return func(w http.ResponseWriter, _ int, _ string) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, text)
	}
}

const paid, transfers = `"state":"Complete","previousState":"Pending","title"`, `"transaction.`

func TestDelivery(t *testing.T) {
	t.Parallel()
	tryAll(t, []attacked{
		{name: "as documented", ids: "D01 D02 D03 D04 D05 D06 D07", want: conform.Passed},
		{name: "effects unseen", ids: "D01 D02 D03 D04", change: noProbe, want: conform.Unproven, says: "probe"},
		{name: "answers alone", ids: "D05 D06 D07", change: noProbe, want: conform.Passed},

		{name: "202", ids: "D05", front: answering("", status(202)), want: conform.Passed, says: "takes only 200"},
		{name: "204 to a transfer", ids: "D05", front: answering(transfers, status(204)), want: conform.Passed, says: "transaction created: answered 204"},
		{name: "not the documented status", ids: "D02", front: answering(transfers, status(204)), want: conform.Failed, says: "answered 204; the gateway takes only 200 for delivered (webhook/README)"},
		{name: "202 to a payment", ids: "D01 D02", front: answering(paid, status(202)), want: conform.Failed, says: "takes only 200 for delivered (webhook/README)"},
		{name: "a redirect", ids: "D01 D02 D05", front: answering(paid, status(307)), want: conform.Failed, says: "answered 307"},
		{name: "an error", ids: "D01 D02 D05", front: answering(paid, status(500)), want: conform.Failed, says: "answered 500"},

		{name: "a charset", ids: "D07", front: answering("", json("application/json; charset=utf-8", `{"status":"received"}`)), want: conform.Passed},
		{name: "another type", ids: "D07", front: answering("", json("text/html", `{"status":"ok"}`)), want: conform.Failed, says: "Content-Type"},
		{name: "no type", ids: "D07", front: answering(paid, json("", `{"status":"ok"}`)), want: conform.Failed, says: "Content-Type"},
		{name: "no JSON", ids: "D07", front: answering(paid, json("application/json", `ok`)), want: conform.Failed, says: "no JSON"},
		{name: "an empty body", ids: "D07", front: answering(paid, json("application/json", ``)), want: conform.Failed, says: "no JSON"},
		{name: "an array", ids: "D07", front: answering(paid, json("application/json", `["ok"]`)), want: conform.Failed, says: "status that is a string"},
		{name: "a number", ids: "D07", front: answering(paid, json("application/json", `{"status":200}`)), want: conform.Failed, says: "status that is a string"},

		{name: "slower than documented", ids: "D01 D06", front: taking(time.Millisecond), change: func(o *conform.Options) {
			c := *o.Contract
			c.Delivery.Timeout = 1
			o.Contract = &c
		}, want: conform.Failed, says: "not within 1ns"},
		{name: "the first attempt is too late", ids: "D03 D04", front: firstPaidHeld, timeout: 200 * time.Millisecond, want: conform.Passed},
	})
}

// taking answers each delivery after a while.
func taking(d time.Duration) func(http.Handler) http.HandlerFunc {
	return seeing(func(_ http.ResponseWriter, r *http.Request, _ string) bool {
		return deliver.Sleep(r.Context(), d) != nil
	})
}

// firstPaidHeld takes what is delivered first of each paid payment as it should,
// but only when the sender has hung up. What is there to learn from is not held.
func firstPaidHeld(m http.Handler) http.HandlerFunc {
	var s seen
	return seeing(func(_ http.ResponseWriter, r *http.Request, body string) bool {
		id := text(body, "invoiceId")
		if strings.Contains(body, paid) && !strings.Contains(body, "paytest begin") && !s.knows(id, "paid", "paid") {
			<-r.Context().Done()
		}
		return false
	})(m)
}

// TestDeliveryEnds shows that a long case ends at the first delivery that is not
// answered.
func TestDeliveryEnds(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		var n atomic.Int64
		s := subject{timeout: 50 * time.Millisecond, endpoint: serve(t, httpServer(func(_ http.ResponseWriter, r *http.Request) {
			if n.Add(1) > 10 {
				<-r.Context().Done()
			}
			_, _ = io.Copy(io.Discard, r.Body)
		}))}
		for _, id := range []string{"D06", "O12", "I10"} {
			n.Store(0)
			o := options(t, s, id)
			o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
			r := run(t, o)
			if res := r.Results[0]; res.Status != conform.Failed || res.Sent > 50 {
				t.Errorf("%s is %s after %d deliveries: %s", id, res.Status, res.Sent, res.Problem)
			}
		}
	})
}
