package merchant

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	naiveRequest = 4 << 20  // bytes of one request
	naiveRead    = 64 << 10 // bytes of one read
)

// naive reports whether the bug is in a server of the merchant's own making.
func (m *Merchant) naive() bool {
	return m.has("expectation-500") || m.has("drops-pipelined") || m.has("one-read") || m.has("two-lengths")
}

// serveNaively is a server as people write it who think HTTP is simple.
func (m *Merchant) serveNaively(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for {
		c, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		stop := context.AfterFunc(ctx, func() { _ = c.Close() })
		wg.Go(func() {
			defer stop()
			defer func() { _ = c.Close() }()
			m.talk(ctx, c)
		})
	}
}

// talk answers the requests on a connection until one cannot be read.
func (m *Merchant) talk(ctx context.Context, c net.Conn) {
	limit := &io.LimitedReader{R: c}
	idle := time.AfterFunc(idleTimeout, func() { _ = c.Close() })
	defer idle.Stop()
	br := bufio.NewReaderSize(limit, naiveRead)
	for {
		limit.N = naiveRequest
		idle.Reset(idleTimeout)
		r, err := m.next(br, c)
		if errors.Is(err, io.EOF) {
			return
		}
		out := &recorder{header: http.Header{}, status: http.StatusOK}
		switch {
		case err != nil:
			m.write(out, &http.Request{URL: &url.URL{}}, refused(http.StatusBadRequest, "Bad request"))
		case m.has("expectation-500") && !oneOf(r.Header.Values("Expect"), "100-continue"):
			m.write(out, r, m.broke())
		default:
			if r.Header.Get("Expect") != "" {
				_, _ = io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
			}
			m.ServeHTTP(out, r.WithContext(ctx))
			_, _ = io.Copy(io.Discard, r.Body)
		}
		if out.send(c, r) != nil || err != nil || r.Close {
			return
		}
		if m.has("drops-pipelined") {
			_, _ = br.Discard(br.Buffered())
		}
	}
}

// next reads a request the way the bug does.
func (m *Merchant) next(br *bufio.Reader, c net.Conn) (*http.Request, error) {
	switch m.bug {
	case "one-read":
		buffer := make([]byte, naiveRead)
		n, err := c.Read(buffer)
		if err != nil {
			return nil, io.EOF
		}
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(buffer[:n])))
		if err != nil {
			return nil, errors.New("not all of a request")
		}
		return r, nil
	case "two-lengths":
		return byLength(br)
	}
	return http.ReadRequest(br)
}

// byLength reads a request by its Content-Length, where it has one, and else by
// its chunks, whatever else it says of them.
func byLength(br *bufio.Reader) (*http.Request, error) {
	tp := textproto.NewReader(br)
	line, err := tp.ReadLine()
	if err != nil {
		return nil, io.EOF
	}
	method, rest, _ := strings.Cut(line, " ")
	target, proto, ok := strings.Cut(rest, " ")
	u, err := url.ParseRequestURI(target)
	if !ok || err != nil || !strings.HasPrefix(proto, "HTTP/1.") {
		return nil, errors.New("not a request")
	}
	h, err := tp.ReadMIMEHeader()
	if err != nil {
		return nil, errors.New("not a head")
	}
	r := &http.Request{Method: method, URL: u, Proto: proto, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header(h), Body: http.NoBody}
	r.Close = strings.EqualFold(r.Header.Get("Connection"), "close")
	var body []byte
	if length, err := strconv.ParseUint(r.Header.Get("Content-Length"), 10, 22); err == nil {
		body = make([]byte, length)
		_, err = io.ReadFull(br, body)
		if err != nil {
			return nil, errors.New("not a body")
		}
	} else if r.Header.Get("Transfer-Encoding") != "" {
		if body, err = chunks(tp); err != nil {
			return nil, err
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, nil
}

func chunks(tp *textproto.Reader) ([]byte, error) {
	var body []byte
	for len(body) < naiveRequest {
		line, err := tp.ReadLine()
		size, bad := strconv.ParseUint(strings.TrimSpace(line), 16, 22)
		if err != nil || bad != nil {
			return nil, errors.New("not a chunk")
		}
		chunk := make([]byte, size)
		if _, err = io.ReadFull(tp.R, chunk); err != nil {
			return nil, errors.New("not all of a chunk")
		}
		_, _ = tp.ReadLine()
		if size == 0 {
			return body, nil
		}
		body = append(body, chunk...)
	}
	return nil, errors.New("too many chunks")
}

// recorder holds an answer until it is sent.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the answer's header.
func (r *recorder) Header() http.Header { return r.header }

// WriteHeader sets the answer's status.
func (r *recorder) WriteHeader(status int) { r.status = status }

// Write adds to the answer's body.
func (r *recorder) Write(p []byte) (int, error) { return r.body.Write(p) }

func (r *recorder) send(w io.Writer, to *http.Request) error {
	res := &http.Response{
		StatusCode: r.status, ProtoMajor: 1, ProtoMinor: 1, Header: r.header, Request: to,
		Body: io.NopCloser(&r.body), ContentLength: int64(r.body.Len()),
	}
	return res.Write(w)
}
