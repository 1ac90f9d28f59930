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
	"github.com/paytest/paytest/internal/suggest"
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
	ui      *ui          // nil without --ui
	feed    *report.Feed // nil where deliveries are not written as text

	mu      sync.Mutex // guards what follows
	stop    context.CancelFunc
	totals  report.Totals
	missing []listen.Expectation
	came    bool // what --until names
	over    bool // nothing more is waited for
	late    bool // the time ran out
	cases   []report.Case

	failure error // of --exec, once it has ended
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
	opts := listen.Options{Contract: c, Checker: s.checker, AlwaysOK: o.alwaysOK, Now: a.Now, Wait: deliver.Sleep, Delay: o.delay, OnDelivery: s.received, Lend: true}
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
	if s.ui != nil {
		s.ui.close()
	}
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
	s.outputs, err = outputs(s.o.reports, report.Formats())
	return err
}

func (s *session) signature(opts *listen.Options) error {
	sig, err := s.signer(s.c, &s.o.secrets)
	opts.Secrets, opts.Scheme = sig.secrets, sig.scheme
	return err
}

func (s *session) filter(opts *listen.Options) error {
	wanted, err := eventFilter(s.c, s.o.events)
	if err != nil {
		return err
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
			return usage("--states: unknown state %q%s", name, suggest.Among(name, "states", stateNames(s.c)))
		}
	}
	if len(s.o.events)+len(spelled) > 0 {
		opts.Filter = func(event, state string) bool {
			// What names no event or state is no delivery that was not asked for, but a broken one.
			return (event == "" || wanted(event)) &&
				(len(spelled) == 0 || state == "" || slices.Contains(spelled, state))
		}
	}
	return nil
}

// eventFilter reads --events: names, or patterns such as b.*; without any, every
// event is wanted.
func eventFilter(c *contract.Contract, patterns []string) (func(event string) bool, error) {
	for _, pattern := range patterns {
		if !slices.ContainsFunc(c.EventNames(), matches(pattern)) {
			return nil, usage("--events: no event is called %q%s", pattern, suggest.Among(pattern, "events", c.EventNames()))
		}
	}
	return func(event string) bool {
		return len(patterns) == 0 || slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern)(event) })
	}, nil
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
	if r.Outcome != deliver.Answered {
		return s.unanswered(withoutQuery(u), r)
	}
	f := listen.Forwarded{URL: withoutQuery(u), Status: r.Status, Body: r.Body, Header: passed(r.Header)}
	if f.Header.Get("Content-Type") == "" {
		f.Header["Content-Type"] = nil // else one would be guessed
	}
	if r.Status < http.StatusOK {
		f.Status = http.StatusBadGateway // it cannot end an exchange
	}
	if !r.Success(s.c.Delivery.Success) {
		f.Finding = s.wrongAnswer(fmt.Sprintf("the endpoint answered %d", r.Status), fmt.Sprintf("%d after %s", r.Status, report.Duration(r.Latency)))
	}
	return f
}

// unanswered is what goes back when the endpoint gave no answer. Where that is
// since this program ends it is not the endpoint's fault.
func (s *session) unanswered(url string, r deliver.Result) listen.Forwarded {
	f := listen.Forwarded{URL: url, Status: http.StatusBadGateway, Body: []byte(`{"error":"The endpoint did not answer"}`)}
	if r.Outcome == deliver.TimedOut {
		f.Status = http.StatusGatewayTimeout
	}
	if r.Outcome != deliver.Canceled {
		f.Finding = s.wrongAnswer(fmt.Sprintf("the endpoint did not answer: %v", r.Err), string(r.Outcome))
	}
	return f
}

func (s *session) wrongAnswer(message, got string) *verify.Finding {
	return &verify.Finding{
		Code: verify.WrongAnswer, Severity: verify.Violation, Source: s.c.Delivery.Source, Message: message,
		Expected: fmt.Sprintf("%s within %s", statuses(s.c.Delivery.Success), s.c.Delivery.Timeout), Got: got,
	}
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
func (s *session) received(d *verify.Delivery) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.totals.Add(&d.Verdict)
	s.show(d)
	if s.ui != nil {
		s.ui.Add(bareRecord(d))
	}
	if len(s.outputs) > 0 || s.annotated() {
		s.cases = append(s.cases, deliveryCase(s.totals.Deliveries, *d))
	}
	if s.over {
		return // what comes while the program under test ends is judged, and no longer waited for
	}
	expecting := len(s.missing) > 0
	s.missing = slices.DeleteFunc(s.missing, func(e listen.Expectation) bool { return e.Met(d.Verdict) })
	if s.until != nil && s.until.Met(d.Verdict) {
		s.came = true
	}
	if s.came || s.until == nil && expecting && len(s.missing) == 0 || s.o.maxEvents > 0 && s.totals.Deliveries >= s.o.maxEvents {
		s.over = true
		s.stop()
	}
}

// show writes a delivery: text for people, who need not see each, when they can;
// lines for a program, which needs each, before the delivery is answered.
func (s *session) show(d *verify.Delivery) {
	switch {
	case s.feed != nil:
		s.feed.Add(*d)
	case s.o.output == "ndjson":
		s.out.JSON("delivery", record(d))
	}
}

// waiting reports whether an event is still expected, and for how long is known.
func (s *session) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.o.timeout > 0 && !s.over && (len(s.missing) > 0 || s.until != nil && !s.came)
}

// timedOut ends the session, whatever has not come.
func (s *session) timedOut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over, s.late = true, true
	s.stop()
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
	asked, stop := context.WithCancel(ctx)
	defer stop()
	s.mu.Lock()
	s.stop = stop
	s.mu.Unlock()
	url := "http://" + listeners[0].Addr().String()
	s.ready(listeners)
	if s.ui != nil {
		defer s.ui.start(ctx, s.app)()
	}
	if s.o.readyFile != "" {
		if err := s.WriteFile(s.o.readyFile, []byte(url+"\n")); err != nil {
			return usage("--ready-file: %w", err)
		}
	}
	serving, wait, err := s.launch(ctx, asked, url)
	if err != nil {
		return err
	}
	if s.o.timeout > 0 {
		timer := time.AfterFunc(s.o.timeout, s.timedOut)
		defer timer.Stop()
	}
	if s.o.output == "text" {
		s.feed = report.NewFeed(s.out)
	}
	err = listen.Serve(serving, listeners, s.handler, s.crowded)
	stop()
	wait()
	if s.feed != nil {
		s.feed.Close()
	}
	if err != nil {
		return &exitError{exitConnect, err}
	}
	return s.end(started)
}

// crowded tells that there were too many connections.
func (s *session) crowded() {
	s.err.Line(report.S(report.Caution, "note:"), report.T(" more than %d connections at once: for each further one, that is closed which waits longest for a delivery to be whole", listen.MaxConnections))
}

// launch starts the program under test, if there is one. It returns until when
// deliveries are taken, and what waits for the program's end. The program is to
// read its last answer, and to fail where it does not like it, before it is
// ended.
func (s *session) launch(ctx, asked context.Context, url string) (serving context.Context, wait func(), err error) {
	if s.o.exec == "" {
		return asked, func() {}, nil
	}
	program, kill := context.WithCancel(context.WithoutCancel(ctx))
	exit, err := s.Start(program, s.o.exec, []string{urlEnv + "=" + url})
	if err != nil {
		kill()
		return nil, nil, usage("--exec: %w", err)
	}
	serving, over := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer over()
		err := exit()
		if err != nil && program.Err() == nil && ctx.Err() == nil {
			s.failure = err
		}
		if err == nil && s.waiting() {
			<-asked.Done() // what the program set off may take its time
		}
	}()
	context.AfterFunc(asked, func() {
		defer kill()
		select {
		case <-ended:
		case <-time.After(grace):
		}
	})
	return serving, func() { <-ended }, nil
}

// notFound reports whether a shell says that there is no such program, or that it
// may not be run.
func notFound(err error) bool {
	var exit interface{ ExitCode() int }
	return errors.As(err, &exit) && (exit.ExitCode() == 126 || exit.ExitCode() == 127)
}

// end writes the reports and the summary, and says how it went.
func (s *session) end(started time.Time) error {
	sum := s.checker.Summary()
	if s.until != nil && !s.came {
		s.missing = append(s.missing, *s.until)
	}
	var words []string
	for _, e := range s.missing {
		words = append(words, e.Text)
		s.cases = append(s.cases, report.Case{Class: "paytest.listen", Name: "expected " + e.Text, Status: report.Failed, Message: "the event never came"})
	}
	if lacking := s.o.maxEvents - s.totals.Deliveries; lacking > 0 && s.late {
		words = append(words, fmt.Sprintf("%d of %d deliveries", lacking, s.o.maxEvents))
	}
	if s.failure != nil {
		s.cases = append(s.cases, report.Case{Class: "paytest.listen", Name: "program", Status: report.Failed, Message: "the program of --exec failed: " + s.failure.Error()})
	}
	suite := report.Suite{
		Name: "paytest listen", Started: started, Duration: s.Now().Sub(started), Cases: s.cases, Coverage: sum.Edges, Notes: sum.Gaps,
		Properties: [][2]string{{"version", s.version()}},
	}
	if err := s.writeReports(s.outputs, suite); err != nil {
		return err
	}
	for _, f := range s.handler.Missed() {
		s.totals.Warnings++
		if s.o.output == "ndjson" {
			s.out.JSON("finding", f)
		} else {
			s.out.Findings([]verify.Finding{f}, "")
		}
	}
	failed := s.summary("delivery", s.o.output == "ndjson", s.totals, sum)
	var missing error
	if len(words) > 0 {
		missing = &exitError{exitMissing, errors.New("never came: " + strings.Join(words, "; "))}
	}
	switch {
	case failed != nil && missing != nil:
		return &exitError{exitViolation, missing}
	case failed != nil:
		return failed
	case s.failure != nil && notFound(s.failure):
		return usage("--exec %q could not be run: %w", s.o.exec, s.failure)
	case s.failure != nil:
		return &exitError{exitViolation, fmt.Errorf("the program of --exec failed: %w", s.failure)}
	}
	return missing
}
