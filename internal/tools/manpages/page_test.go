package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/payloads"
)

// TestPages holds that each command has a page, that a page has all of its
// command's flags and examples, and that it is a page in ASCII.
func TestPages(t *testing.T) {
	root := cli.Commands(cli.Env{Contract: payloads.FS})
	all := pages(root, "1.2.3", "2030-01-02")
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		text, ok := all[pageName(cmd)]
		if !ok {
			t.Errorf("%s has no page", cmd.CommandPath())
		}
		wanted := []string{".SH \"DESCRIPTION\"\n", ".SH \"SYNOPSIS\"\n\\fB" + escaped(cmd.CommandPath())}
		cmd.Flags().VisitAll(func(f *pflag.Flag) { wanted = append(wanted, option(f)+"\n"+emphasized(meaning(f))+"\n") })
		for line := range strings.Lines(cmd.Example) {
			command, _, _ := strings.Cut(strings.TrimSpace(line), "  ")
			for word := range strings.FieldsSeq(command) {
				wanted = append(wanted, escaped(word))
			}
		}
		for _, want := range wanted {
			if !strings.Contains(text, want) {
				t.Errorf("%s has no %q", pageName(cmd), want)
			}
		}
		if !strings.HasPrefix(text, `.TH "`+strings.ToUpper(pageName(cmd))+`" 1 2030-01-02 "paytest 1.2.3" "paytest manual"`+"\n") {
			t.Errorf("%s begins with %.60q", pageName(cmd), text)
		}
		if strings.ContainsFunc(text, func(c rune) bool { return c > '~' }) || strings.Contains(text, "{state}") {
			t.Errorf("%s has what no page should", pageName(cmd))
		}
		for _, sub := range documented(cmd) {
			check(sub)
		}
	}
	check(root)
	if len(all) < 15 {
		t.Errorf("only %d pages", len(all))
	}
	for _, e := range cli.ExitCodes() {
		if !strings.Contains(all["paytest"], e.Meaning[:10]) {
			t.Errorf("paytest does not tell of exit code %d", e.Code)
		}
	}
}

// TestCask holds that the Homebrew cask, which takes no pattern, names every page.
func TestCask(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "..", ".goreleaser.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Casks []struct{ Manpages []string } `yaml:"homebrew_casks"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil || len(config.Casks) != 1 {
		t.Fatalf("%d casks, %v", len(config.Casks), err)
	}
	var want []string
	for name := range pages(cli.Commands(cli.Env{Contract: payloads.FS}), "", "") {
		want = append(want, "man/"+name+".1.gz")
	}
	sorted := cmpopts.SortSlices(strings.Compare)
	if diff := cmp.Diff(want, config.Casks[0].Manpages, sorted); diff != "" {
		t.Errorf("manpages in .goreleaser.yaml is not the manual (-manual +listed):\n%s", diff)
	}
}

func TestText(t *testing.T) {
	for _, test := range []struct{ name, got, want string }{
		{"a hyphen", escaped("half-way"), `half\-way`},
		{"what a shell reads", escaped("'{id}' \"a\" `b` ~ ^"), `\(aq{id}\(aq \(dqa\(dq \(gab\(ga \(ti \(ha`},
		{"a backslash", escaped(`\fB`), `\efB`},
		{"not ASCII", escaped("→ 한"), `\[u2192] \[uD55C]`},
		{"options", emphasized("with --to URL (-H too), half-way, a--b"), `with \fB\-\-to\fR URL (\fB\-H\fR too), half\-way, a\-\-b`},
		{"a metavariable", metavariable("[SCENARIO...]"), `[\fISCENARIO\fR...]`},
		{"a word", metavariable("[command]"), `[command]`},
		{"a short command", broken("paytest send invoice complete"), "paytest send invoice complete"},
		{
			"a long command", broken("paytest conform --profile full --report html=conform.html --report junit=conform.xml"),
			"paytest conform --profile full --report html=conform.html \\\n    --report junit=conform.xml",
		},
		{"literal lines", unindented("  to: x\n    strict: y"), "to: x\n  strict: y"},
	} {
		if test.got != test.want {
			t.Errorf("%s: %q, not %q", test.name, test.got, test.want)
		}
	}
	var r roff
	r.line(".TH")
	r.line("'br")
	r.prose("One.\n\n#### macOS:\n\n  .a\n\nTwo.\nThree.\n\nFour.")
	want := "\\&.TH\n\\&'br\nOne.\n.SS \"macOS\"\n.RS \"4\"\n.EX\n\\&.a\n.EE\n.RE\n.PP\nTwo.\nThree.\n.PP\nFour.\n"
	if diff := cmp.Diff(want, r.String()); diff != "" {
		t.Error(diff)
	}
}

// TestRun holds that the same arguments give the same bytes, and which arguments
// there are.
func TestRun(t *testing.T) {
	first, second := t.TempDir(), filepath.Join(t.TempDir(), "new")
	for _, folder := range []string{first, second} {
		if err := run([]string{"1.2.3", "2030-01-02T23:30:00-02:00", folder}); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(first, "*.1.gz"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d pages, %v", len(names), err)
	}
	for _, name := range names {
		packed, text := unpacked(t, name)
		again, _ := unpacked(t, filepath.Join(second, filepath.Base(name)))
		if !bytes.Equal(packed, again) {
			t.Errorf("%s differs", name)
		}
		if !strings.Contains(text, ` 1 2030-01-03 "`) {
			t.Errorf("%s begins with %.60q", name, text)
		}
	}
	for _, args := range [][]string{nil, {"1.2.3", "yesterday", first}, {"1.2.3", "2030-01-02T00:00:00Z", names[0]}} {
		if run(args) == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func unpacked(t *testing.T, name string) (packed []byte, text string) {
	t.Helper()
	packed, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(r)
	if err != nil || !r.ModTime.IsZero() || r.Name != "" {
		t.Fatalf("%s: %v", name, err)
	}
	return packed, string(page)
}
