package listen

import (
	"errors"
	"fmt"
	"hash/maphash"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
)

// ErrRespond is wrapped when a response pattern cannot be read.
var ErrRespond = errors.New("it takes a status or drop, and maybe how many of how many attempts: 500, 503:2/3, drop:1/2")

// Response overrides the answer to deliveries, so that a sender's retries can
// be tested.
type Response struct {
	// Status is what is answered; 0 closes the connection without an answer.
	Status int
	// First of every Of attempts at one delivery are overridden; the others are
	// answered as judged.
	First, Of int
}

// ParseResponse reads "500", "503:2/3" or "drop:1/2".
func ParseResponse(s string) (Response, error) {
	bad := fmt.Errorf("%.60q: %w", s, ErrRespond)
	status, share, shared := strings.Cut(s, ":")
	r := Response{First: 1, Of: 1}
	if status != "drop" {
		n, err := strconv.Atoi(status)
		if err != nil || n < 200 || n > 599 {
			return r, bad
		}
		r.Status = n
	}
	if !shared {
		return r, nil
	}
	first, of, ok := strings.Cut(share, "/")
	var err error
	if r.First, err = strconv.Atoi(first); err != nil || !ok || r.First < 1 {
		return r, bad
	}
	if r.Of, err = strconv.Atoi(of); err != nil || r.Of < r.First || r.Of > maxAttempts {
		return r, bad
	}
	return r, nil
}

const (
	maxAttempts = 1000
	// maxOpen bounds how many deliveries are remembered by their attempts.
	maxOpen = 100_000
)

// Applies reports whether attempt number n, from 1, is overridden.
func (r Response) Applies(n int) bool { return (n-1)%r.Of < r.First }

// attempts remembers when each delivery was tried, and whether it was taken. A
// delivery is known by its bytes: a retry repeats them.
type attempts struct {
	mu   sync.Mutex
	seed maphash.Seed
	open *simplelru.LRU[uint64, *attempt] // by the hash of the bytes
	// lost is set when a delivery was forgotten that may be tried again.
	lost bool
}

type attempt struct {
	state *contract.State // nil where it reports none
	id    string
	n     int
	ended time.Time // when the sender knew, or will know, that the last one failed
	taken bool
}

func newAttempts(limit int) *attempts {
	a := &attempts{seed: maphash.MakeSeed()}
	var err error
	a.open, err = simplelru.NewLRU(limit, func(_ uint64, t *attempt) { a.lost = a.lost || !t.taken })
	if err != nil {
		panic(err) // the limit is a positive constant
	}
	return a
}

// begin counts an attempt at what was judged. The one before it, if there is one, had failed when retry is set, and the sender knew so at that moment. The new one fails at the
// latest at giveUp, when the sender stops waiting. First is set when no attempt
// is known to have been taken.
func (a *attempts) begin(body []byte, v verify.Verdict, now, giveUp time.Time) (n int, failed time.Time, retry, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := maphash.Bytes(a.seed, body)
	t, ok := a.open.Get(key)
	if !ok {
		t = &attempt{state: v.State, id: v.ID}
		first = a.lost
		a.open.Add(key, t)
	}
	failed, retry = t.ended, t.n > 0 && !t.taken && !now.Before(t.ended)
	t.n, t.ended = t.n+1, giveUp
	return t.n, failed, retry, first || retry
}

// missed lists the deliveries that failed and, at that moment, should long have
// been tried again.
func (a *attempts) missed(d contract.Delivery, now time.Time) []verify.Finding {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []verify.Finding
	for _, t := range a.open.Values() {
		if t.taken || t.n > len(d.Backoff) {
			continue
		}
		if wait := d.Backoff[t.n-1]; now.Sub(t.ended) > latest(wait) {
			out = append(out, verify.Finding{
				Code: verify.RetryMissed, Severity: verify.Warning, Source: d.Source,
				Message: fmt.Sprintf("%s failed in attempt %d and was not tried again: a retry was due after %s", t.described(), t.n, wait),
			})
		}
	}
	return out
}

// end notes how attempt number n ended; 0 is none that begin counted.
func (a *attempts) end(body []byte, n int, at time.Time, taken bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	t, ok := a.open.Get(maphash.Bytes(a.seed, body))
	if !ok || n == 0 {
		return
	}
	t.taken = t.taken || taken
	if t.n == n && at.Before(t.ended) {
		t.ended = at
	}
}
