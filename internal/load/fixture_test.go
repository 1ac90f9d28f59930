package load

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) (*contract.Contract, []*scenario.Scenario) {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := scenario.Builtin(c, payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c, scenario.AllPaths(c, builtin)
}

func mixed(t testing.TB, s string) (*contract.Contract, *Mix) {
	t.Helper()
	c, paths := pack(t)
	m, err := ParseMix(c, paths, s)
	if err != nil {
		t.Fatal(err)
	}
	return c, m
}

func secret(t testing.TB) signature.Secret {
	t.Helper()
	s, err := signature.NewSecret([]byte("a secret for tests"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// options are those of a run of ten requests a second, over one connection, for
// ten seconds.
func options(t testing.TB, mix string) Options {
	t.Helper()
	c, m := mixed(t, mix)
	client, err := deliver.New(deliver.Options{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return Options{
		Contract: c, Mix: m, Client: client, To: "http://127.0.0.1:3000",
		Scheme: signature.HMACHeader(c.Signature.Header, "", signature.Hex), Secrets: []signature.Secret{secret(t)},
		Rate: Rate{PerSecond: 10}, Duration: 10 * time.Second, Timeout: 5 * time.Second, Connections: 1,
		Seed: 7, Start: c.Epoch, Now: time.Now,
	}
}

// got is a request as an endpoint saw it.
type got struct {
	at     time.Duration // since the endpoint was made
	number int           // from 0
	path   string
	header http.Header
	body   []byte
}

// endpoint answers over pipes, so that it lives in a bubble of testing/synctest.
type endpoint struct {
	// answer returns what is written; nil closes the connection.
	answer func(g got) []byte
	// idle, unless 0, is when a connection is closed.
	idle time.Duration

	conns sync.WaitGroup
	mu    sync.Mutex
	start time.Time
	got   []got
	dials int
}

// half ends an answer that is cut off.
const half = "half"

const okAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"status\":\"ok\"}"

func newEndpoint(answer func(got) []byte) *endpoint {
	return &endpoint{answer: answer, start: time.Now()}
}

func always(answer string) func(got) []byte { return func(got) []byte { return []byte(answer) } }

func (p *endpoint) dial(context.Context, *url.URL) (net.Conn, error) {
	near, far := net.Pipe()
	if p.idle > 0 {
		time.AfterFunc(p.idle, func() { _ = far.Close() })
	}
	p.mu.Lock()
	p.dials++
	p.mu.Unlock()
	p.conns.Go(func() { p.serve(far) })
	return near, nil
}

func (p *endpoint) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	for in := bufio.NewReader(conn); ; {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		p.mu.Lock()
		g := got{time.Since(p.start), len(p.got), r.URL.RequestURI(), r.Header, body}
		g.header.Set("Host", r.Host)
		p.got = append(p.got, g)
		p.mu.Unlock()
		answer := p.answer(g)
		if answer == nil {
			return
		}
		if _, err := conn.Write(answer); err != nil || strings.HasSuffix(string(answer), half) {
			return
		}
	}
}

// wait lets time pass in a bubble.
func wait(d time.Duration) { <-time.After(d) }
