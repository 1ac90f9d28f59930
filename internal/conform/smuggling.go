package conform

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/deliver"
)

// framed is a request whose end two servers may see in different places: one
// event that it delivers, and another that is hidden in it.
type framed struct {
	what string
	// frame returns the header lines that frame the body, and what follows the head:
	// open is the event's own body, hidden a whole request.
	frame func(open, hidden []byte) (lines []string, body []byte)
}

const (
	lengthField  = "Content-Length: %d"
	chunkedField = "Transfer-Encoding: chunked"
)

// framings are those that no server may take for two requests.
func framings() []framed {
	inChunk := func(hidden []byte) []byte { return chunked(hidden, 1<<20) }
	beginning := func(body []byte) int { return bytes.IndexByte(body, '\n') + 1 }
	return []framed{
		{"Content-Length and chunks", func(_, hidden []byte) ([]string, []byte) {
			body := inChunk(hidden)
			return []string{fmt.Sprintf(lengthField, beginning(body)), chunkedField}, body
		}},
		{"chunks and Content-Length", func(_, hidden []byte) ([]string, []byte) {
			body := inChunk(hidden)
			return []string{chunkedField, fmt.Sprintf(lengthField, beginning(body))}, body
		}},
		{"chunks in a folded header field, and Content-Length", func(_, hidden []byte) ([]string, []byte) {
			body := inChunk(hidden)
			return []string{fmt.Sprintf(lengthField, beginning(body)), "Transfer-Encoding:\r\n chunked"}, body
		}},
		{"Transfer-Encoding: xchunked", func(_, hidden []byte) ([]string, []byte) {
			return []string{"Transfer-Encoding: xchunked"}, hidden
		}},
		{"Transfer-Encoding: xchunked and Content-Length", func(open, _ []byte) ([]string, []byte) {
			return []string{"Transfer-Encoding: xchunked", fmt.Sprintf(lengthField, len(open))}, open
		}},
		{"two lengths, the shorter first", func(open, hidden []byte) ([]string, []byte) {
			body := append(bytes.Clone(open), hidden...)
			return []string{fmt.Sprintf(lengthField, len(open)), fmt.Sprintf(lengthField, len(body))}, body
		}},
		{"two lengths, the longer first", func(open, hidden []byte) ([]string, []byte) {
			body := append(bytes.Clone(open), hidden...)
			return []string{fmt.Sprintf(lengthField, len(body)), fmt.Sprintf(lengthField, len(open))}, body
		}},
		{"a folded header field", func(open, _ []byte) ([]string, []byte) {
			return []string{"X-Paytest: one\r\n two", fmt.Sprintf(lengthField, len(open))}, open
		}},
		{"chunks whose lines end in LF alone", func(open, _ []byte) ([]string, []byte) {
			return []string{chunkedField}, fmt.Appendf(nil, "%x\n%s\n0\n\n", len(open), open)
		}},
		{"LF alone in the extension of a chunk", func(_, hidden []byte) ([]string, []byte) {
			end := "0\r\n\r\n"
			rest := end + string(hidden)
			size := strconv.FormatInt(int64(len(rest)), 16)
			return []string{chunkedField}, fmt.Appendf(nil, "%x;\n%s\r\n%s\r\n%s\r\n%s", len(size), strings.Repeat("x", len(size)), size, rest, end)
		}},
	}
}

// smuggledRequests hides a request in another, each time over a connection of
// its own: the open one may be processed once, the hidden one never.
func smuggledRequests(t *trial) {
	paid := t.s.roles.Paid
	var open, hidden []tried
	for _, f := range framings() {
		first, second := t.begun(), t.begun()
		one := t.twoRequests(f, first, second)
		open = append(open, tried{first, paid, one})
		hidden = append(hidden, tried{second, paid, answer{one.Result, "the request hidden in " + one.sent}})
	}
	t.settle(append(open, hidden...), func(x tried, e Effect) string {
		if slices.ContainsFunc(hidden, func(h tried) bool { return h.o == x.o }) {
			return t.nothing(x, e)
		}
		return t.miscounted(x.o, e, false)
	}, func(a answer) bool { return !a.taken(t.s.Contract) })
}

// ambiguous is how long an endpoint may take to answer what it may wait for the
// end of.
const ambiguous = 2 * time.Second

// twoRequests sends a request with another hidden in it. It fails when the
// answer shows that the server broke, or when a second answer accepts the hidden
// one.
func (t *trial) twoRequests(f framed, first, second *order) answer {
	paid := t.s.roles.Paid
	e := first.event(paid, called(f.what))
	w, u := t.dialState(paid)
	defer w.close()
	w.limit(min(ambiguous, t.s.Timeout))
	r := e.request()
	inner := second.event(paid).request()
	lines, body := f.frame(r.Body, t.bytes(u, inner))
	r.Signed, r.Body, r.Framing, r.Lines = r.Body, body, "-", lines
	w.write(t.bytes(u, r))
	one := answer{w.answer(r.method()), r.Label}
	t.record(r.Label, one)
	if one.Outcome == deliver.Answered && one.Status >= http.StatusInternalServerError && one.Status != http.StatusNotImplemented {
		t.fail("%s: %s; expected 400 or 501, or that it is processed once", one.sent, one.came())
	}
	if one.Outcome == deliver.Answered && w.err == nil {
		if two := (answer{w.answer(r.method()), "the request hidden in " + r.Label}); two.taken(t.s.Contract) {
			t.record(two.sent, two)
			t.fail("%s: %s; it must not be taken for a request", two.sent, two.came())
		}
	}
	return one
}
