package cli

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/author"
	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
)

// builtIn stands for the folder of the built-in contract.
const builtIn = "built-in"

func newContract(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "contract",
		Short: "Write a contract pack of your own: new, lint, diff",
		Long: `A contract is a folder of JSON files, a pack: with --contract DIR the same
program tests another provider, or the next version of this one.`,
		Example: `  paytest contract new ./provider          a small pack to start from
  paytest contract lint ./provider         what is wrong with it
  paytest contract diff built-in ./next    what changed, and whom it breaks`,
		Args: a.command,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newContractDiff(a), newContractLint(a), newContractNew(a))
	return cmd
}

// folders completes the names of folders, for the first n arguments.
func folders(n int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) >= n {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
}

// packOf is the folder that a user names.
func (a *app) packOf(name string) fs.FS {
	if name == builtIn {
		return a.Contract
	}
	return a.Dir(name)
}

func newContractNew(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "new DIR",
		Short: "Write a small pack to start from",
		Long: `Write a small pack into a new folder: one subject, three states, signed. It
works as it is, with every command; change it into your provider's. What is
there already is never overwritten.`,
		Example: `  paytest contract new ./provider
  paytest payload --contract ./provider`,
		Args:              atMost(1),
		ValidArgsFunction: folders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("into which folder? Give the name of a new one")
			}
			return a.newPack(args[0])
		},
	}
}

func (a *app) newPack(dir string) error {
	files, err := author.Scaffold()
	if err != nil {
		return err
	}
	switch err := a.WriteFolder(dir, files); {
	case errors.Is(err, fs.ErrExist):
		return usage("%s is there already, and is left as it is: give the name of a new folder", dir)
	case err != nil:
		return usage("%s cannot be written: %w", dir, err)
	}
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			a.out.Line(report.S(report.Good, "written  "), report.T("%s/%s", strings.TrimRight(dir, "/"), name))
		}
		return err
	})
	a.out.Line(report.T("Next: change it, run "), report.S(report.Accent, "paytest contract lint %s", a.quoted(dir)), report.T(" after each change,"))
	a.out.Line(report.T("and use it: "), report.S(report.Accent, "paytest payload --contract %s", a.quoted(dir)))
	return err
}

type lintOptions struct {
	output string
	strict bool
}

func newContractLint(a *app) *cobra.Command {
	var o lintOptions
	cmd := &cobra.Command{
		Use:   "lint [DIR]",
		Short: "Say all that is wrong with a pack",
		Long: `Say all that is wrong with a pack, with the file and the JSON pointer, and make
payments from it, which must hold under its own rules. Without DIR it is the one
that --contract names, or else the built-in one.

Exit 0 when there is no problem; warnings do not count unless --strict is given.
Exit 1 when there is one.`,
		Example: `  paytest contract lint ./provider
  paytest contract lint ./provider --strict --output json`,
		Args:              atMost(1),
		ValidArgsFunction: folders(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("output", o.output, "text", "json"); err != nil {
				return err
			}
			name := a.contractPath
			if len(args) > 0 {
				name = args[0]
			}
			if name == "" {
				name = builtIn
			}
			return a.lint(name, o)
		},
	}
	cmd.Flags().StringVar(&o.output, "output", "text", "write `text` or json")
	cmd.Flags().BoolVar(&o.strict, "strict", false, "warnings count, too")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) lint(name string, o lintOptions) error {
	pack := a.packOf(name)
	if _, err := fs.ReadDir(pack, "."); err != nil {
		return usage("%s is no folder that can be read: %w", name, err)
	}
	remarks := author.Lint(pack)
	if len(remarks) == 0 || !remarks[0].Problem {
		remarks = append(remarks, casesRemark(pack)...)
	}
	problems := 0
	for _, r := range remarks {
		if r.Problem {
			problems++
		}
	}
	if o.output == "json" {
		a.lintJSON(name, remarks)
	} else {
		a.lintText(name, pack, remarks, problems)
	}
	if problems > 0 || o.strict && len(remarks) > 0 {
		return violated()
	}
	return nil
}

// casesRemark says what is wrong with the cases of a pack that has some.
func casesRemark(pack fs.FS) []author.Remark {
	c, err := contract.Load(pack)
	if err != nil || !hasCases(pack) {
		return nil
	}
	if _, err := conform.Load(c, pack); err != nil {
		return []author.Remark{{Problem: true, File: contract.ConformFolder, Message: strings.TrimPrefix(err.Error(), "contract: ")}}
	}
	return nil
}

func hasCases(pack fs.FS) bool {
	files, err := fs.Glob(pack, contract.ConformFolder+"/*.json")
	return err == nil && len(files) > 0
}

func (a *app) lintText(name string, pack fs.FS, remarks []author.Remark, problems int) {
	for _, r := range remarks {
		word := report.S(report.Caution, "warning")
		if r.Problem {
			word = report.S(report.Bad, "problem")
		}
		a.out.Line(word, report.S(report.Strong, "  %s", r.File), report.S(report.Accent, "  %s", r.Pointer))
		a.out.Paragraph([]report.Span{report.T("         ")}, "         ", r.Message)
	}
	if problems > 0 {
		a.out.Line(report.T("%s: %s, %s", name, plural(problems, "problem"), plural(len(remarks)-problems, "warning")))
		return
	}
	c, err := contract.Load(pack)
	if err != nil {
		return
	}
	a.out.Line(report.S(report.Good, "ok"), report.T("  %s: %s, %s, %s", c.Name, plural(len(c.Subjects), "subject"), plural(len(c.States()), "state"), plural(len(c.Facts), "fact")), report.S(report.Faint, "%s", warned(len(remarks))))
}

func warned(n int) string {
	if n == 0 {
		return ""
	}
	return "; " + plural(n, "warning")
}

func (a *app) lintJSON(name string, remarks []author.Remark) {
	type remark struct {
		Severity string `json:"severity"`
		File     string `json:"file"`
		Pointer  string `json:"pointer"`
		Message  string `json:"message"`
	}
	out := struct {
		Pack    string   `json:"pack"`
		Remarks []remark `json:"remarks"`
	}{name, []remark{}}
	for _, r := range remarks {
		severity := "warning"
		if r.Problem {
			severity = "problem"
		}
		out.Remarks = append(out.Remarks, remark{severity, r.File, r.Pointer.String(), r.Message})
	}
	a.out.JSON("lint", out)
}
