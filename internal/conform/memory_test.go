package conform_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// inNoTime runs a test in a bubble in which time passes when nothing else is left
// to do: no limit ends early on a busy machine, and no wait takes any time.
func inNoTime(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		t.Cleanup(func() { <-time.After(time.Hour) }) // all that servers still wait for is over then
		test(t)
	})
}

// backlog is how many connections wait to be accepted, window how many bytes are
// on their way, as on a loopback interface.
const (
	backlog = 4096
	window  = 256 << 10
)

// memory is a listener whose connections are in memory. They behave as those of
// TCP do: what is sent arrives after its sender has closed, and who closes without
// having read all resets the connection.
type memory struct {
	waiting chan net.Conn
	closed  chan struct{}
	close   func()
}

func newMemory() *memory {
	closed := make(chan struct{})
	return &memory{waiting: make(chan net.Conn, backlog), closed: closed, close: sync.OnceFunc(func() { close(closed) })}
}

func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.waiting:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

func (m *memory) Close() error {
	m.close()
	return nil
}

func (m *memory) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3000} }

// Dial opens a connection to the listener, whatever the address.
func (m *memory) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	there, back := newStream(), newStream()
	select {
	case <-m.closed:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: m.Addr(), Err: syscall.ECONNREFUSED}
	case m.waiting <- &memoryConn{in: there, out: back, addr: m.Addr(), read: newLimit(), write: newLimit()}:
		return &memoryConn{in: back, out: there, addr: m.Addr(), read: newLimit(), write: newLimit()}, nil
	case <-ctx.Done():
		return nil, &net.OpError{Op: "dial", Net: "tcp", Addr: m.Addr(), Err: ctx.Err()}
	}
}

// stream is one direction of a connection.
type stream struct {
	mu      sync.Mutex
	changed chan struct{} // closed at each change
	held    []byte
	// ended is what the reader gets after what is held, gone that nobody reads.
	ended error
	gone  bool
}

func newStream() *stream { return &stream{changed: make(chan struct{})} }

func (s *stream) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.changed)
	s.changed = make(chan struct{})
}

// take moves bytes out; nothing and no error means to wait until changed.
func (s *stream) take(p []byte) (n int, changed chan struct{}, err error) {
	s.mu.Lock()
	waiting, ended, changed := len(s.held), s.ended, s.changed
	s.mu.Unlock()
	switch {
	case waiting > 0:
		s.change(func() {
			n = copy(p, s.held)
			s.held = s.held[n:]
		})
	case ended != nil:
		err = ended
	}
	return n, changed, err
}

// put moves bytes in, as many as there is place for.
func (s *stream) put(p []byte) (n int, changed chan struct{}, err error) {
	s.mu.Lock()
	place, gone, ended, changed := window-len(s.held), s.gone, s.ended, s.changed
	s.mu.Unlock()
	switch {
	case gone || ended != nil:
		err = syscall.EPIPE
	case place > 0:
		n = min(place, len(p))
		s.change(func() { s.held = append(s.held, p[:n]...) })
	}
	return n, changed, err
}

// limit is a deadline that can be moved.
type limit struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{}
}

func newLimit() *limit { return &limit{over: make(chan struct{})} }

func (l *limit) set(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil && !l.timer.Stop() {
		<-l.over // it is being closed
	}
	l.timer = nil
	select {
	case <-l.over:
		l.over = make(chan struct{})
	default:
	}
	switch left := time.Until(at); {
	case at.IsZero():
	case left > 0:
		over := l.over
		l.timer = time.AfterFunc(left, func() { close(over) })
	default:
		close(l.over)
	}
}

func (l *limit) passed() chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.over
}

type memoryConn struct {
	in, out     *stream
	addr        net.Addr
	read, write *limit
}

// move calls step until it has moved something or failed.
func (c *memoryConn) move(l *limit, step func() (int, chan struct{}, error)) (int, error) {
	for {
		over := l.passed()
		select {
		case <-over:
			return 0, os.ErrDeadlineExceeded
		default:
		}
		n, changed, err := step()
		if n > 0 || err != nil {
			return n, err
		}
		select {
		case <-changed:
		case <-over:
		}
	}
}

func (c *memoryConn) wrap(op string, err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // it is that of a stream
		return err
	}
	return &net.OpError{Op: op, Net: "tcp", Addr: c.addr, Err: err}
}

func (c *memoryConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.move(c.read, func() (int, chan struct{}, error) {
		c.in.mu.Lock()
		gone := c.in.gone
		c.in.mu.Unlock()
		if gone {
			return 0, nil, net.ErrClosed
		}
		return c.in.take(p)
	})
	return n, c.wrap("read", err)
}

func (c *memoryConn) Write(p []byte) (int, error) {
	written := 0
	for written < len(p) {
		n, err := c.move(c.write, func() (int, chan struct{}, error) { return c.out.put(p[written:]) })
		if written += n; err != nil {
			return written, c.wrap("write", err)
		}
	}
	return written, nil
}

// CloseWrite ends what is written.
func (c *memoryConn) CloseWrite() error {
	c.out.change(func() {
		if c.out.ended == nil {
			c.out.ended = io.EOF
		}
	})
	return nil
}

// Close closes the connection; unless all was read, that resets it.
func (c *memoryConn) Close() error {
	end := io.EOF
	c.in.change(func() {
		if len(c.in.held) > 0 {
			end = syscall.ECONNRESET
		}
		c.in.gone, c.in.held = true, nil
	})
	c.out.change(func() {
		if c.out.ended == nil {
			c.out.ended = end
		}
	})
	return nil
}

func (c *memoryConn) LocalAddr() net.Addr  { return c.addr }
func (c *memoryConn) RemoteAddr() net.Addr { return c.addr }

func (c *memoryConn) SetDeadline(at time.Time) error {
	c.read.set(at)
	c.write.set(at)
	return nil
}

func (c *memoryConn) SetReadDeadline(at time.Time) error {
	c.read.set(at)
	return nil
}

func (c *memoryConn) SetWriteDeadline(at time.Time) error {
	c.write.set(at)
	return nil
}
