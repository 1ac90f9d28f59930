package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// In a quick run all fuzz targets together have this long, in a full one each has
// a minute; and besides, each has what it takes to try its seeds.
const (
	quickFuzzing = 2 * time.Minute
	fullFuzzing  = time.Minute
	leastFuzzing = 3 * time.Second
	seedFuzzing  = 10 * time.Millisecond
)

// fuzz searches for inputs that break a target.
func (s *session) fuzz(ctx context.Context) {
	var targets []*proof
	for _, p := range s.proofs {
		if p.fuzz {
			targets = append(targets, p)
		}
	}
	if len(targets) == 0 {
		return
	}
	each := s.fuzzing
	switch {
	case each > 0:
	case s.full:
		each = fullFuzzing
	default:
		each = min(fullFuzzing, max(leastFuzzing, (quickFuzzing/time.Duration(len(targets))).Truncate(time.Second)))
	}
	cache, err := exec.CommandContext(ctx, "go", "env", "GOCACHE").Output()
	if err != nil {
		cache = []byte(os.TempDir())
	}
	for rest := targets; len(rest) > 0; {
		n := sameRoom(rest)
		s.fuzzRoom(ctx, rest[:n], each, filepath.Join(strings.TrimSpace(string(cache)), "fuzz", rest[0].path))
		rest = rest[n:]
	}
}

// fuzzRoom builds one package's tests once, as the fuzzer needs them, and searches
// with each of its targets. The inputs that are worth trying again are kept where
// "go test" keeps them.
func (s *session) fuzzRoom(ctx context.Context, targets []*proof, each time.Duration, kept string) {
	dir, err := os.MkdirTemp("", "verify")
	if err != nil {
		fmt.Fprintln(s.progress, "verify:", err)
		return // what was not fuzzed is not proven
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "fuzz.test.exe")
	build := s.command(ctx, "go", "test", "-c", "-fuzz=.", "-o", binary, targets[0].path)
	if out, err := build.CombinedOutput(); err != nil {
		for _, p := range targets {
			p.fuzzed(out, err)
		}
		return
	}
	for _, p := range targets {
		if p.verdict != "" {
			continue
		}
		cmd := s.command(ctx, binary, "-test.run", "^$", "-test.fuzz", "^"+p.name+"$", "-test.fuzztime", (each + time.Duration(p.seeds)*seedFuzzing).String(), "-test.fuzzcachedir", kept)
		cmd.Dir = p.dir
		started := time.Now()
		out, err := cmd.CombinedOutput()
		p.seconds += time.Since(started).Seconds()
		p.fuzzed(out, err)
		fmt.Fprintf(s.progress, "verify:   fuzzed %s, %.1f s\n", p.title(), time.Since(started).Seconds())
	}
}

// fuzzed reads what the fuzzer said. On a busy machine it may call its own
// deadline a failure; a real one comes with an input.
func (p *proof) fuzzed(out []byte, err error) {
	p.searched = true
	lines := regexp.MustCompile(`(?m)^fuzz: elapsed: (\S+), execs: (\d+) `).FindAllSubmatch(out, -1)
	if len(lines) > 0 {
		last := lines[len(lines)-1]
		p.learn("fuzzed for", string(last[1]))
		p.learn("inputs", string(last[2]))
	}
	deadline := regexp.MustCompile(`(?m)^\s*context deadline exceeded$`).Match(out) && !bytes.Contains(out, []byte("Failing input"))
	switch {
	case err != nil && !deadline:
		p.output = strings.Split(strings.TrimRight(string(out), "\n"), "\n")
		p.fail(isFailed, "the fuzzer: %v", err)
	case len(lines) == 0:
		p.output = strings.Split(strings.TrimRight(string(out), "\n"), "\n")
		p.fail(isUnrun, "the fuzzer tried nothing")
	}
}
