package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/suggest"
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

URL is where your server is, http://localhost:3000 without one; the documented
path is appended to a URL without a path, and one with a path gets all events.

Effects are asked from your own application: --probe-url or --probe-cmd return
JSON with the state of an order and the sums credited and refunded. Without a
probe, a case whose point is the effect is unproven, never passed.

Payments are made for the test: their customers and titles start with "paytest".
Exit 0 when no case failed, 1 when one did or nothing could be tested, 3 when
the endpoint cannot be reached.`,
		Example: `  paytest conform http://localhost:3000 --secret-file secret.txt
  paytest conform --probe-url 'http://localhost:3000/orders/{id}'
  paytest conform --profile full --report html=conform.html --report junit=conform.xml
  paytest conform --case I02 --seed 7     one case again
  paytest conform --list                  what is tested, and why`,
		Args:              atMost(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.conform(cmd, &o, args) },
	}
	o.target.reach(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&o.retired, "retired-secret-file", nil, "the secret in this `file` is no longer in use: signatures by it must be refused")
	f.StringVar(&o.profile, "profile", string(conform.Core), "carry out the cases of this `profile`: core (quick and safe), full, or hostile (may harm a fragile server)")
	f.StringSliceVar(&o.only, "only", nil, "carry out only these cases or `categories`")
	f.StringSliceVar(&o.skip, "skip", nil, "leave out these cases or `categories`")
	f.StringSliceVar(&o.cases, "case", nil, "carry out these `cases` alone, whatever the profile")
	f.StringSliceVar(&o.events, "events", nil, "the endpoint serves only these `events`")
	f.Uint64Var(&o.seed, "seed", 0, "a `number`: the same makes the same payments (default random)")
	f.StringVar(&o.probeURL, "probe-url", "", "ask this `URL` for a payment's effect; {id} is the payment, {customer} its customer")
	f.StringArrayVar(&o.probeHeaders, "probe-header", nil, "send this header to the probe, as `'Name: value'`; may be repeated")
	f.StringVar(&o.probeCmd, "probe-cmd", "", "run this `command` for a payment's effect; PAYTEST_ID is the payment, PAYTEST_CUSTOMER its customer")
	f.StringVar(&o.probeMap, "probe-map", "", "where the effect stands in the probe's JSON, as a `map`: state=PATH,credited=PATH; members are state, credited, refunded, deliveries, balance")
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
	once(cmd, "case", "seed", "list", "hostile-host")
	for _, name := range []string{"seed", "probe-url", "probe-header", "probe-cmd", "probe-map", "settle", "restart-cmd", "fail-cmd", "soak", "case-time", "max-time", "hostile-host"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = cmd.RegisterFlagCompletionFunc("profile", cobra.FixedCompletions(conform.Profiles(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(conform.Severities(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("events", a.completeEvents)
	for _, name := range []string{"case", "only", "skip"} {
		_ = cmd.RegisterFlagCompletionFunc(name, a.completeCases)
	}
	return cmd
}

func (a *app) completeEvents(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return c.EventNames(), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) completeCases(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	catalog, err := conform.Load(c, a.pack())
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
	catalog, err := conform.Load(c, a.pack())
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
	if o.target.to = "http://localhost:3000"; len(args) > 0 {
		o.target.to = args[0]
	}
	t, err := a.target(c, cmd, &o.target, 0)
	if err != nil {
		return nil, err
	}
	run := &conform.Options{
		Contract: c, Profile: conform.Profile(o.profile), Target: o.target.to, URL: t.url, Client: t.client, Timeout: o.target.timeout,
		Header: t.header, Scheme: t.signer.scheme, Secrets: t.signer.secrets, Settle: o.settle, Soak: o.soak, Budget: o.caseTime, Patience: patience, Limit: o.maxTime,
		Seed: o.seed, Salt: uint64(a.Now().UnixNano()), Now: a.Now, Wait: deliver.Sleep, Version: a.version(),
	}
	if !cmd.Flags().Changed("seed") {
		run.Seed = a.Seed()
	}
	if len(run.Secrets) == 0 && c.Signature != nil {
		run.Scheme = signature.HMACHeader(c.Signature.Header, "", signature.Hex)
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
	run.Reproduce = reproduce(cmd, o, run.Seed)
	return run, a.hooks(run, o)
}

func (a *app) retired(files []string) ([]signature.Secret, error) {
	if len(files) == 0 {
		return nil, nil
	}
	return a.readSecrets(files)
}

func serves(c *contract.Contract, events []string) (func(*contract.State) bool, error) {
	for _, name := range events {
		if len(c.Event(name)) == 0 {
			return nil, usage("--events: there is no event %q%s", name, suggest.Among(name, "events", c.EventNames()))
		}
	}
	return func(st *contract.State) bool { return len(events) == 0 || slices.Contains(events, st.Event) }, nil
}

// reproduce is the command that repeats a case: the one that was typed, with the
// case in place of the first %s. Header values may be secrets.
func reproduce(cmd *cobra.Command, o *conformOptions, seed uint64) string {
	parts := []string{"paytest conform --case %s", quoted(o.target.to), "--seed " + strconv.FormatUint(seed, 10)}
	add := func(name string, values ...string) {
		for _, v := range values {
			parts = append(parts, "--"+name+" "+quoted(v))
		}
	}
	add("secret-file", o.target.secrets.files...)
	add("retired-secret-file", o.retired...)
	for _, name := range []string{"signature", "probe-url", "probe-cmd", "probe-map", "restart-cmd", "fail-cmd", "timeout", "settle", "case-time", "soak", "cacert", "hostile-host"} {
		if f := cmd.Flags().Lookup(name); f.Changed {
			add(name, f.Value.String())
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

// quoted writes a word so that a shell reads it back.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-,=") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// hooks adds what asks and commands the merchant's application.
func (a *app) hooks(run *conform.Options, o *conformOptions) error {
	var err error
	if run.Mapping, err = conform.ParseMapping(o.probeMap); err != nil {
		return usage("--probe-map: %w", err)
	}
	switch {
	case o.probeURL != "" && o.probeCmd != "":
		return usage("--probe-url and --probe-cmd exclude each other: give one of them")
	case o.probeURL != "":
		if run.Probe, err = a.urlProbe(run, o); err != nil {
			return err
		}
	case o.probeCmd != "":
		run.Probe = a.cmdProbe(run, o)
	case o.probeMap != "":
		return usage("--probe-map needs a --probe-url or --probe-cmd")
	}
	if o.restartCmd != "" {
		run.Restart = a.hook("restart-cmd", o.restartCmd)
	}
	if o.failCmd != "" {
		run.Break = a.hook("fail-cmd", o.failCmd)
	}
	return nil
}

func (a *app) hook(flag, line string) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := a.Output(ctx, line, nil); err != nil {
			return fmt.Errorf("--%s %s: %w", flag, line, err)
		}
		return nil
	}
}

// probeFacts are the identifiers a probe is given, by the name it knows them by.
func probeFacts(c *contract.Contract, facts map[string]string) (id, customer string) {
	if c.Roles.Customer != nil {
		customer = facts[c.Roles.Customer.Name]
	}
	return facts[c.Subjects[0].ID.Name], customer
}

func (a *app) urlProbe(run *conform.Options, o *conformOptions) (conform.Probe, error) {
	header, err := headers(o.probeHeaders)
	if err != nil {
		return nil, err
	}
	fill := func(facts map[string]string) (*url.URL, error) {
		id, customer := probeFacts(run.Contract, facts)
		pairs := []string{"{id}", url.PathEscape(id), "{customer}", url.PathEscape(customer)}
		for name, value := range facts {
			pairs = append(pairs, "{"+name+"}", url.PathEscape(value))
		}
		filled := strings.NewReplacer(pairs...).Replace(o.probeURL)
		if filled == o.probeURL {
			return nil, usage("--probe-url %s has no {id}: say where the payment's identifier goes", o.probeURL)
		}
		u, err := deliver.ResolveURL(filled, "/")
		if err != nil {
			return nil, usage("--probe-url: %w", err)
		}
		return u, nil
	}
	example := map[string]string{}
	for _, f := range run.Contract.Facts {
		example[f.Name] = "x"
	}
	if _, err := fill(example); err != nil {
		return nil, err
	}
	return func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
		u, err := fill(facts)
		if err != nil {
			return nil, false, err
		}
		r := run.Client.Get(ctx, u, header)
		switch {
		case r.Err != nil:
			return nil, false, r.Err
		case r.Status == http.StatusNotFound:
			return nil, false, nil
		case r.Status != http.StatusOK:
			return nil, false, fmt.Errorf("it answered %d; expected 200 with JSON, or 404 for an order nobody knows", r.Status)
		case r.Truncated:
			return nil, false, fmt.Errorf("its answer is longer than %d bytes", len(r.Body))
		}
		return r.Body, true, nil
	}, nil
}

func (a *app) cmdProbe(run *conform.Options, o *conformOptions) conform.Probe {
	return func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
		id, customer := probeFacts(run.Contract, facts)
		out, err := a.Output(ctx, o.probeCmd, []string{"PAYTEST_ID=" + id, "PAYTEST_CUSTOMER=" + customer})
		if err != nil {
			return nil, false, fmt.Errorf("--probe-cmd: %w", err)
		}
		out = bytes.TrimSpace(out)
		return out, len(out) > 0 && string(out) != "null", nil
	}
}

// mayBeHostile refuses hostile cases against a host that the user has not shown
// to be his own.
func (a *app) mayBeHostile(ctx context.Context, run *conform.Options, o *conformOptions) error {
	if !slices.ContainsFunc(run.Cases, func(spec *conform.Case) bool { return spec.Profile == conform.Hostile }) {
		return nil
	}
	u, err := run.URL(run.Contract.Paths()[0])
	if err != nil {
		return err
	}
	if !o.target.allowRemote || run.Client.CheckLocal(ctx, u) == nil {
		return nil // the guard refuses what is not local
	}
	host := u.Hostname()
	if o.hostileHost != host {
		return usage("hostile cases may harm %s, which is remote: add --hostile-host %s if it is yours", host, host)
	}
	sum := sha256.Sum256([]byte("paytest hostile cases against " + host))
	nonce, at := hex.EncodeToString(sum[:16]), *u
	at.Path, at.RawPath, at.RawQuery = "/.well-known/paytest-hostile", "", ""
	if r := run.Client.Get(ctx, &at, http.Header{}); r.Status != http.StatusOK || strings.TrimSpace(string(r.Body)) != nonce {
		return usage("hostile cases need a sign that %s is yours: let it serve the text %s at %s", host, nonce, at.String())
	}
	return nil
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
	if err := a.conformReports(outputs, r); err != nil {
		return err
	}
	a.conformEnd(r, o)
	switch {
	case err != nil:
		return err
	case r.Problem != "" || len(r.Failures(conform.Severity(o.failOn))) > 0:
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

func (a *app) conformHead(run *conform.Options) {
	seen := report.S(report.Good, "effects seen by the probe")
	if run.Probe == nil {
		seen = report.S(report.Caution, "no probe: effects cannot be seen")
	}
	a.out.Flow("  ", report.S(report.Strong, "%s", run.Target), report.T("  %s, seed %d, ", plural(len(run.Cases), "case"), run.Seed), seen)
	a.out.Line()
}

// maxShownDoubts is how many unproven cases are named.
const maxShownDoubts = 8

func (a *app) conformEnd(r *conform.Report, o *conformOptions) {
	if r.Problem != "" {
		a.out.Paragraph([]report.Span{report.S(report.Bad, "nothing was tested: ")}, "  ", r.Problem)
		return
	}
	a.out.ConformTable(r)
	a.out.Line()
	a.conformRest(r)
	if len(r.Mended) > 0 {
		a.out.Paragraph([]report.Span{report.S(report.Good, "fixed "), report.T("since %s: ", o.baseline)}, "  ", strings.Join(r.Mended, " ")+"; write it anew with --report json="+o.baseline)
	}
	passed, of := r.Score()
	style := report.Good
	if len(r.Failures(conform.Low)) > 0 || r.Problem != "" {
		style = report.Bad
	}
	a.out.Line(report.S(style, "%d of %d passed", passed, of), report.T(", %d failed, %d unproven, %d not run", r.Count("", conform.Failed), r.Count("", conform.Unproven), r.Count("", conform.NotRun)),
		report.S(report.Faint, "; %s", report.Duration(r.Duration)))
	if known := r.Count("", conform.Failed) - len(r.Failures(conform.Low)); known > 0 {
		a.out.Line(report.S(report.Caution, "%d of the failures known", known), report.T(" from %s", o.baseline))
	}
}

// conformRest tells of the notes, and why cases are unproven or not run.
func (a *app) conformRest(r *conform.Report) {
	why := map[string][]string{}
	var order []string
	for _, res := range r.Results {
		for _, n := range res.Notes {
			if res.Status == conform.Failed {
				continue // what is wrong has been said
			}
			a.out.Paragraph([]report.Span{report.S(report.Faint, "note  "), report.S(report.Strong, "%s", res.Case.ID), report.T("  ")}, "      ", n)
		}
		if r.Problem == "" && (res.Status == conform.Unproven || res.Status == conform.NotRun) {
			key := string(res.Status) + ": " + res.Problem
			if why[key] == nil {
				order = append(order, key)
			}
			why[key] = append(why[key], res.Case.ID)
		}
	}
	for _, key := range order {
		ids := why[key]
		names := strings.Join(ids[:min(len(ids), maxShownDoubts)], " ")
		if more := len(ids) - maxShownDoubts; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		a.out.Paragraph([]report.Span{report.S(report.Caution, "%s ", strings.Replace(key[:strings.Index(key, ":")], "-", " ", 1)), report.T("%s: ", names)}, "  ", key[strings.Index(key, ":")+2:])
	}
}

func (a *app) conformReports(outputs []report.Output, r *conform.Report) error {
	for _, o := range outputs {
		var b bytes.Buffer
		if err := report.WriteConform(&b, o.Format, r); err != nil {
			return err
		}
		if err := a.WriteFile(o.Path, b.Bytes()); err != nil {
			return usage("--report %s=%s: %w", o.Format, o.Path, err)
		}
	}
	return a.writeReports(nil, report.ConformSuite(r))
}

// tellConform tells of each case that fails when it does, and on a terminal of
// what is going on.
func (a *app) tellConform(run *conform.Options, known map[string]bool) {
	shown := &conform.Report{Reproduce: run.Reproduce}
	ci, _ := a.LookupEnv("CI")
	quiet := ci != "" && ci != "false"
	run.OnCase = func(spec *conform.Case, n, of int) {
		if a.OutTerminal && !quiet {
			a.out.Status(fmt.Sprintf("%d of %d  %s %s", n, of, spec.ID, spec.Sent))
		}
	}
	run.OnResult = func(res conform.Result) {
		if res.Status == conform.Failed {
			a.out.Status("")
			res.Known = known[res.Case.ID]
			a.out.ConformFailure(shown, res)
		}
	}
}
