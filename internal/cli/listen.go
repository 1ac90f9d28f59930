package cli

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

type listenOptions struct {
	addr     string
	strict   string
	alwaysOK bool
	output   string
}

func newListen(a *app) *cobra.Command {
	var o listenOptions
	cmd := &cobra.Command{
		Use:   "listen [ADDR]",
		Short: "Receive webhooks and check each of them",
		Long: `Receive webhooks on the documented paths and check each: its form, its schema,
the transition it reports, and whether it agrees with what is known of its
payment. The verdict does not depend on the order of arrival; duplicates, late
events and gaps are noted, contradictions are violations.

ADDR is :3000, 3000 or HOST:PORT. Without a host only this machine is served;
port 0 picks a free port. Ctrl-C ends it with a summary: exit 0, or 1 if
anything violated the contract. Up to 100000 subjects are remembered at a time.`,
		Example: `  paytest listen :3000
  paytest listen :3000 --strict=order,gaps    late events and gaps fail, too
  paytest listen :0 --output ndjson           for a program to read`,
		Args: atMost(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.addr = args[0]
				if err := notStrict(o.addr); err != nil {
					return err
				}
			}
			return a.listen(cmd.Context(), &o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.addr, "addr", ":3000", "listen on this `address` when no ADDR is given")
	strictFlag(cmd, &o.strict)
	f.BoolVar(&o.alwaysOK, "always-ok", false, "answer as if nothing had been found, and only report")
	f.StringVar(&o.output, "output", "text", "write text, quiet (the summary alone) or ndjson")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "quiet", "ndjson"}, cobra.ShellCompDirectiveNoFileComp))
	noFiles(cmd, "addr", cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

const allStrict = "all"

// notStrict catches "--strict order": with a space the word is an argument.
func notStrict(arg string) error {
	if slices.Contains(verify.StrictNames(), arg) || arg == allStrict {
		return usage("%q stands alone: write --strict=%s", arg, arg)
	}
	return nil
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
			return strict, usage("--strict: unknown %q%s", name, choices(name, "it takes", verify.StrictNames()))
		}
	}
	return strict, nil
}

func (a *app) listen(ctx context.Context, o *listenOptions) error {
	if err := oneOf("output", o.output, "text", "quiet", "ndjson"); err != nil {
		return err
	}
	strict, err := parseStrict(o.strict)
	if err != nil {
		return err
	}
	c, err := a.contract()
	if err != nil {
		return err
	}
	checker := verify.NewChecker(c, strict)
	var totals report.Totals
	h := listen.New(listen.Options{
		Contract: c, Checker: checker, AlwaysOK: o.alwaysOK, Now: a.Now,
		OnDelivery: func(d listen.Delivery) {
			totals.Add(d.Verdict)
			a.received(report.Delivery(d), o.output)
		},
	})
	listeners, err := listen.Open(ctx, o.addr)
	switch {
	case errors.Is(err, listen.ErrAddress):
		return usage("%w", err)
	case err != nil:
		return &exitError{exitConnect, err}
	}
	a.ready(c, listeners, o.output)
	if err := listen.Serve(ctx, listeners, h); err != nil {
		return &exitError{exitConnect, err}
	}
	return a.summary("delivery", o.output == "ndjson", totals, checker.Summary())
}

func (a *app) ready(c *contract.Contract, listeners []net.Listener, output string) {
	urls := make([]string, len(listeners))
	for i, ln := range listeners {
		urls[i] = "http://" + ln.Addr().String()
	}
	if output == "ndjson" {
		a.out.JSON("ready", map[string]any{"addr": listeners[0].Addr().String(), "urls": urls, "version": a.version()})
		return
	}
	a.err.Line(report.T("listening on "), report.S(report.Strong, "%s", strings.Join(urls, " and ")))
	for _, path := range c.Paths() {
		a.err.Line(report.T("  POST %-32s", path), report.S(report.Faint, "%s", strings.Join(eventsAt(c, path), ", ")))
	}
	a.err.Line(report.S(report.Faint, "Ctrl-C ends it with a summary"))
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

func (a *app) received(d report.Delivery, output string) {
	switch output {
	case "text":
		a.out.Delivery(d)
	case "ndjson":
		a.out.JSON("delivery", report.NewDeliveryJSON(d))
	}
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
