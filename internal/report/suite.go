package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/suggest"
	"github.com/paytest/paytest/internal/verify"
)

// Status is how a case ended.
type Status string

// The statuses. Anything else is reported as Errored, so that a status nobody
// set never reads as success.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Skipped Status = "skipped"
	// Errored is for what could not be carried out, so nothing was judged.
	Errored Status = "error"
)

// Case is one thing that was checked.
type Case struct {
	// Class and Name together are the same whenever the same thing is checked.
	Class, Name string
	Status      Status
	// Message says in one sentence why the case failed or was skipped.
	Message string
	// Details are names and texts that say more of a case that did not pass, in the
	// order shown.
	Details  [][2]string
	Findings []verify.Finding
	// Input is what reproduces the case: a payload, or a command. It may hold any
	// bytes.
	Input    string
	Duration time.Duration
	// File, Line and Column say where the case is written down; Line and Column
	// count from 1, and 0 means unknown.
	File         string
	Line, Column int
}

// Suite is all that one run checked.
type Suite struct {
	Name  string
	Cases []Case
	// Properties are names and values, such as the seed, in the order shown.
	Properties [][2]string
	Started    time.Time
	Duration   time.Duration
	Coverage   []verify.Coverage
	Notes      []string
}

// Counts returns how many cases ended in which way.
//
//go:noinline
func (s Suite) Counts() (passed, failed, skipped, errors int) {
	for _, c := range s.Cases {
		switch c.Status {
		case Passed:
			passed++
		case Failed:
			failed++
		case Skipped:
			skipped++
		case Errored:
			errors++
		default:
			errors++
		}
	}
	return passed, failed, skipped, errors
}

// Result is the worst that happened: Failed, then Errored, then Passed. It is
// Skipped when no case passed or there was none.
func (s Suite) Result() Status {
	passed, failed, _, errors := s.Counts()
	switch {
	case failed > 0:
		return Failed
	case errors > 0:
		return Errored
	case passed > 0:
		return Passed
	}
	return Skipped
}

//go:noinline
func (c Case) status() Status {
	switch c.Status {
	case Passed, Failed, Skipped:
		return c.Status
	case Errored:
	}
	return Errored
}

func (c Case) broken() bool { return c.status() == Failed || c.status() == Errored }

func (c Case) title() string {
	if c.Class == "" || c.Name == "" {
		return c.Class + c.Name
	}
	return c.Class + " › " + c.Name
}

// kind is the code of the first violation, else the status.
func (c Case) kind() string {
	if i := c.firstViolation(); i >= 0 {
		return string(c.Findings[i].Code)
	}
	return string(c.status())
}

func (c Case) firstViolation() int {
	return slices.IndexFunc(c.Findings, func(f verify.Finding) bool { return f.Severity == verify.Violation })
}

// sentence is the message, else that of the first violation, else the status.
func (c Case) sentence() string {
	if c.Message != "" {
		return c.Message
	}
	if i := c.firstViolation(); i >= 0 && c.Findings[i].Message != "" {
		return c.Findings[i].Message
	}
	return string(c.status())
}

func (c Case) place() string {
	switch {
	case c.Line < 1:
		return c.File
	case c.Column < 1:
		return fmt.Sprintf("%s:%d", c.File, c.Line)
	}
	return fmt.Sprintf("%s:%d:%d", c.File, c.Line, c.Column)
}

// explanation is what a person needs to understand the case, harmless on a
// terminal; it ends without a line break.
func (c Case) explanation(width int) string {
	var b strings.Builder
	p := NewPrinter(&b, false, width)
	told := func(f verify.Finding) bool { return f.Message == c.Message }
	if c.Message != "" && !slices.ContainsFunc(c.Findings, told) {
		p.Paragraph(nil, "", c.Message)
	}
	wide := 0
	for _, d := range c.Details {
		wide = max(wide, len(d[0])+1)
	}
	for _, d := range c.Details {
		p.Paragraph([]Span{T("%-*s", wide, d[0])}, strings.Repeat(" ", wide), d[1])
	}
	if c.File != "" {
		p.Line(T("at %s", c.place()))
	}
	p.Findings(c.Findings, "")
	return strings.TrimSuffix(b.String(), "\n")
}

// clipBytes shortens s to about most bytes, between characters, and says how
// much is missing.
func clipBytes(s string, most int) string {
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return fmt.Sprintf("%s… (%d more bytes)", s[:cut], len(s)-cut)
}

// legible is Escape that keeps line feeds and tabs.
func legible(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "\n\t")
		if i < 0 {
			b.WriteString(Escape(s))
			return b.String()
		}
		b.WriteString(Escape(s[:i]))
		b.WriteByte(s[i])
		s = s[i+1:]
	}
}

// CountsJSON counts cases by how they ended.
type CountsJSON struct {
	Passed  int `json:"passed"`
	Failed  int `json:"failed"`
	Skipped int `json:"skipped"`
	Errors  int `json:"errors"`
}

// PropertyJSON is a property as programs read it.
type PropertyJSON struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// CaseJSON is a case as programs read it.
type CaseJSON struct {
	Class   string `json:"class"`
	Name    string `json:"name"`
	Status  Status `json:"status"`
	Message string `json:"message,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	// DurationMS is in milliseconds, with microsecond precision.
	DurationMS float64          `json:"durationMs"`
	Findings   []verify.Finding `json:"findings"`
	Input      string           `json:"input,omitempty"`
	// InputBase64 takes the place of Input when it is not UTF-8, which JSON cannot
	// hold.
	InputBase64 []byte `json:"inputBase64,omitempty"`
}

// SuiteJSON is a suite without its cases as programs read it.
type SuiteJSON struct {
	Name   string     `json:"name"`
	Status Status     `json:"status"`
	Counts CountsJSON `json:"counts"`
	// Started is in UTC.
	Started time.Time `json:"started,omitzero"`
	// DurationMS is in milliseconds, with microsecond precision.
	DurationMS float64           `json:"durationMs"`
	Properties []PropertyJSON    `json:"properties"`
	Coverage   []verify.Coverage `json:"coverage"`
	Notes      []string          `json:"notes"`
}

// RunJSON is a suite and its cases as programs read it.
type RunJSON struct {
	SuiteJSON
	Cases []CaseJSON `json:"cases"`
}

// NewCaseJSON returns the case as programs read it.
func NewCaseJSON(c Case) CaseJSON {
	out := CaseJSON{
		Class: c.Class, Name: c.Name, Status: c.status(), Message: c.Message, File: c.File, Line: c.Line, Column: c.Column,
		DurationMS: Milliseconds(c.Duration), Findings: append([]verify.Finding{}, c.Findings...),
	}
	if utf8.ValidString(c.Input) {
		out.Input = c.Input
	} else {
		out.InputBase64 = []byte(c.Input)
	}
	return out
}

// NewSuiteJSON returns the suite without its cases as programs read it.
func NewSuiteJSON(s Suite) SuiteJSON {
	passed, failed, skipped, errors := s.Counts()
	out := SuiteJSON{
		Name: s.Name, Status: s.Result(), Counts: CountsJSON{passed, failed, skipped, errors},
		Started: s.Started.UTC(), DurationMS: Milliseconds(s.Duration), Properties: []PropertyJSON{},
		Coverage: append([]verify.Coverage{}, s.Coverage...), Notes: append([]string{}, s.Notes...),
	}
	for _, p := range s.Properties {
		out.Properties = append(out.Properties, PropertyJSON{p[0], p[1]})
	}
	return out
}

// JSON writes the suite as one object, a RunJSON.
func JSON(w io.Writer, s Suite) error {
	out := RunJSON{SuiteJSON: NewSuiteJSON(s), Cases: []CaseJSON{}}
	for _, c := range s.Cases {
		out.Cases = append(out.Cases, NewCaseJSON(c))
	}
	return writeJSON(w, out)
}

// NDJSON writes a line per case, a CaseJSON of type "case", then a SuiteJSON of
// type "summary".
func NDJSON(w io.Writer, s Suite) error {
	p := NewPrinter(w, false, 0)
	for _, c := range s.Cases {
		p.JSON("case", NewCaseJSON(c))
	}
	p.JSON("summary", NewSuiteJSON(s))
	if err := p.Err(); err != nil {
		return fmt.Errorf("write NDJSON report: %w", err)
	}
	return nil
}

// Format names a form of report.
type Format string

// The formats.
const (
	FormatJUnit    Format = "junit"
	FormatJSON     Format = "json"
	FormatNDJSON   Format = "ndjson"
	FormatMarkdown Format = "markdown"
	FormatHTML     Format = "html"
)

// Formats returns the names of the formats of a suite.
func Formats() []string {
	return []string{string(FormatJUnit), string(FormatJSON), string(FormatNDJSON), string(FormatMarkdown)}
}

// Output is a report that was asked for.
type Output struct {
	Format Format
	Path   string
}

// OutputError is a report that was asked for in a way nobody understands.
type OutputError struct {
	// Text is what was given, Problem what is wrong with it and what to do.
	Text, Problem string
}

func (e *OutputError) Error() string {
	return fmt.Sprintf("--report %q: %s", shorten(e.Text, 60), e.Problem)
}

// ParseOutput reads "junit=report.xml", in one of the given formats. Its errors
// are *OutputError.
func ParseOutput(s string, formats []string) (Output, error) {
	format, path, found := strings.Cut(s, "=")
	switch {
	case !slices.Contains(formats, format):
		hint := suggest.DidYouMean(format, formats)
		return Output{}, &OutputError{s, fmt.Sprintf("unknown format; formats are %s, as in junit=report.xml%s", strings.Join(formats, ", "), hint)}
	case found && slices.ContainsFunc(formats, func(f string) bool { return strings.Contains(path, ","+f+"=") || strings.Contains(path, " "+f+"=") }):
		return Output{}, &OutputError{s, fmt.Sprintf("one report at a time: give %s=PATH, and the flag again for the next", format)}
	case !found || path == "":
		return Output{}, &OutputError{s, fmt.Sprintf("no file named; write %s=PATH", format)}
	}
	return Output{Format(format), path}, nil
}

// Write writes the suite in the given format.
func Write(w io.Writer, f Format, s Suite) error {
	switch f {
	case FormatJUnit:
		return JUnit(w, s)
	case FormatJSON:
		return JSON(w, s)
	case FormatNDJSON:
		return NDJSON(w, s)
	case FormatMarkdown:
		return Markdown(w, s)
	case FormatHTML:
	}
	return &OutputError{string(f), "unknown format; formats are " + strings.Join(Formats(), ", ")}
}
