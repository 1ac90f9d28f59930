package inspect

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/journal"
)

// maxArgument is the longest body that a command can carry, in bytes.
const maxArgument = 100 << 10

// curl is a command for a shell that delivers the record again; empty where the
// body is too long for one.
func (i *Inspector) curl(e *entry) string {
	if len(e.Body) > maxArgument {
		return ""
	}
	words := []string{"curl", "--globoff", "--request", quote(methodOf(e)), quote(i.address(e))}
	for _, h := range sorted(e.header()) {
		if name, value := h[0], h[1]; value != journal.Hidden && !ofConnection(name) && plain(name+value) {
			words = append(words, "--header", quote(name+": "+value))
		}
	}
	if body := string(e.Body); plain(body) {
		return strings.Join(append(words, "--data-raw", quote(body)), " ")
	}
	words = append(words, "--data-binary", "@-")
	return "printf %s " + quote(base64.StdEncoding.EncodeToString(e.Body)) + " | base64 -d | " + strings.Join(words, " ")
}

// command is the same with the program itself; empty where it cannot.
func (i *Inspector) command(e *entry) string {
	body := string(e.Body)
	if i.o.Program == "" || len(body) > maxArgument || !plain(body) || body == "-" || strings.HasPrefix(body, "@") {
		return ""
	}
	return strings.Join([]string{i.o.Program, "send", "--to", quote(i.address(e)), "--data", quote(body)}, " ")
}

func methodOf(e *entry) string {
	if e.Method == "" {
		return "POST"
	}
	return clip(e.Method, maxWord)
}

// address is where the record is delivered to again: the target, or else where it
// went.
func (i *Inspector) address(e *entry) string {
	base := i.o.Target
	if base == "" && e.URL != "" {
		return printable(e.URL)
	}
	if base == "" {
		base = i.o.Received
	}
	u, err := url.Parse(base)
	if err != nil {
		return ""
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = e.Path
	}
	return printable(u.String())
}

// printable leaves out what a terminal would not show.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, s)
}

// plain reports whether a text can stand in a command that is pasted: a terminal
// obeys what it does not show.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' })
}

// quote makes one word of a text for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// ofConnection reports whether a header is about the connection and not about the
// delivery.
func ofConnection(name string) bool {
	return slices.Contains([]string{
		"accept-encoding", "connection", "content-length", "expect", "host", "keep-alive", "proxy-authenticate", "proxy-authorization",
		"proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
	}, strings.ToLower(name))
}
