package listen_test

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/listen"
)

// FuzzParseAddress reads any address: one without a host is this machine alone,
// and what is read is read the same again.
func FuzzParseAddress(f *testing.F) {
	for _, seed := range []string{":3000", "3000", "0.0.0.0:80", "[::1]:0", "[fe80::1%eth0]:1", "", ":", "a:b:c", "::1", ":+1", "65536", "[:]:1", " :1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		host, port, err := listen.ParseAddress(s)
		if err != nil {
			return
		}
		if host == "" || (!strings.Contains(s, ":") || strings.HasPrefix(s, ":")) && host != "localhost" {
			t.Fatalf("%q listens on %q", s, host)
		}
		again, same, err := listen.ParseAddress(net.JoinHostPort(host, strconv.Itoa(int(port))))
		if err != nil || again != host || same != port {
			t.Fatalf("%q is %q %d, and that is %q %d, %v", s, host, port, again, same, err)
		}
	})
}
