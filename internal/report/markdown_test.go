package report_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// outsideCode reads Markdown as CommonMark 0.31 (4.5 and 6.1) does: it returns
// the text with each code block and code span replaced by a mark, and what stood
// in the code.
func outsideCode(text string) (rest string, code []string) {
	var out strings.Builder
	fence, block := "", []string{}
	for _, line := range strings.Split(text, "\n") {
		bare := strings.TrimLeft(line, " ")
		ticks := bare[:len(bare)-len(strings.TrimLeft(bare, "`"))]
		indented := len(line)-len(bare) > 3
		switch {
		case fence != "" && !indented && len(ticks) >= len(fence) && strings.Trim(bare, "` \t") == "":
			code, fence = append(code, strings.Join(block, "\n")), ""
		case fence != "":
			block = append(block, line)
		case !indented && len(ticks) >= 3 && !strings.Contains(bare[len(ticks):], "`"):
			fence, block = ticks, nil
			out.WriteString("<block>\n")
		default:
			code = append(code, spans(&out, line)...)
			out.WriteByte('\n')
		}
	}
	if fence != "" {
		out.WriteString("<unclosed>")
	}
	return out.String(), code
}

func spans(out *strings.Builder, line string) (code []string) {
	for {
		open := strings.IndexByte(line, '`')
		if open < 0 {
			out.WriteString(line)
			return code
		}
		out.WriteString(line[:open])
		after := strings.TrimLeft(line[open:], "`")
		ticks := len(line) - open - len(after)
		end := closing(after, ticks)
		if end < 0 {
			out.WriteString("<loose backticks>")
			line = after
			continue
		}
		inside := after[:end]
		if strings.Trim(inside, " ") != "" && strings.HasPrefix(inside, " ") && strings.HasSuffix(inside, " ") {
			inside = inside[1 : len(inside)-1]
		}
		out.WriteString("<span>")
		code, line = append(code, inside), after[end+ticks:]
	}
}

func closing(s string, ticks int) int {
	for at := 0; ; {
		next := strings.IndexByte(s[at:], '`')
		if next < 0 {
			return -1
		}
		at += next
		run := len(s[at:]) - len(strings.TrimLeft(s[at:], "`"))
		if run == ticks {
			return at
		}
		at += run
	}
}

// However hostile the texts, outside of code the report reads as it does with
// plain texts: nothing can add a link, a mention, HTML or a row.
func TestMarkdownKeepsTextsInCode(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hostile, plain := drawSuite(t, hostileText())
		got, code := outsideCode(written(t, hostile, as(report.FormatMarkdown)))
		want, _ := outsideCode(written(t, plain, as(report.FormatMarkdown)))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("outside code, (-plain +hostile):\n%s", diff)
		}
		if strings.Trim(hostile.Name, " ") != "" && code[0] != report.Escape(hostile.Name) {
			t.Fatalf("suite %q reads %q", hostile.Name, code[0])
		}
		for _, c := range hostile.Cases {
			if c.Input != "" && (c.Status == report.Failed || c.Status == report.Errored) && !anyEqual(code, c.Input) {
				t.Fatalf("input %q is not in %q", c.Input, code)
			}
		}
	})
}

func TestMarkdownCodeSpans(t *testing.T) {
	for name, want := range map[string]string{
		"a": "`a`", "a`b": "``a`b``", "`": "`` ` ``", "``a": "``` ``a ```", "a`": "`` a` ``", " a ": "`  a  `", " a": "` a`",
		"": "(empty)", "  ": "(blank)", "a\nb": "`a\\nb`", "a|b": "`a|b`", strings.Repeat("a", 400): "`" + strings.Repeat("a", 300) + "… (100 more bytes)`",
	} {
		got, _, _ := strings.Cut(written(t, report.Suite{Name: name}, as(report.FormatMarkdown)), "\n")
		if got != "## "+want+": nothing ran" {
			t.Errorf("%q reads %s, want %s", name, got, want)
		}
	}
}

func anyEqual(code []string, input string) bool {
	for _, c := range code {
		if strings.ReplaceAll(strings.ReplaceAll(c, "\ufffe", `\ufffe`), "\uffff", `\uffff`) == shown(input) {
			return true
		}
	}
	return false
}

func TestMarkdownHeadline(t *testing.T) {
	for status, want := range map[report.Status]string{
		report.Passed:  "## `run`: passed\n",
		report.Failed:  "## `run`: failed\n",
		report.Skipped: "## `run`: nothing ran\n",
		report.Errored: "## `run`: could not be carried out\n",
		"":             "## `run`: could not be carried out\n",
	} {
		s := report.Suite{Name: "run", Cases: []report.Case{{Status: status}}}
		if got := written(t, s, as(report.FormatMarkdown)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %.60q, want %q", status, got, want)
		}
	}
}

// GitHub shows no step summary above 1 MiB.
func TestMarkdownStaysBelowAMebibyte(t *testing.T) {
	for _, long := range []string{strings.Repeat("\x00", 1<<16), strings.Repeat("`", 1<<16), strings.Repeat("\U000e0001", 1<<14)} {
		finding := verify.Finding{Severity: verify.Warning, Code: verify.Code(long), Message: long, Got: long}
		s := report.Suite{Name: long, Notes: []string{long, long}}
		for range 10 {
			s.Properties = append(s.Properties, [2]string{long, long})
			for _, status := range []report.Status{report.Failed, report.Skipped, report.Passed} {
				s.Cases = append(s.Cases, report.Case{Class: long, Name: long, Status: status, Message: long, Input: long, Findings: []verify.Finding{finding}})
			}
		}
		name := strings.Repeat("n", 300)
		for range 4000 {
			s.Cases = append(s.Cases, report.Case{Name: name, Status: report.Failed}, report.Case{Name: name, Status: report.Skipped})
		}
		text := written(t, s, as(report.FormatMarkdown))
		if len(text) >= 1<<20 {
			t.Errorf("%d bytes", len(text))
		}
		rest, _ := outsideCode(text)
		if strings.Contains(rest, "<unclosed>") || !strings.Contains(rest, "more failures.") || !strings.Contains(rest, " more skipped cases.") {
			t.Errorf("ends %q", rest[max(0, len(rest)-300):])
		}
	}
}
