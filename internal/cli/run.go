package cli

import (
	"path"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/scenario"
)

const (
	maxConcurrency = 1000
	maxShuffles    = 100_000
)

type runOptions struct {
	target      targetOptions
	allPaths    bool
	shuffle     int
	payments    int
	concurrency int
	minCoverage string
	speed       string
	seed        uint64
	now         string
	list        bool
	explain     bool
	schema      bool
	record      string
	reports     []string
	ui          string
}

func newRun(a *app) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [SCENARIO...]",
		Short: "Drive your endpoint through payments' whole lives",
		Long: `Drive your endpoint through payments' whole lives: built-in scenarios, or
your own YAML files. Each step is delivered as the gateway does it, with its
retries, and its answer is checked.

Time is virtual: payloads carry the documented rhythm (expiry after 30 minutes,
confirmations, retries), and the waits between them are skipped, unless --speed
says otherwise. Exit 0 when every answer was as expected, 1 when not, 3 when the
endpoint cannot be reached.`,
		Example: `  paytest run --list
  paytest run paid
  paytest run --all-paths --min-coverage 100% --report junit=out.xml
  paytest run paid --speed 60x --ui               watch it in the browser
  paytest run paid --shuffle 50        the same events in 50 other orders
  paytest run ./checkout.yaml --payments 200 --concurrency 20`,
		ValidArgsFunction: a.completeScenarios,
		RunE:              func(cmd *cobra.Command, args []string) error { return a.run(cmd, &o, args) },
	}
	o.target.flags(cmd, byContract)
	f := cmd.Flags()
	f.BoolVar(&o.allPaths, "all-paths", false, "walk every path through the state machine")
	f.IntVar(&o.shuffle, "shuffle", 0, "also deliver in this `number` of other orders, and shorten one that fails")
	f.IntVar(&o.payments, "payments", 1, "play each scenario with this `number` of payments")
	f.IntVar(&o.concurrency, "concurrency", 1, "play this `number` of payments at the same time")
	f.StringVar(&o.minCoverage, "min-coverage", "", "fail when the endpoint has accepted less than this `share` of the transitions, such as 100%")
	f.StringVar(&o.speed, "speed", "max", "run the virtual clock at this speed: 1x, 60x or max")
	f.Uint64Var(&o.seed, "seed", 0, "make the payments of this `number` (default random)")
	f.StringVar(&o.now, "now", "", "the `time` at which payments end (with --speed, begin), RFC 3339 or \"now\" (default now; with --seed the documented one)")
	f.BoolVar(&o.list, "list", false, "list the scenarios that are built in")
	f.BoolVar(&o.explain, "explain", false, "show the steps of the scenarios, and send nothing")
	f.BoolVar(&o.schema, "schema", false, "print the JSON Schema of scenario files, for editors")
	recordFlag(cmd, &o.record, "what is sent, and the answers,")
	uiFlag(cmd, &o.ui)
	reportFlag(cmd, &o.reports)
	once(cmd, "all-paths", "seed", "now", "list", "explain", "schema")
	for _, name := range []string{"shuffle", "payments", "concurrency", "min-coverage", "seed", "now"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
	_ = cmd.RegisterFlagCompletionFunc("speed", cobra.FixedCompletions([]string{"1x", "60x", "max"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) completeScenarios(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	all, err := scenario.Builtin(c, a.pack())
	if err != nil {
		return nil, cobra.ShellCompDirectiveDefault
	}
	var out []string
	for _, s := range all {
		out = append(out, s.Name+"\t"+s.Description)
	}
	return out, cobra.ShellCompDirectiveDefault
}

func (a *app) run(cmd *cobra.Command, o *runOptions, args []string) error {
	if o.schema {
		a.out.Raw(scenario.Schema())
		return nil
	}
	c, err := a.contract()
	if err != nil {
		return err
	}
	builtin, err := scenario.Builtin(c, a.pack())
	if err != nil {
		return usage("%w", err)
	}
	if o.list {
		a.listScenarios(builtin)
		return nil
	}
	chosen, err := a.chosen(c, o, builtin, args)
	if err != nil {
		return err
	}
	if o.explain {
		return a.explainScenarios(c, chosen)
	}
	r, err := a.newRunner(cmd, c, o)
	if err != nil {
		return err
	}
	defer r.close()
	if o.ui == "" {
		return r.all(cmd.Context(), chosen)
	}
	return r.shown(cmd.Context(), chosen)
}

// chosen finds the scenarios that are to be played: by name, by file, or all
// paths.
func (a *app) chosen(c *contract.Contract, o *runOptions, builtin []*scenario.Scenario, args []string) ([]*scenario.Scenario, error) {
	var out []*scenario.Scenario
	if o.allPaths {
		out = scenario.AllPaths(c, builtin)
	}
	for _, name := range args {
		s, err := a.findScenario(c, builtin, name)
		if err != nil {
			return nil, usage("%w", err)
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, usage("run what? It takes SCENARIO names, files or --all-paths; --list shows what is built in")
	}
	return out, nil
}

func (a *app) findScenario(c *contract.Contract, builtin []*scenario.Scenario, name string) (*scenario.Scenario, error) {
	ext := path.Ext(name)
	if ext != ".yaml" && ext != ".yml" && !strings.ContainsAny(name, `/\`) {
		return scenario.Find(builtin, name)
	}
	raw, err := a.readFile(name, scenario.MaxFileBytes)
	if err != nil {
		return nil, err
	}
	s, err := scenario.Parse(c, name, raw)
	if err != nil {
		return nil, err
	}
	return s, scenario.Judge(c, s) // before anything is sent
}

func (a *app) listScenarios(all []*scenario.Scenario) {
	for _, s := range all {
		a.out.Paragraph([]report.Span{report.S(report.Accent, "%s", report.Pad(s.Name, 26)), report.T("  ")}, strings.Repeat(" ", 28), s.Description)
	}
}

func (a *app) explainScenarios(c *contract.Contract, all []*scenario.Scenario) error {
	for i, s := range all {
		if i > 0 {
			a.out.Line()
		}
		plan, err := scenario.Plan(c, s, scenario.Options{Start: c.Epoch})
		if err != nil {
			return usage("%w", err)
		}
		a.out.Paragraph([]report.Span{report.S(report.Strong, "%s", s.Name), report.T("  ")}, "  ", s.Description)
		for _, p := range plan {
			expected := ""
			if p.Step.Send != nil {
				expected = "expects " + p.Step.Answer.String(c.Delivery.Success)
			}
			a.out.Line(report.S(report.Faint, "  %10s  ", p.At.Round(time.Second)), report.T("%s", report.Pad(p.Name(), 44)), report.S(report.Faint, "%s", expected))
		}
	}
	return nil
}
