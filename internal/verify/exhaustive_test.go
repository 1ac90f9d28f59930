package verify_test

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/internal/verify"
)

// paths are the ways an invoice can go, as the documents draw them. The second
// event that reports the same state is the last that is named.
const paths = `ready-pending pending-complete
ready-pending pending-fail
ready-cancel
ready-wait wait-reject
ready-wait wait-pending pending-complete
ready-wait wait-pending pending-fail`

// states is how many of the events report different states.
const states = 6

// judged is what is said of a delivery.
type judged struct{ ok, duplicate, late, gap bool }

// naive judges the events of one invoice in the plainest way there is: an event
// is legal when some path holds it and all that were legal before it.
type naive struct {
	paths [][]string
	taken []string
}

func newNaive(paths string) *naive {
	n := &naive{}
	for line := range strings.Lines(paths) {
		n.paths = append(n.paths, strings.Fields(line))
	}
	return n
}

func (n *naive) copy() *naive { return &naive{paths: n.paths, taken: slices.Clone(n.taken)} }

// knows reports whether any path holds an event.
func (n *naive) knows(event string) bool {
	return slices.ContainsFunc(n.paths, func(path []string) bool { return slices.Contains(path, event) })
}

func (n *naive) judge(event string) judged {
	var holding [][]string
	for _, path := range n.paths {
		if !slices.ContainsFunc(append(slices.Clone(n.taken), event), func(e string) bool { return !slices.Contains(path, e) }) {
			holding = append(holding, path)
		}
	}
	if len(holding) == 0 {
		return judged{}
	}
	out := judged{ok: true, duplicate: slices.Contains(n.taken, event)}
	if !out.duplicate {
		at := slices.Index(holding[0], event)
		for _, e := range n.taken {
			out.late = out.late || slices.Index(holding[0], e) > at
		}
		out.gap = at > 0
		for _, path := range n.paths {
			if at := slices.Index(path, event); at > 0 && slices.Contains(n.taken, path[at-1]) {
				out.gap = false
			}
		}
		n.taken = append(n.taken, event)
	}
	return out
}

// referee says what a program does of the next event of an invoice; its copy remembers
// the same.
type referee interface {
	judge(event int) judged
	copy() referee
}

// tested is how the events of one invoice are put to paytest.
type tested struct {
	names []string
	raws  [][]byte
	paths []string
	blank *verify.Checker
}

func newTested(t *testing.T) *tested {
	t.Helper()
	c := pack(t)
	x := &tested{blank: verify.NewSmallChecker(c, verify.Strict{})}
	for line := range strings.Lines(paths) {
		for _, name := range strings.Fields(line) {
			if slices.Contains(x.names, name) {
				continue
			}
			from, to, _ := strings.Cut(name, "-")
			x.names, x.raws = append(x.names, name), append(x.raws, payload(t, c, 5, ev("invoice/"+to).from(from), "invoice/"+to))
			x.paths = append(x.paths, state(t, c, "invoice/"+to).Path)
		}
	}
	return x
}

func (x *tested) begin() referee { return checking{x, x.blank.Copy()} }

// checking judges by a checker of its own.
type checking struct {
	x *tested
	k *verify.Checker
}

func (c checking) judge(event int) judged {
	v := c.k.Check(c.x.raws[event], c.x.paths[event])
	return judged{v.OK(), v.Duplicate, v.Has(verify.Late), v.Has(verify.Gap)}
}

func (c checking) copy() referee { return checking{c.x, c.k.Copy()} }

// altered changes what another judge says.
type altered struct {
	of    referee
	alter func(event int, v judged) judged
}

func (a altered) judge(event int) judged { return a.alter(event, a.of.judge(event)) }
func (a altered) copy() referee          { return altered{a.of.copy(), a.alter} }

// forgetful forgets what came before.
type forgetful struct{ begin func() referee }

func (f forgetful) judge(event int) judged { return f.begin().judge(event) }
func (f forgetful) copy() referee          { return f }

// divided has one judge for some events and another for the rest.
type divided struct {
	some, rest referee
	isRest     func(event int) bool
}

func (d divided) judge(event int) judged {
	if d.isRest(event) {
		return d.rest.judge(event)
	}
	return d.some.judge(event)
}

func (d divided) copy() referee { return divided{d.some.copy(), d.rest.copy(), d.isRest} }

// shortsighted knows a duplicate only right behind the first.
type shortsighted struct {
	of   referee
	last int
}

func (s *shortsighted) judge(event int) judged {
	v := s.of.judge(event)
	v.duplicate, s.last = event == s.last, event
	return v
}

func (s *shortsighted) copy() referee { return &shortsighted{s.of.copy(), s.last} }

// tree puts every sequence of events to a judge and to the reference, each event
// once after each way to it.
type tree struct {
	names  []string
	events int // how many of the names
	length int
	seq    []int
	leaves uint64
	wrong  string
}

// grow goes on from where both have judged the sequence, until something is wrong.
func (t *tree) grow(by referee, reference *naive) {
	if len(t.seq) == t.length {
		t.leaves++
		return
	}
	for event := range t.events {
		t.seq = append(t.seq, event)
		t.follow(by.copy(), reference.copy())
		t.seq = t.seq[:len(t.seq)-1]
		if t.wrong != "" {
			return
		}
	}
}

// follow has both judge the last event of the sequence, and goes on.
func (t *tree) follow(by referee, reference *naive) {
	event := t.seq[len(t.seq)-1]
	is, want := by.judge(event), reference.judge(t.names[event])
	if is == want {
		t.grow(by, reference)
		return
	}
	var names []string
	for _, e := range t.seq {
		names = append(names, t.names[e])
	}
	t.wrong = fmt.Sprintf("%s: %+v, and the reference says %+v", strings.Join(names, " "), is, want)
}

// sequences puts every sequence of length n of the first events to judges, and
// returns how many there were and the first one that is judged wrongly.
func (x *tested) sequences(events, n int, begin func() referee) (count uint64, wrong string) {
	trees := make([]tree, events)
	var all sync.WaitGroup
	for first := range trees {
		t := &trees[first]
		*t = tree{names: x.names, events: events, length: n, seq: []int{first}}
		all.Go(func() { t.follow(begin(), newNaive(paths)) })
	}
	all.Wait()
	for _, t := range trees {
		count += t.leaves
		wrong = cmp.Or(wrong, t.wrong)
	}
	return count, wrong
}

func lateIsIllegal(_ int, v judged) judged {
	v.ok = v.ok && !v.late
	return v
}

// TestTrustEverySequence puts every sequence of an invoice's states, and every shorter
// one of its transitions, to the checker and to a reference that knows the
// documented paths and nothing else.
func TestTrustEverySequence(t *testing.T) {
	x := newTested(t)
	long, short := trust.Scale(4, 8, 10), trust.Scale(4, 6, 8)
	for _, set := range []struct {
		of             string
		events, length int
	}{{"states", states, long}, {"transitions", len(x.names), short}} {
		count, wrong := x.sequences(set.events, set.length, x.begin)
		if wrong != "" {
			t.Error(wrong)
		}
		trust.Figure(t, fmt.Sprintf("sequences of %d %s", set.length, set.of), count)
	}
}

// TestTrustEverySequenceCatches holds that the test above fails for judges that are
// wrong in the ways that would cost most.
func TestTrustEverySequenceCatches(t *testing.T) {
	x := newTested(t)
	for name, wrong := range map[string]func() referee{
		"forgets what came before":       func() referee { return forgetful{x.begin} },
		"takes what is late for illegal": func() referee { return altered{x.begin(), lateIsIllegal} },
		"takes a second end of a payment": func() referee {
			return divided{x.begin(), x.begin(), func(event int) bool { return strings.HasSuffix(x.names[event], "-fail") }}
		},
		"sees no duplicate of the third kind": func() referee {
			return altered{x.begin(), func(event int, v judged) judged { v.duplicate = v.duplicate && event != 2; return v }}
		},
	} {
		if _, found := x.sequences(len(x.names), 4, wrong); found == "" {
			t.Errorf("a judge that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}

// arrangements are the ways in which so many of each event can follow each other.
func arrangements(left map[int]int) iter.Seq[[]int] {
	var order []int
	var all func(yield func([]int) bool) bool
	all = func(yield func([]int) bool) bool {
		last := true
		for _, event := range slices.Sorted(maps.Keys(left)) {
			if left[event] == 0 {
				continue
			}
			last = false
			left[event]--
			order = append(order, event)
			more := all(yield)
			order = order[:len(order)-1]
			left[event]++
			if !more {
				return false
			}
		}
		return !last || yield(order)
	}
	return func(yield func([]int) bool) { all(yield) }
}

// orders delivers the events of each documented path in every order, each of them
// so many times, and returns how many orders there were and what is wrong with the
// first that is judged wrongly.
func (x *tested) orders(times int, begin func() referee) (count int, wrong string) {
	for line := range strings.Lines(paths) {
		left := map[int]int{}
		for _, name := range strings.Fields(line) {
			left[slices.Index(x.names, name)] = times
		}
		for order := range arrangements(left) {
			count++
			got, first := begin(), 0
			for _, event := range order {
				v := got.judge(event)
				if !v.ok {
					return count, fmt.Sprintf("%s in the order %v: illegal", line, order)
				}
				if !v.duplicate {
					first++
				}
			}
			if want := len(strings.Fields(line)); first != want {
				return count, fmt.Sprintf("%s in the order %v: %d events were new, not %d", line, order, first, want)
			}
		}
	}
	return count, ""
}

// TestTrustEveryOrderOfEveryPath delivers the events of each documented path in
// every order, each of them up to so many times: nothing of it is illegal, and every
// event counts once.
func TestTrustEveryOrderOfEveryPath(t *testing.T) {
	x := newTested(t)
	count, wrong := x.orders(trust.Scale(2, 4, 5), x.begin)
	if wrong != "" {
		t.Error(wrong)
	}
	trust.Figure(t, "orders", count)
}

// TestTrustEveryOrderOfEveryPathCatches holds that the test above fails for judges
// that depend on the order.
func TestTrustEveryOrderOfEveryPathCatches(t *testing.T) {
	x := newTested(t)
	for name, wrong := range map[string]func() referee{
		"refuses what comes late":                       func() referee { return altered{x.begin(), lateIsIllegal} },
		"knows a duplicate only right behind the first": func() referee { return &shortsighted{x.begin(), -1} },
	} {
		if _, found := x.orders(2, wrong); found == "" {
			t.Errorf("a judge that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
