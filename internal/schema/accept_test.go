package schema_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/payloads"
)

// packs are contracts of three gateways.
func packs(t testing.TB) []*contract.Contract {
	t.Helper()
	var all []*contract.Contract
	for _, fsys := range []fs.FS{payloads.FS, os.DirFS("../contract/testdata/box"), os.DirFS("../contract/testdata/shipment")} {
		c, err := contract.Load(fsys)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	return all
}

// subject is a schema under test with what its acceptor captures and demands.
type subject struct {
	schema   *schema.Schema
	captures []jsondoc.Pointer
	fixed    []schema.Fixed
	acceptor *schema.Acceptor
}

// stateSubject captures the members of the envelope, one of them twice, all facts, and members that are not there.
func stateSubject(t testing.TB, c *contract.Contract, st *contract.State) subject {
	t.Helper()
	s := subject{schema: st.Schema()}
	s.captures = []jsondoc.Pointer{nil, c.Envelope.Event, c.Envelope.State, c.Envelope.PreviousState, {"missing"}, append(c.Envelope.Event, "0")}
	for _, f := range st.Fields() {
		s.captures = append(s.captures, f.Pointer)
	}
	s.fixed = []schema.Fixed{{Pointer: c.Envelope.Event, Text: st.Event}, {Pointer: c.Envelope.State, Text: st.Wire}}
	var ok bool
	if s.acceptor, ok = st.Schema().Acceptor(s.captures, s.fixed); !ok {
		t.Fatalf("%s has no acceptor", st)
	}
	return s
}

// holds checks that what the acceptor accepts is valid in every respect, and returns both verdicts.
func (s *subject) holds(t rapid.TB, raw []byte) (accepted, valid bool) {
	slots := make([]schema.Slot, len(s.captures))
	for i := range slots {
		slots[i] = schema.Slot{Start: -7, End: 1 << 40}
	}
	before := bytes.Clone(raw)
	accepted = s.acceptor.Accept(raw, slots)
	if !bytes.Equal(before, raw) {
		t.Fatalf("Accept changed %q", before)
	}
	doc, err := jsondoc.Parse(raw)
	valid = err == nil && s.schema.Validate(doc) == nil && s.schema.Undeclared(doc) == nil
	for _, f := range s.fixed {
		at := doc.At(f.Pointer)
		valid = valid && at != nil && jsondoc.Equal(*at, jsondoc.StringValue(f.Text))
	}
	if accepted && !valid {
		t.Fatalf("accepted %q: %v, %v, %v", raw, err, tell(s.schema.Validate(doc)), s.schema.Undeclared(doc))
	}
	if accepted {
		s.checkSlots(t, raw, doc, slots)
	}
	s.checkLayout(t, raw, accepted, slots)
	return accepted, valid
}

// checkLayout checks that the expected layout changes no verdict and no slot.
func (s *subject) checkLayout(t rapid.TB, raw []byte, accepted bool, want []schema.Slot) {
	slots := make([]schema.Slot, len(s.captures))
	if yes := s.acceptor.Wandering().Accept(raw, slots); yes != accepted || yes && !slices.Equal(slots, want) {
		t.Fatalf("%q: accepted is %t with the slots %v, without an expected layout %t with %v", raw, accepted, want, yes, slots)
	}
	if s.acceptor.Straight().Accept(raw, slots) && (!accepted || !slices.Equal(slots, want)) {
		t.Fatalf("%q: accepted is %t with the slots %v, but read straight with %v", raw, accepted, want, slots)
	}
}

func (s *subject) checkSlots(t rapid.TB, raw []byte, doc jsondoc.Value, slots []schema.Slot) {
	for i, p := range s.captures {
		want := doc.At(p)
		if want == nil {
			if slots[i] != (schema.Slot{}) {
				t.Fatalf("%s is not in %q, its slot is %v", p, raw, slots[i])
			}
			continue
		}
		at := raw[slots[i].Start:slots[i].End]
		got, err := jsondoc.Parse(at)
		if err != nil || !bytes.Equal(bytes.TrimSpace(at), at) || !bytes.Equal(got.AppendLiteral(nil), want.AppendLiteral(nil)) {
			t.Fatalf("the slot of %s in %q is %q: %v", p, raw, at, err)
		}
	}
}

// made is the payload of one payment's event, as it is sent.
func made(t testing.TB, c *contract.Contract, st *contract.State, index uint64) []byte {
	t.Helper()
	start := c.Epoch.Add(time.Duration(index%40_000_000) * 37 * time.Second)
	doc, err := generate.Payload(c, payment.New(c, payment.Options{Seed: 5, Index: index, Start: start}), st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc.AppendCanonical(nil)
}

func TestAcceptsWhatIsGenerated(t *testing.T) {
	for _, c := range packs(t) {
		for _, st := range c.States() {
			s := stateSubject(t, c, st)
			if accepted, _ := s.holds(t, st.Sample.AppendCanonical(nil)); !accepted {
				t.Errorf("%s: %s: the sample is not accepted", c.Name, st)
			}
			for index := range uint64(1000) {
				raw := made(t, c, st, index*index)
				if accepted, _ := s.holds(t, raw); !accepted {
					t.Fatalf("%s: %s: %s is not accepted", c.Name, st, raw)
				}
			}
		}
	}
}

// spoiled returns documents that differ from raw in one place: in bytes, in tokens, in members.
func spoiled(t *testing.T, raw []byte, random *rand.Rand) [][]byte {
	t.Helper()
	var all [][]byte
	for at := range raw {
		for _, c := range []byte{0, '\n', ' ', '"', '\\', '0', '9', ',', ':', '}', 'T', 'l', '-', '.', 0x7f, 0x80, 0xff, raw[at] ^ 1, raw[at] ^ 0x20, raw[at] ^ 0x80, byte(random.Uint32())} {
			changed := bytes.Clone(raw)
			changed[at] = c
			all = append(all, changed)
		}
		all = append(all, raw[:at], append(bytes.Clone(raw[:at]), raw[at+1:]...))
		for _, insert := range []string{" ", "\t\r\n", "0", ",", "\"", "\\n", "\\u0041", "\\ud800", "\xff", "\xed\xa0\x80", "\xc0\xaf", "é", "\u2028", "{}", "00000000000000000000"} {
			all = append(all, []byte(string(raw[:at])+insert+string(raw[at:])))
		}
	}
	for _, tail := range []string{" ", "\n", "}", "{}", "\x00", "\"", ",", "\ufeff"} {
		all = append(all, []byte(string(raw)+tail), []byte(tail+string(raw)))
	}
	doc := parse(t, string(raw))
	for _, mutant := range append(mutants(t, doc), rearranged(t, doc)...) {
		all = append(all, mutant.AppendLiteral(nil))
	}
	return all
}

// rearranged returns documents with members renamed, repeated, in another order, and with telling values.
func rearranged(t *testing.T, doc jsondoc.Value) []jsondoc.Value {
	t.Helper()
	var all []jsondoc.Value
	change := func(p jsondoc.Pointer, apply func(v *jsondoc.Value)) {
		v := doc.Clone()
		apply(v.At(p))
		all = append(all, v)
	}
	for _, p := range places(doc, nil) {
		at := doc.At(p)
		for i, m := range at.Members {
			change(p, func(v *jsondoc.Value) { v.Members = append(v.Members, m) })
			change(p, func(v *jsondoc.Value) { v.Members = append([]jsondoc.Member{m}, v.Members...) })
			change(p, func(v *jsondoc.Value) { v.Members[0], v.Members[i] = v.Members[i], v.Members[0] })
			for _, name := range []string{"", "x", strings.ToUpper(m.Name), m.Name + "x", m.Name[1:], m.Name + "\x00", m.Name + `\`, at.Members[0].Name} {
				change(p, func(v *jsondoc.Value) { v.Members[i].Name = name })
			}
		}
		for _, literal := range []string{
			`-0`, `-1`, `18`, `19`, `1e2`, `1.5`, `999999999999999999`, `9223372036854775808`, `18446744073709551617`, `100000000000000000000000000000`, `false`,
			`[1,2]`, `[1,null]`, `[[]]`, `{"id":1}`, `"2024-02-29T00:00:00.000Z"`, `"2023-02-29T00:00:00.000Z"`, `"2100-02-29T00:00:00.000Z"`, `"0000-02-29T23:59:60.000Z"`,
			`"2024-12-31T22:59:60.000Z"`, `"2024-12-31T23:59:60.5+00:00"`, `"2024-12-31T18:59:60-05:00"`, `"2024-12-31t23:00:00z"`, `"2024-04-31T00:00:00.000Z"`, `"2024-00-10T00:00:00Z"`,
			`"2024-01-01T24:00:00.000Z"`, `"2024-01-01T00:60:00.000Z"`, `"2024-01-01T00:00:61.000Z"`, `"00"`, `"01"`, `"0."`, `"0.0000000"`, `"10.123456"`, `".5"`, `"-1"`, `"é"`, `"1"`,
			`"550E8400-E29B-41D4-A716-446655440000"`, `"550E8400-E29B-41D4-A716-44665544000g"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRC"`, `"TMxF2kPwiuS4QJo8tixV5vd4qVuo7zdtRD"`,
		} {
			change(p, func(v *jsondoc.Value) { *v = parse(t, literal) })
		}
	}
	return all
}

func TestAcceptsOnlyWhatIsValid(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, c := range packs(t) {
		for _, st := range c.States() {
			s := stateSubject(t, c, st)
			all, accepted, valid := spoiled(t, made(t, c, st, 3), random), 0, 0
			for _, raw := range all {
				yes, sound := s.holds(t, raw)
				if yes {
					accepted++
				}
				if sound {
					valid++
				}
			}
			if accepted*100 < valid*70 || accepted < 100 || len(all)-accepted < 1000 {
				t.Errorf("%s: %s: %d of %d valid ones among %d documents are accepted", c.Name, st, accepted, valid, len(all))
			}
		}
	}
}

// TestLayoutReadsWhatIsGenerated checks that the straight line is not in vain.
func TestLayoutReadsWhatIsGenerated(t *testing.T) {
	for _, c := range packs(t) {
		for _, st := range c.States() {
			s := stateSubject(t, c, st)
			a, slots := s.acceptor.Straight(), make([]schema.Slot, len(s.captures))
			raw := made(t, c, st, 3)
			if !a.Accept(raw, slots) || !a.Accept([]byte(" "+string(raw)+"\n"), slots) {
				t.Errorf("%s: %s: %s is not read straight", c.Name, st, raw)
			}
		}
	}
}

func TestAcceptDoesNotAllocate(t *testing.T) {
	for _, c := range packs(t) {
		for _, st := range c.States() {
			s := stateSubject(t, c, st)
			raw, slots := made(t, c, st, 4), make([]schema.Slot, len(s.captures))
			if n := testing.AllocsPerRun(100, func() { s.acceptor.Accept(raw, slots) }); n > mostAllocations {
				t.Errorf("%s: %s: %v allocations", c.Name, st, n)
			}
		}
	}
}

func TestAcceptorOfAnySchema(t *testing.T) {
	compiled := 0
	rapid.Check(t, func(t *rapid.T) {
		raw := schemas(3).Draw(t, "schema")
		facts := fmt.Sprintf(`{"$defs":{"a":%s,"b":%s}}`, schemas(1).Draw(t, "a"), schemas(1).Draw(t, "b"))
		built, err := schema.NewCompiler(resources(t, raw, facts)).Compile("s.json", nil)
		if err != nil {
			t.Skip(err)
		}
		s := subject{schema: built, captures: []jsondoc.Pointer{{"a"}, {"a", "b"}, nil, {"0"}, {"b"}, {"a"}}}
		if rapid.Bool().Draw(t, "fix") {
			s.fixed = []schema.Fixed{{Pointer: jsondoc.Pointer{"a"}, Text: "a"}}
		}
		var ok bool
		if s.acceptor, ok = built.Acceptor(s.captures, s.fixed); !ok {
			return
		}
		compiled++
		for range 10 {
			s.holds(t, []byte(instances(3).Draw(t, "instance")))
		}
	})
	if compiled == 0 {
		t.Error("no schema had an acceptor")
	}
}
