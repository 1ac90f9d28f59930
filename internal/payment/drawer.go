package payment

import (
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

const (
	recentBits     = 8
	recentPayments = 1 << recentBits
)

// Drawer fills the facts of one payment after another into Forms, with the values
// that Payment has. Once warm it allocates nothing, and it remembers what it drew
// of about the last 256 payments, so that their events may come by turns. It is not
// safe for concurrent use.
type Drawer struct {
	c      *contract.Contract
	given  map[*contract.Fact]jsondoc.Value
	makers []*maker // by Fact.Index, nil until the fact is asked for
	times  []*maker // of the moments that were asked for
	cells  int      // that makers have
	forms  int
	recent [recentPayments]drawn
	now    *drawn
	day    int64  // of the last moment, counted from 1970
	date   []byte // and how it is written; nil before the first
}

// drawn is what has been drawn of one payment.
type drawn struct {
	seed, index uint64
	text        []byte
	values      []value // by maker.cell
	ready       uint64  // the Forms of which all is drawn

	start time.Time
	told  uint64 // the Forms of which the moments are those of a payment that started then
}

// value is JSON in drawn.text, without the quotes if its maker says so; what ends
// at 0 has not been drawn yet.
type value struct {
	start, end uint32
	units      uint64 // of an amount; of a moment the milliseconds since 1970
}

// NewDrawer returns a Drawer of the contract's payments that have the facts given,
// as by Options.Facts; it must not be changed any more.
func NewDrawer(c *contract.Contract, given map[*contract.Fact]jsondoc.Value) *Drawer {
	return &Drawer{c: c, given: given, makers: make([]*maker, len(c.Facts))}
}

// Draws reports whether a Form may hold the fact. It may not when the fact is given,
// has no generator or needs amounts of more than 18 digits, nor when it is made of
// such a one or of one that the state or the outcome of the payment changes.
func (d *Drawer) Draws(f *contract.Fact) bool { return d.maker(f).way != slow }

// Append appends a Form that this Drawer made, filled with the facts of the payment
// that the options determine. It appends nothing and reports false where the
// options give facts, or a moment is outside of the years 0 to 9999: those are for
// Payment.
func (d *Drawer) Append(dst []byte, o *Options, f *Form) ([]byte, bool) {
	if len(o.Facts) > 0 {
		return dst, false
	}
	d.turn(o)
	if d.now.ready&f.bit == 0 {
		d.drawAll(f)
	}
	if !d.tell(o, f) {
		return dst, false
	}
	for _, m := range f.outcomes {
		d.outcome(o, m)
	}
	return f.append(dst, d.now.text, d.now.values), true
}

// turn goes on to the payment that the options determine.
func (d *Drawer) turn(o *Options) {
	d.now = &d.recent[o.Index*golden>>(64-recentBits)]
	switch {
	case len(d.now.values) != d.cells:
		d.now.values = slices.Grow(d.now.values[:0], d.cells)[:d.cells]
	case d.now.seed == o.Seed && d.now.index == o.Index:
		return
	}
	clear(d.now.values)
	d.now.seed, d.now.index, d.now.text, d.now.ready, d.now.told = o.Seed, o.Index, d.now.text[:0], 0, 0
}

func (d *Drawer) drawAll(f *Form) {
	for _, m := range f.drawn {
		d.value(m)
	}
	d.now.ready |= f.bit
}

func (d *Drawer) value(m *maker) []byte {
	v := &d.now.values[m.cell]
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
	switch m.way {
	case amount:
		v.units = d.units(m)
		d.now.text = fixed{v.units, m.highest.places}.append(d.now.text)
	case another:
		d.now.text = d.appendApart(d.now.text, m)
	default:
		d.now.text = d.appendText(d.now.text, m)
	}
	v.end = uint32(len(d.now.text))
}

func (d *Drawer) units(m *maker) uint64 {
	if m.g.Kind == contract.Quotient {
		whole, fraction := divide(d.amount(m.uses[0]).units*m.times, m.by, m.g.Places)
		return whole*pow10(m.g.Places) + fraction
	}
	r := source(d.now.seed, d.now.index, m.name)
	drawn := fixed{m.low.units + m.step.units*below(&r, m.count), m.low.places}
	return drawn.round(m.highest.places).units
}

func (d *Drawer) amount(m *maker) fixed {
	d.value(m)
	return fixed{d.now.values[m.cell].units, m.highest.places}
}

func (d *Drawer) appendText(dst []byte, m *maker) []byte {
	r := source(d.now.seed, d.now.index, m.name)
	switch m.g.Kind {
	case contract.UUID:
		return appendUUID(dst, &r)
	case contract.CUID:
		return appendCUID(dst, &r)
	case contract.Hex:
		return appendHex(dst, &r, m.g.Length)
	case contract.Base58Check:
		return appendBase58Check(dst, &r, m.g.Version, m.g.Length, m.radix)
	default:
		for _, p := range m.texts[below(&r, uint64(len(m.texts)))] {
			dst = d.appendPiece(dst, p)
		}
		return dst
	}
}

func (d *Drawer) appendPiece(dst []byte, p piece) []byte {
	switch {
	case p.fact == nil:
		return append(dst, p.text...)
	case p.by > 0 && d.amount(p.fact).units%p.by == 0:
		return strconv.AppendUint(dst, d.amount(p.fact).units/p.by, 10)
	case p.by > 0:
		whole, fraction := divide(d.amount(p.fact).units, p.by, decimal.DivisionPrecision)
		return appendShort(dst, whole, fraction, decimal.DivisionPrecision)
	}
	return append(dst, d.value(p.fact)...)
}

// outcome is Payment.same, where the states that the payment comes to decide.
func (d *Drawer) outcome(o *Options, m *maker) {
	from := m.uses[0]
	for _, st := range o.Toward {
		if slices.Contains(m.differ, st) {
			from = m.apart
		}
	}
	v := d.now.values[from.cell]
	if v.end == 0 {
		d.draw(from, &v)
		d.now.values[from.cell] = v
	}
	d.now.values[m.cell] = v
}

// appendApart appends an amount of which the payment comes to another one.
func (d *Drawer) appendApart(dst []byte, m *maker) []byte {
	whole := d.amount(m.uses[0])
	r := source(d.now.seed, d.now.index, m.name)
	part := fixed{whole.units * percent(&r, m.g), whole.places + 2}.truncate(m.g.Places)
	if part.equal(whole) {
		part.units++
	}
	if m.quoted {
		return part.append(dst)
	}
	return append(part.append(append(dst, '"')), '"')
}

// tell sees to it that the moments of a Form are written as the options have them;
// it reports false where one does not fit.
func (d *Drawer) tell(o *Options, f *Form) bool {
	const first, beyond = -62_167_219_200_000, 253_402_300_800_000 // milliseconds since 1970
	switch {
	case o.Start != d.now.start || len(o.Moments) > 0:
		d.now.start, d.now.told = o.Start, 0
	case d.now.told&f.bit != 0:
		return true
	}
	second, nano := o.Start.Unix(), o.Start.Nanosecond()
	if second < first/1000 || second >= beyond/1000 {
		return false
	}
	for _, m := range f.moments {
		after := d.offset(o, m)
		rest := time.Duration(nano)%time.Millisecond + after%time.Millisecond + time.Millisecond
		milli := second*1000 + int64(nano)/int64(time.Millisecond) + int64(after/time.Millisecond) + int64(rest/time.Millisecond) - 1
		if milli < first || milli >= beyond {
			return false
		}
		if v := &d.now.values[m.cell]; v.end == 0 || v.units != uint64(milli) {
			d.moment(v, milli)
		}
	}
	if len(o.Moments) == 0 {
		d.now.told |= f.bit
	}
	return true
}

// offset is Options.offset.
func (d *Drawer) offset(o *Options, m *maker) time.Duration {
	if m.state == nil {
		return 0
	}
	if len(o.Moments) > 0 {
		if at, ok := o.Moments[m.state]; ok {
			return at
		}
	}
	if m.apart == nil {
		return m.state.At
	}
	return m.state.At + time.Duration(d.amount(m.apart).units)*time.Millisecond
}

func (d *Drawer) moment(v *value, milli int64) {
	if v.end == 0 {
		v.start = uint32(len(d.now.text))
		d.now.text, _ = room(d.now.text, len(TimeLayout))
		v.end = uint32(len(d.now.text))
	}
	v.units = uint64(milli)
	d.putMoment(d.now.text[v.start:v.end], milli)
}

// putMoment writes a moment in TimeLayout. Payments that follow one another mostly
// happen on one day.
func (d *Drawer) putMoment(out []byte, milli int64) {
	const dayMillis = 24 * 60 * 60 * 1000
	day, rest := milli/dayMillis, milli%dayMillis
	if rest < 0 {
		day, rest = day-1, rest+dayMillis
	}
	if day != d.day || d.date == nil {
		d.day, d.date = day, time.UnixMilli(milli).UTC().AppendFormat(d.date[:0], TimeLayout)
	}
	out = out[:len(TimeLayout)]
	copy(out, d.date)
	second := uint32(rest) / 1000
	thousandth := uint32(rest) % 1000
	digits(out[11:], second/3600)
	digits(out[14:], second/60%60)
	digits(out[17:], second%60)
	out[20] = byte('0' + thousandth/100)
	digits(out[21:], thousandth%100)
}

// digits writes a number below 100.
func digits(out []byte, number uint32) {
	out[1], out[0] = byte('0'+number%10), byte('0'+number/10)
}
