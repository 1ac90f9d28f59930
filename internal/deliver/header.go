package deliver

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// HeaderError says why a request header was refused. Input is the name alone
// when there is one: values are often secrets.
type HeaderError struct {
	Input   string
	Problem string
}

//go:noinline
func (e *HeaderError) Error() string {
	return fmt.Sprintf("header %q: %s", e.Input, e.Problem)
}

// ParseHeader splits a header given as "Name: value". White space around the
// value is dropped, the name is returned as it was written, and an empty value
// is allowed.
//
// Refused with a *HeaderError: a missing colon, a name that is not an HTTP
// token (RFC 9110, section 5.6.2), control characters other than tab in the
// value, and the headers the client owns because they frame the message or
// manage the connection: Connection, Content-Length, Trailer,
// Transfer-Encoding, Upgrade.
func ParseHeader(s string) (name, value string, err error) {
	name, value, found := strings.Cut(s, ":")
	if !found {
		return "", "", &HeaderError{Input: firstWord(s), Problem: `has no colon; write it as "Name: value"`}
	}
	value = strings.Trim(value, " \t")
	if err := checkHeader(name, value); err != nil {
		return "", "", err
	}
	return name, value, nil
}

// firstWord is what can be shown of a header that is mistyped: the rest may be its
// value, and so a secret.
func firstWord(s string) string {
	word, _, more := strings.Cut(s, " ")
	if !more && len(s) > 0 {
		return shorten(s[:1]) + "…"
	}
	return shorten(word)
}

func checkHeader(name, value string) error {
	switch {
	case !isToken(name):
		return &HeaderError{Input: firstWord(name), Problem: "is not a header name; names hold letters, digits and !#$%&'*+-.^_`|~ only"}
	case owned(http.CanonicalHeaderKey(name)):
		return &HeaderError{Input: name, Problem: "is set by the client itself and cannot be given"}
	case strings.ContainsFunc(value, isForbidden):
		return &HeaderError{Input: name, Problem: "value contains a line break, NUL or another control character"}
	case http.CanonicalHeaderKey(name) == "Host" && !isHostValue(value):
		return &HeaderError{Input: name, Problem: "value is not host or host:port"}
	}
	return nil
}

func owned(canonical string) bool {
	switch canonical {
	case "Connection", "Content-Length", "Trailer", "Transfer-Encoding", "Upgrade":
		return true
	}
	return false
}

func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return !isTokenRune(r) })
}

func isTokenRune(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	return strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

func isForbidden(r rune) bool {
	return r < ' ' && r != '\t' || r == 0x7f
}

// isHostValue accepts only what net/http sends unchanged: it silently empties
// or rewrites any other Host.
func isHostValue(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		alnum := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
		return !alnum && !strings.ContainsRune("!$&'()*+,-.:;=[]_~", r)
	})
}

// requestHeader checks the user's headers, whatever their case, and adds the
// defaults that are missing. Host is returned apart, as net/http wants it.
func requestHeader(user http.Header, userAgent string) (header http.Header, host string, err error) {
	header = http.Header{}
	for _, name := range slices.Sorted(maps.Keys(user)) {
		for _, value := range user[name] {
			if err := checkHeader(name, value); err != nil {
				return nil, "", err
			}
			header.Add(name, value)
		}
	}
	for _, name := range []string{"Host", "User-Agent"} {
		if len(header[name]) > 1 {
			return nil, "", &HeaderError{Input: name, Problem: "is given more than once"}
		}
	}
	host = header.Get("Host")
	header.Del("Host")
	setDefault(header, "Content-Type", "application/json")
	setDefault(header, "User-Agent", userAgent)
	return header, host, nil
}

func setDefault(header http.Header, name, value string) {
	if _, given := header[name]; !given {
		header.Set(name, value)
	}
}
