package scenario

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
)

// Wait lets virtual time pass; it returns early, with an error, when ctx ends.
type Wait func(ctx context.Context, d time.Duration) error

// Player carries plans out. It is safe for concurrent use if Send is.
type Player struct {
	Contract *contract.Contract
	// Send makes one delivery with its retries, waiting between them with wait.
	Send func(ctx context.Context, p Planned, success []int, wait Wait) deliver.Delivery
	// Wait is the clock: real, faster than real, or skipping all time.
	Wait Wait
}

// Result is how one planned step went.
type Result struct {
	Planned Planned
	// Delivery is empty for a state that was to be reached.
	Delivery deliver.Delivery
	// Problem says what was expected and what came; empty when all is well.
	Problem string
	// Warning says what a retry made good; empty when nothing had to be.
	Warning string
}

// OK reports whether the step went as expected.
func (r Result) OK() bool { return r.Problem == "" }

// Played is how a plan went.
type Played struct {
	Results []Result
	// Accepted are the transitions whose delivery the endpoint took.
	Accepted []*contract.Edge
	// Virtual is the time that passed on the virtual clock.
	Virtual time.Duration
}

// OK reports whether every step went as expected.
func (p Played) OK() bool {
	for _, r := range p.Results {
		if !r.OK() {
			return false
		}
	}
	return true
}

// Warned reports whether a retry had to make something good.
func (p Played) Warned() bool {
	return slices.ContainsFunc(p.Results, func(r Result) bool { return r.Warning != "" })
}

// Play carries out a plan, step by step; it stops when ctx ends.
func (pl *Player) Play(ctx context.Context, plan []Planned) Played {
	var out Played
	accepted := map[*contract.State]bool{}
	for _, p := range plan {
		if p.At > out.Virtual {
			if err := pl.Wait(ctx, p.At-out.Virtual); err != nil {
				return out
			}
			out.Virtual = p.At
		}
		r := pl.step(ctx, p, &out.Virtual, accepted)
		if ctx.Err() != nil {
			return out
		}
		out.Results = append(out.Results, r)
		if pl.taken(r.Delivery) {
			accepted[p.Step.Send] = accepted[p.Step.Send] || len(p.Step.Edits) == 0
			if e := p.edge(); e != nil && len(p.Step.Edits) == 0 {
				out.Accepted = append(out.Accepted, e)
			}
		}
	}
	return out
}

func (pl *Player) step(ctx context.Context, p Planned, virtual *time.Duration, accepted map[*contract.State]bool) Result {
	r := Result{Planned: p}
	if p.Step.Reach != nil {
		if !accepted[p.Step.Reach] {
			r.Problem = fmt.Sprintf("the endpoint has not accepted %s", p.Step.Reach)
		}
		return r
	}
	success := pl.Contract.Delivery.Success
	r.Delivery = pl.Send(ctx, p, append(p.Step.Answer.statuses(success), success...), func(ctx context.Context, d time.Duration) error {
		*virtual += d
		return pl.Wait(ctx, d)
	})
	if !slices.ContainsFunc(r.Delivery.Attempts, func(a deliver.Result) bool {
		return a.Outcome == deliver.Answered && p.Step.Answer.Allows(a.Status, success)
	}) {
		r.Problem = problem(r.Delivery, p.Step.Answer.String(success))
	}
	r.broken()
	return r
}

// broken looks for attempts that the endpoint broke at, though another was taken.
// Where two overlapped that is a fault of its own; else the retries hid it.
func (r *Result) broken() {
	for _, a := range r.Delivery.Attempts {
		broke := a.Outcome == deliver.Answered && a.Status >= 500
		if r.Problem != "" || !broke {
			continue
		}
		if r.Planned.Step.Fault == deliver.Overlap {
			r.Problem = fmt.Sprintf("answered %d to one of two overlapping attempts", a.Status)
		} else {
			r.Warning = fmt.Sprintf("answered %d in attempt %d; a retry was taken", a.Status, a.Attempt)
		}
	}
}

// problem says what came instead of what was expected.
func problem(d deliver.Delivery, expected string) string {
	n := len(d.Attempts)
	last := d.Attempts[n-1]
	text := fmt.Sprintf("answered %d; expected %s", last.Status, expected)
	if last.Outcome != deliver.Answered {
		text = fmt.Sprintf("expected %s: %v", expected, last.Err)
	}
	if n > 1 {
		text += fmt.Sprintf(" (after %d attempts)", n)
	}
	return text
}

// taken reports whether the endpoint answered what the contract counts as
// delivered, whatever else was expected of it.
func (pl *Player) taken(d deliver.Delivery) bool {
	return slices.ContainsFunc(d.Attempts, func(r deliver.Result) bool { return r.Success(pl.Contract.Delivery.Success) })
}

// statuses lists every status that is allowed: with those that the gateway takes
// for success, they end the retries.
func (a Answer) statuses(success []int) []int {
	var out []int
	for s := 100; s < 600; s++ {
		if a.Allows(s, success) {
			out = append(out, s)
		}
	}
	return out
}

// edge is the transition that a planned delivery reports, or nil.
func (p Planned) edge() *contract.Edge {
	st := p.Step.Send
	if st == nil {
		return nil
	}
	if p.Step.From == nil {
		return st.From[0]
	}
	return st.EdgeFrom(p.Step.From)
}
