package deliver

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"
)

func TestIsLocal(t *testing.T) {
	for addr, want := range map[string]bool{
		"127.0.0.1": true, "127.255.255.255": true, "::1": true, "0.0.0.0": true, "::": true,
		"10.0.0.0": true, "10.255.255.255": true, "172.16.0.0": true, "172.31.255.255": true, "192.168.0.0": true, "192.168.255.255": true,
		"fc00::": true, "fdff::1": true, "fe80::1": true, "fe80::1%eth0": true, "febf::1": true,
		"::ffff:127.0.0.1": true, "::ffff:10.1.2.3": true, "::ffff:0.0.0.0": true,

		"8.8.8.8": false, "1.1.1.1": false, "2001:4860:4860::8888": false, "::ffff:8.8.8.8": false, "192.0.2.1": false,
		"9.255.255.255": false, "11.0.0.0": false, "172.15.255.255": false, "172.32.0.0": false, "192.167.255.255": false, "192.169.0.0": false,
		"126.255.255.255": false, "128.0.0.0": false, "0.0.0.1": false, "::2": false, "fbff::1": false, "fe00::1": false, "fec0::1": false,
		"169.254.169.254": false, "::ffff:169.254.169.254": false, "169.254.170.2": false, "169.254.0.1": false,
		"fd00:ec2::254": false, "fd00:ec2::23": false, "fd20:ce::254": false, "fe80::a9fe:a9fe": false, "fe80::a9fe:a9fe%eth0": false,
		"fd20:ce::255": true, "fd00:ec1::254": true, "fe80::a9fe:a9ff": true,
		"100.64.0.1": false, "100.127.255.255": false, "100.100.100.200": false, "168.63.129.16": false,
		"224.0.0.1": false, "255.255.255.255": false, "240.0.0.1": false, "ff02::1": false,
		"::127.0.0.1": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "::ffff:0:127.0.0.1": false,
	} {
		if got := isLocal(netip.MustParseAddr(addr)); got != want {
			t.Errorf("isLocal(%s) = %v", addr, got)
		}
	}
	if isLocal(netip.Addr{}) {
		t.Error("no address is local")
	}
}

// Writing an IPv4 address as IPv4-mapped IPv6 must change nothing.
func TestIsLocalMapped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		addr := netip.AddrFrom4([4]byte(rapid.SliceOfN(rapid.Byte(), 4, 4).Draw(t, "addr")))
		if isLocal(addr) != isLocal(netip.AddrFrom16(addr.As16())) {
			t.Fatalf("%s and its mapped form differ", addr)
		}
	})
}

func TestGuardRefusesRemoteTargets(t *testing.T) {
	names := fakeDNS(func(string) []string { return []string{"192.0.2.1"} })
	for target, text := range map[string]string{
		"http://192.0.2.1":                      "192.0.2.1 is not a loopback",
		"https://192.0.2.1":                     "192.0.2.1 is not a loopback",
		"http://[2001:db8::1]:3000":             "2001:db8::1 is not a loopback",
		"http://[::ffff:192.0.2.1]":             "is not a loopback",
		"http://169.254.169.254/latest":         "169.254.169.254 is not a loopback",
		"http://[::ffff:169.254.169.254]":       "is not a loopback",
		"http://[fd00:ec2::254]":                "fd00:ec2::254 is not a loopback",
		"http://shop.test":                      "shop.test resolved to 192.0.2.1, which is not a loopback",
		"https://shop.test:8443/hook?redirect=": "shop.test resolved to 192.0.2.1, which is not a loopback",
	} {
		r := newClient(t, Options{Resolver: names}).Post(t.Context(), parse(t, target), nil, []byte("{}"))
		expect(t, r, Refused, text)
		var remote *RemoteError
		if !errors.As(r.Err, &remote) || !remote.Addr.IsValid() || remote.Host == "" {
			t.Errorf("%s: %#v", target, remote)
		}
	}
}

func TestAllowRemoteLiftsTheGuard(t *testing.T) {
	for _, target := range []string{"http://192.0.2.1", "http://169.254.169.254"} {
		r := newClient(t, Options{AllowRemote: true}).Post(t.Context(), parse(t, target), nil, nil)
		expect(t, r, Unreachable, "the guard let")
	}
}

// A name server that answers with loopback first and a remote address later
// gets no delivery out, because the guard judges the address that is dialed.
func TestGuardSurvivesRebinding(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	var queries atomic.Int32
	names := fakeDNS(func(string) []string {
		if queries.Add(1) <= 2 {
			return []string{"127.0.0.1"}
		}
		return []string{"192.0.2.1"}
	})
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	c := newClient(t, Options{Resolver: names})
	u := parse(t, "http://shop.test:"+port)
	expect(t, c.Post(t.Context(), u, nil, nil), Answered, "")
	expect(t, c.Post(t.Context(), u, nil, nil), Refused, "192.0.2.1")
}

func TestUnspecifiedIsLocal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	expect(t, newClient(t, Options{}).Post(t.Context(), parse(t, "http://0.0.0.0:"+port), nil, nil), Answered, "")
}

// proxyServer answers every request itself, after remembering its target and Host.
type proxyServer struct {
	*rawServer
	seen chan [2]string
}

func newProxy(t *testing.T) proxyServer {
	p := proxyServer{seen: make(chan [2]string, 10)}
	p.rawServer = newRawServer(t, func(conn net.Conn) {
		req := readRequest(conn)
		if req == nil {
			return
		}
		p.seen <- [2]string{req.RequestURI, req.Host}
		write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy")
	})
	return p
}

func TestProxy(t *testing.T) {
	names := fakeDNS(func(name string) []string {
		return map[string][]string{
			"local.test": {"127.0.0.1"}, "remote.test": {"192.0.2.1"}, "mixed.test": {"127.0.0.1", "192.0.2.1"},
		}[name]
	})
	for name, tt := range map[string]struct {
		target      string
		header      http.Header
		allowRemote bool
		want        Outcome
		text        string
		seen        [2]string
	}{
		"local name":           {"http://local.test:1/a?b=c", nil, false, Answered, "", [2]string{"http://local.test:1/a?b=c", "local.test:1"}},
		"local address":        {"http://127.0.0.1:1/a", nil, false, Answered, "", [2]string{"http://127.0.0.1:1/a", "127.0.0.1:1"}},
		"own Host":             {"http://local.test:1/a%2Fb?b=c", http.Header{"Host": {"remote.test"}}, false, Answered, "", [2]string{"http://local.test:1/a%2Fb?b=c", ""}},
		"remote address":       {"http://192.0.2.1/a", nil, false, Refused, "192.0.2.1 is not a loopback", [2]string{}},
		"remote name":          {"http://remote.test/a", nil, false, Refused, "remote.test resolved to 192.0.2.1", [2]string{}},
		"remote over TLS":      {"https://remote.test/a", nil, false, Refused, "remote.test resolved to 192.0.2.1", [2]string{}},
		"one address remote":   {"http://mixed.test/a", nil, false, Refused, "mixed.test resolved to 192.0.2.1", [2]string{}},
		"metadata":             {"http://169.254.169.254/", nil, false, Refused, "169.254.169.254", [2]string{}},
		"unknown name":         {"http://nowhere.test/a", nil, false, Refused, "cannot tell whether nowhere.test", [2]string{}},
		"remote allowed":       {"http://remote.test/a", nil, true, Answered, "", [2]string{"http://remote.test/a", "remote.test"}},
		"unknown name allowed": {"http://nowhere.test/a", nil, true, Answered, "", [2]string{"http://nowhere.test/a", "nowhere.test"}},
	} {
		t.Run(name, func(t *testing.T) {
			proxy := newProxy(t)
			c := newClient(t, Options{Resolver: names, Proxy: proxy.url, AllowRemote: tt.allowRemote})
			r := c.Post(t.Context(), parse(t, tt.target), tt.header, []byte("{}"))
			expect(t, r, tt.want, tt.text)
			if tt.want == Refused {
				if n := proxy.connections.Load(); n != 0 {
					t.Errorf("the proxy got %d connections", n)
				}
				return
			}
			var got [2]string
			select {
			case got = <-proxy.seen:
			default:
				t.Fatalf("the proxy saw nothing, want %q", tt.seen)
			}
			if got[0] != tt.seen[0] || tt.seen[1] != "" && got[1] != tt.seen[1] {
				t.Errorf("proxy saw %q, want %q", got, tt.seen)
			}
		})
	}
}

// The Host header a proxied request carries is the user's, while the request
// line keeps naming the guarded target.
func TestProxyKeepsHostHeader(t *testing.T) {
	lines := make(chan string, 20)
	server := newRawServer(t, func(conn net.Conn) {
		r := bufio.NewReader(conn)
		for line := "?"; line != ""; {
			read, _ := r.ReadString('\n')
			line = strings.TrimSpace(read)
			lines <- line
		}
		write(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	})
	c := newClient(t, Options{Proxy: server.url})
	r := c.Post(t.Context(), parse(t, "http://127.0.0.1:1/a"), http.Header{"host": {"other.test"}}, nil)
	expect(t, r, Answered, "")
	if a, b := <-lines, <-lines; a != "POST http://127.0.0.1:1/a HTTP/1.1" || b != "Host: other.test" {
		t.Errorf("proxy saw %q, %q", a, b)
	}
}

// A check that could not be finished has refused nothing.
func TestProxyCheckIsCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	names := fakeDNS(func(string) []string {
		cancel()
		<-ctx.Done()
		return nil
	})
	ended, end := context.WithCancel(t.Context())
	end()
	c := newClient(t, Options{Resolver: names, Proxy: "http://127.0.0.1:1"})
	expect(t, c.Post(ended, parse(t, "http://shop.test"), nil, nil), Canceled, "canceled")
	expect(t, c.Post(ctx, parse(t, "http://shop.test"), nil, nil), Canceled, "canceled")
}

func TestProxyItselfIsGuarded(t *testing.T) {
	names := fakeDNS(func(string) []string { return []string{"192.0.2.1"} })
	for _, proxy := range []string{"http://192.0.2.1:3128", "https://192.0.2.1", "socks5://192.0.2.1", "http://proxy.test:3128"} {
		r := newClient(t, Options{Proxy: proxy, Resolver: names}).Post(t.Context(), parse(t, "http://127.0.0.1:1"), nil, nil)
		expect(t, r, Refused, "192.0.2.1")
	}
}

func TestProxyFailures(t *testing.T) {
	denying := newRawServer(t, answering("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"))
	r := newClient(t, Options{Proxy: denying.url}).Post(t.Context(), parse(t, "https://127.0.0.1:1"), nil, nil)
	expect(t, r, Unreachable, "Proxy Authentication Required")
	secret := strings.Replace(denying.url, "http://", "http://u:S3CR3T@", 1)
	r = newClient(t, Options{Proxy: secret}).Post(t.Context(), parse(t, "https://127.0.0.1:1"), nil, nil)
	if r.Outcome != Unreachable || strings.Contains(r.Err.Error(), "S3CR3T") {
		t.Errorf("%+v", r)
	}
}

func TestEnvironmentProxyIsNeverUsed(t *testing.T) {
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: parse(t, "http://shop.test")}); proxy == nil || err != nil {
		t.Fatalf("the environment has no proxy to ignore: %v, %v", proxy, err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	c := newClient(t, Options{Resolver: fakeDNS(func(string) []string { return []string{"127.0.0.1"} })})
	r := c.Post(t.Context(), parse(t, "http://shop.test:"+port), nil, nil)
	expect(t, r, Answered, "")
	if r.RemoteAddr != server.Listener.Addr().String() {
		t.Errorf("connected to %s", r.RemoteAddr)
	}
}
