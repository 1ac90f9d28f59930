package load

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// slack is the share of the timeout by which a connection's deadline may lie
// beyond it: so it need not be set for each request.
const slack = 4

// link is a connection that is dialled again when it broke.
type link struct {
	dial    func(ctx context.Context) (net.Conn, error)
	timeout time.Duration
	answers *answers

	deadline time.Duration // since the run began; 0 when none is known

	mu   sync.Mutex // guards what shut may be called for while the connection is in use
	conn net.Conn
	down bool
}

var errDown = errors.New("the run was interrupted")

// open makes sure that there is a connection.
func (l *link) open(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	conn, err := l.dial(limited)
	if err != nil {
		return err
	}
	l.answers.reset(conn)
	return l.use(conn)
}

// use takes a connection that has no deadline.
func (l *link) use(conn net.Conn) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		_ = conn.Close()
		return errDown
	}
	l.conn, l.deadline = conn, 0
	return nil
}

// drop closes the connection, if there is one.
func (l *link) drop() {
	l.mu.Lock()
	conn := l.conn
	l.conn = nil
	l.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
	}
}

// shut ends what is under way, now and later; another goroutine may call it.
func (l *link) shut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	if l.conn != nil {
		_ = l.conn.Close()
	}
}

// exchange sends what is left of a request that began at the time now, and reads
// its answer. Unless the connection can be used again, it is dropped.
func (l *link) exchange(start time.Time, now time.Duration, request []byte) (status int, err error) {
	if l.deadline-now < l.timeout {
		l.deadline = now + l.timeout + l.timeout/slack
		if err := l.conn.SetDeadline(start.Add(l.deadline)); err != nil {
			l.drop()
			return 0, err
		}
	}
	if len(request) > 0 {
		if _, err := l.conn.Write(request); err != nil {
			l.drop()
			return 0, err
		}
	}
	status, keep, err := l.answers.next()
	if !keep || err != nil {
		l.drop()
	}
	return status, err
}

// listen waits until a time while nothing is to be sent, and drops the connection
// if the other side closes it meanwhile, as servers do with idle ones.
func (l *link) listen(until time.Time) {
	l.deadline = 0
	if err := l.conn.SetDeadline(until); err == nil {
		err = l.answers.fill()
		if isTimeout(err) {
			return
		}
	}
	l.drop()
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// kindOf says how an exchange failed.
func kindOf(err error) Kind {
	var m *MalformedError
	switch {
	case errors.As(err, &m):
		return Malformed
	case isTimeout(err):
		return Timeout
	}
	return Reset
}
