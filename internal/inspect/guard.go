package inspect

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
)

// guard lets in who was given the URL, and nobody whom a page of another site
// sends: by a name that was made to lead here, or by the user's own browser.
type guard struct {
	token string
	// hosts are the values of Host that are right, in lower case.
	hosts []string
	// ports are those where any IP address is right as well, since a name is what
	// it takes to lead a browser astray.
	ports []uint16
}

// newGuard makes a guard of what is listened on. names are host names under which
// the user asked for it.
func newGuard(token string, addresses []net.Addr, names []string) *guard {
	g := &guard{token: token}
	for _, a := range addresses {
		at, err := netip.ParseAddrPort(a.String())
		if err != nil {
			continue
		}
		for _, host := range append([]string{"localhost", "127.0.0.1", "::1", at.Addr().Unmap().String()}, names...) {
			g.hosts = append(g.hosts, hostPorts(strings.ToLower(host), at.Port())...)
		}
		if at.Addr().IsUnspecified() {
			g.ports = append(g.ports, at.Port())
		}
	}
	return g
}

// hostPorts is how a browser may write a host and its port.
func hostPorts(host string, port uint16) []string {
	full := net.JoinHostPort(host, strconv.Itoa(int(port)))
	if port == 80 {
		return []string{full, strings.TrimSuffix(full, ":80")}
	}
	return []string{full}
}

// here reports whether a request is meant for this server.
func (g *guard) here(host string) bool {
	host = strings.ToLower(host)
	if slices.Contains(g.hosts, host) {
		return true
	}
	at, err := netip.ParseAddrPort(host)
	return err == nil && at.Addr().Zone() == "" && slices.Contains(g.ports, at.Port())
}

// asked returns what is asked for, where the token is right.
func (g *guard) asked(r *http.Request) (rest string, ok bool) {
	token, rest, slash := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	known := subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1
	return rest, known && slash && g.token != "" && (rest == "" || path.Clean("/"+rest) == "/"+rest)
}

// own reports whether a request comes from the page itself, or from no page at
// all: another site's is refused, also one on another port of this machine.
func own(r *http.Request) bool {
	switch site := r.Header.Get("Sec-Fetch-Site"); {
	case site == "" || site == "same-origin" || site == "none":
	case r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document" && safe(r.Method) && !isAPI(r.URL.Path):
		return true // a link to the page was followed
	default:
		return false
	}
	origins := r.Header.Values("Origin")
	if len(origins) == 0 {
		return safe(r.Method)
	}
	return len(origins) == 1 && strings.EqualFold(origins[0], "http://"+r.Host)
}

func safe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// isAPI reports whether a path, its token included, is one of the API.
func isAPI(path string) bool {
	_, rest, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return strings.HasPrefix(rest, apiPrefix)
}

// protect sets the headers that keep the page to itself, and foreign text from
// being anything but text.
func protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}
