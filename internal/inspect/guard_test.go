package inspect

import (
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestGuardKnowsItsHost(t *testing.T) {
	tcp := func(ip string, port int) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: port} }
	for _, test := range []struct {
		name    string
		on      []net.Addr
		names   []string
		right   []string
		refused []string
	}{
		{
			"loopback",
			[]net.Addr{tcp("127.0.0.1", 4040)},
			nil,
			[]string{"127.0.0.1:4040", "localhost:4040", "LOCALHOST:4040", "[::1]:4040"},
			[]string{
				"", "127.0.0.1", "localhost", "127.0.0.1:4041", "127.0.0.1:80", "evil.example", "evil.example:4040", "localhost.evil.example:4040",
				"127.0.0.1.evil.example:4040", "localhost:4040.evil.example", "localhost:4040:4040", "localhost:04040", "localhost.:4040", "127.0.0.2:4040", "127.1:4040",
				"2130706433:4040", "0.0.0.0:4040", "[::ffff:127.0.0.1]:4040", "::1:4040", "[::1%25lo]:4040", "192.168.1.5:4040", "user@localhost:4040", "localhost:4040\x00",
			},
		},
		{
			"an address of the network",
			[]net.Addr{tcp("192.168.1.5", 4040)},
			nil,
			[]string{"192.168.1.5:4040", "localhost:4040"},
			[]string{"192.168.1.6:4040", "evil.example:4040"},
		},
		{
			"every address",
			[]net.Addr{tcp("0.0.0.0", 4040)},
			nil,
			[]string{"0.0.0.0:4040", "192.168.1.5:4040", "10.0.0.1:4040", "[fe80::1]:4040", "localhost:4040", "127.0.0.1:4040"},
			[]string{"evil.example:4040", "192.168.1.5:4041", "192.168.1.5", "[fe80::1%25eth0]:4040", "192.168.1.5.nip.io:4040"},
		},
		{
			"every address of both kinds",
			[]net.Addr{tcp("::", 4040)},
			nil,
			[]string{"192.168.1.5:4040", "[::1]:4040", "[2001:db8::1]:4040"},
			[]string{"evil.example:4040"},
		},
		{
			"both loopbacks",
			[]net.Addr{tcp("127.0.0.1", 4040), tcp("::1", 4040)},
			[]string{"localhost"},
			[]string{"[::1]:4040", "localhost:4040"},
			[]string{"evil.example:4040"},
		},
		{
			"the port that is left out",
			[]net.Addr{tcp("127.0.0.1", 80)},
			nil,
			[]string{"127.0.0.1", "127.0.0.1:80", "localhost", "[::1]"},
			[]string{"127.0.0.1:4040", "::1", "evil.example"},
		},
		{
			"a name that was asked for",
			[]net.Addr{tcp("192.168.1.5", 4040)},
			[]string{"Build.Example"},
			[]string{"build.example:4040", "BUILD.example:4040"},
			[]string{"build.example", "evil.build.example:4040"},
		},
		{"no TCP", []net.Addr{&net.UnixAddr{Name: "/x", Net: "unix"}}, nil, nil, []string{"localhost:4040", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGuard(testToken, test.on, test.names)
			for _, host := range test.right {
				if !g.here(host) {
					t.Errorf("%q is refused", host)
				}
			}
			for _, host := range test.refused {
				if g.here(host) {
					t.Errorf("%q is let in", host)
				}
			}
		})
	}
}

func TestGuard(t *testing.T) {
	page, api, resend := "/"+testToken+"/", "/"+testToken+"/api/contract", "/"+testToken+"/api/deliveries/1/resend"
	for _, test := range []struct {
		name, method, path string
		header             []string
		want               int
	}{
		{"the page", "GET", page, nil, 200},
		{"the page from the address bar", "GET", page, []string{"Sec-Fetch-Site", "none", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"the page by a link elsewhere", "GET", page, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 200},
		{"the page in a frame", "GET", page, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}, 403},
		{"the page as an image", "GET", page, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"}, 403},
		{"a form's target elsewhere", "POST", page, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document", "Origin", "http://evil.example"}, 403},
		{"the page's script", "GET", page + "app.js", []string{"Sec-Fetch-Site", "same-origin"}, 200},
		{"the page's script elsewhere", "GET", page + "app.js", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}, 403},
		{"without the last slash", "GET", "/" + testToken, nil, 404},
		{"no token", "GET", "/", nil, 404},
		{"no token, the API", "GET", "/api/contract", nil, 404},
		{"a guess", "GET", "/" + strings.Repeat("x", 26) + "/", nil, 404},
		{"the token's start", "GET", "/" + testToken[:25] + "/", nil, 404},
		{"the token and more", "GET", "/" + testToken + "x/", nil, 404},
		{"the token second", "GET", "/x/" + testToken + "/", nil, 404},
		{"an empty token", "GET", "//", nil, 404},
		{"the token in upper case", "GET", "/" + strings.ToUpper(testToken) + "/", nil, 404},
		{"the API", "GET", api, nil, 200},
		{"the API by the page", "GET", api, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:4040"}, 200},
		{"the API by another site", "GET", api, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"the API by another port of this machine", "GET", api, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"the API by a link", "GET", api, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, 403},
		{"the API by another origin", "GET", api, []string{"Origin", "http://evil.example"}, 403},
		{"the API by another port's origin", "GET", api, []string{"Origin", "http://127.0.0.1:3000"}, 403},
		{"the API by another scheme", "GET", api, []string{"Origin", "https://127.0.0.1:4040"}, 403},
		{"the API by no origin", "GET", api, []string{"Origin", "null"}, 403},
		{"the API by another name of it", "GET", api, []string{"Origin", "http://localhost:4040"}, 403},
		{"two origins", "GET", api, []string{"Origin", "http://127.0.0.1:4040", "Origin", "http://evil.example"}, 403},
		{"a name that was made to lead here", "GET", api, []string{"Host", "evil.example:4040"}, 421},
		{"such a name and its origin", "GET", api, []string{"Host", "evil.example:4040", "Origin", "http://evil.example:4040", "Sec-Fetch-Site", "same-origin"}, 421},
		{"a preflight", "OPTIONS", api, []string{"Origin", "http://evil.example", "Access-Control-Request-Method", "GET"}, 403},
		{"the page's own preflight", "OPTIONS", api, []string{"Origin", "http://127.0.0.1:4040"}, 405},
		{"a POST without an origin", "POST", resend, nil, 403},
		{"a POST of another origin", "POST", resend, []string{"Origin", "http://evil.example"}, 403},
		{"a POST of no origin", "POST", resend, []string{"Origin", "null", "Sec-Fetch-Site", "same-origin"}, 403},
		{"a POST of another site", "POST", resend, []string{"Origin", "http://127.0.0.1:4040", "Sec-Fetch-Site", "cross-site"}, 403},
		{"a POST of the page", "POST", resend, []string{"Origin", "http://127.0.0.1:4040", "Sec-Fetch-Site", "same-origin"}, 404},
		{"a POST elsewhere", "POST", api, []string{"Origin", "http://127.0.0.1:4040"}, 405},
		{"a GET of what is done", "GET", resend, nil, 404},
		{"a PUT", "PUT", resend, []string{"Origin", "http://127.0.0.1:4040"}, 405},
		{"a file that is none", "GET", page + "nothing.js", nil, 404},
		{"a file above", "GET", page + "../embed.go", nil, 404},
		{"a file above, encoded", "GET", page + "%2e%2e/embed.go", nil, 404},
		{"a folder", "GET", page + "api", nil, 404},
		{"what the API has not", "GET", page + "api/nothing", nil, 404},
		{"HEAD", "HEAD", page, nil, 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newScene(t)
			w := s.send(test.method, "http://127.0.0.1:4040"+test.path, test.header...)
			if w.Code != test.want {
				t.Errorf("%d, want %d: %s", w.Code, test.want, w.Body)
			}
			if w.Code == http.StatusNotFound && !strings.HasPrefix(test.path, page) && strings.Contains(w.Body.String(), "/") {
				t.Errorf("a hint: %s", w.Body)
			}
			protected(t, w.Header())
		})
	}
}

// protected holds the headers that every answer has.
func protected(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy":      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
		"X-Content-Type-Options":       "nosniff",
		"Referrer-Policy":              "no-referrer",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control":                "no-store",
	} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	for name := range h {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s is set", name)
		}
	}
}

func TestNoTokenLetsNobodyIn(t *testing.T) {
	s := newScene(t, func(o *Options) { o.Token = "" })
	for _, path := range []string{"/", "//", "/api/contract", "//api/contract"} {
		if w := s.send(http.MethodGet, "http://127.0.0.1:4040"+path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestPageIsServed(t *testing.T) {
	s := newScene(t)
	for path, media := range map[string]string{"": "text/html; charset=utf-8", "index.html": "text/html; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8"} {
		w := s.ask(http.MethodGet, path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != media || w.Body.Len() == 0 {
			t.Errorf("%q: %d %s, %d bytes", path, w.Code, w.Header().Get("Content-Type"), w.Body.Len())
		}
	}
	for name, media := range map[string]string{"a.svg": "image/svg+xml", "a.png": "image/png", "a.exe": "application/octet-stream"} {
		if got := mediaType(name); got != media {
			t.Errorf("%s: %s", name, got)
		}
	}
}
