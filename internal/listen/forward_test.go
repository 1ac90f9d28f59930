package listen_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/verify"
)

// TestForward holds that the endpoint's answer goes back, and that its finding
// is the delivery's.
func TestForward(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 0)
	for _, test := range []struct {
		name string
		app  listen.Forwarded
		want string
		code string
	}{
		{"taken", listen.Forwarded{Status: 200, Body: []byte("fine"), Header: http.Header{"Content-Type": {"text/plain"}, "X-App": {"a", "b"}}}, "OK fine", ""},
		{"no type", listen.Forwarded{Status: 200, Header: http.Header{"Content-Type": nil}}, "OK ", ""},
		{"refused", listen.Forwarded{Status: 418, Body: []byte("{}"), Finding: &verify.Finding{Code: verify.WrongAnswer, Severity: verify.Violation}}, "I'm a teapot {}", "violation wrong-answer"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var passed []listen.Delivery
			test.app.URL = "http://app"
			b := newBench(t, func(o *listen.Options) {
				o.Forward = func(_ context.Context, d listen.Delivery) listen.Forwarded {
					passed = append(passed, d)
					return test.app
				}
			})
			w := b.serve(http.MethodPost, path, map[string]string{"X-A": "1"}, bytes.NewReader(body))
			if got := http.StatusText(w.Code) + " " + w.Body.String(); got != test.want {
				t.Errorf("answered %q", got)
			}
			for name, values := range test.app.Header {
				if diff := cmp.Diff(values, w.Header()[name]); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			d := b.got[0]
			if codes(d) != test.code || d.Forwarded != "http://app" || d.Status != test.app.Status || !bytes.Equal(d.Answer, test.app.Body) {
				t.Errorf("%+v", d)
			}
			if len(passed) != 1 || !bytes.Equal(passed[0].Body, body) || passed[0].Header.Get("X-A") != "1" {
				t.Errorf("passed on: %+v", passed)
			}
			b.serve(http.MethodPost, path, nil, strings.NewReader("{"))
			if len(passed) != 1 || b.got[1].Status != http.StatusBadRequest || b.got[1].Forwarded != "" {
				t.Errorf("what is no delivery was passed on: %+v", b.got[1])
			}
		})
	}
}

// TestForwardNotRecorded holds that the endpoint's answer does not go back when
// the delivery is not on record.
func TestForwardNotRecorded(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	b := newBench(t, func(o *listen.Options) {
		o.Forward = func(context.Context, listen.Delivery) listen.Forwarded {
			return listen.Forwarded{Status: 200, Body: []byte("<p>"), Header: http.Header{"Content-Type": {"text/html"}}}
		}
		o.Record = each(func(*listen.Delivery) error { return io.ErrShortWrite })
	})
	w := b.serve(http.MethodPost, path, nil, bytes.NewReader(body))
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Content-Type") != "application/json" || w.Body.String() != `{"error":"Not recorded"}` {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// TestForwardOrder holds that a slow endpoint gets one subject's deliveries one
// by one as they came, while those of another subject overtake them.
func TestForwardOrder(t *testing.T) {
	c := load(t)
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var began, ended []string
		first := make(chan struct{})
		b := newBench(t, func(o *listen.Options) {
			o.Now = time.Now
			o.Forward = func(_ context.Context, d listen.Delivery) listen.Forwarded {
				name := d.Verdict.State.Name + " of " + d.Header.Get("X-Payment")
				mu.Lock()
				began = append(began, name)
				mu.Unlock()
				if name == "pending of 0" {
					<-first
				}
				mu.Lock()
				ended = append(ended, name)
				mu.Unlock()
				return listen.Forwarded{Status: 200}
			}
		})
		var senders sync.WaitGroup
		send := func(state, payment string, index uint64) {
			path, body := post(t, c, "invoice", state, index)
			senders.Go(func() { b.serve(http.MethodPost, path, map[string]string{"X-Payment": payment}, bytes.NewReader(body)) })
			synctest.Wait()
		}
		send("pending", "0", 0)
		send("complete", "0", 0)
		send("pending", "1", 1)
		send("complete", "1", 1)
		if diff := cmp.Diff([]string{"pending of 1", "complete of 1"}, ended); diff != "" || len(began) != 3 {
			t.Errorf("while one payment waits: %s %q", diff, began)
		}
		close(first)
		senders.Wait()
		if diff := cmp.Diff([]string{"pending of 0", "complete of 0"}, ended[2:]); diff != "" {
			t.Error(diff)
		}
		if b.Busy() != 0 {
			t.Errorf("%d lanes are kept", b.Busy())
		}
	})
}

// TestForwardGone holds that a delivery whose sender gave up while it waited for
// its turn is not passed on, and that nobody is blamed; but that the endpoint is
// judged by its own time where it has begun.
func TestForwardGone(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	b := newBench(t, func(o *listen.Options) {
		o.Forward = func(forward context.Context, _ listen.Delivery) listen.Forwarded {
			calls++
			cancel()
			if forward.Err() != nil {
				t.Error("the endpoint's time ended with the sender's")
			}
			return listen.Forwarded{Status: 200}
		}
	})
	for range 2 {
		deliverTo(t, b, httptest.NewRequestWithContext(ctx, http.MethodPost, path, bytes.NewReader(body)))
		b.pass(time.Second)
	}
	if calls != 1 || b.got[0].Dropped || !b.got[1].Dropped || codes(b.got[1]) != "" || b.got[1].Attempt != 2 {
		t.Errorf("%d calls, %+v", calls, b.got)
	}
}

// served runs a handler behind Serve, by a bubble's clock.
type served struct {
	ln     *pipes
	cancel context.CancelFunc
	ended  chan error
}

func serve(t *testing.T, h http.Handler) *served {
	t.Helper()
	s := &served{ln: newPipes(), ended: make(chan error, 1)}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(t.Context())
	go func() { s.ended <- listen.Serve(ctx, []net.Listener{s.ln}, h, nobody) }()
	return s
}

// deliver sends a body over a connection of its own and returns what comes
// back until it is closed.
func (s *served) deliver(path string, body []byte) <-chan string {
	out := make(chan string, 1)
	conn := s.ln.dial()
	go func() {
		_, _ = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ")
		_, _ = io.WriteString(conn, strconv.Itoa(len(body))+"\r\n\r\n")
		_, _ = conn.Write(body)
		answer, _ := io.ReadAll(conn)
		_ = conn.Close()
		out <- string(answer)
	}()
	return out
}

// TestLongDelay holds that an answer can be held back for longer than a sender
// may take to send.
func TestLongDelay(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *listen.Options) { o.Now, o.Wait, o.Delay = time.Now, sleep, time.Minute })
		s := serve(t, b)
		began := time.Now()
		answer := <-s.deliver(path, body)
		if took := time.Since(began); took != time.Minute || !strings.HasPrefix(answer, "HTTP/1.1 200 OK") {
			t.Errorf("after %s: %q", took, answer)
		}
		s.cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TestEnd ends a server while deliveries are delayed or passed on: they are
// answered, or cut off after 5 s, and reported before Serve returns.
func TestEnd(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	for _, test := range []struct {
		name   string
		set    func(*listen.Options)
		want   string // how the answer begins
		status int
		after  time.Duration
	}{
		{"a short delay", func(o *listen.Options) { o.Delay = 3 * time.Second }, "HTTP/1.1 200 OK", 200, 3 * time.Second},
		{"a long delay", func(o *listen.Options) { o.Delay = time.Hour }, "", 0, 5 * time.Second},
		{"a slow endpoint", func(o *listen.Options) {
			o.Forward = func(ctx context.Context, _ listen.Delivery) listen.Forwarded {
				_ = sleep(ctx, 4*time.Second)
				return listen.Forwarded{Status: 202}
			}
		}, "HTTP/1.1 202 Accepted", 202, 4 * time.Second},
		{"an endpoint that does not answer", func(o *listen.Options) {
			o.Forward = func(ctx context.Context, _ listen.Delivery) listen.Forwarded {
				<-ctx.Done()
				return listen.Forwarded{Status: 502}
			}
		}, "", 502, 5 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, func(o *listen.Options) {
					o.Now, o.Wait = time.Now, sleep
					test.set(o)
				})
				s := serve(t, b)
				answer := s.deliver(path, body)
				synctest.Wait()
				began := time.Now()
				s.cancel()
				if err := <-s.ended; err != nil {
					t.Error(err)
				}
				took := time.Since(began)
				if len(b.got) != 1 || b.got[0].Status != test.status || codes(b.got[0]) != "" {
					t.Errorf("reported: %+v", b.got)
				}
				// Shutdown looks every half second whether all is done.
				if took < test.after || took > test.after+time.Second {
					t.Errorf("ended after %s, not %s", took, test.after)
				}
				if got := <-answer; !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
					t.Errorf("answered %q", got)
				}
			})
		})
	}
}

// TestGoneWhileForwarded holds that the retry of a sender that gave up early is
// none of a delivery that was taken, however long the endpoint takes.
func TestGoneWhileForwarded(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(o *listen.Options) {
			o.Now = time.Now
			o.Forward = func(ctx context.Context, _ listen.Delivery) listen.Forwarded {
				if sleep(ctx, 4*time.Second) != nil {
					t.Error("the endpoint's time was cut short")
				}
				return listen.Forwarded{Status: 200}
			}
		})
		s := serve(t, b)
		conn := s.ln.dial()
		_, _ = io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+string(body))
		_ = sleep(t.Context(), time.Second)
		_ = conn.Close()
		_ = sleep(t.Context(), time.Second)
		if answer := <-s.deliver(path, body); !strings.HasPrefix(answer, "HTTP/1.1 200 OK") {
			t.Errorf("answered %q", answer)
		}
		s.cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		if len(b.got) != 2 || codes(b.got[0]) != "" || codes(b.got[1]) != "" || b.got[1].Attempt != 2 {
			t.Errorf("%+v", b.got)
		}
	})
}
