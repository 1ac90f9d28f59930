package inspect

import (
	"net/http"

	"github.com/paytest/paytest/internal/contract"
)

type contractJSON struct {
	Name         string        `json:"name"`
	Title        string        `json:"title"`
	Live         bool          `json:"live"`
	Version      string        `json:"version"`
	Target       string        `json:"target"`
	EventPointer string        `json:"eventPointer"`
	Subjects     []subjectJSON `json:"subjects"`
	Facts        []factJSON    `json:"facts"`
	Samples      []sampleJSON  `json:"samples"`
	Kept         keptJSON      `json:"kept"`
}

type subjectJSON struct {
	Name    string      `json:"name"`
	Meaning string      `json:"meaning"`
	Initial string      `json:"initial"`
	States  []stateJSON `json:"states"`
	Edges   []edgeJSON  `json:"edges"`
}

type stateJSON struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Event string `json:"event"`
	Final bool   `json:"final"`
}

type edgeJSON struct {
	Index   int    `json:"index"`
	From    string `json:"from"`
	To      string `json:"to"`
	Trigger string `json:"trigger"`
	Source  string `json:"source"`
}

type factJSON struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
	Source  string `json:"source"`
	Scope   string `json:"scope"`
}

// sampleJSON is a documented payload, as JSON text.
type sampleJSON struct {
	Subject string `json:"subject"`
	State   string `json:"state"`
	Body    string `json:"body"`
}

type keptJSON struct {
	Records int   `json:"records"`
	Bytes   int64 `json:"bytes"`
}

// contract tells what the page has to know about the gateway.
func (h *handler) contract(w http.ResponseWriter, _ *http.Request) {
	_, seen, _ := h.store.after(0, 0)
	out := contractJSON{
		Name: h.c.Name, Title: h.o.Title, Live: seen.Live, Version: h.o.Version, Target: h.o.Target,
		EventPointer: h.c.Envelope.Event.String(), Kept: keptJSON{h.o.MaxRecords, h.o.MaxBytes},
	}
	for _, s := range h.c.Subjects {
		out.Subjects = append(out.Subjects, newSubjectJSON(s))
	}
	for _, f := range h.c.Facts {
		out.Facts = append(out.Facts, newFactJSON(f))
	}
	for _, st := range h.c.States() {
		out.Samples = append(out.Samples, *newSampleJSON(st))
	}
	reply(w, http.StatusOK, out)
}

func newSubjectJSON(s *contract.Subject) subjectJSON {
	out := subjectJSON{Name: s.Name, Meaning: s.Meaning, Initial: s.Initial.Label()}
	for _, st := range s.States {
		out.States = append(out.States, stateJSON{st.Name, st.Label(), st.Event, st.IsFinal()})
	}
	for _, e := range s.Edges {
		out.Edges = append(out.Edges, edgeJSON{e.Index, e.From.Label(), e.To.Label(), e.Trigger, contract.Basis(e.Source, e.Derived)})
	}
	return out
}

func newFactJSON(f *contract.Fact) factJSON {
	out := factJSON{Name: f.Name, Meaning: f.Meaning, Source: contract.Basis(f.Source, f.Derived)}
	if f.Scope != nil {
		out.Scope = f.Scope.Name
	}
	return out
}

func newSampleJSON(st *contract.State) *sampleJSON {
	return &sampleJSON{st.Subject.Name, st.Name, string(st.Sample.AppendLiteral(nil))}
}
