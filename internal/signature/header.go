package signature

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"

	maxHeader = 4096         // bytes of a signature header
	maxID     = 256          // bytes of a webhook-id
	maxUnix   = 253402300799 // the last second of the year 9999
)

// refusal is why headers hold nothing to verify.
type refusal struct {
	reason Reason
	detail string
}

func malformed(format string, args ...any) *refusal {
	return &refusal{reason: Malformed, detail: fmt.Sprintf(format, args...)}
}

// read takes the claim out of the headers. Details never quote a header: what came is not fit to print.
func (s Scheme) read(h http.Header) (claim, *refusal) {
	value, no := single(h, s.header)
	if no != nil {
		return claim{}, no
	}
	switch s.layout {
	case standardWebhooks:
		return s.readStandardWebhooks(h, value)
	case stripe:
		return s.readStripe(value)
	case singleHeader:
	}
	encoded, ok := strings.CutPrefix(value, s.prefix)
	if !ok {
		return claim{}, malformed("%s does not start with %s", s.header, s.prefix)
	}
	mac, problem := s.decode(encoded)
	if problem != "" {
		return claim{}, malformed("%s is %s", s.header, problem)
	}
	return claim{macs: [][]byte{mac}}, nil
}

// single returns the one value of a header, whatever the case of its name.
func single(h http.Header, name string) (string, *refusal) {
	var values []string
	for key, of := range h {
		if http.CanonicalHeaderKey(key) == name {
			values = append(values, of...)
		}
	}
	switch {
	case len(values) == 0:
		return "", &refusal{reason: Missing, detail: "there is no " + name + " header"}
	case len(values) > 1:
		return "", malformed("there are %d %s headers, and only one may be", len(values), name)
	case values[0] == "":
		return "", &refusal{reason: Missing, detail: "the " + name + " header is empty"}
	case len(values[0]) > maxHeader:
		return "", malformed("%s has more than %d bytes", name, maxHeader)
	}
	return values[0], nil
}

func (s Scheme) readStandardWebhooks(h http.Header, value string) (c claim, no *refusal) {
	if c.id, no = single(h, headerID); no != nil {
		return c, no
	}
	if c.time, no = single(h, headerTimestamp); no != nil {
		return c, no
	}
	if problem := checkID(c.id); problem != "" {
		return c, malformed("%s: %s", headerID, problem)
	}
	if c.unix, no = parseTime(headerTimestamp, c.time); no != nil {
		return c, no
	}
	for item := range strings.SplitSeq(value, " ") {
		version, encoded, ok := strings.Cut(item, ",")
		if !ok {
			return c, malformed("%s holds something that is not version,signature", s.header)
		}
		if version == "v1" {
			if no = s.add(&c, encoded); no != nil {
				return c, no
			}
		}
	}
	return c, s.some(c)
}

func (s Scheme) readStripe(value string) (c claim, no *refusal) {
	for item := range strings.SplitSeq(value, ",") {
		key, text, ok := strings.Cut(item, "=")
		switch {
		case !ok:
			return c, malformed("%s holds something that is not key=value", s.header)
		case key == "t" && c.time != "":
			return c, malformed("%s holds more than one t", s.header)
		case key == "t":
			c.time = text
			c.unix, no = parseTime("t in "+s.header, text)
		case key == "v1":
			no = s.add(&c, text)
		}
		if no != nil {
			return c, no
		}
	}
	if c.time == "" {
		return c, malformed("%s holds no t", s.header)
	}
	return c, s.some(c)
}

// add appends one encoded v1 signature to the claim.
func (s Scheme) add(c *claim, encoded string) *refusal {
	mac, problem := s.decode(encoded)
	if problem != "" {
		return malformed("a v1 signature in %s is %s", s.header, problem)
	}
	c.macs = append(c.macs, mac)
	return nil
}

func (s Scheme) some(c claim) *refusal {
	if len(c.macs) == 0 {
		return malformed("%s holds no v1 signature", s.header)
	}
	return nil
}

// checkID says what is wrong with a webhook-id. The specification forbids '.', which would let an id take over the timestamp.
func checkID(id string) (problem string) {
	switch {
	case id == "":
		return "the id is empty"
	case len(id) > maxID:
		return fmt.Sprintf("the id has more than %d bytes", maxID)
	case strings.Contains(id, "."):
		return "the id contains a full stop, which separates it from the timestamp in what is signed"
	case strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "the id contains something other than visible ASCII characters"
	}
	return ""
}

// parseTime reads whole seconds since 1970 in the one spelling all receivers read alike.
func parseTime(where, text string) (int64, *refusal) {
	digits := strings.Trim(text, "0123456789") == ""
	unix, err := strconv.ParseInt(text, 10, 64)
	switch {
	case !digits:
		return 0, malformed("%s is not a whole number of seconds", where)
	case len(text) > 1 && text[0] == '0':
		return 0, malformed("%s starts with a zero", where)
	case err != nil || unix > maxUnix:
		return 0, malformed("%s is not a number of seconds up to the year 9999", where)
	}
	return unix, nil
}

// decode returns the bytes of an encoded SHA-256, or what the text is instead: "not hexadecimal".
func (s Scheme) decode(text string) (mac []byte, problem string) {
	switch s.encoding {
	case Hex:
		return decodeHex(text)
	case Base64:
		return decodeBase64(text)
	}
	return nil, "in an encoding other than hex and base64"
}

func decodeHex(text string) (mac []byte, problem string) {
	const digits = sha256.Size * 2
	switch {
	case strings.Trim(text, "0123456789abcdefABCDEF") != "":
		return nil, "not hexadecimal"
	case len(text) != digits:
		return nil, fmt.Sprintf("%d hexadecimal digits long, an HMAC-SHA256 has %d", len(text), digits)
	case strings.ToLower(text) != text:
		return nil, "upper-case hexadecimal, and the scheme writes lower case"
	}
	mac, err := hex.DecodeString(text)
	if err != nil {
		return nil, "not hexadecimal"
	}
	return mac, ""
}

func decodeBase64(text string) (mac []byte, problem string) {
	mac, err := base64.StdEncoding.Strict().DecodeString(text)
	switch {
	case err != nil || len(text) != base64.StdEncoding.EncodedLen(len(mac)):
		return nil, "not base64 with padding"
	case len(mac) != sha256.Size:
		return nil, fmt.Sprintf("base64 of %d bytes, an HMAC-SHA256 has %d", len(mac), sha256.Size)
	}
	return mac, ""
}
