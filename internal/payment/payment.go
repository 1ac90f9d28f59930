// Package payment makes the facts of one payment. A payment is determined by a
// seed and an index: every fact draws from a random stream of its own, so its
// value does not depend on which other facts are asked for, nor in what order.
package payment

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// TimeLayout is how moments are written: ISO 8601, UTC, milliseconds.
const TimeLayout = "2006-01-02T15:04:05.000Z"

// Options determine a payment.
type Options struct {
	// Seed and Index choose the payment; equal ones give equal payments.
	Seed, Index uint64
	// Start is when the payment begins; events follow in the documented rhythm.
	Start time.Time
	// Moments say when events happen, counted from Start; a state that is not
	// there happens in the documented rhythm.
	Moments map[*contract.State]time.Duration
	// Facts are values that replace the generated ones, wherever they occur.
	Facts map[*contract.Fact]jsondoc.Value
	// Toward are states the payment comes to: its facts satisfy their relations.
	Toward []*contract.State
}

// Payment is one payment's facts. It is not safe for concurrent use.
type Payment struct {
	Options
	c      *contract.Contract
	values map[*contract.Fact]jsondoc.Value
}

// New returns the payment that the options determine.
//
//go:noinline
func New(c *contract.Contract, o Options) *Payment {
	return &Payment{Options: o, c: c, values: map[*contract.Fact]jsondoc.Value{}}
}

// Fact returns the value of a fact as the event of state st carries it. A fact
// without a generator has the value of st's sample, or else of any sample.
func (p *Payment) Fact(f *contract.Fact, st *contract.State) jsondoc.Value {
	if v, ok := p.Facts[f]; ok {
		return v
	}
	g := f.Generate
	switch {
	case g == nil:
		return p.documented(f, st)
	case g.Kind == contract.Moment && g.State == nil && !g.Start:
		return jsondoc.StringValue(p.moment(g, st).Format(TimeLayout))
	}
	v, ok := p.values[f]
	if !ok {
		v = p.make(f, g, st)
		p.values[f] = v
	}
	return v
}

func (p *Payment) documented(f *contract.Fact, st *contract.State) jsondoc.Value {
	for _, s := range append([]*contract.State{st}, p.c.States()...) {
		for _, field := range s.Fields() {
			if field.Fact == f {
				if v := s.Sample.At(field.Pointer); v != nil {
					return *v
				}
			}
		}
	}
	return jsondoc.NullValue()
}

// moment returns the moment that the event of state st gives, in UTC.
func (o *Options) moment(g *contract.Generator, st *contract.State) time.Time {
	switch {
	case g.Start:
		return o.Start.UTC()
	case g.State != nil:
		st = g.State
	}
	return o.Start.Add(o.offset(st)).UTC()
}

// Offset returns when the event of state st happens, counted from Start.
func (p *Payment) Offset(st *contract.State) time.Duration { return p.offset(st) }

func (o *Options) offset(st *contract.State) time.Duration {
	if at, ok := o.Moments[st]; ok {
		return at
	}
	if st.Late < time.Millisecond {
		return st.At
	}
	r := source(o.Seed, o.Index, lateness(st))
	late := below(&r, uint64(st.Late.Milliseconds())+1)
	return st.At + time.Duration(late)*time.Millisecond
}

func (p *Payment) make(f *contract.Fact, g *contract.Generator, st *contract.State) jsondoc.Value {
	r := source(p.Seed, p.Index, hash(f.Name))
	switch g.Kind {
	case contract.UUID:
		return jsondoc.StringValue(string(appendUUID(nil, &r)))
	case contract.CUID:
		return jsondoc.StringValue(string(appendCUID(nil, &r)))
	case contract.Hex:
		return jsondoc.StringValue(string(appendHex(nil, &r, g.Length)))
	case contract.Base58Check:
		return jsondoc.StringValue(string(appendBase58Check(nil, &r, g.Version, g.Length, nil)))
	case contract.Pick:
		return jsondoc.StringValue(pick(&r, g.Texts))
	case contract.Text:
		return jsondoc.StringValue(p.fill(pick(&r, g.Texts), st))
	case contract.Amount:
		low, step, steps := amounts(g)
		drawn := low.Add(step.Mul(decimal.NewFromUint64(below(&r, uint64(steps)+1))))
		return jsondoc.StringValue(drawn.StringFixed(int32(g.Places)))
	case contract.Quotient:
		of, _ := number(p.Fact(g.Of, st).Text)
		by, _ := number(g.By)
		return jsondoc.StringValue(of.DivRound(by, int32(g.Places)).StringFixed(int32(g.Places)))
	case contract.Same:
		return p.same(&r, f, g, st)
	case contract.Integer:
		low, count := integers(g)
		return jsondoc.Value{Kind: jsondoc.Number, Text: strconv.FormatUint(low+below(&r, count), 10)}
	case contract.Moment:
		return jsondoc.StringValue(p.moment(g, st).Format(TimeLayout))
	}
	panic(fmt.Sprintf("payment: generator %q of fact %s is not implemented", g.Kind, f.Name))
}

// same copies another fact's value, unless a state the payment comes to wants
// the two to differ.
func (p *Payment) same(r *rand.PCG, f *contract.Fact, g *contract.Generator, st *contract.State) jsondoc.Value {
	of := p.Fact(g.Of, st)
	whole, ok := number(of.Text)
	if g.Percent == [2]int{} || !ok || !p.mustDiffer(f, g.Of) {
		return of
	}
	part := whole.Mul(decimal.New(int64(percent(r, g)), -2)).Truncate(int32(g.Places))
	if part.Equal(whole) {
		part = part.Add(decimal.New(1, -int32(g.Places)))
	}
	return jsondoc.StringValue(part.StringFixed(int32(g.Places)))
}

func (p *Payment) mustDiffer(a, b *contract.Fact) bool {
	for _, st := range p.Toward {
		for _, rel := range st.Relations {
			if separates(rel, a, b) && p.applies(rel) {
				return true
			}
		}
	}
	return false
}

func separates(rel *contract.Relation, a, b *contract.Fact) bool {
	return rel.Kind == contract.Different && (rel.A == a && rel.B == b || rel.A == b && rel.B == a)
}

func (p *Payment) applies(rel *contract.Relation) bool {
	for _, c := range rel.When {
		if !Equal(c.Fact, p.Fact(c.Fact, rel.State), c.Value) {
			return false
		}
	}
	return true
}

// fill replaces {fact} by its value, and {fact/N} by the value divided by N
// without trailing zeros.
func (p *Payment) fill(text string, st *contract.State) string {
	var out strings.Builder
	start := 0
	for _, at := range contract.Placeholders(text) {
		out.WriteString(text[start:at.Start])
		out.WriteString(p.filled(at, st))
		start = at.End
	}
	return out.String() + text[start:]
}

func (p *Payment) filled(at contract.Placeholder, st *contract.State) string {
	v := p.Fact(p.c.Fact(at.Fact), st).Text
	of, ok := number(v)
	if at.By == "" || !ok {
		return v
	}
	by, _ := number(at.By)
	return of.Div(by).String()
}

// FactValue turns what a user typed after --fact into a value of that fact. The
// error says what the fact takes.
func FactValue(f *contract.Fact, typed string) (jsondoc.Value, error) {
	v := jsondoc.StringValue(typed)
	if d, ok := number(typed); ok && f.Compare == contract.Decimal && f.Generate != nil && f.Generate.Places > 0 && -d.Exponent() <= int32(f.Generate.Places) {
		v.Text = d.StringFixed(int32(f.Generate.Places))
	}
	if len(f.Schema().Validate(v)) == 0 {
		return v, nil
	}
	if other, err := jsondoc.Parse([]byte(typed)); err == nil && other.Kind != jsondoc.String && len(f.Schema().Validate(other)) == 0 {
		return other, nil
	}
	return v, fmt.Errorf("--fact %s: %.100q is no value of it; it takes a %s (--set puts anything into a single member)", f.Name, typed, f.Takes())
}
