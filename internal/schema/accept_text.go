package schema

import (
	"math"
	"slices"
	"unicode/utf8"
)

// textNode accepts strings without escapes.
type textNode struct {
	form     form
	lead     *pattern   // what reads the string, by its form
	patterns []*pattern // what else it must match
	min, max int        // code points
	least    int        // bytes
	counted  bool       // min and max need the code points to be counted
	dateTime bool
	uuid     bool
	base58   bool
	more     bool // something is left to check when the string is read
}

// form is how a string is read up to its closing quote.
type form uint8

const (
	formFree      form = iota // to the quote, wherever it is
	formFixed                 // lead has one length
	formAutomaton             // by lead's automaton
	formDecimal               // lead is a decimal
	formMoment                // 2006-01-02T15:04:05.000Z
	formUUID
)

// text returns nil when a pattern is unknown to acceptors.
func (b *builder) text(all []*Schema) *textNode {
	t := &textNode{max: math.MaxInt}
	for _, s := range all {
		if s.MinLength != nil {
			t.min = max(t.min, *s.MinLength)
		}
		if s.MaxLength != nil {
			t.max = min(t.max, *s.MaxLength)
		}
		if s.Pattern != nil {
			p := b.pattern(s.Pattern.String())
			if p == nil {
				return nil
			}
			if !slices.Contains(t.patterns, p) {
				t.patterns = append(t.patterns, p)
			}
		}
		t.dateTime = t.dateTime || s.Format == "date-time"
		t.uuid = t.uuid || s.Format == "uuid"
		t.base58 = t.base58 || s.Format == "base58check"
	}
	t.least = min(t.min, 1)
	t.counted = t.min > 1 || t.max < math.MaxInt
	t.choose()
	t.more = t.patterns != nil || t.counted || t.dateTime || t.uuid || t.base58
	return t
}

// choose finds the form that leaves the least to check, and takes from t what it checks.
func (t *textNode) choose() {
	at := slices.IndexFunc(t.patterns, func(p *pattern) bool { return p.runs != nil })
	switch {
	case t.dateTime && at >= 0 && t.patterns[at].isMoment():
		t.form, t.dateTime = formMoment, false
		t.patterns = slices.Delete(t.patterns, at, at+1)
	case at >= 0:
		t.form, t.lead = formFixed, t.patterns[at]
		if t.base58 {
			t.lead = t.lead.ofBase58()
		}
		t.patterns = slices.Delete(t.patterns, at, at+1)
	case t.uuid:
		t.form, t.uuid = formUUID, false
	case len(t.patterns) > 0:
		t.form, t.lead = formAutomaton, t.patterns[0]
		if t.lead.places > 0 {
			t.form = formDecimal
		}
		t.patterns = slices.Delete(t.patterns, 0, 1)
	}
	if len(t.patterns) == 0 {
		t.patterns = nil
	}
}

// read starts after the opening quote.
func (t *textNode) read(raw []byte, pos int) int {
	end := t.readForm(raw, pos)
	if end < 0 || t.more && !t.rest(raw[pos:end-1]) {
		return refused
	}
	return end
}

// readForm is read for what the form says.
func (t *textNode) readForm(raw []byte, pos int) int {
	if uint(pos) >= uint(len(raw)) || raw[pos] == '"' && t.least > 0 {
		return refused
	}
	switch t.form {
	case formFree:
		return readFree(raw, pos)
	case formFixed:
		return t.lead.readRuns(raw, pos)
	case formAutomaton:
		return t.lead.readAutomaton(raw, pos)
	case formDecimal:
		return t.lead.readDecimal(raw, pos)
	case formMoment:
		return readMoment(raw, pos)
	case formUUID:
		return readUUID(raw, pos)
	}
	return refused
}

// rest checks what reading has not.
func (t *textNode) rest(s []byte) bool {
	for _, p := range t.patterns {
		if !p.match(s) {
			return false
		}
	}
	if t.counted {
		if n := utf8.RuneCount(s); n < t.min || n > t.max {
			return false
		}
	}
	return (!t.dateTime || isDateTimeBytes(s)) && (!t.uuid || isUUIDBytes(s)) && (!t.base58 || isBase58CheckBytes(s))
}

// match reports whether all of s, which has neither quotes nor escapes, matches.
func (p *pattern) match(s []byte) bool {
	switch {
	case p.runs != nil:
		return len(s) == p.length && p.matchRuns(s)
	case p.places > 0:
		return afterDecimal(s, 0, p.places) == len(s)
	}
	state := p.start
	for _, c := range s {
		if state = p.next[state][p.class[c]]; state == dead {
			return false
		}
	}
	return p.accepts[state]
}

// readAutomaton is readForm for an automaton.
func (p *pattern) readAutomaton(raw []byte, pos int) int {
	state := p.start
	for ; pos < len(raw) && raw[pos] != '"'; pos++ {
		if state = p.next[state][p.class[raw[pos]]]; state == dead {
			return refused
		}
	}
	if pos >= len(raw) || !p.accepts[state] {
		return refused
	}
	return pos + 1
}

// readRuns is readForm for runs.
func (p *pattern) readRuns(raw []byte, pos int) int {
	end := pos + p.length
	if end >= len(raw) || raw[end] != '"' || !p.matchRuns(raw[pos:end]) {
		return refused
	}
	return end + 1
}

// readDecimal is readForm for a decimal.
func (p *pattern) readDecimal(raw []byte, pos int) int {
	end := afterDecimal(raw, pos, p.places)
	if end < 0 || end >= len(raw) || raw[end] != '"' {
		return refused
	}
	return end + 1
}

// matchRuns reports whether s, which has the length of all runs, matches them.
func (p *pattern) matchRuns(s []byte) bool {
	for i := range p.runs {
		r := &p.runs[i]
		if !r.match(s[:r.length]) {
			return false
		}
		s = s[r.length:]
	}
	return true
}

// match judges bytes of the run's length.
func (r *run) match(s []byte) bool {
	switch r.by {
	case runLiteral:
		return s[0] == r.literal[0] && string(s) == r.literal
	case runHex:
		return areHexDigits(s)
	case runAny:
		return true
	case runClass:
	}
	wrong := uint8(0)
	for _, c := range s {
		wrong |= r.class[c]
	}
	return wrong == 0
}
