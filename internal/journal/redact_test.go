package journal_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

func builtin(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// personal are the facts that tell whose a payment is.
func personal() []string {
	return []string{"invoiceId", "customerId", "customerName", "title", "transactionId", "detail", "from", "to", "partnerId"}
}

// recorded returns a delivery as a listener records it.
func recorded(c *contract.Contract, st *contract.State, body []byte) journal.Record {
	v := verify.Payload(c, body, st.Path)
	r := journal.Record{
		Seq: 7, Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Direction: journal.Received, Method: "POST", Path: st.Path + "?token=s3cr3t", Body: body,
		Headers: http.Header{
			"Content-Type": {"application/json; charset=utf-8; owner=s3cr3t"}, "User-Agent": {"gateway/1.2"}, "Content-Length": {"5"},
			"X-Signature": {"s3cr3t"}, "Authorization": {"Bearer s3cr3t"}, "Cookie": {"s3cr3t"}, "X-Forwarded-For": {"s3cr3t"},
		},
		URL: "https://s3cr3t:s3cr3t@s3cr3t.example/s3cr3t?s3cr3t", OK: v.OK(), Event: v.Event, ID: v.ID, PreviousState: v.Previous,
		Findings: v.Findings, Answer: journal.Answer{Status: 200, Body: "s3cr3t"}, LatencyMS: 1.5,
	}
	if v.State != nil {
		r.Subject, r.State = v.State.Subject.Name, v.State.Wire
	}
	return r
}

func payloadOf(t testing.TB, c *contract.Contract, p *payment.Payment, st *contract.State) []byte {
	t.Helper()
	doc, err := generate.Payload(c, p, st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc.AppendCanonical(nil)
}

func line(t testing.TB, r journal.Record) string {
	t.Helper()
	raw, err := r.Line()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw) + string(r.Body)
}

// TestRedactedPayments redacts every payload of many payments: nothing personal
// is left, all else is, and the payments still hang together.
func TestRedactedPayments(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, []byte("seed"))
	var originals []string
	var redacted strings.Builder
	news := map[string]string{}
	for seed := range uint64(30) {
		toward := c.Subjects[0].States[seed%uint64(len(c.Subjects[0].States))]
		p := payment.New(c, payment.Options{Seed: seed, Start: c.Epoch, Toward: []*contract.State{toward}})
		for _, st := range c.States() {
			body := payloadOf(t, c, p, st)
			before := verify.Payload(c, body, st.Path)
			got := r.Record(recorded(c, st, body))
			after := verify.Payload(c, got.Body, got.Path)
			if len(before.Findings) > 0 || len(after.Findings) > 0 {
				t.Fatalf("%s: %v, then %v", st, before.Findings, after.Findings)
			}
			if got.ID != after.ID || got.ID == before.ID || got.ID == "" || got.Subject != st.Subject.Name || got.State != st.Wire || got.Event != st.Event {
				t.Errorf("%s: %+v", st, got)
			}
			originals = append(originals, compare(t, st, body, got.Body, news)...)
			redacted.WriteString(line(t, got))
		}
	}
	slices.Sort(originals)
	originals = slices.Compact(originals)
	text := redacted.String()
	for _, old := range originals {
		if strings.Contains(text, old) {
			t.Errorf("%q is still there", old)
		}
	}
	if strings.Contains(text, "s3cr3t") {
		t.Error("a header, a query or an answer is still there")
	}
	different := map[string]bool{}
	for _, v := range news {
		different[v] = true
	}
	if len(different) != len(news) || len(originals) < 150 {
		t.Errorf("%d values became %d, %d in all", len(news), len(different), len(originals))
	}
}

// TestRedactedFlow judges whole payments, their events in any order and some of
// them twice, before and after.
func TestRedactedFlow(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, []byte("seed"))
	before, after := verify.NewChecker(c, verify.Strict{}), verify.NewChecker(c, verify.Strict{})
	for seed := range uint64(60) {
		p := payment.New(c, payment.Options{Seed: seed, Start: c.Epoch, Toward: c.Flow})
		order := rand.New(rand.NewPCG(seed, 2))
		for range 6 {
			st := c.Flow[order.IntN(len(c.Flow))]
			rec := recorded(c, st, payloadOf(t, c, p, st))
			got := r.Record(rec)
			x, y := before.Check(rec.Body, st.Path), after.Check(got.Body, got.Path)
			if diff := cmp.Diff(codes(x), codes(y)); diff != "" || !x.OK() || x.Duplicate != y.Duplicate {
				t.Errorf("%s: %s", st, diff)
			}
		}
	}
	if diff := cmp.Diff(before.Summary(), after.Summary(), cmp.Comparer(func(a, b verify.Summary) bool {
		return a.GapCount == b.GapCount && a.Subjects == b.Subjects
	})); diff != "" || after.Summary().Subjects != 120 {
		t.Error("the sums differ", diff)
	}
}

func codes(v verify.Verdict) []verify.Code {
	var out []verify.Code
	for _, f := range v.Findings {
		out = append(out, f.Code)
	}
	return out
}

// compare wants the same members with the same values, but for the personal
// facts: these must be others, and valid. It returns the old ones.
func compare(t *testing.T, st *contract.State, before, after []byte, news map[string]string) []string {
	t.Helper()
	old, err := jsondoc.Parse(before)
	if err != nil {
		t.Fatal(err)
	}
	now, err := jsondoc.Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	if string(now.AppendCanonical(nil)) != string(after) {
		t.Errorf("%s is not canonical", after)
	}
	var out []string
	for _, f := range st.Fields() {
		x, y := old.At(f.Pointer), now.At(f.Pointer)
		if !slices.Contains(personal(), f.Fact.Name) {
			continue
		}
		key := f.Fact.Name + "=" + x.Text
		if was, ok := news[key]; ok && was != y.Text || x.Text == y.Text || len(f.Schema().Validate(*y)) > 0 {
			t.Errorf("%s: %s became %q, then %q", f.Fact.Name, x.Text, was, y.Text)
		}
		news[key] = y.Text
		out = append(out, x.Text)
		*y = *x
	}
	if diff := cmp.Diff(old, now); diff != "" {
		t.Errorf("%s: something else changed, too: %s", st, diff)
	}
	return out
}

func TestRedactedRecord(t *testing.T) {
	c := builtin(t)
	st := c.States()[0]
	p := payment.New(c, payment.Options{Seed: 1, Start: c.Epoch})
	in := recorded(c, st, payloadOf(t, c, p, st))
	in.Attempt, in.Direction, in.Duplicate = 2, journal.Sent, true
	in.Findings = []verify.Finding{
		{Code: verify.FactDrift, Severity: verify.Violation, Pointer: "/data/customerName", Message: "s3cr3t", Expected: "s3cr3t", Got: "s3cr3t", Source: "s3cr3t"},
		{Code: verify.UnknownField, Severity: verify.Warning, Pointer: "/data/s3cr3t"},
		{Code: verify.WrongType, Severity: "s3cr3t", Pointer: "/data/s3cr3t"},
		{Code: "Not s3cr3t", Severity: verify.Note},
	}
	got := journal.NewRedactor(c, nil).Record(in)
	want := journal.Record{
		Seq: 7, Time: in.Time, Direction: journal.Sent, Attempt: 2, Method: "POST", Path: st.Path, OK: true, Duplicate: true,
		Event: in.Event, Subject: in.Subject, State: in.State, PreviousState: in.PreviousState, ID: got.ID, Body: got.Body,
		Headers: http.Header{
			"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"gateway/1.2"}, "Content-Length": {fmt.Sprint(len(got.Body))},
		},
		Findings: []verify.Finding{
			{Code: verify.FactDrift, Severity: verify.Violation, Pointer: "/data/customerName", Message: "the text was redacted"},
			{Code: verify.WrongType, Severity: verify.Note, Message: "the text was redacted"},
		},
		Answer: journal.Answer{Status: 200}, LatencyMS: 1.5,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	again := journal.NewRedactor(c, nil).Record(in)
	if diff := cmp.Diff(got, again); diff != "" {
		t.Error("another time", diff)
	}
	if other := journal.NewRedactor(c, []byte{1}).Record(in); other.ID == got.ID {
		t.Error("the seed does not matter")
	}
}

func TestRedactedPath(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, nil)
	for in, want := range map[string]string{
		"/callback/update-invoice":                  "/callback/update-invoice",
		"/callback/update-invoice?a=b#c":            "/callback/update-invoice",
		"/api/v1/hooks":                             "/api/v1/hooks",
		"/hooks/550e8400-e29b-41d4-a716-4466554400": "/hooks/path-*",
		"/hooks/김민수":                                "/hooks/path-*",
		"/hooks/a@example.com/":                     "/hooks/path-*/",
		"":                                          "",
	} {
		got := r.Record(journal.Record{Path: in}).Path
		before, after, masked := strings.Cut(want, "*")
		if masked && strings.HasPrefix(got, before) && strings.HasSuffix(got, after) && len(got) == len(want)+11 {
			continue
		}
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
	got := r.Record(journal.Record{URL: "https://a:b@example.com/hooks?x=y"})
	if got.Path != "/hooks" || got.URL != "" {
		t.Errorf("%+v", got)
	}
	named := r.Record(journal.Record{Path: "/hooks/minsu", Headers: http.Header{"User-Agent": {"minsu/1"}}, Body: []byte(`{"name":"minsu"}`)})
	if strings.Contains(line(t, named), "minsu") {
		t.Errorf("%+v", named)
	}
}

func TestRedactedOddBodies(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, []byte("x"))
	for _, tt := range []struct{ in, want, note string }{
		{"", "", ""},
		{"{", "", "no JSON"},
		{`{"event":"a","event":"b"}`, "", "no JSON"},
		{"null", "null", ""},
		{`["Kim"]`, "[]", ""},
		{"{}", "{}", ""},
		{`{"name":"Kim"}`, "{}", ""},
		{`{"event":"invoice.updated","data":"x"}`, `{"event":"invoice.updated","data":"data-`, ""},
		{`{"event":"Kim"}`, `{"event":"event-`, ""},
		{`{"event":5}`, `{"event":`, ""},
		{`{"event":"invoice.updated","data":{"state":"Completo","customerName":"Kim"}}`, `{"event":"invoice.updated","data":{"state":"state-`, ""},
		{`{"event":"invoice.updated","data":{"state":"Ready"}}`, `{"event":"invoice.updated","data":{"state":"Ready"}}`, ""},
		{`{"event":"invoice.updated","data":{"state":"Cancel","customerName":["Kim"]}}`, `{"event":"invoice.updated","data":{"state":"Cancel","customerName":[]}}`, ""},
		{`{"event":"invoice.updated","data":{"state":"Cancel","customerName":{"Kim":"Kim"}}}`, `{"event":"invoice.updated","data":{"state":"Cancel","customerName":{}}}`, ""},
		{`{"event":"invoice.updated","data":{"state":"Cancel","reason":"because Kim said so"}}`, `{"event":"invoice.updated","data":{"state":"Cancel","reason":"reason-`, ""},
		{`{"event":"invoice.updated","data":{"state":"Cancel","reason":"expired"}}`, `{"event":"invoice.updated","data":{"state":"Cancel","reason":"expired"}}`, ""},
		{`{"event":"invoice.updated","data":{"state":"Pending","cashAmount":"1,000.5"}}`, `{"event":"invoice.updated","data":{"state":"Pending","cashAmount":"1,000.5"}}`, ""},
		{`{"event":"invoice.updated","data":{"state":"Pending","cashAmount":"Kim"}}`, `{"event":"invoice.updated","data":{"state":"Pending","cashAmount":"cashAmount-`, ""},
		{`{"event":"invoice.updated","data":{"state":"Pending","invoiceId":""}}`, `{"event":"invoice.updated","data":{"state":"Pending","invoiceId":""}}`, ""},
	} {
		rec := journal.Record{Body: []byte(tt.in)}
		got := r.Record(rec)
		if !strings.HasPrefix(string(got.Body), tt.want) || !strings.Contains(got.Redacted, tt.note) || (got.Redacted == "") != (tt.note == "") {
			t.Errorf("%s became %s (%s), want %s", tt.in, got.Body, got.Redacted, tt.want)
		}
		if strings.Contains(line(t, got), "Kim") {
			t.Errorf("%s: Kim is still there: %s", tt.in, got.Body)
		}
		if got.Redacted == "" && tt.in != "" {
			if diff := cmp.Diff(violated(c, rec.Body), violated(c, got.Body)); diff != "" {
				t.Errorf("%s: %s", tt.in, diff)
			}
		}
	}
}

// TestRedactedFacts looks at single members of one event.
func TestRedactedFacts(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, []byte("x"))
	const address = "TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBr"
	redact := func(data string) (jsondoc.Value, string) {
		got := r.Record(journal.Record{Body: []byte(`{"event":"transaction.created","data":{"state":"Pending",` + data + `}}`)})
		if got.Redacted != "" {
			return jsondoc.Value{}, got.Redacted
		}
		doc, err := jsondoc.Parse(got.Body)
		if err != nil {
			t.Fatal(err)
		}
		return *doc.At(jsondoc.Pointer{"data"}), ""
	}
	same, _ := redact(`"from":"` + address + `","to":"` + address + `"`)
	if from, to := same.Member("from").Text, same.Member("to").Text; from != to || from == address {
		t.Errorf("an address that sends to itself became %s and %s", from, to)
	}
	kept := `"blockNum":75235898,"fee":"0.5","amount":"74.074074","memo":null,"createdAt":"2026-01-02T03:04:05.678Z","assetId":1001`
	if got, _ := redact(kept); !strings.Contains(string(got.AppendLiteral(nil)), kept) {
		t.Errorf("%s became %s", kept, got.AppendLiteral(nil))
	}
	for _, member := range []string{
		`"memo":"010-1234-5678"`, `"idCode":"7/7"`, `"fee":"Kim"`, `"customer":{"id":1,"name":821012345678}`,
		`"customerId":"Kim","customer":{"id":"Kim","name":"Kim","phone":"Kim"}`,
	} {
		got, note := redact(member)
		for _, old := range []string{"010-1234-5678", "7/7", "Kim", "821012345678", "phone"} {
			if note != "" || strings.Contains(string(got.AppendLiteral(nil)), old) {
				t.Errorf("%s became %s (%s)", member, got.AppendLiteral(nil), note)
			}
		}
	}
	if got, note := redact(`"customerId":["a"],"customer":{"id":["b"],"name":"c"}`); !strings.Contains(note, "without changing what is wrong with it") {
		t.Errorf("a disagreement became %s (%s)", got.AppendLiteral(nil), note)
	}
}

func violated(c *contract.Contract, body []byte) []verify.Code {
	var out []verify.Code
	for _, f := range verify.Payload(c, body, "").Findings {
		if f.Severity == verify.Violation {
			out = append(out, f.Code)
		}
	}
	return out
}

// mutate damages a payload in n places: it leaves members out, adds some, and
// puts values of any type in the place of others.
func mutate(st *contract.State, body []byte, seed uint64, n int) []byte {
	doc, err := jsondoc.Parse(body)
	if err != nil {
		return body
	}
	r := rand.New(rand.NewPCG(seed, 1))
	values := []jsondoc.Value{
		jsondoc.NullValue(), jsondoc.BoolValue(true), jsondoc.StringValue("s3cr3t"), jsondoc.StringValue(""), jsondoc.StringValue(strings.Repeat("s3cr3t", 30)),
		jsondoc.ArrayValue(jsondoc.StringValue("s3cr3t")), jsondoc.ObjectValue(jsondoc.Member{Name: "s3cr3t", Value: jsondoc.StringValue("s3cr3t")}),
		{Kind: jsondoc.Number, Text: "-1.5"},
		jsondoc.StringValue("2025-13-45"), jsondoc.StringValue("1e5"),
	}
	for range n {
		at := st.Fields()[r.IntN(len(st.Fields()))].Pointer
		switch v := values[r.IntN(len(values))].Clone(); r.IntN(4) {
		case 0:
			_ = doc.Remove(at)
		case 1:
			_ = doc.Add(append(slices.Clone(at[:len(at)-1]), "s3cr3t"), v)
		case 2:
			_ = doc.Set(at[:r.IntN(len(at)+1)], v)
		default:
			_ = doc.Set(at, v)
		}
	}
	return doc.AppendCanonical(nil)
}

func TestRedactedIsWrongInTheSameWay(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, []byte("seed"))
	states := c.States()
	rapid.Check(t, func(t *rapid.T) {
		st := rapid.SampledFrom(states).Draw(t, "state")
		p := payment.New(c, payment.Options{Seed: rapid.Uint64().Draw(t, "payment"), Start: c.Epoch})
		doc, err := generate.Payload(c, p, st, generate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		body := mutate(st, doc.AppendCanonical(nil), rapid.Uint64().Draw(t, "seed"), rapid.IntRange(0, 4).Draw(t, "n"))
		rec := recorded(c, st, body)
		got := r.Record(rec)
		raw, err := got.Line()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(raw)+string(got.Body), "s3cr3t") {
			t.Fatalf("%s became %s\n%s", body, got.Body, raw)
		}
		for _, name := range personal() {
			v := p.Fact(c.Fact(name), st)
			if strings.Contains(string(got.Body), v.Text) || strings.Contains(string(raw), v.Text) {
				t.Fatalf("%s %s is in %s", name, v.Text, got.Body)
			}
		}
		if got.Redacted != "" {
			if len(got.Body) > 0 {
				t.Fatalf("%s, and yet %s", got.Redacted, got.Body)
			}
			return
		}
		if diff := cmp.Diff(violated(c, body), violated(c, got.Body)); diff != "" {
			t.Fatalf("%s became %s: %s", body, got.Body, diff)
		}
		if len(rec.Findings) > 0 && len(got.Findings) < len(violated(c, body)) {
			t.Fatalf("of %v %v is left", rec.Findings, got.Findings)
		}
		if again := r.Record(got); again.Redacted != "" {
			t.Fatalf("redacted twice: %s", again.Redacted)
		}
	})
}

// TestHowOftenBodiesAreEmptied keeps the last resort a rare one.
func TestHowOftenBodiesAreEmptied(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, []byte("seed"))
	emptied := map[string]int{}
	for seed := range uint64(3000) {
		st := c.States()[seed%uint64(len(c.States()))]
		p := payment.New(c, payment.Options{Seed: seed, Start: c.Epoch})
		body := mutate(st, payloadOf(t, c, p, st), seed, 2)
		if got := r.Record(recorded(c, st, body)); got.Redacted != "" {
			emptied[string(body)]++
		}
	}
	if len(emptied) > 30 {
		t.Errorf("%d of 3000 bodies were emptied, such as %s", len(emptied), slices.Sorted(maps.Keys(emptied))[0])
	}
}

func TestRedactorIsSafeForConcurrentUse(t *testing.T) {
	c := builtin(t)
	r := journal.NewRedactor(c, nil)
	st := c.States()[0]
	rec := recorded(c, st, payloadOf(t, c, payment.New(c, payment.Options{Start: c.Epoch}), st))
	want := line(t, r.Record(rec))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if raw, err := r.Record(rec).Line(); err != nil || !strings.HasPrefix(want, string(raw)) {
				t.Error("differs", err)
			}
		})
	}
	wg.Wait()
}

func FuzzRedact(f *testing.F) {
	c := builtin(f)
	r := journal.NewRedactor(c, []byte("seed"))
	for i, st := range c.States() {
		body := payloadOf(f, c, payment.New(c, payment.Options{Seed: uint64(i), Start: c.Epoch}), st)
		f.Add(body, st.Path, "User-Agent", "gateway/1.0")
		f.Add(mutate(st, body, uint64(i), 3), "/s3cr3t1/x", "Content-Type", "application/json;charset=utf-8;a=s3cr3t")
	}
	f.Add([]byte(`{"event":"s3cr3t","s3cr3t":"s3cr3t","data":["s3cr3t"]}`), "", "X-Signature", "s3cr3t")
	f.Add([]byte(`"s3cr3t`), "?s3cr3t", "cookie", "s3cr3t")
	f.Fuzz(func(t *testing.T, body []byte, path, header, value string) {
		in := journal.Record{Body: body, Path: path, Headers: http.Header{header: {value}}, Findings: verify.Payload(c, body, "").Findings}
		got := r.Record(in)
		raw, err := got.Line()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(got.Body), "s3cr3t") {
			t.Fatalf("%q became %q", body, got.Body)
		}
		if strings.Contains(path, "s3cr3t") && strings.Contains(got.Path, "s3cr3t") {
			t.Fatalf("%q became %q", path, got.Path)
		}
		if got.Redacted == "" && len(body) > 0 && !slices.Equal(violated(c, body), violated(c, got.Body)) {
			t.Fatalf("%q became %q: %s", body, got.Body, raw)
		}
	})
}
