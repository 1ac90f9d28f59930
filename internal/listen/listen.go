// Package listen receives deliveries as a merchant's endpoint does, judges each
// and answers it.
package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/suggest"
	"github.com/paytest/paytest/internal/verify"
)

// MaxBody is the largest body that is read, in bytes.
const MaxBody = 1 << 20

// HealthPath answers 200 to GET as soon as deliveries are taken.
const HealthPath = "/healthz"

// Delivery is one delivery and the answer it got.
type Delivery = verify.Delivery

// Options say how a Handler works. Contract, Checker, Now and OnDelivery are
// required.
type Options struct {
	Contract *contract.Contract
	Checker  *verify.Checker
	// AlwaysOK answers as if nothing had been found.
	AlwaysOK bool
	Now      func() time.Time
	// OnDelivery is told of each delivery, one at a time, before it is answered.
	OnDelivery func(*Delivery)
	// Lend says that neither OnDelivery nor Record keeps a delivery's body or header,
	// which may then be used again for the next one.
	Lend bool
	// Secrets, where there are any, are those of which one must have signed each
	// delivery by the scheme.
	Secrets []signature.Secret
	Scheme  signature.Scheme
	// Filter picks the deliveries that are judged, by event and state as the
	// payload spells them, empty where it names none; the others are answered as
	// delivered. nil picks all.
	Filter func(event, state string) bool
	// Response, when not nil, overrides answers; Delay holds each back, waiting
	// with Wait.
	Response *Response
	Delay    time.Duration
	Wait     func(ctx context.Context, d time.Duration) error
	// Forward, when not nil, passes a delivery on, and its answer goes back. Its
	// context does not end when the sender gives up, only when the server does.
	Forward func(ctx context.Context, d Delivery) Forwarded
	// Record, when not nil, must succeed before deliveries are acknowledged; it returns
	// what went wrong with each, nil where nothing did. Like OnDelivery, it must not keep
	// them.
	Record func([]*Delivery) []error
}

// Forwarded is the answer of the endpoint that a delivery was passed on to.
type Forwarded struct {
	URL    string
	Status int
	// Header is what goes back with the answer.
	Header http.Header
	Body   []byte
	// Finding says what is wrong with the answer; nil when nothing is.
	Finding *verify.Finding
}

// Handler is an http.Handler that receives deliveries. It is safe for
// concurrent use.
type Handler struct {
	Options
	mu       sync.Mutex
	attempts *attempts
	lanes    lanes
	paths    []string
	verifier *signature.Verifier // nil when no signature is asked for
	bodies   sync.Pool           // of *[]byte
	// canned are the bodies of the contract's answers.
	canned map[*contract.Answer][]byte
	// prompt is set when nothing holds an answer back.
	prompt bool
	// json is the answers' Content-Type; nobody writes to it.
	json []string
}

// How large the room for a body is, in bytes: at first, and at the most if it is to
// be used again.
const (
	usual = 1 << 10
	lent  = 16 << 10
)

// New returns a Handler.
func New(o Options) *Handler {
	h := &Handler{
		Options: o, attempts: newAttempts(maxOpen), paths: o.Contract.Paths(), canned: map[*contract.Answer][]byte{},
		prompt: o.Delay == 0 && o.Response == nil && o.Forward == nil, json: []string{"application/json"},
	}
	h.attempts.named = !h.prompt
	if len(o.Secrets) > 0 {
		h.verifier = o.Scheme.Verifier(o.Secrets)
		h.verifier.Canonical = true
	}
	a := &o.Contract.Answers
	for _, answer := range []*contract.Answer{&a.OK, &a.Duplicate, &a.WrongEvent, &a.Invalid, &a.Conflict} {
		h.canned[answer] = answer.Body.AppendCanonical(nil)
	}
	return h
}

// ServeHTTP judges one delivery and answers it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	known := slices.Contains(h.paths, r.URL.Path)
	switch {
	case r.URL.Path == HealthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		w.Header()["Content-Type"] = h.json
		_, _ = io.WriteString(w, `{"status":"ok"}`)
		return
	case !known && r.Method != http.MethodPost:
		http.NotFound(w, r) // a browser asking for an icon is no delivery
		return
	}
	d := Delivery{Time: h.Now(), Method: r.Method, Path: r.URL.Path, Header: r.Header}
	w.Header()["Content-Type"] = h.json
	room := h.borrow()
	defer h.giveBack(room)
	try, asked, refused := try{}, true, h.refused(&d, w, r, known, room)
	if !refused {
		try, asked = h.judge(&d)
	}
	if !asked {
		_, _ = w.Write(d.Answer)
		return
	}
	if !h.prompt {
		defer h.whenGone(r, try)()
	}
	header := h.treat(&d, r)
	if h.finish(r.Context(), &d, try) {
		maps.Copy(w.Header(), header)
	}
	if d.Dropped || isGone(r.Context()) {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	if !h.prompt {
		_ = http.NewResponseController(w).SetWriteDeadline(wall().Add(writeTimeout))
	}
	w.WriteHeader(d.Status)
	_, _ = w.Write(d.Answer)
}

// whenGone ends the attempt as soon as the sender gives up.
func (h *Handler) whenGone(r *http.Request, try try) (stop func() bool) {
	return context.AfterFunc(r.Context(), func() { h.attempts.end(try, h.Now(), false) })
}

// borrow returns room for a body, nil where it may not be used again.
func (h *Handler) borrow() *[]byte {
	if !h.Lend || !h.prompt {
		return nil // who passes a body on may still read it when the answer is there
	}
	room, ok := h.bodies.Get().(*[]byte)
	if !ok {
		body := make([]byte, 0, usual)
		room = &body
	}
	return room
}

func (h *Handler) giveBack(room *[]byte) {
	if room != nil && cap(*room) <= lent {
		h.bodies.Put(room)
	}
}

// refused reads the delivery, and answers one whose payload need not be looked at.
func (h *Handler) refused(d *Delivery, w http.ResponseWriter, r *http.Request, known bool, room *[]byte) bool {
	answer, finding := h.door(w, r, known)
	unread, broken := h.read(d, w, r, room)
	whole(r.Context())
	if finding == nil {
		answer, finding = unread, broken
	}
	if finding == nil {
		return false
	}
	h.refuse(d, &answer, finding)
	if answer.Status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodPost)
	}
	return true
}

func (h *Handler) refuse(d *Delivery, answer *contract.Answer, f *verify.Finding) {
	d.Verdict = verify.Verdict{Findings: []verify.Finding{*f}}
	h.answer(d, answer)
}

// judge finds the verdict on what was read, and the answer to it. It reports whether
// the delivery is one of those that were asked for.
func (h *Handler) judge(d *Delivery) (try try, asked bool) {
	if answer, finding := h.signed(d); finding != nil {
		h.refuse(d, &answer, finding)
		return try, true
	}
	if h.Filter != nil && !h.Filter(verify.Names(h.Contract, d.Body)) {
		h.answer(d, &h.Contract.Answers.OK)
		return try, false
	}
	notes := d.Verdict.Findings
	d.Verdict = h.Checker.Check(d.Body, d.Path)
	d.Verdict.Findings = append(d.Verdict.Findings, notes...)
	try = h.retried(d)
	h.answer(d, h.choose(&d.Verdict))
	return try, true
}

// signed checks the signature, where one is asked for.
func (h *Handler) signed(d *Delivery) (contract.Answer, *verify.Finding) {
	if h.verifier == nil {
		return contract.Answer{}, nil
	}
	res := h.verifier.Verify(d.Header, d.Body, d.Time, signature.DefaultTolerance)
	if res.OK {
		d.Signature = string(res.Family)
		if res.Family != signature.Both {
			d.Verdict.Add(verify.Finding{
				Code: verify.SignatureFamily, Severity: verify.Note,
				Message: "the signature is right over the " + string(res.Family) + " body alone: the body is no fixed point of JSON.stringify, so some receivers refuse it",
			})
		}
		return contract.Answer{}, nil
	}
	answer := contract.Answer{Status: http.StatusUnauthorized, Body: h.Contract.Answers.Invalid.Body}
	f := &verify.Finding{Code: verify.WrongSignature, Severity: verify.Violation, Message: fmt.Sprintf("%s is %s: %s", h.Scheme.Header(), res.Reason, res.Detail)}
	if s := h.Contract.Signature; s != nil {
		answer, f.Source = s.Answer, s.Source
	}
	return answer, f
}

// retried judges an attempt that follows a failed one by when it came.
func (h *Handler) retried(d *Delivery) try {
	t := h.attempts.begin(d.Body, &d.Verdict, d.Time, d.Time.Add(h.Contract.Delivery.Timeout))
	d.Attempt = t.n
	if t.first {
		d.Verdict.First()
	}
	if t.retry {
		if f := Retry(h.Contract.Delivery, t.n, t.waited); f != nil {
			d.Verdict.Add(*f)
		}
	}
	return t
}

// treat does with the delivery what the user asked for. It returns the headers
// of the answer that differ from what paytest itself answers with.
func (h *Handler) treat(d *Delivery, r *http.Request) http.Header {
	if h.Delay > 0 && h.Wait(r.Context(), h.Delay) != nil {
		drop(d)
		return nil
	}
	switch {
	case h.Response != nil && h.Response.Applies(d.Attempt):
		d.Status, d.Answer = h.Response.Status, []byte(`{"error":"answered as told to"}`)
		if d.Status == 0 {
			drop(d)
		}
	case h.Forward != nil && d.Verdict.State != nil:
		return h.pass(d, r)
	}
	return nil
}

// pass hands a delivery on in its turn, unless the sender has given up by then.
func (h *Handler) pass(d *Delivery, r *http.Request) http.Header {
	done := h.lanes.enter(d.Verdict.State.Subject.Name + " " + d.Verdict.ID)
	defer done()
	if r.Context().Err() != nil {
		drop(d)
		return nil
	}
	f := h.Forward(whileServing(r.Context()), *d)
	d.Forwarded, d.Status, d.Answer = f.URL, f.Status, f.Body
	if f.Finding != nil {
		d.Verdict.Add(*f.Finding)
	}
	return f.Header
}

// drop closes the connection in place of an answer.
func drop(d *Delivery) { d.Dropped, d.Status, d.Answer = true, 0, nil }

// finish records and reports the delivery. It reports whether the answer stands.
func (h *Handler) finish(sender context.Context, d *Delivery, try try) bool {
	at, recorded := h.record([]*Delivery{d})
	h.report(d, try, at, sender.Err() != nil)
	return recorded
}

// record records deliveries; one that cannot be recorded is not acknowledged. It
// returns when that was done, and whether all were.
func (h *Handler) record(ds []*Delivery) (at time.Time, all bool) {
	at = h.Now()
	for _, d := range ds {
		d.Latency = at.Sub(d.Time)
	}
	if h.Record == nil {
		return at, true
	}
	all = true
	for i, err := range h.Record(ds) {
		if d := ds[i]; err != nil {
			all = false
			d.Verdict.Add(verify.Finding{Code: verify.NotRecorded, Severity: verify.Violation, Message: "the delivery was not recorded, and so not acknowledged: " + err.Error()})
			d.Status, d.Answer = http.StatusServiceUnavailable, []byte(`{"error":"Not recorded"}`)
		}
	}
	return h.Now(), all
}

// report says what became of a delivery; gone is set where its sender did not wait.
func (h *Handler) report(d *Delivery, try try, at time.Time, gone bool) {
	inTime := at.Sub(d.Time) <= h.Contract.Delivery.Timeout && !gone
	h.attempts.end(try, at, inTime && !d.Dropped && slices.Contains(h.Contract.Delivery.Success, d.Status))
	h.mu.Lock()
	defer h.mu.Unlock()
	h.OnDelivery(d)
}

// door judges what can be judged before the body is read.
func (h *Handler) door(w http.ResponseWriter, r *http.Request, known bool) (contract.Answer, *verify.Finding) {
	if odd := misframed(r); odd != "" {
		w.Header().Set("Connection", "close")
		return h.refusal(http.StatusBadRequest), &verify.Finding{
			Code: verify.WrongFraming, Severity: verify.Violation, Source: "RFC 9112",
			Message: "receivers disagree on how to read this request: " + odd,
		}
	}
	if media := r.Header["Content-Type"]; known && r.Method == http.MethodPost && len(media) > 0 && media[0] == "application/json" && len(r.Header["Content-Encoding"]) == 0 {
		return contract.Answer{}, nil
	}
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, encoding := parameters["charset"], strings.Join(r.Header["Content-Encoding"], ", ")
	switch {
	case !known:
		return h.refusal(http.StatusNotFound), &verify.Finding{
			Code: verify.UnknownPath, Severity: verify.Violation,
			Message:  "no event is delivered to this path" + suggest.DidYouMean(r.URL.Path, h.Contract.Paths()),
			Expected: strings.Join(h.Contract.Paths(), ", "), Got: r.URL.Path,
		}
	case r.Method != http.MethodPost:
		return h.refusal(http.StatusMethodNotAllowed), &verify.Finding{
			Code: verify.WrongMethod, Severity: verify.Violation, Message: "a delivery is a POST",
			Expected: http.MethodPost, Got: r.Method,
		}
	case err != nil || media != "application/json":
		return h.refusal(http.StatusUnsupportedMediaType), &verify.Finding{
			Code: verify.WrongContentType, Severity: verify.Violation, Message: "a delivery is JSON, and its Content-Type says so",
			Expected: "application/json", Got: header(r, "Content-Type"),
		}
	case charset != "" && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8"):
		return h.refusal(http.StatusUnsupportedMediaType), &verify.Finding{
			Code: verify.WrongContentType, Severity: verify.Violation, Message: "JSON between systems is UTF-8",
			Expected: "application/json", Got: header(r, "Content-Type"), Source: "RFC 8259, section 8.1",
		}
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return h.refusal(http.StatusUnsupportedMediaType), &verify.Finding{
			Code: verify.WrongContentEncoding, Severity: verify.Violation, Message: "a delivery is not compressed, and is not decompressed here",
			Expected: "no Content-Encoding", Got: encoding,
		}
	}
	return contract.Answer{}, nil
}

// refusal is the answer to what is no delivery of the contract.
func (h *Handler) refusal(status int) contract.Answer {
	return contract.Answer{Status: status, Body: h.Contract.Answers.Invalid.Body}
}

func header(r *http.Request, name string) string {
	if v := r.Header.Get(name); v != "" {
		return v
	}
	return "nothing"
}

// read reads the body, into the room where there is one.
func (h *Handler) read(d *Delivery, w http.ResponseWriter, r *http.Request, room *[]byte) (contract.Answer, *verify.Finding) {
	err := readBody(d, w, r, room)
	if err == nil {
		return contract.Answer{}, nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		d.Body = nil
		return h.refusal(http.StatusRequestEntityTooLarge), &verify.Finding{
			Code: verify.BodyTooLarge, Severity: verify.Violation, Message: "the body is larger than 1 MiB and was not read to its end",
		}
	}
	return h.refusal(http.StatusBadRequest), &verify.Finding{
		Code: verify.BodyUnreadable, Severity: verify.Violation, Message: "the body could not be read to its end: " + err.Error(),
	}
}

func readBody(d *Delivery, w http.ResponseWriter, r *http.Request, room *[]byte) (err error) {
	if r.ContentLength <= 0 || r.ContentLength > MaxBody {
		d.Body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
		return err
	}
	if room == nil {
		room = new([]byte)
	}
	// Room is made as the body comes, since what was announced may never come.
	for body := (*room)[:0]; err == nil && int64(len(body)) < r.ContentLength; d.Body = body {
		start := len(body)
		body = slices.Grow(body, min(int(r.ContentLength)-start, max(start, lent)))
		*room = body
		end := min(cap(body), int(r.ContentLength))
		var n int
		n, err = io.ReadFull(r.Body, body[start:end]) // a server hands out no more than was announced
		body = body[:start+n]
	}
	return err
}
