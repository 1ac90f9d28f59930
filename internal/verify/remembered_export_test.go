package verify

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
)

// Quick reports whether the verdict was found by the payload's bytes alone.
func (v Verdict) Quick() bool { return v.slots != nil }

// Remembered says in words what a small Checker remembers, hashes left out.
func (k *Checker) Remembered() []string {
	s := &k.shards[0]
	var found []entry
	chains := make([][]place, s.count)
	for slot := range chains {
		r := s.load(slot)
		for at := r.last; at != nowhere; {
			e, ok := k.entry(at, r.hash)
			if !ok {
				break
			}
			if chains[slot] = append(chains[slot], at); !slices.ContainsFunc(found, func(x entry) bool { return x.at == at }) {
				found = append(found, e)
			}
			at = e.previous(int(r.kind))
		}
	}
	slices.SortFunc(found, func(a, b entry) int { return int(int64(a.at) - int64(b.at)) })
	number := func(at place) int { return slices.IndexFunc(found, func(e entry) bool { return e.at == at }) }
	var out []string
	for slot, chain := range chains {
		r := s.load(slot)
		line := fmt.Sprintf("%s #%d:%s, %d entries", k.c.Subjects[r.kind].Name, slot, k.edges(r), r.count)
		for _, at := range chain {
			line += fmt.Sprintf(" %d", number(at))
		}
		if r.partial {
			line += ", partial"
		}
		out = append(out, line)
	}
	for i := range found {
		out = append(out, fmt.Sprintf("%d %s", i, k.entryText(&found[i])))
	}
	return append(out, fmt.Sprintf("told %d, covered %x, bytes %s and %s", k.told.Load(), s.covered, sizes(s.entries), sizes(s.words)))
}

func sizes(r ring) string {
	var out []string
	for _, b := range r.chunks {
		out = append(out, fmt.Sprint(len(b)))
	}
	return strings.Join(append(out, fmt.Sprintf("from %d", r.first)), " ")
}

func (k *Checker) edges(r record) (out string) {
	for _, e := range k.c.Subjects[r.kind].Edges {
		if r.seen.Has(e) {
			out += " " + e.String()
		}
	}
	return out
}

func (k *Checker) entryText(e *entry) string {
	out := e.p.st.String() + " " + e.p.st.Subject.Edges[e.edge].String() + ","
	for kind, of := range k.c.Subjects {
		if hash, ok := e.names(kind); ok {
			out += fmt.Sprintf(" %s #%d", of.Name, k.shards[0].find(hash))
		}
	}
	for c := e.cursor(); c.next(); {
		f := e.p.st.Fields()[e.p.kept[c.i].field]
		out += " " + f.Path() + "=" + codeText(c)
		if e.code(c.i) != c.code {
			out += "!"
		}
	}
	if e.anchored() {
		out += ", anchored"
	}
	words, ok := k.words(e)
	if !ok {
		return out + ", no words"
	}
	out += "; words"
	for i, word := range words {
		if len(word) > 0 {
			out += " " + e.p.st.Fields()[i].Path() + "=" + string(word)
		}
	}
	return out
}

func codeText(c cursor) string {
	switch c.code.kind() {
	case codeTime:
		return time.UnixMilli(int64(c.code.payload()) + yearZero).UTC().Format("15:04:05.000")
	case codeNull:
		return "null"
	case codeOpaque:
		return "?"
	}
	if c.literal >= 0 {
		return fmt.Sprintf("[%d]", c.literal)
	}
	return "#"
}

// Told is the value of every fact that a verdict tells.
func (v Verdict) Told(c *contract.Contract) (out []string) {
	for _, f := range c.Facts {
		if x, ok := v.Fact(f); ok {
			out = append(out, f.Name+"="+string(x.AppendLiteral(nil)))
		}
	}
	return out
}

// Silence forgets the words of all deliveries.
func (k *Checker) Silence() { k.silence() }

// Forget forgets all deliveries, but not which states there were.
func (k *Checker) Forget() {
	for i := range k.shards {
		for _, r := range []*ring{&k.shards[i].entries, &k.shards[i].words} {
			*r = ring{first: r.first + uint64(len(r.chunks))}
		}
	}
}

// Edited is a folder with some texts in its files replaced.
func Edited(t *testing.T, from fs.FS, edits ...[3]string) fs.FS { return edited(t, from, edits...) }
