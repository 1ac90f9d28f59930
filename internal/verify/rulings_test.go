package verify_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
)

// delivered checks events of one payment in turn and returns what was found of
// each: its codes, without those of values nobody documented.
func delivered(t *testing.T, c *contract.Contract, k *verify.Checker, events []event, toward ...string) [][]verify.Code {
	t.Helper()
	var out [][]verify.Code
	for _, e := range events {
		v := k.Check(payload(t, c, 5, e, toward...), "")
		found := codes(v)
		out = append(out, slices.DeleteFunc(found, func(x verify.Code) bool { return x == verify.UnknownValue }))
	}
	return out
}

type codeList = []verify.Code

// ruling is a history of one payment, and the codes of what is found of each event.
type ruling struct {
	name   string
	toward []string
	events []event
	want   []codeList
}

func rulings() []ruling {
	const (
		waiting, pending, complete   = "invoice/wait", "invoice/pending", "invoice/complete"
		fail, cancel, reject         = "invoice/fail", "invoice/cancel", "invoice/reject"
		txCreated, txComplete, txBad = "transaction/created", "transaction/complete", "transaction/fail"
	)
	duplicate, late, gap := codeList{verify.Duplicate}, codeList{verify.Late}, codeList{verify.Gap}
	contradiction := codeList{verify.Contradiction}
	return []ruling{
		{"6: a payment in order", nil, []event{ev(txCreated), ev(pending), ev(txComplete), ev(complete)}, []codeList{nil, nil, nil, nil}},
		{"6: a payment by way of Wait", nil, []event{ev(waiting), ev(pending).from("wait"), ev(complete)}, []codeList{nil, nil, nil}},
		{"6: late", nil, []event{ev(complete), ev(pending)}, []codeList{gap, late}},
		{"6: later still", nil, []event{ev(complete), ev(pending).from("wait"), ev(waiting)}, []codeList{gap, {verify.Gap, verify.Late}, late}},
		{"6: late transaction", nil, []event{ev(txComplete), ev(txCreated)}, []codeList{gap, late}},
		{"6: repeated", nil, []event{ev(pending), ev(pending)}, []codeList{nil, duplicate}},
		{"6: two ends", []string{fail}, []event{ev(pending), ev(fail), ev(complete)}, []codeList{nil, nil, contradiction}},
		{"6: two ends, the other way round", nil, []event{ev(pending), ev(complete), ev(fail)}, []codeList{nil, nil, contradiction}},
		{"6: two ends without their start", nil, []event{ev(complete), ev(fail)}, []codeList{gap, contradiction}},
		{"6: cancelled and paid", nil, []event{ev(cancel), ev(complete)}, []codeList{nil, contradiction}},
		{"6: cancelled and pending", nil, []event{ev(cancel), ev(pending)}, []codeList{nil, contradiction}},
		{"6: cancelled after waiting", nil, []event{ev(waiting), ev(cancel)}, []codeList{nil, contradiction}},
		{"6: rejected and paid", nil, []event{ev(reject), ev(complete)}, []codeList{gap, contradiction}},
		{"6: pending from two states", nil, []event{ev(pending), ev(pending).from("wait")}, []codeList{nil, contradiction}},
		{"6: waiting, and pending from Ready", nil, []event{ev(waiting), ev(pending)}, []codeList{nil, contradiction}},
		{"6: a transaction's two ends", nil, []event{ev(txCreated), ev(txComplete), ev(txBad)}, []codeList{nil, nil, contradiction}},
		{"6: after a contradiction the first stands", nil, []event{ev(pending), ev(complete), ev(fail), ev(complete)}, []codeList{nil, nil, contradiction, duplicate}},

		{
			"7: complete with what was expected", nil,
			[]event{ev(txCreated), ev(complete, "receivedAmount=74.07", "cryptoAmount=74.070000", "transactionId=other")},
			[]codeList{nil, gap},
		},
		{
			"7: complete with less", nil,
			[]event{ev(txCreated, "receivedAmount=1.5"), ev(complete)},
			[]codeList{nil, {verify.BrokenRelation}},
		},
		{
			"7: complete, then the amount comes", nil,
			[]event{ev(complete), ev(txCreated, "receivedAmount=1.5")},
			[]codeList{gap, {verify.BrokenRelation}},
		},
		{"7: failed for another amount", []string{fail}, []event{ev(txCreated), ev(pending), ev(fail)}, []codeList{nil, nil, nil}},
		{
			"7: failed for the same amount", nil,
			[]event{ev(fail, "receivedAmount=74.074074", "cryptoAmount=74.074074")},
			[]codeList{{verify.BrokenRelation}},
		},
		{
			"7: failed for the same amount, written otherwise", nil,
			[]event{ev(fail).edit("data.transaction.receivedAmount=70", "data.transaction.expectedAmount=70.000000")},
			[]codeList{{verify.BrokenRelation}},
		},
		{
			"7: failed for another reason, with the same amount", nil,
			[]event{ev(fail, "reason=transaction_failed", "receivedAmount=74.074074", "cryptoAmount=74.074074")},
			[]codeList{gap},
		},
		{
			"7: the transaction failed for the same amount", nil,
			[]event{ev(pending), ev(txBad, "failureReason=amount_mismatch")},
			[]codeList{nil, {verify.BrokenRelation}},
		},
		{
			"7: the transaction failed for the same amount, first", nil,
			[]event{ev(txBad, "failureReason=amount_mismatch"), ev(pending)},
			[]codeList{gap, {verify.BrokenRelation}},
		},
		{"7: failed, its transaction complete", []string{fail}, []event{ev(pending), ev(fail), ev(txCreated), ev(txComplete)}, []codeList{nil, nil, nil, nil}},
		{"7: failed, its transaction failed", []string{fail}, []event{ev(pending), ev(fail), ev(txCreated), ev(txBad)}, []codeList{nil, nil, nil, nil}},
		{"7: complete, its transaction failed", nil, []event{ev(pending), ev(complete), ev(txBad)}, []codeList{nil, nil, {verify.ExcludedState}}},
		{"7: its transaction failed, complete", nil, []event{ev(txBad), ev(pending), ev(complete)}, []codeList{gap, nil, {verify.ExcludedState}}},
		{
			"7: complete, another transaction failed", nil,
			[]event{ev(pending), ev(complete), ev(txBad, "transactionId=other")},
			[]codeList{nil, nil, gap},
		},

		{"7: completed before it was created", nil, []event{ev(complete, "completedAt=2025-09-05T10:29:59.999Z")}, []codeList{{verify.BrokenRelation}}},
		{"7: completed as it was created", nil, []event{ev(complete, "completedAt=2025-09-05T10:30:00.000Z")}, []codeList{gap}},
		{"7: reported before it was created", nil, []event{ev(complete, "timestamp=2025-09-05T10:29:59.999Z")}, []codeList{{verify.BrokenRelation}}},
		{
			"7: seen before the invoice was created", nil,
			[]event{ev(txCreated, "transactionCreatedAt=2025-09-05T10:29:59.999Z"), ev(complete)},
			[]codeList{nil, {verify.BrokenRelation}},
		},
		{
			"7: an earlier report, then the creation", nil,
			[]event{ev(pending, "timestamp=2025-09-05T10:00:00.000Z"), ev(complete)},
			[]codeList{nil, {verify.BrokenRelation}},
		},
		{
			"7: finalized before it was seen", nil,
			[]event{ev(txCreated), ev(txComplete, "finalizedAt=2025-09-05T10:44:52.515Z")},
			[]codeList{nil, {verify.BrokenRelation}},
		},
		{
			"7: expired before it was created", nil,
			[]event{ev(cancel, "expiredAt=2025-09-05T10:00:00.000Z", "createdAt=2025-09-05T10:30:00.000Z").edit("data.createdAt=2025-09-05T10:30:00.000Z")},
			[]codeList{{verify.UnknownField}},
		},
		{"7: a leap second is a time", nil, []event{ev(complete, "completedAt=2025-12-31T23:59:60.000Z").edit("timestamp=2026-01-01T00:00:00.000Z")}, []codeList{gap}},
		{"7: the invoice's end may be ahead of the transaction's", nil, []event{ev(pending), ev(complete), ev(txCreated), ev(txComplete)}, []codeList{nil, nil, nil, nil}},

		{"7: an event is not reported before it happens", nil, []event{ev(complete).edit("timestamp=2025-09-05T10:44:59.999Z")}, []codeList{{verify.BrokenRelation}}},
		{"7: nor a cancellation", nil, []event{ev(cancel).edit("timestamp=2025-09-05T10:59:00.000Z")}, []codeList{{verify.BrokenRelation}}},

		{"8: the start is missing", []string{fail}, []event{ev(fail)}, []codeList{gap}},
		{"9: more confirmations are another fact", nil, []event{ev(txCreated), ev(txComplete), ev(txComplete).edit("data.blockConfirmations=20")}, []codeList{nil, nil, {verify.Conflict}}},
		{"9: a UUID is the same in either case", nil, []event{ev(pending, "invoiceId=550e8400-e29b-41d4-a716-446655440000"), ev(pending, "invoiceId=550E8400-E29B-41D4-A716-446655440000")}, []codeList{nil, duplicate}},
		{"6: and contradicts itself in either case", nil, []event{ev(pending, "invoiceId=550e8400-e29b-41d4-a716-446655440000"), ev(cancel, "invoiceId=550E8400-E29B-41D4-A716-446655440000")}, []codeList{nil, {verify.Contradiction}}},

		{"8: nothing is missing before Cancel", nil, []event{ev(cancel)}, []codeList{nil}},
		{"8: told once", nil, []event{ev(complete), ev(complete)}, []codeList{gap, duplicate}},

		{"9: stamped anew", nil, []event{ev(pending), ev(pending, "timestamp=2025-09-05T10:45:00.000Z")}, []codeList{nil, duplicate}},
		{
			"9: an amount written otherwise", nil,
			[]event{ev(pending).edit("data.cashAmount=5"), ev(pending).edit("data.cashAmount=5.000000")},
			[]codeList{nil, duplicate},
		},
		{"9: another name", nil, []event{ev(pending), ev(pending, "customerName=Somebody Else")}, []codeList{nil, {verify.Conflict}}},
		{"9: another amount", nil, []event{ev(pending), ev(pending).edit("data.cryptoAmount=1")}, []codeList{nil, {verify.Conflict}}},
		{"9: another transaction", nil, []event{ev(pending), ev(pending, "transactionId=other")}, []codeList{nil, {verify.Conflict}}},
		{"9: another invoice", nil, []event{ev(txCreated), ev(txCreated, "invoiceId=550e8400-e29b-41d4-a716-446655440000")}, []codeList{nil, {verify.Conflict}}},
		{"9: drift between states", nil, []event{ev(pending), ev(complete, "title=Something else")}, []codeList{nil, {verify.FactDrift}}},
		{
			"9: drift between subjects", nil,
			[]event{ev(txCreated), ev(complete).edit("data.transaction.blockNum:=1")},
			[]codeList{nil, {verify.FactDrift}},
		},
		{
			"9: a transaction moves to another invoice", nil,
			[]event{ev(txCreated), ev(txComplete, "invoiceId=550e8400-e29b-41d4-a716-446655440000")},
			[]codeList{nil, {verify.FactDrift}},
		},
		{
			"9: two invoices share a transaction", nil,
			[]event{ev(txCreated), ev(pending, "invoiceId=550e8400-e29b-41d4-a716-446655440000")},
			[]codeList{nil, {verify.FactDrift}},
		},
		{
			"9: two invoices share a transaction, the other way round", nil,
			[]event{ev(pending, "invoiceId=550e8400-e29b-41d4-a716-446655440000"), ev(txCreated)},
			[]codeList{nil, {verify.FactDrift}},
		},
		{
			"one hash pays two invoices by two outputs", nil,
			[]event{ev(txCreated), ev(txCreated, "transactionId=other", "invoiceId=550e8400-e29b-41d4-a716-446655440000", "idCode=1/1")},
			[]codeList{nil, nil},
		},
		{"a violation is not remembered", nil, []event{ev(pending), ev(pending, "customerName=Somebody Else"), ev(complete)}, []codeList{nil, {verify.Conflict}, nil}},
		{"an illegal move is not remembered", nil, []event{ev(complete).from("ready"), ev(cancel)}, []codeList{{verify.IllegalTransition}, nil}},
	}
}

func TestRulings(t *testing.T) {
	c := pack(t)
	for _, x := range rulings() {
		t.Run(x.name, func(t *testing.T) {
			got := delivered(t, c, verify.NewChecker(c, verify.Strict{}), x.events, x.toward...)
			if diff := cmp.Diff(x.want, got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

// TestFindingsSayWhere looks at the whole finding of one of each kind.
func TestFindingsSayWhere(t *testing.T) {
	for _, x := range []struct {
		name                         string
		events                       []event
		code                         verify.Code
		pointer, expected, got, from string
	}{
		{
			"contradiction",
			[]event{ev("invoice/complete"), ev("invoice/fail")},
			verify.Contradiction, "/data/state", "", "", "webhook/invoice",
		},
		{
			"conflict",
			[]event{ev("invoice/pending", "customerName=A"), ev("invoice/pending", "customerName=B")},
			verify.Conflict, "/data/customerName", `"A"`, `"B"`, "webhook/invoice",
		},
		{
			"drift",
			[]event{ev("transaction/created", "blockNum=75000001"), ev("invoice/complete").edit("data.transaction.blockNum:=1")},
			verify.FactDrift, "/data/transaction/blockNum", "75000001", "1", "webhook/transaction",
		},
		{
			"relation",
			[]event{ev("invoice/complete", "cryptoAmount=2"), ev("transaction/created", "receivedAmount=1")},
			verify.BrokenRelation, "/data/amount", "amount must equal cryptoAmount", `"1.000000" and "2.000000"`, "",
		},
		{
			"excluded",
			[]event{ev("invoice/complete"), ev("transaction/fail")},
			verify.ExcludedState, "/data/state", "", "", "",
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := pack(t)
			k := verify.NewChecker(c, verify.Strict{})
			var v verify.Verdict
			for _, e := range x.events {
				v = k.Check(payload(t, c, 5, e), "")
			}
			f := find(v, x.code, x.pointer)
			if f == nil || f.Message == "" || f.Source == "" || x.from != "" && f.Source != x.from {
				t.Fatalf("%+v", v.Findings)
			}
			if f.Expected != x.expected || f.Got != x.got {
				t.Errorf("expected %q, got %q: %+v", x.expected, x.got, f)
			}
		})
	}
}

func TestStrict(t *testing.T) {
	for _, x := range []struct {
		name   string
		events []event
		want   verify.Code
	}{
		{"order", []event{ev("invoice/complete"), ev("invoice/pending")}, verify.Late},
		{"duplicates", []event{ev("invoice/pending"), ev("invoice/pending")}, verify.Duplicate},
		{"unknown-fields", []event{ev("invoice/pending").edit("data.x=1")}, verify.UnknownField},
		{"unknown-values", []event{ev("invoice/fail", "reason=other")}, verify.UnknownValue},
		{"gaps", []event{ev("invoice/complete")}, ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			if !slices.Contains(verify.StrictNames(), x.name) {
				t.Errorf("%s is not in %v", x.name, verify.StrictNames())
			}
			c := pack(t)
			for _, on := range []bool{false, true} {
				var s verify.Strict
				if on && !s.Enable(x.name) {
					t.Fatal("there is no such name")
				}
				k := verify.NewChecker(c, s)
				var v verify.Verdict
				for _, e := range x.events {
					v = k.Check(payload(t, c, 5, e), "")
				}
				var want codeList
				if on && x.want != "" {
					want = codeList{x.want}
				}
				if diff := cmp.Diff(want, codes(v, verify.Violation)); diff != "" {
					t.Errorf("strict %v: %s", on, diff)
				}
				severity := verify.Warning
				if on && x.name == "gaps" {
					severity = verify.Violation
				}
				if s := k.Summary(); s.GapSeverity != severity {
					t.Errorf("strict %v: gaps are a %s", on, s.GapSeverity)
				}
			}
		})
	}
	var s verify.Strict
	if s.Enable("everything") || s != (verify.Strict{}) {
		t.Error("there is no such name")
	}
}

func TestSummary(t *testing.T) {
	c := pack(t)
	k := verify.NewChecker(c, verify.Strict{})
	delivered(t, c, k, []event{ev("invoice/complete"), ev("transaction/complete"), ev("transaction/created"), ev("transaction/created")})
	s := k.Summary()
	counts := func(s verify.Summary) []int {
		var out []int
		for _, e := range s.Edges {
			out = append(out, e.Seen, e.Of)
		}
		return append(out, s.GapCount, len(s.Gaps), s.Subjects, s.Forgotten)
	}
	if diff := cmp.Diff([]int{1, 7, 2, 3, 1, 1, 2, 0}, counts(s)); diff != "" {
		t.Errorf("%s%+v", diff, s)
	}
	delivered(t, c, k, []event{ev("invoice/pending")})
	if diff := cmp.Diff([]int{2, 7, 2, 3, 0, 0, 2, 0}, counts(k.Summary())); diff != "" {
		t.Error("what came late is no gap:", diff)
	}
	other := verify.NewChecker(c, verify.Strict{})
	delivered(t, c, other, []event{ev("invoice/wait"), ev("invoice/pending").from("wait"), ev("invoice/complete")})
	if diff := cmp.Diff([]int{3, 7, 2, 3, 1, 1, 4, 0}, counts(s.Merge(other.Summary()))); diff != "" {
		t.Error("merged:", diff)
	}
}

// TestRestampedDuplicatesDoNotHideAnEarlyEvent holds the one early event among
// more duplicates than a subject keeps claims of, in both orders of arrival.
func TestRestampedDuplicatesDoNotHideAnEarlyEvent(t *testing.T) {
	c := pack(t)
	complete := payload(t, c, 1, ev("invoice/complete"), "invoice/complete")
	var pending [][]byte
	for i := range 200 {
		pending = append(pending, payload(t, c, 1, ev("invoice/pending").edit(fmt.Sprintf("timestamp=2025-09-05T10:%02d:%02d.000Z", 31+i/60, i%60)), "invoice/complete"))
	}
	pending = append(pending, payload(t, c, 1, ev("invoice/pending").edit("timestamp=2025-09-05T10:00:00.000Z"), "invoice/complete"))
	for name, order := range map[string][][]byte{
		"complete last":  append(slices.Clone(pending), complete),
		"complete first": append([][]byte{complete}, pending...),
	} {
		t.Run(name, func(t *testing.T) {
			k := verify.NewChecker(c, verify.Strict{})
			violations := 0
			for _, raw := range order {
				violations += k.Check(raw, "").Count(verify.Violation)
			}
			if violations == 0 {
				t.Error("an event before the payment's creation went unnoticed")
			}
		})
	}
}

// TestViolatingDeliveriesAreNotRemembered: they must not push out honest ones.
func TestViolatingDeliveriesAreNotRemembered(t *testing.T) {
	c := pack(t)
	k := verify.NewChecker(c, verify.Strict{})
	raw := payload(t, c, 1, ev("invoice/complete", "receivedAmount=1").edit("data.transaction.id=other"), "invoice/complete")
	first := k.Check(raw, "")
	if !first.OK() {
		t.Fatal(first.Findings)
	}
	before := k.Summary().Subjects
	late := payload(t, c, 1, ev("invoice/fail").edit("data.transaction.id=third"), "invoice/fail")
	if v := k.Check(late, ""); v.OK() {
		t.Fatal("Complete and Fail of one invoice were accepted")
	}
	if after := k.Summary().Subjects; after != before {
		t.Errorf("a violating delivery made %d subjects of %d", after, before)
	}
}
