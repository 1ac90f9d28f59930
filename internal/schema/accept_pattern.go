package schema

import (
	"math"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
)

// pattern accepts strings of plain ASCII that match a regular expression: all of them, or only some that are easy to tell. It has runs if
// all matches have one length and a class for each place, or places if it is that of afterDecimal, else an automaton.
type pattern struct {
	runs   []run
	length int // of all runs
	places int // of a decimal

	start   uint8
	class   [256]uint8 // of bytes that the automaton does not tell apart; 0 for those it refuses
	next    [][]uint8  // by state and class
	accepts []bool     // by state
}

// dead is the state without a way out.
const dead = 0

// run is a literal or as many bytes of a class.
type run struct {
	by      by
	literal string
	class   *[256]uint8 // 0 for the bytes in it
	length  int
}

// by is how a run is matched.
type by uint8

const (
	runClass by = iota
	runLiteral
	runHex // eight hexadecimal digits or more
	runAny // by something else
)

// pattern compiles an expression once; it returns nil for one that acceptors do not know.
func (b *builder) pattern(expression string) *pattern {
	if known, found := b.patterns[expression]; found {
		return known
	}
	p := newPattern(expression)
	b.patterns[expression] = p
	return p
}

func newPattern(expression string) *pattern {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil
	}
	if p := newRuns(re); p != nil {
		return p
	}
	if places := decimalPlaces(expression); places != 0 {
		return &pattern{places: places}
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil
	}
	return newAutomaton(prog)
}

// decimalPlaces is how many places a decimal may have by an expression that is the one of afterDecimal, else 0.
func decimalPlaces(expression string) int {
	const before, after = `^(0|[1-9][0-9]*)(\.[0-9]{1,`, `})?$`
	places, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(expression, before), after))
	if err != nil || places < 1 || expression != before+strconv.Itoa(places)+after {
		return 0
	}
	return places
}

// maxRunBytes bounds the length of a pattern of runs.
const maxRunBytes = 1_000

// newRuns returns nil for anything but runs between ^ and $.
func newRuns(re *syntax.Regexp) *pattern {
	last := len(re.Sub) - 1
	if re.Op != syntax.OpConcat || last < 2 || re.Sub[0].Op != syntax.OpBeginText || re.Sub[last].Op != syntax.OpEndText {
		return nil
	}
	p := &pattern{}
	for _, sub := range re.Sub[1:last] {
		r, ok := newRun(sub)
		if !ok || p.length+r.length > maxRunBytes {
			return nil
		}
		p.length += r.length
		p.runs = append(p.runs, r)
	}
	return p
}

func newRun(re *syntax.Regexp) (run, bool) {
	count := 1
	if re.Op == syntax.OpRepeat && re.Min == re.Max && re.Min > 0 {
		count, re = re.Min, re.Sub[0]
	}
	switch {
	case re.Flags&syntax.FoldCase != 0:
	case re.Op == syntax.OpLiteral && count == 1 && isPlainASCII(string(re.Rune)):
		return run{by: runLiteral, literal: string(re.Rune), length: len(re.Rune)}, true
	case re.Op == syntax.OpCharClass:
		r := run{class: newClass(re.Rune), length: count}
		if count >= 8 && *r.class == *newClass([]rune("09afAF")) {
			r.by = runHex
		}
		return r, true
	}
	return run{}, false
}

// ofBase58 returns the pattern for strings that isBase58CheckBytes judges too.
func (p *pattern) ofBase58() *pattern {
	narrow := *p
	narrow.runs = slices.Clone(p.runs)
	for i := range narrow.runs {
		if r := &narrow.runs[i]; r.by == runClass && r.holdsBase58() {
			r.by = runAny
		}
	}
	return &narrow
}

func (r *run) holdsBase58() bool {
	for c := range r.class {
		if base58Place(byte(c)) != base58Wrong && r.class[c] != 0 {
			return false
		}
	}
	return true
}

func isPlainASCII(s string) bool {
	return isPlain(s) && !slices.ContainsFunc([]byte(s), func(c byte) bool { return c > math.MaxInt8 })
}

// isPlainByte reports whether a string in JSON can hold c as it is, and c is a character of its own.
func isPlainByte(c int) bool { return c >= ' ' && c <= math.MaxInt8 && c != '"' && c != '\\' }

// newClass makes a class of the plain bytes in pairs of runes.
func newClass(pairs []rune) *[256]uint8 {
	var class [256]uint8
	for c := range class {
		class[c] = 1
	}
	for i := 0; i < len(pairs); i += 2 {
		for c := pairs[i]; c <= min(pairs[i+1], math.MaxInt8); c++ {
			if isPlainByte(int(c)) {
				class[c] = 0
			}
		}
	}
	return &class
}

// isMoment reports whether the runs are those of 2006-01-02T15:04:05.000Z with any digits.
func (p *pattern) isMoment() bool {
	const shape = "0000-00-00T00:00:00.000Z"
	if p.length != len(shape) {
		return false
	}
	digits := newClass([]rune{'0', '9'})
	at := 0
	for i := range p.runs {
		for j := range p.runs[i].length {
			r, want := &p.runs[i], shape[at]
			at++
			if want == '0' && (r.literal != "" || *r.class != *digits) || want != '0' && (r.literal == "" || r.literal[j] != want) {
				return false
			}
		}
	}
	return true
}
