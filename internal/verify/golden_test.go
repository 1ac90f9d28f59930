package verify_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/verify"
)

// golden holds text against a file in testdata, or rewrites that with -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was, is := bytes.Split(want, []byte{'\n'}), bytes.Split(got, []byte{'\n'})
	for i := range min(len(was), len(is)) {
		if !bytes.Equal(was[i], is[i]) {
			t.Fatalf("%s:%d is\n%s\nand now\n%s", path, i+1, was[i], is[i])
		}
	}
	if len(was) != len(is) {
		t.Errorf("%s has %d lines, and now %d", path, len(was), len(is))
	}
}

// appendVerdict writes all that a verdict says.
func appendVerdict(out []byte, v verify.Verdict) []byte {
	out = fmt.Appendf(out, "%q", v.Event)
	if v.State != nil {
		out = fmt.Appendf(out, ", %s", v.State)
	}
	if v.Edge != nil {
		out = fmt.Appendf(out, ", %s", v.Edge)
	}
	if v.Previous != "" {
		out = fmt.Appendf(out, ", from %s", v.Previous)
	}
	out = fmt.Appendf(out, ", id %q", v.ID)
	if v.Duplicate {
		out = append(out, ", again"...)
	}
	out = append(out, '\n')
	for _, f := range v.Findings {
		out = fmt.Appendf(out, "  %s %s %s: %s", f.Severity, f.Code, f.Pointer, f.Message)
		if f.Expected != "" || f.Got != "" {
			out = fmt.Appendf(out, " | expected %s | got %s", f.Expected, f.Got)
		}
		out = fmt.Appendf(out, " | %s\n", f.Source)
	}
	return out
}

// history is events of one payment, in the order in which they come.
type history struct {
	name   string
	strict verify.Strict
	toward []string
	events []event
}

// inFull delivers a history to a small checker, and writes all that is said and
// remembered of it.
func inFull(t *testing.T, out []byte, c *contract.Contract, h history) []byte {
	t.Helper()
	k := verify.NewSmallChecker(c, h.strict)
	out = fmt.Appendf(out, "== %s\n", h.name)
	for _, e := range h.events {
		raw := payload(t, c, 5, e, h.toward...)
		v := k.Check(raw, "")
		if v.Quick() {
			out = append(out, "quick: "...)
		}
		out = appendVerdict(out, v)
		if diff := cmp.Diff(verify.Payload(c, raw, "").Told(c), v.Told(c)); diff != "" {
			t.Errorf("%s: what the verdict tells: %s", h.name, diff)
		}
	}
	for _, line := range k.Remembered() {
		out = append(append(out, line...), '\n')
	}
	s := k.Summary()
	out = fmt.Appendf(out, "%d gaps, a %s, %d subjects, %d forgotten", s.GapCount, s.GapSeverity, s.Subjects, s.Forgotten)
	for _, e := range s.Edges {
		out = fmt.Appendf(out, ", %s %d/%d", e.Subject, e.Seen, e.Of)
	}
	out = append(out, '\n')
	for _, gap := range s.Gaps {
		out = fmt.Appendf(out, "  %s\n", gap)
	}
	return append(out, '\n')
}

// unusual are histories that the rulings do not have.
func unusual() []history {
	const pending, complete, fail, created, confirmed = "invoice/pending", "invoice/complete", "invoice/fail", "transaction/created", "transaction/complete"
	long := "title=" + strings.Repeat("x", 150)
	var out []history
	for name, strict := range map[string]verify.Strict{
		"nothing": {}, "order": {Order: true}, "duplicates": {Duplicates: true}, "unknown fields": {UnknownFields: true}, "unknown values": {UnknownValues: true}, "gaps": {Gaps: true},
	} {
		out = append(out,
			history{"strict about " + name, strict, nil, []event{ev(complete), ev(pending), ev(pending), ev(complete), ev(created)}},
			history{"strict about " + name + ", the long way", strict, nil, []event{ev(complete, long), ev(pending, long), ev(pending, long), ev(complete, long), ev(created)}},
			history{"strict about " + name + ", unknown", strict, nil, []event{ev(complete).edit("data.x=1"), ev(fail, "reason=other"), ev(complete), ev(fail, "reason=other")}},
		)
	}
	slices.SortFunc(out, func(a, b history) int { return strings.Compare(a.name, b.name) })
	return append(out,
		history{name: "another fact with a condition's value", events: []event{
			ev(fail, "reason=another", "receivedAmount=74.074074", "cryptoAmount=74.074074", "customerName=amount_mismatch"),
		}},
		history{name: "a name like a time", events: []event{
			ev(complete, "customerName=2025-09-05T10:45:00.000Z").edit("timestamp=2025-09-05T10:45:00.000Z"), ev(pending, "customerName=2025-09-05T10:45:00.000Z"),
		}},
		history{name: "earlier and earlier, and then what was later", events: []event{
			ev(pending).edit("timestamp=2025-09-05T10:50:00.000Z"), ev(pending).edit("timestamp=2025-09-05T10:40:00.000Z"), ev(pending).edit("timestamp=2025-09-05T10:45:00.000Z"),
			ev(complete, "createdAt=2025-09-05T10:44:00.000Z", "completedAt=2025-09-05T10:45:00.000Z"),
		}},
		history{name: "a time that stands for others", events: []event{
			ev(confirmed).edit("timestamp=2025-09-05T10:50:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(confirmed).edit("timestamp=2025-09-05T10:52:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(confirmed).edit("timestamp=2025-09-05T10:51:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(confirmed).edit("timestamp=2025-09-05T10:49:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(created, "transactionCreatedAt=2025-09-05T10:55:00.000Z").edit("timestamp=2025-09-05T10:56:00.000Z"),
		}},
		history{name: "later, then as early as possible", events: []event{
			ev(confirmed).edit("timestamp=2025-09-05T10:53:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(confirmed).edit("timestamp=2025-09-05T10:52:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(confirmed).edit("timestamp=2025-09-05T10:50:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
			ev(confirmed).edit("timestamp=2025-09-05T10:51:00.000Z", "data.finalizedAt=2025-09-05T10:50:00.000Z"),
		}},
		history{name: "an identity with escapes", events: []event{ev(pending, "transactionId=a\"b\\"), ev(complete, "transactionId=a\"b\\"), ev(complete, "transactionId=a\"b")}},
		history{name: "no identity", events: []event{ev(created).edit("data.id="), ev(pending).edit("data.transaction.id=")}},
		history{name: "long identities", events: []event{
			ev(created).edit("data.id=" + strings.Repeat("y", 200)), ev(created).edit("data.id=" + strings.Repeat("y", 200)), ev(created).edit("data.id=" + strings.Repeat("y", 201)),
		}},
		history{name: "a fraction of a millisecond", events: []event{ev(complete).edit("data.createdAt=2025-09-05T10:30:00.000Z"), ev(complete).edit("data.createdAt=2025-09-05T10:30:00.001Z")}},
	)
}

// carried are histories of shipments.
func carried() []history {
	const packed, shipped, returned, weighed = "shipment/packed", "shipment/shipped", "shipment/returned", "parcel/weighed"
	light := ev(weighed).edit("!body.dimensions", "body.scaleWeight=2.500")
	heavy := ev(weighed).edit("!body.dimensions", "body.scaleWeight=2.750")
	back := ev(returned).edit("body.weight=2.500", "body.reason=weight")
	refused := ev(returned).edit("body.weight=2.500", "body.reason=refused")
	return []history{
		{name: "returned for its weight, which is right", events: []event{back, light}},
		{name: "returned for its weight, which is wrong", events: []event{back, heavy, heavy, back}},
		{name: "the other way round", events: []event{light, back, refused}},
		{name: "refused", events: []event{refused, light}},
		{name: "with dimensions", events: []event{ev(weighed), ev(weighed), ev(weighed).edit("body.dimensions:=[1,2]"), ev(shipped), ev(packed)}},
		{name: "of whom nobody knows what is in it", events: []event{back, light.edit("!body.shipment"), heavy.edit("!body.shipment"), light}},
		{name: "times that are finer than is remembered", events: []event{
			ev(packed).edit("occurredAt=2024-02-29T09:00:00.0005Z"), ev(packed), ev(packed).edit("occurredAt=2024-02-29T09:00:00.0007Z"), ev(packed).edit("occurredAt=2024-02-29T08:59:00.000Z"),
		}},
		{name: "a time, then one that is finer", events: []event{ev(packed), ev(packed).edit("occurredAt=2024-02-29T08:30:00.0005Z"), ev(packed).edit("occurredAt=2024-02-29T08:29:00.000Z")}},
		{name: "times of an hour elsewhere", events: []event{ev(packed).edit("occurredAt=2024-02-29T10:00:00.000+01:00"), ev(packed).edit("occurredAt=2024-02-29T09:30:00.000+01:00"), ev(packed), ev(packed).edit("occurredAt=2024-02-29T08:15:00.000Z")}},
		{name: "without its shipment first", events: []event{light.edit("!body.shipment"), heavy.edit("!body.shipment"), back, heavy}},
	}
}

// leftOut are histories of payments whose members may be left out.
func leftOut() []history {
	const pending, complete, created = "invoice/pending", "invoice/complete", "transaction/created"
	const last, name = "!data.transaction.detail", "!data.customerName"
	early, late := "timestamp=2025-09-05T10:40:00.000Z", "timestamp=2025-09-05T10:50:00.000Z"
	return []history{
		{name: "the last member", events: []event{ev(pending).edit(last, late), ev(pending).edit(last), ev(pending).edit(early), ev(pending).edit(last, early)}},
		{name: "the last member, later", events: []event{ev(pending).edit(late), ev(pending).edit(last), ev(pending).edit(last, early)}},
		{name: "one between", events: []event{ev(pending).edit(name, late), ev(pending).edit(name), ev(pending).edit(early), ev(pending).edit(name, early)}},
		{name: "one and another", events: []event{ev(pending).edit(name, late), ev(pending).edit(last, early), ev(complete).edit(last), ev(created).edit("!data.customer.name", "!data.customerId")}},
		{name: "the other subject", events: []event{ev(pending).edit("!data.transaction.id", last), ev(pending), ev(complete).edit("!data.transaction"), ev(created)}},
		{name: "all but the other subject's name", events: []event{ev(pending).edit("!data.transaction.id"), ev(created, "detail="+strings.Repeat("a", 64)), ev(complete)}},
	}
}

// TestHistoriesInFull holds every word of the verdicts on histories, how each is
// found, and what is remembered in the end.
func TestHistoriesInFull(t *testing.T) {
	c := pack(t)
	var out []byte
	for _, h := range rulings() {
		out = inFull(t, out, c, history{name: h.name, toward: h.toward, events: h.events})
	}
	for _, h := range unusual() {
		out = inFull(t, out, c, h)
	}
	shipments, err := contract.Load(verify.Edited(t, os.DirFS("../contract/testdata/shipment"), [3]string{"parcel/weighed.json", `          "shipment",
`, ""}, [3]string{"parcel/weighed.json", `          "scaleWeight",
          "dimensions"
`, `          "scaleWeight"
`}))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range carried() {
		out = inFull(t, out, shipments, h)
	}
	few, err := contract.Load(loose(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range leftOut() {
		out = inFull(t, out, few, h)
	}
	untold, err := contract.Load(verify.Edited(t, loose(t), [3]string{"transaction/created.json", `"relations": [`, `"relations": [{"different": ["previousState", "customerName"], "source": "x"},`},
		[3]string{"invoice/wait.json", `"relations": [`, `"relations": [{"different": ["receivedAmount", "cryptoAmount"], "source": "x"},`}))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range []history{
		{name: "what no event of its kind tells", events: []event{ev("transaction/created").edit("!data.customer.name"), ev("invoice/pending")}},
		{name: "what another subject would tell", events: []event{ev("invoice/wait").edit("!data.cryptoAmount"), ev("invoice/pending").from("wait"), ev("transaction/created")}},
	} {
		out = inFull(t, out, untold, h)
	}
	golden(t, "histories.txt", out)
}

// TestPayloadsInFull holds every word of the verdicts on single payloads.
func TestPayloadsInFull(t *testing.T) {
	c := pack(t)
	var out []byte
	judge := func(name string, raw []byte, path string) {
		out = fmt.Appendf(out, "== %s\n", name)
		out = appendVerdict(out, verify.Payload(c, raw, path))
	}
	long := strings.Repeat("lang", 50)
	boxes, err := contract.Load(verify.Edited(t, os.DirFS("../contract/testdata/box"), [3]string{"contract.json", `"not folded yet", "source": "manual"`, `"not folded yet", "source": "preface", "derived": "it is said by the way"`}))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ state, edits string }{
		{"invoice/complete", ""},
		{"invoice/complete", "!event"},
		{"invoice/complete", "event:=7"},
		{"invoice/complete", "event="},
		{"invoice/complete", "event=invoice.update"},
		{"invoice/complete", "event=" + long},
		{"invoice/complete", "event=transaction.created"},
		{"invoice/complete", "!data"},
		{"invoice/complete", "data:=[1]"},
		{"invoice/complete", "data:=null"},
		{"invoice/complete", "!data.state"},
		{"invoice/complete", "data.state:={}"},
		{"invoice/complete", "data.state=Ready"},
		{"invoice/complete", "data.state=Completed"},
		{"invoice/complete", "data.state=" + long},
		{"transaction/created", "data.state=Complete"},
		{"transaction/created", "data.state=Fail"},
		{"transaction/complete", "data.state=Pending"},
		{"invoice/complete", "!data.previousState"},
		{"invoice/complete", "data.previousState:=null"},
		{"invoice/complete", "data.previousState:=7"},
		{"invoice/complete", "data.previousState=Pendin"},
		{"invoice/complete", "data.previousState=" + long},
		{"invoice/complete", "data.previousState=Complete"},
		{"invoice/complete", "data.previousState=Fail"},
		{"invoice/complete", "data.previousState=Ready"},
		{"invoice/complete", "data.previousState=Wait"},
		{"invoice/pending", "data.previousState=Wait"},
		{"invoice/pending", "data.previousState=Cancel"},
		{"transaction/fail", "data.previousState="},
		{"transaction/fail", "data.previousState=unseen"},
		{"transaction/created", "data.previousState=Pending"},
		{"invoice/complete", "data.invoiceId=x"},
		{"invoice/complete", "data.invoiceId:=7"},
		{"invoice/complete", "data.invoiceId:=null"},
		{"invoice/complete", "!data.invoiceId"},
		{"invoice/complete", "data.transaction:=[]"},
		{"invoice/complete", "data.transaction.blockNum=1 data.transaction.blockNum:=1.5"},
		{"invoice/complete", "data.cryptoAmount=1e5 data.cashAmount:=null"},
		{"invoice/complete", "data.more=x other:={\"a\":[1,2]} data.transaction.a/b~c:=true"},
		{"invoice/complete", "data." + long + "=" + long},
		{"invoice/complete", "data.cashAssetId:=3"},
		{"invoice/complete", "data.cashAssetId:=1.0"},
		{"invoice/complete", "data.cashAssetId:=0"},
		{"invoice/complete", "data.customerName=a\"b"},
		{"invoice/fail", "data.reason=because"},
		{"invoice/fail", "data.reason="},
		{"invoice/fail", "data.transaction.receivedAmount=-1"},
		{"transaction/complete", "data.blockConfirmations:=18"},
		{"transaction/created", "data.customer.id=somebody"},
		{"transaction/created", "data.customer.id=somebody data.Asset.id:=1002 data.customer.name=x"},
		{"transaction/created", "data.assetId:=101"},
		{"transaction/created", "data.customer.id=somebody data.more=x"},
		{"transaction/created", "data.type=WITHDRAWAL"},
		{"transaction/created", "data.memo=hello data.balance=1.50"},
		{"transaction/created", "data.from="},
		{"transaction/created", "data.partnerId=" + long},
	} {
		judge(x.state+" "+x.edits, payload(t, c, 5, ev(x.state).edit(strings.Fields(x.edits)...)), "")
	}
	good := state(t, c, "invoice/complete").Sample.AppendCanonical(nil)
	for _, path := range append(c.Paths(), "", "/", "/"+long) {
		judge("at "+path, good, path)
	}
	judge("nested at another path", payload(t, c, 5, ev("invoice/complete").edit("data:=7")), "/elsewhere")
	for _, raw := range []string{
		"", " ", "null", "7", "true", `"event"`, "[]", "{}", `{"event"}`, `{"event":`, `{"event":"a","event":"b"}`, `{"data":{}}`, `{"event":{},"data":{}}`,
		`{"event":"invoice.updated"}`, `{"event":"invoice.updated","data":{"state":"Complete","state":"Fail"}}`, "{\"\xff\":1}", `{"a":"\ud800"}`,
		`{"event":"invoice.updated","data":{"state":"Complete"}}`, `{"event":"transaction.created","data":{"state":"Pending"}}`,
		`{"x":"event","event":"invoice.updated","data":{"x":"state","state":"Cancel","previousState":"Ready"}}`,
	} {
		judge(raw, []byte(raw), "")
	}
	for _, x := range []struct{ state, edits, path string }{
		{"folded", "state=Flat", ""}, {"folded", "was=Sealed", ""}, {"folded", "was=", "/box"}, {"sealed", "was=Sealed", "/box"}, {"sealed", "at=x", ""}, {"sealed", "size=1", ""}, {"sealed", "!foldedAt", "/lid"},
	} {
		box := boxes.Subject("box").State(x.state).Sample.Clone()
		for _, edit := range strings.Fields(x.edits) {
			kind, edit := generate.Add, edit
			if path, found := strings.CutPrefix(edit, "!"); found {
				kind, edit = generate.Remove, path
			}
			if err := (generate.Edit{Kind: kind, Expression: edit}).Apply(&box); err != nil {
				t.Fatal(err)
			}
		}
		out = fmt.Appendf(out, "== %s %s\n", x.state, x.edits)
		out = appendVerdict(out, verify.Payload(boxes, box.AppendCanonical(nil), x.path))
	}
	golden(t, "payloads.txt", out)
}

// TestNames reads the event and the state of payloads, as they spell them.
func TestNames(t *testing.T) {
	c := pack(t)
	for raw, want := range map[string][2]string{
		`{"event":"a","data":{"state":"b"}}`: {"a", "b"},
		`{"data":{"state":"b"}}`:             {"", "b"},
		`{"event":"a","data":[]}`:            {"a", ""},
		`{"event":"a"`:                       {"", ""},
	} {
		if event, state := verify.Names(c, []byte(raw)); event != want[0] || state != want[1] {
			t.Errorf("%s: %q %q", raw, event, state)
		}
	}
}
