package report_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/load"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/internal/verify"
)

// obeyed reports whether a terminal may obey a character instead of showing it, or
// show what follows in another order. Lines and tabs are
// looked at where they matter.
func obeyed(r rune) bool {
	switch {
	case r == '\n', r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r <= 0x9f: // C0, DEL, C1
		return true
	case r == 0x61c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // bidi
		return true
	case r == 0x2028, r == 0x2029, r == 0xfeff: // ends of lines, and what no one sees
		return true
	}
	return false
}

// escapes finds in what was written the first character that should not be there.
func escapes(out string) string {
	if !utf8.ValidString(out) {
		return "bytes that are no UTF-8"
	}
	if i := strings.IndexFunc(out, obeyed); i >= 0 {
		r, _ := utf8.DecodeRuneInString(out[i:])
		return fmt.Sprintf("U+%04X in %.80q", r, out[max(0, i-20):])
	}
	return ""
}

// stain puts a text into every exported field that holds text, of whatever this
// package is given to print.
func stain(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() && !strings.HasSuffix(v.Type().String(), "contract.State") {
			stain(v.Elem(), text)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch name := v.Type().Field(i).Name; {
			case !v.Type().Field(i).IsExported(), name == "Category", name == "Profile", name == "Status", name == "Severity":
			case name == "Reproduce": // holds a %s
				v.Field(i).SetString(strings.ReplaceAll(text, "%", "") + " %s")
			default:
				stain(v.Field(i), text)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			stain(v.Index(i), text)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if v.Type().Elem().Kind() == reflect.String {
				v.SetMapIndex(key, reflect.ValueOf(text).Convert(v.Type().Elem()))
			}
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString(text)
		}
	default:
	}
}

func stained[T any](v *T, text string) *T {
	stain(reflect.ValueOf(v), text)
	return v
}

func pointsSuite() *report.Suite {
	f := func(s verify.Severity) verify.Finding {
		return verify.Finding{Code: "c", Severity: s, Pointer: "p", Message: "m", Expected: "e", Got: "g", Source: "s"}
	}
	one := func(s report.Status, findings ...verify.Finding) report.Case {
		return report.Case{Class: "c", Name: "n", Status: s, Message: "m", Findings: findings, Input: "i", File: "f", Line: 1, Column: 1}
	}
	return &report.Suite{
		Name: "n", Properties: [][2]string{{"p", "v"}}, Notes: []string{"n"}, Coverage: []verify.Coverage{{Subject: "s"}},
		Cases: []report.Case{
			one(report.Failed, f(verify.Violation)), one(report.Failed), one(report.Errored), one(report.Skipped), one(report.Passed, f(verify.Warning)),
		},
	}
}

func pointsConform() *conform.Report {
	r := htmlReport()
	r.Results = slices.Clone(r.Results[1:8])
	return r
}

func pointsLoad(t testing.TB) *report.LoadReport {
	r := loadReport(t)
	r.Thresholds, r.Breaches = nil, []load.Breach{{Got: "g"}}
	r.Result.States, r.Result.Series = r.Result.States[:1], r.Result.Series[:2]
	return r
}

// sink is one way of writing, and what is to hold of what was written.
type sink struct {
	name  string
	write func(w io.Writer, text string) error
	// holds checks the form; nil where there is none besides characters.
	holds func(out string) string
}

// sinks are all the ways in which this package writes.
func sinks(t testing.TB) []sink {
	terminal := func(name string, write func(p *report.Printer, text string)) []sink {
		var out []sink
		for _, colored := range []bool{false, true} {
			for _, width := range []int{0, 80} {
				one := func(w io.Writer, text string) error {
					var b bytes.Buffer
					p := report.NewPrinter(&b, colored, width)
					write(p, text)
					own := regexp.MustCompile("\x1b\\[[0-9;]*m|\r\x1b\\[2K")
					_, err := w.Write(own.ReplaceAll(b.Bytes(), nil))
					return errors.Join(err, p.Err())
				}
				var plain bytes.Buffer
				if err := one(&plain, "x"); err != nil {
					t.Fatal(err)
				}
				lines := strings.Count(plain.String(), "\n")
				out = append(out, sink{fmt.Sprintf("%s, color %t, width %d", name, colored, width), one, func(out string) string {
					if got := strings.Count(out, "\n"); strings.Contains(out, "\t") || width == 0 && got != lines {
						return fmt.Sprintf("%d lines, not %d, or a tab: %q", got, lines, out)
					}
					return ""
				}})
			}
		}
		return out
	}
	out := slices.Concat(
		terminal("a line", func(p *report.Printer, text string) {
			p.Line(report.T("%s", text), report.S(report.Bad, "%s", text))
			p.Paragraph([]report.Span{report.S(report.Good, "%s", text)}, "  ", text)
			p.Status(text)
		}),
		terminal("a delivery", func(p *report.Printer, text string) {
			p.Delivery(*stained(&verify.Delivery{Method: "PUT", Path: "/", Status: 400, Verdict: verify.Verdict{Event: "e", Previous: "p", ID: "i", Findings: pointsSuite().Cases[0].Findings}}, text))
			p.Summary("delivery", report.Totals{}, *stained(&verify.Summary{Gaps: []string{"g"}, GapCount: 1, Edges: []verify.Coverage{{Subject: "s"}}}, text))
		}),
		terminal("a conformance run", func(p *report.Printer, text string) {
			r := stained(pointsConform(), text)
			for _, res := range r.Results {
				p.ConformFailure(r, res, true)
			}
			p.ConformTable(r)
		}),
		terminal("a load run", func(p *report.Printer, text string) { p.LoadTable(stained(pointsLoad(t), text).Result) }),
		terminal("lines of JSON", func(p *report.Printer, text string) {
			p.JSON("finding", stained(&pointsSuite().Cases[0].Findings[0], text))
		}),
	)
	out = append(out, sink{"annotations", func(w io.Writer, text string) error { return report.Annotations(w, *stained(pointsSuite(), text)) }, annotated})
	for _, f := range report.Formats() {
		out = append(out, sink{"a suite as " + f, func(w io.Writer, text string) error {
			return report.Write(w, report.Format(f), *stained(pointsSuite(), text))
		}, forms()[f]})
	}
	for _, f := range report.ConformFormats() {
		out = append(out, sink{"a conformance run as " + f, func(w io.Writer, text string) error {
			return report.WriteConform(w, report.Format(f), stained(pointsConform(), text))
		}, forms()[f]})
	}
	for _, f := range report.LoadFormats() {
		out = append(out, sink{"a load run as " + f, func(w io.Writer, text string) error {
			return report.WriteLoad(w, report.Format(f), stained(pointsLoad(t), text))
		}, forms()[f]})
	}
	return out
}

// annotated holds that there is a line for each broken case, and that nothing else
// is a command.
func annotated(out string) string {
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != 3 || slices.ContainsFunc(lines, func(l string) bool { return !strings.HasPrefix(l, "::error title=") }) || strings.Contains(out, "##[") {
		return fmt.Sprintf("%d commands: %q", len(lines), out)
	}
	return ""
}

// forms are the grammars of the formats, as others read them.
func forms() map[string]func(out string) string {
	told := func(err error) string {
		if err == nil || errors.Is(err, io.EOF) {
			return ""
		}
		return err.Error()
	}
	return map[string]func(string) string{
		"json": func(out string) string { return told(json.Unmarshal([]byte(out), new(any))) },
		"ndjson": func(out string) string {
			var err error
			for line := range strings.Lines(out) {
				err = errors.Join(err, json.Unmarshal([]byte(line), new(any)))
			}
			return told(err)
		},
		"junit": func(out string) string {
			for d := xml.NewDecoder(strings.NewReader(out)); ; {
				if _, err := d.Token(); err != nil {
					return told(err)
				}
			}
		},
	}
}

// fault writes a text by every sink, and returns the first that lets through what
// it must not.
func fault(all []sink, text string) string {
	for _, s := range all {
		var b bytes.Buffer
		if err := s.write(&b, text); err != nil {
			return fmt.Sprintf("%s of %q: %v", s.name, text, err)
		}
		bad := escapes(b.String())
		if bad == "" && s.holds != nil {
			bad = s.holds(b.String())
		}
		if bad != "" {
			return fmt.Sprintf("%s of %q: %s", s.name, text, bad)
		}
	}
	return ""
}

// span is a range of code points.
type span struct{ first, last rune }

// where are code points that are treated in some special way, and their neighbours.
func where() []span {
	return []span{{0, 0x6ff}, {0x2000, 0x20ff}, {0xd7f0, 0xd80f}, {0xfe00, 0xffff}, {0xe0000, 0xe01ff}}
}

// points are texts that hold all code points of some ranges, surrogates in the form
// that UTF-8 would have for them; and every byte alone.
func points(of []span) (out []string, count int) {
	const together = 24
	var b []byte
	flush := func() {
		out, b = append(out, string(b)+"z"), nil
	}
	for _, s := range of {
		for r := s.first; r <= s.last; r++ {
			if r >= 0xd800 && r <= 0xdfff {
				b = append(b, 0xed, byte(0x80|r>>6&0x3f), byte(0x80|r&0x3f))
			} else {
				b = utf8.AppendRune(b, r)
			}
			if count++; count%together == 0 {
				flush()
			}
		}
	}
	flush()
	for x := range 256 {
		out = append(out, string([]byte{byte(x), 'a', byte(x)}))
	}
	return append(out, "\xc0\xaf\xe0\x80\xaf\xf4\x90\x80\x80", "::error::x", "##[error]x", "]]><!--", "</script>", "%0A::x", "`` ` ```"), count
}

// firstFault is the first text by which anything is let through.
func firstFault(all []sink, texts []string) string {
	var next atomic.Int64
	var found atomic.Pointer[string]
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(texts) && found.Load() == nil; i = next.Add(1) - 1 {
				if bad := fault(all, texts[i]); bad != "" {
					found.CompareAndSwap(nil, &bad)
				}
			}
		})
	}
	workers.Wait()
	if bad := found.Load(); bad != nil {
		return *bad
	}
	return ""
}

// TestTrustEveryCodePoint puts every code point into every field of everything that
// is written, by every writer.
func TestTrustEveryCodePoint(t *testing.T) {
	few := where()
	texts, count := points(trust.Scale(few, append([]span{{0, 0xffff}}, few[len(few)-1]), []span{{0, 0x10ffff}}))
	all := sinks(t)
	if bad := firstFault(all, texts); bad != "" {
		t.Error(bad)
	}
	trust.Figure(t, "code points", count)
	trust.Figure(t, "ways of writing", len(all))
}

// TestTrustEveryCodePointCatches holds that the test above fails for writers that
// let something through.
func TestTrustEveryCodePointCatches(t *testing.T) {
	except := func(r rune) func(w io.Writer, text string) error {
		return func(w io.Writer, text string) error {
			var b strings.Builder
			for part := range strings.SplitAfterSeq(text, string(r)) {
				rest, had := strings.CutSuffix(part, string(r))
				b.WriteString(report.Escape(rest))
				if had {
					b.WriteRune(r)
				}
			}
			_, err := io.WriteString(w, b.String())
			return err
		}
	}
	broken := map[string]sink{"writes an XML attribute without escaping it": {"x", func(w io.Writer, text string) error {
		_, err := fmt.Fprintf(w, `<a b="%s"/>`, report.Escape(text))
		return err
	}, forms()["junit"]}}
	for _, r := range []rune{0x1b, 0x7f, 0x9b, 0x202e, 0x2066, 0x2028} {
		broken[fmt.Sprintf("lets U+%04X through", r)] = sink{"x", except(r), nil}
	}
	texts, _ := points(where())
	for _, name := range slices.Sorted(maps.Keys(broken)) {
		if firstFault([]sink{broken[name]}, texts) == "" {
			t.Errorf("a writer that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
