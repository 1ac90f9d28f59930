// Package cli is the program: it reads flags and settings, calls one of the
// rooms below, and turns what comes back into output and an exit code.
package cli

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/config"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/report"
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
	// Output runs a command line with additions to the environment and returns what
	// it prints; what it leaves running goes on.
	Output func(ctx context.Context, line string, env []string) ([]byte, error)
	// Files is where journals are kept.
	Files journal.FS
	// WriteFile writes a whole file or leaves the old one, CreateFile one that
	// must not exist, AppendFile at the end of one.
	WriteFile, CreateFile, AppendFile func(name string, data []byte) error
	// MakeDirs makes a folder and those above it, where they are missing.
	MakeDirs func(name string) error
	// WriteFolder writes a folder that must not exist, whole or not at all.
	WriteFolder func(name string, files fs.FS) error
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
	wrong        error // what is wrong with the settings, for doctor to tell
	unknown      error // the command that help was asked about
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
	root := newRoot(a, env.Args)
	root.SetArgs(env.Args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		err = cmp.Or(a.unknown, a.out.Err())
	}
	return a.exit(ctx, cmd, err)
}

func (a *app) printers() {
	out, err := attended(a.LookupEnv, a.OutTerminal), attended(a.LookupEnv, a.ErrTerminal)
	a.out = report.NewPrinter(a.Out, colored(a.color, a.LookupEnv, out), width(out))
	a.err = report.NewPrinter(a.Err, colored(a.color, a.LookupEnv, err), width(err))
}

// attended reports whether a terminal is one that somebody looks at. CI systems that
// pretend to have one keep a log, in which every movement stays.
func attended(lookup func(string) (string, bool), terminal bool) bool {
	term, _ := lookup("TERM")
	ci, _ := lookup("CI")
	return terminal && term != "dumb" && (ci == "" || ci == "false" || ci == "0")
}

// width is where lines are wrapped: a terminal's is taken to be the usual one.
func width(terminal bool) int {
	if terminal {
		return 80
	}
	return 0
}

// colored decides on color: the flag, then what users and CI systems set in the
// environment, then whether the stream is an attended terminal.
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
	case value("CLICOLOR") == "0":
		return false
	}
	return terminal
}

// command is one of the program's commands. Its flags are declared when it is
// made, so only what is needed is made.
type command struct {
	name, group string
	make        func(*app) *cobra.Command
	// others says that it looks at the other commands.
	others bool
}

func commands() []command {
	const test, contract, setup = "test", "contract", "setup"
	return []command{
		{name: "demo", group: test, make: newDemo},
		{name: "send", group: test, make: newSend},
		{name: "listen", group: test, make: newListen},
		{name: "run", group: test, make: newRun},
		{name: "conform", group: test, make: newConform},
		{name: "load", group: test, make: newLoad},
		{name: "replay", group: test, make: newReplay},
		{name: "inspect", group: test, make: newInspect},
		{name: "validate", group: test, make: newValidate},
		{name: "payload", group: contract, make: newPayload},
		{name: "explain", group: contract, make: newExplain},
		{name: "graph", group: contract, make: newGraph},
		{name: "export", group: contract, make: newExport},
		{name: "contract", group: contract, make: newContract},
		{name: "init", group: setup, make: newInit},
		{name: "sign", group: setup, make: newSign},
		{name: "verify-signature", group: setup, make: newVerifySignature},
		{name: "redact", group: setup, make: newRedact},
		{name: "config", group: setup, make: newConfig, others: true},
		{name: doctorName, group: setup, make: newDoctor, others: true},
		{name: "version", group: setup, make: newVersion},
	}
}

// needed lists the commands that a command line needs: the one that it starts
// with, or whose arguments a shell completes, and else all of them.
func needed(args []string) []command {
	all := commands()
	if len(args) > 2 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd) {
		args = args[1:]
	}
	for i, c := range all {
		if len(args) > 0 && args[0] == c.name && !c.others {
			return all[i : i+1]
		}
	}
	return all
}

// Commands returns the program and all its commands, with the built-in contract's
// words in their examples, for what is generated from them.
func Commands(env Env) *cobra.Command {
	a := &app{Env: env}
	root := newRoot(a, nil)
	written(a, root)
	return root
}

func written(a *app, cmd *cobra.Command) {
	cmd.Example = a.examples(cmd.Example)
	cmd.InitDefaultHelpFlag()
	for _, c := range cmd.Commands() {
		written(a, c)
	}
}

// newRoot makes the program's commands, as far as the arguments need them.
func newRoot(a *app, args []string) *cobra.Command {
	var version bool
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
		SilenceErrors:     true,
		SilenceUsage:      true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				a.out.Line(report.T("paytest %s", a.build()))
				return nil
			}
			return cmd.Help()
		},
	}
	root.Flags().BoolVarP(&version, "version", "v", false, "version for paytest")
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
	root.SetUsageFunc(usageText)
	root.SetCompletionCommandGroupID("setup")
	made := needed(args)
	for _, c := range made {
		cmd := c.make(a)
		cmd.GroupID = c.group
		root.AddCommand(cmd)
	}
	if len(made) > 1 {
		completion(a, root)
	}
	root.CompletionOptions.DisableDefaultCmd = true
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd.HasSubCommands() {
			if a.unknown = a.command(cmd, cmd.Flags().Args()); a.unknown != nil {
				return
			}
		}
		cmd.Example = a.examples(cmd.Example)
		help(cmd, args)
	})
	return root
}

// completion adds the command that prints completion scripts.
func completion(a *app, root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if cmd, _, err := root.Find([]string{"completion"}); err == nil {
		cmd.Example = "  source <(paytest completion bash)\n  paytest completion fish > ~/.config/fish/completions/paytest.fish"
		cmd.Args = a.command
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	}
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
	c, err := a.loadContract()
	if err != nil {
		return nil, err
	}
	a.loaded = c
	return c, nil
}

// loadContract loads the contract: a user's folder is checked whole, the
// built-in one by this program's tests.
func (a *app) loadContract() (*contract.Contract, error) {
	if a.contractPath == "" {
		return contract.Open(a.Contract)
	}
	c, err := contract.Load(a.Dir(a.contractPath))
	if err != nil {
		return nil, usage("--contract %s: %w", a.contractPath, err)
	}
	return c, nil
}

// pack is the folder that holds the contract.
func (a *app) pack() fs.FS {
	if a.contractPath != "" {
		return a.Dir(a.contractPath)
	}
	return a.Contract
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
