package listen

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/suggest"
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
		if near := suggest.DidYouMean(status, []string{"drop"}); err != nil && near != "" {
			return r, fmt.Errorf("%w%s", bad, near)
		}
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
