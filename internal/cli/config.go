package cli

import (
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/report"
)

func newConfig(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Show the settings in effect, and where each came from",
		Long: `Show the settings in effect, and where each came from.

Every flag can be set outside the command line: in the environment, in
./paytest.yaml and in the user's paytest.yaml, in this order. A flag's name sets
it for every command, under a command's name for that command only:

    to: http://localhost:8080        env PAYTEST_TO
    listen:
      strict: order,gaps             env PAYTEST_LISTEN_STRICT`,
		Example: `  PAYTEST_TIMEOUT=2s paytest config`,
		Args:    atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.showSettings(cmd)
		},
	}
}

// showSettings lists every setting, and refuses one that its flag would not take.
func (a *app) showSettings(cmd *cobra.Command) error {
	var wrong error
	for _, k := range settings(cmd.Root()) {
		owner := cmd.Root()
		if k.Command != "" {
			owner, _, _ = cmd.Root().Find([]string{k.Command})
		}
		f := owner.Flags().Lookup(k.Flag)
		if f == nil {
			f = owner.PersistentFlags().Lookup(k.Flag)
		}
		name := k.Flag
		if k.Command != "" {
			name = k.Command + "." + k.Flag
		}
		values, origin := a.effective(f, k.Command)
		for _, v := range values {
			if err := f.Value.Set(v); err != nil && origin != byDefault && wrong == nil {
				wrong = usage("%s: %s: %w", origin, name, err)
			}
		}
		style := report.Accent
		if origin == byDefault {
			style = report.Faint
		}
		a.out.Line(report.S(style, "%-24s", name), report.T("  %-28s  ", shownSetting(k.Flag, values)), report.S(report.Faint, "%s", origin))
	}
	return wrong
}

// shownSetting shows the values of a setting, but for what may be a secret: the
// values of headers, and a proxy's password.
func shownSetting(flag string, values []string) string {
	shown := slices.Clone(values)
	for i, v := range values {
		switch name, _, isHeader := strings.Cut(v, ":"); {
		case flag == "header" && isHeader:
			shown[i] = name + ": " + journal.Hidden
		case flag == "proxy":
			if u, err := url.Parse(v); err == nil {
				shown[i] = u.Redacted()
			}
		}
	}
	return strings.Join(shown, ", ")
}

const byDefault = "default"

func (a *app) effective(f *pflag.Flag, command string) (values []string, origin string) {
	if command == "" && a.given[f.Name] {
		return []string{f.Value.String()}, "flag --" + f.Name
	}
	if v, ok := a.config.Lookup(command, f.Name); ok {
		return v.Values, v.Origin
	}
	return []string{strings.Trim(f.DefValue, "[]")}, byDefault
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: `  paytest version`,
		Args:    atMost(0),
		RunE: func(*cobra.Command, []string) error {
			a.out.Line(report.T("paytest %s", a.build()))
			return nil
		},
	}
}

// build names the release, and the commit that it was built from where that is
// known: a build of a module that was downloaded knows its version alone.
func (a *app) build() string {
	info, _ := debug.ReadBuildInfo()
	return built(a.version(), info)
}

func built(version string, info *debug.BuildInfo) string {
	about := []string{runtime.GOOS + "/" + runtime.GOARCH, runtime.Version()}
	if commit := setting(info, "vcs.revision"); len(commit) >= 12 {
		commit = "commit " + commit[:12]
		if setting(info, "vcs.modified") == "true" {
			commit += " with changes"
		}
		about = append(about, commit)
	}
	if day := setting(info, "vcs.time"); len(day) >= len(time.DateOnly) {
		about = append(about, day[:len(time.DateOnly)])
	}
	return version + " (" + strings.Join(about, ", ") + ")"
}

func setting(info *debug.BuildInfo, name string) string {
	if info != nil {
		for _, s := range info.Settings {
			if s.Key == name {
				return s.Value
			}
		}
	}
	return ""
}

// version is the release, or the module's version in a build by Go alone.
func (a *app) version() string {
	if a.Version != "" {
		return a.Version
	}
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		return info.Main.Version[1:]
	}
	return "dev"
}
