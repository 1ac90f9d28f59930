package inspect

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// maxValues bounds how many values a statistic tells apart.
const maxValues = 100

// statistics are the numbers that the contract asks for. Each subject counts
// once in each of them, however often it is told of, as long as it is remembered.
type statistics struct {
	groups   []group
	averages []average
}

type group struct {
	fact   *contract.Fact
	counts map[string]int
	others int // with values beyond maxValues
}

type average struct {
	contract.Average
	means  map[string]*payment.Mean
	others int
}

func newStatistics(of *contract.Statistics) *statistics {
	s := &statistics{}
	if of == nil {
		return s
	}
	for _, f := range of.Groups {
		s.groups = append(s.groups, group{fact: f, counts: map[string]int{}})
	}
	for _, a := range of.Averages {
		s.averages = append(s.averages, average{Average: a, means: map[string]*payment.Mean{}})
	}
	return s
}

// add counts what a sound payload tells.
func (s *statistics) add(v verify.Verdict, find func(party) *track) {
	for n := range s.groups {
		g := &s.groups[n]
		if value, t := tells(v, g.fact, find); t != nil && t.once(n) {
			g.add(shown(value))
		}
	}
	for n := range s.averages {
		a := &s.averages[n]
		by := ""
		if a.By != nil {
			value, ok := v.Fact(a.By)
			if !ok {
				continue
			}
			by = shown(value)
		}
		value, t := tells(v, a.Fact, find)
		if amount, ok := payment.ParseAmount(value.Text); t != nil && ok && t.once(len(s.groups)+n) {
			a.add(by, amount)
		}
	}
}

// tells returns the value of a fact, and where its subject is tracked; nil where
// the payload does not tell it.
func tells(v verify.Verdict, f *contract.Fact, find func(party) *track) (jsondoc.Value, *track) {
	value, ok := v.Fact(f)
	id, named := v.Fact(f.Scope.ID)
	if !ok || !named || id.Kind != jsondoc.String || id.Text == "" {
		return jsondoc.Value{}, nil
	}
	return value, find(newParty(f.Scope, id.Text))
}

// once reports whether a subject is not yet counted in a statistic, and counts it.
func (t *track) once(statistic int) bool {
	bit := uint64(1) << statistic
	if t.told&bit != 0 {
		return false
	}
	t.told |= bit
	return true
}

func (g *group) add(value string) {
	if _, ok := g.counts[value]; !ok && len(g.counts) >= maxValues {
		g.others++
		return
	}
	g.counts[value]++
}

func (a *average) add(by string, amount payment.Amount) {
	m := a.means[by]
	if m == nil && len(a.means) >= maxValues {
		a.others++
		return
	}
	if m == nil {
		m = &payment.Mean{}
		a.means[by] = m
	}
	m.Add(amount)
}

// shown is a value as people read it.
func shown(v jsondoc.Value) string {
	if v.Kind == jsondoc.String {
		return shorten(v.Text)
	}
	return clip(string(v.AppendLiteral(nil)), maxWord)
}

type groupJSON struct {
	Fact    string      `json:"fact"`
	Meaning string      `json:"meaning"`
	Counts  []countJSON `json:"counts"`
	// Others counts those with yet other values.
	Others int `json:"others"`
}

type countJSON struct {
	Value string `json:"value"`
	Count int    `json:"count"`
}

type averageJSON struct {
	Fact    string `json:"fact"`
	Meaning string `json:"meaning"`
	// By is the value of the grouping fact, GroupedBy the fact; both are empty where
	// there is none.
	By        string `json:"by"`
	GroupedBy string `json:"groupedBy"`
	Count     int    `json:"count"`
	Average   string `json:"average"`
	Sum       string `json:"sum"`
}

func (s *statistics) groupsJSON() []groupJSON {
	out := []groupJSON{}
	for _, g := range s.groups {
		x := groupJSON{Fact: g.fact.Name, Meaning: g.fact.Meaning, Counts: []countJSON{}, Others: g.others}
		for value, n := range g.counts {
			x.Counts = append(x.Counts, countJSON{value, n})
		}
		sort.Slice(x.Counts, func(i, j int) bool {
			a, b := x.Counts[i], x.Counts[j]
			return cmp.Or(b.Count-a.Count, strings.Compare(a.Value, b.Value)) < 0
		})
		out = append(out, x)
	}
	return out
}

func (s *statistics) averagesJSON() []averageJSON {
	out := []averageJSON{}
	for _, a := range s.averages {
		for _, by := range slices.Sorted(maps.Keys(a.means)) {
			m := a.means[by]
			mean, _ := m.Value()
			x := averageJSON{Fact: a.Fact.Name, Meaning: a.Fact.Meaning, By: by, Count: m.Count(), Average: mean.String(), Sum: m.Sum().String()}
			if a.By != nil {
				x.GroupedBy = a.By.Name
			}
			out = append(out, x)
		}
	}
	return out
}
