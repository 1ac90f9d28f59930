package scenario

import (
	"fmt"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// maxBytes bounds the payloads of one payment, those of a repetition counted once.
const maxBytes = 64 << 20

// Options choose the payment that a scenario is played with.
type Options struct {
	Seed, Index uint64
	// Start is when the payment begins, on the virtual clock.
	Start time.Time
}

// Planned is one delivery, or one expectation, of a planned scenario.
type Planned struct {
	Step Step
	// Number counts the steps of the file from 1; Repeat the repetitions of one
	// step, from 1.
	Number, Repeat int
	// At is when it happens on the virtual clock, counted from the start.
	At time.Duration
	// Body is what is delivered; nil for a state that is to be reached.
	Body []byte
}

// Name names the step for reports; it is stable between runs.
func (p Planned) Name() string {
	name := fmt.Sprintf("%d %s", p.Number, p.Step.what())
	if p.Step.Repeat > 1 {
		name += fmt.Sprintf(" (%d of %d)", p.Repeat, p.Step.Repeat)
	}
	return name
}

func (s Step) what() string {
	if s.Reach != nil {
		return "reaches " + s.Reach.String()
	}
	if s.Fault != "" {
		return fmt.Sprintf("%s, %s", s.Send, s.Fault)
	}
	return s.Send.String()
}

// Plan works out a scenario before anything is sent: what is delivered, and
// when on the virtual clock. Events happen in the documented rhythm, shifted by
// the waits before them, and the first after a wait not before its end; but for
// that, an event that is delivered after a later one keeps its own moment, as a
// webhook that was delayed does.
func Plan(c *contract.Contract, s *Scenario, o Options) ([]Planned, error) {
	po := payment.Options{Seed: o.Seed, Index: o.Index, Start: o.Start, Facts: s.Facts}
	if s.Outcome != nil {
		po.Toward = []*contract.State{s.Outcome}
	}
	rhythm := payment.New(c, po)
	po.Moments = map[*contract.State]time.Duration{}
	times := make([]time.Duration, len(s.Steps))
	var clock, shift, waited time.Duration
	for i, st := range s.Steps {
		shift += st.Wait
		clock += st.Wait
		if st.Wait > 0 {
			waited = clock
		}
		if st.Send != nil {
			if _, told := po.Moments[st.Send]; !told {
				po.Moments[st.Send] = st.At
				if st.At < 0 {
					shift = max(shift, waited-rhythm.Offset(st.Send))
					waited = 0
					po.Moments[st.Send] = rhythm.Offset(st.Send) + shift
				}
			}
			clock = max(clock, po.Moments[st.Send])
		}
		times[i] = clock
	}
	return bodies(c, s, payment.New(c, po), times)
}

func bodies(c *contract.Contract, s *Scenario, p *payment.Payment, times []time.Duration) ([]Planned, error) {
	var out []Planned
	size := 0
	for i, st := range s.Steps {
		switch {
		case st.Reach != nil:
			out = append(out, Planned{Step: st, Number: i + 1, Repeat: 1, At: times[i]})
		case st.Send != nil:
			body, err := body(c, p, st)
			if size += len(body); err == nil && size > maxBytes {
				err = fmt.Errorf("the payloads of the steps up to here are larger than %d MiB", maxBytes>>20)
			}
			if err != nil {
				return nil, &Error{s.File, max(st.Line, 1), max(st.Column, 1), err.Error()}
			}
			for r := range st.Repeat {
				out = append(out, Planned{Step: st, Number: i + 1, Repeat: r + 1, At: times[i], Body: body})
			}
		}
	}
	return out, nil
}

func body(c *contract.Contract, p *payment.Payment, st Step) ([]byte, error) {
	doc, err := generate.Payload(c, p, st.Send, generate.Options{Previous: st.From, Force: true})
	if err != nil {
		return nil, err
	}
	for _, e := range st.Edits {
		if err := e.Apply(&doc); err != nil {
			return nil, err
		}
	}
	return doc.AppendLiteral(nil), nil
}

// Judge finds the steps that break the contract without saying what the endpoint
// is to answer: that nothing went wrong could mean either.
func Judge(c *contract.Contract, s *Scenario) error {
	plan, err := Plan(c, s, Options{Start: c.Epoch})
	if err != nil {
		return err
	}
	checker := verify.NewChecker(c, verify.Strict{})
	for _, p := range plan {
		if p.Step.Send == nil {
			continue
		}
		v := checker.Check(p.Body, "")
		if v.OK() || p.Step.Answer.Any || len(p.Step.Answer.Statuses) > 0 {
			continue
		}
		for _, f := range v.Findings {
			if f.Severity == verify.Violation {
				return &Error{s.File, max(p.Step.Line, 1), max(p.Step.Column, 1), fmt.Sprintf("%s breaks the contract: %s; say what the endpoint is to answer, such as answer: [400, 409], or any", p.Step.Send, f.Message)}
			}
		}
	}
	return nil
}
