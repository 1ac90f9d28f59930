package inspect

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// Bounds of the texts in a row, in bytes, and of the codes.
const (
	maxWord    = 200
	maxMessage = 400
	maxCodes   = 20
)

// Row is a record in the list of all.
type Row struct {
	N         uint64            `json:"n"`
	Time      time.Time         `json:"time"`
	Direction journal.Direction `json:"direction"`
	Event     string            `json:"event"`
	Subject   string            `json:"subject"`
	ID        string            `json:"id"`
	// State is the state as payloads spell it.
	State string `json:"state"`
	// From and To are the labels of the transition; those of an Illegal one are as
	// the payload spells them.
	From    string `json:"from"`
	To      string `json:"to"`
	Illegal bool   `json:"illegal,omitempty"`
	// Verdict is ok, duplicate, note, warning or violation: the worst there is.
	Verdict string `json:"verdict"`
	// Codes are those of the findings, each once; Messages has what the worst one
	// says.
	Codes     []verify.Code `json:"codes"`
	Messages  []string      `json:"messages"`
	Status    int           `json:"status"`
	LatencyMS float64       `json:"latencyMs"`
	Attempt   int           `json:"attempt"`
	Path      string        `json:"path"`
	Forwarded string        `json:"forwarded"`
	Signature string        `json:"signature"`
}

// row shortens a record to what a list shows.
func (i *Inspector) row(e *entry) Row {
	v := i.verdict(&e.Record)
	out := Row{
		N: e.n, Time: e.Time, Direction: journal.Direction(clip(string(e.Direction), maxWord)),
		Event: clip(v.Event, maxWord), Subject: clip(e.Subject, maxWord), ID: shorten(v.ID), State: clip(e.State, maxWord),
		Illegal: illegal(v) != nil, Verdict: verdictOf(&e.Record), Codes: []verify.Code{}, Messages: []string{},
		Status: e.Answer.Status, LatencyMS: e.LatencyMS, Attempt: e.Attempt, Path: clip(e.Path, maxWord),
		Forwarded: clip(e.Forwarded, maxWord), Signature: clip(e.Signature, maxWord),
	}
	if v.State != nil {
		out.Subject, out.State = v.State.Subject.Name, v.State.Wire
	}
	if out.From, out.To = move(v); out.To == "" {
		out.To = out.State
	}
	worst := verify.Severity("")
	for _, f := range e.Findings {
		code := verify.Code(clip(string(f.Code), maxWord))
		if len(out.Codes) < maxCodes && !slices.Contains(out.Codes, code) {
			out.Codes = append(out.Codes, code)
		}
		if worse(f.Severity, worst) {
			worst, out.Messages = f.Severity, []string{clip(f.Message, maxMessage)}
		}
	}
	return out
}

func worse(a, b verify.Severity) bool {
	order := []verify.Severity{"", verify.Note, verify.Warning, verify.Violation}
	return slices.Index(order, a) > slices.Index(order, b)
}

// verdict is what the judge of a record has found. Who sends one does not judge
// it: what it says is read from its body, and taken for delivered where the answer
// says so.
func (i *Inspector) verdict(r *journal.Record) verify.Verdict {
	if r.Direction == journal.Sent {
		return verify.Payload(i.c, r.Body, "")
	}
	v := verify.Verdict{Event: r.Event, ID: r.ID, Previous: r.PreviousState, Duplicate: r.Duplicate, Findings: r.Findings}
	if sub := i.c.Subject(r.Subject); sub != nil {
		v.State = sub.Spelled(r.State)
	}
	v.Edge = edge(i.c, v.State, r.PreviousState)
	return v
}

// illegal returns the finding that says that a state cannot have been reached so,
// or nil.
func illegal(v verify.Verdict) *verify.Finding {
	about := []verify.Code{verify.SelfTransition, verify.IllegalTransition, verify.Contradiction, verify.ExcludedState}
	at := slices.IndexFunc(v.Findings, func(f verify.Finding) bool { return slices.Contains(about, f.Code) })
	if at < 0 {
		return nil
	}
	return &v.Findings[at]
}

// move is the transition that is reported: of a legal one the labels of its
// states, of another what the payload says.
func move(v verify.Verdict) (from, to string) {
	switch {
	case v.Edge != nil:
		return v.Edge.From.Label(), v.Edge.To.Label()
	case v.State != nil:
		return clip(v.Previous, maxWord), v.State.Label()
	}
	return clip(v.Previous, maxWord), ""
}

// edge is the legal transition to a state from the one that a verdict names.
func edge(c *contract.Contract, to *contract.State, previous string) *contract.Edge {
	switch {
	case to == nil || to.IsInitial():
		return nil
	case !to.ReportsPrevious(c.Envelope):
		return to.From[0]
	case previous == "null" && to.Subject.Initial.Wire == "":
		return to.EdgeFrom(to.Subject.Initial)
	}
	return to.EdgeFrom(to.Subject.Spelled(previous))
}

// shorten bounds an identifier; two that differ do so afterwards, too.
func shorten(id string) string {
	if len(id) <= maxWord {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return clip(id, maxWord-40) + hex.EncodeToString(sum[:8])
}

// clip cuts a text to at most n bytes, and says so.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}
