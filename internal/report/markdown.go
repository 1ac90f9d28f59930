package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/paytest/paytest/internal/verify"
)

const (
	// A step summary of more than 1 MiB is not shown at all, says GitHub's
	// "Workflow commands for GitHub Actions", section "Step isolation and limits".
	markdownBytes     = 1_000_000
	markdownTextBytes = 16 << 10
	markdownSpanBytes = 300
	markdownColumns   = 100
)

// Markdown writes the suite in GitHub's dialect. All text from outside stands in
// code, the one place where neither Markdown nor HTML, mentions, links or emoji
// mean anything, and none of it in tables. The whole stays below the 1 MiB that
// a step summary may have; what is left out is counted.
func Markdown(w io.Writer, s Suite) error {
	var d document
	d.headline(s)
	var properties, failures []string
	for _, p := range s.Properties {
		properties = append(properties, fmt.Sprintf("- %s: %s\n", codeSpan(p[0]), codeSpan(p[1])))
	}
	for _, c := range s.Cases {
		if c.broken() {
			failures = append(failures, failure(c))
		}
	}
	d.list("", "property", properties)
	d.list("", "failure", failures)
	d.list("\n### Skipped\n\n", "skipped case", skips(s))
	d.list("\n### Warnings\n\n", "warning", warnings(s))
	d.list("\n### Notes\n", "note", notes(s))
	if _, err := io.WriteString(w, d.String()); err != nil {
		return fmt.Errorf("write Markdown report: %w", err)
	}
	return nil
}

type document struct{ strings.Builder }

func (d *document) headline(s Suite) {
	result := map[Status]string{Passed: "passed", Failed: "failed", Errored: "could not be carried out", Skipped: "nothing ran"}
	passed, failed, skipped, errors := s.Counts()
	fmt.Fprintf(&d.Builder, "## %s: %s\n\n", codeSpan(s.Name), result[s.Result()])
	d.WriteString("| Passed | Failed | Skipped | Errors | Time |\n| --: | --: | --: | --: | --: |\n")
	fmt.Fprintf(&d.Builder, "| %d | %d | %d | %d | %s |\n\n", passed, failed, skipped, errors, Duration(s.Duration))
	for i, c := range s.Coverage {
		fmt.Fprintf(&d.Builder, "%s%s %s", []string{"Edges: ", ", "}[min(i, 1)], codeSpan(c.Subject), edges(c))
	}
	if len(s.Coverage) > 0 {
		d.WriteString("\n\n")
	}
}

// list writes what there is room for, and counts the rest.
func (d *document) list(head, noun string, items []string) {
	if len(items) > 0 {
		d.WriteString(head)
	}
	for i, item := range items {
		if d.Len()+len(item) > markdownBytes {
			fmt.Fprintf(&d.Builder, "\nNo room for %s.\n", count(len(items)-i, "more "+noun))
			return
		}
		d.WriteString(item)
	}
}

func failure(c Case) string {
	heading := "Failed"
	if c.status() == Errored {
		heading = "Not carried out"
	}
	section := fmt.Sprintf("\n### %s: %s\n", heading, codeSpan(c.title()))
	if why := c.explanation(markdownColumns); why != "" {
		section += fenced(why)
	}
	if c.Input != "" {
		section += "\nInput:\n" + fenced(c.Input)
	}
	return section
}

func skips(s Suite) []string {
	var items []string
	for _, c := range s.Cases {
		if c.status() == Skipped {
			items = append(items, fmt.Sprintf("- %s: %s\n", codeSpan(c.title()), codeSpan(c.sentence())))
		}
	}
	return items
}

// warnings are those of cases that did not fail; a failure shows its own.
func warnings(s Suite) []string {
	var items []string
	for _, c := range s.Cases {
		for _, f := range c.Findings {
			if !c.broken() && f.Severity == verify.Warning {
				items = append(items, fmt.Sprintf("- %s: %s %s\n", codeSpan(c.title()), codeSpan(string(f.Code)), codeSpan(f.Message)))
			}
		}
	}
	return items
}

func notes(s Suite) []string {
	var items []string
	for _, n := range s.Notes {
		items = append(items, fenced(n))
	}
	return items
}

// fenced returns a code block, after an empty line. The fence is longer than any
// in the text, so nothing in it can close it.
func fenced(text string) string {
	text = legible(clipBytes(text, markdownTextBytes))
	fence := strings.Repeat("`", max(3, backticks(text)+1))
	return fmt.Sprintf("\n%stext\n%s\n%s\n", fence, text, fence)
}

// codeSpan returns code within a line. The spaces inside are no part of it; they
// keep a backtick at its edge apart from the delimiter.
func codeSpan(text string) string {
	text = Escape(clipBytes(text, markdownSpanBytes))
	switch {
	case text == "":
		return "(empty)"
	case strings.Trim(text, " ") == "":
		return "(blank)"
	}
	fence := strings.Repeat("`", backticks(text)+1)
	if strings.HasPrefix(text, "`") || strings.HasSuffix(text, "`") || text[0] == ' ' && text[len(text)-1] == ' ' {
		text = " " + text + " "
	}
	return fence + text + fence
}

// backticks returns the length of the longest run of them.
func backticks(s string) int {
	longest, run := 0, 0
	for i := range len(s) {
		if run++; s[i] != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}
