package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/load"
)

// loadMarkdown writes a load report as Markdown does a suite: all text from
// outside stands in code.
func loadMarkdown(w io.Writer, r *LoadReport) error {
	var d document
	run := r.run()
	fmt.Fprintf(&d.Builder, "## paytest load: %s\n\n", r.verdict().words)
	d.list("", "warning", quoted(r.warnings()))
	d.list("", "threshold", thresholdItems(r.limits()))
	if r.Search != nil {
		d.steps(r.Search)
	}
	if r.Result != nil {
		d.figures(run, r.Search != nil)
	}
	d.list("\n### Errors\n\n", "error", errorItems(run.Total))
	d.list("\n### Payments\n\n", "outcome", outcomeItems(run))
	d.list("\n### Conditions\n\n", "condition", conditionItems(r))
	if _, err := io.WriteString(w, d.String()); err != nil {
		return fmt.Errorf("write Markdown report: %w", err)
	}
	return nil
}

func quoted(warnings []string) []string {
	var out []string
	for _, s := range warnings {
		out = append(out, "> "+s+"\n\n")
	}
	return out
}

func thresholdItems(limits []limit) []string {
	var out []string
	for _, l := range limits {
		item := fmt.Sprintf("- %s: %s", limitWord(l), codeSpan(l.text))
		if l.got != "" {
			item += ": " + codeSpan(l.got)
		}
		out = append(out, item+"\n")
	}
	return out
}

func limitWord(l limit) string {
	return map[string]string{limitHeld: "ok", limitBroken: "broken", limitNotJudged: "not judged"}[l.ended]
}

func (d *document) figures(r *load.Result, step bool) {
	d.WriteString("\n### Figures" + map[bool]string{true: " of the last step"}[step] + "\n\n| State | Requests | Rate | p50 | p90 | p99 | p99.9 | max | mean | Errors |\n")
	d.WriteString("| :-- |" + strings.Repeat(" --: |", 9) + "\n")
	for _, s := range r.States {
		d.row(cell(s.State.String()), s.Stats)
	}
	d.row("all", r.Total)
	var line strings.Builder
	for _, s := range arrivals(r) {
		line.WriteString(s.Text)
	}
	fmt.Fprintf(&d.Builder, "\n%s.\n", upper(line.String()))
}

func (d *document) row(name string, s load.Stats) {
	fmt.Fprintf(&d.Builder, "| %s | %s | %s |", name, grouped(s.Count), perSecond(s.Rate))
	for _, l := range append(percentiles(s.Latency), s.Latency.Mean) {
		fmt.Fprintf(&d.Builder, " %s |", measured(s.Latency, l))
	}
	fmt.Fprintf(&d.Builder, " %s |\n", failedOf(s))
}

// cell is code in a table, where a pipe ends a cell even in code.
func cell(text string) string { return codeSpan(strings.ReplaceAll(text, "|", "¦")) }

func failedOf(s load.Stats) string {
	if s.Failed() == 0 {
		return "0"
	}
	return fmt.Sprintf("%s (%s)", grouped(s.Failed()), percent(s.Failed(), s.Count))
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func errorItems(s load.Stats) []string {
	var out []string
	for _, e := range s.Errors {
		item := fmt.Sprintf("- %s: %s (%s)", errorName(e), grouped(e.Count), percent(e.Count, s.Count))
		if e.Example != "" {
			item += ", such as " + codeSpan(e.Example)
		}
		out = append(out, item+"\n")
	}
	return out
}

func outcomeItems(r *load.Result) []string {
	var out []string
	for _, o := range r.Outcomes {
		out = append(out, fmt.Sprintf("- %s: %s opened, %s finished\n", codeSpan(o.Name), grouped(o.Opened), grouped(o.Finished)))
	}
	return out
}

// steps are those of a search, in the order in which they were made.
func (d *document) steps(s *load.Search) {
	d.WriteString("\n### Steps\n\n| Asked | Achieved | In time | p50 | p99 | max | Errors | |\n|" + strings.Repeat(" --: |", 7) + " :-- |\n")
	var why []string
	for _, a := range s.Attempts {
		run := ran(a.Result)
		l := run.Total.Latency
		fmt.Fprintf(&d.Builder, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", perSecond(a.Rate), perSecond(run.Total.Rate), inTime(run),
			measured(l, l.P50), measured(l, l.P99), measured(l, l.Max), failedOf(run.Total), attemptWord(s, a))
		for _, b := range breached(a) {
			why = append(why, fmt.Sprintf("- broken at %s: %s: %s\n", perSecond(a.Rate), codeSpan(b.text), codeSpan(b.got)))
		}
	}
	d.list("\n", "breach", why)
}

// condition is what a run was made under. Outside says that the text comes from
// there.
type condition struct {
	name, text string
	outside    bool
}

func conditions(r *LoadReport) []condition {
	run := r.run()
	out := []condition{{"Target", r.Target, true}, {"Mix", r.Mix, true}, {"Signed", map[bool]string{true: "yes", false: "no"}[r.Signed], false}}
	if r.Result != nil {
		out = append(
			out, condition{"Rate", asked(run.Rate), false}, condition{"Ramp", ramp(run), false}, condition{"Duration", Duration(run.Duration), false},
			condition{"Took", Duration(max(run.Elapsed, 0)), false}, condition{"Connections", fmt.Sprint(run.Connections), false},
			condition{"Timeout", Duration(run.Timeout), false},
			condition{"Sent", compact(float64(run.Total.Sent), " ") + "B", false}, condition{"Received", compact(float64(run.Total.Received), " ") + "B", false},
		)
	}
	if t := run.Started.UTC(); !t.IsZero() {
		out = append(out, condition{"Started", t.Format(time.DateTime) + " UTC", false})
	}
	return append(out, condition{"Seed", fmt.Sprint(r.Seed), false}, condition{"Version", r.Version, true})
}

func ramp(r *load.Result) string {
	if r.Ramp <= 0 {
		return "none"
	}
	return Duration(r.Ramp)
}

func conditionItems(r *LoadReport) []string {
	var out []string
	for _, c := range conditions(r) {
		if c.outside {
			c.text = codeSpan(c.text)
		}
		out = append(out, fmt.Sprintf("- %s: %s\n", strings.ToLower(c.name), c.text))
	}
	return out
}
