package report_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/report"
)

func htmlCase(id, category string, s conform.Severity) *conform.Case {
	return &conform.Case{
		ID: id, Category: category, Severity: s, Profile: conform.Core,
		Sent: "what " + id + " sends", Holds: "what " + id + " expects", Source: "the documents on " + id,
		Costs: "what " + id + " costs.", Fix: "What mends " + id + ".",
	}
}

// htmlReport has a case for each thing that a page can show.
func htmlReport() *conform.Report {
	blind := "effects cannot be seen without a probe: add --probe-url or --probe-cmd"
	twice := []conform.Exchange{
		{Sent: "invoice Complete", Came: "200 OK", Latency: 3 * time.Millisecond},
		{Sent: "invoice Complete, again", Came: "200 OK", Latency: 2 * time.Millisecond},
	}
	return &conform.Report{
		Target: "http://127.0.0.1:8080/hook?a=1&b=<2>", Seed: math.MaxUint64, Profile: conform.Full, Version: "0.4.0",
		Started: time.Date(2025, 3, 1, 12, 0, 0, 0, time.FixedZone("KST", 9*3600)), Duration: 12345 * time.Millisecond,
		Reproduce: "paytest conform http://127.0.0.1:8080/hook --seed 7 --case %s",
		Meanings:  map[string]string{"delivery": "the documented flow", "idempotency": "the same event twice", "money": "amounts"},
		Mended:    []string{"D02", "Z99"},
		Results: []conform.Result{
			{Case: htmlCase("D01", "delivery", conform.Critical), Status: conform.Passed, Sent: 1, Exchanges: twice[:1], Duration: 4 * time.Millisecond},
			{Case: htmlCase("D02", "delivery", conform.Low), Status: conform.Passed, Sent: 2, Notes: []string{"answered 202, not 200"}, Duration: 9 * time.Millisecond},
			{Case: htmlCase("D03", "delivery", conform.Medium), Status: conform.Failed, Problem: "answered 500", Duration: time.Second, Sent: 1},
			{Case: htmlCase("I01", "idempotency", conform.Critical), Status: conform.Failed, Known: true, Problem: "goods handed out 2 times, not once"},
			{
				Case: htmlCase("I02", "idempotency", conform.Critical), Status: conform.Failed, Problem: "credited 199.98\ninstead of <99.99>\x00\u202e",
				Sent: 60, Exchanges: twice, Notes: []string{"it recovered by the 2nd attempt"}, Duration: 2 * time.Second,
			},
			{Case: htmlCase("I03", "idempotency", conform.High), Status: conform.Unproven, Problem: blind, Sent: 2, Exchanges: twice, Duration: 5 * time.Millisecond},
			{Case: htmlCase("I04", "idempotency", conform.High), Status: conform.Unproven, Problem: blind, Sent: 2, Duration: 6 * time.Millisecond},
			{Case: htmlCase("M01", "money", conform.High), Status: conform.NotRun, Problem: "the endpoint does not serve 계약"},
			{Case: htmlCase("M02", "money", conform.High)},
		},
	}
}

func conformHTML(t interface {
	Helper()
	Fatal(args ...any)
}, r *conform.Report,
) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.ConformHTML(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestConformHTMLGolden(t *testing.T) {
	got, path := conformHTML(t, htmlReport()), filepath.Join("testdata", "conform.html")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs; if that is meant, run the test with -update (-want +got):\n%s", path, diff)
	}
}

// find returns the elements below n, n included, that f is true of.
func (n node) find(f func(node) bool) []node {
	var found []node
	if f(n) {
		found = append(found, n)
	}
	for _, c := range n.Children {
		found = append(found, c.find(f)...)
	}
	return found
}

func (n node) named(name string) []node {
	return n.find(func(e node) bool { return e.XMLName.Local == name })
}

// words is all text in n, that of an element before that of its children.
func (n node) words() string {
	var b strings.Builder
	for _, e := range n.find(func(node) bool { return true }) {
		b.WriteString(e.Text + "\n")
	}
	return b.String()
}

// skeleton is the page without what may come from outside.
func (n node) skeleton(b *strings.Builder, depth int) {
	fmt.Fprintf(b, "%*s%s", depth, "", n.XMLName.Local)
	for _, a := range n.Attrs {
		fmt.Fprintf(b, " %s", a.Name.Local)
		if slices.Contains([]string{"class", "data-status", "content", "http-equiv", "tabindex", "role", "scope"}, a.Name.Local) {
			fmt.Fprintf(b, "=%q", a.Value)
		}
	}
	b.WriteByte('\n')
	for _, c := range n.Children {
		c.skeleton(b, depth+1)
	}
}

// htmlAttributes says which attributes an element of the page may have.
func htmlAttributes() map[string]string {
	attributes := map[string]string{
		"html": "lang", "meta": "charset http-equiv name content", "a": "class href", "div": "class data-worst id role aria-label aria-labelledby tabindex",
		"span": "class data-severity aria-hidden", "i": "data-status style aria-hidden", "time": "datetime", "nav": "aria-label", "main": "id",
		"section": "class aria-labelledby", "h2": "id", "article": "class id aria-label", "details": "class data-status", "tr": "id",
		"th": "scope class", "td": "class data-status",
	}
	for _, name := range []string{"p", "ul", "dl", "table", "code"} {
		attributes[name] = "class"
	}
	for _, name := range []string{"head", "title", "style", "body", "header", "footer", "h1", "h3", "b", "li", "dt", "dd", "thead", "tbody", "tfoot", "summary"} {
		attributes[name] = ""
	}
	return attributes
}

// alone fails if the page runs or fetches anything, or leads elsewhere.
func alone(t interface{ Errorf(string, ...any) }, page node) {
	attributes := htmlAttributes()
	for _, e := range page.find(func(node) bool { return true }) {
		allowed, known := attributes[e.XMLName.Local]
		if !known {
			t.Errorf("an element %s", e.XMLName.Local)
		}
		for _, a := range e.Attrs {
			if !slices.Contains(strings.Fields(allowed), a.Name.Local) {
				t.Errorf("%s has an attribute %s", e.XMLName.Local, a.Name.Local)
			}
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
				t.Errorf("a link to %q", a.Value)
			}
			if a.Name.Local == "style" && !regexp.MustCompile(`^(flex-grow:\d+|width:\d+%)$`).MatchString(a.Value) {
				t.Errorf("a style %q", a.Value)
			}
		}
	}
	for _, css := range page.named("style") {
		if regexp.MustCompile(`(?i)url|import|//|\\`).MatchString(css.Text) {
			t.Errorf("the style fetches something")
		}
	}
}

func TestConformHTMLStandsAlone(t *testing.T) {
	page := parseXML(t, conformHTML(t, htmlReport()))
	alone(t, page)
	policy := page.find(func(e node) bool { return e.attr("http-equiv") == "Content-Security-Policy" })
	if len(policy) != 1 || !strings.HasPrefix(policy[0].attr("content"), "default-src 'none'; style-src 'unsafe-inline';") {
		t.Errorf("the policies are %v", policy)
	}
}

// drawReport returns a report of texts, and one of the same shape in which each
// text is plain and has as many spaces; texts are the same in one where they are
// in the other.
func drawReport(t *rapid.T) (hostile, plain *conform.Report) {
	plains := map[string]string{}
	text := func(label string) (string, string) {
		s := hostileText().Draw(t, label)
		if s == "" {
			return "", ""
		}
		if plains[s] == "" {
			plains[s] = fmt.Sprintf("x%d", len(plains)) + strings.Repeat(" ", strings.Count(s, " "))
		}
		return s, plains[s]
	}
	r := conform.Report{
		Seed: rapid.Uint64().Draw(t, "seed"), Probe: rapid.Bool().Draw(t, "probe"), Started: time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "started"), 0),
		Duration: time.Duration(rapid.Int64().Draw(t, "whole")),
	}
	q := r
	r.Target, q.Target = text("target")
	r.Version, q.Version = text("version")
	r.Problem, q.Problem = text("problem")
	profile, other := text("profile")
	r.Profile, q.Profile = conform.Profile(profile), conform.Profile(other)
	if rapid.Bool().Draw(t, "reproducible") {
		r.Reproduce, q.Reproduce = "again %s", "again %s"
	}
	r.Meanings, q.Meanings = map[string]string{}, map[string]string{}
	for i := range rapid.IntRange(0, 6).Draw(t, "cases") {
		a, b := drawResult(t, text, i)
		r.Meanings[a.Case.Category], q.Meanings[b.Case.Category] = text("meaning")
		r.Results, q.Results = append(r.Results, a), append(q.Results, b)
	}
	for range rapid.IntRange(0, 2).Draw(t, "mended") {
		a, b := text("mended")
		r.Mended, q.Mended = append(r.Mended, a), append(q.Mended, b)
	}
	return &r, &q
}

func drawResult(t *rapid.T, text func(string) (string, string), i int) (hostile, plain conform.Result) {
	statuses := append([]conform.Status{"", "passed "}, conform.Statuses()...)
	r := conform.Result{
		Status: rapid.SampledFrom(statuses).Draw(t, "status"), Known: rapid.Bool().Draw(t, "known"),
		Sent: rapid.IntRange(0, 5).Draw(t, "sent"), Duration: time.Duration(rapid.Int64().Draw(t, "duration")),
	}
	q := r
	c := conform.Case{ID: fmt.Sprintf("C%02d", i), Severity: conform.Severity(rapid.SampledFrom(conform.Severities()).Draw(t, "severity"))}
	d := c
	id, other := text("id")
	c.ID, d.ID = c.ID+id, d.ID+other
	c.Category, d.Category = text("category")
	c.Sent, d.Sent = text("what is sent")
	c.Holds, d.Holds = text("holds")
	c.Source, d.Source = text("source")
	c.Costs, d.Costs = text("costs")
	c.Fix, d.Fix = text("fix")
	r.Case, q.Case = &c, &d
	r.Problem, q.Problem = text("why")
	for range rapid.IntRange(0, 2).Draw(t, "notes") {
		a, b := text("note")
		r.Notes, q.Notes = append(r.Notes, a), append(q.Notes, b)
	}
	for range rapid.IntRange(0, 2).Draw(t, "exchanges") {
		var x, y conform.Exchange
		x.Sent, y.Sent = text("sent")
		x.Came, y.Came = text("came")
		r.Exchanges, q.Exchanges = append(r.Exchanges, x), append(q.Exchanges, y)
	}
	return r, q
}

// However hostile the texts, the page is built as it is with plain texts.
func TestConformHTMLKeepsTextsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile, plain := drawReport(t)
		got, want := conformHTML(t, hostile), conformHTML(t, plain)
		var built, meant strings.Builder
		page := parseXML(t, got)
		page.skeleton(&built, 0)
		parseXML(t, want).skeleton(&meant, 0)
		if diff := cmp.Diff(meant.String(), built.String()); diff != "" {
			t.Fatalf("(-plain +hostile):\n%s", diff)
		}
		alone(t, page)
		for _, mark := range []string{"<", ">", `"`, "'"} {
			if n, m := strings.Count(got, mark), strings.Count(want, mark); n != m {
				t.Fatalf("%d of %s, %d with plain texts", n, mark, m)
			}
		}
		for _, line := range strings.Split(got, "\n") {
			if line = strings.ReplaceAll(line, "\t", ""); line != report.Escape(line) {
				t.Fatalf("%q must read %q", line, report.Escape(line))
			}
		}
	})
}

// Each text of a result is on the page, but for what its status has no use for.
func TestConformHTMLShowsEverything(t *testing.T) {
	r := htmlReport()
	spaced := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	page := spaced(parseXML(t, conformHTML(t, r)).words())
	for _, res := range r.Results {
		c := res.Case
		wanted := append([]string{c.Sent, c.Holds, c.Category, string(c.Severity), r.Meanings[c.Category], res.Problem}, res.Notes...)
		if res.Status != conform.Passed {
			wanted = append(wanted, c.Source, c.Costs, r.Command(c.ID))
			for _, x := range res.Exchanges {
				wanted = append(wanted, x.Sent, x.Came, report.Duration(x.Latency))
			}
		}
		if res.Status == conform.Failed {
			wanted = append(wanted, c.Fix)
		}
		for _, text := range wanted {
			if !strings.Contains(page, spaced(shown(text))) {
				t.Errorf("%s: %q is not on the page", c.ID, text)
			}
		}
	}
	for _, text := range []string{
		r.Target, "18446744073709551615", "full", "not seen, there was no probe", "2025-03-01 03:00:00 UTC", "12.35 s", "0.4.0", "the last 2 of 60",
		"Failures: 2 critical, 1 medium. The baseline knows 1 of them.", "known from the baseline", "Z99", "they passed", "2 deliveries", "1 delivery",
	} {
		if !strings.Contains(page, text) {
			t.Errorf("%q is not on the page", text)
		}
	}
}

// section returns the part of the page under the heading of the given name.
func section(page node, name string) node {
	parts := page.find(func(e node) bool { return e.XMLName.Local == "section" && e.attr("aria-labelledby") == name })
	if len(parts) != 1 {
		return node{}
	}
	return parts[0]
}

// Every case is on the page once, under the heading of its status; what has no
// known status is not run.
func TestConformHTMLHasEachCaseOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, r := drawReport(t)
		page := parseXML(t, conformHTML(t, r))
		ids := map[string]int{}
		for _, e := range page.find(func(e node) bool { return e.attr("id") != "" }) {
			ids[e.attr("id")]++
		}
		for id, n := range ids {
			if n != 1 {
				t.Errorf("%d elements are called %s", n, id)
			}
		}
		for _, link := range page.named("a") {
			if id, err := url.PathUnescape(strings.TrimPrefix(link.attr("href"), "#")); err != nil || ids[id] != 1 {
				t.Errorf("a link leads to %s, which there is not", id)
			}
		}
		for _, res := range r.Results {
			status := string(res.Status)
			if !slices.Contains(conform.Statuses(), res.Status) {
				status = "not-run"
			}
			part := section(page, status)
			if len(part.find(func(e node) bool { return e.attr("id") == res.Case.ID })) != 1 {
				t.Errorf("%s is not under %s", res.Case.ID, status)
			}
		}
	})
}

func TestConformHTMLAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, r := drawReport(t)
		page := parseXML(t, conformHTML(t, r))
		part := section(page, "categories")
		sum := make([]int, 5)
		for _, row := range part.named("tbody")[0].named("tr") {
			add(t, sum, row)
		}
		if sum[0]+sum[1]+sum[2]+sum[3] != sum[4] || sum[4] != len(r.Results) {
			t.Errorf("the categories have %v of %d cases", sum, len(r.Results))
		}
		all := make([]int, 5)
		add(t, all, part.named("tfoot")[0])
		if diff := cmp.Diff(sum, all); diff != "" {
			t.Errorf("the sums (-computed +shown):\n%s", diff)
		}
		counted := []int{r.Count("", conform.Passed), r.Count("", conform.Failed), r.Count("", conform.Unproven)}
		if diff := cmp.Diff(counted, all[:3]); diff != "" {
			t.Errorf("the counts (-report +shown):\n%s", diff)
		}
		said, verdict := []int{0, 0, 0, 0}, page.named("h1")[0].Text
		for i, word := range []string{"passed of", "failed", "unproven", "not run"} {
			if m := regexp.MustCompile(`(\d+) ` + word).FindStringSubmatch(verdict); m != nil {
				said[i], _ = strconv.Atoi(m[1])
			}
		}
		if diff := cmp.Diff(sum[:4], said); diff != "" {
			t.Errorf("%q (-computed +said):\n%s", verdict, diff)
		}
	})
}

func add(t *rapid.T, sum []int, row node) {
	cells := row.find(func(e node) bool { return e.XMLName.Local == "td" && e.attr("class") == "num" })
	if len(cells) != len(sum) {
		t.Fatalf("%d numbers in a row", len(cells))
	}
	for i, cell := range cells {
		n, err := strconv.Atoi(cell.Text)
		if err != nil {
			t.Fatal(err)
		}
		sum[i] += n
	}
}

func TestConformHTMLVerdict(t *testing.T) {
	for _, tt := range []struct {
		statuses    string
		want, worst string
	}{
		{"", "no case was run", "not-run"},
		{"p p", "2 passed of 2", "passed"},
		{"p n", "1 not run, 1 passed of 2", "not-run"},
		{"p u n", "1 unproven, 1 not run, 1 passed of 3", "unproven"},
		{"f f p u n", "2 failed, 1 unproven, 1 not run, 1 passed of 5", "failed"},
		{"n n", "2 not run, 0 passed of 2", "not-run"},
		{"?", "1 not run, 0 passed of 1", "not-run"},
	} {
		letters := map[string]conform.Status{"p": conform.Passed, "f": conform.Failed, "u": conform.Unproven, "n": conform.NotRun, "?": "Passed"}
		var r conform.Report
		for i, letter := range strings.Fields(tt.statuses) {
			r.Results = append(r.Results, conform.Result{Case: htmlCase(fmt.Sprint("D", i), "delivery", conform.Low), Status: letters[letter]})
		}
		for _, problem := range []string{"", "it answers 404"} {
			worst := map[bool]string{true: tt.worst, false: "failed"}[problem == ""]
			r.Problem = problem
			text := conformHTML(t, &r)
			page := parseXML(t, text)
			if got := page.named("h1")[0].Text; got != tt.want {
				t.Errorf("%q: %s, want %s", tt.statuses, got, tt.want)
			}
			if strings.Contains(text, "%!") || strings.Contains(text, "Repeat it") {
				t.Errorf("%q: it tells a command that nobody gave", tt.statuses)
			}
			if found := strings.Contains(text, `data-worst="`+worst+`"`); !found {
				t.Errorf("%q, problem %q: it does not look %s", tt.statuses, problem, worst)
			}
			if strings.Contains(page.named("header")[0].words(), "The endpoint could not be tested\n") != (problem != "") {
				t.Errorf("%q: the problem is %q", tt.statuses, problem)
			}
		}
	}
}

// What the golden page has no place for: the other sides of its choices.
func TestConformHTMLOtherwise(t *testing.T) {
	r := htmlReport()
	r.Problem, r.Probe, r.Started, r.Mended = "it answers 404", true, time.Time{}, []string{"D02"}
	r.Results = append(r.Results, conform.Result{Case: htmlCase("M 3%", "money", conform.Low), Status: conform.Failed})
	page := conformHTML(t, r)
	for _, want := range []string{
		"<title>Not tested – ", "<dd>seen through a probe</dd>", "Each heading says what kept its cases from being proven.",
		`<a href="#D02">D02</a> as failing, and it passed. Take it out of the baseline.`,
		`<ul class="jump"><li><a href="#I02">I02</a></li><li><a href="#I01">I01</a></li><li><a href="#D03">D03</a></li><li><a href="#M%203%25">M 3%</a></li></ul>`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not on the page", want)
		}
	}
	for _, other := range []string{"<dt>Started</dt>", "Without a probe nobody sees"} {
		if strings.Contains(page, other) {
			t.Errorf("%s is on the page", other)
		}
	}
}

func TestConformHTMLWorstFirst(t *testing.T) {
	r := htmlReport()
	for _, s := range []conform.Severity{conform.Low, "unheard of", conform.High} {
		r.Results = append(r.Results, conform.Result{Case: htmlCase("X-"+string(s), "money", s), Status: conform.Failed})
	}
	part := section(parseXML(t, conformHTML(t, r)), "failed")
	var got []string
	for _, e := range part.named("article") {
		got = append(got, e.attr("id"))
	}
	if diff := cmp.Diff([]string{"X-unheard of", "I02", "I01", "X-high", "D03", "X-low"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestConformHTMLTiming(t *testing.T) {
	part := section(parseXML(t, conformHTML(t, htmlReport())), "timing")
	var got []string
	for _, row := range part.named("tbody")[0].named("tr") {
		bar := row.named("i")[0]
		got = append(got, strings.Join([]string{row.named("a")[0].Text, bar.attr("data-status"), row.named("td")[3].Text, bar.attr("style")}, " "))
	}
	want := []string{
		"I02 failed 2.00 s width:100%", "D03 failed 1.00 s width:50%", "D02 passed 9.0 ms width:1%", "I04 unproven 6.0 ms width:1%",
		"I03 unproven 5.0 ms width:1%", "D01 passed 4.0 ms width:1%", "I01 failed 0 µs width:0%",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConformHTMLCutsLongTexts(t *testing.T) {
	for _, long := range []string{strings.Repeat("</dd><script>", 80<<10), strings.Repeat("\x00", 1<<20), strings.Repeat("\u202e", 1<<19), strings.Repeat("한", 1<<19)} {
		r := &conform.Report{Target: long, Version: long, Profile: conform.Profile(long), Problem: long, Mended: []string{long}, Reproduce: "%s"}
		for _, s := range conform.Statuses() {
			c := &conform.Case{ID: string(s) + long, Category: long, Severity: conform.Severity(long), Sent: long, Holds: long, Source: long, Costs: long, Fix: long}
			r.Results = append(r.Results, conform.Result{Case: c, Status: s, Problem: long, Notes: []string{long}, Exchanges: []conform.Exchange{{Sent: long, Came: long}}})
		}
		text := conformHTML(t, r)
		if len(text) > 5<<20 {
			t.Errorf("%.20q: %d bytes", long, len(text))
		}
		page := parseXML(t, text)
		alone(t, page)
		if said := page.words(); !strings.Contains(said, " more bytes)") || !strings.Contains(said, shown(long[:12])) {
			t.Errorf("%.20q is not said to be cut", long)
		}
	}
}

func TestConformHTMLWriteErrorsAreReturned(t *testing.T) {
	whole := len(conformHTML(t, htmlReport()))
	for _, room := range []int{0, whole / 2, whole - 1} {
		if err := report.ConformHTML(&shortWriter{room}, htmlReport()); !errors.Is(err, errDiskFull) {
			t.Errorf("with room for %d of %d bytes: error %v", room, whole, err)
		}
	}
	if err := report.ConformHTML(&shortWriter{whole}, htmlReport()); err != nil {
		t.Errorf("with room for all: error %v", err)
	}
}

// Headings go down one step at a time, and each landmark is there.
func TestConformHTMLOutline(t *testing.T) {
	page := parseXML(t, conformHTML(t, htmlReport()))
	last := 0
	for _, h := range page.find(func(e node) bool { return regexp.MustCompile("^h[1-6]$").MatchString(e.XMLName.Local) }) {
		level := int(h.XMLName.Local[1] - '0')
		if level > last+1 || level == 1 && last != 0 {
			t.Errorf("%s %q comes after a heading of level %d", h.XMLName.Local, h.Text, last)
		}
		last = level
	}
	for _, name := range []string{"header", "nav", "main", "footer", "h1", "title"} {
		if n := len(page.named(name)); n != 1 {
			t.Errorf("%d elements %s", n, name)
		}
	}
	for _, table := range page.find(func(e node) bool { return len(e.all("table")) > 0 }) {
		if table.attr("class") != "box" || table.attr("tabindex") != "0" || table.attr("role") != "region" {
			t.Errorf("a table in %v cannot be scrolled by keyboard", table.Attrs)
		}
	}
}

// Text has the contrast of 4.5 that WCAG 2.2 asks for in 1.4.3, and what is not
// text the 3 of 1.4.11, in light and in dark.
func TestConformHTMLContrast(t *testing.T) {
	css := parseXML(t, conformHTML(t, htmlReport())).named("style")[0].Text
	blocks := regexp.MustCompile(`:root \{[^}]*\}`).FindAllString(css, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d palettes", len(blocks))
	}
	for _, block := range blocks {
		color := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(block, -1) {
			color[m[1]] = luminance(t, m[2])
		}
		check := func(fore, back string, least float64) {
			a, b := color[fore], color[back]
			if got := (max(a, b) + 0.05) / (min(a, b) + 0.05); got < least || color[fore] == color[back] {
				t.Errorf("%s on %s has a contrast of %.2f in\n%s", fore, back, got, block)
			}
		}
		for _, fore := range []string{"ink", "faint", "link", "failed", "unproven", "not-run", "passed"} {
			check(fore, "paper", 4.5)
			check(fore, "panel", 4.5)
		}
		check("on-failed", "failed", 4.5)
		for _, fill := range []string{"fill-failed", "fill-unproven", "fill-not-run", "fill-passed"} {
			check(fill, "paper", 3)
		}
	}
}

// luminance is WCAG's relative luminance of a color.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(shift int) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

// TestConformNotes shows that every form of the report tells what was found out
// about the endpoint.
func TestConformNotes(t *testing.T) {
	t.Parallel()
	const note = "its amounts are read as whole numbers of 10^-6"
	r := &conform.Report{Notes: []string{note}, Results: []conform.Result{{Case: htmlCase("D01", "delivery", conform.Low), Status: conform.Passed}}}
	for _, f := range report.ConformFormats() {
		var b strings.Builder
		if err := report.WriteConform(&b, report.Format(f), r); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), note) {
			t.Errorf("%s: %s", f, b.String())
		}
	}
}

// TestConformDetails shows that a failure says what must hold, what it costs and
// what to change, each on a line of its own.
func TestConformDetails(t *testing.T) {
	t.Parallel()
	r := &conform.Report{Results: []conform.Result{{Case: &conform.Case{ID: "D01", Holds: "It holds.", Costs: "It costs.", Fix: "Fix it."}, Status: conform.Failed, Problem: "it broke"}}}
	for _, f := range []report.Format{report.FormatJUnit, report.FormatMarkdown} {
		var b strings.Builder
		if err := report.WriteConform(&b, f, r); err != nil {
			t.Fatal(err)
		}
		if want := "must  It holds.\ncosts It costs.\nfix   Fix it."; !strings.Contains(strings.ReplaceAll(b.String(), "&#xA;", "\n"), want) {
			t.Errorf("%s: %s", f, b.String())
		}
	}
}
