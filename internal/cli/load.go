package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/load"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/scenario"
)

type loadOptions struct {
	target      targetOptions
	rate        string
	duration    time.Duration
	ramp        time.Duration
	connections int
	mix         string
	duplicates  string
	disorder    string
	failIf      []string
	findLimit   bool
	seed        uint64
	reports     []string
}

// maxRemoteRate is how many events a second a target outside this machine and
// its private networks is sent.
const maxRemoteRate = 50

// loadAge is how old payments are: old enough to expire, with events of just now.
const loadAge = 30*time.Minute + 30*time.Second

// How a limit is looked for: from this rate on, to this share.
const (
	firstRate      = 50
	limitPrecision = 0.05
)

func newLoad(a *app) *cobra.Command {
	var o loadOptions
	cmd := &cobra.Command{
		Use:   "load [URL]",
		Short: "Load your endpoint with whole payments, and measure it",
		Long: `Send whole payments at a rate, every event fresh, valid and signed, and measure
how your endpoint answers.

Events are sent when they are due, whether or not earlier ones were answered,
and a latency counts from that moment: an endpoint that stalls is charged for
all that it kept waiting. With --rate max each connection sends when its last
event was answered. Exit 0 when no --fail-if came true, 1 when one did, 3 when
the endpoint cannot be reached.`,
		Example: `  paytest load http://localhost:3000 --rate 500/s --duration 30s
  paytest load --mix paid=70,expired=20,failed=10 --duplicates 5% --disorder 5%
  paytest load --rate 200/s --fail-if 'p99>250ms' --fail-if 'errors>0.1%'
  paytest load --find-limit --fail-if 'p99>100ms'
  paytest load --rate max --connections 64 --report html=load.html`,
		Args:              atMost(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.load(cmd, &o, args) },
	}
	o.target.reach(cmd)
	f := cmd.Flags()
	f.StringVar(&o.rate, "rate", "50/s", "send this `many` events: 500/s, 30/m, or max")
	f.DurationVar(&o.duration, "duration", 10*time.Second, "send for this `duration`; with --find-limit each step takes as long")
	f.DurationVar(&o.ramp, "ramp", 0, "take this `duration` of it to come to the rate")
	f.IntVar(&o.connections, "connections", 16, "send over this `number` of connections")
	f.StringVar(&o.mix, "mix", "", "how payments end, as `paid=70,failed=30` (default every way equally often)")
	f.StringVar(&o.duplicates, "duplicates", "0%", "send this `share` of the events once more")
	f.StringVar(&o.disorder, "disorder", "0%", "send this `share` of the events after one that follows it")
	f.Var(texts{&o.failIf}, "fail-if", "exit 1 if this comes true: `p99>250ms`, errors>0.1%, rate<450/s, max>2s; may be repeated")
	f.BoolVar(&o.findLimit, "find-limit", false, "raise the rate until a --fail-if comes true, or the endpoint falls behind")
	f.Uint64Var(&o.seed, "seed", 0, "make the payments of this `number` (default random)")
	formatsFlag(cmd, &o.reports, report.LoadFormats())
	once(cmd, "seed", "find-limit")
	for _, name := range []string{"rate", "duration", "ramp", "connections", "duplicates", "disorder", "fail-if", "seed"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = cmd.RegisterFlagCompletionFunc("mix", a.completeMix)
	return cmd
}

func (a *app) completeMix(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, st := range c.Subjects[0].States {
		if st.IsFinal() {
			out = append(out, st.Name+"=")
		}
	}
	return out, cobra.ShellCompDirectiveNoSpace
}

func (a *app) load(cmd *cobra.Command, o *loadOptions, args []string) error {
	c, err := a.contract()
	if err != nil {
		return err
	}
	run, limit, err := a.loadRun(cmd, c, o, args)
	if err != nil {
		return err
	}
	defer run.Client.Close()
	outputs, err := outputs(o.reports, report.LoadFormats())
	if err != nil {
		return err
	}
	if err := mayBeLoaded(cmd.Context(), run, o); err != nil {
		return err
	}
	out := &report.LoadReport{
		Target: keyless(run.To), Version: a.version(), Seed: run.Seed, Mix: run.Mix.String(), Signed: len(run.Secrets) > 0, Thresholds: limit.Thresholds,
	}
	a.loadHead(run, o)
	if o.findLimit {
		err = a.loadSearch(cmd.Context(), run, limit, out)
	} else {
		err = a.loadOnce(cmd.Context(), run, out)
	}
	if err != nil {
		return err
	}
	if err := a.write(outputs, func(w io.Writer, f report.Format) error { return report.WriteLoad(w, f, out) }); err != nil {
		return err
	}
	switch {
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case !o.findLimit && len(out.Breaches) > 0:
		return violated()
	}
	return nil
}

// loadRun turns the options into those of a run.
func (a *app) loadRun(cmd *cobra.Command, c *contract.Contract, o *loadOptions, args []string) (*load.Options, load.Limit, error) {
	limit := load.Limit{From: firstRate, Precision: limitPrecision}
	if err := a.argument(&o.target, args); err != nil {
		return nil, limit, err
	}
	t, err := a.target(c, cmd, &o.target, 0)
	if err != nil {
		return nil, limit, err
	}
	run := &load.Options{
		Contract: c, Client: t.client, To: t.to, Header: t.header, UserAgent: "paytest/" + a.version(), Scheme: t.signer.scheme, Secrets: t.signer.secrets,
		Ramp: o.ramp, Duration: o.duration, Timeout: o.target.timeout, Connections: o.connections,
		Seed: o.seed, FirstPayment: uint64(a.Now().UnixNano()), Start: a.Now().UTC().Truncate(time.Millisecond).Add(-loadAge), Moments: payment.Recent(c, loadAge), Now: a.Now, Every: 200 * time.Millisecond,
	}
	if cmd.Flags().Changed("seed") {
		run.FirstPayment = 0 // the same payments again
	} else {
		run.Seed = a.Seed()
	}
	if run.Rate, err = load.ParseRate(o.rate); err != nil {
		return nil, limit, usage("--rate: %w", err)
	}
	if run.Duplicates, err = share("duplicates", o.duplicates); err != nil {
		return nil, limit, err
	}
	if run.Disorder, err = share("disorder", o.disorder); err != nil {
		return nil, limit, err
	}
	for _, text := range o.failIf {
		th, err := load.ParseThreshold(text)
		if err != nil {
			return nil, limit, usage("--fail-if: %w", err)
		}
		limit.Thresholds = append(limit.Thresholds, th)
	}
	builtin, err := scenario.Builtin(c, a.pack())
	if err != nil {
		return nil, limit, usage("%w", err)
	}
	if run.Mix, err = load.ParseMix(c, scenario.AllPaths(c, builtin), o.mix); err != nil {
		return nil, limit, usage("--mix: %w", err)
	}
	if err := run.Check(); err != nil {
		return nil, limit, usage("%w", err)
	}
	if a.OutTerminal {
		run.Progress = func(s load.Snapshot) { a.loadStatus(run, s) }
	}
	return run, limit, nil
}

// mayBeLoaded refuses to send a target that is not local more than it would get
// from a single user.
func mayBeLoaded(ctx context.Context, run *load.Options, o *loadOptions) error {
	u, err := deliver.ResolveURL(run.To, run.Contract.Paths()[0])
	if err != nil {
		return usage("%w", err)
	}
	if !o.target.allowRemote || run.Client.CheckLocal(ctx, u) == nil {
		return nil // the guard refuses what is not local
	}
	if o.findLimit || run.Rate.Max || run.Rate.PerSecond > maxRemoteRate {
		return usage("%s is remote: it is sent at most %d events a second (--rate %d/s), and --find-limit is for your own machine and network", u.Host, maxRemoteRate, maxRemoteRate)
	}
	return nil
}

func (a *app) loadHead(run *load.Options, o *loadOptions) {
	rate := run.Rate.String()
	if o.findLimit {
		rate = "rising from " + strconv.Itoa(firstRate) + "/s, steps of"
	} else {
		rate += " for"
	}
	a.out.Line(report.S(report.Strong, "%s", keyless(run.To)), report.T("  %s %s, %s, seed %d", rate, run.Duration, plural(run.Connections, "connection"), run.Seed))
	a.out.Paragraph([]report.Span{report.S(report.Faint, "mix ")}, "    ", run.Mix.String())
	a.out.Line()
}

func (a *app) loadStatus(run *load.Options, s load.Snapshot) {
	a.out.Status(fmt.Sprintf("%s of %s  %.0f/s  p50 %s  p99 %s  %d sent, %d errors", s.Elapsed.Round(time.Second), run.Duration, s.Rate,
		report.Duration(s.P50), report.Duration(s.P99), s.Count, s.Errors))
}

func (a *app) loadOnce(ctx context.Context, run *load.Options, out *report.LoadReport) error {
	r, err := load.Run(ctx, *run)
	a.out.Status("")
	if err != nil {
		return loadFailure(err)
	}
	out.Result, out.Breaches = r, load.Broken(r, out.Thresholds)
	a.out.LoadTable(r)
	for _, b := range out.Breaches {
		a.out.Line(report.S(report.Bad, "FAIL "), report.T("%s", b))
	}
	return nil
}

func (a *app) loadSearch(ctx context.Context, run *load.Options, limit load.Limit, out *report.LoadReport) error {
	limit.Step = func(step load.Attempt) {
		a.out.Status("")
		word := report.S(report.Good, "held ")
		why := ""
		if !step.Held() {
			word = report.S(report.Bad, "broke")
		}
		for _, b := range step.Breaches {
			why += "  " + b.String()
		}
		if step.Short {
			why += "  events were left waiting"
		}
		total := step.Result.Total
		a.out.Line(word, report.T("  %8.0f/s  p50 %s  p99 %s  %d errors%s", step.Rate, report.Duration(total.Latency.P50), report.Duration(total.Latency.P99), total.Failed(), why))
	}
	s, err := load.FindLimit(ctx, *run, limit)
	a.out.Status("")
	if err != nil {
		return loadFailure(err)
	}
	out.Search = s
	if n := len(s.Attempts); n > 0 {
		out.Result = s.Attempts[n-1].Result
	}
	a.out.Line()
	switch {
	case s.Knee == 0:
		a.out.Line(report.S(report.Bad, "no rate held"), report.T(", not even %d/s", firstRate))
	case s.GeneratorBound || s.Broke == 0:
		a.out.Line(report.S(report.Good, "%.0f/s held", s.Knee), report.T("; beyond that this machine cannot send"))
	default:
		a.out.Line(report.S(report.Good, "%.0f/s held", s.Knee), report.T(", %.0f/s did not", s.Broke))
	}
	return nil
}

// loadFailure gives an error of a run its exit code.
func loadFailure(err error) error {
	var remote *deliver.RemoteError
	switch {
	case errors.As(err, &remote), errors.Is(err, load.ErrOptions):
		return usage("%w", beneath(err))
	case errors.Is(err, load.ErrConnect):
		return &exitError{exitConnect, err}
	}
	return err
}
