package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/verify"
)

const (
	junitLineBytes = 1 << 10
	junitTextBytes = 64 << 10
)

// JUnit writes the suite as JUnit XML, in the form that Jenkins' junit-10.xsd
// describes and other readers share. Times are in seconds, with the three
// decimals it allows. Characters that XML 1.0 cannot hold are written as \x1b,
// \ufffe and the like; long texts are cut. What was noticed about a case that
// passed is in its system-err.
func JUnit(w io.Writer, s Suite) error {
	var x junitWriter
	x.b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	x.suite(s)
	if _, err := w.Write(x.b.Bytes()); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

// junitWriter writes each element on a line of its own. encoding/xml would be a
// hundredth of the binary, and of the time to start it.
type junitWriter struct {
	b     bytes.Buffer
	depth int
}

// attr is the name and the value of an attribute.
type attr [2]string

func number(name string, n int) attr { return attr{name, strconv.Itoa(n)} }

func (x *junitWriter) start(name string, attrs ...attr) {
	white := strings.NewReplacer("\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;") // or it would be read as spaces
	x.b.WriteString(strings.Repeat("  ", x.depth) + "<" + name)
	for _, a := range attrs {
		x.b.WriteString(" " + a[0] + `="` + white.Replace(html.EscapeString(a[1])) + `"`)
	}
	x.b.WriteByte('>')
}

func (x *junitWriter) end(name string) { x.b.WriteString("</" + name + ">\n") }

// element writes an element that holds others.
func (x *junitWriter) element(name string, attrs []attr, children func()) {
	x.start(name, attrs...)
	from := x.b.Len()
	x.b.WriteByte('\n')
	x.depth++
	children()
	x.depth--
	if x.b.Len() == from+1 {
		x.b.Truncate(from) // it holds none
	} else {
		x.b.WriteString(strings.Repeat("  ", x.depth))
	}
	x.end(name)
}

// text writes an element that holds a text.
func (x *junitWriter) text(name, text string, attrs ...attr) {
	x.start(name, attrs...)
	if text = junitBody(text); text != "" {
		x.b.WriteString("<![CDATA[" + strings.ReplaceAll(text, "]]>", "]]]]><![CDATA[>") + "]]>")
	}
	x.end(name)
}

// maybe writes an element that holds a text, where there is one.
func (x *junitWriter) maybe(name, text string) {
	if text != "" {
		x.text(name, text)
	}
}

func (x *junitWriter) suite(s Suite) {
	_, failed, skipped, errors := s.Counts()
	name, took := attr{"name", junitLine(s.Name)}, attr{"time", seconds(s.Duration)}
	counts := []attr{name, number("tests", len(s.Cases)), number("failures", failed), number("errors", errors)}
	attrs := append(slices.Clip(counts), number("skipped", skipped), took)
	if !s.Started.IsZero() {
		attrs = append(attrs, attr{"timestamp", s.Started.UTC().Format(time.RFC3339)})
	}
	x.element("testsuites", append(slices.Clip(counts), took), func() {
		x.element("testsuite", attrs, func() {
			x.properties(s)
			for _, c := range s.Cases {
				x.element("testcase", []attr{{"classname", junitLine(c.Class)}, {"name", junitLine(c.Name)}, {"time", seconds(c.Duration)}}, func() { x.outcome(c) })
			}
			x.maybe("system-out", strings.Join(s.Notes, "\n"))
		})
	})
}

func (x *junitWriter) properties(s Suite) {
	if len(s.Properties)+len(s.Coverage) == 0 {
		return
	}
	x.element("properties", nil, func() {
		property := func(name, value string) {
			x.text("property", "", attr{"name", junitLine(name)}, attr{"value", junitLine(value)})
		}
		for _, p := range s.Properties {
			property(p[0], p[1])
		}
		for _, c := range s.Coverage {
			property("edges "+c.Subject, edges(c))
		}
	})
}

func (x *junitWriter) outcome(c Case) {
	why, noticed := c.explanation(0), ""
	if len(c.Findings) > 0 {
		noticed = why
	}
	switch c.status() {
	case Failed:
		x.problem("failure", c.kind(), c.sentence(), why)
	case Errored:
		x.problem("error", c.kind(), c.sentence(), why)
	case Skipped:
		x.problem("skipped", "", c.Message, noticed)
	case Passed:
	}
	x.maybe("system-out", c.Input)
	if c.status() == Passed {
		x.maybe("system-err", noticed)
	}
}

func (x *junitWriter) problem(name, kind, message, text string) {
	attrs := []attr{{"type", junitLine(kind)}, {"message", junitLine(message)}}
	x.text(name, text, slices.DeleteFunc(attrs, func(a attr) bool { return a[1] == "" })...)
}

func junitLine(s string) string { return xmlText(clipBytes(s, junitLineBytes)) }

func junitBody(s string) string { return xmlText(clipBytes(s, junitTextBytes)) }

// xmlText leaves no character that XML 1.0 excludes: what Escape lets pass of
// those is U+FFFE and U+FFFF.
func xmlText(s string) string {
	return strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`).Replace(legible(s))
}

func seconds(d time.Duration) string {
	return strconv.FormatFloat(max(d, 0).Seconds(), 'f', 3, 64)
}

func edges(c verify.Coverage) string { return fmt.Sprintf("%d/%d", c.Seen, c.Of) }
