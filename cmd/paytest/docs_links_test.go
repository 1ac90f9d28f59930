package main

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// documents are those whose commands are run: README.md and what is in docs. The
// other languages' READMEs hold the same commands (TestTranslations).
func documents(t *testing.T) []string {
	return slices.DeleteFunc(markdown(t), func(name string) bool {
		return name != "README.md" && !strings.HasPrefix(name, "docs/")
	})
}

// markdown lists every document of the project, by its path from the top.
func markdown(t *testing.T) []string {
	t.Helper()
	var out []string
	err := fs.WalkDir(os.DirFS(filepath.Join("..", "..")), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == ".git" || d.Name() == "node_modules" || d.Name() == "testdata" || d.Name() == "dist"):
			return fs.SkipDir
		case path.Ext(name) == ".md":
			out = append(out, name)
		}
		return nil
	})
	if err != nil || len(out) < 5 {
		t.Fatalf("%q: %v", out, err)
	}
	return out
}

// TestLinks holds that every link between documents leads somewhere: to a file,
// and in a document to a heading. Links to the web are listed, and not followed.
func TestLinks(t *testing.T) {
	pages := map[string]*page{}
	for _, name := range markdown(t) {
		source, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = readPage(source)
	}
	external := 0
	for _, name := range markdown(t) {
		for _, link := range pages[name].links {
			switch problem, web := leads(pages, name, link); {
			case problem != "":
				t.Errorf("%s: the link to %s leads nowhere: %s", name, link, problem)
			case web:
				external++
				t.Logf("not followed: %s: %s", name, link)
			}
		}
	}
	t.Logf("%d links to the web are not followed", external)
}

// TestIndex holds that docs/README.md leads to every document in docs.
func TestIndex(t *testing.T) {
	source, err := os.ReadFile(filepath.Join("..", "..", "docs", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	links := readPage(source).links
	for _, name := range markdown(t) {
		if in, ok := strings.CutPrefix(name, "docs/"); ok && in != "README.md" && !slices.Contains(links, in) {
			t.Errorf("docs/README.md does not lead to %s", in)
		}
	}
}

// leads says what is wrong with a link, and whether it leads to the web.
func leads(pages map[string]*page, from, link string) (problem string, web bool) {
	u, err := url.Parse(link)
	if err != nil {
		return err.Error(), false
	}
	if u.Scheme != "" {
		return "", true
	}
	target := from
	if u.Path != "" {
		target = path.Join(path.Dir(from), u.Path)
	}
	if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(target))); err != nil {
		return "there is no " + target, false
	}
	if u.Fragment == "" {
		return "", false
	}
	p := pages[target]
	if p == nil {
		return target + " has no headings", false
	}
	if !slices.Contains(p.anchors(), u.Fragment) {
		return fmt.Sprintf("%s has the anchors %s", target, strings.Join(p.anchors(), ", ")), false
	}
	return "", false
}
