package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/internal/verify"
)

// runner plays scenarios against one endpoint.
type runner struct {
	*app
	c       *contract.Contract
	o       *runOptions
	t       *target
	clock   scenario.Wait
	jump    bool // the clock skips all time
	minimum float64
	outputs []report.Output
	seed    uint64
	seeded  bool
	// now is when payments end where time is skipped, and start where it is not; with
	// neither --now nor a time that is skipped it is zero, and whenever they are made.
	now     time.Time
	journal *recorder

	index    atomic.Uint64
	mu       sync.Mutex
	accepted map[*contract.Subject]contract.Edges
	virtual  time.Duration
	suite    report.Suite
	down     error // why the endpoint cannot be reached, or nothing may be sent
}

func (a *app) newRunner(cmd *cobra.Command, c *contract.Contract, o *runOptions) (*runner, error) {
	r := &runner{app: a, c: c, o: o, seed: o.seed, accepted: map[*contract.Subject]contract.Edges{}}
	switch {
	case o.payments < 1 || o.payments > maxCount:
		return nil, usage("--payments %d: it takes a number from 1 to %d", o.payments, maxCount)
	case o.concurrency < 1 || o.concurrency > maxConcurrency:
		return nil, usage("--concurrency %d: it takes a number from 1 to %d", o.concurrency, maxConcurrency)
	case o.shuffle < 0 || o.shuffle > maxShuffles:
		return nil, usage("--shuffle %d: it takes a number from 0 to %d", o.shuffle, maxShuffles)
	}
	var err error
	if r.clock, r.jump, err = clock(o.speed); err != nil {
		return nil, err
	}
	if r.minimum, err = share("min-coverage", o.minCoverage); err != nil {
		return nil, err
	}
	if r.outputs, err = outputs(o.reports, report.Formats()); err != nil {
		return nil, err
	}
	if r.t, err = a.target(c, cmd, &o.target, len(c.Delivery.Backoff)); err != nil {
		return nil, err
	}
	if r.journal, err = a.recorder(o.record, journal.Options{}); err != nil {
		return nil, err
	}
	if r.seeded = cmd.Flags().Changed("seed"); !r.seeded {
		r.seed = a.Seed()
	}
	if o.now != "" || r.jump && !r.seeded {
		if r.now, err = a.moment(c, o.now); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *runner) close() {
	r.t.client.Close()
	r.journal.close()
}

// clock returns how virtual time passes.
func clock(speed string) (wait scenario.Wait, jump bool, err error) {
	if speed == "max" {
		return func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, true, nil
	}
	factor, err := strconv.ParseFloat(strings.TrimSuffix(speed, "x"), 64)
	if err != nil || !strings.HasSuffix(speed, "x") || !(factor > 0) || factor > 1e9 {
		return nil, false, usage("--speed %q: it takes max, or a factor such as 1x or 60x", speed)
	}
	return func(ctx context.Context, d time.Duration) error {
		return deliver.Sleep(ctx, time.Duration(min(float64(d)/factor, 1<<62)))
	}, false, nil
}

// share reads the value of a flag that takes "80%" or "0.8".
func share(flag, s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	number, percent := strings.CutSuffix(s, "%")
	v, err := strconv.ParseFloat(number, 64)
	if percent {
		v /= 100
	}
	if err != nil || math.IsNaN(v) || v < 0 || v > 1 {
		return 0, usage("--%s %q: it takes a share such as 5%% or 0.05", flag, s)
	}
	return v, nil
}

// all plays every scenario, and says how it went.
func (r *runner) all(ctx context.Context, scenarios []*scenario.Scenario) error {
	started := r.Now()
	r.suite = report.Suite{
		Name: "paytest run", Started: started,
		Properties: [][2]string{{"seed", strconv.FormatUint(r.seed, 10)}, {"target", keyless(r.t.to)}, {"version", r.version()}},
	}
	for _, s := range scenarios {
		if err := r.scenario(ctx, s); err != nil {
			return err
		}
		if r.down != nil {
			r.suite.Cases = append(r.suite.Cases, report.Case{Class: "paytest.run." + s.Name, Name: "endpoint", Status: report.Errored, Message: r.down.Error()})
			r.suite.Duration = r.Now().Sub(started)
			return errors.Join(r.down, r.writeReports(r.outputs, r.suite))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return r.end(started)
}

// scenario plays one scenario with every payment, and in other orders.
func (r *runner) scenario(ctx context.Context, s *scenario.Scenario) error {
	played := make([]scenario.Played, r.o.payments)
	first := r.index.Add(uint64(len(played))) - uint64(len(played))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.concurrency)
	for i := range played {
		g.Go(func() error {
			plan, err := r.plan(s, first+uint64(i))
			if err != nil {
				return usage("%w", err)
			}
			played[i] = r.play(gctx, plan)
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if r.down != nil || ctx.Err() != nil {
		return nil
	}
	r.tell(s, played)
	return r.shuffled(ctx, s)
}

// plan makes one payment of a scenario. What is random is so by the seed;
// without one, the payment ends now, or starts now where time is not skipped.
func (r *runner) plan(s *scenario.Scenario, index uint64) ([]scenario.Planned, error) {
	o := scenario.Options{Seed: r.seed, Index: index, Start: r.c.Epoch}
	plan, err := scenario.Plan(r.c, s, o)
	if err != nil || r.seeded && r.now.IsZero() {
		return plan, err
	}
	if o.Start = r.now; r.now.IsZero() {
		o.Start = r.Now().UTC().Truncate(time.Millisecond)
	}
	if r.jump {
		o.Start = o.Start.Add(-plan[len(plan)-1].At)
	}
	return scenario.Plan(r.c, s, o)
}

func (r *runner) play(ctx context.Context, plan []scenario.Planned) scenario.Played {
	p := scenario.Player{Contract: r.c, Wait: r.clock, Send: r.send}
	played := p.Play(ctx, plan)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.virtual += played.Virtual
	for _, e := range played.Accepted {
		sub := e.To.Subject
		r.accepted[sub] = r.accepted[sub].With(e)
	}
	return played
}

func (r *runner) send(ctx context.Context, p scenario.Planned, success []int, wait scenario.Wait) deliver.Delivery {
	u, err := r.t.url(p.Step.Send.Path)
	if err != nil {
		r.mu.Lock()
		r.down = err
		r.mu.Unlock()
		return deliver.Delivery{Attempts: []deliver.Result{{Outcome: deliver.Refused, Err: err}}}
	}
	policy := r.t.policy
	policy.Success = success
	d := delivery{p.Step.Send, u, p.Body}
	done := r.t.deliver(ctx, d, policy, p.Step.Fault, wait, func(_ int, res deliver.Result) { r.journal.sent(d, r.t.header, res) })
	last := done.Attempts[len(done.Attempts)-1]
	if code := map[deliver.Outcome]int{deliver.Unreachable: exitConnect, deliver.Refused: exitUsage}[last.Outcome]; code != 0 {
		r.mu.Lock()
		r.down = &exitError{code, last.Err}
		r.mu.Unlock()
	}
	return done
}

// tell reports what became of a scenario's payments.
func (r *runner) tell(s *scenario.Scenario, played []scenario.Played) {
	made, sent, failed, warned := 0, 0, 0, 0
	for i, p := range played {
		for _, res := range p.Results {
			sent += len(res.Delivery.Attempts)
			made += min(len(res.Delivery.Attempts), 1)
			c := report.Case{Class: "paytest.run." + s.Name, Name: res.Planned.Name(), Status: report.Passed, Input: string(res.Planned.Body)}
			if s.File != "" {
				c.File, c.Line, c.Column = s.File, res.Planned.Step.Line, res.Planned.Step.Column
			}
			if len(played) > 1 {
				c.Name = fmt.Sprintf("payment %d: %s", i+1, c.Name)
			}
			for _, a := range res.Delivery.Attempts {
				c.Duration += a.Latency
			}
			if !res.OK() {
				c.Status, c.Message = report.Failed, res.Problem
			}
			if res.Warning != "" {
				warned++
				c.Message = res.Warning
			}
			r.suite.Cases = append(r.suite.Cases, c)
		}
		if !p.OK() {
			failed++
		}
	}
	word := report.S(report.Good, "ok  ")
	if warned > 0 {
		word = report.S(report.Caution, "warn")
	}
	if failed > 0 {
		word = report.S(report.Bad, "FAIL")
	}
	what := deliveries(made)
	if sent > made {
		what += ", " + plural(sent, "attempt")
	}
	if len(played) > 1 {
		what = plural(len(played), "payment") + ", " + what
	}
	if failed > 0 && len(played) > 1 {
		what += fmt.Sprintf(", %d failed", failed)
	}
	r.out.Line(word, report.S(report.Strong, "  %s", report.Pad(s.Name, 26)), report.S(report.Faint, "  %s", what))
	shown := 0
	for _, p := range played {
		if shown < maxShownPayments && (!p.OK() || p.Warned()) {
			shown++
			r.problems(p)
		}
	}
}

// maxShownPayments is of how many payments of a scenario the problems are shown.
const maxShownPayments = 3

func (r *runner) problems(p scenario.Played) {
	for _, res := range p.Results {
		if res.Warning != "" {
			r.out.Paragraph([]report.Span{report.T("      "), report.S(report.Caution, "%s", res.Planned.Name()), report.T("  ")}, "        ", res.Warning)
		}
		if !res.OK() {
			r.out.Paragraph([]report.Span{report.T("      "), report.S(report.Bad, "%s", res.Planned.Name()), report.T("  ")}, "        ", res.Problem)
			if n := len(res.Delivery.Attempts); n > 0 {
				if body := oneLine(res.Delivery.Attempts[n-1]); body != "" {
					r.out.Line(report.S(report.Faint, "        %s", body))
				}
			}
		}
	}
}

// shuffled plays a scenario in other orders; the first that fails is shortened.
func (r *runner) shuffled(ctx context.Context, s *scenario.Scenario) error {
	if r.o.shuffle > 0 && s.Ordered() {
		why := "not shuffled: it names answers, which depend on the order"
		r.suite.Cases = append(r.suite.Cases, report.Case{Class: "paytest.run." + s.Name, Name: "other orders", Status: report.Skipped, Message: why})
		r.out.Line(report.S(report.Caution, "skip"), report.S(report.Strong, "  %s", report.Pad(s.Name, 26)), report.S(report.Faint, "  %s", why))
		return nil
	}
	plan, err := r.plan(s, 0)
	if err != nil {
		return usage("%w", err)
	}
	orders := scenario.Orders(keys(plan), r.o.shuffle, r.seed)
	for i, order := range orders {
		var last scenario.Played
		fails := func(order []int) bool {
			again, err := r.plan(s, r.index.Add(1)-1)
			if err != nil || ctx.Err() != nil || r.down != nil {
				return false
			}
			p := r.play(ctx, scenario.Pick(again, order))
			if !p.OK() {
				last = p
			}
			return !p.OK()
		}
		c := report.Case{Class: "paytest.run." + s.Name, Name: fmt.Sprintf("order %d", i+1), Status: report.Passed}
		failed := fails(order)
		if failed {
			scenario.Shrink(order, fails) // the last that failed is the shortest
			c.Status, c.Message = report.Failed, "an order that fails: "+orderNames(last)
		}
		if ctx.Err() != nil || r.down != nil {
			return nil
		}
		r.suite.Cases = append(r.suite.Cases, c)
		if failed {
			r.out.Paragraph([]report.Span{report.S(report.Bad, "FAIL"), report.S(report.Strong, "  %s", report.Pad(s.Name, 26)), report.T("  ")}, "      ",
				fmt.Sprintf("order %d of %d; the shortest that fails: %s", i+1, len(orders), orderNames(last)))
			r.problems(last)
			return nil
		}
	}
	if len(orders) > 0 {
		r.out.Line(report.S(report.Good, "ok  "), report.S(report.Strong, "  %s", report.Pad(s.Name, 26)), report.S(report.Faint, "  in %s", plural(len(orders), "other order")))
	}
	return nil
}

// keys tells which deliveries of a plan are the same.
func keys(plan []scenario.Planned) []int {
	var out []int
	for _, p := range plan {
		if p.Step.Send != nil {
			out = append(out, p.Number)
		}
	}
	return out
}

func orderNames(p scenario.Played) string {
	var out []string
	for _, res := range p.Results {
		out = append(out, res.Planned.Step.Send.String())
	}
	return strings.Join(out, ", ")
}

// lacking names the transitions that the endpoint has not accepted.
func (r *runner) lacking() []string {
	var out []string
	for _, sub := range r.c.Subjects {
		for _, e := range sub.Edges {
			if !r.accepted[sub].Has(e) {
				out = append(out, sub.Name+" "+e.String())
			}
		}
	}
	return out
}

// end writes the reports and the summary.
func (r *runner) end(started time.Time) error {
	r.suite.Duration = r.Now().Sub(started)
	seen, of := 0, 0
	for _, sub := range r.c.Subjects {
		c := verify.Coverage{Subject: sub.Name, Of: len(sub.Edges)}
		for _, e := range sub.Edges {
			if r.accepted[sub].Has(e) {
				c.Seen++
			}
		}
		seen, of = seen+c.Seen, of+c.Of
		r.suite.Coverage = append(r.suite.Coverage, c)
	}
	covered := float64(seen) / float64(of)
	if covered < r.minimum {
		r.suite.Cases = append(r.suite.Cases, report.Case{
			Class: "paytest.run", Name: "coverage", Status: report.Failed,
			Message: fmt.Sprintf("the endpoint accepted %d of %d transitions; expected %s; not accepted: %s", seen, of, r.o.minCoverage, strings.Join(r.lacking(), ", ")),
		})
	}
	if err := r.writeReports(r.outputs, r.suite); err != nil {
		return err
	}
	_, failed, _, _ := r.suite.Counts()
	style := report.Good
	if failed > 0 {
		style = report.Bad
	}
	var edges []string
	for _, c := range r.suite.Coverage {
		edges = append(edges, fmt.Sprintf("%s %d/%d", c.Subject, c.Seen, c.Of))
	}
	r.out.Line(report.T("%s, ", plural(len(r.suite.Cases), "check")), report.S(style, "%d failed", failed), report.T("; edges %s", strings.Join(edges, ", ")),
		report.S(report.Faint, "; %s in %s", r.virtual.Round(time.Second), report.Duration(r.suite.Duration)))
	if covered < r.minimum {
		r.out.Paragraph([]report.Span{report.S(report.Bad, "coverage %.0f%% is below %s", 100*covered, r.o.minCoverage), report.T("; not accepted: ")}, "  ", strings.Join(r.lacking(), ", "))
	}
	if !r.seeded {
		at := "now"
		if !r.now.IsZero() {
			at = r.now.Format(payment.TimeLayout)
		}
		r.err.Line(report.S(report.Faint, "the same again: --seed %d --now %s", r.seed, at))
	}
	if failed > 0 {
		return violated()
	}
	return nil
}
