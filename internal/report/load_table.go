package report

import (
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/load"
)

const (
	loadColumns      = 80
	loadExampleBytes = 300
)

// LoadTable writes the figures of a run: a row for each state and one for all, in
// at most 80 columns; how requests failed; and what became of the arrivals.
func (p *Printer) LoadTable(r *load.Result) {
	p.loadRows(r)
	wide, most := 0, 0
	for _, e := range r.Total.Errors {
		wide, most = max(wide, len(errorName(e))), max(most, len(grouped(e.Count)))
	}
	for _, e := range r.Total.Errors {
		head := []Span{S(Bad, "%*s", most, grouped(e.Count)), T("  %-*s", wide, errorName(e))}
		if e.Example == "" {
			p.Line(head...)
			continue
		}
		p.Paragraph(append(head, T("  ")), strings.Repeat(" ", most+wide+4), clipBytes(e.Example, loadExampleBytes))
	}
	p.Flow("  ", arrivals(r)...)
	if r.GeneratorBound() {
		p.Paragraph(nil, "  ", behind(r))
	}
}

func (p *Printer) loadRows(r *load.Result) {
	rows := fitted(r)
	wide, gap := widths(rows), 2
	if total(wide, gap) > loadColumns {
		gap = 1
	}
	wide[0] = max(2, wide[0]-max(0, total(wide, gap)-loadColumns))
	styles := append(append([]Style{Faint}, make([]Style, len(rows)-2)...), Strong)
	for i, row := range rows {
		p.loadRow(row, wide, gap, styles[i])
	}
}

func widths(rows [][]string) []int {
	wide := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			wide[i] = max(wide[i], columns(cell))
		}
	}
	return wide
}

func total(wide []int, gap int) int {
	sum := gap * (len(wide) - 1)
	for _, n := range wide {
		sum += n
	}
	return sum
}

func (p *Printer) loadRow(row []string, wide []int, gap int, style Style) {
	name := row[0]
	for columns(name) > wide[0] {
		name = shorten(name, len([]rune(name))-1)
	}
	spans := []Span{S(style, "%s%*s", name, wide[0]-columns(name), "")}
	for i, cell := range row[1:] {
		s := style
		if i == len(row)-2 && cell != "0" && style != Faint {
			s = Bad
		}
		spans = append(spans, S(s, "%*s%s", gap+wide[i+1]-columns(cell), "", cell))
	}
	p.Line(spans...)
}

// fitted are the cells of the table, with exact counts where they fit.
func fitted(r *load.Result) [][]string {
	if rows := loadCells(r, grouped); total(widths(rows), 1) <= loadColumns {
		return rows
	}
	return loadCells(r, func(n uint64) string { return compact(float64(n), "") })
}

func loadCells(r *load.Result, number func(uint64) string) [][]string {
	rows := [][]string{{"", "count", "rate/s", "p50", "p90", "p99", "p99.9", "max", "errors"}}
	for _, s := range append(slices.Clone(r.States), load.StateStats{Stats: r.Total}) {
		name := "all"
		if s.State != nil {
			name = Escape(s.State.String())
		}
		row := []string{name, number(s.Count), compactRate(s.Rate, number)}
		for _, d := range percentiles(s.Latency) {
			row = append(row, measured(s.Latency, d))
		}
		rows = append(rows, append(row, number(s.Failed())))
	}
	return rows
}

func percentiles(l load.Latency) []time.Duration {
	return []time.Duration{l.P50, l.P90, l.P99, l.P999, l.Max}
}

// measured shows a latency, and none where nothing was measured.
func measured(l load.Latency, d time.Duration) string {
	if l.Count == 0 {
		return "-"
	}
	return Duration(max(d, 0))
}

// arrivals says what became of them: in an open model those that a slow endpoint
// never got count, too.
func arrivals(r *load.Result) []Span {
	out := started(r)
	also := func(spans ...Span) {
		out[len(out)-1].Text += ";"
		out = append(out, spans...)
	}
	if r.Late > 0 {
		l := r.Lateness
		also(S(Caution, " the generator was late for %s", grouped(r.Late)), T(" (p99 %s, max %s)", measured(l, l.P99), measured(l, l.Max)))
	}
	if r.Duplicates > 0 || r.Disordered > 0 {
		also(T(" %s, %s out of order", many(r.Duplicates, "duplicate"), grouped(r.Disordered)))
	}
	if r.Interrupted {
		also(S(Caution, " interrupted after %s", Duration(max(r.Elapsed, 0))), T(" with %s under way", grouped(r.Unfinished)))
	}
	return out
}

func started(r *load.Result) []Span {
	if r.Rate.Max {
		return []Span{T("arrivals: %s sent, each as the one before on its connection was answered", grouped(r.Due))}
	}
	words := "started in time"
	if r.Interrupted {
		words = "started"
	}
	return []Span{
		T("arrivals: %s due, %s %s,", grouped(r.Due), grouped(startedOf(r)), words),
		S(raised(r.Queued), " %s queued,", grouped(r.Queued)), S(raised(r.Unsent), " %s unsent", grouped(r.Unsent)),
	}
}

func raised(n uint64) Style {
	if n > 0 {
		return Caution
	}
	return Plain
}
