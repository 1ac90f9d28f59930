package generate

import (
	"bytes"
	"maps"
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
	given     map[*contract.Fact]jsondoc.Value
	drawer    *payment.Drawer
	templates []template
}

// NewWriter returns a Writer of the contract's payloads.
func NewWriter(c *contract.Contract) *Writer { return NewWriterOf(c, nil) }

// NewWriterOf returns a Writer of the payloads of payments that have the facts
// given, which must not be changed any more: what it would be asked for by
// Options.Facts, but as fast. Options that give facts are taken at their word.
func NewWriterOf(c *contract.Contract, given map[*contract.Fact]jsondoc.Value) *Writer {
	return &Writer{c: c, given: given, drawer: payment.NewDrawer(c, given)}
}

// Append appends the payload that reports a payment's entering state st, coming
// from the usual state: the canonical bytes of Payload's document, and its
// error. Once warm it allocates nothing, unless the options give facts, a moment
// is outside of the years 0 to 9999, or the contract makes a fact that
// payment.Drawer does not draw.
func (w *Writer) Append(dst []byte, o payment.Options, st *contract.State) ([]byte, error) {
	return w.AppendFrom(dst, o, st, nil)
}

// AppendFrom does the same for a payment that comes from the state previous; nil
// takes the usual one.
func (w *Writer) AppendFrom(dst []byte, o payment.Options, st, previous *contract.State) ([]byte, error) {
	if f := w.template(st).form(previous); f != nil {
		if out, ok := w.drawer.Append(dst, &o, f); ok {
			return out, nil
		}
	}
	return w.document(dst, o, st, previous)
}

func (w *Writer) document(dst []byte, o payment.Options, st, previous *contract.State) ([]byte, error) {
	if len(o.Facts) == 0 {
		o.Facts = w.given
	}
	doc, err := Payload(w.c, payment.New(w.c, o), st, Options{Previous: previous})
	if err != nil {
		return dst, err
	}
	return doc.AppendCanonical(dst), nil
}

// template is how a state's payload is written.
type template struct {
	state *contract.State
	edges []edge // the usual one first; none when Payload sees to the state
}

// edge is the payload of those that come from one state.
type edge struct {
	from *contract.State
	form *payment.Form
}

// form returns nil where previous is not left for this state.
func (t *template) form(previous *contract.State) *payment.Form {
	for i := range t.edges {
		if previous == nil || t.edges[i].from == previous {
			return t.edges[i].form
		}
	}
	return nil
}

func (w *Writer) template(st *contract.State) *template {
	for i := range w.templates {
		if w.templates[i].state == st {
			return &w.templates[i]
		}
	}
	w.templates = append(w.templates, template{st, w.compile(st)})
	return &w.templates[len(w.templates)-1]
}

// compile gives the generator marks for facts, and cuts the payloads there.
func (w *Writer) compile(st *contract.State) []edge {
	mark := absent(w.constant(st))
	facts := map[*contract.Fact]jsondoc.Value{}
	maps.Copy(facts, w.given)
	for i, f := range st.Fields() {
		_, given := w.given[f.Fact]
		switch {
		case given || f.Fact.Generate == nil:
		case !w.drawer.Draws(f.Fact):
			return nil
		default:
			facts[f.Fact] = jsondoc.StringValue(mark + strconv.Itoa(i) + mark)
		}
	}
	var edges []edge
	for _, e := range st.From {
		doc, err := Payload(w.c, payment.New(w.c, payment.Options{Facts: facts}), st, Options{Previous: e.From})
		if err != nil {
			return nil
		}
		pieces := cut(doc.AppendCanonical(nil), escaped(mark), st.Fields())
		edges = append(edges, edge{e.From, w.drawer.NewForm(st, pieces)})
	}
	return edges
}

// constant returns all the JSON that payloads of a state hold besides what is drawn.
func (w *Writer) constant(st *contract.State) []byte {
	out := st.Sample.AppendCanonical(nil)
	for _, e := range st.From {
		out = spelled(e.From).AppendCanonical(out)
	}
	for _, v := range w.given {
		out = v.AppendCanonical(out)
	}
	return out
}

// absent returns a text that does not occur in canonical JSON.
func absent(doc []byte) string {
	mark := "\x00"
	for bytes.Contains(doc, escaped(mark)) {
		mark += "\x00"
	}
	return mark
}

func escaped(mark string) []byte { return []byte(strings.ReplaceAll(mark, "\x00", `\u0000`)) }

// cut takes out the strings that are marks around the index of a field.
func cut(doc, mark []byte, fields []contract.Field) []payment.Piece {
	var pieces []payment.Piece
	before, rest, found := bytes.Cut(doc, mark)
	for found {
		number, after, _ := bytes.Cut(rest, mark)
		p := payment.Piece{Before: bytes.TrimSuffix(before, []byte(`"`))}
		if i, err := strconv.Atoi(string(number)); err == nil {
			p.Fact = fields[i].Fact
		}
		pieces = append(pieces, p)
		before, rest, found = bytes.Cut(bytes.TrimPrefix(after, []byte(`"`)), mark)
	}
	return append(pieces, payment.Piece{Before: before})
}
