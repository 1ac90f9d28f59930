package conform

import (
	"bytes"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
)

// tellingErrors gathers the answers to deliveries that should be refused: none
// may tell what only the endpoint's authors should know.
func tellingErrors(t *trial) {
	answered := false
	for _, r := range t.badRequests() {
		a := t.do(r)
		t.must(a.Outcome == deliver.Answered, "%s: %s; it must be answered", a.sent, a.came())
		if a.Status < http.StatusBadRequest {
			continue
		}
		answered = true
		if found := t.tells(a, r); found != "" {
			t.fail("%s: the answer, a %d, tells %s", a.sent, a.Status, found)
		}
	}
	if !answered {
		t.note("nothing was answered by an error, so that none could tell anything")
	}
}

// badRequests are deliveries that an endpoint is likely to answer by an error.
func (t *trial) badRequests() []*request {
	st, env := t.usual(), t.s.Contract.Envelope
	number, _ := jsondoc.NumberValue("1")
	made := func(what string, edits ...edit) *request {
		return t.order().event(st, append(edits, called(what))...).request()
	}
	out := []*request{
		made("a number for its data", put(env.State[:1], number)),
		made("null for its data", put(env.State[:1], jsondoc.NullValue())),
		made("a list for its state", put(env.State, jsondoc.ArrayValue(number))),
		made("an unknown event", put(env.Event, jsondoc.StringValue(mark+".unknown"))),
		made("NUL in the name", set(t.s.roles.CustomerName, jsondoc.StringValue("'\u0000"))),
	}
	for _, v := range []struct {
		what   string
		change func(*request)
	}{
		{"malformed JSON", func(r *request) { r.Body = []byte(`{"event": `) }},
		{"an empty body", func(r *request) { r.Body = []byte{} }},
		{"a lone surrogate", func(r *request) { r.Body = []byte(`{"data": "\ud800"}`) }},
		{"many lists inside each other", func(r *request) { r.Body = bytes.Repeat([]byte("["), 5_000) }},
		{"by GET", func(r *request) { r.Method = http.MethodGet }},
		{"to an unknown path", func(r *request) { r.Target = "/" + mark + "-unknown" }},
		{"as text/plain", func(r *request) { r.Header = http.Header{contentType: {"text/plain"}} }},
		{"in an unknown charset", func(r *request) { r.Header = http.Header{contentType: {"application/json; charset=" + mark}} }},
		{"without a signature", func(r *request) { r.Unsigned = true }},
		{"with a wrong signature", func(r *request) { r.Signed = []byte(mark) }},
	} {
		r := made(v.what)
		v.change(r)
		out = append(out, r)
	}
	return out
}

// tells says what the answer to a request gives away, "" for nothing.
func (t *trial) tells(a answer, r *request) string {
	for _, s := range slices.Concat(t.s.Secrets, t.s.Retired) {
		if s.In(a.Body) {
			return "the shared secret"
		}
	}
	if unsigned := r.Unsigned || r.Signed != nil; unsigned && len(t.s.Secrets) > 0 && bytes.Contains(a.Body, []byte(t.signatureOf(r.Body))) {
		return "the signature that would have been right"
	}
	text := regexp.MustCompile(`https?://[^\s"'<>]+`).ReplaceAllString(string(a.Body), "")
	if u, err := t.s.URL(r.Path); err == nil && len(u.Path) > 1 {
		text = strings.ReplaceAll(text, u.Path, "")
	}
	for _, leak := range leaks() {
		if found := regexp.MustCompile(leak.pattern).FindString(text); found != "" {
			return leak.what + " (" + found[:min(len(found), maxShownBytes)] + ")"
		}
	}
	return ""
}

// leaks are the marks of what an answer should not tell.
func leaks() []struct{ what, pattern string } {
	const source = `[\w$/\\.-]+\.(?:js|mjs|cjs|ts|py|rb|php|java|kt|scala|go|rs|cs|exs?):\d+`
	return []struct{ what, pattern string }{
		{"a stack trace", `\bat [^\n(]{1,200}\(` + source + `(?::\d+)?\)|\bat (?:file://|node:|/)\S+:\d+:\d+`},
		{"a stack trace", `Traceback \(most recent call last\)|File \\?"[^"\n]{1,200}", line \d+|goroutine \d+ \[|\.php(?:\(\d+\)| on line \d+)|\bin \S+:line \d+|\.rb:\d+:in `},
		{"a place in its source", source},
		{"an error of its database", `SQLSTATE|syntax error at or near|You have an error in your SQL syntax|\bORA-\d{5}|SQLITE_[A-Z]+|violates \w+(?: \w+)? constraint|\b(?:SELECT|DELETE) .{1,200} FROM |INSERT INTO \w+|UPDATE \w+ SET `},
		{"a path of its server", `(?:^|[\s"'(=:])/(?:home|srv|var|usr|opt|root|Users|private|mnt)/[\w./-]+|\b[A-Za-z]:\\{1,2}[A-Za-z]\w*\\|node_modules/|site-packages/`},
	}
}
