package scenario_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/internal/verify"
)

// payload reads what is delivered.
func payload(t testing.TB, p scenario.Planned) jsondoc.Value {
	t.Helper()
	doc, err := jsondoc.Parse(p.Body)
	if err != nil {
		t.Fatalf("%s: %v", p.Name(), err)
	}
	return doc
}

func text(t testing.TB, p scenario.Planned, pointer ...string) string {
	t.Helper()
	doc := payload(t, p)
	v := doc.At(pointer)
	if v == nil {
		t.Fatalf("%s: there is no %s in %s", p.Name(), strings.Join(pointer, "/"), p.Body)
	}
	return v.Text
}

func moment(t testing.TB, p scenario.Planned, pointer ...string) time.Time {
	t.Helper()
	at, err := time.Parse(payment.TimeLayout, text(t, p, pointer...))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func timestamp(t testing.TB, p scenario.Planned) time.Time {
	t.Helper()
	return moment(t, p, "timestamp")
}

// anyPayment draws a payment that starts in some millisecond.
func anyPayment(t *rapid.T) scenario.Options {
	return scenario.Options{
		Seed: rapid.Uint64().Draw(t, "seed"), Index: rapid.Uint64Range(0, 1000).Draw(t, "index"),
		Start: time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "start")).UTC(),
	}
}

// TestPaidInTheDocumentedRhythm holds the relations of the documents: 19
// confirmations of a TRON block each 3 s, and each event at its own moment.
func TestPaidInTheDocumentedRhythm(t *testing.T) {
	c := pack(t)
	for _, name := range []string{"paid", "waited-then-paid", "failed-by-amount", "waited-then-failed"} {
		s := find(t, c, name)
		rapid.Check(t, func(r *rapid.T) {
			o := anyPayment(r)
			events := map[string]scenario.Planned{}
			var last time.Time
			for _, p := range plan(t, c, s, o) {
				if p.Step.Send == nil {
					continue
				}
				events[p.Step.Send.String()] = p
				if at := timestamp(t, p); p.At < at.Sub(o.Start) {
					r.Fatalf("%s happens at %s and is delivered before, %s after %s", p.Name(), at, p.At, o.Start)
				}
				if last = o.Start.Add(p.At); last.Before(o.Start) {
					r.Fatalf("%s is delivered at %s", p.Name(), last)
				}
			}
			created, confirmed := events["transaction created"], events["transaction complete"]
			n := text(t, confirmed, "data", "blockConfirmations")
			if took := timestamp(t, confirmed).Sub(timestamp(t, created)); n != "19" || took != 19*3*time.Second {
				r.Fatalf("%s confirmations took %s", n, took)
			}
			if !moment(t, confirmed, "data", "finalizedAt").Equal(timestamp(t, confirmed)) || !moment(t, created, "data", "createdAt").Equal(timestamp(t, created)) {
				r.Fatalf("%s\n%s", created.Body, confirmed.Body)
			}
			if done, ok := events["invoice complete"]; ok {
				if !moment(t, done, "data", "createdAt").Equal(o.Start) || !moment(t, done, "data", "completedAt").Equal(timestamp(t, done)) {
					r.Fatalf("%s", done.Body)
				}
			}
		})
	}
}

// TestExpiredInTheDocumentedRhythm: 30 minutes, seen by a scheduler that looks
// once a minute.
func TestExpiredInTheDocumentedRhythm(t *testing.T) {
	c := pack(t)
	s := find(t, c, "expired")
	late := map[bool]int{}
	rapid.Check(t, func(r *rapid.T) {
		o := anyPayment(r)
		p := plan(t, c, s, o)[0]
		after := moment(t, p, "data", "expiredAt").Sub(o.Start)
		if after < 30*time.Minute || after > 31*time.Minute || p.At != after || !timestamp(t, p).Equal(moment(t, p, "data", "expiredAt")) {
			r.Fatalf("%s, delivered after %s", p.Body, p.At)
		}
		late[after > 30*time.Minute+30*time.Second]++
	})
	if late[true] == 0 || late[false] == 0 {
		t.Errorf("always about as late: %v", late)
	}
}

// TestWaits holds what a wait does to the events behind it, and to nothing else.
func TestWaits(t *testing.T) {
	c := pack(t)
	o := scenario.Options{Seed: 7, Start: c.Epoch}
	plain := plan(t, c, parse(t, c, `
		steps:
		  - send: transaction created
		  - send: invoice pending
		  - send: transaction complete
		  - send: invoice complete
	`), o)
	waited := plan(t, c, parse(t, c, `
		steps:
		  - send: transaction created
		  - send: invoice pending
		  - wait: 1h
		  - wait: 30m
		  - send: transaction complete
		  - send: invoice complete
		  - wait: 1h
		  - state: invoice complete
	`), o)
	for i := range plain {
		moved := timestamp(t, waited[i]).Sub(timestamp(t, plain[i]))
		if want := []time.Duration{0, 0, 90 * time.Minute, 90 * time.Minute}[i]; moved != want {
			t.Errorf("%s moved by %s, not %s", plain[i].Name(), moved, want)
		}
	}
	if gap := waited[2].At - waited[1].At; gap < 90*time.Minute {
		t.Errorf("%s after a wait of 1h30m", gap)
	}
	if gap := waited[4].At - waited[3].At; gap != time.Hour {
		t.Errorf("the state is looked at %s later, not 1h", gap)
	}
	if a, b := timestamp(t, plain[2]).Sub(timestamp(t, plain[3])), timestamp(t, waited[2]).Sub(timestamp(t, waited[3])); a != b {
		t.Errorf("behind the wait the rhythm changed from %s to %s", a, b)
	}
}

// TestLatePayment: what follows a wait happens after it.
func TestLatePayment(t *testing.T) {
	c := pack(t)
	s := find(t, c, "late-payment-after-cancel")
	rapid.Check(t, func(r *rapid.T) {
		o := anyPayment(r)
		p := plan(t, c, s, o)
		expired := moment(t, p[0], "data", "expiredAt")
		for _, late := range p[1:] {
			if timestamp(t, late).Before(expired.Add(5 * time.Minute)) {
				r.Fatalf("%s happens at %s, the invoice expired at %s", late.Name(), timestamp(t, late), expired)
			}
		}
	})
}

// TestOutOfOrderAfterAWait: only the first event behind a wait is moved behind its
// end; what is delayed there keeps its place in the rhythm.
func TestOutOfOrderAfterAWait(t *testing.T) {
	c := pack(t)
	p := plan(t, c, parse(t, c, `
		steps:
		  - send: invoice cancel
		  - wait: 5m
		  - send: transaction complete
		  - send: transaction created
	`), scenario.Options{Seed: 7, Start: c.Epoch})
	if after := timestamp(t, p[1]).Sub(timestamp(t, p[0])); after != 5*time.Minute {
		t.Errorf("%s after the expiry, not 5m", after)
	}
	if before := timestamp(t, p[1]).Sub(timestamp(t, p[2])); before != 57*time.Second {
		t.Errorf("%s between created and complete, not 57s", before)
	}
}

// TestOutOfOrder: a delayed webhook keeps its moment, and the clock never goes
// back.
func TestOutOfOrder(t *testing.T) {
	c := pack(t)
	o := scenario.Options{Seed: 7, Start: c.Epoch}
	moments := map[*contract.State]time.Time{}
	for _, p := range plan(t, c, find(t, c, "paid"), o) {
		if p.Body != nil {
			moments[p.Step.Send] = timestamp(t, p)
		}
	}
	var before time.Duration
	late := 0
	for _, p := range plan(t, c, find(t, c, "out-of-order"), o) {
		if at := timestamp(t, p); !at.Equal(moments[p.Step.Send]) {
			t.Errorf("%s happens at %s, and in order at %s", p.Name(), at, moments[p.Step.Send])
		}
		if p.At < before {
			t.Errorf("%s at %s, after %s", p.Name(), p.At, before)
		}
		if c.Epoch.Add(p.At).After(timestamp(t, p)) {
			late++
		}
		before = p.At
	}
	if late != 2 {
		t.Errorf("%d webhooks are late; pending and created are", late)
	}
}

// TestPlanIsAPromise: the same seed gives the same bytes, another index another
// payment.
func TestPlanIsAPromise(t *testing.T) {
	c := pack(t)
	all := builtin(t, c)
	rapid.Check(t, func(r *rapid.T) {
		s := rapid.SampledFrom(all).Draw(r, "scenario")
		o := anyPayment(r)
		one, two := plan(t, c, s, o), plan(t, c, s, o)
		o.Index++
		other := plan(t, c, s, o)
		for i := range one {
			if one[i].At != two[i].At || one[i].Name() != two[i].Name() || !bytes.Equal(one[i].Body, two[i].Body) {
				r.Fatalf("the same seed gives\n%s %s\n%s %s", one[i].At, one[i].Body, two[i].At, two[i].Body)
			}
			if one[i].Name() != other[i].Name() {
				r.Fatalf("another payment has the step %s in place of %s", other[i].Name(), one[i].Name())
			}
			if one[i].Body != nil && text(t, one[i], "data", "invoiceId") == text(t, other[i], "data", "invoiceId") {
				r.Fatalf("payments share %s", one[i].Body)
			}
		}
	})
}

// TestSteps holds what each key of a step does to the plan.
func TestSteps(t *testing.T) {
	c := pack(t)
	p := plan(t, c, parse(t, c, `
		facts:
		  cashAmount: 50000
		steps:
		  - send: invoice pending
		    from: wait
		    at: 5m30.25s
		    repeat: 2
		    set: [data.title=Tea, "data.cashAmount:=5"]
		    add: data.extra.deep:=[1]
		    remove: data.customerName
		  - send: invoice complete
		    from: reject
		    fault: cut-body
		  - send: invoice pending
		  - state: invoice pending
	`), scenario.Options{Seed: 7, Start: c.Epoch})
	var got []string
	for _, x := range p {
		got = append(got, x.Name())
	}
	want := []string{"1 invoice pending (1 of 2)", "1 invoice pending (2 of 2)", "2 invoice complete, cut-body", "3 invoice pending", "4 reaches invoice pending"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}
	first := payload(t, p[0])
	for pointer, want := range map[string]string{
		"/data/title": `"Tea"`, "/data/cashAmount": "5", "/data/extra": `{"deep":[1]}`, "/data/previousState": `"Wait"`, "/timestamp": `"2025-09-05T10:35:30.250Z"`,
	} {
		at, err := jsondoc.ParsePointer(pointer)
		if v := first.At(at); err != nil || v == nil || string(v.AppendCanonical(nil)) != want {
			t.Errorf("%s is not %s in %s", pointer, want, p[0].Body)
		}
	}
	if first.At(jsondoc.Pointer{"data", "customerName"}) != nil || !bytes.Equal(p[0].Body, p[1].Body) || p[0].At != p[1].At || p[0].At != 5*time.Minute+30250*time.Millisecond {
		t.Errorf("%s %s\n%s %s", p[0].At, p[0].Body, p[1].At, p[1].Body)
	}
	if text(t, p[2], "data", "previousState") != "Reject" || text(t, p[2], "data", "cashAmount") != "50000.000000" || p[2].Step.Fault != deliver.CutBody {
		t.Errorf("%s", p[2].Body)
	}
	if text(t, p[3], "data", "previousState") != "Ready" || !timestamp(t, p[3]).Equal(timestamp(t, p[0])) || p[3].At < p[2].At {
		t.Errorf("the same event again: %s", p[3].Body)
	}
	if p[4].Body != nil || p[4].Step.Reach != state(t, c, "invoice pending") {
		t.Errorf("%+v", p[4])
	}
}

// TestBodiesAreWhatStringifyWrites: both families of verifiers take them.
func TestBodiesAreWhatStringifyWrites(t *testing.T) {
	c := pack(t)
	for _, s := range builtin(t, c) {
		for _, p := range plan(t, c, s, scenario.Options{Seed: 7, Start: c.Epoch}) {
			if p.Body == nil {
				continue
			}
			if again := payload(t, p).AppendCanonical(nil); !bytes.Equal(again, p.Body) {
				t.Errorf("%s, %s:\n%s\n%s", s.Name, p.Name(), p.Body, again)
			}
		}
	}
}

// TestBuiltinLives plans every scenario for 200 payments. What is legal gives no
// violation, in order and in any other; a payment after the expiry contradicts it.
func TestBuiltinLives(t *testing.T) {
	c := pack(t)
	strict := verify.Strict{Order: true, UnknownFields: true, UnknownValues: true, Gaps: true}
	inOrder := []string{"paid", "failed-by-amount", "failed-by-chain", "expired", "rejected", "waited-then-paid", "waited-then-failed"}
	for _, s := range builtin(t, c) {
		for seed := range uint64(200) {
			var events []scenario.Planned
			for _, p := range plan(t, c, s, scenario.Options{Seed: seed, Index: seed % 3, Start: c.Epoch}) {
				if p.Body != nil {
					events = append(events, p)
				}
			}
			level := verify.Strict{}
			if slices.Contains(inOrder, s.Name) {
				level = strict
			}
			checkLife(t, c, s.Name, seed, events, level)
			shuffled := slices.Clone(events)
			rand.New(rand.NewPCG(seed, 1)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			checkLife(t, c, s.Name, seed, shuffled, verify.Strict{})
			if t.Failed() {
				return
			}
		}
	}
}

// checkLife judges deliveries in an order. Of the late payment, what the gateway
// reported first makes the other side illegal.
func checkLife(t *testing.T, c *contract.Contract, name string, seed uint64, events []scenario.Planned, strict verify.Strict) {
	t.Helper()
	checker := verify.NewChecker(c, strict)
	canceled, paid := false, false
	for _, p := range events {
		v := checker.Check(p.Body, p.Step.Send.Path)
		var want []verify.Code
		if name == "late-payment-after-cancel" && p.Step.Send.Subject == c.Subjects[0] {
			cancel := p.Step.Send.Name == "cancel"
			switch {
			case cancel && paid, !cancel && canceled:
				want = []verify.Code{verify.Contradiction}
			case cancel:
				canceled = true
			default:
				paid = true
			}
		}
		var got []verify.Code
		for _, f := range v.Findings {
			if f.Severity == verify.Violation {
				got = append(got, f.Code)
			}
		}
		if !slices.Equal(got, want) || v.State != p.Step.Send {
			t.Errorf("%s with seed %d, %s: %q, expected %q\n%s\n%+v", name, seed, p.Name(), got, want, p.Body, v.Findings)
		}
	}
}
