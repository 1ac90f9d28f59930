// Package contract holds a gateway's webhook contract, read from a folder of
// JSON files: which subjects there are, the states each can be in, the
// transitions between them, what every event carries, and the source of each
// of these in the gateway's documents. The program knows no gateway of its own;
// all it does is driven by a Contract.
package contract

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/internal/signature"
)

// EventScope is the scope of a fact that belongs to a single event.
const EventScope = "event"

// Contract is a loaded pack. It is immutable and safe for concurrent use.
type Contract struct {
	// Name says in a few words whose webhooks these are.
	Name string
	// Version is the pack's own; empty when it has none.
	Version string
	// Envelope says where every event carries its name and its states.
	Envelope Envelope
	// Subjects are the things that have a state, the payment's own first.
	Subjects []*Subject
	// Facts are all facts a payload can carry, in the order of facts.json.
	Facts []*Fact
	// Delivery is what the gateway takes as a successful delivery.
	Delivery Delivery
	// Signature is how deliveries are signed; nil when they are not.
	Signature *Signature
	// Answers are what a receiver answers.
	Answers Answers
	// Roles say what the states and facts mean to a merchant; nil when the pack
	// does not say.
	Roles *Roles
	// Statistics are the numbers over many payments that the documents mention; nil
	// when the pack names none.
	Statistics *Statistics
	// Flow is the documented order of one payment's events.
	Flow []*State
	// FlowSource is where the documents give that order.
	FlowSource string
	// Epoch is the moment at which the payment of the documented samples starts.
	Epoch time.Time

	facts  map[string]*Fact
	events map[string][]*State
}

// Envelope points to the members by which an event is recognised.
type Envelope struct {
	Event, State, PreviousState jsondoc.Pointer
}

// Delivery is the documented rule for success.
type Delivery struct {
	// Success lists the statuses that count.
	Success []int
	// Timeout is how long the gateway waits for the whole answer.
	Timeout time.Duration
	// Backoff is how long the gateway waits before each retry of a delivery that
	// failed; its length is the number of retries.
	Backoff []time.Duration
	// Source is where the documents say so.
	Source string
}

// Signature says how a delivery is signed.
type Signature struct {
	// Scheme is a well-known one, or the HMAC-SHA256 of the body in a header.
	Scheme signature.Scheme
	// Header carries the signature.
	Header string
	// Answer is what a wrong signature is answered.
	Answer Answer
	Source string
}

// Answer is a receiver's answer to one kind of delivery.
type Answer struct {
	Status int
	// Body is the canonical JSON of the answer's body.
	Body            jsondoc.Value
	Source, Derived string
}

// Answers are a receiver's answers by what was found.
type Answers struct {
	// OK answers a first, legal delivery; Duplicate a repeated one.
	OK, Duplicate Answer
	// WrongEvent answers an event that does not belong to the path.
	WrongEvent Answer
	// Invalid answers a payload that breaks its schema.
	Invalid Answer
	// Conflict answers an illegal transition or a contradiction.
	Conflict Answer
	// Broken is what the documents answer when the receiver itself fails; its
	// Status is zero where they name none.
	Broken Answer
}

// NamedAnswer is an answer, by its name in the pack, and when it is given.
type NamedAnswer struct {
	Name, Meaning string
	Answer        Answer
}

// AllAnswers lists every answer that the pack names, a wrong signature's included.
func (c *Contract) AllAnswers() []NamedAnswer {
	a := &c.Answers
	out := []NamedAnswer{
		{"ok", "accepted", a.OK},
		{"duplicate", "it came before, and is not processed again", a.Duplicate},
		{"wrongEvent", "the event does not belong to this path", a.WrongEvent},
		{"invalid", "the payload breaks its schema", a.Invalid},
		{"conflict", "an illegal transition, or a contradiction", a.Conflict},
	}
	if c.Signature != nil {
		out = append(out, NamedAnswer{"signature", "the signature is missing or wrong", c.Signature.Answer})
	}
	if a.Broken.Status != 0 {
		out = append(out, NamedAnswer{"broken", "the receiver failed", a.Broken})
	}
	return out
}

// Subject is a thing whose states the gateway reports.
type Subject struct {
	// Name is what the user types.
	Name    string
	Meaning string
	// ID is the fact that identifies one of its kind.
	ID *Fact
	// Initial is the state it starts in; no event leads to it.
	Initial *State
	// States are the states that events lead to, nearest to Initial first.
	States []*State
	// Edges are the legal transitions; an edge's Index is its place here.
	Edges []*Edge
}

// State is one state of a subject and the event that reports it.
type State struct {
	Subject *Subject
	// Name is what the user types, and the name of the state's file.
	Name string
	// Wire is how payloads spell the state; empty when none ever does.
	Wire string
	// File is the path of the file inside the pack.
	File string
	// Event is the name of the event, Path where it is delivered.
	Event, Path string
	// From are the transitions that lead here, the usual one first.
	From []*Edge
	// At is when the event happens in the documented rhythm, counted from the
	// start of the payment.
	At time.Duration
	// Late is by how much more the event may come, at the most.
	Late time.Duration
	// Meaning is set for an initial state.
	Meaning string
	// Source is the document that defines the state; Derived, when not empty,
	// says why its fields are a ruling and not documented.
	Source, Derived string
	// Sample is the documented payload.
	Sample jsondoc.Value
	// Relations must hold between the facts of a payment in this state.
	Relations []*Relation

	schema   lazySchema
	once     sync.Once
	acceptor *schema.Acceptor
	carried  sync.Once
	carry    func() []Field // nil where nothing is carried
	fields   []Field
}

// Fields are the members that carry a fact, in the sample's order. They are found
// when first asked for, where Open read the pack, and are not to be changed.
func (s *State) Fields() []Field {
	s.carried.Do(func() {
		if s.carry != nil {
			s.fields, s.carry = s.carry(), nil
		}
	})
	return s.fields
}

// Acceptor returns what says yes to sound payloads of this state, in one pass
// over their bytes, and captures the Fields in their order; nil where the schema
// is too rich for it. It is compiled when first asked for.
func (s *State) Acceptor(env Envelope) *schema.Acceptor {
	s.once.Do(func() {
		fields := s.Fields()
		capture := make([]jsondoc.Pointer, len(fields))
		for i, f := range fields {
			capture[i] = f.Pointer
		}
		fixed := []schema.Fixed{{Pointer: env.Event, Text: s.Event}, {Pointer: env.State, Text: s.Wire}}
		if a, ok := s.Schema().Acceptor(capture, fixed); ok {
			s.acceptor = a
		}
	})
	return s.acceptor
}

// Field is a member of a payload that carries a fact.
type Field struct {
	Pointer jsondoc.Pointer
	Fact    *Fact
	// Required is set when a payload without the member breaks the contract.
	Required bool
	// Known are the values the documents name for this member; others are
	// noticed but not refused.
	Known []jsondoc.Value

	of    *State
	where jsondoc.Pointer // of its schema, below the state's
}

// Path returns the member's dotted path, as the user types it after --set.
func (f Field) Path() string { return strings.Join(f.Pointer, ".") }

// Edge is a legal transition.
type Edge struct {
	Index    int
	From, To *State
	// Trigger says what makes it happen.
	Trigger         string
	Source, Derived string

	compatible uint64 // edges that can be on one path with this one
	before     uint64 // edges that can precede this one on a path
	after      uint64 // edges that can follow this one on a path
	into       uint64 // edges that lead to From
}

// String returns "Pending→Complete".
func (e *Edge) String() string { return e.From.Label() + "→" + e.To.Label() }

// Edges is a set of one subject's edges, a bit for each Index.
type Edges uint64

// Has reports whether e is in the set.
func (s Edges) Has(e *Edge) bool { return s&(1<<e.Index) != 0 }

// With returns the set with e.
func (s Edges) With(e *Edge) Edges { return s | 1<<e.Index }

// Contradicts returns an edge of the set that cannot be on one path with e, or
// nil when there is none.
func (s Edges) Contradicts(e *Edge) *Edge { return e.To.Subject.lowest(uint64(s) &^ e.compatible) }

// Overtook returns an edge of the set that comes only after e on every path, or
// nil when there is none: e, if it arrives now, is late.
func (s Edges) Overtook(e *Edge) *Edge {
	return e.To.Subject.lowest(uint64(s) & e.after &^ e.before)
}

// Missing reports whether the set lacks any edge that leads to where e starts.
func (s Edges) Missing(e *Edge) bool {
	return e.From != e.To.Subject.Initial && uint64(s)&e.into == 0
}

// Label returns the state as payloads spell it, or its name when none does.
func (s *State) Label() string {
	if s.Wire != "" {
		return s.Wire
	}
	return s.Name
}

// IsInitial reports whether no event leads to the state.
func (s *State) IsInitial() bool { return s == s.Subject.Initial }

// IsFinal reports whether no transition leaves the state.
func (s *State) IsFinal() bool { return len(s.Next()) == 0 }

// Next returns the transitions that leave the state.
//
//go:noinline
func (s *State) Next() []*Edge {
	var out []*Edge
	for _, e := range s.Subject.Edges {
		if e.From == s {
			out = append(out, e)
		}
	}
	return out
}

// Reaches reports whether a payment in state s can still come to, or already
// is in, state t of the same subject.
func (s *State) Reaches(t *State) bool {
	if s == t {
		return true
	}
	seen := map[*State]bool{s: true}
	for queue := []*State{s}; len(queue) > 0; queue = queue[1:] {
		for _, e := range queue[0].Next() {
			if e.To == t {
				return true
			}
			if !seen[e.To] {
				seen[e.To] = true
				queue = append(queue, e.To)
			}
		}
	}
	return false
}

// String returns the subject and the state, as the user types them.
func (s *State) String() string { return s.Subject.Name + " " + s.Name }

// ReportsPrevious reports whether the state's event says which state was left.
func (s *State) ReportsPrevious(env Envelope) bool {
	return s.Sample.At(env.PreviousState) != nil
}

// EdgeFrom returns the legal transition from a state, or nil.
func (s *State) EdgeFrom(from *State) *Edge {
	for _, e := range s.From {
		if e.From == from {
			return e
		}
	}
	return nil
}

// Edge returns the transition between two states, or nil when it is illegal.
func (s *Subject) Edge(from, to *State) *Edge { return to.EdgeFrom(from) }

func (s *Subject) lowest(set uint64) *Edge {
	for _, e := range s.Edges {
		if set&(1<<e.Index) != 0 {
			return e
		}
	}
	return nil
}

// State finds a state by what a user typed: its name or its spelling in
// payloads, in any case. It returns nil when there is none.
func (s *Subject) State(typed string) *State {
	all := append([]*State{s.Initial}, s.States...)
	for _, st := range all {
		if strings.EqualFold(st.Name, typed) {
			return st
		}
	}
	return s.find(all, func(st *State) bool { return st.Wire != "" && strings.EqualFold(st.Wire, typed) })
}

// Spelled finds a state by its exact spelling in payloads, or nil.
func (s *Subject) Spelled(wire string) *State {
	if s.Initial.Wire != "" && s.Initial.Wire == wire {
		return s.Initial
	}
	return s.find(s.States, func(st *State) bool { return st.Wire == wire })
}

func (*Subject) find(states []*State, is func(*State) bool) *State {
	if i := slices.IndexFunc(states, is); i >= 0 {
		return states[i]
	}
	return nil
}

// StateNames lists the states that events lead to, as the user types them.
func (s *Subject) StateNames() []string { return names(s.States) }

// Subject finds a subject by its name in any case, or nil.
func (c *Contract) Subject(typed string) *Subject {
	for _, s := range c.Subjects {
		if strings.EqualFold(s.Name, typed) {
			return s
		}
	}
	return nil
}

// SubjectNames lists the subjects, as the user types them.
func (c *Contract) SubjectNames() []string {
	out := make([]string, len(c.Subjects))
	for i, s := range c.Subjects {
		out[i] = s.Name
	}
	return out
}

// States lists every state that an event leads to, subject by subject.
//
//go:noinline
func (c *Contract) States() []*State {
	var out []*State
	for _, s := range c.Subjects {
		out = append(out, s.States...)
	}
	return out
}

// Paths lists the paths events are delivered to, in order, each once.
//
//go:noinline
func (c *Contract) Paths() []string {
	var out []string
	for _, s := range c.States() {
		if !slices.Contains(out, s.Path) {
			out = append(out, s.Path)
		}
	}
	return out
}

// Fact finds a fact by name, or nil.
func (c *Contract) Fact(name string) *Fact { return c.facts[name] }

// FactNames lists the facts' names.
func (c *Contract) FactNames() []string {
	out := make([]string, len(c.Facts))
	for i, f := range c.Facts {
		out[i] = f.Name
	}
	return out
}

// Event returns the states an event of that name can report.
func (c *Contract) Event(name string) []*State { return c.events[name] }

// EventNames lists the events, in the order of the states.
func (c *Contract) EventNames() []string {
	var out []string
	for _, s := range c.States() {
		if !slices.Contains(out, s.Event) {
			out = append(out, s.Event)
		}
	}
	return out
}

//go:noinline
func names(states []*State) []string {
	out := make([]string, len(states))
	for i, s := range states {
		out[i] = s.Name
	}
	return out
}

// Name returns the last token of the field's pointer.
func (f Field) Name() string { return f.Pointer[len(f.Pointer)-1] }

// Carries finds a fact that the state's event carries, by its name, or nil.
//
//go:noinline
func (s *State) Carries(name string) *Fact {
	for _, f := range s.Fields() {
		if f.Fact.Name == name {
			return f.Fact
		}
	}
	return nil
}

// FactNames lists the facts that the state's event carries, each once.
func (s *State) FactNames() []string {
	var out []string
	for _, f := range s.Fields() {
		if !slices.Contains(out, f.Fact.Name) {
			out = append(out, f.Fact.Name)
		}
	}
	return out
}
