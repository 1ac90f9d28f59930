package cli

import (
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
	"github.com/paytest/paytest/internal/verify"
)

type listenOptions struct {
	addr      string
	strict    string
	alwaysOK  bool
	output    string
	secrets   secretOptions
	record    string
	recordMax int64
	reports   []string
	ui        string

	forwardTo   string
	allowRemote bool
	events      []string
	states      []string

	respond string
	delay   time.Duration
	drop    bool

	expect    []string
	until     string
	maxEvents int
	timeout   time.Duration
	readyFile string
	exec      string
}

func newListen(a *app) *cobra.Command {
	var o listenOptions
	cmd := &cobra.Command{
		Use:   "listen [ADDR]",
		Short: "Receive webhooks and check each of them",
		Long: `Receive webhooks on the documented paths and check each: its form, signature,
its schema, the transition it reports, and whether it agrees with what is known
of its payment. The verdict does not depend on the order of arrival; duplicates,
late events and gaps are noted, contradictions are violations.

ADDR is :3000, 3000 or HOST:PORT. Without a host only this machine is served;
port 0 picks a free port. It ends with a summary when interrupted, or when what
was asked for has come: exit 0, or 1 if anything violated the contract, or 4 if
an expected event never came. Up to a million subjects are remembered at a time.
A delivery is to be whole within 7 seconds. Up to 1,000 connections are held:
for one more, that is closed which waits longest for its delivery.

Text that is read too slowly holds no answer back: deliveries are left out,
ordinary ones first, and a line says how many; the summary counts them all.
With --output ndjson none is left out: each is answered once it is written.`,
		Example: `  paytest listen :3000
  paytest listen :3000 --strict=order,gaps        late events and gaps fail, too
  paytest listen :3000 --forward-to :8080      your app answers, both are judged
  paytest listen :3000 --ui                       look at them in the browser
  paytest listen --expect "{subject} {state}" --timeout 60s
  paytest listen --respond 500:2/3                are failed deliveries retried?
  paytest listen --record webhooks.jsonl --output ndjson`,
		Args: address,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.addr = args[0]
			}
			return a.listen(cmd, &o)
		},
	}
	o.flags(a, cmd)
	return cmd
}

func (o *listenOptions) flags(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", ":3000", "listen on this `address` when no ADDR is given")
	strictFlag(cmd, &o.strict)
	f.BoolVar(&o.alwaysOK, "always-ok", false, "answer as if nothing had been found, and only report")
	f.StringVar(&o.output, "output", "text", "write text, quiet (the summary alone) or ndjson")
	o.secrets.flags(cmd)
	recordFlag(cmd, &o.record, "what is received; it is acknowledged only when it is written,")
	f.Int64Var(&o.recordMax, "record-max", 0, "start a new journal beyond this `number` of bytes, and keep nine old ones (default never)")
	reportFlag(cmd, &o.reports)
	uiFlag(cmd, &o.ui)
	f.StringVar(&o.forwardTo, "forward-to", "", "pass deliveries on to the endpoint at this `URL`, whose answer goes back")
	f.BoolVar(&o.allowRemote, "allow-remote", false, "allow --forward-to outside this machine and its private networks")
	f.StringSliceVar(&o.events, "events", nil, "take only these `events`, such as a.updated,b.*; others are answered, and no more")
	f.StringSliceVar(&o.states, "states", nil, "take only events that report these `states`; others are answered, and no more")
	f.StringVar(&o.respond, "respond", "", "answer this `status` whatever comes; 500:2/3 two of every three attempts at a delivery")
	f.DurationVar(&o.delay, "delay", 0, "wait this long before each answer")
	f.BoolVar(&o.drop, "drop", false, "close each connection without an answer; the same as --respond drop")
	f.Var(texts{&o.expect}, "expect", "end when this `event` has come, as 'SUBJECT STATE fact=value'; may be repeated")
	f.StringVar(&o.until, "until", "", "end when this `event` has come, whatever else is expected")
	f.IntVar(&o.maxEvents, "max-events", 0, "end after this `number` of deliveries")
	f.DurationVar(&o.timeout, "timeout", 0, "end after this long")
	f.StringVar(&o.readyFile, "ready-file", "", "write the URL to this `file` when deliveries are taken")
	f.StringVar(&o.exec, "exec", "", "start this `command` when deliveries are taken, with the URL in PAYTEST_URL and without "+SecretEnv+", and end with it")
	grouped(cmd, "What it answers:", "respond", "delay", "drop", "always-ok", "forward-to", "allow-remote")
	grouped(cmd, "When it ends:", "expect", "until", "max-events", "timeout", "ready-file", "exec")
	grouped(cmd, "What it writes:", "output", "record", "record-max", "report", "ui")
	once(cmd, "expect", "until", "max-events", "timeout", "ready-file", "exec")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "quiet", "ndjson"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("events", a.completeWords(func(c *contract.Contract) []string { return c.EventNames() }))
	_ = cmd.RegisterFlagCompletionFunc("states", a.completeWords(stateNames))
	expected := a.completeWords(func(c *contract.Contract) []string {
		var out []string
		for _, st := range c.States() {
			out = append(out, st.String())
		}
		return out
	})
	_ = cmd.RegisterFlagCompletionFunc("expect", expected)
	_ = cmd.RegisterFlagCompletionFunc("until", expected)
	for _, name := range []string{"addr", "record-max", "forward-to", "respond", "delay", "max-events", "timeout"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
}

func (a *app) completeWords(words func(*contract.Contract) []string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		c, err := a.contract()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(c), cobra.ShellCompDirectiveNoFileComp
	}
}

func stateNames(c *contract.Contract) []string {
	var out []string
	for _, st := range c.States() {
		if !slices.Contains(out, st.Name) {
			out = append(out, st.Name)
		}
	}
	return out
}

// urlEnv tells the program of --exec where to deliver.
const urlEnv = "PAYTEST_URL"

const allStrict = "all"

// notStrict catches "--strict order": with a space the word is an argument.
func notStrict(arg string) error {
	if _, err := parseStrict(arg); err == nil && arg != "" {
		return usage("%q stands alone: write --strict=%s", arg, arg)
	}
	return nil
}

// address takes at most one argument, the address.
func address(cmd *cobra.Command, args []string) error {
	for _, arg := range args {
		if err := notStrict(arg); err != nil {
			return err
		}
	}
	if len(args) == 2 && cmd.Flags().Changed("ui") {
		return usage("%q is a second address: if it is the page's, write --ui=%s", args[1], args[1])
	}
	return atMost(1)(cmd, args)
}

// strictFlag declares --strict, which listen and validate share.
func strictFlag(cmd *cobra.Command, strict *string) {
	cmd.Flags().StringVar(strict, "strict", "", "count these `findings` as violations, too: "+strings.Join(verify.StrictNames(), ", "))
	cmd.Flags().Lookup("strict").NoOptDefVal = allStrict
	_ = cmd.RegisterFlagCompletionFunc("strict", cobra.FixedCompletions(verify.StrictNames(), cobra.ShellCompDirectiveNoFileComp))
}

func parseStrict(s string) (verify.Strict, error) {
	var strict verify.Strict
	if s == "" {
		return strict, nil
	}
	if s == allStrict {
		s = strings.Join(verify.StrictNames(), ",")
	}
	for name := range strings.SplitSeq(s, ",") {
		if !strict.Enable(strings.TrimSpace(name)) {
			return strict, usage("--strict: unknown %q%s", name, suggest.Among(name, "it takes", verify.StrictNames()))
		}
	}
	return strict, nil
}

func (a *app) listen(cmd *cobra.Command, o *listenOptions) error {
	s, err := a.session(o)
	if err != nil {
		return err
	}
	defer s.close()
	ctx := cmd.Context()
	listeners, err := listen.Open(ctx, o.addr)
	switch {
	case errors.Is(err, listen.ErrAddress):
		return usage("%w", err)
	case err != nil:
		return &exitError{exitConnect, err}
	}
	if err = s.otherThan(listeners); err == nil {
		err = s.openUI(ctx, listeners[0].Addr().String())
	}
	if err != nil {
		closeAll(listeners)
		return err
	}
	return s.serve(ctx, listeners)
}

func closeAll(listeners []net.Listener) {
	for _, ln := range listeners {
		_ = ln.Close()
	}
}

// otherThan refuses to forward to the session itself.
func (s *session) otherThan(listeners []net.Listener) error {
	if s.o.forwardTo == "" {
		return nil
	}
	u, err := deliver.ResolveURL(s.o.forwardTo, s.c.Paths()[0])
	if err != nil {
		return usage("--forward-to: %w", err)
	}
	for _, ln := range listeners {
		host, port, _ := net.SplitHostPort(ln.Addr().String())
		if u.Port() == port && (u.Hostname() == host || u.Hostname() == "localhost") {
			return usage("--forward-to %s is where this listens: give the URL of your endpoint, or listen on another port", s.o.forwardTo)
		}
	}
	return nil
}

func (s *session) ready(listeners []net.Listener) {
	urls := make([]string, len(listeners))
	for i, ln := range listeners {
		urls[i] = "http://" + ln.Addr().String()
	}
	if s.o.output == "ndjson" {
		line := map[string]any{"addr": listeners[0].Addr().String(), "urls": urls, "version": s.version()}
		if s.ui != nil {
			line["ui"] = s.ui.url
		}
		s.out.JSON("ready", line)
		return
	}
	if s.ui != nil {
		s.ui.told(s.app)
	}
	s.err.Line(report.T("listening on "), report.S(report.Strong, "%s", strings.Join(urls, " and ")))
	for _, path := range s.c.Paths() {
		s.err.Line(report.T("  POST %s", report.Pad(path, 32)), report.S(report.Faint, "%s", strings.Join(eventsAt(s.c, path), ", ")))
	}
	s.err.Line(report.S(report.Faint, "Ctrl-C ends it with a summary"))
}

func eventsAt(c *contract.Contract, path string) []string {
	var out []string
	for _, name := range c.EventNames() {
		if c.Event(name)[0].Path == path {
			out = append(out, name)
		}
	}
	return out
}

// summary ends a session that judged payloads.
func (a *app) summary(noun string, asJSON bool, totals report.Totals, s verify.Summary) error {
	totals.Gaps(s)
	if asJSON {
		a.out.JSON("summary", report.SummaryJSON{Totals: totals, Summary: s})
	} else {
		a.out.Summary(noun, totals, s)
	}
	if totals.Violations > 0 {
		return violated()
	}
	return nil
}

// client for --forward-to.
func (a *app) forwarder(c *contract.Contract, o *listenOptions) (*deliver.Client, error) {
	client, err := deliver.New(deliver.Options{Timeout: c.Delivery.Timeout, AllowRemote: o.allowRemote, UserAgent: "paytest/" + a.version(), MaxBody: 1 << 20, Now: a.Now})
	if err != nil {
		return nil, usage("%w", err)
	}
	for _, p := range c.Paths() {
		if _, err := deliver.ResolveURL(o.forwardTo, p); err != nil {
			return nil, usage("--forward-to: %w", err)
		}
	}
	return client, nil
}
