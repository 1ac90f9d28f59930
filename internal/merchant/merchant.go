// Package merchant is a model of a merchant's endpoint: it takes a gateway's
// webhooks, credits each payment once, and shows what it made of them at a
// probe. It is correct, and can be given one of many bugs, each of which a test
// of endpoints must find.
package merchant

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/signature"
)

// The reasons for which New refuses its options.
var (
	ErrRoles  = errors.New("the contract does not say which state is paid: a merchant needs its roles")
	ErrClock  = errors.New("a merchant needs a clock: Options.Now is nil")
	ErrSigned = errors.New("there are secrets, but the contract does not say how deliveries are signed")
	ErrBug    = errors.New("there is no such bug")
)

const defaultTolerance = 5 * time.Minute

// Options say how a Merchant works. Contract and Now are required.
type Options struct {
	Contract *contract.Contract
	// Secrets, where there are any, are those of which one must have signed each
	// delivery, by the contract's own scheme and over the bytes as they came.
	Secrets []signature.Secret
	// Bug is the Name of the Bug that the merchant has; "" is none.
	Bug string
	Now func() time.Time
	// Wait is how bugs dawdle; nil does not wait.
	Wait func(ctx context.Context, d time.Duration) error
	// Tolerance is how far an event's own moment may lie from Now, before or
	// after it; 0 is 5 minutes.
	Tolerance time.Duration
	// Ordered makes the merchant refuse what comes before the event that it follows
	// from, as it would a conflict, until that has come. It is correct so, too: the
	// gateway delivers again what is refused.
	Ordered bool
	// Slow is how long a slow bug keeps the sender waiting; 0 is a second longer
	// than the gateway waits.
	Slow time.Duration
}

// Merchant is an http.Handler that takes deliveries at the contract's paths and
// answers the probe GET /orders/{id}. It is safe for concurrent use.
type Merchant struct {
	Options
	roles  *contract.Roles
	scheme signature.Scheme
	bug    string

	mu sync.Mutex
	// book is what a merchant keeps on disk, memory what a restart loses.
	book     *ledger
	memory   *memory
	failNext bool
}

// New returns a Merchant that has heard of nothing. The error wraps ErrRoles,
// ErrClock, ErrSigned or ErrBug.
func New(o Options) (*Merchant, error) {
	switch {
	case o.Contract == nil || o.Contract.Roles == nil:
		return nil, ErrRoles
	case o.Now == nil:
		return nil, ErrClock
	case len(o.Secrets) > 0 && o.Contract.Signature == nil:
		return nil, ErrSigned
	}
	if o.Bug != "" && !slices.ContainsFunc(Bugs(), func(b Bug) bool { return b.Name == o.Bug }) {
		return nil, fmt.Errorf("bug %.60q: %w%s", o.Bug, ErrBug, near(o.Bug))
	}
	if o.Wait == nil {
		o.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	if o.Tolerance == 0 {
		o.Tolerance = defaultTolerance
	}
	if o.Slow == 0 {
		o.Slow = o.Contract.Delivery.Timeout + time.Second
	}
	m := &Merchant{Options: o, roles: o.Contract.Roles, bug: o.Bug, book: newLedger(), memory: newMemory()}
	if s := o.Contract.Signature; s != nil {
		m.scheme = s.Scheme
	}
	return m, nil
}

// near names the bugs that share a word, or their case, with what was typed.
func near(typed string) string {
	words := strings.FieldsFunc(strings.ToLower(typed), func(r rune) bool { return r == '-' || r == '_' || r == ' ' })
	var names []string
	for _, b := range Bugs() {
		shares := func(w string) bool {
			return strings.EqualFold(w, b.Case) || slices.Contains(strings.Split(b.Name, "-"), w)
		}
		if slices.ContainsFunc(words, shares) && len(names) < 8 {
			names = append(names, b.Name)
		}
	}
	if len(names) == 0 {
		return ": there are " + fmt.Sprint(len(Bugs())) + ", double-credit for one"
	}
	return "; did you mean one of " + strings.Join(names, ", ") + "?"
}

// Restart does what a restart of the process would: what is only in memory is
// lost. A correct merchant loses nothing by it.
func (m *Merchant) Restart() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.memory = newMemory()
	if m.has("memory-ledger") {
		m.book = newLedger()
	}
}

// FailNext makes the processing of the next sound delivery break half-way: it is
// answered 500, and a correct merchant keeps nothing of it.
func (m *Merchant) FailNext() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failNext = true
}

// has reports whether the merchant has the bug of that name.
func (m *Merchant) has(bug string) bool { return m.bug == bug }
