package deliver

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
)

// Dial opens a connection to where u points, for who writes requests himself.
// The guard judges it as it does a delivery's; https adds TLS, in which protos
// are offered (ALPN), or else HTTP/1.1. A proxy is refused: what is behind it
// would not see the bytes. The caller closes the connection.
func (c *Client) Dial(ctx context.Context, u *url.URL, protos ...string) (net.Conn, error) {
	if problem := checkURL(u); problem != "" {
		return nil, &TargetError{Input: shown(u.String()), Problem: problem}
	}
	if c.proxy != nil {
		return nil, errors.New("a connection of its own cannot go through a proxy; leave --proxy out")
	}
	raw, err := c.dial(ctx, "tcp", c.address(u))
	if err != nil || u.Scheme != schemeHTTPS {
		return raw, err
	}
	config := c.tls.Clone()
	if config.ServerName, config.NextProtos = u.Hostname(), protos; len(protos) == 0 {
		config.NextProtos = []string{"http/1.1"}
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}
