package conform_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/jsondoc"
)

// telling changes what the probe tells.
func telling(f func(id string, doc *jsondoc.Value)) func(*conform.Options) {
	return func(o *conform.Options) {
		probe := o.Probe
		o.Probe = func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
			raw, known, err := probe(ctx, facts)
			if err != nil || !known {
				return raw, known, err
			}
			doc, err := jsondoc.Parse(raw)
			f(facts["invoiceId"], &doc)
			return doc.AppendCanonical(nil), true, err
		}
	}
}

func without(member string) func(*conform.Options) {
	return telling(func(_ string, doc *jsondoc.Value) { _ = doc.Remove(jsondoc.Pointer{member}) })
}

// text is a member of an event's data.
func text(body, name string) string {
	doc, err := jsondoc.Parse([]byte(body))
	if err != nil {
		return ""
	}
	if v := doc.At(jsondoc.Pointer{"data", name}); v != nil {
		return v.Text
	}
	return ""
}

// seen remembers what was delivered of each payment.
type seen struct {
	mu  sync.Mutex
	all map[string]bool
}

// knows reports whether an event of the payment has been seen, and says that one
// is.
func (s *seen) knows(id, before, now string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	ok := s.all[id+before]
	if s.all == nil {
		s.all = map[string]bool{}
	}
	if now != "" {
		s.all[id+now] = true
	}
	return ok
}

// inOrder refuses with a status what comes before that which it follows from.
func inOrder(code int) func(http.Handler) http.HandlerFunc {
	var s seen
	return seeing(func(w http.ResponseWriter, r *http.Request, body string) bool {
		id, name := text(body, "invoiceId"), strings.TrimPrefix(r.URL.Path, "/callback/")+text(body, "state")
		before := map[string]string{"update-invoiceComplete": "update-invoicePending", "update-transactionComplete": "create-transactionPending"}[name]
		if before != "" && !s.knows(id, before, "") {
			w.WriteHeader(code)
			return true
		}
		s.knows(id, "", name)
		return false
	})
}

// renamed makes the probe say a word of its own for payments that came to the one
// state and then to the other.
func renamed(first, then, word string) (front func(http.Handler) http.HandlerFunc, change func(*conform.Options)) {
	var s seen
	front = seeing(func(_ http.ResponseWriter, _ *http.Request, body string) bool {
		id, state := text(body, "invoiceId"), text(body, "state")
		if s.knows(id, first, state) && state == then {
			s.knows(id, "", "both")
		}
		return false
	})
	return front, telling(func(id string, doc *jsondoc.Value) {
		if s.knows(id, "both", "") {
			_ = doc.Set(jsondoc.Pointer{"state"}, jsondoc.StringValue(word))
		}
	})
}

func TestOrdering(t *testing.T) {
	t.Parallel()
	review, toReview := renamed("Complete", "Fail", "In review")
	late, tooLate := renamed("Cancel", "Complete", "Paid too late")
	over, isOver := renamed("Reject", "Pending", "In review")
	alwaysOK := answering("", func(w http.ResponseWriter, code int, _ string) { w.WriteHeader(min(code, 200)) })
	broken := answering("", func(w http.ResponseWriter, code int, _ string) {
		w.WriteHeader(map[bool]int{true: 500, false: code}[code >= 400])
	})
	all := "O01 O02 O03 O04 O05 O06 O07 O08 O09 O10 O11 O12 O13"
	tryAll(t, []attacked{
		{name: "as documented", ids: all, want: conform.Passed},
		{name: "effects unseen", ids: "O01 O02 O03 O04 O05 O06 O07 O08 O09 O10 O12 O13", change: noProbe, want: conform.Unproven, says: "probe"},
		{name: "answers alone", ids: "O11", change: noProbe, want: conform.Passed},
		{name: "ok to all", ids: all, front: alwaysOK, want: conform.Passed},
		{name: "breaks where it refuses", ids: "O05 O10", front: broken, want: conform.Failed, says: "it must not break"},

		{name: "what comes too early is refused", ids: all, front: inOrder(409), want: conform.Passed},
		{name: "refusals are told", ids: "O01 O03 O12", front: inOrder(425), want: conform.Passed, says: "accepted when they were delivered again"},
		{name: "breaks on what comes too early", ids: "O03 O05 O11", front: inOrder(500), want: conform.Failed, says: "it must not break"},

		{name: "no states told", ids: all, change: without("state"), want: conform.Passed},
		{name: "no states told, and says so", ids: "O01 O09", change: without("state"), want: conform.Passed, says: "only amounts"},
		{name: "no refunds told", ids: "O06", change: without("refunded"), want: conform.Unproven, says: "refunded=PATH"},
		{name: "no balance told", ids: all, change: without("balance"), want: conform.Passed},
		{name: "only the balance moves", bug: "reverses-when-failed", ids: "O06", change: without("state"), want: conform.Failed, says: "reversed"},

		{name: "set aside when it fails", ids: "O06", front: review, change: toReview, want: conform.Passed},
		{name: "a late payment under a state of its own", bug: "credits-after-expired", ids: "O08", front: late, change: tooLate, want: conform.Passed, says: "not silently"},
		{name: "a late payment like any other", bug: "credits-after-expired", ids: "O08", change: without("state"), want: conform.Failed, says: "silently"},
		{name: "set aside when it was refused", bug: "reopens-refused", ids: "O09", front: over, change: isOver, want: conform.Passed, says: "went from"},
		{name: "what was paid after the end is dropped", bug: "credits-after-expired", ids: "O08", front: dropsAfter("Cancel"), want: conform.Passed},
		{name: "what was paid after the failure is dropped", bug: "credits-after-failed", ids: "O07", front: dropsAfter("Fail"), want: conform.Passed},

		{name: "each disorder is named", bug: "last-event-wins", ids: "O12", want: conform.Failed, says: "in the order transaction created, transaction complete, invoice complete, invoice pending: state Pending"},
		{name: "one credit for two orders", bug: "double-credit", ids: "O10", want: conform.Failed, says: "from Complete, when it is paid: credited"},
		{name: "the older timestamp loses", ids: "O13", front: newestOnly, want: conform.Failed, says: "not credited"},
	})
}

// newestOnly drops what is older, by its timestamp, than the last event of the
// same payment.
func newestOnly(m http.Handler) http.HandlerFunc {
	var mu sync.Mutex
	newest := map[string]string{}
	return seeing(func(w http.ResponseWriter, _ *http.Request, body string) bool {
		doc, err := jsondoc.Parse([]byte(body))
		at := doc.Member("timestamp")
		if err != nil || at == nil {
			return false
		}
		mu.Lock()
		defer mu.Unlock()
		id := text(body, "invoiceId")
		if at.Text < newest[id] {
			_, _ = io.WriteString(w, `{"status":"ok"}`)
			return true
		}
		newest[id] = at.Text
		return false
	})(m)
}

// dropsAfter drops what happened, by its timestamp, after the payment came to a
// state.
func dropsAfter(state string) func(http.Handler) http.HandlerFunc {
	var ends sync.Map
	return seeing(func(w http.ResponseWriter, _ *http.Request, body string) bool {
		doc, err := jsondoc.Parse([]byte(body))
		at := doc.Member("timestamp")
		if err != nil || at == nil {
			return false
		}
		if text(body, "state") == state {
			ends.Store(text(body, "invoiceId"), at.Text)
		}
		end, ended := ends.Load(text(body, "invoiceId"))
		if ended && at.Text > end.(string) { //nolint:errcheck,forcetypeassert // it is one
			_, _ = io.WriteString(w, `{"status":"ok"}`)
			return true
		}
		return false
	})
}
