package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/report"
)

// marker is the line of a Markdown file after which the table stands.
const marker = "<!-- From here on written by go run ./internal/tools/verify -full -markdown docs/TRUST.md -->"

// report writes the table and the files that were asked for, and returns the exit
// code.
func (s *session) report(ctx context.Context, out io.Writer) int {
	took := time.Since(s.started)
	good := 0
	for _, p := range s.proofs {
		s.show(out, p)
		if p.verdict == isProven {
			good++
		}
	}
	fmt.Fprintf(out, "%d of %d proven, %s, %s\n", good, len(s.proofs), took.Round(time.Second), s.machine(ctx))
	fmt.Fprintf(out, "the same again: go run ./internal/tools/verify%s -seed %d\n", s.fullFlag(), s.seed)
	if err := errors.Join(s.writeJUnit(took), s.writeMarkdown(ctx, took)); err != nil {
		fmt.Fprintln(s.progress, "verify:", err)
		return internal
	}
	if good < len(s.proofs) {
		return failed
	}
	return proven
}

func (s *session) fullFlag() string {
	if s.full {
		return " -full"
	}
	return ""
}

const (
	width  = 80
	margin = 9
)

// show writes what became of one proof.
func (s *session) show(out io.Writer, p *proof) {
	seed := ""
	if p.seed != "" {
		seed = "seed " + p.seed + ", "
	}
	fmt.Fprintf(out, "%-*s%s  (%s%.1f s)\n", margin, p.verdict, p.title(), seed, p.seconds)
	if p.why != "" {
		wrap(out, p.why)
	}
	wrap(out, p.told())
	if len(p.caught) > 0 {
		wrap(out, "caught: "+strings.Join(p.caught, "; "))
	}
	if p.verdict != isProven {
		for _, line := range p.output {
			fmt.Fprintf(out, "%*s| %s\n", margin, "", line)
		}
	}
}

// told is what a proof said in figures.
func (p *proof) told() string {
	var all []string
	for _, f := range p.figures {
		all = append(all, f.name+" "+f.value)
	}
	return strings.Join(all, "; ")
}

func wrap(out io.Writer, text string) {
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && margin+len(line)+1+len(word) > width {
			fmt.Fprintf(out, "%*s%s\n", margin, "", line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	if line != "" {
		fmt.Fprintf(out, "%*s%s\n", margin, "", line)
	}
}

// machine says what the figures were taken on, and of which commit.
func (s *session) machine(ctx context.Context) string {
	git := func(args ...string) string {
		cmd := exec.CommandContext(ctx, "git", args...)
		cmd.Dir = s.dir
		out, err := cmd.Output()
		if err != nil {
			return ""
		}
		return strings.TrimSpace(string(out))
	}
	commit := git("rev-parse", "--short", "HEAD")
	if commit == "" {
		commit = "unknown"
	} else if git("status", "--porcelain") != "" {
		commit += " with changes"
	}
	cpu := ""
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if hit := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(info); hit != nil {
			cpu = " (" + string(hit[1]) + ")"
		}
	}
	return fmt.Sprintf("commit %s, %s %s/%s, %d CPUs%s", commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), cpu)
}

// file is the place of a file that the command line names.
func (s *session) file(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

func (s *session) writeJUnit(took time.Duration) error {
	if s.junit == "" {
		return nil
	}
	suite := report.Suite{
		Name: "trust", Started: s.started, Duration: took,
		Properties: [][2]string{{"seed", strconv.FormatUint(s.seed, 10)}, {"scale", s.scale()}},
	}
	for _, p := range s.proofs {
		c := report.Case{
			Class: p.room, Name: p.name, Status: report.Failed, Message: p.why,
			Input: strings.Join(p.output, "\n"), Duration: time.Duration(p.seconds * float64(time.Second)),
		}
		if p.verdict == isProven {
			c.Status, c.Input = report.Passed, p.told()
		}
		suite.Cases = append(suite.Cases, c)
	}
	var b bytes.Buffer
	if err := report.JUnit(&b, suite); err != nil {
		return err
	}
	return os.WriteFile(s.file(s.junit), b.Bytes(), 0o644)
}

// writeMarkdown replaces what stands after the marker, or begins a file.
func (s *session) writeMarkdown(ctx context.Context, took time.Duration) error {
	if s.markdown == "" {
		return nil
	}
	name := s.file(s.markdown)
	text, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	head, _, found := strings.Cut(string(text), marker)
	if !found && len(text) > 0 {
		return fmt.Errorf("%s has no line %q: put it where the table is to stand", s.markdown, marker)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s%s\n\n%s, %s run of %s, seed %d, %s.\n\n", head, marker,
		s.started.UTC().Format("2006-01-02 15:04 UTC"), s.scale(), took.Round(time.Second), s.seed, s.machine(ctx))
	b.WriteString("| proof | figures | broken builds it caught | seed | verdict | seconds |\n| --- | --- | --- | --- | --- | ---: |\n")
	cell := strings.NewReplacer("|", "\\|", "\n", " ", "<", "&lt;").Replace
	for _, p := range s.proofs {
		v := string(p.verdict)
		if p.why != "" {
			v += ": " + p.why
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %.1f |\n", cell(p.title()), cell(p.told()), cell(strings.Join(p.caught, "; ")), p.seed, cell(v), p.seconds)
	}
	return os.WriteFile(name, []byte(b.String()), 0o644)
}
