package publish

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// name is how a state is called where a name takes no spaces.
func name(st *contract.State) string { return st.Subject.Name + "-" + st.Name }

// stateNotes are what a contract says of a state and no schema can, as pairs for put.
func stateNotes(st *contract.State) []any {
	return []any{
		"x-event", st.Event, "x-path", st.Path, "x-from", each(st.From, edge), "x-relations", some(st.Relations, relation),
		"x-source", st.Source, "x-derived", st.Derived,
	}
}

func edge(e *contract.Edge) *jsondoc.Value {
	return object("state", e.From.Label(), "trigger", e.Trigger, "x-source", e.Source, "x-derived", e.Derived)
}

// relation is written as the pack has it.
func relation(r *contract.Relation) *jsondoc.Value {
	var about, conditions *jsondoc.Value
	if r.Kind == contract.Never {
		about = str(r.Never.Subject.Name + "/" + r.Never.Name)
	} else {
		about = array(str(r.A.Name), str(r.B.Name))
	}
	if len(r.When) > 0 {
		conditions = object()
	}
	for i := range r.When {
		put(conditions, r.When[i].Fact.Name, &r.When[i].Value)
	}
	return object(string(r.Kind), about, "when", conditions, "x-source", r.Source, "x-derived", r.Derived)
}

// summary says in a line what happened when an event comes.
func summary(st *contract.State) string {
	var triggers []string
	for _, e := range st.From {
		triggers = append(triggers, e.Trigger)
	}
	return st.String() + ": " + strings.Join(triggers, "; or ")
}

// version is what documents that must have one say.
func version(c *contract.Contract) string { return cmp.Or(c.Version, "unversioned") }

// rules says in words how events are delivered.
func rules(c *contract.Contract) string {
	d := c.Delivery
	statuses := make([]string, len(d.Success))
	for i, s := range d.Success {
		statuses[i] = strconv.Itoa(s)
	}
	out := fmt.Sprintf("Answer %s within %s.", strings.Join(statuses, " or "), d.Timeout)
	if len(d.Backoff) > 0 {
		waits := make([]string, len(d.Backoff))
		for i, b := range d.Backoff {
			waits[i] = b.String()
		}
		out += fmt.Sprintf(" A delivery that failed is made again after %s, so an event may come more than once.", strings.Join(waits, ", "))
	}
	if c.Signature != nil {
		out += fmt.Sprintf(" Deliveries are signed: %s is %s.", c.Signature.Header, signed(c))
	}
	return out
}

// signed says what the signature's header holds.
func signed(c *contract.Contract) string {
	headers := c.Signature.Scheme.Recipe().Headers
	return headers[len(headers)-1].Meaning
}

// delivery is the same for programs.
func delivery(c *contract.Contract) *jsondoc.Value {
	d := c.Delivery
	waits := each(d.Backoff, func(b time.Duration) *jsondoc.Value { return str(b.String()) })
	return object("success", each(d.Success, num), "timeout", d.Timeout.String(), "backoff", waits, "x-source", d.Source)
}

// reaction is every answer of one status.
type reaction struct {
	status  int
	answers []contract.NamedAnswer
}

// reactions are the documented answers by their status, in the order in which the
// contract names them.
func reactions(c *contract.Contract) []reaction {
	var out []reaction
answers:
	for _, a := range c.AllAnswers() {
		for i := range out {
			if out[i].status == a.Answer.Status {
				out[i].answers = append(out[i].answers, a)
				continue answers
			}
		}
		out = append(out, reaction{a.Answer.Status, []contract.NamedAnswer{a}})
	}
	return out
}

// meaning says when a status is answered.
func (r reaction) meaning() string {
	words := make([]string, len(r.answers))
	for i, a := range r.answers {
		words[i] = a.Meaning
	}
	return strings.Join(words, "; or ")
}

func (r reaction) reason() string {
	if s := http.StatusText(r.status); s != "" {
		return s
	}
	return strconv.Itoa(r.status)
}

// answer is an answer with who says so.
func answer(a contract.NamedAnswer) *jsondoc.Value {
	return object("name", a.Name, "meaning", a.Meaning, "status", a.Answer.Status, "body", &a.Answer.Body, "x-source", a.Answer.Source, "x-derived", a.Answer.Derived)
}
