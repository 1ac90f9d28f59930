package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// session is one time of listening.
type session struct {
	*app
	o       *listenOptions
	c       *contract.Contract
	checker *verify.Checker
	handler *listen.Handler
	journal *recorder
	forward *deliver.Client
	outputs []report.Output
	until   *listen.Expectation

	mu      sync.Mutex // guards what follows
	stop    context.CancelFunc
	totals  report.Totals
	missing []listen.Expectation
	ended   bool // by --until
	cases   []report.Case
	failure error // of --exec
}

// grace is how long the program of --exec may go on after the last answer.
const grace = 2 * time.Second

// session checks the options.
func (a *app) session(o *listenOptions) (*session, error) {
	if err := oneOf("output", o.output, "text", "quiet", "ndjson"); err != nil {
		return nil, err
	}
	strict, err := parseStrict(o.strict)
	if err != nil {
		return nil, err
	}
	c, err := a.contract()
	if err != nil {
		return nil, err
	}
	s := &session{app: a, o: o, c: c, checker: verify.NewChecker(c, strict)}
	opts := listen.Options{Contract: c, Checker: s.checker, AlwaysOK: o.alwaysOK, Now: a.Now, Wait: deliver.Sleep, Delay: o.delay, OnDelivery: s.received}
	for _, set := range []func(*listen.Options) error{s.expectations, s.signature, s.filter, s.response, s.forwarding, s.recording} {
		if err := set(&opts); err != nil {
			return nil, err
		}
	}
	s.handler = listen.New(opts)
	return s, nil
}

func (s *session) close() {
	s.journal.close()
	if s.forward != nil {
		s.forward.Close()
	}
}

func (s *session) expectations(*listen.Options) error {
	for _, text := range s.o.expect {
		e, err := listen.ParseExpectation(s.c, text)
		if err != nil {
			return usage("--expect %w", err)
		}
		s.missing = append(s.missing, e)
	}
	if s.o.until != "" {
		e, err := listen.ParseExpectation(s.c, s.o.until)
		if err != nil {
			return usage("--until %w", err)
		}
		s.until = &e
	}
	if s.o.maxEvents < 0 || s.o.timeout < 0 || s.o.delay < 0 || s.o.recordMax < 0 {
		return usage("--max-events, --timeout, --delay and --record-max take nothing below zero")
	}
	var err error
	s.outputs, err = outputs(s.o.reports)
	return err
}

func (s *session) signature(opts *listen.Options) error {
	sig, err := s.signer(s.c, &s.o.secrets)
	opts.Secrets, opts.Scheme = sig.secrets, sig.scheme
	return err
}

func (s *session) filter(opts *listen.Options) error {
	for _, pattern := range s.o.events {
		if !slices.ContainsFunc(s.c.EventNames(), matches(pattern)) {
			return usage("--events: no event is called %q%s", pattern, choices(pattern, "events", s.c.EventNames()))
		}
	}
	var spelled []string
	for _, name := range s.o.states {
		n := len(spelled)
		for _, sub := range s.c.Subjects {
			if st := sub.State(name); st != nil && !st.IsInitial() {
				spelled = append(spelled, st.Wire)
			}
		}
		if len(spelled) == n {
			return usage("--states: unknown state %q%s", name, choices(name, "states", stateNames(s.c)))
		}
	}
	if len(s.o.events)+len(spelled) > 0 {
		opts.Filter = func(event, state string) bool {
			wanted := func(pattern string) bool { return matches(pattern)(event) }
			return (len(s.o.events) == 0 || slices.ContainsFunc(s.o.events, wanted)) && (len(spelled) == 0 || slices.Contains(spelled, state))
		}
	}
	return nil
}

func matches(pattern string) func(string) bool {
	return func(name string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	}
}

func (s *session) response(opts *listen.Options) error {
	text := s.o.respond
	switch {
	case s.o.drop && text != "":
		return usage("--drop and --respond exclude each other: give one of them")
	case s.o.drop:
		text = "drop"
	case text == "":
		return nil
	}
	r, err := listen.ParseResponse(text)
	if err != nil {
		return usage("--respond %w", err)
	}
	opts.Response = &r
	return nil
}

func (s *session) recording(opts *listen.Options) error {
	var err error
	s.journal, err = s.recorder(s.o.record, journal.Options{MaxBytes: s.o.recordMax, Keep: 9})
	if s.journal != nil {
		opts.Record = s.journal.received
	}
	return err
}

func (s *session) forwarding(opts *listen.Options) error {
	if s.o.forwardTo == "" {
		return nil
	}
	if opts.Response != nil {
		return usage("--forward-to and --respond exclude each other: either your endpoint answers, or paytest does")
	}
	var err error
	if s.forward, err = s.forwarder(s.c, s.o); err != nil {
		return err
	}
	opts.Forward = s.pass
	return nil
}

// pass hands a delivery on, byte for byte, and judges the answer.
func (s *session) pass(ctx context.Context, d verify.Delivery) listen.Forwarded {
	u, err := deliver.ResolveURL(s.o.forwardTo, d.Path)
	if err != nil {
		return listen.Forwarded{Status: http.StatusBadGateway}
	}
	r := s.forward.Post(ctx, u, passed(d.Header), d.Body)
	f := listen.Forwarded{URL: r.URL, Status: r.Status, Body: r.Body, ContentType: r.Header.Get("Content-Type")}
	if r.Success(s.c.Delivery.Success) {
		return f
	}
	f.Finding = &verify.Finding{
		Code: verify.WrongAnswer, Severity: verify.Violation, Source: s.c.Delivery.Source,
		Message:  fmt.Sprintf("the endpoint answered %d", r.Status),
		Expected: fmt.Sprintf("%s within %s", statuses(s.c.Delivery.Success), s.c.Delivery.Timeout), Got: fmt.Sprintf("%d after %s", r.Status, report.Duration(r.Latency)),
	}
	if r.Outcome != deliver.Answered {
		f.Finding.Message, f.Finding.Got = fmt.Sprintf("the endpoint did not answer: %v", r.Err), string(r.Outcome)
		f.Status, f.Body = http.StatusBadGateway, []byte(`{"error":"The endpoint did not answer"}`)
		if r.Outcome == deliver.TimedOut {
			f.Status = http.StatusGatewayTimeout
		}
	}
	return f
}

// passed are the headers that concern the delivery and not the connection.
func passed(h http.Header) http.Header {
	out := h.Clone()
	drop := []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Expect", "Host"}
	for _, line := range h.Values("Connection") {
		for name := range strings.SplitSeq(line, ",") {
			drop = append(drop, http.CanonicalHeaderKey(strings.TrimSpace(name)))
		}
	}
	for _, name := range drop {
		out.Del(name)
	}
	return out
}

// received takes note of a delivery; the handler calls it one at a time.
func (s *session) received(d verify.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Add(d.Verdict)
	s.show(d, s.o.output)
	if len(s.outputs) > 0 || s.annotated() {
		s.cases = append(s.cases, deliveryCase(s.totals.Deliveries, d))
	}
	expecting := len(s.missing) > 0
	s.missing = slices.DeleteFunc(s.missing, func(e listen.Expectation) bool { return e.Met(d.Verdict) })
	switch {
	case s.until != nil && s.until.Met(d.Verdict):
		s.ended = true
		s.stop()
	case s.until == nil && expecting && len(s.missing) == 0:
		s.stop()
	case s.o.maxEvents > 0 && s.totals.Deliveries >= s.o.maxEvents:
		s.stop()
	}
}

func (a *app) annotated() bool {
	v, _ := a.LookupEnv("GITHUB_ACTIONS")
	return v == "true"
}

func deliveryCase(n int, d verify.Delivery) report.Case {
	name := fmt.Sprintf("%d %s %s", n, d.Method, d.Path)
	if d.Verdict.State != nil {
		name = fmt.Sprintf("%d %s", n, d.Verdict.State)
	}
	c := verdictCase("paytest.listen", name, d.Verdict, d.Body)
	c.Duration = d.Latency
	return c
}

// serve takes deliveries until it is interrupted, or until what was asked for
// has come or the time is over.
func (s *session) serve(ctx context.Context, listeners []net.Listener) error {
	started := s.Now()
	var running sync.WaitGroup
	s.mu.Lock()
	ctx, s.stop = context.WithCancel(ctx)
	s.mu.Unlock()
	defer s.stop()
	if s.o.timeout > 0 {
		timer := time.AfterFunc(s.o.timeout, s.stop)
		defer timer.Stop()
	}
	// The program under test is to read its last answer before it is ended.
	program, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	url := "http://" + listeners[0].Addr().String()
	s.ready(s.c, listeners, s.o.output)
	if s.o.readyFile != "" {
		if err := s.WriteFile(s.o.readyFile, []byte(url+"\n")); err != nil {
			return usage("--ready-file: %w", err)
		}
	}
	if s.o.exec != "" {
		wait, err := s.Start(program, s.o.exec, []string{urlEnv + "=" + url})
		if err != nil {
			return usage("--exec: %w", err)
		}
		running.Go(func() { s.exited(ctx, wait()) })
	}
	err := listen.Serve(ctx, listeners, s.handler)
	s.stop()
	timer := time.AfterFunc(grace, kill)
	running.Wait()
	timer.Stop()
	if err != nil {
		return &exitError{exitConnect, err}
	}
	return s.end(started)
}

// exited ends the session with the program under test.
func (s *session) exited(ctx context.Context, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		s.failure = err
	}
	s.stop()
}

// end writes the reports and the summary, and says how it went.
func (s *session) end(started time.Time) error {
	sum := s.checker.Summary()
	late := !s.ended && s.until != nil
	for _, e := range s.missing {
		s.cases = append(s.cases, report.Case{Class: "paytest.listen", Name: "expected " + e.Text, Status: report.Failed, Message: "the event never came"})
	}
	suite := report.Suite{
		Name: "paytest listen", Started: started, Duration: s.Now().Sub(started), Cases: s.cases, Coverage: sum.Edges, Notes: sum.Gaps,
		Properties: [][2]string{{"version", s.version()}},
	}
	if err := s.writeReports(s.outputs, suite); err != nil {
		return err
	}
	failed := s.summary("delivery", s.o.output == "ndjson", s.totals, sum)
	var words []string
	for _, e := range s.missing {
		words = append(words, e.Text)
	}
	if late {
		words = append(words, s.until.Text)
	}
	switch {
	case failed != nil:
		return failed
	case s.failure != nil:
		return &exitError{exitViolation, fmt.Errorf("the program of --exec failed: %w", s.failure)}
	case len(words) > 0:
		return &exitError{exitMissing, errors.New("never came: " + strings.Join(words, "; "))}
	}
	return nil
}
