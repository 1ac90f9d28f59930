package schema

import "encoding/binary"

// layout is how an object is expected to be written: all its members, in the order of the schema, without spaces. It is a straight line
// through the nodes, and reads as they do; what it refuses is for them to judge.
type layout struct {
	places []layoutPlace
	tail   string // behind the last value
}

// layoutPlace is a value and the text that leads to it from the end of the value before.
type layoutPlace struct {
	words [leadWords]uint64 // the start of lead, and zeros
	masks [leadWords]uint64 // of the bytes of lead in words
	lead  string            // with so much of the value as all its spellings share
	value int               // where in lead the value starts
	slot  int               // negative for nowhere

	// The first of these that is not nil reads what lead does not hold of the value.
	form   *textNode // by its form alone
	text   *textNode
	number *numberNode
	node   *node
}

const (
	leadWords = 3
	leadBytes = 8 * leadWords
)

// newLayout returns nil if root does not accept objects.
func newLayout(root *node) *layout {
	if root.object == nil {
		return nil
	}
	l := &layout{}
	l.tail = l.object(root.object, "")
	return l
}

// object adds the members of an object that starts after lead, and returns what is between the last value and whatever follows the object.
func (l *layout) object(o *objectNode, lead string) string {
	lead += "{"
	for i := range o.fields {
		if i > 0 {
			lead += ","
		}
		lead = l.value(o.fields[i].node, lead+o.fields[i].name)
	}
	return lead + "}"
}

// value adds a value that starts after lead, and returns what is left to lead to the next one.
func (l *layout) value(n *node, lead string) string {
	p := layoutPlace{lead: lead, value: len(lead), slot: n.slot}
	switch kinds := n.kinds(); {
	case len(n.words) == 1:
		p.lead += n.words[0]
	case kinds == 1 && n.null:
		p.lead += "null"
	case kinds == 1 && n.text != nil:
		p.lead += `"`
		if p.text = n.text; !n.text.more {
			p.form = n.text
		}
	case kinds == 1 && n.number != nil:
		p.number = n.number
	case kinds == 1 && n.object != nil && n.slot < 0:
		return l.object(n.object, lead)
	default:
		p.node = n
	}
	if p.text == nil && p.number == nil && p.node == nil && p.slot < 0 {
		return p.lead
	}
	for i := range min(len(p.lead), leadBytes) {
		p.words[i/8] |= uint64(p.lead[i]) << (i % 8 * 8)
		p.masks[i/8] |= 0xff << (i % 8 * 8)
	}
	l.places = append(l.places, p)
	return ""
}

// kinds is how many kinds of values n accepts, apart from words.
func (n *node) kinds() int {
	count := 0
	for _, accepts := range []bool{n.text != nil, n.number != nil, n.object != nil, n.array != nil, n.null, n.bools} {
		if accepts {
			count++
		}
	}
	return count
}

// read returns the end of the object that starts at pos.
func (l *layout) read(raw []byte, slots []Slot, pos int) int {
	places := l.places
	for i := range places {
		p := &places[i]
		switch {
		case pos < 0:
			return refused
		case len(p.lead) > leadBytes || pos+leadBytes > len(raw):
			if word(raw, pos, p.lead) < 0 {
				return refused
			}
		case !p.leads(raw[pos : pos+leadBytes]):
			return refused
		}
		start := pos + p.value
		pos += len(p.lead)
		switch {
		case p.form != nil:
			pos = p.form.readForm(raw, pos)
		case p.text != nil:
			pos = p.text.read(raw, pos)
		case p.number != nil:
			pos = p.number.read(raw, pos)
		case p.node != nil:
			pos = p.node.read(raw, slots, pos)
		}
		if p.slot >= 0 {
			slots[p.slot] = Slot{start, pos}
		}
	}
	if pos < 0 {
		return refused
	}
	return word(raw, pos, l.tail)
}

// leads reports whether leadBytes are a lead that is not longer.
func (p *layoutPlace) leads(s []byte) bool {
	return (binary.LittleEndian.Uint64(s)^p.words[0])&p.masks[0]|(binary.LittleEndian.Uint64(s[8:])^p.words[1])&p.masks[1]|
		(binary.LittleEndian.Uint64(s[16:])^p.words[2])&p.masks[2] == 0
}
