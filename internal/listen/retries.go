package listen

import (
	"fmt"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/verify"
)

// Retry judges one attempt at a delivery whose attempts before it failed: its
// number, from 1, and how long after the end of the last one it came. The
// documented wait is held with a margin, since the way there takes time, too.
func Retry(d contract.Delivery, number int, after time.Duration) *verify.Finding {
	retry := number - 1
	switch {
	case retry < 1:
		return nil
	case retry > len(d.Backoff):
		return &verify.Finding{
			Code: verify.RetryExcess, Severity: verify.Violation, Source: d.Source,
			Message:  fmt.Sprintf("attempt %d at a delivery: at most %d retries are documented", number, len(d.Backoff)),
			Expected: fmt.Sprintf("%d attempts", len(d.Backoff)+1), Got: fmt.Sprintf("attempt %d", number),
		}
	}
	want := d.Backoff[retry-1]
	f := &verify.Finding{
		Severity: verify.Warning, Source: d.Source,
		Expected: fmt.Sprintf("%s after the attempt before", want), Got: after.Round(10 * time.Millisecond).String(),
	}
	switch {
	case after < want*8/10:
		f.Code, f.Message = verify.RetryEarly, fmt.Sprintf("retry %d comes too early", retry)
	case after > latest(want):
		f.Code, f.Message = verify.RetryLate, fmt.Sprintf("retry %d comes late", retry)
	default:
		return nil
	}
	return f
}

// latest is when a retry that was due is late.
func latest(wait time.Duration) time.Duration { return wait*3/2 + time.Second }

// Missed lists, at the end, the deliveries that the user made fail and that were
// not tried again, as they should have been by now.
func (h *Handler) Missed() []verify.Finding {
	if h.Response == nil && h.Delay == 0 {
		return nil // then it is the sender's payload that was refused
	}
	return h.attempts.missed(h.Contract.Delivery, h.Now())
}
