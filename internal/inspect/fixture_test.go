package inspect

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

const testToken = "kkkkkkkkkkkkkkkkkkkkkkkkkk"

// scene is an inspector, and the listener whose deliveries it is told of.
type scene struct {
	testing.TB
	*Inspector
	checker *verify.Checker
	now     time.Time
	handler http.Handler
}

func newScene(t testing.TB, change ...func(*Options)) *scene {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{Contract: c, Title: "a test", Token: testToken, Now: time.Now, Live: true, Program: "paytest", Received: "http://127.0.0.1:3000"}
	for _, f := range change {
		f(&o)
	}
	s := &scene{TB: t, Inspector: New(o), checker: verify.NewChecker(c, verify.Strict{}), now: c.Epoch}
	s.handler = s.Handler([]net.Addr{&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4040}})
	return s
}

// body is the payload of a state of one payment that ends in another.
func (s *scene) body(subject, state, toward string, index uint64) []byte {
	s.Helper()
	st := s.c.Subject(subject).State(state)
	p := payment.New(s.c, payment.Options{Seed: 7, Index: index, Start: s.c.Epoch, Toward: []*contract.State{s.c.Subject("invoice").State(toward)}})
	doc, err := generate.Payload(s.c, p, st, generate.Options{})
	if err != nil {
		s.Fatal(err)
	}
	return doc.AppendLiteral(nil)
}

// judged is a delivery as a listener records it.
func (s *scene) judged(body []byte, path string) journal.Record {
	v := s.checker.Check(body, path)
	s.now = s.now.Add(time.Second)
	r := journal.Record{
		Time: s.now, Direction: journal.Received, Attempt: 1, Method: http.MethodPost, Path: path, Headers: http.Header{"Content-Type": {"application/json"}}, Body: body,
		OK: v.OK(), Event: v.Event, ID: v.ID, PreviousState: v.Previous, Duplicate: v.Duplicate, Findings: v.Findings,
		Answer: journal.Answer{Status: http.StatusOK, Body: `{"status":"ok"}`}, LatencyMS: 1.5,
	}
	if v.State != nil {
		r.Subject, r.State = v.State.Subject.Name, v.State.Wire
	}
	if !r.OK {
		r.Answer.Status = http.StatusConflict
	}
	return r
}

// receive tells of the payload of a state, with old texts replaced by new ones.
func (s *scene) receive(subject, state, toward string, index uint64, oldNew ...string) journal.Record {
	s.Helper()
	body := []byte(strings.NewReplacer(oldNew...).Replace(string(s.body(subject, state, toward, index))))
	r := s.judged(body, s.c.Subject(subject).State(state).Path)
	s.Add(r)
	return r
}

// paid tells of a whole payment.
func (s *scene) paid(index uint64) {
	s.Helper()
	for _, st := range s.c.Flow {
		s.receive(st.Subject.Name, st.Name, "complete", index)
	}
}

// ask makes a request under the token, with headers.
func (s *scene) ask(method, path string, header ...string) *httptest.ResponseRecorder {
	s.Helper()
	return s.send(method, "http://127.0.0.1:4040/"+testToken+"/"+path, header...)
}

func (s *scene) send(method, url string, header ...string) *httptest.ResponseRecorder {
	s.Helper()
	r := httptest.NewRequestWithContext(s.Context(), method, url, strings.NewReader("{}"))
	for n := 0; n < len(header); n += 2 {
		r.Header.Add(header[n], header[n+1])
		if header[n] == "Host" {
			r.Host = header[n+1]
		}
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

// read asks for an answer and reads it.
func read[T any](s *scene, path string) T {
	s.Helper()
	var out T
	w := s.ask(http.MethodGet, path)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		s.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
		s.Fatalf("%s: %v in %s", path, err, w.Body)
	}
	return out
}
