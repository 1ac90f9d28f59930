package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// unpack makes a module whose proofs end in every way there is.
func unpack(t *testing.T) string {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join("testdata", "ways.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		file := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestVerdicts runs the tool on a module whose proofs end in every way there is.
func TestVerdicts(t *testing.T) {
	dir := unpack(t)
	var out, progress bytes.Buffer
	code := run(t.Context(), dir, []string{"-seed", "77", "-only", "^(sound|ways|broken|panics)", "-junit", "out.xml", "-markdown", "TABLE.md"}, &out, &progress)
	if code != failed {
		t.Errorf("exit code %d, want %d\n%s\n%s", code, failed, &out, &progress)
	}
	for _, want := range []string{
		"proven   sound.Counts  (seed 77, ",
		"things counted 1,234,567; scale quick",
		"caught: counts twice; counts nothing",
		"FAILED   ways.Fails",
		"TestTrustFails/deep failed",
		"|     ways_test.go:",
		"this is why",
		"FAILED   ways.CatchesNothing", // its name has lost nothing: it is no counterpart
		"it names no broken build that it caught",
		"NOT RUN  ways.Skips",
		"TestTrustSkips was skipped: ways_test.go:",
		"no such device",
		"NOT RUN  ways.Hidden",
		"TestTrustHidden did not come to its end",
		"NOT RUN  broken.Compiles",
		"undefined: nothing",
		"NOT RUN  panics.AfterIt",
		"FAILED   ways.FuzzEmpty",
		"it starts from an empty seed corpus",
		"1 of 8 proven, ",
		"the same again: go run ./internal/tools/verify -seed 77",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", &out)
	}
	for name, want := range map[string]string{"out.xml": `<testsuites name="trust" tests="8" failures="7"`, "TABLE.md": "| sound.Counts | things counted 1,234,567; scale quick | counts twice; counts nothing | 77 | proven | "} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s does not say %q: %v\n%s", name, want, err, text)
		}
	}
}

// TestFuzzed runs the tool on fuzz targets, one of which finds an input.
func TestFuzzed(t *testing.T) {
	dir := unpack(t)
	var out, progress bytes.Buffer
	if code := run(t.Context(), dir, []string{"-only", "^fuzzed", "-fuzztime", "2s"}, &out, &progress); code != failed {
		t.Errorf("exit code %d\n%s", code, &progress)
	}
	for _, want := range []string{"proven   fuzzed.FuzzHolds", "seeds 2; fuzzed for ", "FAILED   fuzzed.FuzzFinds", "Failing input"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table does not say %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", &out)
	}
}

// TestMarkdownKeepsWhatIsWritten replaces the table and nothing before it, and
// touches no file that has no place for it.
func TestMarkdownKeepsWhatIsWritten(t *testing.T) {
	dir := unpack(t)
	for name, text := range map[string]string{"good.md": "# Trust\n\n" + marker + "\nold\n", "bad.md": "# Something else\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, progress bytes.Buffer
	if code := run(t.Context(), dir, []string{"-only", "^sound", "-markdown", filepath.Join(dir, "good.md")}, &out, &progress); code != proven {
		t.Fatalf("exit code %d\n%s%s", code, &out, &progress)
	}
	text, err := os.ReadFile(filepath.Join(dir, "good.md"))
	if err != nil || !strings.HasPrefix(string(text), "# Trust\n\n"+marker+"\n\n20") || strings.Contains(string(text), "old") {
		t.Errorf("%v\n%s", err, text)
	}
	if code := run(t.Context(), dir, []string{"-only", "^sound", "-markdown", "bad.md"}, &out, &progress); code != internal || !strings.Contains(progress.String(), "bad.md has no line") {
		t.Errorf("exit code %d\n%s", code, &progress)
	}
}

func TestMisuse(t *testing.T) {
	dir := unpack(t)
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-h"}, proven, "-markdown"},
		{[]string{"-only", "("}, misused, "-only: error parsing regexp"},
		{[]string{"-only", "nobody"}, misused, "no proof is called nobody"},
		{[]string{"all"}, misused, `no argument such as "all"`},
		{[]string{"-seed", "x"}, misused, "invalid value"},
	} {
		var out, progress bytes.Buffer
		if code := run(t.Context(), dir, test.args, &out, &progress); code != test.code || !strings.Contains(progress.String(), test.says) {
			t.Errorf("%s: exit code %d\n%s", test.args, code, &progress)
		}
	}
}
