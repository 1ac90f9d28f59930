package verify

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/payloads"
)

// begun is a scratch that has taken a payload of a state.
func begun(t *testing.T, k *Checker, s *scratch, st *contract.State, raw []byte) {
	t.Helper()
	slots := make([]schema.Slot, len(st.Fields()))
	if !st.Acceptor(k.c.Envelope).Accept(raw, slots) || !s.begin(k.plan(k.places[st]), raw, slots) {
		t.Fatalf("%s is not taken", raw)
	}
}

// TestIdentify: the parts of the memory that hold a delivery's subjects are locked
// in their order, each once.
func TestIdentify(t *testing.T) {
	c := builtin(t)
	k := newChecker(c, Strict{}, 8*maxShard, MaxKept)
	s, st := k.borrow(), c.Roles.Paid
	one, two := 0, 0
	for i := range uint64(200) {
		doc, err := generate.Payload(c, payment.New(c, payment.Options{Index: i, Start: c.Epoch}), st, generate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		begun(t, k, s, st, doc.AppendCanonical(nil))
		if !k.identify(s) {
			t.Fatal("it has no name")
		}
		want := []int{k.shardOf(s.hashes[0]), k.shardOf(s.hashes[1])}
		slices.Sort(want)
		want = slices.Compact(want)
		if !slices.Equal(s.locked, want) || slices.Min(want) < 0 || slices.Max(want) > 7 {
			t.Fatalf("%d are locked, want %d", s.locked, want)
		}
		one, two = one+len(want)%2, two+len(want)/2
	}
	if one < 5 || two < 100 {
		t.Errorf("%d deliveries in one part, %d in two", one, two)
	}
}

// TestUnnamed: a delivery that does not say what it is about has no subject, whatever
// the one before said.
func TestUnnamed(t *testing.T) {
	c, err := contract.Load(edited(t, boxes(), [3]string{"facts.json", `"boxId": {"type": "string", "minLength": 1,`, `"boxId": {"type": ["string", "null"], "minLength": 0,`}))
	if err != nil {
		t.Fatal(err)
	}
	st := c.Subject("box").State("folded")
	k := NewSmallChecker(c, Strict{})
	s := k.borrow()
	for _, x := range []struct {
		id    jsondoc.Value
		named bool
		ok    bool
	}{{jsondoc.StringValue("b-1"), true, true}, {jsondoc.NullValue(), false, false}, {jsondoc.StringValue("b"), true, true}, {jsondoc.StringValue(""), true, false}} {
		doc := st.Sample.Clone()
		if err := doc.Set(jsondoc.Pointer{"boxId"}, x.id); err != nil {
			t.Fatal(err)
		}
		raw := doc.AppendCanonical(nil)
		begun(t, k, s, st, raw)
		if ok := k.identify(s); ok != x.ok || s.named[0] != x.named || s.named[1] || len(s.locked) != map[bool]int{true: 1}[x.named] {
			t.Errorf("%s: %t, named %t, locked %d", literal(x.id), ok, s.named, s.locked)
		}
		before := len(records(k))
		v := k.Check(raw, "")
		if after := len(records(k)); v.Quick() != x.ok || (after > before) != x.ok || v.ID != x.id.Text {
			t.Errorf("%s: quick %t, id %q, %d subjects, then %d", literal(x.id), v.Quick(), v.ID, before, after)
		}
	}
}

// TestNoNameButAnothers: what stands where the last delivery had its name is no name.
func TestNoNameButAnothers(t *testing.T) {
	c, err := contract.Load(edited(t, boxes(), [3]string{"facts.json", `"boxId": {"type": "string", "minLength": 1,`, `"boxId": {"type": ["string", "null"],`}))
	if err != nil {
		t.Fatal(err)
	}
	k, st := NewSmallChecker(c, Strict{}), c.Subject("box").State("folded")
	s := k.borrow()
	const head = `{"event":"box.changed","state":"Folded","was":"Flat","at":"2001-02-03T04:05:07Z",`
	for tail, named := range map[string]bool{`"boxId":"b-1","size":"1.0"}`: true, `"size": "1.0","boxId":null}`: false} {
		for range 2 {
			begun(t, k, s, st, []byte(head+`"boxId":"b-1","size":"1.0"}`))
			if !k.identify(s) {
				t.Fatal("it has no name")
			}
			begun(t, k, s, st, []byte(head+tail))
			if got := k.identify(s); got != named {
				t.Errorf("%s has a name: %t", tail, got)
			}
		}
	}
}

// TestFirstMembers: the first member of a payload may be the one that says what it is
// about, or which state was left.
func TestFirstMembers(t *testing.T) {
	const folded, first = "box/folded.json", `"event": "box.changed", "state": "Folded", "was": "Flat"`
	for _, edits := range [][][3]string{
		{{folded, first, `"was": "Flat", "event": "box.changed", "state": "Folded"`}},
		{{folded, first, `"boxId": "b-1", ` + first}, {folded, `"boxId": "b-1", "size"`, `"size"`}},
	} {
		c, err := contract.Load(edited(t, boxes(), edits...))
		if err != nil {
			t.Fatal(err)
		}
		st := c.Subject("box").State("folded")
		k := NewSmallChecker(c, Strict{})
		for _, again := range []bool{false, true} {
			v := k.Check(st.Sample.AppendCanonical(nil), "")
			if !v.OK() || !v.Quick() || v.ID != "b-1" || v.Previous != "Flat" || v.Edge != st.From[0] || v.Duplicate != again {
				t.Errorf("%s: %+v", st.Sample.Members[0].Name, v)
			}
		}
		wrong := st.Sample.Clone()
		*wrong.At(c.Envelope.PreviousState) = jsondoc.StringValue("Sealed")
		if v := k.Check(wrong.AppendCanonical(nil), ""); !v.Has(IllegalTransition) {
			t.Errorf("%s: %+v", st.Sample.Members[0].Name, v)
		}
	}
}

// TestAbsentMembers: what a payload may do without keeps it not from the short way.
func TestAbsentMembers(t *testing.T) {
	c, err := contract.Load(edited(t, payloads.FS, [3]string{"transaction/created.json", `          "Asset",
          "customer"
`, `          "Asset"
`}, [3]string{"transaction/created.json", `          "type",
`, ""}, [3]string{"transaction/created.json", `          "customerId",
`, ""}))
	if err != nil {
		t.Fatal(err)
	}
	st := c.Roles.Seen
	for _, absent := range [][]jsondoc.Pointer{{{"data", "type"}}, {{"data", "customer"}}, {{"data", "customerId"}}, {{"data", "customer"}, {"data", "customerId"}}} {
		doc := st.Sample.Clone()
		for _, at := range absent {
			if err := doc.Remove(at); err != nil {
				t.Fatal(err)
			}
		}
		if v := NewSmallChecker(c, Strict{}).Check(doc.AppendCanonical(nil), ""); !v.Quick() || len(v.Findings) > 0 {
			t.Errorf("without %s: quick %t, %+v", absent, v.Quick(), v.Findings)
		}
	}
}

// TestHashes: an identity has one hash in either case, another for each kind, and
// another than other identities.
func TestHashes(t *testing.T) {
	c := builtin(t)
	k := NewSmallChecker(c, Strict{})
	s := k.borrow()
	hash := func(kind int, id string) uint64 { return k.hash(s, kind, []byte(`"`+id+`"`)) }
	invoice, transaction := slices.Index(c.Subjects, c.Subject("invoice")), slices.Index(c.Subjects, c.Subject("transaction"))
	for _, x := range []struct {
		a, b string
		same bool
	}{{"a", "a", true}, {"a", "A", true}, {"a", "b", false}, {"abcdefgh-A", "ABCDEFGH-a", true}, {"é", "É", true}, {"é", "è", false}, {"éA", "Éa", true}, {"é", "a", false}} {
		if got := hash(invoice, x.a) == hash(invoice, x.b); got != x.same {
			t.Errorf("%s and %s are the same invoice: %t", x.a, x.b, got)
		}
		if got := hash(transaction, x.a) == hash(transaction, x.b); got != (x.a == x.b) {
			t.Errorf("%s and %s are the same transaction: %t", x.a, x.b, got)
		}
		if hash(invoice, x.a) == hash(transaction, x.a) {
			t.Errorf("%s is an invoice and a transaction", x.a)
		}
	}
}

// TestTimesInARow: of values that are written the same, one after the other, only
// times share a code.
func TestTimesInARow(t *testing.T) {
	c := builtin(t)
	k := NewSmallChecker(c, Strict{})
	paid, seen := c.Roles.Paid.Sample.Clone(), c.Roles.Seen.Sample.Clone()
	*paid.At(jsondoc.Pointer{"data", "customerName"}) = *paid.At(jsondoc.Pointer{"timestamp"})
	*paid.At(jsondoc.Pointer{"data", "title"}) = jsondoc.StringValue("x")
	*paid.At(jsondoc.Pointer{"data", "customerId"}) = jsondoc.StringValue("x")
	*seen.At(jsondoc.Pointer{"data", "memo"}) = *seen.At(jsondoc.Pointer{"data", "createdAt"})
	timesInARow(t, k, c.Roles.Paid, paid)
	timesInARow(t, k, c.Roles.Seen, seen)
}

func timesInARow(t *testing.T, k *Checker, st *contract.State, doc jsondoc.Value) {
	t.Helper()
	s := k.borrow()
	begun(t, k, s, st, doc.AppendCanonical(nil))
	if !s.usual() || !k.identify(s) || !k.encode(s) {
		t.Fatal("it is not usual")
	}
	for i, x := range s.p.kept {
		f := st.Fields()[x.field]
		v := doc.At(f.Pointer)
		want := k.coder.of(f.Fact, v.AppendLiteral(nil))
		if fieldsOf(st, f.Fact)[0] != x.field {
			continue // it is told a second time
		}
		if s.codes[i] != want || s.facts[x.fact].code != want {
			t.Errorf("%s: %s has the code %x, want %x", f.Path(), literal(*v), s.codes[i], want)
		}
		if s.implied[x.field] != (f.Fact.Compare == contract.Time || v.Kind == jsondoc.Null || len(x.known) > 0) {
			t.Errorf("%s: its words are implied: %t", f.Path(), s.implied[x.field])
		}
	}
}

// TestLongTokens: what is longer than is remembered goes the long way.
func TestLongTokens(t *testing.T) {
	c := builtin(t)
	st := c.Roles.Paid
	for size, want := range map[int]bool{1: true, maxValue: true, maxValue + 1: false} {
		doc := st.Sample.Clone()
		name := make([]byte, size)
		for i := range name {
			name[i] = 'a' + byte(rand.IntN(26))
		}
		*doc.At(jsondoc.Pointer{"data", "customerName"}) = jsondoc.StringValue(string(name))
		k := NewSmallChecker(c, Strict{})
		for range 2 {
			if v := k.Check(doc.AppendCanonical(nil), ""); v.Quick() != want || !v.OK() {
				t.Errorf("a name of %d bytes is quick: %t, %+v", size, v.Quick(), v.Findings)
			}
		}
	}
}
