package main

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// In a quick run all fuzz targets together have this long, in a full one each has
// a minute.
const (
	quickFuzzing = 3 * time.Minute
	fullFuzzing  = time.Minute
	leastFuzzing = 3 * time.Second
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
	for _, p := range targets {
		if p.verdict == "" {
			s.fuzzOne(ctx, p, each)
		}
	}
}

func (s *session) fuzzOne(ctx context.Context, p *proof, each time.Duration) {
	cmd := s.command(ctx, "-run", "^$", "-fuzz", "^"+p.name+"$", "-fuzztime", each.String(), p.path)
	started := time.Now()
	out, err := cmd.CombinedOutput()
	p.seconds += time.Since(started).Seconds()
	p.fuzzed(out, err)
	fmt.Fprintf(s.progress, "verify:   fuzzed %s, %.1f s\n", p.title(), time.Since(started).Seconds())
}

// fuzzed reads what the fuzzer said. On a busy machine it may call its own
// deadline a failure; a real one comes with an input.
func (p *proof) fuzzed(out []byte, err error) {
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
