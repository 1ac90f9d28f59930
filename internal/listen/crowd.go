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
	turn   atomic.Uint64 // counts what guests begin to wait for
	guests map[*guest]struct{}
	closed bool
	// coming wait for room, going are those that were shown out and are not gone.
	coming, going int
	// stuck is set while there is no room for somebody.
	stuck atomic.Bool
}

// guest is a connection.
type guest struct {
	*watched
	crowd *crowd
	// since is the turn since which it waits for a request to be whole; 0 while one is
	// being answered.
	since atomic.Uint64
	// waiting is set while the other side is waited for. Who has sent something that
	// nobody has come to read is not to be blamed.
	waiting atomic.Bool
	// shown is set when it was shown out; it has its place until it is gone.
	shown atomic.Bool
	// table is where it sits; nil when nowhere.
	table atomic.Pointer[table]
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
	// asleep says that its connections are not watched before they are woken.
	asleep bool
}

// Accept returns the next connection, once there is room for it.
func (d *door) Accept() (net.Conn, error) {
	g, err := d.admit()
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (d *door) admit() (*guest, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return d.crowd.enter(&watched{Conn: conn, first: true, asleep: d.asleep})
}

// Close closes the listener, and lets nobody in any more.
func (d *door) Close() error {
	d.crowd.mu.Lock()
	d.crowd.closed = true
	d.crowd.mu.Unlock()
	d.crowd.moved.Broadcast()
	return d.Listener.Close()
}

func (c *crowd) enter(conn *watched) (*guest, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.coming++; len(c.guests) >= c.max && !c.closed; {
		c.stuck.Store(true) // from here on who begins to wait says so
		if last := c.longest(); last != nil && c.going < c.coming {
			last.shown.Store(true)
			c.going++
			_ = last.Close()
			if t := last.table.Load(); t != nil {
				t.hurry()
			}
			c.mu.Unlock() // nobody waits for who is told
			c.full()
			c.mu.Lock()
			continue
		}
		c.moved.Wait()
	}
	c.coming--
	c.stuck.Store(c.coming > 0)
	if c.closed {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	g := &guest{watched: conn, crowd: c}
	g.waits()
	c.guests[g] = struct{}{}
	return g, nil
}

// longest returns who waits longest; nil when nobody waits.
func (c *crowd) longest() *guest {
	var last *guest
	first := ^uint64(0)
	for g := range c.guests {
		if since := g.since.Load(); since > 0 && since < first && g.waiting.Load() && !g.shown.Load() {
			last, first = g, since
		}
	}
	return last
}

// changed is told by the server how a connection goes on.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	g, ok := conn.(*guest)
	if !ok || state == http.StateActive {
		return // which is most of what is told
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateIdle:
		g.waits()
		c.moved.Broadcast()
	case http.StateClosed, http.StateHijacked:
		c.left(g)
	case http.StateNew, http.StateActive:
	}
}

// left makes room for another.
func (c *crowd) left(g *guest) {
	delete(c.guests, g)
	if g.shown.Load() {
		c.going--
	}
	c.moved.Broadcast()
}

// leave closes the connection, of one that no server knows.
func (g *guest) leave() {
	_ = g.Close()
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.crowd.left(g)
}

// waits says that a request is waited for from now on.
func (g *guest) waits() { g.since.Store(g.crowd.turn.Add(1)) }

// awaits says that the other side is waited for.
func (g *guest) awaits() {
	g.waiting.Store(true)
	if g.crowd.stuck.Load() {
		g.crowd.mu.Lock()
		g.crowd.moved.Broadcast()
		g.crowd.mu.Unlock()
	}
}

func (g *guest) Read(b []byte) (int, error) {
	g.awaits()
	n, err := g.watched.Read(b)
	g.waiting.Store(false)
	return n, err
}

type guestKey struct{}

// isGone reports whether the connection of this context was closed for another.
func isGone(ctx context.Context) bool {
	g, ok := ctx.Value(guestKey{}).(*guest)
	return ok && g.shown.Load()
}

// whole says that the request of this context was read to its end.
func whole(ctx context.Context) {
	if g, ok := ctx.Value(guestKey{}).(*guest); ok {
		g.since.Store(0)
	}
}
