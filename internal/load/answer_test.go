package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
)

func parse(r io.Reader) (status int, keep bool, err error) {
	a := newAnswers()
	a.reset(r)
	return a.next()
}

func TestAnswer(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for _, x := range []struct {
		name, raw string
		status    int
		keep      bool
		err       string // a part of it; empty when there is none
	}{
		{"a body with a length", okAnswer, 200, true, ""},
		{"no reason", "HTTP/1.1 204\r\n\r\n", 204, true, ""},
		{"an empty reason", "HTTP/1.1 204 \r\n\r\n", 204, true, ""},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx", 200, true, ""},
		{"a name in capitals", ok + "CONTENT-LENGTH:1\r\n\r\nx", 200, true, ""},
		{"the same length twice", ok + "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 200, true, ""},
		{"an empty body", ok + "Content-Length: 0\r\n\r\n", 200, true, ""},
		{"no body with 304", "HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", 304, true, ""},
		{"connection: close", ok + "Connection: close\r\nContent-Length: 0\r\n\r\n", 200, false, ""},
		{"close among others", ok + "Connection: x, Close\r\nContent-Length: 0\r\n\r\n", 200, false, ""},
		{"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, false, ""},
		{"HTTP/1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 200, true, ""},
		{"up to the end", ok + "\r\nall of this", 200, false, ""},
		{"chunks", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n", 200, true, ""},
		{"chunks and a trailer", ok + "Transfer-Encoding: Chunked\r\n\r\n1 \r\nx\r\n000\r\nX: y\r\n\r\n", 200, true, ""},
		{"chunks and a length", ok + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 200, false, ""},
		{"interim answers", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer, 200, true, ""},
		{"a folded field", ok + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n", 200, true, ""},
		{"a status of its own", "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n", 799, true, ""},
		{"a long body", ok + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", bodyBytes+1, strings.Repeat("x", bodyBytes+1)), 200, false, ""},
		{"a body of 1 GB, the beginning", ok + "Content-Length: 1073741824\r\n\r\n" + strings.Repeat("x", bodyBytes), 200, false, ""},
		{"a chunk of 1 GB, the beginning", ok + "Transfer-Encoding: chunked\r\n\r\n40000000\r\n" + strings.Repeat("x", bodyBytes), 200, false, ""},
		{"the longest body", ok + fmt.Sprintf("Content-Length: %d\r\n\r\n%s", bodyBytes, strings.Repeat("x", bodyBytes)), 200, true, ""},
		{"a long line", ok + "X: " + strings.Repeat("x", lineBytes-10) + "\r\nContent-Length: 0\r\n\r\n", 200, true, ""},

		{"nothing", "", 0, false, "EOF"},
		{"an early end", "HTTP/1.1 20", 0, false, "unexpected EOF"},
		{"an early end of the head", ok + "Content-Length: 0\r\n", 0, false, "unexpected EOF"},
		{"an early end of the body", ok + "Content-Length: 2\r\n\r\nx", 200, false, "unexpected EOF"},
		{"an early end of a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel", 200, false, "unexpected EOF"},
		{"an early end after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", 0, false, "unexpected EOF"},
		{"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", 0, false, `starts with "SSH-2.0`},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n", 0, false, "starts with"},
		{"HTTP/0.9", "<html>hello</html>\n", 0, false, "starts with"},
		{"TLS", "\x15\x03\x01\x00\x02\x02\x50\n", 0, false, "starts with"},
		{"no status", "HTTP/1.1 OK\r\n\r\n", 0, false, "starts with"},
		{"a long status", "HTTP/1.1 2000 OK\r\n\r\n", 0, false, "starts with"},
		{"a status in words", "HTTP/1.1 two OK\r\n\r\n", 0, false, "status"},
		{"status 099", "HTTP/1.1 099 No\r\n\r\n", 0, false, "its status is 99"},
		{"another protocol from here", "HTTP/1.1 101 Switching Protocols\r\n\r\n", 0, false, "its status is 101"},
		{"no colon", ok + "hello\r\n\r\n", 0, false, `"hello" is no header field`},
		{"a length in words", ok + "Content-Length: two\r\n\r\n", 0, false, `its Content-Length is "two"`},
		{"a negative length", ok + "Content-Length: -1\r\n\r\n", 0, false, "Content-Length"},
		{"an endless length", ok + "Content-Length: 99999999999999999999999\r\n\r\n", 0, false, "Content-Length"},
		{"no length", ok + "Content-Length:\r\n\r\n", 0, false, "Content-Length"},
		{"two lengths", ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 0, false, "two that differ"},
		{"an unknown encoding", ok + "Transfer-Encoding: gzip\r\n\r\n", 0, false, `"gzip"`},
		{"chunked twice", ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false, `"chunked"`},
		{"a chunk without a size", ok + "Transfer-Encoding: chunked\r\n\r\n\r\n", 200, false, "a chunk has no size"},
		{"a chunk in words", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 200, false, "the size of a chunk"},
		{"a control character for a digit", ok + "Transfer-Encoding: chunked\r\n\r\n\x10\r\n\r\n", 200, false, "the size of a chunk"},
		{"an endless chunk", ok + "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 200, false, "the size of a chunk"},
		{"a chunk that is longer", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n", 200, false, "does not end where it says"},
		{"more than the answer", okAnswer + "x", 200, true, "more came than the answer"},
		{"an endless line", "HTTP/1.1 200 " + strings.Repeat("x", lineBytes), 0, false, "a line of its head is longer"},
		{"an endless head", ok + strings.Repeat("X: "+strings.Repeat("x", 1000)+"\r\n", 100), 0, false, "its head is longer than 64 KiB"},
		{"an endless trailer", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n" + strings.Repeat("X: y\r\n", 20_000), 200, false, "its head is longer"},
		{"endless interim answers", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 20), 0, false, "interim"},
	} {
		for how, r := range map[string]io.Reader{"at once": strings.NewReader(x.raw), "byte by byte": iotest.OneByteReader(strings.NewReader(x.raw))} {
			if x.name == "more than the answer" && how != "at once" {
				continue
			}
			status, keep, err := parse(r)
			if x.err == "" {
				if err != nil || status != x.status || keep != x.keep {
					t.Errorf("%s, %s: %d, %t, %v", x.name, how, status, keep, err)
				}
				continue
			}
			if err == nil || !strings.Contains(err.Error(), x.err) || status != x.status && x.status != 0 {
				t.Errorf("%s, %s: %d, %v; want %s", x.name, how, status, err, x.err)
			}
			var m *MalformedError
			if errors.As(err, &m) == strings.HasSuffix(x.err, "EOF") {
				t.Errorf("%s, %s: %T", x.name, how, err)
			}
		}
	}
}

// TestAnswersFollow reads one answer after the other, of every form that leaves
// the connection open.
func TestAnswersFollow(t *testing.T) {
	forms := []string{
		okAnswer, "HTTP/1.1 204 No Content\r\n\r\n",
		"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno",
	}
	want := []int{200, 204, 500, 404}
	near, far := io.Pipe()
	go func() {
		for i := range 400 {
			if _, err := io.WriteString(far, forms[i%4]); err != nil {
				return
			}
		}
		_ = far.Close()
	}()
	a := newAnswers()
	a.reset(near)
	for i := range 400 {
		if status, keep, err := a.next(); status != want[i%4] || !keep || err != nil {
			t.Fatalf("answer %d: %d, %t, %v", i, status, keep, err)
		}
	}
	if _, _, err := a.next(); !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("after the last: %v", err)
	}
}

// FuzzAnswer compares with net/http, and the same bytes with themselves in
// other pieces.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		okAnswer, "HTTP/1.1 204\r\n\r\n", "HTTP/1.0 200 OK\r\n\r\nx", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
		"HTTP/1.1 100 \r\n\r\n" + okAnswer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", "HTTP/1.1 2", "\n\n", "HTTP/1.1 200 OK\nA:b\n c\n\n",
		"HTTP/1.1 200 \nTransfer-Encoding: chunked\n\n0\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX y: 1\r\nZ: \x01\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, keep, err := parse(bytes.NewReader(raw))
		s2, k2, err2 := parse(iotest.OneByteReader(bytes.NewReader(raw)))
		surplus := err != nil && strings.Contains(err.Error(), "more came")
		if !surplus && (status != s2 || keep != k2 || (err == nil) != (err2 == nil)) {
			t.Fatalf("at once %d, %t, %v; byte by byte %d, %t, %v", status, keep, err, s2, k2, err2)
		}
		if err != nil {
			return
		}
		in := bufio.NewReader(bytes.NewReader(raw))
		r, theirs := http.ReadResponse(in, nil) //nolint:bodyclose // it holds nothing but a part of raw
		for n := 0; theirs == nil && r.StatusCode < 200 && n < 2*interims; n++ {
			r, theirs = http.ReadResponse(in, nil) //nolint:bodyclose // it holds nothing but a part of raw
		}
		if theirs != nil {
			return // they are stricter, say about the names of fields
		}
		if r.StatusCode != status {
			t.Fatalf("status %d, net/http says %d", status, r.StatusCode)
		}
		if keep && r.Close {
			t.Fatalf("the connection would be used again; net/http says it closes")
		}
		if n, err := io.Copy(io.Discard, r.Body); err != nil && keep {
			t.Fatalf("complete, but net/http says after %d bytes: %v", n, err)
		}
		if keep && in.Buffered() > 0 {
			t.Fatalf("net/http leaves %d bytes", in.Buffered())
		}
	})
}

func TestAnswersAllocateNothing(t *testing.T) {
	for _, raw := range []string{okAnswer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n5\r\nhello\r\n0\r\n\r\n"} {
		in := strings.NewReader(raw)
		a := newAnswers()
		a.reset(in)
		if n := testing.AllocsPerRun(100, func() {
			in.Reset(raw)
			if _, _, err := a.next(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%.30q: %g allocations", raw, n)
		}
	}
}
