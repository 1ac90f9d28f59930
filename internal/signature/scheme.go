// Package signature signs webhook bodies and verifies signatures: one header with an HMAC-SHA256 of the body, as the gateway documents it,
// and the schemes of Standard Webhooks, Stripe and GitHub.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxSecrets is how many secrets may be in use at once.
const MaxSecrets = 16

// DefaultTolerance is how far a signed timestamp may lie from now, both ways: Stripe's and the Standard Webhooks library's default.
const DefaultTolerance = 5 * time.Minute

// Encoding is how a signature is written in its header.
type Encoding string

// The encodings: lower-case hexadecimal, and base64 of the standard alphabet with padding.
const (
	Hex    Encoding = "hex"
	Base64 Encoding = "base64"
)

type layout uint8

const (
	singleHeader layout = iota
	standardWebhooks
	stripe
)

// Scheme is a way to sign a body. It is plain data: schemes that behave alike are equal.
type Scheme struct {
	Name string // what Named takes, or the header's name

	header   string
	prefix   string
	encoding Encoding
	layout   layout
	rawOnly  bool
}

// HMACHeader returns the scheme that puts prefix and the HMAC-SHA256 of the body into one header. The gateway's documented scheme is
// HMACHeader("X-Signature", "", Hex) [webhook/README]. Its verifier hashes the re-serialised body, other receivers the raw one, so Verify
// accepts both. Name is the header's name. An encoding other than Hex and Base64 neither signs nor verifies.
func HMACHeader(header, prefix string, encoding Encoding) Scheme {
	name := http.CanonicalHeaderKey(header)
	return Scheme{Name: name, header: name, prefix: prefix, encoding: encoding}
}

// Names returns the names Named knows.
func Names() []string { return []string{"standard-webhooks", "stripe", "github"} }

// Named returns a well-known scheme, all of which sign the raw body:
// "standard-webhooks" as in the Standard Webhooks specification 1.0.0, symmetric signatures only;
// "stripe" as in docs.stripe.com/webhooks/signature;
// "github" as in docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries.
func Named(name string) (Scheme, bool) {
	switch name {
	case "standard-webhooks":
		return Scheme{Name: name, header: "Webhook-Signature", encoding: Base64, layout: standardWebhooks, rawOnly: true}, true
	case "stripe":
		return Scheme{Name: name, header: "Stripe-Signature", encoding: Hex, layout: stripe, rawOnly: true}, true
	case "github":
		return Scheme{Name: name, header: "X-Hub-Signature-256", prefix: "sha256=", encoding: Hex, rawOnly: true}, true
	}
	return Scheme{}, false
}

// Header returns the name of the header that carries the signature, in canonical form.
func (s Scheme) Header() string { return s.header }

// Message is what is signed.
type Message struct {
	ID   string    // standard-webhooks only: 1 to 256 visible ASCII characters without '.'
	Time time.Time // standard-webhooks and stripe only: when it is sent; whole seconds are signed
	Body []byte    // as it goes on the wire
}

// Sign returns the headers to send with the body. Schemes with one signature use the first secret; standard-webhooks and stripe sign with
// each, in order. A secret that cannot be used is a *SecretError; a message the scheme cannot sign is an error too.
func (s Scheme) Sign(secrets []Secret, m Message) (http.Header, error) {
	keys, err := s.keys(secrets)
	if err != nil {
		return nil, err
	}
	c, problem := s.claim(m)
	if problem != "" {
		return nil, fmt.Errorf("signature scheme %s: %s", s.Name, problem)
	}
	if s.layout == singleHeader {
		keys = keys[:1]
	}
	values := make([]string, len(keys))
	for i, key := range keys {
		values[i] = s.encode(sum(key, s.preamble(c), m.Body))
	}
	h := http.Header{}
	switch s.layout {
	case singleHeader:
		h.Set(s.header, s.prefix+values[0])
	case standardWebhooks:
		h.Set(headerID, c.id)
		h.Set(headerTimestamp, c.time)
		h.Set(s.header, "v1,"+strings.Join(values, " v1,"))
	case stripe:
		h.Set(s.header, "t="+c.time+",v1="+strings.Join(values, ",v1="))
	}
	return h, nil
}

// claim is what headers say of a message: its id and time where the scheme has them, and its signatures.
type claim struct {
	id   string
	time string // as signed
	unix int64  // time, in seconds
	macs [][sha256.Size]byte
	// canonical says that the headers' names are.
	canonical bool
}

func (s Scheme) claim(m Message) (c claim, problem string) {
	if s.header == "" || s.encoding != Hex && s.encoding != Base64 {
		return c, "a scheme needs a header and the encoding hex or base64"
	}
	if s.layout == standardWebhooks {
		c.id = m.ID
		problem = checkID(c.id)
	}
	if s.layout == singleHeader || problem != "" {
		return c, problem
	}
	c.unix = m.Time.Unix()
	c.time = strconv.FormatInt(c.unix, 10)
	if c.unix < 0 || c.unix > maxUnix {
		problem = "the message needs a time between the years 1970 and 9999"
	}
	return c, problem
}

// preamble is what is signed ahead of the body.
func (s Scheme) preamble(c claim) string {
	switch s.layout {
	case standardWebhooks:
		return c.id + "." + c.time + "."
	case stripe:
		return c.time + "."
	case singleHeader:
	}
	return ""
}

func sum(key []byte, preamble string, body []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(preamble))
	h.Write(body)
	return h.Sum(nil)
}

func (s Scheme) encode(mac []byte) string {
	if s.encoding == Base64 {
		return base64.StdEncoding.EncodeToString(mac)
	}
	return hex.EncodeToString(mac)
}
