package payment

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
)

const (
	recentBits     = 6
	recentPayments = 1 << recentBits
)

// Drawer writes the facts of one payment after another, with the values that
// Payment has. Once warm it allocates nothing, and it remembers what it drew of
// about the last 64 payments, so that their events may come by turns. It is not
// safe for concurrent use.
type Drawer struct {
	c      *contract.Contract
	o      Options
	makers []*maker // by Fact.Index, nil until the fact is asked for
	recent [recentPayments]drawn
	now    *drawn
	day    int64  // of the last moment: the second it starts, since 1970
	date   []byte // and how it is written; nil before the first
}

// drawn is what has been drawn of one payment.
type drawn struct {
	seed, index uint64
	text        []byte
	values      []value // by Fact.Index
}

// value is JSON in drawn.text; what ends at 0 has not been drawn yet.
type value struct {
	start, end uint32
	units      uint64 // of an amount
}

// NewDrawer returns a Drawer of the payment that the zero Options determine.
func NewDrawer(c *contract.Contract) *Drawer {
	d := &Drawer{c: c, makers: make([]*maker, len(c.Facts))}
	d.Use(Options{})
	return d
}

// Use turns to the payment that the options determine.
func (d *Drawer) Use(o Options) {
	d.o = o
	d.now = &d.recent[o.Index*golden>>(64-recentBits)]
	switch {
	case d.now.values == nil:
		d.now.values = make([]value, len(d.makers))
	case d.now.seed == o.Seed && d.now.index == o.Index:
		return
	}
	clear(d.now.values)
	d.now.seed, d.now.index, d.now.text = o.Seed, o.Index, d.now.text[:0]
}

// Draws reports whether Append writes the fact without allocating, given no
// Options.Facts. It does not when the fact has no generator or needs amounts of
// more than 18 digits, nor when it is made of one that the state or the outcome
// of the payment changes.
func (d *Drawer) Draws(f *contract.Fact) bool { return d.maker(f).way != slow }

// Append appends the JSON of the fact as the event of state st carries it: that
// of Payment.Fact. The fact and the state are of the Drawer's contract.
func (d *Drawer) Append(dst []byte, f *contract.Fact, st *contract.State) []byte {
	m := d.maker(f)
	switch {
	case m.way == slow || len(d.o.Facts) > 0:
		return New(d.c, d.o).Fact(f, st).AppendCanonical(dst)
	case m.way == moment:
		return d.appendMoment(dst, d.o.moment(m.g, st))
	case m.way == same:
		return d.same(dst, m)
	}
	return append(dst, d.value(m)...)
}

// appendMoment writes a UTC time in TimeLayout. Payments that follow one another
// mostly happen on one day.
func (d *Drawer) appendMoment(dst []byte, t time.Time) []byte {
	const daySeconds = 24 * 60 * 60
	unix := t.Unix()
	second := (unix%daySeconds + daySeconds) % daySeconds
	if day := unix - second; day != d.day || d.date == nil {
		d.day, d.date = day, t.AppendFormat(d.date[:0], `"2006-01-02T`)
	}
	milli := int64(t.Nanosecond()) / int64(time.Millisecond)
	dst, out := room(append(dst, d.date...), len(`15:04:05.000Z"`))
	copy(out, `00:00:00.000Z"`)
	digits(out[0:], second/3600)
	digits(out[3:], second/60%60)
	digits(out[6:], second%60)
	digits(out[10:], milli%100)
	out[9] += byte(milli / 100)
	return dst
}

// digits writes a number below 100.
func digits(out []byte, number int64) {
	out[0], out[1] = byte('0'+number/10), byte('0'+number%10)
}

func (d *Drawer) value(m *maker) []byte {
	v := &d.now.values[m.index]
	if v.end == 0 {
		d.draw(m, v)
	}
	return d.now.text[v.start:v.end]
}

func (d *Drawer) draw(m *maker, v *value) {
	for _, u := range m.uses {
		d.value(u)
	}
	v.start = uint32(len(d.now.text))
	if m.way == amount {
		v.units = d.units(m)
		d.now.text = m.appendAmount(d.now.text, v.units)
	} else {
		d.now.text = d.appendText(d.now.text, m)
	}
	v.end = uint32(len(d.now.text))
}

func (d *Drawer) units(m *maker) uint64 {
	if m.g.Kind == contract.Quotient {
		whole, fraction := divide(d.amount(m.uses[0]).units*m.times, m.by, m.g.Places)
		return whole*pow10(m.g.Places) + fraction
	}
	r := d.o.source(m.name)
	drawn := fixed{m.low.units + m.step.units*below(&r, m.count), m.low.places}
	return drawn.round(m.highest.places).units
}

func (d *Drawer) amount(m *maker) fixed {
	d.value(m)
	return fixed{d.now.values[m.index].units, m.highest.places}
}

func (m *maker) appendAmount(dst []byte, units uint64) []byte {
	amount := fixed{units, m.highest.places}
	if m.g.Kind == contract.Integer {
		return amount.append(dst)
	}
	return append(amount.append(append(dst, '"')), '"')
}

func (d *Drawer) appendText(dst []byte, m *maker) []byte {
	r := d.o.source(m.name)
	dst = append(dst, '"')
	switch m.g.Kind {
	case contract.UUID:
		dst = appendUUID(dst, &r)
	case contract.CUID:
		dst = appendCUID(dst, &r)
	case contract.Hex:
		dst = appendHex(dst, &r, m.g.Length)
	case contract.Base58Check:
		dst = appendBase58Check(dst, &r, m.g.Version, m.g.Length)
	default:
		for _, p := range m.texts[below(&r, uint64(len(m.texts)))] {
			dst = d.appendPiece(dst, p)
		}
	}
	return append(dst, '"')
}

func (d *Drawer) appendPiece(dst []byte, p piece) []byte {
	switch {
	case p.fact == nil:
		return append(dst, p.text...)
	case p.by > 0:
		whole, fraction := divide(d.amount(p.fact).units, p.by, decimal.DivisionPrecision)
		return appendShort(dst, whole, fraction, decimal.DivisionPrecision)
	}
	v := d.value(p.fact)
	if v[0] == '"' {
		v = v[1 : len(v)-1]
	}
	return append(dst, v...)
}

// same is Payment.same.
func (d *Drawer) same(dst []byte, m *maker) []byte {
	of := m.uses[0]
	if !slices.ContainsFunc(d.o.Toward, func(st *contract.State) bool { return slices.Contains(m.differ, st) }) {
		return append(dst, d.value(of)...)
	}
	whole := d.amount(of)
	r := d.o.source(m.name)
	part := fixed{whole.units * percent(&r, m.g), whole.places + 2}.truncate(m.g.Places)
	if part.equal(whole) {
		part.units++
	}
	return append(part.append(append(dst, '"')), '"')
}
