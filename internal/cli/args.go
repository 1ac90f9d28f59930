package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
)

func newHelp(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command", Example: "  paytest help send", GroupID: "setup",
		PersistentPreRunE: func(*cobra.Command, []string) error { return nil },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return a.command(cmd.Root(), args)
			}
			about.InitDefaultHelpFlag()
			about.InitDefaultVersionFlag()
			return about.Help()
		},
	}
}

func commandNames(cmd *cobra.Command) []string {
	var out []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name())
		}
	}
	return out
}

// command refuses arguments of a command that has commands: they are none.
func (a *app) command(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return usage("unknown command %q%s", args[0], suggest.Among(args[0], "commands", commandNames(cmd)))
}

// atMost refuses surplus arguments, naming the first of them.
func atMost(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > n {
			return usage("%q is one argument too many: %s", args[n], cmd.UseLine())
		}
		return nil
	}
}

// helpWidth is where the flags' descriptions are wrapped.
const helpWidth = 80

// usageText writes what cobra would, with the flags' descriptions wrapped. There
// is no template for it: with one, the linker would keep every method there is.
func usageText(c *cobra.Command) error {
	p := report.NewPrinter(c.OutOrStderr(), false, 0)
	if c.HasExample() {
		p.Text("Examples:\n" + c.Example + "\n\n")
	}
	p.Text("Usage:\n")
	if c.Runnable() {
		p.Text("  " + c.UseLine() + "\n")
	}
	if c.HasAvailableSubCommands() {
		p.Text("  " + c.CommandPath() + " [command]\n")
	}
	for _, group := range c.Groups() {
		p.Text("\n" + group.Title + "\n")
		subcommands(p, c, group.ID)
	}
	if c.HasAvailableSubCommands() && len(c.Groups()) == 0 {
		p.Text("\nAvailable Commands:\n")
		subcommands(p, c, "")
	}
	for _, g := range flagGroups(c) {
		p.Text("\n" + g.title + "\n" + strings.TrimRight(g.flags.FlagUsagesWrapped(helpWidth), " \n") + "\n")
	}
	if c.HasAvailableSubCommands() {
		p.Text("\nUse \"" + c.CommandPath() + " [command] --help\" for more information about a command.\n")
	}
	return p.Err()
}

// groupKey marks the flags that help shows together, by the title above them.
const groupKey = "paytest group"

// grouped shows flags under a title of their own.
func grouped(cmd *cobra.Command, title string, names ...string) {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		f.Annotations[groupKey] = []string{title}
	}
}

type flagGroup struct {
	title string
	flags *pflag.FlagSet
}

// flagGroups are a command's own flags, those that have no title first, and at the
// end those that every command has.
func flagGroups(c *cobra.Command) []flagGroup {
	const untitled = "Flags:"
	sets := map[string]*pflag.FlagSet{untitled: pflag.NewFlagSet("", pflag.ContinueOnError)}
	c.LocalFlags().VisitAll(func(f *pflag.Flag) {
		title := untitled
		if of := f.Annotations[groupKey]; len(of) > 0 {
			title = of[0]
		}
		if sets[title] == nil {
			sets[title] = pflag.NewFlagSet("", pflag.ContinueOnError)
		}
		sets[title].AddFlag(f)
	})
	groups := []flagGroup{{untitled, sets[untitled]}}
	delete(sets, untitled)
	for _, title := range slices.Sorted(maps.Keys(sets)) {
		groups = append(groups, flagGroup{title, sets[title]})
	}
	groups = append(groups, flagGroup{"Global Flags:", c.InheritedFlags()})
	return slices.DeleteFunc(groups, func(g flagGroup) bool { return !g.flags.HasAvailableFlags() })
}

func subcommands(p *report.Printer, c *cobra.Command, group string) {
	for _, sub := range c.Commands() {
		if sub.GroupID == group && (sub.IsAvailableCommand() || sub.Name() == "help") {
			p.Text(fmt.Sprintf("  %-*s %s\n", sub.NamePadding(), sub.Name(), sub.Short))
		}
	}
}

// stateArgs finds the state that two arguments name.
func stateArgs(c *contract.Contract, args []string) (*contract.State, error) {
	sub, err := subjectArg(c, args[0])
	if err != nil {
		return nil, err
	}
	if len(args) < 2 {
		return nil, usage("%s of which state? states: %s", sub.Name, strings.Join(sub.StateNames(), ", "))
	}
	st := sub.State(args[1])
	if st == nil {
		return nil, usage("unknown state %q for %s%s", args[1], sub.Name, suggest.Among(args[1], "states", sub.StateNames(), sub.Initial.Name))
	}
	return st, nil
}

// subjectsArg finds the subject that one argument names; without it all are
// meant.
func subjectsArg(c *contract.Contract, args []string) ([]*contract.Subject, error) {
	if len(args) == 0 {
		return c.Subjects, nil
	}
	sub, err := subjectArg(c, args[0])
	return []*contract.Subject{sub}, err
}

func subjectArg(c *contract.Contract, typed string) (*contract.Subject, error) {
	if sub := c.Subject(typed); sub != nil {
		return sub, nil
	}
	meant := statesMeant(c, typed)
	if len(meant) == 0 {
		return nil, usage("unknown subject %q%s", typed, suggest.Among(typed, "subjects", c.SubjectNames()))
	}
	return nil, usage("%q is no subject: a state is two words; did you mean %s?", typed, strings.Join(meant, ", or "))
}

// statesMeant lists the states that one word may stand for: a state without its
// subject, or with it in another spelling.
func statesMeant(c *contract.Contract, typed string) []string {
	var out []string
	for _, st := range c.States() {
		spelled := strings.Map(func(r rune) rune {
			if strings.ContainsRune("./:_-", r) {
				return ' '
			}
			return r
		}, typed)
		if strings.EqualFold(typed, st.Name) || strings.EqualFold(spelled, st.String()) {
			out = append(out, st.String())
		}
	}
	return out
}

// completeStates completes SUBJECT and STATE.
func (a *app) completeStates(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	c, err := a.contract()
	if err != nil || len(args) > 1 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	if len(args) == 0 {
		var out []string
		for _, s := range c.Subjects {
			out = append(out, s.Name+"\t"+s.Meaning)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
	sub := c.Subject(args[0])
	if sub == nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, st := range sub.States {
		out = append(out, st.Name+"\t"+st.From[0].String())
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		if short := unknown.GetSpecifiedShortnames(); len(short) > 1 {
			name, _, _ := strings.Cut(short, "=")
			if cmd.Flags().Lookup(name) != nil {
				return usage("%w; did you mean --%s?", err, name)
			}
		}
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		if near := suggest.Nearest(unknown.GetSpecifiedName(), names); near != "" {
			return usage("%w; did you mean --%s?", err, near)
		}
		return usage("%w", err)
	}
	var invalid *pflag.InvalidValueError
	if errors.As(err, &invalid) {
		f := invalid.GetFlag()
		return usage("--%s %q: it takes %s", f.Name, invalid.GetValue(), takes(f.Value.Type()))
	}
	return usage("%w", err)
}

// takes says what a flag's type takes, in words.
func takes(kind string) string {
	switch kind {
	case "uint64":
		return "a whole number from 0 up"
	case "int", "int64":
		return "a whole number, and one that is not too large"
	case "float64":
		return "a number such as 0.2"
	case "duration":
		return "a duration such as 500ms, 5s or 2m"
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

// oneOf checks a flag that takes one of a few words.
func oneOf(flag, value string, words ...string) error {
	if slices.Contains(words, value) {
		return nil
	}
	return usage("--%s %q%s", flag, value, suggest.Among(value, "it takes", words))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
