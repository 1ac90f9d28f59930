package merchant_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/merchant"
)

// cases are the faults of the endpoint suite, in its order.
func cases() []string {
	var out []string
	for _, c := range []struct {
		letter string
		n      int
	}{{"D", 7}, {"O", 13}, {"I", 12}, {"P", 19}, {"S", 18}, {"U", 6}, {"X", 18}, {"M", 13}, {"R", 8}} {
		for i := range c.n {
			out = append(out, fmt.Sprintf("%s%02d", c.letter, i+1))
		}
	}
	return out
}

func TestBugsAreListed(t *testing.T) {
	names, ids := map[string]bool{}, []string{}
	for _, b := range merchant.Bugs() {
		if names[b.Name] || !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(b.Name) {
			t.Errorf("the name %q is not its own, or not one that is easily typed", b.Name)
		}
		if !regexp.MustCompile(`^It .*[^ .]\.$`).MatchString(b.Says) || strings.Contains(b.Says, ". ") {
			t.Errorf("%s: %q is not one sentence", b.Name, b.Says)
		}
		names[b.Name], ids = true, append(ids, b.Case)
	}
	want := slices.DeleteFunc(cases(), func(id string) bool { return id == "P13" })
	if !slices.Equal(slices.Compact(ids), want) {
		t.Errorf("the cases are %v", ids)
	}
}

// TestBugsAreSwitches shows that the code asks for every bug of the list, and
// for no other.
func TestBugsAreSwitches(t *testing.T) {
	asked := map[string]bool{}
	files, err := fs.Glob(os.DirFS("."), "*.go")
	if err != nil {
		t.Fatal(err)
	}
	cases := regexp.MustCompile(`(?s)switch m\.bug \{.*?\n\t?\}`)
	for _, name := range files {
		if name == "bugs.go" || strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range regexp.MustCompile(`m\.has\("([^"]+)"\)`).FindAllSubmatch(src, -1) {
			asked[string(found[1])] = true
		}
		for _, block := range cases.FindAll(src, -1) {
			for _, line := range regexp.MustCompile(`(?m)^\s+case (".*"):`).FindAllSubmatch(block, -1) {
				for _, found := range regexp.MustCompile(`"([^"]+)"`).FindAllSubmatch(line[1], -1) {
					asked[string(found[1])] = true
				}
			}
		}
	}
	for _, b := range merchant.Bugs() {
		if !asked[b.Name] {
			t.Errorf("%s is listed, and nothing asks for it", b.Name)
		}
		delete(asked, b.Name)
	}
	for name := range asked {
		t.Errorf("%s is asked for, and is not listed", name)
	}
}

// status reports whether a delivery of a paid payment, changed, is answered with
// another status than one of those.
func status(changes []edit, statuses ...int) func(*world) bool {
	return func(w *world) bool { return !slices.Contains(statuses, w.send(1, w.r.Paid, changes...)) }
}

func edits(e ...edit) []edit { return e }

// asked is status for the request.
func asked(change func(*http.Request), statuses ...int) func(*world) bool {
	return func(w *world) bool {
		return !slices.Contains(statuses, w.post(w.r.Paid, w.body(1, w.r.Paid), change).Code)
	}
}

// bytesOf is status for the body.
func bytesOf(change func(w *world, body []byte) []byte, statuses ...int) func(*world) bool {
	return func(w *world) bool {
		return !slices.Contains(statuses, w.post(w.r.Paid, change(w, w.body(1, w.r.Paid))).Code)
	}
}

// credits reports whether the payment was credited otherwise than once.
func credits(steps func(w *world)) func(*world) bool {
	return func(w *world) bool { steps(w); return w.of(1) != w.paid(1) }
}

// credited reports whether the payment was credited or refunded at all.
func credited(steps func(w *world)) func(*world) bool {
	return func(w *world) bool {
		steps(w)
		e := w.of(1)
		return e.Credited != "" && e.Credited != "0" || e.Deliveries != "" && e.Deliveries != "0"
	}
}

// amounted reports whether a price is credited otherwise than exactly; one that
// no number is must not be credited at all.
func amounted(price any, exact string) func(*world) bool {
	return func(w *world) bool {
		code := w.send(1, w.r.Paid, set("data.cryptoAmount", price))
		e := w.of(1)
		return code >= 500 || e != (effect{}) && (exact == "" || e.Credited != exact)
	}
}

// text is status 200 for a customer's name.
func text(name string) func(*world) bool {
	return status(edits(set("data.customerName", name)), http.StatusOK)
}

// then is a check after steps.
func then(steps func(w *world), check func(*world) bool) func(*world) bool {
	return func(w *world) bool { steps(w); return check(w) }
}

func withState(steps func(w *world), want string) func(*world) bool {
	return func(w *world) bool { steps(w); return w.of(1).State != want }
}

// together makes the first n waits end at the same time.
func together(w *world, n int) {
	var all sync.WaitGroup
	all.Add(n)
	w.wait = func(context.Context, time.Duration) error { all.Done(); all.Wait(); return nil }
}

func inParallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}

func raced(w *world) {
	together(w, 2)
	body := w.body(1, w.r.Paid)
	inParallel(2, func(int) { w.post(w.r.Paid, body) })
}

func twice(again ...edit) func(w *world) {
	return func(w *world) {
		w.send(1, w.r.Paid)
		w.send(1, w.r.Paid, again...)
	}
}

func gzipped(size int) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = io.Copy(z, io.LimitReader(zeros{}, int64(size)))
	_ = z.Close()
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// broken is a body whose end never comes.
func broken(r *http.Request) {
	r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"event":`), failing{}))
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// attacks show each bug's misbehaviour.
func attacks() map[string]func(*world) bool {
	all := map[string]func(*world) bool{}
	for _, some := range []map[string]func(*world) bool{
		deliveryAttacks(), idempotencyAttacks(), protocolAttacks(), schemaAttacks(), textAttacks(), moneyAttacks(), resilienceAttacks(),
	} {
		for name, f := range some {
			all[name] = f
		}
	}
	return all
}

func deliveryAttacks() map[string]func(*world) bool {
	flow := func(w *world, states ...*contract.State) {
		for _, st := range states {
			w.send(1, st)
		}
	}
	return map[string]func(*world) bool{
		"never-credits":     credits(func(w *world) { flow(w, w.r.Paid) }),
		"credit-at-pending": credits(func(w *world) { flow(w, w.c.Flow...) }),
		"overlapping-retry": credits(raced),
		"racy-dedupe":       credits(raced),
		"forgets-unanswered": credits(func(w *world) {
			w.wait = func(context.Context, time.Duration) error { return context.Canceled }
			twice()(w)
		}),
		"redirects": status(nil, http.StatusOK),
		"every-50th-slow": func(w *world) bool {
			for range 50 {
				w.send(1, w.r.Paid)
			}
			return len(w.waits) > 0
		},
		"plain-answer": func(w *world) bool {
			return w.post(w.r.Paid, w.body(1, w.r.Paid)).Header().Get("Content-Type") != "application/json"
		},
		"paid-needs-pending":  credits(func(w *world) { flow(w, w.r.Paid, w.r.Pending) }),
		"last-event-wins":     withState(func(w *world) { flow(w, w.r.Paid, w.r.Pending) }, "Complete"),
		"unseen-transfer-500": func(w *world) bool { return w.send(1, w.r.Confirmed) != http.StatusOK },
		"needs-transfer":      then(func(w *world) { flow(w, w.r.Pending) }, status(nil, http.StatusOK)),
		"catch-up-credit": func(w *world) bool {
			w.from(w.r.Paid, initial(w.r))
			return w.of(1).Deliveries > "1"
		},
		"reverses-when-failed":  credits(func(w *world) { flow(w, w.r.Paid); w.from(w.r.Failed, w.r.Paid) }),
		"credits-after-failed":  credited(func(w *world) { flow(w, w.r.Failed, w.r.Paid) }),
		"credits-after-expired": credited(func(w *world) { flow(w, w.r.Expired, w.r.Pending, w.r.Paid) }),
		"reopens-refused":       withState(func(w *world) { flow(w, w.r.Waiting, w.r.Refused, w.r.Pending) }, "Reject"),
		"previous-in-key":       credits(func(w *world) { flow(w, w.r.Paid); w.from(w.r.Paid, w.r.Waiting) }),
		"unknown-payment-500":   status(nil, http.StatusOK),
		"orphan-confirmed":      credits(func(w *world) { flow(w, w.r.Confirmed, w.r.Seen, w.r.Pending, w.r.Paid) }),
		"latest-timestamp-wins": withState(func(w *world) {
			flow(w, w.r.Pending)
			w.send(1, w.r.Paid, set("timestamp", "2026-03-14T11:58:00.000Z"))
			w.send(1, w.r.Pending, set("timestamp", "2026-03-14T12:01:00.000Z"))
		}, "Complete"),
	}
}

func idempotencyAttacks() map[string]func(*world) bool {
	return map[string]func(*world) bool{
		"double-credit":    credits(twice()),
		"account-apart":    credits(twice()),
		"timestamp-in-key": credits(twice(set("timestamp", "2026-03-14T12:01:00.000Z"))),
		"transfer-id-key":  credits(twice(set("data.transaction.id", "another"))),
		"hash-as-key":      credits(twice(set("data.transaction.detail", strings.Repeat("ab", 32)))),
		"hash-set": credits(func(w *world) {
			w.send(2, w.r.Paid)
			w.send(1, w.r.Paid, set("data.transaction.detail", w.text(2, w.r.Paid, "data.transaction.detail")))
		}),
		"credits-in-order":      credits(func(w *world) { w.send(1, w.r.Confirmed); w.send(1, w.r.Paid) }),
		"credit-when-confirmed": credits(func(w *world) { w.send(1, w.r.Confirmed); w.send(1, w.r.Paid) }),
		"amount-in-key":         credits(twice(set("data.cryptoAmount", "1.000000"))),
		"memory-dedupe":         credits(func(w *world) { w.send(1, w.r.Paid); w.m.Restart(); w.send(1, w.r.Paid) }),
		"evicting-dedupe": credits(func(w *world) {
			w.send(1, w.r.Paid)
			for n := range uint64(1000) {
				w.send(n+2, w.r.Pending)
			}
			w.send(1, w.r.Paid)
		}),
		"seen-before-processed": credits(func(w *world) { w.m.FailNext(); w.send(1, w.r.Paid); w.send(1, w.r.Paid) }),
		"bytes-as-key":          credits(func(w *world) { w.send(1, w.r.Paid); w.post(w.r.Paid, w.doc(1, w.r.Paid, nil).AppendIndent(nil, " ")) }),
		"path-in-key": credits(func(w *world) {
			w.post(w.r.Paid, w.body(1, w.r.Paid), func(r *http.Request) { r.URL.Path += "/" })
			w.send(1, w.r.Paid)
		}),
	}
}

func protocolAttacks() map[string]func(*world) bool {
	const kind, coding, signature = "Content-Type", "Content-Encoding", "X-Signature"
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	return map[string]func(*world) bool{
		"any-path":                    asked(func(r *http.Request) { r.URL.Path = "/callback/update-transaction" }, 400),
		"unknown-event-ok":            status(edits(set("event", "x")), 400),
		"text-plain-500":              asked(header(kind, "text/plain"), 415),
		"no-content-type-500":         asked(header(kind, ""), 200),
		"content-type-parameters-500": asked(header(kind, "application/json; charset=utf-8"), 200),
		"charset-ignored":             asked(header(kind, "application/json; charset=utf-16"), 415),
		"gzip-500":                    asked(header(coding, "gzip"), 415),
		"encoding-ignored":            asked(header(coding, "zstd"), 415),
		"no-chunks":                   asked(func(r *http.Request) { r.TransferEncoding = []string{"chunked"} }, 200),
		"no-continue":                 asked(header("Expect", "100-continue"), 200),
		"no-http10":                   asked(func(r *http.Request) { r.ProtoMinor = 0 }, 200),
		"any-method":                  asked(method(http.MethodPatch), 405),
		"head-delivers":               asked(method(http.MethodHead), 405),
		"many-headers-500":            asked(func(r *http.Request) { headers(r, 100) }, 200),
		"big-headers-500":             asked(func(r *http.Request) { headers(r, 200) }, 431),
		"signature-of-any-value":      asked(header(signature, "x"), 401),
		"signature-optional":          asked(header(signature, ""), 401),
		"signature-form-500":          asked(header(signature, "sha256=x"), 401),
		"signature-by-form":           asked(header(signature, strings.Repeat("0", 64)), 401),
		"first-secret-only": func(w *world) bool {
			body := w.body(1, w.r.Paid)
			return w.post(w.r.Paid, body, header(signature, sign(body, older))).Code != 200
		},
		"upper-hex-500": asked(func(r *http.Request) { r.Header.Set(signature, strings.ToUpper(r.Header.Get(signature))) }, 200, 401),
		"restringified-signature": func(w *world) bool {
			body := w.doc(1, w.r.Paid, nil).AppendCanonical(nil)
			again := replaced(body, `"state":`, `"state":"Fail","state":`)
			return w.post(w.r.Paid, again, header(signature, sign(body, shared))).Code != 401
		},
		"expectation-500": func(w *world) bool { return !slices.Contains([]int{200, 417}, one(w.serve(), "Expect: x")) },
		"drops-pipelined": func(w *world) bool {
			w.serve()
			var all string
			for n := range uint64(2) {
				body := string(w.body(n, w.r.Paid))
				all += w.head(body, length(body)) + body
			}
			return !slices.Equal(w.raw(2, all), []int{200, 200})
		},
		"one-read": func(w *world) bool {
			body := string(w.body(1, w.r.Paid))
			all := w.head(body, length(body)) + body
			c := w.pipe()
			go func() {
				_, _ = io.WriteString(c, all[:1])
				_, _ = io.WriteString(c, all[1:])
			}()
			return !slices.Equal(statuses(c, 1), []int{200})
		},
		"two-lengths": func(w *world) bool {
			w.serve()
			hidden := string(w.body(1, w.r.Paid))
			inside := chunk(w.head(hidden, length(hidden)) + hidden)
			size := strings.Index(inside, "\r\n") + 2
			w.raw(2, w.head("", fmt.Sprintf("Content-Length: %d", size), "Transfer-Encoding: chunked"), inside, "0\r\n\r\n")
			return w.of(1) != effect{}
		},
	}
}

// one serves one delivery with more header lines over a connection.
func one(w *world, lines ...string) int {
	body := string(w.body(1, w.r.Paid))
	if got := w.raw(1, w.head(body, append(lines, length(body))...), body); len(got) == 1 {
		return got[0]
	}
	return 0
}

func schemaAttacks() map[string]func(*world) bool {
	fixed := func(body string) func(*world, []byte) []byte {
		return func(*world, []byte) []byte { return []byte(body) }
	}
	return map[string]func(*world) bool{
		"malformed-500":         bytesOf(fixed(`{'a':1}`), 400),
		"truncated-ok":          bytesOf(func(_ *world, b []byte) []byte { return b[:len(b)/2] }, 400),
		"empty-body-500":        bytesOf(fixed(""), 400),
		"no-object-500":         bytesOf(fixed("[]"), 400),
		"no-data-500":           status(edits(set("data", nil)), 400),
		"missing-field-500":     status(edits(drop("data.cashAmount")), 200, 400),
		"null-refused":          func(w *world) bool { return w.send(1, w.r.Seen) != 200 },
		"extra-fields-refused":  status(edits(set("data.extra", "x")), 200),
		"unknown-state-credits": credited(func(w *world) { w.send(1, w.r.Paid, set("data.state", "Frozen")) }),
		"coerces-types":         credited(func(w *world) { w.send(1, w.r.Paid, set("data.state", jsondoc.ArrayValue(value("Complete")))) }),
		"last-key-wins": credited(func(w *world) {
			w.post(w.r.Paid, replaced(w.body(1, w.r.Paid), `"state":`, `"state":"Fail","state":`))
		}),
		"caseless-keys": credited(func(w *world) {
			w.send(1, w.r.Paid, drop("data.state"), set("data.\u017ftate", "Complete"))
		}),
		"deep-nesting-dies": then(func(w *world) { w.post(w.r.Paid, []byte(strings.Repeat("[", 5000))) }, status(nil, 200)),
		"nan-ok": bytesOf(func(_ *world, b []byte) []byte {
			return replaced(b, `"cashAssetId":1`, `"cashAssetId":-Infinity`)
		}, 400),
		"huge-numbers":       credited(func(w *world) { w.send(1, w.r.Paid, set("data.cryptoAssetId", number("12345678901234567890"))) }),
		"prototype-500":      status(edits(set("data.__proto__", "x")), 200),
		"trailing-bytes-500": bytesOf(func(_ *world, b []byte) []byte { return append(b, "{}"...) }, 400),
		"odd-timestamp-500":  status(edits(set("timestamp", number("1"))), 400),
		"pretty-printed-500": bytesOf(func(w *world, _ []byte) []byte { return w.doc(1, w.r.Paid, nil).AppendIndent(nil, " ") }, 200),
		"surrogate-500":      bytesOf(func(_ *world, b []byte) []byte { return replaced(b, `"title":"`, `"title":"\ud800`) }, 400),
	}
}

func textAttacks() map[string]func(*world) bool {
	return map[string]func(*world) bool{
		"emoji-500": text("🎁"),
		"account-by-name": func(w *world) bool {
			for n, name := range []string{"Zoë", "Zoe\u0308"} {
				w.send(uint64(n), w.r.Paid, set("data.cryptoAmount", "1"), set("data.customerId", "c"), set("data.customerName", name))
			}
			return w.of(1).Balance != "2"
		},
		"bidi-500": text("a\u202eb"),
		"nul-500":  text("a\x00b"),
		"truncated-ids": func(w *world) bool {
			long := strings.Repeat("x", 254)
			w.send(1, w.r.Paid, set("data.invoiceId", long+"1"))
			w.send(2, w.r.Paid, set("data.invoiceId", long+"2"))
			e, _ := w.probe(long + "2")
			return e.Credited != w.price(2)
		},
		"old-events":    status(edits(set("timestamp", "2026-03-14T11:50:00.000Z")), 400),
		"future-events": status(edits(set("timestamp", "2026-03-14T12:10:00.000Z")), 400),
		"sql-injection": text("x'; DROP TABLE orders; --"),
		"html-reflected": func(w *world) bool {
			return strings.Contains(w.post(w.r.Paid, w.body(1, w.r.Paid, set("data.customerName", "<script>"))).Body.String(), "<")
		},
		"control-characters-die": then(func(w *world) { w.send(2, w.r.Paid, set("data.customerName", "a\r\nb")) }, status(nil, 200)),
		"nosql-operators": credited(func(w *world) {
			w.send(1, w.r.Paid, set("data.customerName", jsondoc.ObjectValue(jsondoc.Member{Name: "$gt", Value: value("")})))
		}),
		"stack-trace": func(w *world) bool {
			return strings.Contains(w.post(w.r.Paid, nil).Body.String(), "/srv/")
		},
		"path-in-id-500": status(edits(set("data.invoiceId", "../../etc/passwd")), 200),
	}
}

func moneyAttacks() map[string]func(*world) bool {
	return map[string]func(*world) bool{
		"float-money":          amounted("9007199254740993.000001", "9007199254740993.000001"),
		"exponent-amounts":     amounted("1e5", ""),
		"negative-amounts":     amounted("-5.000000", ""),
		"amount-prefix":        amounted("12abc", ""),
		"thousands-separators": amounted("1,000.500000", ""),
		"truncates-decimals":   amounted("1.0000019", ""),
		"octal-amounts":        amounted("00012", "12"),
		"drops-the-point":      amounted("5.5", "5.5"),
		"number-amounts":       amounted(number("74.074074"), "74.074074"),
		"nan-amounts":          amounted("NaN", ""),
		"float-sum": func(w *world) bool {
			for n := range uint64(10) {
				w.send(n, w.r.Paid, set("data.cryptoAmount", "0.1"), set("data.customerId", "c"))
			}
			return w.of(1).Balance != "1"
		},
		"memory-ledger": func(w *world) bool {
			w.send(1, w.r.Paid)
			w.m.Restart()
			return w.of(1) != w.paid(1)
		},
		"refunds-twice": func(w *world) bool {
			w.send(1, w.r.Dropped, set("data.failureReason", "amount_mismatch"), set("data.amount", w.received(1)))
			w.send(1, w.r.Failed)
			return w.of(1).Refunded != w.received(1)
		},
		"refunds-again": func(w *world) bool {
			w.send(1, w.r.Failed)
			w.send(1, w.r.Failed)
			return w.of(1).Refunded != w.received(1)
		},
		"amount-unchecked": credited(func(w *world) { w.send(1, w.r.Pending); w.send(1, w.r.Paid, set("data.cryptoAmount", "1.000000")) }),
		"assets-unchecked": credited(func(w *world) { w.send(1, w.r.Paid, set("data.cryptoAssetId", number("7"))) }),
	}
}

func resilienceAttacks() map[string]func(*world) bool {
	return map[string]func(*world) bool{
		"lost-updates": func(w *world) bool {
			together(w, 2)
			customer := set("data.customerId", "c")
			bodies := [][]byte{w.body(1, w.r.Paid, customer), w.body(2, w.r.Paid, customer)}
			inParallel(2, func(i int) { w.post(w.r.Paid, bodies[i]) })
			return w.of(1).Balance == w.price(1) || w.of(1).Balance == w.price(2)
		},
		"few-workers": func(w *world) bool {
			together(w, 20)
			codes, bodies := make([]int, 20), make([][]byte, 20)
			for i := range bodies {
				bodies[i] = w.body(uint64(i), w.r.Paid)
			}
			inParallel(20, func(i int) { codes[i] = w.post(w.r.Paid, bodies[i]).Code })
			return slices.Contains(codes, http.StatusServiceUnavailable)
		},
		"cut-bodies-leak": then(func(w *world) {
			for range 50 {
				w.post(w.r.Paid, nil, broken)
			}
		}, status(nil, 200)),
		"large-body-500": status(edits(set("data.title", strings.Repeat("x", 1<<20-2000))), 200, 413),
		"gzip-bomb": func(w *world) bool {
			return w.post(w.r.Paid, gzipped(20<<20), header("Content-Encoding", "gzip")).Code != 415
		},
		"bans-senders": then(func(w *world) {
			for range 200 {
				w.post(w.r.Paid, nil)
			}
		}, status(nil, 200)),
		"slower-and-slower": func(w *world) bool {
			w.send(1, w.r.Paid)
			w.send(2, w.r.Paid)
			return len(w.waits) == 2 && w.waits[1] > w.waits[0]
		},
		"few-connections":  crowded(200, ""),
		"slow-head-blocks": crowded(1, "POST /"),
	}
}

// pipes is a listener whose connections are pipes.
type pipes struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.done) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

// pipe serves over one connection, of which each write is read on its own.
func (w *world) pipe() net.Conn {
	l := &pipes{conns: make(chan net.Conn, 1), done: make(chan struct{})}
	client, server := net.Pipe()
	l.conns <- server
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- w.m.Serve(ctx, l) }()
	w.t.Cleanup(func() {
		_ = client.Close()
		stop()
		if err := <-served; err != nil {
			w.t.Error(err)
		}
	})
	return client
}

// crowded reports whether a delivery is not answered in time beside others that
// have sent only their beginning. It runs on a clock of its own.
func crowded(others int, begun string) func(*world) bool {
	return func(w *world) (late bool) {
		t, ok := w.t.(*testing.T)
		if !ok {
			w.t.Fatal("not a test")
		}
		body := string(w.body(1, w.r.Paid))
		synctest.Test(t, func(t *testing.T) {
			w.wait = deliver.Sleep
			l := &pipes{conns: make(chan net.Conn, others+1), done: make(chan struct{})}
			ctx, stop := context.WithCancel(t.Context())
			served := make(chan error, 1)
			go func() { served <- w.m.Serve(ctx, l) }()
			var clients []net.Conn
			for range others + 1 {
				client, server := net.Pipe()
				l.conns <- server
				clients = append(clients, client)
			}
			for _, c := range clients[:others] {
				go func() { _, _ = io.WriteString(c, begun) }()
			}
			synctest.Wait()
			last := clients[others]
			_ = last.SetDeadline(time.Now().Add(4 * time.Second))
			go func() { _, _ = io.WriteString(last, w.head(body, length(body))+body) }()
			late = !slices.Equal(statuses(last, 1), []int{200})
			stop()
			for _, c := range clients {
				_ = c.Close()
			}
			if err := <-served; err != nil && !errors.Is(err, net.ErrClosed) {
				t.Error(err)
			}
		})
		return late
	}
}

// TestEachBug shows that each bug misbehaves in its way, and that a correct
// merchant does not.
func TestEachBug(t *testing.T) {
	attacks := attacks()
	for _, b := range merchant.Bugs() {
		t.Run(b.Name, func(t *testing.T) {
			attack := attacks[b.Name]
			if attack == nil {
				t.Fatal("nothing shows it")
			}
			if attack(newWorld(t, "")) {
				t.Error("the correct merchant does it, too")
			}
			if !attack(newWorld(t, b.Name)) {
				t.Error("it does not show: " + b.Says)
			}
		})
	}
}

// TestBugsLeaveTheRest shows that with most bugs the plain documented flow still
// credits once.
func TestBugsLeaveTheRest(t *testing.T) {
	spoilt := []string{"never-credits", "credit-at-pending", "redirects", "credit-when-confirmed", "credits-in-order", "double-credit"}
	for _, b := range merchant.Bugs() {
		w := newWorld(t, b.Name)
		for _, st := range w.c.Flow {
			code := w.send(1, st)
			if code != 200 && !slices.Contains([]string{"redirects", "null-refused"}, b.Name) {
				t.Errorf("%s: %s is answered %d", b.Name, st, code)
			}
		}
		w.send(2, w.r.Failed)
		w.send(2, w.r.Failed)
		if e := w.of(2); (e.Refunded != w.received(2) || e.Credited != "0") && b.Name != "refunds-again" {
			t.Errorf("%s: a payment that failed twice: %+v", b.Name, e)
		}
		if w.of(1) != w.paid(1) && !slices.Contains(spoilt, b.Name) {
			t.Errorf("%s: %+v", b.Name, w.of(1))
		}
	}
}
