// Package listen receives deliveries as a merchant's endpoint does, judges each
// and answers it.
package listen

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/suggest"
	"github.com/paytest/paytest/internal/verify"
)

// MaxBody is the largest body that is read, in bytes.
const MaxBody = 1 << 20

// HealthPath answers 200 to GET as soon as deliveries are taken.
const HealthPath = "/healthz"

// Delivery is one delivery and the answer it got.
type Delivery struct {
	Time         time.Time
	Method, Path string
	Header       http.Header
	Body         []byte
	Verdict      verify.Verdict
	Status       int
	Answer       []byte
	Latency      time.Duration
}

// Options say how a Handler works.
type Options struct {
	Contract *contract.Contract
	Checker  *verify.Checker
	// AlwaysOK answers as if nothing had been found.
	AlwaysOK bool
	Now      func() time.Time
	// OnDelivery is told of each delivery, one at a time, before it is answered.
	OnDelivery func(Delivery)
}

// Handler is an http.Handler that receives deliveries. It is safe for
// concurrent use.
type Handler struct {
	Options
	mu sync.Mutex
}

// New returns a Handler.
func New(o Options) *Handler { return &Handler{Options: o} }

// ServeHTTP judges one delivery and answers it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	known := slices.Contains(h.Contract.Paths(), r.URL.Path)
	switch {
	case r.URL.Path == HealthPath && (r.Method == http.MethodGet || r.Method == http.MethodHead):
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"status":"ok"}`)
		return
	case !known && r.Method != http.MethodPost:
		http.NotFound(w, r) // a browser asking for an icon is no delivery
		return
	}
	d := Delivery{Time: h.Now(), Method: r.Method, Path: r.URL.Path, Header: r.Header}
	h.judge(&d, w, r, known)
	d.Latency = h.Now().Sub(d.Time)
	h.mu.Lock()
	h.OnDelivery(d)
	h.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(d.Status)
	_, _ = w.Write(d.Answer)
}

func (h *Handler) judge(d *Delivery, w http.ResponseWriter, r *http.Request, known bool) {
	status, finding := h.door(r, known)
	if finding == nil {
		d.Body, status, finding = read(w, r)
	}
	if finding != nil {
		d.Verdict = verify.Verdict{Findings: []verify.Finding{*finding}}
		h.answer(d, contract.Answer{Status: status, Body: h.Contract.Answers.Invalid.Body})
		if status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", http.MethodPost)
		}
		return
	}
	d.Verdict = h.Checker.Check(d.Body, r.URL.Path)
	h.answer(d, h.choose(d.Verdict))
}

// door judges what can be judged before the body is read.
func (h *Handler) door(r *http.Request, known bool) (int, *verify.Finding) {
	media, parameters, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, encoding := parameters["charset"], r.Header.Get("Content-Encoding")
	switch {
	case !known:
		return http.StatusNotFound, &verify.Finding{
			Code: verify.UnknownPath, Severity: verify.Violation,
			Message:  "no event is delivered to this path" + suggest.DidYouMean(r.URL.Path, h.Contract.Paths()),
			Expected: strings.Join(h.Contract.Paths(), ", "), Got: r.URL.Path,
		}
	case r.Method != http.MethodPost:
		return http.StatusMethodNotAllowed, &verify.Finding{
			Code: verify.WrongMethod, Severity: verify.Violation, Message: "a delivery is a POST",
			Expected: http.MethodPost, Got: r.Method,
		}
	case err != nil || media != "application/json":
		return http.StatusUnsupportedMediaType, &verify.Finding{
			Code: verify.WrongContentType, Severity: verify.Violation, Message: "a delivery is JSON, and its Content-Type says so",
			Expected: "application/json", Got: header(r, "Content-Type"),
		}
	case charset != "" && !strings.EqualFold(charset, "utf-8"):
		return http.StatusUnsupportedMediaType, &verify.Finding{
			Code: verify.WrongContentType, Severity: verify.Violation, Message: "JSON between systems is UTF-8",
			Expected: "application/json", Got: header(r, "Content-Type"), Source: "RFC 8259, section 8.1",
		}
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return http.StatusUnsupportedMediaType, &verify.Finding{
			Code: verify.WrongContentEncoding, Severity: verify.Violation, Message: "a delivery is not compressed, and is not decompressed here",
			Expected: "no Content-Encoding", Got: encoding,
		}
	}
	return 0, nil
}

func header(r *http.Request, name string) string {
	if v := r.Header.Get(name); v != "" {
		return v
	}
	return "nothing"
}

func read(w http.ResponseWriter, r *http.Request) ([]byte, int, *verify.Finding) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, http.StatusRequestEntityTooLarge, &verify.Finding{
			Code: verify.BodyTooLarge, Severity: verify.Violation, Message: "the body is larger than 1 MiB and was not read to its end",
		}
	case err != nil:
		return body, http.StatusBadRequest, &verify.Finding{
			Code: verify.BodyUnreadable, Severity: verify.Violation, Message: "the body could not be read to its end: " + err.Error(),
		}
	}
	return body, 0, nil
}

// choose picks the documented answer to a verdict.
func (h *Handler) choose(v verify.Verdict) contract.Answer {
	a := h.Contract.Answers
	switch {
	case v.OK() && v.Duplicate:
		return a.Duplicate
	case v.OK():
		return a.OK
	case v.Has(verify.WrongPath), v.Has(verify.UnknownEvent):
		return a.WrongEvent
	case slices.ContainsFunc(v.Findings, aboutForm):
		return a.Invalid
	}
	return a.Conflict
}

// aboutForm reports whether a finding says that the payload itself is wrong, and
// not that it contradicts the states.
func aboutForm(f verify.Finding) bool {
	if f.Severity != verify.Violation {
		return false
	}
	switch f.Code {
	case verify.SelfTransition, verify.IllegalTransition, verify.Contradiction, verify.FactDrift, verify.Conflict,
		verify.BrokenRelation, verify.ExcludedState, verify.Duplicate, verify.Late, verify.Gap:
		return false
	default:
		return true
	}
}

// answer sets the status and the body: the documented one, and the findings
// where there are any.
func (h *Handler) answer(d *Delivery, a contract.Answer) {
	findings := d.Verdict.Findings
	if h.AlwaysOK {
		a, findings = h.Contract.Answers.OK, nil
	}
	d.Status = a.Status
	body := a.Body.Clone()
	if len(findings) > 0 {
		items := make([]jsondoc.Value, len(findings))
		for i, f := range findings {
			items[i] = findingValue(f)
		}
		body.Members = append(body.Members, jsondoc.Member{Name: "findings", Value: jsondoc.ArrayValue(items...)})
	}
	d.Answer = body.AppendCanonical(nil)
}

func findingValue(f verify.Finding) jsondoc.Value {
	var members []jsondoc.Member
	for _, m := range [][2]string{
		{"code", string(f.Code)},
		{"severity", string(f.Severity)},
		{"pointer", f.Pointer},
		{"message", f.Message},
		{"expected", f.Expected},
		{"got", f.Got},
		{"source", f.Source},
	} {
		if m[1] != "" {
			members = append(members, jsondoc.Member{Name: m[0], Value: jsondoc.StringValue(m[1])})
		}
	}
	return jsondoc.ObjectValue(members...)
}
