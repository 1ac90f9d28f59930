package deliver

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pipeTo makes the client's connections pipes to serve, so that time is virtual.
func pipeTo(t *testing.T, c *Client, serve func(net.Conn)) {
	var running sync.WaitGroup
	t.Cleanup(running.Wait)
	c.dial = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		running.Go(func() {
			defer hangUp(server)
			serve(server)
		})
		return client, nil
	}
}

// drip reads a request, writes head, then one text every 1.1 seconds
// until the client has gone.
func drip(head, text string) func(net.Conn) {
	return func(conn net.Conn) {
		readRequest(conn)
		if _, err := io.WriteString(conn, head); err != nil {
			return
		}
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			silent(conn)
		}()
		tick := time.NewTicker(1100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-gone:
				return
			case <-tick.C:
				if _, err := io.WriteString(conn, text); err != nil {
					return
				}
			}
		}
	}
}

func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func TestTimeout(t *testing.T) {
	long := "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
	for name, tt := range map[string]struct {
		serve  func(net.Conn)
		target string
		want   Outcome
		text   string
		body   string
	}{
		"reads nothing":     {func(net.Conn) { <-time.After(10 * time.Second) }, "http://shop.test", TimedOut, "did not answer within 5s", ""},
		"never answers":     {silent, "http://shop.test", TimedOut, "did not answer within 5s", ""},
		"drips its header":  {drip("HTTP/1.1 200 OK\r\n", "X-Drip: 1\r\n"), "http://shop.test", TimedOut, "did not answer within 5s", ""},
		"drips 1xx":         {drip("", "HTTP/1.1 103 Early Hints\r\n\r\n"), "http://shop.test", TimedOut, "did not answer within 5s", ""},
		"drips its body":    {drip(long, "x"), "http://shop.test", TimedOut, "(status 200), but the answer was not complete within 5s", "xxxx"},
		"drips past a kept": {drip(long+"0123456789", "x"), "http://shop.test", TimedOut, "(status 200), but the answer", "01234567"},
		"drips, endless":    {drip("HTTP/1.1 200 OK\r\n\r\n", "x"), "http://shop.test", TimedOut, "(status 200), but the answer", "xxxx"},
		"TLS hangs":         {silent, "https://shop.test", Unreachable, "TLS handshake was not complete within 5s", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, Options{MaxBody: 8})
				pipeTo(t, c, tt.serve)
				r := c.Post(t.Context(), parse(t, tt.target), nil, []byte("{}"))
				expect(t, r, tt.want, tt.text)
				if r.Latency != 5*time.Second {
					t.Errorf("latency %s, want 5s", r.Latency)
				}
				if string(r.Body) != tt.body {
					t.Errorf("body %q, want %q", r.Body, tt.body)
				}
				if !errors.Is(r.Err, context.DeadlineExceeded) {
					t.Errorf("%v is not caused by the deadline", r.Err)
				}
			})
		})
	}
}

func TestTimeoutWhileConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{Timeout: 3 * time.Second})
		ended := make(chan struct{})
		c.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			defer close(ended)
			<-ctx.Done()
			return nil, ctx.Err()
		}
		r := c.Post(t.Context(), parse(t, "http://shop.test"), nil, nil)
		expect(t, r, Unreachable, "no connection to shop.test:80 within 3s")
		<-ended
		if r.Latency != 3*time.Second {
			t.Errorf("latency %s, want 3s", r.Latency)
		}
	})
}

// An answer in the last moment counts, one moment later it does not.
func TestTimeoutIsExact(t *testing.T) {
	for delay, want := range map[time.Duration]Outcome{
		5*time.Second - time.Nanosecond: Answered,
		5*time.Second + time.Nanosecond: TimedOut,
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, Options{})
			pipeTo(t, c, func(conn net.Conn) {
				readRequest(conn)
				<-time.After(delay)
				write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			})
			r := c.Post(t.Context(), parse(t, "http://shop.test"), nil, nil)
			expect(t, r, want, "")
		})
	}
}

// The caller's own deadline is a cancellation, not a slow receiver.
func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c := newClient(t, Options{})
		pipeTo(t, c, silent)
		expect(t, c.Post(ctx, parse(t, "http://shop.test"), nil, nil), Canceled, "canceled")
	})
}

// A protocol switch is an answer; the connection that stays open after it must
// not hold Post.
func TestSwitchingProtocols(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		pipeTo(t, c, func(conn net.Conn) {
			answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")(conn)
			silent(conn)
		})
		r := c.Post(t.Context(), parse(t, "http://shop.test"), nil, nil)
		expect(t, r, Answered, "")
		if r.Status != 101 || r.Latency != 0 {
			t.Errorf("status %d after %s", r.Status, r.Latency)
		}
	})
}

// An answer that does not end is read up to the bound, then the client hangs up.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		written := make(chan int, 1)
		pipeTo(t, c, func(conn net.Conn) {
			answering("HTTP/1.1 200 OK\r\n\r\n")(conn)
			sum := 0
			for block := make([]byte, 4<<10); sum < 16<<20; sum += len(block) {
				if _, err := conn.Write(block); err != nil {
					break
				}
			}
			written <- sum
		})
		r := c.Post(t.Context(), parse(t, "http://shop.test"), nil, nil)
		expect(t, r, Answered, "")
		if len(r.Body) != defaultMaxBody || !r.Truncated {
			t.Errorf("%d bytes, truncated %v", len(r.Body), r.Truncated)
		}
		if sum := <-written; sum < maxDrainBytes || sum > 2*maxDrainBytes {
			t.Errorf("%d bytes were taken", sum)
		}
	})
}

func TestClassify(t *testing.T) {
	broken, ended := errors.New("broken"), context.Canceled
	for _, tt := range []struct {
		p       progress
		err     error
		ended   error
		expired bool
		want    Outcome
	}{
		{progress{}, broken, nil, false, Unreachable},
		{progress{}, broken, nil, true, Unreachable},
		{progress{handshaking: true}, broken, nil, true, Unreachable},
		{progress{connected: true}, broken, nil, false, Unreachable},
		{progress{connected: true}, broken, nil, true, TimedOut},
		{progress{connected: true, sent: true}, broken, nil, true, TimedOut},
		{progress{connected: true, sent: true}, broken, nil, false, Unknown},
		{progress{connected: true, sent: true, status: 200}, broken, nil, false, Unknown},
		{progress{connected: true, sent: true}, broken, ended, false, Canceled},
		{progress{connected: true, sent: true}, broken, ended, true, Canceled},
		{progress{}, &RemoteError{}, ended, true, Refused},
		{progress{}, &net.OpError{Err: &RemoteError{}}, nil, false, Refused},
		{progress{}, &HeaderError{}, nil, false, Refused},
		{progress{}, &TargetError{}, nil, false, Refused},
		{progress{}, &refusalError{broken}, nil, false, Refused},
	} {
		if got := classify(tt.p, tt.err, tt.ended, tt.expired); got != tt.want {
			t.Errorf("%+v: %s, want %s", tt, got, tt.want)
		}
	}
}
