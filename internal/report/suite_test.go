package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func exampleSuite() report.Suite {
	illegal := verify.Finding{
		Code: verify.IllegalTransition, Severity: verify.Violation, Pointer: "/data/state",
		Message:  "an invoice that is complete cannot be cancelled",
		Expected: "no further state", Got: `"Cancel"`, Source: "payloads/invoice/cancel.json",
	}
	late := verify.Finding{Code: verify.Late, Severity: verify.Warning, Message: "wait came after pending"}
	return report.Suite{
		Name:    "paytest run paid",
		Started: time.Date(2025, 3, 1, 12, 0, 0, 0, time.FixedZone("KST", 9*3600)), Duration: 1234567 * time.Microsecond,
		Properties: [][2]string{{"seed", "7"}, {"target", "http://127.0.0.1:8080/"}, {"version", "0.3.0"}},
		Coverage:   []verify.Coverage{{Subject: "invoice", Seen: 6, Of: 7}, {Subject: "transaction", Seen: 2, Of: 2}},
		Notes:      []string{"the last line of the journal was torn"},
		Cases: []report.Case{
			{Class: "paid", Name: "invoice wait", Status: report.Passed, Duration: 12 * time.Millisecond, Input: `{"state":"Wait"}`, File: "paid.yaml", Line: 3},
			{Class: "paid", Name: "invoice pending", Status: report.Passed, Duration: 7 * time.Millisecond, Findings: []verify.Finding{late}},
			{
				Class: "paid", Name: "invoice cancel", Status: report.Failed, Message: "the delivery breaks the contract",
				Findings: []verify.Finding{late, illegal}, Input: "{\"state\":\"Cancel\",\n\t\"note\":\"]]> ``` <b>\"}",
				Duration: 3 * time.Millisecond, File: "paid.yaml", Line: 12, Column: 5,
			},
			{Class: "paid", Name: "invoice fail", Status: report.Errored, Message: "connection refused", Duration: time.Millisecond, File: "a:b,c.yaml"},
			{Class: "paid", Name: "invoice reject", Status: report.Skipped, Message: "the step before it failed"},
			{Class: "paid", Name: "invoice \x1b[31mred\xff", Status: "", Input: "\xff\x00"},
		},
	}
}

func written(t interface {
	Helper()
	Fatal(args ...any)
}, s report.Suite, write func(*bytes.Buffer, report.Suite) error,
) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func as(f report.Format) func(*bytes.Buffer, report.Suite) error {
	return func(b *bytes.Buffer, s report.Suite) error { return report.Write(b, f, s) }
}

func annotations(b *bytes.Buffer, s report.Suite) error { return report.Annotations(b, s) }

func TestGolden(t *testing.T) {
	outputs := map[string]func(*bytes.Buffer, report.Suite) error{"annotations.txt": annotations}
	for _, f := range report.Formats() {
		outputs["suite."+f] = as(report.Format(f))
	}
	for name, write := range outputs {
		t.Run(name, func(t *testing.T) {
			got := written(t, exampleSuite(), write)
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs; if that is meant, run the test with -update (-want +got):\n%s", path, diff)
			}
		})
	}
}

func TestCountsAndResult(t *testing.T) {
	tests := []struct {
		name     string
		statuses []report.Status
		want     [4]int
		result   report.Status
	}{
		{"nothing", nil, [4]int{}, report.Skipped},
		{"all skipped", []report.Status{"skipped", "skipped"}, [4]int{0, 0, 2, 0}, report.Skipped},
		{"one passed", []report.Status{"skipped", "passed"}, [4]int{1, 0, 1, 0}, report.Passed},
		{"one error", []report.Status{"passed", "error"}, [4]int{1, 0, 0, 1}, report.Errored},
		{"failed beats error", []report.Status{"passed", "error", "failed", "skipped"}, [4]int{1, 1, 1, 1}, report.Failed},
		{"forgotten is no success", []report.Status{"", "Passed"}, [4]int{0, 0, 0, 2}, report.Errored},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s report.Suite
			for _, status := range tt.statuses {
				s.Cases = append(s.Cases, report.Case{Status: status})
			}
			passed, failed, skipped, errs := s.Counts()
			if got := [4]int{passed, failed, skipped, errs}; got != tt.want {
				t.Errorf("Counts() = %v, want %v", got, tt.want)
			}
			if got := s.Result(); got != tt.result {
				t.Errorf("Result() = %s, want %s", got, tt.result)
			}
		})
	}
}

func TestParseOutput(t *testing.T) {
	for text, want := range map[string]report.Output{
		"junit=report.xml":   {Format: report.FormatJUnit, Path: "report.xml"},
		"json=-":             {Format: report.FormatJSON, Path: "-"},
		"ndjson=a=b.ndjson":  {Format: report.FormatNDJSON, Path: "a=b.ndjson"},
		"markdown=out/s.md ": {Format: report.FormatMarkdown, Path: "out/s.md "},
		`junit=C:\out\r.xml`: {Format: report.FormatJUnit, Path: `C:\out\r.xml`},
	} {
		if got, err := report.ParseOutput(text, report.Formats()); err != nil || got != want {
			t.Errorf("ParseOutput(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
	const formats = "; formats are junit, json, ndjson, markdown, as in junit=report.xml"
	for text, want := range map[string]string{
		"junt=x":     `--report "junt=x": unknown format` + formats + "; did you mean junit?",
		"JUnit=x":    `--report "JUnit=x": unknown format` + formats + "; did you mean junit?",
		"report.xml": `--report "report.xml": unknown format` + formats,
		"":           `--report "": unknown format` + formats,
		"=x":         `--report "=x": unknown format` + formats,
		"json":       `--report "json": no file named; write json=PATH`,
		"json=":      `--report "json=": no file named; write json=PATH`,
		"\x1b\n=x":   `--report "\x1b\n=x": unknown format` + formats,
	} {
		got, err := report.ParseOutput(text, report.Formats())
		var problem *report.OutputError
		if !errors.As(err, &problem) || err.Error() != want || got != (report.Output{}) {
			t.Errorf("ParseOutput(%q) = %v, %v, want error %s", text, got, err, want)
		}
	}
	if _, err := report.ParseOutput(strings.Repeat("x", 1<<20), report.Formats()); err == nil || len(err.Error()) > 500 {
		t.Errorf("a long name gives an error of %d bytes", len(err.Error()))
	}
}

func FuzzParseOutput(f *testing.F) {
	for _, seed := range []string{"junit=report.xml", "junt=x", "json", "=", "", "\xff=\x00", "markdown==", strings.Repeat("n", 300)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out, err := report.ParseOutput(text, report.Formats())
		if err != nil {
			if len(err.Error()) > 2000 || !utf8.ValidString(err.Error()) || strings.ContainsFunc(err.Error(), unicode.IsControl) {
				t.Errorf("error %q", err)
			}
			return
		}
		if string(out.Format)+"="+out.Path != text || !slices.Contains(report.Formats(), string(out.Format)) || out.Path == "" {
			t.Errorf("ParseOutput(%q) = %v", text, out)
		}
	})
}

func TestWriteRefusesUnknownFormat(t *testing.T) {
	var b bytes.Buffer
	var problem *report.OutputError
	if err := report.Write(&b, "html", report.Suite{}); !errors.As(err, &problem) || b.Len() > 0 {
		t.Errorf("Write(html) = %v, %d bytes", err, b.Len())
	}
}

// shortWriter takes room bytes, then fails.
type shortWriter struct{ room int }

func (w *shortWriter) Write(p []byte) (int, error) {
	if w.room -= len(p); w.room < 0 {
		return 0, errDiskFull
	}
	return len(p), nil
}

var errDiskFull = errors.New("disk full")

func TestWriteErrorsAreReturned(t *testing.T) {
	for _, f := range report.Formats() {
		whole := len(written(t, exampleSuite(), as(report.Format(f))))
		for _, room := range []int{0, 1, whole / 2, whole - 1} {
			if err := report.Write(&shortWriter{room}, report.Format(f), exampleSuite()); !errors.Is(err, errDiskFull) {
				t.Errorf("%s with room for %d of %d bytes: error %v", f, room, whole, err)
			}
		}
		if err := report.Write(&shortWriter{whole}, report.Format(f), exampleSuite()); err != nil {
			t.Errorf("%s with room for all: error %v", f, err)
		}
	}
	if err := report.Annotations(&shortWriter{}, exampleSuite()); !errors.Is(err, errDiskFull) {
		t.Errorf("annotations: error %v", err)
	}
}

// hostileText mixes characters of every Unicode category, bytes that are not
// UTF-8, and what means something to XML, Markdown, GitHub or a terminal.
func hostileText() *rapid.Generator[string] {
	var tables []*unicode.RangeTable
	for _, name := range slices.Sorted(maps.Keys(unicode.Categories)) {
		tables = append(tables, unicode.Categories[name])
	}
	piece := rapid.OneOf(
		rapid.Map(rapid.RuneFrom(nil, tables...), func(r rune) string { return string(r) }),
		rapid.Map(rapid.Byte(), func(b byte) string { return string([]byte{b}) }),
		rapid.SampledFrom([]string{
			"\x00", "\x1b[31m", "\r", "\n", "\r\n", "\t", "\u0085", "\u2028", "\u202e", "\ufffd", "\ufffe", "\uffff", "\U0001fffe", "\U0010ffff",
			"\xff", "\xed\xa0\x80", "\xef\xbf", "]]>", "<![CDATA[", "<!--", "-->", "<?x", "&", "&amp;", "&#0;", "</testsuite>", `"`, "'",
			"`", "``", "```", "````", "\n```\n", "~~~", "|", `\`, `\|`, "<b>", "<script>", "</details>", "@octocat", "https://example.com", "www.example.com",
			"[a](b)", "![a](b)", "#1", "\n# h", "\n- i", "\n\n", "$x$", ":smile:", "::error::", "\n::error::", "##[error]", "%", "%0A", "%25", ":", ",", "=", " ", "  ", "a",
		}),
	)
	return rapid.Map(rapid.SliceOfN(piece, 0, 12), func(pieces []string) string { return strings.Join(pieces, "") })
}

// drawSuite returns a suite of texts, and one of the same shape in which each
// text is plain.
func drawSuite(t *rapid.T, text *rapid.Generator[string]) (hostile, plain report.Suite) {
	pair := func(label string) (string, string) {
		s := text.Draw(t, label)
		if strings.Trim(s, " ") == "" {
			return s, s
		}
		return s, "x"
	}
	hostile.Name, plain.Name = pair("suite")
	for range rapid.IntRange(0, 2).Draw(t, "properties") {
		var p, q [2]string
		p[0], q[0] = pair("property")
		p[1], q[1] = pair("value")
		hostile.Properties, plain.Properties = append(hostile.Properties, p), append(plain.Properties, q)
	}
	for range rapid.IntRange(0, 2).Draw(t, "subjects") {
		c := verify.Coverage{Seen: 1, Of: 7}
		d := c
		c.Subject, d.Subject = pair("subject")
		hostile.Coverage, plain.Coverage = append(hostile.Coverage, c), append(plain.Coverage, d)
	}
	for range rapid.IntRange(0, 2).Draw(t, "notes") {
		n, m := pair("note")
		hostile.Notes, plain.Notes = append(hostile.Notes, n), append(plain.Notes, m)
	}
	for range rapid.IntRange(0, 14).Draw(t, "cases") {
		c, d := drawCase(t, pair)
		hostile.Cases, plain.Cases = append(hostile.Cases, c), append(plain.Cases, d)
	}
	return hostile, plain
}

func drawCase(t *rapid.T, pair func(string) (string, string)) (hostile, plain report.Case) {
	c := report.Case{
		Status: rapid.SampledFrom([]report.Status{report.Passed, report.Failed, report.Skipped, report.Errored, ""}).Draw(t, "status"),
		Line:   rapid.IntRange(-1, 3).Draw(t, "line"), Column: rapid.IntRange(-1, 3).Draw(t, "column"),
		Duration: time.Duration(rapid.Int64().Draw(t, "duration")),
	}
	d := c
	c.Class, d.Class = pair("class")
	c.Name, d.Name = pair("name")
	c.Message, d.Message = pair("message")
	c.Input, d.Input = pair("input")
	c.File, d.File = pair("file")
	for range rapid.IntRange(0, 2).Draw(t, "findings") {
		f := verify.Finding{Severity: rapid.SampledFrom([]verify.Severity{verify.Note, verify.Warning, verify.Violation}).Draw(t, "severity")}
		g := f
		code, other := pair("code")
		f.Code, g.Code = verify.Code(code), verify.Code(other)
		f.Pointer, g.Pointer = pair("pointer")
		f.Message, g.Message = pair("what")
		f.Expected, g.Expected = pair("expected")
		f.Got, g.Got = pair("got")
		f.Source, g.Source = pair("source")
		c.Findings, d.Findings = append(c.Findings, f), append(d.Findings, g)
	}
	return c, d
}

// What is UTF-8 comes back from JSON as it was; an input comes back always.
func TestJSONKeepsEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawSuite(t, hostileText())
		var whole report.RunJSON
		if err := json.Unmarshal([]byte(written(t, s, as(report.FormatJSON))), &whole); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(written(t, s, as(report.FormatNDJSON)), "\n")
		if len(lines) != len(s.Cases)+2 || lines[len(lines)-1] != "" {
			t.Fatalf("%d NDJSON lines for %d cases", len(lines)-1, len(s.Cases))
		}
		var last struct {
			Type string `json:"type"`
			report.SuiteJSON
		}
		if err := json.Unmarshal([]byte(lines[len(s.Cases)]), &last); err != nil || last.Type != "summary" {
			t.Fatalf("last line %s: %v", lines[len(s.Cases)], err)
		}
		if diff := cmp.Diff(whole.SuiteJSON, last.SuiteJSON, cmpopts.IgnoreUnexported(verify.Coverage{})); diff != "" {
			t.Fatalf("NDJSON differs from JSON:\n%s", diff)
		}
		if utf8.ValidString(s.Name) && whole.Name != s.Name {
			t.Fatalf("name %q became %q", s.Name, whole.Name)
		}
		for i, c := range s.Cases {
			var line struct {
				Type string `json:"type"`
				report.CaseJSON
			}
			if err := json.Unmarshal([]byte(lines[i]), &line); err != nil || line.Type != "case" {
				t.Fatalf("line %s: %v", lines[i], err)
			}
			if diff := cmp.Diff(whole.Cases[i], line.CaseJSON); diff != "" {
				t.Fatalf("NDJSON differs from JSON:\n%s", diff)
			}
			if line.Input+string(line.InputBase64) != c.Input {
				t.Fatalf("input %q became %q, %q", c.Input, line.Input, line.InputBase64)
			}
			if utf8.ValidString(c.Message) && line.Message != c.Message {
				t.Fatalf("message %q became %q", c.Message, line.Message)
			}
		}
	})
}

func TestJSONNeverHoldsNull(t *testing.T) {
	s := report.Suite{Cases: []report.Case{{}}}
	for _, f := range []report.Format{report.FormatJSON, report.FormatNDJSON} {
		for _, s := range []report.Suite{s, {}} {
			if got := written(t, s, as(f)); strings.Contains(got, "null") {
				t.Errorf("%s: %s", f, got)
			}
		}
	}
}

func TestSameSuiteSameReport(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, _ := drawSuite(t, hostileText())
		for _, f := range report.Formats() {
			first := written(t, s, as(report.Format(f)))
			for range 3 {
				if again := written(t, s, as(report.Format(f))); again != first {
					t.Fatalf("%s differs:\n%s", f, cmp.Diff(first, again))
				}
			}
		}
	})
}
