package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

func TestRead(t *testing.T) {
	const head = `{"type":"journal","version":1,"firstSeq":1}` + "\n"
	const one = `{"type":"delivery","seq":1,"id":"a"}` + "\n"
	const two = `{"type":"delivery","seq":2,"id":"b"}` + "\n"
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"a journal", head + one + two, "2:a 3:b"},
		{"no header", one, "1:a"},
		{"what listen prints", `{"type":"ready","url":5}` + "\n" + one + `{"type":"summary","id":[]}` + "\n", "2:a"},
		{"blank lines and CRLF", head + "\r\n\n" + strings.ReplaceAll(one, "\n", "\r\n"), "4:a"},
		{"no last newline", head + strings.TrimSpace(one), "2:a"},
		{"torn", head + one + two[:9], "2:a 3!torn"},
		{"torn with a newline", head + one + two[:9] + "\n", "2:a 3!torn"},
		{"damage in the middle", head + "{]\n" + two, "2!line 2: it is no line of a journal: invalid character ']' looking for beginning of object key string 3:b"},
		{"no object", "[]\n" + one, "1!line 1: it is no line of a journal: json: cannot unmarshal array into Go value of type journal.head 2:a"},
		{"no type", "{}\n", `1!line 1: it is no line of a journal: it has no "type"`},
		{"wrong type", `{"type":"delivery","ok":1}` + "\n" + two, "1!line 1: the delivery on it cannot be read: json: cannot unmarshal number into Go struct field Record.ok of type bool 2:b"},
		{"no base64", `{"type":"delivery","body":"!"}`, "1!line 1: the delivery on it cannot be read: illegal base64 data at input byte 0"},
		{"newer", `{"type":"journal","version":2}` + "\n" + one, "1!version 2:a"},
		{"long", head + `{"type":"delivery","id":"` + strings.Repeat("x", journal.MaxLine) + "\"}\n" + two, "2!long 3:b"},
		{"long and torn", strings.Repeat("x", 2*journal.MaxLine), "1!long torn"},
		{"deep", strings.Repeat("[", 100_000), "1!torn"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for e, err := range journal.Read(iotest.HalfReader(strings.NewReader(tt.in))) {
				if err == nil {
					got = append(got, fmt.Sprintf("%d:%s", e.Line, e.ID))
					continue
				}
				got = append(got, fmt.Sprintf("%d!%s", e.Line, short(t, e.Line, err)))
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func short(t *testing.T, line int, err error) string {
	t.Helper()
	var located *journal.LineError
	if !errors.As(err, &located) || located.Line != line {
		t.Errorf("is not located on line %d: %v", line, err)
	}
	var kinds []string
	for kind, is := range map[string]error{"long": journal.ErrTooLong, "version": journal.ErrVersion} {
		if errors.Is(err, is) {
			kinds = append(kinds, kind)
		}
	}
	if errors.Is(err, journal.ErrTorn) {
		kinds = append(kinds, "torn")
	}
	if kinds == nil {
		return err.Error()
	}
	return strings.Join(kinds, " ")
}

func TestReadFails(t *testing.T) {
	r := io.MultiReader(strings.NewReader(`{"type":"delivery","id":"a"}`+"\n{"), iotest.ErrReader(errDisk))
	var ids []string
	var last error
	for e, err := range journal.Read(r) {
		ids, last = append(ids, e.ID), err
	}
	if len(ids) != 2 || !errors.Is(last, errDisk) || errors.Is(last, journal.ErrTorn) || !strings.Contains(last.Error(), "line 2") {
		t.Error(ids, last)
	}
}

func TestReadStops(t *testing.T) {
	for e, err := range journal.Read(strings.NewReader("{}\n{}\n")) {
		if e.Line != 1 || err == nil {
			t.Error(e, err)
		}
		break
	}
}

// endless is a line that never ends.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	for i := range p {
		p[i] = 'x'
	}
	e.left -= len(p)
	return len(p), nil
}

func TestReadIsBounded(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, err := range journal.Read(&endless{1 << 28}) {
		if !errors.Is(err, journal.ErrTooLong) {
			t.Error(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 8*journal.MaxLine {
		t.Errorf("a line of 256 MiB took %d bytes", took)
	}
}

// TestLineIsWhatListenPrints holds the record against a line of the NDJSON
// output.
func TestLineIsWhatListenPrints(t *testing.T) {
	const printed = `{"type":"delivery","time":"2025-09-05T10:30:00.001Z","method":"POST","path":"/p?<&>","headers":{"A":[""],"B":["1","2"]},` +
		`"body":"e30=","ok":false,"event":"e","subject":"s","id":"i","state":"st","previousState":"p","duplicate":true,` +
		`"findings":[{"code":"c","severity":"note","pointer":"/a","message":"m","expected":"x","got":"g","source":"d"}],` +
		`"answer":{"status":409,"body":"no\u2028"},"latencyMs":1.25}` + "\n"
	want := journal.Record{
		Time: time.Date(2025, 9, 5, 10, 30, 0, 1e6, time.UTC), Method: "POST", Path: "/p?<&>", Headers: map[string][]string{"B": {"1", "2"}, "A": {""}},
		Body: []byte("{}"), Event: "e", Subject: "s", ID: "i", State: "st", PreviousState: "p", Duplicate: true,
		Findings: []verify.Finding{{Code: "c", Severity: verify.Note, Pointer: "/a", Message: "m", Expected: "x", Got: "g", Source: "d"}},
		Answer:   journal.Answer{Status: 409, Body: "no\u2028"}, LatencyMS: 1.25,
	}
	if diff := cmp.Diff([]journal.Record{want}, all(t, []byte(printed))); diff != "" {
		t.Error(diff)
	}
	line, err := want.Line()
	if diff := cmp.Diff(printed, string(line)); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

func FuzzRead(f *testing.F) {
	line, err := record(1).Line()
	if err != nil {
		f.Fatal(err)
	}
	head := string(journal.HeaderLine(1))
	for _, seed := range []string{
		"", "\n", head, head + string(line), head + string(line[:40]), head + string(line[:40]) + "\n", string(line) + head,
		head + string(line) + "\x00\x00", head + "{]\n" + string(line), `{"type":"delivery","time":"9999-12-31T23:59:59-01:00"}`,
		`{"type":"journal","version":99}` + "\n", `{"type":"delivery","headers":{"a":null},"findings":null,"body":null}`,
		`{"type":"delivery","seq":1e400}`, strings.Repeat("[", 20_000), head + string(line) + "\n\n" + string(line),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		line := 0
		for e, err := range journal.Read(bytes.NewReader(in)) {
			if e.Line <= line {
				t.Fatalf("line %d comes after line %d", e.Line, line)
			}
			if line = e.Line; err != nil {
				short(t, line, err)
				continue
			}
			raw, err := e.Record.Line()
			if err != nil {
				continue // a time that is beyond the year 9999 in UTC
			}
			if again, err := all(t, raw)[0].Line(); err != nil || !bytes.Equal(raw, again) {
				t.Fatalf("%s is read as %s (%v)", raw, again, err)
			}
		}
		opening(t, in)
	})
}

// opening opens a file of these bytes: it is refused and left alone, or what is
// kept of it can be read and appended to.
func opening(t *testing.T, in []byte) {
	t.Helper()
	d := newDisk()
	d.plant(in)
	j, rec, err := journal.Open(d, name, journal.Options{})
	if err != nil {
		if now, _ := d.read(name); !bytes.Equal(now, in) {
			t.Fatalf("refused and changed: %v", err)
		}
		return
	}
	if seq, err := j.Append(record(1)); err != nil || seq != rec.LastSeq+1 {
		t.Fatalf("%d after %d: %v", seq, rec.LastSeq, err)
	}
	now, _ := d.read(name)
	_, again, err := journal.Open(d, name, journal.Options{})
	if want := (journal.Recovery{Records: rec.Records + 1, LastSeq: rec.LastSeq + 1}); err != nil || again != want {
		t.Fatalf("%+v and then %+v: %v in %q", rec, again, err, now)
	}
	if kept := int64(len(in)) - rec.CutBytes; kept > 0 && !bytes.HasPrefix(now, in[:kept]) {
		t.Fatal("what was whole was changed")
	}
}
