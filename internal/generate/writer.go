package generate

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
)

// Writer writes payloads as bytes, by templates that it compiles state by state
// when they are first needed. It is not safe for concurrent use: every worker
// has its own.
type Writer struct {
	c         *contract.Contract
	drawer    *payment.Drawer
	templates map[*contract.State]*template
}

// NewWriter returns a Writer of the contract's payloads.
func NewWriter(c *contract.Contract) *Writer {
	return &Writer{c: c, drawer: payment.NewDrawer(c), templates: map[*contract.State]*template{}}
}

// Append appends the payload that reports a payment's entering state st, coming
// from the usual state: the canonical bytes of Payload's document, and its
// error. Once warm it allocates nothing, unless the options give facts or the
// contract makes one that payment.Drawer does not draw.
func (w *Writer) Append(dst []byte, o payment.Options, st *contract.State) ([]byte, error) {
	return w.AppendFrom(dst, o, st, nil)
}

// AppendFrom does the same for a payment that comes from the state previous; nil
// takes the usual one.
func (w *Writer) AppendFrom(dst []byte, o payment.Options, st, previous *contract.State) ([]byte, error) {
	t := w.template(st)
	from, legal := t.from(previous)
	if !legal || len(o.Facts) > 0 {
		return w.document(dst, o, st, previous)
	}
	w.drawer.Use(o)
	for i := range t.slots {
		s := &t.slots[i]
		dst = append(dst, s.before...)
		if s.fact == nil {
			dst = append(dst, from...)
			continue
		}
		dst = w.drawer.Append(dst, s.fact, st)
	}
	return append(dst, t.end...), nil
}

func (w *Writer) document(dst []byte, o payment.Options, st, previous *contract.State) ([]byte, error) {
	doc, err := Payload(w.c, payment.New(w.c, o), st, Options{Previous: previous})
	if err != nil {
		return dst, err
	}
	return doc.AppendCanonical(dst), nil
}

// template is the canonical sample of a state, cut where something is filled in.
type template struct {
	slots []slot
	end   []byte
	edges []edge // the usual one first; none when there is no template
}

// slot is a place for a fact, or when that is nil, for the state left.
type slot struct {
	before []byte
	fact   *contract.Fact
}

type edge struct {
	from    *contract.State
	spelled []byte
}

// from returns how the state left is spelled, and false when it is not left for
// this one.
func (t *template) from(previous *contract.State) (spelled []byte, ok bool) {
	for i := range t.edges {
		if previous == nil || t.edges[i].from == previous {
			return t.edges[i].spelled, true
		}
	}
	return nil, false
}

func (w *Writer) template(st *contract.State) *template {
	t := w.templates[st]
	if t == nil {
		t = w.compile(st)
		w.templates[st] = t
	}
	return t
}

// compile gives the generator marks for facts, and cuts the payload there. What
// it cannot make is a template without edges: Payload sees to that state.
func (w *Writer) compile(st *contract.State) *template {
	mark := absent(st.Sample.AppendCanonical(nil))
	facts := map[*contract.Fact]jsondoc.Value{}
	for i, f := range st.Fields {
		switch {
		case f.Fact.Generate == nil:
		case !w.drawer.Draws(f.Fact):
			return &template{}
		default:
			facts[f.Fact] = jsondoc.StringValue(mark + strconv.Itoa(i) + mark)
		}
	}
	doc, err := Payload(w.c, payment.New(w.c, payment.Options{Facts: facts}), st, Options{})
	if err != nil {
		return &template{}
	}
	if at := doc.At(w.c.Envelope.PreviousState); at != nil {
		*at = jsondoc.StringValue(mark + strconv.Itoa(len(st.Fields)) + mark)
	}
	t := cut(doc.AppendCanonical(nil), escaped(mark), st.Fields)
	for _, e := range st.From {
		t.edges = append(t.edges, edge{e.From, spelled(e.From).AppendCanonical(nil)})
	}
	return t
}

// absent returns a text that does not occur in a canonical document.
func absent(doc []byte) string {
	mark := "\x00"
	for bytes.Contains(doc, escaped(mark)) {
		mark += "\x00"
	}
	return mark
}

func escaped(mark string) []byte { return []byte(strings.ReplaceAll(mark, "\x00", `\u0000`)) }

// cut takes out the strings that are marks around the index of a field; an index
// beyond the fields is the state left.
func cut(doc, mark []byte, fields []contract.Field) *template {
	t := &template{}
	before, rest, found := bytes.Cut(doc, mark)
	for found {
		number, after, _ := bytes.Cut(rest, mark)
		s := slot{before: bytes.TrimSuffix(before, []byte(`"`))}
		if i, err := strconv.Atoi(string(number)); err == nil && i < len(fields) {
			s.fact = fields[i].Fact
		}
		t.slots = append(t.slots, s)
		before, rest, found = bytes.Cut(bytes.TrimPrefix(after, []byte(`"`)), mark)
	}
	t.end = before
	return t
}
