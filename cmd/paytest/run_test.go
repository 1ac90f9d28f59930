package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// webhook is what a merchant's server reads of one.
type webhook struct {
	Event string
	Data  struct {
		InvoiceID, State string
	}
}

func (h webhook) String() string {
	subject, _, _ := strings.Cut(h.Event, ".")
	return subject + " " + strings.ToLower(h.Data.State)
}

// merchant is a server with a bug, as merchants write them.
type merchant struct {
	rule string
	n    int
	mu   sync.Mutex
	seen map[string]int // by body, or by payment and state
}

// status decides on one delivery.
func (m *merchant) status(body []byte) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var h webhook
	if json.Unmarshal(body, &h) != nil {
		return http.StatusBadRequest
	}
	payment := h.Data.InvoiceID + " "
	m.seen[string(body)]++
	bug := false
	switch m.rule {
	case "no-complete":
		bug = h.String() == "invoice complete"
	case "flaky":
		bug = m.seen[string(body)] <= m.n
	case "no-late":
		bug = h.String() == "invoice pending" && m.seen[payment+"invoice complete"] > 0
	case "once":
		bug = m.seen[string(body)] > 1
	}
	if bug {
		return http.StatusInternalServerError
	}
	m.seen[payment+h.String()]++
	return http.StatusOK
}

// cmdMerchant starts a merchant's server that has a bug, which it answers with
// 500, and sets the variable NAME to its URL:
//
//	merchant NAME no-complete  when an invoice completes
//	merchant NAME flaky N      the first N times that it gets a webhook
//	merchant NAME no-late      when an invoice is pending that it knows as complete
//	merchant NAME once         when it gets a webhook again
func cmdMerchant(ts *testscript.TestScript, neg bool, args []string) {
	rules := []string{"no-complete", "flaky", "no-late", "once"}
	want(ts, !neg && len(args) > 1 && slices.Contains(rules, args[1]), "merchant NAME "+strings.Join(rules, "|")+" [N]")
	m := &merchant{rule: args[1], seen: map[string]int{}}
	if len(args) > 2 {
		n, err := strconv.Atoi(args[2])
		ts.Check(err)
		m.n = n
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		w.WriteHeader(m.status(body))
		_, _ = io.WriteString(w, `{"by":"merchant"}`)
	}))
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// record is a line of a journal.
type record struct {
	Type    string
	Headers http.Header
	Body    []byte
}

func records(ts *testscript.TestScript, file string) []record {
	var out []record
	for line := range strings.Lines(ts.ReadFile(file)) {
		var r record
		ts.Check(json.Unmarshal([]byte(line), &r))
		if r.Type == "delivery" {
			out = append(out, r)
		}
	}
	return out
}

// cmdBodies makes the bodies in a journal stdout, one a line:
//
//	bodies JOURNAL
func cmdBodies(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "bodies JOURNAL")
	for _, r := range records(ts, args[0]) {
		_, _ = ts.Stdout().Write(append(slices.Clone(r.Body), '\n'))
	}
}

// cmdHides checks that nothing personal of a journal, nor its signatures, is
// anywhere in another file:
//
//	hides FILE JOURNAL
func cmdHides(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "hides FILE JOURNAL")
	shown := ts.ReadFile(args[0])
	for _, r := range records(ts, args[0]) {
		shown += string(r.Body) + "\n"
	}
	found := map[string]bool{}
	for _, r := range records(ts, args[1]) {
		for _, v := range r.Headers["X-Signature"] {
			found[v] = true
		}
		var doc any
		ts.Check(json.Unmarshal(r.Body, &doc))
		personal(doc, "", found)
	}
	if len(found) < 10 {
		ts.Fatalf("%s holds next to nothing: %q", args[1], slices.Collect(maps.Keys(found)))
	}
	for old := range found {
		if strings.Contains(shown, old) {
			ts.Fatalf("%s shows %q", args[0], old)
		}
	}
}

// personal collects what tells whose a payment is.
func personal(v any, name string, found map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if name != "Asset" { // the same for everybody
				personal(x, name, found)
			}
		}
	case string:
		if slices.Contains([]string{"invoiceId", "customerId", "customerName", "title", "partnerId", "id", "name", "detail", "from", "to"}, name) {
			found[v] = true
		}
	}
}

// cmdAlike checks that two files are the same, but for times, durations and ports:
//
//	alike FILE FILE
func cmdAlike(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "alike FILE FILE")
	times := regexp.MustCompile(`(time|timestamp)="[^"]*"|"(started|durationMs|time|latencyMs)":\s*("[^"]*"|[0-9.e+-]+)|\b[0-9.]+ ?(ns|µs|ms|s)\b|127\.0\.0\.1:[0-9]+`)
	one, two := times.ReplaceAllString(ts.ReadFile(args[0]), "SO MUCH"), times.ReplaceAllString(ts.ReadFile(args[1]), "SO MUCH")
	if one == two {
		return
	}
	a, b := strings.Split(one, "\n"), strings.Split(two, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			ts.Fatalf("line %d differs:\n%s\n%s", i+1, a[i], b[i])
		}
	}
	ts.Fatalf("%d and %d lines", len(a), len(b))
}

// junit is a report as CI systems read it.
type junit struct {
	XMLName xml.Name `xml:"testsuites"`
	Suites  []struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Skipped  int `xml:"skipped,attr"`
		Cases    []struct {
			Class   string    `xml:"classname,attr"`
			Name    string    `xml:"name,attr"`
			Time    float64   `xml:"time,attr"`
			Failure *struct{} `xml:"failure"`
			Error   *struct{} `xml:"error"`
			Skipped *struct{} `xml:"skipped"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

// cmdJUnit checks that a file is a JUnit report whose numbers are right, and whose
// cases have a name each of its own:
//
//	junit FILE TESTS FAILURES SKIPPED
func cmdJUnit(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 4, "junit FILE TESTS FAILURES SKIPPED")
	var doc junit
	dec := xml.NewDecoder(bytes.NewReader([]byte(ts.ReadFile(args[0]))))
	ts.Check(dec.Decode(&doc))
	if len(doc.Suites) != 1 {
		ts.Fatalf("%d suites", len(doc.Suites))
	}
	s := doc.Suites[0]
	tests, failures, skipped := 0, 0, 0
	names := map[string]bool{}
	for _, c := range s.Cases {
		tests++
		if c.Failure != nil {
			failures++
		}
		if c.Skipped != nil {
			skipped++
		}
		if c.Class == "" || c.Name == "" || names[c.Class+"\n"+c.Name] || c.Error != nil {
			ts.Fatalf("the case %s %s is not one", c.Class, c.Name)
		}
		names[c.Class+"\n"+c.Name] = true
	}
	got := []int{tests, failures, skipped}
	if told := []int{s.Tests, s.Failures, s.Skipped}; !slices.Equal(got, told) || s.Errors != 0 {
		ts.Fatalf("tests, failures, skipped are %v, and told as %v", got, told)
	}
	for i, text := range args[1:] {
		if strconv.Itoa(got[i]) != text {
			ts.Fatalf("tests, failures, skipped are %v, not %q", got, args[1:])
		}
	}
}
