// Package graph draws the state machine of a subject as a picture: which
// transitions there are, which of them were taken, where a payment stands now,
// and what was attempted that no transition allows.
package graph

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/contract"
)

// Options say for what a drawing is made.
type Options struct {
	// Standalone gives the drawing its own colours, for light and for dark
	// backgrounds, and says below it what makes each transition happen. Without it,
	// it has classes that its page's style sheet colours, and no style of its own.
	Standalone bool
	// ID is what its ids start with; they are unique in a page when it is.
	ID string
}

// SVG draws a subject's states and transitions; m may be nil. What it returns is
// well-formed XML whatever is marked, and holds neither scripts nor references to
// outside.
func SVG(sub *contract.Subject, m *Marks, o Options) []byte {
	d := newDrawing(sub, m, o)
	d.draw(0)
	return d.out.Bytes()
}

// Sheet draws several subjects below each other, as SVG draws one.
func Sheet(subjects []*contract.Subject, marks map[*contract.Subject]*Marks, o Options) []byte {
	var inner bytes.Buffer
	width, height := 0.0, 0.0
	for _, sub := range subjects {
		d := newDrawing(sub, marks[sub], Options{o.Standalone, o.ID + sub.Name + "-"})
		d.draw(height)
		inner.Write(d.out.Bytes())
		w, h := d.size()
		width, height = max(width, w), height+h
	}
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d">`+"\n%s</svg>\n", int(width), int(height), inner.Bytes())
}

// draw draws everything, y below the top of what the drawing is in.
func (d *drawing) draw(y float64) {
	d.open(y)
	for i, e := range d.sub.Edges {
		d.edge(i, e)
	}
	for i, a := range d.marks.Illegal {
		d.attempt(i, a)
	}
	for i, st := range d.states {
		d.node(i, st)
	}
	if d.o.Standalone {
		d.triggers()
	}
	d.printf("</svg>\n")
}

type drawing struct {
	layout
	sub    *contract.Subject
	states []*contract.State
	marks  Marks
	o      Options
	// rise is the room above the states, for what is attempted.
	rise float64
	out  bytes.Buffer
}

func newDrawing(sub *contract.Subject, m *Marks, o Options) *drawing {
	d := &drawing{sub: sub, o: o, states: append([]*contract.State{sub.Initial}, sub.States...)}
	if m != nil {
		d.marks = *m
	}
	widths := make([]float64, len(d.states))
	for i, st := range d.states {
		widths[i] = textWidth(st.Label()) + 2*nodePad
	}
	edges := make([][2]int, len(sub.Edges))
	for i, e := range sub.Edges {
		edges[i] = [2]int{slices.Index(d.states, e.From), slices.Index(d.states, e.To)}
	}
	d.layout = place(widths, edges)
	for _, a := range d.marks.Illegal {
		from, to := d.find(a.From), d.find(a.To)
		switch {
		case from < 0 || to < 0 || from == to:
		case d.nodes[from].x == d.nodes[to].x:
			d.width = max(d.width, d.nodes[from].right()+bow+2*margin)
		default:
			d.rise = rise
		}
	}
	return d
}

// textWidth estimates how wide a label is drawn, in user units.
func textWidth(s string) float64 {
	w := 0.0
	for _, r := range s {
		if r < 0x1100 { // Hangul starts here, and with it what is twice as wide
			w += 7.6
		} else {
			w += 14
		}
	}
	return max(w, 24)
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

// text escapes what stands in an element or in a quoted attribute. Control
// characters, those that reorder others and those that XML has not become U+FFFD.
func text(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r
	}, s)
	return html.EscapeString(s)
}

const style = `<style>
text{font:14px ui-sans-serif,system-ui,"Apple SD Gothic Neo","Malgun Gothic","Noto Sans KR",sans-serif}
.node rect{fill:#fff;stroke:#57606a}.node text{fill:#1f2328}
.name{fill:#1f2328}.node-final rect{stroke-width:3}.node-seen rect{stroke:#0969da}.node-current rect{fill:#0969da;stroke:#0969da}.node-current text{fill:#fff}
.edge{stroke:#8c959f}.edge-taken{stroke:#0969da;stroke-width:2.5}.edge-illegal{stroke:#cf222e;stroke-dasharray:5 4;stroke-width:2}
.tip{fill:#8c959f}.tip-taken{fill:#0969da}.tip-illegal{fill:#cf222e}
.edge-label{font-size:12px;fill:#57606a}.edge-label-illegal{fill:#cf222e}
@media(prefers-color-scheme:dark){.node rect{fill:#161b22;stroke:#8b949e}.node text{fill:#e6edf3}
.name{fill:#e6edf3}.node-seen rect{stroke:#58a6ff}.node-current rect{fill:#1f6feb;stroke:#1f6feb}.edge{stroke:#6e7681}.edge-taken{stroke:#58a6ff}.edge-illegal{stroke:#ff7b72}
.tip{fill:#6e7681}.tip-taken{fill:#58a6ff}.tip-illegal{fill:#ff7b72}.edge-label{fill:#8b949e}.edge-label-illegal{fill:#ff7b72}}
</style>
`

func (d *drawing) open(y float64) {
	id := text(d.o.ID)
	w, h := d.size()
	d.printf(`<svg xmlns="http://www.w3.org/2000/svg" class="state-graph" role="img" aria-labelledby="%stitle %[1]sdesc" y="%d" viewBox="0 0 %d %d" width="%[3]d" height="%[4]d">`+"\n",
		id, int(y), int(w), int(h))
	d.printf("<title id=\"%stitle\">%s</title>\n<desc id=\"%[1]sdesc\">%[3]s</desc>\n", id, text("States of "+d.sub.Name), text(d.told()))
	if d.o.Standalone {
		d.printf("%s", style)
	}
}

// size is how wide and how high the drawing is, in user units.
func (d *drawing) size() (width, height float64) {
	width, height = d.width, d.height+d.rise
	if !d.o.Standalone {
		return width, height
	}
	for _, e := range d.sub.Edges {
		width = max(width, textWidth(e.String()+separator+e.Trigger)+2*margin)
	}
	return width, height + float64(len(d.sub.Edges))*lineHeight
}

const (
	separator  = "   "
	lineHeight = 20
)

// triggers lists below the drawing what makes each transition happen.
func (d *drawing) triggers() {
	y := d.height + d.rise
	for _, e := range d.sub.Edges {
		d.printf(`<text x="%d" y="%.1f"><tspan class="name">%s</tspan><tspan class="edge-label" dx="10">%s</tspan></text>`+"\n", margin, y, text(e.String()), text(e.Trigger))
		y += lineHeight
	}
}

// told is the drawing in words.
func (d *drawing) told() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Starts %s.", d.sub.Initial.Label())
	for _, e := range d.sub.Edges {
		fmt.Fprintf(&b, " %s%s.", e, d.taken(e))
	}
	for _, st := range d.marks.Current {
		fmt.Fprintf(&b, " Now %s.", st.Label())
	}
	for _, a := range d.marks.Illegal {
		fmt.Fprintf(&b, " Illegal: %s→%s%s: %s.", a.From, a.To, times(a.Count), a.Reason)
	}
	return b.String()
}

func (d *drawing) taken(e *contract.Edge) string {
	if n := d.marks.Taken[e]; n > 0 {
		return ", taken" + times(n)
	}
	return ""
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" %d×", n)
}

func (d *drawing) node(i int, st *contract.State) {
	class := "node"
	if st.IsFinal() {
		class += " node-final"
	}
	for e, n := range d.marks.Taken {
		if n > 0 && (e.To == st || e.From == st) {
			class += " node-seen"
			break
		}
	}
	if slices.Contains(d.marks.Current, st) {
		class += " node-current"
	}
	b := d.nodes[i]
	d.printf(`<g class="%s"><rect x="%.1f" y="%.1f" width="%.1f" height="%d" rx="8"/><text x="%.1f" y="%.1f" text-anchor="middle">%s</text></g>`+"\n",
		class, b.x, b.y+d.rise, b.width, nodeHeight, b.x+b.width/2, b.middle()+d.rise+5, text(st.Label()))
}

func (d *drawing) edge(i int, e *contract.Edge) {
	class := ""
	if d.marks.Taken[e] > 0 {
		class = "taken"
	}
	from, to := d.nodes[slices.Index(d.states, e.From)], d.nodes[slices.Index(d.states, e.To)]
	line := curve(from, to, d.bends[i])
	for at := range line {
		line[at].y += d.rise
	}
	d.arrow(class, line, fmt.Sprintf("%s: %s%s", e, e.Trigger, d.taken(e)))
	if n := d.marks.Taken[e]; n > 1 {
		at := halfway(line)
		d.printf(`<text class="edge-label" x="%.1f" y="%.1f" text-anchor="middle">%d×</text>`+"\n", at.x, at.y-6, n)
	}
}

// curve is the points of a line of cubic Bézier pieces: its start, and three for
// every piece.
func curve(from, to box, bends []point) []point {
	if from == to {
		x, y := from.x+from.width/2, from.y
		return []point{{x - 12, y}, {x - 26, y - 28}, {x + 26, y - 28}, {x + 12, y}}
	}
	start, end := point{from.right(), from.middle()}, point{to.x, to.middle()}
	if to.right() < from.x { // it leads back
		start, end = point{from.x, from.middle()}, point{to.right(), to.middle()}
	}
	line := []point{start}
	for i, p := range append(bends, end) {
		last := line[len(line)-1]
		if i%2 == 1 && i < len(bends) { // straight through an empty place
			line = append(line, last, p, p)
			continue
		}
		half := (p.x - last.x) / 2
		line = append(line, point{last.x + half, last.y}, point{p.x - half, p.y}, p)
	}
	return line
}

// halfway is the middle of a line's middle piece.
func halfway(line []point) point {
	i := (len(line) - 1) / 3 / 2 * 3
	a, b, c, e := line[i], line[i+1], line[i+2], line[i+3]
	return point{(a.x + 3*b.x + 3*c.x + e.x) / 8, (a.y + 3*b.y + 3*c.y + e.y) / 8}
}

// arrow draws a line with a tip, and what it says to who points at it.
func (d *drawing) arrow(class string, line []point, says string) {
	classes := func(of string) string {
		if class == "" {
			return of
		}
		return of + " " + of + "-" + class
	}
	d.printf(`<g><title>%s</title><path class="%s" fill="none" d="M%.1f %.1f`, text(says), classes("edge"), line[0].x, line[0].y)
	for i := 1; i < len(line); i += 3 {
		d.printf("C%.1f %.1f %.1f %.1f %.1f %.1f", line[i].x, line[i].y, line[i+1].x, line[i+1].y, line[i+2].x, line[i+2].y)
	}
	d.printf(`"/>`)
	end, back := line[len(line)-1], line[len(line)-2]
	dx, dy := direction(back, end)
	d.printf(`<path class="%s" d="M%.1f %.1fL%.1f %.1fL%.1f %.1fZ"/></g>`+"\n", classes("tip"), end.x, end.y,
		end.x-9*dx-4.5*dy, end.y-9*dy+4.5*dx, end.x-9*dx+4.5*dy, end.y-9*dy-4.5*dx)
}
