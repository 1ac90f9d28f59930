package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
)

func newGraph(a *app) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "graph [SUBJECT]",
		Short: "Draw the state machine: as text, Mermaid or DOT",
		Example: `  paytest graph
  paytest graph {subject} --format mermaid`,
		Args: atMost(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeStates(cmd, args, typed)
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "text", "mermaid", "dot"); err != nil {
				return err
			}
			c, err := a.contract()
			if err != nil {
				return err
			}
			subjects, err := subjectsArg(c, args)
			if err != nil {
				return err
			}
			a.graph(subjects, format)
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "write text, mermaid or dot")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions([]string{"text", "mermaid", "dot"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) graph(subjects []*contract.Subject, format string) {
	switch format {
	case "mermaid":
		a.mermaid(subjects)
	case "dot":
		a.dot(subjects)
	default:
		for i, sub := range subjects {
			if i > 0 {
				a.out.Line()
			}
			a.graphText(sub)
		}
	}
}

func (a *app) graphText(sub *contract.Subject) {
	a.out.Line(report.S(report.Strong, "%s", sub.Name), report.S(report.Faint, "  starts %s", sub.Initial.Label()))
	var final []string
	for _, st := range append([]*contract.State{sub.Initial}, sub.States...) {
		if st.IsFinal() {
			final = append(final, st.Label())
		}
		name := st.Label()
		for _, e := range st.Next() {
			a.out.Line(report.T("  %-9s → ", name), report.S(report.Accent, "%-9s", e.To.Label()), report.T("  %s", e.Trigger))
			name = ""
		}
	}
	a.out.Line(report.S(report.Faint, "  final: %s", strings.Join(final, ", ")))
}

// node is a name that Mermaid and DOT take for a state of a subject.
func node(st *contract.State) string {
	return strings.ReplaceAll(st.Subject.Name+"_"+st.Name, "-", "_")
}

// quote makes text harmless inside a quoted label.
func quote(s string) string {
	return strings.NewReplacer(`\`, "/", `"`, "'", "\n", " ", "\r", " ", ";", ",", "#", "").Replace(s)
}

func (a *app) mermaid(subjects []*contract.Subject) {
	a.out.Text("stateDiagram-v2")
	for _, sub := range subjects {
		a.out.Text(fmt.Sprintf("    state \"%s\" as %s {", quote(sub.Name), strings.ReplaceAll(sub.Name, "-", "_")))
		for _, st := range append([]*contract.State{sub.Initial}, sub.States...) {
			a.out.Text(fmt.Sprintf("        state \"%s\" as %s", quote(st.Label()), node(st)))
		}
		a.out.Text("        [*] --> " + node(sub.Initial))
		for _, e := range sub.Edges {
			a.out.Text(fmt.Sprintf("        %s --> %s: %s", node(e.From), node(e.To), quote(e.Trigger)))
		}
		for _, st := range sub.States {
			if st.IsFinal() {
				a.out.Text(fmt.Sprintf("        %s --> [*]", node(st)))
			}
		}
		a.out.Text("    }")
	}
}

func (a *app) dot(subjects []*contract.Subject) {
	a.out.Text("digraph states {\n  rankdir=LR\n  node [shape=box, style=rounded]")
	for _, sub := range subjects {
		a.out.Text(fmt.Sprintf("  subgraph \"cluster_%s\" {\n    label=\"%s\"", quote(sub.Name), quote(sub.Name)))
		for _, st := range append([]*contract.State{sub.Initial}, sub.States...) {
			shape := ""
			if st.IsFinal() {
				shape = ", peripheries=2"
			}
			a.out.Text(fmt.Sprintf("    %s [label=\"%s\"%s]", node(st), quote(st.Label()), shape))
		}
		for _, e := range sub.Edges {
			a.out.Text(fmt.Sprintf("    %s -> %s [label=\"%s\"]", node(e.From), node(e.To), quote(e.Trigger)))
		}
		a.out.Text("  }")
	}
	a.out.Text("}")
}
