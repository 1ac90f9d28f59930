package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"net/url"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/conform"
)

// htmlWriter writes markup that is constant, and all else as arguments of it.
type htmlWriter struct{ b bytes.Buffer }

// printf writes each argument as text, whether its %v stands in an element or in
// the double quotes of an attribute.
func (w *htmlWriter) printf(markup string, args ...any) {
	for i, a := range args {
		args[i] = html.EscapeString(fmt.Sprint(a))
	}
	fmt.Fprintf(&w.b, markup, args...)
}

func (w *htmlWriter) linef(markup string, args ...any) {
	w.printf(markup, args...)
	w.b.WriteByte('\n')
}

// top writes a page's head: what it found out about a target, and its style,
// which is one of the program's own.
func (w *htmlWriter) top(found, target, style string) {
	w.linef(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8" />
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<meta name="color-scheme" content="light dark" />
<meta name="referrer" content="no-referrer" />
<title>%v – %v – paytest</title>
<style>`, found, htmlLine(target))
	w.b.WriteString(style)
	w.linef(`</style>
</head>`)
}

func (w *htmlWriter) page(p *htmlPage) {
	w.head(p)
	w.linef(`<body>
<a class="skip" href="#results">Skip to the results</a>`)
	w.header(p)
	w.nav(p)
	w.linef(`<main id="results">`)
	w.categories(p)
	w.failed(p)
	w.unproven(p)
	w.notRun(p)
	w.passed(p)
	w.timing(p)
	w.linef(`</main>
<footer>
<p class="hint">Written by paytest %v.</p>
</footer>
</body>
</html>`, htmlLine(p.Version))
}

func (w *htmlWriter) head(p *htmlPage) {
	title := p.Counts.verdict()
	if p.Problem != "" {
		title = "Not tested"
	}
	w.top(title, p.Target, conformStyle)
}

func (w *htmlWriter) header(p *htmlPage) {
	w.linef(`<header>`)
	w.verdict(p)
	if p.Problem != "" {
		w.linef(`<p class="alert"><b>The endpoint could not be tested</b>%v</p>`, htmlText(p.Problem))
	}
	if len(p.Baseline) > 0 {
		w.mended(p.Baseline)
	}
	if len(p.Notes) > 0 {
		w.notes(p.Notes)
	}
	w.about(p)
	w.linef(`</header>`)
}

func (w *htmlWriter) verdict(p *htmlPage) {
	worst := p.Counts.worst()
	if p.Problem != "" {
		worst = conform.Failed
	}
	w.linef(`<div class="verdict" data-worst="%v">
<p class="kind">paytest conformance report</p>
<h1>%v</h1>`, worst, p.Counts.verdict())
	if p.Severities != "" {
		w.printf(`<p class="hint">Failures: %v`, p.Severities)
		if p.Known > 0 {
			w.printf(`. The baseline knows %v of them`, p.Known)
		}
		w.linef(`.</p>`)
	}
	if p.Counts.Unproven > 0 || p.Counts.NotRun > 0 {
		w.undecided(p.Counts)
	}
	w.linef(`</div>`)
}

func (w *htmlWriter) undecided(n htmlCounts) {
	w.printf(`<p class="hint">`)
	if n.Unproven > 0 {
		w.printf(`Unproven: nothing was wrong in the answers, but what the case is about could not be seen. `)
	}
	if n.NotRun > 0 {
		w.printf(`Not run: the case was not carried out. `)
	}
	w.linef(`No such case counts as passed.</p>`)
}

func (w *htmlWriter) mended(cases []htmlMended) {
	w.printf(`<p class="alert mended"><b>Mended</b>The baseline lists `)
	for i, m := range cases {
		if i > 0 {
			w.printf(`, `)
		}
		if m.Shown {
			w.link(m.ID)
		} else {
			w.printf(`%v`, htmlLine(m.ID))
		}
	}
	they, them := "they", "them"
	if len(cases) == 1 {
		they, them = "it", "it"
	}
	w.linef(` as failing, and %v passed. Take %v out of the baseline.</p>`, they, them)
}

// link leads to the case, which has its ID as that of an element.
func (w *htmlWriter) link(id string) {
	id = htmlLine(id)
	w.printf(`<a href="#%v">%v</a>`, url.PathEscape(id), id)
}

func (w *htmlWriter) about(p *htmlPage) {
	effects := "not seen, there was no probe"
	if p.Probe {
		effects = "seen through a probe"
	}
	w.linef(`<dl class="about">
<div class="wide"><dt>Target</dt><dd><code>%v</code></dd></div>`, htmlLine(p.Target))
	w.fact("Profile", htmlLine(string(p.Profile)))
	w.fact("Seed", p.Seed)
	w.fact("Effects", effects)
	if t := p.Started.UTC(); !t.IsZero() {
		w.linef(`<div><dt>Started</dt><dd><time datetime="%v">%v UTC</time></dd></div>`, t.Format(time.RFC3339), t.Format(time.DateTime))
	}
	w.fact("Took", htmlDuration(p.Duration))
	w.fact("Version", htmlLine(p.Version))
	w.linef(`</dl>`)
}

func (w *htmlWriter) fact(name string, value any) {
	w.linef(`<div><dt>%v</dt><dd>%v</dd></div>`, name, value)
}

func (w *htmlWriter) nav(p *htmlPage) {
	w.linef(`<nav aria-label="Sections">
<ul>
<li><a href="#categories">Categories</a></li>`)
	if n := p.Counts.Failed; n > 0 {
		w.linef(`<li><a href="#failed">Failed (%v)</a></li>`, n)
	}
	if n := p.Counts.Unproven; n > 0 {
		w.linef(`<li><a href="#unproven">Unproven (%v)</a></li>`, n)
	}
	if n := p.Counts.NotRun; n > 0 {
		w.linef(`<li><a href="#not-run">Not run (%v)</a></li>`, n)
	}
	if n := p.Counts.Passed; n > 0 {
		w.linef(`<li><a href="#passed">Passed (%v)</a></li>`, n)
	}
	if len(p.Slowest) > 0 {
		w.linef(`<li><a href="#timing">Timing</a></li>`)
	}
	w.linef(`</ul>
</nav>`)
}

func (w *htmlWriter) categories(p *htmlPage) {
	w.linef(`<section aria-labelledby="categories">
<h2 id="categories">Categories</h2>
<div class="box" role="region" aria-labelledby="categories" tabindex="0">
<table class="matrix">
<thead><tr><th scope="col">Category</th><th scope="col" class="num">Passed</th><th scope="col" class="num">Failed</th>` +
		`<th scope="col" class="num">Unproven</th><th scope="col" class="num">Not run</th><th scope="col" class="num">All</th><th scope="col">Share</th></tr></thead>
<tbody>`)
	for _, row := range p.Matrix {
		w.printf(`<tr><th scope="row">%v <span class="meaning">%v</span></th>`, htmlLine(row.Category), htmlLine(row.Meaning))
		w.counts(row.htmlCounts)
		w.linef(`</tr>`)
	}
	w.printf(`</tbody>
<tfoot><tr><th scope="row">All</th>`)
	w.counts(p.Counts)
	w.linef(`</tr></tfoot>
</table>
</div>
</section>`)
}

func (w *htmlWriter) counts(n htmlCounts) {
	for _, column := range n.columns() {
		if column.N > 0 {
			w.printf(`<td class="num" data-status="%v">%v</td>`, column.Status, column.N)
		} else {
			w.printf(`<td class="num">0</td>`)
		}
	}
	w.printf(`<td class="num">%v</td><td><span class="bar" aria-hidden="true">`, n.all())
	for _, column := range n.columns() {
		if column.N > 0 {
			w.printf(`<i data-status="%v" style="flex-grow:%v"></i>`, column.Status, column.N)
		}
	}
	w.printf(`</span></td>`)
}

func (w *htmlWriter) failed(p *htmlPage) {
	if len(p.Failed) == 0 {
		return
	}
	w.linef(`<section aria-labelledby="failed">
<h2 id="failed">Failed (%v)</h2>`, p.Counts.Failed)
	if len(p.Failed) > 3 {
		w.printf(`<ul class="jump">`)
		for _, c := range p.Failed {
			w.printf(`<li>`)
			w.link(c.Case.ID)
			w.printf(`</li>`)
		}
		w.linef(`</ul>`)
	}
	for _, c := range p.Failed {
		w.failure(c)
	}
	w.linef(`</section>`)
}

func (w *htmlWriter) failure(c htmlCase) {
	w.printf(`<article`)
	if c.Known {
		w.printf(` class="known"`)
	}
	w.printf(` id="%[1]v" aria-label="%[1]v">
<h3>`, htmlLine(c.Case.ID))
	w.link(c.Case.ID)
	w.printf(` %v</h3>
<p class="tags">`, htmlText(c.Case.Sent))
	w.severity(c)
	w.printf(` <span class="tag">%v</span>`, htmlLine(c.Case.Category))
	if c.Known {
		w.printf(` <span class="tag">known from the baseline</span>`)
	}
	w.linef(`</p>`)
	w.facts(c)
	if len(c.Exchanges) > 0 {
		w.linef(`<details>
<summary>Exchanges: %v</summary>`, c.howMany())
		w.exchanges(c)
		w.linef(`</details>`)
	}
	w.linef(`</article>`)
}

func (w *htmlWriter) severity(c htmlCase) {
	w.printf(`<span class="tag" data-severity="%[1]v">%[1]v</span>`, htmlLine(string(c.Case.Severity)))
}

func (w *htmlWriter) facts(c htmlCase) {
	w.linef(`<dl class="facts">`)
	w.fact("Must hold", htmlText(c.Case.Holds))
	if c.Status == conform.Failed {
		w.linef(`<div class="came"><dt>What came</dt><dd>%v</dd></div>`, htmlText(c.Problem))
	}
	w.fact("Why it matters", htmlText(c.Case.Costs))
	if c.Status == conform.Failed {
		w.fact("What to change", htmlText(c.Case.Fix))
	}
	if len(c.Notes) > 0 {
		w.printf(`<div><dt>Notes</dt><dd>`)
		w.notes(c.Notes)
		w.linef(`</dd></div>`)
	}
	w.fact("Source", htmlText(c.Case.Source))
	if c.Command != "" {
		w.command(c.Command)
	}
	if c.Status != conform.NotRun {
		w.fact("Took", htmlDuration(c.Duration)+", "+count(c.Sent, "delivery"))
	}
	w.linef(`</dl>`)
}

func (w *htmlWriter) notes(notes []string) {
	w.printf(`<ul class="notes">`)
	for _, note := range notes {
		w.printf(`<li>%v</li>`, htmlText(note))
	}
	w.printf(`</ul>`)
}

// command keeps the words apart, which lines are broken between.
func (w *htmlWriter) command(command string) {
	w.printf(`<div><dt>Repeat it</dt><dd><code class="command">`)
	for i, word := range strings.Split(htmlText(command), " ") {
		if i > 0 {
			w.printf(` `)
		}
		w.printf(`<span>%v</span>`, word)
	}
	w.linef(`</code></dd></div>`)
}

func (w *htmlWriter) exchanges(c htmlCase) {
	w.linef(`<div class="box" role="region" aria-label="Exchanges of %v" tabindex="0">
<table class="exchanges">
<thead><tr><th scope="col" class="num">#</th><th scope="col">Sent</th><th scope="col">Came</th><th scope="col" class="num">Latency</th></tr></thead>
<tbody>`, htmlLine(c.Case.ID))
	for i, e := range c.Exchanges {
		w.linef(`<tr><td class="num">%v</td><td class="words">%v</td><td class="words">%v</td><td class="num">%v</td></tr>`,
			i+1, htmlText(e.Sent), htmlText(e.Came), htmlDuration(e.Latency))
	}
	w.linef(`</tbody>
</table>
</div>`)
}

func (w *htmlWriter) unproven(p *htmlPage) {
	if len(p.Unproven) == 0 {
		return
	}
	w.linef(`<section aria-labelledby="unproven">
<h2 id="unproven">Unproven (%v)</h2>`, p.Counts.Unproven)
	if p.Probe {
		w.linef(`<p class="hint">Each heading says what kept its cases from being proven. Mend that, then repeat a case with its command.</p>`)
	} else {
		w.linef(`<p class="hint">Without a probe nobody sees what the endpoint did, only what it answered. ` +
			`Give it one with <code>--probe-url</code> or <code>--probe-cmd</code>, then repeat a case with its command. ` +
			`Where something else is missing, the heading says so.</p>`)
	}
	w.reasons(p.Unproven)
	w.linef(`</section>`)
}

func (w *htmlWriter) notRun(p *htmlPage) {
	if len(p.NotRun) == 0 {
		return
	}
	w.linef(`<section aria-labelledby="not-run">
<h2 id="not-run">Not run (%v)</h2>`, p.Counts.NotRun)
	w.reasons(p.NotRun)
	w.linef(`</section>`)
}

func (w *htmlWriter) reasons(reasons []htmlReason) {
	for _, r := range reasons {
		w.linef(`<section class="reason">
<h3>%v</h3>
<p class="hint">%v</p>`, htmlText(cmp.Or(r.Why, "No reason was given.")), count(len(r.Cases), "case"))
		for _, c := range r.Cases {
			w.folded(c)
		}
		w.linef(`</section>`)
	}
}

// folded shows no more than a line of a case until it is opened.
func (w *htmlWriter) folded(c htmlCase) {
	id := htmlLine(c.Case.ID)
	w.printf(`<details class="case" data-status="%v">
<summary><b>%v</b> <span class="what">%v</span> `, c.Status, id, htmlText(c.Case.Sent))
	w.severity(c)
	w.linef(`</summary>
<div class="body" id="%v">`, id)
	w.facts(c)
	if len(c.Exchanges) > 0 {
		w.linef(`<p class="hint">Exchanges: %v</p>`, c.howMany())
		w.exchanges(c)
	}
	w.linef(`</div>
</details>`)
}

func (w *htmlWriter) passed(p *htmlPage) {
	if len(p.Passed) == 0 {
		return
	}
	w.linef(`<section aria-labelledby="passed">
<h2 id="passed">Passed (%v)</h2>
<div class="box" role="region" aria-labelledby="passed" tabindex="0">
<table class="passes">
<thead><tr><th scope="col">Case</th><th scope="col">Severity</th><th scope="col">Sent</th><th scope="col">Holds</th>`+
		`<th scope="col" class="num">Deliveries</th><th scope="col" class="num">Took</th></tr></thead>
<tbody>`, p.Counts.Passed)
	for _, c := range p.Passed {
		w.passedRow(c)
	}
	w.linef(`</tbody>
</table>
</div>
</section>`)
}

func (w *htmlWriter) passedRow(c htmlCase) {
	w.printf(`<tr id="%[1]v"><th scope="row">%[1]v</th><td>`, htmlLine(c.Case.ID))
	w.severity(c)
	w.printf(`</td><td class="words">%v`, htmlText(c.Case.Sent))
	if len(c.Notes) > 0 {
		w.notes(c.Notes)
	}
	w.linef(`</td><td class="words">%v</td><td class="num">%v</td><td class="num">%v</td></tr>`,
		htmlText(c.Case.Holds), c.Sent, htmlDuration(c.Duration))
}

func (w *htmlWriter) timing(p *htmlPage) {
	if len(p.Slowest) == 0 {
		return
	}
	w.linef(`<section aria-labelledby="timing">
<h2 id="timing">Timing</h2>
<details>
<summary>%v, the slowest first</summary>
<div class="box" role="region" aria-labelledby="timing" tabindex="0">
<table class="timing">
<thead><tr><th scope="col">Case</th><th scope="col">Category</th><th scope="col">Ended</th><th scope="col" class="num">Deliveries</th>`+
		`<th scope="col" class="num">Took</th><th scope="col">Share of the slowest</th></tr></thead>
<tbody>`, count(len(p.Slowest), "case"))
	for _, c := range p.Slowest {
		w.timingRow(c)
	}
	w.linef(`</tbody>
</table>
</div>
</details>
</section>`)
}

func (w *htmlWriter) timingRow(c htmlCase) {
	w.printf(`<tr><th scope="row">`)
	w.link(c.Case.ID)
	w.printf(`</th><td class="name">%v</td><td class="name" data-status="%[2]v">%[2]v</td>`, htmlLine(c.Case.Category), c.Status)
	w.linef(`<td class="num">%v</td><td class="num">%v</td><td class="time"><i data-status="%v" style="width:%v%%" aria-hidden="true"></i></td></tr>`,
		c.Sent, htmlDuration(c.Duration), c.Status, c.Share)
}
