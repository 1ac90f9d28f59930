package listen

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/paytest/paytest/internal/verify"
)

// Attempts are attempts to test.
type Attempts struct{ a *attempts }

// NewAttempts remembers no more than this number of deliveries.
func NewAttempts(n int) Attempts { return Attempts{newAttempts(n)} }

// Begin is begin; it returns what ends the attempt, too.
func (a Attempts) Begin(body []byte, now, giveUp time.Time) (n int, retry, first bool, waited time.Duration, end func(at time.Time, taken bool)) {
	t := a.a.begin(body, &verify.Verdict{}, now, giveUp)
	return t.n, t.retry, t.first, t.waited, func(at time.Time, taken bool) { a.a.end(t, at, taken) }
}

// Remember makes a handler remember no more than this number of deliveries by
// their attempts.
func (h *Handler) Remember(n int) { h.attempts.limit = n }

// Busy returns how many lanes somebody is in.
func (h *Handler) Busy() int {
	h.lanes.mu.Lock()
	defer h.lanes.mu.Unlock()
	return len(h.lanes.last)
}

// Lanes are lanes to test.
type Lanes struct{ lanes }

// Enter is enter.
func (l *Lanes) Enter(lane string) func() { return l.enter(lane) }

// Entered returns how many lanes somebody is in or waits for.
func (l *Lanes) Entered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.last)
}

// ServeFew is Serve for no more than this number of connections.
func ServeFew(ctx context.Context, listeners []net.Listener, h http.Handler, most int) error {
	return serve(ctx, listeners, h, newCrowd(most, func() {}))
}
