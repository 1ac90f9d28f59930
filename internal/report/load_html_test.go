package report_test

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/load"
	"github.com/paytest/paytest/internal/report"
)

func loadPage(t interface {
	Helper()
	Fatal(args ...any)
	Fatalf(string, ...any)
}, r *report.LoadReport,
) node {
	t.Helper()
	return parseXML(t, writeLoad(t, "html", r))
}

func loadAttributes() map[string]string {
	return map[string]string{
		"html": "lang", "meta": "charset http-equiv name content", "a": "class href", "div": "class data-worst role aria-label tabindex",
		"span": "class", "main": "id", "section": "aria-labelledby", "h2": "id", "th": "scope class", "td": "class data-status", "p": "class", "dl": "class",
		"figure": "class", "svg": "viewBox role aria-labelledby", "desc": "id", "title": "id", "path": "class d", "polyline": "class points",
		"circle": "class cx cy r", "text": "class x y dy", "head": "", "style": "", "body": "", "header": "", "footer": "", "h1": "", "b": "", "code": "",
		"dt": "", "dd": "", "table": "", "thead": "", "tbody": "", "tfoot": "", "tr": "", "figcaption": "",
	}
}

func TestLoadHTMLStandsAlone(t *testing.T) {
	for _, r := range []*report.LoadReport{loadReport(t), searchReport(t), {}} {
		page := loadPage(t, r)
		for _, e := range page.find(func(node) bool { return true }) {
			allowed, known := loadAttributes()[e.XMLName.Local]
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
			}
		}
		if css := page.named("style")[0].Text; regexp.MustCompile(`(?i)url|import|//|\\`).MatchString(css) {
			t.Error("the style fetches something")
		}
		policy := page.find(func(e node) bool { return e.attr("http-equiv") == "Content-Security-Policy" })
		if len(policy) != 1 || !strings.HasPrefix(policy[0].attr("content"), "default-src 'none'; style-src 'unsafe-inline';") {
			t.Errorf("the policies are %v", policy)
		}
	}
}

func TestLoadHTMLNamesWhatItRefersTo(t *testing.T) {
	for _, r := range []*report.LoadReport{loadReport(t), searchReport(t), {}} {
		page := loadPage(t, r)
		ids := map[string]int{}
		for _, e := range page.find(func(n node) bool { return n.attr("id") != "" }) {
			ids[e.attr("id")]++
		}
		for _, e := range page.find(func(node) bool { return true }) {
			for _, id := range append(strings.Fields(e.attr("aria-labelledby")), strings.TrimPrefix(e.attr("href"), "#")) {
				if id != "" && ids[id] != 1 {
					t.Errorf("%d elements are named %s", ids[id], id)
				}
			}
		}
		for _, svg := range page.named("svg") {
			if svg.attr("role") != "img" || svg.named("title")[0].Text == "" || svg.named("desc")[0].Text == "" {
				t.Errorf("a plot has no title or description: %v", svg.Attrs)
			}
		}
	}
}

func TestLoadHTMLKeepsTextAsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile, plain := drawLoadReport(t)
		var got, want strings.Builder
		page := loadPage(t, hostile)
		page.skeleton(&got, 0)
		loadPage(t, plain).skeleton(&want, 0)
		if got.String() != want.String() {
			t.Fatal(cmp.Diff(want.String(), got.String()))
		}
		row := rowsOf(page, "Errors by kind")[1]
		if want := strings.TrimSpace(shown(report.Escape(hostile.Result.Total.Errors[1].Example))); row[len(row)-1] != want {
			t.Fatalf("the example is %q, want %q", row[len(row)-1], want)
		}
	})
}

type spot struct{ x, y float64 }

// svgOf is the plot with an id; ok says whether there is one.
func svgOf(page node, id string) (svg node, ok bool) {
	found := page.find(func(n node) bool {
		return n.XMLName.Local == "svg" && strings.HasPrefix(n.attr("aria-labelledby"), id+"-title ")
	})
	if len(found) == 0 {
		return node{}, false
	}
	return found[0], true
}

func float(t interface{ Fatal(args ...any) }, s string) float64 {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// drawn are the points of the lines of a class.
func drawn(t interface{ Fatal(args ...any) }, svg node, class string) []spot {
	var out []spot
	for _, l := range svg.find(func(n node) bool { return n.XMLName.Local == "polyline" && n.attr("class") == "line "+class }) {
		for at := range strings.FieldsSeq(l.attr("points")) {
			x, y, _ := strings.Cut(at, ",")
			out = append(out, spot{float(t, x), float(t, y)})
		}
	}
	return out
}

// inside fails unless everything is drawn within the plot.
func inside(t *rapid.T, svg node) {
	for _, e := range svg.find(func(node) bool { return true }) {
		for _, name := range []string{"points", "x", "y", "cx", "cy"} {
			for _, s := range regexp.MustCompile(`[ ,]`).Split(e.attr(name), -1) {
				if s != "" && (float(t, s) < 0 || float(t, s) > 640) {
					t.Fatalf("%s of %s is %s", name, e.XMLName.Local, s)
				}
			}
		}
	}
}

// rises fails unless what is more is drawn higher, and further right what is later.
func rises(t *rapid.T, at []spot, values []float64) {
	for i := range at {
		for j := range at {
			if values[i] > values[j] && at[i].y > at[j].y || i > j && at[i].x < at[j].x {
				t.Fatalf("%v at %v, and %v at %v", values[i], at[i], values[j], at[j])
			}
		}
	}
}

func TestLoadPlotsShowTheSeries(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		run := drawLoadResult(t)
		page := loadPage(t, &report.LoadReport{Result: run})
		for _, svg := range page.named("svg") {
			inside(t, svg)
		}
		var p50, p99, count []float64
		for _, p := range run.Series {
			if p.P99 > 0 {
				p50, p99 = append(p50, float64(p.P50)), append(p99, float64(p.P99))
			}
			count = append(count, float64(p.Count))
		}
		latency, ok := svgOf(page, "plot-latency")
		if at := drawn(t, latency, "first"); ok != (len(p50) > 0) || len(at) != len(p50) {
			t.Fatalf("p50 has %d points, want %d", len(at), len(p50))
		} else {
			rises(t, at, p50)
		}
		if at := drawn(t, latency, "second"); len(at) != len(p99) {
			t.Fatalf("p99 has %d points, want %d", len(at), len(p99))
		} else {
			rises(t, at, p99)
		}
		rate, ok := svgOf(page, "plot-rate")
		at := drawn(t, rate, "first")
		if ok != (len(count) > 0) || len(at) != len(count) {
			t.Fatalf("the rate has %d points, want %d", len(at), len(count))
		}
		if n := len(at); n > 1 {
			rises(t, at[:n-1], count[:n-1])
		}
		if want := map[bool]int{true: 0, false: len(count)}[run.Rate.Max]; len(drawn(t, rate, "second")) != want {
			t.Fatalf("what was asked has %d points, want %d", len(drawn(t, rate, "second")), want)
		}
		curve, _ := svgOf(page, "plot-distribution")
		if got, want := len(drawn(t, curve, "first")), len(run.Total.Latency.Curve()); got != want {
			t.Fatalf("the distribution has %d points, want %d", got, want)
		}
	})
}

// TestLoadPlotsHaveTicks reads the axes back: each label stands where its number
// belongs.
func TestLoadPlotsHaveTicks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		latencies := drawDurations(t, "latencies")
		run := &load.Result{Total: load.Stats{Latency: distribution(latencies...)}}
		top := rapid.Uint64Range(1, 1e12).Draw(t, "top")
		seconds := rapid.IntRange(1, 90_000).Draw(t, "seconds")
		run.Series = []load.Point{{Length: time.Second, Count: top}, {At: time.Duration(seconds) * time.Second, Length: time.Second, Count: top / 3}}
		page := loadPage(t, &report.LoadReport{Result: run})
		for _, svg := range page.named("svg") {
			for _, class := range []string{"x", "y"} {
				ticks(t, svg, class)
			}
		}
	})
}

func ticks(t *rapid.T, svg node, class string) {
	var labels []string
	var at []float64
	for _, e := range svg.find(func(n node) bool { return n.XMLName.Local == "text" && n.attr("class") == class }) {
		if e.Text != "" {
			labels, at = append(labels, e.Text), append(at, float(t, e.attr(class)))
		}
	}
	title := svg.named("title")[0].Text
	if len(labels) > 9 || len(labels) < 2 && (class != "x" || !strings.Contains(title, "percentile")) {
		t.Fatalf("%s has %d ticks: %q", title, len(labels), labels)
	}
	for i := 1; i < len(labels); i++ {
		if tickValue(t, labels[i]) <= tickValue(t, labels[i-1]) {
			t.Fatalf("%s: %q after %q", title, labels[i], labels[i-1])
		}
		if math.Abs(at[i]-at[i-1]) < 18 {
			t.Fatalf("%s: %q stands on %q", title, labels[i], labels[i-1])
		}
	}
}

func tickValue(t *rapid.T, label string) float64 {
	m := regexp.MustCompile(`^([\d.,]+) ?(µs|ms|s|k|M|G|T|)$`).FindStringSubmatch(label)
	if m == nil {
		t.Fatalf("a label %q", label)
	}
	units := map[string]float64{"": 1, "µs": 1e-6, "ms": 1e-3, "s": 1, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12}
	return float(t, strings.ReplaceAll(m[1], ",", "")) * units[m[2]]
}

// TestLoadPlotOfManyRequests is about labels as narrow screens show them.
func TestLoadPlotOfManyRequests(t *testing.T) {
	const letter = 12.5
	for _, n := range []int{1, 3, 1000, 40_000, 3_000_000} {
		run := &load.Result{Total: load.Stats{Latency: distribution(spread(n)...)}}
		svg, _ := svgOf(loadPage(t, &report.LoadReport{Result: run}), "plot-distribution")
		end := 0.0
		for _, e := range svg.find(func(n node) bool { return n.XMLName.Local == "text" && n.attr("class") == "x" && n.Text != "" }) {
			half := letter * float64(len(e.Text)) / 2
			if at := float(t, e.attr("x")); at-half < end {
				t.Errorf("of %d requests: %s stands on another label", n, e.Text)
			} else {
				end = at + half
			}
		}
	}
}

func TestLoadPlotLeavesGaps(t *testing.T) {
	r := loadReport(t)
	r.Result.Series[1].P50, r.Result.Series[1].P99 = 0, 0
	svg, _ := svgOf(loadPage(t, r), "plot-latency")
	lines := svg.find(func(n node) bool { return n.XMLName.Local == "polyline" && n.attr("class") == "line second" })
	dots := svg.find(func(n node) bool { return n.attr("class") == "dot second" })
	if len(lines) != 2 || len(dots) != 1 || len(drawn(t, svg, "second")) != 4 {
		t.Errorf("%d lines, %d dots, %d points", len(lines), len(dots), len(drawn(t, svg, "second")))
	}
}

// TestLoadPlotOfAShortRest is about the last answers of a run, which come in a few
// milliseconds: that is no peak.
func TestLoadPlotOfAShortRest(t *testing.T) {
	run := &load.Result{Series: []load.Point{
		{Length: time.Second, Due: 400, Count: 380},
		{At: time.Second, Length: time.Second, Due: 400, Count: 400},
		{At: 2 * time.Second, Length: 5 * time.Millisecond, Count: 20},
	}}
	svg, _ := svgOf(loadPage(t, &report.LoadReport{Result: run}), "plot-rate")
	at := drawn(t, svg, "first")
	if len(at) != 3 || math.Abs(at[2].y-at[1].y) > 10 {
		t.Errorf("drawn at %v", at)
	}
}

func TestLoadPlotOfOnePoint(t *testing.T) {
	run := &load.Result{Series: []load.Point{{Length: 300 * time.Millisecond, Due: 30, Count: 30, Errors: 3, P50: time.Millisecond, P99: 2 * time.Millisecond}}}
	page := loadPage(t, &report.LoadReport{Result: run})
	for id, want := range map[string]int{"plot-latency": 2, "plot-rate": 2, "plot-errors": 1} {
		svg, _ := svgOf(page, id)
		dots := svg.find(func(n node) bool { return strings.HasPrefix(n.attr("class"), "dot ") })
		if len(dots) != want {
			t.Errorf("%s has %d dots, want %d", id, len(dots), want)
		}
	}
}

func TestLoadPlotsOnlyWhatThereIs(t *testing.T) {
	failed := &load.Result{Total: load.Stats{Count: 5, Errors: []load.ErrorCount{{Kind: load.Connect, Count: 5}}}, Series: []load.Point{{Length: time.Second, Count: 5, Errors: 5}}}
	sound := &load.Result{Total: load.Stats{Count: 1, Latency: distribution(time.Millisecond)}, Series: []load.Point{{Length: time.Second, Count: 1, P50: 1000, P99: 1000}}}
	for name, x := range map[string]struct {
		run  *load.Result
		want []string
	}{
		"none":   {nil, nil},
		"empty":  {&load.Result{}, nil},
		"failed": {failed, []string{"plot-rate", "plot-errors"}},
		"sound":  {sound, []string{"plot-latency", "plot-rate", "plot-distribution"}},
	} {
		var got []string
		for _, svg := range loadPage(t, &report.LoadReport{Result: x.run}).named("svg") {
			id, _, _ := strings.Cut(svg.attr("aria-labelledby"), "-title ")
			got = append(got, id)
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestLoadPlotOfASearch is about which step is drawn how, and where the knee is.
func TestLoadPlotOfASearch(t *testing.T) {
	r := searchReport(t)
	page := loadPage(t, r)
	svg, _ := svgOf(page, "plot-steps")
	held := svg.find(func(n node) bool { return n.attr("class") == "mark held" })
	broke := svg.find(func(n node) bool { return n.attr("class") == "mark broke" })
	rule := svg.find(func(n node) bool { return n.attr("class") == "rule" })
	if len(held) != 2 || len(broke) != 2 || len(rule) != 1 {
		t.Fatalf("%d held, %d broke, %d knees", len(held), len(broke), len(rule))
	}
	if want := fmt.Sprintf("M%s ", held[1].attr("cx")); !strings.HasPrefix(rule[0].attr("d"), want) {
		t.Errorf("the knee is at %s, want %s", rule[0].attr("d"), want)
	}
	want := [][]string{{"100/s", "held", ""}, {"150/s", "held, the knee", ""}, {"4,000/s", "broke", "p99>5ms: nothing was measured"}, {"225/s", "broke", "p99>5ms: 27ms"}, {"184/s", "broke", "arrivals left waiting: 56.2 % started in time"}}
	var got [][]string
	for _, row := range rowsOf(page, "Steps of the search") {
		got = append(got, []string{row[0], row[7], row[8]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	r.Search.Attempts, r.Search.Knee = r.Search.Attempts[2:3], 0
	if _, ok := svgOf(loadPage(t, r), "plot-steps"); ok {
		t.Error("a search that measured nothing has a plot")
	}
}

// TestLoadColoursHaveContrast computes what WCAG 2.2 calls contrast (1.4.3).
func TestLoadColoursHaveContrast(t *testing.T) {
	css := loadPage(t, &report.LoadReport{}).named("style")[0].Text
	schemes := [2]map[string]string{{}, {}}
	for _, block := range regexp.MustCompile(`(?s)(  )?:root \{(.*?)\}`).FindAllStringSubmatch(css, -1) {
		for _, v := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(block[2], -1) {
			schemes[map[bool]int{true: 1, false: 0}[block[1] != ""]][v[1]] = v[2]
		}
	}
	for i, colours := range schemes {
		for _, name := range []string{"first", "second", "third", "faint", "ink"} {
			if c := contrast(t, colours[name], colours["paper"]); c < 4.5 {
				t.Errorf("scheme %d: --%s has a contrast of %.2f", i, name, c)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
