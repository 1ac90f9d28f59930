package inspect

import (
	"fmt"
	"net/http"
	"time"

	"github.com/paytest/paytest/internal/graph"
)

// maxMoments bounds how many moments a timeline tells apart.
const maxMoments = 120

type overviewJSON struct {
	Total     uint64 `json:"total"`
	Forgotten uint64 `json:"forgotten"`
	// Missed counts those that were forgotten before the overview was asked for: they
	// are not in its numbers.
	Missed     uint64         `json:"missed"`
	Verdicts   map[string]int `json:"verdicts"`
	Coverage   []coverageJSON `json:"coverage"`
	PerState   []perStateJSON `json:"perState"`
	Groups     []groupJSON    `json:"groups"`
	Averages   []averageJSON  `json:"averages"`
	Statistics string         `json:"statisticsSource"`
	Latency    []latencyJSON  `json:"latency"`
	OverTime   []momentJSON   `json:"overTime"`
}

type coverageJSON struct {
	Subject string `json:"subject"`
	Seen    int    `json:"seen"`
	Of      int    `json:"of"`
	SVG     string `json:"svg"`
}

type perStateJSON struct {
	Subject string `json:"subject"`
	State   string `json:"state"`
	Count   int    `json:"count"`
}

type latencyJSON struct {
	UpToMS float64 `json:"upToMs"`
	Count  int     `json:"count"`
}

type momentJSON struct {
	Time time.Time `json:"time"`
	moment
}

// overview tells of all records together.
func (h *handler) overview(w http.ResponseWriter, _ *http.Request) {
	h.digest.mu.Lock()
	out := h.digest.overview()
	h.digest.mu.Unlock()
	reply(w, http.StatusOK, out)
}

func (d *digest) overview() overviewJSON {
	seen := d.update()
	out := overviewJSON{
		Total: seen.Total, Forgotten: seen.Forgotten, Missed: d.missed, Verdicts: map[string]int{}, PerState: []perStateJSON{},
		Groups: d.numbers.groupsJSON(), Averages: d.numbers.averagesJSON(), Latency: d.latency.list(), OverTime: d.times.list(),
	}
	if s := d.i.c.Statistics; s != nil {
		out.Statistics = s.Source
	}
	for _, v := range []string{sound, duplicate, note, warning, violation} {
		out.Verdicts[v] = d.verdicts[v]
	}
	for n, sub := range d.i.c.Subjects {
		m := d.marks[sub]
		svg := graph.SVG(sub, m, graph.Options{ID: fmt.Sprintf("coverage-%d-", n)})
		out.Coverage = append(out.Coverage, coverageJSON{sub.Name, len(m.Taken), len(sub.Edges), string(svg)})
	}
	for _, st := range d.i.c.States() {
		out.PerState = append(out.PerState, perStateJSON{st.Subject.Name, st.Label(), d.perState[st]})
	}
	return out
}

// latencies counts answers by how long they took: up to half a millisecond,
// up to one, to two, and so on.
type latencies struct {
	counts [22]int
	worst  float64
}

const shortest = 0.5

func (l *latencies) add(ms float64) {
	if ms < 0 {
		return
	}
	at, bound := 0, shortest
	for ms > bound && at < len(l.counts)-1 {
		at, bound = at+1, bound*2
	}
	l.counts[at]++
	l.worst = max(l.worst, ms)
}

// list leaves out what nothing is beyond. The last bound is at least as long as
// the longest answer took.
func (l *latencies) list() []latencyJSON {
	out := []latencyJSON{}
	last, bound := 0, shortest
	for n, count := range l.counts {
		out = append(out, latencyJSON{bound, count})
		if count > 0 {
			last = n + 1
		}
		bound *= 2
	}
	if last == len(out) {
		out[last-1].UpToMS = max(out[last-1].UpToMS, l.worst)
	}
	return out[:last]
}

// moment counts the verdicts of a time.
type moment struct {
	OK        int `json:"ok"`
	Warning   int `json:"warning"`
	Violation int `json:"violation"`
}

// timeline counts verdicts over time, in moments that are as long as they must be
// for all of them to be few.
type timeline struct {
	// width is how long a moment is, in seconds; at are the moments by their start,
	// counted in widths; from and to are the first and the last.
	width    int64
	at       map[int64]*moment
	from, to int64
}

func (t *timeline) add(when time.Time, verdict string) {
	n := floor(when.Unix(), t.width)
	if len(t.at) == 0 {
		t.from, t.to = n, n
	}
	t.from, t.to = min(t.from, n), max(t.to, n)
	for t.to-t.from >= maxMoments {
		t.widen()
		n = floor(when.Unix(), t.width)
	}
	m := t.at[n]
	if m == nil {
		m = &moment{}
		t.at[n] = m
	}
	switch verdict {
	case violation:
		m.Violation++
	case warning:
		m.Warning++
	default:
		m.OK++
	}
}

// widen makes one moment of two.
func (t *timeline) widen() {
	merged := make(map[int64]*moment, len(t.at))
	for n, m := range t.at {
		half := floor(n, 2)
		if other := merged[half]; other != nil {
			m.OK, m.Warning, m.Violation = m.OK+other.OK, m.Warning+other.Warning, m.Violation+other.Violation
		}
		merged[half] = m
	}
	t.at, t.width, t.from, t.to = merged, t.width*2, floor(t.from, 2), floor(t.to, 2)
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (t *timeline) list() []momentJSON {
	out := []momentJSON{}
	if len(t.at) == 0 {
		return out
	}
	for n := t.from; n <= t.to; n++ {
		x := momentJSON{Time: time.Unix(max(n*t.width, time.Time{}.Unix()), 0).UTC()}
		if m := t.at[n]; m != nil {
			x.moment = *m
		}
		out = append(out, x)
	}
	return out
}
