package verify

import (
	"hash/maphash"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// TestClaimsThatSayItAll: of claims that differ in their event's time alone, the one
// that is hardest to satisfy is kept.
func TestClaimsThatSayItAll(t *testing.T) {
	a, b := &contract.Fact{Name: "a", Compare: contract.Time}, &contract.Fact{Name: "b", Compare: contract.Time}
	after := &contract.Relation{Kind: contract.NotBefore, A: a, B: b}
	equal := &contract.Relation{Kind: contract.Equal, A: a, B: b}
	one, two := []*subject{{key: key{id: "1"}}}, []*subject{{key: key{id: "2"}}}
	at := func(f *contract.Fact, minute string) known {
		return known{field: &contract.Field{Fact: f}, v: jsondoc.StringValue("2025-09-05T10:" + minute + ":00.000Z")}
	}
	lost := func(f *contract.Fact, c code) known { return known{field: &contract.Field{Fact: f}, lost: c} }
	for _, x := range []struct {
		name   string
		claims []claim
		kept   []int
	}{
		{"the same", []claim{{equal, one, []known{at(a, "10")}}, {equal, one, []known{at(a, "10")}}}, []int{0}},
		{"of other subjects", []claim{{equal, one, nil}, {equal, two, nil}, {equal, one, nil}, {equal, two, nil}}, []int{0, 1}},
		{"of another relation", []claim{{equal, one, nil}, {after, one, nil}, {after, one, nil}}, []int{0, 1}},
		{"other values", []claim{{equal, one, []known{at(a, "10")}}, {equal, one, []known{at(a, "11")}}, {equal, one, []known{at(a, "11")}}}, []int{0, 1}},
		{"values that are lost", []claim{{equal, one, []known{lost(a, 7)}}, {equal, one, []known{lost(a, 8)}}, {equal, one, []known{lost(a, 8)}}}, []int{0, 1}},
		{"an earlier one that is not to be before", []claim{{after, one, []known{at(a, "20")}}, {after, one, []known{at(a, "10")}}}, []int{1}},
		{"a later one that is not to be before", []claim{{after, one, []known{at(a, "10")}}, {after, one, []known{at(a, "20")}}}, []int{0}},
		{"a later one that nothing is to be before", []claim{{after, one, []known{at(b, "10")}}, {after, one, []known{at(b, "20")}}}, []int{1}},
		{"an earlier one that nothing is to be before", []claim{{after, one, []known{at(b, "20")}}, {after, one, []known{at(b, "10")}}}, []int{0}},
		{"both sides", []claim{{after, one, []known{at(a, "20"), at(b, "10")}}, {after, one, []known{at(a, "10"), at(b, "10")}}}, []int{0, 1}},
		{"both sides, then one", []claim{{after, one, []known{at(a, "20"), at(b, "10")}}, {after, one, []known{at(a, "10")}}}, []int{0, 1}},
		{"one side, then both", []claim{{after, one, []known{at(a, "10")}}, {after, one, []known{at(a, "20"), at(b, "10")}}}, []int{0, 1}},
	} {
		var s subject
		for _, c := range x.claims {
			s.remember(c)
		}
		got := make([]int, 0, len(s.claims))
		for _, kept := range s.claims {
			got = append(got, slices.IndexFunc(x.claims, func(c claim) bool {
				return c.rel == kept.rel && slices.Equal(c.parties, kept.parties) && slices.EqualFunc(c.own, kept.own, func(a, b known) bool { return a.lost == b.lost && jsondoc.Equal(a.v, b.v) })
			}))
		}
		if !slices.Equal(got, x.kept) {
			t.Errorf("%s: %d are kept, want %d", x.name, got, x.kept)
		}
	}
}

// TestValuesThatAreNotTold: a fact is told where it was told before, or where it is
// told of a party now.
func TestValuesThatAreNotTold(t *testing.T) {
	c := builtin(t)
	h := &history{c: c, subjects: map[key]*subject{}}
	v := Payload(c, c.Roles.Pending.Sample.AppendCanonical(nil), "")
	parties := h.parties(&v)
	rel := c.Roles.Paid.Relations[0]
	for name, want := range map[string]bool{"timestamp": false, "cryptoAmount": true, "cashAmount": true, "receivedAmount": false, "detail": true, "createdAt": false} {
		got, ok := claim{rel: rel, parties: parties}.value(c.Fact(name), &v)
		if ok != want || ok && (got.field.Fact != c.Fact(name) || got.state != v.State) {
			t.Errorf("%s is told: %t", name, ok)
		}
		if _, ok := (claim{rel: rel, parties: parties[:1]}).value(c.Fact(name), &v); ok != (want && name != "detail") {
			t.Errorf("%s is told of one party: %t", name, ok)
		}
	}
	for _, p := range parties {
		p.id += "another"
	}
	if _, ok := (claim{rel: rel, parties: parties}).value(c.Fact("cryptoAmount"), &v); ok {
		t.Error("what is told of one is told of another")
	}
}

// TestNumbersAsTheyAreWritten: numbers are compared by what they are, also where a
// code does not know that.
func TestNumbersAsTheyAreWritten(t *testing.T) {
	c := builtin(t)
	created, paid := string(c.Roles.Seen.Sample.AppendCanonical(nil)), string(c.Roles.Paid.Sample.AppendCanonical(nil))
	const block = `"blockNum":75235898`
	for _, x := range []struct {
		first, then string
		want        Code
	}{
		{"7", "7", Gap}, {"7.0", "7", Gap}, {"7", "7.0", Gap}, {"7.0", "8.0", FactDrift}, {"7.0", "8", FactDrift}, {"7", "8.0", FactDrift}, {"7e0", "0.7e1", Gap},
	} {
		k := NewSmallChecker(c, Strict{})
		if v := k.Check([]byte(strings.Replace(created, block, `"blockNum":`+x.first, 1)), ""); !v.OK() || v.Quick() == strings.ContainsAny(x.first, ".e") {
			t.Errorf("%s: quick %t, %+v", x.first, v.Quick(), v.Findings)
		}
		v := k.Check([]byte(strings.Replace(paid, block, `"blockNum":`+x.then, 1)), "")
		if !v.Has(x.want) || v.OK() != (x.want == Gap) {
			t.Errorf("%s, then %s: %+v", x.first, x.then, v.Findings)
		}
		if plain := !strings.ContainsAny(x.first+x.then, ".e"); v.Quick() != plain {
			t.Errorf("%s, then %s: quick %t", x.first, x.then, v.Quick())
		}
	}
}

// TestNumbersOfOneEvent: an event that says the same in other digits is remembered
// besides the first, for a code does not tell that it is the same.
func TestNumbersOfOneEvent(t *testing.T) {
	c := builtin(t)
	created := string(c.Roles.Seen.Sample.AppendCanonical(nil))
	for _, x := range []struct {
		numbers []string
		entries uint8
	}{{[]string{"7", "7"}, 1}, {[]string{"7", "7.0"}, 2}, {[]string{"7.0", "7"}, 2}, {[]string{"7.0", "7.0"}, 2}} {
		k := NewSmallChecker(c, Strict{})
		for i, number := range x.numbers {
			v := k.Check([]byte(strings.Replace(created, `"blockNum":75235898`, `"blockNum":`+number, 1)), "")
			if !v.OK() || v.Duplicate != (i > 0) {
				t.Errorf("%s: %+v", x.numbers, v.Findings)
			}
		}
		for _, r := range records(k) {
			if r.count != x.entries {
				t.Errorf("%s: %d are remembered, want %d", x.numbers, r.count, x.entries)
			}
		}
	}
}

// TestLostValues: what is known by its code alone is held against others as far as
// codes tell.
func TestLostValues(t *testing.T) {
	k := &coder{maphash.MakeSeed()}
	exact, amount := &contract.Fact{}, &contract.Fact{Compare: contract.Decimal}
	told := func(s string) known { return known{v: jsondoc.StringValue(s)} }
	lost := func(c code) known { return known{lost: c} }
	one, two := k.of(exact, []byte(`"1"`)), k.of(exact, []byte(`"2"`))
	h := &history{coder: k}
	for i, x := range []struct {
		kind contract.RelationKind
		b    *contract.Fact
		x, y known
		want bool
	}{
		{contract.Equal, exact, lost(one), told("1"), true},
		{contract.Equal, exact, told("2"), lost(one), false},
		{contract.Equal, exact, lost(two), lost(one), false},
		{contract.Equal, exact, lost(opaqueCode), told("1"), true},
		{contract.Equal, exact, told("1"), lost(opaqueCode), true},
		{contract.Equal, exact, lost(opaqueCode), lost(opaqueCode), true},
		{contract.Equal, amount, lost(two), told("1"), true}, // nobody knows
		{contract.Different, exact, lost(one), told("1"), false},
		{contract.Different, exact, told("2"), lost(one), true},
		{contract.Different, exact, lost(opaqueCode), lost(opaqueCode), true},
		{contract.Different, amount, lost(one), lost(one), true},
		{contract.Equal, exact, told("1"), told("1"), true},
		{contract.Equal, exact, told("1"), told("2"), false},
		{contract.Different, exact, told("1"), told("2"), true},
		{contract.Different, exact, told("1"), told("1"), false},
		{contract.NotBefore, exact, told("2025-09-05T10:00:00.000Z"), told("2025-09-05T10:00:00.000Z"), true},
		{contract.NotBefore, exact, told("2025-09-05T10:00:00.000Z"), told("2025-09-05T10:00:00.001Z"), false},
	} {
		if got := h.holds(&contract.Relation{Kind: x.kind, A: exact, B: x.b}, x.x, x.y); got != x.want {
			t.Errorf("%d: %t", i, got)
		}
	}
}

// TestWhatIsNotLocked: where a parcel was told of together with its shipment, in a part
// of the memory that a delivery about it alone does not lock, that is looked at the
// long way.
func TestWhatIsNotLocked(t *testing.T) {
	c, err := contract.Load(edited(t, os.DirFS("../contract/testdata/shipment"), [3]string{"parcel/weighed.json", `          "shipment",
`, ""}, [3]string{"parcel/weighed.json", `          "scaleWeight",
          "dimensions"
`, `          "scaleWeight"
`}))
	if err != nil {
		t.Fatal(err)
	}
	sample := c.Subject("parcel").State("weighed").Sample
	apart := 0
	for i := range 40 {
		k := newChecker(c, Strict{}, 4*maxShard, MaxKept)
		doc := sample.Clone()
		_ = doc.Remove(jsondoc.Pointer{"body", "dimensions"})
		doc.At(jsondoc.Pointer{"body", "parcelId"}).Text = strings.Repeat("p", i+1)
		if v := k.Check(doc.AppendCanonical(nil), ""); !v.OK() || !v.Quick() {
			t.Fatalf("%+v", v)
		}
		shards := map[int]bool{}
		for _, r := range records(k) {
			shards[k.shardOf(r.hash)] = true
		}
		_ = doc.Remove(jsondoc.Pointer{"body", "shipment"})
		if v := k.Check(doc.AppendCanonical(nil), ""); !v.OK() || !v.Duplicate || v.Quick() != (len(shards) == 1) {
			t.Errorf("in %d parts: quick %t, %+v", len(shards), v.Quick(), v.Findings)
		}
		doc.At(jsondoc.Pointer{"body", "scaleWeight"}).Text = "9.000"
		if v := k.Check(doc.AppendCanonical(nil), ""); !v.Has(Conflict) {
			t.Errorf("in %d parts: %+v", len(shards), v.Findings)
		}
		apart += len(shards) - 1
	}
	if apart == 0 || apart == 40 {
		t.Errorf("%d of 40 are apart", apart)
	}
}

// TestAllIsLocked: what is judged by a history has all of the memory locked, for it
// may lead anywhere.
func TestAllIsLocked(t *testing.T) {
	c := builtin(t)
	k := newChecker(c, Strict{}, 8*maxShard, MaxKept)
	s := k.borrow()
	v := Payload(c, c.Roles.Paid.Sample.AppendCanonical(nil), "")
	for range 2 {
		k.take(s, &v)
		if !slices.Equal(s.locked, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("%d are locked", s.locked)
		}
	}
}
