package inspect

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// detailJSON is all that is known of one record.
type detailJSON struct {
	Row     Row         `json:"row"`
	Method  string      `json:"method"`
	Headers [][2]string `json:"headers"`
	// Body is the raw body; BodyBase64 is it where it is no UTF-8.
	Body       string           `json:"body"`
	BodyBase64 string           `json:"bodyBase64"`
	Size       int              `json:"size"`
	Findings   []verify.Finding `json:"findings"`
	Answer     answerJSON       `json:"answer"`
	Signature  string           `json:"signature"`
	Forwarded  string           `json:"forwarded"`
	URL        string           `json:"url"`
	Redacted   string           `json:"redacted"`
	Parties    []partyJSON      `json:"parties"`
	Fields     []fieldJSON      `json:"fields"`
	Sample     *sampleJSON      `json:"sample"`
	Curl       string           `json:"curl"`
	Command    string           `json:"command"`
	Fixture    string           `json:"fixture"`
	Resendable bool             `json:"resendable"`
}

type answerJSON struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
}

// partyJSON is one of the subjects that a payload is about.
type partyJSON struct {
	Subject string `json:"subject"`
	ID      string `json:"id"`
}

// fieldJSON says which fact stands where.
type fieldJSON struct {
	Pointer string `json:"pointer"`
	Fact    string `json:"fact"`
	Meaning string `json:"meaning"`
	Source  string `json:"source"`
}

// delivery tells all of one record.
func (h *handler) delivery(w http.ResponseWriter, r *http.Request) {
	e := h.numbered(w, r)
	if e == nil {
		return
	}
	reply(w, http.StatusOK, h.detail(e))
}

// numbered finds the record that a path names, or says that it is not there.
func (h *handler) numbered(w http.ResponseWriter, r *http.Request) *entry {
	n, err := strconv.ParseUint(r.PathValue("n"), 10, 64)
	if err == nil {
		if e := h.store.get(n); e != nil {
			return e
		}
	}
	refuse(w, http.StatusNotFound, "there is no such delivery, or it is not kept any more")
	return nil
}

func (i *Inspector) detail(e *entry) detailJSON {
	p := i.read(e)
	out := detailJSON{
		Row: i.row(e), Method: e.Method, Headers: sorted(e.header()), Size: len(e.Body),
		Findings: e.Findings, Answer: answerJSON{e.Answer.Status, e.Answer.Body},
		Signature: e.Signature, Forwarded: e.Forwarded, URL: e.URL, Redacted: e.Redacted,
		Parties: []partyJSON{}, Fields: []fieldJSON{},
	}
	if out.Findings == nil {
		out.Findings = []verify.Finding{}
	}
	if utf8.Valid(e.Body) {
		out.Body = string(e.Body)
	} else {
		out.BodyBase64 = base64.StdEncoding.EncodeToString(e.Body)
	}
	for _, x := range p.parties() {
		out.Parties = append(out.Parties, partyJSON{x.subject.Name, x.id})
	}
	for _, f := range p.fields() {
		out.Fields = append(out.Fields, fieldJSON{f.Pointer.String(), f.Fact.Name, f.Fact.Meaning, contract.Basis(f.Fact.Source, f.Fact.Derived)})
	}
	if p.model != nil {
		out.Sample = newSampleJSON(p.model)
	}
	out.Curl, out.Command, out.Resendable = i.curl(e), i.command(e), i.resendable(e)
	if p.parsed {
		out.Fixture = string(append(p.doc.AppendIndent(nil, "  "), '\n'))
	}
	return out
}

func sorted(headers map[string][]string) [][2]string {
	out := [][2]string{}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		for _, v := range headers[name] {
			out = append(out, [2]string{name, v})
		}
	}
	return out
}

// payload is a body as far as it can be read.
type payload struct {
	doc    jsondoc.Value
	parsed bool
	// model is the state that its event reports, or, where that is unknown, one
	// that the event can report; nil for what is no event.
	model *contract.State
	// spelled is the state as the payload has it.
	spelled string
}

func (i *Inspector) read(e *entry) payload {
	doc, err := jsondoc.Parse(e.Body)
	if err != nil {
		return payload{}
	}
	p := payload{doc: doc, parsed: true}
	event, state := doc.At(i.c.Envelope.Event), doc.At(i.c.Envelope.State)
	if state != nil {
		p.spelled = shown(*state)
	}
	if event == nil {
		return p
	}
	for n, st := range i.c.Event(event.Text) {
		if n == 0 || state != nil && state.Kind == jsondoc.String && state.Text == st.Wire {
			p.model = st
		}
	}
	return p
}

// fields are the members that carry a fact and are there.
func (p payload) fields() []contract.Field {
	if p.model == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.model.Fields()), func(f contract.Field) bool { return p.doc.At(f.Pointer) == nil })
}

// party is one subject that is told of.
type party struct {
	subject *contract.Subject
	id      string
}

// newParty finds the one name of a party that may be spelled in several ways.
func newParty(sub *contract.Subject, id string) party {
	if sub.ID.Compare == contract.Caseless {
		id = strings.ToLower(id)
	}
	return party{sub, shorten(id)}
}

// parties are the subjects that a payload is about, its own first.
func (p payload) parties() []party {
	var out []party
	for _, f := range p.fields() {
		sub := f.Fact.Scope
		v := p.doc.At(f.Pointer)
		if sub == nil || sub.ID != f.Fact || v.Kind != jsondoc.String || v.Text == "" {
			continue
		}
		x := newParty(sub, v.Text)
		switch {
		case slices.Contains(out, x):
		case sub == p.model.Subject:
			out = slices.Insert(out, 0, x)
		default:
			out = append(out, x)
		}
	}
	return out
}
