package cli

import (
	"bytes"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

func reportFlag(cmd *cobra.Command, typed *[]string) { formatsFlag(cmd, typed, report.Formats()) }

func formatsFlag(cmd *cobra.Command, typed *[]string, formats []string) {
	cmd.Flags().Var(texts{typed}, "report", "write a report, as `format=path`; formats: "+strings.Join(formats, ", ")+"; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("report", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var out []string
		for _, f := range formats {
			out = append(out, f+"=")
		}
		return out, cobra.ShellCompDirectiveNoSpace
	})
}

// outputs reads the values of --report.
func outputs(typed, formats []string) ([]report.Output, error) {
	var out []report.Output
	for _, s := range typed {
		o, err := report.ParseOutput(s, formats)
		if err != nil {
			return nil, usage("%w", err)
		}
		out = append(out, o)
	}
	return out, nil
}

// maxInput is how much of a payload a report holds, in bytes.
const maxInput = 16 << 10

// verdictCase is a verdict on one payload, for reports.
func verdictCase(class, name string, v verify.Verdict, payload []byte) report.Case {
	// A long session must not keep every large body in memory.
	c := report.Case{Class: class, Name: name, Status: report.Passed, Findings: v.Findings, Input: string(payload[:min(len(payload), maxInput)])}
	for _, f := range v.Findings {
		if f.Severity == verify.Violation {
			c.Status, c.Message = report.Failed, f.Message
			break
		}
	}
	return c
}

// write writes the reports that were asked for.
func (a *app) write(outputs []report.Output, format func(io.Writer, report.Format) error) error {
	for _, o := range outputs {
		var b bytes.Buffer
		if err := format(&b, o.Format); err != nil {
			return err
		}
		if err := a.WriteFile(o.Path, b.Bytes()); err != nil {
			return usage("--report %s=%s: %w", o.Format, o.Path, told{err, o.Path})
		}
	}
	return nil
}

// writeReports writes what was asked for, and on GitHub Actions the annotations
// and the step's summary.
func (a *app) writeReports(outputs []report.Output, s report.Suite) error {
	if err := a.write(outputs, func(w io.Writer, f report.Format) error { return report.Write(w, f, s) }); err != nil {
		return err
	}
	if v, _ := a.LookupEnv("GITHUB_ACTIONS"); v != "true" {
		return nil
	}
	var b bytes.Buffer
	if err := report.Annotations(&b, s); err != nil {
		return err
	}
	a.err.Raw(b.Bytes()) // where JSON on standard output is not disturbed
	if path, ok := a.LookupEnv("GITHUB_STEP_SUMMARY"); ok && path != "" {
		b.Reset()
		if err := report.Markdown(&b, s); err != nil {
			return err
		}
		if err := a.AppendFile(path, b.Bytes()); err != nil {
			a.err.Line(report.S(report.Caution, "warning:"), report.T(" the step summary was not written: %v", err))
		}
	}
	return nil
}
