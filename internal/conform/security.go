package conform

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
)

func securityCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"X01": wrongSignature,
		"X02": noSignature,
		"X03": oddSignatures,
		"X04": signatureOfAnother,
		"X05": keyAddedAfterSigning,
		"X06": oldEvent,
		"X07": futureEvent,
		"X08": rotatedSecrets,
		"X09": prettyPrinted,
		"X10": upperCaseSignature,
		"X11": sqlInText,
		"X12": markupInText,
		"X13": controlsInText,
		"X14": operatorsForText,
		"X15": smuggledRequests,
		"X16": largeHeaders,
		"X17": tellingErrors,
		"X18": pathsForIDs,
	}
}

// sqlTexts are the ends of SQL strings, and what may follow them.
func sqlTexts() []string {
	return []string{
		"'; UPDATE orders SET credited = 999999; --", "' OR '1'='1", `" OR ""="`, "'); DROP TABLE orders; --", "O'Connor -- \\",
	}
}

// sqlInText has SQL in names, titles and reasons; no payment may change by it.
func sqlInText(t *trial) {
	r := t.s.roles
	bystander := t.begun()
	t.accepted(t.send(bystander.event(r.Paid)))
	before, seen := t.effect(bystander, Effect.shows)
	var paid, failed []tried
	for _, text := range sqlTexts() {
		for _, f := range []*contract.Fact{r.CustomerName, r.Title} {
			if f != nil {
				paid = append(paid, t.paid(t.order(withText(f, text)), called(f.Name+" "+text)))
			}
		}
		if t.served(r.Failed) && r.Reason != nil {
			o := t.order(toward(r.Failed), withText(r.Reason, text))
			failed = append(failed, t.try(o.event(r.Failed, called(r.Reason.Name+" "+text))))
		}
	}
	t.handledEach(append(paid, failed...))
	t.settle(paid, t.onceOrRefused, noAnswer)
	for _, x := range failed {
		t.about(x.sent, func() { t.notCredited(x.o) })
	}
	if seen {
		t.same(bystander, before, "another payment has changed")
	}
}

// markupInText has HTML and JavaScript in names and titles, in events that are
// accepted and in events that are not.
func markupInText(t *trial) {
	r := t.s.roles
	if r.CustomerName == nil && r.Title == nil {
		t.skip("no event that the endpoint serves tells a name or a title")
	}
	for _, text := range []string{
		"<script>alert('" + mark + "')</script>", `"><img src=x onerror=alert('` + mark + `')>`, "<svg/onload=alert('" + mark + "')>",
	} {
		for _, f := range []*contract.Fact{r.CustomerName, r.Title} {
			if f == nil {
				continue
			}
			options := withText(f, text)
			for _, x := range append(t.refusedForms(options), t.try(t.begun(options).event(t.bearing(f), called("HTML in "+f.Name)))) {
				t.notReflected(x.answer, text)
			}
		}
	}
}

// refusedForms tries events that an endpoint is likely to refuse, and to quote
// while it does.
func (t *trial) refusedForms(option orderOption) []tried {
	st := t.usual()
	number, _ := jsondoc.NumberValue("1")
	env := t.s.Contract.Envelope
	unknown := t.order(option).event(st, called("HTML in the text of an unknown state"), t.inState("Paytested"))
	amounts := []edit{called("HTML in the text, and no amounts")}
	for _, f := range t.amountFacts() {
		amounts = append(amounts, omit(f))
	}
	return []tried{
		t.try(unknown),
		t.try(t.order(option).event(st, called("HTML in the text, and a number for the state"), put(env.State, number))),
		t.try(t.order(option).event(st, amounts...)),
	}
}

// injected is a header that only an endpoint sends that lets line breaks
// through.
const injected = "X-Paytest-Injected"

// controlsInText has line breaks and terminal escapes in a name, which must not
// reach headers, logs and terminals as they are.
func controlsInText(t *trial) {
	t.need(t.s.roles.CustomerName, "customer's name")
	for _, v := range []struct{ what, text string }{
		{"line breaks", "Kim\r\n" + injected + ": 1\r\n\r\nHTTP/1.1 200 OK"},
		{"terminal escapes", "Kim \x1b[2J\x1b]0;" + mark + "\x07\x1b[31m"},
		{"other controls", "Kim\b\v\f\x7f\u0085\u2028"},
	} {
		o := t.order(withText(t.s.roles.CustomerName, v.text))
		x := t.try(o.event(t.bearing(t.s.roles.CustomerName), called(v.what+" in the name")))
		switch {
		case x.Header.Get(injected) != "":
			t.fail("%s: the line break in the name became a header of the answer", x.sent)
		case x.Status >= http.StatusInternalServerError:
			t.note("%s: %s", x.sent, x.came())
		}
	}
}

// operatorsForText gives objects that are operators of a database where texts
// are expected: they must not find a payment.
func operatorsForText(t *trial) {
	r := t.s.roles
	var all []tried
	for _, op := range []struct {
		name string
		v    jsondoc.Value
	}{{"$gt", jsondoc.StringValue("")}, {"$ne", jsondoc.NullValue()}} {
		wrong := mistake{fmt.Sprintf("{%q: %s}", op.name, op.v.AppendCanonical(nil)), func(jsondoc.Value) jsondoc.Value {
			return jsondoc.ObjectValue(jsondoc.Member{Name: op.name, Value: op.v})
		}}
		for _, f := range []*contract.Fact{r.CustomerName, r.Title} {
			if f != nil {
				t.handled(t.try(t.order().event(r.Paid, retypedFacts([]*contract.Fact{f}, wrong))).answer)
			}
		}
		all = append(all, t.try(t.order().event(r.Paid, retyped("the state", t.s.Contract.Envelope.State, wrong))))
		for _, group := range t.decidingFacts() {
			o := t.order()
			if t.served(r.Pending) {
				t.accepted(t.try(o.event(r.Pending)).answer)
			}
			all = append(all, t.try(o.event(r.Paid, retypedFacts(group, wrong))))
		}
	}
	t.refusedOrNothing(all)
}

// The size and the number of header fields that no delivery needs.
const (
	largeField = 64 << 10
	manyFields = 200
)

// largeHeaders sends a large header field, and many small ones.
func largeHeaders(t *trial) {
	statuses := []int{http.StatusRequestHeaderFieldsTooLarge, http.StatusBadRequest}
	_, r := t.variant("with a header field of 64 KB")
	r.Lines = []string{"X-Paytest-Padding: " + strings.Repeat("a", largeField)}
	if a := t.do(r); !a.hungUp() {
		t.turnedAway(a, statuses...)
	}
	o, r := t.variant(fmt.Sprintf("with %d header fields", manyFields))
	for i := range manyFields {
		r.Lines = append(r.Lines, fmt.Sprintf("X-Paytest-%03d: 1", i))
	}
	a := t.do(r)
	switch {
	case a.taken(t.s.Contract):
		t.note("it takes %d header fields, as most servers do", manyFields)
		t.taken(o, a)
	case !a.hungUp():
		t.turnedAway(a, statuses...)
	}
}

// hungUp reports whether the endpoint closed the connection in place of an
// answer.
func (a answer) hungUp() bool { return a.Outcome == deliver.Unknown }

// pathsForIDs has ids that lead elsewhere where they are taken for file names.
func pathsForIDs(t *trial) {
	steps := rand.New(rand.NewPCG(t.s.Seed^t.s.Salt, t.key))
	for _, id := range t.payer() {
		t.pathsFor(id, steps)
	}
}

// pathsFor gives a fact such paths.
func (t *trial) pathsFor(id *contract.Fact, steps *rand.Rand) {
	for _, path := range []struct{ up, separator, down string }{
		{"../../", "/", "etc/passwd"},
		{"..%2f..%2f", "%2f", "etc%2fpasswd"},
		{"/", "/", "etc/passwd"},
		{`..\..\`, `\`, `windows\win.ini`},
		{"../../", "/", "etc/passwd\u0000.json"},
	} {
		text := path.up + nowhere(steps, path.separator) + path.down
		t.ids = append(t.ids, text, strings.Trim(quoted(text), `"`))
		for _, e := range t.order(withText(id, text)).flow() {
			called(fmt.Sprintf("%s %q", id.Name, path.up+path.down))(&e)
			x := t.try(e)
			t.takenOrRefused(x.answer)
			if strings.Contains(string(x.Body), "root:x:0:0") {
				t.fail("%s: the answer holds a file of the server", x.sent)
			}
		}
	}
}

// nowhere is a path that stays where it is, by steps that tell it from others.
func nowhere(steps *rand.Rand, separator string) string {
	const bits = 16
	var out strings.Builder
	for range bits {
		if steps.IntN(2) == 0 {
			out.WriteByte('.')
		}
		out.WriteString(separator)
	}
	return out.String()
}
