package deliver

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseFault(t *testing.T) {
	for _, f := range append(Faults(), NoFault) {
		if got, ok := ParseFault(string(f)); got != f || !ok {
			t.Errorf("%q: %q, %v", f, got, ok)
		}
	}
	if diff := cmp.Diff([]Fault{"lost-ack", "cut-body", "slow-body", "overlap"}, Faults()); diff != "" {
		t.Error(diff)
	}
	for _, s := range []string{"none", "LOST-ACK", "lost-ack ", "\x00"} {
		if _, ok := ParseFault(s); ok {
			t.Errorf("%q is a fault", s)
		}
	}
}

// arrival is a request as a handler saw it.
type arrival struct {
	Body    string
	Length  int64
	Proto   string
	Failure error
}

// newReceiver records what arrives at a server of package net/http, and answers
// 200.
func newReceiver(t *testing.T, secure bool) (*httptest.Server, chan arrival) {
	t.Helper()
	arrivals := make(chan arrival, 10)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		arrivals <- arrival{string(body), r.ContentLength, r.Proto, err}
		write(w, "accepted")
	}))
	server.Config.ErrorLog = discardLog()
	server.EnableHTTP2 = true
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server, arrivals
}

func certificate(server *httptest.Server) []byte {
	if server.Certificate() == nil {
		return nil
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}

func TestFaults(t *testing.T) {
	long := strings.Repeat("0123456789", 200_000)
	for _, body := range []string{"x", "xy", sample, long} {
		for _, secure := range []bool{false, true} {
			for f, want := range map[Fault]struct {
				each  []Outcome
				text  string
				first arrival
			}{
				LostAck:  {[]Outcome{Unknown, Answered}, "answered, but the answer was thrown away, as the fault lost-ack asks: it is unknown", arrival{Body: body}},
				CutBody:  {[]Outcome{Unknown, Answered}, "was cut after half of the body, as the fault cut-body asks: it is unknown", arrival{Body: body[:len(body)/2], Failure: io.ErrUnexpectedEOF}},
				SlowBody: {[]Outcome{Answered}, "", arrival{Body: body}},
			} {
				t.Run(fmt.Sprintf("%s/%d/%v", f, len(body), secure), func(t *testing.T) {
					server, arrivals := newReceiver(t, secure)
					c := newClient(t, Options{CACert: certificate(server), Pause: skip})
					var first arrival
					d := c.Deliver(t.Context(), parse(t, server.URL), http.Header{"Idempotency-Key": {"k"}}, []byte(body), documented(), f, func(context.Context, time.Duration) error {
						first = <-arrivals
						return nil
					}, nil)
					expectOutcomes(t, d, Success, want.each...)
					r := d.Attempts[0]
					expect(t, r, want.each[0], want.text)
					if r.Fault != f || r.RemoteAddr != server.Listener.Addr().String() || r.Outcome == Unknown && (r.Status != 0 || r.Header != nil || r.Body != nil) {
						t.Errorf("%+v", r)
					}
					if len(want.each) == 1 {
						first = <-arrivals
					}
					want.first.Length, want.first.Proto = int64(len(body)), "HTTP/1.1"
					if diff := cmp.Diff(want.first, first, cmp.Comparer(func(a, b error) bool { return errors.Is(a, b) })); diff != "" {
						t.Errorf("first: %.1000s", diff)
					}
					if len(want.each) == 1 {
						return
					}
					second := <-arrivals
					if second.Body != body || second.Failure != nil || d.Attempts[1].Fault != NoFault || string(d.Attempts[1].Body) != "accepted" {
						t.Errorf("second: %v, %+v", second.Failure, d.Attempts[1])
					}
					if len(arrivals) != 0 {
						t.Error("more than two requests arrived")
					}
				})
			}
		}
	}
}

// With a receiver that answers before it has read the request, the request is
// sent completely all the same.
func TestLostAckSendsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		got := make(chan int64, 1)
		pipeTo(t, c, func(conn net.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(conn))
			if err != nil {
				t.Error(err)
				return
			}
			go write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			<-time.After(time.Second)
			n, _ := io.Copy(io.Discard, req.Body)
			got <- n
		})
		body := bytes.Repeat([]byte("x"), 100_000)
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, body, Policy{Success: []int{200}}, LostAck, nil, nil)
		expectOutcomes(t, d, Unknown, Unknown)
		if n := <-got; n != int64(len(body)) {
			t.Errorf("%d of %d bytes arrived", n, len(body))
		}
	})
}

// The connection lasts until the receiver really answers: an interim answer is
// none.
func TestLostAckWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		gone := make(chan time.Time, 1)
		pipeTo(t, c, func(conn net.Conn) {
			readRequest(conn)
			write(conn, "HTTP/1.1 103 Early Hints\r\n\r\n")
			<-time.After(3 * time.Second)
			write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
			silent(conn)
			gone <- time.Now()
		})
		begin := time.Now()
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), Policy{}, LostAck, nil, nil)
		expectOutcomes(t, d, Unknown, Unknown)
		if hungUp := (<-gone).Sub(begin); hungUp != 3*time.Second || d.Attempts[0].Latency != 3*time.Second {
			t.Errorf("hung up after %s, %+v", hungUp, d.Attempts[0])
		}
	})
}

func TestLostAckWithoutBody(t *testing.T) {
	server, arrivals := newReceiver(t, false)
	d := newClient(t, Options{}).Deliver(t.Context(), parse(t, server.URL), nil, nil, documented(), LostAck, skip, nil)
	expectOutcomes(t, d, Success, Unknown, Answered)
	if first := <-arrivals; first.Failure != nil || first.Length != 0 {
		t.Errorf("%+v", first)
	}
}

// A request that has to ask for its body to be taken is none that a fault waits for.
func TestFaultsWithExpectContinue(t *testing.T) {
	for _, f := range []Fault{LostAck, CutBody, SlowBody, Overlap} {
		server, arrivals := newReceiver(t, false)
		d := newClient(t, Options{Pause: skip}).Deliver(t.Context(), parse(t, server.URL), http.Header{"Expect": {"100-continue"}}, []byte(sample), documented(), f, skip, nil)
		if d.Outcome() != Success {
			t.Errorf("%s: %+v", f, d)
		}
		if first := <-arrivals; f != CutBody && first.Body != sample {
			t.Errorf("%s: %+v", f, first)
		}
	}
}

// Limits stay in force: the answer, the handshake and the connection.
func TestFaultsTimeOut(t *testing.T) {
	for _, f := range []Fault{LostAck, SlowBody} {
		for target, want := range map[string]Outcome{"http://shop.test": TimedOut, "https://shop.test": Unreachable} {
			synctest.Test(t, func(t *testing.T) {
				c := newClient(t, Options{})
				pipeTo(t, c, silent)
				d := c.Deliver(t.Context(), parse(t, target), nil, []byte(sample), Policy{}, f, nil, nil)
				expect(t, d.Attempts[0], want, "within 5s")
				if d.Attempts[0].Latency != 5*time.Second {
					t.Errorf("%s took %s", f, d.Attempts[0].Latency)
				}
			})
		}
	}
	for _, f := range []Fault{LostAck, CutBody, SlowBody} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, Options{})
			pipeTo(t, c, func(net.Conn) { <-time.After(10 * time.Second) })
			d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), Policy{}, f, nil, nil)
			expect(t, d.Attempts[0], TimedOut, "within 5s")
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		pipeTo(t, c, silent)
		d := c.Deliver(t.Context(), parse(t, "https://shop.test"), nil, []byte(sample), Policy{}, CutBody, nil, nil)
		expect(t, d.Attempts[0], Unreachable, "TLS handshake was not complete within 5s")
	})
}

// Read in pieces, the body takes half of the limit.
func TestSlowBodyIsSpread(t *testing.T) {
	for _, body := range []string{"x", "xyz", sample, strings.Repeat("0123456789", 1000)} {
		synctest.Test(t, func(t *testing.T) {
			c := newClient(t, Options{})
			type piece struct {
				text  string
				after time.Duration
			}
			got := make(chan piece, 20)
			pipeTo(t, c, func(conn net.Conn) {
				begin := time.Now()
				buffer := make([]byte, 64<<10)
				for read := 0; read < len(body); {
					n, err := conn.Read(buffer)
					if err != nil {
						t.Error(err)
						return
					}
					if _, rest, isHead := strings.Cut(string(buffer[:n]), "\r\n\r\n"); isHead {
						if rest != "" || !time.Now().Equal(begin) {
							t.Errorf("with the header came %q", rest)
						}
						continue
					}
					read += n
					got <- piece{string(buffer[:n]), time.Since(begin)}
				}
				write(conn, status(200))
				silent(conn)
			})
			d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(body), documented(), SlowBody, nil, nil)
			expectOutcomes(t, d, Success, Answered)
			close(got)
			pieces, all, last := 0, "", time.Duration(0)
			for p := range got {
				pieces++
				all += p.text
				if p.after <= last {
					t.Errorf("piece %d came after %s", pieces, p.after)
				}
				last = p.after
			}
			if pieces != min(8, len(body)) || all != body || last > 2500*time.Millisecond || last < 2499*time.Millisecond {
				t.Errorf("%d pieces, the last after %s, complete: %v", pieces, last, all == body)
			}
		})
	}
}

// However an attempt ends, the wait between two pieces ends with it, and Deliver
// does not leave it running.
func TestSlowBodyPauseEnds(t *testing.T) {
	early := func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			write(conn, status(401))
			silent(conn)
		}
	}
	for name, tt := range map[string]struct {
		serve func(net.Conn)
		want  Result
	}{
		"no answer":    {silent, ended(TimedOut)},
		"early answer": {early, answered(401)},
		"hanging up":   {func(conn net.Conn) { _, _ = bufio.NewReader(conn).ReadString('\n') }, ended(Unknown)},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var running atomic.Int32
				c := newClient(t, Options{Pause: func(ctx context.Context, _ time.Duration) error {
					running.Add(1)
					defer running.Add(-1)
					<-ctx.Done()
					<-time.After(time.Second)
					return ctx.Err()
				}})
				pipeTo(t, c, tt.serve)
				d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), Policy{}, SlowBody, nil, nil)
				if n := running.Load(); n != 0 {
					t.Errorf("%d pauses are still running", n)
				}
				if r := d.Attempts[0]; r.Outcome != tt.want.Outcome || r.Status != tt.want.Status {
					t.Errorf("%+v", r)
				}
			})
		})
	}
}

// No attempt is read completely before both have started.
func TestOverlapIsCertain(t *testing.T) {
	for range 50 {
		var started, together atomic.Int32
		c := newClient(t, Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			started.Add(1)
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != sample {
				t.Errorf("%q, %v", body, err)
			}
			if started.Load() == 2 {
				together.Add(1)
			}
			return answer(r, 200)
		})})
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), documented(), Overlap, skip, nil)
		expectOutcomes(t, d, Success, Answered, Answered)
		if n := together.Load(); n != 2 {
			t.Fatalf("%d requests were complete after both had started, want 2", n)
		}
	}
}

// A receiver that answers neither before it has both gets both.
func TestOverlapOverTheNetwork(t *testing.T) {
	for _, secure := range []bool{false, true} {
		var both sync.WaitGroup
		both.Add(2)
		var n atomic.Int32
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != sample {
				t.Errorf("%q, %v", body, err)
			}
			if n.Add(1) <= 2 {
				both.Done()
				both.Wait()
				w.WriteHeader(503)
			}
		}))
		server.EnableHTTP2 = true
		if secure {
			server.StartTLS()
		} else {
			server.Start()
		}
		var waits []time.Duration
		c := newClient(t, Options{CACert: certificate(server)})
		d := c.Deliver(t.Context(), parse(t, server.URL), nil, []byte(sample), documented(), Overlap, skipping(&waits), nil)
		expectOutcomes(t, d, Success, Answered, Answered, Answered)
		if a := d.Attempts; a[0].Status != 503 || a[1].Status != 503 || a[0].Fault != Overlap || a[1].Fault != Overlap || a[2].Fault != NoFault {
			t.Errorf("%+v", a)
		}
		if a := d.Attempts; a[1].Started.Before(a[0].Started) {
			t.Error("the second started first")
		}
		if diff := cmp.Diff([]time.Duration{2 * time.Second}, waits); diff != "" {
			t.Errorf("the overlapping retry has no wait, the next has its own: %s", diff)
		}
		server.Close()
	}
}

// A receiver that serves one connection after the other gets the first after a
// quarter of the limit.
func TestOverlapWithSerialReceiver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		var first sync.WaitGroup
		first.Add(1)
		var dials atomic.Int32
		pipeTo(t, c, answering(status(200)))
		dial := c.dial
		c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) == 2 {
				<-time.After(2 * time.Second)
			}
			return dial(ctx, network, address)
		}
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), documented(), Overlap, nil, nil)
		expectOutcomes(t, d, Success, Answered, Answered)
		if a := d.Attempts; a[0].Latency != 1250*time.Millisecond || a[1].Latency != 2*time.Second || !a[0].Started.Equal(a[1].Started) {
			t.Errorf("%+v", a)
		}
	})
}

// A first attempt that reaches nobody has nothing to overlap: the schedule goes on.
func TestOverlapUnreachable(t *testing.T) {
	l := listen(t)
	hangUp(l)
	var waits []time.Duration
	d := newClient(t, Options{}).Deliver(t.Context(), parse(t, "http://"+l.Addr().String()), nil, []byte(sample), documented(), Overlap, skipping(&waits), nil)
	expectOutcomes(t, d, Failed, Unreachable, Unreachable, Unreachable, Unreachable)
	if diff := cmp.Diff(Exponential(3, time.Second), waits); diff != "" {
		t.Error(diff)
	}
}

// The second attempt of two may fail to connect; the first goes on.
func TestOverlapSecondUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClient(t, Options{})
		var dials atomic.Int32
		pipeTo(t, c, answering(status(200)))
		dial := c.dial
		c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) == 2 {
				return nil, errors.New("no more")
			}
			return dial(ctx, network, address)
		}
		d := c.Deliver(t.Context(), parse(t, "http://shop.test"), nil, []byte(sample), documented(), Overlap, nil, nil)
		expectOutcomes(t, d, Success, Answered, Unreachable)
		if d.Attempts[0].Latency != 0 {
			t.Errorf("the first was held for %s", d.Attempts[0].Latency)
		}
	})
}

func TestFaultsThatCannotBeDone(t *testing.T) {
	tap := newWireTap(t)
	own := roundTripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("was asked") })
	for name, tt := range map[string]struct {
		options Options
		fault   Fault
		body    string
		policy  Policy
		text    string
	}{
		"unknown":              {Options{}, "lost", sample, documented(), `fault "lost": does not exist; it is one of ["lost-ack" "cut-body" "slow-body" "overlap"]`},
		"lost through a proxy": {Options{Proxy: tap.url}, LostAck, sample, documented(), `fault "lost-ack": cannot be done through a proxy`},
		"cut through a proxy":  {Options{Proxy: tap.url}, CutBody, sample, documented(), `fault "cut-body": cannot be done through a proxy`},
		"slow through a proxy": {Options{Proxy: tap.url}, SlowBody, sample, documented(), `fault "slow-body": cannot be done through a proxy`},
		"cut nothing":          {Options{}, CutBody, "", documented(), "needs a body"},
		"slow nothing":         {Options{}, SlowBody, "", documented(), "needs a body"},
		"overlap of nothing":   {Options{}, Overlap, "", documented(), "needs a body"},
		"overlap with nothing": {Options{}, Overlap, sample, Policy{}, "needs at least one retry"},
		"cut a transport":      {Options{Transport: own}, CutBody, sample, documented(), "needs the client's own connections"},
	} {
		told := 0
		d := newClient(t, tt.options).Deliver(t.Context(), parse(t, tap.url), nil, []byte(tt.body), tt.policy, tt.fault, skip, func(int, Result) { told++ })
		expectOutcomes(t, d, Refused, Refused)
		expect(t, d.Attempts[0], Refused, tt.text)
		var typed *FaultError
		if !errors.As(d.Attempts[0].Err, &typed) || typed.Fault != tt.fault || told != 1 || d.Attempts[0].URL != tap.url+callback {
			t.Errorf("%s: %+v, told %d", name, d.Attempts[0], told)
		}
	}
	if n := tap.connections.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
	for _, u := range []*url.URL{nil, {Scheme: "http", Host: "shop.test", User: parseUser()}} {
		d := newClient(t, Options{}).Deliver(t.Context(), u, nil, nil, documented(), "lost", skip, nil)
		expectOutcomes(t, d, Refused, Refused)
		if text := fmt.Sprintf("%+v", d); strings.Contains(text, "S3CR3T") {
			t.Error(text)
		}
	}
}

func TestOverlapThroughAProxy(t *testing.T) {
	var seen atomic.Int32
	proxy := newRawServer(t, func(conn net.Conn) {
		if req := readRequest(conn); req != nil && req.RequestURI == "http://127.0.0.1:1"+callback {
			seen.Add(1)
			write(conn, status(200))
		}
	})
	d := newClient(t, Options{Proxy: proxy.url}).Deliver(t.Context(), parse(t, "http://127.0.0.1:1"), nil, []byte(sample), documented(), Overlap, skip, nil)
	expectOutcomes(t, d, Success, Answered, Answered)
	if seen.Load() != 2 {
		t.Errorf("the proxy saw %d requests", seen.Load())
	}
}

func TestFaultsVerifyCertificates(t *testing.T) {
	server, arrivals := newReceiver(t, true)
	for _, f := range []Fault{LostAck, CutBody, SlowBody} {
		d := newClient(t, Options{Pause: skip}).Deliver(t.Context(), parse(t, server.URL), nil, []byte(sample), Policy{}, f, skip, nil)
		expect(t, d.Attempts[0], Unreachable, "is not trusted")
		d = newClient(t, Options{Pause: skip, Insecure: true}).Deliver(t.Context(), parse(t, server.URL), nil, []byte(sample), Policy{}, f, skip, nil)
		<-arrivals
		if o := d.Attempts[0].Outcome; o == Unreachable {
			t.Errorf("%s: %+v", f, d)
		}
	}
	plain := newRawServer(t, answering("HTTP/1.1 400 Bad Request\r\n\r\n"))
	d := newClient(t, Options{}).Deliver(t.Context(), parse(t, strings.Replace(plain.url, "http:", "https:", 1)), nil, []byte(sample), Policy{}, LostAck, skip, nil)
	expect(t, d.Attempts[0], Unreachable, "does not speak TLS")
}

// A cut is no end that TLS was told of.
func TestCutBodySaysNoGoodbye(t *testing.T) {
	borrowed := httptest.NewTLSServer(http.NotFoundHandler())
	certificates := borrowed.TLS.Certificates
	borrowed.Close()
	records := make(chan []byte, 1)
	server := newRawServer(t, func(raw net.Conn) {
		var got bytes.Buffer
		config := &tls.Config{Certificates: certificates, MaxVersion: tls.VersionTLS12} // 1.3 hides the types of records
		silent(tls.Server(&tappedConn{raw, io.TeeReader(raw, &got)}, config))
		var types []byte
		for got.Len() >= 5 {
			head := got.Next(5)
			types = append(types, head[0])
			got.Next(int(binary.BigEndian.Uint16(head[3:])))
		}
		records <- types
	})
	target := parse(t, strings.Replace(server.url, "http:", "https:", 1))
	d := newClient(t, Options{Insecure: true}).Deliver(t.Context(), target, nil, []byte(sample), Policy{}, CutBody, skip, nil)
	expectOutcomes(t, d, Unknown, Unknown)
	const data, alert = 23, 21
	if types := <-records; bytes.IndexByte(types, data) < 0 || bytes.IndexByte(types, alert) >= 0 {
		t.Errorf("records of types %d arrived, want data and no alert", types)
	}
}

type tappedConn struct {
	net.Conn
	reader io.Reader
}

func (c *tappedConn) Read(p []byte) (int, error) { return c.reader.Read(p) }

// What was held back when the caller canceled is never sent.
func TestCancelInOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		c := newClient(t, Options{})
		var dials atomic.Int32
		pipeTo(t, c, func(conn net.Conn) {
			if readRequest(conn) != nil {
				t.Error("a complete request arrived")
			}
		})
		dial := c.dial
		c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials.Add(1) == 2 {
				cancel()
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return dial(ctx, network, address)
		}
		d := c.Deliver(ctx, parse(t, "http://shop.test"), nil, []byte(sample), documented(), Overlap, nil, nil)
		expectOutcomes(t, d, Canceled, Canceled, Canceled)
	})
}

// The name, not the address, is what a virtual host is chosen by.
func TestFaultsSendTheServerName(t *testing.T) {
	names := make(chan string, 1)
	borrowed := httptest.NewTLSServer(http.NotFoundHandler())
	certificates := borrowed.TLS.Certificates
	borrowed.Close()
	server := newRawServer(t, func(raw net.Conn) {
		conn := tls.Server(raw, &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			names <- hello.ServerName
			return &certificates[0], nil
		}})
		answering(status(200))(conn)
	})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.url, "http://"))
	c := newClient(t, Options{Insecure: true, Pause: skip, Resolver: fakeDNS(func(string) []string { return []string{"127.0.0.1"} })})
	d := c.Deliver(t.Context(), parse(t, "https://shop.test:"+port), nil, []byte(sample), documented(), SlowBody, skip, nil)
	expectOutcomes(t, d, Success, Answered)
	if name := <-names; name != "shop.test" {
		t.Errorf("server name %q", name)
	}
}

// A receiver that hangs up is not sent the same attempt again, whatever the fault.
func TestFaultsDialOnce(t *testing.T) {
	for _, f := range append(Faults(), NoFault) {
		server := newRawServer(t, func(conn net.Conn) {
			_, _ = bufio.NewReader(conn).ReadString('\n')
		})
		d := newClient(t, Options{Pause: skip}).Deliver(t.Context(), parse(t, server.url), http.Header{"Idempotency-Key": {"k"}}, []byte(sample), documented(), f, skip, nil)
		if len(d.Attempts) != 4 || d.Outcome() != Unknown {
			t.Errorf("%s: %s %v", f, d.Outcome(), outcomes(d))
		}
		if n := server.connections.Load(); n != 4 {
			t.Errorf("%s: %d connections for 4 attempts", f, n)
		}
	}
}

// What net/http writes may be split anywhere.
func TestWireFindsTheBodyInAnySplit(t *testing.T) {
	head, body := "POST / HTTP/1.1\r\nX: 1\r\n\r\n", "\r\n\r\nbody"
	for size := 1; size <= len(head+body); size++ {
		for f, want := range map[Fault]string{LostAck: head + body, SlowBody: head + body, CutBody: head + body[:4]} {
			c := newClient(t, Options{Pause: skip})
			near, far := net.Pipe()
			got := make(chan string)
			go func() {
				all, _ := io.ReadAll(far)
				got <- string(all)
			}()
			a := &attempt{fault: f, size: len(body)}
			w := c.newWire(t.Context(), near, near, a)
			var err error
			for rest := head + body; rest != "" && err == nil; {
				n := min(size, len(rest))
				_, err = io.WriteString(w, rest[:n])
				rest = rest[n:]
			}
			if (err != nil) != (f == CutBody) || a.snapshot().inflicted != (f == CutBody) {
				t.Errorf("%s by %d: %v", f, size, err)
			}
			a.abort()
			if all := <-got; all != want {
				t.Errorf("%s by %d: %q", f, size, all)
			}
			if _, err := w.Write([]byte("more")); !errors.Is(err, net.ErrClosed) {
				t.Errorf("%s: writing in an aborted attempt: %v", f, err)
			}
		}
	}
}

// An attempt has one connection, which does not depend on the dial's context.
func TestWireDialsOnce(t *testing.T) {
	server := newRawServer(t, silent)
	u := parse(t, server.url)
	c := newClient(t, Options{})
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){"http": c.dialWire, "https": c.dialTLSWire} {
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), attemptKey{}, &attempt{fault: LostAck}))
		if name == "https" {
			if conn, err := c.dialOnce(ctx, "tcp", u.Host); err == nil {
				hangUp(conn)
			}
		} else {
			conn, err := dial(ctx, "tcp", u.Host)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			if _, err := conn.Write([]byte("POST / HTTP/1.1\r\n\r\n")); err != nil {
				t.Errorf("after the dial's context ended: %v", err)
			}
			hangUp(conn)
		}
		if _, err := dial(ctx, "tcp", u.Host); !errors.Is(err, errSecondConnection) {
			t.Errorf("%s: the second connection: %v", name, err)
		}
		cancel()
	}
}
