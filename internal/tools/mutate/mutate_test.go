package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

func unpack(t *testing.T) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/tiny.txtar")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range archive.Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// TestMutate mutates a small package, whose every mutant is known.
func TestMutate(t *testing.T) {
	unpack(t)
	var out, progress bytes.Buffer
	if code := run(t.Context(), []string{"."}, &out, &progress); code != alive {
		t.Fatalf("exit code %d\n%s", code, &progress)
	}
	want := `./tiny.go Between: a <= x => a < x
    line 21
./tiny.go Between: x <= b => x < b
    line 21
./tiny.go Never: delete(set, "x") => (nothing)
    line 25, which no test comes upon
./tiny.go Never: !set["y"] => set["y"]
    line 26, which no test comes upon
`
	got, last, _ := strings.Cut(out.String(), "# ")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s\n%s", diff, &progress)
	}
	if want := ".: 13 of 17 mutants killed, 76.5 %; of the others 0 are explained; 0 do not compile\n"; last != want {
		t.Errorf("%swant %s", last, want)
	}
}

// TestExplained leaves out the survivors that are explained.
func TestExplained(t *testing.T) {
	unpack(t)
	for text, want := range map[string]int{
		"# why\n./tiny.go Never: !set[\"y\"] => set[\"y\"]\n    Nobody\n    calls it.\n./tiny.go Never: delete(set, \"x\") => (nothing)\n    The same.\n": held,
		"./tiny.go Never: !set[\"y\"] => set[\"y\"]\n    Nobody calls it.\n":                                                                              alive, "./tiny.go Never: !set[\"y\"] => set[\"y\"]\n": misused, "  why\n": misused,
	} {
		if err := os.WriteFile("why.txt", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var out, progress bytes.Buffer
		if code := run(t.Context(), []string{"-explained", "why.txt", "-only", "Never", "."}, &out, &progress); code != want {
			t.Errorf("exit code %d, want %d\n%s%s", code, want, &out, &progress)
		}
	}
}

// TestWithout leaves tests out.
func TestWithout(t *testing.T) {
	unpack(t)
	var out, progress bytes.Buffer
	if code := run(t.Context(), []string{"-only", "Sum", "-without", "^TestS", "."}, &out, &progress); code != alive || !strings.Contains(out.String(), "# .: 0 of ") {
		t.Errorf("exit code %d\n%s%s", code, &out, &progress)
	}
	if code := run(t.Context(), []string{"-without", "(", "."}, &out, &progress); code != misused {
		t.Errorf("exit code %d for a bad regular expression", code)
	}
}
