package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// counterpart ends the name of the test that holds a proof against broken builds.
const counterpart = "Catches"

// proof is one line of the table.
type proof struct {
	// path is the package's import path, room the same without the module, dir where
	// it is.
	path, room, dir string
	// name is that of the test without what all have in common: EverySequence of
	// TestTrustEverySequence, and the whole name of a fuzz target.
	name string
	// tests are the functions that the proof consists of.
	tests []string
	fuzz  bool
	outcome
}

// outcome is what became of a proof.
type outcome struct {
	verdict verdict
	// why says in a line what is wrong, and output is what its tests wrote.
	why    string
	output []string
	// searched is set when the fuzzer was started, which begins with so many seeds.
	searched bool
	seeds    int
	seed     string
	figures  []figure
	caught   []string
	seconds  float64
}

type figure struct{ name, value string }

type verdict string

const (
	isProven verdict = "proven"
	isFailed verdict = "FAILED"
	isUnrun  verdict = "NOT RUN"
)

// title is how a proof is called in the table and on the command line.
func (p *proof) title() string { return p.room + "." + p.name }

// fail keeps the first thing that was wrong with a proof.
func (p *proof) fail(v verdict, format string, args ...any) {
	if p.verdict != isFailed && p.verdict != isUnrun {
		p.verdict, p.why = v, fmt.Sprintf(format, args...)
	}
}

// goPackage is what "go list" tells of a package.
type goPackage struct {
	ImportPath, Dir                           string
	Module                                    struct{ Path string }
	TestGoFiles, XTestGoFiles, IgnoredGoFiles []string
}

// discover finds the proofs in the module's test files, those that the compiler
// would leave out here among them: a proof that cannot run is none.
func discover(ctx context.Context, o options) ([]*proof, error) {
	packages, err := list(ctx, o.dir)
	if err != nil {
		return nil, err
	}
	var all []*proof
	for _, p := range packages {
		found, err := p.proofs()
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return slices.DeleteFunc(all, func(p *proof) bool { return !o.only.MatchString(p.title()) }), nil
}

func list(ctx context.Context, dir string) ([]goPackage, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,Module,TestGoFiles,XTestGoFiles,IgnoredGoFiles", "./...")
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list ./...: %w\n%s", err, &errs)
	}
	var all []goPackage
	for in := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		switch err := in.Decode(&p); {
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list ./...: %w", err)
		}
		all = append(all, p)
	}
}

func (p goPackage) proofs() ([]*proof, error) {
	heads := regexp.MustCompile(`(?m)^func (?:TestTrust(\w+)|(Fuzz\w+))\(`)
	byName := map[string]*proof{}
	for _, name := range slices.Concat(p.TestGoFiles, p.XTestGoFiles, p.IgnoredGoFiles) {
		if !strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(p.Dir, name))
		if err != nil {
			return nil, err
		}
		for _, hit := range heads.FindAllSubmatch(text, -1) {
			p.add(byName, string(hit[1]), string(hit[2]))
		}
	}
	var all []*proof
	for _, one := range byName {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *proof) int { return cmp.Compare(a.name, b.name) })
	return all, nil
}

// add enters a function that was found: a test, or else a fuzz target.
func (p goPackage) add(byName map[string]*proof, test, target string) {
	name, function := target, target
	if test != "" {
		name, function = strings.TrimSuffix(test, counterpart), "TestTrust"+test
	}
	one := byName[name]
	if one == nil {
		room := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, p.Module.Path), "/")
		one = &proof{path: p.ImportPath, dir: p.Dir, room: cmp.Or(room, "."), name: name, fuzz: target != ""}
		byName[name] = one
	}
	one.tests = append(one.tests, function)
}
