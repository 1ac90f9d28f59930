package report

import (
	"fmt"
	"io"
	"strings"
)

const (
	// GitHub shows ten errors of a step, and ten warnings beside them.
	maxAnnotations       = 10
	annotationTitleBytes = 200
	annotationTextBytes  = 4 << 10
)

// Annotations writes a GitHub workflow command for each case that failed or
// could not be carried out, ten at most, and a warning that counts the rest: an
// eleventh error would not be shown. Escaping is that of GitHub's own toolkit
// (actions/toolkit, packages/core/src/command.ts): %, CR and LF, and in
// properties also : and , as percent codes.
func Annotations(w io.Writer, s Suite) error {
	var b strings.Builder
	broken := 0
	for _, c := range s.Cases {
		if !c.broken() {
			continue
		}
		if broken++; broken <= maxAnnotations {
			annotate(&b, c)
		}
	}
	if rest := broken - maxAnnotations; rest > 0 {
		fmt.Fprintf(&b, "::warning title=%s::%s not shown here: GitHub shows %d errors of a step\n",
			commandProperty(clipBytes(s.Name, annotationTitleBytes)), count(rest, "more failure"), maxAnnotations)
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("write annotations: %w", err)
	}
	return nil
}

func annotate(b *strings.Builder, c Case) {
	fmt.Fprintf(b, "::error title=%s", commandProperty(clipBytes(c.title(), annotationTitleBytes)))
	if c.File != "" {
		fmt.Fprintf(b, ",file=%s", commandProperty(c.File))
		if c.Line > 0 {
			fmt.Fprintf(b, ",line=%d", c.Line)
		}
		if c.Line > 0 && c.Column > 0 {
			fmt.Fprintf(b, ",col=%d", c.Column)
		}
	}
	text := c.explanation(0)
	if text == "" {
		text = string(c.status())
	}
	fmt.Fprintf(b, "::%s\n", commandData(clipBytes(text, annotationTextBytes)))
}

// commandData takes text whose control characters were escaped, but for line
// breaks.
func commandData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// commandProperty takes any text. Escape comes last: it would make text of the
// line breaks.
func commandProperty(s string) string {
	return Escape(strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandData(s)))
}
