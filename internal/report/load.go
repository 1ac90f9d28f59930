package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/load"
)

// LoadReport is a load test, or a search for the rate that an endpoint bears.
type LoadReport struct {
	Target, Version string
	Seed            uint64
	// Mix is what was sent, as load.Mix writes it; Signed says whether it was.
	Mix    string
	Signed bool
	// Result is that of the only run, or of the last one; nil where none ended.
	Result *load.Result
	// Breaches are those of Thresholds that the Result broke.
	Breaches   []load.Breach
	Thresholds []load.Threshold
	// Search is nil for a single run.
	Search *load.Search
}

// LoadFormats returns the names of the formats of a load report.
func LoadFormats() []string {
	return []string{string(FormatJSON), string(FormatMarkdown), string(FormatHTML)}
}

// WriteLoad writes a load report in one of LoadFormats.
func WriteLoad(w io.Writer, f Format, r *LoadReport) error {
	switch f {
	case FormatJSON:
		return loadJSON(w, r)
	case FormatMarkdown:
		return loadMarkdown(w, r)
	case FormatHTML:
		return loadHTML(w, r)
	case FormatJUnit, FormatNDJSON:
	}
	return &OutputError{string(f), "unknown format; formats are " + strings.Join(LoadFormats(), ", ")}
}

func (r *LoadReport) run() *load.Result { return ran(r.Result) }

// ran returns the result, or that of a run without any.
func ran(r *load.Result) *load.Result {
	if r == nil {
		return &load.Result{Interrupted: true}
	}
	return r
}

// limit is a threshold and how it ended: held, broken or not-judged.
type limit struct{ text, ended, got string }

const (
	limitHeld      = "held"
	limitBroken    = "broken"
	limitNotJudged = "not-judged"
)

// limits are the thresholds in their order, each with its breach. Without a run
// none of them held.
func (r *LoadReport) limits() []limit {
	rest := slices.Clone(r.Breaches)
	var out []limit
	for _, t := range r.Thresholds {
		l := limit{text: t.Text, ended: limitHeld}
		if r.Result == nil {
			l.ended = limitNotJudged
		}
		if i := slices.IndexFunc(rest, func(b load.Breach) bool { return b.Threshold.Text == t.Text }); i >= 0 {
			l.ended, l.got = limitBroken, rest[i].Got
			rest = slices.Delete(rest, i, i+1)
		}
		out = append(out, l)
	}
	return append(out, broken(rest)...)
}

func broken(breaches []load.Breach) []limit {
	var out []limit
	for _, b := range breaches {
		out = append(out, limit{b.Threshold.Text, limitBroken, b.Got})
	}
	return out
}

// loadVerdict is what came of it, in the program's own words. Worst is a status
// of a page: passed, failed, unproven or not-run.
type loadVerdict struct{ worst, words string }

func (r *LoadReport) verdict() loadVerdict {
	if r.Search != nil {
		return searchVerdict(r.Search)
	}
	run, all := r.run(), len(r.limits())
	switch n := len(r.Breaches); {
	case n > 0:
		words := fmt.Sprintf("%d of %s broke", n, count(all, "threshold"))
		if run.Interrupted {
			words += " before the run was interrupted"
		}
		return loadVerdict{"failed", words}
	case run.Total.Count == 0:
		return loadVerdict{"not-run", "Nothing was measured"}
	case run.Interrupted:
		return loadVerdict{"unproven", "Interrupted after " + Duration(max(run.Elapsed, 0)) + ": nothing broke until then, " + failures(run)}
	case all == 0:
		return loadVerdict{"not-run", "No threshold was set, " + failures(run)}
	}
	return loadVerdict{"passed", "Nothing broke: " + count(all, "threshold") + " held"}
}

func failures(r *load.Result) string {
	if r.Total.Failed() == 0 {
		return "no request failed"
	}
	return many(r.Total.Failed(), "request") + " failed"
}

// many counts what may be many.
func many(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return grouped(n) + " " + noun + "s"
}

func searchVerdict(s *load.Search) loadVerdict {
	v := loadVerdict{worst: "passed"}
	switch {
	case len(s.Attempts) == 0:
		return loadVerdict{"not-run", "Nothing was measured"}
	case s.Knee == 0:
		v = loadVerdict{"failed", "Held no rate, not even " + perSecond(s.Broke)}
	case s.Broke == 0:
		v.words = "Held every rate up to " + perSecond(s.Knee)
	default:
		v.words = "Holds " + perSecond(s.Knee) + ", breaks at " + perSecond(s.Broke)
	}
	if s.Interrupted {
		v.words += ", as far as the search came"
	}
	if v.worst == "passed" && (s.Interrupted || s.GeneratorBound) {
		v.worst = "unproven"
	}
	return v
}

// warnings are what makes the figures say less than they seem to.
func (r *LoadReport) warnings() []string {
	var out []string
	run := r.run()
	switch {
	case r.Search != nil && r.Search.GeneratorBound:
		out = append(out, "At "+perSecond(r.Search.Broke)+" it was the load generator itself that fell behind: the endpoint may bear more.")
	case r.Search == nil && run.GeneratorBound():
		out = append(out, behind(run))
	}
	if r.Search == nil && run.Unsent > 0 {
		out = append(out, "Never sent: "+many(run.Unsent, "arrival")+", because no connection came free in time. Thresholds count that among the errors.")
	}
	return out
}

func behind(r *load.Result) string {
	return fmt.Sprintf("The load generator itself was late for %s of %s arrivals: the figures say as much about it as about the endpoint.", grouped(r.Late), grouped(r.Due))
}

// errorName is what failed in one way are called.
func errorName(e load.ErrorCount) string {
	switch {
	case e.Kind != load.Status:
		return e.Kind.String()
	case e.Status == 0:
		return "other statuses"
	}
	return "status " + strconv.Itoa(e.Status)
}

// grouped writes a number with a comma after each three digits.
func grouped(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// compact writes a number with three digits that matter, and after a gap its
// unit, as in 12.3M.
func compact(x float64, gap string) string {
	x = finite(x)
	unit := ""
	for _, u := range "kMGTPE" {
		if math.Abs(x) < 999.5 {
			break
		}
		x, unit = x/1000, string(u)
	}
	return strconv.FormatFloat(x, 'g', 3, 64) + gap + unit
}

// compactRate writes a rate with three digits that matter, and all that it has
// before the point.
func compactRate(x float64, number func(uint64) string) string {
	if x = finite(x); x >= 99.95 {
		return number(uint64(math.Round(min(x, 1<<60))))
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

func perSecond(x float64) string { return compactRate(x, grouped) + "/s" }

// asked is the rate that was asked for.
func asked(r load.Rate) string {
	if r.Max {
		return r.String()
	}
	return perSecond(r.PerSecond)
}

// percent writes a share of a whole.
func percent(part, whole uint64) string {
	if whole == 0 {
		return "-"
	}
	share := 100 * float64(part) / float64(whole)
	if share > 0 && share < 0.001 {
		return "below 0.001 %"
	}
	return strconv.FormatFloat(share, 'g', 3, 64) + " %"
}

// finite keeps what is no number out of reports: JSON has no word for it.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// startedOf is how many of the arrivals that were due had started when time was up,
// or when the run was interrupted.
func startedOf(r *load.Result) uint64 { return r.Due - min(r.Behind, r.Due) }

// inTime is the share of the arrivals that started in time; it is 100 % only
// where all did.
func inTime(r *load.Result) string {
	if r.Due == 0 {
		return "-"
	}
	share := float64(startedOf(r)) / float64(r.Due)
	return strconv.FormatFloat(math.Floor(1000*share+rounding)/10, 'f', -1, 64) + " %"
}

// breached is what a step broke; arrivals that were left waiting are so, too.
func breached(a load.Attempt) []limit {
	out := broken(a.Breaches)
	if a.Short {
		out = append(out, limit{"arrivals left waiting", limitBroken, inTime(ran(a.Result)) + " started in time"})
	}
	return out
}

func attemptWord(s *load.Search, a load.Attempt) string {
	switch {
	case !a.Held():
		return "broke"
	case a.Rate == s.Knee:
		return "held, the knee"
	}
	return "held"
}

// byRate are the steps of a search, the lowest rate first.
func byRate(s *load.Search) []load.Attempt {
	out := slices.Clone(s.Attempts)
	sort.SliceStable(out, func(i, j int) bool { return out[i].Rate < out[j].Rate })
	return out
}
