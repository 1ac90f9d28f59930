package verify_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/verify"
)

var update = flag.Bool("update", false, "rewrite docs/findings.md and the files in testdata")

// TestCodes holds that every code that is declared is described, once.
func TestCodes(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var declared []string
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Code" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value) //nolint:errcheck // a constant of text has no other form
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, text)
		}
		return true
	})
	var described []string
	for _, about := range verify.Codes() {
		described = append(described, string(about.Code))
		for _, text := range []string{about.Means, about.Costs, about.Fix} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q is no sentence", about.Code, text)
			}
		}
	}
	slices.Sort(declared)
	slices.Sort(described)
	if len(declared) < 30 {
		t.Fatalf("finding.go declares %q", declared)
	}
	if diff := cmp.Diff(declared, described); diff != "" {
		t.Errorf("the codes that are declared and those that are described (-declared +described):\n%s", diff)
	}
}

// TestFindingsDocument holds docs/findings.md to the list. Write it anew with
//
//	go test ./internal/verify -run TestFindingsDocument -update
func TestFindingsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# What paytest finds, and what to do

A finding has a code that stays the same between versions, a severity, the place in the payload, and the document that its
rule is from. A *violation* breaks the contract and makes the exit code 1. A *warning* is suspicious, and the documents do
not forbid it. A *note* is worth knowing and within the contract; ` + "`--strict`" + ` counts some notes and warnings, too.

` + "`paytest explain CODE`" + ` shows one of these entries in the terminal.

`)
	for _, about := range verify.Codes() {
		fmt.Fprintf(&b, "- [%s](#%s), %s\n", about.Code, about.Code, about.Severity)
	}
	for _, about := range verify.Codes() {
		fmt.Fprintf(&b, "\n## %s\n\n*%s.* %s\n\n**What it costs:** %s\n\n**What to do:** %s\n", about.Code, about.Severity, about.Means, about.Costs, about.Fix)
	}
	path := filepath.Join("..", "..", "docs", "findings.md")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(kept), b.String()); diff != "" {
		t.Errorf("docs/findings.md is not what the list says (-kept +list):\n%s", diff)
	}
}
