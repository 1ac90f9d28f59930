package report_test

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// node is an element, whatever its name.
type node struct {
	XMLName  xml.Name
	Attrs    []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []node     `xml:",any"`
}

func (n node) attr(name string) string {
	for _, a := range n.Attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func (n node) all(name string) []node {
	var found []node
	for _, c := range n.Children {
		if c.XMLName.Local == name {
			found = append(found, c)
		}
	}
	return found
}

// model is what an element may and must have, after Jenkins' junit-10.xsd.
type model struct{ required, optional, children string }

func junitModels() map[string]model {
	problem := model{"", "type message", ""}
	return map[string]model{
		"testsuites": {"", "name time tests failures errors", "testsuite"},
		"testsuite":  {"name tests failures errors", "time skipped timestamp", "properties testcase system-out system-err"},
		"properties": {"", "", "property"},
		"property":   {"name value", "", ""},
		"testcase":   {"name", "classname time", "skipped error failure system-out system-err"},
		"skipped":    problem, "error": problem, "failure": problem,
		"system-out": {}, "system-err": {},
	}
}

func checkModel(t *rapid.T, models map[string]model, n node) {
	m, known := models[n.XMLName.Local]
	if !known {
		t.Fatalf("element %s", n.XMLName.Local)
	}
	for _, name := range strings.Fields(m.required) {
		if !slices.ContainsFunc(n.Attrs, func(a xml.Attr) bool { return a.Name.Local == name }) {
			t.Fatalf("%s has no %s", n.XMLName.Local, name)
		}
	}
	for _, a := range n.Attrs {
		if !slices.Contains(strings.Fields(m.required+" "+m.optional), a.Name.Local) {
			t.Fatalf("%s has an attribute %s", n.XMLName.Local, a.Name.Local)
		}
		if a.Name.Local == "time" && !regexp.MustCompile(`^\d+\.\d{3}$`).MatchString(a.Value) {
			t.Fatalf("time %q", a.Value)
		}
	}
	for _, c := range n.Children {
		if !slices.Contains(strings.Fields(m.children), c.XMLName.Local) {
			t.Fatalf("%s in %s", c.XMLName.Local, n.XMLName.Local)
		}
		checkModel(t, models, c)
	}
}

// shown is a text as it must be read back from XML: of what Escape leaves and
// XML 1.0 excludes there are two characters.
func shown(s string) string {
	var b strings.Builder
	for part := range strings.SplitAfterSeq(s, "\n") {
		line, feed := strings.CutSuffix(part, "\n")
		columns := strings.Split(line, "\t")
		for i := range columns {
			columns[i] = report.Escape(columns[i])
		}
		b.WriteString(strings.Join(columns, "\t"))
		if feed {
			b.WriteByte('\n')
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "\ufffe", `\ufffe`), "\uffff", `\uffff`)
}

func parseXML(t interface{ Fatalf(string, ...any) }, text string) node {
	dec := xml.NewDecoder(strings.NewReader(text))
	var root node
	if err := dec.Decode(&root); err != nil {
		t.Fatalf("not well-formed: %v\n%q", err, text)
	}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return root
		}
		if space, ok := token.(xml.CharData); err != nil || !ok || strings.TrimSpace(string(space)) != "" {
			t.Fatalf("after the root: %v, %v", token, err)
		}
	}
}

func TestJUnitIsWellFormedWhateverItSays(t *testing.T) {
	models := junitModels()
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawSuite(t, hostileText())
		root := parseXML(t, written(t, s, as(report.FormatJUnit)))
		if root.XMLName.Local != "testsuites" || len(root.Children) != 1 {
			t.Fatalf("root %s of %d", root.XMLName.Local, len(root.Children))
		}
		checkModel(t, models, root)
		suite := root.Children[0]
		_, failed, skipped, errs := s.Counts()
		counts := map[string]int{"tests": len(s.Cases), "failures": failed, "skipped": skipped, "errors": errs}
		for name, want := range counts {
			if got := suite.attr(name); got != strconv.Itoa(want) {
				t.Fatalf("%s=%q, want %d", name, got, want)
			}
		}
		if suite.attr("name") != shown(s.Name) {
			t.Fatalf("suite %q is named %q", s.Name, suite.attr("name"))
		}
		cases := suite.all("testcase")
		if len(cases) != len(s.Cases) {
			t.Fatalf("%d cases, want %d", len(cases), len(s.Cases))
		}
		for i, c := range s.Cases {
			checkCase(t, c, cases[i])
		}
	})
}

func checkCase(t *rapid.T, c report.Case, n node) {
	if n.attr("classname") != shown(c.Class) || n.attr("name") != shown(c.Name) {
		t.Fatalf("%q %q is named %q %q", c.Class, c.Name, n.attr("classname"), n.attr("name"))
	}
	element := map[report.Status]string{report.Failed: "failure", report.Skipped: "skipped", report.Errored: "error", "": "error"}[c.Status]
	for _, name := range []string{"failure", "skipped", "error"} {
		problems := n.all(name)
		if (len(problems) == 1) != (name == element) || len(problems) > 1 {
			t.Fatalf("a case that %s has %d elements %s", c.Status, len(problems), name)
		}
		if len(problems) == 1 && c.Message != "" && problems[0].attr("message") != shown(c.Message) {
			t.Fatalf("message %q is %q", c.Message, problems[0].attr("message"))
		}
	}
	out := n.all("system-out")
	if (len(out) == 1) != (c.Input != "") || len(out) == 1 && out[0].Text != shown(c.Input) {
		t.Fatalf("input %q is %q", c.Input, out)
	}
}

func TestJUnitFailure(t *testing.T) {
	root := parseXML(t, written(t, exampleSuite(), as(report.FormatJUnit)))
	failure := root.Children[0].all("testcase")[2].all("failure")[0]
	if failure.attr("type") != "illegal-transition" {
		t.Errorf("type %q is not the first violation's code", failure.attr("type"))
	}
	for _, want := range []string{"breaks the contract", "paid.yaml:12:5", "/data/state", "expected no further state", `got      "Cancel"`, "source   payloads/invoice/cancel.json"} {
		if !strings.Contains(failure.Text, want) {
			t.Errorf("%q is not in the failure:\n%s", want, failure.Text)
		}
	}
}

func TestJUnitMessageOfACaseWithout(t *testing.T) {
	note := verify.Finding{Code: "a-note", Severity: verify.Note, Message: "the note"}
	violation := verify.Finding{Code: "a-violation", Severity: verify.Violation, Message: "the violation"}
	tests := []struct {
		findings   []verify.Finding
		kind, want string
	}{
		{[]verify.Finding{note, violation}, "a-violation", "the violation"},
		{[]verify.Finding{note}, "failed", "failed"},
		{nil, "failed", "failed"},
	}
	for _, tt := range tests {
		s := report.Suite{Cases: []report.Case{{Status: report.Failed, Findings: tt.findings}}}
		failure := parseXML(t, written(t, s, as(report.FormatJUnit))).Children[0].all("testcase")[0].all("failure")[0]
		if failure.attr("message") != tt.want || failure.attr("type") != tt.kind {
			t.Errorf("%v: type %q, message %q", tt.findings, failure.attr("type"), failure.attr("message"))
		}
	}
}

func TestJUnitCutsLongTexts(t *testing.T) {
	for _, long := range []string{"a" + strings.Repeat("é", 1<<17), strings.Repeat("\xff", 1<<17), strings.Repeat("]]>", 1<<17)} {
		s := report.Suite{Cases: []report.Case{{Name: long, Class: long, Message: long, Input: long, Status: report.Failed}}}
		text := written(t, s, as(report.FormatJUnit))
		if len(text) > 2<<20 {
			t.Errorf("%d bytes", len(text))
		}
		out := parseXML(t, text).Children[0].all("testcase")[0].all("system-out")[0].Text
		if !strings.HasPrefix(out, shown(long[:5])) || !strings.HasSuffix(out, " more bytes)") || strings.Contains(out, `é\x`) {
			t.Errorf("cut to %.40q…%q", out, out[max(0, len(out)-40):])
		}
	}
}
