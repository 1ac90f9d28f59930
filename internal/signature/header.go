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
func (s Scheme) read(h http.Header, c *claim) *refusal {
	value, no := c.single(h, s.header)
	if no != nil {
		return no
	}
	switch s.layout {
	case standardWebhooks:
		return s.readStandardWebhooks(h, value, c)
	case stripe:
		return s.readStripe(value, c)
	case singleHeader:
	}
	encoded, ok := strings.CutPrefix(value, s.prefix)
	if !ok {
		return malformed("%s does not start with %s", s.header, s.prefix)
	}
	if problem := s.decode(c, encoded); problem != "" {
		return malformed("%s is %s", s.header, problem)
	}
	return nil
}

// single returns the one value of a header, whatever the case of its name.
func (c *claim) single(h http.Header, name string) (string, *refusal) {
	values := h[name]
	if !c.canonical {
		values = nil
		for key, of := range h {
			if len(key) == len(name) && http.CanonicalHeaderKey(key) == name {
				values = append(values, of...)
			}
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

func (s Scheme) readStandardWebhooks(h http.Header, value string, c *claim) (no *refusal) {
	if c.id, no = c.single(h, headerID); no != nil {
		return no
	}
	if c.time, no = c.single(h, headerTimestamp); no != nil {
		return no
	}
	if problem := checkID(c.id); problem != "" {
		return malformed("%s: %s", headerID, problem)
	}
	if c.unix, no = parseTime(headerTimestamp, c.time); no != nil {
		return no
	}
	for item := range strings.SplitSeq(value, " ") {
		version, encoded, ok := strings.Cut(item, ",")
		if !ok {
			return malformed("%s holds something that is not version,signature", s.header)
		}
		if version == "v1" {
			if no = s.add(c, encoded); no != nil {
				return no
			}
		}
	}
	return s.some(c)
}

func (s Scheme) readStripe(value string, c *claim) (no *refusal) {
	for item := range strings.SplitSeq(value, ",") {
		key, text, ok := strings.Cut(item, "=")
		switch {
		case !ok:
			return malformed("%s holds something that is not key=value", s.header)
		case key == "t" && c.time != "":
			return malformed("%s holds more than one t", s.header)
		case key == "t":
			c.time = text
			c.unix, no = parseTime("t in "+s.header, text)
		case key == "v1":
			no = s.add(c, text)
		}
		if no != nil {
			return no
		}
	}
	if c.time == "" {
		return malformed("%s holds no t", s.header)
	}
	return s.some(c)
}

// add appends one encoded v1 signature to the claim.
func (s Scheme) add(c *claim, encoded string) *refusal {
	if problem := s.decode(c, encoded); problem != "" {
		return malformed("a v1 signature in %s is %s", s.header, problem)
	}
	return nil
}

func (s Scheme) some(c *claim) *refusal {
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

// decode appends an encoded SHA-256 to the claim, or says what the text is instead: "not hexadecimal".
func (s Scheme) decode(c *claim, text string) (problem string) {
	var mac [sha256.Size]byte
	switch s.encoding {
	case Hex:
		problem = decodeHex(mac[:], text)
	case Base64:
		problem = decodeBase64(mac[:], text)
	default:
		problem = "in an encoding other than hex and base64"
	}
	if problem == "" {
		c.macs = append(c.macs, mac)
	}
	return problem
}

const hexDigits = sha256.Size * 2

func decodeHex(mac []byte, text string) (problem string) {
	if len(text) == hexDigits && lowerHex(mac, text) {
		return ""
	}
	switch {
	case strings.Trim(text, "0123456789abcdefABCDEF") != "":
		return "not hexadecimal"
	case len(text) != hexDigits:
		return fmt.Sprintf("%d hexadecimal digits long, an HMAC-SHA256 has %d", len(text), hexDigits)
	case strings.ToLower(text) != text:
		return "upper-case hexadecimal, and the scheme writes lower case"
	}
	return "not hexadecimal"
}

func lowerHex(dst []byte, text string) bool {
	var src, again [hexDigits]byte
	copy(src[:], text)
	_, err := hex.Decode(dst, src[:])
	hex.Encode(again[:], dst)
	return err == nil && src == again // which upper-case digits are not
}

func decodeBase64(dst []byte, text string) (problem string) {
	mac, err := base64.StdEncoding.Strict().DecodeString(text)
	switch {
	case err != nil || len(text) != base64.StdEncoding.EncodedLen(len(mac)):
		return "not base64 with padding"
	case len(mac) != sha256.Size:
		return fmt.Sprintf("base64 of %d bytes, an HMAC-SHA256 has %d", len(mac), sha256.Size)
	}
	copy(dst, mac)
	return ""
}
