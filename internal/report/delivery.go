package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/paytest/paytest/internal/verify"
)

// Delivery is a delivery that was received, and the answer to it.
type Delivery = verify.Delivery

// Delivery writes a received delivery: one line, its findings under it.
func (p *Printer) Delivery(d Delivery) {
	style := Good
	if !d.Verdict.OK() {
		style = Bad
	}
	status := strconv.Itoa(d.Status)
	if d.Dropped {
		status = "---"
	}
	spans := []Span{S(Faint, "%s  ", d.Time.Format("15:04:05.000")), S(style, "%s", status), T("  ")}
	p.Line(append(spans, what(d)...)...)
	p.Findings(d.Verdict.Findings, "    ")
}

func what(d Delivery) []Span {
	v := d.Verdict
	if v.State == nil {
		name := v.Event
		if name == "" {
			name = fmt.Sprintf("%s %s", d.Method, shorten(d.Path, 60))
		}
		return []Span{S(Strong, "%s", name)}
	}
	return append([]Span{S(Strong, "%s", v.Event), T("  ")}, Move(v)...)
}

// Move says which transition a verdict is about, and of what.
func Move(v verify.Verdict) []Span {
	from := v.Previous
	if from == "" && v.Edge != nil {
		from = v.Edge.From.Label()
	}
	spans := []Span{T("%s→%s", from, v.State.Label())}
	if v.ID != "" {
		spans = append(spans, S(Faint, "  %s %s", v.State.Subject.Name, shorten(v.ID, 9)))
	}
	return spans
}

func shorten(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	return string(r[:most-1]) + "…"
}

// Findings writes findings, each with what it needs to be understood.
func (p *Printer) Findings(findings []verify.Finding, indent string) {
	for _, f := range findings {
		head := []Span{T("%s", indent), S(severityStyle(f.Severity), "%s", f.Code)}
		if f.Pointer == "" {
			p.Paragraph(append(head, T("  ")), indent+"  ", f.Message)
		} else {
			p.Line(append(head, S(Accent, "  %s", f.Pointer))...)
			p.Paragraph([]Span{T("%s  ", indent)}, indent+"  ", f.Message)
		}
		for _, side := range [][2]string{{"expected", f.Expected}, {"got     ", f.Got}, {"source  ", f.Source}} {
			if side[1] != "" {
				p.wrap([]Span{S(Faint, "%s  %s ", indent, side[0])}, indent+"           ", []Span{S(Faint, "%s", side[1])})
			}
		}
	}
}

func severityStyle(s verify.Severity) Style {
	switch s {
	case verify.Violation:
		return Bad
	case verify.Warning:
		return Caution
	case verify.Note:
	}
	return Accent
}

// Totals counts deliveries and what was found in them.
type Totals struct {
	Deliveries int `json:"deliveries"`
	Violations int `json:"violations"`
	Warnings   int `json:"warnings"`
	Notes      int `json:"notes"`
	Duplicates int `json:"duplicates"`
}

// Add counts one verdict.
func (t *Totals) Add(v *verify.Verdict) {
	t.Deliveries++
	t.Violations += v.Count(verify.Violation)
	t.Warnings += v.Count(verify.Warning)
	t.Notes += v.Count(verify.Note)
	if v.Duplicate {
		t.Duplicates++
	}
}

// Gaps counts the summary's gaps as its severity says.
func (t *Totals) Gaps(s verify.Summary) {
	if s.GapSeverity == verify.Violation {
		t.Violations += s.GapCount
	} else {
		t.Warnings += s.GapCount
	}
}

// Summary writes the last lines of a session.
func (p *Printer) Summary(noun string, t Totals, s verify.Summary) {
	for _, gap := range s.Gaps {
		p.Paragraph([]Span{S(severityStyle(s.GapSeverity), "gap"), T("  ")}, "     ", gap)
	}
	if more := s.GapCount - len(s.Gaps); more > 0 {
		p.Line(T("… and %d more gaps", more))
	}
	style := Good
	if t.Violations > 0 {
		style = Bad
	}
	spans := []Span{
		T("%s, ", count(t.Deliveries, noun)), S(style, "%s", count(t.Violations, "violation")),
		T(", %s, %s", count(t.Warnings, "warning"), count(t.Duplicates, "duplicate")),
	}
	spans = append(spans, T("; edges"))
	for i, e := range s.Edges {
		spans = append(spans, T("%s %s %d/%d", strings.Repeat(",", min(i, 1)), e.Subject, e.Seen, e.Of))
	}
	p.Flow("  ", spans...)
	if s.Forgotten > 0 {
		p.Line(S(Caution, "%d subjects were forgotten: more than %d at once; what came of them later was judged as if new", s.Forgotten, verify.MaxSubjects))
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if strings.HasSuffix(noun, "y") {
		return fmt.Sprintf("%d %sies", n, strings.TrimSuffix(noun, "y"))
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// JSON writes v as one line of JSON with its type in front.
func (p *Printer) JSON(kind string, v any) {
	body, err := marshal(v)
	if err != nil {
		p.err = err
		return
	}
	head := fmt.Sprintf(`{"type":%q`, kind)
	if string(body) != "{}" {
		head += ","
	}
	p.Raw(append(append([]byte(head), body[1:]...), '\n'))
}

func marshal(v any) ([]byte, error) {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return []byte(harmless(strings.TrimSuffix(b.String(), "\n"))), err
}

// writeJSON writes one object over several lines, in which nothing is left that a
// terminal would obey.
func writeJSON(w io.Writer, v any) error {
	line, err := marshal(v)
	var b bytes.Buffer
	if err == nil {
		err = json.Indent(&b, line, "", "  ")
	}
	if err == nil {
		b.WriteByte('\n')
		_, err = w.Write(b.Bytes())
	}
	if err != nil {
		return fmt.Errorf("write JSON report: %w", err)
	}
	return nil
}

// harmless writes as \u escapes what a terminal or a CI runner would obey: outside
// of strings, JSON has none of it.
func harmless(s string) string {
	s = strings.ReplaceAll(s, "##[", `#\u0023[`)
	if strings.IndexFunc(s, unsafe) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unsafe(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

// VerdictJSON is a verdict as programs read it.
type VerdictJSON struct {
	OK            bool             `json:"ok"`
	Event         string           `json:"event,omitempty"`
	Subject       string           `json:"subject,omitempty"`
	ID            string           `json:"id,omitempty"`
	State         string           `json:"state,omitempty"`
	PreviousState string           `json:"previousState,omitempty"`
	Duplicate     bool             `json:"duplicate"`
	Findings      []verify.Finding `json:"findings"`
}

// NewVerdictJSON returns the verdict as programs read it.
func NewVerdictJSON(v *verify.Verdict) VerdictJSON {
	out := VerdictJSON{OK: v.OK(), Event: v.Event, ID: v.ID, PreviousState: v.Previous, Duplicate: v.Duplicate, Findings: v.Findings}
	if v.State != nil {
		out.Subject, out.State = v.State.Subject.Name, v.State.Wire
	}
	if out.Findings == nil {
		out.Findings = []verify.Finding{}
	}
	return out
}

// SummaryJSON is the summary as programs read it.
type SummaryJSON struct {
	Totals
	verify.Summary
}

// Milliseconds returns d in milliseconds with microsecond precision.
func Milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// Duration shows a latency with at most three digits that matter.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%d µs", d.Microseconds())
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.2f s", d.Seconds())
}
