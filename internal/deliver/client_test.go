package deliver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPostSendsWhatWasGiven(t *testing.T) {
	type seen struct {
		Method, Target, Host, Proto, Body string
		Header                            http.Header
		Length                            int64
	}
	var got seen
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.RequestURI, r.Host, r.Proto, string(body), r.Header, r.ContentLength}
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	common := func(h http.Header) http.Header {
		h.Set("Connection", "close")
		return h
	}
	for name, tt := range map[string]struct {
		header http.Header
		body   string
		want   seen
	}{
		"defaults": {nil, `{"a":1}`, seen{
			"POST", callback + "?q=1", host, "HTTP/1.1", `{"a":1}`,
			common(http.Header{"Content-Type": {"application/json"}, "User-Agent": {"paytest/1.2"}, "Content-Length": {"7"}}), 7,
		}},
		"empty body": {nil, "", seen{
			"POST", callback + "?q=1", host, "HTTP/1.1", "",
			common(http.Header{"Content-Type": {"application/json"}, "User-Agent": {"paytest/1.2"}, "Content-Length": {"0"}}), 0,
		}},
		"canonical": {http.Header{"Content-Type": {"text/plain"}, "User-Agent": {"me"}, "Host": {"other.test"}, "X-A": {"1", "2"}}, "x", seen{
			"POST", callback + "?q=1", "other.test", "HTTP/1.1", "x",
			common(http.Header{"Content-Type": {"text/plain"}, "User-Agent": {"me"}, "X-A": {"1", "2"}, "Content-Length": {"1"}}), 1,
		}},
		"other case": {http.Header{"content-type": {"text/plain"}, "user-agent": {"me"}, "hOST": {"other.test:1"}, "x-a": {"1"}}, "x", seen{
			"POST", callback + "?q=1", "other.test:1", "HTTP/1.1", "x",
			common(http.Header{"Content-Type": {"text/plain"}, "User-Agent": {"me"}, "X-A": {"1"}, "Content-Length": {"1"}}), 1,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, Options{UserAgent: "paytest/1.2"})
			expect(t, c.Post(t.Context(), parse(t, server.URL+"?q=1"), tt.header, []byte(tt.body)), Answered, "")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPostReportsTheAnswer(t *testing.T) {
	for _, status := range []int{200, 201, 204, 302, 307, 308, 400, 404, 413, 500, 503, 599, 999} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			var requests atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				w.Header().Set("Location", "/again")
				w.WriteHeader(status)
				if status != 204 {
					write(w, "answer")
				}
			}))
			defer server.Close()
			r := newClient(t, Options{}).Post(t.Context(), parse(t, server.URL), nil, []byte("{}"))
			expect(t, r, Answered, "")
			want := "answer"
			if status == 204 {
				want = ""
			}
			if r.Status != status || r.Proto != "HTTP/1.1" || string(r.Body) != want || r.Truncated || r.Header.Get("Location") != "/again" {
				t.Errorf("%+v", r)
			}
			if r.RemoteAddr != strings.TrimPrefix(server.URL, "http://") || r.URL != server.URL+callback || r.Latency <= 0 || r.Started.IsZero() {
				t.Errorf("%+v", r)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if r.Success([]int{200}) != (status == 200) {
				t.Errorf("Success of status %d", status)
			}
		})
	}
}

func TestSuccessNeedsACompleteAnswer(t *testing.T) {
	for _, o := range []Outcome{TimedOut, Unreachable, Unknown, Refused, Canceled, ""} {
		if (Result{Outcome: o, Status: 200}).Success([]int{200}) {
			t.Errorf("%q with status 200 is a success", o)
		}
	}
	if (Result{Outcome: Answered, Status: 200}).Success(nil) {
		t.Error("success without any status that counts")
	}
}

func TestPostKeepsBytesAsAnswered(t *testing.T) {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	write(z, "ok")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got, given := r.Header["Accept-Encoding"]; given {
			t.Errorf("Accept-Encoding %q was sent", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	}))
	defer server.Close()
	r := newClient(t, Options{}).Post(t.Context(), parse(t, server.URL), nil, nil)
	expect(t, r, Answered, "")
	if !bytes.Equal(r.Body, packed.Bytes()) || r.Header.Get("Content-Encoding") != "gzip" {
		t.Errorf("%+v", r)
	}
}

func TestPostBoundsTheBody(t *testing.T) {
	for _, tt := range []struct {
		size, limit, want int
		truncated         bool
	}{
		{0, 10, 0, false},
		{10, 10, 10, false},
		{11, 10, 10, true},
		{defaultMaxBody, 0, defaultMaxBody, false},
		{defaultMaxBody + 1, 0, defaultMaxBody, true},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(bytes.Repeat([]byte("x"), tt.size))
		}))
		r := newClient(t, Options{MaxBody: int64(tt.limit)}).Post(t.Context(), parse(t, server.URL), nil, nil)
		server.Close()
		expect(t, r, Answered, "")
		if len(r.Body) != tt.want || r.Truncated != tt.truncated {
			t.Errorf("%+v: %d bytes, truncated %v", tt, len(r.Body), r.Truncated)
		}
	}
}

// The server keeps its connections alive for one answer and kills them on the
// next request: what net/http takes as the signal to send a POST with an
// idempotency key again.
func TestPostSendsOnce(t *testing.T) {
	for _, key := range []string{"", "Idempotency-Key", "X-Idempotency-Key", "idempotency-key"} {
		for _, body := range []string{"", "{}"} {
			t.Run(key+"/"+body, func(t *testing.T) {
				var requests atomic.Int32
				server := newRawServer(t, func(conn net.Conn) {
					if req := readRequest(conn); req == nil {
						return
					}
					requests.Add(1)
					write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
					if req := readRequest(conn); req != nil {
						requests.Add(1)
					}
				})
				c := newClient(t, Options{})
				header := http.Header{}
				if key != "" {
					header[key] = []string{"k"}
				}
				for i := range int32(3) {
					expect(t, c.Post(t.Context(), parse(t, server.url), header, []byte(body)), Answered, "")
					if n := requests.Load(); n != i+1 {
						t.Fatalf("%d requests after %d deliveries", n, i+1)
					}
				}
			})
		}
	}
}

func TestPostSendsOnceWhenNothingComesBack(t *testing.T) {
	server := newRawServer(t, func(conn net.Conn) { readRequest(conn) })
	c := newClient(t, Options{})
	for i := range int32(3) {
		r := c.Post(t.Context(), parse(t, server.url), http.Header{"Idempotency-Key": {"k"}}, nil)
		expect(t, r, Unknown, "closed the connection without an answer")
		if n := server.connections.Load(); n != i+1 {
			t.Fatalf("%d connections after %d deliveries", n, i+1)
		}
	}
}

func TestBrokenAnswers(t *testing.T) {
	flood := func(head, line, tail string) func(net.Conn) {
		return func(conn net.Conn) {
			readRequest(conn)
			write(conn, head)
			for range 4 << 20 / len(line) {
				if _, err := io.WriteString(conn, line); err != nil {
					return
				}
			}
			write(conn, tail)
		}
	}
	for name, tt := range map[string]struct {
		serve  func(net.Conn)
		want   Outcome
		text   string
		status int
	}{
		"closed":            {answering(""), Unknown, "closed the connection without an answer", 0},
		"reset":             {reset, Unknown, "closed the connection without an answer", 0},
		"garbage":           {answering("SSH-2.0-OpenSSH_9.9\r\n\r\n"), Unknown, "no usable HTTP answer", 0},
		"binary":            {answering("\x00\xff\x16\x03"), Unknown, "no usable HTTP answer", 0},
		"bad status":        {answering("HTTP/1.1 2000 OK\r\n\r\n"), Unknown, "no usable HTTP answer", 0},
		"half a header":     {answering("HTTP/1.1 200 OK\r\nContent-Le"), Unknown, "no usable HTTP answer", 0},
		"header flood":      {flood("HTTP/1.1 200 OK\r\n", "X-Flood: "+strings.Repeat("x", 1000)+"\r\n", "\r\n"), Unknown, "no usable HTTP answer", 0},
		"endless line":      {flood("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 1000), "\r\n\r\n"), Unknown, "no usable HTTP answer", 0},
		"1xx flood":         {flood("", "HTTP/1.1 103 Early Hints\r\n\r\n", ""), Unknown, "no usable HTTP answer", 0},
		"body cut off":      {answering("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), Unknown, "began to answer (status 200)", 200},
		"bad chunk":         {answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), Unknown, "began to answer (status 200)", 200},
		"chunks cut off":    {answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"), Unknown, "began to answer (status 200)", 200},
		"until close":       {answering("HTTP/1.0 200 OK\r\n\r\nhello"), Answered, "", 200},
		"hints, then final": {answering("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), Answered, "", 200},
		"endless body":      {flood("HTTP/1.1 200 OK\r\n\r\n", strings.Repeat("x", 1000), ""), Answered, "", 200},
		"junk after body":   {answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n"), Answered, "", 200},
		"tls on plain port": {answering("\x15\x03\x01\x00\x02\x02\x46"), Unknown, "no usable HTTP answer", 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := newRawServer(t, tt.serve)
			r := newClient(t, Options{Timeout: time.Hour}).Post(t.Context(), parse(t, server.url), nil, []byte("{}"))
			expect(t, r, tt.want, tt.text)
			if r.Status != tt.status || len(r.Body) > defaultMaxBody || r.RemoteAddr == "" {
				t.Errorf("status %d, %d bytes, remote %q", r.Status, len(r.Body), r.RemoteAddr)
			}
			if n := server.connections.Load(); n != 1 {
				t.Errorf("%d connections, want 1", n)
			}
			if r.Err != nil && len(r.Err.Error()) > 600 {
				t.Errorf("message of %d bytes", len(r.Err.Error()))
			}
			if name == "endless body" != r.Truncated {
				t.Errorf("truncated %v", r.Truncated)
			}
		})
	}
}

func reset(conn net.Conn) {
	readRequest(conn)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
}

func TestUnreachable(t *testing.T) {
	l := listen(t)
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(address)
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	hangsUp := newRawServer(t, func(net.Conn) {})
	names := fakeDNS(func(name string) []string {
		if name == "shop.test" {
			return []string{"127.0.0.1"}
		}
		return nil
	})
	for target, text := range map[string]string{
		"http://" + address:                              "nothing listens on " + address + "; start your server",
		"http://shop.test:" + port:                       "nothing listens on " + address + "; start your server",
		"http://nowhere.test:" + port:                    `cannot resolve "nowhere.test`,
		strings.Replace(plain.URL, "http", "https", 1):   "does not speak TLS",
		strings.Replace(hangsUp.url, "http", "https", 1): "cannot connect to 127.0.0.1:",
	} {
		r := newClient(t, Options{Resolver: names, Timeout: time.Hour}).Post(t.Context(), parse(t, target), nil, []byte("{}"))
		expect(t, r, Unreachable, text)
		if r.RemoteAddr != "" || r.Status != 0 {
			t.Errorf("%+v", r)
		}
	}
}

func TestTLS(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { write(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = discardLog()
	server.StartTLS()
	defer server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, tt := range map[string]struct {
		options Options
		want    Outcome
		text    string
	}{
		"unknown CA": {Options{}, Unreachable, "is not trusted"},
		"insecure":   {Options{Insecure: true}, Answered, ""},
		"own CA":     {Options{CACert: ca}, Answered, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := newClient(t, tt.options).Post(t.Context(), parse(t, server.URL), nil, []byte("{}"))
			expect(t, r, tt.want, tt.text)
			if r.Outcome == Answered && (r.Proto != "HTTP/2.0" || string(r.Body) != "HTTP/2.0") {
				t.Errorf("%+v", r)
			}
		})
	}
	wrongName := newClient(t, Options{CACert: ca, Resolver: fakeDNS(func(string) []string { return []string{"127.0.0.1"} })})
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	expect(t, wrongName.Post(t.Context(), parse(t, "https://shop.test:"+port), nil, nil), Unreachable, "shop.test")
}

func TestCanceled(t *testing.T) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	server := newRawServer(t, answering("HTTP/1.1 200 OK\r\n\r\n"))
	expect(t, newClient(t, Options{}).Post(gone, parse(t, server.url), nil, nil), Canceled, "canceled")
	if n := server.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}

	during, cancel := context.WithCancel(t.Context())
	waiting := newRawServer(t, func(conn net.Conn) {
		readRequest(conn)
		cancel()
		silent(conn)
	})
	r := newClient(t, Options{Timeout: time.Hour}).Post(during, parse(t, waiting.url), nil, nil)
	expect(t, r, Canceled, "canceled")
	if !errors.Is(r.Err, context.Canceled) {
		t.Errorf("%v is not caused by the cancellation", r.Err)
	}
}

func TestRefusedRequests(t *testing.T) {
	server := newRawServer(t, answering("HTTP/1.1 200 OK\r\n\r\n"))
	c := newClient(t, Options{})
	ok := parse(t, server.url)
	secret := *ok
	secret.User = parseUser()
	expect(t, c.Post(t.Context(), nil, nil, nil), Refused, "is missing")
	r := c.Post(t.Context(), &secret, nil, nil)
	expect(t, r, Refused, "user name or password")
	if strings.Contains(r.URL+r.Err.Error(), "S3CR3T") {
		t.Errorf("%+v holds the secret", r)
	}
	for name, value := range map[string]string{
		"Content-Length": "3", "transfer-encoding": "chunked", "X A": "b", "X-A": "a\r\nX-B: c", "": "x", "Host": "a/b",
	} {
		expect(t, c.Post(t.Context(), ok, http.Header{name: {value}}, nil), Refused, "header")
	}
	if n := server.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		options Options
		text    string
	}{
		"no clock":           {Options{}, "clock"},
		"negative timeout":   {Options{Now: time.Now, Timeout: -1}, "negative"},
		"negative body":      {Options{Now: time.Now, MaxBody: -1}, "negative"},
		"no certificate":     {Options{Now: time.Now, CACert: []byte("no PEM")}, "no PEM certificate"},
		"empty CA":           {Options{Now: time.Now, CACert: []byte{}}, "no PEM certificate"},
		"key for CA":         {Options{Now: time.Now, CACert: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})}, "no PEM certificate"},
		"CA and insecure":    {Options{Now: time.Now, CACert: []byte("x"), Insecure: true}, "exclude each other"},
		"user agent":         {Options{Now: time.Now, UserAgent: "a\nb"}, "User-Agent"},
		"proxy scheme":       {Options{Now: time.Now, Proxy: "ftp://127.0.0.1"}, `"ftp"`},
		"proxy without host": {Options{Now: time.Now, Proxy: "127.0.0.1:80"}, "not a URL"},
		"proxy port":         {Options{Now: time.Now, Proxy: "http://127.0.0.1:0"}, "not a URL"},
		"proxy secret":       {Options{Now: time.Now, Proxy: "http://u:S3CR3T@:x"}, "not a URL"},
	} {
		_, err := New(tt.options)
		if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), tt.text) || strings.Contains(err.Error(), "S3CR3T") {
			t.Errorf("%s: %v, want %q", name, err, tt.text)
		}
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTransportSeam(t *testing.T) {
	broken := errors.New("broken")
	for want, f := range map[Outcome]roundTripper{
		Answered: func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil {
				t.Error("GetBody allows a second sending")
			}
			return &http.Response{StatusCode: 200, Body: io.NopCloser(r.Body)}, nil
		},
		Unreachable: func(*http.Request) (*http.Response, error) { return nil, broken },
		Unknown: func(r *http.Request) (*http.Response, error) {
			httptrace.ContextClientTrace(r.Context()).WroteHeaders()
			return nil, broken
		},
		TimedOut: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		},
	} {
		o := Options{Transport: f}
		if want == TimedOut {
			o.Timeout = time.Nanosecond
		}
		r := newClient(t, o).Post(t.Context(), parse(t, "https://shop.test"), nil, []byte("{}"))
		expect(t, r, want, "")
		if want == Answered && string(r.Body) != "{}" {
			t.Errorf("body %q", r.Body)
		}
	}
}

// net/http may read a request's body after the answer; the caller's bytes are
// the caller's again once Post has returned.
func TestBodyIsCopied(t *testing.T) {
	var kept io.Reader
	c := newClient(t, Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		kept = r.Body
		return nil, errors.New("broken")
	})})
	body := []byte("aaaa")
	c.Post(t.Context(), parse(t, "http://shop.test"), nil, body)
	copy(body, "bbbb")
	if got, err := io.ReadAll(kept); err != nil || string(got) != "aaaa" {
		t.Errorf("read %q, %v after Post returned", got, err)
	}
}

func TestPostIsConcurrent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }))
	defer server.Close()
	c := newClient(t, Options{})
	var posts sync.WaitGroup
	for i := range 20 {
		posts.Go(func() {
			body := fmt.Sprint(i)
			if r := c.Post(t.Context(), parse(t, server.URL), nil, []byte(body)); r.Outcome != Answered || string(r.Body) != body {
				t.Errorf("%d: %+v", i, r)
			}
		})
	}
	posts.Wait()
}
