package conform

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
)

func protocolCases() map[string]func(*trial) {
	return map[string]func(*trial){
		"P01": eventOfAnotherPath,
		"P02": unknownEvents,
		"P03": plainText,
		"P04": noContentType,
		"P05": jsonByOtherNames,
		"P06": otherCharsets,
		"P07": compressedBody,
		"P08": unknownCodings,
		"P09": chunkedBody,
		"P10": heldBody,
		"P11": unknownExpectation,
		"P12": olderHTTP,
		"P13": newerHTTP,
		"P14": otherMethods,
		"P15": harmlessMethods,
		"P16": similarPaths,
		"P17": sharedConnection,
		"P18": singleBytes,
		"P19": strangeHeaders,
	}
}

// eventOfAnotherPath sends the event of a transfer where those of payments go.
func eventOfAnotherPath(t *trial) {
	r := t.s.roles
	if r.Seen.Subject == r.Paid.Subject {
		t.skip("the endpoint is told of transfers alone")
	}
	from, err := t.s.URL(r.Seen.Path)
	if err != nil {
		t.skip("%v", err)
	}
	to, err := t.s.URL(r.Paid.Path)
	if err != nil {
		t.skip("%v", err)
	}
	if from.String() == to.String() {
		t.skip("all events go to one URL: give one without a path (http://HOST:PORT) if there are several")
	}
	q := t.order().event(r.Seen, called("where "+r.Paid.Event+" goes")).request()
	q.Path = r.Paid.Path
	t.answeredAs(t.do(q), t.s.Contract.Answers.WrongEvent)
}

// unknownEvents sends names of events that the gateway does not have.
func unknownEvents(t *trial) {
	st := t.usual()
	for _, name := range []string{"paytest.unknown", st.Event + ".v2"} {
		e := t.order().event(st, called("named "+name), put(t.s.Contract.Envelope.Event, jsondoc.StringValue(name)))
		t.answeredAs(t.send(e), t.s.Contract.Answers.WrongEvent)
	}
}

const contentType = "Content-Type"

// variant is a usual event of a new payment as a request, to be changed.
func (t *trial) variant(label string) (*order, *request) {
	o := t.begun()
	return o, o.event(t.usual(), called(label)).request()
}

// withHeader is a variant with another header, and without one where value is
// empty.
func (t *trial) withHeader(name, value, label string) (*order, *request) {
	o, r := t.variant(label)
	r.Header = http.Header{name: nil}
	if value != "" {
		r.Header.Set(name, value)
	}
	return o, r
}

// plainText says that the event is no JSON.
func plainText(t *trial) {
	_, r := t.withHeader(contentType, "text/plain", "as text/plain")
	t.turnedAway(t.do(r), http.StatusUnsupportedMediaType, http.StatusBadRequest)
}

// noContentType does not say what the event is.
func noContentType(t *trial) {
	o, r := t.withHeader(contentType, "", "without Content-Type")
	t.takenOr(o, t.do(r), http.StatusUnsupportedMediaType, http.StatusBadRequest)
}

// jsonByOtherNames says in other words that the event is JSON in UTF-8.
func jsonByOtherNames(t *trial) {
	o, r := t.withHeader(contentType, "application/json; charset=utf-8", "with charset=utf-8")
	t.taken(o, t.do(r))
	o, r = t.withHeader(contentType, "application/vnd.paytest+json", "as application/vnd.paytest+json")
	t.takenOr(o, t.do(r), http.StatusUnsupportedMediaType)
}

// otherCharsets sends JSON that is not in UTF-8, or says so.
func otherCharsets(t *trial) {
	for _, v := range []struct {
		charset, what, name string
		encode              func(string) []byte
	}{
		{"iso-8859-1", "all ASCII", "Zoe", latin1},
		{"iso-8859-1", "with an ë", "Zoë", latin1},
		{"utf-16", "encoded so", "Zoë", utf16BE},
	} {
		r := t.begun().event(t.usual(), called("charset="+v.charset+", "+v.what), set(t.s.roles.CustomerName, jsondoc.StringValue(v.name))).request()
		r.Header, r.Body = http.Header{contentType: {"application/json; charset=" + v.charset}}, v.encode(string(r.Body))
		t.turnedAway(t.do(r), http.StatusUnsupportedMediaType, http.StatusBadRequest)
	}
}

// latin1 encodes a text as ISO 8859-1; what it lacks becomes a question mark.
func latin1(s string) []byte {
	var out []byte
	for _, c := range s {
		if c > 0xff {
			c = '?'
		}
		out = append(out, byte(c))
	}
	return out
}

// utf16BE encodes a text as UTF-16 with a byte order mark.
func utf16BE(s string) []byte {
	out := []byte{0xfe, 0xff}
	for _, unit := range utf16.Encode([]rune(s)) {
		out = append(out, byte(unit>>8), byte(unit))
	}
	return out
}

const contentEncoding = "Content-Encoding"

// compressedBody sends the event compressed; the signature is that of the JSON,
// or else of the bytes sent, since both are usual.
func compressedBody(t *trial) {
	for _, signsJSON := range []bool{true, false} {
		o, r := t.withHeader(contentEncoding, "gzip", "compressed by gzip")
		plain := r.Body
		r.Body = zipped(plain)
		if signsJSON {
			r.Signed = plain
		}
		a := t.do(r)
		if signsJSON && len(t.s.Secrets) > 0 && a.Outcome == deliver.Answered && a.Status == t.signatureStatus() {
			continue
		}
		t.takenOr(o, a, http.StatusUnsupportedMediaType)
		return
	}
}

// signatureStatus is how a wrong signature is answered.
func (t *trial) signatureStatus() int {
	if s := t.s.Contract.Signature; s != nil {
		return s.Answer.Status
	}
	return http.StatusUnauthorized
}

func zipped(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = w.Write(b) // a bytes.Buffer takes all
	_ = w.Close()
	return out.Bytes()
}

// unknownCodings says that the event is compressed in ways that no endpoint
// needs to know. The bytes are plain JSON, which is what an endpoint sees that
// does not look.
func unknownCodings(t *trial) {
	for _, coding := range []string{"zstd", "x-" + mark} {
		_, r := t.withHeader(contentEncoding, coding, "with Content-Encoding "+coding)
		t.turnedAway(t.do(r), http.StatusUnsupportedMediaType)
	}
}

// chunkedBody sends the body in chunks, one and many.
func chunkedBody(t *trial) {
	for _, v := range []struct {
		what string
		size int
	}{{"in one chunk", 1 << 20}, {"in chunks of 7 bytes", 7}} {
		o, r := t.variant(v.what)
		r.Signed, r.Framing = r.Body, "Transfer-Encoding: chunked"
		r.Body = chunked(r.Body, v.size)
		t.taken(o, t.do(r))
	}
}

// bodyHeld is how long a sender holds the body back for an endpoint that does
// not say that it may come (RFC 9110, section 10.1.1).
const bodyHeld = time.Second

// heldBody holds the body back until the endpoint asks for it.
func heldBody(t *trial) {
	o, r := t.variant("with Expect: 100-continue, its body held back")
	r.Lines = []string{"Expect: 100-continue"}
	w, u := t.dialState(t.usual())
	defer w.close()
	raw := t.bytes(u, r)
	head := len(raw) - len(r.Body)
	w.write(raw[:head])
	if w.mayGoOn() {
		w.limit(t.s.Timeout)
		w.write(raw[head:])
	}
	a := answer{w.answer(r.method()), r.Label}
	t.record(r.Label, a)
	t.taken(o, a)
}

// mayGoOn waits for what comes before the body: true unless the endpoint has
// given its last answer already.
func (w *wire) mayGoOn() bool {
	const interim = "HTTP/1.1 100"
	if w.conn == nil {
		return false
	}
	w.limit(bodyHeld)
	begun, err := w.r.Peek(len(interim))
	w.limit(w.t.s.Timeout)
	return late(err) || string(begun) == interim
}

// unknownExpectation expects what no endpoint knows.
func unknownExpectation(t *trial) {
	o, r := t.variant("with Expect: " + mark)
	r.Lines = []string{"Expect: " + mark}
	t.takenOr(o, t.do(r), http.StatusExpectationFailed)
}

// olderHTTP speaks HTTP/1.0.
func olderHTTP(t *trial) {
	o, r := t.variant("over HTTP/1.0")
	r.Proto = "HTTP/1.0"
	t.taken(o, t.do(r))
}

// newerHTTP offers HTTP/2, as every delivery over TLS does.
func newerHTTP(t *trial) {
	const proto = "HTTP/2.0"
	u, err := t.s.URL(t.usual().Path)
	if err != nil || u.Scheme != "https" {
		t.skip("HTTP/2 is agreed on over TLS: give an https URL")
	}
	o, r := t.variant("with HTTP/2 offered")
	a := t.do(r)
	t.taken(o, a)
	if a.Outcome == deliver.Answered && a.Proto != proto {
		t.note("it offers no HTTP/2, so %s was spoken", a.Proto)
	}
}

// otherMethods sends the event by methods that only look as if they delivered it.
func otherMethods(t *trial) {
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		o, r := t.ofPaid("by " + method)
		r.Method = method
		a := t.do(r)
		proof := []int{http.StatusMethodNotAllowed, http.StatusNotFound}
		if a.Status == http.StatusNotImplemented {
			t.note("%s: refused, but with %d; expected %s", a.sent, a.Status, either(proof))
		} else {
			t.turnedAway(a, proof...)
		}
		if t.s.Probe != nil || !slices.Contains(proof, a.Status) {
			t.about(a.sent, func() { t.notCredited(o) })
		}
	}
}

// ofPaid is the event of a paid payment as a request, to be changed.
func (t *trial) ofPaid(label string) (*order, *request) {
	o := t.begun()
	return o, o.event(t.s.roles.Paid, called(label)).request()
}

// harmlessMethods sends the event by methods that only ask.
func harmlessMethods(t *trial) {
	for _, method := range []string{http.MethodHead, http.MethodOptions} {
		o, r := t.ofPaid("by " + method)
		r.Method = method
		t.do(r)
		t.about(r.Label, func() { t.notCredited(o) })
	}
}

// similarPaths sends an event by a path that may or may not be the endpoint's
// own, and then again by its own.
func similarPaths(t *trial) {
	st := t.s.roles.Paid
	u, err := t.s.URL(st.Path)
	if err != nil {
		t.skip("%v", err)
	}
	for _, v := range []struct{ what, target string }{
		{"a trailing slash", otherPath(u, u.EscapedPath()+"/")},
		{"upper case", otherPath(u, strings.ToUpper(u.EscapedPath()))},
		{"double slashes", otherPath(u, strings.ReplaceAll(u.EscapedPath(), "/", "//"))},
		{"a query", withQuery(u)},
	} {
		o, r := t.ofPaid("by a path with " + v.what)
		r.Target = v.target
		t.do(r)
		if !t.accepted(t.send(o.event(st, called("then by the right path")))) {
			return
		}
		t.about(r.Label, func() { t.once(o) })
	}
}

func otherPath(u *url.URL, escaped string) string {
	if u.RawQuery != "" {
		escaped += "?" + u.RawQuery
	}
	return escaped
}

func withQuery(u *url.URL) string {
	other := *u
	if other.RawQuery != "" {
		other.RawQuery += "&"
	}
	other.RawQuery += mark + "=1"
	return other.RequestURI()
}

// manyEvents is how many events go over one connection.
const manyEvents = 100

// sharedConnection sends many events over one connection, then two at once.
func sharedConnection(t *trial) {
	orders := t.manyOrders(manyEvents)
	l := t.line(t.s.roles.Paid)
	defer l.close()
	for _, o := range orders {
		r := o.event(t.s.roles.Paid, called("over a connection that others use, too")).request()
		a := answer{l.deliver(t.bytes(l.u, r)), r.Label}
		if t.record(r.Label, a); !t.accepted(a) {
			t.stop()
		}
	}
	l.close()
	t.about("many events over one connection", func() { t.creditedEach(orders) })
	t.pipelined()
}

// pipelined sends a second event without waiting for the answer to the first.
func (t *trial) pipelined() {
	l, orders := t.line(t.s.roles.Paid), t.manyOrders(2)
	defer l.close()
	var raw [][]byte
	for _, o := range orders {
		raw = append(raw, t.bytes(l.u, o.event(t.s.roles.Paid).request()))
	}
	l.open()
	l.w.write(slices.Concat(raw...))
	first := answer{l.answer(), t.s.roles.Paid.String() + ", the first of two pipelined"}
	second := unanswered(t.s.roles.Paid.String() + ", the second of two pipelined")
	t.record(first.sent, first)
	if !t.accepted(first) {
		return
	}
	if l.w != nil {
		second.Result = l.answer()
	}
	if l.w == nil && second.Outcome != deliver.TimedOut && second.Outcome != deliver.Answered {
		second.Result = l.deliver(raw[1]) // the endpoint closed the connection, as it may
	}
	t.record(second.sent, second)
	if t.accepted(second) {
		t.about("two events pipelined", func() { t.creditedEach(orders) })
	}
}

// beginners is how many senders begin many payments.
const beginners = 5

// manyOrders is begun for many payments, several at a time. What is refused then
// comes again, one after the other.
func (t *trial) manyOrders(n int) []*order {
	orders, all := make([]*order, n), make([][]event, n)
	for i := range orders {
		orders[i] = t.order()
		all[i] = orders[i].before()
	}
	for step := range all[0] {
		answers := make([]answer, n)
		for i := range answers {
			answers[i] = unanswered(all[i][step].label)
		}
		t.parallel(beginners, func(sender int) {
			for i := sender; i < n; i += beginners {
				if answers[i] = t.exchange(all[i][step].request()); answers[i].Outcome != deliver.Answered {
					break
				}
			}
		})
		for i, a := range answers {
			if t.record(all[i][step].label, a); !a.taken(t.s.Contract) {
				t.insist(all[i][step])
			}
		}
	}
	return orders
}

// singleBytes sends a request byte by byte.
func singleBytes(t *trial) {
	o, r := t.variant("byte by byte")
	w, u := t.dialState(t.usual())
	defer w.close()
	for _, b := range t.bytes(u, r) {
		if w.write([]byte{b}); w.err != nil || t.s.Wait(t.ctx, time.Millisecond) != nil {
			break
		}
		w.limit(t.s.Timeout)
	}
	a := answer{w.answer(r.method()), r.Label}
	t.record(r.Label, a)
	t.taken(o, a)
}

// manyHeaders is how many headers are sent that nobody knows.
const manyHeaders = 100

// strangeHeaders sends headers that nobody knows, and the signature twice.
func strangeHeaders(t *trial) {
	_, r := t.variant(fmt.Sprintf("with %d unknown headers", manyHeaders))
	r.Header = http.Header{}
	for i := range manyHeaders {
		r.Header.Set(fmt.Sprintf("X-Paytest-%03d", i), strings.Repeat("x", 1+t.rng.IntN(20)))
	}
	t.handled(t.do(r))
	for _, v := range []struct {
		what        string
		first, last bool
	}{{"the right signature twice", true, true}, {"the right signature, then another", true, false}, {"another signature, then the right one", false, true}} {
		_, r := t.variant("with " + v.what)
		signatures := t.signatures(r)
		r.Header = http.Header{t.s.Scheme.Header(): {signatures[v.first], signatures[v.last]}}
		t.handled(t.do(r))
	}
}

// signatures returns the right signature of a request, which is made up where
// nothing is signed, and a wrong one.
func (t *trial) signatures(r *request) map[bool]string {
	header, err := t.header(r)
	if err != nil {
		t.skip("the event cannot be signed: %v", err)
	}
	const digits = 64
	return map[bool]string{true: cmp.Or(header.Get(t.s.Scheme.Header()), strings.Repeat("0", digits)), false: strings.Repeat("f", digits)}
}
