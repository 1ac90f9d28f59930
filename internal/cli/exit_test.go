package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodesInReadme holds that README.md tells of every exit code, in the
// same words, and of no other.
func TestExitCodesInReadme(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	table := "| code | meaning |\n| --- | --- |\n"
	for _, e := range ExitCodes() {
		table += fmt.Sprintf("| %d | %s |\n", e.Code, e.Meaning)
	}
	if !strings.Contains(string(readme), table+"\n") {
		t.Errorf("README.md has not this table:\n%s", table)
	}
}
