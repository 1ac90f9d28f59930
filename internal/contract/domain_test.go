package contract_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// TestProgramKnowsNoDomain shows that all the program knows of a gateway, it
// has from a pack.
func TestProgramKnowsNoDomain(t *testing.T) {
	words := regexp.MustCompile(`(?i)invoice|transaction|\bkrw|usdt|\btron\b`)
	module := os.DirFS("../..")
	if _, err := fs.Stat(module, "go.mod"); err != nil {
		t.Fatal("this is not the module's root", err)
	}
	files := 0
	err := fs.WalkDir(module, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "payloads" || name == "examples" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != "."):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		raw, err := fs.ReadFile(module, name)
		files++
		for i, line := range strings.Split(string(raw), "\n") {
			if hit := words.FindString(line); hit != "" {
				t.Errorf("%s:%d says %q: the program knows no gateway, only packs do", name, i+1, hit)
			}
		}
		return err
	})
	if err != nil || files < 10 {
		t.Fatalf("looked at %d files: %v", files, err)
	}
}
