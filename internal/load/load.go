// Package load sends payments' webhooks at a rate, and measures how an endpoint
// answers.
//
// The model is open: arrivals are scheduled by the clock, whether or not earlier
// ones were answered, and a latency counts from the moment its request was meant
// to start. An endpoint that stalls is therefore charged for every request that
// it kept waiting, not only for those few that a free connection happened to send
// (coordinated omission). It is not charged for the generator's own clock, which
// oversleeps by up to a millisecond, and more on a busy machine: that is measured
// apart, see Result.Lateness. At the highest rate the model is closed: each
// connection sends when its last request was answered, and latencies count from
// the sending.
package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/signature"
)

const (
	// MaxConnections is how many connections a run has at the most.
	MaxConnections = 10_000
	// MaxDuration is how long a run takes at the most.
	MaxDuration = 24 * time.Hour
	// MinEvery is the shortest time between two snapshots.
	MinEvery = 10 * time.Millisecond
)

// ErrOptions is wrapped by the errors of Run and FindLimit about their options.
var ErrOptions = errors.New("load options")

// ErrConnect is wrapped by the error of Run when not even the first connection
// could be made. The cause is that of deliver.Client.Dial.
var ErrConnect = errors.New("cannot connect")

// Options say what is sent, where, and how often.
type Options struct {
	Contract *contract.Contract
	Mix      *Mix
	// Client dials: its guard, TLS and resolver are used.
	Client *deliver.Client
	// To is the target as the user gave it, see deliver.ResolveURL.
	To string
	// Header is sent along; it may replace Content-Type, User-Agent and Host.
	Header    http.Header
	UserAgent string
	// Scheme signs with the Secrets; without any, nothing is signed.
	Scheme  signature.Scheme
	Secrets []signature.Secret

	Rate Rate
	// Ramp is how long the rate takes to rise from 0; at the highest rate, how long
	// until the last connection starts.
	Ramp time.Duration
	// Duration is how long arrivals are scheduled; the Ramp is part of it. What is
	// under way, or due and waiting, has one more Timeout to end.
	Duration time.Duration
	// Timeout limits each request, and each dialling.
	Timeout     time.Duration
	Connections int
	// Duplicates is the probability, 0 to 1, that an event is sent once more later;
	// Disorder, that it changes places with one of the two after it.
	Duplicates, Disorder float64

	// Seed determines the payments; FirstPayment is the index of the first.
	Seed, FirstPayment uint64
	// Start is when the payments begin that are sent first; later ones begin as many
	// seconds later. Moments say when their events happen, as in payment.Options.
	Start   time.Time
	Moments map[*contract.State]time.Duration
	// Now tells the time.
	Now func() time.Time
	// Progress, unless nil, is called with a Snapshot each Every, never
	// concurrently. It must be quick.
	Progress func(Snapshot)
	Every    time.Duration
}

// Check says what is wrong with the options, by the flags that set them. Run does
// it, too.
func (o *Options) Check() error {
	switch {
	case o.Contract == nil || o.Mix == nil || len(o.Mix.Outcomes) == 0 || o.Client == nil || o.Now == nil:
		return errors.New("the contract, a mix, the client or the clock is missing")
	case !o.Rate.Max && !(o.Rate.PerSecond >= MinRate && o.Rate.PerSecond <= MaxRate):
		return fmt.Errorf("--rate %g/s: it takes a rate from 1/h to %d/s", o.Rate.PerSecond, MaxRate)
	case o.Duration <= 0 || o.Duration > MaxDuration:
		return fmt.Errorf("--duration %s: it takes a duration above 0s, up to %s", o.Duration, MaxDuration)
	case o.Ramp < 0 || o.Ramp > o.Duration:
		return fmt.Errorf("--ramp %s: it takes a duration from 0s up to that of --duration, %s", o.Ramp, o.Duration)
	case o.Timeout <= 0:
		return fmt.Errorf("--timeout %s: it takes a duration above 0s", o.Timeout)
	case o.Connections < 1 || o.Connections > MaxConnections:
		return fmt.Errorf("--connections %d: it takes a number from 1 to %d", o.Connections, MaxConnections)
	case !probability(o.Duplicates) || !probability(o.Disorder):
		return fmt.Errorf("--duplicates %g, --disorder %g: they take shares from 0 to 1", o.Duplicates, o.Disorder)
	case o.Progress != nil && o.Every < MinEvery:
		return fmt.Errorf("snapshots every %s are more often than every %s", o.Every, MinEvery)
	}
	return nil
}

func probability(p float64) bool { return p >= 0 && p <= 1 }

// Run sends what the options say until the time is up or ctx ends, and returns
// what came of it. A run that was interrupted is no error: its result holds what
// was measured so far.
//
// Errors wrap ErrOptions, or ErrConnect when the first connection fails; or they
// are that of ctx, if it ended before the first connection was made; or they say
// that a payload could not be made.
func Run(ctx context.Context, o Options) (*Result, error) {
	return run(ctx, o, o.dial)
}

// dialer connects to where a URL points.
type dialer func(context.Context, *url.URL) (net.Conn, error)

func (o Options) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	return o.Client.Dial(ctx, u)
}

func run(ctx context.Context, o Options, dial dialer) (*Result, error) {
	e, err := newEngine(ctx, &o, dial)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	defer e.cancel(nil)
	stop := context.AfterFunc(e.ctx, e.shut)
	defer stop()
	defer e.drop()
	if err := e.connect(); err != nil {
		return nil, err
	}
	e.work()
	if err := context.Cause(e.ctx); err != nil && ctx.Err() == nil {
		return nil, err
	}
	return e.result(), nil
}
