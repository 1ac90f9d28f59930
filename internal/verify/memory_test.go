package verify

import (
	"hash/maphash"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// silence forgets the words of all deliveries.
func (k *Checker) silence() {
	for i := range k.shards {
		k.shards[i].words = ring{}
	}
}

// judgement is what must not depend on how much is remembered of the words.
func judgement(v Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		out = append(out, string(f.Severity)+" "+string(f.Code)+" "+f.Pointer)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestCodesAreEnough forgets all words and holds the verdicts against a history
// that forgets nothing.
func TestCodesAreEnough(t *testing.T) {
	c := builtin(t)
	drifts := 0
	rapid.Check(t, func(t *rapid.T) {
		k, o := NewChecker(c, Strict{}), newOracle(c, Strict{})
		for i := range rapid.IntRange(1, 30).Draw(t, "deliveries") {
			raw, path := drawnEvent(t, c)
			got, want := k.Check(raw, path), o.check(raw, path)
			k.silence()
			if diff := cmp.Diff(judgement(want), judgement(got)); diff != "" {
				t.Fatalf("delivery %d: %s\n%s", i, diff, raw)
			}
			if got.Has(FactDrift) || got.Has(Conflict) || got.Has(BrokenRelation) {
				drifts++
			}
		}
	})
	if drifts < 20 {
		t.Errorf("only %d deliveries contradicted others: the comparison is worth little", drifts)
	}
}

// TestForgottenWords shows what is said when a fact is known by its code alone.
func TestForgottenWords(t *testing.T) {
	c := builtin(t)
	k := NewChecker(c, Strict{})
	event := func(st *contract.State, edit string) []byte {
		doc, err := generate.Payload(c, payment.New(c, payment.Options{Start: c.Epoch, Toward: []*contract.State{c.Roles.Paid}}), st, generate.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := (generate.Edit{Kind: generate.Set, Expression: edit}).Apply(&doc); edit != "" && err != nil {
			t.Fatal(err)
		}
		return doc.AppendCanonical(nil)
	}
	if v := k.Check(event(c.Roles.Paid, ""), ""); !v.OK() {
		t.Fatal(v.Findings)
	}
	k.silence()
	for _, x := range []struct {
		st         *contract.State
		edit, want string
	}{
		{c.Roles.Pending, "data.title=another", "a value that is forgotten"},
		{c.Roles.Pending, "data.cryptoAmount=1.000000", "a value that is forgotten"},
		{c.Roles.Paid, "data.transaction.id=another-transaction", "(forgotten 2)"},
	} {
		v := k.Check(event(x.st, x.edit), "")
		if v.OK() || !slices.ContainsFunc(v.Findings, func(f Finding) bool { return f.Expected == x.want }) {
			t.Errorf("%s: %+v", x.edit, v.Findings)
		}
	}
	if s := k.Summary(); s.GapCount != 1 || !strings.Contains(s.Gaps[0], "(name forgotten)") {
		t.Errorf("%+v", s)
	}
}

// TestCodesAreAsEqual holds the equality of codes against that of values.
func TestCodesAreAsEqual(t *testing.T) {
	k := coder{maphash.MakeSeed()}
	texts := []string{
		"", "0", "00", "0.0", "1", "01", "1.0", "1.00", "1.", ".5", "0.5", "00.50", "10", "100", "1e2", "-1", "a", "A", "É", "é", "k", "\u212a", "a\"b", "\\",
		"ABCDEFGH", "abcdefgh", "ABCDEFGHi", "@[`{", "2025-09-05T10:30:00.000Z", "2025-09-05T10:30:00Z", "2025-09-05T12:30:00.000+02:00",
		"2025-09-05T10:30:00.0001Z", "2025-02-30T10:30:00.000Z", "9999-01-01T00:00:00.000Z", strings.Repeat("7", 128), strings.Repeat("7", 127) + ".",
	}
	values := []jsondoc.Value{jsondoc.NullValue(), jsondoc.BoolValue(true), jsondoc.BoolValue(false), {Kind: jsondoc.Array}, {Kind: jsondoc.Object}}
	for _, s := range texts {
		values = append(values, jsondoc.StringValue(s))
	}
	for _, s := range []string{"0", "-0", "1", "1.0", "10e-1", "10", "1e1", "12345678901234567890"} {
		values = append(values, jsondoc.Value{Kind: jsondoc.Number, Text: s})
	}
	drawn := rapid.OneOf(
		rapid.SampledFrom(values),
		rapid.Map(rapid.StringMatching(`[0-9]{0,3}\.?[0-9]{0,3}`), jsondoc.StringValue),
		rapid.Map(rapid.StringMatching(`(000|19|20)[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\.[0-9]{3}Z`), jsondoc.StringValue),
		rapid.Map(rapid.StringMatching(`[a-zA-Z@]{7,17}`), jsondoc.StringValue),
	)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawn.Draw(t, "a"), drawn.Draw(t, "b")
		f := &contract.Fact{Compare: rapid.SampledFrom([]contract.Compare{contract.Exact, contract.Decimal, contract.Time, contract.Caseless}).Draw(t, "compare")}
		if f.Compare == contract.Caseless && rapid.Bool().Draw(t, "fold") {
			b = jsondoc.StringValue(strings.ToUpper(a.Text))
		}
		x, y := k.of(f, tokenOf(a)), k.of(f, tokenOf(b))
		if x == opaqueCode || y == opaqueCode {
			return
		}
		if want := payment.Equal(f, bounded(a), bounded(b)); (x == y) != want {
			t.Fatalf("%s and %s, compared as %q: equal %v, and their codes are %x and %x", literal(a), literal(b), f.Compare, want, x, y)
		}
	})
}

// TestTable holds a shard's table against a map.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 300).Draw(t, "limit")
		s := &newShards(2, 64, limit, 1<<20)[0]
		type known struct {
			r    record
			born int
		}
		model := map[uint64]known{}
		hash := rapid.OneOf(rapid.Uint64(), rapid.Map(rapid.Uint64Range(0, 400), func(x uint64) uint64 { return x << 54 }))
		for i, h := range rapid.SliceOfN(hash, 0, 900).Draw(t, "hashes") {
			slot := s.find(h)
			if m, ok := model[h]; ok != (slot != noSlot) || ok && s.load(slot) != m.r {
				t.Fatalf("%x: found in %d, expected %v", h, slot, ok)
			}
			if slot != noSlot {
				continue
			}
			if len(model) == limit {
				oldest := h
				for x, m := range model {
					if oldest == h || m.born < model[oldest].born {
						oldest = x
					}
				}
				delete(model, oldest)
			}
			slot = s.add(i%2, h)
			r := s.load(slot)
			if r.hash != h || int(r.kind) != i%2 || r.partial != (i >= limit && s.forgotten > 0) {
				t.Fatalf("%+v", r)
			}
			r.seen, r.last, r.count = contract.Edges(h*31), placeOf(i%256, address(h>>24)), uint8(i%(maxChain+1))
			s.save(slot, &r)
			model[h] = known{r, i}
		}
		for h, m := range model {
			if slot := s.find(h); slot == noSlot || s.load(slot) != m.r {
				t.Fatalf("%x is lost", h)
			}
		}
		if s.count != len(model) {
			t.Fatalf("%d records, want %d", s.count, len(model))
		}
	})
}

// TestMemoryIsBounded delivers more than there is room for, and adds up what is
// held.
func TestMemoryIsBounded(t *testing.T) {
	c := builtin(t)
	const limit, kept = 4000, 600_000
	k := newChecker(c, Strict{}, limit, kept)
	w := generate.NewWriter(c)
	var raw []byte
	for i := range uint64(5000) {
		for _, st := range c.Flow {
			var err error
			if raw, err = w.Append(raw[:0], payment.Options{Index: i, Start: c.Epoch, Toward: c.Flow}, st); err != nil {
				t.Fatal(err)
			}
			if v := k.Check(raw, ""); !v.OK() {
				t.Fatal(v.Findings)
			}
		}
	}
	held := 0
	for i := range k.shards {
		s := &k.shards[i]
		held += 4 * cap(s.index)
		for _, b := range slices.Concat(s.blocks, s.entries.chunks, s.words.chunks) {
			held += cap(b)
		}
	}
	if s := k.Summary(); held > kept || held < kept*8/10 || s.Subjects != limit || s.Forgotten != 10_000-limit || len(k.shards) != 1 {
		t.Errorf("%d bytes are held of %d, %+v", held, kept, s)
	}
}
