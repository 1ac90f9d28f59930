package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// TestReference holds docs/reference.md to the commands that there are, and their
// help to 80 columns. Write it anew with
//
//	go test ./internal/cli -run TestReference -update
func TestReference(t *testing.T) {
	help := func(args ...string) string {
		text, stderr, code := outside{}.run(t, append(args, "--help")...)
		if code != exitOK || stderr != "" {
			t.Fatalf("%q: exit %d: %s", args, code, stderr)
		}
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(strings.TrimSuffix(line, "\n")) > helpWidth {
				t.Errorf("%q --help is wider than %d columns: %s", args, helpWidth, line)
			}
		}
		own, _, _ := strings.Cut(text, "\nGlobal Flags:\n")
		return own
	}
	var b, list strings.Builder
	root := newRoot(&app{}, nil)
	for _, c := range commands() {
		fmt.Fprintf(&list, "[%s](#paytest-%s) ", c.name, c.name)
		parts := [][]string{{c.name}}
		if cmd, _, err := root.Find([]string{c.name}); err == nil {
			for _, sub := range cmd.Commands() {
				parts = append(parts, []string{c.name, sub.Name()})
			}
		}
		for _, words := range parts {
			fmt.Fprintf(&b, "\n## paytest %s\n\n<!-- test: skip TestReference writes it -->\n```text\n%s```\n", strings.Join(words, " "), help(words...))
		}
	}
	whole := "# Commands and flags\n\nWhat `paytest COMMAND --help` shows, written by `go test ./internal/cli -run TestReference -update`.\n" +
		"Every lasting flag is a [setting](configuration.md), too.\n\n" + strings.TrimSpace(list.String()) +
		"\n\n## paytest\n\n<!-- test: skip TestReference writes it -->\n```text\n" + help() + "```\n" + b.String()
	path := filepath.Join("..", "..", "docs", "reference.md")
	if *update {
		if err := os.WriteFile(path, []byte(whole), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), whole); diff != "" {
		t.Errorf("docs/reference.md is not what the program says (-kept +program):\n%s", diff)
	}
}
