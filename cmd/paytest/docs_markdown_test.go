package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// page is a document in Markdown, as far as tests look at it.
type page struct {
	source   []byte
	blocks   []block
	links    []string
	headings []string
}

// block is a fenced code block, and what the comments before it, which begin with
// "test:", say of it.
type block struct {
	language    string
	line        int // of its first line of text
	start, stop int // of its text in the source
	text        string
	orders      []order
	// indented says that it is no fenced block, and so has no language.
	indented bool
}

// order is a line of such a comment: a verb and the rest.
type order struct{ verb, rest string }

// order finds the last of a block's orders with this verb.
func (b *block) order(verb string) (rest string, ok bool) {
	for _, o := range b.orders {
		if o.verb == verb {
			rest, ok = o.rest, true
		}
	}
	return rest, ok
}

// readPage parses a document.
func readPage(source []byte) *page {
	p := &page{source: source}
	var orders []order
	root := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.HTMLBlock:
			raw := string(n.Lines().Value(source))
			if n.HasClosure() {
				raw += string(n.ClosureLine.Value(source))
			}
			orders = append(orders, readOrders(raw)...)
			p.links = append(p.links, htmlLinks(raw)...)
		case *ast.RawHTML:
			p.links = append(p.links, htmlLinks(string(n.Segments.Value(source)))...)
		case *ast.FencedCodeBlock:
			p.add(string(n.Language(source)), n.Lines(), orders)
			orders = nil
		case *ast.CodeBlock:
			p.add("", n.Lines(), nil)
			p.blocks[len(p.blocks)-1].indented = true
		case *ast.Heading:
			p.headings = append(p.headings, words(n, source))
		case *ast.Link:
			p.links = append(p.links, string(n.Destination))
		case *ast.Image:
			p.links = append(p.links, string(n.Destination))
		case *ast.AutoLink:
			p.links = append(p.links, string(n.URL(source)))
		}
		return ast.WalkContinue, nil
	})
	if len(orders) > 0 {
		p.blocks = append(p.blocks, block{orders: orders, line: strings.Count(string(source), "\n")})
	}
	return p
}

func (p *page) add(language string, lines *text.Segments, orders []order) {
	b := block{language: language, orders: orders, text: string(lines.Value(p.source))}
	if lines.Len() > 0 {
		b.start, b.stop = lines.At(0).Start, lines.At(lines.Len()-1).Stop
		b.line = 1 + strings.Count(string(p.source[:b.start]), "\n")
	}
	p.blocks = append(p.blocks, b)
}

func readOrders(comment string) []order {
	inner, ok := strings.CutPrefix(strings.TrimSpace(comment), "<!-- test:")
	if !ok {
		return nil
	}
	inner, _, _ = strings.Cut(inner, "-->")
	var out []order
	for line := range strings.Lines(inner) {
		if verb, rest, _ := strings.Cut(strings.TrimSpace(line), " "); verb != "" {
			out = append(out, order{verb, strings.TrimSpace(rest)})
		}
	}
	return out
}

func htmlLinks(html string) []string {
	var out []string
	for _, m := range regexp.MustCompile(`(?:href|src)="([^"]*)"`).FindAllStringSubmatch(html, -1) {
		out = append(out, m[1])
	}
	return out
}

// words is what a reader sees of a heading.
func words(n ast.Node, source []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if t, ok := n.(*ast.Text); ok && entering {
			b.Write(t.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

// anchors are the fragments that lead to a page's headings, as GitHub makes them.
func (p *page) anchors() []string {
	seen := map[string]int{}
	var out []string
	for _, h := range p.headings {
		a := strings.ReplaceAll(strings.ToLower(h), " ", "-")
		a = regexp.MustCompile(`[^\p{L}\p{M}\p{N}_-]`).ReplaceAllString(a, "")
		if n := seen[a]; n > 0 {
			out = append(out, fmt.Sprintf("%s-%d", a, n))
		} else {
			out = append(out, a)
		}
		seen[a]++
	}
	return out
}

// told is a command of a transcript and what it shows.
type told struct {
	command string // as it is run: its lines without prompts
	typed   string // as it is shown
	output  string
}

// transcript reads a block of commands, each after a prompt, and their output.
func readTranscript(text string) ([]told, error) {
	var out []told
	going := false // the command goes on in the next line
	for line := range strings.Lines(text) {
		typed, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case going:
			last := &out[len(out)-1]
			last.typed += line
			last.command += strings.TrimPrefix(line, "> ")
		case isCommand:
			out = append(out, told{command: typed, typed: line})
		case len(out) == 0:
			return nil, fmt.Errorf("%q stands before the first command: a command begins with \"$ \"", strings.TrimSpace(line))
		default:
			out[len(out)-1].output += line
		}
		going = (going || isCommand) && strings.HasSuffix(line, "\\\n")
	}
	return out, nil
}

// shape is what a volatile part of a text looks like, and what stands for it.
type shape struct {
	pattern *regexp.Regexp
	as      string
}

// shapes are the parts of what programs show that are different each time:
// always, or where a comment names them.
func shapes() (always []shape, named map[string]shape) {
	s := func(pattern, as string) shape { return shape{regexp.MustCompile(pattern), as} }
	always = []shape{
		s(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`, "UUID"),
		s(`\b[0-9a-f]{8}(-[0-9a-f]{4})?…`, "UUID…"),
		s(`\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z`, "MOMENT"),
		s(`\b\d\d:\d\d:\d\d\.\d{3}\b`, "CLOCK"),
		s(`--seed \d{6,}`, "--seed RANDOM"),
		s(`(127\.0\.0\.1|localhost):[3-6]\d{4}\b`, "$1:PORT"),
		s(`(http://127\.0\.0\.1:\w+/)[A-Za-z0-9_-]{16,}/`, "${1}SECRET/"),
		s(`paytest \S+ \((commit [0-9a-f]+|\w+/\w+, go\S+?)(, commit [0-9a-f]+)?\)`, "paytest VERSION"),
		s(` and http://\[::1\]:\d+`, ""), // where there is IPv6
		s(`\b\d+(\.\d+)? (ns|µs|ms|s)\b`, "DURATION"),
	}
	return always, map[string]shape{
		"amounts": s(`(credited |exactly once is )\d+(\.\d+)?\b|\b\d+\.\d{1,6}\b`, "${1}AMOUNT"),
		// What load says only where the machine that it runs on was too busy.
		"lateness": s(`arrivals: .*\n(  .*\n)*|The load generator itself.*\n.*endpoint\.\n`, ""),
		"waits":    s(`\b\d+(\.\d+)?m?s\b`, "WAIT"),
		"hashes":   s(`\b([0-9a-f]{64}|T[1-9A-HJ-NP-Za-km-z]{33})\b`, "HASH"),
		"columns":  s(` +`, " "), // which are as wide as the numbers in them
		"numbers":  s(` *(DURATION|[\d,]*\d(\.\d+)?( ?(%|kB|MB))?)`, " N"),
	}
}

// shaped replaces the volatile parts of a text by what they are.
func shaped(text string, names []string) (string, error) {
	parts, named := shapes()
	for _, name := range names {
		s, ok := named[name]
		if !ok {
			return "", fmt.Errorf("volatile %s: there is no such part", name)
		}
		parts = append(parts, s)
	}
	for _, s := range parts {
		text = s.pattern.ReplaceAllString(text, s.as)
	}
	if slices.Contains(names, "numbers") { // which decide on how wide columns are
		text = regexp.MustCompile(` {2,}`).ReplaceAllString(text, " ")
	}
	return strings.TrimRight(text, "\n"), nil
}
