package report

import (
	"io"
	"time"

	"github.com/paytest/paytest/internal/load"
)

// loadJSON writes a load report as one object.
func loadJSON(w io.Writer, r *LoadReport) error { return writeJSON(w, newLoadReportJSON(r)) }

// loadReportJSON is a load report as programs read it. Durations, here and below,
// are in milliseconds with microsecond precision.
type loadReportJSON struct {
	Name    string `json:"name"`
	Target  string `json:"target"`
	Version string `json:"version"`
	Seed    uint64 `json:"seed"`
	Mix     string `json:"mix"`
	Signed  bool   `json:"signed"`
	// Broken counts the thresholds that broke.
	Broken     int             `json:"broken"`
	Thresholds []thresholdJSON `json:"thresholds"`
	// Search is null for a single run, and Result where none ended.
	Search *searchJSON     `json:"search"`
	Result *loadResultJSON `json:"result"`
}

type thresholdJSON struct {
	Threshold string `json:"threshold"`
	// Ended is held, broken, or not-judged where there is no result.
	Ended string `json:"ended"`
	// Got is what was measured where the threshold broke.
	Got string `json:"got,omitempty"`
}

type searchJSON struct {
	// Knee is 0 where no rate held, and Broke where none broke.
	Knee           float64       `json:"kneePerSecond"`
	Broke          float64       `json:"brokePerSecond"`
	GeneratorBound bool          `json:"generatorBound"`
	Interrupted    bool          `json:"interrupted"`
	Attempts       []attemptJSON `json:"attempts"`
}

type attemptJSON struct {
	Rate float64 `json:"ratePerSecond"`
	Held bool    `json:"held"`
	// Short says that arrivals were left waiting.
	Short    bool            `json:"short"`
	Breaches []thresholdJSON `json:"breaches"`
	Result   *loadResultJSON `json:"result"`
}

type loadResultJSON struct {
	// Rate is what was asked for; PerSecond is 0 at the highest rate.
	Rate        loadRateJSON `json:"rate"`
	RampMS      float64      `json:"rampMs"`
	DurationMS  float64      `json:"durationMs"`
	Connections int          `json:"connections"`
	TimeoutMS   float64      `json:"timeoutMs"`
	// Started is in UTC.
	Started     time.Time `json:"started,omitzero"`
	ElapsedMS   float64   `json:"elapsedMs"`
	Interrupted bool      `json:"interrupted"`

	Due            uint64      `json:"due"`
	Behind         uint64      `json:"behind"`
	InTime         float64     `json:"inTime"`
	Unsent         uint64      `json:"unsent"`
	Unfinished     uint64      `json:"unfinished"`
	Queued         uint64      `json:"queued"`
	Late           uint64      `json:"late"`
	GeneratorBound bool        `json:"generatorBound"`
	Lateness       latencyJSON `json:"lateness"`
	Duplicates     uint64      `json:"duplicates"`
	Disordered     uint64      `json:"disordered"`
	NextPayment    uint64      `json:"nextPayment"`

	Total    loadStatsJSON   `json:"total"`
	States   []loadStateJSON `json:"states"`
	Outcomes []outcomeJSON   `json:"outcomes"`
	Series   []pointJSON     `json:"series"`
}

type loadRateJSON struct {
	Max       bool    `json:"max"`
	PerSecond float64 `json:"perSecond"`
}

type loadStatsJSON struct {
	Count    uint64          `json:"count"`
	Failed   uint64          `json:"failed"`
	Rate     float64         `json:"ratePerSecond"`
	Latency  latencyJSON     `json:"latency"`
	Errors   []loadErrorJSON `json:"errors"`
	Sent     uint64          `json:"sentBytes"`
	Received uint64          `json:"receivedBytes"`
}

type loadStateJSON struct {
	State string `json:"state"`
	loadStatsJSON
}

type latencyJSON struct {
	Count  uint64  `json:"count"`
	P50MS  float64 `json:"p50Ms"`
	P90MS  float64 `json:"p90Ms"`
	P99MS  float64 `json:"p99Ms"`
	P999MS float64 `json:"p999Ms"`
	MaxMS  float64 `json:"maxMs"`
	MeanMS float64 `json:"meanMs"`
	// Curve is the distribution: what a share of the requests, 0 to 1, stays within.
	Curve []quantileJSON `json:"curve"`
}

type quantileJSON struct {
	Share     float64 `json:"share"`
	LatencyMS float64 `json:"latencyMs"`
}

type loadErrorJSON struct {
	Kind string `json:"kind"`
	// Status is 0 where the kind is not status, or statuses are not told apart.
	Status  int    `json:"status"`
	Count   uint64 `json:"count"`
	Example string `json:"example"`
}

type outcomeJSON struct {
	Name     string `json:"name"`
	Opened   uint64 `json:"opened"`
	Finished uint64 `json:"finished"`
}

type pointJSON struct {
	AtMS     float64 `json:"atMs"`
	LengthMS float64 `json:"lengthMs"`
	Due      uint64  `json:"due"`
	Count    uint64  `json:"count"`
	Errors   uint64  `json:"errors"`
	P50MS    float64 `json:"p50Ms"`
	P99MS    float64 `json:"p99Ms"`
}

func newLoadReportJSON(r *LoadReport) loadReportJSON {
	out := loadReportJSON{
		Name: "paytest load", Target: r.Target, Version: r.Version, Seed: r.Seed, Mix: r.Mix, Signed: r.Signed,
		Broken: len(r.Breaches), Thresholds: newThresholdsJSON(r.limits()), Search: newSearchJSON(r.Search),
	}
	if r.Result != nil {
		out.Result = newLoadResultJSON(r.Result)
	}
	return out
}

func newThresholdsJSON(limits []limit) []thresholdJSON {
	out := []thresholdJSON{}
	for _, l := range limits {
		out = append(out, thresholdJSON{l.text, l.ended, l.got})
	}
	return out
}

func newSearchJSON(s *load.Search) *searchJSON {
	if s == nil {
		return nil
	}
	out := &searchJSON{
		Knee: finite(s.Knee), Broke: finite(s.Broke), GeneratorBound: s.GeneratorBound, Interrupted: s.Interrupted,
		Attempts: []attemptJSON{},
	}
	for _, a := range s.Attempts {
		out.Attempts = append(out.Attempts, attemptJSON{
			Rate: finite(a.Rate), Held: a.Held(), Short: a.Short,
			Breaches: newThresholdsJSON(broken(a.Breaches)), Result: newLoadResultJSON(ran(a.Result)),
		})
	}
	return out
}

func newLoadResultJSON(r *load.Result) *loadResultJSON {
	out := &loadResultJSON{
		Rate: loadRateJSON{r.Rate.Max, finite(r.Rate.PerSecond)}, RampMS: Milliseconds(r.Ramp), DurationMS: Milliseconds(r.Duration),
		Connections: r.Connections, TimeoutMS: Milliseconds(r.Timeout), ElapsedMS: Milliseconds(r.Elapsed), Interrupted: r.Interrupted,
		Due: r.Due, Behind: r.Behind, InTime: finite(r.InTime()), Unsent: r.Unsent, Unfinished: r.Unfinished, Queued: r.Queued,
		Late: r.Late, GeneratorBound: r.GeneratorBound(), Lateness: newLatencyJSON(r.Lateness),
		Duplicates: r.Duplicates, Disordered: r.Disordered, NextPayment: r.NextPayment,
		Total: newLoadStatsJSON(r.Total), States: []loadStateJSON{}, Outcomes: []outcomeJSON{}, Series: []pointJSON{},
	}
	if !r.Started.IsZero() {
		out.Started = r.Started.UTC()
	}
	for _, s := range r.States {
		out.States = append(out.States, loadStateJSON{s.State.String(), newLoadStatsJSON(s.Stats)})
	}
	for _, o := range r.Outcomes {
		out.Outcomes = append(out.Outcomes, outcomeJSON(o))
	}
	for _, p := range r.Series {
		out.Series = append(out.Series, pointJSON{
			Milliseconds(p.At), Milliseconds(p.Length), p.Due, p.Count, p.Errors, Milliseconds(p.P50), Milliseconds(p.P99),
		})
	}
	return out
}

func newLoadStatsJSON(s load.Stats) loadStatsJSON {
	out := loadStatsJSON{
		Count: s.Count, Failed: s.Failed(), Rate: finite(s.Rate), Latency: newLatencyJSON(s.Latency),
		Errors: []loadErrorJSON{}, Sent: s.Sent, Received: s.Received,
	}
	for _, e := range s.Errors {
		out.Errors = append(out.Errors, loadErrorJSON{e.Kind.String(), e.Status, e.Count, e.Example})
	}
	return out
}

func newLatencyJSON(l load.Latency) latencyJSON {
	out := latencyJSON{
		Count: l.Count, P50MS: Milliseconds(l.P50), P90MS: Milliseconds(l.P90), P99MS: Milliseconds(l.P99),
		P999MS: Milliseconds(l.P999), MaxMS: Milliseconds(l.Max), MeanMS: Milliseconds(l.Mean), Curve: []quantileJSON{},
	}
	for _, q := range l.Curve() {
		out.Curve = append(out.Curve, quantileJSON{finite(q.Share), Milliseconds(q.Latency)})
	}
	return out
}
