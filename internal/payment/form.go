package payment

import (
	"bytes"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// Piece is a part of a Form: a text, and the JSON of a fact behind it.
type Piece struct {
	Before []byte
	// Fact is one that the Drawer draws; nil for none.
	Fact *contract.Fact
}

// Form is a text with blanks for facts. Those that always are equally long are
// filled in where they stand, once the text has been copied as a whole.
type Form struct {
	parts    []part
	bit      uint64   // of drawn.ready; 0 when there are too many
	drawn    []*maker // by the seed and the index alone
	moments  []*maker
	outcomes []*maker // that depend on what the payment comes to
}

// part is what is before a blank of which the length is not known.
type part struct {
	image  []byte
	blanks []blank
	last   int // its cell; -1 for none
}

type blank struct {
	at, cell int
}

// NewForm returns a Form of pieces, one after the other, for the events of a state.
func (d *Drawer) NewForm(st *contract.State, pieces []Piece) *Form {
	f := &Form{bit: 1 << d.forms}
	d.forms++
	var p part
	quote := []byte(nil)
	for _, piece := range pieces {
		p.image = append(append(p.image, quote...), piece.Before...)
		if quote = nil; piece.Fact == nil {
			continue
		}
		m := f.uses(d.made(piece.Fact, st))
		if m.quoted {
			quote = []byte{'"'}
		}
		p.image = append(p.image, quote...)
		if m.length > 0 {
			p.blanks = append(p.blanks, blank{len(p.image), m.cell})
			p.image = append(p.image, bytes.Repeat([]byte{' '}, m.length)...)
			continue
		}
		p.last = m.cell
		f.parts = append(f.parts, p)
		p = part{}
	}
	p.image, p.last = append(p.image, quote...), -1
	f.parts = append(f.parts, p)
	return f
}

// made returns what makes a fact of a state's event.
func (d *Drawer) made(f *contract.Fact, st *contract.State) *maker {
	m := d.maker(f)
	switch {
	case m.way != moment:
		return m
	case m.g.Start:
		st = nil
	case m.g.State != nil:
		st = m.g.State
	}
	return d.moments(st)
}

// uses notes what is to be seen to before a Form is filled.
func (f *Form) uses(m *maker) *maker {
	of := &f.drawn
	switch {
	case m.way == same && m.apart == nil:
		return f.uses(m.uses[0])
	case m.way == same:
		of = &f.outcomes
	case m.way == moment:
		of = &f.moments
	}
	if !slices.Contains(*of, m) {
		*of = append(*of, m)
	}
	return m
}

func (f *Form) append(dst, text []byte, values []value) []byte {
	for i := range f.parts {
		p := &f.parts[i]
		from := len(dst)
		dst = append(dst, p.image...)
		out := dst[from:]
		for _, b := range p.blanks {
			v := &values[b.cell]
			replace(out[b.at:], text[v.start:v.end])
		}
		if p.last >= 0 {
			v := &values[p.last]
			dst = append(dst, text[v.start:v.end]...)
		}
	}
	return dst
}

// replace is copy, by words that overlap at the end.
func replace(dst, src []byte) {
	n := len(src)
	if n <= 16 || n > 64 {
		copy(dst, src)
		return
	}
	dst = dst[:n]
	last := n - 16
	*(*[16]byte)(dst) = *(*[16]byte)(src)
	if n > 32 {
		*(*[16]byte)(dst[16:]) = *(*[16]byte)(src[16:])
		if n > 48 {
			*(*[16]byte)(dst[32:]) = *(*[16]byte)(src[32:])
		}
	}
	*(*[16]byte)(dst[last:]) = *(*[16]byte)(src[last:])
}
