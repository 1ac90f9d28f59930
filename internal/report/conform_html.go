package report

import (
	"cmp"
	_ "embed" // for the style sheet
	"fmt"
	"io"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/conform"
)

const (
	htmlLineBytes = 1 << 10
	htmlTextBytes = 16 << 10
)

//go:embed conform.css
var conformStyle string

// ConformHTML writes a run as one HTML file that needs neither a network nor a
// script, and that is well-formed XML, too. All text from outside is text in it:
// what is invisible or reorders characters is escaped as Escape does, and what is
// long is cut. A result without a status that is known counts as not run.
func ConformHTML(w io.Writer, r *conform.Report) error {
	var page htmlWriter
	page.page(newHTMLPage(r))
	if _, err := w.Write(page.b.Bytes()); err != nil {
		return fmt.Errorf("write HTML report: %w", err)
	}
	return nil
}

// htmlLine is for text that has no lines, htmlText for text that may.
func htmlLine(s string) string { return xmlText(Escape(clipBytes(s, htmlLineBytes))) }

func htmlText(s string) string { return xmlText(clipBytes(s, htmlTextBytes)) }

func htmlDuration(d time.Duration) string { return Duration(max(d, 0)) }

type htmlPage struct {
	*conform.Report
	Counts     htmlCounts
	Severities string
	Known      int
	Matrix     []htmlRow
	// Failed has the worst first, the others are in the order of the run.
	Failed, Passed   []htmlCase
	Unproven, NotRun []htmlReason
	// Slowest are all that were carried out.
	Slowest  []htmlCase
	Baseline []htmlMended
}

type htmlCounts struct{ Failed, Unproven, NotRun, Passed int }

type htmlRow struct {
	Category, Meaning string
	htmlCounts
}

type htmlCase struct {
	conform.Result
	Status conform.Status
	// Command is empty where nobody knows one. Share is the duration in percent of
	// the longest.
	Command string
	Share   int
}

// howMany says how many of the exchanges the page has.
func (c htmlCase) howMany() string {
	if c.Sent > len(c.Exchanges) {
		return fmt.Sprintf("the last %d of %d", len(c.Exchanges), c.Sent)
	}
	return fmt.Sprint(len(c.Exchanges))
}

// htmlReason is why cases are unproven or not run.
type htmlReason struct {
	Why   string
	Cases []htmlCase
}

// htmlMended is a case of a baseline that passed; Shown says whether the page
// has it.
type htmlMended struct {
	ID    string
	Shown bool
}

func newHTMLPage(r *conform.Report) *htmlPage {
	cases := newHTMLCases(r)
	p := &htmlPage{
		Report: r,
		Failed: ended(cases, conform.Failed), Passed: ended(cases, conform.Passed),
		Unproven: reasons(ended(cases, conform.Unproven)), NotRun: reasons(ended(cases, conform.NotRun)),
	}
	p.count(cases)
	sort.SliceStable(p.Failed, func(i, j int) bool {
		a, b := p.Failed[i], p.Failed[j]
		return cmp.Or(rank(a.Case.Severity)-rank(b.Case.Severity), known(a)-known(b)) < 0
	})
	p.Severities = severities(p.Failed)
	p.Slowest = slices.DeleteFunc(cases, func(c htmlCase) bool { return c.Status == conform.NotRun })
	sort.SliceStable(p.Slowest, func(i, j int) bool { return p.Slowest[i].Duration > p.Slowest[j].Duration })
	for _, id := range r.Mended {
		shown := slices.ContainsFunc(r.Results, func(res conform.Result) bool { return res.Case.ID == id })
		p.Baseline = append(p.Baseline, htmlMended{id, shown})
	}
	return p
}

func newHTMLCases(r *conform.Report) []htmlCase {
	var longest time.Duration
	for _, res := range r.Results {
		longest = max(longest, res.Duration)
	}
	out := make([]htmlCase, 0, len(r.Results))
	for _, res := range r.Results {
		c := htmlCase{Result: res, Status: res.Status}
		if !slices.Contains(conform.Statuses(), res.Status) {
			c.Status = conform.NotRun
		}
		if r.Reproduce != "" {
			c.Command = r.Command(res.Case.ID)
		}
		if res.Duration > 0 {
			c.Share = max(1, int(100*res.Duration.Seconds()/longest.Seconds()))
		}
		out = append(out, c)
	}
	return out
}

func (p *htmlPage) count(cases []htmlCase) {
	for _, c := range cases {
		i := slices.IndexFunc(p.Matrix, func(row htmlRow) bool { return row.Category == c.Case.Category })
		if i < 0 {
			i = len(p.Matrix)
			p.Matrix = append(p.Matrix, htmlRow{Category: c.Case.Category, Meaning: p.Meanings[c.Case.Category]})
		}
		p.Matrix[i].add(c.Status)
		p.Counts.add(c.Status)
		p.Known += known(c)
	}
}

func (n *htmlCounts) add(s conform.Status) {
	switch s {
	case conform.Passed:
		n.Passed++
	case conform.Failed:
		n.Failed++
	case conform.Unproven:
		n.Unproven++
	case conform.NotRun:
		n.NotRun++
	}
}

// all counts every case.
func (n htmlCounts) all() int { return n.Failed + n.Unproven + n.NotRun + n.Passed }

type htmlCount struct {
	Status conform.Status
	N      int
}

// columns are the counts in the order in which tables and bars have them.
func (n htmlCounts) columns() []htmlCount {
	return []htmlCount{
		{conform.Passed, n.Passed},
		{conform.Failed, n.Failed},
		{conform.Unproven, n.Unproven},
		{conform.NotRun, n.NotRun},
	}
}

// worst names the status that the counts amount to.
func (n htmlCounts) worst() conform.Status {
	switch {
	case n.Failed > 0:
		return conform.Failed
	case n.Unproven > 0:
		return conform.Unproven
	case n.NotRun > 0 || n.Passed == 0:
		return conform.NotRun
	}
	return conform.Passed
}

// verdict says the counts in words.
func (n htmlCounts) verdict() string {
	if n.all() == 0 {
		return "no case was run"
	}
	var words []string
	for _, part := range []struct {
		n    int
		word string
	}{{n.Failed, "failed"}, {n.Unproven, "unproven"}, {n.NotRun, "not run"}} {
		if part.n > 0 {
			words = append(words, fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	return strings.Join(append(words, fmt.Sprintf("%d passed of %d", n.Passed, n.all())), ", ")
}

// severities says how bad the failures are, as in "1 critical, 2 high".
func severities(failed []htmlCase) string {
	var words []string
	for _, severity := range conform.Severities() {
		n := 0
		for _, c := range failed {
			if string(c.Case.Severity) == severity {
				n++
			}
		}
		if n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, severity))
		}
	}
	return strings.Join(words, ", ")
}

// rank orders severities, the worst first; one that nobody knows may be the worst.
func rank(s conform.Severity) int { return slices.Index(conform.Severities(), string(s)) }

func known(c htmlCase) int {
	if c.Known && c.Status == conform.Failed {
		return 1
	}
	return 0
}

func ended(cases []htmlCase, s conform.Status) []htmlCase {
	return slices.DeleteFunc(slices.Clone(cases), func(c htmlCase) bool { return c.Status != s })
}

// reasons puts cases together that have the same.
func reasons(cases []htmlCase) []htmlReason {
	var out []htmlReason
	for _, c := range cases {
		i := slices.IndexFunc(out, func(r htmlReason) bool { return r.Why == c.Problem })
		if i < 0 {
			i = len(out)
			out = append(out, htmlReason{Why: c.Problem})
		}
		out[i].Cases = append(out[i].Cases, c)
	}
	return out
}
