package listen

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzPlain holds that what is read the short way is what net/http reads, to the
// last byte and header, also after another request on the connection.
func FuzzPlain(f *testing.F) {
	const line, host, length = "POST /a HTTP/1.1\r\n", "Host: x\r\n", "Content-Length: 2\r\n"
	const kind = "Content-Type: application/json\r\n"
	for _, raw := range []string{
		line + host + kind + length + "\r\n{}",
		line + host + kind + length + "\r\n{}more",
		line + host + kind + length + "\r\n{",
		line + kind + length + "\r\n{}",
		line + host + host + kind + length + "\r\n{}",
		line + host + kind + length + length + "\r\n{}",
		line + host + kind + length + "Content-Length: 3\r\n\r\n{}",
		line + host + kind + "Content-Length: +2\r\n\r\n{}",
		line + host + kind + "Content-Length: 2, 2\r\n\r\n{}",
		line + host + kind + "Content-Length: 02\r\n\r\n{}",
		line + host + kind + "Content-Length : 2\r\n\r\n{}",
		line + host + kind + length + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		line + host + kind + length + "transfer_encoding: chunked\r\n\r\n{}",
		line + host + kind + length + "Connection: close\r\n\r\n{}",
		line + host + kind + length + "Expect: 100-continue\r\n\r\n{}",
		line + host + kind + length + "Pragma: no-cache\r\n\r\n{}",
		line + host + kind + length + "X-Signature:  ab \r\nx-b: \r\n\r\n{}",
		line + host + kind + length + "X-A: 1\r\n 2\r\n\r\n{}",
		line + host + kind + length + "X-A: \t1\r\n\r\n{}",
		line + host + kind + length + "X-A: \x00\r\n\r\n{}",
		line + host + kind + length + "X-A: 1\n\r\n\r\n{}",
		line + "Host: x y\r\n" + kind + length + "\r\n{}",
		line + "Host: x/y\r\n" + kind + length + "\r\n{}",
		"POST /a?b HTTP/1.1\r\n" + host + kind + length + "\r\n{}",
		"POST http://y/a HTTP/1.1\r\n" + host + kind + length + "\r\n{}",
		"POST /a HTTP/1.0\r\n" + host + kind + length + "\r\n{}",
		"GET /a HTTP/1.1\r\n" + host + kind + length + "\r\n{}",
		"\r\n" + line + host + kind + length + "\r\n{}",
	} {
		f.Add([]byte(raw), []byte(line+host+kind+"Content-Length: 1\r\nX-Before: y\r\n\r\n1"))
		f.Add([]byte(raw), []byte(line+host+kind+length+"\r\n[]"))
	}
	f.Fuzz(func(t *testing.T, raw, before []byte) {
		var p plain
		paths := []string{"/a", "/b/c"}
		for _, b := range [][]byte{before, raw} {
			if !p.read(b, paths) {
				return
			}
			rest := bufio.NewReader(bytes.NewReader(b))
			want, err := http.ReadRequest(rest)
			if err != nil {
				t.Fatalf("%q: net/http refuses it: %v", b, err)
			}
			body, err := io.ReadAll(want.Body)
			if err != nil {
				t.Fatal(err)
			}
			left, _ := io.ReadAll(rest)
			if diff := cmp.Diff(want.Header, p.header); diff != "" {
				t.Errorf("%q: header (-net/http +plain):\n%s", b, diff)
			}
			if want.Method != http.MethodPost || want.URL.Path != p.path || want.RequestURI != p.path || want.ProtoMinor != 1 || want.Close ||
				len(want.TransferEncoding) > 0 || !bytes.Equal(body, p.body) || len(left) != len(b)-p.size {
				t.Errorf("%q: net/http reads %s %s, close %t, body %q, and leaves %d; plain %s, body %q, leaves %d",
					b, want.Method, want.RequestURI, want.Close, body, len(left), p.path, p.body, len(b)-p.size)
			}
		}
	})
}

// TestPlain holds that what deliveries look like is read the short way, and nothing
// that could be meant in another way.
func TestPlain(t *testing.T) {
	const start, end = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n", "Content-Length: 2\r\n\r\n{}"
	for raw, want := range map[string]bool{
		start + end: true,
		start + "X-Signature: abc\r\nUser-Agent: Gateway/1.0 (b)\r\nAccept: */*\r\n" + end: true,
		start + end[:len(end)-1]:                        false,
		start + "Transfer-Encoding: chunked\r\n" + end:  false,
		start + "Transfer-Encoding: identity\r\n" + end: false,
		start + "Content-Length: 2\r\n" + end:           false,
		start + "Content-Encoding: gzip\r\n" + end:      false,
		start + "Connection: keep-alive, X\r\n" + end:   false,
		start + "Expect: 100-continue\r\n" + end:        false,
		start + "Upgrade: h2c\r\n" + end:                false,
		start + "X: a\r\n b\r\n" + end:                  false,
		start + "X: a\rb\r\n" + end:                     false,
		start + "X : a\r\n" + end:                       false,
		start + "X: ä\r\n" + end:                        false,
		"GET" + start[4:] + end:                         false,
	} {
		var p plain
		if got := p.read([]byte(raw), []string{"/a"}); got != want {
			t.Errorf("%q: plain is %t", raw, got)
		}
	}
}
