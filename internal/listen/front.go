package listen

import (
	"bytes"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstTimeout is how long a new connection may be silent before it is handed on;
	// net/http then waits for at most readTimeout, so that none is held for longer than
	// 10 s without a request.
	firstTimeout = 3 * time.Second
	// rearm is how old a connection's deadlines may become: to set them costs more
	// than to read a request.
	rearm = 2 * time.Second
	// acceptPause is the pause after a failure to accept that may pass.
	acceptPause = 50 * time.Millisecond
	// keptAnswer is how large the room for answers may be to be used again.
	keptAnswer = 64 << 10
)

// front answers plain requests itself. A connection on which anything else comes,
// or part of a request only, goes to net/http with all that is not answered yet, and
// stays there.
type front struct {
	h    *Handler
	rest *handover
	wg   sync.WaitGroup
	over atomic.Bool // set with mu

	begun time.Time

	tables *tables

	mu   sync.Mutex
	open map[*guest]struct{}
}

func newFront(h *Handler) *front {
	f := &front{h: h, rest: &handover{conns: make(chan *guest), done: make(chan struct{})}, open: map[*guest]struct{}{}, begun: wall()}
	f.tables = newTables(f)
	return f
}

// accept takes a door's connections until it is closed.
func (f *front) accept(ctx context.Context, d *door) error {
	for {
		g, err := d.admit()
		var passing interface{ Temporary() bool }
		switch {
		case err == nil:
			f.begin(g)
		case !errors.As(err, &passing) || !passing.Temporary():
			return err
		default:
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
		}
	}
}

func (f *front) begin(g *guest) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over.Load() {
		g.leave()
		return
	}
	f.open[g] = struct{}{}
	f.wg.Go(func() { f.serve(g) })
}

// serve answers a connection's plain requests.
func (f *front) serve(g *guest) {
	handed := false
	defer func() {
		_ = recover() // as net/http does: what fails is one delivery, not the listener
		f.mu.Lock()
		delete(f.open, g)
		f.mu.Unlock()
		if !handed || !f.rest.hand(g) {
			g.leave()
		}
	}()
	handed = f.answer(g)
}

// dialog is a connection on which plain requests are answered.
type dialog struct {
	*guest
	plain plain
	buf   []byte // what came
	out   []byte // what is to be written
}

// answer answers plain requests until the connection ends, and reports whether it
// goes on with something else, which it is awake to then.
func (f *front) answer(g *guest) bool {
	d := &dialog{guest: g, buf: make([]byte, plainBytes)}
	armed := -rearm // when a request was answered
	alive, answered := f.arm(g, wall(), firstTimeout), false
	for alive && !f.over.Load() {
		var (
			n   int
			sat bool
			err error
		)
		d.out = d.out[:0]
		if answered {
			n, sat, err = f.tables.sit(d)
		}
		if sat {
			alive, armed = f.arm(g, wall(), idleTimeout+rearm), f.up()
		}
		if n == 0 && err == nil && len(d.out) == 0 {
			n, err = g.Read(d.buf)
		}
		switch {
		case !answered && late(err) && !f.over.Load() && !g.shown.Load():
			g.wake(nil, false)
			return true
		case err != nil || g.shown.Load():
			return false
		}
		used := 0
		for ; used < n; used += d.plain.size {
			if answered {
				used += newlines(d.buf[used:n])
			}
			if !d.plain.read(d.buf[used:n], f.h.paths) {
				break
			}
			d.out, answered = f.h.plainDelivery(d.out, &d.plain), true
		}
		if len(d.out) > 0 {
			g.waits()
			if up := f.up(); up-armed >= rearm {
				alive, armed = f.arm(g, wall(), idleTimeout+rearm), up
			}
			if _, err := g.Write(d.out); err != nil {
				return false
			}
		}
		if used < n {
			g.wake(bytes.Clone(d.buf[used:n]), answered)
			return true
		}
		if cap(d.out) > keptAnswer {
			d.out = nil
		}
	}
	return false
}

func late(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// newlines is how many bytes of whole line ends stand before the next request, as
// some senders write behind a body: as many as net/http passes over.
func newlines(b []byte) (n int) {
	for n < 4 && bytes.HasPrefix(b[n:], []byte("\r\n")) {
		n += 2
	}
	return n
}

// wall is the machine's own time, which connections end by, whatever time it is for
// deliveries.
func wall() time.Time {
	return time.Now() //nolint:forbidigo // the clock that comes in may be another
}

// up is for how long the front has been there. That takes one look at a clock, and
// not two.
func (f *front) up() time.Duration {
	return time.Since(f.begun) //nolint:forbidigo // as wall
}

// arm sets a connection's deadlines, unless all is over.
func (f *front) arm(g *guest, now time.Time, reading time.Duration) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.over.Load() {
		return false
	}
	return g.SetReadDeadline(now.Add(reading)) == nil && g.SetWriteDeadline(now.Add(writeTimeout)) == nil
}

// disarm takes a connection's deadlines away, unless all is over.
func (f *front) disarm(g *guest) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.over.Load() && g.SetDeadline(time.Time{}) == nil
}

// leave ends the connections that wait for a request, and returns when all that is
// under way is answered. The doors must be closed.
func (f *front) leave() {
	f.mu.Lock()
	f.over.Store(true)
	end := wall().Add(drainTimeout)
	for g := range f.open {
		_ = g.SetReadDeadline(time.Unix(1, 0))
		_ = g.SetWriteDeadline(end)
	}
	f.mu.Unlock()
	f.tables.hurry()
	f.wg.Wait()
}

// handover is a net.Listener for connections that were accepted elsewhere.
type handover struct {
	conns chan *guest
	once  sync.Once
	done  chan struct{}
}

// hand gives a connection away, whose deadlines are those of whoever takes it; it
// reports whether somebody did.
func (h *handover) hand(g *guest) bool {
	select {
	case h.conns <- g:
		return true
	case <-h.done:
		return false
	}
}

// Accept implements net.Listener.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case conn := <-h.conns:
		return conn, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

// Addr implements net.Listener.
func (h *handover) Addr() net.Addr { return &net.TCPAddr{} }
