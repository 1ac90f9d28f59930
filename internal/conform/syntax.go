package conform

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/jsondoc"
)

// spoiled is a change of a body's bytes.
type spoiled struct {
	what   string
	change func(body string) string
}

// unreadable tries bodies that are no JSON, each of which must be refused.
func (t *trial) unreadable(ways []spoiled) {
	var all []tried
	for _, way := range ways {
		e := t.order().event(t.usual(), called(way.what))
		all = append(all, t.tryBody(e, []byte(way.change(string(e.body())))))
	}
	t.turnedAwayEach(all, http.StatusBadRequest)
}

// malformedJSON breaks the grammar in ways that some parsers forgive.
func malformedJSON(t *trial) {
	inside := func(s string) func(string) string {
		return func(body string) string { return strings.TrimSuffix(body, "}") + s + "}" }
	}
	replace := func(old, now string) func(string) string {
		return func(body string) string { return strings.Replace(body, old, now, 1) }
	}
	t.unreadable([]spoiled{
		{"with a comma after the last member", inside(",")},
		{"with two commas", replace(",", ",,")},
		{"with a comment", inside(" /* a comment */")},
		{"with an unquoted name", inside(`,` + mark + `:1`)},
		{"in single quotes", func(body string) string { return strings.ReplaceAll(body, `"`, `'`) }},
		{"with an equals sign for a colon", replace(":", "=")},
		{"with a line break in a string", replace(`:"`, ":\"\n")},
		{"with an unknown escape", replace(`:"`, `:"\x41`)},
		{"with a hexadecimal number", inside(`,"` + mark + `":0x10`)},
		{"with True for true", inside(`,"` + mark + `":True`)},
		{"without its last brace", func(body string) string { return strings.TrimSuffix(body, "}") }},
		{"as a form", func(string) string { return "payload=" + mark }},
	})
}

// cutOffEverywhere sends every beginning of an event, all of one payment: none
// of them may pay it.
func cutOffEverywhere(t *trial) {
	e := t.order().event(t.usual(), called("cut off"))
	body := e.body()
	var last tried
	for n := 1; n < len(body); n++ {
		last = t.tryBody(e, body[:n])
		if !last.refuses() {
			last.sent = fmt.Sprintf("%s after %d bytes", e.label, n)
		}
		t.turnedAway(last.answer, http.StatusBadRequest)
	}
	t.settle([]tried{last}, t.nothing, anyAnswer)
}

// emptyBody sends nothing at all.
func emptyBody(t *trial) {
	t.unreadable([]spoiled{{"empty body", func(string) string { return "" }}})
}

// noObject sends JSON that is no object.
func noObject(t *trial) {
	var ways []spoiled
	for _, v := range []string{"null", "[]", `"x"`, "1"} {
		ways = append(ways, spoiled{"the body is " + v, func(string) string { return v }})
	}
	t.unreadable(ways)
}

// noData leaves out the part of the event that holds its state, or makes it null.
func noData(t *trial) {
	state := t.s.Contract.Envelope.State
	if len(state) < 2 {
		t.skip("the contract's events have no part of their own that holds the state")
	}
	data, st := state[:1], t.usual()
	t.turnedAwayEach([]tried{
		t.try(t.order().event(st, called("without "+data[0]), drop(data))),
		t.try(t.order().event(st, called(data[0]+" null"), put(data, jsondoc.NullValue()))),
	}, t.s.Contract.Answers.Invalid.Status)
}

// deepNesting nests lists in a member that no document names.
func deepNesting(t *trial) {
	for _, depth := range []int{5_000, 49_000, 1_000_000} {
		e := t.order().event(t.usual(), called(strconv.Itoa(depth)+" lists inside each other"))
		r := e.request()
		r.Body = fmt.Appendf(bytes.TrimSuffix(e.body(), []byte("}")), `,"%sExtra":%s%s}`, mark, strings.Repeat("[", depth), strings.Repeat("]", depth))
		a := t.do(r)
		if a.lost() && len(r.Body) > maxDrainBytes {
			continue // closed without reading so much, which is a refusal
		}
		if !t.takenOrRefused(a) {
			t.stop()
		}
		if problem := t.alive(); problem != "" {
			t.fail("%s; the next valid event: %s", a.sent, problem)
			t.stop()
		}
	}
}

// notNumbers writes what is no number in place of the amounts, and in a member
// that no document names.
func notNumbers(t *trial) {
	var all []tried
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		facts := t.amountFacts()
		e := t.order().event(t.s.roles.Paid, called("amounts "+word))
		all = append(all, t.tryBody(e, t.bare(e, facts, word)))
		e = t.order().event(t.s.roles.Paid, called("an unknown member "+word))
		all = append(all, t.tryBody(e, t.written(e, jsondoc.Pointer{mark + "Extra"}, func(name string) string { return name + word })))
	}
	t.turnedAwayEach(all, http.StatusBadRequest)
}

// moreThanOneDocument puts something before or after the event.
func moreThanOneDocument(t *trial) {
	var all []tried
	for _, v := range []spoiled{
		{"after a byte order mark", func(body string) string { return "\ufeff" + body }},
		{"before a line of text", func(body string) string { return body + "\n" + mark }},
		{"before a brace", func(body string) string { return body + "}" }},
		{"twice", func(body string) string { return body + "\n" + body }},
	} {
		e := t.begun().event(t.usual(), called(v.what))
		x := t.tryBody(e, []byte(v.change(string(e.body()))))
		t.takenOrRefused(x.answer)
		all = append(all, x)
	}
	t.settle(all, func(x tried, e Effect) string { return t.miscounted(x.o, e, false) }, anyAnswer)
}
