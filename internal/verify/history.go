package verify

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

const (
	// maxValue bounds a remembered value, in bytes; of a longer one its hash is
	// kept.
	maxValue = 128
)

// history is what is known of some subjects, in the form in which a delivery can
// be judged against it and the judgement explained.
type history struct {
	c        *contract.Contract
	strict   Strict
	subjects map[key]*subject
	// coder compares what is remembered as codes alone; nil when nothing is.
	coder *coder
}

type key struct {
	kind *contract.Subject
	id   string
}

// subject is what is known of one thing that has states.
type subject struct {
	key
	seen   contract.Edges
	facts  []known
	claims []claim
	// partners holds, for a state that was reported, whom it was reported with.
	partners map[*contract.State][]key
	// owner is the payment's own subject this one belongs to.
	owner *key
	// partial is set when earlier deliveries may have been forgotten.
	partial bool
}

// known is a fact and the field that first told it.
type known struct {
	field *contract.Field
	state *contract.State
	v     jsondoc.Value
	// lost is the value's code, when all else of it is forgotten.
	lost code
}

func (x known) String() string {
	if x.lost != noCode {
		return "a value that is forgotten"
	}
	return literal(x.v)
}

// claim is a relation that a reported state demands of some subjects' facts.
type claim struct {
	rel     *contract.Relation
	parties []*subject
	own     []known // the reporting event's facts that belong to no subject
}

// observe judges a delivery.
func (h *history) observe(v *Verdict) {
	parties := h.parties(v)
	own := partyOf(parties, v.State.Subject)
	h.contradiction(v, own)
	h.partners(v, own, parties)
	h.drift(v, own, parties)
	if v.OK() {
		h.relations(v, parties)
	}
	if v.OK() {
		v.notes(own)
		h.strict.tighten(v)
	}
}

// parties returns every subject the delivery identifies.
func (h *history) parties(v *Verdict) []*subject {
	var out []*subject
	for _, kind := range h.c.Subjects {
		for _, x := range v.values {
			if x.field.Fact == kind.ID && x.v.Kind != jsondoc.Null {
				out = append(out, h.subject(key{kind, identity(kind, x.v)}))
				break
			}
		}
	}
	return out
}

// identity is what a subject is known by.
func identity(kind *contract.Subject, v jsondoc.Value) string {
	if kind.ID.Compare == contract.Caseless {
		v.Text = strings.ToLower(v.Text)
	}
	return bounded(v).Text
}

func (h *history) subject(id key) *subject {
	if s, ok := h.subjects[id]; ok {
		return s
	}
	return &subject{key: id}
}

func partyOf(parties []*subject, kind *contract.Subject) *subject {
	for _, p := range parties {
		if p.kind == kind {
			return p
		}
	}
	return nil
}

func bounded(v jsondoc.Value) jsondoc.Value {
	if len(v.Text) <= maxValue {
		return v
	}
	sum := sha256.Sum256([]byte(v.Text))
	v.Text = "sha256:" + hex.EncodeToString(sum[:])
	return v
}

func (h *history) contradiction(v *Verdict, own *subject) {
	other := own.seen.Contradicts(v.Edge)
	if other == nil {
		return
	}
	v.add(Finding{
		Code: Contradiction, Severity: Violation, Pointer: h.c.Envelope.State.String(),
		Source:  contract.Basis(v.Edge.Source, v.Edge.Derived),
		Message: fmt.Sprintf("%s %s went %s before: no path holds both that and %s", own.kind.Name, short(own.id), other, v.Edge),
	})
}

// partners notices a state reported again with other partners, and a subject
// that moves from one payment to another.
func (h *history) partners(v *Verdict, own *subject, parties []*subject) {
	for _, p := range parties {
		for _, before := range own.partners[v.State] {
			if before.kind == p.kind && before.id != p.id {
				h.mismatch(v, Conflict, p.kind, "%s %s was reported %s with %s %s before", own, before.id)
			}
		}
		for _, o := range parties {
			if o.owner != nil && o.owner.kind == p.kind && o.owner.id != p.id && !v.Has(Conflict) {
				h.mismatch(v, FactDrift, p.kind, "%s %s belonged, before it was reported %s, to %s %s", o, o.owner.id)
			}
		}
	}
}

func (h *history) mismatch(v *Verdict, code Code, kind *contract.Subject, format string, own *subject, before string) {
	for _, x := range v.values {
		if x.field.Fact == kind.ID {
			v.add(Finding{
				Code: code, Severity: Violation, Pointer: x.field.Pointer.String(), Source: kind.ID.Source,
				Expected: clip(before), Got: literal(x.v),
				Message: fmt.Sprintf(format, own.kind.Name, short(own.id), v.State.Label(), kind.Name, short(before)),
			})
			return
		}
	}
}

// drift notices a fact that differs from what was told before.
func (h *history) drift(v *Verdict, own *subject, parties []*subject) {
	code := FactDrift
	if len(own.partners[v.State]) > 0 {
		code = Conflict
	}
	for _, x := range v.values {
		p := partyOf(parties, x.field.Fact.Scope)
		if p == nil {
			continue
		}
		was, ok := p.fact(x.field.Fact)
		if !ok || h.same(x.field.Fact, v.known(x), was) {
			continue
		}
		v.add(Finding{
			Code: code, Severity: Violation, Pointer: x.field.Pointer.String(), Source: x.field.Fact.Source,
			Expected: was.String(), Got: literal(x.v),
			Message: fmt.Sprintf("%s %s: %s %s differs from %s %s, first seen in %s", p.kind.Name, short(p.id),
				x.field.Name(), literal(x.v), was.field.Name(), was, was.state),
		})
	}
}

// known is a payload's value as it is remembered.
func (v *Verdict) known(x value) known { return known{x.field, v.State, bounded(x.v), x.lost} }

// same reports whether two values of a fact are the same, or are not known to
// differ.
func (h *history) same(f *contract.Fact, a, b known) bool {
	if a.lost == noCode && b.lost == noCode {
		return payment.Equal(f, a.v, b.v)
	}
	return sameCode(h.code(f, a), h.code(f, b))
}

func (h *history) code(f *contract.Fact, x known) code {
	if x.lost != noCode {
		return x.lost
	}
	return h.coder.of(f, x.v.AppendLiteral(nil))
}

func (s *subject) fact(f *contract.Fact) (known, bool) {
	for _, x := range s.facts {
		if x.field.Fact == f {
			return x, true
		}
	}
	return known{}, false
}

// relations judges what this delivery's state demands, and what was demanded
// before of the subjects it tells about.
func (h *history) relations(v *Verdict, parties []*subject) {
	for _, c := range h.claims(v, parties) {
		h.judge(v, c)
	}
	for _, p := range parties {
		for _, c := range p.claims {
			h.judge(v, c)
		}
	}
}

func (h *history) claims(v *Verdict, parties []*subject) []claim {
	var out []claim
	for _, rel := range v.State.Relations {
		if !h.applies(rel, v) {
			continue
		}
		c := claim{rel: rel, parties: parties}
		for _, x := range v.values {
			if x.field.Fact.Scope == nil && (x.field.Fact == rel.A || x.field.Fact == rel.B) {
				c.own = append(c.own, v.known(x))
			}
		}
		out = append(out, c)
	}
	return out
}

func (h *history) applies(rel *contract.Relation, v *Verdict) bool {
	for _, cond := range rel.When {
		if !slices.ContainsFunc(v.values, func(x value) bool {
			return x.field.Fact == cond.Fact && x.lost != opaqueCode && h.same(cond.Fact, known{v: x.v, lost: x.lost}, known{v: cond.Value})
		}) {
			return false
		}
	}
	return true
}

func (h *history) judge(v *Verdict, c claim) {
	if c.rel.Kind == contract.Never {
		h.judgeNever(v, c)
		return
	}
	a, okA := c.value(c.rel.A, v)
	b, okB := c.value(c.rel.B, v)
	if !okA || !okB || h.holds(c.rel, a, b) {
		return
	}
	words := map[contract.RelationKind]string{
		contract.Equal: "must equal", contract.Different: "must differ from", contract.NotBefore: "must not be before",
	}
	in := func(x known) string {
		if a.state == b.state && a.state == c.rel.State {
			return ""
		}
		return fmt.Sprintf(" (in %s)", x.state)
	}
	f := Finding{
		Code: BrokenRelation, Severity: Violation, Source: c.rel.Basis(),
		Expected: fmt.Sprintf("%s %s %s", a.field.Name(), words[c.rel.Kind], b.field.Name()),
		Got:      fmt.Sprintf("%s and %s", a, b),
		Message: fmt.Sprintf("%s: %s %s%s %s %s %s%s", c.rel.State, a.field.Name(), a, in(a),
			words[c.rel.Kind], b.field.Name(), b, in(b)),
	}
	for _, x := range v.values {
		if x.field.Fact == c.rel.A || f.Pointer == "" && x.field.Fact == c.rel.B {
			f.Pointer = x.field.Pointer.String()
		}
	}
	if !slices.Contains(v.Findings, f) {
		v.add(f)
	}
}

// holds reports whether two values are in a relation, or are not known not to be.
func (h *history) holds(rel *contract.Relation, a, b known) bool {
	if a.lost == noCode && b.lost == noCode {
		return holds(rel, a.v, b.v)
	}
	x, y := h.code(rel.A, a), h.code(rel.B, b)
	switch {
	case rel.A.Compare != rel.B.Compare || x == opaqueCode || y == opaqueCode:
		return true
	case rel.Kind == contract.Equal:
		return x == y
	}
	return rel.Kind != contract.Different || x != y // times are never lost
}

func holds(rel *contract.Relation, a, b jsondoc.Value) bool {
	if rel.Kind == contract.NotBefore {
		return !payment.Before(a, b)
	}
	return payment.Equal(rel.A, a, b) == (rel.Kind == contract.Equal)
}

// value finds a fact as the claim sees it: of its own event, or of a party,
// where the delivery at hand may be the first to tell it.
func (c claim) value(f *contract.Fact, v *Verdict) (known, bool) {
	for _, x := range c.own {
		if x.field.Fact == f {
			return x, true
		}
	}
	p := partyOf(c.parties, f.Scope)
	if p == nil {
		return known{}, false
	}
	if x, ok := p.fact(f); ok {
		return x, true
	}
	if !v.about(p) {
		return known{}, false
	}
	for _, x := range v.values {
		if x.field.Fact == f {
			return v.known(x), true
		}
	}
	return known{}, false
}

// about reports whether the delivery identifies that subject.
func (v *Verdict) about(s *subject) bool {
	return slices.ContainsFunc(v.values, func(x value) bool {
		return x.field.Fact == s.kind.ID && identity(s.kind, x.v) == s.id
	})
}

func (h *history) judgeNever(v *Verdict, c claim) {
	p := partyOf(c.parties, c.rel.Never.Subject)
	if p == nil || len(p.partners[c.rel.Never]) == 0 && (v.State != c.rel.Never || !v.about(p)) {
		return
	}
	f := Finding{
		Code: ExcludedState, Severity: Violation, Pointer: h.c.Envelope.State.String(), Source: c.rel.Basis(),
		Message: fmt.Sprintf("%s and %s contradict each other (%s %s)", c.rel.State, c.rel.Never, p.kind.Name, short(p.id)),
	}
	if !slices.Contains(v.Findings, f) {
		v.add(f)
	}
}

// notes says what is noticed about a delivery that breaks nothing.
func (v *Verdict) notes(own *subject) {
	about := func() string { return own.kind.Name + " " + short(own.id) }
	if own.seen.Has(v.Edge) {
		v.Duplicate = true
		v.add(Finding{Code: Duplicate, Severity: Note, Message: about() + " was reported " + v.State.Label() + " before"})
		return
	}
	if later := own.seen.Overtook(v.Edge); later != nil {
		v.add(Finding{Code: Late, Severity: Note, Message: about() + ": " + v.Edge.String() + " arrives after " + later.String() + ", which follows it"})
	}
	if own.seen.Missing(v.Edge) && !own.partial {
		v.add(Finding{Code: Gap, Severity: Note, Message: gap(own, v.Edge)})
	}
}

func gap(s *subject, e *contract.Edge) string {
	return s.kind.Name + " " + short(s.id) + ": " + e.String() + " without an event that led to " + e.From.Label() + ": it is late, or was lost"
}

// record keeps a delivery that breaks nothing.
func (h *history) record(v *Verdict, own *subject, parties []*subject) {
	for _, p := range parties {
		h.subjects[p.key] = p
	}
	own.seen = own.seen.With(v.Edge)
	if own.partners == nil {
		own.partners = map[*contract.State][]key{}
	}
	if len(own.partners[v.State]) == 0 {
		for _, p := range parties {
			own.partners[v.State] = append(own.partners[v.State], p.key)
		}
	}
	for _, x := range v.values {
		if p := partyOf(parties, x.field.Fact.Scope); p != nil {
			if _, ok := p.fact(x.field.Fact); !ok {
				p.facts = append(p.facts, v.known(x))
			}
		}
	}
	if main := parties[0]; main.kind == h.c.Subjects[0] {
		for _, p := range parties[1:] {
			p.owner = &main.key
		}
	}
	for _, c := range h.claims(v, parties) {
		for _, p := range parties {
			p.remember(c)
		}
	}
}

// remember keeps a claim. Of those that differ only in the time of their event,
// the one that is hardest to satisfy says it all.
func (s *subject) remember(c claim) {
	for i, old := range s.claims {
		if old.rel != c.rel || !slices.Equal(old.parties, c.parties) {
			continue
		}
		if len(c.own) == 0 || slices.EqualFunc(old.own, c.own, func(a, b known) bool { return a.lost == b.lost && jsondoc.Equal(a.v, b.v) }) {
			return
		}
		if c.rel.Kind == contract.NotBefore && len(c.own) == 1 && len(old.own) == 1 {
			if harder(c.own[0], old.own[0], c.rel) {
				s.claims[i] = c
			}
			return
		}
	}
	s.claims = append(s.claims, c)
}

// harder reports whether an event's time leaves the other side of the relation
// less room than an old one does.
func harder(c, old known, rel *contract.Relation) bool {
	if c.field.Fact == rel.A {
		return payment.Before(c.v, old.v)
	}
	return payment.Before(old.v, c.v)
}
