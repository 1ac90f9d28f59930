package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/graph"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// marked is what is emphasised of each subject; nil when nothing is.
type marked map[*contract.Subject]*graph.Marks

// drawers writes the state machine, by the format's name.
func drawers() map[string]func(*app, []*contract.Subject, marked) {
	return map[string]func(*app, []*contract.Subject, marked){
		"text": (*app).graphText, "mermaid": (*app).mermaid, "dot": (*app).dot, "svg": (*app).svg,
	}
}

func newGraph(a *app) *cobra.Command {
	var format, coverage string
	cmd := &cobra.Command{
		Use:   "graph [SUBJECT]",
		Short: "Draw the state machine: as text, SVG, Mermaid or DOT",
		Long: `Draw the state machine: as text, SVG, Mermaid or DOT.

With --coverage the drawing shows which transitions the payloads of a journal
took, how often, and which they attempted that are not legal.`,
		Example: `  paytest graph
  paytest graph {subject} --format mermaid
  paytest graph --format svg --coverage deliveries.jsonl > coverage.svg`,
		Args: atMost(1),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return a.completeStates(cmd, args, typed)
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.graph(args, format, coverage) },
	}
	formats := slices.Sorted(maps.Keys(drawers()))
	cmd.Flags().StringVar(&format, "format", "text", "write "+strings.Join(formats[:len(formats)-1], ", ")+" or "+formats[len(formats)-1])
	cmd.Flags().StringVar(&coverage, "coverage", "", "show what the payloads in this `file` did: a journal, or whatever validate takes")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) graph(args []string, format, coverage string) error {
	if err := oneOf("format", format, slices.Sorted(maps.Keys(drawers()))...); err != nil {
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
	marks, err := a.coverage(c, coverage)
	if err != nil {
		return err
	}
	drawers()[format](a, subjects, marks)
	return nil
}

// coverage is what the payloads in a file did.
func (a *app) coverage(c *contract.Contract, file string) (marked, error) {
	if file == "" {
		return nil, nil //nolint:nilnil // nothing is marked
	}
	histories, err := a.histories([]string{file})
	if err != nil {
		return nil, err
	}
	marks := marked{}
	for _, sub := range c.Subjects {
		marks[sub] = &graph.Marks{}
	}
	checker := verify.NewChecker(c, verify.Strict{})
	for _, it := range join(histories) {
		if v := it.judge(checker); v.State != nil {
			marks[v.State.Subject].Add(v)
		}
	}
	return marks, nil
}

// never stands where a transition was not taken.
const never = "never"

// taken says how often a transition was taken; it is empty where nothing is
// marked.
func (m marked) taken(e *contract.Edge) string {
	if m == nil {
		return ""
	}
	if n := m[e.To.Subject].Taken[e]; n > 0 {
		return fmt.Sprintf("%d×", n)
	}
	return never
}

func (m marked) illegal(sub *contract.Subject) []graph.Attempt {
	if m == nil {
		return nil
	}
	return m[sub].Illegal
}

func (a *app) svg(subjects []*contract.Subject, marks marked) {
	a.out.Raw(graph.Sheet(subjects, marks, graph.Options{Standalone: true}))
}

func (a *app) graphText(subjects []*contract.Subject, marks marked) {
	for i, sub := range subjects {
		if i > 0 {
			a.out.Line()
		}
		a.subjectText(sub, marks)
	}
}

func (a *app) subjectText(sub *contract.Subject, marks marked) {
	a.out.Line(report.S(report.Strong, "%s", sub.Name), report.S(report.Faint, "  starts %s", sub.Initial.Label()))
	var final []string
	for _, st := range append([]*contract.State{sub.Initial}, sub.States...) {
		if st.IsFinal() {
			final = append(final, st.Label())
		}
		name := st.Label()
		for _, e := range st.Next() {
			spans := []report.Span{report.T("  %s → ", report.Pad(name, 9)), report.S(report.Accent, "%s", report.Pad(e.To.Label(), 9))}
			if marks != nil {
				spans = append(spans, report.T("  %6s", marks.taken(e)))
			}
			a.out.Line(append(spans, report.T("  %s", e.Trigger))...)
			name = ""
		}
	}
	a.out.Line(report.S(report.Faint, "  final: %s", strings.Join(final, ", ")))
	for _, at := range marks.illegal(sub) {
		a.out.Paragraph([]report.Span{report.S(report.Bad, "  illegal: "), report.T("%s → %s  %d×  ", at.From, at.To, at.Count)}, "    ", at.Reason)
	}
}

// node is a name that Mermaid and DOT take for a state of a subject.
func node(st *contract.State) string {
	return strings.ReplaceAll(st.Subject.Name+"_"+st.Name, "-", "_")
}

// quote makes text harmless inside a quoted label.
func quote(s string) string {
	return strings.NewReplacer(`\`, "/", `"`, "'", "\n", " ", "\r", " ", ";", ",", "#", "").Replace(s)
}

// label is what stands at a transition in Mermaid and DOT.
func (m marked) label(e *contract.Edge) string {
	if n := m.taken(e); n != "" {
		return quote(e.Trigger) + " (" + n + ")"
	}
	return quote(e.Trigger)
}

func (a *app) mermaid(subjects []*contract.Subject, marks marked) {
	a.out.Text("stateDiagram-v2")
	for _, sub := range subjects {
		a.out.Text(fmt.Sprintf("    state \"%s\" as %s {", quote(sub.Name), strings.ReplaceAll(sub.Name, "-", "_")))
		for _, st := range append([]*contract.State{sub.Initial}, sub.States...) {
			a.out.Text(fmt.Sprintf("        state \"%s\" as %s", quote(st.Label()), node(st)))
		}
		a.out.Text("        [*] --> " + node(sub.Initial))
		for _, e := range sub.Edges {
			a.out.Text(fmt.Sprintf("        %s --> %s: %s", node(e.From), node(e.To), marks.label(e)))
		}
		for _, st := range sub.States {
			if st.IsFinal() {
				a.out.Text(fmt.Sprintf("        %s --> [*]", node(st)))
			}
		}
		a.out.Text("    }")
	}
}

func (a *app) dot(subjects []*contract.Subject, marks marked) {
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
			style := ""
			if n := marks.taken(e); n != "" && n != never {
				style = ", penwidth=2.5"
			}
			a.out.Text(fmt.Sprintf("    %s -> %s [label=\"%s\"%s]", node(e.From), node(e.To), marks.label(e), style))
		}
		a.out.Text("  }")
	}
	a.out.Text("}")
}
