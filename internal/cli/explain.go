package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
	"github.com/paytest/paytest/internal/verify"
)

func newExplain(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "explain SUBJECT STATE | CODE",
		Short: "Explain a state, field by field, or a finding",
		Long: `Explain a state: every field, what it means, and which document says so. Or
explain a finding by its code: what it means, what it costs, and what to do.`,
		Example: "  paytest explain {subject} {state}\n  paytest explain illegal-transition",
		Args:    atMost(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
			out, directive := a.completeStates(cmd, args, typed)
			if len(args) == 0 {
				for _, about := range verify.Codes() {
					out = append(out, string(about.Code)+"\t"+about.Means)
				}
			}
			return out, directive
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.explainWhat(args) },
	}
}

func (a *app) explainWhat(args []string) error {
	c, err := a.contract()
	if err != nil {
		return err
	}
	if len(args) == 0 {
		return usage("explain what? It takes SUBJECT STATE, or the code of a finding%s", suggest.Among("", "subjects", c.SubjectNames()))
	}
	var codes []string
	for _, about := range verify.Codes() {
		if len(args) == 1 && string(about.Code) == args[0] {
			a.explainFinding(about)
			return nil
		}
		codes = append(codes, string(about.Code))
	}
	if c.Subject(args[0]) == nil && len(statesMeant(c, args[0])) == 0 {
		if spec := a.caseMeant(c, args[0]); spec != nil {
			return usage("explain: %s is a case of conform; paytest conform --list --case %s shows it", spec.ID, spec.ID)
		}
		return usage("explain: there is neither a subject nor a finding %q%s", args[0], suggest.Among(args[0], "subjects", c.SubjectNames(), codes...))
	}
	st, err := stateArgs(c, args)
	if err != nil {
		return err
	}
	a.explain(st)
	return nil
}

// caseMeant is the case of conform that a word names, nil where it names none.
func (a *app) caseMeant(c *contract.Contract, word string) *conform.Case {
	catalog, err := a.catalog(c)
	if err != nil {
		return nil // what is wrong with it is for conform to say
	}
	spec, err := catalog.Find(word)
	if err != nil {
		return nil
	}
	return spec
}

func (a *app) explainFinding(about verify.About) {
	a.out.Line(report.S(report.Strong, "%s", about.Code), report.T("  %s", about.Severity))
	for _, part := range [][2]string{{"means", about.Means}, {"costs", about.Costs}, {"fix", about.Fix}} {
		a.out.Paragraph([]report.Span{report.S(report.Faint, "  %-5s", part[0]), report.T("  ")}, "         ", part[1])
	}
}

func (a *app) explain(st *contract.State) {
	if st.IsInitial() {
		a.out.Line(report.S(report.Strong, "%s", st), report.T("  %s", st.Meaning))
		a.out.Line(report.T("No webhook carries it; states: %s", strings.Join(st.Subject.StateNames(), ", ")), report.S(report.Faint, "  [%s]", contract.Basis(st.Source, st.Derived)))
		return
	}
	a.out.Line(report.S(report.Strong, "%s", st), report.T("  %s, POST %s", st.Event, st.Path))
	a.out.Line(report.S(report.Faint, "  %s", provenance(st.Source, st.Derived)))
	for _, e := range st.From {
		a.out.Line(report.S(report.Accent, "  %s", e), report.T("  %s", e.Trigger), report.S(report.Faint, "  [%s]", contract.Basis(e.Source, e.Derived)))
	}
	a.out.Line()
	for _, f := range st.Fields() {
		a.explainField(st, f)
	}
	if len(st.Relations) > 0 {
		a.out.Line()
		a.out.Line(report.S(report.Strong, "What must hold, whichever event says it"))
	}
	for _, r := range st.Relations {
		a.out.Line(report.T("  %s", relation(r)))
		a.out.Line(report.S(report.Faint, "      %s", provenance(r.Source, r.Derived)))
	}
}

func (a *app) explainField(st *contract.State, f contract.Field) {
	optional := ""
	if !f.Required {
		optional = ", optional"
	}
	a.out.Line(report.S(report.Accent, "  %s", f.Path()), report.T("  %s%s", f.Fact.Takes(), optional))
	a.out.Line(report.T("      %s", f.Fact.Meaning))
	if v := st.Sample.At(f.Pointer); v != nil {
		a.out.Line(report.S(report.Faint, "      e.g. %s", string(v.AppendCanonical(nil))))
	}
	fact := ""
	if f.Fact.Name != f.Name() {
		fact = "; the fact " + f.Fact.Name
	}
	derived := f.Fact.Derived
	if derived == "" {
		derived = st.Derived
	}
	a.out.Line(report.S(report.Faint, "      %s%s", provenance(f.Fact.Source, derived), fact))
}

func provenance(source, derived string) string {
	if derived == "" {
		return "documented: " + source
	}
	if source == "" {
		return "derived: " + derived
	}
	return fmt.Sprintf("derived: %s (after %s)", derived, source)
}

func relation(r *contract.Relation) string {
	var text string
	switch r.Kind {
	case contract.Equal:
		text = fmt.Sprintf("%s equals %s", r.A.Name, r.B.Name)
	case contract.Different:
		text = fmt.Sprintf("%s differs from %s", r.A.Name, r.B.Name)
	case contract.NotBefore:
		text = fmt.Sprintf("%s is not before %s", r.A.Name, r.B.Name)
	case contract.Never:
		text = fmt.Sprintf("never together with %s", r.Never)
	}
	for _, w := range r.When {
		text += fmt.Sprintf(", when %s is %s", w.Fact.Name, string(w.Value.AppendCanonical(nil)))
	}
	return text
}
