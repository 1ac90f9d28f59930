package cli

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/scenario"
)

type replayOptions struct {
	target   targetOptions
	speed    string
	resign   bool
	restamp  bool
	freshIDs bool
	seed     uint64
	reports  []string
}

func newReplay(a *app) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Send recorded webhooks again, and compare the answers",
		Long: `Send the webhooks of a journal again, byte for byte and with their headers, and
compare each answer with the recorded one: same, fixed or regressed. Exit 1 when
one regressed.

A receiver that knows the payments will take them for duplicates: --fresh-ids
makes new payments of them, --restamp makes them happen now, and --resign signs
them anew, which both need where signatures are checked.`,
		Example: `  paytest replay webhooks.jsonl --to http://localhost:8080
  paytest replay webhooks.jsonl --speed 1x              in the recorded rhythm
  paytest replay webhooks.jsonl --fresh-ids --restamp   as new payments`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.replay(cmd, &o, args) },
	}
	o.target.flags(cmd, "0")
	f := cmd.Flags()
	f.StringVar(&o.speed, "speed", "max", "keep the recorded rhythm at this speed: 1x, 60x or max")
	f.BoolVar(&o.resign, "resign", false, "sign anew with the secret, in place of the recorded signature")
	f.BoolVar(&o.restamp, "restamp", false, "shift the times in the payloads, so that the first happens now")
	f.BoolVar(&o.freshIDs, "fresh-ids", false, "give the payments new identifiers and hashes")
	f.Uint64Var(&o.seed, "seed", 0, "make the new identifiers of this `number` (default random)")
	reportFlag(cmd, &o.reports)
	once(cmd, "resign", "restamp", "fresh-ids", "seed")
	noFiles(cmd, "seed", cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("speed", cobra.FixedCompletions([]string{"1x", "60x", "max"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// replayer sends the records of a journal.
type replayer struct {
	*app
	c       *contract.Contract
	t       *target
	o       *replayOptions
	clock   scenario.Wait
	renewal journal.Renewal
	first   time.Time
	started time.Time
	suite   report.Suite
	counts  map[string]int
}

func (a *app) replay(cmd *cobra.Command, o *replayOptions, args []string) error {
	if len(args) == 0 {
		return usage("replay what? It takes a journal, as --record writes it")
	}
	c, err := a.contract()
	if err != nil {
		return err
	}
	r := &replayer{app: a, c: c, o: o, started: a.Now(), counts: map[string]int{}}
	if r.clock, _, err = clock(o.speed); err != nil {
		return err
	}
	outs, err := outputs(o.reports, report.Formats())
	if err != nil {
		return err
	}
	if r.t, err = a.target(c, cmd, &o.target, 0); err != nil {
		return err
	}
	defer r.t.client.Close()
	if o.resign && len(r.t.signer.secrets) == 0 {
		return usage("--resign needs a secret: give --secret-file, or set %s", SecretEnv)
	}
	if !o.resign {
		r.t.signer.secrets = nil
	}
	if !cmd.Flags().Changed("seed") {
		o.seed = a.Seed()
	}
	r.renewal = journal.Renewal{IDs: o.freshIDs, Seed: []byte(strconv.FormatUint(o.seed, 10))}
	entries, err := a.journalEntries(args[0])
	if err != nil {
		return err
	}
	return r.all(cmd.Context(), args[0], entries, outs)
}

// journalEntries reads a whole journal; a torn last line is told and left out.
func (a *app) journalEntries(name string) ([]journal.Entry, error) {
	in := a.In
	if name != "-" {
		f, err := a.Open(name)
		if err != nil {
			return nil, usage("%w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	var out []journal.Entry
	for e, err := range journal.Read(in) {
		if err != nil && isTorn(err) {
			a.err.Line(report.S(report.Caution, "note:"), report.T(" %s ends in half a line, which is left out", name))
			continue
		}
		if err != nil {
			return nil, journalError(name, err)
		}
		out = append(out, e)
	}
	if len(out) == 0 {
		return nil, usage("%s holds no delivery: it takes a journal, as --record writes it", name)
	}
	return out, nil
}

func (r *replayer) all(ctx context.Context, name string, entries []journal.Entry, outs []report.Output) error {
	r.first = entries[0].Time
	if r.o.restamp {
		happened, ok := journal.Moment(r.c, entries[0].Body)
		if !ok {
			happened = r.first
		}
		r.renewal.Shift = r.started.Sub(happened).Truncate(time.Millisecond)
	}
	r.suite = report.Suite{Name: "paytest replay", Started: r.started, Properties: [][2]string{{"journal", name}, {"target", keyless(r.t.to)}, {"version", r.version()}}}
	var passed time.Duration
	for _, e := range entries {
		if why := r.unsendable(e); why != "" {
			r.skip(e, why)
			continue
		}
		if due := e.Time.Sub(r.first); due > passed {
			if err := r.clock(ctx, due-passed); err != nil {
				return err
			}
			passed = due
		}
		if err := r.one(ctx, e); err != nil {
			return err
		}
	}
	r.suite.Duration = r.Now().Sub(r.started)
	if err := r.writeReports(outs, r.suite); err != nil {
		return err
	}
	style := report.Good
	if r.counts[regressed] > 0 {
		style = report.Bad
	}
	r.out.Line(report.T("%s again: %d same, %d fixed, ", deliveries(len(entries)-r.counts[skipped]), r.counts[same], r.counts[fixed]), report.S(style, "%d regressed", r.counts[regressed]),
		report.T(", %d changed", r.counts[changed]))
	if r.counts[regressed] > 0 {
		return violated()
	}
	return nil
}

func deliveries(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return fmt.Sprintf("%d deliveries", n)
}

// The ways in which an answer compares with the recorded one.
const (
	same      = "same"
	fixed     = "fixed"
	regressed = "regressed"
	changed   = "changed"
	skipped   = "skipped"
)

// unsendable says why a record cannot be sent again as it came, or nothing.
func (r *replayer) unsendable(e journal.Entry) string {
	switch _, err := r.t.url(e.Path); {
	case err != nil && !slices.Contains(r.c.Paths(), e.Path):
		return "its path is none that can be sent to"
	case e.Redacted != "":
		return e.Redacted
	case e.Method != http.MethodPost && e.Method != "":
		return "it was no POST, as a delivery is"
	}
	return ""
}

func (r *replayer) skip(e journal.Entry, why string) {
	r.counts[skipped]++
	r.out.Line(report.S(report.Caution, "%-9s", skipped), report.T("  line %-5d %s", e.Line, report.Pad(named(e), 24)), report.S(report.Faint, "  %s", why))
	r.suite.Cases = append(r.suite.Cases, report.Case{Class: "paytest.replay", Name: fmt.Sprintf("line %d %s", e.Line, named(e)), Status: report.Skipped, Message: why})
}

// compare says how an answer compares with the recorded one: fixed and regressed
// are about what counts as delivered.
func compare(before, now int, success []int) string {
	was, is := slices.Contains(success, before), slices.Contains(success, now)
	switch {
	case before == now:
		return same
	case was && !is:
		return regressed
	case !was && is:
		return fixed
	}
	return changed
}

func (r *replayer) one(ctx context.Context, e journal.Entry) error {
	u, err := r.t.url(e.Path)
	if err != nil {
		return err
	}
	body := r.renewal.Renew(r.c, e.Body)
	t := *r.t
	if t.header, err = r.headers(e.Headers); err != nil {
		return usage("%w", err)
	}
	d := t.deliver(ctx, delivery{nil, u, body}, t.policy, deliver.NoFault, nil, nil)
	last := d.Attempts[len(d.Attempts)-1]
	switch last.Outcome {
	case deliver.Unreachable:
		return &exitError{exitConnect, last.Err}
	case deliver.Refused:
		return &exitError{exitUsage, last.Err}
	case deliver.Canceled:
		return ctx.Err()
	default:
	}
	if last.Outcome != deliver.Answered {
		last.Status = 0 // a status without its answer is none
	}
	if e.Direction == journal.Sent && !e.OK && slices.Contains(r.t.success, e.Answer.Status) {
		e.Answer.Status = 0 // neither was it then
	}
	how := compare(e.Answer.Status, last.Status, r.t.success)
	r.counts[how]++
	r.tell(e, how, last)
	return nil
}

func (r *replayer) tell(e journal.Entry, how string, last deliver.Result) {
	style := map[string]report.Style{same: report.Faint, fixed: report.Good, regressed: report.Bad, changed: report.Caution}[how]
	what := named(e)
	r.out.Line(report.S(style, "%-9s", how), report.T("  line %-5d %s", e.Line, report.Pad(what, 24)), report.T("  %s → %s", answered(e.Answer.Status), answered(last.Status)), report.S(report.Faint, "  %s", report.Duration(last.Latency)))
	c := report.Case{Class: "paytest.replay", Name: fmt.Sprintf("line %d %s", e.Line, what), Status: report.Passed, Input: string(e.Body), Duration: last.Latency}
	if how == regressed {
		c.Status, c.Message = report.Failed, fmt.Sprintf("answered %s; recorded was %s", answered(last.Status), answered(e.Answer.Status))
	}
	r.suite.Cases = append(r.suite.Cases, c)
}

// named says in the user's words what a record holds.
func named(e journal.Entry) string {
	if what := strings.TrimSpace(e.Subject + " " + strings.ToLower(e.State)); what != "" {
		return what
	}
	return e.Path
}

func answered(status int) string {
	if status == 0 {
		return "no answer"
	}
	return strconv.Itoa(status)
}

// headers are the recorded ones, but for those of the connection and, where it is
// signed anew, all that belongs to the old signature; the user's own replace them.
func (r *replayer) headers(recorded http.Header) (http.Header, error) {
	out := canonical(passed(recorded))
	signed, err := r.t.signer.sign(http.Header{}, nil)
	if err != nil {
		return nil, err
	}
	for name := range signed {
		out.Del(name)
	}
	withoutHidden(out)
	for name, values := range r.t.header {
		out.Del(name)
		out[name] = values
	}
	return out, nil
}
