package conform

import (
	"bytes"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
)

func textCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"U01": emojiInTitle,
		"U02": twoFormsOfOneName,
		"U03": invisibleText,
		"U04": nulInName,
		"U05": brokenText,
		"U06": longTexts,
	}
}

// need ends a case about a fact that the contract does not know.
func (t *trial) need(f *contract.Fact, what string) {
	if f == nil {
		t.skip("no event that the endpoint serves tells the %s", what)
	}
}

// emojiInTitle pays for something with characters of four bytes in its title.
func emojiInTitle(t *trial) {
	t.need(t.s.roles.Title, "title")
	title := mark + " \U0001F4B8\U0001F468\u200D\U0001F469\u200D\U0001F467 \U00020BB7"
	t.acceptedEach(t.pay(t.order(withText(t.s.roles.Title, title)), called("emoji in the title")), noAnswer)
}

// twoFormsOfOneName pays twice for one customer, whose name is composed in one
// payment and decomposed in the other: the same to who reads it.
func twoFormsOfOneName(t *trial) {
	r := t.s.roles
	t.need(r.Customer, "customer")
	t.need(r.CustomerName, "customer's name")
	first := t.order(withText(r.CustomerName, "Jos\u00e9 N\u00fa\u00f1ez \uae40"))
	second := t.order(withText(r.CustomerName, "Jose\u0301 Nu\u0301n\u0303ez \u1100\u1175\u11b7"), withText(r.Customer, first.text(r.Customer)))
	all := t.pay(first, called("the name composed (NFC)"))
	all = append(all, t.pay(second, called("the name decomposed (NFD)"))...)
	t.acceptedEach(all, noAnswer)
	t.sums(second, "the balance of one customer after payments under both forms of the name", []*order{first, second})
}

// text returns the text of a fact, empty where there is no such fact.
func (o *order) text(f *contract.Fact) string {
	if f == nil {
		return ""
	}
	return o.p.Fact(f, o.t.carrier(f)).Text
}

// sums fails unless the balance of a payment's customer is the sum of payments,
// where the endpoint tells balances and the unit is known.
func (t *trial) sums(last *order, what string, orders []*order) {
	unit := t.s.learned.unit
	if t.s.Probe == nil || len(t.doubts) > 0 {
		return
	}
	if unit == nil || !t.s.learned.tellsBalance {
		t.note("the probe tells no balance, so only the single credits were compared")
		return
	}
	var sum payment.Amount
	for _, o := range orders {
		a, _ := o.amount(unit)
		sum = sum.Add(a)
	}
	fits := func(e Effect) bool { return e.Balance != nil && e.Balance.Cmp(sum) == 0 }
	e, ok := t.effect(last, fits)
	switch {
	case !ok || fits(e):
	case t.racy:
		t.fail("%s: it is not their sum", what) // how many are lost is a matter of chance
	case e.Balance == nil:
		t.fail("%s: none is told; it must be %s", what, sum)
	default:
		t.fail("%s: %s; it must be %s", what, *e.Balance, sum)
	}
}

// invisibleText uses characters that turn the direction of text, that cannot be
// seen, or that look like others.
func invisibleText(t *trial) {
	t.need(t.s.roles.CustomerName, "customer's name")
	const turned, hidden, alike = "\u202egnp.eciovni\u202c", "pay\u200bte\u2060st\ufeff", "p\u0430yp\u0430l"
	for _, v := range []struct{ what, text string }{
		{"a text turned from right to left", turned},
		{"invisible characters", hidden},
		{"Cyrillic letters that look Latin", alike},
	} {
		o := t.order(withText(t.s.roles.CustomerName, v.text), withText(t.s.roles.Title, mark+" "+v.text))
		all := t.pay(o, called(v.what+" in name and title"))
		for _, x := range all {
			t.notReflected(x.answer, v.text)
		}
		t.acceptedEach(all, anyAnswer)
	}
}

// notReflected fails if an answer that a browser takes for a page has a text as
// it was sent.
func (t *trial) notReflected(a answer, text string) {
	if a.page() && bytes.Contains(a.Body, []byte(text)) {
		t.fail("%s: the answer is a page (%s) that has the text as it was sent", a.sent, a.media())
	}
}

// media is the type of the answer's body, as browsers see it.
func (a answer) media() string {
	kind, _, _ := strings.Cut(a.Header.Get(contentType), ";")
	if kind = strings.ToLower(strings.TrimSpace(kind)); kind == "" {
		return "without Content-Type"
	}
	return kind
}

// page reports whether a browser may take the body for a page.
func (a answer) page() bool {
	switch kind := a.media(); kind {
	case "text/html", "application/xhtml+xml", "image/svg+xml", "text/xml", "application/xml":
		return true
	case "without Content-Type":
		return a.Header.Get("X-Content-Type-Options") != "nosniff"
	}
	return false
}

// nulInName has a NUL in the customer's name, which many databases cannot store.
func nulInName(t *trial) {
	t.need(t.s.roles.CustomerName, "customer's name")
	o := t.order(withText(t.s.roles.CustomerName, "Kim\u0000Min-su"))
	t.takenOrRefused(t.try(o.event(t.bearing(t.s.roles.CustomerName), called("NUL in the name"))).answer)
}

// brokenText has in the customer's name what no text has: half of a character in
// UTF-16, and bytes that are not UTF-8.
func brokenText(t *trial) {
	t.need(t.s.roles.CustomerName, "customer's name")
	const here = "paytest-here"
	for _, v := range []struct{ what, text string }{
		{"a lone high surrogate", `Kim \ud83d`},
		{"a lone low surrogate", `\udca9 Kim`},
		{"the surrogates in the wrong order", `\udca9\ud83d`},
		{"a byte that is not UTF-8", "Kim \xff"},
		{"an overlong slash", "Kim \xc0\xaf"},
		{"a character cut off", "Kim \xed\x95"},
	} {
		o := t.order(withText(t.s.roles.CustomerName, here))
		e := o.event(t.bearing(t.s.roles.CustomerName), called(v.what+" in the name"))
		t.takenOrRefused(t.tryBody(e, bytes.ReplaceAll(e.body(), []byte(here), []byte(v.text))).answer)
	}
}

// How long texts are, in bytes.
const (
	longTitle = 64 << 10
	longID    = 255
)

// longTexts has a long title, and ids that differ in their last character alone.
func longTexts(t *trial) {
	r := t.s.roles
	if r.Title != nil {
		o := t.order(withText(r.Title, mark+strings.Repeat(" long", longTitle/len(" long"))))
		t.takenOrRefused(t.try(o.event(t.bearing(r.Title), called("a title of 64 KB"))).answer)
	}
	t.likeEachOther(r.Paid.Subject.ID)
	if r.Customer != nil {
		t.likeEachOther(r.Customer)
	}
}

// likeEachOther pays two payments that have a long id each, which differ in the
// last character.
func (t *trial) likeEachOther(id *contract.Fact) {
	stem := t.order().text(id)
	stem += strings.Repeat("x", max(longID-1-len(stem), 0))
	t.ids = append([]string{stem}, t.ids...)
	var all []tried
	for _, v := range []struct{ last, amount string }{{"a", "31.000000"}, {"b", "47.000000"}} {
		o := t.begun(withText(id, stem+v.last), t.withAmount(v.amount))
		x := t.try(o.event(t.s.roles.Paid, called(id.Name+" of 255 characters that ends in "+v.last)))
		t.takenOrRefused(x.answer)
		all = append(all, x)
	}
	if first, second := all[0].answer, all[1].answer; first.taken(t.s.Contract) && second.refuses() {
		t.fail("%s: %s, after one that differs in the last character was accepted: are they cut to the same?", second.sent, second.came())
		return
	}
	t.settle(all, t.onceOrRefused, answer.refuses)
	if id == t.s.roles.Customer && all[0].taken(t.s.Contract) {
		for _, x := range all {
			t.sums(x.o, "the balance of a customer whose id differs from another's in the last character", []*order{x.o})
		}
	}
}
