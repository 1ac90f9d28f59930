package cli

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

func newDemo(a *app) *cobra.Command {
	var bug string
	var list bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch one payment's webhooks made, delivered and checked",
		Long: `Start a receiver on a free port of this machine, deliver the webhooks of one
payment to it, and one more that the contract forbids; show what each check saw.

With --bug, start a merchant's endpoint that is right but for one bug, and watch
the case of paytest conform that catches it.`,
		Example: "  paytest demo\n  paytest demo --bug double-credit\n  paytest demo --bugs",
		Args:    atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.contract()
			switch {
			case err != nil:
				return err
			case list:
				a.listBugs()
				return nil
			case bug != "":
				return a.demoBug(cmd.Context(), c, bug)
			}
			if err := a.demo(cmd.Context(), c); err != nil {
				return err
			}
			if err := a.demoCredits(cmd.Context(), c); err != nil {
				return err
			}
			a.demoEnd(c)
			return nil
		},
	}
	cmd.Flags().StringVar(&bug, "bug", "", "start an endpoint with this `bug`, and catch it")
	cmd.Flags().BoolVar(&list, "bugs", false, "list the bugs")
	once(cmd, "bug", "bugs")
	_ = cmd.RegisterFlagCompletionFunc("bug", completeBugs)
	return cmd
}

// step is one delivery of the demo.
type step struct {
	state    *contract.State
	previous *contract.State // nil for the usual one
}

// demo delivers the documented flow and then a transition that is illegal.
func (a *app) demo(ctx context.Context, c *contract.Contract) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	listeners, err := listen.Open(ctx, ":0")
	if err != nil {
		return &exitError{exitConnect, err}
	}
	seen := make(chan listen.Delivery, 1)
	checker := verify.NewChecker(c, verify.Strict{})
	h := listen.New(listen.Options{Contract: c, Checker: checker, Now: a.Now, OnDelivery: func(d *listen.Delivery) { seen <- *d }})
	served := make(chan error, 1)
	go func() { served <- listen.Serve(ctx, listeners, h, func() {}) }()
	base := "http://" + listeners[0].Addr().String()
	client, err := deliver.New(deliver.Options{Timeout: c.Delivery.Timeout, UserAgent: "paytest/" + a.version(), Now: a.Now})
	if err != nil {
		return err
	}
	defer client.Close()
	a.out.Line(report.T("A receiver listens on "), report.S(report.Strong, "%s", base), report.T(" and checks all it gets against"))
	a.out.Line(report.T("the contract %q. One payment arrives:", c.Name))
	steps := demoSteps(c)
	p := payment.New(c, payment.Options{Seed: a.Seed(), Start: a.Now().UTC().Truncate(time.Millisecond).Add(-demoLength(steps)), Toward: c.Flow})
	caught := 0
	for i, s := range steps {
		doc, err := generate.Payload(c, p, s.state, generate.Options{Previous: s.previous, Force: true})
		if err != nil {
			return err
		}
		u, err := deliver.ResolveURL(base, s.state.Path)
		if err != nil {
			return err
		}
		r := client.Post(ctx, u, http.Header{}, doc.AppendCanonical(nil))
		if r.Err != nil {
			return &exitError{exitConnect, r.Err}
		}
		d := <-seen
		a.demoStep(i+1, s, r, d.Verdict)
		legal := s.previous == nil
		if legal != d.Verdict.OK() {
			return fmt.Errorf("the demo's step %d (%s) was judged wrongly", i+1, s.state)
		}
		if !legal {
			caught++
		}
	}
	stop()
	if err := <-served; err != nil {
		return err
	}
	a.out.Line()
	a.out.Line(report.S(report.Good, "%d webhooks delivered: %d accepted, %d illegal one caught.", len(steps), len(steps)-caught, caught))
	return nil
}

func demoLength(steps []step) time.Duration {
	var last time.Duration
	for _, s := range steps {
		last = max(last, s.state.At)
	}
	return last
}

// demoSteps adds to the flow a move out of the state it ends in, to a state that
// would have been the other way to end.
func demoSteps(c *contract.Contract) []step {
	var steps []step
	for _, st := range c.Flow {
		steps = append(steps, step{state: st})
	}
	last := c.Flow[len(c.Flow)-1]
	for _, st := range last.Subject.States {
		if st != last && st.EdgeFrom(last) == nil && st.EdgeFrom(last.From[0].From) != nil && st.ReportsPrevious(c.Envelope) {
			return append(steps, step{st, last})
		}
	}
	return steps
}

func (a *app) demoStep(n int, s step, r deliver.Result, v verify.Verdict) {
	a.out.Line()
	a.out.Line(report.S(report.Strong, "%d  %s", n, s.state), report.S(report.Faint, "  POST %s", s.state.Path))
	style, words := report.Good, "accepted"
	if !v.OK() {
		style, words = report.Bad, "caught"
	}
	a.out.Line(report.T("   "), report.S(style, "%d %s", r.Status, words), report.S(report.Faint, " in %s", report.Duration(r.Latency)))
	if v.OK() {
		a.out.Line(report.T("   syntax "), report.S(report.Good, "ok"), report.T(", schema "), report.S(report.Good, "ok"),
			report.T(" (%s), ", plural(len(s.state.Fields()), "field")), report.T("%s ", v.Edge), report.S(report.Good, "legal"),
			report.T(", facts "), report.S(report.Good, "agree"))
	}
	a.out.Findings(v.Findings, "   ")
}

func (a *app) demoEnd(c *contract.Contract) {
	last := c.Flow[len(c.Flow)-1]
	a.out.Line()
	a.out.Line(report.T("Next, with your own endpoint on port 3000:"))
	a.out.Line(report.S(report.Accent, "  paytest send %s", last))
	a.out.Line(report.S(report.Accent, "  paytest conform http://localhost:3000"))
	a.out.Line(report.T("or in place of it:"))
	a.out.Line(report.S(report.Accent, "  paytest listen :3000"))
}
