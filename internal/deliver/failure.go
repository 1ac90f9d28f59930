package deliver

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// Failure says in a sentence for the user why a delivery has no answer. Cause is
// what net/http, the resolver or the guard reported.
type Failure struct {
	Outcome Outcome
	Text    string
	Cause   error
}

func (f *Failure) Error() string { return f.Text }

// Unwrap returns Cause.
func (f *Failure) Unwrap() error { return f.Cause }

// progress is how far an attempt came.
type progress struct {
	handshaking bool
	connected   bool
	sent        bool
	inflicted   bool // the connection was cut because the fault says so
	status      int
	remote      string
}

// classify decides the outcome of an attempt that failed with err. Ended is the
// caller's context's error, expired whether the client's own limit passed.
func classify(p progress, err, ended error, expired bool) Outcome {
	if isRefusal(err) {
		return Refused
	}
	switch {
	case ended != nil:
		return Canceled
	case expired && p.connected:
		return TimedOut
	case p.sent, p.connected && isGarbage(err):
		return Unknown
	}
	return Unreachable
}

// isGarbage reports whether a server spoke, and it was no HTTP. It may do so
// before the request is sent; net/http has no type for it.
func isGarbage(err error) bool { return strings.Contains(err.Error(), "malformed HTTP") }

func isRefusal(err error) bool {
	var (
		remote  *RemoteError
		header  *HeaderError
		target  *TargetError
		refusal *refusalError
	)
	return errors.As(err, &remote) || errors.As(err, &header) || errors.As(err, &target) || errors.As(err, &refusal)
}

// refusalError marks a failed check before anything was sent.
type refusalError struct{ error }

func (e *refusalError) Unwrap() error { return e.error }

// attemptInfo is what the sentences about a failure are made of.
type attemptInfo struct {
	progress
	address string
	limit   time.Duration
	expired bool
}

func failure(o Outcome, a attemptInfo, err error) *Failure {
	return &Failure{Outcome: o, Text: explain(o, a, err), Cause: err}
}

func explain(o Outcome, a attemptInfo, err error) string {
	switch o {
	case TimedOut:
		return explainTimeout(a)
	case Unreachable:
		return explainUnreachable(a, err)
	case Unknown:
		return explainUnknown(a, err)
	case Canceled:
		return fmt.Sprintf("canceled before %s answered", a.address)
	default:
		return shorten(err.Error())
	}
}

func explainTimeout(a attemptInfo) string {
	if a.status != 0 {
		return fmt.Sprintf("%s began to answer (status %d), but the answer was not complete within %s", a.address, a.status, a.limit)
	}
	return fmt.Sprintf("%s took the connection, but did not answer within %s", a.address, a.limit)
}

func explainUnreachable(a attemptInfo, err error) string {
	var (
		dns    *net.DNSError
		cert   *tls.CertificateVerificationError
		record tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &cert):
		return fmt.Sprintf("the certificate of %s is not trusted: %s; give its CA (--cacert), or skip the check for a test server (--insecure)",
			a.address, shorten(cert.Err.Error()))
	case errors.As(err, &record):
		return fmt.Sprintf("%s does not speak TLS; if it is a plain HTTP server, write http:// instead of https://", a.address)
	case a.connected && !a.expired:
		return fmt.Sprintf("%s took the connection, and broke it before the request was sent", a.address)
	case a.expired && a.handshaking:
		return fmt.Sprintf("%s took the connection, but the TLS handshake was not complete within %s", a.address, a.limit)
	case errors.As(err, &dns):
		return fmt.Sprintf("cannot resolve %q: %s; check the name, or give another URL", shorten(dns.Name), shorten(dns.Err))
	case a.expired || isTimeout(err):
		return fmt.Sprintf("no connection to %s within %s; check that it is up, or give another URL", a.address, a.limit)
	case isRefusedConnection(err):
		return fmt.Sprintf("connection refused: nothing listens on %s; start your server, or give another URL", dialed(a.address, err))
	}
	return fmt.Sprintf("cannot connect to %s: %s", a.address, shorten(err.Error()))
}

func explainUnknown(a attemptInfo, err error) string {
	const verdict = "it is unknown whether the delivery was processed"
	var inflicted *inflictedError
	switch {
	case errors.As(err, &inflicted) && inflicted.fault == CutBody:
		return fmt.Sprintf("the connection to %s was cut after half of the body, as the fault %s asks: %s", a.address, inflicted.fault, verdict)
	case errors.As(err, &inflicted):
		return fmt.Sprintf("%s answered, but the answer was thrown away, as the fault %s asks: %s", a.address, inflicted.fault, verdict)
	case a.status != 0:
		return fmt.Sprintf("%s began to answer (status %d), but the connection broke before the answer was complete (%s): %s",
			a.address, a.status, shorten(err.Error()), verdict)
	case isBroken(err):
		return fmt.Sprintf("%s closed the connection without an answer, after the request was sent: %s", a.address, verdict)
	}
	return fmt.Sprintf("%s gave no usable HTTP answer (%s): %s", a.address, shorten(err.Error()), verdict)
}

func isBroken(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || hasErrno(err, syscall.ECONNRESET, wsaConnReset)
}

// Windows reports Winsock's numbers, which package syscall's own ECONN errors
// there do not match.
const (
	wsaConnReset   = syscall.Errno(10054)
	wsaConnRefused = syscall.Errno(10061)
)

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// NobodyListens reports whether a connection was refused since no program listens
// at its address.
func NobodyListens(err error) bool { return isRefusedConnection(err) }

func isRefusedConnection(err error) bool {
	return hasErrno(err, syscall.ECONNREFUSED, wsaConnRefused)
}

func hasErrno(err error, wanted ...syscall.Errno) bool {
	var got syscall.Errno
	if !errors.As(err, &got) {
		return false
	}
	for _, errno := range wanted {
		if got == errno {
			return true
		}
	}
	return false
}

// dialed prefers the address that was dialed to the one that was asked for.
func dialed(address string, err error) string {
	var op *net.OpError
	for cause := err; errors.As(cause, &op); cause = op.Err {
		if op.Addr != nil {
			return op.Addr.String()
		}
	}
	return address
}

// withHost gives the guard's error the name whose address was refused.
func withHost(err error, host string) error {
	var remote *RemoteError
	if !errors.As(err, &remote) || remote.Host != "" {
		return err
	}
	return &RemoteError{Host: host, Addr: remote.Addr.Unmap()}
}
