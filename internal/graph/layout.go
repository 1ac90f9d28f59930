package graph

import (
	"slices"
	"sort"
)

// A drawing's measures, in user units of its SVG, which are pixels at its
// natural size.
const (
	nodeHeight = 34
	nodePad    = 14
	layerGap   = 64
	rowGap     = 22
	margin     = 20
)

// point is a place in the drawing, in user units from its top left corner.
type point struct{ x, y float64 }

// box is where a node is drawn; its point is its top left corner.
type box struct {
	point
	width float64
}

func (b box) middle() float64 { return b.y + nodeHeight/2 }
func (b box) right() float64  { return b.x + b.width }

// layout says where the nodes of a graph are drawn, and through which points
// each of its edges runs between them.
type layout struct {
	nodes         []box
	bends         [][]point
	width, height float64
}

// place lays a graph out from left to right, by the method of Sugiyama: nodes
// in layers by their longest way from a source, an edge over several layers
// through an empty place in each of them, and the layers ordered so that few
// edges cross. Edges are pairs of indices of widths.
func place(widths []float64, edges [][2]int) layout {
	g := newGrid(len(widths), edges)
	g.order()
	return g.measure(widths)
}

// grid is a graph whose every link leads to the next layer. The places from
// nodes on hold nothing but a bend of an edge.
type grid struct {
	nodes  int
	layer  []int
	layers [][]int
	links  [][2]int
	// through are the empty places of each edge, from left to right; turned says
	// of which edges that is against their direction.
	through [][]int
	turned  []bool
}

func newGrid(nodes int, edges [][2]int) *grid {
	forward := acyclic(nodes, edges)
	g := &grid{nodes: nodes, layer: depths(nodes, forward), through: make([][]int, len(edges)), turned: make([]bool, len(edges))}
	for i, e := range forward {
		from, to := e[0], e[1]
		if from == to {
			continue
		}
		before := from
		for l := g.layer[from] + 1; l < g.layer[to]; l++ {
			g.through[i] = append(g.through[i], len(g.layer))
			g.links = append(g.links, [2]int{before, len(g.layer)})
			before = len(g.layer)
			g.layer = append(g.layer, l)
		}
		g.links = append(g.links, [2]int{before, to})
		g.turned[i] = e != edges[i]
	}
	for at, l := range g.layer {
		for len(g.layers) <= l {
			g.layers = append(g.layers, nil)
		}
		g.layers[l] = append(g.layers[l], at)
	}
	return g
}

// acyclic returns the edges with those turned round that lead back to where a
// walk came from.
func acyclic(nodes int, edges [][2]int) [][2]int {
	const open, done = 1, 2
	out := slices.Clone(edges)
	mark := make([]int, nodes)
	var walk func(n int)
	walk = func(n int) {
		mark[n] = open
		for i, e := range edges {
			switch {
			case e[0] != n:
			case mark[e[1]] == open:
				out[i] = [2]int{e[1], e[0]}
			case mark[e[1]] == 0:
				walk(e[1])
			}
		}
		mark[n] = done
	}
	for n := range nodes {
		if mark[n] == 0 {
			walk(n)
		}
	}
	return out
}

// depths returns how many edges the longest way to each node has.
func depths(nodes int, edges [][2]int) []int {
	depth := make([]int, nodes)
	for range nodes {
		for _, e := range edges {
			if e[0] != e[1] {
				depth[e[1]] = max(depth[e[1]], depth[e[0]]+1)
			}
		}
	}
	return depth
}

// order sorts each layer by where its neighbours are, to and fro, and keeps the
// order that has the fewest crossings.
func (g *grid) order() {
	best, least := g.clone(), g.crossings()
	for round := range 8 {
		for i := range g.layers {
			l, side := i, 0
			if round%2 == 1 {
				l, side = len(g.layers)-1-i, 1
			}
			g.sort(l, side)
		}
		if n := g.crossings(); n < least {
			best, least = g.clone(), n
		}
	}
	g.layers = best
}

func (g *grid) clone() [][]int {
	out := make([][]int, len(g.layers))
	for i, l := range g.layers {
		out[i] = slices.Clone(l)
	}
	return out
}

// sort orders a layer by the middle of each place's neighbours: those on the
// left for side 0, those on the right for side 1.
func (g *grid) sort(l, side int) {
	pos := g.positions()
	weight := map[int]float64{}
	for i, at := range g.layers[l] {
		sum, n := 0, 0
		for _, link := range g.links {
			if link[1-side] == at {
				sum += pos[link[side]]
				n++
			}
		}
		weight[at] = float64(i)
		if n > 0 {
			weight[at] = float64(sum) / float64(n)
		}
	}
	layer := g.layers[l]
	sort.SliceStable(layer, func(i, j int) bool { return weight[layer[i]] < weight[layer[j]] })
}

func (g *grid) positions() []int {
	pos := make([]int, len(g.layer))
	for _, l := range g.layers {
		for i, at := range l {
			pos[at] = i
		}
	}
	return pos
}

func (g *grid) crossings() int {
	pos, n := g.positions(), 0
	for i, a := range g.links {
		for _, b := range g.links[:i] {
			if g.layer[a[0]] == g.layer[b[0]] && (pos[a[0]]-pos[b[0]])*(pos[a[1]]-pos[b[1]]) < 0 {
				n++
			}
		}
	}
	return n
}

// measure turns layers and their order into places. Every layer is as wide as
// its widest node, and stands in the middle of the height.
func (g *grid) measure(widths []float64) layout {
	out := layout{nodes: make([]box, g.nodes), bends: make([][]point, len(g.through))}
	at := make([]box, len(g.layer))
	rows := 0
	for _, l := range g.layers {
		rows = max(rows, len(l))
	}
	full := float64(rows)*(nodeHeight+rowGap) - rowGap
	x := float64(margin)
	for _, l := range g.layers {
		wide := 0.0
		for _, n := range l {
			if n < g.nodes {
				wide = max(wide, widths[n])
			}
		}
		y := margin + (full-(float64(len(l))*(nodeHeight+rowGap)-rowGap))/2
		for _, n := range l {
			at[n] = box{point{x, y}, wide}
			y += nodeHeight + rowGap
		}
		x += wide + layerGap
	}
	copy(out.nodes, at)
	for i, through := range g.through {
		for _, n := range through {
			left, right := point{at[n].x, at[n].middle()}, point{at[n].right(), at[n].middle()}
			out.bends[i] = append(out.bends[i], left, right)
		}
		if g.turned[i] {
			slices.Reverse(out.bends[i])
		}
	}
	out.width, out.height = x-layerGap+margin, full+2*margin
	return out
}
