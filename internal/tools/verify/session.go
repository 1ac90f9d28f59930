package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// session is one run of some proofs.
type session struct {
	options
	started  time.Time
	proofs   []*proof
	progress io.Writer
}

// run carries the proofs out, one package after the other: figures are taken
// while nothing else of this runs.
func (s *session) run(ctx context.Context) {
	for rest := s.proofs; len(rest) > 0; {
		n := sameRoom(rest)
		s.test(ctx, rest[:n])
		rest = rest[n:]
	}
	s.fuzz(ctx)
	for _, p := range s.proofs {
		p.judge()
	}
}

// sameRoom returns how many of the first proofs are of one package.
func sameRoom(all []*proof) int {
	n := slices.IndexFunc(all, func(p *proof) bool { return p.path != all[0].path })
	if n < 0 {
		return len(all)
	}
	return n
}

func (s *session) scale() string {
	if s.full {
		return "full"
	}
	return "quick"
}

// command is a program that is told how much to try, and from which seed.
func (s *session) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "TRUST="+s.scale(), "TRUST_SEED="+strconv.FormatUint(s.seed, 10))
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// test runs the tests of one package's proofs, and the seeds of its fuzz targets.
func (s *session) test(ctx context.Context, of []*proof) {
	var names []string
	for _, p := range of {
		names = append(names, p.tests...)
	}
	limit := 15 * time.Minute
	if s.full {
		limit = 12 * time.Hour
	}
	cmd := s.command(ctx, "go", "test", "-json", "-count=1", "-timeout", limit.String(), "-run", "^("+strings.Join(names, "|")+")$", of[0].path)
	fmt.Fprintf(s.progress, "verify: %s\n", of[0].room)
	r := &reading{of: of, progress: s.progress, passed: map[string]bool{}, seeds: map[string]int{}}
	cmd.Stdout = r
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		r.rest = append(r.rest, errs.String(), "go test: "+err.Error())
	}
	r.end()
}

// testEvent is a line of "go test -json".
type testEvent struct {
	Action, Test, Output, Key, Value string
	Elapsed                          float64
}

// reading takes in what "go test -json" writes about some proofs.
type reading struct {
	of       []*proof
	progress io.Writer
	line     []byte
	passed   map[string]bool
	seeds    map[string]int
	// rest is output that belongs to no proof, such as a compiler's.
	rest []string
}

func (r *reading) Write(b []byte) (int, error) {
	r.line = append(r.line, b...)
	for {
		line, rest, found := bytes.Cut(r.line, []byte("\n"))
		if !found {
			return len(b), nil
		}
		r.line = rest
		var e testEvent
		if err := json.Unmarshal(line, &e); err != nil {
			r.rest = append(r.rest, string(line))
			continue
		}
		r.take(e)
	}
}

func (r *reading) take(e testEvent) {
	test, sub, isSub := strings.Cut(e.Test, "/")
	i := slices.IndexFunc(r.of, func(p *proof) bool { return slices.Contains(p.tests, test) })
	if i < 0 {
		if e.Output != "" {
			r.rest = append(r.rest, strings.TrimRight(e.Output, "\n"))
		}
		return
	}
	p := r.of[i]
	switch e.Action {
	case "output":
		p.keep(e.Output)
	case "attr":
		p.learn(e.Key, e.Value)
	case "skip":
		p.fail(isUnrun, "%s was skipped: %s", e.Test, p.reason())
	case "fail":
		p.fail(isFailed, "%s failed", e.Test)
	case "pass":
		if isSub {
			if p.fuzz && sub != "" {
				r.seeds[test]++
			}
			return
		}
		r.passed[test] = true
	}
	if !isSub && slices.Contains([]string{"skip", "fail", "pass"}, e.Action) {
		p.seconds += e.Elapsed
		fmt.Fprintf(r.progress, "verify:   %s %s, %.1f s\n", e.Action, test, e.Elapsed)
	}
}

// end enters what only the end of the package's tests shows.
func (r *reading) end() {
	for _, p := range r.of {
		for _, test := range p.tests {
			if !r.passed[test] && p.verdict == "" {
				p.output = append(p.output, r.rest...)
				p.fail(isUnrun, "%s did not come to its end", test)
			}
		}
		if !p.fuzz {
			continue
		}
		if r.seeds[p.name] == 0 {
			p.fail(isFailed, "it starts from an empty seed corpus")
		}
		p.seeds = r.seeds[p.name]
		p.learn("seeds", strconv.Itoa(p.seeds))
	}
}

// keep remembers the last lines that a proof's tests wrote.
func (p *proof) keep(line string) {
	line = strings.TrimRight(line, "\n")
	if t := strings.TrimSpace(line); strings.HasPrefix(t, "=== ") || strings.HasPrefix(t, "--- PASS") {
		return
	}
	if p.output = append(p.output, line); len(p.output) > 60 {
		p.output = p.output[1:]
	}
}

// reason is the last thing that was written, which for a skipped test says why.
func (p *proof) reason() string {
	for _, line := range slices.Backward(p.output) {
		if t := strings.TrimSpace(line); t != "" && !strings.HasPrefix(t, "--- SKIP") {
			return t
		}
	}
	return "no reason given"
}

func (p *proof) learn(key, value string) {
	switch key {
	case "seed":
		p.seed = value
	case "caught":
		p.caught = append(p.caught, value)
	default:
		p.figures = append(p.figures, figure{strings.ReplaceAll(key, "-", " "), thousands(value)})
	}
}

// judge gives the verdict on a proof that has done all it does.
func (p *proof) judge() {
	if !p.fuzz && len(p.caught) == 0 {
		p.fail(isFailed, "it names no broken build that it caught: a check that was never seen to fail proves nothing")
	}
	if p.fuzz && !p.searched {
		p.fail(isUnrun, "the fuzzer did not run")
	}
	if p.verdict == "" {
		p.verdict = isProven
	}
}

// thousands writes 1234567 as 1,234,567, and anything else as it is.
func thousands(text string) string {
	if strings.Trim(text, "0123456789") != "" {
		return text
	}
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
