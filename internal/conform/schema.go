package conform

import (
	"fmt"
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
		for _, field := range e.state.Fields() {
			if field.Fact == f {
				drop(field.Pointer)(e)
			}
		}
	}
}

// amountFacts are the facts that say how much a payment is.
func (t *trial) amountFacts() []*contract.Fact {
	r := t.s.roles
	facts := slices.DeleteFunc([]*contract.Fact{r.Price, r.Cash, r.Received}, func(f *contract.Fact) bool { return f == nil })
	return slices.Compact(facts)
}

// nullsAndZeros sends what the documents show as null also without it, and a fee
// of "0" as they show it.
func nullsAndZeros(t *trial) {
	var all []tried
	for _, st := range t.s.Contract.States() {
		if !t.s.Serves(st) {
			continue
		}
		for _, field := range st.Fields() {
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
			all = append(all, t.try(t.begun().event(st, called(fmt.Sprintf("state %q", word)), t.inState(word))))
		}
	}
	for _, x := range all {
		t.takenOrRefused(x.answer)
	}
	t.settle(all, t.nothing, noAnswer)
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

// repeatedState names the state twice: failed and paid. A payment that is pending
// may well fail by it, and what was received be given back.
func repeatedState(t *trial) {
	paid := t.s.roles.Paid
	other := t.otherWord(paid)
	var all, pending []tried
	for _, words := range [][2]string{{other, paid.Wire}, {paid.Wire, other}} {
		label := "state " + words[0] + " and then " + words[1]
		e := t.order().event(paid, called(label))
		all = append(all, t.tryBody(e, t.twice(e, words[0], words[1])))
		e = t.begun().event(paid, called(label+", when it is pending"))
		pending = append(pending, t.tryBody(e, t.twice(e, words[0], words[1])))
	}
	t.refusedOrNothing(all)
	t.handledEach(pending)
	t.settle(pending, t.uncredited, answer.refuses)
}

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
		all = append(all, t.try(t.begun().event(paid, called(odd+" in place of "+name), drop(state), say)))
		if pending := t.s.roles.Pending; pending != nil && pending.Path == paid.Path {
			all = append(all, t.try(t.begun().event(paid, called(odd+" beside "+name), t.inState(pending.Wire), t.leaving(pending), say)))
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

// takenOrRefused fails unless the endpoint accepted or refused what was sent.
func (t *trial) takenOrRefused(a answer) bool {
	if a.refuses() || a.taken(t.s.Contract) {
		return true
	}
	t.fail("%s: %s; it must be accepted, or refused by a 4xx", a.sent, a.came())
	return false
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
		all = append(all, t.try(t.begun().event(paid, called(v.what), put(v.path, poison))))
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
	named := t.try(t.begun(withText(t.s.roles.CustomerName, "__proto__")).event(paid, called("for a customer named __proto__")))
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
	for _, field := range t.s.roles.Paid.Fields() {
		if slices.Contains(t.amountFacts(), field.Fact) {
			out.Members = append(out.Members, jsondoc.Member{Name: field.Name(), Value: jsondoc.StringValue("31337.000000")})
		}
	}
	return out
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
