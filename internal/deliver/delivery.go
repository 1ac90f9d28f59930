package deliver

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"
)

// Delivery is everything that came of delivering one webhook: each attempt, in
// the order in which they started.
type Delivery struct {
	// Attempts holds the result of every attempt, numbered by Result.Attempt.
	Attempts []Result
	// Success lists the statuses that count as success.
	Success []int
	// Err says why a wait between two attempts ended the delivery, else nil.
	Err error
}

// Outcome says what the sender knows in the end:
//
//   - Success: an attempt was answered by a status that counts.
//   - Canceled: the caller ended it, in an attempt or between two.
//   - Unknown: no attempt succeeded, and at least one that is Unknown or TimedOut
//     may have been processed all the same.
//   - Refused: the last attempt was refused, and none before was processed.
//   - Failed: every attempt was answered otherwise, or could not be sent.
func (d Delivery) Outcome() Outcome {
	has := func(outcomes ...Outcome) bool {
		return slices.ContainsFunc(d.Attempts, func(r Result) bool { return slices.Contains(outcomes, r.Outcome) })
	}
	switch {
	case slices.ContainsFunc(d.Attempts, func(r Result) bool { return r.Success(d.Success) }):
		return Success
	case d.Err != nil || has(Canceled):
		return Canceled
	case has(Unknown, TimedOut):
		return Unknown
	case has(Refused):
		return Refused
	}
	return Failed
}

// Deliver posts body to u as p says, and with the fault f in the first attempt.
// Every attempt sends the same header and body, is limited by the Timeout and
// checked by the guard, as one of Post.
//
// Wait waits between two attempts, and returns an error when ctx ended; nil
// means Sleep. OnAttempt, unless nil, is called after each attempt with its
// number (from 1) and result, never concurrently. A fault that cannot be done
// leaves one Refused attempt with a *FaultError. Deliver returns when no attempt
// is running any more.
func (c *Client) Deliver(
	ctx context.Context, u *url.URL, header http.Header, body []byte, p Policy, f Fault,
	wait func(context.Context, time.Duration) error, onAttempt func(n int, r Result),
) Delivery {
	m := message{url: u, header: header.Clone(), body: bytes.Clone(body)}
	d := Delivery{Success: slices.Clone(p.Success)}
	if wait == nil {
		wait = Sleep
	}
	for pause, again := p.Next(nil); again; pause, again = p.Next(d.Attempts) {
		if d.Err = between(ctx, len(d.Attempts), pause, wait); d.Err != nil {
			return d
		}
		for _, r := range c.send(ctx, m, p, f) {
			r.Attempt = len(d.Attempts) + 1
			d.Attempts = append(d.Attempts, r)
			if onAttempt != nil {
				onAttempt(r.Attempt, r)
			}
		}
		f = NoFault
	}
	return d
}

// between waits before every attempt but the first. A wait that skips time may
// not notice that ctx ended.
func between(ctx context.Context, done int, pause time.Duration, wait func(context.Context, time.Duration) error) error {
	if done == 0 {
		return nil
	}
	err := wait(ctx, pause)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("canceled while waiting for attempt %d: %w", done+1, err)
	}
	return nil
}

// message is what every attempt of a delivery sends.
type message struct {
	method string // empty means POST
	url    *url.URL
	header http.Header
	body   []byte
}

func (c *Client) send(ctx context.Context, m message, p Policy, f Fault) []Result {
	if err := c.checkFault(f, m.body, p); err != nil {
		return []Result{c.refuse(m.url, f, err)}
	}
	if f == Overlap {
		return c.overlap(ctx, m)
	}
	return []Result{c.post(ctx, m, &attempt{fault: f})}
}

func (c *Client) refuse(u *url.URL, f Fault, err error) Result {
	r := Result{Fault: f, Started: c.options.Now(), Outcome: Refused, Err: failure(Refused, attemptInfo{}, err)}
	if u != nil && checkURL(u) == "" {
		r.URL = u.String()
	}
	return r
}

// overlap holds the last byte of the first attempt back until the second has
// come as far, so that the receiver cannot answer one before the other. A
// receiver that takes one connection after the other is not waited for long. A
// first attempt that ends before that, say because nothing listens, stays alone.
func (c *Client) overlap(ctx context.Context, m message) []Result {
	held, released := make(chan struct{}), make(chan struct{})
	release := sync.OnceFunc(func() { close(released) })
	ended := make(chan Result, 1)
	go func() {
		ended <- c.post(ctx, m, &attempt{fault: Overlap, hold: func() error {
			close(held)
			select {
			case <-released:
			case <-time.After(c.options.Timeout / holdShare):
			}
			return ctx.Err()
		}})
	}()
	select {
	case first := <-ended:
		return []Result{first}
	case <-held:
	}
	second := c.post(ctx, m, &attempt{fault: Overlap, hold: func() error {
		release()
		return nil
	}})
	release()
	return []Result{<-ended, second}
}
