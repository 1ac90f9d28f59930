package inspect

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// noReply is an http.ResponseWriter that throws away what it is told.
type noReply struct{ header http.Header }

func (r noReply) Header() http.Header              { return r.header }
func (noReply) Write(b []byte) (int, error)        { return len(b), nil }
func (noReply) WriteHeader(int)                    {}
func (noReply) SetWriteDeadline(_ time.Time) error { return nil }

// recorded is a delivery as the command line hands it over.
func recorded(d verify.Delivery) journal.Record {
	v := report.NewVerdictJSON(&d.Verdict)
	return journal.Record{
		Time: d.Time.UTC(), Direction: journal.Received, Attempt: d.Attempt, Method: d.Method, Path: d.Path, Headers: d.Header, Body: d.Body,
		OK: v.OK, Event: v.Event, Subject: v.Subject, ID: v.ID, State: v.State, PreviousState: v.PreviousState, Duplicate: v.Duplicate, Findings: v.Findings,
		Answer: journal.Answer{Status: d.Status, Body: string(d.Answer)}, LatencyMS: report.Milliseconds(d.Latency),
	}
}

type posted struct {
	path string
	body []byte
}

func (s *scene) posts(payments int) []posted {
	var out []posted
	for i := range payments {
		p := payment.New(s.c, payment.Options{Seed: 1, Index: uint64(i), Start: s.c.Epoch, Toward: s.c.Flow})
		for _, st := range s.c.Flow {
			doc, err := generate.Payload(s.c, p, st, generate.Options{})
			if err != nil {
				s.Fatal(err)
			}
			out = append(out, posted{st.Path, doc.AppendCanonical(nil)})
		}
	}
	return out
}

// BenchmarkListener is what a listener does with a delivery, the network apart:
// without an inspector, with one, and with one whose page is open.
func BenchmarkListener(b *testing.B) {
	for _, name := range []string{"without", "with", "open"} {
		b.Run(name, func(b *testing.B) {
			s := newScene(b)
			all := s.posts(2000)
			o := listen.Options{Contract: s.c, Checker: s.checker, Now: time.Now, OnDelivery: func(*verify.Delivery) {}}
			if name != "without" {
				o.OnDelivery = func(d *verify.Delivery) { s.Add(recorded(*d)) }
			}
			if name == "open" {
				defer s.looked(b)()
			}
			h := listen.New(o)
			header := http.Header{"Content-Type": {"application/json"}, "User-Agent": {"x"}, "Content-Length": {"500"}, "Accept-Encoding": {"gzip"}}
			w := noReply{http.Header{}}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				p := all[i%len(all)]
				r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, p.path, bytes.NewReader(p.body))
				if err != nil {
					b.Fatal(err)
				}
				r.Header = header
				h.ServeHTTP(w, r)
			}
		})
	}
}

// looked opens the page's stream, which somebody reads until the returned
// function is called.
func (s *scene) looked(b *testing.B) (end func()) {
	b.Helper()
	ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(b.Context())
	served, read := make(chan error, 1), make(chan struct{})
	go func() { served <- s.Serve(ctx, []net.Listener{ln}) }()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+ln.Addr().String()+"/"+testToken+"/api/stream", nil)
	if err != nil {
		b.Fatal(err)
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r) //nolint:bodyclose // its reader does
	if err != nil || answer.StatusCode != http.StatusOK {
		b.Fatal(answer, err)
	}
	go func() {
		defer close(read)
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}()
	return func() {
		stop()
		if err := <-served; err != nil {
			b.Error(err)
		}
		<-read
	}
}

// BenchmarkAdd is what a delivery pays for being looked at.
func BenchmarkAdd(b *testing.B) {
	s := newScene(b)
	r := s.receive("invoice", "complete", "complete", 0)
	b.ReportAllocs()
	for b.Loop() {
		s.Add(r)
	}
}

// BenchmarkRow is what the page pays for a row.
func BenchmarkRow(b *testing.B) {
	s := newScene(b)
	s.receive("invoice", "complete", "complete", 0)
	found, seen, _ := s.store.after(0, 1)
	out := &stream{Inspector: s.Inspector}
	b.ReportAllocs()
	for b.Loop() {
		out.text.Reset()
		out.rows(found, seen)
	}
}

// BenchmarkDigest is what the first look at a delivery among all costs.
func BenchmarkDigest(b *testing.B) {
	s := newScene(b)
	all := s.posts(1000)
	for _, p := range all {
		s.Add(s.judged(p.body, p.path))
	}
	found, _, _ := s.store.after(0, len(all))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.digest.add(found[i%len(found)])
	}
}

// BenchmarkLoaded loads a listener through the network as one who sends as fast as
// it answers: without an inspector, with one, and with one whose page is open.
func BenchmarkLoaded(b *testing.B) {
	for _, name := range []string{"without", "with", "open"} {
		b.Run(name, func(b *testing.B) {
			s := newScene(b)
			o := listen.Options{Contract: s.c, Checker: verify.NewChecker(s.c, verify.Strict{}), Now: time.Now, OnDelivery: func(*verify.Delivery) {}}
			if name != "without" {
				o.OnDelivery = func(d *verify.Delivery) { s.Add(recorded(*d)) }
			}
			if name == "open" {
				defer s.looked(b)()
			}
			ln, err := (&net.ListenConfig{}).Listen(b.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(b.Context())
			served := make(chan error, 1)
			go func() { served <- listen.Serve(ctx, []net.Listener{ln}, listen.New(o), func() {}) }()
			b.ReportAllocs()
			s.load(b, "http://"+ln.Addr().String())
			stop()
			if err := <-served; err != nil {
				b.Error(err)
			}
		})
	}
}

func (s *scene) load(b *testing.B, url string) {
	b.Helper()
	all := s.posts(2000)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	for i := 0; b.Loop(); i++ {
		p := all[i%len(all)]
		r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+p.path, bytes.NewReader(p.body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := transport.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
}
