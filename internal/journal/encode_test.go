package journal_test

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// TestEncode holds a record's line against what encoding/json makes of it.
func TestEncode(t *testing.T) {
	text := rapid.OneOf(rapid.SampledFrom([]string{"", "a", `{"a":"\"<b>&"}`, "\x00\t\n\x7f", "\xff", "가\u2028\ufffd", `\`, "~ !"}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) string { return text.Draw(t, name) }
		want := journal.Record{
			Seq: rapid.Uint64().Draw(t, "seq"), Time: time.Unix(rapid.Int64Range(-1e11, 3e11).Draw(t, "time"), rapid.Int64Range(0, 999_999_999).Draw(t, "ns")),
			Direction: journal.Direction(draw("direction")), Attempt: rapid.Int().Draw(t, "attempt"), URL: draw("url"), Method: draw("method"), Path: draw("path"),
			Headers: http.Header{}, Body: rapid.SliceOf(rapid.Byte()).Draw(t, "body"), OK: rapid.Bool().Draw(t, "ok"), Event: draw("event"), Subject: draw("subject"),
			ID: draw("id"), State: draw("state"), PreviousState: draw("previous"), Duplicate: rapid.Bool().Draw(t, "duplicate"), Findings: []verify.Finding{},
			Answer:    journal.Answer{Status: rapid.Int().Draw(t, "status"), Body: draw("answer")},
			LatencyMS: rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 1.25, 1e-7, 1e21, math.NaN(), math.Inf(1), math.Copysign(0, -1)})).Draw(t, "latency"),
			Signature: draw("signature"), Forwarded: draw("forwarded"), Redacted: draw("redacted"),
		}
		for range rapid.IntRange(0, 20).Draw(t, "headers") {
			want.Headers[draw("header")] = rapid.SampledFrom([][]string{nil, {}, {"a"}, {`"`, "b"}}).Draw(t, "values")
		}
		for range rapid.IntRange(0, 2).Draw(t, "findings") {
			want.Findings = append(want.Findings, verify.Finding{Code: verify.Late, Message: draw("message"), Got: draw("got")})
		}
		same(t, want)
	})
}

// TestEncodeTexts has each byte that JSON may not have as it is at each place of
// texts of all lengths.
func TestEncodeTexts(t *testing.T) {
	for n := range 25 {
		for at := range n {
			for _, c := range []byte("\x00\x1f \"\\~\x7f\x80\xa2\xff") {
				text := []byte("abcdefghijklmnopqrstuvwxyz"[:n])
				text[at] = c
				same(t, journal.Record{Method: string(text), Headers: http.Header{}, Body: []byte{}, Findings: []verify.Finding{}})
			}
		}
	}
}

// TestEncodeEveryField sets each field of a record by itself, so that none that is
// added later is left out.
func TestEncodeEveryField(t *testing.T) {
	for i := range reflect.TypeFor[journal.Record]().NumField() {
		rec := journal.Record{Headers: http.Header{}, Body: []byte{}, Findings: []verify.Finding{}}
		switch f := reflect.ValueOf(&rec).Elem().Field(i); f.Interface().(type) {
		case time.Time:
			rec.Time = time.Date(2025, 9, 5, 10, 30, 0, 1, time.FixedZone("", 3600))
		case http.Header:
			rec.Headers = http.Header{"A": {"b"}}
		case []byte:
			rec.Body = []byte("x")
		case []verify.Finding:
			rec.Findings = []verify.Finding{{Code: "c", Severity: "s", Pointer: "p", Message: "m", Expected: "e", Got: "g", Source: "o"}}
		case journal.Answer:
			rec.Answer = journal.Answer{Status: 200, Body: "b"}
		default:
			set(t, f)
		}
		same(t, rec)
	}
}

func set(t *testing.T, f reflect.Value) {
	t.Helper()
	switch f.Kind() {
	case reflect.String:
		f.SetString("x")
	case reflect.Bool:
		f.SetBool(true)
	case reflect.Int:
		f.SetInt(7)
	case reflect.Uint64:
		f.SetUint(7)
	case reflect.Float64:
		f.SetFloat(7.5)
	default:
		t.Fatalf("a field of kind %s", f.Kind())
	}
}

func same(t rapid.TB, rec journal.Record) {
	t.Helper()
	got, err := rec.Line()
	rec.Time = rec.Time.UTC().Round(0)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if failed := enc.Encode(rec); (failed != nil) != (err != nil) {
		t.Fatalf("%v, and encoding/json says %v", err, failed)
	} else if failed != nil {
		return
	}
	if want := `{"type":"delivery",` + b.String()[1:]; string(got) != want {
		t.Fatalf("got  %swant %s", got, want)
	}
}
