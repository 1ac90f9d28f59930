package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/config"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
)

// prepare reads the settings and gives them to the flags the user did not set.
func (a *app) prepare(cmd *cobra.Command) error {
	if cmd.Name() == "completion" || cmd.HasParent() && cmd.Parent().Name() == "completion" {
		return nil
	}
	sources := config.Sources{
		LookupEnv:   a.LookupEnv,
		Environ:     a.Environ(),
		ReadFile:    func(name string) ([]byte, error) { return a.readFile(name, config.MaxFileBytes) },
		ProjectFile: "paytest.yaml",
		UserFile:    config.UserFilePath(a.LookupEnv),
	}
	if a.configFile != "" {
		sources.ProjectFile, sources.Explicit = a.configFile, true
	}
	cfg, err := config.Load(func() []config.Key { return settings(newRoot(&app{Env: a.Env}, nil)) }, sources)
	if err != nil && cmd.Name() == doctorName {
		a.wrong, cfg, err = err, &config.Config{}, nil // which is what it is asked about
	}
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
	if failed != nil && cmd.Name() == doctorName {
		a.wrong, failed = failed, nil
	}
	if failed != nil {
		return failed
	}
	for _, name := range a.unknownEnv() {
		a.err.Paragraph([]report.Span{report.S(report.Caution, "warning:"), report.T(" ")}, "  ", name+" is set, but is no setting"+a.nearEnv(name))
	}
	return oneOf("color", a.color, "auto", "always", "never")
}

// unknownEnv lists the variables that look like settings and are none.
func (a *app) unknownEnv() []string {
	return slices.DeleteFunc(a.config.UnknownEnv(), func(name string) bool { return name == SecretEnv || name == urlEnv })
}

// nearEnv says which variable may have been meant.
func (a *app) nearEnv(name string) string {
	if near := suggest.DidYouMean(name, append(a.config.Envs(), SecretEnv)); near != "" {
		return near
	}
	return "; paytest config lists them"
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
		if f.Annotations == nil {
			f.Annotations = map[string][]string{}
		}
		f.Annotations[onceKey] = nil
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
