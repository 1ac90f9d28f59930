package jsondoc

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"
)

// AppendCanonical appends the bytes ECMAScript's JSON.stringify(JSON.parse(text)) gives for the document: no white space, members named
// like array indexes (0 to 4294967294) first and ascending, the others in document order, numbers as Number::toString writes the nearest
// double, and null for a number beyond the doubles.
func (v Value) AppendCanonical(dst []byte) []byte {
	return writer{number: appendECMANumber, order: ecmaOrder}.value(dst, &v, "")
}

// AppendLiteral appends the document without white space, members in document order and numbers as written.
func (v Value) AppendLiteral(dst []byte) []byte {
	return writer{number: appendVerbatim, order: documentOrder}.value(dst, &v, "")
}

// AppendIndent appends the document over several lines, one level of nesting indented by indent, members in document order and numbers as
// written. Empty arrays and objects stay [] and {}.
func (v Value) AppendIndent(dst []byte, indent string) []byte {
	return writer{number: appendVerbatim, order: documentOrder, indent: indent, lines: true}.value(dst, &v, "\n")
}

type writer struct {
	number func(dst []byte, literal string) []byte
	order  func(members []Member) []Member
	indent string
	lines  bool
}

// value appends v; margin is the line break and indentation of the line v starts on.
func (w writer) value(dst []byte, v *Value, margin string) []byte {
	switch v.Kind {
	case Null:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, v.Bool)
	case Number:
		return w.number(dst, v.Text)
	case String:
		return appendString(dst, v.Text)
	case Array:
		return w.array(dst, v.Items, margin)
	case Object:
		return w.object(dst, w.order(v.Members), margin)
	}
	return dst
}

func (w writer) array(dst []byte, items []Value, margin string) []byte {
	if len(items) == 0 {
		return append(dst, "[]"...)
	}
	inner := w.inner(margin)
	for i := range items {
		dst = append(dst, opening(i, '[')...)
		dst = append(dst, inner...)
		dst = w.value(dst, &items[i], inner)
	}
	return append(append(dst, w.outer(margin)...), ']')
}

func (w writer) object(dst []byte, members []Member, margin string) []byte {
	if len(members) == 0 {
		return append(dst, "{}"...)
	}
	inner := w.inner(margin)
	for i := range members {
		dst = append(dst, opening(i, '{')...)
		dst = append(dst, inner...)
		dst = append(appendString(dst, members[i].Name), ':')
		if w.lines {
			dst = append(dst, ' ')
		}
		dst = w.value(dst, &members[i].Value, inner)
	}
	return append(append(dst, w.outer(margin)...), '}')
}

func opening(i int, bracket byte) string {
	if i > 0 {
		return ","
	}
	return string(bracket)
}

func (w writer) inner(margin string) string {
	if !w.lines {
		return ""
	}
	return margin + w.indent
}

func (w writer) outer(margin string) string {
	if !w.lines {
		return ""
	}
	return margin
}

func documentOrder(members []Member) []Member { return members }

func appendVerbatim(dst []byte, literal string) []byte { return append(dst, literal...) }

// ecmaOrder is OrdinaryOwnPropertyKeys of ECMA-262: array indexes ascending, then the others as they came.
func ecmaOrder(members []Member) []Member {
	isIndex := func(m Member) bool { return ecmaIndex(m.Name) >= 0 }
	if !slices.ContainsFunc(members, isIndex) {
		return members
	}
	ordered := slices.Clone(members)
	sort.SliceStable(ordered, func(i, j int) bool {
		x, y := ecmaIndex(ordered[i].Name), ecmaIndex(ordered[j].Name)
		return x >= 0 && (y < 0 || x < y) // what is no index comes last
	})
	return ordered
}

// ecmaIndex returns the array index name spells, -1 when it spells none.
func ecmaIndex(name string) int64 {
	if name == "" || len(name) > 10 || name[0] < '0' || name[0] > '9' || name[0] == '0' && len(name) > 1 {
		return -1
	}
	i, err := strconv.ParseInt(name, 10, 64)
	if err != nil || i > math.MaxUint32-1 {
		return -1
	}
	return i
}

// appendECMANumber writes the nearest double as Number::toString does, and null for infinity as JSON.stringify does.
func appendECMANumber(dst []byte, literal string) []byte {
	f, _ := strconv.ParseFloat(literal, 64) // of a JSON number the only error is a magnitude beyond the doubles, which is infinity
	switch magnitude := math.Abs(f); {
	case math.IsInf(f, 0):
		return append(dst, "null"...)
	case f == 0:
		return append(dst, '0')
	case magnitude >= 1e-6 && magnitude < 1e21:
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

func appendString(dst []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	dst = append(dst, '"')
	start := 0
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == '"' || c == '\\' {
			dst = appendEscape(append(dst, s[start:i]...), c)
			start = i + 1
		}
	}
	return append(append(dst, s[start:]...), '"')
}

func appendEscape(dst []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\f':
		return append(dst, '\\', 'f')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
