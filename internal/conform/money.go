package conform

import (
	"fmt"
	"slices"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

func moneyCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"M01": exactAmounts(exactly("9007199254740993.000001")),
		"M02": noAmounts("1e5", "1E5"),
		"M03": noAmounts("-5.000000", "-0"),
		"M04": noAmounts("12abc", " 5 ", "1_000", "\u0661\u0662\u0663"),
		"M05": noAmounts("1,000.500000"),
		"M06": exactAmounts(
			exactly("999999999999.999999"), exactly("1.0000001"), exactly("12.3456789"), exactly("0.9999999999")),
		"M07": exactAmounts(
			due("5.5"), due("12"), due("0.1"),
			exactly("0"), written{text: "0.000000", means: "0"}, written{text: "00012", means: "12"},
			written{text: ".5", means: "0.5"}, written{text: "5.", means: "5"}),
		"M08": tenTenths,
		"M09": amountAsNumber,
		"M10": mismatchReportedTwice,
		"M11": amountChanges,
		"M12": otherAssets,
		"M13": noAmounts("Infinity", "-Infinity", "NaN", ""),
	}
}

// written is an amount as an event has it, and what it means; one that is due may
// not be refused where the contract allows it.
type written struct {
	text, means string
	due         bool
}

func exactly(text string) written { return written{text: text, means: text} }
func due(text string) written     { return written{text, text, true} }

// noAmounts pays payments whose amounts are none: each must be refused, and
// nothing credited.
func noAmounts(texts ...string) func(*trial) {
	return func(t *trial) {
		var all []tried
		for _, text := range texts {
			all = append(all, t.paid(t.order(t.withAmount(text)), called(fmt.Sprintf("amount %q", text))))
		}
		for _, x := range all {
			if x.taken(t.s.Contract) {
				t.note("%s: accepted; a 4xx would tell the gateway that it was not understood", x.sent)
			}
		}
		t.never(all)
	}
}

// exactAmounts pays payments whose amounts must be credited to the last digit,
// or refused.
func exactAmounts(amounts ...written) func(*trial) {
	return func(t *trial) {
		want := map[*order]written{}
		var all []tried
		for _, a := range amounts {
			option := t.withAmount(a.text)
			if a.due = a.due && t.inPrice() && t.allows(a.text); a.due {
				option = t.priced(a.text)
			}
			o := t.order(option)
			want[o] = a
			all = append(all, t.paid(o, called(fmt.Sprintf("amount %q", a.text))))
		}
		t.exactOrRefused(all, func(o *order) written { return want[o] })
	}
}

// exactOrRefused fails for what broke the endpoint, for what is due and was refused,
// and for what was neither refused nor credited exactly.
func (t *trial) exactOrRefused(all []tried, want func(*order) written) {
	t.handledEach(all)
	for _, x := range all {
		if w := want(x.o); w.due && x.refuses() {
			t.accepted(x.answer)
		}
	}
	t.settle(all, func(x tried, e Effect) string {
		if x.refuses() {
			return t.nothing(x, e)
		}
		return t.inexact(x.sent, want(x.o), e)
	}, answer.refuses)
}

// inexact says what keeps an effect from being exactly an amount. What the
// contract does not allow, and nothing at all, need not be credited.
func (t *trial) inexact(sent string, a written, e Effect) string {
	want, _ := payment.ParseAmount(a.means)
	allowed := t.allows(a.text)
	switch {
	case t.rounded(want, e):
		t.note("%s: credited %s, rounded: the money it credits need not have such small parts", sent, *e.Credited)
	case !e.shows() && allowed && want.Sign() != 0:
		return fmt.Sprintf("accepted and not credited (%s)", e)
	case !e.shows():
		t.believe()
	case e.Credited == nil:
		t.cannotTell("the probe tells of no credited amount: let it, and say where with --probe-map credited=PATH")
	case e.Credited.Cmp(want) != 0 && e.number && t.likely(want, *e.Credited):
		t.cannotTell("the probe tells amounts as JSON numbers, which lose the digits this is about: let it tell strings")
	case e.Credited.Cmp(want) != 0:
		return fmt.Sprintf("credited %s; exactly it is %s", *e.Credited, want)
	case e.Deliveries != nil && e.Deliveries.Cmp(one()) > 0:
		return fmt.Sprintf("goods handed out %s times, not once", *e.Deliveries)
	}
	return ""
}

// allows reports whether the contract takes a text for each amount of a payment.
func (t *trial) allows(text string) bool {
	return !slices.ContainsFunc(t.amountFacts(), func(f *contract.Fact) bool {
		return len(f.Schema().Validate(jsondoc.StringValue(text))) > 0
	})
}

// likely reports whether an amount that was told as a number may have been another
// before that.
func (t *trial) likely(want, told payment.Amount) bool {
	return want.Shift(t.s.learned.places).Like(told.Shift(t.s.learned.places))
}

// mostMinor is how many decimals the amounts of any cash have at most.
const mostMinor = 3

// rounded reports whether an endpoint that credits in cash has credited an amount
// to the unit below or above: no cash can be divided as the other asset can, and
// who never asks for a part of a unit is not told of one.
func (t *trial) rounded(want payment.Amount, e Effect) bool {
	if t.s.roles.Cash == nil || t.s.learned.unit != t.s.roles.Cash || e.Credited == nil || e.Credited.Cmp(want) == 0 {
		return false
	}
	for places := range int32(mostMinor + 1) {
		if below, above := want.Between(places); e.Credited.Cmp(below) == 0 || e.Credited.Cmp(above) == 0 {
			return true
		}
	}
	return false
}

// tenths is how many payments of a tenth make one.
const tenths = 10

// tenTenths pays a tenth ten times for one customer.
func tenTenths(t *trial) {
	customer := t.s.roles.Customer
	t.need(customer, "customer")
	var orders []*order
	var all []tried
	tenth := t.priced("0.100000")
	for range tenths {
		o := t.order(tenth)
		if len(orders) > 0 {
			o = t.order(tenth, withText(customer, orders[0].text(customer)))
		}
		orders = append(orders, o)
		all = append(all, t.pay(o, called("one of ten payments of 0.1"))...)
	}
	if !slices.ContainsFunc(all, func(x tried) bool { return x.state == t.s.roles.Paid && !x.refuses() }) {
		t.cannotTell("it refuses payments of 0.1, so that it adds them up exactly cannot be seen")
		return
	}
	if e, seen := t.tenthIn(orders[0]); seen {
		t.cannotTell("it credits %s for 0.1: its money has no tenths, so that it adds them up exactly cannot be seen", e)
		return
	}
	t.acceptedEach(all, noAnswer)
	if t.s.Probe != nil && (!t.s.learned.tellsBalance || t.s.learned.unit == nil) {
		t.cannotTell("the probe tells no balance of a customer: let it, and say where with --probe-map balance=PATH")
		return
	}
	t.sums(orders[tenths-1], "the balance of the customer", orders)
}

// inPrice reports whether the endpoint is known to credit the price.
func (t *trial) inPrice() bool { return t.s.learned.unit != nil && t.s.learned.unit == t.s.roles.Price }

// priced makes an amount that of a payment. Where it credits the price the amount in
// the other asset stays, which may not be divisible.
func (t *trial) priced(text string) orderOption {
	price, received := t.s.roles.Price, t.s.roles.Received
	if !t.inPrice() {
		return t.withAmount(fitted(price, text))
	}
	return func(o *payment.Options) {
		withText(price, fitted(price, text))(o)
		withText(received, fitted(received, text))(o)
	}
}

// tenthIn is what was credited for a payment of a tenth where that was rounded.
func (t *trial) tenthIn(o *order) (credited payment.Amount, rounded bool) {
	want, ok := o.amount(t.s.roles.Cash)
	if t.s.Probe == nil || !ok || t.s.learned.unit != t.s.roles.Cash {
		return credited, false
	}
	if e, ok := t.final(o); ok && t.rounded(want, e) {
		return *e.Credited, true
	}
	return credited, false
}

// amountAsNumber gives amounts as JSON numbers, which the documents never do.
func amountAsNumber(t *trial) {
	const text = "74.074074"
	number, _ := jsondoc.NumberValue(text)
	var edits []edit
	for _, f := range t.amountFacts() {
		edits = append(edits, set(f, number))
	}
	var all []tried
	for _, v := range []struct {
		label string
		of    func(...orderOption) *order
	}{
		{"amounts as numbers", t.order},
		{"amounts as numbers, when it is pending", t.begun},
	} {
		all = append(all, t.try(v.of(t.withAmount(text)).event(t.s.roles.Paid, append(edits, called(v.label))...)))
	}
	t.exactOrRefused(all, func(*order) written { return written{text: "a number", means: text} })
}

// mismatchReportedTwice reports a transfer of the wrong amount by its own events
// and by those of its payment, in several orders.
func mismatchReportedTwice(t *trial) {
	r := t.s.told(t.spec)
	courses := [][]*contract.State{{r.Seen, r.Pending, r.Dropped, r.Failed}}
	if r.Failed != r.Dropped {
		courses = append(courses, []*contract.State{r.Seen, r.Pending, r.Failed, r.Dropped}, []*contract.State{r.Seen, r.Pending, r.Confirmed, r.Failed})
	}
	for _, states := range courses {
		states = slices.Compact(slices.DeleteFunc(states, func(st *contract.State) bool { return !t.served(st) }))
		o := t.order(toward(states...), t.mismatched())
		for _, e := range o.events(states...) {
			called("with too little received")(&e)
			t.handled(t.try(e).answer)
		}
		for _, e := range o.events(r.Dropped, r.Failed) {
			if !slices.Contains(states, e.state) {
				continue
			}
			called("with too little received, again")(&e)
			t.handled(t.try(e).answer)
			moved(eventGap)(&e)
			called("with another timestamp")(&e)
			t.handled(t.try(e).answer)
		}
		t.about(listed(states), func() {
			if slices.Contains(states, t.s.roles.Paid) {
				t.atMostOnce(o) // the transfer that came in is what it credits
			} else {
				t.notCredited(o)
			}
			t.refundedAtMostOnce(o)
		})
	}
}

// mismatched makes a payment one for which too little was received.
func (t *trial) mismatched() orderOption {
	r := t.s.told(t.spec)
	return func(o *payment.Options) {
		withText(r.Price, fitted(r.Price, "74.074074"))(o)
		withText(r.Cash, fitted(r.Cash, "100000.000000"))(o)
		withText(r.Received, fitted(r.Received, "70.000000"))(o) // last, where it is the price, too
		withText(r.Reason, r.Mismatch)(o)
		withText(r.DropReason, r.Mismatch)(o)
	}
}

// amountChanges pays payments that had another price while they were pending.
func amountChanges(t *trial) {
	r := t.s.roles
	var all []tried
	for _, v := range []struct{ what, price, cash string }{
		{"amounts larger than when pending", "174.074074", "235000.000000"},
		{"amounts smaller than when pending", "7.407407", "10000.000000"},
	} {
		o := t.order(withText(r.Price, fitted(r.Price, "74.074074")), withText(r.Cash, fitted(r.Cash, "100000.000000")))
		for _, e := range o.events(append(t.s.alsoNeeded(), r.Pending)...) {
			t.accepted(t.try(e).answer)
		}
		all = append(all, t.try(o.event(r.Paid, called(v.what), set(r.Price, jsondoc.StringValue(fitted(r.Price, v.price))), set(r.Cash, jsondoc.StringValue(fitted(r.Cash, v.cash))))))
	}
	t.refusedOrNothing(all)
}

// otherAssets pays in assets that nobody knows, that change places, or that are
// not those of the transfer.
func otherAssets(t *trial) {
	r := t.s.roles
	t.need(r.Asset, "asset")
	var all []tried
	byPrice := t.s.learned.unit == nil || t.s.learned.unit == r.Price
	if byPrice {
		all = append(all, t.paid(t.order(withFact(r.Asset, unknownAsset(r.Asset))), called("an unknown "+r.Asset.Name)))
	}
	if r.CashAsset != nil {
		plain := t.order()
		asset, cash := plain.p.Fact(r.Asset, t.carrier(r.Asset)), plain.p.Fact(r.CashAsset, t.carrier(r.CashAsset))
		all = append(all,
			t.paid(t.order(withFact(r.Asset, unknownAsset(r.Asset)), withFact(r.CashAsset, unknownAsset(r.CashAsset))), called("unknown assets")),
			t.paid(t.order(withFact(r.Asset, cash), withFact(r.CashAsset, asset)), called("the assets swapped")))
	}
	if other, ok := t.otherAsset(); ok && t.served(r.Seen) && byPrice {
		o := t.order()
		t.accepted(t.try(o.event(r.Seen)).answer)
		all = append(all, t.try(o.event(r.Paid, called("another asset than that of the transfer"), set(r.Asset, other))))
	}
	t.never(all)
}

// unknownAsset is a number that the documents do not name.
func unknownAsset(f *contract.Fact) jsondoc.Value {
	for _, literal := range []string{"999999", "999998"} {
		v, _ := jsondoc.NumberValue(literal)
		if !slices.ContainsFunc(f.Known, func(k jsondoc.Value) bool { return jsondoc.Equal(k, v) }) {
			return v
		}
	}
	return jsondoc.NullValue()
}

// otherAsset is an asset that the documents name besides the usual one.
func (t *trial) otherAsset() (jsondoc.Value, bool) {
	f := t.s.roles.Asset
	usual := t.order().p.Fact(f, t.carrier(f))
	for _, v := range f.Known {
		if !jsondoc.Equal(v, usual) {
			return v, true
		}
	}
	return jsondoc.Value{}, false
}
