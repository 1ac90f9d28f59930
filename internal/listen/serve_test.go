package listen_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/listen"
)

func TestParseAddress(t *testing.T) {
	for _, test := range []struct {
		in   string
		host string
		port uint16
	}{
		{":3000", "localhost", 3000},
		{"3000", "localhost", 3000},
		{":0", "localhost", 0},
		{"0", "localhost", 0},
		{"65535", "localhost", 65535},
		{"localhost:80", "localhost", 80},
		{"0.0.0.0:3000", "0.0.0.0", 3000},
		{"192.168.0.1:3000", "192.168.0.1", 3000},
		{"[::]:3000", "::", 3000},
		{"[::1]:3000", "::1", 3000},
		{"[fe80::1%eth0]:3000", "fe80::1%eth0", 3000},
		{"my-machine:3000", "my-machine", 3000},
	} {
		host, port, err := listen.ParseAddress(test.in)
		if err != nil || host != test.host || port != test.port {
			t.Errorf("ParseAddress(%q) = %q, %d, %v", test.in, host, port, err)
		}
	}
	for _, in := range []string{
		"", ":", "localhost", "127.0.0.1", "::1", "[::1]", "::", "[::1:3000", "a:b:3000", "65536", ":65536", ":-1", "-1",
		":+1", ": 3000", "3000 ", ":http", ":3000/path", "http://localhost:3000", "3000.5", "0x10", "\x00", strings.Repeat("9", 1000),
	} {
		_, _, err := listen.ParseAddress(in)
		if !errors.Is(err, listen.ErrAddress) || !strings.Contains(err.Error(), strconv.Quote(in)) {
			t.Errorf("ParseAddress(%q): %v", in, err)
		}
	}
}

func open(t *testing.T, address string) []net.Listener {
	t.Helper()
	listeners, err := listen.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	for _, ln := range listeners {
		t.Cleanup(func() { _ = ln.Close() })
	}
	return listeners
}

func addresses(t *testing.T, listeners []net.Listener) []netip.AddrPort {
	t.Helper()
	var out []netip.AddrPort
	for _, ln := range listeners {
		a, err := netip.ParseAddrPort(ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, a)
	}
	return out
}

// TestOpen holds that no host means this machine alone, and that every network
// must be asked for.
// awaited is a context that knows whether somebody waits for its end.
type awaited struct {
	context.Context
	waits bool
}

func (a *awaited) Done() <-chan struct{} {
	a.waits = true
	return a.Context.Done()
}

func TestOpenIsEnded(t *testing.T) {
	ctx := &awaited{Context: t.Context()}
	listeners, err := listen.Open(ctx, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listeners[0].Close()
	if !ctx.waits {
		t.Error("nobody waits for the end: a program that watches for interrupts only then is killed by one")
	}
}

func TestOpen(t *testing.T) {
	for _, address := range []string{":0", "0", "localhost:0"} {
		got := addresses(t, open(t, address))
		if len(got) == 0 || got[0].Addr() != netip.MustParseAddr("127.0.0.1") || got[0].Port() == 0 {
			t.Errorf("Open(%q): %v", address, got)
		}
		for _, a := range got {
			if !a.Addr().IsLoopback() || a.Port() != got[0].Port() {
				t.Errorf("Open(%q): %v", address, got)
			}
		}
	}
	for address, want := range map[string]func(netip.Addr) bool{
		"127.0.0.1:0": netip.Addr.IsLoopback, "0.0.0.0:0": netip.Addr.IsUnspecified, "[::]:0": netip.Addr.IsUnspecified,
	} {
		if got := addresses(t, open(t, address)); len(got) != 1 || !want(got[0].Addr()) || got[0].Port() == 0 {
			t.Errorf("Open(%q): %v", address, got)
		}
	}
}

func TestOpenFails(t *testing.T) {
	taken := addresses(t, open(t, "127.0.0.1:0"))[0]
	port := strconv.Itoa(int(taken.Port()))
	for _, address := range []string{taken.String(), ":" + port, port, "localhost:" + port} {
		_, err := listen.Open(t.Context(), address)
		if !errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, listen.ErrAddress) || !strings.Contains(err.Error(), taken.String()) {
			t.Errorf("Open(%q): %v", address, err)
		}
	}
	if _, err := listen.Open(t.Context(), "192.0.2.1:0"); err == nil || errors.Is(err, listen.ErrAddress) || !strings.Contains(err.Error(), "192.0.2.1:0") {
		t.Errorf("an address of another machine: %v", err)
	}
	if _, err := listen.Open(t.Context(), "nonsense"); !errors.Is(err, listen.ErrAddress) {
		t.Errorf("nonsense: %v", err)
	}
}

// TestOpenBothOrNone holds that a port whose IPv6 half is taken is not half
// served: clients that take localhost for ::1 would meet another program.
func TestOpenBothOrNone(t *testing.T) {
	six, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "[::1]:0")
	if err != nil {
		t.Skip("this machine has no IPv6:", err)
	}
	t.Cleanup(func() { _ = six.Close() })
	port := strconv.Itoa(int(netip.MustParseAddrPort(six.Addr().String()).Port()))
	if _, err := listen.Open(t.Context(), ":"+port); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("opened half: %v", err)
	}
	if four := open(t, "127.0.0.1:"+port); len(four) != 1 {
		t.Errorf("the IPv4 half is still held")
	}
}

// nobody is turned away.
func nobody() {}

// TestServeDrains cancels while a delivery is under way: no other gets in, and
// this one is answered.
func TestServeDrains(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(entered)
		<-release
		_, _ = io.WriteString(w, "done")
	})
	listeners := open(t, "127.0.0.1:0")
	address := listeners[0].Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- listen.Serve(ctx, listeners, h, nobody) }()

	answered := make(chan string, 1)
	go func() { answered <- get(t, "http://"+address) }()
	<-entered
	cancel()
	for refused := false; !refused; {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if refused = err != nil; !refused {
			_ = conn.Close()
		}
	}
	select {
	case err := <-served:
		t.Fatalf("ended with a delivery under way: %v", err)
	default:
	}
	close(release)
	if got := <-answered; got != "200 done" {
		t.Errorf("answered %q", got)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func get(t *testing.T, url string) string {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return strconv.Itoa(answer.StatusCode) + " " + string(body)
}

// TestServeAllListeners holds that each listener is served, and that all end.
func TestServeAllListeners(t *testing.T) {
	listeners := append(open(t, "127.0.0.1:0"), open(t, "127.0.0.1:0")...)
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "here") })
	go func() { served <- listen.Serve(ctx, listeners, h, nobody) }()
	for _, ln := range listeners {
		if got := get(t, "http://"+ln.Addr().String()); got != "200 here" {
			t.Errorf("answered %q", got)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// TestServeFails holds that a listener that breaks ends Serve with its error.
func TestServeFails(t *testing.T) {
	listeners := append(open(t, "127.0.0.1:0"), open(t, "127.0.0.1:0")...)
	_ = listeners[1].Close()
	if err := listen.Serve(t.Context(), listeners, http.NotFoundHandler(), nobody); err == nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}

// pipes is a listener without a network, so that a test's clock can be a
// synctest bubble's.
type pipes struct {
	accept chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{accept: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

func (*pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.accept <- server
	return client
}

// TestSlowSenders holds that no sender can hold a connection for long: it is
// closed at the stated moment, however far it has come.
func TestSlowSenders(t *testing.T) {
	const head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	for _, test := range []struct {
		name string
		sent string
		want time.Duration // from the connection to its end
		line string        // the first line of the answer, if there is one
	}{
		{"nothing at all", "", 5 * time.Second, ""},
		{"half a header", head, 5 * time.Second, ""},
		{"half a body", head + "Content-Length: 100\r\n\r\n{", 7 * time.Second, "HTTP/1.1 400 Bad Request"},
		{"half a chunk", head + "Transfer-Encoding: chunked\r\n\r\n10\r\n{", 7 * time.Second, "HTTP/1.1 400 Bad Request"},
		{"a request, then nothing", head + "Content-Length: 2\r\n\r\n{}", 5 * time.Second, "HTTP/1.1 200 OK"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				ln, served := newPipes(), make(chan error, 1)
				h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if _, err := io.ReadAll(r.Body); err != nil {
						w.WriteHeader(http.StatusBadRequest)
					}
				})
				go func() { served <- listen.Serve(ctx, []net.Listener{ln}, h, nobody) }()
				began := time.Now()
				conn := ln.dial()
				go func() { _, _ = io.WriteString(conn, test.sent) }()
				answer, _ := io.ReadAll(bufio.NewReader(conn))
				if took := time.Since(began); took != test.want {
					t.Errorf("closed after %s, not %s", took, test.want)
				}
				line, _, _ := strings.Cut(string(answer), "\r\n")
				if diff := cmp.Diff(test.line, line); diff != "" {
					t.Error(diff)
				}
				_ = conn.Close()
				cancel()
				if err := <-served; err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestDrainIsBounded holds that a delivery that never ends keeps nobody from
// ending the program.
func TestDrainIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ln, served := newPipes(), make(chan error, 1)
		entered := make(chan struct{})
		h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			close(entered)
			<-r.Context().Done()
		})
		go func() { served <- listen.Serve(ctx, []net.Listener{ln}, h, nobody) }()
		conn := ln.dial()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-entered
		began := time.Now()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("drained for %s", took)
		}
		_ = conn.Close()
	})
}

// TestLongHeader holds that a header is not read without end.
func TestLongHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		ln, served := newPipes(), make(chan error, 1)
		go func() { served <- listen.Serve(ctx, []net.Listener{ln}, http.NotFoundHandler(), nobody) }()
		conn := ln.dial()
		go func() {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX: "+strings.Repeat("x", 1<<20)+"\r\n\r\n")
		}()
		line, _ := bufio.NewReader(conn).ReadString('\n')
		if !strings.Contains(line, "431") {
			t.Errorf("answered %q", line)
		}
		_ = conn.Close()
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}
