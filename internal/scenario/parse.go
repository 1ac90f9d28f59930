package scenario

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sort"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/suggest"
)

const (
	maxSteps      = 1000
	maxRepeat     = 1000
	maxDeliveries = 10_000
	maxWait       = 10 * 365 * 24 * time.Hour
)

// Error is why a scenario is refused, and where in its file.
type Error struct {
	File         string
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Parse reads a scenario from YAML; file is its name in errors, which are
// *Error with the line and column of what is wrong.
func Parse(c *contract.Contract, file string, raw []byte) (s *Scenario, err error) {
	p := &parser{c: c, file: file}
	defer func() {
		// yaml.v3 has panicked on hostile input before.
		if r := recover(); r != nil {
			s, err = nil, &Error{file, 1, 1, fmt.Sprintf("is no YAML that can be read: %v", r)}
		}
	}()
	if len(raw) > MaxFileBytes {
		return nil, &Error{file, 1, 1, fmt.Sprintf("is larger than %d bytes", MaxFileBytes)}
	}
	root, err := p.document(raw)
	if err != nil {
		return nil, err
	}
	s = &Scenario{Name: strings.TrimSuffix(path.Base(strings.ReplaceAll(file, `\`, "/")), path.Ext(file)), File: file}
	p.scenario(root, s)
	if p.err != nil {
		return nil, p.err
	}
	return s, nil
}

type parser struct {
	c    *contract.Contract
	file string
	err  *Error
}

func (p *parser) fail(n *yaml.Node, format string, args ...any) {
	if p.err == nil {
		p.err = &Error{p.file, max(n.Line, 1), max(n.Column, 1), fmt.Sprintf(format, args...)}
	}
}

func (p *parser) document(raw []byte) (*yaml.Node, error) {
	doc, more, err := decode(raw)
	switch {
	case errors.Is(err, io.EOF):
		return nil, &Error{p.file, 1, 1, "is empty: it takes steps"}
	case err != nil:
		return nil, p.syntax(raw, err)
	case more > 0:
		return nil, &Error{p.file, more, 1, "holds a second document; a file is one scenario"}
	}
	p.noAlias(doc.Content[0])
	if p.err != nil {
		return nil, p.err
	}
	return doc.Content[0], nil
}

// decode reads a document; more is the line of a second one, or 0.
func decode(raw []byte) (doc *yaml.Node, more int, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var first, second yaml.Node
	if err := dec.Decode(&first); err != nil {
		return nil, 0, err
	}
	err = dec.Decode(&second)
	if errors.Is(err, io.EOF) {
		return &first, 0, nil
	}
	return &first, max(second.Line, 1), err
}

// syntax finds the line at which a file stops being YAML: the parser's own is
// the one before, or the one on which an enclosing list began.
func (p *parser) syntax(raw []byte, err error) *Error {
	lines := bytes.SplitAfter(raw, []byte{'\n'})
	line := 1 + sort.Search(len(lines)-1, func(i int) bool {
		_, _, again := decode(bytes.Join(lines[:i+1], nil))
		return again != nil && message(again) == message(err)
	})
	return &Error{p.file, line, 1, "is no YAML: " + message(err)}
}

// message drops the line from "yaml: line 3: did not find…".
func message(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if number, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(number, "line ") {
		return rest
	}
	return text
}

func (p *parser) noAlias(n *yaml.Node) {
	if n.Kind == yaml.AliasNode {
		p.fail(n, "the alias *%.80s is not followed: write out what it stands for", n.Value)
	}
	for _, x := range n.Content {
		p.noAlias(x)
	}
}

// mapping calls the function of each key; a key without one is refused.
func (p *parser) mapping(n *yaml.Node, what string, keys map[string]func(*yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, "%s takes keys and values, such as %s", what, strings.Join(sorted(keys), ", "))
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content) && p.err == nil; i += 2 {
		key := n.Content[i]
		read, known := keys[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			p.fail(key, "a key of %s is a word, such as %s", what, strings.Join(sorted(keys), ", "))
		case !known:
			p.fail(key, "unknown key %.80q in %s%s", key.Value, what, suggest.Among(key.Value, "it takes", sorted(keys)))
		case seen[key.Value]:
			p.fail(key, "%s has the key %s twice", what, key.Value)
		default:
			seen[key.Value] = true
			read(n.Content[i+1])
		}
	}
}

func sorted(keys map[string]func(*yaml.Node)) []string {
	out := make([]string, 0, len(keys))
	for k := range keys {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func (p *parser) scenario(n *yaml.Node, s *Scenario) {
	steps := n
	p.mapping(n, "a scenario", map[string]func(*yaml.Node){
		"description": func(v *yaml.Node) { s.Description = p.text(v) },
		"outcome":     func(v *yaml.Node) { s.Outcome = p.outcome(v) },
		"facts":       func(v *yaml.Node) { s.Facts = p.facts(v) },
		"steps":       func(v *yaml.Node) { steps = v; s.Steps = p.steps(v) },
	})
	if p.err == nil && len(s.Sends()) == 0 {
		p.fail(steps, "sends nothing: it takes steps, with at least one send")
	}
}

func (p *parser) text(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag != "!!null":
		return n.Value
	case n.Kind == yaml.ScalarNode:
		p.fail(n, "takes a text, and there is none")
	default:
		p.fail(n, "takes a text, and not a list or keys and values")
	}
	return ""
}

func (p *parser) outcome(n *yaml.Node) *contract.State {
	main := p.c.Subjects[0]
	st := main.State(p.text(n))
	if st == nil || st.IsInitial() {
		p.fail(n, "unknown state %.80q for %s%s", n.Value, main.Name, suggest.Among(n.Value, "states", main.StateNames()))
		return nil
	}
	return st
}

func (p *parser) facts(n *yaml.Node) map[*contract.Fact]jsondoc.Value {
	out := map[*contract.Fact]jsondoc.Value{}
	keys := map[string]func(*yaml.Node){}
	for _, f := range p.c.Facts {
		keys[f.Name] = func(v *yaml.Node) {
			value, err := payment.FactValue(f, p.text(v))
			if err != nil {
				p.fail(v, "%.100q is no value of %s: it takes a %s", v.Value, f.Name, f.Takes())
			}
			out[f] = value
		}
	}
	p.mapping(n, "facts", keys)
	return out
}

func (p *parser) steps(n *yaml.Node) []Step {
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "steps takes a list")
		return nil
	}
	if len(n.Content) > maxSteps {
		p.fail(n, "steps has %d entries; at most %d are played", len(n.Content), maxSteps)
		return nil
	}
	out := make([]Step, 0, len(n.Content))
	sent := map[*contract.State]bool{}
	var waits time.Duration
	deliveries := 0
	for _, x := range n.Content {
		s := p.step(x)
		waits = min(waits+s.Wait, maxWait+1)
		switch {
		case waits > maxWait:
			p.fail(x, "the waits add up to more than ten years")
		case s.Send != nil:
			if deliveries += s.Repeat; deliveries > maxDeliveries {
				p.fail(x, "the deliveries add up to more than %d", maxDeliveries)
			}
			if sent[s.Send] && s.At >= 0 {
				p.fail(x, "at belongs to the first delivery of %s: the same event happens once", s.Send)
			}
			sent[s.Send] = true
		}
		out = append(out, s)
	}
	return out
}

func (p *parser) step(n *yaml.Node) Step {
	s := Step{Line: n.Line, Column: n.Column, At: -1, Repeat: 1}
	kinds, from := 0, (*yaml.Node)(nil)
	only := "" // a key that needs send
	sendOnly := func(name string, read func(*yaml.Node)) func(*yaml.Node) {
		return func(v *yaml.Node) { only = name; read(v) }
	}
	p.mapping(n, "a step", map[string]func(*yaml.Node){
		"send":   func(v *yaml.Node) { kinds++; s.Send = p.state(v) },
		"wait":   func(v *yaml.Node) { kinds++; s.Wait = p.duration(v) },
		"state":  func(v *yaml.Node) { kinds++; s.Reach = p.state(v) },
		"from":   sendOnly("from", func(v *yaml.Node) { from = v }),
		"at":     sendOnly("at", func(v *yaml.Node) { s.At = p.duration(v) }),
		"repeat": sendOnly("repeat", func(v *yaml.Node) { s.Repeat = p.integer(v, 1, maxRepeat) }),
		"fault":  sendOnly("fault", func(v *yaml.Node) { s.Fault = p.fault(v) }),
		"set":    sendOnly("set", func(v *yaml.Node) { p.edits(v, generate.Set, &s) }),
		"add":    sendOnly("add", func(v *yaml.Node) { p.edits(v, generate.Add, &s) }),
		"remove": sendOnly("remove", func(v *yaml.Node) { p.edits(v, generate.Remove, &s) }),
		"answer": sendOnly("answer", func(v *yaml.Node) { s.Answer = p.answer(v) }),
	})
	switch {
	case p.err != nil:
	case kinds != 1:
		p.fail(n, "a step takes exactly one of send, wait and state")
	case only != "" && s.Send == nil:
		p.fail(n, "%s belongs to a step with send", only)
	case from != nil:
		s.From = p.from(from, s.Send)
	}
	return s
}

// state reads "SUBJECT STATE".
func (p *parser) state(n *yaml.Node) *contract.State {
	words := strings.Fields(p.text(n))
	if len(words) != 2 {
		p.fail(n, "takes SUBJECT STATE, such as %s", p.c.States()[0])
		return nil
	}
	sub := p.c.Subject(words[0])
	if sub == nil {
		p.fail(n, "unknown subject %.80q%s", words[0], suggest.Among(words[0], "subjects", p.c.SubjectNames()))
		return nil
	}
	st := sub.State(words[1])
	if st == nil {
		p.fail(n, "unknown state %.80q for %s%s", words[1], sub.Name, suggest.Among(words[1], "states", sub.StateNames()))
		return nil
	}
	if st.IsInitial() {
		p.fail(n, "no webhook carries %s: %s%s", st, st.Meaning, suggest.Among("", "states", sub.StateNames()))
		return nil
	}
	return st
}

// from reads the state that was left. An illegal one is allowed: the scenario
// then is a test of what the endpoint does with it.
func (p *parser) from(n *yaml.Node, to *contract.State) *contract.State {
	sub := to.Subject
	st := sub.State(p.text(n))
	if st == nil {
		p.fail(n, "unknown state %.80q for %s%s", n.Value, sub.Name, suggest.Among(n.Value, "states", append([]string{sub.Initial.Name}, sub.StateNames()...)))
	}
	return st
}

func (p *parser) duration(n *yaml.Node) time.Duration {
	d, err := time.ParseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || n.Value[0] == '-' || d > maxWait {
		p.fail(n, "%.80q is no duration: it takes one such as 30m, 14m52.5s or 24h", n.Value)
	}
	return d
}

func (p *parser) integer(n *yaml.Node, low, high int) int {
	i, ok := whole(n)
	if !ok || i < low || i > high {
		p.fail(n, "%.80q is out of range: it takes an integer from %d to %d", n.Value, low, high)
	}
	return i
}

func whole(n *yaml.Node) (i int, ok bool) {
	ok = n.Kind == yaml.ScalarNode && n.Tag == "!!int" && n.Decode(&i) == nil
	return i, ok
}

func (p *parser) fault(n *yaml.Node) deliver.Fault {
	f, ok := deliver.ParseFault(p.text(n))
	if !ok || f == deliver.NoFault {
		p.fail(n, "unknown fault %.80q%s", n.Value, suggest.Among(n.Value, "faults", faultNames()))
	}
	return f
}

func faultNames() []string {
	var out []string
	for _, f := range deliver.Faults() {
		out = append(out, string(f))
	}
	return out
}

func (p *parser) edits(n *yaml.Node, kind generate.EditKind, s *Step) {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	for _, x := range list {
		e := generate.Edit{Kind: kind, Expression: p.text(x)}
		s.Edits = append(s.Edits, e)
	}
}

func (p *parser) answer(n *yaml.Node) Answer {
	if n.Kind == yaml.ScalarNode && n.Value == "any" {
		return Answer{Any: true}
	}
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	var a Answer
	for _, x := range list {
		i, ok := whole(x)
		if !ok || i < 100 || i > 599 {
			p.fail(x, "%.80q is no answer: it takes a status such as 200, a list of them, or any", x.Value)
		}
		a.Statuses = append(a.Statuses, i)
	}
	if len(a.Statuses) == 0 {
		p.fail(n, "answer is empty: it takes a status such as 200, a list of them, or any")
	}
	return a
}
