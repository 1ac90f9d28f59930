package journal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// line is what a record is written into: what encoding/json makes of it, without
// HTML escapes and without reflection, which takes several times as long.
type line struct {
	b   []byte
	err error // the first one
}

// encode appends the line from behind the number on, so that a record is written
// as JSON before it is known which number it gets.
func (r *Record) encode(dst []byte) ([]byte, error) {
	l := line{b: dst}
	l.time(r.Time.UTC().Round(0))
	l.optional(`,"direction":`, string(r.Direction))
	if r.Attempt != 0 {
		l.b = strconv.AppendInt(append(l.b, `,"attempt":`...), int64(r.Attempt), 10)
	}
	l.optional(`,"url":`, r.URL)
	l.text(`,"method":`, r.Method)
	l.text(`,"path":`, r.Path)
	l.b = append(l.b, `,"headers":`...)
	l.headers(r.Headers)
	l.b = append(l.b, `,"body":"`...)
	l.b = append(base64.StdEncoding.AppendEncode(l.b, r.Body), '"')
	l.truth(`,"ok":`, r.OK)
	l.optional(`,"event":`, r.Event)
	l.optional(`,"subject":`, r.Subject)
	l.optional(`,"id":`, r.ID)
	l.optional(`,"state":`, r.State)
	l.optional(`,"previousState":`, r.PreviousState)
	l.truth(`,"duplicate":`, r.Duplicate)
	l.b = append(l.b, `,"findings":`...)
	l.findings(r.Findings)
	l.b = strconv.AppendInt(append(l.b, `,"answer":{"status":`...), int64(r.Answer.Status), 10)
	l.text(`,"body":`, r.Answer.Body)
	l.number(append(l.b, `},"latencyMs":`...), r.LatencyMS)
	l.optional(`,"signature":`, r.Signature)
	l.optional(`,"forwarded":`, r.Forwarded)
	l.optional(`,"redacted":`, r.Redacted)
	l.b = append(l.b, '}', '\n')
	if l.err != nil {
		return dst, fmt.Errorf("the delivery cannot be written as JSON: %w", l.err)
	}
	if len(l.b)-len(dst)+maxPrefix > MaxLine {
		return dst, fmt.Errorf("the delivery cannot be recorded: %w", ErrTooLong)
	}
	return l.b, nil
}

func (l *line) time(t time.Time) {
	l.b = append(l.b, `"time":`...)
	if year := t.Year(); year < 0 || year > 9999 {
		l.other(t)
		return
	}
	l.b = append(t.AppendFormat(append(l.b, '"'), time.RFC3339Nano), '"')
}

// other appends what encoding/json writes.
func (l *line) other(v any) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil && l.err == nil {
		l.err = err
	}
	l.b = append(l.b, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}

// text appends a member; its name comes with all that stands before the value.
func (l *line) text(name, value string) {
	l.b = append(l.b, name...)
	l.quoted(value)
}

func (l *line) optional(name, value string) {
	if value != "" {
		l.text(name, value)
	}
}

func (l *line) truth(name string, value bool) {
	l.b = strconv.AppendBool(append(l.b, name...), value)
}

func (l *line) quoted(s string) {
	if !ordinary(s) {
		l.escaped(s)
		return
	}
	l.b = append(append(append(l.b, '"'), s...), '"')
}

// ordinary reports whether a text is ASCII that stands for itself in JSON.
func ordinary(s string) bool {
	if n := len(s); n >= 8 {
		return jsondoc.Ordinary([]byte(s)) >= n-8 && jsondoc.Ordinary([]byte(s[n-8:])) == 8
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// escaped appends a text that is not ordinary: mostly an answer, which is JSON and
// so has quotes.
func (l *line) escaped(s string) {
	start := len(l.b)
	l.b = append(l.b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			l.b = append(l.b, '\\', c)
		case c < ' ' || c > '~':
			l.b = l.b[:start]
			l.other(s)
			return
		default:
			l.b = append(l.b, c)
		}
	}
	l.b = append(l.b, '"')
}

func (l *line) headers(h http.Header) {
	var room [16]string
	names := room[:0]
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	l.b = append(l.b, '{')
	for i, name := range names {
		if i > 0 {
			l.b = append(l.b, ',')
		}
		l.quoted(name)
		l.b = append(l.b, ':')
		l.values(h[name])
	}
	l.b = append(l.b, '}')
}

func (l *line) values(values []string) {
	if values == nil {
		l.b = append(l.b, "null"...)
		return
	}
	l.b = append(l.b, '[')
	for i, value := range values {
		if i > 0 {
			l.b = append(l.b, ',')
		}
		l.quoted(value)
	}
	l.b = append(l.b, ']')
}

func (l *line) findings(findings []verify.Finding) {
	if len(findings) == 0 {
		l.b = append(l.b, "[]"...)
		return
	}
	l.other(findings)
}

func (l *line) number(b []byte, f float64) {
	l.b = b
	if size := math.Abs(f); f != 0 && !(size >= 1e-6 && size < 1e21) {
		l.other(f)
		return
	}
	l.b = strconv.AppendFloat(l.b, f, 'f', -1, 64)
}
