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

func title(st *contract.State) jsondoc.Member { return text("title", st.String()) }

// basis are the members that say who says so.
func basis(source, derived string) []jsondoc.Member {
	return []jsondoc.Member{text("x-source", source), text("x-derived", derived)}
}

// stateNotes are what a contract says of a state and no schema can.
func stateNotes(st *contract.State) []jsondoc.Member {
	notes := []jsondoc.Member{
		text("x-event", st.Event), text("x-path", st.Path),
		member("x-from", each(st.From, edge)),
		when(len(st.Relations) > 0, "x-relations", each(st.Relations, relation)),
	}
	return object(append(notes, basis(st.Source, st.Derived)...)...).Members
}

func edge(e *contract.Edge) jsondoc.Value {
	return object(append([]jsondoc.Member{text("state", e.From.Label()), text("trigger", e.Trigger)}, basis(e.Source, e.Derived)...)...)
}

// relation is written as the pack has it.
func relation(r *contract.Relation) jsondoc.Value {
	about := array()
	if r.Kind == contract.Never {
		about = str(r.Never.Subject.Name + "/" + r.Never.Name)
	} else {
		about.Items = []jsondoc.Value{str(r.A.Name), str(r.B.Name)}
	}
	conditions := object()
	for _, w := range r.When {
		conditions.Members = append(conditions.Members, member(w.Fact.Name, w.Value))
	}
	members := []jsondoc.Member{member(string(r.Kind), about), when(len(r.When) > 0, "when", conditions)}
	return object(append(members, basis(r.Source, r.Derived)...)...)
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
func delivery(c *contract.Contract) jsondoc.Value {
	d := c.Delivery
	waits := each(d.Backoff, func(b time.Duration) jsondoc.Value { return str(b.String()) })
	return object(append([]jsondoc.Member{
		member("success", each(d.Success, num)), text("timeout", d.Timeout.String()), member("backoff", waits),
	}, basis(d.Source, "")...)...)
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
func answer(a contract.NamedAnswer) jsondoc.Value {
	members := []jsondoc.Member{text("name", a.Name), text("meaning", a.Meaning), member("status", num(a.Answer.Status)), member("body", a.Answer.Body)}
	return object(append(members, basis(a.Answer.Source, a.Answer.Derived)...)...)
}
