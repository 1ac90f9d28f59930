package merchant_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
)

// expect compares what became of payment n.
func (w *world) expect(n uint64, want effect) {
	w.t.Helper()
	if diff := cmp.Diff(want, w.of(n)); diff != "" {
		w.t.Errorf("payment %d (-want +got):\n%s", n, diff)
	}
}

func (w *world) answers(what string, got, want int) {
	w.t.Helper()
	if got != want {
		w.t.Errorf("%s: answered %d, want %d", what, got, want)
	}
}

func TestDocumentedFlow(t *testing.T) {
	w := newWorld(t, "")
	for _, st := range w.c.Flow {
		rec := w.post(st, w.body(1, st))
		if rec.Code != http.StatusOK || rec.Body.String() != `{"status":"ok"}` || rec.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s %s", st, rec.Code, rec.Header(), rec.Body)
		}
	}
	w.expect(1, w.paid(1))
	rec := w.post(w.r.Paid, w.body(1, w.r.Paid))
	if rec.Code != http.StatusOK || rec.Body.String() != `{"status":"duplicate"}` {
		t.Errorf("the duplicate: %d %s", rec.Code, rec.Body)
	}
	w.expect(1, w.paid(1))
}

func TestProbe(t *testing.T) {
	w := newWorld(t, "")
	if _, code := w.probe("never-heard-of"); code != http.StatusNotFound {
		t.Errorf("an unknown payment is %d", code)
	}
	w.send(1, w.r.Seen)
	w.expect(1, nothing("Ready"))
	w.send(1, w.r.Paid)
	if e, code := w.probe(strings.ToUpper(w.id(1))); code != http.StatusOK || e != w.paid(1) {
		t.Errorf("the id in upper case: %d %+v", code, e)
	}
	rec := w.do(httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/orders/"+w.id(1), http.NoBody))
	if rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != http.MethodGet {
		t.Errorf("POST to the probe: %d, Allow %q", rec.Code, rec.Header().Get("Allow"))
	}
}

// TestOrders shows that a payment's end does not depend on the order of its
// events.
func TestOrders(t *testing.T) {
	w := newWorld(t, "")
	var try func(taken []*contract.State)
	orders := uint64(0)
	try = func(taken []*contract.State) {
		if len(taken) == len(w.c.Flow) {
			orders++
			for _, st := range taken {
				w.answers(fmt.Sprint(taken, st), w.send(orders, st), http.StatusOK)
			}
			w.expect(orders, w.paid(orders))
			return
		}
		for _, st := range w.c.Flow {
			if !slices.Contains(taken, st) {
				try(append(taken[:len(taken):len(taken)], st))
			}
		}
	}
	try(nil)
	if orders != 24 {
		t.Errorf("tried %d orders", orders)
	}
}

// TestOrdered shows that an ordered merchant refuses what comes too early, keeps
// nothing of it, and takes it when it comes again.
func TestOrdered(t *testing.T) {
	w := newWorld(t, "", func(o *merchant.Options) { o.Ordered = true })
	for _, v := range []struct {
		state  *contract.State
		status int
	}{
		{w.r.Paid, http.StatusConflict},
		{w.r.Confirmed, http.StatusConflict},
		{w.r.Pending, http.StatusOK},
		{w.r.Confirmed, http.StatusConflict},
		{w.r.Paid, http.StatusOK},
		{w.r.Paid, http.StatusOK},
		{w.r.Seen, http.StatusOK},
		{w.r.Confirmed, http.StatusOK},
	} {
		w.answers(v.state.String(), w.send(1, v.state), v.status)
	}
	w.expect(1, w.paid(1))
}

// step is one delivery about payment 1 and how it must be answered.
type step struct {
	state  func(*contract.Roles) *contract.State
	from   func(*contract.Roles) *contract.State // nil is the usual one
	edits  []edit
	status int
}

func waiting(r *contract.Roles) *contract.State   { return r.Waiting }
func pending(r *contract.Roles) *contract.State   { return r.Pending }
func paid(r *contract.Roles) *contract.State      { return r.Paid }
func failed(r *contract.Roles) *contract.State    { return r.Failed }
func expired(r *contract.Roles) *contract.State   { return r.Expired }
func refusedBy(r *contract.Roles) *contract.State { return r.Refused }
func seen(r *contract.Roles) *contract.State      { return r.Seen }
func confirmed(r *contract.Roles) *contract.State { return r.Confirmed }
func dropped(r *contract.Roles) *contract.State   { return r.Dropped }
func initial(r *contract.Roles) *contract.State   { return r.Paid.Subject.Initial }

func TestStates(t *testing.T) {
	w := newWorld(t, "")
	credit, refund := w.paid(1), effect{"Fail", "0", w.received(1), "0", "-" + w.received(1)}
	hash := set("data.transaction.detail", strings.Repeat("ab", 32))
	mismatch := []edit{set("data.failureReason", "amount_mismatch"), set("data.amount", w.received(1))}
	for _, v := range []struct {
		name  string
		steps []step
		want  effect
	}{
		{"pending comes late", []step{{state: paid, status: 200}, {state: pending, status: 200}}, credit},
		{"waited", []step{{state: waiting, status: 200}, {state: pending, from: waiting, status: 200}, {state: paid, status: 200}}, credit},
		{"from the initial state", []step{{state: paid, from: initial, status: 409}}, effect{}},
		{"from the initial state, then rightly", []step{{state: paid, from: initial, status: 409}, {state: paid, status: 200}}, credit},
		{"paid, then failed", []step{{state: paid, status: 200}, {state: failed, from: paid, status: 409}, {state: failed, status: 409}}, credit},
		{"failed, then paid", []step{{state: failed, status: 200}, {state: paid, status: 409}, {state: paid, from: failed, status: 409}}, refund},
		{"failed, then pending", []step{{state: failed, status: 200}, {state: pending, status: 200}}, refund},
		{"failed twice", []step{{state: failed, status: 200}, {state: failed, status: 200}}, refund},
		{"failed for another reason", []step{{state: failed, edits: []edit{set("data.reason", "transaction_expired")}, status: 200}}, nothing("Fail")},
		{"mismatch of both", []step{{state: dropped, edits: mismatch, status: 200}, {state: failed, status: 200}}, refund},
		{"mismatch of both, the other way round", []step{{state: failed, status: 200}, {state: dropped, edits: mismatch, status: 200}}, refund},
		{"expired, then paid", []step{{state: expired, status: 200}, {state: pending, status: 409}, {state: paid, status: 409}}, nothing("Cancel")},
		{"refused, then pending", []step{{state: waiting, status: 200}, {state: refusedBy, status: 200}, {state: pending, status: 409}, {state: paid, status: 409}}, nothing("Reject")},
		{"another previous state", []step{{state: pending, status: 200}, {state: paid, status: 200}, {state: paid, from: waiting, status: 409}, {state: pending, from: paid, status: 409}}, credit},
		{"no previous state", []step{{state: paid, edits: []edit{drop("data.previousState")}, status: 200}}, credit},
		{"an unknown previous state", []step{{state: paid, edits: []edit{set("data.previousState", "Frozen")}, status: 409}}, effect{}},
		{"both subjects complete", []step{{state: confirmed, status: 200}, {state: paid, status: 200}, {state: seen, status: 200}}, credit},
		{"a transfer that failed pays nothing", []step{{state: dropped, status: 200}, {state: paid, status: 409}}, nothing("Ready")},
		{"a transfer that paid cannot fail", []step{{state: paid, status: 200}, {state: dropped, status: 409}}, credit},
		{"confirmed, then dropped", []step{{state: confirmed, status: 200}, {state: dropped, status: 409}, {state: paid, status: 200}}, credit},
		{"another amount than when pending", []step{{state: pending, status: 200}, {state: paid, edits: []edit{set("data.cryptoAmount", "1.000000")}, status: 409}}, nothing("Pending")},
		{"another amount than received", []step{{state: seen, edits: []edit{set("data.amount", "1.000000")}, status: 200}, {state: paid, status: 409}}, nothing("Ready")},
		{"another amount than before", []step{{state: paid, status: 200}, {state: paid, edits: []edit{set("data.cryptoAmount", "1.000000")}, status: 409}}, credit},
		{"another transfer's amount than before", []step{{state: seen, status: 200}, {state: seen, edits: []edit{set("data.amount", "1.000000")}, status: 409}, {state: paid, status: 200}}, credit},
		{"the same amount, written otherwise", []step{{state: pending, status: 200}, {state: paid, edits: []edit{set("data.cryptoAmount", w.price(1))}, status: 200}}, credit},
		{"restamped", []step{{state: paid, status: 200}, {state: paid, edits: []edit{set("timestamp", "2026-03-14T12:01:00.000Z")}, status: 200}}, credit},
		{"an older timestamp", []step{{state: pending, status: 200}, {state: paid, edits: []edit{set("timestamp", "2026-03-14T11:58:00.000Z")}, status: 200}, {state: pending, edits: []edit{set("timestamp", "2026-03-14T12:01:00.000Z")}, status: 200}}, credit},
		{"a new id of the same transfer", []step{{state: paid, status: 200}, {state: paid, edits: []edit{set("data.transaction.id", "another")}, status: 200}}, credit},
		{"a new id of the same transfer, in its own event", []step{{state: confirmed, status: 200}, {state: paid, status: 200}, {state: confirmed, edits: []edit{set("data.id", "another")}, status: 200}}, credit},
		{"one transfer, another hash", []step{{state: paid, status: 200}, {state: paid, edits: []edit{hash}, status: 409}}, credit},
		{"one transfer, another hash in between", []step{{state: seen, status: 200}, {state: paid, edits: []edit{hash}, status: 409}}, nothing("Ready")},
		{"another transfer of a paid payment", []step{{state: paid, status: 200}, {state: paid, edits: []edit{hash, set("data.transaction.id", "another")}, status: 409}}, credit},
		{"another customer", []step{{state: pending, status: 200}, {state: paid, edits: []edit{set("data.customerId", "somebody")}, status: 409}}, nothing("Pending")},
		{"another asset than before", []step{{state: seen, status: 200}, {state: paid, edits: []edit{set("data.cryptoAssetId", number("101"))}, status: 409}}, nothing("Ready")},
		{"the id in upper case", []step{{state: paid, status: 200}, {state: paid, edits: []edit{set("data.invoiceId", strings.ToUpper(w.id(1)))}, status: 200}}, credit},
	} {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t, "")
			for i, s := range v.steps {
				var from *contract.State
				if s.from != nil {
					from = s.from(w.r)
				}
				w.answers(fmt.Sprintf("step %d, %s", i+1, s.state(w.r)), w.from(s.state(w.r), from, s.edits...), s.status)
			}
			w.expect(1, v.want)
		})
	}
}

// TestOneHashTwoOutputs shows that the second payment that a hash pays is
// credited, and that one output pays only one.
func TestOneHashTwoOutputs(t *testing.T) {
	w := newWorld(t, "")
	hash := w.text(1, w.r.Paid, "data.transaction.detail")
	for _, st := range []*contract.State{w.r.Seen, w.r.Paid, w.r.Confirmed} {
		w.answers("first", w.send(1, st), http.StatusOK)
		path := "data.detail"
		if st == w.r.Paid {
			path = "data.transaction.detail"
		}
		w.answers("second", w.send(2, st, set(path, strings.ToUpper(hash)), func(d *jsondoc.Value) {
			if st == w.r.Seen {
				set("data.idCode", "1/1")(d)
			}
		}), http.StatusOK)
	}
	w.expect(1, w.paid(1))
	w.expect(2, w.paid(2))
	w.answers("the first output again", w.send(3, w.r.Seen, set("data.detail", hash)), http.StatusConflict)
}

// TestPayload sends one changed event of a paid payment, which has an effect
// exactly when it is credited.
func TestPayload(t *testing.T) {
	long := strings.Repeat("x", 255)
	for _, v := range []struct {
		name   string
		edits  []edit
		status int
		credit string // "" is none, "=" the price
	}{
		{"as it is", nil, 200, "="},
		{"unknown fields", []edit{set("extra", "x"), set("data.extra", number("1")), set("data.transaction.__proto__", "x")}, 200, "="},
		{"case variants", []edit{drop("data.state"), set("data.State", "Complete"), set("data.\u017ftate", "Complete")}, 400, ""},
		{"unknown state", []edit{set("data.state", "Frozen")}, 200, ""},
		{"initial state", []edit{set("data.state", "Ready")}, 200, ""},
		{"no state", []edit{drop("data.state")}, 400, ""},
		{"state of another type", []edit{set("data.state", jsondoc.ArrayValue(jsondoc.StringValue("Complete")))}, 400, ""},
		{"previous state of another type", []edit{set("data.previousState", number("1"))}, 400, ""},
		{"no data", []edit{drop("data")}, 400, ""},
		{"data null", []edit{set("data", nil)}, 400, ""},
		{"data a list", []edit{set("data", jsondoc.ArrayValue())}, 400, ""},
		{"no event", []edit{drop("event")}, 400, ""},
		{"unknown event", []edit{set("event", "payment.updated")}, 400, ""},
		{"event of another type", []edit{set("event", nil)}, 400, ""},
		{"no title", []edit{drop("data.title")}, 200, "="},
		{"title null", []edit{set("data.title", nil)}, 200, "="},
		{"title of another type", []edit{set("data.title", number("1"))}, 400, ""},
		{"an unused fact of another form", []edit{set("data.transaction.from", "somewhere")}, 200, "="},
		{"an object for a name", []edit{set("data.customerName", jsondoc.ObjectValue(jsondoc.Member{Name: "$gt", Value: jsondoc.StringValue("")}))}, 400, ""},
		{"the transfer of another type", []edit{set("data.transaction", "x")}, 400, ""},
		{"no transfer", []edit{drop("data.transaction")}, 200, "="},
		{"no id", []edit{drop("data.invoiceId")}, 400, ""},
		{"an empty id", []edit{set("data.invoiceId", "")}, 400, ""},
		{"no customer", []edit{drop("data.customerId")}, 400, ""},
		{"a long customer", []edit{set("data.customerId", long)}, 200, "="},
		{"too long a customer", []edit{set("data.customerId", long+"x")}, 400, ""},
		{"no cash", []edit{drop("data.cashAmount")}, 200, "="},
		{"no price", []edit{drop("data.cryptoAmount")}, 400, ""},
		{"a null price", []edit{set("data.cryptoAmount", nil)}, 400, ""},
		{"a hash of another form", []edit{set("data.transaction.detail", "0xabc")}, 400, ""},
		{"an unknown asset", []edit{set("data.cryptoAssetId", number("7"))}, 400, ""},
		{"swapped assets", []edit{set("data.cryptoAssetId", number("1")), set("data.cashAssetId", number("1001"))}, 400, ""},
		{"no asset", []edit{drop("data.cryptoAssetId")}, 400, ""},
		{"a huge asset", []edit{set("data.cryptoAssetId", number("12345678901234567890"))}, 400, ""},
		{"a huge number", []edit{set("data.transaction.blockNum", number("1e400"))}, 400, ""},
		{"a huge number nobody knows", []edit{set("data.extra", number("-1e400"))}, 400, ""},
		{"exactly", []edit{set("data.cryptoAmount", "9007199254740993.000001")}, 200, "9007199254740993.000001"},
		{"large", []edit{set("data.cryptoAmount", "999999999999.999999")}, 200, "999999999999.999999"},
		{"exponent", []edit{set("data.cryptoAmount", "1e5")}, 400, ""},
		{"negative", []edit{set("data.cryptoAmount", "-5.000000")}, 400, ""},
		{"negative nothing", []edit{set("data.cryptoAmount", "-0")}, 400, ""},
		{"nothing", []edit{set("data.cryptoAmount", "0.000000")}, 400, ""},
		{"empty", []edit{set("data.cryptoAmount", "")}, 400, ""},
		{"letters", []edit{set("data.cryptoAmount", "12abc")}, 400, ""},
		{"spaces", []edit{set("data.cryptoAmount", " 5 ")}, 400, ""},
		{"underscores", []edit{set("data.cryptoAmount", "1_000")}, 400, ""},
		{"commas", []edit{set("data.cryptoAmount", "1,000.500000")}, 400, ""},
		{"other digits", []edit{set("data.cryptoAmount", "٥")}, 400, ""},
		{"leading zeros", []edit{set("data.cryptoAmount", "00012")}, 400, ""},
		{"no whole", []edit{set("data.cryptoAmount", ".5")}, 400, ""},
		{"no fraction", []edit{set("data.cryptoAmount", "5.")}, 400, ""},
		{"seven decimals", []edit{set("data.cryptoAmount", "1.0000001")}, 400, ""},
		{"very long", []edit{set("data.cryptoAmount", strings.Repeat("9", 100))}, 400, ""},
		{"a number", []edit{set("data.cryptoAmount", number("74.074074"))}, 400, ""},
		{"NaN", []edit{set("data.cryptoAmount", "NaN")}, 400, ""},
		{"five minutes ago", []edit{set("timestamp", "2026-03-14T11:55:00.000Z")}, 200, "="},
		{"more than five minutes ago", []edit{set("timestamp", "2026-03-14T11:54:59.999Z")}, 400, ""},
		{"more than five minutes ahead", []edit{set("timestamp", "2026-03-14T12:05:00.001Z")}, 400, ""},
		{"another zone", []edit{set("timestamp", "2026-03-14T21:00:00+09:00")}, 200, "="},
		{"no zone", []edit{set("timestamp", "2026-03-14T12:00:00")}, 400, ""},
		{"a leap second", []edit{set("timestamp", "2026-03-14T11:59:60.000Z")}, 200, "="},
		{"the year 9999", []edit{set("timestamp", "9999-12-31T23:59:59.999Z")}, 400, ""},
		{"an epoch", []edit{set("timestamp", number("1773489600"))}, 400, ""},
		{"no timestamp", []edit{drop("timestamp")}, 400, ""},
		{"a proto for a name", []edit{set("data.customerName", "__proto__")}, 200, "="},
		{"NUL, ANSI and CRLF", []edit{set("data.customerName", "a\x00\x1b[31m\r\nX: y")}, 200, "="},
	} {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t, "")
			w.answers(v.name, w.send(1, w.r.Paid, v.edits...), v.status)
			got := w.of(1)
			want := v.credit
			if want == "=" {
				want = w.price(1)
			}
			if got.Credited != want && (want != "" || got != effect{}) {
				t.Errorf("the effect is %+v, want %q credited", got, want)
			}
		})
	}
}

func TestIdsAreOnlyKeys(t *testing.T) {
	w := newWorld(t, "")
	long := strings.Repeat("x", 254)
	for _, id := range []string{"../../etc/passwd", "__proto__", "'; DROP TABLE orders; --", long + "1", long + "2", "İ", "i̇"} {
		w.answers(id, w.send(1, w.r.Paid, set("data.invoiceId", id), drop("data.transaction")), http.StatusOK)
		if e, _ := w.probe(id); e.Credited != w.price(1) || e.Deliveries != "1" {
			t.Errorf("%s: %+v", id, e)
		}
	}
}

func TestBytes(t *testing.T) {
	good := func(w *world) []byte { return w.body(1, w.r.Paid) }
	for _, v := range []struct {
		name   string
		body   func(w *world) []byte
		status int
	}{
		{"indented", func(w *world) []byte { return w.doc(1, w.r.Paid, nil).AppendIndent(nil, "  ") }, 200},
		{"empty", func(*world) []byte { return nil }, 400},
		{"null", func(*world) []byte { return []byte("null") }, 400},
		{"list", func(*world) []byte { return []byte("[]") }, 400},
		{"text", func(*world) []byte { return []byte(`"x"`) }, 400},
		{"number", func(*world) []byte { return []byte("1") }, 400},
		{"malformed", func(*world) []byte { return []byte(`{'a':1}`) }, 400},
		{"byte order mark", func(w *world) []byte { return append([]byte("\ufeff"), good(w)...) }, 400},
		{"trailing bytes", func(w *world) []byte { return append(good(w), 'x') }, 400},
		{"two documents", func(w *world) []byte { return append(good(w), good(w)...) }, 400},
		{"NaN", func(w *world) []byte { return replaced(good(w), `"cashAssetId":1`, `"cashAssetId":NaN`) }, 400},
		{"repeated member", func(w *world) []byte {
			return replaced(good(w), `"state":"Complete"`, `"state":"Fail","state":"Complete"`)
		}, 400},
		{"lone surrogate", func(w *world) []byte { return replaced(good(w), `"title":"`, `"title":"\ud800`) }, 400},
		{"invalid UTF-8", func(w *world) []byte { return replaced(good(w), `"title":"`, "\"title\":\"\xff") }, 400},
		{"deep", func(*world) []byte { return []byte(strings.Repeat("[", 1<<20)) }, 400},
		{"large", func(w *world) []byte { return w.body(1, w.r.Paid, set("data.title", strings.Repeat("x", 1<<20-2000))) }, 200},
		{"too large", func(w *world) []byte { return w.body(1, w.r.Paid, set("data.title", strings.Repeat("x", 1<<20))) }, 413},
	} {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t, "")
			w.answers(v.name, w.post(w.r.Paid, v.body(w)).Code, v.status)
			if e := w.of(1); (e != effect{}) != (v.status == 200) {
				t.Errorf("the effect is %+v", e)
			}
		})
	}
	w := newWorld(t, "")
	body := good(w)
	for i := range body {
		if code := w.post(w.r.Paid, body[:i]).Code; code != http.StatusBadRequest {
			t.Fatalf("cut after %d bytes: %d", i, code)
		}
	}
}

func replaced(body []byte, old, with string) []byte {
	s := string(body)
	if !strings.Contains(s, old) {
		panic("there is no " + old)
	}
	return []byte(strings.Replace(s, old, with, 1))
}

func TestRequests(t *testing.T) {
	const kind, coding = "Content-Type", "Content-Encoding"
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	path := func(p string) func(*http.Request) { return func(r *http.Request) { r.URL.Path = p } }
	for _, v := range []struct {
		name   string
		change func(*http.Request)
		status int
	}{
		{"GET", method(http.MethodGet), 405},
		{"PUT", method(http.MethodPut), 405},
		{"HEAD", method(http.MethodHead), 405},
		{"OPTIONS", method(http.MethodOptions), 405},
		{"trailing slash", path("/callback/update-invoice/"), 404},
		{"upper case", path("/CALLBACK/UPDATE-INVOICE"), 404},
		{"double slashes", path("//callback//update-invoice"), 404},
		{"another event's path", path("/callback/update-transaction"), 400},
		{"a query", func(r *http.Request) { r.URL.RawQuery = "a=b" }, 200},
		{"no type", header(kind, ""), 200},
		{"UTF-8", header(kind, `application/json; charset="UTF-8"`), 200},
		{"vendor", header(kind, "application/vnd.x+json"), 200},
		{"two types", func(r *http.Request) { r.Header.Add(kind, "application/json") }, 415},
		{"text", header(kind, "text/plain"), 415},
		{"broken type", header(kind, "application/json; charset"), 415},
		{"latin", header(kind, "application/json; charset=iso-8859-1"), 415},
		{"gzip", header(coding, "gzip"), 415},
		{"zstd", header(coding, "zstd"), 415},
		{"identity", header(coding, "identity"), 200},
		{"continue", header("Expect", "100-continue"), 200},
		{"expectation", header("Expect", "x"), 417},
		{"100 headers", func(r *http.Request) { headers(r, 100) }, 200},
		{"200 headers", func(r *http.Request) { headers(r, 200) }, 431},
		{"no signature", header("X-Signature", ""), 401},
		{"short signature", header("X-Signature", "abc"), 401},
		{"signature that is not hexadecimal", header("X-Signature", strings.Repeat("z", 64)), 401},
		{"wrong signature", header("X-Signature", strings.Repeat("0", 64)), 401},
		{"prefixed signature", func(r *http.Request) { r.Header.Set("X-Signature", "sha256="+r.Header.Get("X-Signature")) }, 401},
		{"two signatures", func(r *http.Request) { r.Header.Add("X-Signature", r.Header.Get("X-Signature")) }, 401},
	} {
		t.Run(v.name, func(t *testing.T) {
			w := newWorld(t, "")
			rec := w.post(w.r.Paid, w.body(1, w.r.Paid), v.change)
			w.answers(v.name, rec.Code, v.status)
			if e := w.of(1); (e != effect{}) != (v.status == 200) {
				t.Errorf("the effect is %+v", e)
			}
			if allow := rec.Header().Get("Allow"); (allow == http.MethodPost) != (v.status == 405) {
				t.Errorf("Allow: %q", allow)
			}
			if _, err := jsondoc.Parse(rec.Body.Bytes()); err != nil || rec.Body.Len() > 100 {
				t.Errorf("the answer is %s", rec.Body)
			}
		})
	}
}

func headers(r *http.Request, n int) {
	for i := range n {
		r.Header.Set("X-"+strconv.Itoa(i), "x")
	}
}

func TestSignatures(t *testing.T) {
	w := newWorld(t, "")
	body := w.body(1, w.r.Paid)
	for what, v := range map[string]struct {
		signature string
		status    int
	}{
		"the new secret": {sign(body, shared), 200},
		"the old secret": {sign(body, older), 200},
		"another secret": {sign(body, "another"), 401},
		"another body":   {sign(w.body(2, w.r.Paid), shared), 401},
	} {
		rec := w.post(w.r.Paid, body, header("X-Signature", v.signature))
		w.answers(what, rec.Code, v.status)
		if v.status == 401 && rec.Body.String() != `{"error":"Invalid signature"}` {
			t.Errorf("%s: %s", what, rec.Body)
		}
	}
	indented := w.doc(2, w.r.Paid, nil).AppendIndent(nil, " ")
	restringified := sign(w.doc(2, w.r.Paid, nil).AppendCanonical(nil), shared)
	w.answers("a signature of other bytes", w.post(w.r.Paid, indented, header("X-Signature", restringified)).Code, 401)

	open := newWorld(t, "", func(o *merchant.Options) { o.Secrets = nil })
	open.answers("no secret", open.post(open.r.Paid, body, header("X-Signature", "")).Code, 200)
}

func TestNew(t *testing.T) {
	c := pack(t)
	for what, v := range map[string]struct {
		o    merchant.Options
		want error
		says string
	}{
		"no contract": {merchant.Options{Now: noon}, merchant.ErrRoles, "roles"},
		"no roles":    {merchant.Options{Contract: &contract.Contract{}, Now: noon}, merchant.ErrRoles, "roles"},
		"no clock":    {merchant.Options{Contract: c}, merchant.ErrClock, "Now"},
		"near bug":    {merchant.Options{Contract: c, Now: noon, Bug: "double-credits"}, merchant.ErrBug, "double-credit"},
		"case":        {merchant.Options{Contract: c, Now: noon, Bug: "i01"}, merchant.ErrBug, "double-credit"},
		"strange bug": {merchant.Options{Contract: c, Now: noon, Bug: "xyzzy"}, merchant.ErrBug, "there are"},
	} {
		if _, err := merchant.New(v.o); !errors.Is(err, v.want) || !strings.Contains(err.Error(), v.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	unsigned := &contract.Contract{Roles: c.Roles}
	if _, err := merchant.New(merchant.Options{Contract: unsigned, Now: noon, Secrets: []signature.Secret{secret(t, shared)}}); !errors.Is(err, merchant.ErrSigned) {
		t.Errorf("unsigned: %v", err)
	}
	if _, err := merchant.New(merchant.Options{Contract: unsigned, Now: noon}); err != nil {
		t.Error(err)
	}
}

func TestRestartAndFailure(t *testing.T) {
	w := newWorld(t, "")
	w.m.FailNext()
	w.answers("refused before it is processed", w.send(1, w.r.Paid, drop("data.cryptoAmount")), 400)
	w.answers("the failure", w.send(1, w.r.Paid), 500)
	w.expect(1, effect{})
	w.answers("the retry", w.send(1, w.r.Paid), 200)
	w.expect(1, w.paid(1))
	w.m.Restart()
	if rec := w.post(w.r.Paid, w.body(1, w.r.Paid)); rec.Body.String() != `{"status":"duplicate"}` {
		t.Errorf("after a restart: %s", rec.Body)
	}
	w.expect(1, w.paid(1))
}

// TestParallel delivers equal and different events at once.
func TestParallel(t *testing.T) {
	w := newWorld(t, "")
	var wg sync.WaitGroup
	for range 20 {
		for n := range uint64(3) {
			body := w.body(n, w.r.Paid)
			wg.Go(func() { w.post(w.r.Paid, body) })
		}
	}
	wg.Wait()
	for n := range uint64(3) {
		w.expect(n, w.paid(n))
	}
}

// TestSum adds ten payments of one customer up.
func TestSum(t *testing.T) {
	w := newWorld(t, "")
	for n := range uint64(10) {
		name := map[bool]string{true: "Zoë", false: "Zoe\u0308"}[n%2 == 0]
		w.send(n, w.r.Paid, set("data.cryptoAmount", "0.1"), set("data.customerId", "somebody"), set("data.customerName", name))
	}
	if e := w.of(3); e.Balance != "1" || e.Credited != "0.1" {
		t.Errorf("%+v", e)
	}
}

// TestRefusedKeepNothing floods a merchant with what it refuses.
func TestRefusedKeepNothing(t *testing.T) {
	w := newWorld(t, "")
	for n := range uint64(300) {
		w.send(n, w.r.Paid, set("data.cryptoAmount", "1e5"))
		w.post(w.r.Paid, w.body(n, w.r.Paid), header("X-Signature", "x"))
		w.send(n, w.r.Paid, set("data.state", "Frozen"))
	}
	if n := merchant.Kept(w.m); n != 0 {
		t.Errorf("%d things are kept of refused deliveries", n)
	}
	w.answers("the next", w.send(1, w.r.Paid), 200)
}

// TestAnyHistory delivers a payment's events in any order, with repeats and
// contradictions: it is credited or refunded at most once, and never both.
func TestAnyHistory(t *testing.T) {
	w := newWorld(t, "")
	n := uint64(0)
	rapid.Check(t, func(rt *rapid.T) {
		n++
		states := w.c.States()
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, len(states)-1), 1, 12).Draw(rt, "states") {
			if code := w.send(n, states[i]); code >= 500 {
				rt.Fatalf("%s: %d", states[i], code)
			}
		}
		e := w.of(n)
		credit, _ := payment.ParseAmount(e.Credited)
		refund, _ := payment.ParseAmount(e.Refunded)
		once := e.Credited == w.price(n) && e.Deliveries == "1" || credit.Sign() == 0 && e.Deliveries == "0"
		if !once || refund.Sign() != 0 && (credit.Sign() != 0 || e.Refunded != w.received(n)) {
			rt.Fatalf("%+v", e)
		}
	})
}

// FuzzBody delivers any bytes: they are answered, not with a failure, and have
// an effect only when they are answered 200.
func FuzzBody(f *testing.F) {
	w := newWorld(f, "")
	for _, st := range w.c.States() {
		f.Add(w.body(1, st))
	}
	f.Add([]byte(`{"event":"invoice.updated","data":{"state":"Complete"}}`))
	f.Add([]byte(`{"data":null}`))
	paths := w.c.Paths()
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, path := range paths {
			w := newWorld(t, "", func(o *merchant.Options) { o.Contract = w.c })
			rec := w.do(w.request(path, body))
			if rec.Code >= 500 {
				t.Errorf("%d %s", rec.Code, rec.Body)
			}
			if kept := merchant.Kept(w.m); kept != 0 && rec.Code != http.StatusOK {
				t.Errorf("answered %d, and kept %d", rec.Code, kept)
			}
		}
	})
}

// raw sends bytes over a connection, and no more, and returns the statuses that
// come back until it closes or n have come.
func (w *world) raw(n int, bytes ...string) []int {
	w.t.Helper()
	c := w.dial()
	defer func() { _ = c.Close() }()
	for _, b := range bytes {
		if _, err := io.WriteString(c, b); err != nil {
			break
		}
	}
	_ = c.CloseWrite()
	return statuses(c, n)
}

func (w *world) dial() *net.TCPConn {
	w.t.Helper()
	c, err := (&net.Dialer{}).DialContext(w.t.Context(), "tcp", w.base)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		w.t.Fatal("not TCP")
	}
	return tcp
}

func statuses(c net.Conn, n int) []int {
	var out []int
	for br := bufio.NewReader(c); len(out) < n; {
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			break
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusContinue {
			out = append(out, res.StatusCode)
		}
	}
	return out
}

// head is the head of a delivery of payment n, with more header lines.
func (w *world) head(body string, lines ...string) string {
	out := "POST " + w.r.Paid.Path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Signature: " + sign([]byte(body), shared) + "\r\n"
	for _, l := range lines {
		out += l + "\r\n"
	}
	return out + "\r\n"
}

func length(body string) string { return "Content-Length: " + strconv.Itoa(len(body)) }

func chunk(body string) string {
	return strconv.FormatInt(int64(len(body)), 16) + "\r\n" + body + "\r\n"
}

func TestServe(t *testing.T) {
	w := newWorld(t, "").serve()
	const chunked = "Transfer-Encoding: chunked"
	body := func(n uint64) string { return string(w.body(n, w.r.Paid)) }
	hidden := w.head(body(90), length(body(90))) + body(90)
	for i, v := range []struct {
		name     string
		status   int
		credited bool
		send     func(b string) []string
	}{
		{"length", 200, true, func(b string) []string { return []string{w.head(b, length(b)), b} }},
		{"chunks", 200, true, func(b string) []string { return []string{w.head(b, chunked), chunk(b[:9]), chunk(b[9:]), "0\r\n\r\n"} }},
		{"HTTP/1.0", 200, true, func(b string) []string {
			return []string{strings.Replace(w.head(b, length(b)), "HTTP/1.1", "HTTP/1.0", 1), b}
		}},
		{"continue", 200, true, func(b string) []string { return []string{w.head(b, length(b), "Expect: 100-continue"), b} }},
		{"expectation", 417, false, func(b string) []string { return []string{w.head(b, length(b), "Expect: x"), b} }},
		{"two lengths", 400, false, func(b string) []string { return []string{w.head(b, length(b), "Content-Length: 5"), b} }},
		{"unknown coding", 501, false, func(b string) []string {
			return []string{w.head(b, "Transfer-Encoding: xchunked"), chunk(b), "0\r\n\r\n"}
		}},
		{"bare line feeds", 400, false, func(b string) []string {
			return []string{w.head(b, chunked), strings.ReplaceAll(chunk(b), "\r\n", "\n"), "0\n\n"}
		}},
		{"length and chunks", 200, true, func(b string) []string {
			return []string{w.head(b, "Content-Length: 4", chunked), chunk(b), "0\r\n\r\n", hidden}
		}},
		{"large head", 431, false, func(b string) []string { return []string{w.head(b, length(b), "X: "+strings.Repeat("x", 64<<10)), b} }},
		{"a path of another case", 404, false, func(b string) []string {
			return []string{strings.Replace(w.head(b, length(b)), "/callback", "/Callback", 1), b}
		}},
	} {
		t.Run(v.name, func(t *testing.T) {
			n := uint64(i + 1)
			got := w.raw(1, v.send(body(n))...)
			if len(got) != 1 || got[0] != v.status {
				t.Errorf("answered %v, want %d", got, v.status)
			}
			if e := w.of(n); (e == w.paid(n)) != v.credited || !v.credited && e != (effect{}) {
				t.Errorf("the effect is %+v", e)
			}
		})
	}
	if got := w.raw(2, w.head(body(91), "Content-Length: 4", chunked), chunk(body(91)), "0\r\n\r\n", hidden); len(got) != 1 {
		t.Errorf("what follows chunks with a length was answered: %v", got)
	}
	w.expect(90, effect{})
}

func TestServeConnections(t *testing.T) {
	w := newWorld(t, "").serve()
	body := func(n uint64) string { return string(w.body(n, w.r.Paid)) }
	one := func(n uint64) string { return w.head(body(n), length(body(n))) + body(n) }
	if got := w.raw(2, one(1)+one(2)); !cmp.Equal(got, []int{200, 200}) {
		t.Errorf("two pipelined: %v", got)
	}
	w.expect(2, w.paid(2))
	for range 200 {
		w.dial()
	}
	slow := w.dial()
	_, _ = io.WriteString(slow, one(3)[:50])
	if got := w.raw(1, strings.Split(one(4), "")...); !cmp.Equal(got, []int{200}) {
		t.Errorf("byte by byte, beside idle and slow connections: %v", got)
	}
	cut := w.dial()
	_, _ = io.WriteString(cut, w.head(body(5), length(body(5)))+body(5)[:99])
	_ = cut.Close()
	if got := w.raw(1, one(6)); !cmp.Equal(got, []int{200}) {
		t.Errorf("after a body that was cut off: %v", got)
	}
	w.expect(5, effect{})
	_, _ = io.WriteString(slow, one(3)[50:])
	if got := statuses(slow, 1); !cmp.Equal(got, []int{200}) {
		t.Errorf("the slow one: %v", got)
	}
}

func TestServeFails(t *testing.T) {
	w := newWorld(t, "")
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = l.Close()
	if err := w.m.Serve(t.Context(), l); err == nil {
		t.Error("serving a closed listener is no error")
	}
	if d := merchant.Slow(w.m); d != w.c.Delivery.Timeout+time.Second {
		t.Error("slow is", d)
	}
}
