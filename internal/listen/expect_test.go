package listen_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/verify"
)

func TestParseExpectation(t *testing.T) {
	c := load(t)
	for _, test := range []struct {
		in    string
		state string
		facts map[string]string
	}{
		{"invoice complete", "invoice complete", nil},
		{"  Invoice\tCOMPLETE ", "invoice complete", nil},
		{"transaction created", "transaction created", nil},
		{"invoice complete cashAmount=50000", "invoice complete", map[string]string{"cashAmount": "50000.000000"}},
		{"invoice complete cashAmount=50000.5", "invoice complete", map[string]string{"cashAmount": "50000.500000"}},
		{"invoice complete cashAmount=50000 title='Order #1' customerName=\"Kim  O'Hara\"", "invoice complete", map[string]string{"cashAmount": "50000.000000", "title": "Order #1", "customerName": "Kim  O'Hara"}},
		{"invoice complete 'title=Order #1'", "invoice complete", map[string]string{"title": "Order #1"}},
		{"invoice complete title=a=b", "invoice complete", map[string]string{"title": "a=b"}},
		{"'invoice' \"complete\"", "invoice complete", nil},
	} {
		e, err := listen.ParseExpectation(c, test.in)
		if err != nil {
			t.Errorf("%s: %v", test.in, err)
			continue
		}
		facts := map[string]string{}
		for _, w := range e.Facts {
			facts[w.Fact.Name] = w.Value.Text
		}
		if diff := cmp.Diff(test.facts, facts, equateEmpty()); e.State.String() != test.state || e.Text != test.in || diff != "" {
			t.Errorf("%s: %s %q %s", test.in, e.State, e.Text, diff)
		}
	}
	for in, want := range map[string][]string{
		"":                                     {"SUBJECT STATE"},
		"invoice":                              {"SUBJECT STATE"},
		"   \t ":                               {"SUBJECT STATE"},
		"''":                                   {"SUBJECT STATE"},
		"invioce complete":                     {"unknown subject", "did you mean invoice?", "transaction"},
		"zebra complete":                       {"unknown subject", "subjects: invoice, transaction"},
		"invoice complet":                      {"complet", "did you mean complete?", "cancel"},
		"invoice zebra":                        {"states: "},
		"invoice ready":                        {"no event reports"},
		"transaction cancel":                   {"no event reports", "created"},
		"invoice complete cashAmuont=5":        {"carries no fact", "did you mean cashAmount?"},
		"transaction created cashAmount=5 x=y": {"carries no fact"},
		"invoice complete cashAmount=5e3":      {"cashAmount", "5e3"},
		"invoice complete cashAmount=-1":       {"cashAmount"},
		"invoice complete cashAmount=":         {"cashAmount"},
		"invoice complete cashAmount":          {"cashAmount=VALUE"},
		"invoice complete title":               {"title=VALUE"},
		"invoice complete =5":                  {"carries no fact"},
		"invoice complete title='x":            {"'", "not closed"},
		"invoice complete title=\"x'":          {"\"", "not closed"},
		"invoice complete then":                {"carries no fact"},
	} {
		_, err := listen.ParseExpectation(c, in)
		if err == nil {
			t.Errorf("%q is taken", in)
			continue
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v does not say %q", in, err, w)
			}
		}
	}
}

func equateEmpty() cmp.Option {
	return cmp.FilterValues(func(a, b map[string]string) bool { return len(a)+len(b) == 0 }, cmp.Ignore())
}

func FuzzParseExpectation(f *testing.F) {
	c := load(f)
	for _, s := range []string{"invoice complete cashAmount=50000", "invoice complete title='a b'", "'", "\"'", "invoice\x00complete", "invoice complete title=\xff", "transaction created ="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := listen.ParseExpectation(c, s)
		if err != nil {
			return
		}
		if e.State == nil || e.State.IsInitial() || e.Text != s {
			t.Fatalf("%q: %+v", s, e)
		}
		for _, w := range e.Facts {
			if e.State.Carries(w.Fact.Name) != w.Fact {
				t.Fatalf("%q: %s is no fact of %s", s, w.Fact.Name, e.State)
			}
		}
	})
}

func TestMet(t *testing.T) {
	c := load(t)
	_, body := post(t, c, "invoice", "complete", 0)
	_, pending := post(t, c, "invoice", "pending", 0)
	v := verify.NewChecker(c, verify.Strict{}).Check(body, "")
	amount, _ := v.Fact(c.Fact("cashAmount"))
	title, _ := v.Fact(c.Fact("title"))
	whole, _, _ := strings.Cut(amount.Text, ".")
	if amount.Text == whole || strings.Trim(amount.Text[len(whole):], ".0") != "" {
		t.Fatalf("the sample's amount %s is no whole one with decimals", amount.Text)
	}
	broken := bytes.Replace(body, []byte(`"customerId"`), []byte(`"custemorId"`), 1)
	for _, test := range []struct {
		expect string
		body   []byte
		strict verify.Strict
		want   bool
	}{
		{"invoice complete", body, verify.Strict{}, true},
		{"invoice pending", body, verify.Strict{}, false},
		{"invoice complete", pending, verify.Strict{}, false},
		{"transaction complete", body, verify.Strict{}, false},
		{"invoice complete cashAmount=" + whole, body, verify.Strict{}, true},
		{"invoice complete cashAmount=" + whole + ".0", body, verify.Strict{}, true},
		{"invoice complete cashAmount=" + whole, bytes.Replace(body, []byte(amount.Text), []byte(whole+".0"), 1), verify.Strict{}, true},
		{"invoice complete cashAmount=" + whole + "1", body, verify.Strict{}, false},
		{"invoice complete cashAmount=" + whole + ".01", body, verify.Strict{}, false},
		{"invoice complete title='" + title.Text + "' cashAmount=" + whole, body, verify.Strict{}, true},
		{"invoice complete title='" + title.Text + "x' cashAmount=" + whole, body, verify.Strict{}, false},
		{"invoice complete cashAmount=" + whole + " title='" + title.Text + "x'", body, verify.Strict{}, false},
		{"invoice complete", broken, verify.Strict{}, false},
		{"invoice complete", bytes.Replace(body, []byte(`"data":{`), []byte(`"data":{"x":1,`), 1), verify.Strict{}, true},
		{"invoice complete", bytes.Replace(body, []byte(`"data":{`), []byte(`"data":{"x":1,`), 1), verify.Strict{UnknownFields: true}, false},
		{"invoice complete", []byte("{"), verify.Strict{}, false},
	} {
		e, err := listen.ParseExpectation(c, test.expect)
		if err != nil {
			t.Fatal(err)
		}
		if got := e.Met(verify.NewChecker(c, test.strict).Check(test.body, "")); got != test.want {
			t.Errorf("%s by %.60s: %v", test.expect, test.body, got)
		}
	}
	// A legal form can be an illegal event.
	k := verify.NewChecker(c, verify.Strict{})
	_, cancel := post(t, c, "invoice", "cancel", 0)
	e, err := listen.ParseExpectation(c, "invoice cancel")
	if err != nil {
		t.Fatal(err)
	}
	k.Check(body, "")
	if e.Met(k.Check(cancel, "")) {
		t.Error("met by an event that contradicts another one")
	}
	if !e.Met(verify.NewChecker(c, verify.Strict{}).Check(cancel, "")) {
		t.Error("not met by the event alone")
	}
}
