package report_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/report"
)

func TestAnnotationEscaping(t *testing.T) {
	tests := []struct {
		name string
		c    report.Case
		want string
	}{
		{"plain", report.Case{Class: "paid", Name: "step", Message: "it broke"}, "::error title=paid › step::it broke"},
		{"percent", report.Case{Name: "50%", Message: "100%0A"}, "::error title=50%25::100%250A"},
		{"line breaks", report.Case{Name: "a\r\nb", File: "a\r\nb"}, "::error title=a%0D%0Ab,file=a%0D%0Ab::at a\\x0d\\nb"},
		{"colon and comma", report.Case{Name: "a:b,c", File: "C:/a,b", Message: "a:b,c"}, "::error title=a%3Ab%2Cc,file=C%3A/a%2Cb::a:b,c%0Aat C:/a,b"},
		{"place", report.Case{Name: "n", File: "f", Line: 3, Column: 5}, "::error title=n,file=f,line=3,col=5::at f:3:5"},
		{"line only", report.Case{Name: "n", File: "f", Line: 3}, "::error title=n,file=f,line=3::at f:3"},
		{"column without line", report.Case{Name: "n", File: "f", Column: 5}, "::error title=n,file=f::at f"},
		{"line without file", report.Case{Name: "n", Line: 3, Column: 5}, "::error title=n::failed"},
		{"terminal", report.Case{Name: "\x1b[31m\xff", Message: "\u202e\x00"}, `::error title=\x1b[31m\xff::\u202e\x00`},
		{"another command", report.Case{Name: "::x::", Message: "a\n::stop-commands::x"}, `::error title=%3A%3Ax%3A%3A::a\n::stop-commands::x`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.c.Status = report.Failed
			if got := written(t, report.Suite{Cases: []report.Case{tt.c}}, annotations); got != tt.want+"\n" {
				t.Errorf("got  %swant %s", got, tt.want)
			}
		})
	}
}

func TestAnnotationsShowFindings(t *testing.T) {
	got := written(t, exampleSuite(), annotations)
	for _, want := range []string{"illegal-transition  /data/state%0A", "expected no further state%0A", `got      "Cancel"%0A`} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
}

func TestAnnotationsAreTenAndACount(t *testing.T) {
	for broken, want := range map[int]string{0: "", 10: "", 11: "1 more failure not", 250: "240 more failures not"} {
		s := report.Suite{Name: "run", Cases: []report.Case{{Status: report.Passed}, {Status: report.Skipped}}}
		for i := range broken {
			s.Cases = append(s.Cases, report.Case{Name: fmt.Sprint(i), Status: []report.Status{report.Failed, report.Errored, ""}[i%3]})
		}
		got := written(t, s, annotations)
		if n := strings.Count(got, "::error "); n != min(broken, 10) {
			t.Errorf("%d failures gave %d errors", broken, n)
		}
		if n := strings.Count(got, "::warning "); (n == 1) != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%d failures: %s", broken, got)
		}
	}
}

// readCommand reads a line as GitHub's runner does (actions/runner,
// ActionCommand.TryParseV2): split first, then undo the percent codes, % last.
func readCommand(line string) (name string, properties map[string]string, data string) {
	inner, found := strings.CutPrefix(strings.TrimLeft(line, " "), "::")
	info, data, separated := strings.Cut(inner, "::")
	if !found || !separated {
		return "", nil, line
	}
	undo := func(s string, codes ...string) string {
		for i := 0; i < len(codes); i += 2 {
			s = strings.ReplaceAll(s, codes[i], codes[i+1])
		}
		return s
	}
	name, list, _ := strings.Cut(info, " ")
	properties = map[string]string{}
	for _, p := range strings.Split(list, ",") {
		if key, value, ok := strings.Cut(p, "="); ok {
			properties[key] = undo(value, "%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%")
		}
	}
	return name, properties, undo(data, "%0D", "\r", "%0A", "\n", "%25", "%")
}

func TestRunnerReadsWhatWasMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _ := drawCase(t, func(label string) (string, string) { return hostileText().Draw(t, label), "" })
		c.Status, c.Class = report.Failed, "class"
		text := written(t, report.Suite{Cases: []report.Case{c}}, annotations)
		line, _ := strings.CutSuffix(text, "\n")
		if strings.ContainsAny(line, "\r\n") || !strings.HasPrefix(line, "::error title=class") {
			t.Fatalf("not one command: %q", text)
		}
		name, properties, data := readCommand(line)
		title := "class"
		if c.Name != "" {
			title += " › " + c.Name
		}
		if name != "error" || unbroken(properties["title"]) != unbroken(report.Escape(title)) && len(title) < 200 || data == "" {
			t.Fatalf("%q was read as %s %q %q", line, name, properties["title"], data)
		}
		if unbroken(properties["file"]) != unbroken(report.Escape(c.File)) {
			t.Fatalf("file %q was read as %q", c.File, properties["file"])
		}
		if c.Message != "" && len(c.Message) < 200 && !strings.Contains(strings.Replace(data, `\x3a:`, "::", 1), report.Escape(strings.TrimRight(c.Message, " "))) && len(c.Findings) == 0 {
			t.Fatalf("message %q was read as %q", c.Message, data)
		}
		for key := range properties {
			if !strings.Contains(" title file line col ", " "+key+" ") {
				t.Fatalf("property %q in %q", key, line)
			}
		}
	})
}

// unbroken shows line breaks, which GitHub's codes carry, as Escape does.
func unbroken(s string) string {
	s = strings.NewReplacer("\r", `\x0d`, "\n", `\n`).Replace(s)
	return strings.TrimSpace(s)
}
