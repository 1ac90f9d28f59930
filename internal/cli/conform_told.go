package cli

import (
	"fmt"
	"strings"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/report"
)

func (a *app) conformHead(run *conform.Options) {
	seen := report.S(report.Good, "effects seen by the probe")
	if run.Probe == nil {
		seen = report.S(report.Caution, "no probe: effects cannot be seen")
	}
	a.out.Flow("  ", report.S(report.Strong, "%s", run.Target), report.T("  %s, seed %d, ", plural(len(run.Cases), "case"), run.Seed), seen)
	a.out.Line()
}

// maxShownDoubts is how many unproven cases are named.
const maxShownDoubts = 8

func (a *app) conformEnd(r *conform.Report, o *conformOptions) {
	if r.Problem != "" {
		a.out.Paragraph([]report.Span{report.S(report.Bad, "nothing was tested: ")}, "  ", r.Problem)
		return
	}
	a.out.ConformTable(r)
	a.out.Line()
	a.conformRest(r)
	if len(r.Mended) > 0 {
		a.out.Paragraph([]report.Span{report.S(report.Good, "fixed "), report.T("since %s: ", o.baseline)}, "  ", strings.Join(r.Mended, " ")+"; write it anew with --report json="+o.baseline)
	}
	passed, of := r.Score()
	style := report.Good
	if len(r.Failures(conform.Low)) > 0 || r.Judged() == 0 {
		style = report.Bad
	}
	a.out.Line(report.S(style, "%d of %d passed", passed, of), report.T(", %d failed, %d unproven, %d not run", r.Count("", conform.Failed), r.Count("", conform.Unproven), r.Count("", conform.NotRun)),
		report.S(report.Faint, "; %s", report.Duration(r.Duration)))
	if known := r.Count("", conform.Failed) - len(r.Failures(conform.Low)); known > 0 {
		a.out.Line(report.S(report.Caution, "%d of the failures known", known), report.T(" from %s", o.baseline))
	}
}

// conformRest tells of the notes, and why cases are unproven or not run.
func (a *app) conformRest(r *conform.Report) {
	why := map[string][]string{}
	var order []string
	for _, n := range r.Notes {
		a.out.Paragraph([]report.Span{report.S(report.Faint, "note  ")}, "      ", n)
	}
	for _, res := range r.Results {
		for _, n := range res.Notes {
			if res.Status == conform.Failed {
				continue // what is wrong has been said
			}
			a.out.Paragraph([]report.Span{report.S(report.Faint, "note  "), report.S(report.Strong, "%s", res.Case.ID), report.T("  ")}, "      ", n)
		}
		if r.Problem == "" && (res.Status == conform.Unproven || res.Status == conform.NotRun) {
			key := string(res.Status) + ": " + res.Problem
			if why[key] == nil {
				order = append(order, key)
			}
			why[key] = append(why[key], res.Case.ID)
		}
	}
	for _, key := range order {
		ids := why[key]
		names := strings.Join(ids[:min(len(ids), maxShownDoubts)], " ")
		if more := len(ids) - maxShownDoubts; more > 0 {
			names += fmt.Sprintf(" and %d more", more)
		}
		a.out.Paragraph([]report.Span{report.S(report.Caution, "%s ", strings.Replace(key[:strings.Index(key, ":")], "-", " ", 1)), report.T("%s: ", names)}, "  ", key[strings.Index(key, ":")+2:])
	}
}

// tellConform tells of each case that fails when it does, and on a terminal of
// what is going on.
func (a *app) tellConform(run *conform.Options, known map[string]bool) {
	shown := &conform.Report{Reproduce: run.Reproduce}
	ci, _ := a.LookupEnv("CI")
	quiet := ci != "" && ci != "false"
	run.OnCase = func(spec *conform.Case, n, of int) {
		if a.OutTerminal && !quiet {
			a.out.Status(fmt.Sprintf("%d of %d  %s %s", n, of, spec.ID, spec.Sent))
		}
	}
	run.OnResult = func(res conform.Result) {
		if res.Status == conform.Failed {
			a.out.Status("")
			res.Known = known[res.Case.ID]
			a.out.ConformFailure(shown, res, !a.Windows)
		}
	}
}
