package listen_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/internal/verify"
)

// framed is what one connection carries. Of the sound ones every delivery must be
// taken, and of the others none.
type framed struct {
	name, sent string
	taken      int
}

// framings are requests that different readers of HTTP take for different things,
// and their sound neighbours.
func framings(t *testing.T) []framed {
	c := load(t)
	path, raw := post(t, c, "invoice", "pending", 1)
	_, other := post(t, c, "invoice", "pending", 2)
	body, n := string(raw), len(raw)
	line := "POST " + path + " HTTP/1.1\r\n"
	head := line + "Host: x\r\nContent-Type: application/json\r\n"
	length := fmt.Sprintf("Content-Length: %d\r\n", n)
	sized := head + length + "\r\n" + body
	chunk := fmt.Sprintf("%x\r\n%s\r\n", n, body)
	chunked := head + "Transfer-Encoding: chunked\r\n\r\n"
	second := head + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(other), other)
	with := func(lines string) string { return head + lines + length + "\r\n" + body }
	out := []framed{
		{"a length", sized, 1},
		{"two requests at once", sized + second, 2},
		{"chunks", chunked + chunk + "0\r\n\r\n", 1},
		{"small chunks", chunked + fmt.Sprintf("1\r\n{\r\n%x\r\n%s\r\n0\r\n\r\n", n-1, body[1:]), 1},
		{"chunks and a request behind them", chunked + chunk + "0\r\n\r\n" + second, 2},
		{"a chunk extension", chunked + strings.Replace(chunk, "\r\n", ";a=b\r\n", 1) + "0\r\n\r\n", 1},
		{"a trailer", chunked + chunk + "0\r\nX: y\r\n\r\n", 1},
		{"a tab in a value", with("X: a\tb\r\n"), 1},
		{"a header of 16 KB", with("X: " + strings.Repeat("a", 16<<10) + "\r\n"), 1},

		{"a length and chunks", head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n", 0},
		{"chunks and a length", head + "Transfer-Encoding: chunked\r\n" + length + "\r\n" + chunk + "0\r\n\r\n", 0},
		{"a length and chunks, spelled oddly", head + "content-LENGTH: 4\r\ntransfer-encoding: Chunked\r\n\r\n" + chunk + "0\r\n\r\n", 0},
		{"an unknown coding", head + "Transfer-Encoding: xchunked\r\n" + length + "\r\n" + body, 0},
		{"identity", head + "Transfer-Encoding: identity\r\n" + length + "\r\n" + body, 0},
		{"gzip, chunked", head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunk + "0\r\n\r\n", 0},
		{"chunked twice", head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk + "0\r\n\r\n", 0},
		{"chunked, by a vertical tab", head + "Transfer-Encoding:\vchunked\r\n" + length + "\r\n" + body, 0},
		{"a space before the colon", head + "Transfer-Encoding : chunked\r\n" + length + "\r\n" + chunk + "0\r\n\r\n", 0},
		{"chunks in HTTP/1.0", strings.Replace(chunked, "1.1", "1.0", 1) + chunk + "0\r\n\r\n", 0},
		{"two lengths that differ", with("Content-Length: 4\r\n"), 0},
		{"two lengths", with(length), 0},
		{"a list of lengths", head + fmt.Sprintf("Content-Length: %d, %d\r\n\r\n", n, n) + body, 0},
		{"a length with a sign", head + fmt.Sprintf("Content-Length: +%d\r\n\r\n", n) + body, 0},
		{"a length in hexadecimal", head + fmt.Sprintf("Content-Length: 0x%x\r\n\r\n", n) + body, 0},
		{"a length below zero", head + "Content-Length: -1\r\n\r\n" + body, 0},
		{"a length beyond all", head + "Content-Length: 99999999999999999999\r\n\r\n" + body, 0},
		{"a folded header", with("X: a\r\n b\r\n"), 0},
		{"a folded length", head + fmt.Sprintf("Content-Length:\r\n %d\r\n\r\n", n) + body, 0},
		{"a folded first header", line + " X: a\r\n" + strings.TrimPrefix(sized, line), 0},
		{"a bare LF behind a header", with("X: a\n"), 0},
		{"bare LFs everywhere", strings.ReplaceAll(head+length+"\r\n", "\r\n", "\n") + body, 0},
		{"a bare LF behind the first line", strings.Replace(sized, "HTTP/1.1\r\n", "HTTP/1.1\n", 1), 0},
		{"a bare LF at the head's end", head + length + "\n" + body, 0},
		{"a bare CR in a header", with("X: a\rTransfer-Encoding: chunked\r\n"), 0},
		{"NUL in a header", with("X: a\x00b\r\n"), 0},
		{"a header without a colon", with("X\r\n"), 0},
		{"a header without a name", with(": a\r\n"), 0},
		{"no host", strings.Replace(sized, "Host: x\r\n", "", 1), 0},
		{"two hosts", with("Host: y\r\n"), 0},
		{"a header of 128 KB", with("X: " + strings.Repeat("a", 128<<10) + "\r\n"), 0},
		{"ten thousand headers", with(strings.Repeat("X: aaaaaaaa\r\n", 10_000)), 0},
		{"two spaces in the first line", strings.Replace(sized, "POST ", "POST  ", 1), 0},
		{"a tab in the first line", strings.Replace(sized, "POST ", "POST\t", 1), 0},
		{"HTTP/1.1 with a word behind it", strings.Replace(sized, "HTTP/1.1", "HTTP/1.1 x", 1), 0},
		{"HTTP/9.9", strings.Replace(sized, "HTTP/1.1", "HTTP/9.9", 1), 0},
		{"HTTP/0.9", strings.Replace(sized, " HTTP/1.1", "", 1), 0},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
		{"a method in small letters", strings.Replace(sized, "POST", "post", 1), 0},
		{"a chunk whose line ends with a bare LF", chunked + strings.Replace(chunk, "\r\n", "\n", 1) + "0\r\n\r\n", 0},
		{"a chunk that ends with a bare LF", chunked + strings.TrimSuffix(chunk, "\r\n") + "\n0\r\n\r\n", 0},
		{"a last chunk with a bare LF", chunked + chunk + "0\n\n", 0},
		{"a chunk in 0x form", chunked + "0x" + chunk + "0\r\n\r\n", 0},
		{"a chunk with a sign", chunked + "+" + chunk + "0\r\n\r\n", 0},
		{"a chunk below zero", chunked + "-1\r\n" + body + "\r\n0\r\n\r\n", 0},
		{"a chunk beyond all", chunked + "fffffffffffffffff\r\n" + body + "\r\n0\r\n\r\n", 0},
		{"a chunk with a space before its size", chunked + " " + chunk + "0\r\n\r\n", 0},
		{"a chunk that is longer than it says", chunked + fmt.Sprintf("%x\r\n%sx\r\n0\r\n\r\n", n, body), 0},
		{"a chunk that is shorter than it says", chunked + fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", n+5, body), 0},
		{"chunks without an end", chunked + chunk, 0},
		{"a bare LF in a chunk extension", chunked + strings.Replace(chunk, "\r\n", ";a\nb\r\n", 1) + "0\r\n\r\n", 0},
		{"a bare CR in a chunk extension", chunked + strings.Replace(chunk, "\r\n", ";a\rb\r\n", 1) + "0\r\n\r\n", 0},
		{"a chunk extension of 1 MB", chunked + strings.Replace(chunk, "\r\n", ";"+strings.Repeat("a", 1<<20)+"\r\n", 1) + "0\r\n\r\n", 0},
		{"less than was announced", head + fmt.Sprintf("Content-Length: %d\r\n\r\n", n+1) + body, 0},
		{"compressed", with("Content-Encoding: gzip\r\n"), 0},
		{"compressed, said second", with("Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"), 0},
		{"a request within a request", head + fmt.Sprintf("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n%s", second), 0},
		{"a request behind two lengths", head + fmt.Sprintf("Content-Length: %d\r\nContent-Length: 0\r\n\r\n", len(second)) + second, 0},
	}
	return out
}

// delivered sends bytes over one connection to a server, and returns the deliveries
// that were told of and the statuses that came back.
func delivered(t *testing.T, serve func(context.Context, []net.Listener, http.Handler) error, sent string) (got []listen.Delivery, statuses []string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	r := newReceiver(load(t), false, verify.Strict{})
	listeners := open(t, "127.0.0.1:0")
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, listeners, r) }()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", listeners[0].Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("%T", conn)
	}
	answered := make(chan []byte)
	go func() {
		answer, _ := io.ReadAll(tcp)
		answered <- answer
	}()
	_, _ = io.WriteString(tcp, sent) // who refuses a request need not read it
	_ = tcp.CloseWrite()
	answer := <-answered
	_ = tcp.Close()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	for _, hit := range regexp.MustCompile(`HTTP/1\.[01] (\d{3})`).FindAllSubmatch(answer, -1) {
		statuses = append(statuses, string(hit[1]))
	}
	return r.got, statuses
}

// asServed is how the listener serves.
func asServed(ctx context.Context, listeners []net.Listener, h http.Handler) error {
	return listen.Serve(ctx, listeners, h, func() {})
}

// misframed returns what is taken although it should not be, or the other way round.
func misframed(t *testing.T, serve func(context.Context, []net.Listener, http.Handler) error) (wrong []string) {
	t.Helper()
	for _, x := range framings(t) {
		got, statuses := delivered(t, serve, x.sent)
		taken := 0
		for _, d := range got {
			if d.Verdict.OK() || d.Status == http.StatusOK {
				taken++
			}
		}
		ok := 0
		for _, s := range statuses {
			if s == "200" {
				ok++
			}
		}
		if taken != x.taken || ok != x.taken {
			wrong = append(wrong, fmt.Sprintf("%s: %d deliveries are taken, not %d; answered %s", x.name, taken, x.taken, statuses))
		}
	}
	return wrong
}

// TestTrustFraming sends requests that readers of HTTP disagree about to the
// listener, byte by byte as they are: each is refused, or told of as wrong, and
// none is taken for something else.
func TestTrustFraming(t *testing.T) {
	for _, wrong := range misframed(t, asServed) {
		t.Error(wrong)
	}
	all := framings(t)
	sound := len(slices.DeleteFunc(slices.Clone(all), func(x framed) bool { return x.taken == 0 }))
	trust.Figure(t, "sound", sound)
	trust.Figure(t, "refused or told of", len(all)-sound)
}

// TestTrustFramingCatches holds that the test above fails for listeners that put up
// with more.
func TestTrustFramingCatches(t *testing.T) {
	for name, serve := range map[string]func(context.Context, []net.Listener, http.Handler) error{
		"takes what net/http takes": func(ctx context.Context, listeners []net.Listener, h http.Handler) error {
			srv := &http.Server{Handler: h}
			context.AfterFunc(ctx, func() { _ = srv.Close() })
			if err := srv.Serve(listeners[0]); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
		"passes over what says that a body is compressed": func(ctx context.Context, listeners []net.Listener, h http.Handler) error {
			return asServed(ctx, listeners, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Header.Del("Content-Encoding")
				h.ServeHTTP(w, r)
			}))
		},
		"takes a POST for a method in any letters": func(ctx context.Context, listeners []net.Listener, h http.Handler) error {
			return asServed(ctx, listeners, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				r.Method = strings.ToUpper(r.Method)
				h.ServeHTTP(w, r)
			}))
		},
	} {
		if len(misframed(t, serve)) == 0 {
			t.Errorf("a listener that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
