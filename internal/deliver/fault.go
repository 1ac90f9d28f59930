package deliver

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"
)

// Fault is how the sender misbehaves on the first attempt of a delivery, so that
// a receiver can be tested. Later attempts are sound.
//
// All faults but Overlap speak HTTP/1.1, and need a connection to the receiver
// itself: through a proxy they are Refused with a *FaultError.
type Fault string

// The faults.
const (
	// NoFault: nothing is wrong.
	NoFault Fault = ""
	// LostAck: the whole request is sent and the receiver answers it, but the
	// answer is thrown away and the connection closed: Unknown. Without an answer
	// within the limit it is TimedOut, as without the fault.
	LostAck Fault = "lost-ack"
	// CutBody: Content-Length announces the whole body, half of it (rounded down)
	// is sent, then the connection is closed: Unknown.
	CutBody Fault = "cut-body"
	// SlowBody: the body comes in up to 8 pieces spread over half of the limit. The
	// answer is read as without the fault.
	SlowBody Fault = "slow-body"
	// Overlap: the first retry does not wait, but starts before the first attempt
	// was sent completely, so before it can be answered. Both go on, and both
	// results count.
	Overlap Fault = "overlap"
)

const (
	slowPieces = 8
	// slowShare and holdShare divide the limit: what a slow body takes of it, and
	// how long an attempt is held for the one that overlaps it.
	slowShare = 2
	holdShare = 4
)

// Faults lists the faults, without NoFault.
func Faults() []Fault { return []Fault{LostAck, CutBody, SlowBody, Overlap} }

// ParseFault returns the fault that is named s; the empty name is NoFault.
func ParseFault(s string) (Fault, bool) {
	f := Fault(s)
	return f, f == NoFault || slices.Contains(Faults(), f)
}

// FaultError says why a fault cannot be done; nothing was sent then.
type FaultError struct {
	Fault   Fault
	Problem string
}

func (e *FaultError) Error() string {
	return fmt.Sprintf("fault %q: %s", shorten(string(e.Fault)), e.Problem)
}

// inflictedError is the cause of an Unknown outcome that was asked for.
type inflictedError struct{ fault Fault }

func (e *inflictedError) Error() string { return "fault " + string(e.fault) + " was asked for" }

func (f Fault) needsWire() bool { return f == LostAck || f == CutBody || f == SlowBody }

func (c *Client) checkFault(f Fault, body []byte, p Policy) error {
	_, known := ParseFault(string(f))
	switch {
	case !known:
		return &FaultError{f, fmt.Sprintf("does not exist; it is one of %q", Faults())}
	case len(body) == 0 && f != LostAck && f != NoFault:
		return &FaultError{f, "needs a body that is not empty"}
	case f == Overlap && len(p.Backoff) == 0:
		return &FaultError{f, "needs at least one retry, because the retry is what overlaps"}
	case f.needsWire() && c.proxy != nil:
		return &FaultError{f, "cannot be done through a proxy, which reads the request and the answer by itself; deliver without a proxy"}
	case f.needsWire() && c.wired == nil:
		return &FaultError{f, "needs the client's own connections"}
	}
	return nil
}

// Sleep waits for d in real time. It returns early, with ctx's error, when ctx
// ends.
func Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// wire is a connection that carries one HTTP/1.1 request, whose body it sends
// as the fault says. It sits above TLS, so pieces and cuts are those of the
// request and not of encrypted records.
type wire struct {
	net.Conn
	raw    net.Conn
	fault  Fault
	size   int // of the body, in bytes
	gap    time.Duration
	pause  func(context.Context, time.Duration) error
	onCut  func()
	ctx    context.Context
	cancel context.CancelFunc

	writing  chan struct{} // holds an element while writing; unlike a mutex, virtual time passes meanwhile
	headSent bool
	pending  []byte
	written  chan struct{}
	finish   sync.Once
}

func (c *Client) newWire(ctx context.Context, conn, raw net.Conn, a *attempt) *wire {
	w := &wire{
		Conn: conn, raw: raw, fault: a.fault, size: a.size, pause: c.options.Pause,
		gap:     c.options.Timeout / slowShare / time.Duration(max(1, min(slowPieces, a.size))),
		onCut:   func() { a.update(func(p *progress) { p.inflicted = true }) },
		writing: make(chan struct{}, 1),
		written: make(chan struct{}),
	}
	w.ctx, w.cancel = context.WithCancel(context.WithoutCancel(ctx))
	a.onAbort(w.stop)
	return w
}

// Write sends the header once it is complete, and the body once it is.
func (w *wire) Write(p []byte) (int, error) {
	w.writing <- struct{}{}
	defer func() { <-w.writing }()
	if err := w.ctx.Err(); err != nil {
		return 0, net.ErrClosed
	}
	w.pending = append(w.pending, p...)
	if err := w.sendHead(); err != nil {
		return 0, err
	}
	if !w.headSent || len(w.pending) < w.size {
		return len(p), nil
	}
	defer w.finishWriting()
	if err := w.sendBody(w.pending); err != nil {
		return 0, err
	}
	w.pending = nil
	return len(p), nil
}

func (w *wire) sendHead() error {
	end := []byte("\r\n\r\n")
	i := bytes.Index(w.pending, end)
	if w.headSent || i < 0 {
		return nil
	}
	i += len(end)
	head := w.pending[:i]
	w.headSent, w.pending = true, w.pending[i:]
	_, err := w.Conn.Write(head)
	return err
}

func (w *wire) sendBody(body []byte) error {
	switch w.fault {
	case CutBody:
		return w.sendHalf(body)
	case SlowBody:
		return w.sendSlowly(body)
	default:
		_, err := w.Conn.Write(body)
		return err
	}
}

func (w *wire) sendHalf(body []byte) error {
	if half := body[:len(body)/2]; len(half) > 0 {
		if _, err := w.Conn.Write(half); err != nil {
			return err
		}
	}
	w.onCut()
	_ = w.raw.Close()
	return &inflictedError{w.fault}
}

func (w *wire) sendSlowly(body []byte) error {
	pieces := min(slowPieces, len(body))
	for i := range pieces {
		if err := w.pause(w.ctx, w.gap); err != nil {
			return err
		}
		if _, err := w.Conn.Write(body[i*len(body)/pieces : (i+1)*len(body)/pieces]); err != nil {
			return err
		}
	}
	return nil
}

// Read keeps an early answer back under LostAck: net/http would hang up at the
// answer and leave the rest of the request unsent.
func (w *wire) Read(p []byte) (int, error) {
	if w.fault == LostAck {
		<-w.written
	}
	return w.Conn.Read(p)
}

func (w *wire) finishWriting() { w.finish.Do(func() { close(w.written) }) }

// Close ends what Write and Read wait for: net/http waits for them in turn.
func (w *wire) Close() error {
	w.cancel()
	w.finishWriting()
	return w.Conn.Close()
}

// stop closes the connection, and returns after the last use of pause.
func (w *wire) stop() {
	_ = w.Close()
	w.writing <- struct{}{}
	<-w.writing
}

func (c *Client) dialWire(ctx context.Context, network, address string) (net.Conn, error) {
	raw, a, err := c.dialAttempt(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return c.newWire(ctx, raw, raw, a), nil
}

func (c *Client) dialTLSWire(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	raw, a, err := c.dialAttempt(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := c.tls.Clone()
	config.ServerName, config.NextProtos = host, []string{"http/1.1"}
	a.update(func(p *progress) { p.handshaking = true })
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c.newWire(ctx, conn, raw, a), nil
}

// beforeLast is a body that calls hold before its last byte is read. An error of
// hold is one of reading.
func beforeLast(body []byte, hold func() error) io.Reader {
	if hold == nil || len(body) == 0 {
		return bytes.NewReader(body)
	}
	last := len(body) - 1
	return io.MultiReader(bytes.NewReader(body[:last]), holdReader(hold), bytes.NewReader(body[last:]))
}

type holdReader func() error

func (r holdReader) Read([]byte) (int, error) {
	if err := r(); err != nil {
		return 0, err
	}
	return 0, io.EOF
}
