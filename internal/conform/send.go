package conform

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/signature"
)

// How much of an answer is kept, shown, and read at all.
const (
	maxAnswerBytes = 64 << 10
	maxShownBytes  = 80
	maxDrainBytes  = 1 << 20
)

// answer is what came back.
type answer struct {
	*deliver.Result
	// sent says what it answers.
	sent string
}

// unanswered is what an answer is before it comes.
func unanswered(sent string) answer { return answer{&deliver.Result{}, sent} }

//go:noinline
func (a answer) success(c *contract.Contract) bool { return a.Success(c.Delivery.Success) }

// taken also takes for a success what only the gateway does not: another 2xx. An
// endpoint that answers so can be tested; D05 tells about it.
func (a answer) taken(c *contract.Contract) bool {
	return a.success(c) || a.Outcome == deliver.Answered && a.Status >= 200 && a.Status < 300
}

// came says in a few words what the answer was.
func (a answer) came() string {
	switch {
	case a.Outcome == "":
		return "the answer was not waited for"
	case a.Outcome == deliver.TimedOut:
		return "no answer in time"
	case a.Outcome == deliver.Unreachable && a.RemoteAddr == "":
		return "no connection"
	case a.Outcome != deliver.Answered && a.Status == 0:
		return "the connection ended without an answer (did the handler throw?)"
	case a.Outcome != deliver.Answered:
		return "the connection ended before the answer was complete"
	}
	out := "answered " + strconv.Itoa(a.Status)
	if text := strings.Join(strings.Fields(string(a.Body[:min(len(a.Body), maxShownBytes)])), " "); text != "" {
		out += " " + text
	}
	return out
}

// either names statuses as users read them.
func either(statuses []int) string {
	parts := make([]string, len(statuses))
	for i, s := range statuses {
		parts[i] = strconv.Itoa(s)
	}
	if n := len(parts); n > 1 {
		return strings.Join(parts[:n-1], ", ") + " or " + parts[n-1]
	}
	return strings.Join(parts, "")
}

// request is one HTTP request. The zero values are those of a sound delivery.
type request struct {
	// Path is the contract's path of the event, Target replaces the request target
	// that follows from it.
	Path, Target string
	Method       string // POST
	Proto        string // HTTP/1.1
	// Header adds to and replaces what a delivery has; a nil value removes it.
	Header http.Header
	// Lines are raw header lines, sent as they are after the others.
	Lines []string
	Body  []byte
	// Framing is the header line that frames the body, such as
	// "Transfer-Encoding: chunked", with the body already in that form; empty means
	// its Content-Length, and "-" none.
	Framing string
	// Signed are the bytes that are signed in place of Body, Secret the one that
	// signs; Unsigned leaves the signature out.
	Signed   []byte
	Secret   *signature.Secret
	Unsigned bool
	// Label says in the report what is sent.
	Label string
}

// request returns the delivery of an event, to be changed.
func (e event) request() *request {
	return &request{Path: e.state.Path, Body: e.body(), Label: e.label}
}

// send delivers an event as the gateway does.
func (t *trial) send(e event) answer { return t.do(e.request()) }

// do sends a request over a connection of its own.
func (t *trial) do(r *request) answer {
	a := t.exchange(r)
	t.record(r.Label, a)
	return a
}

// exchange is do without a record of it.
func (t *trial) exchange(r *request) answer {
	a := unanswered(r.Label)
	u, err := t.s.URL(r.Path)
	switch {
	case err != nil:
		a.Outcome, a.Err = deliver.Refused, err
	case r.plain():
		var header http.Header
		if header, err = t.header(r); err != nil {
			a.Outcome, a.Err = deliver.Refused, err
			break
		}
		*a.Result = t.s.Client.Post(t.ctx, u, header, r.Body)
	default:
		w := t.dial(u)
		w.write(t.bytes(u, r))
		a.Result = w.answer(r.method())
		w.close()
	}
	return a
}

// plain reports whether an HTTP library sends the request as it is meant.
func (r *request) plain() bool {
	return r.Method == "" && r.Proto == "" && r.Target == "" && len(r.Lines) == 0 && r.Framing == "" && !hasNil(r.Header)
}

func hasNil(h http.Header) bool {
	for _, values := range h {
		if values == nil {
			return true
		}
	}
	return false
}

func (r *request) method() string {
	if r.Method == "" {
		return http.MethodPost
	}
	return r.Method
}

// header returns the headers of a delivery, signed.
func (t *trial) header(r *request) (http.Header, error) {
	out := http.Header{"Content-Type": {"application/json"}}
	for name, values := range t.s.Header {
		out[http.CanonicalHeaderKey(name)] = values
	}
	secret := r.Secret
	if secret == nil && len(t.s.Secrets) > 0 {
		secret = &t.s.Secrets[0]
	}
	if secret != nil && !r.Unsigned {
		body := r.Body
		if r.Signed != nil {
			body = r.Signed
		}
		signed, err := t.sign(*secret, body)
		if err != nil {
			return nil, err
		}
		for name, values := range signed {
			out[name] = values
		}
	}
	for name, values := range r.Header {
		out[http.CanonicalHeaderKey(name)] = values
		if values == nil {
			delete(out, http.CanonicalHeaderKey(name))
		}
	}
	return out, nil
}

func (t *trial) sign(secret signature.Secret, body []byte) (http.Header, error) {
	h := fnv.New64a()
	_, _ = h.Write(body) // equal deliveries are one message, all others are not
	return t.s.Scheme.Sign([]signature.Secret{secret}, signature.Message{
		ID: "msg_" + strconv.FormatUint(t.s.Salt, 36) + strconv.FormatUint(h.Sum64(), 36), Time: t.s.Now(), Body: body,
	})
}

// bytes writes a request as it goes over the wire.
func (t *trial) bytes(u *url.URL, r *request) []byte {
	target, proto := r.Target, r.Proto
	if target == "" {
		target = u.RequestURI()
	}
	if proto == "" {
		proto = "HTTP/1.1"
	}
	header, err := t.header(r)
	if err != nil {
		panic(stopCase{"cannot sign: " + err.Error()})
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s %s\r\n", r.method(), target, proto)
	if header.Get("Host") == "" {
		fmt.Fprintf(&b, "Host: %s\r\n", u.Host)
	}
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range header[name] {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	for _, line := range r.Lines {
		b.WriteString(line + "\r\n")
	}
	switch r.Framing {
	case "":
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	case "-":
	default:
		b.WriteString(r.Framing + "\r\n")
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// chunked frames a body in chunks of the given size.
func chunked(body []byte, size int) []byte {
	var b bytes.Buffer
	for piece := range slices.Chunk(body, size) {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(piece), piece)
	}
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

// wire is a connection on which a case writes its bytes itself. The first error
// sticks, and shows in the answer.
type wire struct {
	t       *trial
	conn    net.Conn
	r       *bufio.Reader
	err     error
	sent    bool
	last    bool // the endpoint closes after the answer read last; net/http takes that header away
	started time.Time
}

// dial opens a connection to where events go.
func (t *trial) dial(u *url.URL) *wire {
	w := &wire{t: t, started: t.s.Now()}
	ctx, cancel := context.WithTimeout(t.ctx, t.s.Timeout)
	defer cancel()
	if w.conn, w.err = t.s.Client.Dial(ctx, u); w.err != nil {
		return w
	}
	w.limit(t.s.Timeout)
	w.r = bufio.NewReader(io.LimitReader(w.conn, maxAnswerBytes+maxDrainBytes))
	return w
}

// dialState opens a connection to where a state's events go.
func (t *trial) dialState(st *contract.State) (*wire, *url.URL) {
	u, err := t.s.URL(st.Path)
	if err != nil {
		panic(stopCase{err.Error()})
	}
	return t.dial(u), u
}

// limit ends reading and writing that long from now, and no later than the case.
func (w *wire) limit(d time.Duration) {
	if w.conn == nil {
		return
	}
	until := w.t.s.Now().Add(d)
	if end, ok := w.t.ctx.Deadline(); ok && end.Before(until) {
		until = end
	}
	_ = w.conn.SetDeadline(until)
}

// write sends bytes as they are.
func (w *wire) write(b []byte) {
	if w.conn == nil {
		return
	}
	if _, err := w.conn.Write(b); err != nil && w.err == nil {
		w.err = err // an answer may have come all the same
	}
	w.sent = true
}

// answer reads one answer to a request of the given method.
func (w *wire) answer(method string) *deliver.Result {
	r := &deliver.Result{Started: w.started}
	resp, err := w.read(method, r)
	if resp != nil {
		_ = resp.Body.Close()
	}
	r.Latency = w.t.s.Now().Sub(w.started)
	switch {
	case err == nil:
		r.Outcome = deliver.Answered
	case w.conn == nil:
		r.Outcome, r.Err = deliver.Unreachable, err
	case late(err):
		r.Outcome, r.Err = deliver.TimedOut, err
	default:
		r.Outcome, r.Err = deliver.Unknown, err
	}
	return r
}

func (w *wire) read(method string, r *deliver.Result) (*http.Response, error) {
	if w.conn == nil {
		return nil, w.err
	}
	resp, err := http.ReadResponse(w.r, &http.Request{Method: method})
	for err == nil && resp.StatusCode == http.StatusContinue {
		resp, err = http.ReadResponse(w.r, &http.Request{Method: method})
	}
	if err != nil {
		return nil, err
	}
	r.Status, r.Proto, r.Header, w.last = resp.StatusCode, resp.Proto, resp.Header, resp.Close
	if r.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes)); err != nil {
		return resp, err
	}
	dropped, err := io.Copy(io.Discard, resp.Body)
	r.Truncated = dropped > 0
	return resp, err
}

// late reports whether a read or write ended because its time was over.
func late(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// close closes the connection.
func (w *wire) close() {
	if w.conn != nil {
		_ = w.conn.Close()
	}
}
