package inspect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// hostile are records that nobody means well with.
func hostile(s *scene) map[string]journal.Record {
	event := func(members string) []byte {
		return []byte(`{"event":"invoice.updated","timestamp":"2025-01-01T00:00:00.000Z","data":{"invoiceId":"550e8400-e29b-41d4-a716-446655440000","state":"Pending","previousState":"Ready",` + members + `}}`)
	}
	keys := strings.Builder{}
	for n := range 10_000 {
		fmt.Fprintf(&keys, `"k%d":%d,`, n, n)
	}
	long := strings.Repeat("x", 1<<20)
	lie := journal.Record{
		Event: long, Subject: long, ID: long, State: long, PreviousState: long, Path: "/" + long, Forwarded: long, Signature: long, Direction: journal.Direction(long), Redacted: long, OK: true,
		Findings: []verify.Finding{{Code: verify.Code(long), Severity: verify.Severity(long), Message: long, Pointer: long}},
	}
	for n := range 1000 {
		lie.Findings = append(lie.Findings, verify.Finding{Code: verify.Code(fmt.Sprint(n)), Severity: verify.Violation, Message: long[:2000]})
	}
	return map[string]journal.Record{
		"many keys":     s.judged(event(keys.String()+`"title":"x"`), ""),
		"a long text":   s.judged(event(`"title":"`+long+`"`), ""),
		"a long name":   s.judged(event(`"`+long+`":1`), ""),
		"a long state":  s.judged([]byte(strings.Replace(string(event(`"title":"x"`)), `"Pending"`, `"`+long+`"`, 1)), ""),
		"a long event":  s.judged([]byte(`{"event":"`+long+`"}`), ""),
		"a long ID":     s.judged([]byte(strings.Replace(string(event(`"title":"x"`)), "550e8400", long, 1)), ""),
		"no UTF-8":      s.judged([]byte("{\"event\":\"\xff\xfe\"}"), "\xff"),
		"HTML":          s.judged(event(`"title":"</script><script>alert(1)</script><img src=x onerror=alert(1)>"`), `/<script>`),
		"bidi":          s.judged(event(`"title":"\u202e\u2066abc\u0000"`), ""),
		"deep":          s.judged([]byte(strings.Repeat("[", 1<<19)), ""),
		"twice":         s.judged(event(`"title":"x","title":"y"`), ""),
		"lies":          lie,
		"a sent lie":    {Direction: journal.Sent, Body: event(keys.String() + `"title":"x"`)},
		"a far time":    {Time: time.Date(200_000, 1, 1, 0, 0, 0, 0, time.UTC), OK: true},
		"header":        {Headers: http.Header{"\xff": {"\xff\x00"}, "": nil, "X": {long}}, Method: long},
		"no such state": {Subject: "invoice", State: "Ready", PreviousState: "Ready", Event: "invoice.updated", OK: true},
		"unseen":        {Subject: "transaction", State: "", PreviousState: "null", OK: true},
		"a latency":     {LatencyMS: math.Inf(-1), OK: true, Attempt: -1, Answer: journal.Answer{Status: -7, Body: "\xff"}},
	}
}

// TestHostile: whatever is recorded, every answer is sound JSON of a bounded size,
// and holds no tag.
func TestHostile(t *testing.T) {
	s := newScene(t)
	n := 0
	for name, r := range hostile(s) {
		s.Add(r)
		n++
		for _, path := range []string{fmt.Sprintf("api/deliveries/%d", n), "api/overview"} {
			w := s.ask(http.MethodGet, path)
			switch body := w.Body.Bytes(); {
			case w.Code != http.StatusOK, !json.Valid(body), !utf8.Valid(body):
				t.Errorf("%s: %s: %d %.200s", name, path, w.Code, body)
			case bytes.ContainsAny(body, "<>"):
				t.Errorf("%s: %s holds a tag", name, path)
			case len(body) > 16<<20:
				t.Errorf("%s: %s has %d bytes", name, path, len(body))
			}
		}
		row, err := json.Marshal(s.row(s.store.get(uint64(n))))
		if len(row) > 12_000 || err != nil {
			t.Errorf("%s: a row of %d bytes, %v", name, len(row), err)
		}
	}
	if w := s.ask(http.MethodGet, "api/payments?subject=invoice&id=550e8400-e29b-41d4-a716-446655440000"); w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) || w.Body.Len() > 1<<20 {
		t.Errorf("the payment: %d, %d bytes", w.Code, w.Body.Len())
	}
}

// TestLongIdentifiers: they are cut, told apart, and found.
func TestLongIdentifiers(t *testing.T) {
	s := newScene(t)
	long := strings.Repeat("é", 500)
	if a, b := shorten(long+"a"), shorten(long+"b"); a == b || len(a) > maxWord || !utf8.ValidString(a) {
		t.Errorf("%q and %q", a, b)
	}
	if got := shorten("short"); got != "short" {
		t.Errorf("%q", got)
	}
	s.receive("invoice", "pending", "complete", 0, `"invoiceId":"`, `"invoiceId":"`+strings.Repeat("x", 300))
	p := read[detailJSON](s, "api/deliveries/1").Parties[0]
	if w := s.ask(http.MethodGet, "api/payments?subject=invoice&id="+p.ID); w.Code != http.StatusOK {
		t.Errorf("%s: %d", p.ID, w.Code)
	}
	for in, want := range map[string]string{"abcdef": "abcdef", "abcdefg": "abc…", "aéééé": "a…"} {
		if got := clip(in, 6); got != want && in != "aéééé" || !utf8.ValidString(got) || len(got) > 6 {
			t.Errorf("%q: %q", in, got)
		}
	}
}

// TestRequestsAreBounded: nobody is read for long.
func TestRequestsAreBounded(t *testing.T) {
	s := newScene(t)
	for _, path := range []string{strings.Repeat("x", 1<<20), "api/deliveries/" + strings.Repeat("9", 1<<20), "api/payments?subject=invoice&id=" + strings.Repeat("x", 1<<20)} {
		if w := s.ask(http.MethodGet, path); w.Code != http.StatusNotFound {
			t.Errorf("%d", w.Code)
		}
	}
}
