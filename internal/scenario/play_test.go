package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/scenario"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint answers each step, by its number, with these statuses in turn, and 200
// where there are none. A status of 0 is no answer in time.
type endpoint struct {
	statuses map[int][]int
	backoff  []time.Duration
	sent     []string // with the virtual time at which it was sent
	waited   []time.Duration
	now      time.Duration
	onSend   func()
}

func (e *endpoint) wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.waited = append(e.waited, d)
	e.now += d
	return nil
}

func (e *endpoint) send(ctx context.Context, p scenario.Planned, success []int, wait scenario.Wait) deliver.Delivery {
	d := deliver.Delivery{Success: success}
	statuses := e.statuses[p.Number]
	for i := 0; ; i++ {
		e.sent = append(e.sent, fmt.Sprintf("%s at %s", p.Step.Send, e.now))
		if e.onSend != nil {
			e.onSend()
		}
		r := deliver.Result{Attempt: i + 1, Outcome: deliver.Answered, Status: 200}
		if i < len(statuses) {
			r.Status = statuses[i]
		}
		if r.Status == 0 {
			r.Outcome, r.Err = deliver.TimedOut, errors.New("no answer within 5s")
		}
		d.Attempts = append(d.Attempts, r)
		if r.Success(success) || i == len(e.backoff) {
			return d
		}
		if d.Err = wait(ctx, e.backoff[i]); d.Err != nil {
			return d
		}
	}
}

func (e *endpoint) play(ctx context.Context, c *contract.Contract, p []scenario.Planned) scenario.Played {
	player := scenario.Player{Contract: c, Send: e.send, Wait: e.wait}
	return player.Play(ctx, p)
}

func problems(p scenario.Played) []string {
	var out []string
	for _, r := range p.Results {
		if !r.OK() {
			out = append(out, r.Planned.Name()+": "+r.Problem)
		}
	}
	return out
}

func edges(p scenario.Played) []string {
	var out []string
	for _, e := range p.Accepted {
		out = append(out, e.To.Subject.Name+" "+e.String())
	}
	return out
}

func atTimes(waits ...time.Duration) time.Duration {
	var sum time.Duration
	for _, w := range waits {
		sum += w
	}
	return sum
}

// TestPlay: each step at its virtual time, waits only asked for, never made.
func TestPlay(t *testing.T) {
	c := pack(t)
	p := plan(t, c, find(t, c, "paid"), scenario.Options{Seed: 7, Start: c.Epoch})
	e := &endpoint{backoff: c.Delivery.Backoff}
	played := e.play(t.Context(), c, p)
	if !played.OK() || len(played.Results) != len(p) {
		t.Fatalf("%q", problems(played))
	}
	var want []string
	for _, x := range p {
		if x.Body != nil {
			want = append(want, fmt.Sprintf("%s at %s", x.Step.Send, x.At))
		}
	}
	if diff := cmp.Diff(want, e.sent); diff != "" {
		t.Error(diff)
	}
	if end := p[len(p)-1].At; played.Virtual != end || atTimes(e.waited...) != end || end < 14*time.Minute {
		t.Errorf("%s passed, %s were asked for, the plan takes %s", played.Virtual, atTimes(e.waited...), end)
	}
	wantEdges := []string{"transaction unseen→Pending", "invoice Ready→Pending", "transaction Pending→Complete", "invoice Pending→Complete"}
	if diff := cmp.Diff(wantEdges, edges(played)); diff != "" {
		t.Error(diff)
	}
	for i, r := range played.Results {
		if r.Planned.Number != p[i].Number || (r.Planned.Step.Reach == nil) != (len(r.Delivery.Attempts) == 1) {
			t.Errorf("%+v", r)
		}
	}
}

// TestRetriesTakeVirtualTime: what comes after a delivery that was retried is not
// before it, and the clock makes up for it.
func TestRetriesTakeVirtualTime(t *testing.T) {
	c := pack(t)
	s := parse(t, c, `
		steps:
		  - send: invoice wait
		    at: 10m
		  - send: invoice pending
		    at: 10m2s
		  - send: invoice complete
		    at: 20m
	`)
	p := plan(t, c, s, scenario.Options{Seed: 7, Start: c.Epoch})
	e := &endpoint{backoff: []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}, statuses: map[int][]int{1: {500, 0, 503}}}
	played := e.play(t.Context(), c, p)
	if !played.OK() {
		t.Fatalf("%q", problems(played))
	}
	want := []string{
		"invoice wait at 10m0s", "invoice wait at 10m1s", "invoice wait at 10m3s", "invoice wait at 10m7s",
		"invoice pending at 10m7s", "invoice complete at 20m0s",
	}
	if diff := cmp.Diff(want, e.sent); diff != "" {
		t.Error(diff)
	}
	if played.Virtual != 20*time.Minute || len(played.Results[0].Delivery.Attempts) != 4 {
		t.Errorf("%s, %+v", played.Virtual, played.Results[0])
	}
}

// TestProblems says what was expected and what came.
func TestProblems(t *testing.T) {
	c := pack(t)
	steps := func(answer string) string {
		return "steps:\n- send: invoice pending\n" + answer + "- send: invoice complete\n- state: invoice pending\n- state: invoice complete\n"
	}
	for _, test := range []struct {
		name, text string
		statuses   []int
		retries    int
		want       []string
		edges      []string
	}{
		{"as documented", steps(""), []int{200}, 3, nil, []string{"invoice Ready→Pending", "invoice Pending→Complete"}},
		{"no 200", steps(""), []int{201}, 0, []string{"1 invoice pending: answered 201; expected 200", "3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"never 200", steps(""), []int{500, 500, 404}, 2, []string{"1 invoice pending: answered 404; expected 200 (after 3 attempts)", "3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"200 in the end", steps(""), []int{500, 0}, 3, nil, []string{"invoice Ready→Pending", "invoice Pending→Complete"}},
		{"no answer", steps(""), []int{0, 0}, 1, []string{"1 invoice pending: expected 200: no answer within 5s (after 2 attempts)", "3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"any, and 409", steps("  answer: any\n"), []int{409}, 3, []string{"3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"any, and 500", steps("  answer: any\n"), []int{500}, 0, []string{"1 invoice pending: answered 500; expected any but 5xx", "3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"any, and 500 first", steps("  answer: any\n"), []int{500, 204}, 1, []string{"3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"refused as it should be", steps("  answer: [401, 409]\n"), []int{409}, 3, []string{"3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"accepted, and should not be", steps("  answer: [401, 409]\n"), []int{200, 200}, 1, []string{"1 invoice pending: answered 200; expected 401 or 409"}, []string{"invoice Ready→Pending", "invoice Pending→Complete"}},
		{"500 to one of two that overlap", steps("  fault: overlap\n"), []int{500, 200}, 1, []string{"1 invoice pending, overlap: answered 500 to one of two overlapping attempts"}, []string{"invoice Ready→Pending", "invoice Pending→Complete"}},
		{"a payload that was changed shows nothing of the state", steps("  set: data.title=x\n"), []int{200}, 0, []string{"3 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Pending→Complete"}},
		{"an illegal move", steps("  from: fail\n"), nil, 0, nil, []string{"invoice Pending→Complete"}},
		{"from another state", steps("  from: wait\n"), nil, 0, nil, []string{"invoice Wait→Pending", "invoice Pending→Complete"}},
		{"looked at too early", "steps:\n- state: invoice pending\n- send: invoice pending\n", nil, 0, []string{"1 reaches invoice pending: the endpoint has not accepted invoice pending"}, []string{"invoice Ready→Pending"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := &endpoint{backoff: make([]time.Duration, test.retries), statuses: map[int][]int{1: test.statuses}}
			played := e.play(t.Context(), c, plan(t, c, parse(t, c, test.text), scenario.Options{Seed: 7, Start: c.Epoch}))
			if diff := cmp.Diff(test.want, problems(played)); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.edges, edges(played)); diff != "" {
				t.Error(diff)
			}
			if played.OK() != (test.want == nil) {
				t.Errorf("OK is %v", played.OK())
			}
		})
	}
}

// TestPlayEnds: canceled in a wait, in a delivery and between two attempts; a step
// that was not carried out has no result.
func TestPlayEnds(t *testing.T) {
	c := pack(t)
	p := plan(t, c, find(t, c, "paid"), scenario.Options{Seed: 7, Start: c.Epoch})
	for attempts := range 4 {
		ctx, cancel := context.WithCancel(t.Context())
		e := &endpoint{backoff: make([]time.Duration, 1), statuses: map[int][]int{1: {500}}}
		e.onSend = func() {
			if len(e.sent) == attempts {
				cancel()
			}
		}
		if attempts == 0 {
			cancel()
		}
		played := e.play(ctx, c, p)
		cancel()
		if want := max(attempts-2, 0); len(e.sent) != attempts || len(played.Results) != want {
			t.Errorf("ended at attempt %d: %q, %d results", attempts, e.sent, len(played.Results))
		}
	}
}

// TestPick keeps the deliveries' steps and moments, and drops what depends on order.
func TestPick(t *testing.T) {
	c := pack(t)
	p := plan(t, c, find(t, c, "paid"), scenario.Options{Seed: 7, Start: c.Epoch})
	before := slices.Clone(p)
	picked := scenario.Pick(p, []int{3, 0, 2})
	var got []string
	for _, x := range picked {
		got = append(got, x.Name())
	}
	if diff := cmp.Diff([]string{"4 invoice complete", "1 transaction created", "3 transaction complete"}, got); diff != "" {
		t.Error(diff)
	}
	for i := range p {
		if p[i].Name() != before[i].Name() {
			t.Fatal("the plan was changed")
		}
	}
	e := &endpoint{}
	played := e.play(t.Context(), c, picked)
	if !played.OK() || played.Virtual != p[3].At || len(scenario.Pick(p, nil)) != 0 {
		t.Errorf("%s, %q", played.Virtual, problems(played))
	}
	if picked[0].At != p[3].At {
		t.Errorf("%s, not %s", picked[0].At, p[3].At)
	}
}

// TestWarned: what a retry made good is told of.
func TestWarned(t *testing.T) {
	c := pack(t)
	for _, test := range []struct {
		statuses []int
		want     string
	}{
		{[]int{200}, ""},
		{[]int{500, 200}, "answered 500 in attempt 1; a retry was taken"},
		{[]int{404, 200}, ""},
		{[]int{0, 200}, ""},
	} {
		e := &endpoint{backoff: make([]time.Duration, 3), statuses: map[int][]int{1: test.statuses}}
		played := e.play(t.Context(), c, plan(t, c, parse(t, c, "steps:\n- send: invoice pending\n"), scenario.Options{Seed: 7, Start: c.Epoch}))
		if got := played.Results[0].Warning; got != test.want || !played.OK() || played.Warned() != (test.want != "") {
			t.Errorf("%v: warning %q, not %q; %v", test.statuses, got, test.want, problems(played))
		}
	}
}
