package report

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

func loadContract(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func at() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 678_000_000, time.UTC) }

func TestDelivery(t *testing.T) {
	c := loadContract(t)
	paid := c.Flow[len(c.Flow)-1]
	checker := verify.NewChecker(c, verify.Strict{})
	body := paid.Sample.AppendCanonical(nil)
	first, second := checker.Check(body, paid.Path), checker.Check(body, paid.Path)
	finding := verify.Finding{
		Code: verify.WrongType, Severity: verify.Violation, Pointer: "/data/x", Message: "it is wrong",
		Expected: "string", Got: "7", Source: "the documents",
	}
	for _, test := range []struct {
		name string
		d    Delivery
		want string
	}{
		{
			"a legal one",
			Delivery{Time: at(), Status: 200, Verdict: verify.Verdict{State: first.State, Event: first.Event, Previous: first.Previous, ID: first.ID}},
			"03:04:05.678  200  invoice.updated  Pending→Complete  invoice 550e8400…\n",
		},
		{
			"one with findings",
			Delivery{Time: at(), Status: 409, Verdict: verify.Verdict{
				State: second.State, Event: second.Event, Previous: second.Previous, ID: second.ID,
				Findings: []verify.Finding{finding, {Code: verify.Duplicate, Severity: verify.Note, Message: "again"}},
			}},
			"03:04:05.678  409  invoice.updated  Pending→Complete  invoice 550e8400…\n" +
				"    wrong-type  /data/x\n      it is wrong\n      expected string\n      got      7\n      source   the documents\n" +
				"    duplicate  again\n",
		},
		{
			"one of no known state",
			Delivery{Time: at(), Method: "PUT", Path: "/x\x1b\n" + strings.Repeat("y", 100), Status: 405},
			"03:04:05.678  405  PUT /x\\x1b\\n" + strings.Repeat("y", 55) + "…\n",
		},
		{
			"one of an unknown state of a known event",
			Delivery{Time: at(), Status: 400, Verdict: verify.Verdict{Event: "invoice.updated"}},
			"03:04:05.678  400  invoice.updated\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			NewPrinter(&b, false, 0).Delivery(test.d)
			if diff := cmp.Diff(test.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestFindingsAreEscaped holds that what a sender wrote cannot leave its line.
func TestFindingsAreEscaped(t *testing.T) {
	evil := "\x1b[2J\n\u202e\xff"
	f := verify.Finding{Code: verify.Code(evil), Severity: verify.Violation, Pointer: evil, Message: evil, Expected: evil, Got: evil, Source: evil}
	var b bytes.Buffer
	p := NewPrinter(&b, false, 80)
	p.Findings([]verify.Finding{f, {Code: verify.Gap, Message: evil}}, "  ")
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	if len(lines) != 6 {
		t.Errorf("%d lines: %q", len(lines), b.String())
	}
	for _, line := range lines {
		if bad := raw(line); bad != "" {
			t.Errorf("%q has %s", line, bad)
		}
	}
}

// TestFindingsBreakAtBlanks holds that what was expected is wrapped between words.
func TestFindingsBreakAtBlanks(t *testing.T) {
	var b bytes.Buffer
	paths := "/callback/create-transaction, /callback/update-invoice, /callback/update-transaction"
	NewPrinter(&b, false, 60).Findings([]verify.Finding{{Code: verify.UnknownPath, Message: "no", Expected: paths, Got: "/a b"}}, "  ")
	want := "  unknown-path  no\n    expected /callback/create-transaction,\n             /callback/update-invoice,\n             /callback/update-transaction\n    got      /a b\n"
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSummary(t *testing.T) {
	edges := []verify.Coverage{{Subject: "invoice", Seen: 2, Of: 7}, {Subject: "transaction", Seen: 0, Of: 3}}
	for _, test := range []struct {
		name   string
		noun   string
		totals Totals
		s      verify.Summary
		want   string
	}{
		{
			"nothing", "delivery",
			Totals{},
			verify.Summary{Edges: edges},
			"0 deliveries, 0 violations, 0 warnings, 0 duplicates; edges invoice 2/7, transaction 0/3\n",
		},
		{
			"one of each", "payload",
			Totals{Deliveries: 1, Violations: 1, Warnings: 1, Duplicates: 1},
			verify.Summary{Edges: edges[:1]},
			"1 payload, 1 violation, 1 warning, 1 duplicate; edges invoice 2/7\n",
		},
		{
			"gaps", "delivery",
			Totals{Deliveries: 1, Warnings: 3},
			verify.Summary{Edges: edges[:1], Gaps: []string{"one", "two"}, GapCount: 3, GapSeverity: verify.Warning},
			"gap  one\ngap  two\n… and 1 more gaps\n1 delivery, 0 violations, 3 warnings, 0 duplicates; edges invoice 2/7\n",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b bytes.Buffer
			NewPrinter(&b, false, 0).Summary(test.noun, test.totals, test.s)
			if diff := cmp.Diff(test.want, b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTotals(t *testing.T) {
	var totals Totals
	totals.Add(&verify.Verdict{Duplicate: true, Findings: []verify.Finding{{Severity: verify.Note}, {Severity: verify.Warning}, {Severity: verify.Violation}, {Severity: verify.Violation}}})
	totals.Add(&verify.Verdict{})
	want := Totals{Deliveries: 2, Violations: 2, Warnings: 1, Notes: 1, Duplicates: 1}
	if diff := cmp.Diff(want, totals); diff != "" {
		t.Error(diff)
	}
	lenient, strict := totals, totals
	lenient.Gaps(verify.Summary{GapCount: 3, GapSeverity: verify.Warning})
	strict.Gaps(verify.Summary{GapCount: 3, GapSeverity: verify.Violation})
	if lenient.Warnings != 4 || lenient.Violations != 2 || strict.Violations != 5 || strict.Warnings != 1 {
		t.Errorf("gaps: %+v, strictly %+v", lenient, strict)
	}
}

func TestVerdictJSON(t *testing.T) {
	c := loadContract(t)
	st := c.Flow[len(c.Flow)-1]
	v := verify.NewChecker(c, verify.Strict{}).Check(st.Sample.AppendCanonical(nil), st.Path)
	got := NewVerdictJSON(&v)
	want := VerdictJSON{
		OK: true, Event: st.Event, Subject: st.Subject.Name, ID: v.ID, State: st.Wire, PreviousState: st.From[0].From.Wire,
		Findings: v.Findings,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestJSONIsHarmless: what a terminal or a CI runner would obey is escaped, and
// means the same to who parses it.
func TestJSONIsHarmless(t *testing.T) {
	hostile := "a##[error]b \u009b31m \u202e \u2028 \U000e0041 김 \x7f"
	var b strings.Builder
	NewPrinter(&b, false, 0).JSON("finding", verify.Finding{Code: "x", Message: hostile})
	for _, r := range b.String() {
		if r != '\n' && unsafe(r) {
			t.Errorf("%U is written raw", r)
		}
	}
	if strings.Contains(b.String(), "##[") {
		t.Errorf("a command is written raw: %s", &b)
	}
	var back verify.Finding
	if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back.Message != hostile {
		t.Errorf("%q came back, %v", back.Message, err)
	}
}
