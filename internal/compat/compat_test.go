package compat_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/author"
	"github.com/paytest/paytest/internal/compat"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/payloads"
)

// edit replaces a text that stands once in a file; without a file it is a new one.
type edit struct{ file, old, with string }

// pack is the scaffold with edits.
func pack(t *testing.T, edits ...edit) *contract.Contract {
	t.Helper()
	files, err := author.Scaffold()
	if err != nil {
		t.Fatal(err)
	}
	out := fstest.MapFS{}
	if err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(files, name)
		out[name] = &fstest.MapFile{Data: raw}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		if out[e.file] == nil {
			out[e.file] = &fstest.MapFile{Data: []byte(e.with)}
			continue
		}
		was := string(out[e.file].Data)
		if strings.Count(was, e.old) != 1 {
			t.Fatalf("%q stands in %s %d times", e.old, e.file, strings.Count(was, e.old))
		}
		out[e.file] = &fstest.MapFile{Data: []byte(strings.Replace(was, e.old, e.with, 1))}
	}
	c, err := contract.Load(out)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// said is each change in a line.
func said(changes []compat.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.Breaks.String()+" | "+strings.TrimSpace(c.About+" "+c.Pointer.String())+": "+c.Message)
	}
	return out
}

const (
	paid  = "order/paid.json"
	facts = "facts.json"
	root  = "contract.json"
)

// amountOnly makes one state alone wear a variant of a fact.
func amountOnly(schema string) edit {
	return edit{paid, `"amount": {"$ref": "facts.json#/$defs/amount"}`, `"amount": {"allOf": [{"$ref": "facts.json#/$defs/amount"}], ` + schema + `}`}
}

// variants are changes in one direction, and whom they break; the other direction
// breaks the other side.
func variants() []struct {
	name string
	edit edit
	want []string
} {
	return []struct {
		name string
		edit edit
		want []string
	}{
		{"a longer pattern", amountOnly(`"pattern": "^4"`), []string{`senders | order paid /data/amount: the pattern was ^(0|[1-9][0-9]*)\.[0-9]{2}$, and is ^4 and ^(0|[1-9][0-9]*)\.[0-9]{2}$`}},
		{"a least length", edit{facts, `"minLength": 1,
      "description": "identifies the customer"`, `"minLength": 2,
      "description": "identifies the customer"`}, []string{
			"senders | order pending /data/customer_id: the least length was 1, and is 2",
			"senders | order paid /data/customer_id: the least length was 1, and is 2",
			"senders | order failed /data/customer_id: the least length was 1, and is 2",
		}},
		{"values", edit{"order/failed.json", `{"$ref": "facts.json#/$defs/reason"}`, `{"$ref": "facts.json#/$defs/reason", "enum": ["declined"]}`}, []string{
			`senders | order failed /data/reason: the list of allowed values was not given, and is "declined"`,
		}},
		{"an optional member", edit{"order/failed.json", `"amount", "reason"]`, `"amount"]`}, []string{
			"receivers | order failed /data/reason: the member was required, and is optional",
		}},
		{"a type more", edit{facts, `"type": "string",
      "minLength": 1,
      "description": "identifies the customer"`, `"type": ["string", "null"],
      "minLength": 1,
      "description": "identifies the customer"`}, []string{
			"receivers | order pending /data/customer_id: the type was string, and is string or null",
			"receivers | order paid /data/customer_id: the type was string, and is string or null",
			"receivers | order failed /data/customer_id: the type was string, and is string or null",
		}},
		{"a fact in allOf", amountOnly(`"description": "paid"`), nil},
		{"no fact", edit{"order/failed.json", `{"$ref": "facts.json#/$defs/reason"}`, `{"type": "string", "minLength": 1}`}, []string{
			"receivers | order failed /data/reason: the member no longer carries the fact reason",
		}},
		{"a type that another forbids", amountOnly(`"type": ["string", "null"]`), nil},
		{"other values", edit{"order/failed.json", `{"$ref": "facts.json#/$defs/reason"}`, `{"$ref": "facts.json#/$defs/reason", "enum": ["declined", "late"]}`}, []string{
			`senders | order failed /data/reason: the list of allowed values was not given, and is "declined", "late"`,
		}},
		{"something else", edit{"order/failed.json", `{"$ref": "facts.json#/$defs/reason"}`, `{"$ref": "facts.json#/$defs/reason", "not": {"const": "expired"}}`}, []string{
			`senders | order failed /data/reason: what holds besides was not given, and is not {the list of allowed values "expired"}`,
		}},
		{"a relation", edit{paid, `"sample"`, `"relations": [{"equal": ["amount", "amount"], "derived": "x"}], "sample"`}, []string{
			"senders | order paid: it must hold that amount equals amount",
		}},
		{"less time", edit{root, `"timeout": "10s"`, `"timeout": "3s"`}, []string{"receivers | delivery: the time to answer was 10s, and is 3s"}},
		{"fewer retries", edit{root, `["5s", "30s", "2m"]`, `["5s"]`}, []string{"receivers, senders | delivery: the schedule of retries was after 5s, 30s, 2m0s, and is after 5s"}},
		{"later retries", edit{root, `["5s", "30s", "2m"]`, `["5s", "30s", "2h"]`}, []string{"receivers, senders | delivery: the schedule of retries was after 5s, 30s, 2m0s, and is after 5s, 30s, 2h0m0s"}},
		{"another success", edit{root, `"success": [200]`, `"success": [200, 202]`}, []string{"senders | delivery: the answer 202 counts as success, too"}},
		{"exact customers", edit{facts, `"compare": "caseless",
      `, ``}, []string{"senders | fact orderId: what makes two values equal was caseless, and is every character"}},
		{"another path", edit{paid, `"/webhooks/orders"`, `"/webhooks/paid"`}, []string{"receivers, senders | order paid: the path was /webhooks/orders, and is /webhooks/paid"}},
		{"another scheme", edit{root, `"standard-webhooks"`, `"github"`}, []string{"receivers, senders | signature: the scheme was standard-webhooks (v1,{signature}), and is github (sha256={signature})"}},
		{"another answer", edit{root, `"status": 409`, `"status": 422`}, []string{"receivers | answer conflict: the status was 409, and is 422"}},
		{"a derivation", edit{paid, `"source": "provider/webhooks",
  "sample"`, `"source": "provider/webhooks", "derived": "x",
  "sample"`}, []string{"nobody | order paid: what stands behind it was documented in provider/webhooks, and is derived"}},
	}
}

// turned is what the other direction breaks.
func turned(b compat.Breaks) compat.Breaks {
	return compat.Breaks{Receivers: b.Senders, Senders: b.Receivers}
}

func TestCompare(t *testing.T) {
	for _, v := range variants() {
		t.Run(v.name, func(t *testing.T) {
			before, after := pack(t), pack(t, v.edit)
			there := compat.Compare(before, after)
			if diff := cmp.Diff(v.want, said(there)); diff != "" {
				t.Error(diff)
			}
			for i, c := range compat.Compare(after, before) {
				if c.Breaks != turned(there[i].Breaks) && !strings.HasPrefix(c.About, "answer ") {
					t.Errorf("back: %s breaks %s, and there %s", c.Message, c.Breaks, there[i].Breaks)
				}
			}
			if again := compat.Compare(after, after); again != nil {
				t.Errorf("the same: %v", said(again))
			}
		})
	}
}

// TestStates holds what new and missing states and transitions break.
func TestStates(t *testing.T) {
	raw, err := fs.ReadFile(payloads.FS, root)
	if err != nil || len(raw) == 0 {
		t.Fatal(err)
	}
	refunded := edit{"order/refunded.json", "", strings.NewReplacer(`"paid"`, `"refunded"`, `"pending"`, `"paid"`, `order.paid`, `order.refunded`).Replace(read(t, paid))}
	back := edit{"order/failed.json", `"from": [`, `"from": [{"state": "new", "trigger": "nobody came", "source": "provider/webhooks"}, `}
	before, after := pack(t), pack(t, refunded, back)
	if diff := cmp.Diff([]string{
		"receivers | order failed: there is a new transition, new→failed: nobody came",
		"receivers | order refunded: there is a new state, refunded, told by order.refunded at /webhooks/orders",
	}, said(compat.Compare(before, after))); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{
		"senders | order failed: the transition new→failed is gone",
		"senders | order refunded: the state is gone",
	}, said(compat.Compare(after, before))); diff != "" {
		t.Error(diff)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	files, err := author.Scaffold()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestBuiltIn holds that nothing changed from a contract to itself, and much to
// another.
func TestBuiltIn(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	if changes := compat.Compare(c, c); changes != nil {
		t.Errorf("%v", said(changes))
	}
	all := said(compat.Compare(c, pack(t)))
	for _, want := range []string{"senders | invoice: nothing is told of it any more", "receivers | order: there is a new subject, with the states pending, failed, paid"} {
		if !slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, want[:20]) }) {
			t.Errorf("%q is not in %v", want, all)
		}
	}
}

// TestSound holds that no payload proves the verdict wrong: where one that the new
// contract allows is refused by the old, receivers break; where one that the old
// allows is refused by the new, senders do.
func TestSound(t *testing.T) {
	proven := 0
	for _, v := range variants() {
		before, after := pack(t), pack(t, v.edit)
		var told compat.Breaks
		for _, c := range compat.Compare(before, after) {
			told.Receivers, told.Senders = told.Receivers || c.Breaks.Receivers, told.Senders || c.Breaks.Senders
		}
		for _, was := range before.States() {
			is := after.Subjects[0].State(was.Name)
			for what, doc := range mutants(was.Sample) {
				old, now := len(was.Schema().Validate(doc)) == 0, len(is.Schema().Validate(doc)) == 0
				if now && !old && !told.Receivers || old && !now && !told.Senders {
					t.Errorf("%s: %s %s: allowed before %v, after %v, but it breaks %s", v.name, was, what, old, now, told)
				}
				if now != old {
					proven++
				}
			}
		}
	}
	if proven < 10 {
		t.Errorf("%d payloads tell the contracts apart", proven)
	}
}

// mutants are copies of a payload with one member of its data changed or removed.
func mutants(sample jsondoc.Value) map[string]jsondoc.Value {
	out := map[string]jsondoc.Value{}
	for _, m := range sample.Member("data").Members {
		at := jsondoc.Pointer{"data", m.Name}
		for _, text := range []string{"", "1", "12.50", "22.50", "declined", "expired"} {
			doc := sample.Clone()
			*doc.At(at) = jsondoc.StringValue(text)
			out[m.Name+" "+text] = doc
		}
		doc := sample.Clone()
		if doc.Remove(at) == nil {
			out[m.Name+" removed"] = doc
		}
	}
	return out
}

// TestLarge holds that schemas which refer to each other again and again end the
// comparison, and not the program.
func TestLarge(t *testing.T) {
	chain := func(last string) edit {
		text := ""
		for i := range 60 {
			text += fmt.Sprintf(`"step%d": {"type": "object", "properties": {"a": {"$ref": "#/$defs/step%d"}, "b": {"$ref": "#/$defs/step%d"}}, "anyOf": [{"$ref": "#/$defs/step%d"}, {"$ref": "#/$defs/step%d"}]}, `, i, i+1, i+1, i+1, i+1)
		}
		return edit{facts, `"moment": {`, text + `"step60": ` + last + `, "steps": {"$ref": "#/$defs/step0", "description": "many", "source": "x", "scope": "order"}, "moment": {`}
	}
	member := edit{paid, `"order_id": {`, `"steps": {"$ref": "facts.json#/$defs/steps"}, "order_id": {`}
	changes := compat.Compare(pack(t, chain(`{"type": "string"}`), member), pack(t, chain(`{"type": "integer"}`), member))
	all := said(changes)
	if !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, "more than 10000 members") }) {
		t.Errorf("%d changes: %.500v", len(all), all)
	}
}

// TestSymmetric holds that it does not matter which of two facts comes first where
// they must differ or be equal.
func TestSymmetric(t *testing.T) {
	for _, kind := range []string{"equal", "different"} {
		with := func(a, b string) *contract.Contract {
			return pack(t, edit{paid, `"sample"`, `"relations": [{"` + kind + `": ["` + a + `", "` + b + `"], "derived": "x"}], "sample"`})
		}
		if changes := compat.Compare(with("orderId", "customerId"), with("customerId", "orderId")); changes != nil {
			t.Errorf("%s: %v", kind, said(changes))
		}
	}
}
