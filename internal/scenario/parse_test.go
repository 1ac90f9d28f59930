package scenario_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/scenario"
)

const (
	inScenario = "it takes: description, facts, outcome, steps"
	inStep     = "it takes: add, answer, at, fault, from, remove, repeat, send, set, state, wait"
	invoices   = "states: wait, pending, cancel, reject, complete, fail"
	facts      = "assetName, assetNetwork, assetSymbol, balance, blockConfirmations, blockNum, cashAmount, cashAssetId, completedAt, createdAt, cryptoAmount, " +
		"cryptoAssetId, customerId, customerName, detail, event, expiredAt, failureReason, fee, finalizedAt, from, idCode, invoiceId, memo, partnerId, previousState, " +
		"reason, receivedAmount, state, timestamp, title, to, transactionCreatedAt, transactionId, transactionType, updatedAt"
)

// mistakes are files that are refused, and the whole message.
func mistakes() []struct{ name, text, want string } {
	return []struct{ name, text, want string }{
		{"empty", "", "x.yaml:1:1: is empty: it takes steps"},
		{"only a comment", "# later\n", "x.yaml:1:1: is empty: it takes steps"},
		{"a null", "~\n", "x.yaml:1:1: a scenario takes keys and values, such as description, facts, outcome, steps"},
		{"a list", "- send: invoice complete\n", "x.yaml:1:1: a scenario takes keys and values, such as description, facts, outcome, steps"},
		{"a word", "paid\n", "x.yaml:1:1: a scenario takes keys and values, such as description, facts, outcome, steps"},
		{"a second document", "steps:\n- send: invoice complete\n---\nsteps: []\n", "x.yaml:3:1: holds a second document; a file is one scenario"},
		{"more than 1 MiB", "#" + strings.Repeat("x", 1<<20), "x.yaml:1:1: is larger than 1048576 bytes"},

		{"a tab", "steps:\n\t- send: invoice complete\n", "x.yaml:2:1: is no YAML: found character that cannot start any token"},
		{"a list that is not even", "steps:\n - send: invoice complete\n - wait: 5m\n  - wait: 5m\n", "x.yaml:4:1: is no YAML: did not find expected '-' indicator"},
		{"a brace too many", "steps:\n- send: invoice complete\n}\n", "x.yaml:3:1: is no YAML: did not find expected key"},
		{"a brace too many behind a long text", "description: \"ten\n" + strings.Repeat("  lines\n", 9) + "\"\nsteps:\n- send: invoice complete\n}\n", "x.yaml:14:1: is no YAML: did not find expected key"},
		{"a broken second document", "steps:\n- send: invoice complete\n...\n}\n", "x.yaml:4:1: is no YAML: did not find expected <document start>"},
		{"an open quote", "steps:\n- send: \"invoice complete\n", "x.yaml:2:1: is no YAML: found unexpected end of stream"},
		{"a control character", "description: x\nsteps:\n- send: \x01\n", "x.yaml:3:1: is no YAML: control characters are not allowed"},
		{"no UTF-8", "description: x\nsteps:\n- send: \xff\n", "x.yaml:3:1: is no YAML: invalid leading UTF-8 octet"},
		{"an unknown anchor", "description: x\nsteps: *all\n", "x.yaml:2:1: is no YAML: unknown anchor 'all' referenced"},
		{"an alias", "steps:\n- &first\n  send: invoice complete\n- *first\n", "x.yaml:4:3: the alias *first is not followed: write out what it stands for"},
		{"an alias of itself", "steps: &a\n- *a\n", "x.yaml:2:3: the alias *a is not followed: write out what it stands for"},
		{"a merge", "steps:\n- <<: {send: invoice complete}\n", "x.yaml:2:3: unknown key \"<<\" in a step; " + inStep},
		{"an anchor bomb", bomb(), "x.yaml:2:8: the alias *a is not followed: write out what it stands for"},

		{"an unknown key", "stepz: []\n", "x.yaml:1:1: unknown key \"stepz\" in a scenario; did you mean steps? " + inScenario},
		{"an unknown key that is near none", "nonsense: []\n", "x.yaml:1:1: unknown key \"nonsense\" in a scenario; " + inScenario},
		{"an unknown key of a step", "steps:\n- send: invoice complete\n  anwser: 200\n", "x.yaml:3:3: unknown key \"anwser\" in a step; did you mean answer? " + inStep},
		{"a key that is none", "steps:\n- ? [send]\n  : invoice complete\n", "x.yaml:2:5: a key of a step is a word, such as add, answer, at, fault, from, remove, repeat, send, set, state, wait"},
		{"a key twice", "steps:\n- send: invoice complete\nsteps: []\n", "x.yaml:3:1: a scenario has the key steps twice"},
		{"a key of a step twice", "steps:\n- send: invoice complete\n  send: invoice fail\n", "x.yaml:3:3: a step has the key send twice"},

		{"a description that is a list", "description: [a]\nsteps: []\n", "x.yaml:1:14: takes a text, and not a list or keys and values"},
		{"no description", "description:\nsteps: []\n", "x.yaml:1:13: takes a text, and there is none"},
		{"an unknown outcome", "outcome: complet\nsteps: []\n", "x.yaml:1:10: unknown state \"complet\" for invoice; did you mean complete? " + invoices},
		{"the initial outcome", "outcome: ready\nsteps: []\n", "x.yaml:1:10: unknown state \"ready\" for invoice; " + invoices},
		{"facts that are a list", "facts: [a]\nsteps: []\n", "x.yaml:1:8: facts takes keys and values, such as " + facts},
		{"an unknown fact", "facts:\n  cashamount: 1\nsteps: []\n", "x.yaml:2:3: unknown key \"cashamount\" in facts; did you mean cashAmount? it takes: " + facts},
		{"a fact twice", "facts:\n  reason: a\n  reason: b\nsteps: []\n", "x.yaml:3:3: facts has the key reason twice"},
		{"a wrong fact", "facts:\n  cashAmount: 1e5\nsteps: []\n", "x.yaml:2:15: \"1e5\" is no value of cashAmount: it takes a string, a decimal with up to 6 places"},
		{"a fact that is a list", "facts:\n  cashAmount: [1]\nsteps: []\n", "x.yaml:2:15: takes a text, and not a list or keys and values"},

		{"no steps", "description: x\n", "x.yaml:1:1: sends nothing: it takes steps, with at least one send"},
		{"empty steps", "steps: []\n", "x.yaml:1:8: sends nothing: it takes steps, with at least one send"},
		{"steps that send nothing", "facts: {reason: x}\nsteps:\n  - wait: 5m\n", "x.yaml:3:3: sends nothing: it takes steps, with at least one send"},
		{"steps that are none", "steps: 5\n", "x.yaml:1:8: steps takes a list"},
		{"1001 steps", "steps:\n" + strings.Repeat("- wait: 1s\n", 1001), "x.yaml:2:1: steps has 1001 entries; at most 1000 are played"},
		{"more than 10000 deliveries", "steps:\n" + strings.Repeat("- send: invoice complete\n  repeat: 1000\n", 11), "x.yaml:22:3: the deliveries add up to more than 10000"},
		{"waits of more than ten years", "steps:\n- wait: 87600h\n- wait: 1ns\n", "x.yaml:3:3: the waits add up to more than ten years"},
		{"a step that is a word", "steps:\n- invoice complete\n", "x.yaml:2:3: a step takes keys and values, such as add, answer, at, fault, from, remove, repeat, send, set, state, wait"},
		{"a step that is empty", "steps:\n- {}\n", "x.yaml:2:3: a step takes exactly one of send, wait and state"},
		{"two kinds", "steps:\n- send: invoice complete\n  wait: 5m\n", "x.yaml:2:3: a step takes exactly one of send, wait and state"},
		{"three kinds", "steps:\n- send: invoice complete\n  wait: 5m\n  state: invoice complete\n", "x.yaml:2:3: a step takes exactly one of send, wait and state"},
		{"from alone", "steps:\n- from: ready\n", "x.yaml:2:3: a step takes exactly one of send, wait and state"},

		{"from with wait", "steps:\n- wait: 5m\n  from: ready\n", "x.yaml:2:3: from belongs to a step with send"},
		{"at with wait", "steps:\n- wait: 5m\n  at: 5m\n", "x.yaml:2:3: at belongs to a step with send"},
		{"repeat with wait", "steps:\n- wait: 5m\n  repeat: 2\n", "x.yaml:2:3: repeat belongs to a step with send"},
		{"fault with state", "steps:\n- state: invoice complete\n  fault: overlap\n", "x.yaml:2:3: fault belongs to a step with send"},
		{"set with wait", "steps:\n- wait: 5m\n  set: a=b\n", "x.yaml:2:3: set belongs to a step with send"},
		{"add with wait", "steps:\n- wait: 5m\n  add: a=b\n", "x.yaml:2:3: add belongs to a step with send"},
		{"remove with wait", "steps:\n- wait: 5m\n  remove: a\n", "x.yaml:2:3: remove belongs to a step with send"},
		{"answer with state", "steps:\n- state: invoice complete\n  answer: 200\n", "x.yaml:2:3: answer belongs to a step with send"},

		{"a state without its subject", "steps:\n- send: complete\n", "x.yaml:2:9: takes SUBJECT STATE, such as invoice wait"},
		{"an unknown subject", "steps:\n- send: invioce complete\n", "x.yaml:2:9: unknown subject \"invioce\"; did you mean invoice? subjects: invoice, transaction"},
		{"an unknown state", "steps:\n- send: invoice completed\n", "x.yaml:2:9: unknown state \"completed\" for invoice; did you mean complete? " + invoices},
		{"an unknown state to reach", "steps:\n- state: transaction cancel\n", "x.yaml:2:10: unknown state \"cancel\" for transaction; states: created, complete, fail"},
		{"the initial state", "steps:\n- send: invoice ready\n", "x.yaml:2:9: no webhook carries invoice ready: where an invoice starts: no transition leads to it; " + invoices},
		{"an unknown state to leave", "steps:\n- send: invoice complete\n  from: pendign\n", "x.yaml:3:9: unknown state \"pendign\" for invoice; did you mean pending? states: ready, wait, pending, cancel, reject, complete, fail"},
		{"no state", "steps:\n- send:\n", "x.yaml:2:8: takes a text, and there is none"},

		{"a duration without a unit", "steps:\n- wait: 30\n", "x.yaml:2:9: \"30\" is no duration: it takes one such as 30m, 14m52.5s or 24h"},
		{"a duration below zero", "steps:\n- wait: -5m\n", "x.yaml:2:9: \"-5m\" is no duration: it takes one such as 30m, 14m52.5s or 24h"},
		{"a duration above ten years", "steps:\n- wait: 87601h\n", "x.yaml:2:9: \"87601h\" is no duration: it takes one such as 30m, 14m52.5s or 24h"},
		{"no duration", "steps:\n- wait:\n", "x.yaml:2:8: \"\" is no duration: it takes one such as 30m, 14m52.5s or 24h"},
		{"a duration that is a list", "steps:\n- wait: [5m]\n", "x.yaml:2:9: \"\" is no duration: it takes one such as 30m, 14m52.5s or 24h"},
		{"a wrong moment", "steps:\n- send: invoice complete\n  at: noon\n", "x.yaml:3:7: \"noon\" is no duration: it takes one such as 30m, 14m52.5s or 24h"},
		{"a second moment", "steps:\n- send: invoice complete\n- send: invoice complete\n  at: 5m\n", "x.yaml:3:3: at belongs to the first delivery of invoice complete: the same event happens once"},

		{"no repetition", "steps:\n- send: invoice complete\n  repeat: 0\n", "x.yaml:3:11: \"0\" is out of range: it takes an integer from 1 to 1000"},
		{"too many repetitions", "steps:\n- send: invoice complete\n  repeat: 1001\n", "x.yaml:3:11: \"1001\" is out of range: it takes an integer from 1 to 1000"},
		{"repetitions beyond 64 bits", "steps:\n- send: invoice complete\n  repeat: 99999999999999999999\n", "x.yaml:3:11: \"99999999999999999999\" is out of range: it takes an integer from 1 to 1000"},
		{"half a repetition", "steps:\n- send: invoice complete\n  repeat: 1.5\n", "x.yaml:3:11: \"1.5\" is out of range: it takes an integer from 1 to 1000"},
		{"a repetition that is a text", "steps:\n- send: invoice complete\n  repeat: \"2\"\n", "x.yaml:3:11: \"2\" is out of range: it takes an integer from 1 to 1000"},

		{"an unknown fault", "steps:\n- send: invoice complete\n  fault: lost-ak\n", "x.yaml:3:10: unknown fault \"lost-ak\"; did you mean lost-ack? faults: lost-ack, cut-body, slow-body, overlap"},
		{"an empty fault", "steps:\n- send: invoice complete\n  fault: \"\"\n", "x.yaml:3:10: unknown fault \"\"; faults: lost-ack, cut-body, slow-body, overlap"},

		{"a wrong answer", "steps:\n- send: invoice complete\n  answer: ok\n", "x.yaml:3:11: \"ok\" is no answer: it takes a status such as 200, a list of them, or any"},
		{"an answer that is no status", "steps:\n- send: invoice complete\n  answer: 600\n", "x.yaml:3:11: \"600\" is no answer: it takes a status such as 200, a list of them, or any"},
		{"an answer that is a text", "steps:\n- send: invoice complete\n  answer: \"200\"\n", "x.yaml:3:11: \"200\" is no answer: it takes a status such as 200, a list of them, or any"},
		{"a wrong answer in a list", "steps:\n- send: invoice complete\n  answer: [200, any]\n", "x.yaml:3:17: \"any\" is no answer: it takes a status such as 200, a list of them, or any"},
		{"no answer", "steps:\n- send: invoice complete\n  answer: []\n", "x.yaml:3:11: answer is empty: it takes a status such as 200, a list of them, or any"},
		{"a null answer", "steps:\n- send: invoice complete\n  answer:\n", "x.yaml:3:10: \"\" is no answer: it takes a status such as 200, a list of them, or any"},
		{"an edit that is a mapping", "steps:\n- send: invoice complete\n  set: {data.title: x}\n", "x.yaml:3:8: takes a text, and not a list or keys and values"},
		{"an edit in a list that is a list", "steps:\n- send: invoice complete\n  remove: [[a]]\n", "x.yaml:3:12: takes a text, and not a list or keys and values"},

		// Those that only show when the payment is made.
		{
			"payloads of more than 64 MiB", "facts:\n  title: " + strings.Repeat("x", 1<<19) + "\nsteps:\n" + strings.Repeat("- send: invoice complete\n", 200),
			"x.yaml:131:3: the payloads of the steps up to here are larger than 64 MiB",
		},
		{"an edit of what is not there", "steps:\n- send: invoice complete\n- send: invoice pending\n  set: data.titel=x\n", "x.yaml:3:3: --set \"data.titel=x\": \"/data\" has no member \"titel\"; did you mean data.title?"},
		{"an edit without a value", "steps:\n- send: invoice complete\n  set: data.title\n", "x.yaml:2:3: --set \"data.title\": it takes path=value, or path:=JSON"},
		{"a removal of what is not there", "steps:\n- send: invoice complete\n  remove: data.titel\n", "x.yaml:2:3: --remove \"data.titel\": \"/data\" has no member \"titel\"; did you mean data.title?"},
	}
}

// bomb is an alias of aliases of aliases.
func bomb() string {
	var b strings.Builder
	b.WriteString("a: &a [x, x, x, x, x, x, x, x, x]\n")
	for c := 'b'; c <= 'z'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s*%c]\n", c, c, strings.Repeat(fmt.Sprintf("*%c, ", c-1), 8), c-1)
	}
	return b.String()
}

func TestMistakes(t *testing.T) {
	c := pack(t)
	for _, test := range mistakes() {
		t.Run(test.name, func(t *testing.T) {
			s, err := scenario.Parse(c, "x.yaml", []byte(test.text))
			if err == nil {
				_, err = scenario.Plan(c, s, scenario.Options{Start: c.Epoch})
			}
			if err == nil || err.Error() != test.want {
				t.Fatalf("\ngot  %v\nwant %s", err, test.want)
			}
			var located *scenario.Error
			if !errors.As(err, &located) || located.File != "x.yaml" || located.Line < 1 || located.Column < 1 {
				t.Errorf("%#v", err)
			}
		})
	}
}

// TestParse reads a file with everything in it.
func TestParse(t *testing.T) {
	c := pack(t)
	s, err := scenario.Parse(c, `C:\work\my.checkout.yaml`, []byte(flush(`
		description: Everything at once
		outcome: Complete
		facts:
		  cashAmount: 50000
		  cashAssetId: 2
		  customerName: "O'Connor"
		  memo: hello
		steps:
		  - send: invoice wait
		  - wait: 1h30m
		  - send:   Invoice   Pending
		    from: wait
		    at: 2h
		    repeat: 0x2
		    fault: lost-ack
		    set: data.title=x
		    add: [data.a:=1, data.b=2]
		    remove: [data.customerName]
		    answer: [200, 409]
		  - send: invoice complete
		    answer: any
		  - state: invoice complete
	`)))
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "my.checkout" || s.Description != "Everything at once" || s.File != `C:\work\my.checkout.yaml` || s.Outcome != state(t, c, "invoice complete") || !s.Ordered() {
		t.Errorf("%+v", s)
	}
	facts := map[string]string{}
	for f, v := range s.Facts {
		facts[f.Name] = string(v.AppendCanonical(nil))
	}
	wantFacts := map[string]string{"cashAmount": `"50000.000000"`, "cashAssetId": "2", "customerName": `"O'Connor"`, "memo": `"hello"`}
	if diff := cmp.Diff(wantFacts, facts); diff != "" {
		t.Error(diff)
	}
	pending := scenario.Step{
		Line: 11, Column: 5, Send: state(t, c, "invoice pending"), From: state(t, c, "invoice wait"), At: 2 * time.Hour, Repeat: 2, Fault: deliver.LostAck,
		Edits: []generate.Edit{
			{Kind: generate.Set, Expression: "data.title=x"},
			{Kind: generate.Add, Expression: "data.a:=1"},
			{Kind: generate.Add, Expression: "data.b=2"},
			{Kind: generate.Remove, Expression: "data.customerName"},
		},
		Answer: scenario.Answer{Statuses: []int{200, 409}},
	}
	want := []scenario.Step{
		{Line: 9, Column: 5, Send: state(t, c, "invoice wait"), At: -1, Repeat: 1},
		{Line: 10, Column: 5, Wait: 90 * time.Minute, At: -1, Repeat: 1},
		pending,
		{Line: 20, Column: 5, Send: state(t, c, "invoice complete"), At: -1, Repeat: 1, Answer: scenario.Answer{Any: true}},
		{Line: 22, Column: 5, Reach: state(t, c, "invoice complete"), At: -1, Repeat: 1},
	}
	if diff := cmp.Diff(want, s.Steps, cmp.Comparer(func(a, b scenario.Step) bool { return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b) })); diff != "" {
		t.Error(diff)
	}
}

func TestAnswer(t *testing.T) {
	success := []int{200}
	for _, test := range []struct {
		answer scenario.Answer
		text   string
		yes    []int
		no     []int
	}{
		{scenario.Answer{}, "200", []int{200}, []int{201, 204, 302, 400, 500, 0}},
		{scenario.Answer{Statuses: []int{401, 409}}, "401 or 409", []int{401, 409}, []int{200, 400}},
		{scenario.Answer{Any: true}, "any but 5xx", []int{200, 204, 301, 404, 409, 499}, []int{500, 503, 599, 0}},
	} {
		if got := test.answer.String(success); got != test.text {
			t.Errorf("%+v is %q", test.answer, got)
		}
		for _, status := range test.yes {
			if !test.answer.Allows(status, success) {
				t.Errorf("%s: %d is refused", test.text, status)
			}
		}
		for _, status := range test.no {
			if test.answer.Allows(status, success) {
				t.Errorf("%s: %d is allowed", test.text, status)
			}
		}
	}
}

// FuzzParse holds that no file makes the parser fail otherwise than with a place
// in the file, and that what it takes can be planned, or says where not.
func FuzzParse(f *testing.F) {
	c := pack(f)
	for _, m := range mistakes() {
		if len(m.text) < 4096 {
			f.Add([]byte(m.text))
		}
	}
	for _, s := range builtinFiles(f) {
		f.Add(s)
	}
	f.Add([]byte("steps: [{send: invoice complete, at: 87600h, repeat: 3, set: [data.title=x], add: 'data.a:=[1]', remove: data.reason}]"))
	f.Add([]byte("facts: {cashAmount: 0, title: '', completedAt: 9999-12-31T23:59:59.999Z}\nsteps: [{wait: 87600h}, {send: invoice complete}]"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := scenario.Parse(c, "x.yaml", raw)
		if err == nil {
			if len(s.Sends()) == 0 {
				t.Fatal("a scenario that sends nothing")
			}
			_, err = scenario.Plan(c, s, scenario.Options{Seed: 7, Start: c.Epoch})
		}
		if err == nil {
			return
		}
		var located *scenario.Error
		lines := 2 + strings.Count(string(raw), "\n")
		for _, other := range []string{"\r", "\u0085", "\u2028", "\u2029"} { // YAML breaks lines there, too
			lines += strings.Count(string(raw), other)
		}
		if !errors.As(err, &located) || located.Line < 1 || located.Line > lines || located.Column < 1 || located.Message == "" {
			t.Fatalf("%d lines: %v", lines, err)
		}
	})
}
