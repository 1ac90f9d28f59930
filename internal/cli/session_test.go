package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

// sessionOf runs paytest listen until ctx ends and returns its address; wait
// returns the lines that it wrote after it was ready, and its exit code.
func sessionOf(ctx context.Context, t *testing.T, args ...string) (address string, wait func() ([]string, int)) {
	t.Helper()
	in, out := io.Pipe()
	env := outside{}.program(out, io.Discard, append([]string{"listen", "127.0.0.1:0", "--output", "ndjson"}, args...)...)
	env.Now = time.Now
	code := make(chan int, 1)
	go func() {
		defer func() { _ = out.Close() }()
		code <- Run(ctx, env)
	}()
	lines := bufio.NewScanner(in)
	var ready struct{ Addr string }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &ready) != nil {
		t.Fatalf("%q, exit code %d", lines.Text(), <-code)
	}
	var written []string
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines.Scan() {
			written = append(written, lines.Text())
		}
	})
	return ready.Addr, func() ([]string, int) {
		reading.Wait()
		return written, <-code
	}
}

// wireApp is a merchant's app that keeps what came over the wire, byte for byte.
func wireApp(t *testing.T, answer string) (address string, got <-chan string) {
	t.Helper()
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	received := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		var raw strings.Builder
		request, err := http.ReadRequest(bufio.NewReader(io.TeeReader(conn, &raw)))
		if err == nil {
			_, err = io.Copy(io.Discard, request.Body)
		}
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(conn, answer)
		received <- raw.String()
	}()
	return ln.Addr().String(), received
}

// speak writes a request over a connection of its own and returns the answer.
func speak(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestForwardedBytes holds that what reaches the app is what was sent: each byte
// of the body, and each header that is not about the connection; and that the
// app's answer is what goes back.
func TestForwardedBytes(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	stdout, _, _ := outside{}.run(t, "payload", "invoice", "pending", "--seed", "7")
	body := " \t\r\n" + strings.Replace(strings.TrimSpace(stdout), `"data":{`, `"data" : { "é\u00e9\/" : 1.50E+2 ,`, 1) + "\n\n"
	app, got := wireApp(t, "HTTP/1.1 200 OK\r\nContent-Type: application/problem+json\r\nX-App: a\r\nX-App: b\r\nConnection: close\r\nContent-Length: 5\r\n\r\n{\"a\"}")
	ctx, cancel := context.WithCancel(t.Context())
	address, wait := sessionOf(ctx, t, "--forward-to", app)
	headers := []string{
		"Content-Type: application/json;charset=utf-8", "X-Signature: ABCdef", "x-lower: 1", "X-UPPER-case: 2", "X-Twice: a", "X-Twice: b", "X-Empty:",
		"X-Odd: caf\xe9 \"q\" ;,", "Accept-Encoding: gzip", "User-Agent: Gateway/1", "Authorization: Bearer abc", "Cookie: a=b",
	}
	answer := speak(t, address, fmt.Sprintf("POST /callback/update-invoice HTTP/1.1\r\nHost: gateway\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: %d\r\n%s\r\n\r\n%s", len(body), strings.Join(headers, "\r\n"), body))
	cancel()
	lines, code := wait()

	head, gotBody, _ := strings.Cut(<-got, "\r\n\r\n")
	if diff := cmp.Diff(body, gotBody); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(head, "X-Hop") {
		t.Errorf("what is about the connection was passed on: %s", head)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if want := "\r\n" + http.CanonicalHeaderKey(name) + ":" + " " + strings.TrimSpace(value); !strings.Contains(head+"\r\n", want+"\r\n") {
			t.Errorf("%q is not in %q", want, head)
		}
	}
	if n := strings.Count(head, "\r\n"); n != len(headers)+3 { // Host, Content-Length, Connection
		t.Errorf("%d headers: %s", n, head)
	}
	for _, want := range []string{"HTTP/1.1 200 OK\r\n", "\r\nContent-Type: application/problem+json\r\n", "\r\nX-App: a\r\nX-App: b\r\n", "\r\n\r\n{\"a\"}"} {
		if !strings.Contains(answer, want) {
			t.Errorf("%q is not in %q", want, answer)
		}
	}
	if code != exitOK || len(lines) != 2 {
		t.Errorf("exit %d: %s", code, lines)
	}
	goleak.VerifyNone(t, leaks)
}

// TestForwardedAnswers holds that answers no HTTP client expects do no harm.
func TestForwardedAnswers(t *testing.T) {
	stdout, _, _ := outside{}.run(t, "payload", "invoice", "pending", "--seed", "7")
	body := strings.TrimSpace(stdout)
	for _, test := range []struct{ name, app, want string }{
		{"no type", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n<p>", "HTTP/1.1 200 OK"},
		{"compressed", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b", "HTTP/1.1 200 OK"},
		{"no content", "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content"},
		{"a status below 100", "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 502 Bad Gateway"},
		{"switching protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", "HTTP/1.1 502 Bad Gateway"},
		{"a status above 599", "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 999 "},
		{"no HTTP", "hello\r\n\r\n", "HTTP/1.1 502 Bad Gateway"},
		{"nothing", "", "HTTP/1.1 502 Bad Gateway"},
	} {
		t.Run(test.name, func(t *testing.T) {
			app, _ := wireApp(t, test.app)
			ctx, cancel := context.WithCancel(t.Context())
			address, wait := sessionOf(ctx, t, "--forward-to", app)
			answer := speak(t, address, fmt.Sprintf("POST /callback/update-invoice HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
			cancel()
			lines, code := wait()
			if !strings.HasPrefix(answer, test.want) || (code == exitOK) != strings.Contains(test.want, "200") {
				t.Errorf("exit %d, %q\n%s", code, answer, lines)
			}
			if test.name == "no type" && strings.Contains(answer, "Content-Type") {
				t.Errorf("a type was made up: %q", answer)
			}
			if test.name == "compressed" && !strings.Contains(answer, "Content-Encoding: gzip") {
				t.Errorf("nobody can read %q", answer)
			}
		})
	}
}

// TestEndWhileForwarding ends a session while the app works: the delivery is
// answered, the summary comes last, and nothing is left running.
func TestEndWhileForwarding(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	stdout, _, _ := outside{}.run(t, "payload", "invoice", "pending", "--seed", "7")
	body := strings.TrimSpace(stdout)
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var app sync.WaitGroup
	app.Go(func() {
		_ = http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { //nolint:gosec // a test's server
			cancel()
			_, _ = io.WriteString(w, "in the end")
		}))
	})
	address, wait := sessionOf(ctx, t, "--forward-to", ln.Addr().String())
	answer := speak(t, address, fmt.Sprintf("POST /callback/update-invoice HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	lines, code := wait()
	if !strings.HasPrefix(answer, "HTTP/1.1 200 OK") || !strings.HasSuffix(answer, "in the end") {
		t.Errorf("answered %q", answer)
	}
	if code != exitOK || len(lines) != 2 || !strings.Contains(lines[0], `"type":"delivery"`) || !strings.Contains(lines[1], `"type":"summary","deliveries":1`) {
		t.Errorf("exit %d: %s", code, lines)
	}
	_ = ln.Close()
	app.Wait()
	goleak.VerifyNone(t, leaks)
}

// TestForwardToItself: a delivery would go round for ever.
func TestForwardToItself(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	for to, itself := range map[string]bool{
		":" + port: true, "http://127.0.0.1:" + port: true, "http://localhost:" + port + "/hook": true,
		"": false, "http://127.0.0.1:1": false, "http://127.0.0.2:" + port: false,
	} {
		s := &session{c: c, o: &listenOptions{forwardTo: to}}
		if err := s.otherThan([]net.Listener{ln}); (err != nil) != itself {
			t.Errorf("--forward-to %s while listening on port %s: %v", to, port, err)
		}
	}
}

// unread is output that nobody reads until it is closed, but for what it holds then.
type unread struct {
	open chan struct{}
	text strings.Builder
}

func (u *unread) Write(b []byte) (int, error) {
	<-u.open
	return u.text.Write(b)
}

// TestNobodyReadsTheText holds that deliveries are answered while the terminal
// stands still, and that everything is told once it goes on.
func TestNobodyReadsTheText(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	out, ready := &unread{open: make(chan struct{})}, make(chan string, 1)
	env := outside{}.program(out, io.Discard, "listen", "127.0.0.1:0", "--ready-file", "ready")
	env.Now = time.Now
	env.WriteFile = func(_ string, data []byte) error {
		ready <- strings.TrimPrefix(strings.TrimSpace(string(data)), "http://")
		return nil
	}
	code := make(chan int, 1)
	go func() { code <- Run(ctx, env) }()
	address := <-ready
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	st := c.Flow[0]
	for i, body := range []string{string(st.Sample.AppendCanonical(nil)), "{", "[", "", "{}"} {
		answer := speak(t, address, fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", st.Path, len(body), body))
		if strings.HasPrefix(answer, "HTTP/1.1 200 ") != (i == 0) {
			t.Errorf("%q: %s", body, answer)
		}
	}
	end()
	close(out.open)
	if got := <-code; got != exitViolation {
		t.Errorf("exit code %d", got)
	}
	text := out.text.String()
	if strings.Count(text, "invalid-json") != 3 || !strings.Contains(text, "  200  "+st.Event) || !strings.Contains(text, "\n5 deliveries, 4 violations, ") {
		t.Error(text)
	}
}
