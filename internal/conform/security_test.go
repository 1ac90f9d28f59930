package conform_test

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/payment"
)

// errorsSaying has every error answered by a text.
func errorsSaying(text string) func(http.Handler) http.HandlerFunc {
	return answering("", func(w http.ResponseWriter, status int, was string) {
		if status >= 400 {
			was = text
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(was))
	})
}

func TestSecurity(t *testing.T) {
	t.Parallel()
	const script = "<script>alert('paytest')</script>"
	tryAll(t, []attacked{
		{name: "another body of 401", ids: "X01 X02 X03 X04", front: inPlaceOf(401, `{"error":"no"}`, 401), want: conform.Passed, says: "not the documented"},
		{name: "403 for 401", ids: "X01 X02 X03 X04", front: inPlaceOf(403, `{}`, 401), want: conform.Failed, says: "expected 401"},
		{name: "retired secret taken", ids: "X08", change: func(o *conform.Options) { o.Retired = o.Secrets[1:] }, want: conform.Failed, says: "no longer are"},
		{name: "one secret", ids: "X08", change: func(o *conform.Options) { o.Secrets, o.Retired = o.Secrets[:1], nil }, want: conform.NotRun, says: "only one secret"},
		{name: "markup in JSON", ids: "X12", front: answering(script, page("application/json", `"`+script+`"`)), want: conform.Passed},
		{name: "markup without a type", ids: "X12", front: answering(script, page("", script)), want: conform.Failed, says: "page (without Content-Type)"},
		{name: "markup in an error", ids: "X12", front: answering("Paytested", page("text/html", script)), want: conform.Failed, says: "unknown state"},
		{name: "markup escaped", ids: "X12", front: answering(script, page("text/html", "&lt;script>")), want: conform.Passed},
		{name: "a header made of a name", ids: "X13", front: answering(`\r\nX-Paytest`, func(w http.ResponseWriter, status int, _ string) {
			w.Header().Set("X-Paytest-Injected", "1")
			w.WriteHeader(status)
		}), want: conform.Failed, says: "became a header"},
		{name: "controls refused by 500", ids: "X13", front: refusing(500, `\u001b`), want: conform.Passed, says: "terminal escapes"},
		{name: "another payment changes", ids: "X11", change: changing(), want: conform.Failed, says: "another payment has changed"},
		{name: "large headers taken", ids: "X16", want: conform.Failed, says: "64 KB"},
		{name: "a file of the server", ids: "X18", front: answering("etc/passwd", page("text/plain", "root:x:0:0:root")), want: conform.Failed, says: "file of the server"},
	})
}

// changing has the probe tell another credit of each payment from its third
// answer on.
func changing() func(*conform.Options) {
	asked := map[string]int{}
	return telling(func(id string, doc *jsondoc.Value) {
		asked[id]++
		if asked[id] > 3 {
			_ = doc.Set(jsondoc.Pointer{"credited"}, jsondoc.StringValue("999999"))
		}
	})
}

// TestTelling shows what counts as told by an error, and what does not.
func TestTelling(t *testing.T) {
	t.Parallel()
	var rows []attacked
	for name, text := range map[string]string{
		"the secret":            `{"error":"expected previous"}`,
		"a stack of JavaScript": `{"stack":"Error: x\n    at Layer.handle [as handle_request] (/srv/shop/layer.js:95:5)"}`,
		"an anonymous frame":    "Error\n    at file:///app/server.mjs:12:7",
		"a stack of Python":     "Traceback (most recent call last):\n  File \"/app/server.py\", line 3, in f",
		"a stack of Go":         "goroutine 7 [running]:\nmain.main()",
		"a stack of Java":       "at com.shop.Hook.take(Hook.java:42)",
		"a stack of PHP":        "Uncaught TypeError in Hook.php on line 3",
		"a stack of .NET":       `at Shop.Hook.Take() in C:\src\Hook.cs:line 9`,
		"a path":                `{"error":"ENOENT: no such file, open '/var/www/orders.db'"}`,
		"a path of Windows":     `{"error":"C:\\inetpub\\wwwroot\\hook"}`,
		"SQL":                   `ERROR: syntax error at or near "Connor"`,
		"a constraint":          `duplicate key value violates unique constraint "orders_pkey"`,
		"a query":               `SELECT * FROM orders WHERE id = 1`,
	} {
		rows = append(rows, attacked{name: name, ids: "X17", front: errorsSaying(text), want: conform.Failed, says: "tells"})
	}
	for name, text := range map[string]string{
		"a short one":      `{"error":"Invalid payload"}`,
		"a common word":    `{"error":"not possible in the current state"}`,
		"the path itself":  "Cannot POST /callback/update-invoice",
		"a position":       `{"error":"Unexpected token } in JSON at position 12 (line 1 column 13)"}`,
		"a link":           `{"type":"https://example.com/usr/share/doc:80","title":"Bad Request","status":400}`,
		"a member's place": `{"error":"/data/state must be string","at":"data.state"}`,
		"an id":            `{"error":"failed","traceId":"00-4bf92f3577b34da6a3ce929d0e0e4736-00"}`,
		"a sentence":       `{"error":"select a state from the list where it is documented (see docs:1)"}`,
	} {
		rows = append(rows, attacked{name: name, ids: "X17", front: errorsSaying(text), want: conform.Passed})
	}
	tryAll(t, rows)
}

// TestWithoutSecret shows that an endpoint that takes unsigned deliveries fails
// for it, and that nothing else needs a secret.
func TestWithoutSecret(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		c, _ := pack(t)
		m, err := merchant.New(merchant.Options{Contract: c, Now: time.Now, Wait: deliver.Sleep})
		if err != nil {
			t.Fatal(err)
		}
		o := options(t, subject{endpoint: serve(t, m.Serve), probe: true}, bodyCases(t)...)
		o.Secrets, o.Retired = nil, nil
		for _, res := range run(t, o).Results {
			want := conform.Passed
			switch {
			case strings.Contains("X01 X02 X03", res.Case.ID):
				want = conform.Failed
			case strings.Contains("X04 X05 X08 X09 X10", res.Case.ID):
				want = conform.NotRun
			}
			if res.Status != want {
				t.Errorf("%s is %s, not %s: %s", res.Case.ID, res.Status, want, res.Problem)
			}
		}
	})
}

// inCash makes a merchant credit the other amount.
func inCash(o *merchant.Options) {
	other, roles := *o.Contract, *o.Contract.Roles
	roles.Price, roles.Cash, roles.Received = roles.Cash, roles.Price, nil
	other.Roles = &roles
	o.Contract = &other
}

// rounding has the probe tell whole amounts alone.
func rounding(o *conform.Options) {
	half, _ := payment.ParseAmount("0.5")
	telling(func(_ string, doc *jsondoc.Value) {
		for _, name := range []string{"credited", "balance"} {
			v := doc.Member(name)
			a, ok := payment.ParseAmount(v.Text)
			if !ok {
				continue
			}
			below, above := a.Between(0)
			if below.Add(half).Cmp(a) > 0 {
				above = below
			}
			*v = jsondoc.StringValue(above.String())
		}
	})(o)
}

// TestCreditedInCash shows that a merchant may credit the other amount, and may
// refuse or round what is no whole number of it: some money has no tenths.
func TestCreditedInCash(t *testing.T) {
	t.Parallel()
	whole := statusFor(http.StatusUnprocessableEntity, func(r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		_, fraction, _ := strings.Cut(text(string(body), "cashAmount"), ".")
		return strings.Trim(fraction, "0") != ""
	})
	for name, tt := range map[string]struct {
		change func(*merchant.Options)
		front  middleware
		want   map[string]conform.Status
	}{
		"in cash":                  {inCash, changes(func(*http.Request) {}), nil},
		"in whole cash":            {inCash, whole, map[string]conform.Status{"M08": conform.Unproven}},
		"rounded to whole cash":    {inCash, changes(func(*http.Request) {}), map[string]conform.Status{"M08": conform.Unproven}},
		"in crypto, at whole cash": {func(*merchant.Options) {}, whole, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				m := newModel(t, "", tt.change)
				ids := slices.DeleteFunc(bodyCases(t), func(id string) bool { return id == "S02" || id == "X15" || id == "X16" })
				front := func(w http.ResponseWriter, r *http.Request) { tt.front(w, r, m) }
				o := options(t, subject{endpoint: serve(t, httpServer(front)), probe: true}, ids...)
				if strings.HasPrefix(name, "rounded") {
					rounding(&o)
				}
				for _, res := range run(t, o).Results {
					if want := cmp.Or(tt.want[res.Case.ID], conform.Passed); res.Status != want {
						t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
					}
				}
			})
		})
	}
}

// TestPathsAreNewEachTime shows that a run attacks with identifiers that no other
// run has used, or the endpoint would take them for known.
func TestPathsAreNewEachTime(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		var mu sync.Mutex
		ids := map[string]bool{}
		front := seeing(func(_ http.ResponseWriter, _ *http.Request, body string) bool {
			if id := text(body, "invoiceId"); strings.Contains(id, "etc") || strings.Contains(id, "windows") {
				mu.Lock()
				defer mu.Unlock()
				ids[id] = true
			}
			return false
		})
		s := modelBehind(t, front, func(*conform.Options) {})
		for _, salt := range []uint64{1, 2} {
			o := options(t, s, "X18")
			o.Salt = salt
			if res := run(t, o).Results[0]; res.Status != conform.Passed {
				t.Errorf("%s: %s", res.Status, res.Problem)
			}
		}
		for id := range ids {
			if clean := path.Clean(strings.TrimSuffix(strings.ReplaceAll(id, "%2f", "/"), "\x00.json")); !strings.Contains(id, `\`) && !strings.HasSuffix("../../etc/passwd", clean) {
				t.Errorf("%q leads to %q", id, clean)
			}
		}
		if len(ids) != 10 {
			t.Errorf("the two runs used %d identifiers: %v", len(ids), ids)
		}
	})
}
