package conform

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// soakCase is the case that lasts as long as the user says.
const soakCase = "R08"

// maxExchanges is how many exchanges of a case are kept, maxProblems how many
// problems are told.
const (
	maxExchanges = 20
	maxProblems  = 3
)

// trial is one case being carried out. Its methods that judge, which are those
// that may end the case, belong to the goroutine that runs it; sending may be
// done from several.
type trial struct {
	s    *session
	spec *Case
	ctx  context.Context
	// rng is the case's own: the same whether it runs alone or after others.
	rng      *rand.Rand
	key      uint64
	orders   uint64
	probeErr error
	// racy is set when deliveries race, so that the extent of a fault is chance.
	racy bool

	// customers counts the payments of each customer.
	customers map[string]int

	mu        sync.Mutex
	exchanges []Exchange
	sent      int
	ids       []string // values that differ from run to run

	problems, doubts, notes []string
	skipped                 string
}

func (s *session) trial(ctx context.Context, spec *Case) *trial {
	h := fnv.New64a()
	_, _ = h.Write([]byte(spec.ID))
	key := h.Sum64()
	return &trial{customers: map[string]int{}, s: s, spec: spec, ctx: ctx, key: key, rng: rand.New(rand.NewPCG(s.Seed, key))}
}

// stopCase ends a case; the reason is empty when it has been told.
type stopCase struct{ reason string }

// guarded runs f until it ends or stops the case, and returns the reason.
func (t *trial) guarded(f func()) (reason string) {
	defer func() {
		if r := recover(); r != nil {
			stopped, ok := r.(stopCase)
			if !ok {
				panic(r)
			}
			reason = stopped.reason
		}
	}()
	f()
	return ""
}

// stop ends the case.
func (t *trial) stop() { panic(stopCase{}) }

// fail says what is wrong; the case goes on, unless its time is over: what fails
// then proves nothing.
func (t *trial) fail(format string, args ...any) {
	if t.ctx.Err() != nil {
		t.stop()
	}
	t.problems = append(t.problems, t.mask(fmt.Sprintf(format, args...)))
}

// must fails and ends the case unless ok.
func (t *trial) must(ok bool, format string, args ...any) {
	if !ok {
		t.fail(format, args...)
		t.stop()
	}
}

// cannotTell says why the case proves nothing; the case goes on, since what it
// can see may still be wrong.
func (t *trial) cannotTell(format string, args ...any) {
	doubt := t.mask(fmt.Sprintf(format, args...))
	for _, d := range t.doubts {
		if d == doubt {
			return
		}
	}
	t.doubts = append(t.doubts, doubt)
}

// skip ends a case that cannot be run.
//
//go:noinline
func (t *trial) skip(format string, args ...any) {
	t.skipped = fmt.Sprintf(format, args...)
	t.stop()
}

// note tells something that is not wrong.
func (t *trial) note(format string, args ...any) {
	if text := t.mask(fmt.Sprintf(format, args...)); !slices.Contains(t.notes, text) {
		t.notes = append(t.notes, text)
	}
}

func (t *trial) result() Result {
	res := Result{Case: t.spec, Status: Passed, Notes: t.notes, Exchanges: t.exchanges, Sent: t.sent}
	switch {
	case len(t.problems) > 0:
		res.Status = Failed
		t.problems = abbreviated(t.problems)
		if more := len(t.problems) - maxProblems; more > 0 {
			t.problems = append(t.problems[:maxProblems], fmt.Sprintf("and %d more", more))
		}
		res.Problem = strings.Join(t.problems, "; ")
	case t.skipped != "":
		res.Status, res.Problem = NotRun, t.skipped
	case len(t.doubts) > 0:
		res.Status, res.Problem = Unproven, strings.Join(t.doubts, "; ")
	case t.sent == 0:
		res.Status, res.Problem = Unproven, "nothing was sent"
	}
	return res
}

// abbreviated says of what came only where it is not as that of the problem before.
func abbreviated(problems []string) []string {
	out, last := slices.Clone(problems), ""
	for i, p := range problems {
		sent, came, ok := strings.Cut(p, ": ")
		if ok && came == last {
			out[i] = sent + ": the same"
		}
		last = came
	}
	return out
}

// record keeps an exchange for the report.
func (t *trial) record(sent string, a answer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	if len(t.exchanges) == maxExchanges {
		t.exchanges = append(t.exchanges[:0], t.exchanges[1:]...)
	}
	t.exchanges = append(t.exchanges, Exchange{Sent: t.masked(sent), Came: t.masked(a.came()), Latency: a.Latency})
}

// mask replaces identifiers, so that two runs of one seed say the same.
func (t *trial) mask(text string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.masked(text)
}

func (t *trial) masked(text string) string {
	for _, id := range t.ids {
		text = strings.ReplaceAll(text, id, "…")
	}
	return text
}

// parallel calls f with 0 to n-1, all at once, and waits for all.
func (t *trial) parallel(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
