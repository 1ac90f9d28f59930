package inspect

import (
	"slices"
	"sort"
	"sync"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/graph"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// maxRelated bounds how many others a party is related to, so that nobody who
// makes up identifiers makes one payment of all.
const maxRelated = 32

// digest is what is known of all records together. It is brought up to date when
// somebody looks, so that nobody else waits for it; and one looks at a time, so
// that lookers take one processor from the deliveries at the most.
type digest struct {
	i *Inspector

	mu   sync.Mutex
	read uint64 // the number of the last record that is in it
	// missed counts records that were forgotten before anybody looked.
	missed   uint64
	verdicts map[string]int
	marks    map[*contract.Subject]*graph.Marks
	perState map[*contract.State]int
	numbers  *statistics
	latency  latencies
	times    timeline
	parties  map[party]*track
	// swept is how many records were forgotten when parties were last.
	swept uint64
}

// track is where a party was mentioned.
type track struct {
	// at are the numbers of the records, in their order.
	at []uint64
	// with are other parties that were mentioned beside it.
	with []party
	// told are the statistics that it is counted in, a bit each.
	told uint64
}

func newDigest(i *Inspector) *digest {
	d := &digest{
		i: i, verdicts: map[string]int{}, marks: map[*contract.Subject]*graph.Marks{}, perState: map[*contract.State]int{},
		numbers: newStatistics(i.c.Statistics), times: timeline{width: 1, at: map[int64]*moment{}}, parties: map[party]*track{},
	}
	for _, sub := range i.c.Subjects {
		d.marks[sub] = &graph.Marks{}
	}
	return d
}

// update reads what has come since it last did. It returns what was counted by
// then.
func (d *digest) update() counts {
	_, until, _ := d.i.store.after(0, 0)
	for d.read < until.Total {
		found, seen, _ := d.i.store.after(d.read, maxRows)
		if len(found) == 0 {
			break
		}
		d.missed += found[0].n - d.read - 1
		d.read = found[len(found)-1].n
		for _, e := range found {
			d.add(e)
		}
		d.sweep(seen)
	}
	return until
}

func (d *digest) add(e *entry) {
	worst := verdictOf(&e.Record)
	d.verdicts[worst]++
	d.latency.add(e.LatencyMS)
	d.times.add(e.Time, worst)
	v := d.i.verdict(&e.Record)
	if v.State != nil {
		d.perState[v.State]++
		if known(v) && (e.OK || illegal(v) != nil) {
			d.marks[v.State.Subject].Add(v)
		}
	}
	told := v
	if !carries(v) {
		told = verify.Payload(d.i.c, e.Body, "")
	}
	parties := d.i.told(told, e)
	for _, p := range parties {
		d.track(p).mention(e.n, parties)
	}
	if e.OK {
		d.numbers.add(told, d.track)
	}
}

// carries reports whether a verdict holds the facts of the payload.
func carries(v verify.Verdict) bool {
	if v.State == nil {
		return false
	}
	_, ok := v.Fact(v.State.Subject.ID)
	return ok
}

// known reports whether a picture has a place for what is reported.
func known(v verify.Verdict) bool {
	return v.Edge != nil || v.State.Subject.Spelled(v.Previous) != nil
}

// told are the parties that a payload is about, its own first.
func (i *Inspector) told(v verify.Verdict, e *entry) []party {
	if v.State == nil {
		return i.read(e).parties()
	}
	var out []party
	for _, sub := range i.c.Subjects {
		id, ok := v.Fact(sub.ID)
		if !ok || id.Kind != jsondoc.String || id.Text == "" {
			continue
		}
		if p := newParty(sub, id.Text); sub == v.State.Subject {
			out = slices.Insert(out, 0, p)
		} else {
			out = append(out, p)
		}
	}
	return out
}

func (d *digest) track(p party) *track {
	t := d.parties[p]
	if t == nil {
		t = &track{}
		d.parties[p] = t
	}
	return t
}

func (t *track) mention(n uint64, parties []party) {
	t.at = append(t.at, n)
	for _, p := range parties {
		if len(t.with) < maxRelated && !slices.Contains(t.with, p) {
			t.with = append(t.with, p)
		}
	}
}

// sweep forgets the parties of which nothing is kept, from time to time.
func (d *digest) sweep(seen counts) {
	if seen.Forgotten-d.swept < uint64(d.i.o.MaxRecords)/2+1 { //nolint:gosec // New made it positive
		return
	}
	d.swept = seen.Forgotten
	for p, t := range d.parties {
		first, _ := slices.BinarySearch(t.at, seen.First)
		if t.at = t.at[first:]; len(t.at) == 0 {
			delete(d.parties, p)
		}
	}
}

// related are the parties that are told of together with p, directly or through
// others: the payment's own subject first, then in the order they came. It returns
// also the numbers of all records that are about them.
func (d *digest) related(p party) (family []party, at []uint64) {
	family = []party{p}
	for n := 0; n < len(family) && len(family) < maxRelated; n++ {
		t := d.parties[family[n]]
		at = append(at, t.at...)
		for _, other := range t.with {
			if d.parties[other] != nil && !slices.Contains(family, other) {
				family = append(family, other)
			}
		}
	}
	place := func(p party) int { return slices.Index(d.i.c.Subjects, p.subject) }
	sort.SliceStable(family, func(i, j int) bool { return place(family[i]) < place(family[j]) })
	slices.Sort(at)
	return family, slices.Compact(at)
}
