// Package inspect shows deliveries while they come: it keeps the latest of them
// and serves a page that tells where each payment stands, to one user, on this
// machine.
package inspect

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/journal"
)

// The bounds of what is kept where Options name none.
const (
	DefaultRecords = 100_000
	DefaultBytes   = 256 << 20
)

// Options say what is shown, and to whom. Contract, Token and Now are required.
type Options struct {
	Contract *contract.Contract
	// Title says in a few words what is shown.
	Title string
	// Live says that more will come than was added when serving begins.
	Live bool
	// Token is the first segment of every path that is answered; who does not know
	// it learns nothing. It takes at least 128 random bits.
	Token string
	// Now tells the time for the deadlines of connections.
	Now func() time.Time
	// Target is where Resend delivers to, without what may be a key to it; empty
	// when it delivers nowhere.
	Target string
	// Received is where deliveries that do not say so themselves came in.
	Received string
	// Resend delivers a record to Target and returns what came back; nil when there
	// is nowhere to deliver to.
	Resend func(ctx context.Context, r journal.Record) (journal.Record, error)
	// Hidden says of a header that its value is not to be kept; nil keeps all.
	Hidden func(name string) bool
	// MaxRecords and MaxBytes bound what is kept, the bytes roughly; 0 means
	// DefaultRecords and DefaultBytes.
	MaxRecords int
	MaxBytes   int64
	// Program is what the commands that are offered for copying call paytest.
	Program string
	// Version is the program's release.
	Version string
}

// Inspector keeps records and shows them. It is safe for concurrent use.
type Inspector struct {
	o       Options
	c       *contract.Contract
	store   *store
	digest  *digest
	assets  map[string]asset
	streams atomic.Int64
	resends atomic.Int64
}

// New returns an Inspector that has seen nothing.
func New(o Options) *Inspector {
	if o.MaxRecords <= 0 {
		o.MaxRecords = DefaultRecords
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultBytes
	}
	if o.Hidden == nil {
		o.Hidden = func(string) bool { return false }
	}
	i := &Inspector{o: o, c: o.Contract, store: newStore(o.MaxRecords, o.MaxBytes), assets: assets()}
	i.digest = newDigest(i)
	return i
}

// Add shows one more record. It never waits for who looks at it, and is cheap
// enough to be called for every delivery. Body and headers are copied; nothing
// else in it may change afterwards.
func (i *Inspector) Add(r journal.Record) { i.store.add(keep(r, i.o.Hidden)) }

// End says that nothing more will be added; streams end when all has been sent.
func (i *Inspector) End() { i.store.end() }
