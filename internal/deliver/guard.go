package deliver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
)

// RemoteError says that the guard refused an address outside this machine and
// its private network. Host is the name or address that was to be reached, Addr
// what it resolved to.
type RemoteError struct {
	Host string
	Addr netip.Addr
}

func (e *RemoteError) Error() string {
	what := e.Host
	if what != e.Addr.String() {
		what = fmt.Sprintf("%s resolved to %s, which", e.Host, e.Addr)
	}
	return what + " is not a loopback or private address; test deliveries stay on your own machine and network" +
		" unless you allow remote targets (--allow-remote)"
}

// isLocal reports whether the guard lets an address pass without AllowRemote:
// loopback, the unspecified address (the kernel connects it to loopback), RFC
// 1918, fc00::/7 and IPv6 link-local, also when written as IPv4-mapped IPv6.
//
// Not local, although not public either: the metadata services of clouds, which
// hand out credentials; all of 169.254.0.0/16, where they live and where no
// development server does; carrier-grade NAT (100.64.0.0/10, RFC 6598), which is
// shared with strangers; and IPv6 forms that embed an IPv4 address to be
// translated elsewhere (6to4, NAT64).
func isLocal(addr netip.Addr) bool {
	addr = addr.Unmap()
	switch {
	case isMetadata(addr.WithZone("")):
		return false
	case addr.Is4() && addr.IsLinkLocalUnicast():
		return false
	}
	return addr.IsLoopback() || addr.IsUnspecified() || addr.IsPrivate() || addr.IsLinkLocalUnicast()
}

// isMetadata knows the cloud services inside the IPv6 ranges isLocal allows:
// Amazon's fd00:ec2::/32 (fd00:ec2::254 and others), Google's fd20:ce::254 and
// OpenStack's fe80::a9fe:a9fe.
func isMetadata(addr netip.Addr) bool {
	amazon := netip.PrefixFrom(netip.AddrFrom16([16]byte{0xfd, 0x00, 0x0e, 0xc2}), 32)
	google := netip.AddrFrom16([16]byte{0: 0xfd, 1: 0x20, 3: 0xce, 14: 0x02, 15: 0x54})
	openstack := netip.AddrFrom16([16]byte{0: 0xfe, 1: 0x80, 12: 0xa9, 13: 0xfe, 14: 0xa9, 15: 0xfe})
	return amazon.Contains(addr) || addr == google || addr == openstack
}

// guardDial runs on the address about to be connected, after every resolution,
// so an answer of the DNS that changes between check and use cannot pass it.
func guardDial(_ context.Context, _, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("cannot judge the address %q: %w", address, err)
	}
	if !isLocal(to.Addr()) {
		return &RemoteError{Addr: to.Addr()}
	}
	return nil
}

// CheckLocal returns a *RemoteError when any address of u's host is outside this
// machine and its private network, whether or not AllowRemote lets deliveries
// go there.
func (c *Client) CheckLocal(ctx context.Context, u *url.URL) error {
	addrs, err := c.options.Resolver.LookupNetIP(ctx, "ip", u.Hostname())
	if err != nil {
		return err
	}
	return remote(u.Hostname(), addrs)
}

// guardHost resolves host and refuses it when any of its addresses is remote.
// It exists for proxies only: the guard on the dial then sees the proxy's
// address, never the target's, so a local proxy would carry a delivery anywhere.
// The proxy resolves the name again and may see another answer; a name that
// cannot be resolved here is therefore refused, too.
func guardHost(ctx context.Context, resolver *net.Resolver, host string) error {
	addrs, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return fmt.Errorf("cannot tell whether %s, behind the proxy, is local (--allow-remote skips this check): %w", host, err)
	}
	return remote(host, addrs)
}

func remote(host string, addrs []netip.Addr) error {
	for _, addr := range addrs {
		if !isLocal(addr) {
			return &RemoteError{Host: host, Addr: addr.Unmap()}
		}
	}
	return nil
}
