package verify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// documented are the states the documents give a payload for.
func documented(t testing.TB, c *contract.Contract) []*contract.State {
	t.Helper()
	var out []*contract.State
	for _, st := range c.States() {
		if st.Derived == "" {
			out = append(out, st)
		}
	}
	if len(out) != 7 {
		t.Fatalf("%d documented payloads, want 7", len(out))
	}
	return out
}

// members lists every member of a payload, outer ones first.
func members(v *jsondoc.Value, at jsondoc.Pointer) []jsondoc.Pointer {
	var out []jsondoc.Pointer
	for i := range v.Members {
		here := append(slices.Clone(at), v.Members[i].Name)
		out = append(out, here)
		out = append(out, members(&v.Members[i].Value, here)...)
	}
	return out
}

// kinds has a value of every JSON type.
func kinds() []jsondoc.Value {
	return []jsondoc.Value{
		jsondoc.NullValue(), jsondoc.BoolValue(true),
		{Kind: jsondoc.Number, Text: "7"},
		{Kind: jsondoc.Number, Text: "7.5"},
		jsondoc.StringValue("7"), jsondoc.ArrayValue(), jsondoc.ObjectValue(),
	}
}

// must checks that a spoilt payload fails and that a finding names the place.
func must(t *testing.T, c *contract.Contract, st *contract.State, doc jsondoc.Value, code verify.Code, pointer string) {
	t.Helper()
	for _, path := range []string{st.Path, ""} {
		v := verify.Payload(c, doc.AppendCanonical(nil), path)
		f := find(v, code, pointer)
		if v.OK() || f == nil || f.Severity != verify.Violation {
			t.Errorf("no %s at %s, but %+v\n%s", code, pointer, v.Findings, doc.AppendCanonical(nil))
			return
		}
		if f.Message == "" || f.Expected == "" && code != verify.SelfTransition {
			t.Errorf("%s at %s says too little: %+v", code, pointer, f)
		}
	}
}

func TestDocumentedPayloadsPass(t *testing.T) {
	c := pack(t)
	for _, st := range c.States() {
		v := verify.Payload(c, st.Sample.AppendCanonical(nil), st.Path)
		if len(v.Findings) > 0 || v.State != st || v.Edge != st.From[0] || v.ID == "" {
			t.Errorf("%s: %+v", st, v)
		}
	}
}

func TestMutantsWithoutAMemberFail(t *testing.T) {
	c := pack(t)
	count := 0
	for _, st := range documented(t, c) {
		for _, at := range members(&st.Sample, nil) {
			doc := st.Sample.Clone()
			if err := doc.Remove(at); err != nil {
				t.Fatal(err)
			}
			must(t, c, st, doc, verify.MissingField, at.String())
			count++
		}
	}
	if count != 119 {
		t.Errorf("%d members in the documented payloads, want 119", count)
	}
}

func TestMutantsWithARenamedMemberFail(t *testing.T) {
	c := pack(t)
	for _, st := range documented(t, c) {
		for _, at := range members(&st.Sample, nil) {
			for _, name := range []string{at[len(at)-1] + "s", strings.ToUpper(at[len(at)-1]) + "_", " " + at[len(at)-1]} {
				doc := st.Sample.Clone()
				parent := doc.At(at[:len(at)-1])
				for i := range parent.Members {
					if parent.Members[i].Name == at[len(at)-1] {
						parent.Members[i].Name = name
					}
				}
				must(t, c, st, doc, verify.MissingField, at.String())
				renamed := append(slices.Clone(at[:len(at)-1]), name).String()
				v := verify.Payload(c, doc.AppendCanonical(nil), st.Path)
				placed := v.State != nil
				if f := find(v, verify.UnknownField, renamed); placed != (f != nil) || f != nil && f.Severity != verify.Warning {
					t.Errorf("%s: %s is no warning: %+v", st, renamed, v.Findings)
				}
			}
		}
	}
}

func TestMutantsOfAnotherTypeFail(t *testing.T) {
	c := pack(t)
	for _, st := range documented(t, c) {
		for _, at := range members(&st.Sample, nil) {
			was := *st.Sample.At(at)
			for _, other := range kinds() {
				nullable := slices.Contains([]string{"/data/balance", "/data/memo"}, at.String())
				switch {
				case nullable && (other.Kind == jsondoc.Null || other.Kind == jsondoc.String):
					continue
				case other.Kind == was.Kind && (was.Kind != jsondoc.Number || other.IsInteger()):
					continue
				}
				doc := st.Sample.Clone()
				*doc.At(at) = other
				must(t, c, st, doc, verify.WrongType, at.String())
			}
		}
	}
}

// TestMutantsOfTheWholePayload covers what is above the first member.
func TestMutantsOfTheWholePayload(t *testing.T) {
	c := pack(t)
	for _, other := range kinds() {
		if other.Kind != jsondoc.Object {
			must(t, c, c.States()[0], other, verify.WrongType, "")
		}
	}
	must(t, c, c.States()[0], jsondoc.ObjectValue(), verify.MissingField, "/event")
}

func TestMutantsWithBrokenPatternsFail(t *testing.T) {
	amounts := []string{"", "-1", "+1", "1e5", "01", ".5", "1.", "1,000.5", "1.0000000", " 1", "1 ", "1\n", "NaN", "Infinity", "0x10", "٣", "1_000", "$1"}
	moments := []string{
		"", "2025-09-05", "2025-09-05T10:45:00Z", "2025-09-05T10:45:00.000", "2025-09-05T10:45:00.000+09:00", "2025-09-05 10:45:00.000Z",
		"2025-02-29T10:45:00.000Z", "2025-13-05T10:45:00.000Z", "2025-09-05T24:00:00.000Z", "2025-09-05T10:60:00.000Z", "1757069100000",
		"2025-09-05t10:45:00.000z", "2025-09-05T10:45:00.000000Z",
	}
	uuids := []string{"", "550e8400e29b41d4a716446655440000", "550e8400-e29b-41d4-a716-44665544000", "550e8400-e29b-41d4-a716-44665544000g", "customer-cuid-123"}
	hashes := []string{
		"", "0xd1f10b55e61d16e3616d8d0ac7c42e0edcc8a5587b251239f0a14f587032cb", strings.Repeat("a", 63), strings.Repeat("a", 65), strings.Repeat("g", 64),
		strings.Repeat("a", 64) + "\n",
	}
	addresses := []string{
		"", "TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBs", "TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHB", "tEHx4cTUvJcGqidzbruvRc2fL9Tez7oHBr",
		"TEHx4cTUvJcGqidzbruvRc2fL9Tez7oHB0", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
	}
	broken := map[string][]string{
		"cashAmount": amounts, "cryptoAmount": amounts, "amount": amounts, "fee": amounts, "receivedAmount": amounts, "expectedAmount": amounts,
		"timestamp": moments, "completedAt": moments, "createdAt": moments, "expiredAt": moments, "updatedAt": moments, "finalizedAt": moments,
		"invoiceId": uuids, "partnerId": uuids, "detail": hashes, "from": addresses, "to": addresses,
		"customerId": {""}, "idCode": {""}, "type": {""}, "reason": {""}, "failureReason": {""}, "symbol": {""}, "network": {""},
	}
	tried := map[string]bool{}
	c := pack(t)
	for _, st := range documented(t, c) {
		for _, at := range members(&st.Sample, nil) {
			name := at[len(at)-1]
			for _, bad := range broken[name] {
				tried[name] = true
				doc := st.Sample.Clone()
				*doc.At(at) = jsondoc.StringValue(bad)
				must(t, c, st, doc, verify.WrongValue, at.String())
			}
			if st.Sample.At(at).Kind == jsondoc.Number {
				doc := st.Sample.Clone()
				*doc.At(at) = jsondoc.Value{Kind: jsondoc.Number, Text: "-1"}
				must(t, c, st, doc, verify.WrongValue, at.String())
			}
		}
	}
	for name := range broken {
		if !tried[name] {
			t.Errorf("no documented payload has a member %s", name)
		}
	}
}

func TestConfirmationsOfTheChain(t *testing.T) {
	c := pack(t)
	st := state(t, c, "transaction/complete")
	for confirmations, ok := range map[string]bool{"0": false, "18": false, "19": true, "19.0": true, "1.9e1": true, "20": true} {
		doc := st.Sample.Clone()
		*doc.At(jsondoc.Pointer{"data", "blockConfirmations"}) = jsondoc.Value{Kind: jsondoc.Number, Text: confirmations}
		v := verify.Payload(c, doc.AppendLiteral(nil), st.Path)
		if v.OK() != ok || !ok && find(v, verify.WrongValue, "/data/blockConfirmations") == nil {
			t.Errorf("%s confirmations: %+v", confirmations, v.Findings)
		}
	}
}

func TestMutantsOfTheState(t *testing.T) {
	c := pack(t)
	const at = "/data/state"
	for _, x := range []struct {
		state string
		bad   []string
		code  verify.Code
	}{
		{"invoice/complete", []string{"Completed", "complete", "COMPLETE", "", " Complete", "Created", "Paid"}, verify.UnknownState},
		{"invoice/complete", []string{"Ready"}, verify.IllegalTransition},
		{"transaction/created", []string{"Complete", "Fail", "Ready", "Unseen", "unseen", ""}, verify.UnknownState},
		{"transaction/complete", []string{"Pending", "Cancel", "Ready", "Reject", "completed"}, verify.UnknownState},
	} {
		st := state(t, c, x.state)
		for _, bad := range x.bad {
			doc := st.Sample.Clone()
			*doc.At(jsondoc.Pointer{"data", "state"}) = jsondoc.StringValue(bad)
			must(t, c, st, doc, x.code, at)
		}
	}
	// A state that exists, in the payload of another one: its members and its
	// previous state are judged as that other state's.
	for _, st := range documented(t, c) {
		for _, other := range c.Event(st.Event) {
			if other == st {
				continue
			}
			doc := st.Sample.Clone()
			*doc.At(jsondoc.Pointer{"data", "state"}) = jsondoc.StringValue(other.Wire)
			if v := verify.Payload(c, doc.AppendCanonical(nil), st.Path); v.OK() && other.Derived == "" || v.State != other {
				t.Errorf("%s called %s passes: %+v", st, other.Wire, v.Findings)
			}
		}
	}
}

func TestEventAndPath(t *testing.T) {
	c := pack(t)
	st := state(t, c, "invoice/pending")
	for _, name := range []string{"invoice.update", "Invoice.updated", "", "invoice.created"} {
		doc := st.Sample.Clone()
		*doc.At(jsondoc.Pointer{"event"}) = jsondoc.StringValue(name)
		must(t, c, st, doc, verify.UnknownEvent, "/event")
	}
	raw := st.Sample.AppendCanonical(nil)
	for _, path := range c.Paths() {
		v := verify.Payload(c, raw, path)
		if v.Has(verify.WrongPath) == (path == st.Path) || v.OK() != (path == st.Path) {
			t.Errorf("delivered to %s: %+v", path, v.Findings)
		}
	}
	if v := verify.Payload(c, raw, st.Path+"/"); !v.Has(verify.WrongPath) {
		t.Errorf("another path: %+v", v.Findings)
	}
}

func TestSyntax(t *testing.T) {
	c := pack(t)
	good := string(state(t, c, "invoice/cancel").Sample.AppendCanonical(nil))
	for _, x := range []struct {
		name, raw string
		code      verify.Code
		pointer   string
	}{
		{"nothing", "", verify.InvalidJSON, ""},
		{"half", good[:len(good)-1], verify.InvalidJSON, ""},
		{"twice", good + good, verify.InvalidJSON, ""},
		{"single quotes", `{'event': 1}`, verify.InvalidJSON, ""},
		{"duplicate key", strings.Replace(good, `"state":`, `"state":"Fail","state":`, 1), verify.DuplicateKey, "/data/state"},
		{"duplicate key, escaped", strings.Replace(good, `"state":`, `"st\u0061te":"Fail","state":`, 1), verify.DuplicateKey, "/data/state"},
		{"invalid UTF-8", strings.Replace(good, "Cancel", "Can\xff", 1), verify.InvalidUTF8, "/data/state"},
		{"lone surrogate", strings.Replace(good, "Cancel", `\ud800`, 1), verify.LoneSurrogate, "/data/state"},
		{"too deep", strings.Repeat(`{"a":`, 129) + "1" + strings.Repeat("}", 129), verify.TooDeep, strings.Repeat("/a", 128)},
	} {
		t.Run(x.name, func(t *testing.T) {
			v := verify.NewChecker(c, verify.Strict{}).Check([]byte(x.raw), "")
			if len(v.Findings) != 1 || find(v, x.code, x.pointer) == nil || v.OK() {
				t.Errorf("want %s at %q, got %+v", x.code, x.pointer, v.Findings)
			}
		})
	}
}

func TestUnknownFieldsAreWarnings(t *testing.T) {
	c := pack(t)
	for _, st := range c.States() {
		places := []jsondoc.Pointer{{"extra"}, {"data", "extra"}}
		for _, inner := range []string{"transaction", "Asset", "customer"} {
			if st.Sample.At(jsondoc.Pointer{"data", inner}) != nil {
				places = append(places, jsondoc.Pointer{"data", inner, "ex/tra"})
			}
		}
		for _, at := range places {
			doc := st.Sample.Clone()
			if err := doc.Add(at, jsondoc.StringValue("x")); err != nil {
				t.Fatal(err)
			}
			raw := doc.AppendCanonical(nil)
			v := verify.NewChecker(c, verify.Strict{}).Check(raw, st.Path)
			if f := find(v, verify.UnknownField, at.String()); !v.OK() || f == nil || f.Severity != verify.Warning || v.Count(verify.Warning) != 1 {
				t.Errorf("%s: %s is %+v, want one warning", st, at, v.Findings)
			}
			v = verify.NewChecker(c, verify.Strict{UnknownFields: true}).Check(raw, st.Path)
			if f := find(v, verify.UnknownField, at.String()); v.OK() || f == nil || f.Severity != verify.Violation {
				t.Errorf("%s: %s is %+v under strict, want a violation", st, at, v.Findings)
			}
		}
	}
}

func TestUnknownValuesAreWarnings(t *testing.T) {
	c := pack(t)
	for _, x := range []struct{ state, edit, pointer string }{
		{"invoice/complete", "data.cashAssetId=3", "/data/cashAssetId"},
		{"invoice/complete", "data.cryptoAssetId=102", "/data/cryptoAssetId"},
		{"invoice/fail", "data.reason=underpaid", "/data/reason"},
		{"invoice/cancel", "data.reason=amount_mismatch", "/data/reason"},
		{"invoice/reject", "data.reason=refused", "/data/reason"},
		{"transaction/created", "data.type=WITHDRAWAL", "/data/type"},
		{"transaction/fail", "data.failureReason=unknown", "/data/failureReason"},
	} {
		raw := payload(t, c, 1, ev(x.state).edit(x.edit), x.state)
		for strict, want := range map[bool]verify.Severity{false: verify.Warning, true: verify.Violation} {
			v := verify.NewChecker(c, verify.Strict{UnknownValues: strict}).Check(raw, "")
			if f := find(v, verify.UnknownValue, x.pointer); f == nil || f.Severity != want || v.OK() == strict {
				t.Errorf("%s with %s, strict %v: %+v", x.state, x.edit, strict, v.Findings)
			}
		}
	}
}

func TestFactsStatedTwice(t *testing.T) {
	c := pack(t)
	for _, x := range []struct{ state, edit, pointer string }{
		{"transaction/created", "data.customer.id=somebody", "/data/customer/id"},
		{"transaction/created", "data.assetId:=101", "/data/Asset/id"},
		{"transaction/created", "data.Asset.id=101", "/data/Asset/id"},
	} {
		v := verify.Payload(c, payload(t, c, 1, ev(x.state).edit(x.edit)), "")
		if find(v, verify.FactDisagreement, x.pointer) == nil || v.OK() {
			t.Errorf("%s with %s: %+v", x.state, x.edit, v.Findings)
		}
	}
}

// TestOrderedPairsOfStates delivers each of the 49 pairs as a payload.
func TestOrderedPairsOfStates(t *testing.T) {
	legal := []string{"ready wait", "ready pending", "ready cancel", "wait pending", "wait reject", "pending complete", "pending fail"}
	names := []string{"ready", "wait", "pending", "complete", "fail", "cancel", "reject"}
	c := pack(t)
	count := map[string]int{}
	for _, from := range names {
		for _, to := range names {
			raw := payload(t, c, 3, ev("invoice/"+to).from(from), "invoice/"+to)
			v := verify.NewChecker(c, verify.Strict{}).Check(raw, "/callback/update-invoice")
			switch {
			case slices.Contains(legal, from+" "+to):
				count["legal"]++
				if !v.OK() || v.Edge == nil || v.Edge.From.Name != from || v.Edge.To.Name != to {
					t.Errorf("%s to %s: %+v", from, to, v.Findings)
				}
				continue
			case to == "ready":
				if find(v, verify.IllegalTransition, "/data/state") == nil {
					t.Errorf("%s to %s: %+v", from, to, v.Findings)
				}
			case from == to:
				if find(v, verify.SelfTransition, "/data/previousState") == nil {
					t.Errorf("%s to itself: %+v", from, v.Findings)
				}
			default:
				if find(v, verify.IllegalTransition, "/data/previousState") == nil {
					t.Errorf("%s to %s: %+v", from, to, v.Findings)
				}
			}
			count[map[bool]string{true: "self", false: "illegal"}[from == to]]++
			if v.OK() || v.Edge != nil {
				t.Errorf("%s to %s passes: %+v", from, to, v)
			}
		}
	}
	if count["legal"] != 7 || count["illegal"] != 35 || count["self"] != 7 {
		t.Errorf("pairs: %v", count)
	}
}

func TestPreviousStateOfNoState(t *testing.T) {
	c := pack(t)
	for _, bad := range []string{"", "ready", "Paid", "READY", "Unseen"} {
		st := state(t, c, "invoice/pending")
		doc := st.Sample.Clone()
		*doc.At(jsondoc.Pointer{"data", "previousState"}) = jsondoc.StringValue(bad)
		must(t, c, st, doc, verify.IllegalTransition, "/data/previousState")
	}
}
