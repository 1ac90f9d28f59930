package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/load"
	"github.com/paytest/paytest/internal/report"
)

// distribution is what load makes of latencies, but for a digit.
func distribution(latencies ...time.Duration) load.Latency {
	h := hdrhistogram.New(int64(time.Microsecond), int64(24*time.Hour), 2)
	for _, d := range latencies {
		_ = h.RecordValue(int64(d))
	}
	at := func(percent float64) time.Duration { return time.Duration(h.ValueAtQuantile(percent)) }
	l := load.Latency{
		Count: uint64(len(latencies)), P50: at(50), P90: at(90), P99: at(99), P999: at(99.9),
		Max: time.Duration(h.Max()), Mean: time.Duration(h.Mean()),
	}
	if len(latencies) > 0 {
		f := reflect.ValueOf(&l).Elem().FieldByName("histogram")
		reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem().Set(reflect.ValueOf(h))
	}
	return l
}

// spread are n latencies from 2 ms on, of which few are long.
func spread(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = 2*time.Millisecond + time.Duration(float64(50*time.Millisecond)/float64(n-i))
	}
	return out
}

func loadState(subject, name string) *contract.State {
	return &contract.State{Subject: &contract.Subject{Name: subject}, Name: name}
}

func threshold(t testing.TB, s string) load.Threshold {
	t.Helper()
	out, err := load.ParseThreshold(s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// loadRun has a value for each thing that a report can show.
func loadRun() *load.Result {
	failed := []load.ErrorCount{
		{Kind: load.Status, Status: 500, Count: 9},
		{Kind: load.Timeout, Count: 3, Example: "no answer within 2s"},
		{Kind: load.Reset, Count: 2, Example: "read: connection reset by <peer> & co"},
		{Kind: load.Status, Count: 1},
	}
	r := &load.Result{
		Rate: load.Rate{PerSecond: 400}, Ramp: time.Second, Duration: 4 * time.Second, Connections: 32, Timeout: 2 * time.Second,
		Started: time.Date(2025, 3, 1, 12, 0, 0, 0, time.FixedZone("KST", 9*3600)), Elapsed: 4*time.Second + 31*time.Millisecond,
		Total: load.Stats{Count: 1390, Rate: 1390 / 4.031, Latency: distribution(spread(1387)...), Sent: 1_234_567, Received: 98_765, Errors: failed},
		States: []load.StateStats{
			{State: loadState("invoice", "wait"), Stats: load.Stats{Count: 900, Rate: 900 / 4.031, Latency: distribution(spread(900)...), Sent: 1_000_000, Received: 90_000}},
			{State: loadState("transaction", "complete"), Stats: load.Stats{Count: 488, Rate: 488 / 4.031, Latency: distribution(spread(487)...), Errors: failed}},
			{State: loadState("invoice", "fail"), Stats: load.Stats{Count: 2, Rate: 2 / 4.031, Errors: []load.ErrorCount{failed[2]}}},
		},
		Outcomes: []load.OutcomeCount{{Name: "paid", Opened: 300, Finished: 280}, {Name: "failed", Opened: 30, Finished: 29}},
		Due:      1400, Behind: 12, Unsent: 10, Queued: 45, Late: 3, Lateness: distribution(time.Millisecond, 7*time.Millisecond),
		Duplicates: 14, Disordered: 7, NextPayment: 330,
	}
	for i := range 4 {
		r.Series = append(r.Series, load.Point{
			At: time.Duration(i) * time.Second, Length: time.Second, Due: min(400, 200+uint64(i)*200), Count: 340, Errors: uint64(i),
			P50: time.Duration(2+i) * time.Millisecond, P99: time.Duration(20+30*i) * time.Millisecond,
		})
	}
	r.Series = append(r.Series, load.Point{At: 4 * time.Second, Length: 31 * time.Millisecond, Count: 30, Errors: 9, P50: 9 * time.Millisecond, P99: 80 * time.Millisecond})
	return r
}

func loadReport(t testing.TB) *report.LoadReport {
	p99, failures := threshold(t, "p99>5ms"), threshold(t, "errors>0.1%")
	return &report.LoadReport{
		Target: "http://127.0.0.1:8080/hook?a=1&b=<2>", Version: "0.5.0", Seed: math.MaxUint64, Mix: "paid 70 %, failed 30 %", Signed: true, Result: loadRun(),
		Thresholds: []load.Threshold{threshold(t, "max>2s"), p99, failures},
		Breaches:   []load.Breach{{Threshold: p99, Got: "5.57ms"}, {Threshold: failures, Got: "1.79% (25 of 1400)"}},
	}
}

// searchReport has steps that held, broke, fell short and measured nothing.
func searchReport(t testing.TB) *report.LoadReport {
	r := loadReport(t)
	p99 := r.Thresholds[1]
	step := func(rate float64, latencies ...time.Duration) load.Attempt {
		run := &load.Result{Rate: load.Rate{PerSecond: rate}, Duration: time.Second, Elapsed: time.Second, Due: uint64(rate)}
		run.Total = load.Stats{Count: uint64(len(latencies)), Rate: rate, Latency: distribution(latencies...)}
		return load.Attempt{Rate: rate, Result: run}
	}
	broke := step(225, spread(225)...)
	broke.Breaches = []load.Breach{{Threshold: p99, Got: "27ms"}}
	short := step(183.7117, spread(180)...)
	short.Short, short.Result.Behind = true, 80
	dead := step(4000)
	dead.Breaches = []load.Breach{{Threshold: p99, Got: "nothing was measured"}}
	r.Search = &load.Search{
		Attempts: []load.Attempt{step(100, 2*time.Millisecond), step(150, 3*time.Millisecond), dead, broke, short}, Knee: 150, Broke: 183.7117,
	}
	r.Result, r.Breaches, r.Thresholds = short.Result, nil, r.Thresholds[1:2]
	return r
}

func writeLoad(t interface {
	Helper()
	Fatal(args ...any)
}, f string, r *report.LoadReport,
) string {
	t.Helper()
	var b bytes.Buffer
	if err := report.WriteLoad(&b, report.Format(f), r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func loadTable(width int, r *load.Result) string {
	var b bytes.Buffer
	report.NewPrinter(&b, false, width).LoadTable(r)
	return b.String()
}

func TestLoadGolden(t *testing.T) {
	golden := map[string]string{"load.txt": loadTable(80, loadRun())}
	for _, f := range report.LoadFormats() {
		golden["load."+f] = writeLoad(t, f, loadReport(t))
		golden["load-search."+f] = writeLoad(t, f, searchReport(t))
	}
	style := regexp.MustCompile(`(?s)(<style>).*(</style>)`)
	for name, got := range golden {
		path, got := filepath.Join("testdata", name), style.ReplaceAllString(got, "$1$2")
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
}

func TestLoadFormats(t *testing.T) {
	if diff := cmp.Diff([]string{"json", "markdown", "html"}, report.LoadFormats()); diff != "" {
		t.Error(diff)
	}
	for _, f := range []report.Format{report.FormatJUnit, report.FormatNDJSON, "", "text"} {
		var b bytes.Buffer
		err := report.WriteLoad(&b, f, loadReport(t))
		var output *report.OutputError
		if !errors.As(err, &output) || b.Len() > 0 {
			t.Errorf("%s: %v, wrote %q", f, err, b.String())
		}
	}
}

// full takes n bytes.
type full struct{ n int }

var errFull = errors.New("no space left")

func (f *full) Write(b []byte) (int, error) {
	if f.n -= len(b); f.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestLoadTellsThatItCannotWrite(t *testing.T) {
	for _, f := range report.LoadFormats() {
		if err := report.WriteLoad(&full{100}, report.Format(f), loadReport(t)); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// drawCount favours the edges of what is shown differently.
func drawCount(t *rapid.T, label string) uint64 {
	edges := rapid.SampledFrom([]uint64{0, 1, 2, 999, 1000, 99_999, 999_499, 999_500, 1e9, math.MaxUint64})
	return rapid.OneOf(edges, rapid.Uint64(), rapid.Uint64Range(0, 2000)).Draw(t, label)
}

func drawLatency(t *rapid.T, label string) load.Latency {
	return distribution(drawDurations(t, label)...)
}

func drawDurations(t *rapid.T, label string) []time.Duration {
	one := rapid.Custom(func(t *rapid.T) time.Duration {
		magnitude := rapid.Float64Range(3, math.Log10(float64(24*time.Hour))).Draw(t, "magnitude")
		return time.Duration(math.Pow(10, magnitude))
	})
	return rapid.SliceOfN(one, 0, 40).Draw(t, label)
}

func drawStats(t *rapid.T, label string) load.Stats {
	s := load.Stats{
		Count: drawCount(t, label+" count"), Rate: rapid.Float64Range(0, 1e7).Draw(t, label+" rate"), Latency: drawLatency(t, label+" latencies"),
		Sent: drawCount(t, label+" sent"), Received: drawCount(t, label+" received"),
	}
	for i := range rapid.IntRange(0, 4).Draw(t, label+" errors") {
		s.Errors = append(s.Errors, load.ErrorCount{
			Kind: load.Kind(i), Count: rapid.Uint64Range(1, math.MaxUint64/8).Draw(t, label+" failed"), Example: hostileText().Draw(t, label+" example"),
		})
	}
	return s
}

func drawLoadResult(t *rapid.T) *load.Result {
	r := &load.Result{
		Rate: load.Rate{PerSecond: rapid.Float64Range(0, 1e7).Draw(t, "asked"), Max: rapid.Bool().Draw(t, "max")}, Duration: time.Minute, Elapsed: time.Minute,
		Interrupted: rapid.Bool().Draw(t, "interrupted"), Total: drawStats(t, "total"), Due: drawCount(t, "due"), Behind: drawCount(t, "behind"),
		Unsent: drawCount(t, "unsent"), Unfinished: rapid.Uint64Range(0, 1000).Draw(t, "unfinished"), Queued: drawCount(t, "queued"), Late: drawCount(t, "late") / 100,
		Lateness: drawLatency(t, "lateness"), Duplicates: drawCount(t, "duplicates"), Disordered: drawCount(t, "disordered"), NextPayment: drawCount(t, "next"),
	}
	names := []string{"invoice complete", "transaction complete", "a b", "결제 완료", strings.Repeat("long ", 20), "긴이름긴이름긴이름긴이름긴이름 긴"}
	for range rapid.IntRange(0, 4).Draw(t, "states") {
		subject, name, _ := strings.Cut(rapid.SampledFrom(names).Draw(t, "state"), " ")
		r.States = append(r.States, load.StateStats{State: loadState(subject, name), Stats: drawStats(t, "state")})
	}
	r.Series = drawSeries(t)
	return r
}

func drawSeries(t *rapid.T) []load.Point {
	var out []load.Point
	for i := range rapid.IntRange(0, 6).Draw(t, "seconds") {
		p := load.Point{At: time.Duration(i) * time.Second, Length: time.Second, Due: drawCount(t, "due"), Count: drawCount(t, "count"), Errors: drawCount(t, "errors")}
		if l := drawLatency(t, "second"); l.Count > 0 {
			p.P50, p.P99 = l.P50, l.P99
		}
		out = append(out, p)
	}
	if n := len(out); n > 0 {
		out[n-1].Length = time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "rest"))
	}
	return out
}

// wide is how many columns a line takes.
func wide(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if unicode.Is(unicode.Hangul, r) {
			n++
		}
	}
	return n
}

func TestLoadTableFitsATerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawLoadResult(t)
		lines := strings.Split(loadTable(0, r), "\n")
		ends := map[int]bool{}
		for _, line := range lines[:len(r.States)+2] {
			if ends[wide(line)] = true; wide(line) > 80 {
				t.Fatalf("%d columns: %s", wide(line), line)
			}
		}
		if len(ends) != 1 {
			t.Fatalf("the last column is ragged:\n%s", strings.Join(lines, "\n"))
		}
	})
}

// TestLoadTableWraps is about what is below the table.
func TestLoadTableWraps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawLoadResult(t)
		for i := range r.Total.Errors {
			r.Total.Errors[i].Example = strings.Repeat("many words ", rapid.IntRange(0, 60).Draw(t, "words"))
		}
		for _, line := range strings.Split(loadTable(80, r), "\n") {
			if wide(line) > 80 {
				t.Fatalf("%d columns: %s", wide(line), line)
			}
		}
	})
}

func TestLoadTableNamesColumns(t *testing.T) {
	rows := strings.Split(loadTable(0, loadRun()), "\n")
	want := strings.Fields("count rate/s p50 p90 p99 p99.9 max errors")
	if diff := cmp.Diff(want, strings.Fields(rows[0])); diff != "" {
		t.Error(diff)
	}
	l := loadRun().Total.Latency
	all := []string{"1,390", "345"}
	for _, d := range []time.Duration{l.P50, l.P90, l.P99, l.P999, l.Max} {
		all = append(all, strings.Fields(report.Duration(d))...)
	}
	if diff := cmp.Diff(append(append([]string{"all"}, all...), "15"), strings.Fields(rows[4])); diff != "" {
		t.Error(diff)
	}
}

func TestLoadArrivals(t *testing.T) {
	late := distribution(6 * time.Millisecond)
	for want, r := range map[string]*load.Result{
		"arrivals: 0 due, 0 started in time, 0 queued, 0 unsent\n":                                                            {},
		"arrivals: 5,000 due, 4,990 started in time, 7 queued, 3 unsent\n":                                                    {Due: 5000, Behind: 10, Queued: 7, Unsent: 3},
		"arrivals: 5 due, 0 started in time, 0 queued, 9 unsent\n":                                                            {Due: 5, Behind: 9, Unsent: 9},
		"arrivals: 12 sent, each as the one before on its connection was answered\n":                                          {Rate: load.Rate{Max: true}, Due: 12},
		"arrivals: 0 due, 0 started in time, 0 queued, 0 unsent; 1 duplicate, 0 out of order\n":                               {Duplicates: 1},
		"arrivals: 0 due, 0 started in time, 0 queued, 0 unsent; 0 duplicates, 2 out of order\n":                              {Disordered: 2},
		"arrivals: 9 due, 5 started, 0 queued, 0 unsent; interrupted after 2.00 s with 2 under way\n":                         {Due: 9, Behind: 4, Total: load.Stats{Count: 3}, Unfinished: 2, Interrupted: true, Elapsed: 2 * time.Second},
		"arrivals: 200 due, 200 started in time, 0 queued, 0 unsent; the generator was late for 2 (p99 6.0 ms, max 6.0 ms)\n": {Due: 200, Late: 2, Lateness: late},
	} {
		lines := strings.SplitAfterN(loadTable(0, r), "\n", 3)
		if diff := cmp.Diff(want, lines[2]); diff != "" {
			t.Error(diff)
		}
	}
	r := &load.Result{Due: 200, Late: 3, Lateness: late}
	if got := loadTable(0, r); !strings.Contains(got, "\nThe load generator itself was late for 3 of 200 arrivals: ") {
		t.Errorf("a run bound by its generator:\n%s", got)
	}
}

// cells are those of each row of a Markdown table, the first that has the heading.
func cells(text, heading string) [][]string {
	_, table, _ := strings.Cut(text, "| "+heading+" |")
	var out [][]string
	for i, line := range strings.Split(table, "\n") {
		if i > 1 && !strings.HasPrefix(line, "|") {
			break
		}
		if i > 1 {
			row := strings.Split(strings.TrimSuffix(strings.TrimPrefix(line, "|"), "|"), "|")
			for i := range row {
				row[i] = strings.TrimSpace(row[i])
			}
			out = append(out, row)
		}
	}
	return out
}

// rowsOf are the texts of the cells of each row of the table with a label.
func rowsOf(page node, label string) [][]string {
	var out [][]string
	for _, box := range page.find(func(n node) bool { return n.attr("aria-label") == label }) {
		for _, tr := range box.named("tr")[1:] {
			var row []string
			for _, c := range tr.Children {
				row = append(row, strings.TrimSpace(c.words()))
			}
			out = append(out, row)
		}
	}
	return out
}

func number(t *rapid.T, s string) uint64 {
	digits, _, _ := strings.Cut(s, " ")
	if !regexp.MustCompile(`^\d{1,3}(,\d{3})*$`).MatchString(digits) {
		t.Fatalf("%q is no number", s)
	}
	n, err := strconv.ParseUint(strings.ReplaceAll(digits, ",", ""), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// agrees fails unless a row shows the figures.
func agrees(t *rapid.T, row []string, s load.Stats) {
	if len(row) != 10 || number(t, row[1]) != s.Count || number(t, row[9]) != s.Failed() {
		t.Fatalf("%v, want %d requests and %d failures", row, s.Count, s.Failed())
	}
	for i, d := range []time.Duration{s.Latency.P50, s.Latency.P90, s.Latency.P99, s.Latency.P999, s.Latency.Max, s.Latency.Mean} {
		want := report.Duration(d)
		if s.Latency.Count == 0 {
			want = "-"
		}
		if row[3+i] != want {
			t.Fatalf("column %d of %v, want %s", 3+i, row, want)
		}
	}
	rate, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSuffix(row[2], "/s"), ",", ""), 64)
	if err != nil || math.Abs(rate-s.Rate) > max(0.5, 0.005*s.Rate) {
		t.Fatalf("rate %v: %v, want %v", row[2], err, s.Rate)
	}
}

func TestLoadFiguresAgreeWithTheResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := &report.LoadReport{Result: drawLoadResult(t)}
		stats := make([]load.Stats, 0, len(r.Result.States)+1)
		for _, s := range r.Result.States {
			stats = append(stats, s.Stats)
		}
		stats = append(stats, r.Result.Total)
		markdown := cells(writeLoad(t, "markdown", r), "State")
		html := rowsOf(parseXML(t, writeLoad(t, "html", r)), "By state")
		if len(markdown) != len(stats) || len(html) != len(stats) {
			t.Fatalf("%d and %d rows, want %d", len(markdown), len(html), len(stats))
		}
		for i, s := range stats {
			agrees(t, markdown[i], s)
			agrees(t, html[i], s)
		}
	})
}

type statsJSON struct {
	State         string
	Count, Failed uint64
	RatePerSecond float64
	SentBytes     uint64
	ReceivedBytes uint64
	Latency       latencyJSON
	Errors        []struct {
		Kind, Example string
		Status        int
		Count         uint64
	}
}

type latencyJSON struct {
	Count                                      uint64
	P50Ms, P90Ms, P99Ms, P999Ms, MaxMs, MeanMs float64
	Curve                                      []struct{ Share, LatencyMs float64 }
}

func (l latencyJSON) check(t *rapid.T, want load.Latency) {
	got := []float64{l.P50Ms, l.P90Ms, l.P99Ms, l.P999Ms, l.MaxMs, l.MeanMs}
	for i, d := range []time.Duration{want.P50, want.P90, want.P99, want.P999, want.Max, want.Mean} {
		if got[i] != report.Milliseconds(d) {
			t.Fatalf("latency %d is %v ms, want %v", i, got[i], d)
		}
	}
	curve := want.Curve()
	if l.Count != want.Count || len(l.Curve) != len(curve) {
		t.Fatalf("%d of %d latencies, want %d of %d", len(l.Curve), l.Count, len(curve), want.Count)
	}
	for i, q := range curve {
		if l.Curve[i].Share != q.Share || l.Curve[i].LatencyMs != report.Milliseconds(q.Latency) {
			t.Fatalf("the curve has %v, want %v", l.Curve[i], q)
		}
	}
}

func (s statsJSON) check(t *rapid.T, want load.Stats) {
	if s.Count != want.Count || s.Failed != want.Failed() || s.RatePerSecond != want.Rate || s.SentBytes != want.Sent || s.ReceivedBytes != want.Received {
		t.Fatalf("%+v, want %+v", s, want)
	}
	s.Latency.check(t, want.Latency)
	for i, e := range want.Errors {
		got := s.Errors[i]
		if got.Kind != e.Kind.String() || got.Status != e.Status || got.Count != e.Count || utf8.ValidString(e.Example) && got.Example != e.Example {
			t.Fatalf("%+v, want %+v", got, e)
		}
	}
}

func TestLoadJSONHoldsTheResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawLoadResult(t)
		var got struct {
			Result struct {
				Due, Behind, Unsent, Unfinished, Queued, Late, Duplicates, Disordered, NextPayment uint64
				InTime                                                                             float64
				Interrupted, GeneratorBound                                                        bool
				Lateness                                                                           latencyJSON
				Total                                                                              statsJSON
				States                                                                             []statsJSON
				Series                                                                             []struct {
					Due, Count, Errors           uint64
					AtMs, LengthMs, P50Ms, P99Ms float64
				}
			}
		}
		text := writeLoad(t, "json", &report.LoadReport{Result: r})
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatal(err)
		}
		g := got.Result
		counts := []uint64{g.Due, g.Behind, g.Unsent, g.Unfinished, g.Queued, g.Late, g.Duplicates, g.Disordered, g.NextPayment}
		if want := []uint64{r.Due, r.Behind, r.Unsent, r.Unfinished, r.Queued, r.Late, r.Duplicates, r.Disordered, r.NextPayment}; !slices.Equal(counts, want) {
			t.Fatalf("%v, want %v", counts, want)
		}
		if g.InTime != r.InTime() || g.Interrupted != r.Interrupted || g.GeneratorBound != r.GeneratorBound() || len(g.States) != len(r.States) || len(g.Series) != len(r.Series) {
			t.Fatalf("%+v", g)
		}
		g.Lateness.check(t, r.Lateness)
		g.Total.check(t, r.Total)
		for i, s := range r.States {
			if g.States[i].check(t, s.Stats); g.States[i].State != s.State.String() {
				t.Fatalf("state %q, want %q", g.States[i].State, s.State)
			}
		}
		for i, p := range r.Series {
			s := g.Series[i]
			times := []float64{report.Milliseconds(p.At), report.Milliseconds(p.Length), report.Milliseconds(p.P50), report.Milliseconds(p.P99)}
			if s.Due != p.Due || s.Count != p.Count || s.Errors != p.Errors || !slices.Equal([]float64{s.AtMs, s.LengthMs, s.P50Ms, s.P99Ms}, times) {
				t.Fatalf("%+v, want %+v", s, p)
			}
		}
	})
}

// drawLoadReport returns a report of texts, and one of the same shape in which
// each text is plain.
func drawLoadReport(t *rapid.T) (hostile, plain *report.LoadReport) {
	var texts [2]report.LoadReport
	text := func(label string, set func(r *report.LoadReport, s string)) {
		s := hostileText().Draw(t, label)
		set(&texts[0], s)
		if strings.Trim(s, " ") != "" {
			s = "x" + strings.Repeat(" x", strings.Count(s, " "))
		}
		set(&texts[1], s)
	}
	for i := range texts {
		r := searchReport(&testing.T{})
		if i == 0 && rapid.Bool().Draw(t, "search") || i == 1 && texts[0].Search == nil {
			r.Search = nil
		}
		r.Result, r.Breaches, r.Thresholds = loadRun(), make([]load.Breach, 1), make([]load.Threshold, 1)
		texts[i] = *r
	}
	text("target", func(r *report.LoadReport, s string) { r.Target = s })
	text("version", func(r *report.LoadReport, s string) { r.Version = s })
	text("mix", func(r *report.LoadReport, s string) { r.Mix = s })
	text("outcome", func(r *report.LoadReport, s string) { r.Result.Outcomes[0].Name = s })
	text("threshold", func(r *report.LoadReport, s string) { r.Breaches[0].Threshold.Text, r.Thresholds[0].Text = s, s })
	text("got", func(r *report.LoadReport, s string) { r.Breaches[0].Got = "x" + s })
	text("subject", func(r *report.LoadReport, s string) { r.Result.States[0].State.Subject.Name = "x" + s })
	text("state", func(r *report.LoadReport, s string) { r.Result.States[0].State.Name = s })
	text("example", func(r *report.LoadReport, s string) { r.Result.Total.Errors[1].Example = "x" + s })
	return &texts[0], &texts[1]
}

func TestLoadMarkdownKeepsTextInCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile, plain := drawLoadReport(t)
		got, _ := outsideCode(writeLoad(t, "markdown", hostile))
		want, _ := outsideCode(writeLoad(t, "markdown", plain))
		if got != want {
			t.Fatal(cmp.Diff(want, got))
		}
		rows := cells(writeLoad(t, "markdown", hostile), "State")
		if len(rows) != 4 || len(rows[0]) != 10 {
			t.Fatalf("the table is %q", rows)
		}
	})
}

func TestLoadIsBounded(t *testing.T) {
	r := loadReport(t)
	long := strings.Repeat("<b>`|\u202e ", 1<<20/9)
	r.Target, r.Mix, r.Result.Outcomes[0].Name, r.Result.Total.Errors[0].Example = long, long, long, long
	r.Breaches[0].Got = long
	for _, f := range []string{"markdown", "html"} {
		if n := len(writeLoad(t, f, r)); n > 200_000 {
			t.Errorf("%s has %d bytes", f, n)
		}
	}
	if n := len(loadTable(80, r.Result)); n > 10_000 {
		t.Errorf("the table has %d bytes", n)
	}
	for _, f := range report.LoadFormats() {
		if text := writeLoad(t, f, r); strings.ContainsRune(text, '\u202e') {
			t.Errorf("%s reorders text", f)
		}
	}
}

func TestLoadWritesNumbersOnly(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, math.MaxFloat64} {
		empty := load.Stats{Rate: x}
		for name, run := range map[string]*load.Result{
			"none":     nil,
			"zero":     {},
			"no state": {Rate: load.Rate{PerSecond: x}, Total: empty, Series: []load.Point{{}}},
			"point":    {Rate: load.Rate{PerSecond: x}, Total: empty, Series: []load.Point{{Length: time.Second, Count: 1, P50: time.Microsecond, P99: time.Microsecond}}},
			"errors":   {Rate: load.Rate{Max: true}, Total: load.Stats{Count: 1, Rate: x, Errors: []load.ErrorCount{{Count: 1}}}, Series: []load.Point{{Length: 1, Errors: math.MaxUint64}}},
			"negative": {Elapsed: -1, Duration: -1, Series: []load.Point{{At: -1, Length: -1, Count: 1, P50: -1, P99: -1}}},
			"hollow":   {Total: load.Stats{Count: 5, Latency: load.Latency{Count: 5}}},
		} {
			for _, search := range []*load.Search{nil, {}, {Knee: x, Broke: x, Attempts: []load.Attempt{{Rate: x}, {Rate: x, Result: run, Short: true}}}} {
				r := &report.LoadReport{Result: run, Search: search}
				texts := []string{loadTable(80, &load.Result{Total: empty})}
				for _, f := range report.LoadFormats() {
					texts = append(texts, writeLoad(t, f, r))
				}
				for _, text := range texts {
					if found := regexp.MustCompile(`(?i)\bnan\b|\b[+-]?inf\b|%!`).FindString(text); found != "" {
						t.Errorf("%s with %v: %s in\n%s", name, x, found, text)
					}
				}
			}
		}
	}
}

func TestLoadVerdict(t *testing.T) {
	ok := &load.Result{Due: 10, Total: load.Stats{Count: 10}}
	some := &load.Result{Due: 10, Total: load.Stats{Count: 10, Errors: []load.ErrorCount{{Kind: load.Reset, Count: 1}}}}
	cut := &load.Result{Due: 10, Total: load.Stats{Count: 3}, Interrupted: true, Elapsed: 1500 * time.Millisecond}
	limits := []load.Threshold{threshold(t, "p99>5ms"), threshold(t, "errors>2")}
	broke := []load.Breach{{Threshold: limits[1], Got: "3"}}
	one := []load.Attempt{{Rate: 10, Result: ok}}
	for _, x := range []struct {
		r           report.LoadReport
		worst, want string
	}{
		{report.LoadReport{}, "not-run", "Nothing was measured"},
		{report.LoadReport{Thresholds: limits}, "not-run", "Nothing was measured"},
		{report.LoadReport{Result: &load.Result{}, Thresholds: limits}, "not-run", "Nothing was measured"},
		{report.LoadReport{Result: ok}, "not-run", "No threshold was set, no request failed"},
		{report.LoadReport{Result: some}, "not-run", "No threshold was set, 1 request failed"},
		{report.LoadReport{Result: some, Thresholds: limits[:1]}, "passed", "Nothing broke: 1 threshold held"},
		{report.LoadReport{Result: ok, Thresholds: limits}, "passed", "Nothing broke: 2 thresholds held"},
		{report.LoadReport{Result: ok, Thresholds: limits, Breaches: broke}, "failed", "1 of 2 thresholds broke"},
		{report.LoadReport{Result: ok, Breaches: broke}, "failed", "1 of 1 threshold broke"},
		{report.LoadReport{Result: cut, Thresholds: limits}, "unproven", "Interrupted after 1.50 s: nothing broke until then, no request failed"},
		{report.LoadReport{Result: cut, Thresholds: limits, Breaches: broke}, "failed", "1 of 2 thresholds broke before the run was interrupted"},
		{report.LoadReport{Search: &load.Search{Interrupted: true}}, "not-run", "Nothing was measured"},
		{report.LoadReport{Search: &load.Search{Attempts: one, Knee: 10}}, "passed", "Held every rate up to 10/s"},
		{report.LoadReport{Search: &load.Search{Attempts: one, Knee: 10, Broke: 15}}, "passed", "Holds 10/s, breaks at 15/s"},
		{report.LoadReport{Search: &load.Search{Attempts: one, Broke: 0.5}}, "failed", "Held no rate, not even 0.5/s"},
		{report.LoadReport{Search: &load.Search{Attempts: one, Knee: 1234.56, Broke: 1300, Interrupted: true}}, "unproven", "Holds 1,235/s, breaks at 1,300/s, as far as the search came"},
		{report.LoadReport{Search: &load.Search{Attempts: one, Knee: 10, Broke: 15, GeneratorBound: true}}, "unproven", "Holds 10/s, breaks at 15/s"},
	} {
		page := parseXML(t, writeLoad(t, "html", &x.r))
		verdict := page.find(func(n node) bool { return n.attr("class") == "verdict" })[0]
		if got := verdict.named("h1")[0].Text; got != x.want || verdict.attr("data-worst") != x.worst {
			t.Errorf("%s %q, want %s %q", verdict.attr("data-worst"), got, x.worst, x.want)
		}
		if head, _, _ := strings.Cut(writeLoad(t, "markdown", &x.r), "\n"); head != "## paytest load: "+x.want {
			t.Errorf("%q, want %q", head, x.want)
		}
	}
}

func TestLoadWarns(t *testing.T) {
	late := &load.Result{Due: 100, Late: 2, Total: load.Stats{Count: 100}}
	one := []load.Attempt{{Rate: 15, Result: late, Short: true}}
	for want, r := range map[string]*report.LoadReport{
		"": {Result: loadRun(), Search: &load.Search{}},
		"The load generator itself was late for 2 of 100 arrivals: the figures say as much about it as about the endpoint.": {Result: late},
		"Never sent: 1 arrival, because no connection came free in time. Thresholds count that among the errors.":           {Result: &load.Result{Unsent: 1}},
		"At 15/s it was the load generator itself that fell behind: the endpoint may bear more.":                            {Result: late, Search: &load.Search{Attempts: one, Broke: 15, GeneratorBound: true}},
	} {
		got := ""
		for _, n := range loadPage(t, r).find(func(n node) bool { return strings.HasPrefix(n.attr("class"), "alert") }) {
			got += n.Text
		}
		if got != want {
			t.Errorf("warns %q, want %q", got, want)
		}
		if markdown := writeLoad(t, "markdown", r); strings.Contains(markdown, "\n> ") != (want != "") || !strings.Contains(markdown, want) {
			t.Errorf("want %q in %s", want, markdown)
		}
	}
}

// TestLoadThresholdsNeverHeldWithoutARun is about the worst that a report can do.
func TestLoadThresholdsNeverHeldWithoutARun(t *testing.T) {
	limits := []load.Threshold{threshold(t, "p99>5ms"), threshold(t, "p99>5ms"), threshold(t, "errors>2")}
	for _, x := range []struct {
		r    report.LoadReport
		want []string
	}{
		{report.LoadReport{Thresholds: limits}, []string{"not judged", "not judged", "not judged"}},
		{report.LoadReport{Thresholds: limits, Result: &load.Result{}}, []string{"ok", "ok", "ok"}},
		{report.LoadReport{Thresholds: limits, Result: &load.Result{}, Breaches: []load.Breach{{Threshold: limits[2]}}}, []string{"ok", "ok", "broken"}},
		{report.LoadReport{Thresholds: limits[1:], Result: &load.Result{}, Breaches: []load.Breach{{Threshold: limits[0]}, {Threshold: threshold(t, "max>1s")}}}, []string{"broken", "ok", "broken"}},
	} {
		var got []string
		for _, row := range rowsOf(parseXML(t, writeLoad(t, "html", &x.r)), "Thresholds") {
			got = append(got, row[1])
		}
		if diff := cmp.Diff(x.want, got); diff != "" {
			t.Error(diff)
		}
		text := writeLoad(t, "json", &x.r)
		ended := map[string]string{"not judged": "not-judged", "ok": "held", "broken": "broken"}
		for word := range ended {
			want := 0
			for _, w := range x.want {
				if w == word {
					want++
				}
			}
			if n := strings.Count(text, fmt.Sprintf(`"ended": %q`, ended[word])); n != want {
				t.Errorf("%d %s in %s", n, word, text)
			}
		}
	}
}
