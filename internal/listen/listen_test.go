package listen_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func load(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// post is the payload of a state of one payment, ready to be changed.
func post(t testing.TB, c *contract.Contract, subject, state string, index uint64) (path string, body []byte) {
	t.Helper()
	st := c.Subject(subject).State(state)
	p := payment.New(c, payment.Options{Seed: 7, Index: index, Start: c.Epoch, Toward: []*contract.State{c.Subject("invoice").State("complete")}})
	doc, err := generate.Payload(c, p, st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return st.Path, doc.AppendCanonical(nil)
}

// receiver is a handler and what it reported.
type receiver struct {
	*listen.Handler
	got []listen.Delivery
}

func newReceiver(c *contract.Contract, alwaysOK bool, strict verify.Strict) *receiver {
	r := &receiver{}
	r.Handler = listen.New(listen.Options{
		Contract: c, Checker: verify.NewChecker(c, strict), AlwaysOK: alwaysOK,
		Now:        func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) },
		OnDelivery: func(d *listen.Delivery) { r.got = append(r.got, *d) },
	})
	return r
}

func (r *receiver) serve(method, path string, header map[string]string, body io.Reader) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(context.Background(), method, path, body)
	request.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		request.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, request)
	return w
}

// answer is the part of an answer that tests look at.
type answer struct {
	Status   int
	Body     map[string]any // without the findings
	Findings []string       // "severity code pointer"
}

func read(t *testing.T, w *httptest.ResponseRecorder) answer {
	t.Helper()
	a := answer{Status: w.Code}
	if err := json.Unmarshal(w.Body.Bytes(), &a.Body); err != nil {
		t.Fatalf("%q: %v", w.Body, err)
	}
	findings, _ := a.Body["findings"].([]any)
	for _, f := range findings {
		f, _ := f.(map[string]any)
		a.Findings = append(a.Findings, strings.TrimRight(fmt.Sprintf("%s %s %s", f["severity"], f["code"], pointer(f)), " "))
	}
	delete(a.Body, "findings")
	return a
}

// pointer returns a finding's pointer, which can be as long as a payload is deep.
func pointer(f map[string]any) string {
	s, _ := f["pointer"].(string)
	if deep := strings.Repeat("/0", 10); strings.HasPrefix(s, deep) {
		return "/0/0" // as deep as it goes
	}
	return s
}

func ok() map[string]any         { return map[string]any{"status": "ok"} }
func invalid() map[string]any    { return map[string]any{"error": "Invalid payload"} }
func wrongEvent() map[string]any { return map[string]any{"error": "Invalid event type"} }
func conflict() map[string]any   { return map[string]any{"error": "Illegal transition"} }

// TestAnswers sends one delivery of every kind to a fresh listener.
func TestAnswers(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	_, cancel := post(t, c, "transaction", "created", 0)
	padded := func(size int) string { return string(body) + strings.Repeat(" ", size-len(body)) }
	change := func(from, to string) string {
		if !strings.Contains(string(body), from) {
			t.Fatalf("%s is not in %s", from, body)
		}
		return strings.Replace(string(body), from, to, 1)
	}
	for _, test := range []struct {
		name         string
		method, path string
		header       map[string]string
		body         string
		want         answer
	}{
		{"a legal delivery", "POST", path, nil, string(body), answer{200, ok(), nil}},
		{"with a charset", "POST", path, map[string]string{"Content-Type": "application/json; charset=utf-8"}, string(body), answer{200, ok(), nil}},
		{"with a charset as many write it", "POST", path, map[string]string{"Content-Type": "application/json; charset=UTF8"}, string(body), answer{200, ok(), nil}},
		{"with a type in capitals", "POST", path, map[string]string{"Content-Type": "Application/JSON"}, string(body), answer{200, ok(), nil}},
		{"with a query", "POST", path + "?a=b", nil, string(body), answer{200, ok(), nil}},
		{"of exactly 1 MiB", "POST", path, nil, padded(1 << 20), answer{200, ok(), nil}},
		{"with a field more", "POST", path, nil, change(`"data":{`, `"data":{"extra":1,`), answer{200, ok(), []string{"warning unknown-field /data/extra"}}},

		{"of one byte more than 1 MiB", "POST", path, nil, padded(1<<20 + 1), answer{413, invalid(), []string{"violation body-too-large"}}},
		{"with another method", "PUT", path, nil, string(body), answer{405, invalid(), []string{"violation wrong-method"}}},
		{"with GET", "GET", path, nil, "", answer{405, invalid(), []string{"violation wrong-method"}}},
		{"to an unknown path", "POST", "/callback/update-invoices", nil, string(body), answer{404, invalid(), []string{"violation unknown-path"}}},
		{"to a path with a slash more", "POST", path + "/", nil, string(body), answer{404, invalid(), []string{"violation unknown-path"}}},
		{"to the health check", "POST", listen.HealthPath, nil, string(body), answer{404, invalid(), []string{"violation unknown-path"}}},
		{"to the path of another event", "POST", "/callback/create-transaction", nil, string(body), answer{400, wrongEvent(), []string{"violation wrong-path"}}},
		{"as text", "POST", path, map[string]string{"Content-Type": "text/plain"}, string(body), answer{415, invalid(), []string{"violation wrong-content-type"}}},
		{"as a form", "POST", path, map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, string(body), answer{415, invalid(), []string{"violation wrong-content-type"}}},
		{"without a type", "POST", path, map[string]string{"Content-Type": ""}, string(body), answer{415, invalid(), []string{"violation wrong-content-type"}}},
		{"with a broken type", "POST", path, map[string]string{"Content-Type": "application/json; ="}, string(body), answer{415, invalid(), []string{"violation wrong-content-type"}}},
		{"in another charset", "POST", path, map[string]string{"Content-Type": "application/json; charset=euc-kr"}, string(body), answer{415, invalid(), []string{"violation wrong-content-type"}}},
		{"compressed", "POST", path, map[string]string{"Content-Encoding": "gzip"}, string(body), answer{415, invalid(), []string{"violation wrong-content-encoding"}}},

		{"that is empty", "POST", path, nil, "", answer{400, invalid(), []string{"violation invalid-json"}}},
		{"that is no JSON", "POST", path, nil, "a=b", answer{400, invalid(), []string{"violation invalid-json"}}},
		{"that is cut off", "POST", path, nil, string(body[:len(body)-1]), answer{400, invalid(), []string{"violation invalid-json"}}},
		{"that is no UTF-8", "POST", path, nil, change(`"title":"`, "\"title\":\"\xff"), answer{400, invalid(), []string{"violation invalid-utf8 /data/title"}}},
		{"with a key twice", "POST", path, nil, change(`"data":{`, `"data":{"title":"x",`), answer{400, invalid(), []string{"violation duplicate-key /data/title"}}},
		{"that is too deep", "POST", path, nil, strings.Repeat("[", 100_000), answer{400, invalid(), []string{"violation too-deep /0/0"}}},
		{"of an unknown event", "POST", path, nil, change("invoice.updated", "invoice.deleted"), answer{400, wrongEvent(), []string{"violation unknown-event /event"}}},
		{"of an unknown state", "POST", path, nil, change(`"state":"Pending"`, `"state":"Paid"`), answer{400, invalid(), []string{"violation unknown-state /data/state"}}},
		{"with a field less", "POST", path, nil, change(`"customerId"`, `"custemorId"`), answer{400, invalid(), []string{"violation missing-field /data/customerId", "warning unknown-field /data/custemorId"}}},
		{"with a wrong type", "POST", path, nil, change(`"title":"`, `"title":7,"x":"`), answer{400, invalid(), []string{"violation wrong-type /data/title", "warning unknown-field /data/x"}}},
		{"with a wrong value", "POST", path, nil, change(`"cashAmount":"`, `"cashAmount":"-`), answer{400, invalid(), []string{"violation wrong-value /data/cashAmount"}}},

		{"that makes an illegal move", "POST", path, nil, change(`"previousState":"Ready"`, `"previousState":"Complete"`), answer{409, conflict(), []string{"violation illegal-transition /data/previousState"}}},
		{"that moves nowhere", "POST", path, nil, change(`"previousState":"Ready"`, `"previousState":"Pending"`), answer{409, conflict(), []string{"violation self-transition /data/previousState"}}},
		{"that is a first of another path", "POST", "/callback/create-transaction", nil, string(cancel), answer{200, ok(), nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newReceiver(c, false, verify.Strict{})
			w := r.serve(test.method, test.path, test.header, strings.NewReader(test.body))
			if diff := cmp.Diff(test.want, read(t, w)); diff != "" {
				t.Error(diff)
			}
			if got := w.Header().Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type %q", got)
			}
			if allow := w.Header().Get("Allow"); (w.Code == 405) != (allow == "POST") {
				t.Errorf("%d with Allow %q", w.Code, allow)
			}
			if len(r.got) != 1 || r.got[0].Status != w.Code || !bytes.Equal(r.got[0].Answer, w.Body.Bytes()) {
				t.Errorf("reported as %+v", r.got)
			}

			lenient := newReceiver(c, true, verify.Strict{})
			w = lenient.serve(test.method, test.path, test.header, strings.NewReader(test.body))
			if diff := cmp.Diff(answer{200, ok(), nil}, read(t, w)); diff != "" {
				t.Error("always ok:", diff)
			}
			if len(lenient.got) != 1 || lenient.got[0].Verdict.OK() != (test.want.Status == 200) {
				t.Errorf("always ok: reported as %+v", lenient.got)
			}
		})
	}
}

// TestDelivery holds that a delivery is reported as it came.
func TestDelivery(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "complete", 0)
	r := newReceiver(c, false, verify.Strict{})
	r.serve("POST", path, map[string]string{"X-Signature": "abc"}, bytes.NewReader(body))
	if len(r.got) != 1 {
		t.Fatalf("%d deliveries", len(r.got))
	}
	d := r.got[0]
	if d.Method != "POST" || d.Path != path || !bytes.Equal(d.Body, body) || d.Header.Get("X-Signature") != "abc" || d.Time.IsZero() {
		t.Errorf("%+v", d)
	}
	if d.Verdict.State != c.Subject("invoice").State("complete") || !d.Verdict.OK() {
		t.Errorf("%+v", d.Verdict)
	}
}

// TestRepeated sends deliveries one after the other to one listener.
func TestRepeated(t *testing.T) {
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 0)
	_, complete := post(t, c, "invoice", "complete", 0)
	_, cancel := post(t, c, "invoice", "cancel", 0)
	duplicate := map[string]any{"status": "duplicate"}
	type step struct {
		body []byte
		want answer
	}
	late := step{pending, answer{200, ok(), []string{"note late"}}}
	gap := step{complete, answer{200, ok(), []string{"note gap"}}}
	first := step{pending, answer{200, ok(), nil}}
	for _, test := range []struct {
		name   string
		strict verify.Strict
		steps  []step
	}{
		{"in order", verify.Strict{}, []step{first, {complete, answer{200, ok(), nil}}}},
		{"twice", verify.Strict{}, []step{first, {pending, answer{200, duplicate, []string{"note duplicate"}}}}},
		{"twice, strictly", verify.Strict{Duplicates: true}, []step{first, {pending, answer{409, conflict(), []string{"violation duplicate"}}}}},
		{"backwards", verify.Strict{}, []step{gap, late}},
		{"backwards, strictly", verify.Strict{Order: true}, []step{gap, {pending, answer{409, conflict(), []string{"violation late"}}}}},
		{"with a contradiction", verify.Strict{}, []step{first, {cancel, answer{409, conflict(), []string{"violation contradictory-transition /data/state"}}}}},
		{
			"with a drift",
			verify.Strict{},
			[]step{first, {bytes.Replace(complete, []byte(`"title":"`), []byte(`"title":"x`), 1), answer{409, conflict(), []string{"violation fact-drift /data/title"}}}},
		},
		{
			"with a conflict",
			verify.Strict{},
			[]step{first, {bytes.Replace(pending, []byte(`"title":"`), []byte(`"title":"x`), 1), answer{409, conflict(), []string{"violation conflicting-duplicate /data/title"}}}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := newReceiver(c, false, test.strict)
			for i, step := range test.steps {
				if diff := cmp.Diff(step.want, read(t, r.serve("POST", path, nil, bytes.NewReader(step.body)))); diff != "" {
					t.Errorf("step %d: %s", i, diff)
				}
			}
		})
	}
}

// TestNoDelivery holds that what asks for a page is answered, and not reported.
func TestNoDelivery(t *testing.T) {
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"GET", "/healthz", 200},
		{"HEAD", "/healthz", 200},
		{"GET", "/favicon.ico", 404},
		{"GET", "/", 404},
		{"HEAD", "/", 404},
		{"OPTIONS", "/x", 404},
		{"DELETE", "/healthz", 404},
	} {
		r := newReceiver(load(t), false, verify.Strict{})
		if w := r.serve(test.method, test.path, nil, nil); w.Code != test.status || len(r.got) != 0 {
			t.Errorf("%s %s: %d, %d deliveries", test.method, test.path, w.Code, len(r.got))
		}
	}
}

// TestUnreadableBody holds that a sender that stops in the middle is reported.
func TestUnreadableBody(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	r := newReceiver(c, false, verify.Strict{})
	cut := io.MultiReader(bytes.NewReader(body[:10]), iotest.ErrReader(errors.New("the line went dead")))
	got := read(t, r.serve("POST", path, nil, cut))
	if diff := cmp.Diff(answer{400, invalid(), []string{"violation body-unreadable"}}, got); diff != "" {
		t.Error(diff)
	}
	if len(r.got) != 1 || !bytes.Equal(r.got[0].Body, body[:10]) {
		t.Errorf("reported as %+v", r.got)
	}
}

// TestConcurrent delivers many payments, each event several times, all at once.
// Under the race detector it also holds that deliveries are reported one at a
// time.
func TestConcurrent(t *testing.T) {
	const payments, times = 50, 3
	c := load(t)
	r := newReceiver(c, false, verify.Strict{})
	var senders sync.WaitGroup
	start := make(chan struct{})
	for i := range payments {
		for _, st := range c.Flow {
			path, body := post(t, c, st.Subject.Name, st.Name, uint64(i))
			for range times {
				senders.Go(func() {
					<-start
					if w := r.serve("POST", path, nil, bytes.NewReader(body)); w.Code != http.StatusOK {
						t.Errorf("%d %s", w.Code, w.Body)
					}
				})
			}
		}
	}
	close(start)
	senders.Wait()
	duplicates := 0
	for _, d := range r.got {
		if d.Verdict.Duplicate {
			duplicates++
		}
	}
	if want := payments * len(c.Flow); len(r.got) != want*times || duplicates != want*(times-1) {
		t.Errorf("%d deliveries, %d duplicates", len(r.got), duplicates)
	}
	s := r.Checker.Summary()
	if s.Subjects != 2*payments || s.GapCount != 0 {
		t.Errorf("%+v", s)
	}
}

// FuzzServe holds that a listener answers every request with a status and JSON.
func FuzzServe(f *testing.F) {
	c := load(f)
	path, body := post(f, c, "invoice", "complete", 0)
	f.Add("POST", path, "application/json", body)
	f.Add("POST", path, "", []byte("{}"))
	f.Add("POST", "/", "text/plain; =", []byte(nil))
	f.Add("GET", listen.HealthPath, "application/json; charset=x", []byte("\xff"))
	f.Fuzz(func(t *testing.T, method, path, contentType string, body []byte) {
		request := httptest.NewRequestWithContext(t.Context(), "POST", "/", bytes.NewReader(body))
		request.Method, request.URL.Path = method, path
		request.Header.Set("Content-Type", contentType)
		r := newReceiver(c, false, verify.Strict{})
		w := httptest.NewRecorder()
		r.ServeHTTP(w, request)
		if len(r.got) == 0 {
			return
		}
		if !json.Valid(w.Body.Bytes()) || w.Code < 200 || w.Code == 500 || r.got[0].Verdict.OK() != (w.Code == 200) {
			t.Fatalf("%d %q", w.Code, w.Body)
		}
	})
}
