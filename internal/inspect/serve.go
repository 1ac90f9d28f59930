package inspect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Timeouts of the server; streams have their own.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 60 * time.Second
	idleTimeout   = 60 * time.Second
	drainTimeout  = 2 * time.Second
	maxHeader     = 32 << 10
)

// Serve shows the page on all listeners until ctx ends. Then streams send what
// they have not yet sent, for at most 2 seconds, and end. When it returns no
// request is being answered. names are host names under which the user asked for
// it.
func (i *Inspector) Serve(ctx context.Context, listeners []net.Listener, names ...string) error {
	addresses := make([]net.Addr, len(listeners))
	for n, ln := range listeners {
		addresses[n] = ln.Addr()
	}
	serving, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	entrance := &gate{h: i.Handler(addresses, names...)}
	srv := &http.Server{
		Handler: entrance, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return serving },
	}
	failed := make(chan error, len(listeners))
	var wg sync.WaitGroup
	for _, ln := range listeners {
		wg.Go(func() { failed <- srv.Serve(ln) })
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	i.End()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if shut := srv.Shutdown(drain); shut != nil {
		cut()
		_ = srv.Close()
	}
	cut()
	entrance.close()
	wg.Wait()
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the inspector stopped: %w", err)
	}
	return nil
}

// gate knows when nobody is inside any more, which http.Server does not tell
// after its Close.
type gate struct {
	h      http.Handler
	mu     sync.RWMutex
	closed bool
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
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
