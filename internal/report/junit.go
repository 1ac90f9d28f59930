package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/verify"
)

const (
	junitLineBytes = 1 << 10
	junitTextBytes = 64 << 10
)

type junitRoot struct {
	XMLName  xml.Name   `xml:"testsuites"`
	Name     string     `xml:"name,attr"`
	Tests    int        `xml:"tests,attr"`
	Failures int        `xml:"failures,attr"`
	Errors   int        `xml:"errors,attr"`
	Time     string     `xml:"time,attr"`
	Suite    junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        *junitText      `xml:"system-out"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitProblem `xml:"skipped"`
	Error   *junitProblem `xml:"error"`
	Failure *junitProblem `xml:"failure"`
	Out     *junitText    `xml:"system-out"`
	Err     *junitText    `xml:"system-err"`
}

type junitProblem struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr,omitempty"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// JUnit writes the suite as JUnit XML, in the form that Jenkins' junit-10.xsd
// describes and other readers share. Times are in seconds, with the three
// decimals it allows. Characters that XML 1.0 cannot hold are written as \x1b,
// \ufffe and the like; long texts are cut. What was noticed about a case that
// passed is in its system-err.
func JUnit(w io.Writer, s Suite) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(newJUnitRoot(s)); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

func newJUnitRoot(s Suite) junitRoot {
	_, failed, skipped, errors := s.Counts()
	suite := junitSuite{
		Name: junitLine(s.Name), Tests: len(s.Cases), Failures: failed, Errors: errors, Skipped: skipped,
		Time: seconds(s.Duration), Out: newJUnitText(strings.Join(s.Notes, "\n")),
	}
	if !s.Started.IsZero() {
		suite.Timestamp = s.Started.UTC().Format(time.RFC3339)
	}
	for _, p := range s.Properties {
		suite.Properties = append(suite.Properties, junitProperty{junitLine(p[0]), junitLine(p[1])})
	}
	for _, c := range s.Coverage {
		suite.Properties = append(suite.Properties, junitProperty{junitLine("edges " + c.Subject), edges(c)})
	}
	for _, c := range s.Cases {
		suite.Cases = append(suite.Cases, newJUnitCase(c))
	}
	return junitRoot{Name: suite.Name, Tests: suite.Tests, Failures: failed, Errors: errors, Time: suite.Time, Suite: suite}
}

func newJUnitCase(c Case) junitCase {
	out := junitCase{Class: junitLine(c.Class), Name: junitLine(c.Name), Time: seconds(c.Duration), Out: newJUnitText(c.Input)}
	why, noticed := c.explanation(0), ""
	if len(c.Findings) > 0 {
		noticed = why
	}
	switch c.status() {
	case Failed:
		out.Failure = newJUnitProblem(c, why)
	case Errored:
		out.Error = newJUnitProblem(c, why)
	case Skipped:
		out.Skipped = &junitProblem{Message: junitLine(c.Message), Text: junitBody(noticed)}
	case Passed:
		out.Err = newJUnitText(noticed)
	}
	return out
}

func newJUnitProblem(c Case, why string) *junitProblem {
	return &junitProblem{Type: junitLine(c.kind()), Message: junitLine(c.sentence()), Text: junitBody(why)}
}

func newJUnitText(s string) *junitText {
	if s == "" {
		return nil
	}
	return &junitText{junitBody(s)}
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
