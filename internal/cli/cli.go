// Package cli is the program: it reads flags and settings, calls one of the
// rooms below, and turns what comes back into output and an exit code.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/config"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
)

// File is an open file of a journal.
type File = journal.File

// Env is all that the program takes from the outside world.
type Env struct {
	// Args are the arguments without the program's name.
	Args      []string
	LookupEnv func(string) (string, bool)
	// Environ lists the environment as NAME=value.
	Environ  func() []string
	In       io.Reader
	Out, Err io.Writer
	// InTerminal, OutTerminal and ErrTerminal say whether In, Out and Err are
	// terminals.
	InTerminal, OutTerminal, ErrTerminal bool
	Now                                  func() time.Time
	// Seed returns a new random seed.
	Seed func() uint64
	// Open opens a file, Dir a folder, both by the path a user gave.
	Open func(name string) (fs.File, error)
	Dir  func(name string) fs.FS
	// Start runs a command line with additions to the environment, until ctx ends
	// at the latest.
	Start func(ctx context.Context, line string, env []string) (wait func() error, err error)
	// Files is where journals are kept.
	Files journal.FS
	// WriteFile writes a whole file or leaves the old one, CreateFile one that
	// must not exist, AppendFile at the end of one.
	WriteFile, CreateFile, AppendFile func(name string, data []byte) error
	// MakeDirs makes a folder and those above it, where they are missing.
	MakeDirs func(name string) error
	// Contract is the built-in contract's pack.
	Contract fs.FS
	// Windows says that file permissions mean nothing.
	Windows bool
	// Version is the release, empty in a build without one.
	Version string
}

// interruptible is input that ends when the program is interrupted.
type interruptible struct {
	ctx context.Context
	r   io.Reader
}

func (i *interruptible) Read(p []byte) (int, error) {
	type result struct {
		data     []byte
		err      error
		panicked any
	}
	done := make(chan result, 1)
	go func() {
		defer func() {
			if r := recover(); r != nil {
				done <- result{panicked: r}
			}
		}()
		buf := make([]byte, len(p)) // not p, which the caller has back when interrupted
		n, err := i.r.Read(buf)
		done <- result{data: buf[:n], err: err}
	}()
	select {
	case r := <-done:
		if r.panicked != nil {
			panic(r.panicked) // for Run to tell of
		}
		return copy(p, r.data), r.err
	case <-i.ctx.Done():
		return 0, &exitError{exitInterrupted, errors.New("interrupted")}
	}
}

// app is one run of the program.
type app struct {
	Env
	out, err     *report.Printer
	config       *config.Config
	color        string
	configFile   string
	contractPath string
	given        map[string]bool   // flags on the command line
	origins      map[string]string // of the flags that settings set
	loaded       *contract.Contract
}

// Run runs the program and returns its exit code.
func Run(ctx context.Context, env Env) (code int) {
	env.In = &interruptible{ctx, env.In}
	a := &app{Env: env}
	a.printers()
	defer func() {
		if r := recover(); r != nil {
			a.err.Line(report.S(report.Bad, "error:"), report.T(" paytest itself failed: %v; please report it with the command you ran", r))
			code = exitInternal
		}
	}()
	root := newRoot(a)
	root.SetArgs(env.Args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = a.out.Err()
	}
	return a.exit(ctx, cmd, err)
}

func (a *app) printers() {
	a.out = report.NewPrinter(a.Out, colored(a.color, a.LookupEnv, a.OutTerminal), width(a.OutTerminal))
	a.err = report.NewPrinter(a.Err, colored(a.color, a.LookupEnv, a.ErrTerminal), width(a.ErrTerminal))
}

// width is where lines are wrapped: a terminal's is taken to be the usual one.
func width(terminal bool) int {
	if terminal {
		return 80
	}
	return 0
}

// colored decides on color: the flag, then what users and CI systems set in the
// environment, then whether the stream is a terminal.
func colored(flag string, lookup func(string) (string, bool), terminal bool) bool {
	set := func(name string) bool { v, ok := lookup(name); return ok && v != "" }
	on := func(name string) bool { v, ok := lookup(name); return ok && v != "" && v != "0" }
	value := func(name string) string { v, _ := lookup(name); return v }
	switch {
	case flag == "always", flag == "never":
		return flag == "always"
	case set("NO_COLOR"):
		return false
	case on("FORCE_COLOR"), on("CLICOLOR_FORCE"):
		return true
	case value("TERM") == "dumb", value("CLICOLOR") == "0":
		return false
	}
	return terminal
}

func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "paytest",
		Short: "Test webhook endpoints against a payment gateway's contract",
		Long: `paytest makes the webhooks of a payment gateway, sends them to your endpoint,
and listens for them to judge each by its schema, its state transition and
whether it agrees with what came before.`,
		Example: `  paytest demo                          watch it work, with nothing set up
  paytest send {subject} {state}         send a webhook to http://localhost:3000
  paytest listen :3000                  receive webhooks and check them
  paytest payload {subject} {state}      print a payload
  paytest explain {subject} {state}      what each field means, and who says so`,
		Args:              a.command,
		Version:           a.build(),
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.SetFlagErrorFunc(flagError)
	f := root.PersistentFlags()
	f.StringVar(&a.color, "color", "auto", "use color: auto, always or never")
	f.StringVar(&a.configFile, "config", "", "read settings from this `file` instead of ./paytest.yaml")
	f.StringVar(&a.contractPath, "contract", "", "use the contract in this `folder` instead of the built-in one")
	noFiles(root, "contract", cobra.ShellCompDirectiveFilterDirs)
	_ = root.RegisterFlagCompletionFunc("color", cobra.FixedCompletions([]string{"auto", "always", "never"}, cobra.ShellCompDirectiveNoFileComp))
	root.AddGroup(&cobra.Group{ID: "test", Title: "Test an endpoint:"}, &cobra.Group{ID: "contract", Title: "Look at the contract:"}, &cobra.Group{ID: "setup", Title: "Set up:"})
	root.SetHelpCommand(newHelp(a))
	root.SetVersionTemplate("paytest {{.Version}}\n")
	root.SetUsageTemplate(usageTemplate(root.UsageTemplate()))
	root.SetCompletionCommandGroupID("setup")
	for id, commands := range map[string][]*cobra.Command{
		"test":     {newDemo(a), newSend(a), newListen(a), newRun(a), newReplay(a), newValidate(a)},
		"contract": {newPayload(a), newExplain(a), newGraph(a)},
		"setup":    {newInit(a), newSign(a), newVerifySignature(a), newRedact(a), newConfig(a), newVersion(a)},
	} {
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Example = "  source <(paytest completion bash)\n  paytest completion fish > ~/.config/fish/completions/paytest.fish"
		completion.Args = a.command
		completion.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		cmd.Example = a.examples(cmd.Example)
		help(cmd, args)
	})
	return root
}

func noFiles(cmd *cobra.Command, flag string, d cobra.ShellCompDirective) {
	_ = cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) { return nil, d })
}

// examples writes the contract's own subjects and states into the examples.
func (a *app) examples(text string) string {
	subject, state, flow := "SUBJECT", "STATE", ""
	if c, err := a.contract(); err == nil {
		last := c.Flow[len(c.Flow)-1]
		subject, state = last.Subject.Name, last.Name
		for _, st := range c.Flow[:len(c.Flow)-1] {
			flow += "  - send: " + st.String() + "\n"
		}
	}
	return strings.NewReplacer("{subject}", subject, "{state}", state, "{flow}", flow, "{file}", "payload.json").Replace(text)
}

// contract loads the contract once.
func (a *app) contract() (*contract.Contract, error) {
	if a.loaded != nil {
		return a.loaded, nil
	}
	c, err := contract.Load(a.pack())
	if err != nil && a.contractPath != "" {
		return nil, usage("--contract %s: %w", a.contractPath, err)
	}
	if err != nil {
		return nil, err
	}
	a.loaded = c
	return c, nil
}

// pack is the folder that holds the contract.
func (a *app) pack() fs.FS {
	if a.contractPath != "" {
		return a.Dir(a.contractPath)
	}
	return a.Contract
}

// prepare reads the settings and gives them to the flags the user did not set.
func (a *app) prepare(cmd *cobra.Command) error {
	if cmd.Name() == "completion" || cmd.HasParent() && cmd.Parent().Name() == "completion" {
		return nil
	}
	sources := config.Sources{
		LookupEnv:   a.LookupEnv,
		ReadFile:    func(name string) ([]byte, error) { return a.readFile(name, config.MaxFileBytes) },
		ProjectFile: "paytest.yaml",
		UserFile:    config.UserFilePath(a.LookupEnv),
	}
	if a.configFile != "" {
		sources.ProjectFile, sources.Explicit = a.configFile, true
	}
	cfg, err := config.Load(settings(cmd.Root()), sources)
	if err != nil {
		return usage("%w", err)
	}
	a.config = cfg
	a.given, a.origins = map[string]bool{}, map[string]string{}
	var failed error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		a.given[f.Name] = f.Changed
		if failed == nil && !f.Changed {
			failed = a.apply(cmd, f)
		}
	})
	a.printers()
	if failed != nil {
		return failed
	}
	a.unknownEnv()
	return oneOf("color", a.color, "auto", "always", "never")
}

// unknownEnv warns of variables that look like settings and are none.
func (a *app) unknownEnv() {
	for _, name := range a.config.UnknownEnv(a.Environ()) {
		if name != secretEnv && name != urlEnv {
			a.err.Line(report.S(report.Caution, "warning:"), report.T(" %s is set, but is no setting; paytest config lists them", name))
		}
	}
}

func (a *app) apply(cmd *cobra.Command, f *pflag.Flag) error {
	v, ok := a.config.Lookup(commandPath(cmd), f.Name)
	if !ok {
		return nil
	}
	a.origins[f.Name] = v.Origin
	for _, s := range v.Values {
		if err := cmd.Flags().Set(f.Name, s); err != nil {
			return usage("%s: %s: %q: it takes %s", v.Origin, f.Name, s, takes(f.Value.Type()))
		}
	}
	return nil
}

// origin says where the setting came from that an error is about, if it is about
// one.
func (a *app) origin(err error) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--"), " ")
	if from, ok := a.origins[strings.TrimSuffix(name, ":")]; ok && strings.HasPrefix(err.Error(), "--") {
		return " (set by " + from + ")"
	}
	return ""
}

// settings lists every flag that may be set from outside the command line.
func settings(root *cobra.Command) []config.Key {
	var keys []config.Key
	add := func(command string) func(*pflag.Flag) {
		return func(f *pflag.Flag) {
			if f.Name != "help" && f.Name != "config" && !perCall(f) {
				_, list := f.Value.(pflag.SliceValue)
				keys = append(keys, config.Key{Command: command, Flag: f.Name, List: list})
			}
		}
	}
	root.PersistentFlags().VisitAll(add(""))
	for _, c := range root.Commands() {
		if c.GroupID != "" && c.Runnable() && c.Name() != "completion" && c.Name() != "help" {
			c.LocalNonPersistentFlags().VisitAll(add(c.Name()))
		}
	}
	return keys
}

// once marks flags that say what a single call is to do; settings cannot set
// them.
func once(cmd *cobra.Command, names ...string) {
	for _, name := range names {
		f := cmd.Flags().Lookup(name)
		f.Annotations = map[string][]string{onceKey: nil}
	}
}

const onceKey = "paytest once"

func perCall(f *pflag.Flag) bool {
	_, ok := f.Annotations[onceKey]
	return ok
}

// exclusive refuses one flag together with any of the others.
func exclusive(cmd *cobra.Command, flag string, others ...string) error {
	if !cmd.Flags().Changed(flag) {
		return nil
	}
	for _, other := range others {
		if cmd.Flags().Changed(other) {
			return usage("--%s and --%s exclude each other: give one of them", flag, other)
		}
	}
	return nil
}

func commandPath(cmd *cobra.Command) string {
	return strings.TrimPrefix(strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()), " ")
}

// input reads standard input, up to limit bytes and one more; who sits at a
// terminal is told that it is waited for.
func (a *app) input(limit int64) ([]byte, error) {
	if a.InTerminal {
		a.err.Line(report.S(report.Faint, "reading standard input; Ctrl-D ends it"))
	}
	return io.ReadAll(io.LimitReader(a.In, limit+1))
}

// readFile reads a whole file, up to limit bytes and one more.
func (a *app) readFile(name string, limit int64) ([]byte, error) {
	f, err := a.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

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

// usageTemplate wraps the flags' descriptions to the width of a terminal.
func usageTemplate(s string) string {
	return strings.NewReplacer(".FlagUsages", ".FlagUsagesWrapped 80").Replace(s)
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
	return nil, usage("unknown subject %q%s", typed, suggest.Among(typed, "subjects", c.SubjectNames()))
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
		return "a whole number"
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
