package inspect

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/journal"
)

// wires is a listener whose connections are pipes, so that all of it happens in
// the time of a test.
type wires struct {
	accepted chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func newWires() *wires { return &wires{accepted: make(chan net.Conn), closed: make(chan struct{})} }

func (w *wires) Accept() (net.Conn, error) {
	select {
	case c := <-w.accepted:
		return c, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

func (w *wires) Close() error {
	w.once.Do(func() { close(w.closed) })
	return nil
}

func (*wires) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4040} }

func (w *wires) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case w.accepted <- there:
		return here, nil
	case <-w.closed:
		return nil, net.ErrClosed
	}
}

// live is a scene that is served.
type live struct {
	*scene
	wires  *wires
	stop   func()
	served chan error
}

// serve begins to serve a scene; in a synctest bubble, what it leaves behind fails
// the test.
func (s *scene) serve() *live {
	ctx, stop := context.WithCancel(s.Context())
	l := &live{scene: s, wires: newWires(), stop: stop, served: make(chan error, 1)}
	go func() { l.served <- s.Serve(ctx, []net.Listener{l.wires}) }()
	s.Cleanup(stop)
	return l
}

// end ends serving, and holds that it ends well.
func (l *live) end() {
	l.Helper()
	l.stop()
	if err := <-l.served; err != nil {
		l.Error(err)
	}
}

// reader is somebody who looks.
type reader struct {
	*live
	answer *http.Response
	in     *bufio.Reader
	leave  func()
	// gathered gets what gather has read.
	gathered chan []string
}

// gather reads all events that are still to come, as a browser does.
func (r *reader) gather() {
	r.gathered = make(chan []string, 1)
	go func() {
		var all []string
		for e := r.event(); e != ""; e = r.event() {
			all = append(all, r.short(e))
		}
		r.gathered <- all
	}()
}

func (l *live) open(path string, header ...string) *reader {
	l.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1:4040/"+testToken+"/"+path, nil)
	if err != nil {
		l.Fatal(err)
	}
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	answer, err := (&http.Transport{DialContext: l.wires.dial, DisableKeepAlives: true}).RoundTrip(r) //nolint:bodyclose // leave does
	if err != nil {
		l.Fatal(err)
	}
	return &reader{live: l, answer: answer, in: bufio.NewReader(answer.Body), leave: func() {
		cancel()
		_ = answer.Body.Close()
	}}
}

// event reads the next event; the empty one is the end.
func (r *reader) event() string {
	r.Helper()
	var lines []string
	for {
		line, err := r.in.ReadString('\n')
		if err != nil {
			return ""
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return strings.Join(lines, "\n")
		}
		lines = append(lines, line)
	}
}

func (r *reader) expect(want ...string) {
	r.Helper()
	for _, w := range want {
		if got := r.short(r.event()); got != w {
			r.Errorf("came %q, want %q", got, w)
		}
	}
}

// short leaves of a row its number.
func (r *reader) short(event string) string {
	r.Helper()
	head, data, ok := strings.Cut(event, "event: rows\ndata: ")
	if !ok {
		return event
	}
	var rows []Row
	if err := json.Unmarshal([]byte(data), &rows); err != nil {
		r.Fatal(err)
	}
	first, last := rows[0].N, rows[len(rows)-1].N
	if last-first != uint64(len(rows)-1) {
		r.Errorf("rows %d to %d are %d", first, last, len(rows))
	}
	return fmt.Sprintf("%srows %d-%d", head, first, last)
}

func status(total, forgotten uint64, live bool) string {
	return fmt.Sprintf(`event: status%sdata: {"total":%d,"violations":0,"warnings":0,"forgotten":%d,"first":%d,"live":%t}`, "\n", total, forgotten, forgotten+1, live)
}

const theEnd = "event: end\ndata: {}"

func (s *scene) many(n int) {
	for range n {
		s.Add(journal.Record{OK: true, Time: s.now})
	}
}

func TestStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		l.many(2)
		r := l.open("api/stream")
		if r.answer.StatusCode != http.StatusOK || r.answer.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("%d %v", r.answer.StatusCode, r.answer.Header)
		}
		protected(t, r.answer.Header)
		r.expect("retry: 1000", status(2, 0, true), "id: 2\nrows 1-2", status(2, 0, true))
		began := time.Now()
		l.many(3)
		r.expect("id: 5\nrows 3-5", status(5, 0, true))
		if waited := time.Since(began); waited != pace {
			t.Errorf("what is new was told after %s", waited)
		}
		synctest.Wait()
		<-time.After(time.Second)
		began = time.Now()
		l.many(1)
		r.expect("id: 6\nrows 6-6", status(6, 0, true))
		if waited := time.Since(began); waited != 0 {
			t.Errorf("after a silence it was told after %s", waited)
		}
		l.many(1)
		l.stop()
		r.expect("id: 7\nrows 7-7", status(7, 0, false), status(7, 0, false), theEnd, "")
		l.end()
	})
}

// TestStreamBatches: what has piled up comes at once, in pieces.
func TestStreamBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		l.many(2500)
		began := time.Now()
		r := l.open("api/stream")
		r.expect("retry: 1000", status(2500, 0, true), "id: 1000\nrows 1-1000", status(2500, 0, true), "id: 2000\nrows 1001-2000", status(2500, 0, true), "id: 2500\nrows 2001-2500", status(2500, 0, true))
		if waited := time.Since(began); waited != 0 {
			t.Errorf("it took %s", waited)
		}
		l.many(2500)
		r.expect("id: 3500\nrows 2501-3500", status(5000, 0, true), "id: 4500\nrows 3501-4500", status(5000, 0, true), "id: 5000\nrows 4501-5000", status(5000, 0, true))
		if waited := time.Since(began); waited != 3*pace {
			t.Errorf("what came since was told within %s", waited)
		}
		r.leave()
		l.end()
	})
}

func TestStreamOfAJournalEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		l.many(2)
		l.End()
		for range 2 {
			l.open("api/stream").expect("retry: 1000", status(2, 0, false), "id: 2\nrows 1-2", status(2, 0, false), status(2, 0, false), theEnd, "")
		}
		l.open("api/stream?after=2").expect("retry: 1000", status(2, 0, false), status(2, 0, false), theEnd, "")
		l.end()
	})
}

func TestStreamResumes(t *testing.T) {
	for _, test := range []struct {
		name, path string
		header     []string
		want       string
	}{
		{"from the start", "api/stream", nil, "id: 9\nrows 5-9"},
		{"by header", "api/stream", []string{"Last-Event-ID", "7"}, "id: 9\nrows 8-9"},
		{"by query", "api/stream?after=7", nil, "id: 9\nrows 8-9"},
		{"the header is newer", "api/stream?after=5", []string{"Last-Event-ID", "8"}, "id: 9\nrows 9-9"},
		{"from what is forgotten", "api/stream?after=2", nil, "id: 9\nrows 5-9"},
		{"from the last that is forgotten", "api/stream?after=4", nil, "id: 9\nrows 5-9"},
		{"from what never was", "api/stream?after=10", nil, "id: 9\nrows 5-9"},
		{"from nonsense", "api/stream?after=x", nil, "id: 9\nrows 5-9"},
		{"from beyond all numbers", "api/stream", []string{"Last-Event-ID", "99999999999999999999999"}, "id: 9\nrows 5-9"},
		{"from below all numbers", "api/stream", []string{"Last-Event-ID", "-1"}, "id: 9\nrows 5-9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newScene(t, func(o *Options) { o.MaxRecords = 5 }).serve()
				l.many(9)
				r := l.open(test.path, test.header...)
				r.expect("retry: 1000", status(9, 4, true), test.want, status(9, 4, true))
				r.leave()
				l.end()
			})
		})
	}
}

// TestStreamStaysAlive: a silence is broken before anybody takes it for the end,
// and outlasts every time limit of the server.
func TestStreamStaysAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		r := l.open("api/stream")
		r.expect("retry: 1000", status(0, 0, true))
		began := time.Now()
		for n := range 40 {
			r.expect(": still here")
			if waited := time.Since(began); waited != time.Duration(n+1)*silence {
				t.Fatalf("the silence was broken after %s", waited)
			}
		}
		l.many(1)
		r.expect("id: 1\nrows 1-1", status(1, 0, true))
		r.leave()
		l.end()
	})
}

// TestSlowReaderIsDropped: somebody who does not read costs nobody anything, and
// resumes where he was.
func TestSlowReaderIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		slow, quick := l.open("api/stream"), l.open("api/stream")
		slow.expect("retry: 1000", status(0, 0, true))
		quick.expect("retry: 1000", status(0, 0, true))
		quick.gather()
		began := time.Now()
		l.many(300) // more than a connection's buffers hold
		if waited := time.Since(began); waited != 0 {
			t.Errorf("adding took %s", waited)
		}
		<-time.After(patience - time.Second)
		synctest.Wait()
		if n := l.streams.Load(); n != 2 {
			t.Errorf("%d streams before anybody is late", n)
		}
		<-time.After(2 * time.Second)
		synctest.Wait()
		if n := l.streams.Load(); n != 1 {
			t.Errorf("%d streams, one reader of which does not read", n)
		}
		l.many(1)
		synctest.Wait()
		if rest, err := io.ReadAll(slow.in); err == nil || strings.Contains(string(rest), "rows 300") {
			t.Errorf("the slow reader got %d bytes: %v", len(rest), err)
		}
		again := l.open("api/stream", "Last-Event-ID", "0")
		again.expect("retry: 1000", status(301, 0, true), "id: 301\nrows 1-301")
		again.leave()
		slow.leave()
		l.end()
		got := <-quick.gathered
		if !slices.Contains(got, "id: 301\nrows 301-301") || got[len(got)-1] != theEnd {
			t.Errorf("the quick reader was told of %q", got)
		}
	})
}

func TestStreamsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		var readers []*reader
		for range maxStreams {
			r := l.open("api/stream")
			r.expect("retry: 1000")
			readers = append(readers, r)
		}
		r := l.open("api/stream")
		body, err := io.ReadAll(r.in)
		if r.answer.StatusCode != http.StatusServiceUnavailable || err != nil || !strings.Contains(string(body), `"error":"16 pages look already`) {
			t.Errorf("one more: %d %s %v", r.answer.StatusCode, body, err)
		}
		readers[0].leave()
		synctest.Wait()
		again := l.open("api/stream")
		again.expect("retry: 1000")
		for _, r := range append(readers[1:], again) {
			r.gather()
			defer func() {
				if got := <-r.gathered; len(got) == 0 || got[len(got)-1] != theEnd {
					t.Errorf("at the end came %q", got)
				}
			}()
		}
		l.end()
	})
}

// TestServeDoesNotWaitForTheSlow: who does not read at the end is cut off.
func TestServeDoesNotWaitForTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		r := l.open("api/stream")
		r.expect("retry: 1000")
		l.many(3000)
		synctest.Wait()
		began := time.Now()
		l.end()
		if waited := time.Since(began); waited > drainTimeout+time.Second {
			t.Errorf("it ended after %s", waited)
		}
		r.leave()
	})
}

func TestServeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newScene(t).serve()
		synctest.Wait()
		_ = l.wires.Close()
		if err := <-l.served; err == nil || !strings.Contains(err.Error(), "the inspector stopped: ") {
			t.Errorf("the listener is gone: %v", err)
		}
	})
}

// TestRow: a list has of each record what a list shows.
func TestRow(t *testing.T) {
	s := newScene(t)
	s.receive("invoice", "pending", "complete", 0)
	s.receive("invoice", "pending", "complete", 0)
	s.receive("transaction", "created", "complete", 0)
	s.receive("invoice", "complete", "complete", 0, `"Pending"`, `"Cancel"`)
	s.receive("invoice", "complete", "complete", 0, `"Complete"`, `"Ready"`)
	r := s.receive("invoice", "complete", "complete", 1)
	r.Direction, r.Findings, r.Event, r.Subject, r.ID, r.State, r.PreviousState, r.OK = journal.Sent, nil, "", "", "", "", "", false
	s.Add(r)
	s.Add(journal.Record{Subject: "parcel", State: "Lost", PreviousState: "Sent", Event: "parcel.lost", ID: "p-1", OK: true})
	var got []string
	found, _, _ := s.store.after(0, 100)
	for _, e := range found {
		r := s.row(e)
		got = append(got, fmt.Sprintf("%d %s %s %s %s→%s %t %s %v %d", r.N, r.Direction, r.Event, r.Subject, r.From, r.To, r.Illegal, r.Verdict, r.Codes, len(r.Messages)))
	}
	want := []string{
		"1 received invoice.updated invoice Ready→Pending false ok [] 0",
		"2 received invoice.updated invoice Ready→Pending false duplicate [duplicate] 1",
		"3 received transaction.created transaction unseen→Pending false ok [] 0",
		"4 received invoice.updated invoice Cancel→Complete true violation [illegal-transition] 1",
		"5 received invoice.updated  → true violation [illegal-transition] 1",
		"6 received invoice.updated invoice Pending→Complete false note [gap] 1",
		"7 sent invoice.updated invoice Pending→Complete false violation [] 0",
		"8  parcel.lost parcel Sent→Lost false ok [] 0",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
