package cli

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the files in completions")

// TestCompletions holds that the scripts in completions, which packages install,
// are those that the program prints. Write them anew with
//
//	go test ./internal/cli -run TestCompletions -update
func TestCompletions(t *testing.T) {
	for shell, file := range map[string]string{
		"bash": "paytest.bash", "zsh": "_paytest", "fish": "paytest.fish", "powershell": "paytest.ps1",
	} {
		t.Run(shell, func(t *testing.T) {
			script, stderr, code := outside{}.run(t, "completion", shell)
			if code != exitOK || stderr != "" || script == "" {
				t.Fatalf("exit %d: %s", code, stderr)
			}
			path := filepath.Join("..", "..", "completions", file)
			if *update {
				if err := os.WriteFile(path, []byte(script), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			kept, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(kept), script); diff != "" {
				t.Errorf("completions/%s is not what the program prints (-kept +printed):\n%s", file, diff)
			}
		})
	}
}
