package graph

import (
	"fmt"
	"math"
	"slices"

	"github.com/paytest/paytest/internal/contract"
)

// rise is the room that attempts need above the states, bow the room they need
// beside them, loop how far those below a state would lead if they were straight.
const rise, bow, loop = 46, 44, 30

// find is the index of the state that is spelled so, or -1.
func (d *drawing) find(spelled string) int {
	return slices.IndexFunc(d.states, func(st *contract.State) bool { return st.Label() == spelled })
}

// attempt draws what no transition allows, in an arc over the states.
func (d *drawing) attempt(i int, a Attempt) {
	from, to := d.find(a.From), d.find(a.To)
	if from < 0 || to < 0 {
		return
	}
	line := d.arc(d.nodes[from], d.nodes[to], float64(i%4)*5)
	d.arrow("illegal", line, fmt.Sprintf("%s→%s%s: %s", a.From, a.To, times(a.Count), a.Reason))
	at := halfway(line)
	d.printf(`<text class="edge-label edge-label-illegal" x="%.1f" y="%.1f">✕%s</text>`+"\n", at.x+4, at.y-3, times(a.Count))
}

// arc leads from the top of one box over all states to the top of another, or,
// where one stands above the other, round on their right, or, where they are one,
// down and back; aside keeps those apart that have the same ends.
func (d *drawing) arc(from, to box, aside float64) []point {
	switch {
	case from == to:
		x, y := from.x+from.width/2, from.y+nodeHeight+d.rise
		return []point{{x - 12, y}, {x - 20, y + loop + aside}, {x + 20, y + loop + aside}, {x + 12, y}}
	case from.x == to.x:
		x := from.right() + bow + aside
		return []point{{from.right(), from.middle() + d.rise}, {x, from.middle() + d.rise}, {x, to.middle() + d.rise}, {to.right(), to.middle() + d.rise}}
	}
	a := point{from.x + from.width/2 + aside, from.y + d.rise}
	b := point{to.x + to.width/2 - aside, to.y + d.rise}
	return []point{a, {a.x, aside}, {b.x, aside}, b}
}

// direction is the unit vector from a to b; to the right where they are one.
func direction(a, b point) (dx, dy float64) {
	dx, dy = b.x-a.x, b.y-a.y
	if l := math.Hypot(dx, dy); l > 0 {
		return dx / l, dy / l
	}
	return 1, 0
}
