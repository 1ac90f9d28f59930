package load

import (
	"math/rand/v2"
	"slices"
	"time"
)

// maxOpen is how many payments one connection has under way at once.
const maxOpen = 4

// traffic is the events that one connection sends. It walks up to maxOpen
// payments at once: each turn belongs to one of them, chosen at random. The first
// payment is alone, and each that finishes lets one more in, so that even a short
// run sends whole payments and a longer one does not move in step. A payment
// belongs to one connection, so its events never overtake each other.
//
// All its randomness is the seed's: a payment's walk, order and repetitions depend
// on (seed, index) alone.
type traffic struct {
	mix                  *Mix
	seed                 uint64
	duplicates, disorder float64
	nextPayment          func() uint64
	elapsed              func() time.Duration

	turns *rand.Rand // whose turn it is
	pcg   *rand.PCG  // reseeded for each payment
	own   *rand.Rand // draws from pcg
	open  []life
	room  int // of open that is in use
}

// life is a payment under way.
type life struct {
	index   uint64
	shift   time.Duration // of its beginning, in whole seconds
	outcome int
	walk    *Walk
	plan    []delivery
	next    int // of plan
}

// delivery is one sending of an event.
type delivery struct {
	step              int // of the walk
	again, disordered bool
}

// event is what is sent next.
type event struct {
	delivery
	index         uint64
	shift         time.Duration
	walk          *Walk
	outcome       int
	opens, closes bool
}

func (e *event) of() *Step { return &e.walk.Steps[e.step] }

func newTraffic(o *Options, connection uint64, nextPayment func() uint64) *traffic {
	pcg, begun := rand.NewPCG(0, 0), o.Now()
	t := &traffic{
		elapsed: func() time.Duration { return o.Now().Sub(begun) },
		mix:     o.Mix, seed: o.Seed, duplicates: o.Duplicates, disorder: o.Disorder, nextPayment: nextPayment,
		turns: rand.New(rand.NewPCG(o.Seed, ^connection)), pcg: pcg, own: rand.New(pcg),
		open: make([]life, maxOpen), room: 1,
	}
	for i := range t.open {
		t.open[i].plan = make([]delivery, 0, 2*o.Mix.longest())
	}
	return t
}

// next returns the next event.
func (t *traffic) next() event {
	l := &t.open[t.turns.IntN(t.room)]
	opens := l.next == len(l.plan)
	if opens {
		t.begin(l)
	}
	e := event{delivery: l.plan[l.next], index: l.index, shift: l.shift, walk: l.walk, outcome: l.outcome, opens: opens}
	l.next++
	e.closes = l.next == len(l.plan)
	if e.closes {
		t.room = min(t.room+1, len(t.open))
	}
	return e
}

func (t *traffic) begin(l *life) {
	l.index, l.shift = t.nextPayment(), t.elapsed().Truncate(time.Second)
	t.pcg.Seed(t.seed, l.index)
	l.outcome, l.walk = t.mix.pick(t.own)
	l.plan, l.next = t.plan(l.plan[:0], len(l.walk.Steps)), 0
}

// plan puts the steps of a walk in the order in which they are delivered: with
// probability disorder a step changes places with one of the two after it, with
// probability duplicates it is sent once more, at any time later. Two, because in
// most walks the events of two subjects alternate.
func (t *traffic) plan(p []delivery, steps int) []delivery {
	for i := range steps {
		p = append(p, delivery{step: i})
	}
	for i := 0; i+1 < steps; i++ {
		if t.chance(t.disorder) {
			j := min(i+1+t.own.IntN(2), steps-1)
			p[i], p[j] = p[j], p[i]
			p[i].disordered = true
			i = j
		}
	}
	for i := 0; i < len(p); i++ {
		if !p[i].again && t.chance(t.duplicates) {
			at := i + 1 + t.own.IntN(len(p)-i)
			p = slices.Insert(p, at, delivery{step: p[i].step, again: true})
		}
	}
	return p
}

func (t *traffic) chance(p float64) bool { return p > 0 && t.own.Float64() < p }
