package schema

import (
	"github.com/paytest/paytest/internal/jsondoc"
)

// Slot is where a captured value stands: raw[Start:End]. It is zero when the document has no such member.
type Slot struct{ Start, End int }

// Fixed is a member that must be there and be this very text.
type Fixed struct {
	Pointer jsondoc.Pointer
	Text    string
}

// Acceptor says yes to documents, in one pass over the bytes. It may say no to a document that is valid: then Parse, Validate and Undeclared
// decide. It never says yes to one that is not. It is immutable and safe for concurrent use.
type Acceptor struct {
	root   *node
	layout *layout
	again  [][2]int // captures of a value that an earlier one captures too
}

// Accept reports whether raw is one document that jsondoc.Parse reads, in which Validate finds no violation and Undeclared no member, and
// whose fixed members are as they should be. Then slots hold what was captured, in the order of the captures; otherwise their content means
// nothing. There must be a slot for every capture. It does not allocate.
func (a *Acceptor) Accept(raw []byte, slots []Slot) bool {
	clear(slots)
	start := skipSpace(raw, 0)
	end := refused
	if a.layout != nil {
		end = a.layout.read(raw, slots, start)
	}
	if end < 0 { // what was captured is captured again
		end = a.root.read(raw, slots, start)
	} else if a.root.slot >= 0 {
		slots[a.root.slot] = Slot{start, end}
	}
	if end < 0 || skipSpace(raw, end) != len(raw) {
		return false
	}
	for _, pair := range a.again {
		slots[pair[1]] = slots[pair[0]]
	}
	return true
}

// refused is the end of a value that is not accepted.
const refused = -1

// node accepts the values of one place. What is nil or false is refused.
type node struct {
	slot   int      // where the value's bytes go; negative for nowhere
	words  []string // if any, all there is: literals as JSON writes them, each before those that it begins with
	text   *textNode
	number *numberNode
	object *objectNode
	array  *arrayNode
	null   bool
	bools  bool
}

// read returns the end of the value that starts at pos. What follows the value is for the caller to judge: "12" ends before the "x" of "12x".
func (n *node) read(raw []byte, slots []Slot, pos int) int {
	if uint(pos) >= uint(len(raw)) {
		return refused
	}
	end := refused
	switch c := raw[pos]; {
	case n.words != nil:
		end = anyWord(raw, pos, n.words)
	case c == '"' && n.text != nil:
		end = n.text.read(raw, pos+1)
	case c == '{' && n.object != nil:
		end = n.object.read(raw, slots, pos+1)
	case c == '[' && n.array != nil:
		end = n.array.read(raw, slots, pos+1)
	case c == 'n' && n.null:
		end = word(raw, pos, "null")
	case c == 't' && n.bools:
		end = word(raw, pos, "true")
	case c == 'f' && n.bools:
		end = word(raw, pos, "false")
	case n.number != nil:
		end = n.number.read(raw, pos)
	}
	if n.slot >= 0 {
		slots[n.slot] = Slot{pos, end}
	}
	return end
}

func word(raw []byte, pos int, w string) int {
	end := pos + len(w)
	if end > len(raw) || string(raw[pos:end]) != w {
		return refused
	}
	return end
}

func anyWord(raw []byte, pos int, words []string) int {
	for _, w := range words {
		if end := word(raw, pos, w); end >= 0 {
			return end
		}
	}
	return refused
}

func skipSpace(raw []byte, pos int) int {
	for pos < len(raw) && raw[pos] <= ' ' && (raw[pos] == ' ' || raw[pos] == '\t' || raw[pos] == '\n' || raw[pos] == '\r') {
		pos++
	}
	return pos
}

// maxFields is how many members an object can have: a bit for each.
const maxFields = 64

// objectNode accepts objects whose members are all among fields.
type objectNode struct {
	fields   []field
	required uint64
	buckets  []uint8 // 1 + a field's index, or 0; a power of two of them, open addressing
}

type field struct {
	name string // with its quotes and the colon
	node *node
}

// read starts after the opening brace.
func (o *objectNode) read(raw []byte, slots []Slot, pos int) int {
	pos = skipSpace(raw, pos)
	if pos < len(raw) && raw[pos] == '}' && o.required == 0 {
		return pos + 1
	}
	var seen uint64
	for next := 0; ; next++ {
		at := -1
		if next < len(o.fields) {
			at = word(raw, pos, o.fields[next].name)
		}
		if at < 0 {
			if next, at = o.find(raw, pos); at < 0 {
				return refused
			}
		}
		bit := uint64(1) << next
		if seen&bit != 0 {
			return refused
		}
		seen |= bit
		if uint(at) < uint(len(raw)) && raw[at] <= ' ' {
			at = skipSpace(raw, at)
		}
		end := o.fields[next].node.read(raw, slots, at)
		if end < 0 {
			return refused
		}
		if end < len(raw) && raw[end] <= ' ' {
			end = skipSpace(raw, end)
		}
		switch {
		case end == len(raw):
			return refused
		case raw[end] == '}' && seen&o.required == o.required:
			return end + 1
		case raw[end] != ',':
			return refused
		}
		pos = end + 1
		if pos < len(raw) && raw[pos] <= ' ' {
			pos = skipSpace(raw, pos)
		}
	}
}

// find reads the member name at pos, wherever it is among the fields, and the colon.
func (o *objectNode) find(raw []byte, pos int) (index, end int) {
	if pos >= len(raw) || raw[pos] != '"' {
		return 0, refused
	}
	end = pos + 1
	for end < len(raw) && raw[end] != '"' {
		end++
	}
	colon := skipSpace(raw, end+1)
	if colon >= len(raw) || raw[colon] != ':' {
		return 0, refused
	}
	name := raw[pos : end+1]
	for i := o.bucket(name); o.buckets[i] != 0; i = (i + 1) & (len(o.buckets) - 1) {
		index = int(o.buckets[i] - 1)
		if known := o.fields[index].name; string(name) == known[:len(known)-1] {
			return index, colon + 1
		}
	}
	return 0, refused
}

// bucket is where the search for a name with its quotes starts.
func (o *objectNode) bucket(name []byte) int {
	hash := 7*len(name) + 31*int(name[1]) + 3*int(name[len(name)/2]) + 17*int(name[len(name)-2])
	return hash & (len(o.buckets) - 1)
}

// arrayNode accepts arrays of items of one kind.
type arrayNode struct {
	item     *node
	min, max int
}

// read starts after the opening bracket.
func (a *arrayNode) read(raw []byte, slots []Slot, pos int) int {
	pos = skipSpace(raw, pos)
	if pos < len(raw) && raw[pos] == ']' && a.min == 0 {
		return pos + 1
	}
	for count := 1; ; count++ {
		end := a.item.read(raw, slots, pos)
		if end < 0 || count > a.max {
			return refused
		}
		end = skipSpace(raw, end)
		switch {
		case end == len(raw):
			return refused
		case raw[end] == ']' && count >= a.min:
			return end + 1
		case raw[end] != ',':
			return refused
		}
		pos = skipSpace(raw, end+1)
	}
}

// numberNode accepts integers in plain form from min to max or, if any is set, all numbers.
type numberNode struct {
	any      bool
	min, max int64
}

// maxDigits is how many decimal digits always fit into an int64.
const maxDigits = 18

func (n *numberNode) read(raw []byte, pos int) int {
	first := pos
	if first < len(raw) && raw[first] == '-' {
		first++
	}
	end := first
	var value int64
	for end < len(raw) && raw[end]-'0' <= 9 {
		value = 10*value + int64(raw[end]-'0')
		end++
	}
	if end == first || end-first > maxDigits || raw[first] == '0' && end-first > 1 {
		return refused
	}
	if end < len(raw) && (raw[end] == '.' || raw[end]|0x20 == 'e') {
		if !n.any {
			return refused
		}
		return afterInteger(raw, end)
	}
	if first > pos {
		value = -value
	}
	if !n.any && (value < n.min || value > n.max) {
		return refused
	}
	return end
}

// afterInteger reads the fraction and the exponent of a number.
func afterInteger(raw []byte, pos int) int {
	if raw[pos] == '.' {
		end := skipDigits(raw, pos+1)
		if end == pos+1 {
			return refused
		}
		pos = end
	}
	if pos == len(raw) || raw[pos]|0x20 != 'e' {
		return pos
	}
	pos++
	if pos < len(raw) && (raw[pos] == '+' || raw[pos] == '-') {
		pos++
	}
	end := skipDigits(raw, pos)
	if end == pos {
		return refused
	}
	return end
}

func skipDigits(raw []byte, pos int) int {
	for pos < len(raw) && raw[pos]-'0' <= 9 {
		pos++
	}
	return pos
}
