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
	a := i.about(&e.Record)
	out := Row{
		N: e.n, Time: e.Time, Direction: journal.Direction(clip(string(e.Direction), maxWord)),
		Event: clip(a.event, maxWord), Subject: clip(a.subject, maxWord), ID: shorten(a.id), State: clip(a.state, maxWord),
		Verdict: verdictOf(&e.Record), Codes: []verify.Code{}, Messages: []string{},
		Status: e.Answer.Status, LatencyMS: e.LatencyMS, Attempt: e.Attempt, Path: clip(e.Path, maxWord),
		Forwarded: clip(e.Forwarded, maxWord), Signature: clip(e.Signature, maxWord),
	}
	out.From, out.To, out.Illegal = clip(a.previous, maxWord), out.State, a.illegal
	if a.edge != nil {
		out.From, out.To = a.edge.From.Label(), a.edge.To.Label()
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

// about is what a record says it is about.
type about struct {
	event, subject, id, state, previous string
	// at is the state it reports, edge the legal transition; nil where there is
	// none.
	at   *contract.State
	edge *contract.Edge
	// illegal is set where it reports a transition that is not legal, or not any
	// more.
	illegal bool
}

// about reads what the judge of the record has found; who sent one has not
// judged it.
func (i *Inspector) about(r *journal.Record) about {
	if r.Direction == journal.Sent {
		return judged(verify.Payload(i.c, r.Body, ""))
	}
	a := about{event: r.Event, subject: r.Subject, id: r.ID, state: r.State, previous: r.PreviousState}
	if sub := i.c.Subject(r.Subject); sub != nil {
		a.at = sub.Spelled(r.State)
	}
	a.edge = edge(i.c, a.at, r.PreviousState)
	a.illegal = slices.ContainsFunc(r.Findings, aboutTransition)
	return a
}

func judged(v verify.Verdict) about {
	a := about{event: v.Event, id: v.ID, previous: v.Previous, at: v.State, edge: v.Edge, illegal: slices.ContainsFunc(v.Findings, aboutTransition)}
	if v.State != nil {
		a.subject, a.state = v.State.Subject.Name, v.State.Wire
	}
	return a
}

// aboutTransition reports whether a finding says that a state cannot have been
// reached so.
func aboutTransition(f verify.Finding) bool {
	switch f.Code {
	case verify.SelfTransition, verify.IllegalTransition, verify.Contradiction, verify.ExcludedState:
		return f.Severity == verify.Violation
	default:
		return false
	}
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
