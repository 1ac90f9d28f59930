package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// The page's plots are drawn in these units, which CSS scales. The margins have
// room for the text of narrow screens, which is larger.
const (
	plotWidth, plotHeight = 640, 320
	plotLeft, plotRight   = 92, 20
	plotTop, plotBottom   = 52, 64
	plotTicks             = 5

	// logarithmicFrom is how much the values of a logarithmic axis differ by.
	logarithmicFrom = 20

	rounding = 1e-9
)

// plot is lines and marks over two axes.
type plot struct {
	id, title, desc string
	x, y            axis
	lines           []plotLine
	marks           []plotMark
	rule            *plotRule
}

// plotLine is drawn through its points, but for gaps where there is nothing.
type plotLine struct {
	name, class string
	points      []plotPoint
}

type plotPoint struct {
	x, y float64
	gap  bool
}

// plotMark is a point of its own, which is told by its shape.
type plotMark struct {
	x, y  float64
	class string // held, broke or top
	label string
}

// plotRule is a vertical line.
type plotRule struct {
	x     float64
	label string
}

// axis is a scale from lo to hi.
type axis struct {
	name        string
	lo, hi      float64
	logarithmic bool
	ticks       []tick
}

type tick struct {
	at    float64
	label string
}

// at returns where on the axis a value is, 0 to 1.
func (a axis) at(v float64) float64 {
	lo, hi := a.lo, a.hi
	if a.logarithmic {
		lo, hi, v = math.Log(lo), math.Log(hi), math.Log(max(v, a.lo))
	}
	return min(max(finite((v-lo)/(hi-lo)), 0), 1)
}

// linear returns an axis from 0 to about hi with ticks at round numbers.
func linear(name string, hi float64, label func(at, largest float64) string) axis {
	if hi = finite(hi); hi <= 0 {
		hi = 1
	}
	step := roundStep(hi / plotTicks)
	last := math.Ceil(hi / step)
	a := axis{name: name, hi: last * step}
	for i := range int(last) + 1 {
		a.ticks = append(a.ticks, tick{float64(i) * step, label(float64(i)*step, last*step)})
	}
	return a
}

// logarithmic returns an axis from about lo, which is above 0, to about hi. Its
// ticks are at 1, 2 and 5 times the powers of ten, or where these are many at
// some of the powers alone.
func logarithmic(name string, lo, hi float64, label func(at, largest float64) string) axis {
	const few = 2.5
	a := axis{name: name + ", logarithmic", logarithmic: true}
	a.lo, a.hi = 1/roundStep(1/lo), roundStep(hi)
	decades := math.Log10(a.hi / a.lo)
	every := math.Ceil((decades + 1) / (plotTicks + 1))
	for exponent := math.Floor(math.Log10(a.lo)); exponent <= math.Log10(a.hi)+rounding; exponent += every {
		for _, m := range []float64{1, 2, 5} {
			at := m * math.Pow(10, exponent)
			if at >= a.lo*(1-rounding) && (m == 1 || decades <= few) {
				a.ticks = append(a.ticks, tick{at, label(at, at)})
			}
		}
	}
	return a.cut()
}

// scale returns an axis for values; it is logarithmic where they differ by much.
func scale(name string, values []float64, label func(at, largest float64) string) axis {
	lo, hi := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			lo = min(lo, v)
		}
		hi = max(hi, v)
	}
	if hi/lo >= logarithmicFrom {
		return logarithmic(name, lo, hi, label)
	}
	return linear(name, hi, label)
}

// roundStep returns the least of 1, 2 and 5 times a power of ten that is not
// below x, which is above 0.
func roundStep(x float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, m := range []float64{1, 2, 5} {
		if x <= m*power*(1+rounding) {
			return m * power
		}
	}
	return 10 * power
}

func numberLabel(at, _ float64) string {
	if at >= 10_000 {
		return compact(at, "")
	}
	return roundNumber(at)
}

// roundNumber writes what has no more than four digits that matter.
func roundNumber(x float64) string {
	if x >= 1000 {
		return grouped(uint64(math.Round(x)))
	}
	return strconv.FormatFloat(x, 'g', 4, 64)
}

// durationLabel writes nanoseconds in the unit of the largest on the axis.
func durationLabel(at, largest float64) string {
	unit, name := float64(time.Second), "s"
	switch {
	case at == 0:
		return "0"
	case largest < float64(time.Millisecond):
		unit, name = float64(time.Microsecond), "µs"
	case largest < float64(time.Second):
		unit, name = float64(time.Millisecond), "ms"
	}
	return roundNumber(at/unit) + " " + name
}

// timeAxis is from the start of a run to its end, in seconds whatever the labels
// count.
func timeAxis(end time.Duration) axis {
	const minute, hour, inMinutes, inHours = 60.0, 3600.0, 120, 7200
	seconds, name, per := max(end.Seconds(), 0.001), "seconds since the start", 1.0
	switch {
	case seconds > inHours:
		name, per = "hours since the start", hour
	case seconds > inMinutes:
		name, per = "minutes since the start", minute
	}
	a := linear(name, seconds/per, numberLabel)
	for i := range a.ticks {
		a.ticks[i].at *= per
	}
	a.hi = seconds
	return a.cut()
}

// cut takes away the ticks beyond the end.
func (a axis) cut() axis {
	for len(a.ticks) > 0 && a.ticks[len(a.ticks)-1].at > a.hi*(1+rounding) {
		a.ticks = a.ticks[:len(a.ticks)-1]
	}
	return a
}

// nines is where a share of the requests stands on an axis that gives each
// further nine the same room.
func nines(share float64) float64 {
	const most = 16 // as many as a float64 can tell from 1
	return min(-math.Log10(1-share), most)
}

func ninesAxis(hi float64) axis {
	const allUpTo = 5
	a := axis{name: "percent of the requests", hi: hi, ticks: []tick{{nines(0.5), "50"}}}
	for n := 1; float64(n) <= hi; n++ {
		label := strings.Repeat("9", min(n, 2)) + "." + strings.Repeat("9", max(0, n-2))
		if hi > allUpTo && n > 2 && n%2 == 0 {
			label = ""
		}
		a.ticks = append(a.ticks, tick{float64(n), map[bool]string{true: "90", false: strings.TrimSuffix(label, ".")}[n == 1]})
	}
	return a.cut()
}

// px and py are where a value is drawn.
func (p *plot) px(v float64) float64 {
	return plotLeft + p.x.at(v)*(plotWidth-plotLeft-plotRight)
}

func (p *plot) py(v float64) float64 {
	return plotHeight - plotBottom - p.y.at(v)*(plotHeight-plotTop-plotBottom)
}

// unit writes a coordinate.
func unit(v float64) string { return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 1, 64), ".0") }

func (w *loadWriter) plot(p *plot) {
	w.linef(`<figure class="plot">
<figcaption>%v</figcaption>
<svg viewBox="0 0 %v %v" role="img" aria-labelledby="%v-title %[4]v-desc">
<title id="%[4]v-title">%[1]v</title>
<desc id="%[4]v-desc">%[5]v</desc>`, p.title, plotWidth, plotHeight, p.id, p.desc)
	w.axes(p)
	w.legend(p.lines)
	if p.rule != nil {
		w.rule(p)
	}
	for _, l := range p.lines {
		w.line(p, l)
	}
	for _, m := range p.marks {
		w.mark(p, m)
	}
	w.linef(`</svg>
</figure>`)
}

func (w *loadWriter) axes(p *plot) {
	const right, bottom = plotWidth - plotRight, plotHeight - plotBottom
	for _, t := range p.y.ticks {
		y := unit(p.py(t.at))
		w.linef(`<path class="grid" d="M%v %vH%v" /><text class="y" x="%v" y="%v" dy="0.35em">%v</text>`, plotLeft, y, right, plotLeft-8, y, t.label)
	}
	for _, t := range p.x.ticks {
		x := unit(p.px(t.at))
		w.linef(`<path class="grid" d="M%v %vv5" /><text class="x" x="%[1]v" y="%[3]v" dy="1.3em">%[4]v</text>`, x, bottom, bottom, t.label)
	}
	w.linef(`<path class="axis" d="M%v %vH%v" /><text class="name" x="%v" y="%[2]v" dy="2.55em">%[5]v</text>`, plotLeft, bottom, right, right, p.x.name)
}

// legend names the lines above the plot, each after a piece of it.
func (w *loadWriter) legend(lines []plotLine) {
	const y, sample, gap, letter = 22, 34, 24, 13
	x := plotLeft
	for _, l := range lines {
		if l.name == "" {
			continue
		}
		w.linef(`<path class="line %v" d="M%v %vh%v" /><text class="legend" x="%v" y="%v" dy="0.35em">%v</text>`, l.class, x, y, sample, x+sample+8, y, l.name)
		x += sample + 8 + letter*len(l.name) + gap
	}
}

// line draws each run of points as a line, and as a dot where it is but one.
func (w *loadWriter) line(p *plot, l plotLine) {
	for start := 0; start < len(l.points); {
		end := start
		for end < len(l.points) && !l.points[end].gap {
			end++
		}
		if end > start {
			w.segment(p, l.class, l.points[start:end])
		}
		start = end + 1
	}
}

func (w *loadWriter) segment(p *plot, class string, points []plotPoint) {
	var b strings.Builder
	for i, at := range points {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(unit(p.px(at.x)) + "," + unit(p.py(at.y)))
	}
	w.linef(`<polyline class="line %v" points="%v" />`, class, b.String())
	if len(points) == 1 {
		w.linef(`<circle class="dot %v" cx="%v" cy="%v" r="4" />`, class, unit(p.px(points[0].x)), unit(p.py(points[0].y)))
	}
}

// mark draws a step that held as a disc and one that broke as a cross.
func (w *loadWriter) mark(p *plot, m plotMark) {
	x, y := p.px(m.x), p.py(m.y)
	if m.class == "broke" {
		w.linef(`<path class="mark broke" d="M%v %vl10 10m0 -10l-10 10" />`, unit(x-5), unit(y-5))
	} else {
		w.linef(`<circle class="mark %v" cx="%v" cy="%v" r="5" />`, m.class, unit(x), unit(y))
	}
	if m.label != "" {
		w.linef(`<text class="label end" x="%v" y="%v">%v</text>`, unit(x-10), unit(y-6), m.label)
	}
}

// rule draws the vertical line with its label on the side that has more room.
func (w *loadWriter) rule(p *plot) {
	x, class, dx := p.px(p.rule.x), "label", 8.0
	if p.x.at(p.rule.x) > 0.5 {
		class, dx = "label end", -8
	}
	w.linef(`<path class="rule" d="M%v %vV%v" /><text class="%v" x="%v" y="%v">%v</text>`,
		unit(x), plotTop, plotHeight-plotBottom, class, unit(x+dx), plotTop+12, p.rule.label)
}
