package cli

import (
	"fmt"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

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

// build names the release, or the commit of a build without one.
func (a *app) build() string {
	name, commit := a.version(), ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if a.Version == "" && strings.HasPrefix(info.Main.Version, "v") {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				commit = ", commit " + s.Value[:12]
			}
		}
	}
	return fmt.Sprintf("%s (%s/%s, %s%s)", name, runtime.GOOS, runtime.GOARCH, runtime.Version(), commit)
}
