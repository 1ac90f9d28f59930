package listen

import (
	"context"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// MaxConnections is how many connections there are at a time. For one more, the
// connection is closed that waits longest for its request to be whole.
const MaxConnections = 1000

// crowd bounds how many connections there are, so that senders who never come to
// an end keep out nobody but each other.
type crowd struct {
	max int
	// full is called when a connection is closed for the first time.
	full func()

	mu     sync.Mutex
	moved  *sync.Cond
	turn   uint64 // counts what guests begin to wait for
	guests map[*guest]struct{}
	closed bool
}

// guest is a connection.
type guest struct {
	net.Conn
	// since is the turn since which it waits for a request to be whole; 0 while one is
	// being answered.
	since atomic.Uint64
}

func newCrowd(most int, full func()) *crowd {
	c := &crowd{max: most, full: sync.OnceFunc(full), guests: map[*guest]struct{}{}}
	c.moved = sync.NewCond(&c.mu)
	return c
}

// door lets connections into a crowd.
type door struct {
	net.Listener
	crowd *crowd
}

// Accept returns the next connection, once there is room for it.
func (d *door) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return d.crowd.enter(conn)
}

// Close closes the listener, and lets nobody in any more.
func (d *door) Close() error {
	d.crowd.mu.Lock()
	d.crowd.closed = true
	d.crowd.mu.Unlock()
	d.crowd.moved.Broadcast()
	return d.Listener.Close()
}

func (c *crowd) enter(conn net.Conn) (net.Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.guests) >= c.max && !c.closed {
		if last := c.longest(); last != nil {
			delete(c.guests, last)
			_ = last.Conn.Close()
			c.full()
			continue
		}
		c.moved.Wait() // all are being answered
	}
	if c.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	g := &guest{Conn: conn}
	c.turn++
	g.since.Store(c.turn)
	c.guests[g] = struct{}{}
	return g, nil
}

// longest returns who waits longest; nil when nobody waits.
func (c *crowd) longest() *guest {
	var last *guest
	first := ^uint64(0)
	for g := range c.guests {
		if since := g.since.Load(); since > 0 && since < first {
			last, first = g, since
		}
	}
	return last
}

// changed is told by the server how a connection goes on.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	g, ok := conn.(*guest)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateIdle:
		c.turn++
		g.since.Store(c.turn)
		c.moved.Signal()
	case http.StateClosed, http.StateHijacked:
		delete(c.guests, g)
		c.moved.Signal()
	case http.StateNew, http.StateActive:
	}
}

// CloseWrite is what lets an answer arrive although not all of the request was read.
func (g *guest) CloseWrite() error {
	if half, ok := g.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

type guestKey struct{}

// whole says that the request of this context was read to its end.
func whole(ctx context.Context) {
	if g, ok := ctx.Value(guestKey{}).(*guest); ok {
		g.since.Store(0)
	}
}
