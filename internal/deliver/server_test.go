package deliver

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// net/http reads these once, so they are set before any test runs: a client
	// that used the environment's proxy would reach nothing by name.
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		if err := os.Setenv(name, "http://127.0.0.1:1"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// newClient returns a client that cannot leave loopback, even when the guard
// under test fails.
func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	o.Now = time.Now
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if c.dialer != nil {
		guard := c.dialer.ControlContext
		c.dialer.ControlContext = func(ctx context.Context, network, address string, raw syscall.RawConn) error {
			if guard != nil {
				if err := guard(ctx, network, address, raw); err != nil {
					return err
				}
			}
			if addr := netip.MustParseAddrPort(address).Addr().Unmap(); !addr.IsLoopback() && !addr.IsUnspecified() {
				return &passedGuardError{addr}
			}
			return nil
		}
	}
	return c
}

type passedGuardError struct{ addr netip.Addr }

func (e *passedGuardError) Error() string { return "the guard let " + e.addr.String() + " pass" }

func parse(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := ResolveURL(s, callback)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func expect(t *testing.T, r Result, o Outcome, text string) {
	t.Helper()
	if r.Outcome != o {
		t.Fatalf("outcome %s (status %d, %v), want %s", r.Outcome, r.Status, r.Err, o)
	}
	if (r.Err == nil) != (o == Answered) {
		t.Fatalf("outcome %s with error %v", o, r.Err)
	}
	if r.Err == nil {
		return
	}
	var f *Failure
	if !errors.As(r.Err, &f) || f.Outcome != o || f.Cause == nil || !strings.Contains(f.Error(), text) {
		t.Fatalf("error %#v (%v), want a Failure with cause and %q", r.Err, r.Err, text)
	}
}

// rawServer is a TCP server on loopback that hands every connection to serve,
// and counts the connections.
type rawServer struct {
	url         string
	connections atomic.Int32
}

func newRawServer(t *testing.T, serve func(net.Conn)) *rawServer {
	t.Helper()
	l := listen(t)
	s := &rawServer{url: "http://" + l.Addr().String()}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.connections.Add(1)
			running.Go(func() {
				defer hangUp(conn)
				serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		hangUp(l)
		running.Wait()
	})
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// write ignores the error: clients under test hang up when they have seen enough.
func write(w io.Writer, text string) {
	_, _ = io.WriteString(w, text)
}

// hangUp is deferred where the connection is all that is left.
func hangUp(c io.Closer) { _ = c.Close() }

// answering reads one request, then writes text.
func answering(text string) func(net.Conn) {
	return func(conn net.Conn) {
		readRequest(conn)
		write(conn, text)
	}
}

// readRequest reads one request with its body; nil means that none came.
func readRequest(r io.Reader) *http.Request {
	req, err := http.ReadRequest(bufio.NewReader(r))
	if err != nil {
		return nil
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil
	}
	return req
}

// fakeDNS answers A queries from a function of the name; AAAA queries get an
// empty answer, and a nil slice means that the name does not exist.
func fakeDNS(answer func(name string) []string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer hangUp(server)
			for {
				if !answerDNS(server, answer) {
					return
				}
			}
		}()
		return client, nil
	}}
}

// answerDNS serves one query in the form DNS has over a stream (RFC 1035, 4.2.2).
func answerDNS(conn net.Conn, answer func(name string) []string) bool {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return false
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return false
	}
	var labels []string
	end := 12
	for query[end] != 0 {
		n := int(query[end])
		labels = append(labels, string(query[end+1:end+1+n]))
		end += 1 + n
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	end += 5
	addrs := answer(strings.Join(labels, "."))
	reply := append([]byte{}, query[:end]...)
	copy(reply[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	if addrs == nil {
		reply[3] |= 3
	}
	if kind == 1 {
		reply[7] = byte(len(addrs))
		for _, addr := range addrs {
			ip := netip.MustParseAddr(addr).As4()
			reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
			reply = append(reply, ip[:]...)
		}
	}
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	return err == nil
}

func discardLog() *log.Logger { return log.New(io.Discard, "", 0) }

func parseUser() *url.Userinfo { return url.UserPassword("u", "S3CR3T") }
