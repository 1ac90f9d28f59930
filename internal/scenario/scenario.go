// Package scenario plays a payment's life: a list of steps, read from YAML,
// planned on a virtual clock and carried out against an endpoint.
package scenario

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/suggest"
)

// Folder is where a pack keeps its scenarios, one YAML file each.
const Folder = "scenarios"

// MaxFileBytes is the size above which a scenario is refused.
const MaxFileBytes = 1 << 20

// Scenario is one life of a payment.
type Scenario struct {
	// Name is the file's name without its ending.
	Name        string
	Description string
	// File is where it was read; empty for one that is built in, or made from the
	// graph.
	File string
	// Outcome is the state the payment comes to, or nil.
	Outcome *contract.State
	Facts   map[*contract.Fact]jsondoc.Value
	Steps   []Step
}

// Step is one thing to do or to expect. Exactly one of Send, Wait and Reach is
// set.
type Step struct {
	// Line and Column are where it stands in the file, from 1.
	Line, Column int
	// Send is the state whose event is delivered.
	Send *contract.State
	// From is the state that was left; nil for the usual one.
	From *contract.State
	// At is when it happens, from the start of the payment; negative takes the
	// documented rhythm.
	At time.Duration
	// Repeat is how often the delivery is made, each time the same.
	Repeat int
	Fault  deliver.Fault
	Edits  []generate.Edit
	Answer Answer
	// Wait lets time pass.
	Wait time.Duration
	// Reach is a state that the endpoint must have accepted by now.
	Reach *contract.State
}

// Answer is what an endpoint may answer.
type Answer struct {
	// Any allows everything that is answered in time and is no 5xx.
	Any bool
	// Statuses are those that are allowed; empty means what the contract counts
	// as delivered.
	Statuses []int
}

// Allows reports whether a status is one of those expected.
func (a Answer) Allows(status int, success []int) bool {
	switch {
	case a.Any:
		return status >= 200 && status < 500
	case len(a.Statuses) > 0:
		return slices.Contains(a.Statuses, status)
	}
	return slices.Contains(success, status)
}

// String says what is expected, in the words of the file.
func (a Answer) String(success []int) string {
	if a.Any {
		return "any but 5xx"
	}
	list := a.Statuses
	if len(list) == 0 {
		list = success
	}
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = fmt.Sprint(s)
	}
	return strings.Join(words, " or ")
}

// Builtin reads a pack's scenarios, in the order of their names. Each of them can
// be planned.
func Builtin(c *contract.Contract, fsys fs.FS) ([]*Scenario, error) {
	files, err := fs.Glob(fsys, Folder+"/*.yaml")
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var out []*Scenario
	for _, file := range files {
		raw, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, err
		}
		s, err := Parse(c, file, raw)
		if err != nil {
			return nil, err
		}
		if err := Judge(c, s); err != nil {
			return nil, err
		}
		s.File = ""
		out = append(out, s)
	}
	return out, nil
}

// Find returns the scenario of that name; the error names the nearest.
func Find(all []*Scenario, name string) (*Scenario, error) {
	names := make([]string, len(all))
	for i, s := range all {
		if s.Name == name {
			return s, nil
		}
		names[i] = s.Name
	}
	near := suggest.DidYouMean(name, names)
	if near == "" {
		near = ";"
	}
	return nil, fmt.Errorf("unknown scenario %q%s scenarios: %s; a file is YAML, and named by its path, such as ./%s.yaml", name, near, strings.Join(names, ", "), strings.TrimSuffix(path.Base(name), path.Ext(name)))
}

// Sends returns the steps that deliver something.
func (s *Scenario) Sends() []Step {
	return slices.DeleteFunc(slices.Clone(s.Steps), func(st Step) bool { return st.Send == nil })
}

// Ordered reports whether what is expected of the endpoint depends on the order
// of the deliveries, as it does where a step names its answer.
func (s *Scenario) Ordered() bool {
	return slices.ContainsFunc(s.Steps, func(st Step) bool { return st.Answer.Any || len(st.Answer.Statuses) > 0 })
}

// Edges returns the transitions of a subject that the scenario reports, or nil
// when it reports one that is illegal.
func (s *Scenario) Edges(of *contract.Subject) []*contract.Edge {
	var out []*contract.Edge
	for _, st := range s.Sends() {
		if st.Send.Subject != of {
			continue
		}
		from := st.From
		if from == nil {
			from = st.Send.From[0].From
		}
		e := st.Send.EdgeFrom(from)
		if e == nil {
			return nil
		}
		out = append(out, e)
	}
	return out
}

// Walks reports whether the scenario walks exactly this path, as it should be:
// in order, each delivery once, without faults and edits.
func (s *Scenario) Walks(path []*contract.Edge) bool {
	for _, st := range s.Sends() {
		if st.Repeat != 1 || st.Fault != deliver.NoFault || len(st.Edits) > 0 || st.Answer.Any || len(st.Answer.Statuses) > 0 {
			return false
		}
	}
	return len(path) > 0 && slices.Equal(s.Edges(path[0].To.Subject), path)
}

// Paths returns every maximal path through a subject's graph that visits no
// state twice.
func Paths(sub *contract.Subject) [][]*contract.Edge {
	var out [][]*contract.Edge
	var walk func(at *contract.State, taken []*contract.Edge)
	walk = func(at *contract.State, taken []*contract.Edge) {
		ended := true
		for _, e := range at.Next() {
			visited := e.To == sub.Initial || slices.ContainsFunc(taken, func(t *contract.Edge) bool { return t.To == e.To })
			if visited || len(out) >= maxPaths {
				continue
			}
			ended = false
			walk(e.To, append(slices.Clone(taken), e))
		}
		if ended && len(taken) > 0 {
			out = append(out, taken)
		}
	}
	walk(sub.Initial, nil)
	return out
}

const maxPaths = 1000

// AllPaths returns, for each maximal path of the payment's own subject, the
// scenarios that walk it, or else one made from the graph alone.
func AllPaths(c *contract.Contract, all []*Scenario) []*Scenario {
	var out []*Scenario
	for _, p := range Paths(c.Subjects[0]) {
		n := len(out)
		for _, s := range all {
			if s.Walks(p) {
				out = append(out, s)
			}
		}
		if len(out) == n {
			out = append(out, fromPath(p))
		}
	}
	return out
}

func fromPath(p []*contract.Edge) *Scenario {
	words := []string{p[0].From.Name}
	s := &Scenario{Outcome: p[len(p)-1].To}
	for _, e := range p {
		words = append(words, e.To.Name)
		s.Steps = append(s.Steps, Step{Send: e.To, From: e.From, At: -1, Repeat: 1})
	}
	s.Steps = append(s.Steps, Step{Reach: s.Outcome, At: -1})
	s.Name = strings.Join(words, "-")
	s.Description = "The path " + strings.Join(words, ", ") + "."
	return s
}
