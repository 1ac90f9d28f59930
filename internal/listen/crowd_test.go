package listen_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/paytest/paytest/internal/listen"
)

// gone reports whether a connection was closed.
func gone(conn net.Conn) <-chan struct{} {
	closed := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		close(closed)
	}()
	return closed
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// TestCrowd holds that there are never more connections than stated, that the one
// that waits longest makes room, and that none does whose delivery is being
// answered.
func TestCrowd(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := newBench(t, func(o *listen.Options) {
			o.Forward = func(context.Context, listen.Delivery) listen.Forwarded {
				<-release
				return listen.Forwarded{Status: http.StatusOK}
			}
		})
		ctx, cancel := context.WithCancel(t.Context())
		ln, ended, full := newPipes(), make(chan error, 1), 0
		go func() { ended <- listen.Serve(ctx, []net.Listener{ln}, b, func() { full++ }) }()
		s := &served{ln: ln}
		answer := s.deliver(path, body)
		synctest.Wait()
		var idle []<-chan struct{}
		for range listen.MaxConnections - 1 {
			idle = append(idle, gone(ln.dial()))
		}
		synctest.Wait()
		for i, c := range idle {
			if isClosed(c) {
				t.Fatalf("connection %d was closed although there was room", i)
			}
		}
		for range 2 {
			idle = append(idle, gone(ln.dial()))
		}
		synctest.Wait()
		for i, c := range idle {
			if isClosed(c) != (i < 2) {
				t.Fatalf("connection %d is closed: %v", i, isClosed(c))
			}
		}
		if full != 1 {
			t.Errorf("told %d times", full)
		}
		close(release)
		if got := <-answer; !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
			t.Errorf("answered %q", got)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestCrowdWaits holds that nobody gets in while all are being answered, and that
// who waited is answered then.
func TestCrowdWaits(t *testing.T) {
	path, body := post(t, load(t), "invoice", "pending", 0)
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		b := newBench(t, func(o *listen.Options) {
			o.Forward = func(context.Context, listen.Delivery) listen.Forwarded {
				<-release
				return listen.Forwarded{Status: http.StatusOK}
			}
		})
		s := serve(t, b)
		var answers []<-chan string
		for range listen.MaxConnections + 1 {
			answers = append(answers, s.deliver(path, body))
			synctest.Wait()
		}
		close(release)
		for i, answer := range answers {
			if got := <-answer; !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
				t.Fatalf("delivery %d is answered %q", i, got)
			}
		}
		s.cancel()
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
	})
}
