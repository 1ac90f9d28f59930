package conform_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/signature"
)

// middleware is a handler in front of another one.
type middleware func(w http.ResponseWriter, r *http.Request, next http.Handler)

// behind starts the correct merchant behind another handler.
func behind(t testing.TB, front middleware) subject {
	t.Helper()
	return subject{probe: true, endpoint: serve(t, httpServer(delivered(t, front)))}
}

// delivered is the correct merchant behind another handler, which sees its
// deliveries but not the probe.
func delivered(t testing.TB, front middleware) http.HandlerFunc {
	t.Helper()
	c, _ := pack(t)
	m, err := merchant.New(merchant.Options{Contract: c, Secrets: []signature.Secret{secret(t, "current")}, Now: time.Now, Wait: deliver.Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/orders/") {
			m.ServeHTTP(w, r)
			return
		}
		front(w, r, m)
	}
}

func statusFor(status int, when func(*http.Request) bool) middleware {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if when(r) {
			w.WriteHeader(status)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// diesOf is a proxy whose server is gone for good once it gets such a request.
func diesOf(what func(*http.Request) bool) middleware {
	var gone atomic.Bool
	return statusFor(http.StatusBadGateway, func(r *http.Request) bool {
		if what(r) {
			gone.Store(true)
		}
		return gone.Load()
	})
}

// says reports whether the body holds one of the texts; it can be read again.
func says(texts ...string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return slices.ContainsFunc(texts, func(text string) bool { return bytes.Contains(body, []byte(text)) })
	}
}

func hasHeader(name, part string) func(*http.Request) bool {
	return func(r *http.Request) bool { return strings.Contains(r.Header.Get(name), part) }
}

// changes does something to a request before it goes on.
func changes(change func(r *http.Request)) middleware {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		change(r)
		next.ServeHTTP(w, r)
	}
}

// unzips decodes bodies up to 2 MiB; the signature is checked by what is behind it, unless
// it is one of the bytes sent.
func unzips(ofBytesSent bool) middleware {
	return changes(func(r *http.Request) {
		if r.Header.Get("Content-Encoding") != "gzip" {
			return
		}
		sent, _ := io.ReadAll(r.Body)
		z, err := gzip.NewReader(bytes.NewReader(sent))
		if err != nil {
			return
		}
		plain, _ := io.ReadAll(io.LimitReader(z, 2<<20))
		r.Header.Del("Content-Encoding")
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(plain)), int64(len(plain))
		if !ofBytesSent {
			return
		}
		s, _ := signature.NewSecret([]byte("current"))
		scheme := signature.HMACHeader("X-Signature", "", signature.Hex)
		if !scheme.Verify([]signature.Secret{s}, r.Header, sent, time.Now(), 0).OK {
			r.Header.Set("X-Signature", "wrong")
			return
		}
		right, _ := scheme.Sign([]signature.Secret{s}, signature.Message{Body: plain})
		r.Header.Set("X-Signature", right.Get("X-Signature"))
	})
}

// since starts something after so many deliveries.
func since(n int, then middleware) middleware {
	var mu sync.Mutex
	seen := 0
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		mu.Lock()
		seen++
		late := seen > n
		mu.Unlock()
		if late {
			then(w, r, next)
			return
		}
		next.ServeHTTP(w, r)
	}
}

// sizeOver reads the body to see how long it is.
func sizeOver(n int) func(*http.Request) bool {
	return func(r *http.Request) bool {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		return len(body) > n
	}
}

func always(*http.Request) bool { return true }

// payments is where the events of payments go.
const payments = "/callback/update-invoice"

func toPayments(r *http.Request) bool { return r.URL.Path == payments }

func all(conditions ...func(*http.Request) bool) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return !slices.ContainsFunc(conditions, func(c func(*http.Request) bool) bool { return !c(r) })
	}
}

func nothing(*http.Request) {}

func noPost(r *http.Request) bool { return r.Method != http.MethodPost }

// lingers says that it closes the connection, and then reads on for a while.
func lingers(w http.ResponseWriter, r *http.Request, next http.Handler) {
	answer := httptest.NewRecorder()
	next.ServeHTTP(answer, r)
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	_, _ = fmt.Fprintf(rw, "HTTP/1.1 %d OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", answer.Code, answer.Body.Len(), answer.Body)
	_ = rw.Flush()
	_, _ = io.Copy(io.Discard, rw)
}

// TestOtherEndpoints shows what protocol and resilience cases say of endpoints
// that behave otherwise than the model merchant.
func TestOtherEndpoints(t *testing.T) {
	t.Parallel()
	const passed, failed, unproven = conform.Passed, conform.Failed, conform.Unproven
	for name, tt := range map[string]struct {
		front middleware
		want  map[string]conform.Status
		note  string // a part of a note, where one is due
	}{
		"another body for a wrong event": {
			statusFor(400, all(says("transaction.created", "unknown", ".v2"), toPayments)),
			map[string]conform.Status{"P01": passed, "P02": passed},
			"not the documented",
		},
		"422 for a wrong event": {statusFor(422, all(says("transaction.created"), toPayments)), map[string]conform.Status{"P01": failed}, ""},
		"any type is read as JSON": {
			changes(func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }),
			map[string]conform.Status{"P03": failed, "P04": passed, "P05": passed, "P06": failed},
			"",
		},
		"the signature is checked first": {
			statusFor(401, func(r *http.Request) bool { return r.Header.Get("Content-Type") != "application/json" }),
			map[string]conform.Status{"P03": passed, "P04": passed, "P05": failed, "P06": passed},
			"refused, but with 401",
		},
		"vendor types refused": {statusFor(415, hasHeader("Content-Type", "vnd")), map[string]conform.Status{"P05": passed}, ""},
		"charset refused":      {statusFor(415, hasHeader("Content-Type", ";")), map[string]conform.Status{"P05": failed, "P06": passed}, ""},
		"redirects":            {statusFor(302, hasHeader("Content-Type", "text/plain")), map[string]conform.Status{"P03": failed}, ""},
		"unzips":               {unzips(false), map[string]conform.Status{"P07": passed, "R05": passed}, ""},
		"unzips and signs all": {unzips(true), map[string]conform.Status{"P07": passed, "R05": passed}, ""},
		"loses zipped bodies":  {statusFor(200, hasHeader("Content-Encoding", "gzip")), map[string]conform.Status{"P07": failed, "R05": failed}, ""},
		"loses chunks":         {statusFor(200, func(r *http.Request) bool { return len(r.TransferEncoding) > 0 }), map[string]conform.Status{"P09": failed}, ""},
		"loses HTTP/1.0":       {statusFor(200, func(r *http.Request) bool { return !r.ProtoAtLeast(1, 1) }), map[string]conform.Status{"P12": failed}, ""},
		"ignores expectations": {changes(func(r *http.Request) { r.Header.Del("Expect") }), map[string]conform.Status{"P10": passed, "P11": passed}, ""},
		"says it is alive":     {statusFor(200, noPost), map[string]conform.Status{"P14": failed, "P15": passed}, ""},
		"knows four methods":   {statusFor(501, noPost), map[string]conform.Status{"P14": passed}, "501"},
		"closes connections": {func(w http.ResponseWriter, r *http.Request, next http.Handler) {
			w.Header().Set("Connection", "close")
			next.ServeHTTP(w, r)
		}, map[string]conform.Status{"P17": passed, "R01": passed}, ""},
		"lingers on closing": {lingers, map[string]conform.Status{"P17": passed, "R01": passed}, ""},
		"any path": {changes(func(r *http.Request) {
			if strings.Contains(strings.ToLower(r.URL.Path), "invoice") {
				r.URL.Path = payments
			}
		}), map[string]conform.Status{"P16": passed}, ""},
		"no unknown members": {
			statusFor(422, says("padding")),
			map[string]conform.Status{"R04": unproven},
			"",
		},
		"no long bodies":                {statusFor(413, sizeOver(100<<10)), map[string]conform.Status{"R04": passed}, ""},
		"400 to long bodies":            {statusFor(400, sizeOver(100<<10)), map[string]conform.Status{"R04": failed}, ""},
		"loses long bodies":             {statusFor(200, sizeOver(100<<10)), map[string]conform.Status{"R04": failed}, ""},
		"a proxy speaks for it":         {statusFor(502, sizeOver(50<<10)), map[string]conform.Status{"R04": unproven, "R05": unproven}, ""},
		"a proxy for one that died":     {diesOf(sizeOver(50 << 10)), map[string]conform.Status{"R05": failed}, ""},
		"it breaks behind a proxy":      {statusFor(500, sizeOver(50<<10)), map[string]conform.Status{"R04": failed, "R05": failed}, ""},
		"no unknown members at all":     {statusFor(502, says("padding")), map[string]conform.Status{"R04": failed}, ""},
		"refuses in the end":            {since(30, statusFor(429, always)), map[string]conform.Status{"R08": failed}, ""},
		"bans after the second hundred": {since(210, statusFor(429, always)), map[string]conform.Status{"R07": failed}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				for id, want := range tt.want {
					r := run(t, options(t, behind(t, tt.front), id))
					if len(r.Results) != 1 || r.Results[0].Status != want {
						t.Errorf("%s: want %s, got %+v %s", id, want, r.Results, r.Problem)
						continue
					}
					if notes := strings.Join(r.Results[0].Notes, "; "); !strings.Contains(notes, tt.note) {
						t.Errorf("%s: notes %q", id, notes)
					}
				}
			})
		})
	}
}

// TestWithoutProbe shows which protocol and resilience cases are decided by the
// answers alone.
func TestWithoutProbe(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		unproven := map[string]bool{"P15": true, "P16": true, "P17": true, "R01": true, "R03": true}
		s := model(t, "")
		s.probe = false
		o := options(t, s)
		o.Cases = nil
		for _, spec := range o.Catalog.Cases {
			if spec.Category == "protocol" && spec.ID != "P13" || spec.Category == "resilience" {
				o.Cases = append(o.Cases, spec)
			}
		}
		for _, res := range run(t, o).Results {
			want := conform.Passed
			if unproven[res.Case.ID] {
				want = conform.Unproven
			}
			if res.Status != want {
				t.Errorf("%s is %s, not %s: %s", res.Case.ID, res.Status, want, res.Problem)
			}
		}
	})
}

// TestOnePath shows that an endpoint that takes all events at one URL is not
// asked to tell them apart by the path.
func TestOnePath(t *testing.T) {
	t.Parallel()
	inNoTime(t, func(t *testing.T) {
		c, _ := pack(t)
		s := behind(t, changes(func(r *http.Request) {
			for _, st := range c.States() {
				if says(st.Event)(r) {
					r.URL.Path = st.Path
				}
			}
		}))
		o := options(t, subject{endpoint: endpoint{s.target + "/hook", s.dial}}, "P01")
		if res := run(t, o).Results[0]; res.Status != conform.NotRun || !strings.Contains(res.Problem, "one URL") {
			t.Errorf("%s: %s", res.Status, res.Problem)
		}
	})
}

// TestSilenceIsShort shows that no case goes on for long with an endpoint that
// has stopped answering.
func TestSilenceIsShort(t *testing.T) {
	t.Parallel()
	const most = 30
	_, catalog := pack(t)
	for _, spec := range catalog.Cases {
		if spec.Category != "protocol" && spec.Category != "resilience" || spec.ID == "P13" {
			continue
		}
		t.Run(spec.ID, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				s := behind(t, since(5, func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() }))
				res := run(t, options(t, s, spec.ID)).Results[0]
				if res.Status != conform.Failed || res.Sent > most && spec.ID != "R01" && spec.ID != "R03" {
					t.Errorf("%s after %d deliveries: %s", res.Status, res.Sent, res.Problem)
				}
			})
		})
	}
}

// overTLS serves with HTTP/2, or whatever else is offered.
func overTLS(server func(context.Context, net.Listener) error, protos ...string) func(context.Context, net.Listener) error {
	borrowed := httptest.NewTLSServer(http.NotFoundHandler())
	config := &tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: protos, MinVersion: tls.VersionTLS12}
	borrowed.Close()
	return func(ctx context.Context, l net.Listener) error { return server(ctx, tls.NewListener(l, config)) }
}

// overHTTPS runs cases on the merchant behind front, over TLS with these protocols
// offered.
func overHTTPS(t testing.TB, front middleware, protos []string, ids ...string) *conform.Report {
	t.Helper()
	target := strings.Replace(serveTCP(t, overTLS(httpServer(delivered(t, front)), protos...)).target, "http:", "https:", 1)
	o := options(t, subject{endpoint: endpoint{target: target}}, ids...)
	var err error
	if o.Client, err = deliver.New(deliver.Options{Timeout: o.Timeout, Insecure: true, Now: time.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Client.Close)
	o.Probe = httpProbe(o.Client, target)
	return run(t, o)
}

// TestOverTLS shows that HTTP/2 is spoken where it is offered, that its absence
// is no fault, and that what writes its own bytes does so over TLS, too.
func TestOverTLS(t *testing.T) {
	t.Parallel()
	both := []string{"h2", "http/1.1"}
	if res := overHTTPS(t, changes(nothing), both, "P13").Results[0]; res.Status != conform.Passed || len(res.Notes) != 0 {
		t.Errorf("%s: %s %q", res.Status, res.Problem, res.Notes)
	}
	if res := overHTTPS(t, statusFor(505, func(r *http.Request) bool { return r.ProtoMajor == 2 && says("P13")(r) }), both, "P13").Results[0]; res.Status != conform.Failed {
		t.Errorf("HTTP/2 refused: %s %q", res.Status, res.Notes)
	}
	if res := overHTTPS(t, changes(nothing), both[1:], "P13").Results[0]; res.Status != conform.Passed || !strings.Contains(strings.Join(res.Notes, ""), "no HTTP/2") {
		t.Errorf("HTTP/1.1 alone: %s: %s %q", res.Status, res.Problem, res.Notes)
	}
	for _, res := range overHTTPS(t, changes(nothing), both, "P09", "P10", "P12", "P14", "P17", "P18", "R02", "R03", "R04", "R05", "R06").Results {
		if res.Status != conform.Passed {
			t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
		}
	}
}
