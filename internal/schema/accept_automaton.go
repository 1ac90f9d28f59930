package schema

import (
	"regexp/syntax"
	"slices"
)

// maxStates bounds an automaton.
const maxStates = 200

// subsets turns the program of a regular expression into an automaton: each state is a set of the program's instructions.
type subsets struct {
	prog   *syntax.Prog
	states [][]uint32 // instructions that read, match or wait for the end; the first state is dead
	marks  []bool     // by instruction, while a set grows
}

// newAutomaton returns nil for a program with too many states, or with assertions other than the start and the end of the text.
func newAutomaton(prog *syntax.Prog) *pattern {
	for i := range prog.Inst {
		in := &prog.Inst[i]
		if in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(in.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return nil
		}
	}
	s := &subsets{prog: prog, states: [][]uint32{nil}, marks: make([]bool, len(prog.Inst))}
	p := &pattern{}
	examples := s.classes(p)
	p.start = uint8(s.state(s.closure([]uint32{uint32(prog.Start)}, syntax.EmptyBeginText)))
	for at := 0; at < len(s.states); at++ {
		if len(s.states) > maxStates {
			return nil
		}
		row := make([]uint8, 1, len(examples)+1)
		for _, c := range examples {
			row = append(row, uint8(s.state(s.step(at, c))))
		}
		p.next = append(p.next, row)
		p.accepts = append(p.accepts, s.accepts(at))
	}
	return p
}

// classes sorts the plain bytes into classes that no instruction tells apart, and returns a byte of each class after the first.
func (s *subsets) classes(p *pattern) []byte {
	var starts [129]bool
	for i := range s.prog.Inst {
		in := &s.prog.Inst[i]
		for j := 0; isRead(in.Op) && j < len(in.Rune); j += 2 {
			low, high := in.Rune[j], in.Rune[min(j+1, len(in.Rune)-1)]
			starts[min(low, 128)], starts[min(high+1, 128)] = true, true
		}
		if len(in.Rune) == 1 { // the other case of a letter
			starts[min(in.Rune[0]^0x20, 128)], starts[min(in.Rune[0]^0x20+1, 128)] = true, true
		}
	}
	var examples []byte
	fresh := true
	for c := range 128 {
		fresh = fresh || starts[c]
		if !isPlainByte(c) {
			continue
		}
		if fresh {
			examples = append(examples, byte(c))
			fresh = false
		}
		p.class[c] = uint8(len(examples))
	}
	return examples
}

func isRead(op syntax.InstOp) bool {
	return op == syntax.InstRune || op == syntax.InstRune1 || op == syntax.InstRuneAny || op == syntax.InstRuneAnyNotNL
}

// closure returns the instructions that read, match or wait for the end of the text and are reached from others without reading, where some
// assertions hold.
func (s *subsets) closure(from []uint32, holds syntax.EmptyOp) []uint32 {
	clear(s.marks)
	var set []uint32
	for stack := slices.Clone(from); len(stack) > 0; {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if s.marks[pc] {
			continue
		}
		s.marks[pc] = true
		switch in := &s.prog.Inst[pc]; in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, in.Out)
		case syntax.InstEmptyWidth:
			switch {
			case syntax.EmptyOp(in.Arg)&^holds == 0:
				stack = append(stack, in.Out)
			case syntax.EmptyOp(in.Arg) == syntax.EmptyEndText:
				set = append(set, pc)
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return set
}

// step returns the instructions reached from a state by reading c, together with those that start a match after it. A match stays one.
func (s *subsets) step(state int, c byte) []uint32 {
	var out []uint32
	for _, pc := range s.states[state] {
		switch in := &s.prog.Inst[pc]; {
		case in.Op == syntax.InstMatch:
			return []uint32{pc}
		case isRead(in.Op) && in.MatchRune(rune(c)):
			out = append(out, in.Out)
		}
	}
	if state != dead {
		out = append(out, uint32(s.prog.Start))
	}
	return s.closure(out, 0)
}

// state returns the number of a set; the empty one is dead.
func (s *subsets) state(set []uint32) int {
	if at := slices.IndexFunc(s.states, func(known []uint32) bool { return slices.Equal(known, set) }); at >= 0 {
		return at
	}
	s.states = append(s.states, set)
	return len(s.states) - 1
}

// accepts reports whether a text that ends in a state matches.
func (s *subsets) accepts(state int) bool {
	return slices.ContainsFunc(s.closure(s.states[state], syntax.EmptyEndText), func(pc uint32) bool {
		return s.prog.Inst[pc].Op == syntax.InstMatch
	})
}
