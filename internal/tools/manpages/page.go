package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/cli"
)

// pages is the manual: each page by its name, such as paytest-send.
func pages(root *cobra.Command, version, day string) map[string]string {
	all := map[string]string{}
	var add func(*cobra.Command)
	add = func(cmd *cobra.Command) {
		all[pageName(cmd)] = page(cmd, version, day)
		for _, sub := range documented(cmd) {
			add(sub)
		}
	}
	add(root)
	return all
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

func documented(cmd *cobra.Command) []*cobra.Command {
	var out []*cobra.Command
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			out = append(out, sub)
		}
	}
	return out
}

// page is the page of one command.
func page(cmd *cobra.Command, version, day string) string {
	var r roff
	r.title(strings.ToUpper(pageName(cmd)), day, "paytest "+version, "paytest manual")
	r.section("NAME")
	r.line(escaped(pageName(cmd)) + ` \- ` + escaped(lowered(cmd.Short)))
	r.section("SYNOPSIS")
	synopsis(&r, cmd)
	r.section("DESCRIPTION")
	r.prose(described(cmd))
	if len(documented(cmd)) > 0 {
		r.section("COMMANDS")
		commands(&r, cmd)
	}
	options(&r, "OPTIONS", cmd.LocalFlags())
	options(&r, "GLOBAL OPTIONS", cmd.InheritedFlags())
	if cmd.HasExample() {
		r.section("EXAMPLES")
		examples(&r, cmd.Example)
	}
	if cmd.HasParent() {
		r.section("SEE ALSO")
		r.line(reference(cmd.Root().Name()) + ", for settings and exit codes")
	} else {
		whole(&r)
	}
	return r.String()
}

// whole writes what is the same for every command.
func whole(r *roff) {
	r.section("EXIT STATUS")
	for _, e := range cli.ExitCodes() {
		r.item(bold(fmt.Sprint(e.Code)), e.Meaning)
	}
	r.section("ENVIRONMENT")
	r.item(bold("PAYTEST_SECRET"), "The secret that is shared with the gateway.")
	r.item(bold("PAYTEST_")+italic("OPTION")+", "+bold("PAYTEST_")+italic("COMMAND_OPTION"),
		"The value of an option, for every command or for one: PAYTEST_TO, PAYTEST_LISTEN_STRICT.")
	r.item(bold("NO_COLOR")+", "+bold("FORCE_COLOR"), "Never or always use color.")
	r.section("FILES")
	r.item(italic("./paytest.yaml"), "The project's settings. The environment goes before them, and an option before both.")
	r.item(italic("~/.config/paytest/paytest.yaml"), "The user's settings, where the project has none.")
	r.section("SEE ALSO")
	r.line(reference("paytest-config") + ", for the settings in effect")
}

func synopsis(r *roff, cmd *cobra.Command) {
	lines := []string{cmd.UseLine()}
	switch {
	case !cmd.Runnable():
		lines = []string{cmd.CommandPath() + " COMMAND"}
	case len(documented(cmd)) > 0:
		lines = append(lines, cmd.CommandPath()+" COMMAND")
	}
	for i, line := range lines {
		if i > 0 {
			r.request("br")
		}
		rest := strings.Fields(strings.TrimPrefix(line, cmd.CommandPath()))
		for i, word := range rest {
			if word == "[flags]" {
				word = "[OPTION...]"
			}
			rest[i] = metavariable(word)
		}
		r.line(strings.Join(append([]string{bold(cmd.CommandPath())}, rest...), " "))
	}
}

// described is what a command does, in whole sentences.
func described(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short + "."
}

func lowered(sentence string) string { return strings.ToLower(sentence[:1]) + sentence[1:] }

func commands(r *roff, cmd *cobra.Command) {
	groups := cmd.Groups()
	if len(groups) == 0 {
		groups = []*cobra.Group{{}}
	}
	for _, group := range groups {
		if group.Title != "" {
			r.request("SS", strings.TrimSuffix(group.Title, ":"))
		}
		for _, sub := range documented(cmd) {
			if sub.GroupID == group.ID {
				r.item(reference(pageName(sub)), sub.Short)
			}
		}
	}
}

func options(r *roff, title string, flags *pflag.FlagSet) {
	if !flags.HasAvailableFlags() {
		return
	}
	r.section(title)
	flags.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			r.item(option(f), meaning(f))
		}
	})
}

// option is how a flag is written: -H, --header VALUE.
func option(f *pflag.Flag) string {
	out := bold("--" + f.Name)
	if f.Shorthand != "" {
		out = bold("-"+f.Shorthand) + ", " + out
	}
	value, _ := pflag.UnquoteUsage(f)
	switch {
	case value == "":
		return out
	case f.NoOptDefVal != "":
		return out + "[=" + italic(value) + "]"
	}
	return out + " " + italic(value)
}

// meaning is what --help says of a flag: its default, too.
func meaning(f *pflag.Flag) string {
	alone := pflag.NewFlagSet("", pflag.ContinueOnError)
	alone.AddFlag(f)
	_, text, _ := strings.Cut(strings.TrimSpace(alone.FlagUsages()), "   ")
	if value, _ := pflag.UnquoteUsage(f); value != "" && f.NoOptDefVal != "" {
		text += "; without a value " + f.NoOptDefVal
	}
	return text
}

// examples writes command lines, each with what --help says beside it.
func examples(r *roff, text string) {
	for i, line := range strings.Split(strings.Trim(text, "\n"), "\n") {
		command, about, _ := strings.Cut(strings.TrimSpace(line), "  ")
		if i > 0 {
			r.request("PP")
		}
		r.literal(broken(command))
		if about != "" {
			r.request("RS")
			r.line(escaped(strings.TrimSpace(about)))
			r.request("RE")
		}
	}
}

// columns is what a line of a page has at 80 columns, indentation aside.
const columns = 71

// broken breaks a long command line before an option, where a shell goes on reading.
func broken(command string) string {
	var out strings.Builder
	width := 0
	for i, part := range strings.Split(command, " -") {
		switch {
		case i == 0:
		case width+len(" -"+part+` \`) > columns:
			out.WriteString(" \\\n    -")
			width = len("    -")
		default:
			out.WriteString(" -")
			width += len(" -")
		}
		out.WriteString(part)
		width += len(part)
	}
	return out.String()
}
