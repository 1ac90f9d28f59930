package inspect

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/graph"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// Bounds of what is told of one payment: how many of its latest records, how many
// different illegal attempts in its picture, how many other values of a fact.
const (
	maxTold     = 5000
	maxAttempts = 20
	maxDrift    = 20
)

type paymentJSON struct {
	Subject string `json:"subject"`
	ID      string `json:"id"`
	// Omitted counts older records that are not told of.
	Omitted  int             `json:"omitted"`
	Subjects []memberJSON    `json:"subjects"`
	Lanes    []laneJSON      `json:"lanes"`
	Facts    []knownFactJSON `json:"facts"`
}

type memberJSON struct {
	Subject    string        `json:"subject"`
	ID         string        `json:"id"`
	Current    []string      `json:"current"`
	SVG        string        `json:"svg"`
	Deliveries []uint64      `json:"deliveries"`
	Taken      []int         `json:"taken"`
	Illegal    []illegalJSON `json:"illegal"`
}

type illegalJSON struct {
	N       uint64      `json:"n"`
	From    string      `json:"from"`
	To      string      `json:"to"`
	Code    verify.Code `json:"code"`
	Message string      `json:"message"`
}

type laneJSON struct {
	Subject string      `json:"subject"`
	ID      string      `json:"id"`
	Points  []pointJSON `json:"points"`
}

type pointJSON struct {
	N       uint64    `json:"n"`
	Time    time.Time `json:"time"`
	Label   string    `json:"label"`
	Verdict string    `json:"verdict"`
}

// knownFactJSON is a fact, and where it was first told.
type knownFactJSON struct {
	Name    string      `json:"name"`
	Scope   string      `json:"scope"`
	ID      string      `json:"id"`
	Meaning string      `json:"meaning"`
	Source  string      `json:"source"`
	Value   string      `json:"value"`
	N       uint64      `json:"n"`
	State   string      `json:"state"`
	Pointer string      `json:"pointer"`
	Drift   []driftJSON `json:"drift"`
}

// driftJSON is where the fact was told otherwise.
type driftJSON struct {
	N       uint64 `json:"n"`
	Value   string `json:"value"`
	Pointer string `json:"pointer"`
}

// payment tells where one payment stands, and what is known of it.
func (h *handler) payment(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	sub := h.c.Subject(q.Get("subject"))
	if sub == nil {
		refuse(w, http.StatusNotFound, "there is no such subject in the contract")
		return
	}
	h.digest.mu.Lock()
	out, ok := h.digest.payment(newParty(sub, q.Get("id")))
	h.digest.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "nothing is known of it, or not any more")
		return
	}
	reply(w, http.StatusOK, out)
}

// account is what is gathered of one payment.
type account struct {
	i       *Inspector
	members []*member
	facts   map[factKey]*told
	// judge judges what was sent, which nobody else has.
	judge *verify.Checker
}

type member struct {
	party
	marks graph.Marks
	out   memberJSON
	lane  laneJSON
}

type factKey struct {
	fact *contract.Fact
	of   party
}

// told is a fact's first value, and what it is told as.
type told struct {
	value jsondoc.Value
	sound bool
	out   knownFactJSON
}

func (d *digest) payment(p party) (paymentJSON, bool) {
	d.update()
	if d.parties[p] == nil {
		return paymentJSON{}, false
	}
	family, at := d.related(p)
	omitted := max(0, len(at)-maxTold)
	a := &account{i: d.i, facts: map[factKey]*told{}, judge: verify.NewChecker(d.i.c, verify.Strict{})}
	for _, x := range family {
		a.members = append(a.members, &member{
			party: x, lane: laneJSON{x.subject.Name, x.id, []pointJSON{}},
			out: memberJSON{Subject: x.subject.Name, ID: x.id, Current: []string{}, Deliveries: []uint64{}, Taken: []int{}, Illegal: []illegalJSON{}},
		})
	}
	for _, n := range at[omitted:] {
		if e := d.i.store.get(n); e != nil {
			a.add(e)
		}
	}
	out := paymentJSON{Subject: p.subject.Name, ID: p.id, Omitted: omitted, Facts: a.known()}
	for n, m := range a.members {
		out.Subjects, out.Lanes = append(out.Subjects, m.finish(n)), append(out.Lanes, m.lane)
	}
	return out, true
}

// add takes one record into account.
func (a *account) add(e *entry) {
	body := a.i.read(e)
	parties := body.parties()
	v := a.i.verdict(&e.Record)
	if e.Direction == journal.Sent {
		v = a.judge.Check(e.Body, "")
	}
	if len(parties) > 0 && parties[0].subject == body.model.Subject {
		if m := a.member(parties[0]); m != nil {
			m.add(e, v, body)
		}
	}
	for _, f := range body.fields() {
		at := slices.IndexFunc(parties, func(p party) bool { return p.subject == f.Fact.Scope })
		if at >= 0 && a.member(parties[at]) != nil {
			a.fact(f, parties[at], e, body)
		}
	}
}

func (a *account) member(p party) *member {
	if n := slices.IndexFunc(a.members, func(m *member) bool { return m.party == p }); n >= 0 {
		return a.members[n]
	}
	return nil
}

// add takes a record into account that is about the member itself.
func (m *member) add(e *entry, v verify.Verdict, body payload) {
	from, to := move(v)
	if to == "" {
		to = body.spelled
	}
	m.out.Deliveries = append(m.out.Deliveries, e.n)
	m.lane.Points = append(m.lane.Points, pointJSON{e.n, e.Time, to, verdictOf(&e.Record)})
	bad := illegal(v)
	if bad == nil {
		if e.OK {
			m.marks.Add(v)
		}
		return
	}
	m.out.Illegal = append(m.out.Illegal, illegalJSON{e.n, from, to, bad.Code, clip(bad.Message, maxMessage)})
	switch {
	case len(m.marks.Illegal) >= maxAttempts:
	case v.State != nil:
		m.marks.Add(v)
	default:
		m.marks.Illegal = append(m.marks.Illegal, graph.Attempt{From: from, To: to, Reason: clip(bad.Message, maxMessage), Count: 1})
	}
}

func (m *member) finish(n int) memberJSON {
	m.marks.Locate()
	for _, st := range m.marks.Current {
		m.out.Current = append(m.out.Current, st.Label())
	}
	for e := range maps.Keys(m.marks.Taken) {
		m.out.Taken = append(m.out.Taken, e.Index)
	}
	slices.Sort(m.out.Taken)
	m.out.SVG = string(graph.SVG(m.subject, &m.marks, graph.Options{ID: fmt.Sprintf("payment-%d-", n)}))
	return m.out
}

// fact takes note of what a record tells. What a sound one says counts before
// what another says, whichever came first.
func (a *account) fact(f contract.Field, of party, e *entry, body payload) {
	key, value := factKey{f.Fact, of}, *body.doc.At(f.Pointer)
	was := a.facts[key]
	if was == nil {
		was = &told{value: value, sound: e.OK}
		was.out = knownFactJSON{
			Name: f.Fact.Name, Scope: of.subject.Name, ID: of.id, Meaning: f.Fact.Meaning, Source: contract.Basis(f.Fact.Source, f.Fact.Derived),
			Value: shown(value), N: e.n, State: body.spelled, Pointer: f.Pointer.String(), Drift: []driftJSON{},
		}
		a.facts[key] = was
		return
	}
	if payment.Equal(f.Fact, was.value, value) {
		was.sound = was.sound || e.OK
		return
	}
	other := driftJSON{e.n, shown(value), f.Pointer.String()}
	if e.OK && !was.sound {
		other = driftJSON{was.out.N, was.out.Value, was.out.Pointer}
		was.value, was.sound = value, true
		was.out.Value, was.out.N, was.out.State, was.out.Pointer = shown(value), e.n, body.spelled, f.Pointer.String()
	}
	if len(was.out.Drift) < maxDrift {
		was.out.Drift = append(was.out.Drift, other)
	}
}

// known lists the facts, member by member, in the contract's order.
func (a *account) known() []knownFactJSON {
	out := []knownFactJSON{}
	for _, m := range a.members {
		for _, f := range a.i.c.Facts {
			if t := a.facts[factKey{f, m.party}]; t != nil {
				out = append(out, t.out)
			}
		}
	}
	return out
}
