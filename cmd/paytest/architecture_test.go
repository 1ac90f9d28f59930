package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drawn is the drawing of the arrows between the program's rooms: those that do
// not follow from others.
func drawn() string {
	var b strings.Builder
	b.WriteString("graph TD\n")
	for _, room := range arrows() {
		if strings.HasPrefix(room.from, "internal/tools/") {
			continue
		}
		may, _ := reach(room.from)
		for _, to := range may {
			around := slices.ContainsFunc(may, func(between string) bool { return between != to && leadsTo(between, to) })
			if !around {
				b.WriteString("  " + filepath.Base(room.from) + " --> " + filepath.Base(to) + "\n")
			}
		}
	}
	return b.String()
}

func leadsTo(from, to string) bool {
	may, _ := reach(from)
	return slices.ContainsFunc(may, func(next string) bool { return next == to || leadsTo(next, to) })
}

// TestArchitecture holds ARCHITECTURE.md to the rooms that there are: its table
// lists each, from the top down, and its drawing is that of the arrows. Draw it
// anew with
//
//	go test ./cmd/paytest -run TestArchitecture -update
func TestArchitecture(t *testing.T) {
	path := filepath.Join("..", "..", "ARCHITECTURE.md")
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	drawing := readPage(source).blocks[0]
	if *update {
		// An empty block has no place in the source, so look for its fence.
		at := strings.Index(string(source), "```mermaid\n") + len("```mermaid\n")
		end := at + strings.Index(string(source[at:]), "```")
		if err := os.WriteFile(path, slices.Concat(source[:at], []byte(drawn()), source[end:]), 0o644); err != nil {
			t.Fatal(err)
		}
		source, _ = os.ReadFile(path)
		drawing = readPage(source).blocks[0]
	}
	if diff := cmp.Diff(drawn(), drawing.text); diff != "" {
		t.Errorf("the drawing is not that of the arrows (-arrows +drawing):\n%s", diff)
	}
	var rooms, listed []string
	for _, room := range arrows() {
		rooms = append(rooms, room.from)
	}
	for _, m := range regexp.MustCompile(`(?m)^\| \[([^\]]+)\]\(([^)]+)\) \| .+ \|$`).FindAllStringSubmatch(string(source), -1) {
		listed = append(listed, m[1])
		if m[1] != m[2] {
			t.Errorf("%s leads to %s", m[1], m[2])
		}
	}
	if diff := cmp.Diff(rooms, listed); diff != "" {
		t.Errorf("the table does not list the rooms (-rooms +table):\n%s", diff)
	}
}
