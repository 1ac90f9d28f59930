package verify

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/tools/trust"
)

// crowd is how many deliver at the same time.
const crowd = 64

// stream is payments whose events arrive in any order, some of them twice.
type stream struct {
	c     *contract.Contract
	r     *rand.Rand
	paths [][]*contract.State
	next  uint64
	// repeated and broken are how many deliveries repeat another, and how many break
	// the contract by themselves.
	repeated, broken int
}

func newStream(t *testing.T, c *contract.Contract) *stream {
	t.Helper()
	s := &stream{c: c, r: trust.Rand(t)}
	cancel := c.Subject("invoice").State("cancel")
	s.paths = [][]*contract.State{c.Flow, c.Flow, {cancel}, {c.Roles.Seen, c.Roles.Pending, c.Roles.Failed}}
	return s
}

// batch is the events of some payments; to is where each is to be told of.
func (s *stream) batch(t *testing.T, payments int) [][]byte {
	w := generate.NewWriter(s.c)
	var out [][]byte
	for range payments {
		path := s.paths[s.r.IntN(len(s.paths))]
		o := payment.Options{Seed: 7, Index: s.next, Start: s.c.Epoch, Toward: path}
		s.next++
		events := slices.Clone(path)
		if s.next%97 == 0 && slices.Contains(path, s.c.Roles.Paid) {
			events = append(events, s.c.Roles.Failed) // of what was paid in full: no amount is wrong
			s.broken++
		}
		for _, st := range events {
			raw, err := w.Append(nil, o, st)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, raw)
			if st != s.c.Roles.Failed && s.r.IntN(5) == 0 {
				out = append(out, raw)
				s.repeated++
			}
		}
	}
	s.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// verdict is what is to be held against the stream: whether a delivery is right, and
// whether it repeats another.
type verdict func(raw []byte) (ok, duplicate bool)

// falsely delivers from many sides, and says which verdicts are false.
func (s *stream) falsely(t *testing.T, payments, batch int, check verdict) (deliveries int, err error) {
	var wrong, duplicates atomic.Int64
	for left := payments; left > 0; left -= batch {
		raws := s.batch(t, min(batch, left))
		var next atomic.Int64
		var all sync.WaitGroup
		for range crowd {
			all.Go(func() {
				for i := int(next.Add(1)) - 1; i < len(raws); i = int(next.Add(1)) - 1 {
					ok, duplicate := check(raws[i])
					if !ok {
						wrong.Add(1)
					}
					if duplicate {
						duplicates.Add(1)
					}
				}
			})
		}
		all.Wait()
		deliveries += len(raws)
	}
	if int(wrong.Load()) != s.broken || int(duplicates.Load()) != s.repeated {
		return deliveries, fmt.Errorf("%d of %d are called wrong, and %d are; %d are called duplicates, and %d are", wrong.Load(), deliveries, s.broken, duplicates.Load(), s.repeated)
	}
	return deliveries, nil
}

func (k *Checker) judge(raw []byte) (ok, duplicate bool) {
	v := k.Check(raw, "")
	return v.OK(), v.Duplicate
}

// held is how many bytes a checker remembers in.
func (k *Checker) held() (held int) {
	for i := range k.shards {
		s := &k.shards[i]
		held += 4 * cap(s.index)
		for _, b := range slices.Concat(s.blocks, s.entries.chunks, s.words.chunks) {
			held += cap(b)
		}
	}
	return held
}

// TestTrustMillion delivers payments from 64 sides, in any order and partly twice:
// each verdict is right, each duplicate is seen, and memory stays below its bound,
// long after the first of them were forgotten.
func TestTrustMillion(t *testing.T) {
	c := builtin(t)
	s, k := newStream(t, c), NewChecker(c, Strict{})
	payments := trust.Scale(4_000, 100_000, 1_000_000)
	deliveries, err := s.falsely(t, payments, 4096, k.judge)
	if err != nil {
		t.Error(err)
	}
	runtime.GC()
	if held := k.held(); held > MaxKept {
		t.Errorf("%d bytes are held of %d", held, MaxKept)
	} else {
		trust.Figure(t, "memory MB", (held+1<<19)>>20)
	}
	trust.Figure(t, "payments", payments)
	trust.Figure(t, "deliveries", deliveries)
	trust.Figure(t, "repeated", s.repeated)
	trust.Figure(t, "wrong and told", s.broken)
	trust.Figure(t, "subjects forgotten", k.Summary().Forgotten)
}

// current is a checker with the bug that TestTrustMillion must catch: it keeps the
// state that came last, and takes nothing but its successor.
type current struct {
	mu     sync.Mutex
	states map[key]*contract.State
	c      *contract.Contract
}

func (x *current) judge(raw []byte) (ok, duplicate bool) {
	v := Payload(x.c, raw, "")
	if !v.OK() || v.State == nil {
		return false, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	k := key{v.State.Subject, v.ID}
	before, known := x.states[k]
	x.states[k] = v.State
	return !known || before == v.Edge.From || before == v.State, before == v.State
}

// TestTrustMillionCatches holds that the test above fails for a checker that judges
// by the order of arrival, and for one that forgets too early.
func TestTrustMillionCatches(t *testing.T) {
	c := builtin(t)
	for name, check := range map[string]verdict{
		"judges by the order of arrival": (&current{states: map[key]*contract.State{}, c: c}).judge,
		"forgets too early":              newChecker(c, Strict{}, 100, MaxKept).judge,
	} {
		if _, err := newStream(t, c).falsely(t, 4000, 4096, check); err == nil {
			t.Errorf("a checker that %s is not caught", name)
		} else {
			t.Log(err)
			trust.Caught(t, name)
		}
	}
}

// forgotten delivers payments event by event, so that each is forgotten in between,
// and says what is held against what was forgotten.
func forgotten(t *testing.T, c *contract.Contract, k *Checker, payments int, between func()) error {
	w := generate.NewWriter(c)
	for _, st := range slices.Concat(c.Flow, c.Flow) {
		for i := range uint64(payments) {
			raw, err := w.Append(nil, payment.Options{Seed: 7, Index: i, Start: c.Epoch, Toward: c.Flow}, st)
			if err != nil {
				t.Fatal(err)
			}
			between()
			if v := k.Check(raw, ""); !v.OK() || v.Has(Gap) {
				return fmt.Errorf("%s of payment %d: %s", st, i, v.Findings[0].Message)
			}
		}
	}
	switch s := k.Summary(); {
	case s.Forgotten == 0:
		t.Error("nothing was forgotten")
	case s.GapCount > 0:
		return fmt.Errorf("%d gaps: %s", s.GapCount, s.Gaps[0])
	default:
		trust.Figure(t, "forgotten", s.Forgotten)
	}
	return nil
}

// TestTrustForgotten holds that what is told of a payment that was forgotten is
// judged as if it were new: it is never called illegal, and nothing is missed before
// it.
func TestTrustForgotten(t *testing.T) {
	c := builtin(t)
	limit := trust.Scale(200, 5_000, 100_000)
	if err := forgotten(t, c, newChecker(c, Strict{Gaps: true}, limit, MaxKept), 4*limit, func() {}); err != nil {
		t.Error(err)
	}
}

// TestTrustForgottenCatches holds that the test above fails for a checker that
// forgets that it forgot.
func TestTrustForgottenCatches(t *testing.T) {
	c := builtin(t)
	k := newChecker(c, Strict{Gaps: true}, 200, MaxKept)
	err := forgotten(t, c, k, 800, func() {
		for i := range k.shards {
			k.shards[i].forgotten = 0
		}
	})
	if err == nil {
		t.Error("not caught")
	} else {
		t.Log(err)
		trust.Caught(t, "forgets that it forgot")
	}
}
