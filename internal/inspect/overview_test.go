package inspect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/journal"
)

func TestOverview(t *testing.T) {
	s := newScene(t)
	for n := range uint64(3) {
		s.paid(n)
		if n == 0 {
			read[overviewJSON](s, "api/overview") // the rest is added to what was read
		}
	}
	s.receive("invoice", "complete", "complete", 1)
	s.receive("invoice", "complete", "complete", 2, `"Pending"`, `"Cancel"`)
	s.receive("invoice", "wait", "complete", 3, `"title":`, `"extra":1,"title":`)
	got := read[overviewJSON](s, "api/overview")
	if got.Total != 15 || got.Forgotten != 0 || got.Missed != 0 {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff(map[string]int{"ok": 12, "duplicate": 1, "note": 0, "warning": 1, "violation": 1}, got.Verdicts); diff != "" {
		t.Error(diff)
	}
	for i, want := range []string{"invoice 3/7", "transaction 2/3"} {
		c := got.Coverage[i]
		if is := fmt.Sprintf("%s %d/%d", c.Subject, c.Seen, c.Of); is != want {
			t.Errorf("covered are %s, want %s", is, want)
		}
		wellFormed(t, c.SVG)
	}
	states := map[string]int{}
	for _, x := range got.PerState {
		states[x.Subject+" "+x.State] = x.Count
	}
	if states["invoice Complete"] != 5 || states["invoice Pending"] != 3 || states["invoice Wait"] != 1 || states["transaction Complete"] != 3 || states["invoice Cancel"] != 0 || len(states) != len(s.c.States()) {
		t.Errorf("states %v", states)
	}
	if len(got.Latency) != 3 || got.Latency[2] != (latencyJSON{2, 15}) {
		t.Errorf("latency %v", got.Latency)
	}
	if n := len(got.OverTime); n != 15 || got.OverTime[13].Violation != 1 || got.OverTime[14].Warning != 1 || got.OverTime[0].OK != 1 {
		t.Errorf("over time %v", got.OverTime)
	}
}

// TestStatistics: each payment counts once, by what sound deliveries tell.
func TestStatistics(t *testing.T) {
	s := newScene(t)
	for n := range uint64(3) {
		s.paid(n)
	}
	s.paid(1) // all duplicates
	cash := fmt.Sprintf("%q", "1.25")
	replace := func(n uint64) (old string) {
		_, old, _ = strings.Cut(string(s.body("invoice", "complete", "complete", n)), `"cashAmount":`)
		old, _, _ = strings.Cut(old, ",")
		return old
	}
	s.receive("invoice", "complete", "complete", 5, replace(5), cash, `"Pending"`, `"Cancel"`) // not sound
	got := read[overviewJSON](s, "api/overview")
	if diff := cmp.Diff([]countJSON{{"TRX", 3}}, got.Groups[0].Counts); diff != "" || got.Groups[0].Fact != "assetNetwork" || got.Groups[0].Meaning == "" {
		t.Error(diff)
	}
	sum := 0
	for n := range uint64(3) {
		var amount int
		if _, err := fmt.Sscanf(replace(n), `"%d.`, &amount); err != nil {
			t.Fatal(err)
		}
		sum += amount
	}
	a := got.Averages[0]
	if a.Fact != "cashAmount" || a.By != "1" || a.GroupedBy != "cashAssetId" || a.Count != 3 || a.Sum != fmt.Sprint(sum) || !strings.HasPrefix(a.Average, fmt.Sprint(sum/3)) {
		t.Errorf("%+v, the sum is %d", a, sum)
	}
	if got.Averages[1].Fact != "receivedAmount" || got.Averages[1].By != "USDT" || got.Averages[1].Count != 3 || got.Statistics == "" {
		t.Errorf("%+v", got.Averages)
	}
}

func TestStatisticsAreBounded(t *testing.T) {
	s := newScene(t)
	c := *s.c
	c.Statistics = &contract.Statistics{Groups: []*contract.Fact{c.Fact("title")}, Averages: []contract.Average{{Fact: c.Fact("cashAmount"), By: c.Fact("title")}, {Fact: c.Fact("cashAmount")}}}
	s.c, s.o.Contract = &c, &c
	s.digest = newDigest(s.Inspector)
	for n := range uint64(maxValues + 50) {
		_, title, _ := strings.Cut(string(s.body("invoice", "pending", "complete", n)), `"title":"`)
		title, _, _ = strings.Cut(title, `"`)
		s.receive("invoice", "pending", "complete", n, `"title":"`+title, fmt.Sprintf(`"title":"%s %d`, title, n))
	}
	got := read[overviewJSON](s, "api/overview")
	if len(got.Groups[0].Counts) != maxValues || got.Groups[0].Others != 50 {
		t.Errorf("%d values and %d others", len(got.Groups[0].Counts), got.Groups[0].Others)
	}
	if len(got.Averages) != maxValues+1 || got.Averages[maxValues].Count != maxValues+50 || got.Averages[maxValues].By != "" {
		t.Errorf("%d averages, the last %+v", len(got.Averages), got.Averages[len(got.Averages)-1])
	}
}

// TestOverviewOfTheForgotten: what was forgotten before anybody looked is said,
// and what was looked at counts on.
func TestOverviewOfTheForgotten(t *testing.T) {
	s := newScene(t, func(o *Options) { o.MaxRecords = 5 })
	s.many(3)
	read[overviewJSON](s, "api/overview")
	s.many(10)
	got := read[overviewJSON](s, "api/overview")
	if got.Total != 13 || got.Forgotten != 8 || got.Missed != 5 || got.Verdicts["ok"] != 8 {
		t.Errorf("%+v", got)
	}
}

func TestOverviewOfNothing(t *testing.T) {
	s := newScene(t)
	w := s.ask("GET", "api/overview")
	if strings.Contains(w.Body.String(), "null") {
		t.Errorf("%s", w.Body)
	}
	s.c.Statistics = nil
	if got := New(s.o).digest.overview(); got.Statistics != "" || len(got.Groups) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestLatencies(t *testing.T) {
	var l latencies
	for _, ms := range []float64{0, 0.5, 0.51, 1, 3, -1} {
		l.add(ms)
	}
	if diff := cmp.Diff([]latencyJSON{{0.5, 2}, {1, 2}, {2, 0}, {4, 1}}, l.list()); diff != "" {
		t.Error(diff)
	}
	l.add(1e300)
	l.add(1e299)
	list := l.list()
	if last := list[len(list)-1]; last.Count != 2 || last.UpToMS != 1e300 {
		t.Errorf("the longest: %+v", last)
	}
}

// TestTimeline: whatever the times, every verdict is in one of few moments, and in
// the right one.
func TestTimeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOfN(rapid.Int64Range(time.Time{}.Unix(), 1<<37), 1, 300).Draw(t, "times")
		before := (time.Time{}).Unix()
		line := timeline{width: 1, at: map[int64]*moment{}}
		for i, at := range times {
			line.add(time.Unix(at, 0), []string{sound, warning, violation, note, duplicate}[i%5])
		}
		list := line.list()
		if len(list) == 0 || len(list) > maxMoments || len(line.at) > maxMoments {
			t.Fatalf("%d moments", len(list))
		}
		counted := make([]int, len(list))
		for _, at := range times {
			n := floor(at, line.width) - line.from
			if at < list[0].Time.Unix() || n < 0 || n >= int64(len(list)) {
				t.Fatalf("%d is before or behind all", at)
			}
			counted[n]++
		}
		for n, m := range list {
			if m.Time.Unix() < before || n > 0 && m.Time.Unix() != (line.from+int64(n))*line.width {
				t.Fatalf("moment %d is at %s", n, m.Time)
			}
			if m.OK+m.Warning+m.Violation != counted[n] {
				t.Fatalf("moment %d has %+v of %d", n, m, counted[n])
			}
		}
	})
}

func TestTimesOfAllAges(t *testing.T) {
	s := newScene(t)
	for _, at := range []time.Time{{}, time.Unix(0, 0), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(-9000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		s.Add(journal.Record{Time: at, OK: true})
	}
	if got := s.digest.overview(); len(got.OverTime) == 0 || len(got.OverTime) > maxMoments {
		t.Errorf("%d moments", len(got.OverTime))
	}
}
