package report

import (
	_ "embed" // for the style sheet
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/load"
)

// loadStyle is what the page needs besides conformStyle.
//
//go:embed load.css
var loadStyle string

// loadHTML writes a load report as ConformHTML does a conformance report: one
// file, no network, no script, well-formed XML, and all text from outside is text.
func loadHTML(w io.Writer, r *LoadReport) error {
	var page loadWriter
	page.report(r)
	if _, err := w.Write(page.b.Bytes()); err != nil {
		return fmt.Errorf("write HTML report: %w", err)
	}
	return nil
}

type loadWriter struct{ htmlWriter }

func (w *loadWriter) report(r *LoadReport) {
	v, run := r.verdict(), r.run()
	w.top(v.words, r.Target, conformStyle+loadStyle)
	w.linef(`<body>
<a class="skip" href="#results">Skip to the results</a>
<header>`)
	w.outcome(r, v)
	w.conditions(r)
	w.linef(`</header>
<main id="results">`)
	if r.Search != nil {
		w.search(r.Search)
	}
	w.limits(r)
	if r.Result != nil {
		w.figures(r, run)
		w.states(run)
		w.plots(run)
		w.failures(run.Total)
		w.arrivals(run)
		w.payments(run)
	}
	w.linef(`</main>
<footer>
<p class="hint">Written by paytest %v.</p>
</footer>
</body>
</html>`, htmlLine(r.Version))
}

func (w *loadWriter) outcome(r *LoadReport, v loadVerdict) {
	w.linef(`<div class="verdict" data-worst="%v">
<p class="kind">paytest load report</p>
<h1>%v</h1>`, v.worst, v.words)
	for _, l := range r.limits() {
		if l.ended == limitBroken && r.Search == nil {
			w.linef(`<p class="broke"><code>%v</code>: %v</p>`, htmlLine(l.text), htmlLine(l.got))
		}
	}
	if r.Search != nil {
		w.whyBroke(r.Search)
	}
	w.linef(`</div>`)
	for _, s := range r.warnings() {
		w.linef(`<p class="alert caution">%v</p>`, s)
	}
}

// whyBroke says what broke at the lowest rate that did.
func (w *loadWriter) whyBroke(s *load.Search) {
	for _, a := range s.Attempts {
		if a.Held() || a.Rate != s.Broke {
			continue
		}
		for _, l := range breached(a) {
			w.linef(`<p class="broke"><code>%v</code>: %v</p>`, htmlLine(l.text), htmlLine(l.got))
		}
	}
}

func (w *loadWriter) conditions(r *LoadReport) {
	w.linef(`<dl class="about">`)
	for i, c := range conditions(r) {
		if i == 0 {
			w.linef(`<div class="wide"><dt>%v</dt><dd><code>%v</code></dd></div>`, c.name, htmlLine(c.text))
			continue
		}
		w.fact(c.name, htmlLine(c.text))
	}
	w.linef(`</dl>`)
}

// open starts a section that has a heading.
func (w *loadWriter) open(id, title string) {
	w.linef(`<section aria-labelledby="%v">
<h2 id="%[1]v">%[2]v</h2>`, id, title)
}

// table starts a table in a box that scrolls. The headings of numbers start with a
// sign that is not shown.
func (w *loadWriter) table(label string, headings ...string) {
	w.printf(`<div class="box" role="region" aria-label="%v" tabindex="0">
<table>
<thead><tr>`, label)
	for _, h := range headings {
		if number, is := strings.CutPrefix(h, "#"); is {
			w.printf(`<th scope="col" class="num">%v</th>`, number)
		} else {
			w.printf(`<th scope="col">%v</th>`, h)
		}
	}
	w.linef(`</tr></thead>
<tbody>`)
}

func (w *loadWriter) endTable() {
	w.linef(`</tbody>
</table>
</div>`)
}

func (w *loadWriter) numbers(cells ...string) {
	for _, c := range cells {
		w.printf(`<td class="num">%v</td>`, c)
	}
}

func (w *loadWriter) figures(r *LoadReport, run *load.Result) {
	title := "Key figures"
	if r.Search != nil {
		title = "Key figures of the last step"
	}
	w.open("figures", title)
	t := run.Total
	l := t.Latency
	w.linef(`<dl class="figures">`)
	w.figure("Rate", perSecond(t.Rate), askedFor(run))
	w.figure("p50", measured(l, l.P50), "")
	w.figure("p99", measured(l, l.P99), "")
	w.figure("Longest", measured(l, l.Max), "")
	w.figure("Requests", grouped(t.Count), "")
	w.figure("Failed", percent(t.Failed(), t.Count), grouped(t.Failed())+" of "+grouped(t.Count))
	if !run.Rate.Max {
		w.figure(map[bool]string{true: "Started", false: "Started in time"}[run.Interrupted], inTime(run), "of "+grouped(run.Due)+" due")
	}
	w.linef(`</dl>
</section>`)
}

func askedFor(r *load.Result) string {
	switch {
	case r.Rate.Max:
		return "as fast as answered"
	case r.Ramp > 0:
		return "asked " + asked(r.Rate) + " after a ramp of " + Duration(r.Ramp)
	}
	return "asked " + asked(r.Rate)
}

func (w *loadWriter) figure(name, value, note string) {
	w.printf(`<div><dt>%v</dt><dd><b>%v</b>`, name, value)
	if note != "" {
		w.printf(` <span class="note">%v</span>`, note)
	}
	w.linef(`</dd></div>`)
}

func (w *loadWriter) limits(r *LoadReport) {
	if len(r.limits()) == 0 {
		return
	}
	title := "Thresholds"
	if r.Search != nil {
		title = "Thresholds in the last step"
	}
	w.open("thresholds", title)
	w.table("Thresholds", "Must not be", "Ended", "Measured")
	for _, l := range r.limits() {
		status := map[string]string{limitHeld: "passed", limitBroken: "failed", limitNotJudged: "not-run"}[l.ended]
		w.linef(`<tr><th scope="row"><code>%v</code></th><td class="ended" data-status="%v">%v</td><td class="words">%v</td></tr>`,
			htmlLine(l.text), status, limitWord(l), htmlLine(l.got))
	}
	w.endTable()
	w.linef(`</section>`)
}

func (w *loadWriter) states(r *load.Result) {
	w.open("states", "By state")
	w.table("By state", "State", "#Requests", "#Rate", "#p50", "#p90", "#p99", "#p99.9", "#Max", "#Mean", "#Errors")
	for _, s := range r.States {
		w.row(s.State.String(), s.Stats)
	}
	w.linef(`</tbody>
<tfoot>`)
	w.row("all", r.Total)
	w.linef(`</tfoot>
</table>
</div>
</section>`)
}

func (w *loadWriter) row(name string, s load.Stats) {
	w.printf(`<tr><th scope="row">%v</th>`, htmlLine(name))
	w.numbers(grouped(s.Count), perSecond(s.Rate))
	for _, d := range append(percentiles(s.Latency), s.Latency.Mean) {
		w.numbers(measured(s.Latency, d))
	}
	if s.Failed() > 0 {
		w.linef(`<td class="num" data-status="failed">%v</td></tr>`, failedOf(s))
	} else {
		w.linef(`<td class="num">0</td></tr>`)
	}
}

func (w *loadWriter) failures(s load.Stats) {
	w.open("errors", "Errors")
	if len(s.Errors) == 0 {
		w.linef(`<p>Of %v none failed.</p>
</section>`, many(s.Count, "request"))
		return
	}
	w.table("Errors by kind", "Kind", "#Requests", "#Share", "Such as")
	for _, e := range s.Errors {
		w.printf(`<tr><th scope="row" class="name">%v</th>`, errorName(e))
		w.numbers(grouped(e.Count), percent(e.Count, s.Count))
		w.linef(`<td class="words">%v</td></tr>`, htmlLine(e.Example))
	}
	w.endTable()
	w.linef(`</section>`)
}

func (w *loadWriter) arrivals(r *load.Result) {
	w.open("arrivals", "Arrivals")
	var line strings.Builder
	for _, s := range arrivals(r) {
		line.WriteString(s.Text)
	}
	w.linef(`<p>%v.</p>`, upper(line.String()))
	if !r.Rate.Max {
		w.linef(`<p class="hint">Started in time: before the run's time was up. Queued: started more than %v late because no connection was free; `+
			`their latencies count from when they were meant to start. Unsent: no connection came free within the timeout.</p>`, Duration(load.LateAfter))
	}
	w.linef(`</section>`)
}

func (w *loadWriter) payments(r *load.Result) {
	if len(r.Outcomes) == 0 {
		return
	}
	w.open("payments", "Payments")
	w.table("Payments by outcome", "Outcome", "#Opened", "#Finished")
	for _, o := range r.Outcomes {
		w.printf(`<tr><th scope="row">%v</th>`, htmlLine(o.Name))
		w.numbers(grouped(o.Opened), grouped(o.Finished))
		w.linef(`</tr>`)
	}
	w.endTable()
	w.linef(`</section>`)
}

func (w *loadWriter) search(s *load.Search) {
	w.open("steps", "Steps of the search")
	if p := stepsPlot(s); p != nil {
		w.plot(p)
		w.linef(`<p class="hint">A disc: the rate held. A cross: it broke.</p>`)
	}
	w.table("Steps of the search", "#Asked", "#Achieved", "#In time", "#p50", "#p99", "#Max", "#Errors", "Ended", "What broke")
	for _, a := range s.Attempts {
		w.step(s, a)
	}
	w.endTable()
	w.linef(`</section>`)
}

func (w *loadWriter) step(s *load.Search, a load.Attempt) {
	run, status := ran(a.Result), "passed"
	if !a.Held() {
		status = "failed"
	}
	l := run.Total.Latency
	w.printf(`<tr>`)
	w.numbers(perSecond(a.Rate), perSecond(run.Total.Rate), inTime(run), measured(l, l.P50), measured(l, l.P99), measured(l, l.Max), failedOf(run.Total))
	w.printf(`<td class="ended" data-status="%v">%v</td><td class="words">`, status, attemptWord(s, a))
	for i, b := range breached(a) {
		w.printf(`%v%v: %v`, strings.Repeat("; ", min(i, 1)), htmlLine(b.text), htmlLine(b.got))
	}
	w.linef(`</td></tr>`)
}

// stepsPlot has a mark for each step that measured something; nil if none did.
func stepsPlot(s *load.Search) *plot {
	p := &plot{id: "plot-steps", title: "99th percentile of the latency at each rate"}
	through := plotLine{class: "thin"}
	var rates, latencies []float64
	for _, a := range byRate(s) {
		l := ran(a.Result).Total.Latency
		if l.Count == 0 {
			continue
		}
		m := plotMark{x: a.Rate, y: float64(l.P99), class: map[bool]string{true: "held", false: "broke"}[a.Held()]}
		rates, latencies = append(rates, m.x), append(latencies, m.y)
		p.marks, through.points = append(p.marks, m), append(through.points, plotPoint{x: m.x, y: m.y})
	}
	if len(p.marks) == 0 {
		return nil
	}
	p.lines = []plotLine{through}
	p.x, p.y = scale("requests per second", rates, numberLabel), scale("p99", latencies, durationLabel)
	p.desc = count(len(p.marks), "step") + ": a disc held, a cross broke."
	if s.Knee > 0 {
		p.rule = &plotRule{s.Knee, "knee " + perSecond(s.Knee)}
		p.desc += " The knee is at " + perSecond(s.Knee) + "."
	}
	return p
}

func (w *loadWriter) plots(r *load.Result) {
	plots := slices.DeleteFunc([]*plot{latencyPlot(r), ratePlot(r), curvePlot(r.Total.Latency), errorPlot(r)}, func(p *plot) bool { return p == nil })
	if len(plots) == 0 {
		return
	}
	w.open("plots", "Plots")
	w.linef(`<div class="plots">`)
	for _, p := range plots {
		w.plot(p)
	}
	w.linef(`</div>
</section>`)
}

func seriesAxis(series []load.Point) axis {
	last := series[len(series)-1]
	return timeAxis(last.At + last.Length)
}

// middle is when a point of the series stands for, in seconds.
func middle(p load.Point) float64 { return (p.At + p.Length/2).Seconds() }

// latencyPlot leaves gaps where nothing was measured.
func latencyPlot(r *load.Result) *plot {
	p50, p99 := plotLine{name: "p50", class: "first"}, plotLine{name: "p99", class: "second"}
	var values []float64
	for _, s := range r.Series {
		gap := s.P99 <= 0
		p50.points = append(p50.points, plotPoint{middle(s), float64(s.P50), gap})
		p99.points = append(p99.points, plotPoint{middle(s), float64(s.P99), gap})
		if !gap {
			values = append(values, float64(s.P50), float64(s.P99))
		}
	}
	if len(values) == 0 {
		return nil
	}
	p := &plot{id: "plot-latency", x: seriesAxis(r.Series), y: scale("", values, durationLabel), lines: []plotLine{p50, p99}}
	p.title = "Latency in each second" + p.y.name
	p.desc = fmt.Sprintf("%s. Of the whole run p50 is %s, p99 %s, the longest %s.", count(len(values)/2, "point"),
		measured(r.Total.Latency, r.Total.Latency.P50), measured(r.Total.Latency, r.Total.Latency.P99), measured(r.Total.Latency, r.Total.Latency.Max))
	return p
}

// perSecondAt returns a number of a point per second. A short rest at the end says
// too little alone: it counts together with the point before.
func perSecondAt(series []load.Point, i int, n func(load.Point) uint64) float64 {
	p, count, length := series[i], n(series[i]), series[i].Length
	if i > 0 && p.Length < time.Second/2 {
		count, length = count+n(series[i-1]), length+series[i-1].Length
	}
	if length <= 0 {
		return 0
	}
	return float64(count) / length.Seconds()
}

// rateLine is a number of each point over time.
func rateLine(series []load.Point, name, class string, n func(load.Point) uint64) (line plotLine, values []float64) {
	line = plotLine{name: name, class: class}
	for i, p := range series {
		v := perSecondAt(series, i, n)
		line.points, values = append(line.points, plotPoint{x: middle(p), y: v}), append(values, v)
	}
	return line, values
}

// ratePlot, as errorPlot, is nil of a run without a series.
func ratePlot(r *load.Result) *plot {
	if len(r.Series) == 0 {
		return nil
	}
	got, values := rateLine(r.Series, "achieved", "first", func(p load.Point) uint64 { return p.Count })
	p := &plot{id: "plot-rate", title: "Requests per second", x: seriesAxis(r.Series), lines: []plotLine{got}}
	p.desc = fmt.Sprintf("%s. Over the whole run %s were achieved, %s was asked.", count(len(values), "point"), perSecond(r.Total.Rate), asked(r.Rate))
	if !r.Rate.Max {
		due, more := rateLine(r.Series, "asked", "second", func(p load.Point) uint64 { return p.Due })
		p.lines, values = append(p.lines, due), append(values, more...)
	}
	p.y = linear("", most(values), numberLabel)
	return p
}

// errorPlot is nil where nothing failed.
func errorPlot(r *load.Result) *plot {
	failed, values := rateLine(r.Series, "errors", "third", func(p load.Point) uint64 { return p.Errors })
	if most(values) == 0 {
		return nil
	}
	return &plot{
		id: "plot-errors", title: "Errors per second", x: seriesAxis(r.Series), y: linear("", most(values), numberLabel), lines: []plotLine{failed},
		desc: fmt.Sprintf("%s. Over the whole run %s of %s requests failed.", count(len(values), "point"), grouped(r.Total.Failed()), grouped(r.Total.Count)),
	}
}

func most(values []float64) float64 {
	top := 0.0
	for _, v := range values {
		top = max(top, v)
	}
	return top
}

// curvePlot is nil where nothing was measured.
func curvePlot(l load.Latency) *plot {
	curve := l.Curve()
	if len(curve) == 0 {
		return nil
	}
	line := plotLine{class: "first"}
	var values []float64
	hi := 0.0
	for _, q := range curve {
		x := hi + nines(0.5) // where the longest stands
		if q.Share < 1 {
			x = nines(q.Share)
		}
		hi = max(hi, x)
		values = append(values, float64(q.Latency))
		line.points = append(line.points, plotPoint{x: x, y: float64(q.Latency)})
	}
	p := &plot{id: "plot-distribution", x: ninesAxis(hi), y: scale("", values, durationLabel), lines: []plotLine{line}}
	p.marks = []plotMark{{hi, float64(l.Max), "top", "longest " + Duration(l.Max)}}
	p.title = "Latency by percentile" + p.y.name
	p.desc = fmt.Sprintf("%s. p50 is %s, p90 %s, p99 %s, p99.9 %s, the longest %s.", count(len(curve), "point"),
		Duration(l.P50), Duration(l.P90), Duration(l.P99), Duration(l.P999), Duration(l.Max))
	return p
}
