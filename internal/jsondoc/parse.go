package jsondoc

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how many arrays and objects may stand inside each other.
const MaxDepth = 128

// Code says which rule a document breaks.
type Code string

// The codes of a SyntaxError. Only CodeInvalidJSON breaks the JSON grammar; the others are documents readers disagree about.
const (
	CodeInvalidJSON   Code = "invalid-json"
	CodeDuplicateKey  Code = "duplicate-key"
	CodeTooDeep       Code = "too-deep"
	CodeInvalidUTF8   Code = "invalid-utf8"
	CodeLoneSurrogate Code = "lone-surrogate"
)

// SyntaxError is the first thing that keeps bytes from being one JSON document.
type SyntaxError struct {
	Code    Code
	Offset  int     // in bytes from the start
	Line    int     // 1-based
	Column  int     // 1-based, in bytes
	Pointer Pointer // the innermost value being read; for a duplicate key, that member
	Message string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Parse reads exactly one JSON document (RFC 8259, UTF-8), with white space allowed around it. It also refuses what readers of JSON
// disagree about: repeated names, lone surrogates, invalid UTF-8 and nesting deeper than MaxDepth. The error is a *SyntaxError.
func Parse(raw []byte) (Value, error) {
	p := parser{raw: raw}
	return p.parsed()
}

// Reader reads many documents with less memory. The zero Reader is ready.
type Reader struct{ p parser }

// Parse is as the function Parse, but the parts of a document share their memory,
// also with those that were read before and after it.
func (r *Reader) Parse(raw []byte) (Value, error) {
	old := &r.p
	r.p = parser{
		raw: raw, text: string(raw), members: old.members[:0], items: old.items[:0], keptMembers: old.keptMembers, keptItems: old.keptItems,
	}
	return r.p.parsed()
}

func (p *parser) parsed() (v Value, _ error) {
	err := p.document(&v)
	if err == nil {
		return v, nil
	}
	slices.Reverse(err.Pointer)
	before := p.raw[:min(err.Offset, len(p.raw))]
	err.Line = 1 + bytes.Count(before, []byte{'\n'})
	err.Column = len(before) - bytes.LastIndexByte(before, '\n')
	return Value{}, err
}

type parser struct {
	raw   []byte
	text  string // raw again, where texts are parts of it
	pos   int
	depth int
	// members and items hold what was read so far of the objects and the arrays
	// being read, of the innermost last.
	members []Member
	items   []Value
	// Where texts are parts of raw, those that were read whole stand here.
	keptMembers []Member
	keptItems   []Value
}

// keep returns a copy: one of its own, or else one that shares its memory with others.
func keep[T any](shared bool, kept *[]T, list []T) []T {
	const chunk = 64
	if !shared {
		return slices.Clone(list)
	}
	if len(*kept)+len(list) > cap(*kept) {
		*kept = make([]T, 0, max(chunk, len(list)))
	}
	from := len(*kept)
	*kept = append(*kept, list...)
	return (*kept)[from:len(*kept):len(*kept)]
}

// fail builds an error without line and column; its Pointer grows innermost token first while the parser unwinds.
func (p *parser) fail(code Code, offset int, format string, args ...any) *SyntaxError {
	return &SyntaxError{Code: code, Offset: offset, Message: fmt.Sprintf(format, args...)}
}

func (p *parser) document(v *Value) *SyntaxError {
	if err := p.start(); err != nil {
		return err
	}
	if err := p.value(v); err != nil {
		return err
	}
	if p.space(); p.pos < len(p.raw) {
		return p.fail(CodeInvalidJSON, p.pos, "%s after the end of the document: send exactly one JSON value", p.found())
	}
	return nil
}

// part is what stands from one position to another.
func (p *parser) part(from, to int) string {
	if p.text != "" {
		return p.text[from:to]
	}
	return string(p.raw[from:to])
}

func (p *parser) start() *SyntaxError {
	switch {
	case bytes.HasPrefix(p.raw, []byte("\xef\xbb\xbf")):
		return p.fail(CodeInvalidJSON, 0, "the document starts with a byte order mark (EF BB BF): send UTF-8 without one")
	case bytes.HasPrefix(p.raw, []byte("\xff\xfe")), bytes.HasPrefix(p.raw, []byte("\xfe\xff")):
		return p.fail(CodeInvalidJSON, 0, "the document starts with a UTF-16 byte order mark: send UTF-8 without one")
	}
	if p.space(); p.pos == len(p.raw) {
		return p.fail(CodeInvalidJSON, p.pos, "the document is empty: send one JSON value")
	}
	return nil
}

func (p *parser) space() {
	for p.pos < len(p.raw) {
		switch p.raw[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the byte at the position, 0 at the end.
func (p *parser) peek() byte {
	if p.pos < len(p.raw) {
		return p.raw[p.pos]
	}
	return 0
}

// found names what stands at the position, for a message.
func (p *parser) found() string {
	if p.pos >= len(p.raw) {
		return "the document ends"
	}
	r, size := utf8.DecodeRune(p.raw[p.pos:])
	if r == utf8.RuneError && size == 1 {
		return fmt.Sprintf("byte 0x%02x", p.raw[p.pos])
	}
	return strconv.QuoteRune(r)
}

// value reads a value into v, which is null.
func (p *parser) value(v *Value) (err *SyntaxError) {
	switch c := p.peek(); c {
	case '{', '[':
		return p.nested(v, c)
	case '"':
		v.Kind = String
		v.Text, err = p.str()
		return err
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return p.number(v)
	}
	return p.word(v)
}

func (p *parser) nested(v *Value, opening byte) (err *SyntaxError) {
	if p.depth == MaxDepth {
		return p.fail(CodeTooDeep, p.pos, "more than %d arrays and objects inside each other", MaxDepth)
	}
	p.depth++
	p.pos++
	if opening == '{' {
		v.Kind = Object
		v.Members, err = p.object()
	} else {
		v.Kind = Array
		v.Items, err = p.array()
	}
	p.depth--
	return err
}

func (p *parser) word(v *Value) *SyntaxError {
	rest := p.raw[p.pos:]
	end := 0
	for end < len(rest) && end < 32 && isWordByte(rest[end]) {
		end++
	}
	switch word := string(rest[:end]); word {
	case "null":
		p.pos += end
		return nil
	case "true", "false":
		p.pos += end
		v.Kind, v.Bool = Bool, word == "true"
		return nil
	case "":
		return p.fail(CodeInvalidJSON, p.pos, "%s where a value should be", p.found())
	case "NaN", "Infinity":
		return p.fail(CodeInvalidJSON, p.pos, "%s is not JSON: JSON numbers are finite; send null or a string", word)
	default:
		return p.fail(CodeInvalidJSON, p.pos, "%q is not a JSON value: words are true, false and null; quote text with \"", word)
	}
}

func isWordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}

func (p *parser) number(v *Value) *SyntaxError {
	end, at, problem := scanNumber(p.raw, p.pos)
	if problem != "" {
		return p.fail(CodeInvalidJSON, at, "%s", problem)
	}
	v.Kind, v.Text = Number, p.part(p.pos, end)
	p.pos = end
	return nil
}

// scanNumber reads the number starting at pos and returns where it ends, or where and what the problem is.
func scanNumber(raw []byte, pos int) (end, at int, problem string) {
	if pos < len(raw) && raw[pos] == '-' {
		pos++
	}
	whole := digits(raw, pos)
	switch {
	case whole == pos && bytes.HasPrefix(raw[pos:], []byte("Infinity")):
		return 0, pos, "-Infinity is not JSON: JSON numbers are finite; send null or a string"
	case whole == pos:
		return 0, pos, "a number needs a digit here"
	case raw[pos] == '0' && whole > pos+1:
		return 0, pos, "a number must not start with 0 followed by more digits"
	}
	pos = whole
	if pos < len(raw) && raw[pos] == '.' {
		fraction := digits(raw, pos+1)
		if fraction == pos+1 {
			return 0, fraction, "a number needs a digit after its decimal point"
		}
		pos = fraction
	}
	if pos == len(raw) || raw[pos]|0x20 != 'e' {
		return pos, 0, ""
	}
	pos++
	if pos < len(raw) && (raw[pos] == '+' || raw[pos] == '-') {
		pos++
	}
	exponent := digits(raw, pos)
	if exponent == pos {
		return 0, pos, "a number needs a digit in its exponent"
	}
	return exponent, 0, ""
}

func digits(raw []byte, pos int) int {
	for pos < len(raw) && raw[pos] >= '0' && raw[pos] <= '9' {
		pos++
	}
	return pos
}

func (p *parser) array() ([]Value, *SyntaxError) {
	if p.space(); p.peek() == ']' {
		p.pos++
		return []Value{}, nil
	}
	first := len(p.items)
	for {
		p.space()
		var item Value
		if err := p.value(&item); err != nil {
			err.Pointer = append(err.Pointer, strconv.Itoa(len(p.items)-first))
			return nil, err
		}
		p.items = append(p.items, item)
		if done, err := p.separator(']', "array"); done || err != nil {
			items := keep(p.text != "", &p.keptItems, p.items[first:])
			p.items = p.items[:first]
			return items, err
		}
	}
}

// separator reads the comma or the closing bracket after an item or member.
func (p *parser) separator(closing byte, what string) (done bool, err *SyntaxError) {
	p.space()
	switch c := p.peek(); {
	case c == closing:
		p.pos++
		return true, nil
	case c != ',':
		return false, p.fail(CodeInvalidJSON, p.pos, "%s where ',' or '%c' should be in an %s", p.found(), closing, what)
	}
	comma := p.pos
	p.pos++
	if p.space(); p.peek() == closing {
		return false, p.fail(CodeInvalidJSON, comma, "a comma before the closing '%c': remove it", closing)
	}
	return false, nil
}

func (p *parser) object() ([]Member, *SyntaxError) {
	if p.space(); p.peek() == '}' {
		p.pos++
		return []Member{}, nil
	}
	if p.members == nil {
		p.members = make([]Member, 0, min(1+bytes.Count(p.raw, []byte{','}), 32))
	}
	var names nameSet
	first := len(p.members)
	for {
		var m Member
		if err := p.member(&m, p.members[first:], &names); err != nil {
			return nil, err
		}
		p.members = append(p.members, m)
		if done, err := p.separator('}', "object"); done || err != nil {
			members := keep(p.text != "", &p.keptMembers, p.members[first:])
			p.members = p.members[:first]
			return members, err
		}
	}
}

func (p *parser) member(m *Member, before []Member, names *nameSet) (err *SyntaxError) {
	p.space()
	at := p.pos
	if p.peek() != '"' {
		return p.fail(CodeInvalidJSON, at, "%s where a member name in double quotes should be", p.found())
	}
	if m.Name, err = p.str(); err != nil {
		return err
	}
	if names.repeated(before, m.Name) {
		err = p.fail(CodeDuplicateKey, at, "the member name %.80q appears twice in one object: readers disagree about which one counts", m.Name)
	} else if p.space(); p.peek() != ':' {
		err = p.fail(CodeInvalidJSON, p.pos, "%s where ':' should be after a member name", p.found())
	}
	if err == nil {
		p.pos++
		p.space()
		err = p.value(&m.Value)
	}
	if err != nil {
		err.Pointer = append(err.Pointer, m.Name)
	}
	return err
}

// nameSet finds repeated names: by looking while an object is small, by a map once it is not.
type nameSet struct{ seen map[string]struct{} }

func (n *nameSet) repeated(members []Member, name string) bool {
	const small = 16
	if len(members) < small {
		for i := range members {
			if members[i].Name == name {
				return true
			}
		}
		return false
	}
	if n.seen == nil {
		n.seen = make(map[string]struct{}, 2*small)
		for i := range members {
			n.seen[members[i].Name] = struct{}{}
		}
	}
	_, found := n.seen[name]
	n.seen[name] = struct{}{}
	return found
}

// str reads a string; the position is at its opening quote.
func (p *parser) str() (string, *SyntaxError) {
	p.pos++
	start := p.pos
	var text []byte // decoded so far, once there was an escape
	for {
		if p.pos += Ordinary(p.raw[p.pos:]); p.pos >= len(p.raw) {
			return "", p.fail(CodeInvalidJSON, p.pos, "the document ends inside a string")
		}
		switch c := p.raw[p.pos]; {
		case c == '"':
			end := p.pos
			p.pos++
			if text == nil {
				return p.part(start, end), nil
			}
			return string(append(text, p.raw[start:end]...)), nil
		case c == '\\':
			text = append(text, p.raw[start:p.pos]...)
			r, err := p.escape()
			if err != nil {
				return "", err
			}
			text = utf8.AppendRune(text, r)
			start = p.pos
		case c < 0x20:
			return "", p.fail(CodeInvalidJSON, p.pos, "control character 0x%02x inside a string: escape it", c)
		case c < utf8.RuneSelf:
			p.pos++
		default:
			r, size := utf8.DecodeRune(p.raw[p.pos:])
			if r == utf8.RuneError && size == 1 {
				return "", p.fail(CodeInvalidUTF8, p.pos, "byte 0x%02x is not UTF-8 here: send the document as UTF-8", c)
			}
			p.pos += size
		}
	}
}

// escape reads one escape sequence; the position is at its backslash.
func (p *parser) escape() (rune, *SyntaxError) {
	at := p.pos
	p.pos++
	c := p.peek()
	p.pos = min(p.pos+1, len(p.raw))
	switch c {
	case '"', '\\', '/':
		return rune(c), nil
	case 'b':
		return '\b', nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case 'u':
		return p.unicodeEscape(at)
	}
	return 0, p.fail(CodeInvalidJSON, at, `unknown escape in a string: JSON has \" \\ \/ \b \f \n \r \t and \uXXXX`)
}

func (p *parser) unicodeEscape(at int) (rune, *SyntaxError) {
	first, ok := p.hex4()
	if !ok {
		return 0, p.fail(CodeInvalidJSON, at, `\u needs four hexadecimal digits`)
	}
	if !utf16.IsSurrogate(first) {
		return first, nil
	}
	if bytes.HasPrefix(p.raw[p.pos:], []byte(`\u`)) {
		second := p.pos
		p.pos += 2
		low, ok := p.hex4()
		if !ok {
			return 0, p.fail(CodeInvalidJSON, second, `\u needs four hexadecimal digits`)
		}
		if r := utf16.DecodeRune(first, low); r != utf8.RuneError {
			return r, nil
		}
	}
	return 0, p.fail(CodeLoneSurrogate, at, `\u%04x is half a surrogate pair: it is not a character on its own`, first)
}

func (p *parser) hex4() (rune, bool) {
	if len(p.raw)-p.pos < 4 {
		return 0, false
	}
	var r rune
	for _, c := range p.raw[p.pos : p.pos+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	p.pos += 4
	return r, true
}
