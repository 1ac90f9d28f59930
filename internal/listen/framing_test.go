package listen

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"testing"
)

// carried is a connection that has some bytes.
type carried struct {
	net.Conn

	rest []byte
}

func (c *carried) Read(b []byte) (int, error) {
	if len(c.rest) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

// requests reads what a connection carries as net/http does, and tells of the
// requests that it takes as they begin and end.
func requests(w *watched) (count int) {
	for in := bufio.NewReader(w); ; count++ {
		r, err := http.ReadRequest(in)
		if err != nil {
			return count
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return count
		}
	}
}

// FuzzFraming watches any bytes: in whatever pieces they come the same is said,
// and where net/http sees a head in which nothing is ambiguous, so is here.
func FuzzFraming(f *testing.F) {
	for _, text := range []string{
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\nHost: x\n\n",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "POST / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
		"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "0 * HTTP/0.0\r\nContent-Length:2\r\n\r\n0\r\n", "\r\n\r\n", "G\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var at []string
		for _, each := range []int{1, 7, len(raw) + 1} {
			w := &watched{first: true, served: math.MaxInt}
			for part := range slices.Chunk(raw, each) {
				w.watch(part)
			}
			at = append(at, fmt.Sprint(w.look, w.left, w.first, w.said()))
		}
		if at[0] != at[1] || at[0] != at[2] {
			t.Fatalf("%q in pieces: %q", raw, at)
		}
		w := &watched{Conn: &carried{rest: raw}, first: true}
		count := requests(w)
		w.served = count
		folded := bytes.Contains(raw, []byte("\n ")) || bytes.Contains(raw, []byte("\n\t"))
		alone := bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n"))
		lengths := bytes.Count(bytes.ToLower(raw), []byte("content-length"))
		coded := bytes.Contains(bytes.ToLower(raw), []byte("transfer-encoding"))
		if count > 0 && w.said() != "" && !folded && !alone && lengths < 2 && (lengths == 0 || !coded) {
			t.Fatalf("%q: %s", raw, w.said())
		}
	})
}
