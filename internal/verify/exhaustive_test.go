package verify_test

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/paytest/paytest/internal/contract"
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

// judging is a program's verdict on the next event of an invoice.
type judging func(event int) judged

// tested is how the events of one invoice are put to paytest.
type tested struct {
	c     *contract.Contract
	names []string
	raws  [][]byte
	paths []string
	// id and tx name the invoice and its transaction in the payloads.
	id, tx []byte
}

func newTested(t *testing.T) *tested {
	t.Helper()
	x := &tested{c: pack(t)}
	for line := range strings.Lines(paths) {
		for _, name := range strings.Fields(line) {
			if slices.Contains(x.names, name) {
				continue
			}
			from, to, _ := strings.Cut(name, "-")
			raw := payload(t, x.c, 5, ev("invoice/"+to).from(from), "invoice/"+to)
			x.names, x.raws = append(x.names, name), append(x.raws, raw)
			x.paths = append(x.paths, state(t, x.c, "invoice/"+to).Path)
		}
	}
	pending := verify.Payload(x.c, x.raws[0], "")
	for i, id := range []*[]byte{&x.id, &x.tx} {
		v, _ := pending.Fact(x.c.Subjects[i].ID)
		*id = []byte(v.Text)
	}
	for _, raw := range x.raws {
		if bytes.Count(raw, x.id) != 1 || bytes.Count(raw, x.tx) != bytes.Count(raw, []byte(`"transaction":{`)) {
			t.Fatalf("the payloads are not of one payment: %s", raw)
		}
	}
	return x
}

// begin returns a judge of a new invoice, by a checker that knows others.
func (x *tested) begin(k *verify.Checker, invoice uint64) judging {
	name := func(kind string) []byte {
		return fmt.Appendf(nil, "%08x-0000-4000-8%s-%012x", invoice>>32, kind, invoice&0xffffffff)
	}
	id, tx := name("000"), name("001")
	return func(event int) judged {
		raw := bytes.Replace(x.raws[event], x.id, id, 1)
		v := k.Check(bytes.Replace(raw, x.tx, tx, 1), x.paths[event])
		return judged{v.OK(), v.Duplicate, v.Has(verify.Late), v.Has(verify.Gap)}
	}
}

// sequences puts every sequence of length n of the first events to judges, each
// of a new invoice, and returns how many there were and the first one that is
// judged wrongly.
func (x *tested) sequences(events, n int, begin func(k *verify.Checker, invoice uint64) judging) (count uint64, wrong string) {
	var done atomic.Uint64
	var found atomic.Pointer[string]
	var all sync.WaitGroup
	for first := range events {
		all.Go(func() {
			k := verify.NewChecker(x.c, verify.Strict{})
			for seq := start(first, n); seq != nil && found.Load() == nil; seq = next(seq, events) {
				if text := x.differs(seq, begin(k, uint64(first)<<56|done.Add(1))); text != "" {
					found.CompareAndSwap(nil, &text)
				}
			}
		})
	}
	all.Wait()
	if text := found.Load(); text != nil {
		wrong = *text
	}
	return done.Load(), wrong
}

func start(event, n int) []int {
	seq := make([]int, n)
	seq[0] = event
	return seq
}

// next is the next sequence of events that starts as this one, or nil.
func next(seq []int, events int) []int {
	for i := len(seq) - 1; i > 0; i-- {
		if seq[i]++; seq[i] < events {
			return seq
		}
		seq[i] = 0
	}
	return nil
}

func (x *tested) differs(seq []int, got judging) string {
	reference := newNaive(paths)
	for i, event := range seq {
		want, is := reference.judge(x.names[event]), got(event)
		if want == is {
			continue
		}
		var names []string
		for _, e := range seq[:i+1] {
			names = append(names, x.names[e])
		}
		return fmt.Sprintf("%s: %+v, and the reference says %+v", strings.Join(names, " "), is, want)
	}
	return ""
}

// TestTrustEverySequence puts every sequence of an invoice's states, and every shorter
// one of its transitions, to the checker and to a reference that knows the
// documented paths and nothing else.
func TestTrustEverySequence(t *testing.T) {
	x := newTested(t)
	long, short := trust.Scale(4, 6, 8), trust.Scale(4, 5, 7)
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
	for name, wrong := range map[string]func(*verify.Checker, uint64) judging{
		"forgets what came before": func(k *verify.Checker, invoice uint64) judging {
			n := invoice
			return func(event int) judged { n += 1 << 40; return x.begin(k, n)(event) }
		},
		"takes what is late for illegal": func(k *verify.Checker, invoice uint64) judging {
			j := x.begin(k, invoice)
			return func(event int) judged { v := j(event); v.ok = v.ok && !v.late; return v }
		},
		"takes a second end of a payment": func(k *verify.Checker, invoice uint64) judging {
			a, b := x.begin(k, invoice), x.begin(k, invoice|1<<50)
			return func(event int) judged {
				if strings.HasSuffix(x.names[event], "-fail") {
					return b(event)
				}
				return a(event)
			}
		},
		"sees no duplicate of the third kind": func(k *verify.Checker, invoice uint64) judging {
			j := x.begin(k, invoice)
			return func(event int) judged { v := j(event); v.duplicate = v.duplicate && event != 2; return v }
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
func (x *tested) orders(times int, begin func(k *verify.Checker, invoice uint64) judging) (count int, wrong string) {
	k, invoice := verify.NewChecker(x.c, verify.Strict{}), uint64(0)
	for line := range strings.Lines(paths) {
		left := map[int]int{}
		for _, name := range strings.Fields(line) {
			left[slices.Index(x.names, name)] = times
		}
		for order := range arrangements(left) {
			invoice++
			count++
			got, first := begin(k, invoice), 0
			for _, event := range order {
				v := got(event)
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
	for name, wrong := range map[string]func(*verify.Checker, uint64) judging{
		"refuses what comes late": func(k *verify.Checker, invoice uint64) judging {
			j := x.begin(k, invoice)
			return func(event int) judged { v := j(event); v.ok = v.ok && !v.late; return v }
		},
		"knows a duplicate only right behind the first": func(k *verify.Checker, invoice uint64) judging {
			j, last := x.begin(k, invoice), -1
			return func(event int) judged {
				v := j(event)
				v.duplicate = event == last
				last = event
				return v
			}
		},
	} {
		if _, found := x.orders(2, wrong); found == "" {
			t.Errorf("a judge that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
