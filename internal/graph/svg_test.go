package graph_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/graph"
	"github.com/paytest/paytest/payloads"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t *testing.T) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// paid is a payment that came to its end in one step too many.
func paid(t *testing.T, sub *contract.Subject) *graph.Marks {
	t.Helper()
	edge := func(from, to string) *contract.Edge {
		e := sub.Edge(sub.State(from), sub.State(to))
		if e == nil {
			t.Fatalf("%s has no edge %s→%s", sub.Name, from, to)
		}
		return e
	}
	return &graph.Marks{
		Taken:   map[*contract.Edge]int{edge("ready", "pending"): 12, edge("pending", "complete"): 1},
		Current: []*contract.State{sub.State("complete")},
		Illegal: []graph.Attempt{
			{From: "Complete", To: "Fail", Reason: "Complete is final", Count: 2},
			{From: "Complete", To: "Pending", Reason: "Complete is final", Count: 1},
			{From: "Pending", To: "Pending", Reason: "a state does not follow itself", Count: 1},
			{From: "Nowhere", To: "Complete", Reason: "there is no such state", Count: 1},
		},
	}
}

func TestGolden(t *testing.T) {
	c := load(t)
	invoice := c.Subjects[0]
	for name, got := range map[string][]byte{
		"plain.svg":  graph.SVG(invoice, nil, graph.Options{ID: "a-"}),
		"paid.svg":   graph.SVG(invoice, paid(t, invoice), graph.Options{ID: "a-"}),
		"sheet.svg":  graph.Sheet(c.Subjects, map[*contract.Subject]*graph.Marks{invoice: paid(t, invoice)}, graph.Options{Standalone: true}),
		"sheet0.svg": graph.Sheet(c.Subjects, nil, graph.Options{Standalone: true}),
	} {
		file := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got; -update writes it anew):\n%s", name, diff)
		}
	}
}

// elements reads an SVG as XML and fails when it is none.
func elements(t rapid.TB, svg []byte) []xml.StartElement {
	var out []xml.StartElement
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in %s", err, svg)
		}
		if start, ok := token.(xml.StartElement); ok {
			out = append(out, start.Copy())
		}
	}
}

func classes(e xml.StartElement) []string {
	for _, a := range e.Attr {
		if a.Name.Local == "class" {
			return strings.Fields(a.Value)
		}
	}
	return nil
}

func count(svg []xml.StartElement, class string) int {
	n := 0
	for _, e := range svg {
		for _, c := range classes(e) {
			if c == class {
				n++
			}
		}
	}
	return n
}

// TestWholeMachine holds that every state and transition is drawn, once.
func TestWholeMachine(t *testing.T) {
	for _, sub := range load(t).Subjects {
		svg := elements(t, graph.SVG(sub, nil, graph.Options{}))
		if n := count(svg, "node"); n != len(sub.States)+1 {
			t.Errorf("%s: %d of %d states", sub.Name, n, len(sub.States)+1)
		}
		if n := count(svg, "edge"); n != len(sub.Edges) {
			t.Errorf("%s: %d of %d transitions", sub.Name, n, len(sub.Edges))
		}
		if n := count(svg, "edge-taken") + count(svg, "edge-illegal") + count(svg, "node-current"); n != 0 {
			t.Errorf("%s: %d marks where none were asked for", sub.Name, n)
		}
	}
}

func TestMarks(t *testing.T) {
	sub := load(t).Subjects[0]
	raw := graph.SVG(sub, paid(t, sub), graph.Options{})
	svg := elements(t, raw)
	for class, want := range map[string]int{"edge-taken": 2, "edge-illegal": 3, "node-current": 1, "node-seen": 3} {
		if got := count(svg, class); got != want {
			t.Errorf("%s: %d, want %d", class, got, want)
		}
	}
	for _, told := range []string{"Ready→Pending, taken 12×.", "Now Complete.", "Illegal: Nowhere→Complete: there is no such state.", "Illegal: Complete→Fail 2×: Complete is final."} {
		if !bytes.Contains(raw, []byte(told)) {
			t.Errorf("not told: %s", told)
		}
	}
}

// TestHarmless holds that what a payload spells cannot leave its text.
func TestHarmless(t *testing.T) {
	sub := load(t).Subjects[0]
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			`"><script>alert(1)</script>`, "]]>", "\u202eevil", "\x00\x1b[2J", "&amp;&#x41;", "' onload='x", "\xff\xfe", "Complete",
		}))
		m := &graph.Marks{Illegal: []graph.Attempt{{From: word.Draw(t, "from"), To: word.Draw(t, "to"), Reason: word.Draw(t, "reason"), Count: 1}}}
		raw := graph.SVG(sub, m, graph.Options{ID: word.Draw(t, "id")})
		for _, e := range elements(t, raw) {
			switch e.Name.Local {
			case "svg", "title", "desc", "g", "rect", "path", "text":
			default:
				t.Fatalf("element %s", e.Name.Local)
			}
			for _, a := range e.Attr {
				if strings.HasPrefix(a.Name.Local, "on") || a.Name.Local == "style" || a.Name.Local == "href" {
					t.Fatalf("attribute %s", a.Name.Local)
				}
			}
		}
		for _, r := range string(raw) {
			if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
				t.Fatalf("%U in the drawing", r)
			}
		}
	})
}
