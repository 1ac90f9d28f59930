package verify

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/tools/trust"
)

// foreign puts the cases of JSONTestSuite into payloads, as the value of a member
// that nobody knows, and returns how many there were and the first that is judged
// wrongly.
func foreign(t *testing.T, x checking) (count int, wrong string) {
	t.Helper()
	c := builtin(t)
	files, err := filepath.Glob("../jsondoc/testdata/JSONTestSuite/test_parsing/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	twice := []string{"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		for _, st := range c.States() {
			raw := st.Sample.AppendCanonical(nil)
			raw = fmt.Appendf(raw[:len(raw)-1], `,"x":%s}`, text)
			count++
			if text := x.strange(c, st, raw, name[0] == 'y' && !slices.Contains(twice, name), name[0] == 'i'); text != "" {
				return count, fmt.Sprintf("%s in %s: %s", name, st, text)
			}
		}
	}
	return count, ""
}

func (x checking) strange(c *contract.Contract, st *contract.State, raw []byte, sound, open bool) string {
	long := x.explain(c, raw, st.Path)
	if short, ok := x.quick(c, raw, st.Path); ok && !cmp.Equal(short.Findings, long.Findings) {
		return fmt.Sprintf("accepted with %+v, explained with %+v", short.Findings, long.Findings)
	}
	if !open && long.OK() != sound {
		return fmt.Sprintf("%+v", long.Findings)
	}
	return ""
}

// TestTrustForeignSyntax puts every case of JSONTestSuite into a payload of every
// state: the short way and the long one say what the suite says.
func TestTrustForeignSyntax(t *testing.T) {
	count, wrong := foreign(t, checking{accept, explain})
	if wrong != "" {
		t.Error(wrong)
	}
	trust.Figure(t, "payloads", count)
}

// TestTrustForeignSyntaxCatches holds that the test above fails for a short way that
// passes over what it does not know.
func TestTrustForeignSyntaxCatches(t *testing.T) {
	blind := func(c *contract.Contract, raw []byte, path string) (Verdict, bool) {
		if v := explain(c, raw, path); v.OK() {
			return v, true
		}
		return Verdict{}, true
	}
	if _, wrong := foreign(t, checking{blind, explain}); wrong == "" {
		t.Error("not caught")
	} else {
		trust.Caught(t, "accepts a payload whose unknown members are no JSON")
	}
}
