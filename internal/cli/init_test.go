package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestWorkflow holds the workflow that init writes to the Action as it is.
func TestWorkflow(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var action struct{ Inputs map[string]any }
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	for version, reference := range map[string]string{"1.2.3": "v1.2.3", "1.2.3-SNAPSHOT-0123456": "main", "": "main"} {
		a := &app{Env: Env{Version: version}}
		var workflow struct {
			Jobs map[string]struct {
				Steps []struct {
					Uses string
					With map[string]string
				}
			}
		}
		files := starters(a.reference())
		if err := yaml.Unmarshal([]byte(files[len(files)-1].text), &workflow); err != nil {
			t.Fatal(err)
		}
		uses := 0
		for _, step := range workflow.Jobs["paytest"].Steps {
			if !strings.HasPrefix(step.Uses, "paytest/paytest@") {
				continue
			}
			uses++
			if step.Uses != "paytest/paytest@"+reference {
				t.Errorf("version %q uses %s", version, step.Uses)
			}
			for name := range step.With {
				if action.Inputs[name] == nil {
					t.Errorf("the Action has no input %s", name)
				}
			}
		}
		if uses != 2 {
			t.Errorf("the Action is used %d times", uses)
		}
	}
}
