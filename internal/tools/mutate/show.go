package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func readSource(name string) ([]byte, error) { return os.ReadFile(name) }

// explanations reads why some mutants cannot be told from the program: a line
// names one, and those behind it, indented, say why.
func explanations(name string) (map[string]string, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out, at := map[string]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, " "):
			if at == "" {
				return nil, fmt.Errorf("%s: %q explains no mutant", name, line)
			}
			out[at] = strings.TrimSpace(out[at] + " " + strings.TrimSpace(line))
		default:
			at = line
			out[at] = ""
		}
	}
	for at, why := range out {
		if why == "" {
			return nil, fmt.Errorf("%s: %q is not explained", name, at)
		}
	}
	return out, nil
}

// show writes the figures and the survivors, and returns how many of them nobody
// has explained.
func (r *result) show(out io.Writer, known map[string]string) (unexplained int) {
	slices.SortFunc(r.survivors, func(a, b survivor) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.id, b.id))
	})
	for _, s := range r.survivors {
		name := filepath.Base(r.path) + "/" + s.name()
		if known[name] != "" {
			continue
		}
		unexplained++
		fmt.Fprintf(out, "%s\n    line %d%s\n", name, s.line, map[bool]string{false: ", which no test comes upon"}[s.reached])
	}
	percent := 0.0
	if r.tried > 0 {
		percent = 100 * float64(r.killed) / float64(r.tried)
	}
	fmt.Fprintf(out, "# %s: %d of %d mutants killed, %.1f %%; of the others %d are explained; %d do not compile\n",
		r.path, r.killed, r.tried, percent, len(r.survivors)-unexplained, r.unviable)
	for _, name := range r.broken {
		fmt.Fprintf(out, "# %s fails with no mutant alive and was left out\n", name)
	}
	return unexplained
}
