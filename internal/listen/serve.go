package listen

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrAddress is wrapped when an address is not one that can be listened on.
var ErrAddress = errors.New("it takes :3000, 3000 or HOST:PORT; port 0 picks a free one")

// Timeouts of the server: a slow sender cannot hold a connection for longer. A
// gateway that waits for an answer for 5 seconds is not one.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 7 * time.Second
	writeTimeout  = 20 * time.Second // longer than readTimeout: who is too slow is told
	idleTimeout   = 5 * time.Second
	drainTimeout  = 5 * time.Second
	maxHeader     = 64 << 10
)

// ParseAddress reads what a user gives as an address: ":3000" and "3000" mean
// this machine alone, on every loopback address it has.
func ParseAddress(s string) (host string, port uint16, err error) {
	hostport := s
	if !strings.Contains(s, ":") {
		hostport = ":" + s
	}
	host, p, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: %w", s, ErrAddress)
	}
	n, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("address %q: port %q is no number from 0 to 65535: %w", s, p, ErrAddress)
	}
	if host == "" {
		host = "localhost"
	}
	return host, uint16(n), nil
}

// Open listens on an address, as ParseAddress reads it. For "localhost" that is
// both loopback addresses, since clients disagree on which one it means. The end
// of ctx is waited for from then on: who is told of an address may end it at once.
func Open(ctx context.Context, address string) ([]net.Listener, error) {
	ctx.Done()
	host, port, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	if host != "localhost" {
		ln, err := listenOn(ctx, host, port)
		if err != nil {
			return nil, err
		}
		return []net.Listener{ln}, nil
	}
	first, err := listenOn(ctx, "127.0.0.1", port)
	if err != nil {
		return nil, err
	}
	chosen := netip.MustParseAddrPort(first.Addr().String()).Port()
	second, err := listenOn(ctx, "::1", chosen)
	switch {
	case errors.Is(err, syscall.EADDRINUSE) && port != 0:
		_ = first.Close()
		return nil, err
	case err != nil:
		return []net.Listener{first}, nil // a machine without IPv6
	}
	return []net.Listener{first, second}, nil
}

func listenOn(ctx context.Context, host string, port uint16) (net.Listener, error) {
	address := net.JoinHostPort(host, strconv.Itoa(int(port)))
	ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s is in use by another program: stop it, or give another port (port 0 picks a free one): %w", address, err)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s may not be listened on by this user: give a port above 1023: %w", address, err)
	case err != nil:
		return nil, fmt.Errorf("cannot listen on %s: %w", address, err)
	}
	return ln, nil
}

// Serve answers on all listeners until ctx ends, then lets the deliveries under
// way finish, for at most 5 seconds; those that have not are cut off. When it
// returns no call of h is under way. full is called once, when there were more than
// MaxConnections and one was closed for another.
func Serve(ctx context.Context, listeners []net.Listener, h http.Handler, full func()) error {
	return serve(ctx, listeners, h, newCrowd(MaxConnections, full))
}

func serve(ctx context.Context, listeners []net.Listener, h http.Handler, guests *crowd) error {
	serving, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	entrance := &gate{h: h}
	srv := &http.Server{
		Handler: entrance, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return context.WithValue(serving, servingKey{}, serving) },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, guestKey{}, conn)
		},
		ConnState: guests.changed,
	}
	failed := make(chan error, len(listeners)+1)
	var wg sync.WaitGroup
	take := func(d *door) error { return srv.Serve(d) }
	leave := func() {}
	p, direct := h.(*Handler)
	if direct = direct && p.prompt && p.Lend; direct {
		front := newFront(p)
		take, leave = func(d *door) error { return front.accept(ctx, d) }, front.leave
		wg.Go(func() { failed <- srv.Serve(front.rest) })
	}
	doors := make([]*door, len(listeners))
	for i, ln := range listeners {
		doors[i] = &door{ln, guests, direct}
		wg.Go(func() { failed <- take(doors[i]) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	for _, d := range doors {
		_ = d.Close()
	}
	leave()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if shut := srv.Shutdown(drain); shut != nil {
		_ = srv.Close()
	}
	cut()
	entrance.close()
	wg.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the listener stopped: %w", err)
	}
	return nil
}

// servingKey is the key of the context that ends with the server, and not with
// the connection.
type servingKey struct{}

func whileServing(ctx context.Context) context.Context {
	if serving, ok := ctx.Value(servingKey{}).(context.Context); ok {
		return serving
	}
	return context.WithoutCancel(ctx)
}

// gate knows when nobody is inside any more, which http.Server does not tell
// after its Close.
type gate struct {
	h      http.Handler
	mu     sync.RWMutex
	closed bool
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if from, ok := r.Context().Value(guestKey{}).(*guest); ok {
		from.served++
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.closed {
		panic(http.ErrAbortHandler)
	}
	g.h.ServeHTTP(w, r)
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}
