package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"iter"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/schema"
)

// attempts is how many values are drawn before a fact is given up on.
const attempts = 8

// fact returns what stands for a value of a fact: the value itself where it
// tells nothing, or one that the member's schema judges alike.
func (b *body) fact(f contract.Field, v jsondoc.Value) jsondoc.Value {
	if b.tellsNothing(f.Fact, v) {
		return v
	}
	b.forget(v)
	want := keywords(f.Schema(), v)
	for candidate := range b.candidates(f.Fact, v) {
		if !jsondoc.Equal(candidate, v) && slices.Equal(keywords(f.Schema(), candidate), want) {
			return candidate
		}
	}
	return b.placeholder(v, f.Fact.Name)
}

func keywords(s *schema.Schema, v jsondoc.Value) []string {
	var out []string
	for _, w := range s.Validate(v) {
		out = append(out, w.Keyword)
	}
	return out
}

// tellsNothing reports whether a value of the fact can be kept: amounts, times
// and numbers, and what the documents themselves name.
func (r *Redactor) tellsNothing(f *contract.Fact, v jsondoc.Value) bool {
	switch v.Kind {
	case jsondoc.Null, jsondoc.Bool:
		return true
	case jsondoc.Number:
		return !drawn(f)
	case jsondoc.String:
		return v.Text == "" || !drawn(f) && (r.documented[f][v.Text] || measured(f) && isMeasure(v.Text))
	case jsondoc.Array, jsondoc.Object:
	}
	return false
}

// drawn reports whether a payment draws the fact at random, so that it tells
// whose it is.
func drawn(f *contract.Fact) bool {
	if f.Generate == nil {
		return false
	}
	switch f.Generate.Kind {
	case contract.UUID, contract.CUID, contract.Hex, contract.Base58Check, contract.Pick, contract.Text:
		return true
	default:
		return false
	}
}

// measured reports whether the fact is an amount, a number or a time.
func measured(f *contract.Fact) bool {
	return f.Generate != nil && !drawn(f) || f.Compare != contract.Exact
}

func isMeasure(s string) bool {
	return len(s) <= 40 && strings.Trim(s, "0123456789.,:+-eETZ") == ""
}

// candidates returns what could stand for a value, the best first.
func (b *body) candidates(f *contract.Fact, v jsondoc.Value) iter.Seq[jsondoc.Value] {
	return func(yield func(jsondoc.Value) bool) {
		switch {
		case v.Kind != jsondoc.String:
			yield(b.placeholder(v, f.Name))
		case !drawn(f):
			b.labels(f, v.Text, yield)
		case f.Generate.Kind == contract.Pick || f.Generate.Kind == contract.Text:
			// There are few texts to pick from, and more people.
			_ = b.labels(f, v.Text, yield) && b.draws(f, v.Text, yield)
		default:
			_ = b.draws(f, v.Text, yield) && b.labels(f, v.Text, yield)
		}
	}
}

// labels gives a text that says which fact it stands for, and one as long as the
// old value.
func (b *body) labels(f *contract.Fact, old string, yield func(jsondoc.Value) bool) bool {
	tag, length := b.tag(f.Name, old), utf8.RuneCountInString(old)
	fitted := strings.Repeat(tag, length/len(tag)+1)[:length]
	return yield(jsondoc.StringValue(tag)) && yield(jsondoc.StringValue(fitted))
}

// draws gives values as a payment makes them.
func (b *body) draws(f *contract.Fact, old string, yield func(jsondoc.Value) bool) bool {
	maker := b.makers[f]
	seed := binary.BigEndian.Uint64(b.sum(maker.Name, old))
	for i := range uint64(attempts) {
		p := payment.New(b.c, payment.Options{Seed: seed, Index: i})
		if !yield(p.Fact(maker, b.model)) {
			return false
		}
	}
	return true
}

// word keeps the names of events and states.
func (b *body) word(v jsondoc.Value, at jsondoc.Pointer) jsondoc.Value {
	if v.Kind == jsondoc.String && (v.Text == "" || b.words[v.Text]) {
		return v
	}
	b.forget(v)
	return b.placeholder(v, at[len(at)-1])
}

// placeholder returns a value of the same type that tells nothing.
func (r *Redactor) placeholder(v jsondoc.Value, name string) jsondoc.Value {
	switch v.Kind {
	case jsondoc.Number:
		n := binary.BigEndian.Uint32(r.sum(name, v.Text))
		return jsondoc.Value{Kind: jsondoc.Number, Text: strconv.FormatUint(uint64(n), 10)}
	case jsondoc.String:
		return jsondoc.StringValue(r.tag(name, v.Text))
	case jsondoc.Array:
		return jsondoc.ArrayValue()
	case jsondoc.Object:
		return jsondoc.ObjectValue()
	case jsondoc.Null, jsondoc.Bool:
	}
	return v
}

// tag returns a text for a value of what has that name, in ASCII.
func (r *Redactor) tag(name, old string) string {
	label := strings.Trim(strings.ToValidUTF8(name, ""), "/")
	return label + "-" + hex.EncodeToString(r.sum(name, old)[:6])
}

// sum is a keyed hash: it cannot be reversed without the seed.
func (r *Redactor) sum(name, old string) []byte {
	h := hmac.New(sha256.New, r.seed)
	for _, s := range []string{name, old} {
		_, _ = h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(s))))
		_, _ = h.Write([]byte(s))
	}
	return h.Sum(nil)
}
