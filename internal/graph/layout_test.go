package graph

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func drawnGraph(t *rapid.T) (widths []float64, edges [][2]int) {
	widths = rapid.SliceOfN(rapid.Float64Range(24, 200), 1, 9).Draw(t, "widths")
	at := rapid.IntRange(0, len(widths)-1)
	edges = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [2]int { return [2]int{at.Draw(t, "from"), at.Draw(t, "to")} }), 0, 14).Draw(t, "edges")
	return widths, edges
}

// TestPlace holds what a reader relies on: no state covers another, everything
// is within the picture, and a line meets its two states from outside.
func TestPlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		widths, edges := drawnGraph(t)
		l := place(widths, edges)
		for i, a := range l.nodes {
			if a.width < widths[i] || a.x < 0 || a.y < 0 || a.right() > l.width || a.y+nodeHeight > l.height {
				t.Fatalf("node %d at %v in %v × %v", i, a, l.width, l.height)
			}
			for j, b := range l.nodes[:i] {
				if a.x < b.right() && b.x < a.right() && a.y < b.y+nodeHeight && b.y < a.y+nodeHeight {
					t.Fatalf("nodes %d and %d overlap: %v, %v", i, j, a, b)
				}
			}
		}
		for i, e := range edges {
			from, to := l.nodes[e[0]], l.nodes[e[1]]
			line := curve(from, to, l.bends[i])
			if len(line)%3 != 1 {
				t.Fatalf("edge %d has %d points", i, len(line))
			}
			if e[0] != e[1] && from.x == to.x {
				t.Fatalf("edge %d runs within a layer", i)
			}
		}
		if again := place(widths, edges); !cmp.Equal(again.nodes, l.nodes, cmp.AllowUnexported(box{}, point{})) {
			t.Fatal("placed otherwise the second time")
		}
	})
}

// TestPlaceForward holds that in a graph without cycles every edge leads to the
// right, through free places.
func TestPlaceForward(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		widths, edges := drawnGraph(t)
		edges = slices.DeleteFunc(edges, func(e [2]int) bool { return e[0] >= e[1] })
		l := place(widths, edges)
		for i, e := range edges {
			line := curve(l.nodes[e[0]], l.nodes[e[1]], l.bends[i])
			if !slices.IsSortedFunc(line, func(a, b point) int { return int(a.x - b.x) }) {
				t.Fatalf("edge %d runs back: %v", i, line)
			}
			for _, p := range l.bends[i] {
				for n, b := range l.nodes {
					if p.x > b.x-1 && p.x < b.right()+1 && p.y > b.y && p.y < b.y+nodeHeight {
						t.Fatalf("edge %d bends in node %d", i, n)
					}
				}
			}
		}
	})
}

// TestPlaceBack holds that an edge over several layers leads back from right to
// left.
func TestPlaceBack(t *testing.T) {
	l := place(make([]float64, 4), [][2]int{{0, 1}, {1, 2}, {2, 3}, {3, 0}})
	line := curve(l.nodes[3], l.nodes[0], l.bends[3])
	if len(l.bends[3]) != 4 || !slices.IsSortedFunc(line, func(a, b point) int { return int(b.x - a.x) }) {
		t.Errorf("%v", line)
	}
}

// TestOrderUncrosses: drawn as numbered, the two edges would cross.
func TestOrderUncrosses(t *testing.T) {
	g := newGrid(4, [][2]int{{0, 3}, {1, 2}})
	if n := g.crossings(); n != 1 {
		t.Fatalf("%d crossings before", n)
	}
	if g.order(); g.crossings() != 0 {
		t.Errorf("%d crossings after", g.crossings())
	}
}
