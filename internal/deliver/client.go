// Package deliver posts one webhook delivery and says exactly what came back.
package deliver

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	defaultTimeout   = 5 * time.Second
	defaultMaxBody   = 64 << 10
	maxDrainBytes    = 1 << 20
	maxHeaderBytes   = 64 << 10
	defaultUserAgent = "paytest"
	schemeHTTP       = "http"
	schemeHTTPS      = "https"
)

// ErrOptions is wrapped by every error of New.
var ErrOptions = errors.New("delivery options")

// errSecondConnection stops net/http from sending a delivery again.
var errSecondConnection = errors.New("a second connection for the same delivery was prevented")

// Options say how a Client delivers. Now is required.
type Options struct {
	// Timeout limits the whole exchange, from resolving to the last byte of the
	// answer; 0 means the documented 5 seconds.
	Timeout time.Duration
	// Insecure skips the verification of the server's certificate.
	Insecure bool
	// CACert holds PEM certificates that are trusted instead of the system's.
	CACert []byte
	// Proxy is the URL of an http, https, socks5 or socks5h proxy. Proxies of the
	// environment are never used.
	Proxy string
	// AllowRemote lets deliveries leave this machine and its private network.
	AllowRemote bool
	// UserAgent is sent as it is, such as "paytest/1.2.3"; empty means "paytest".
	UserAgent string
	// MaxBody is how many bytes of an answer's body are kept; 0 means 64 KiB. Up
	// to 1 MiB more is read and dropped, then the answer counts as complete.
	MaxBody int64
	// Now tells the time for Result.Started and Result.Latency.
	Now func() time.Time
	// Resolver resolves names; nil means the system's.
	Resolver *net.Resolver
	// Pause waits between the pieces of a slow body, from a goroutine of its own; it
	// returns an error when ctx ended. Nil means Sleep: the real time that the
	// receiver would see, within the Timeout.
	Pause func(ctx context.Context, d time.Duration) error
	// Dial replaces how connections are opened, and the guard: a seam for tests.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport replaces connections, TLS, proxy and the guard: a seam for tests.
	// Unless it reports WroteHeaders (net/http/httptrace), its errors count as
	// Unreachable.
	Transport http.RoundTripper
}

// Client posts deliveries, each attempt over a connection of its own. It is safe for
// concurrent use.
type Client struct {
	options   Options
	proxy     *url.URL
	tls       *tls.Config
	transport http.RoundTripper
	wired     http.RoundTripper // for faults; nil if Options.Transport is given
	dialer    *net.Dialer
	dial      func(ctx context.Context, network, address string) (net.Conn, error)
}

// New checks the options and returns a Client. Errors wrap ErrOptions: no Now, a
// negative limit, CACert without a certificate or together with Insecure, a
// proxy that is not one.
func New(o Options) (*Client, error) {
	if err := complete(&o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	proxy, err := parseProxy(o.Proxy)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	roots, err := parseCACert(o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrOptions, err)
	}
	c := &Client{options: o, proxy: proxy, transport: o.Transport}
	if c.transport == nil {
		c.useNetwork(&tls.Config{RootCAs: roots, InsecureSkipVerify: o.Insecure, MinVersion: tls.VersionTLS12}) //nolint:gosec // the user asked for Insecure
	}
	return c, nil
}

func complete(o *Options) error {
	if o.Now == nil {
		return errors.New("the clock (Now) is missing")
	}
	if o.Timeout < 0 || o.MaxBody < 0 {
		return fmt.Errorf("timeout %s and answer limit %d must not be negative", o.Timeout, o.MaxBody)
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.MaxBody == 0 {
		o.MaxBody = defaultMaxBody
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.Pause == nil {
		o.Pause = Sleep
	}
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	return checkHeader("User-Agent", o.UserAgent)
}

// parseProxy never quotes its input: it may hold a password.
func parseProxy(s string) (*url.URL, error) {
	if s == "" {
		return nil, nil //nolint:nilnil // no proxy is a valid answer
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || checkHost(u) != "" || checkPort(u) != "" {
		return nil, errors.New("--proxy is not a URL; write it as http://HOST:PORT")
	}
	if !slices.Contains([]string{schemeHTTP, schemeHTTPS, "socks5", "socks5h"}, u.Scheme) {
		return nil, fmt.Errorf("--proxy: the scheme %q is not supported; use http, https, socks5 or socks5h", shorten(u.Scheme))
	}
	return u, nil
}

func parseCACert(o Options) (*x509.CertPool, error) {
	if o.CACert == nil {
		return nil, nil //nolint:nilnil // nil means the system's certificates
	}
	if o.Insecure {
		return nil, errors.New("a CA certificate and skipping the check exclude each other; give one")
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(o.CACert) {
		return nil, errors.New("--cacert: the file holds no PEM certificate")
	}
	return roots, nil
}

func (c *Client) useNetwork(config *tls.Config) {
	// The timeout divides the time among a name's addresses, so one dead address leaves time for the next.
	c.dialer = &net.Dialer{Resolver: c.options.Resolver, Timeout: c.options.Timeout}
	if !c.options.AllowRemote {
		c.dialer.ControlContext = guardDial
	}
	if c.dial, c.tls = c.options.Dial, config; c.dial == nil {
		c.dial = c.dialer.DialContext
	}
	c.transport = &http.Transport{
		Proxy:                  func(*http.Request) (*url.URL, error) { return c.proxy, nil },
		DialContext:            c.dialOnce,
		TLSClientConfig:        config,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ForceAttemptHTTP2:      true,
	}
	c.wired = &http.Transport{
		DialContext:            c.dialWire,
		DialTLSContext:         c.dialTLSWire,
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
	}
}

// Close releases what the client holds. Call it after the last Post or Deliver
// returned.
func (c *Client) Close() {
	for _, transport := range []http.RoundTripper{c.transport, c.wired} {
		if t, ok := transport.(interface{ CloseIdleConnections() }); ok {
			t.CloseIdleConnections()
		}
	}
}

// Post sends body to u, once: it is never repeated, whatever headers it carries,
// and redirects are not followed. Header is the user's, its names in any case;
// it may replace Content-Type, User-Agent and Host. Post returns within the
// Timeout; every failure is in the Result.
func (c *Client) Post(ctx context.Context, u *url.URL, header http.Header, body []byte) Result {
	return c.post(ctx, message{url: u, header: header, body: body}, &attempt{})
}

// Get asks u for what is there, once, within the same limits and behind the same
// guard as Post.
func (c *Client) Get(ctx context.Context, u *url.URL, header http.Header) Result {
	return c.post(ctx, message{method: http.MethodGet, url: u, header: header}, &attempt{})
}

func (c *Client) post(ctx context.Context, m message, a *attempt) Result {
	r := Result{Started: c.options.Now(), Fault: a.fault}
	limited, cancel := context.WithTimeout(ctx, c.options.Timeout)
	defer cancel()
	a.size, a.progress.connected = len(m.body), c.options.Transport != nil
	err := c.exchange(limited, a, m, &r)
	r.Latency = c.options.Now().Sub(r.Started)
	p := a.snapshot()
	r.RemoteAddr = p.remote
	late := errors.Is(limited.Err(), context.DeadlineExceeded)
	if err != nil || a.fault.needsWire() {
		a.abort()
	}
	if err == nil {
		r.Outcome = Answered
		return r
	}
	p.status = r.Status
	r.Outcome = classify(p, err, ctx.Err(), late)
	info := attemptInfo{progress: p, address: c.address(m.url), limit: c.options.Timeout, expired: late}
	r.Err = failure(r.Outcome, info, withHost(err, c.dialedHost(m.url)))
	return r
}

func (c *Client) exchange(ctx context.Context, a *attempt, m message, r *Result) error {
	if m.url == nil {
		return &TargetError{Problem: "is missing"}
	}
	if problem := checkURL(m.url); problem != "" {
		return &TargetError{Input: shown(m.url.String()), Problem: problem}
	}
	r.URL = m.url.String()
	req, err := c.request(ctx, a, m)
	if err != nil {
		return err
	}
	if c.proxy != nil && !c.options.AllowRemote {
		if err := guardHost(ctx, c.options.Resolver, m.url.Hostname()); err != nil && ctx.Err() != nil {
			return err
		} else if err != nil {
			return &refusalError{err}
		}
	}
	resp, err := c.roundTrip(a, req)
	if err != nil {
		return err
	}
	return c.read(resp, r)
}

func (c *Client) roundTrip(a *attempt, req *http.Request) (*http.Response, error) {
	if !a.fault.needsWire() {
		return c.transport.RoundTrip(req)
	}
	resp, err := c.wired.RoundTrip(req)
	if a.snapshot().inflicted || err == nil && a.fault == LostAck {
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, &inflictedError{a.fault}
	}
	return resp, err
}

func (c *Client) request(ctx context.Context, a *attempt, m message) (*http.Request, error) {
	fields, host, err := requestHeader(m.header, c.options.UserAgent)
	if err != nil {
		return nil, err
	}
	u, target := m.url, *m.url
	if host != "" && c.proxy != nil && u.Scheme == schemeHTTP && (c.proxy.Scheme == schemeHTTP || c.proxy.Scheme == schemeHTTPS) {
		// net/http would otherwise ask the proxy for the Host header's host, past the guard.
		target.Opaque = (&url.URL{Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
	}
	req := &http.Request{
		Method: cmp.Or(m.method, http.MethodPost), URL: &target, Host: host, Header: fields,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody,
	}
	if len(m.body) > 0 {
		// A copy, because net/http may still be reading it when Post returns. There is no GetBody: it would allow a second sending.
		req.Body, req.ContentLength = io.NopCloser(beforeLast(bytes.Clone(m.body), a.hold)), int64(len(m.body))
	}
	ctx = httptrace.WithClientTrace(context.WithValue(ctx, attemptKey{}, a), a.trace())
	return req.WithContext(ctx), nil
}

func (c *Client) read(resp *http.Response, r *Result) error {
	defer resp.Body.Close()
	r.Status, r.Proto, r.Header = resp.StatusCode, resp.Proto, resp.Header
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is not HTTP, and net/http would not end the reading at the deadline.
		return nil
	}
	var err error
	if r.Body, err = io.ReadAll(io.LimitReader(resp.Body, c.options.MaxBody)); err != nil {
		return err
	}
	dropped, err := io.Copy(io.Discard, io.LimitReader(resp.Body, maxDrainBytes))
	r.Truncated = dropped > 0
	return err
}

// address is the host:port that is dialed for u.
func (c *Client) address(u *url.URL) string {
	to := c.dialedURL(u)
	if to == nil {
		return ""
	}
	port := to.Port()
	if port == "" {
		port = map[string]string{schemeHTTPS: "443", "socks5": "1080", "socks5h": "1080"}[to.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(to.Hostname(), port)
}

func (c *Client) dialedURL(u *url.URL) *url.URL {
	if c.proxy != nil {
		return c.proxy
	}
	return u
}

func (c *Client) dialedHost(u *url.URL) string {
	if to := c.dialedURL(u); to != nil {
		return to.Hostname()
	}
	return ""
}

type attemptKey struct{}

// attempt follows one delivery through net/http, whose goroutines may outlive it.
type attempt struct {
	fault Fault
	hold  func() error // unless nil, called before the body's last byte is read
	size  int          // of the body, in bytes

	mu       sync.Mutex
	dialed   bool
	progress progress
	aborted  bool
	cleanups []func()
}

func (a *attempt) update(f func(*progress)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f(&a.progress)
}

func (a *attempt) snapshot() progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.progress
}

func (a *attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		TLSHandshakeStart: func() { a.update(func(p *progress) { p.handshaking = true }) },
		GotConn: func(info httptrace.GotConnInfo) {
			a.update(func(p *progress) { p.connected, p.remote = true, info.Conn.RemoteAddr().String() })
		},
		WroteHeaders: func() { a.update(func(p *progress) { p.sent = true }) },
	}
}

func (a *attempt) firstDial() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	first := !a.dialed
	a.dialed = true
	return first
}

// onAbort has f called when the attempt is aborted, at once if it already was.
func (a *attempt) onAbort(f func()) {
	a.mu.Lock()
	aborted := a.aborted
	if !aborted {
		a.cleanups = append(a.cleanups, f)
	}
	a.mu.Unlock()
	if aborted {
		f()
	}
}

// abort ends what net/http would leave running: it neither cancels a dial nor
// ends a TLS or proxy handshake when the request's context ends.
func (a *attempt) abort() {
	a.mu.Lock()
	cleanups := a.cleanups
	a.aborted, a.cleanups = true, nil
	a.mu.Unlock()
	for _, f := range cleanups {
		f()
	}
}

// dialOnce allows one connection per delivery. Every way net/http has of sending
// a request again (Idempotency-Key, HTTP/2's REFUSED_STREAM and GOAWAY) needs
// another one, since none is kept alive.
func (c *Client) dialOnce(ctx context.Context, network, address string) (net.Conn, error) {
	conn, _, err := c.dialAttempt(ctx, network, address)
	return conn, err
}

func (c *Client) dialAttempt(ctx context.Context, network, address string) (net.Conn, *attempt, error) {
	a, ok := ctx.Value(attemptKey{}).(*attempt)
	if !ok || !a.firstDial() {
		return nil, nil, errSecondConnection
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.onAbort(cancel)
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, nil, err
	}
	a.onAbort(func() { _ = conn.Close() })
	return conn, a, nil
}
