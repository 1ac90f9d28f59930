package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExitCodesInDocs holds that docs/exit-codes.md tells of every exit code, in the
// same words, and of no other.
func TestExitCodesInDocs(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "exit-codes.md"))
	if err != nil {
		t.Fatal(err)
	}
	table := "| code | meaning |\n| --- | --- |\n"
	for _, e := range ExitCodes() {
		table += fmt.Sprintf("| %d | %s |\n", e.Code, e.Meaning)
	}
	if !strings.Contains(string(page), table+"\n") {
		t.Errorf("docs/exit-codes.md has not this table:\n%s", table)
	}
}
