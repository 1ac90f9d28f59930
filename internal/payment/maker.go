package payment

import (
	"bytes"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// maker is a fact's generator as a Drawer needs it: names resolved and numbers
// read.
type maker struct {
	way    way
	g      *contract.Generator
	cell   int    // of the drawn values
	name   uint64 // the hash of the fact's name
	uses   []*maker
	quoted bool // what it makes stands in quotes, which it does not make
	length int  // in bytes, of all it makes; 0 where that depends

	highest   fixed // of the amounts it makes, and their places
	low, step fixed
	count     uint64 // of steps
	times, by uint64 // what turns the units of a dividend into the quotient

	radix  *radix            // of base58check
	texts  [][]piece         // what one is picked of
	differ []*contract.State // payments that come there have another amount than the fact used
	apart  *maker            // of that amount; or of by how many milliseconds a moment is late
	state  *contract.State   // of which a moment is; nil for the start
}

// way is how a Drawer comes to a value.
type way uint8

const (
	slow    way = iota // by Payment
	moment             // by the options alone
	same               // by another fact and the payment's outcome
	text               // by the seed and the index
	amount             // likewise, and it counts
	another            // likewise, being an amount that differs from the one it uses
)

// piece is a part of a text: escaped, or a fact, or an amount divided by a
// number.
type piece struct {
	text string
	fact *maker
	by   uint64
}

func (d *Drawer) maker(f *contract.Fact) *maker {
	m := d.makers[f.Index]
	if m == nil {
		m = d.newMaker(f.Generate, hash(f.Name))
		if _, given := d.given[f]; !given && m.g != nil {
			m.way = d.compile(m, f)
		}
		d.makers[f.Index] = m
	}
	return m
}

func (d *Drawer) newMaker(g *contract.Generator, name uint64) *maker {
	d.cells++
	return &maker{g: g, cell: d.cells - 1, name: name}
}

// moments returns what makes the moment of a state, or of the start for nil.
func (d *Drawer) moments(st *contract.State) *maker {
	if i := slices.IndexFunc(d.times, func(m *maker) bool { return m.state == st }); i >= 0 {
		return d.times[i]
	}
	m := d.newMaker(nil, 0)
	m.way, m.state, m.quoted, m.length = moment, st, true, len(TimeLayout)
	if st != nil && st.Late >= time.Millisecond {
		m.apart = d.newMaker(&contract.Generator{Kind: contract.Integer}, lateness(st))
		m.apart.way, m.apart.step, m.apart.count = amount, fixed{units: 1}, uint64(st.Late.Milliseconds())+1
	}
	d.times = append(d.times, m)
	return m
}

func (d *Drawer) compile(m *maker, f *contract.Fact) way {
	m.quoted = m.g.Kind != contract.Integer
	switch m.g.Kind {
	case contract.Moment:
		return moment
	case contract.Same:
		return d.compileSame(m, f)
	case contract.Amount:
		return m.compileAmount()
	case contract.Quotient:
		return d.compileQuotient(m)
	case contract.Integer:
		m.compileInteger()
		return amount
	case contract.Text:
		return d.compileTexts(m)
	case contract.Pick:
		for _, text := range m.g.Texts {
			m.texts = append(m.texts, []piece{literal(text)})
		}
	case contract.Base58Check:
		m.radix = newRadix(1 + m.g.Length + checksum)
		m.length = base58Length(m.g)
	case contract.Hex:
		m.length = m.g.Length
	case contract.UUID:
		m.length = uuidLength
	case contract.CUID:
		m.length = cuidLength
	}
	return text
}

func (m *maker) compileInteger() {
	low, count := integers(m.g)
	m.low, m.step, m.count, m.highest = fixed{units: low}, fixed{units: 1}, count, fixed{units: low + count - 1}
	if n := len(m.highest.append(nil)); n == len(m.low.append(nil)) {
		m.length = n
	}
}

// base58Length returns how many characters a base58check generator makes; 0 where
// that depends on what is drawn.
func base58Length(g *contract.Generator) int {
	least := append([]byte{g.Version}, make([]byte, g.Length+checksum)...)
	most := append([]byte{g.Version}, bytes.Repeat([]byte{0xff}, g.Length+checksum)...)
	if n := len(appendBase58(nil, most)); n == len(appendBase58(nil, least)) {
		return n
	}
	return 0
}

// use makes m wait for another fact, and returns how that comes to its value.
func (d *Drawer) use(m *maker, f *contract.Fact) (*maker, way) {
	of := d.maker(f)
	m.uses = append(m.uses, of)
	return of, of.way
}

func (m *maker) compileAmount() way {
	low, step, steps := amounts(m.g)
	places := max(m.g.Places, -int(low.Exponent()), -int(step.Exponent()))
	highest, ok1 := toFixed(low.Add(step.Mul(decimal.NewFromInt(steps))), places)
	least, ok2 := toFixed(low, places)
	each, ok3 := toFixed(step, places)
	if !ok1 || !ok2 || !ok3 {
		return slow
	}
	m.low, m.step, m.count, m.highest = least, each, uint64(steps)+1, highest.round(m.g.Places)
	return amount
}

func (d *Drawer) compileQuotient(m *maker) way {
	of, how := d.use(m, m.g.Of)
	if how != amount {
		return slow
	}
	by, _ := number(m.g.By)
	units, ok1 := divisor(of, by)
	highest, ok2 := toFixed(of.highest.decimal().DivRound(by, int32(m.g.Places)), m.g.Places)
	if !ok1 || !ok2 {
		return slow
	}
	m.times, m.by, m.highest = pow10(-int(by.Exponent())), units, highest
	return amount
}

// divisor gives by as many places as the amounts of a maker have together with
// its own, and reports whether those fit too.
func divisor(of *maker, by decimal.Decimal) (units uint64, ok bool) {
	places := of.highest.places - int(by.Exponent())
	_, fits := toFixed(of.highest.decimal(), places)
	scaled, ok := toFixed(by, places)
	return scaled.units, ok && fits
}

func (d *Drawer) compileSame(m *maker, f *contract.Fact) way {
	of, how := d.use(m, m.g.Of)
	switch {
	case how != text && how != amount:
		return slow
	case m.g.Percent == [2]int{}:
		m.quoted = of.quoted
		return same
	}
	largest := decimal.New(int64(max(m.g.Percent[1], 100)), -2)
	_, fits := toFixed(of.highest.decimal().Mul(largest), max(m.g.Places, of.highest.places+2))
	if how != amount || !fits || !d.compileOutcomes(m, f) {
		return slow
	}
	m.quoted = of.quoted
	m.apart = d.newMaker(m.g, m.name)
	m.apart.way, m.apart.uses, m.apart.quoted = another, m.uses, of.quoted
	return same
}

// compileOutcomes lists the states where the fact is not the same, unless that
// depends on what is drawn.
func (d *Drawer) compileOutcomes(m *maker, f *contract.Fact) (fixed bool) {
	drawn := func(c contract.Condition) bool {
		_, given := d.given[c.Fact]
		return c.Fact.Generate != nil && !given
	}
	for _, st := range d.c.States() {
		for _, rel := range st.Relations {
			switch {
			case !separates(rel, f, m.g.Of):
			case slices.ContainsFunc(rel.When, drawn):
				return false
			case New(d.c, Options{Facts: d.given}).applies(rel):
				m.differ = append(m.differ, st)
			}
		}
	}
	return true
}

func (d *Drawer) compileTexts(m *maker) way {
	for _, t := range m.g.Texts {
		pieces, ok := d.pieces(m, t)
		if !ok {
			return slow
		}
		m.texts = append(m.texts, pieces)
	}
	return text
}

// pieces splits a text where Payment fills it.
func (d *Drawer) pieces(m *maker, t string) (pieces []piece, ok bool) {
	start := 0
	for _, at := range contract.Placeholders(t) {
		of, how := d.use(m, d.c.Fact(at.Fact))
		p, ok := piece{fact: of}, how == text || how == amount
		if at.By != "" {
			by, _ := number(at.By)
			p.by, ok = divisor(of, by)
			ok = ok && how == amount
		}
		if !ok {
			return nil, false
		}
		pieces = append(pieces, literal(t[start:at.Start]), p)
		start = at.End
	}
	return append(pieces, literal(t[start:])), true
}

func literal(text string) piece {
	quoted := string(jsondoc.StringValue(text).AppendCanonical(nil))
	return piece{text: quoted[1 : len(quoted)-1]}
}
