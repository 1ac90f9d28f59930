package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/conform"
)

// ConformFormats returns the names of the formats of a conformance report.
func ConformFormats() []string {
	return []string{string(FormatJUnit), string(FormatJSON), string(FormatMarkdown), string(FormatHTML)}
}

// WriteConform writes a conformance report in one of ConformFormats.
func WriteConform(w io.Writer, f Format, r *conform.Report) error {
	switch f {
	case FormatJSON:
		return ConformJSON(w, r)
	case FormatHTML:
		return ConformHTML(w, r)
	case FormatJUnit, FormatMarkdown, FormatNDJSON:
	}
	return Write(w, f, ConformSuite(r))
}

// ConformSuite is a conformance report as a suite. What is not proven or was not
// run is Skipped and says which of the two; so is a failure that a baseline
// knows.
func ConformSuite(r *conform.Report) Suite {
	passed, of := r.Score()
	s := Suite{
		Name: "paytest conform", Started: r.Started, Duration: r.Duration,
		Properties: [][2]string{
			{"target", r.Target},
			{"seed", strconv.FormatUint(r.Seed, 10)},
			{"profile", string(r.Profile)},
			{"score", fmt.Sprintf("%d of %d", passed, of)},
			{"version", r.Version},
		},
	}
	if !r.Probe {
		s.Notes = append(s.Notes, "without a probe no effect could be seen: add --probe-url or --probe-cmd")
	}
	s.Notes = append(s.Notes, r.Notes...)
	for _, id := range r.Mended {
		s.Notes = append(s.Notes, id+" is listed in the baseline and passed: take it out")
	}
	if r.Problem != "" {
		s.Cases = append(s.Cases, Case{Class: "paytest.conform", Name: "endpoint", Status: Errored, Message: r.Problem})
	}
	for _, res := range r.Results {
		s.Cases = append(s.Cases, conformCase(r, res))
	}
	return s
}

func conformCase(r *conform.Report, res conform.Result) Case {
	c := Case{
		Class: "paytest.conform." + res.Case.Category, Name: res.Case.ID + " " + res.Case.Sent,
		Status: Skipped, Duration: res.Duration, Input: r.Command(res.Case.ID),
	}
	switch {
	case res.Status == conform.Passed:
		c.Status, c.Message = Passed, strings.Join(res.Notes, "; ")
	case res.Status == conform.Failed && !res.Known:
		c.Status = Failed
		c.Message = fmt.Sprintf("%s (%s)", res.Problem, res.Case.Severity)
		c.Details = [][2]string{{"must", res.Case.Holds}, {"costs", res.Case.Costs}, {"fix", res.Case.Fix}}
	case res.Status == conform.Failed:
		c.Message = "a known failure: " + res.Problem
	default:
		c.Message = string(res.Status) + ": " + res.Problem
	}
	return c
}

// ConformJSON writes a conformance report as one object.
func ConformJSON(w io.Writer, r *conform.Report) error { return writeJSON(w, newConformJSON(r)) }

// conformJSON is a conformance report as programs read it.
type conformJSON struct {
	Name    string                 `json:"name"`
	Target  string                 `json:"target"`
	Seed    uint64                 `json:"seed"`
	Profile conform.Profile        `json:"profile"`
	Probe   bool                   `json:"probe"`
	Problem string                 `json:"problem,omitempty"`
	Notes   []string               `json:"notes"`
	Score   scoreJSON              `json:"score"`
	Counts  map[conform.Status]int `json:"counts"`
	// Started is in UTC.
	Started    time.Time         `json:"started"`
	DurationMS float64           `json:"durationMs"`
	Version    string            `json:"version"`
	Mended     []string          `json:"mended"`
	Cases      []conformCaseJSON `json:"cases"`
}

type scoreJSON struct {
	Passed int `json:"passed"`
	Of     int `json:"of"`
}

type conformCaseJSON struct {
	conform.Case
	Category   string         `json:"category"`
	Status     conform.Status `json:"status"`
	Known      bool           `json:"known,omitempty"`
	Problem    string         `json:"problem,omitempty"`
	Notes      []string       `json:"notes"`
	Sent       int            `json:"deliveries"`
	Exchanges  []exchangeJSON `json:"exchanges"`
	Reproduce  string         `json:"reproduce"`
	DurationMS float64        `json:"durationMs"`
}

type exchangeJSON struct {
	conform.Exchange
	LatencyMS float64 `json:"latencyMs"`
}

func newConformJSON(r *conform.Report) conformJSON {
	passed, of := r.Score()
	out := conformJSON{
		Name: "paytest conform", Target: r.Target, Seed: r.Seed, Profile: r.Profile, Probe: r.Probe, Problem: r.Problem, Notes: append([]string{}, r.Notes...),
		Score: scoreJSON{passed, of}, Counts: map[conform.Status]int{}, Started: r.Started.UTC(), DurationMS: Milliseconds(r.Duration),
		Version: r.Version, Mended: append([]string{}, r.Mended...), Cases: []conformCaseJSON{},
	}
	for _, s := range conform.Statuses() {
		out.Counts[s] = r.Count("", s)
	}
	for _, res := range r.Results {
		c := conformCaseJSON{
			Case: *res.Case, Category: res.Case.Category, Status: res.Status, Known: res.Known, Problem: res.Problem,
			Notes: append([]string{}, res.Notes...), Sent: res.Sent, Exchanges: []exchangeJSON{},
			Reproduce: r.Command(res.Case.ID), DurationMS: Milliseconds(res.Duration),
		}
		for _, x := range res.Exchanges {
			c.Exchanges = append(c.Exchanges, exchangeJSON{x, Milliseconds(x.Latency)})
		}
		out.Cases = append(out.Cases, c)
	}
	return out
}

// ConformFailure writes a case that failed: what was sent, what came, why it
// matters and what to change; of one that a baseline knows, one line. The command
// is wrapped only where folds says that the shell reads on behind a backslash, so
// that it can be copied.
func (p *Printer) ConformFailure(r *conform.Report, res conform.Result, folds bool) {
	if res.Known {
		p.Line(S(Caution, "known "), S(Strong, "%s", res.Case.ID), S(Faint, " %s", res.Case.Severity))
		return
	}
	p.Paragraph([]Span{S(Bad, "FAIL "), S(Strong, "%s", res.Case.ID), S(Faint, " %s  ", res.Case.Severity)}, "     ", res.Case.Sent)
	for _, line := range [][2]string{{"must", res.Case.Holds}, {"came", res.Problem}, {"costs", res.Case.Costs}, {"fix", res.Case.Fix}} {
		p.Paragraph([]Span{S(Faint, "     %-7s", line[0])}, strings.Repeat(" ", 12), line[1])
	}
	lines := []string{r.Command(res.Case.ID)}
	if folds && p.width > 0 {
		lines = fold(lines[0], p.width-len("     again  "))
	}
	name := "again"
	for _, line := range lines {
		p.Line(S(Faint, "     %-7s", name), T("%s", line))
		name = ""
	}
	p.Line()
}

// fold breaks a command at blanks that are not quoted, each line but the last
// with a backslash at its end.
func fold(command string, width int) []string {
	const more = ` \`
	var words []string
	quoted := false
	for _, part := range strings.Split(command, " ") {
		if quoted {
			words[len(words)-1] += " " + part
		} else {
			words = append(words, part)
		}
		quotes := strings.Count(strings.ReplaceAll(part, `'\''`, ""), "'")
		quoted = quoted != (quotes%2 == 1)
	}
	lines := []string{words[0]}
	for _, word := range words[1:] {
		last := &lines[len(lines)-1]
		if columns(Escape(*last+" "+word+more)) <= width {
			*last += " " + word
			continue
		}
		*last += more
		lines = append(lines, word)
	}
	return lines
}

// ConformTable writes how many cases ended in which way, by category.
func (p *Printer) ConformTable(r *conform.Report) {
	p.Line(S(Faint, "%-12s %8s %8s %9s %8s", "", "passed", "failed", "unproven", "not run"))
	for _, c := range r.Categories() {
		p.conformRow(r, c, c)
	}
	p.conformRow(r, "all", "")
}

func (p *Printer) conformRow(r *conform.Report, name, category string) {
	spans := []Span{S(Plain, "%-12s", name)}
	for i, s := range conform.Statuses() {
		n, style := r.Count(category, s), []Style{Good, Bad, Caution, Faint}[i]
		if n == 0 {
			style = Faint
		}
		spans = append(spans, S(style, " %*d", []int{8, 8, 9, 8}[i], n))
	}
	p.Line(spans...)
}
