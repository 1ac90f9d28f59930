package conform

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

func schemaCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"S01": malformedJSON,
		"S02": cutOffEverywhere,
		"S03": emptyBody,
		"S04": noObject,
		"S05": noData,
		"S06": missingFields,
		"S07": nullsAndZeros,
		"S08": extraFields,
		"S09": unknownStates,
		"S10": wrongTypes,
		"S11": repeatedState,
		"S12": otherCaseOfNames,
		"S13": deepNesting,
		"S14": notNumbers,
		"S15": hugeNumbers,
		"S16": prototypes,
		"S17": moreThanOneDocument,
		"S18": oddMoments,
	}
}

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

// missingFields leaves out each documented field in turn; without the amounts
// nothing may be credited.
func missingFields(t *trial) {
	for _, st := range t.commonStates() {
		for _, at := range places(st.Sample, nil) {
			t.handled(t.try(t.order().event(st, called("without "+strings.Join(at, ".")), drop(at))).answer)
		}
	}
	paid, amounts := t.s.roles.Paid, t.amountFacts()
	without := []edit{called("without any amount")}
	for _, f := range amounts {
		without = append(without, omit(f))
	}
	all := []tried{t.try(t.order().event(paid, without...))}
	if f := t.s.learned.unit; f != nil {
		all = append(all, t.try(t.order().event(paid, called("without "+f.Name), omit(f))))
	}
	t.never(all)
}

// commonStates are those of the documented flow and of its failures, as far as
// the endpoint serves them.
func (t *trial) commonStates() []*contract.State {
	states := append(slices.Clone(t.s.Contract.Flow), t.s.roles.Failed, t.s.roles.Dropped)
	return slices.DeleteFunc(states, func(st *contract.State) bool { return !t.served(st) })
}

// places are the ways to all members of a document, objects among them.
func places(v jsondoc.Value, at jsondoc.Pointer) []jsondoc.Pointer {
	var out []jsondoc.Pointer
	for _, m := range v.Members {
		here := append(slices.Clone(at), m.Name)
		out = append(append(out, here), places(m.Value, here)...)
	}
	return out
}

// omit takes a fact out of an event.
func omit(f *contract.Fact) edit {
	return func(e *event) {
		for _, field := range e.state.Fields {
			if field.Fact == f {
				drop(field.Pointer)(e)
			}
		}
	}
}

// amountFacts are the facts that say how much a payment is.
func (t *trial) amountFacts() []*contract.Fact {
	r := t.s.roles
	return slices.DeleteFunc([]*contract.Fact{r.Price, r.Cash, r.Received}, func(f *contract.Fact) bool { return f == nil })
}

// nullsAndZeros sends what the documents show as null also without it, and a fee
// of "0" as they show it.
func nullsAndZeros(t *trial) {
	var all []tried
	for _, st := range t.s.Contract.States() {
		if !t.s.Serves(st) {
			continue
		}
		for _, field := range st.Fields {
			path, v := field.Path(), st.Sample.At(field.Pointer)
			switch {
			case v == nil:
			case v.Kind == jsondoc.Null:
				all = append(all,
					t.try(t.order().event(st, called(path+" null"), put(field.Pointer, *v))),
					t.try(t.order().event(st, called("without "+path), drop(field.Pointer))))
			case v.Text == "0":
				all = append(all, t.try(t.order().event(st, called(path+` "0"`), put(field.Pointer, *v))))
			}
		}
	}
	t.acceptedEach(all, anyAnswer)
}

// extraFields adds members that no document names, at the top and in each
// object.
func extraFields(t *trial) {
	number, _ := jsondoc.NumberValue("1")
	extra := jsondoc.ObjectValue(
		jsondoc.Member{Name: "text", Value: jsondoc.StringValue("unknown")},
		jsondoc.Member{Name: "list", Value: jsondoc.ArrayValue(number, jsondoc.NullValue(), jsondoc.BoolValue(true))})
	add := func(e *event) {
		for _, at := range append([]jsondoc.Pointer{nil}, places(e.doc.Clone(), nil)...) {
			if e.doc.At(at).Kind == jsondoc.Object {
				put(append(slices.Clone(at), mark+"Extra"), extra)(e)
			}
		}
	}
	top := func(e *event) { put(jsondoc.Pointer{mark + "Extra"}, jsondoc.StringValue("unknown"))(e) }
	all := t.pay(t.order(), called("with an unknown member at the top"), top)
	all = append(all, t.pay(t.order(), called("with unknown members in each object"), add)...)
	t.acceptedEach(all, anyAnswer)
}

// unknownStates reports states that no document names.
func unknownStates(t *trial) {
	var all []tried
	for _, st := range []*contract.State{t.s.roles.Paid, t.s.roles.Confirmed} {
		if !t.served(st) {
			continue
		}
		for _, word := range []string{"Paytested", ""} {
			all = append(all, t.try(t.order().event(st, called(fmt.Sprintf("state %q", word)), t.inState(word))))
		}
	}
	t.never(all)
}

// inState gives an event another word for its state.
func (t *trial) inState(word string) edit {
	return put(t.s.Contract.Envelope.State, jsondoc.StringValue(word))
}

// wrongTypes gives each member a value of another type. Only what decides on a
// credit must keep the event from having an effect: an endpoint may pay no heed
// to the rest.
func wrongTypes(t *trial) {
	paid, state := t.s.roles.Paid, t.s.Contract.Envelope.State
	var deciding []tried
	for _, wrong := range wrongValues(jsondoc.NullValue()) {
		deciding = append(deciding, t.try(t.order().event(paid, retyped("the state", state, wrong))))
		for _, group := range t.decidingFacts() {
			deciding = append(deciding, t.try(t.order().event(paid, retypedFacts(group, wrong))))
		}
	}
	for _, st := range t.commonStates() {
		for _, at := range places(st.Sample, nil) {
			for _, wrong := range wrongValues(*st.Sample.At(at)) {
				t.handled(t.try(t.order().event(st, retyped(strings.Join(at, "."), at, wrong))).answer)
			}
		}
	}
	t.refusedOrNothing(deciding)
}

// mistake is a value of a wrong type in place of another.
type mistake struct {
	what string
	of   func(v jsondoc.Value) jsondoc.Value
}

// wrongValues are types that a value has not. A number in place of an amount is
// a case of its own, and text in place of a number can be read only one way.
func wrongValues(v jsondoc.Value) []mistake {
	list := mistake{"in a list", func(v jsondoc.Value) jsondoc.Value { return jsondoc.ArrayValue(v) }}
	object := mistake{"in an object", func(v jsondoc.Value) jsondoc.Value {
		return jsondoc.ObjectValue(jsondoc.Member{Name: "value", Value: v})
	}}
	yes := mistake{"true", func(jsondoc.Value) jsondoc.Value { return jsondoc.BoolValue(true) }}
	switch v.Kind {
	case jsondoc.Null:
		return []mistake{list, object, yes}
	case jsondoc.Object:
		return []mistake{list, yes}
	default:
		return []mistake{object, yes}
	}
}

// retyped gives the member at a place a value of a wrong type.
func retyped(name string, at jsondoc.Pointer, wrong mistake) edit {
	return func(e *event) {
		called(name + " " + wrong.what)(e)
		if v := e.doc.At(at); v != nil {
			put(at, wrong.of(*v))(e)
		}
	}
}

// retypedFacts gives facts values of a wrong type, wherever they stand.
func retypedFacts(facts []*contract.Fact, wrong mistake) edit {
	return func(e *event) {
		called(namesOf(facts) + " " + wrong.what)(e)
		for _, field := range e.state.Fields {
			if v := e.doc.At(field.Pointer); v != nil && slices.Contains(facts, field.Fact) {
				put(field.Pointer, wrong.of(*v))(e)
			}
		}
	}
}

func namesOf(facts []*contract.Fact) string {
	names := make([]string, len(facts))
	for i, f := range facts {
		names[i] = f.Name
	}
	return strings.Join(names, " and ")
}

// decidingFacts are the facts of which an endpoint must make sense before it
// credits a payment, in groups of which it needs all: which payment it is, how
// much, in what, and for whom, if it is known to keep accounts.
func (t *trial) decidingFacts() [][]*contract.Fact {
	r, unit := t.s.roles, t.s.learned.unit
	assets := slices.DeleteFunc([]*contract.Fact{r.Asset, r.CashAsset}, func(f *contract.Fact) bool {
		return f == nil || f == r.Asset && unit == r.Cash && unit != nil || f == r.CashAsset && unit == r.Price
	})
	amounts := t.amountFacts()
	if unit != nil {
		amounts = []*contract.Fact{unit}
	}
	out := [][]*contract.Fact{{r.Paid.Subject.ID}, amounts}
	if len(assets) > 0 {
		out = append(out, assets)
	}
	if r.Customer != nil && t.s.learned.tellsBalance {
		out = append(out, []*contract.Fact{r.Customer})
	}
	return out
}

// repeatedState names the state twice: failed and paid.
func repeatedState(t *trial) {
	paid := t.s.roles.Paid
	other := t.otherWord(paid)
	var all []tried
	for _, order := range [][2]string{{other, paid.Wire}, {paid.Wire, other}} {
		e := t.order().event(paid, called("state "+order[0]+" and then "+order[1]))
		all = append(all, t.tryBody(e, t.twice(e, order[0], order[1])))
	}
	t.refusedOrNothing(all)
}

// otherWord is how payloads spell another final state of a payment, or else any.
func (t *trial) otherWord(st *contract.State) string {
	for _, other := range append([]*contract.State{t.s.roles.Failed}, st.Subject.States...) {
		if other != nil && other != st && other.Wire != "" {
			return other.Wire
		}
	}
	return "Paytested"
}

// twice writes an event with its state named twice.
func (t *trial) twice(e event, first, second string) []byte {
	state := t.s.Contract.Envelope.State
	return t.written(e, state, func(name string) string {
		return name + quoted(first) + "," + name + quoted(second)
	})
}

// written writes an event with other bytes in place of the member at a place;
// change is given the member's name with its colon.
func (t *trial) written(e event, at jsondoc.Pointer, change func(name string) string) []byte {
	const here = "paytest-here"
	doc := e.doc.Clone()
	if doc.Add(at, jsondoc.StringValue(here)) != nil {
		return e.body()
	}
	name := quoted(at[len(at)-1]) + ":"
	return bytes.Replace(doc.AppendCanonical(nil), []byte(name+quoted(here)), []byte(change(name)), 1)
}

func quoted(s string) string { return string(jsondoc.StringValue(s).AppendCanonical(nil)) }

// otherCaseOfNames says the state under a name that differs in case alone, which
// is another name: beside one that says otherwise, or instead of it.
func otherCaseOfNames(t *trial) {
	paid, state := t.s.roles.Paid, t.s.Contract.Envelope.State
	name := state[len(state)-1]
	var all []tried
	for _, odd := range []string{strings.ToUpper(name[:1]) + name[1:], strings.ToUpper(name), strings.Replace(name, "s", "\u017f", 1)} {
		at := append(slices.Clone(state[:len(state)-1]), odd)
		if odd == name {
			continue
		}
		say := put(at, jsondoc.StringValue(paid.Wire))
		all = append(all, t.try(t.order().event(paid, called(odd+" in place of "+name), drop(state), say)))
		if pending := t.s.roles.Pending; pending != nil && pending.Path == paid.Path {
			all = append(all, t.try(t.order().event(paid, called(odd+" beside "+name), t.inState(pending.Wire), t.leaving(pending), say)))
		}
	}
	t.refusedOrNothing(all)
}

// leaving says that the state was left from which another is usually entered.
func (t *trial) leaving(st *contract.State) edit {
	from := st.From[0].From
	v := jsondoc.StringValue(from.Wire)
	if from.Wire == "" {
		v = jsondoc.NullValue()
	}
	return put(t.s.Contract.Envelope.PreviousState, v)
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

// takenOrRefused fails unless the endpoint accepted or refused what was sent.
func (t *trial) takenOrRefused(a answer) bool {
	if a.refuses() || a.taken(t.s.Contract) {
		return true
	}
	t.fail("%s: %s; it must be accepted, or refused by a 4xx", a.sent, a.came())
	return false
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

// bare writes an event with a word without quotes in place of facts.
func (t *trial) bare(e event, facts []*contract.Fact, word string) []byte {
	const here = "paytest-here"
	for _, f := range facts {
		set(f, jsondoc.StringValue(here))(&e)
	}
	return bytes.ReplaceAll(e.doc.AppendLiteral(nil), []byte(quoted(here)), []byte(word))
}

// hugeNumbers sends numbers that no double and no integer holds.
func hugeNumbers(t *trial) {
	r := t.s.roles
	assets := slices.DeleteFunc([]*contract.Fact{r.Asset, r.CashAsset}, func(f *contract.Fact) bool { return f == nil })
	var all []tried
	for _, v := range []struct {
		what, literal string
		facts         []*contract.Fact
	}{
		{"amounts 1e400", "1e400", t.amountFacts()},
		{"assets of 20 digits", "10000000000000001001", assets},
		{"assets 1e400", "1e400", assets},
	} {
		if len(v.facts) > 0 {
			e := t.order().event(r.Paid, called(v.what))
			all = append(all, t.tryBody(e, t.bare(e, v.facts, v.literal)))
		}
	}
	t.refusedOrNothing(all)
}

// prototypes sends members that are special in JavaScript, and a customer of
// such a name; none of it may change how another payment is read.
func prototypes(t *trial) {
	paid, state := t.s.roles.Paid, t.s.Contract.Envelope.State
	data := state[:len(state)-1]
	poison := t.poison()
	var all []tried
	for _, v := range []struct {
		what string
		path jsondoc.Pointer
	}{
		{"with a member __proto__", jsondoc.Pointer{"__proto__"}},
		{"with a member __proto__ beside the state", append(slices.Clone(data), "__proto__")},
		{"with a member constructor", append(slices.Clone(data), "constructor", "prototype")},
	} {
		all = append(all, t.try(t.order().event(paid, called(v.what), put(v.path, poison))))
	}
	for _, x := range all {
		t.takenOrRefused(x.answer)
	}
	without := []edit{called("without any amount, after members __proto__")}
	for _, f := range t.amountFacts() {
		without = append(without, omit(f))
	}
	bare := []tried{
		t.try(t.order().event(paid, without...)),
		t.try(t.order().event(paid, called("without a state, after members __proto__"), drop(state))),
	}
	t.handledEach(bare)
	named := t.try(t.order(withText(t.s.roles.CustomerName, "__proto__")).event(paid, called("for a customer named __proto__")))
	t.accepted(named.answer)
	t.settle(append(append(all, named), bare...), func(x tried, e Effect) string {
		if slices.ContainsFunc(bare, func(b tried) bool { return b.o == x.o }) {
			return t.nothing(x, e)
		}
		return t.onceOrRefused(x, e)
	}, answer.refuses)
}

// poison is an object that, as the prototype of others, would give them a state
// and amounts.
func (t *trial) poison() jsondoc.Value {
	state := t.s.Contract.Envelope.State
	out := jsondoc.ObjectValue(jsondoc.Member{Name: state[len(state)-1], Value: jsondoc.StringValue(t.s.roles.Paid.Wire)})
	for _, field := range t.s.roles.Paid.Fields {
		if slices.Contains(t.amountFacts(), field.Fact) {
			out.Members = append(out.Members, jsondoc.Member{Name: field.Name(), Value: jsondoc.StringValue("31337.000000")})
		}
	}
	return out
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
		e := t.order().event(t.usual(), called(v.what))
		x := t.tryBody(e, []byte(v.change(string(e.body()))))
		t.takenOrRefused(x.answer)
		all = append(all, x)
	}
	t.settle(all, func(x tried, e Effect) string { return t.miscounted(x.o, e, false) }, anyAnswer)
}

// oddMoments sends moments in forms that the documents do not know.
func oddMoments(t *trial) {
	moment := t.s.roles.Moment
	t.need(moment, "moment of an event")
	now := t.s.Now().UTC()
	epoch, _ := jsondoc.NumberValue(strconv.FormatInt(now.Unix(), 10))
	for _, v := range []struct {
		what string
		v    jsondoc.Value
	}{
		{"without a zone", jsondoc.StringValue(now.Format("2006-01-02T15:04:05"))},
		{"in the year 9999", jsondoc.StringValue("9999-12-31T23:59:59.999Z")},
		{"in a leap second", jsondoc.StringValue(now.Truncate(time.Minute).Format("2006-01-02T15:04:") + "60.000Z")},
		{"as a number of seconds", epoch},
	} {
		t.handled(t.try(t.order().event(t.usual(), called(moment.Name+" "+v.what), set(moment, v.v))).answer)
	}
}
