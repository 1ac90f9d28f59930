package schema

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
)

func compiled(t *testing.T, raw string) *Schema {
	t.Helper()
	v, err := jsondoc.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewCompiler(Resources{"s.json": v}).Compile("s.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// textOf builds what reads the strings of a schema; it is nil where acceptors know too little.
func textOf(t *testing.T, raw string) *textNode {
	t.Helper()
	all, ok := conjuncts([]*Schema{compiled(t, raw)}, nil)
	if !ok {
		t.Fatalf("%s is no conjunction", raw)
	}
	b := builder{patterns: map[string]*pattern{}}
	return b.text(all)
}

// told says how strings are read, and what is left to check then.
func (t *textNode) told() string {
	if t == nil {
		return "not at all"
	}
	parts := []string{map[form]string{
		formFree: "free", formFixed: "fixed", formAutomaton: "automaton", formDecimal: "decimal", formMoment: "moment", formUUID: "uuid",
	}[t.form]}
	if t.form == formFixed {
		for _, r := range t.lead.runs {
			parts = append(parts, fmt.Sprint(map[by]string{runClass: "class", runLiteral: "literal", runHex: "hex", runAny: "any"}[r.by], r.length))
		}
	}
	left := len(parts)
	if t.patterns != nil {
		parts = append(parts, fmt.Sprint("then ", len(t.patterns), " patterns"))
	}
	for _, check := range []struct {
		is   bool
		name string
	}{{t.counted, "characters"}, {t.dateTime, "date-time"}, {t.uuid, "uuid"}, {t.base58, "base58check"}} {
		if check.is {
			parts = append(parts, "then "+check.name)
		}
	}
	if t.more != (len(parts) > left) {
		parts = append(parts, fmt.Sprint("more is ", t.more))
	}
	return strings.Join(parts, ", ")
}

// TestTextsAreReadTheShortestWay checks what no verdict shows: that nothing is checked twice, and nothing in a slow way that can be read in
// a quick one.
func TestTextsAreReadTheShortestWay(t *testing.T) {
	const date = `[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z`
	for _, test := range []struct{ schema, want string }{
		{`{}`, "free"},
		{`{"minLength":1}`, "free"},
		{`{"minLength":2}`, "free, then characters"},
		{`{"maxLength":1}`, "free, then characters"},
		{`{"format":"date-time"}`, "free, then date-time"},
		{`{"format":"base58check"}`, "free, then base58check"},
		{`{"format":"uuid"}`, "uuid"},
		{`{"format":"uuid","maxLength":36}`, "uuid, then characters"},
		{`{"format":"uuid","pattern":"^a"}`, "uuid, then 1 patterns"},
		{`{"format":"uuid","pattern":"^a[0-9]$"}`, "fixed, literal1, class1, then uuid"},
		{`{"format":"uuid","allOf":[{"format":"date-time"},{"format":"base58check"}]}`, "uuid, then date-time, then base58check"},

		{`{"pattern":"^ab*$"}`, "automaton"},
		{`{"pattern":"^ab*$","allOf":[{"pattern":"^ab*$"}]}`, "automaton"},
		{`{"pattern":"^ab*$","allOf":[{"pattern":"b"}]}`, "automaton, then 1 patterns"},
		{`{"pattern":"^(0|[1-9][0-9]*)(\\.[0-9]{1,6})?$"}`, "decimal"},
		{`{"pattern":"^(0|[1-9][0-9]*)(\\.[0-9]{1,6})?$","allOf":[{"pattern":"1"}]}`, "decimal, then 1 patterns"},
		{`{"pattern":"1","allOf":[{"pattern":"^(0|[1-9][0-9]*)(\\.[0-9]{1,6})?$"}]}`, "automaton, then 1 patterns"},

		{`{"pattern":"^a$"}`, "fixed, literal1"},
		{`{"pattern":"^ab[0-9]{2}$"}`, "fixed, literal2, class2"},
		{`{"pattern":"^[0-9]ab$","allOf":[{"pattern":"b$"}]}`, "fixed, class1, literal2, then 1 patterns"},
		{`{"pattern":"b$","allOf":[{"pattern":"^[0-9]ab$"}]}`, "fixed, class1, literal2, then 1 patterns"},
		{`{"pattern":"^[0-9]{7}$","allOf":[{"pattern":"^[1-9]{8}$"}]}`, "fixed, class7, then 1 patterns"},
		{`{"pattern":"^$"}`, "automaton"},
		{`{"pattern":"^ab"}`, "automaton"},
		{`{"pattern":"ab$"}`, "automaton"},
		{`{"pattern":"^|bb|$"}`, "automaton"},
		{`{"pattern":"^a?b$"}`, "automaton"},
		{`{"pattern":"^[ab]{2,3}$"}`, "automaton"},
		{`{"pattern":"^[ab]{0}c$"}`, "automaton"},
		{`{"pattern":"^(ab){2}$"}`, "automaton"},
		{`{"pattern":"^b{2}$"}`, "automaton"},
		{`{"pattern":"^é$"}`, "automaton"},
		{`{"pattern":"^\\x7f$"}`, "fixed, literal1"},
		{`{"pattern":"^\"$"}`, "automaton"},
		{`{"pattern":"(?i)^ab$"}`, "automaton"},
		{`{"pattern":"^[ab]{500}[bc]{500}$"}`, "fixed, class500, class500"},
		{`{"pattern":"^[ab]{500}[bc]{501}$"}`, "not at all"},
		{`{"pattern":"\\b"}`, "not at all"},

		{`{"pattern":"^[0-9A-Fa-f]{7}$"}`, "fixed, class7"},
		{`{"pattern":"^[0-9A-Fa-f]{8}$"}`, "fixed, hex8"},
		{`{"pattern":"^[0-9a-f]{8}$"}`, "fixed, class8"},

		{`{"format":"base58check","pattern":"^T[1-9A-HJ-NP-Za-km-z]{33}$"}`, "fixed, literal1, any33, then base58check"},
		{`{"format":"base58check","pattern":"^T[1-9A-HJ-NP-Za-km-y]{33}$"}`, "fixed, literal1, class33, then base58check"},
		{`{"format":"base58check","pattern":"^[0-9a-fA-F]{8}[ -z]$"}`, "fixed, hex8, any1, then base58check"},
		{`{"pattern":"^T[1-9A-HJ-NP-Za-km-z]{33}$"}`, "fixed, literal1, class33"},

		{`{"format":"date-time","pattern":"^` + date + `$"}`, "moment"},
		{`{"format":"date-time","pattern":"^` + date + `$","minLength":24}`, "moment, then characters"},
		{`{"format":"date-time","pattern":"^` + date + `$","allOf":[{"pattern":"1"}]}`, "moment, then 1 patterns"},
		{`{"format":"date-time","pattern":"1","allOf":[{"pattern":"^` + date + `$"}]}`, "moment, then 1 patterns"},
		{`{"pattern":"^` + date + `$"}`, "fixed, class4, literal1, class2, literal1, class2, literal1, class2, literal1, class2, literal1, class2, literal1, class3, literal1"},
		{`{"format":"date-time","pattern":"^[0-9]{23}Z$"}`, "fixed, class23, literal1, then date-time"},
		{`{"format":"date-time","pattern":"^[0-9]{24}$"}`, "fixed, class24, then date-time"},
		{`{"format":"date-time","pattern":"^2[0-9]{3}-$"}`, "fixed, literal1, class3, literal1, then date-time"},
	} {
		if got := textOf(t, test.schema).told(); got != test.want {
			t.Errorf("%s is read: %s\nwant: %s", test.schema, got, test.want)
		}
	}
}

// TestAutomataAreSmall counts states, the dead one included, and classes of bytes, that of the refused ones included.
func TestAutomataAreSmall(t *testing.T) {
	for _, test := range []struct {
		expression      string
		states, classes int
	}{
		{``, 2, 2},
		{`^a+$`, 3, 6},
		{`^[a-c]+$`, 3, 4},
		{`^[ -c]+$`, 3, 3},
		{`^(?i)m+$`, 3, 6},
		{`b`, 4, 6},
		{`^.*$`, 2, 2},
		{`^(a?b?c?)*$`, 2, 10}, // however a set is come by, it is one state
	} {
		p := newPattern(test.expression)
		if len(p.next) != test.states || len(p.accepts) != test.states || len(p.next[0]) != test.classes {
			t.Errorf("%s: %d states and %d classes, want %d and %d", test.expression, len(p.next), len(p.next[0]), test.states, test.classes)
		}
	}
	most := 0
	for length := range 2 * maxStates {
		if p := newPattern(`^[ab]{` + strconv.Itoa(length) + `}c?$`); p != nil {
			most = max(most, len(p.next))
		}
	}
	if most != maxStates {
		t.Errorf("the largest automaton has %d states, want %d", most, maxStates)
	}
}

// TestLayouts shows what leads to each value that is read, and how it is read.
func TestLayouts(t *testing.T) {
	s := compiled(t, `{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"null"},"c":{"type":"integer"},"d":{"type":"object","properties":{
		"e":{"const":"x"},"f":{"enum":["x","y"]},"g":{"type":"object","properties":{"h":{"type":"string","minLength":2}}}}},
		"i":{"type":["null","string"]},"j":{"type":"array","items":{}},"k":{"type":"boolean"},"l":{"type":["null","object"],"properties":{"m":true}}}}`)
	const none = `{"a":" form|,"b":null,"c": number|,"d":{"e":"x","f": node|,"g":{"h":" text|}},"i": node|,"j": node|,"k": node|,"l": node|}`
	for captured, want := range map[string]string{
		"/z":   none,
		"/a":   strings.Replace(none, "form", "form captured", 1),
		"/b":   strings.Replace(none, "null,", "null captured|,", 1),
		"/d":   `{"a":" form|,"b":null,"c": number|,"d": node captured|,"i": node|,"j": node|,"k": node|,"l": node|}`,
		"/d/e": strings.Replace(none, `"x",`, `"x" captured|,`, 1),
	} {
		p, err := jsondoc.ParsePointer(captured)
		if err != nil {
			t.Fatal(err)
		}
		a, ok := s.Acceptor([]jsondoc.Pointer{p}, nil)
		if !ok {
			t.Fatal("no acceptor")
		}
		if got := a.layout.told(); got != want {
			t.Errorf("%q is captured: %s\nwant %s", captured, got, want)
		}
	}
	twice := compiled(t, `{"type":"object","properties":{"a":{"type":"null"},"b":true},"allOf":[{"properties":{"b":true,"a":true}}]}`)
	if a, ok := twice.Acceptor(nil, nil); !ok || a.layout.told() != `{"a":null,"b": node|}` {
		t.Errorf("declared twice: %s", a.layout.told())
	}
	if a, ok := compiled(t, `{"type":"string"}`).Acceptor(nil, nil); !ok || a.layout != nil {
		t.Error("a string has a layout")
	}
}

func (l *layout) told() string {
	var b strings.Builder
	for _, p := range l.places {
		b.WriteString(p.lead)
		switch {
		case p.form != nil:
			b.WriteString(" form")
		case p.text != nil:
			b.WriteString(" text")
		case p.number != nil:
			b.WriteString(" number")
		case p.node != nil:
			b.WriteString(" node")
		}
		if p.slot >= 0 {
			b.WriteString(" captured")
		}
		b.WriteString("|")
	}
	return b.String() + l.tail
}
