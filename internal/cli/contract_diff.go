package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/compat"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
)

// The values of --fail-on.
const (
	failAny       = "any"
	failReceivers = "receivers"
	failSenders   = "senders"
	failNone      = "none"
)

type diffOptions struct{ output, failOn string }

func newContractDiff(a *app) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:   "diff DIR1 DIR2",
		Short: "Say what changed between two packs, and whom it breaks",
		Long: `Say what changed from one pack to another, and whom that breaks: receivers, who
get what the old contract did not allow, or senders, who may no longer do what
they did. ` + builtIn + ` stands for the built-in contract.

Exit 0 when nobody is broken, 1 when somebody is, 2 when one is no sound pack.`,
		Example: `  paytest contract diff built-in ./next
  paytest contract diff ./v1 ./v2 --fail-on receivers --output json`,
		Args:              atMost(2),
		ValidArgsFunction: folders(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usage("it takes two folders, the old and the new; %s stands for the built-in contract", builtIn)
			}
			return a.diff(args[0], args[1], o)
		},
	}
	sides := []string{failAny, failReceivers, failSenders, failNone}
	cmd.Flags().StringVar(&o.output, "output", "text", "write `text` or json")
	cmd.Flags().StringVar(&o.failOn, "fail-on", failAny, "exit 1 when this `side` is broken: any, receivers, senders or none")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(sides, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) diff(from, to string, o diffOptions) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	if err := oneOf("fail-on", o.failOn, failAny, failReceivers, failSenders, failNone); err != nil {
		return err
	}
	before, err := a.sound(from)
	if err != nil {
		return err
	}
	after, err := a.sound(to)
	if err != nil {
		return err
	}
	changes := compat.Compare(before, after)
	var broken compat.Breaks
	for _, c := range changes {
		broken.Receivers = broken.Receivers || c.Breaks.Receivers
		broken.Senders = broken.Senders || c.Breaks.Senders
	}
	if o.output == "json" {
		a.diffJSON(from, to, changes, broken)
	} else {
		a.diffText(changes)
	}
	if o.failOn == failAny && broken.Any() || o.failOn == failReceivers && broken.Receivers || o.failOn == failSenders && broken.Senders {
		return violated()
	}
	return nil
}

// sound loads the pack that a user names.
func (a *app) sound(name string) (*contract.Contract, error) {
	c, err := contract.Load(a.packOf(name))
	if err != nil {
		return nil, usage("%s: %w; paytest contract lint %s tells all", name, err, a.quoted(name))
	}
	return c, nil
}

func (a *app) diffText(changes []compat.Change) {
	counts := map[compat.Breaks]int{}
	about := ""
	for _, c := range changes {
		counts[c.Breaks]++
		if c.About != about {
			a.out.Line(report.S(report.Strong, "%s", c.About))
			about = c.About
		}
		style := report.Bad
		if !c.Breaks.Any() {
			style = report.Faint
		}
		text := c.Message
		if len(c.Pointer) > 0 {
			text = c.Pointer.String() + ": " + text
		}
		a.out.Paragraph([]report.Span{report.S(style, "  %-18s", c.Breaks), report.T("  ")}, "                      ", text)
		if c.Why != "" {
			a.out.Paragraph([]report.Span{report.T("%-22s", "")}, "                      ", "because "+c.Why)
		}
	}
	if len(changes) == 0 {
		a.out.Line(report.S(report.Good, "the same"), report.T("  nothing changed that either side could notice"))
		return
	}
	a.out.Line(report.T("%s: %s", plural(len(changes), "change"), sides(counts)))
}

// sides counts the changes by whom they break.
func sides(counts map[compat.Breaks]int) string {
	both := counts[compat.Breaks{Receivers: true, Senders: true}]
	receivers, senders := counts[compat.Breaks{Receivers: true}]+both, counts[compat.Breaks{Senders: true}]+both
	if receivers+senders == 0 {
		return "nobody is broken"
	}
	return fmt.Sprintf("%d break receivers, %d break senders, %d nobody", receivers, senders, counts[compat.Breaks{}])
}

func (a *app) diffJSON(from, to string, changes []compat.Change, broken compat.Breaks) {
	type breaks struct {
		Receivers bool `json:"receivers"`
		Senders   bool `json:"senders"`
	}
	type change struct {
		About   string `json:"about"`
		Pointer string `json:"pointer"`
		Message string `json:"message"`
		Why     string `json:"why"`
		Breaks  breaks `json:"breaks"`
	}
	out := struct {
		From    string   `json:"from"`
		To      string   `json:"to"`
		Breaks  breaks   `json:"breaks"`
		Changes []change `json:"changes"`
	}{from, to, breaks(broken), []change{}}
	for _, c := range changes {
		out.Changes = append(out.Changes, change{c.About, c.Pointer.String(), c.Message, c.Why, breaks(c.Breaks)})
	}
	a.out.JSON("diff", out)
}
