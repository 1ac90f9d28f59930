package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/signature"
)

type conformOptions struct {
	target       targetOptions
	retired      []string
	profile      string
	only, skip   []string
	events       []string
	cases        []string
	seed         uint64
	probeURL     string
	probeHeaders []string
	probeCmd     string
	probeMap     string
	settle       time.Duration
	restartCmd   string
	failCmd      string
	soak         time.Duration
	caseTime     time.Duration
	maxTime      time.Duration
	baseline     string
	failOn       string
	hostileHost  string
	list         bool
	reports      []string
}

// patience is how long an endpoint may take to be there again.
const patience = 15 * time.Second

func newConform(a *app) *cobra.Command {
	var o conformOptions
	cmd := &cobra.Command{
		Use:   "conform [URL]",
		Short: "Prove that your endpoint is safe",
		Long: `Attack your endpoint with duplicates, disorder, tampering, hostile bytes and
money traps, and tell from what it answers, from whether it stays alive, and
from the effects it reports whether it credits once and never regresses.

URL, or --to, is where your server is; the documented path is appended to a URL
without a path, and one with a path gets all events.

Effects are asked from your own application: --probe-url or --probe-cmd return
JSON with the state of an order and the sums credited and refunded. Without a
probe, a case whose point is the effect is unproven, never passed.

Payments are made for the test: their customers and titles start with "paytest".
Exit 0 when no case failed, 1 when one did or nothing was proven, 3 when the
endpoint cannot be reached.`,
		Example: `  paytest conform http://localhost:3000 --secret-file secret.txt
  paytest conform --probe-url 'http://localhost:3000/orders/{id}'
  paytest conform --profile full --report html=out.html --report junit=out.xml
  paytest conform --case I02 --seed 7     one case again
  paytest conform --list                  what is tested, and why`,
		Args:              atMost(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.conform(cmd, &o, args) },
	}
	o.target.reach(cmd)
	f := cmd.Flags()
	f.Var(texts{&o.retired}, "retired-secret-file", "the secret in this `file` is no longer in use: signatures by it must be refused")
	f.StringVar(&o.profile, "profile", string(conform.Core), "carry out the cases of this `profile`: core (quick and safe), full, or hostile (may harm a fragile server)")
	f.StringSliceVar(&o.only, "only", nil, "carry out only these cases or `categories`")
	f.StringSliceVar(&o.skip, "skip", nil, "leave out these cases or `categories`")
	f.StringSliceVar(&o.cases, "case", nil, "carry out these `cases` alone, whatever the profile")
	f.StringSliceVar(&o.events, "events", nil, "the endpoint serves only these `events`, such as a.updated,b.*")
	f.Uint64Var(&o.seed, "seed", 0, "a `number`: the same makes the same payments (default random)")
	o.probeFlags(cmd)
	f.DurationVar(&o.settle, "settle", 2*time.Second, "wait for this `duration` for an effect to show")
	f.StringVar(&o.restartCmd, "restart-cmd", "", "this `command` restarts the endpoint")
	f.StringVar(&o.failCmd, "fail-cmd", "", "run this `command` to make the endpoint's next delivery fail half-way, such as one that arms a fault in your application")
	f.DurationVar(&o.soak, "soak", 10*time.Minute, "the soak of the full profile lasts for this `duration`")
	f.DurationVar(&o.caseTime, "case-time", time.Minute, "end a case after this `duration`, unproven")
	f.DurationVar(&o.maxTime, "max-time", 20*time.Minute, "begin no case after this `duration`")
	f.StringVar(&o.baseline, "baseline", "", "the failures in this JSON report, a `file`, are known, and no failures")
	f.StringVar(&o.failOn, "fail-on", string(conform.Low), "exit 1 for failures of this `severity` or worse: "+strings.Join(conform.Severities(), ", "))
	f.StringVar(&o.hostileHost, "hostile-host", "", "allow hostile cases against this remote `host`: name it a second time")
	f.BoolVar(&o.list, "list", false, "list the cases, and send nothing")
	formatsFlag(cmd, &o.reports, report.ConformFormats())
	grouped(cmd, signatureFlags, "retired-secret-file")
	grouped(cmd, applicationFlags, "settle", "restart-cmd", "fail-cmd")
	grouped(cmd, "Which cases:", "case", "only", "skip", "profile", "events", "list", "hostile-host", "soak", "case-time", "max-time")
	once(cmd, "case", "seed", "list", "hostile-host")
	for _, name := range []string{"seed", "settle", "restart-cmd", "fail-cmd", "soak", "case-time", "max-time", "hostile-host"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = cmd.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(conform.Profiles(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(conform.Severities(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("events", a.completeWords(func(c *contract.Contract) []string { return c.EventNames() }))
	for _, name := range []string{"case", "only", "skip"} {
		_ = cmd.RegisterFlagCompletionFunc(name, a.completeCases)
	}
	return cmd
}

const applicationFlags = "What is asked of your application:"

// probeFlags declares the flags that say how to ask for a payment's effect.
func (o *conformOptions) probeFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.probeURL, "probe-url", "", "ask this `URL` for a payment's effect; {id} is the payment, {customer} its customer")
	f.Var(texts{&o.probeHeaders}, "probe-header", "send this header to the probe, as `'Name: value'`; may be repeated")
	f.StringVar(&o.probeCmd, "probe-cmd", "", "run this `command` for a payment's effect; PAYTEST_ID is the payment, PAYTEST_CUSTOMER its customer")
	f.StringVar(&o.probeMap, "probe-map", "", "where the effect stands in the probe's JSON, as a `map`: state=PATH,credited=PATH; members are state, credited, refunded, deliveries, balance")
	names := []string{"probe-url", "probe-header", "probe-cmd", "probe-map"}
	grouped(cmd, applicationFlags, names...)
	for _, name := range names {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
}

func (a *app) completeCases(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	catalog, err := a.catalog(c)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for i, spec := range catalog.Cases {
		if i == 0 || catalog.Cases[i-1].Category != spec.Category {
			out = append(out, spec.Category+"\t"+catalog.Meanings[spec.Category])
		}
		out = append(out, spec.ID+"\t"+spec.Sent)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) conform(cmd *cobra.Command, o *conformOptions, args []string) error {
	c, err := a.contract()
	if err != nil {
		return err
	}
	catalog, err := a.catalog(c)
	if err != nil {
		return usage("%w", err)
	}
	cases, err := selected(catalog, o)
	if err != nil {
		return err
	}
	if o.list {
		a.listCases(cases)
		return nil
	}
	run, err := a.conformRun(cmd, c, o, args)
	if err != nil {
		return err
	}
	defer run.Client.Close()
	run.Catalog, run.Cases = catalog, cases
	if err := a.mayBeHostile(cmd.Context(), run, o); err != nil {
		return err
	}
	return a.conformed(cmd.Context(), run, o)
}

// catalog is the cases of the contract's pack, or, where it has none, those of the
// built-in one: they ask for roles, and what they send is made from the contract.
func (a *app) catalog(c *contract.Contract) (*conform.Catalog, error) {
	pack := a.pack()
	if !hasCases(pack) {
		pack = a.Contract
	}
	return conform.Load(c, pack)
}

func selected(catalog *conform.Catalog, o *conformOptions) ([]*conform.Case, error) {
	if err := oneOf("profile", o.profile, conform.Profiles()...); err != nil {
		return nil, err
	}
	if err := oneOf("fail-on", o.failOn, conform.Severities()...); err != nil {
		return nil, err
	}
	cases, err := catalog.Select(conform.Selection{Profile: conform.Profile(o.profile), Cases: o.cases, Only: o.only, Skip: o.skip})
	if err != nil {
		return nil, usage("%w", err)
	}
	if len(cases) == 0 {
		if len(o.cases) > 0 {
			return nil, usage("--only and --skip leave none of the cases %s", strings.Join(o.cases, ", "))
		}
		return nil, usage("--only and --skip leave no case of the profile %s; profiles: %s", o.profile, strings.Join(conform.Profiles(), ", "))
	}
	return cases, nil
}

func (a *app) listCases(cases []*conform.Case) {
	for i, spec := range cases {
		if i == 0 || cases[i-1].Category != spec.Category {
			a.out.Line(report.S(report.Strong, "%s", spec.Category))
		}
		a.out.Paragraph([]report.Span{report.S(report.Accent, "  %-4s", spec.ID), report.S(report.Faint, " %-9s", spec.Severity), report.T(" ")}, strings.Repeat(" ", 17), spec.Sent)
		a.out.Paragraph([]report.Span{report.T("%-17s", "")}, strings.Repeat(" ", 17), "must: "+spec.Holds)
	}
}

// conformRun turns the options into those of a run.
func (a *app) conformRun(cmd *cobra.Command, c *contract.Contract, o *conformOptions, args []string) (*conform.Options, error) {
	for name, d := range map[string]time.Duration{"settle": o.settle, "soak": o.soak, "case-time": o.caseTime, "max-time": o.maxTime} {
		if d <= 0 {
			return nil, usage("--%s %s: it takes a duration above zero, such as 10s", name, d)
		}
	}
	if err := a.argument(&o.target, args); err != nil {
		return nil, err
	}
	t, err := a.target(c, cmd, &o.target, 0)
	if err != nil {
		return nil, err
	}
	run := &conform.Options{
		Contract: c, Profile: conform.Profile(o.profile), Target: keyless(o.target.to), URL: t.url, Client: t.client, Timeout: o.target.timeout,
		Header: t.header, Scheme: t.signer.scheme, Secrets: t.signer.secrets, Settle: o.settle, Soak: o.soak, Budget: o.caseTime, Patience: patience, Limit: o.maxTime,
		Seed: o.seed, Salt: uint64(a.Now().UnixNano()), Now: a.Now, Wait: deliver.Sleep, Version: a.version(),
	}
	if !cmd.Flags().Changed("seed") {
		run.Seed = a.Seed()
	}
	if len(run.Secrets) == 0 && c.Signature != nil {
		run.Scheme = c.Signature.Scheme
	}
	if run.Retired, err = a.retired(o.retired); err != nil {
		return nil, err
	}
	if _, err := run.URL(c.Paths()[0]); err != nil {
		return nil, err
	}
	if run.Serves, err = serves(c, o.events); err != nil {
		return nil, err
	}
	run.Reproduce = a.reproduce(cmd, o, run.Seed)
	return run, a.hooks(run, o)
}

func (a *app) retired(files []string) ([]signature.Secret, error) {
	if len(files) == 0 {
		return nil, nil
	}
	return a.readSecrets(files)
}

// serves says which states the endpoint is told of.
func serves(c *contract.Contract, patterns []string) (func(*contract.State) bool, error) {
	wanted, err := eventFilter(c, patterns)
	return func(st *contract.State) bool { return wanted(st.Event) }, err
}

// reproduce is the command that repeats a case: the one that was typed, with the
// case in place of the first %s. Header values and queries may be secrets.
func (a *app) reproduce(cmd *cobra.Command, o *conformOptions, seed uint64) string {
	parts := []string{"paytest conform --case %s", a.quoted(keyless(o.target.to)), "--seed " + strconv.FormatUint(seed, 10)}
	add := func(name string, values ...string) {
		for _, v := range values {
			parts = append(parts, "--"+name+" "+a.quoted(v))
		}
	}
	add("secret-file", o.target.secrets.files...)
	add("retired-secret-file", o.retired...)
	for _, name := range []string{"signature", "probe-url", "probe-cmd", "probe-map", "restart-cmd", "fail-cmd", "timeout", "settle", "case-time", "soak", "cacert", "hostile-host"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			value := f.Value.String()
			if name == "probe-url" {
				value = keyless(value)
			}
			add(name, value)
		}
	}
	for _, h := range o.target.headers {
		name, _, _ := strings.Cut(h, ":")
		add("header", name+": …")
	}
	for _, h := range o.probeHeaders {
		name, _, _ := strings.Cut(h, ":")
		add("probe-header", name+": …")
	}
	if len(o.events) > 0 {
		add("events", strings.Join(o.events, ","))
	}
	for _, name := range []string{"insecure", "allow-remote", "no-signature"} {
		if cmd.Flags().Changed(name) {
			parts = append(parts, "--"+name)
		}
	}
	return strings.Join(parts, " ")
}

// conformed carries the cases out, tells of them and writes the reports.
func (a *app) conformed(ctx context.Context, run *conform.Options, o *conformOptions) error {
	outputs, err := outputs(o.reports, report.ConformFormats())
	if err != nil {
		return err
	}
	known, err := a.readBaseline(o.baseline)
	if err != nil {
		return err
	}
	a.conformHead(run)
	a.tellConform(run, known)
	r, err := conform.Run(ctx, *run)
	a.out.Status("")
	if r == nil {
		return conformFailure(err)
	}
	r.Compare(known)
	if err := a.write(outputs, func(w io.Writer, f report.Format) error { return report.WriteConform(w, f, r) }); err != nil {
		return err
	}
	if err := a.writeReports(nil, report.ConformSuite(r)); err != nil {
		return err
	}
	a.conformEnd(r, o)
	switch {
	case err != nil:
		return err
	case r.Judged() == 0 || len(r.Failures(conform.Severity(o.failOn))) > 0:
		return violated()
	}
	return nil
}

// conformFailure gives an error of conform.Run its exit code.
func conformFailure(err error) error {
	var f *deliver.Failure
	switch {
	case errors.Is(err, conform.ErrProbe):
		return usage("%w", err)
	case errors.As(err, &f) && f.Outcome == deliver.Unreachable:
		return &exitError{exitConnect, err}
	case errors.As(err, &f) && f.Outcome == deliver.Refused:
		return usage("%w", err)
	}
	return err
}

// readBaseline reads which cases failed in an earlier run.
func (a *app) readBaseline(name string) (map[string]bool, error) {
	if name == "" {
		return nil, nil //nolint:nilnil // nothing is known then
	}
	raw, err := a.readFile(name, maxData)
	if err != nil {
		return nil, usage("--baseline: %w", err)
	}
	var doc struct {
		Cases []struct {
			ID     string         `json:"id"`
			Status conform.Status `json:"status"`
		} `json:"cases"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil || doc.Cases == nil {
		return nil, usage("--baseline %s: it is no report of paytest conform --report json=%s", name, name)
	}
	known := map[string]bool{}
	for _, c := range doc.Cases {
		if c.Status == conform.Failed {
			known[c.ID] = true
		}
	}
	return known, nil
}
