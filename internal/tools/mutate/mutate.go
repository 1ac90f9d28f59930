package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/packages"
)

// program is a package's test binary with all its mutants.
type program struct {
	path, dir, scratch string
	mutants            []mutant
	// unviable counts the mutants that do not compile.
	unviable int
	tests    []test
}

// test is one of the package's tests, alone.
type test struct {
	name string
	// cpu is how long it computes, wall how long it takes, on this machine now.
	cpu, wall time.Duration
	reached   map[int]bool
}

// result is what became of a package's mutants.
type result struct {
	path string
	// tried are those of the sample, killed how many of them a test failed for.
	tried, killed, unviable int
	survivors               []survivor
	broken                  []string // tests that fail without a mutant alive
}

type survivor struct {
	mutant

	reached bool
}

func mutate(ctx context.Context, path string, o options, progress io.Writer) (*result, error) {
	scratch, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(scratch) }()
	p, err := build(ctx, path, scratch)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(progress, "mutate: %s: %d mutants, %d that do not compile\n", path, len(p.mutants), p.unviable)
	r := &result{path: path, unviable: p.unviable}
	if r.broken, err = p.measure(ctx, o.without, progress); err != nil {
		return nil, err
	}
	chosen := slices.DeleteFunc(slices.Clone(p.mutants), func(m mutant) bool { return !o.only.MatchString(filepath.Base(path) + "/" + m.name()) })
	if o.sample > 0 && o.sample < len(chosen) {
		random := rand.New(rand.NewPCG(o.seed, 0))
		random.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		chosen = chosen[:o.sample]
	}
	p.judge(ctx, r, chosen, progress)
	return r, ctx.Err()
}

// judge tries the mutants, as many at a time as there are processors.
func (p *program) judge(ctx context.Context, r *result, chosen []mutant, progress io.Writer) {
	next := make(chan mutant)
	var all sync.WaitGroup
	var mu sync.Mutex
	for range runtime.NumCPU() {
		all.Go(func() {
			for m := range next {
				by, reached := p.try(ctx, m)
				mu.Lock()
				r.tried++
				if by != "" {
					r.killed++
				} else if ctx.Err() == nil {
					r.survivors = append(r.survivors, survivor{m, reached})
				}
				if r.tried%100 == 0 {
					fmt.Fprintf(progress, "mutate: %s: %d of %d tried, %d killed\n", p.path, r.tried, len(chosen), r.killed)
				}
				mu.Unlock()
			}
		})
	}
	for _, m := range chosen {
		if ctx.Err() == nil {
			next <- m
		}
	}
	close(next)
	all.Wait()
}

// build compiles the mutants, leaving out those that do not compile.
func build(ctx context.Context, path, scratch string) (*program, error) {
	dropped := map[int]bool{}
	for range 40 {
		loaded, err := packages.Load(&packages.Config{Context: ctx, Mode: packages.LoadSyntax}, path)
		if err != nil {
			return nil, err
		}
		if len(loaded) != 1 || len(loaded[0].Errors) > 0 {
			return nil, fmt.Errorf("it is not one package that compiles")
		}
		pkg := loaded[0]
		mutants, files, count, err := alter(pkg, dropped)
		if err != nil {
			return nil, err
		}
		p := &program{path: path, dir: filepath.Dir(pkg.CompiledGoFiles[0]), scratch: scratch, mutants: mutants, unviable: len(dropped)}
		for name, text := range library(pkg.Name, p.dir, count) {
			files[name] = text
		}
		out, err := p.compile(ctx, files)
		if err == nil {
			return p, nil
		}
		if blame(out, files, dropped) == 0 {
			return nil, fmt.Errorf("it does not compile: %w\n%s", err, out)
		}
	}
	return nil, errors.New("every mutant that is left out shows another one that does not compile")
}

//go:embed lib.txt
var lib string

//go:embed libtest.txt
var libTest string

// library is the code that the mutants call.
func library(name, dir string, count int) map[string][]byte {
	fill := strings.NewReplacer("PACKAGE", name, "COUNT", strconv.Itoa(count)).Replace
	return map[string][]byte{filepath.Join(dir, "zz_mutants.go"): []byte(fill(lib)), filepath.Join(dir, "zz_mutants_test.go"): []byte(fill(libTest))}
}

func (p *program) binary() string { return filepath.Join(p.scratch, "mutants.test") }

func (p *program) compile(ctx context.Context, files map[string][]byte) (string, error) {
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		copied := filepath.Join(p.scratch, filepath.Base(name))
		if err := os.WriteFile(copied, files[name], 0o600); err != nil {
			return "", err
		}
		overlay.Replace[name] = copied
	}
	text, err := json.Marshal(overlay)
	if err != nil {
		return "", err
	}
	list := filepath.Join(p.scratch, "overlay.json")
	if err := os.WriteFile(list, text, 0o600); err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-gcflags=-e", "-overlay", list, "-o", p.binary(), ".")
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// blame finds the mutants that a compiler's errors are about, and drops them.
func blame(errs string, files map[string][]byte, dropped map[int]bool) int {
	places := regexp.MustCompile(`(?m)^([^\s:]+\.go):(\d+):\d+: `)
	ids := regexp.MustCompile(`zz\w*\((\d+)`)
	found := 0
	for _, hit := range places.FindAllStringSubmatch(errs, -1) {
		line, _ := strconv.Atoi(hit[2])
		for name, text := range files {
			if filepath.Base(name) != filepath.Base(hit[1]) {
				continue
			}
			lines := strings.Split(string(text), "\n")
			for at := line - 1; at >= 0 && at >= line-6; at-- {
				all := ids.FindAllStringSubmatch(lines[at], -1)
				for _, id := range all {
					if n, _ := strconv.Atoi(id[1]); !dropped[n] {
						dropped[n] = true
						found++
					}
				}
				if len(all) > 0 {
					break
				}
			}
		}
	}
	return found
}

// command runs some tests, with bounds on what a mutant that never ends may take.
func (p *program) command(ctx context.Context, limit time.Duration, env string, args ...string) *exec.Cmd {
	const gigabytes = 8
	shell := fmt.Sprintf("ulimit -t %d && ulimit -v %d && exec \"$0\" \"$@\"", int(limit.Seconds()), gigabytes<<20)
	cmd := exec.CommandContext(ctx, "sh", append([]string{"-c", shell, p.binary()}, args...)...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), env, "TRUST=", "GOMAXPROCS=1")
	return cmd
}

// measure runs each test alone, to see how long it takes and what it comes upon.
func (p *program) measure(ctx context.Context, without *regexp.Regexp, progress io.Writer) (broken []string, err error) {
	out, err := p.command(ctx, time.Minute, "MUTANT=0", "-test.list", "^(Test|Fuzz|Example)").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the tests cannot be listed: %w\n%s", err, out)
	}
	for _, name := range strings.Fields(string(out)) {
		if without != nil && without.MatchString(name) {
			continue
		}
		file := filepath.Join(p.scratch, "reached")
		cmd, began := p.command(ctx, time.Hour, "MUTANTS_REACHED="+file, "-test.run", "^"+name+"$"), time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			broken = append(broken, name)
			fmt.Fprintf(progress, "mutate: %s: %s fails with no mutant alive, and is left out\n%.300s\n", p.path, name, out)
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		t := test{name: name, cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), wall: time.Since(began), reached: map[int]bool{}}
		for _, id := range strings.Fields(string(text)) {
			n, _ := strconv.Atoi(id)
			t.reached[n] = true
		}
		p.tests = append(p.tests, t)
	}
	slices.SortFunc(p.tests, func(a, b test) int { return cmp.Compare(a.cpu, b.cpu) })
	fmt.Fprintf(progress, "mutate: %s: %d tests\n", p.path, len(p.tests))
	return broken, nil
}

// try runs the tests that come upon a mutant, the quick ones first, and returns the
// first batch of them that failed.
func (p *program) try(ctx context.Context, m mutant) (by string, reached bool) {
	const batch = 500 * time.Millisecond
	var names []string
	var cpu, wall time.Duration
	run := func() bool {
		if len(names) == 0 {
			return true
		}
		list := strings.Join(names, "|")
		limit, patience := 5*time.Second+10*cpu, 20*time.Second+10*wall // for one that waits for ever
		cmd := p.command(ctx, limit, "MUTANT="+strconv.Itoa(m.id), "-test.failfast", "-test.timeout", patience.String(), "-test.run", "^("+list+")$")
		if err := cmd.Run(); err != nil && ctx.Err() == nil {
			by = list
		}
		names, cpu, wall = nil, 0, 0
		return by == ""
	}
	for _, t := range p.tests {
		if !t.reached[m.id] {
			continue
		}
		reached = true
		names, cpu, wall = append(names, t.name), cpu+t.cpu, wall+t.wall
		if cpu > batch && !run() {
			return by, true
		}
	}
	run()
	return by, reached
}
