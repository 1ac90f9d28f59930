package verify

import (
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
		for raw, number := range map[string]string{created: x.first} {
			if v := k.Check([]byte(strings.Replace(raw, block, `"blockNum":`+number, 1)), ""); !v.OK() {
				t.Fatal(v.Findings)
			}
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
