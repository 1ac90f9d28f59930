package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/payloads"
)

// sixWeeks is how long a listener is at work.
const sixWeeks = 6 * 7 * 24 * time.Hour

// work is what a part of the time took.
type work struct {
	deliveries     int
	mallocs, bytes uint64
	held           uint64          // of memory, at the end
	took           []time.Duration // by each delivery, in order of size
}

func (w work) each() float64 { return float64(w.mallocs) / float64(w.deliveries) }

func (w work) room() float64 { return float64(w.bytes) / float64(w.deliveries) }

func (w work) median() time.Duration { return w.took[len(w.took)/2].Round(time.Microsecond) }

// gateway delivers the events of payments as they come due.
type gateway struct {
	t      *testing.T
	addr   string
	w      *generate.Writer
	c      *contract.Contract
	client *http.Transport
	pause  time.Duration // between two payments
	start  time.Time
	now    *atomic.Int64 // the moment, as Unix nanoseconds
	wrong  int
	took   []time.Duration
}

// deliver reports the state of a payment.
func (g *gateway) deliver(index uint64, st *contract.State, status int) {
	at := g.start.Add(time.Duration(index) * g.pause)
	raw, err := g.w.Append(nil, payment.Options{Seed: 7, Index: index, Start: at, Toward: g.c.Flow}, st)
	if err != nil {
		g.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, "http://"+g.addr+st.Path, bytes.NewReader(raw))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	began := time.Now()
	answer, err := g.client.RoundTrip(request)
	if err != nil {
		g.t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	g.took = append(g.took, time.Since(began))
	if answer.StatusCode != status {
		g.wrong++
	}
}

// turn is what happens while one payment begins: others go on, some deliveries
// come again, at once or a day later, and a few are illegal.
func (g *gateway) turn(i uint64) (deliveries int) {
	g.now.Add(int64(g.pause))
	for step, st := range g.c.Flow {
		if lag := uint64(step * 3); i >= lag {
			g.deliver(i-lag, st, http.StatusOK)
			deliveries++
		}
	}
	if i%20 == 19 {
		g.deliver(i, g.c.Flow[0], http.StatusOK)
		deliveries++
	}
	if day := uint64(24 * time.Hour / g.pause); i%100 == 99 && i > day {
		g.deliver(i-day, g.c.Roles.Paid, http.StatusOK)
		deliveries++
	}
	if i%500 == 499 {
		g.deliver(i-12, g.c.Roles.Failed, http.StatusConflict)
		deliveries++
	}
	return deliveries
}

// part lets some payments begin, and says what that took.
func (g *gateway) part(first, n uint64) (w work) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for i := first; i < first+n; i++ {
		w.deliveries += g.turn(i)
	}
	runtime.ReadMemStats(&after)
	w.mallocs, w.bytes = after.Mallocs-before.Mallocs, after.TotalAlloc-before.TotalAlloc
	runtime.GC()
	runtime.GC() // what pools had is gone after the second
	runtime.ReadMemStats(&after)
	w.held, w.took = after.HeapAlloc, slices.Sorted(slices.Values(g.took))
	g.took = g.took[:0]
	return w
}

// maxGrowth is how much more memory a listener may hold for each payment: what
// it remembers of two subjects and four deliveries, and of their attempts; it takes
// room in pieces.
const (
	maxGrowth = 1200
	piece     = 1 << 20
)

// sixWeeksOf lets six weeks pass for a listener, and says in what it is not as it was
// at first.
func sixWeeksOf(t *testing.T, payments uint64, args ...string) (first, last work, err error) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	env, now := outside(), &atomic.Int64{}
	now.Store(c.Epoch.UnixNano())
	env.Now = func() time.Time { return time.Unix(0, now.Load()) }
	l := inProcess(t, env, append([]string{"listen", "127.0.0.1:0"}, args...)...)
	g := &gateway{t: t, addr: l.addr, w: generate.NewWriter(c), c: c, client: &http.Transport{}, pause: sixWeeks / time.Duration(payments), start: c.Epoch, now: now}
	defer g.client.CloseIdleConnections()
	tenth := payments / 10
	for i := range uint64(10) {
		w := g.part(i*tenth, tenth)
		if i == 0 {
			first = w
		}
		last = w
		l.forget()
	}
	grown := float64(last.held) - float64(first.held)
	switch {
	case g.wrong > 0:
		err = fmt.Errorf("%d deliveries are answered wrongly", g.wrong)
	case grown > float64(payments-tenth)*maxGrowth+piece:
		err = fmt.Errorf("%.0f bytes more are held for each payment", grown/float64(payments-tenth))
	case last.each() > first.each()*1.1 || last.room() > first.room()*1.1:
		err = fmt.Errorf("%.1f allocations of %.0f bytes for each delivery at first, %.1f of %.0f in the end", first.each(), first.room(), last.each(), last.room())
	}
	return first, last, err
}

// TestTrustSixWeeks lets six weeks pass, on a clock of its own, for a listener that
// gets payments all the time: in the last tenth each is judged as in the first,
// with as much work, and memory grows by what is remembered alone.
func TestTrustSixWeeks(t *testing.T) {
	payments := trust.Scale(uint64(500), 20_000, 100_000)
	first, last, err := sixWeeksOf(t, payments)
	if err != nil {
		t.Error(err)
	}
	trust.Figure(t, "payments", payments)
	trust.Figure(t, "deliveries in the last tenth", last.deliveries)
	trust.Figure(t, "allocations each", fmt.Sprintf("%.1f, then %.1f", first.each(), last.each()))
	trust.Figure(t, "memory KB", fmt.Sprintf("%d, then %d", first.held>>10, last.held>>10))
	trust.Figure(t, "median latency", fmt.Sprintf("%s, then %s", first.median(), last.median()))
}

// TestTrustSixWeeksCatches holds that the test above fails for a listener that keeps
// each delivery, as it does for a report.
func TestTrustSixWeeksCatches(t *testing.T) {
	if _, _, err := sixWeeksOf(t, 1000, "--report", "json="+t.TempDir()+"/report.json"); err == nil {
		t.Error("not caught")
	} else {
		t.Log(err)
		trust.Caught(t, "keeps every delivery")
	}
}
