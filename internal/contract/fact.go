package contract

import (
	"strings"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Fact is something that is true of a payment and that payloads carry, under
// whatever name, wherever they mention it.
type Fact struct {
	// Name is unique in the contract; Index is the fact's place in Facts.
	Name  string
	Index int
	// Meaning is the documented meaning in a few words.
	Meaning         string
	Source, Derived string
	// Scope says for how long the fact stays the same: as long as the subject
	// of that name, or, when nil, for a single event.
	Scope *Subject
	// Compare says what makes two values of the fact equal.
	Compare Compare
	// Generate says how a value is made; nil takes the sample's.
	Generate *Generator
	// Known are the values the documents name.
	Known []jsondoc.Value

	scope  string
	schema lazySchema
}

// Takes says in a few words what values the fact can have: the description of
// the type it refers to, or else what its schema says.
func (f *Fact) Takes() string {
	s := f.Schema()
	if s.Ref != nil {
		if d, ok := s.Ref.Annotation("description"); ok {
			return d.Text
		}
		s = s.Ref
	}
	words := strings.Join(s.Types, " or ")
	switch {
	case s.Format != "":
		words += ", " + s.Format
	case s.Pattern != nil:
		words += ", " + s.Pattern.String()
	}
	return words
}

// Compare is how two values of a fact are compared.
type Compare string

// The comparisons.
const (
	Exact   Compare = ""
	Decimal Compare = "decimal"
	Time    Compare = "time"
	// Caseless is for what is written in digits and letters of either case, such
	// as a UUID (RFC 9562, section 4).
	Caseless Compare = "caseless"
)

// GeneratorKind names a way to make a value.
type GeneratorKind string

// The generators.
const (
	UUID        GeneratorKind = "uuid"        // a random UUID, version 4
	CUID        GeneratorKind = "cuid"        // "c" and 24 digits of base 36
	Hex         GeneratorKind = "hex"         // Length lower-case hexadecimal digits
	Base58Check GeneratorKind = "base58check" // Version and Length random bytes with their checksum
	Pick        GeneratorKind = "pick"        // one of Texts
	Text        GeneratorKind = "text"        // one of Texts, its {fact} and {fact/N} filled in
	Amount      GeneratorKind = "decimal"     // Min to Max in steps of Step, with Places decimals
	Quotient    GeneratorKind = "quotient"    // the fact Of divided by By, with Places decimals
	Same        GeneratorKind = "same"        // the fact Of; where it must differ, Percent of it
	Integer     GeneratorKind = "integer"     // Min to Max
	Moment      GeneratorKind = "moment"      // when State happens, or the event itself, or the start
)

// Generator says how a fact's value is made.
type Generator struct {
	Kind    GeneratorKind
	Length  int
	Version byte
	Texts   []string
	// Min, Max, Step and By are decimal numbers as written in the pack.
	Min, Max, Step, By string
	Places             int
	Of                 *Fact
	// Percent bounds what part of Of is taken where a relation wants the two to
	// differ; both ends included.
	Percent [2]int
	// State is whose moment is meant; nil with Start unset is the event's own.
	State *State
	Start bool
}

// RelationKind names a relation between facts.
type RelationKind string

// The relations.
const (
	Equal     RelationKind = "equal"
	Different RelationKind = "different"
	NotBefore RelationKind = "notBefore"
	Never     RelationKind = "never"
)

// Relation is what a state demands of the payment's facts, whichever event
// brought them.
type Relation struct {
	Kind RelationKind
	// A and B are the two facts; A is not before B.
	A, B *Fact
	// Never is a state of another subject that excludes this one.
	Never *State
	// When limits the relation to payments with these values.
	When []Condition
	// State is the state that demands it.
	State           *State
	Source, Derived string
}

// Condition is a fact and the value it must have.
type Condition struct {
	Fact  *Fact
	Value jsondoc.Value
}

// Basis returns where the relation comes from: its source, or "derived: why".
func (r *Relation) Basis() string { return Basis(r.Source, r.Derived) }

// Basis joins a source and the reason for a derivation as users read them.
func Basis(source, derived string) string {
	if derived == "" {
		return source
	}
	if source == "" {
		return "derived: " + derived
	}
	return source + " (derived: " + derived + ")"
}
