package deliver

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxURLBytes = 8 << 10

// TargetError says why a delivery target was refused. Input is what was given,
// shortened, and without anything that could be a user name or password.
type TargetError struct {
	Input   string
	Problem string
}

func (e *TargetError) Error() string {
	return fmt.Sprintf("target %q: %s", e.Input, e.Problem)
}

// ResolveURL says where a delivery goes. Base is what the user gave, path the
// documented callback path, such as "/callback/update".
//
// A base without a path (or with "/") gets path appended; a base with a path is
// used as it is. The query is kept either way. "host:3000", ":3000" and "3000",
// each with or without a path, are short for http://host:3000 and
// http://localhost:3000.
//
// The result has scheme http or https and a host; it resolves to itself.
// Everything else is a *TargetError: another scheme, a user name or password
// (arguments are visible to every process), a missing host, a fragment, control
// characters, a port outside 1 to 65535.
func ResolveURL(base, path string) (*url.URL, error) {
	if problem := checkText(base); problem != "" {
		return nil, refuse(base, problem)
	}
	full, problem := expand(base)
	if problem != "" {
		return nil, refuse(base, problem)
	}
	u, err := url.Parse(full)
	if err != nil {
		return nil, refuse(base, parseProblem(base, err))
	}
	if problem := checkURL(u); problem != "" {
		return nil, refuse(base, problem)
	}
	if u.Path != "" && u.Path != "/" {
		return u, nil
	}
	return appendPath(u, path)
}

func refuse(base, problem string) error {
	return &TargetError{Input: shown(base), Problem: problem}
}

func shown(base string) string {
	if i := strings.LastIndexByte(base, '@'); i >= 0 {
		base = "..." + base[i:]
	}
	return shorten(base)
}

func shorten(s string) string {
	const limit = 200
	if len(s) <= limit {
		return s
	}
	return strings.ToValidUTF8(s[:limit], "") + "..."
}

func checkText(base string) string {
	switch {
	case base == "":
		return "is empty; give a URL such as http://localhost:3000"
	case len(base) > maxURLBytes:
		return fmt.Sprintf("is longer than %d bytes", maxURLBytes)
	case hasControl(base):
		return "contains a control character or is not UTF-8; write it percent-encoded"
	case strings.Contains(base, "#"):
		return "has a fragment (#...), which is never sent; remove it"
	}
	return ""
}

func hasControl(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl)
}

// expand turns the accepted shorthands into a URL with a scheme.
func expand(base string) (full, problem string) {
	authority, _, _ := strings.Cut(base, "/")
	authority, _, _ = strings.Cut(authority, "?")
	if strings.Contains(base, "://") && isScheme(strings.TrimSuffix(authority, ":")) {
		return base, ""
	}
	if digits(authority) {
		return "http://localhost:" + base, ""
	}
	host, port, hasPort := cutLast(authority, ":")
	switch {
	case strings.Contains(authority, "@"):
		return "", userinfoProblem()
	case !hasPort:
		return "", "is not a URL; write it as http://HOST:PORT, or as a port alone, such as 3000"
	case host == "":
		return "http://localhost" + base, ""
	case isScheme(host) && !digits(port):
		return "", "is neither an http:// or https:// URL nor host:port"
	}
	return "http://" + base, ""
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func isScheme(s string) bool {
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return s != ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func userinfoProblem() string {
	return "contains a user name or password; credentials in a URL end up in process lists and logs: send them in a header (-H)"
}

// parseProblem does not quote the parser when the base could hold a password,
// because the parser quotes the base.
func parseProblem(base string, err error) string {
	if strings.Contains(base, "@") {
		return "is not a URL, or " + userinfoProblem()
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return "is not a URL: " + shorten(err.Error())
}

// checkURL quotes nothing of u: in a mistyped URL a password can pass for any
// part, and the error shows the harmless part of the input already.
func checkURL(u *url.URL) string {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return "has a scheme that is not supported; use http or https"
	case u.User != nil:
		return userinfoProblem()
	case u.Opaque != "" || u.Hostname() == "":
		return "has no host; write it as " + u.Scheme + "://HOST:PORT"
	case u.Fragment != "":
		return "has a fragment (#...), which is never sent; remove it"
	}
	if problem := checkHost(u); problem != "" {
		return problem
	}
	return checkPort(u)
}

func checkHost(u *url.URL) string {
	host := u.Hostname()
	if !strings.HasPrefix(u.Host, "[") {
		if hasControl(host) || strings.ContainsAny(host, " /\\@%<>[]\":") {
			return "has a host that is not a name or an address; an IPv6 address needs brackets"
		}
		return ""
	}
	addr, err := netip.ParseAddr(host)
	if err != nil || !addr.Is6() || hasControl(host) || strings.ContainsAny(addr.Zone(), " /\\@%[]<>\"") {
		return "has a host in brackets that is not an IPv6 address"
	}
	return ""
}

func checkPort(u *url.URL) string {
	port := u.Port()
	if port == "" && !strings.HasSuffix(u.Host, ":") {
		return ""
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "has a port that is not a number from 1 to 65535"
	}
	return ""
}

func appendPath(u *url.URL, path string) (*url.URL, error) {
	if path == "" {
		path = "/"
	}
	if path[0] != '/' || strings.ContainsAny(path, "?#") || hasControl(path) {
		return nil, refuse(path, "callback path must begin with / and hold no query, fragment or control character")
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return nil, refuse(path, "callback path has a bad percent-encoding")
	}
	u.Path, u.RawPath = plain, ""
	if u.EscapedPath() != path {
		u.RawPath = path
	}
	return u, nil
}
