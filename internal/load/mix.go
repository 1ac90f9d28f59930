package load

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/internal/suggest"
)

const (
	maxWeight = 1_000_000
	maxMix    = 64
)

// Mix says which outcomes payments come to, and how often each. It is immutable.
type Mix struct {
	// Outcomes are those asked for, in the order they were given.
	Outcomes []Outcome

	states []*contract.State // that events are sent for, in the contract's order
	total  float64
}

// Outcome is an end of a payment's life.
type Outcome struct {
	// Name is as it was typed; State is what it means.
	Name   string
	State  *contract.State
	Weight float64
	// Walks are the ways there, each as likely as the others.
	Walks []Walk
}

// Walk is the events of one payment in their documented order.
type Walk struct {
	// Name is the scenario's.
	Name  string
	Steps []Step

	facts  map[*contract.Fact]jsondoc.Value
	toward []*contract.State
}

// Step is one event of a walk.
type Step struct {
	State *contract.State
	// From is the state that was left; nil for the usual one.
	From *contract.State

	slot int // of the state among those of the mix
}

// MixError says why a mix was refused; At is the byte of the input where the
// refused part starts.
type MixError struct {
	Input   string
	At      int
	Problem string
}

func (e *MixError) Error() string {
	return fmt.Sprintf("mix %.100q, at character %d: %s", e.Input, e.At+1, e.Problem)
}

// ParseMix reads outcomes and their weights, such as
// "paid=70,expired=20,failed=10". An outcome is a role of the contract (paid), a
// final state by its name, or by its subject and name with a slash between. Paths are
// what leads there: the result of scenario.AllPaths. An empty input takes every
// outcome of the payment's own subject, all equally often. Errors are *MixError.
func ParseMix(c *contract.Contract, paths []*scenario.Scenario, s string) (*Mix, error) {
	m, at := &Mix{}, 0
	if s == "" {
		s = everything(c, paths)
	}
	if strings.Count(s, ",") >= maxMix {
		return nil, &MixError{s, 0, fmt.Sprintf("has more than %d outcomes", maxMix)}
	}
	for item := range strings.SplitSeq(s, ",") {
		o, problem := outcome(c, paths, item)
		if i := m.index(o.State); problem == "" && i >= 0 {
			problem = fmt.Sprintf("%s is there twice: %s means it, too", o.State, m.Outcomes[i].Name)
		}
		if problem != "" {
			return nil, &MixError{s, at, problem}
		}
		m.Outcomes = append(m.Outcomes, o)
		m.total += o.Weight
		at += len(item) + 1
	}
	m.number(c)
	return m, nil
}

func everything(c *contract.Contract, paths []*scenario.Scenario) string {
	var items []string
	for _, st := range c.Subjects[0].States {
		if st.IsFinal() && len(walks(c, paths, st)) > 0 {
			items = append(items, st.Subject.Name+"/"+st.Name+"=1")
		}
	}
	return strings.Join(items, ",")
}

func (m *Mix) index(st *contract.State) int {
	return slices.IndexFunc(m.Outcomes, func(o Outcome) bool { return o.State == st })
}

func outcome(c *contract.Contract, paths []*scenario.Scenario, item string) (o Outcome, problem string) {
	name, weight, found := strings.Cut(item, "=")
	o.Name = strings.TrimSpace(name)
	if !found {
		return o, "has no weight; write outcomes as paid=70,expired=30"
	}
	w, ok := decimal(strings.TrimSpace(weight))
	if !ok || w <= 0 || w > maxWeight {
		return o, fmt.Sprintf("the weight %.40q is not a number above 0, up to %d", weight, maxWeight)
	}
	o.Weight = w
	names, states := outcomes(c, paths)
	i := slices.IndexFunc(names, func(n string) bool { return strings.EqualFold(n, o.Name) })
	if i < 0 {
		return o, fmt.Sprintf("no payment ends as %.40q%s", o.Name, suggest.Among(o.Name, "outcomes", names))
	}
	o.State = states[i]
	o.Walks = walks(c, paths, o.State)
	return o, ""
}

// outcomes lists what a mix may name and what each name means: roles, then the
// states' names where they are clear, then the whole names.
func outcomes(c *contract.Contract, paths []*scenario.Scenario) (names []string, states []*contract.State) {
	add := func(name string, st *contract.State) {
		if !slices.Contains(names, name) {
			names, states = append(names, name), append(states, st)
		}
	}
	var ends []*contract.State
	for _, st := range c.States() {
		if st.IsFinal() && len(walks(c, paths, st)) > 0 {
			ends = append(ends, st)
		}
	}
	for _, st := range ends {
		add(role(c, st), st)
	}
	for _, st := range ends {
		add(st.Name, st)
	}
	for _, st := range ends {
		add(st.Subject.Name+"/"+st.Name, st)
	}
	return names, states
}

// role returns what a state means to a merchant, or its whole name.
func role(c *contract.Contract, st *contract.State) string {
	name := st.Subject.Name + "/" + st.Name
	if c.Roles == nil {
		return name
	}
	for r, of := range c.Roles.States() {
		if of == st {
			name = r
		}
	}
	return name
}

// walks returns the legal event sequences that end in st, or pass it where it
// ends another subject.
func walks(c *contract.Contract, paths []*scenario.Scenario, st *contract.State) []Walk {
	var out []Walk
	for _, p := range paths {
		if w := walk(c, p); slices.ContainsFunc(w.Steps, func(s Step) bool { return s.State == st }) {
			out = append(out, w)
		}
	}
	return out
}

func walk(c *contract.Contract, p *scenario.Scenario) Walk {
	w := Walk{Name: p.Name, facts: p.Facts}
	var own []*contract.State
	for _, s := range p.Sends() {
		w.Steps = append(w.Steps, Step{State: s.Send, From: s.From})
		own = append(own, s.Send)
	}
	if slices.Equal(own, ofSubject(c.Flow, c.Subjects[0])) && len(c.Flow) > len(own) {
		w.Steps = nil
		for _, st := range c.Flow {
			w.Steps = append(w.Steps, Step{State: st})
		}
	}
	if p.Outcome != nil {
		w.toward = []*contract.State{p.Outcome}
	}
	return w
}

func ofSubject(states []*contract.State, sub *contract.Subject) []*contract.State {
	return slices.DeleteFunc(slices.Clone(states), func(st *contract.State) bool { return st.Subject != sub })
}

// number gives each state that is sent a slot, in the contract's order.
func (m *Mix) number(c *contract.Contract) {
	sent := map[*contract.State]bool{}
	m.each(func(s *Step) { sent[s.State] = true })
	m.states = slices.DeleteFunc(c.States(), func(st *contract.State) bool { return !sent[st] })
	m.each(func(s *Step) { s.slot = slices.Index(m.states, s.State) })
}

func (m *Mix) each(f func(*Step)) {
	for _, o := range m.Outcomes {
		for _, w := range o.Walks {
			for i := range w.Steps {
				f(&w.Steps[i])
			}
		}
	}
}

// longest returns the number of events of the longest walk.
func (m *Mix) longest() int {
	n := 0
	for _, o := range m.Outcomes {
		for _, w := range o.Walks {
			n = max(n, len(w.Steps))
		}
	}
	return n
}

// pick chooses the walk of a payment; r is the payment's own randomness.
func (m *Mix) pick(r *rand.Rand) (outcome int, w *Walk) {
	x := r.Float64() * m.total
	for i, o := range m.Outcomes {
		if x -= o.Weight; x < 0 {
			outcome = i
			break
		}
	}
	of := m.Outcomes[outcome].Walks
	return outcome, &of[r.IntN(len(of))]
}

// String writes the mix with shares of a hundred.
func (m *Mix) String() string {
	items := make([]string, len(m.Outcomes))
	for i, o := range m.Outcomes {
		items[i] = fmt.Sprintf("%s %.3g %%", cmp.Or(o.Name, o.State.String()), 100*o.Weight/m.total)
	}
	return strings.Join(items, ", ")
}
