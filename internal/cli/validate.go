package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// maxRecording is the largest file that validate reads, in bytes.
const maxRecording = 256 << 20

type validateOptions struct {
	strict   string
	together bool
	output   string
	reports  []string
}

// item is one payload and where it was found.
type item struct {
	file string
	line int // from 1; 0 where the file holds no lines of payloads
	nth  int // in an array, from 0; negative elsewhere
	raw  []byte
	// path is where it was received, empty where that is not known; refused is why
	// it was not taken for a payload there.
	path    string
	refused []verify.Finding
}

// judge judges a payload as the listener did that received it. What that refused
// for how it came cannot be judged again, and is no part of a history.
func (i item) judge(k *verify.Checker) verify.Verdict {
	if len(i.refused) > 0 {
		return verify.Verdict{Findings: i.refused}
	}
	return k.Check(i.raw, i.path)
}

// where names the place as users and editors read it.
func (i item) where() string {
	switch {
	case i.line > 0:
		return fmt.Sprintf("%s:%d", i.file, i.line)
	case i.nth >= 0:
		return fmt.Sprintf("%s[%d]", i.file, i.nth)
	}
	return i.file
}

func newValidate(a *app) *cobra.Command {
	var o validateOptions
	cmd := &cobra.Command{
		Use:   "validate [FILE...|-]",
		Short: "Check payloads in files, as listen checks deliveries",
		Long: `Check payloads in files, or from standard input, as listen checks deliveries: a
file holds one payload, an array of them, or one on each line, in any order; or
it is a journal. What a journal says listen received is judged by its path, too;
what listen refused for how it came, such as with a wrong signature, stays
refused. When retries came, and what was answered, is not judged again.

The payloads of one file are judged together, as one history; those of another
file are another history, unless --together joins them.`,
		Example: `  paytest validate {file}
  paytest payload {subject} {state} --seed 7 | paytest validate -
  paytest validate --strict recorded.jsonl`,
		RunE: func(_ *cobra.Command, args []string) error { return a.validate(&o, args) },
	}
	strictFlag(cmd, &o.strict)
	reportFlag(cmd, &o.reports)
	cmd.Flags().BoolVar(&o.together, "together", false, "judge the payloads of all files as one history")
	cmd.Flags().StringVar(&o.output, "output", "text", "write text or json, a line for each payload")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) validate(o *validateOptions, files []string) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	strict, err := parseStrict(o.strict)
	if err != nil {
		return err
	}
	outs, err := outputs(o.reports, report.Formats())
	if err != nil {
		return err
	}
	c, err := a.contract()
	if err != nil {
		return err
	}
	if len(files) == 0 {
		files = []string{"-"}
	}
	histories, err := a.histories(files)
	if err != nil {
		return err
	}
	if o.together {
		histories = [][]item{join(histories)}
	}
	var totals report.Totals
	var all []verify.Summary
	suite := report.Suite{Name: "paytest validate", Started: a.Now(), Properties: [][2]string{{"version", a.version()}}}
	for _, items := range histories {
		checker := verify.NewChecker(c, strict)
		for _, it := range items {
			v := it.judge(checker)
			totals.Add(&v)
			a.validated(it.where(), v, o.output)
			c := verdictCase("paytest.validate", it.where(), v, it.raw)
			c.File, c.Line = it.file, it.line
			suite.Cases = append(suite.Cases, c)
		}
		all = append(all, checker.Summary())
	}
	sum := merge(all)
	suite.Duration, suite.Coverage, suite.Notes = a.Now().Sub(suite.Started), sum.Edges, sum.Gaps
	if err := a.writeReports(outs, suite); err != nil {
		return err
	}
	return a.summary("payload", o.output == "json", totals, sum)
}

func join(histories [][]item) []item {
	var out []item
	for _, h := range histories {
		out = append(out, h...)
	}
	return out
}

// merge adds up what several histories came to; an edge counts once.
func merge(all []verify.Summary) verify.Summary {
	out := all[0]
	for _, s := range all[1:] {
		out = out.Merge(s)
	}
	return out
}

func (a *app) validated(where string, v verify.Verdict, output string) {
	if output == "json" {
		a.out.JSON("payload", struct {
			Where string `json:"where"`
			report.VerdictJSON
		}{where, report.NewVerdictJSON(&v)})
		return
	}
	word := report.S(report.Good, "ok  ")
	if !v.OK() {
		word = report.S(report.Bad, "FAIL")
	}
	spans := []report.Span{word, report.T("  %s", where)}
	if v.State != nil {
		spans = append(spans, report.S(report.Strong, "  %s  ", v.Event))
		spans = append(spans, report.Move(v)[0])
	}
	a.out.Line(spans...)
	// What is missing may stand further on: the end tells of it.
	a.out.Findings(slices.DeleteFunc(slices.Clone(v.Findings), func(f verify.Finding) bool { return f.Code == verify.Gap }), "      ")
}

func (a *app) histories(files []string) ([][]item, error) {
	var out [][]item
	for _, name := range files {
		if err := notStrict(name); err != nil {
			return nil, err
		}
		raw, err := a.recording(name)
		if err != nil {
			return nil, err
		}
		if name == "-" {
			name = "stdin"
		}
		items := split(name, raw)
		if len(items) == 0 {
			return nil, usage("%s holds no payload: it takes one, an array of them, or one on each line", name)
		}
		out = append(out, items)
	}
	return out, nil
}

func (a *app) recording(name string) ([]byte, error) {
	var raw []byte
	var err error
	if name == "-" {
		raw, err = a.input(maxRecording)
	} else {
		raw, err = a.readFile(name, maxRecording)
	}
	switch {
	case err != nil:
		return nil, usage("%w", err)
	case len(raw) > maxRecording:
		return nil, usage("%s is larger than %d MiB: split it", name, maxRecording>>20)
	}
	return raw, nil
}

// split finds the payloads in a file: one, an array of them, or one on each
// line. What is not JSON is left to the verdict, which says what is wrong.
func split(name string, raw []byte) []item {
	trimmed := bytes.TrimSpace(raw)
	switch {
	case len(trimmed) == 0:
		return nil
	case bytes.HasPrefix(trimmed, []byte(`{"type":"journal"`)), bytes.HasPrefix(trimmed, []byte(`{"type":"ready"`)):
		return recorded(name, raw)
	case trimmed[0] == '[' && json.Valid(trimmed):
		return elements(name, trimmed)
	case !json.Valid(trimmed) && hasPayloadLine(trimmed):
		return lines(name, raw)
	}
	return []item{{file: name, nth: -1, raw: trimmed}}
}

// recorded finds the payloads in a journal, or in what listen writes as NDJSON.
func recorded(name string, raw []byte) []item {
	var out []item
	for e, err := range journal.Read(bytes.NewReader(raw)) {
		if err != nil {
			e.Body = nil // which the verdict will not take for a payload
		}
		it := item{file: name, line: e.Line, nth: -1, raw: e.Body}
		if e.Direction == journal.Received {
			it.path = e.Path
			for _, f := range e.Findings {
				if f.Severity == verify.Violation && f.Code.Refuses() {
					it.refused = append(it.refused, f)
				}
			}
		}
		out = append(out, it)
	}
	return out
}

func elements(name string, array []byte) []item {
	var raws []json.RawMessage
	if err := json.Unmarshal(array, &raws); err != nil {
		return []item{{file: name, nth: -1, raw: array}}
	}
	out := make([]item, len(raws))
	for i, raw := range raws {
		out[i] = item{file: name, nth: i, raw: raw}
	}
	return out
}

func hasPayloadLine(raw []byte) bool {
	if raw[0] == '[' {
		return false
	}
	for line := range bytes.Lines(raw) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] == '{' && json.Valid(line) {
			return true
		}
	}
	return false
}

func lines(name string, raw []byte) []item {
	var out []item
	n := 0
	for line := range bytes.Lines(raw) {
		n++
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out = append(out, item{file: name, line: n, nth: -1, raw: line})
		}
	}
	return out
}
