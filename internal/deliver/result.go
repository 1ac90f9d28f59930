package deliver

import (
	"net/http"
	"slices"
	"time"
)

// Outcome says how a delivery ended, as far as the sender can know.
type Outcome string

// The outcomes of a delivery.
const (
	// Answered: a complete answer came; its status may be any.
	Answered Outcome = "answered"
	// TimedOut: connected, but no complete answer within the limit. The receiver may have processed the delivery.
	TimedOut Outcome = "timed-out"
	// Unreachable: the request was not sent, because resolving, connecting or the TLS handshake failed or took too long.
	Unreachable Outcome = "unreachable"
	// Unknown: the request was sent, but no usable answer came back. The receiver may have processed the delivery.
	Unknown Outcome = "unknown"
	// Refused: nothing was sent, because the target is remote without AllowRemote or the request is not a valid one.
	Refused Outcome = "refused"
	// Canceled: the caller's context ended first.
	Canceled Outcome = "canceled"
)

// What only a Delivery can come to, besides Unknown, Refused and Canceled.
const (
	// Success: an attempt was answered by a status that counts.
	Success Outcome = "success"
	// Failed: every attempt was answered otherwise, or could not be sent.
	Failed Outcome = "failed"
)

// Result is one attempt to deliver, and exactly what came back.
//
// Status, Proto and Header are set as soon as an answer began, so a TimedOut or
// Unknown result may have them, with the part of the Body that arrived.
type Result struct {
	// Attempt is the number of this attempt in its Delivery, from 1; 0 if it was posted alone.
	Attempt int
	// Fault is how the sender misbehaved in this attempt.
	Fault Fault
	// URL is where the delivery went.
	URL string
	// Outcome says how it ended; Err says why, and is nil exactly when Outcome is Answered.
	Outcome Outcome
	// Status is the answer's status code, 0 if none came. Redirects are answers.
	Status int
	// Proto is the answer's protocol, such as "HTTP/1.1".
	Proto string
	// Header is the answer's header, its names in canonical form.
	Header http.Header
	// Body is the answer's body as it was sent (no decompression), at most Options.MaxBody bytes.
	Body []byte
	// Truncated says that the answer's body was longer than Body.
	Truncated bool
	// Started is when the attempt began, by Options.Now.
	Started time.Time
	// Latency is the time from Started to the end of the answer, or to the failure.
	Latency time.Duration
	// RemoteAddr is the address connected to (a proxy's, if there is one); empty if there was no connection.
	RemoteAddr string
	// Err is a *Failure, or nil.
	Err error
}

// Success reports whether a complete answer came and its status is one of
// statuses. Which statuses count is the contract's to say.
func (r Result) Success(statuses []int) bool {
	return r.Outcome == Answered && slices.Contains(statuses, r.Status)
}
