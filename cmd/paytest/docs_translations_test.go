package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	shop "github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/payloads"
)

func readmes(t *testing.T) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "README*.md"))
	if err != nil || len(names) < 2 {
		t.Fatalf("%q: %v", names, err)
	}
	out := map[string]string{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(name)] = string(text)
	}
	return out
}

// TestTranslations holds that the other languages' READMEs show the commands and
// the outputs of README.md, which TestDocs runs, and link to the same places.
// Write their blocks anew with
//
//	go test ./cmd/paytest -run TestTranslations -update
func TestTranslations(t *testing.T) {
	all := readmes(t)
	english := readPage([]byte(all["README.md"]))
	for name, text := range all {
		if name == "README.md" {
			continue
		}
		p := readPage([]byte(text))
		if len(p.blocks) != len(english.blocks) {
			t.Fatalf("%s has %d blocks, README.md %d", name, len(p.blocks), len(english.blocks))
		}
		if *update {
			p = rewritten(t, name, p, english)
		}
		for i, b := range english.blocks {
			if diff := cmp.Diff(b.text, p.blocks[i].text); diff != "" {
				t.Errorf("%s, line %d: the block is not README.md's (-README.md +%s):\n%s", name, p.blocks[i].line, name, diff)
			}
		}
		if diff := cmp.Diff(english.links[1:], p.links[1:]); diff != "" { // the first lead to each other
			t.Errorf("%s links to other places than README.md: %s", name, diff)
		}
	}
}

// rewritten puts a page's blocks into another, and reads it again.
func rewritten(t *testing.T, name string, p, from *page) *page {
	t.Helper()
	var out []byte
	at := 0
	for i, b := range p.blocks {
		out = append(append(out, p.source[at:b.start]...), from.blocks[i].text...)
		at = b.stop
	}
	out = append(out, p.source[at:]...)
	if err := os.WriteFile(filepath.Join("..", "..", name), out, 0o644); err != nil {
		t.Fatal(err)
	}
	return readPage(out)
}

func builtIn(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFigures holds what the READMEs count to what there is.
func TestFigures(t *testing.T) {
	catalog, err := conform.Load(builtIn(t), payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range readmes(t) {
		prose := regexp.MustCompile("(?s)```.*?```").ReplaceAllString(text, "")
		got := regexp.MustCompile(`\b1\d\d\b`).FindAllString(prose, -1)
		want := []string{fmt.Sprint(len(catalog.Cases)), fmt.Sprint(len(shop.Bugs()))}
		if diff := cmp.Diff(strings.Join(want, " "), strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: the cases and the bugs that it counts (-are +said): %s", name, diff)
		}
	}
}
