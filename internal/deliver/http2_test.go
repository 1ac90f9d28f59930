package deliver

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// HTTP/2 frame types (RFC 9113, section 6).
const (
	frameHeaders   = 1
	frameRSTStream = 3
	frameSettings  = 4
	frameGoAway    = 7
)

func writeFrame(w io.Writer, kind byte, stream uint32, payload []byte) {
	head := []byte{0, byte(len(payload) >> 8), byte(len(payload)), kind, 0}
	write(w, string(append(binary.BigEndian.AppendUint32(head, stream), payload...)))
}

func readFrame(r io.Reader) (kind byte, stream uint32, err error) {
	head := make([]byte, 9)
	if _, err := io.ReadFull(r, head); err != nil {
		return 0, 0, err
	}
	size := int64(head[0])<<16 | int64(head[1])<<8 | int64(head[2])
	_, err = io.CopyN(io.Discard, r, size)
	return head[3], binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1), err
}

// newHTTP2Server refuses every request by the frame refuse writes, and counts
// the requests.
func newHTTP2Server(t *testing.T, refuse func(w io.Writer, stream uint32)) (url string, requests *atomic.Int32) {
	t.Helper()
	borrowed := httptest.NewTLSServer(http.NotFoundHandler())
	config := &tls.Config{Certificates: borrowed.TLS.Certificates, NextProtos: []string{"h2"}}
	borrowed.Close()
	requests = &atomic.Int32{}
	server := newRawServer(t, func(raw net.Conn) {
		conn := tls.Server(raw, config)
		if _, err := io.CopyN(io.Discard, conn, int64(len("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))); err != nil {
			return
		}
		writeFrame(conn, frameSettings, 0, nil)
		for {
			kind, stream, err := readFrame(conn)
			if err != nil {
				return
			}
			if kind == frameHeaders {
				requests.Add(1)
				refuse(conn, stream)
			}
		}
	})
	return strings.Replace(server.url, "http:", "https:", 1), requests
}

// Both frames tell the client that the request was not processed and may be
// sent again, which net/http would do.
func TestHTTP2SendsOnce(t *testing.T) {
	for name, refuse := range map[string]func(w io.Writer, stream uint32){
		"refused stream": func(w io.Writer, stream uint32) {
			writeFrame(w, frameRSTStream, stream, []byte{0, 0, 0, 7})
		},
		"protocol error": func(w io.Writer, stream uint32) {
			writeFrame(w, frameRSTStream, stream, []byte{0, 0, 0, 1})
		},
		"going away": func(w io.Writer, _ uint32) {
			writeFrame(w, frameGoAway, 0, make([]byte, 8))
		},
	} {
		for _, body := range []string{"", "{}"} {
			t.Run(name+"/"+body, func(t *testing.T) {
				url, requests := newHTTP2Server(t, refuse)
				r := newClient(t, Options{Insecure: true}).Post(t.Context(), parse(t, url), http.Header{"Idempotency-Key": {"k"}}, []byte(body))
				expect(t, r, Unknown, "no usable HTTP answer")
				if n := requests.Load(); n != 1 {
					t.Errorf("%d requests, want 1", n)
				}
			})
		}
	}
}
