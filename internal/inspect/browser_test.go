package inspect_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/inspect"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

const pageToken = "0123456789abcdef0123456789abcdef"

// newBrowser starts a Chromium, or skips the test where there is none.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		t.Skip("no Chromium is installed: the page is not tested in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", false))
	allocator, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, end := chromedp.NewContext(allocator)
	t.Cleanup(end)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// tab is one page in the browser. What goes wrong in it fails the test.
type tab struct {
	t   *testing.T
	ctx context.Context
	mu  sync.Mutex
	// forgiven is part of the errors that are to be expected.
	forgiven string
	errors   []string
	// resumed are the places from which streams were asked for again.
	resumed []string
}

func newTab(browser context.Context, t *testing.T) *tab {
	t.Helper()
	ctx, end := chromedp.NewContext(browser)
	p := &tab{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(eval[string](p, `document.body.innerText.slice(0, 3000)`))
		}
		end()
		for _, e := range p.errors {
			t.Errorf("the console says: %s", e)
		}
	})
	return p
}

func (p *tab) hear(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	case *runtime.EventConsoleAPICalled:
		text = fmt.Sprint(e.Type)
	case *network.EventRequestWillBeSentExtraInfo:
		at, ok := e.Headers["Last-Event-ID"]
		if ok {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.resumed = append(p.resumed, fmt.Sprint(at))
		}
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if text != "" && (p.forgiven == "" || !strings.Contains(text, p.forgiven)) {
		p.errors = append(p.errors, text)
	}
}

func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// eval computes an expression in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits until an expression is true in the page.
func (p *tab) until(expression string) {
	p.t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[chromedp.Void](expression, chromedp.WithPollingTimeout(0))); err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
}

// text waits until an element that a selector finds holds a text.
func (p *tab) text(selector, want string) {
	p.t.Helper()
	p.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%q))`, selector, want))
}

func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// press presses keys as a keyboard does: what a page does not want typed is not.
func (p *tab) press(keys string) {
	p.t.Helper()
	for _, r := range keys {
		events := kb.Encode(r)
		if len(events) == 3 {
			events[0].Text = events[1].Text
			events = []*input.DispatchKeyEventParams{events[0], events[2]}
		}
		for _, e := range events {
			if _, err := chromedp.Call(p.ctx, input.DispatchKeyEvent, *e); err != nil {
				p.t.Fatal(err)
			}
		}
	}
}

// look is how the page is looked at.
type look struct {
	name          string
	width, height int64
	dark          bool
}

func (p *tab) as(l look) {
	p.t.Helper()
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	p.do(chromedp.EmulateViewport(l.width, l.height))
	if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}}); err != nil {
		p.t.Fatal(err)
	}
}

// shoot writes what is seen into the folder that SCREENSHOTS names.
func (p *tab) shoot(name string) {
	p.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, name+".png"), png, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// stage is an inspector that is served, and the listener before it.
type stage struct {
	t        *testing.T
	c        *contract.Contract
	i        *inspect.Inspector
	url      string
	listener *cuttable
	handler  *listen.Handler
	// again are the records that were resent.
	again chan journal.Record
	now   time.Time
}

// cuttable is a listener whose connections can be cut.
type cuttable struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (c *cuttable) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

func (c *cuttable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func newStage(t *testing.T) *stage {
	t.Helper()
	return newStageOf(t, 0)
}

// newStageOf makes a stage that keeps so many records.
func newStageOf(t *testing.T, kept int) *stage {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{t: t, c: c, again: make(chan journal.Record, 8), now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)}
	var mu sync.Mutex
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		s.now = s.now.Add(time.Duration(317+s.now.UnixNano()/1e6%11*490) * time.Microsecond)
		return s.now
	}
	s.i = inspect.New(inspect.Options{
		Contract: c, Title: "listening on 127.0.0.1:3000", Live: true, Token: pageToken, Now: time.Now,
		Target: "http://127.0.0.1:8080", Program: "paytest", MaxRecords: kept,
		Resend: func(_ context.Context, r journal.Record) (journal.Record, error) {
			s.again <- r
			r.Direction, r.Answer, r.LatencyMS = journal.Sent, journal.Answer{Status: 200, Body: `{"status":"ok"}`}, 3.2
			return r, nil
		},
	})
	s.handler = listen.New(listen.Options{
		Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: now,
		OnDelivery: func(d *listen.Delivery) { s.i.Add(received(*d)) },
	})
	s.serve()
	return s
}

func (s *stage) serve() {
	s.t.Helper()
	ln, err := new(net.ListenConfig).Listen(s.t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.listener = &cuttable{Listener: ln}
	s.url = "http://" + ln.Addr().String() + "/" + pageToken + "/"
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.i.Serve(ctx, []net.Listener{s.listener}) }()
	s.t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			s.t.Error(err)
		}
	})
}

// received is a delivery as a journal has it.
func received(d verify.Delivery) journal.Record {
	r := journal.Record{
		Time: d.Time, Direction: journal.Received, Attempt: d.Attempt, Method: d.Method, Path: d.Path, Headers: d.Header, Body: d.Body,
		OK: d.Verdict.OK(), Event: d.Verdict.Event, ID: d.Verdict.ID, PreviousState: d.Verdict.Previous, Duplicate: d.Verdict.Duplicate,
		Findings: d.Verdict.Findings, Answer: journal.Answer{Status: d.Status, Body: string(d.Answer)}, LatencyMS: float64(d.Latency) / float64(time.Millisecond),
	}
	if st := d.Verdict.State; st != nil {
		r.Subject, r.State = st.Subject.Name, st.Wire
	}
	return r
}

// deliver posts a body to the listener.
func (s *stage) deliver(path, body string) {
	s.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "paytest")
	s.handler.ServeHTTP(httptest.NewRecorder(), r)
}

// body is what reports a state of one payment, on its way to another.
func (s *stage) body(subject, state, toward string, index uint64) (path, body string) {
	s.t.Helper()
	st := s.c.Subject(subject).State(state)
	p := payment.New(s.c, payment.Options{Seed: 7, Index: index, Start: s.c.Epoch, Toward: []*contract.State{s.c.Subject("invoice").State(toward)}})
	doc, err := generate.Payload(s.c, p, st, generate.Options{})
	if err != nil {
		s.t.Fatal(err)
	}
	return st.Path, string(doc.AppendCanonical(nil))
}

// report delivers a state of one payment.
func (s *stage) report(subject, state, toward string, index uint64) {
	s.t.Helper()
	s.deliver(s.body(subject, state, toward, index))
}

// changed is a body with members of its data replaced; nil removes one.
func (s *stage) changed(body string, members map[string]any) string {
	s.t.Helper()
	var doc map[string]any
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		s.t.Fatal(err)
	}
	data, _ := doc["data"].(map[string]any)
	for name, v := range members {
		if v == nil {
			delete(data, name)
		} else {
			data[name] = v
		}
	}
	out, err := json.Marshal(doc)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(out)
}

// paid delivers a whole payment, and some more of the same.
func (s *stage) paid(index uint64) {
	s.report("transaction", "created", "complete", index)
	s.report("invoice", "pending", "complete", index)
	s.report("transaction", "complete", "complete", index)
	s.report("invoice", "complete", "complete", index)
}
