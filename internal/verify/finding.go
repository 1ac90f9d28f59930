// Package verify judges deliveries against a contract: one payload by its
// syntax, its schema and the transition it reports, and all payloads of one
// payment by whether they can be true together. Whether there is a violation
// does not depend on the order in which the deliveries came.
package verify

import (
	"slices"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Severity says what a finding means for the verdict.
type Severity string

// The severities.
const (
	// Note is worth knowing and within the contract.
	Note Severity = "note"
	// Warning is suspicious; the documents do not forbid it.
	Warning Severity = "warning"
	// Violation breaks the contract.
	Violation Severity = "violation"
)

// Code names a kind of finding. Codes are stable between versions.
type Code string

// The codes.
const (
	InvalidJSON   Code = "invalid-json"
	DuplicateKey  Code = "duplicate-key"
	TooDeep       Code = "too-deep"
	InvalidUTF8   Code = "invalid-utf8"
	LoneSurrogate Code = "lone-surrogate"

	WrongMethod      Code = "wrong-method"
	WrongContentType Code = "wrong-content-type"
	BodyTooLarge     Code = "body-too-large"
	BodyUnreadable   Code = "body-unreadable"
	UnknownPath      Code = "unknown-path"

	WrongContentEncoding Code = "wrong-content-encoding"
	WrongFraming         Code = "wrong-framing"

	UnknownEvent Code = "unknown-event"
	WrongPath    Code = "wrong-path"
	UnknownState Code = "unknown-state"

	MissingField Code = "missing-field"
	WrongType    Code = "wrong-type"
	WrongValue   Code = "wrong-value"
	UnknownField Code = "unknown-field"
	UnknownValue Code = "unknown-value"

	SelfTransition    Code = "self-transition"
	IllegalTransition Code = "illegal-transition"
	Contradiction     Code = "contradictory-transition"

	FactDisagreement Code = "fact-disagreement"
	FactDrift        Code = "fact-drift"
	Conflict         Code = "conflicting-duplicate"
	BrokenRelation   Code = "broken-relation"
	ExcludedState    Code = "excluded-state"

	WrongSignature  Code = "wrong-signature"
	SignatureFamily Code = "signature-family"

	RetryEarly  Code = "retry-early"
	RetryLate   Code = "retry-late"
	RetryExcess Code = "retry-excess"
	RetryMissed Code = "retry-missed"

	WrongAnswer Code = "wrong-answer"
	NotRecorded Code = "not-recorded"

	Duplicate Code = "duplicate"
	Late      Code = "late"
	Gap       Code = "gap"
)

// Refuses reports whether the code is about how a delivery came: for what is wrong
// there it is refused, and its payload is not looked at. The payload alone does
// not show it.
func (c Code) Refuses() bool {
	return slices.Contains([]Code{
		WrongMethod, UnknownPath, WrongContentType, WrongContentEncoding, WrongFraming, BodyTooLarge, BodyUnreadable, WrongSignature,
	}, c)
}

// Finding is one thing noticed about a delivery.
type Finding struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	// Pointer is where in the payload, as a JSON pointer; empty when the finding
	// is about the whole delivery.
	Pointer string `json:"pointer,omitempty"`
	// Message says what is wrong in one sentence.
	Message string `json:"message"`
	// Expected and Got are the two sides, where there are two.
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
	// Source is where the rule comes from.
	Source string `json:"source,omitempty"`
}

// Strict says which notes and warnings count as violations.
type Strict struct {
	Order, Duplicates, UnknownFields, UnknownValues, Gaps bool
}

// StrictNames are the names of what Strict can hold, in its order.
func StrictNames() []string {
	return []string{"order", "duplicates", "unknown-fields", "unknown-values", "gaps"}
}

// Enable turns on what name says, and reports whether there is such a name.
func (s *Strict) Enable(name string) bool {
	switch name {
	case "order":
		s.Order = true
	case "duplicates":
		s.Duplicates = true
	case "unknown-fields":
		s.UnknownFields = true
	case "unknown-values":
		s.UnknownValues = true
	case "gaps":
		s.Gaps = true
	default:
		return false
	}
	return true
}

func (s Strict) covers(c Code) bool {
	return s.Order && c == Late || s.Duplicates && c == Duplicate ||
		s.UnknownFields && c == UnknownField || s.UnknownValues && c == UnknownValue
}

// literal shows a value as JSON, shortened to what fits a line.
func literal(v jsondoc.Value) string {
	return clip(string(v.AppendCanonical(nil)))
}

const clipAt = 100

// short shows an identifier in a sentence; the whole of it is in the payload.
func short(id string) string {
	n, cut := 0, 0
	for i := range id {
		switch n++; n {
		case 14:
			cut = i
		case 19:
			return id[:cut] + "…"
		}
	}
	return id
}

func clip(s string) string {
	if len(s) <= clipAt {
		return s
	}
	cut := clipAt
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
