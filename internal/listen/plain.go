package listen

import (
	"bytes"
	"context"
	"net/http"
	"strconv"
	"strings"
)

// Bounds of a plain request.
const (
	plainBytes  = 4 << 10
	plainLines  = 32
	plainDigits = 7
)

// plain is a request that is all there and that nobody can read in another way: a
// POST to a path of the contract over HTTP/1.1, each header once and in printable
// ASCII, and a body of the length that is said. Most deliveries are; what it makes
// nothing of is left to net/http. It is used again for the next request of a
// connection, whose headers are mostly the same.
type plain struct {
	path   string
	header http.Header
	body   []byte
	size   int // of all of it, in bytes

	lines []plainLine
	n     int // of lines, in this request

	second int64 // that date is of
	date   []byte

	delivery Delivery // what became of it
}

// plainLine is a header line, and the last one in its place.
type plainLine struct {
	name   []byte // as it was sent
	key    string
	values []string // one
	usual  bool     // the value is one that plain requests have
}

// read reads the request that b begins with. It fails where that is not plain, or
// not all there.
func (p *plain) read(b []byte, paths []string) bool {
	rest, ok := bytes.CutPrefix(b, []byte("POST "))
	if !ok {
		return false
	}
	target, rest, ok := bytes.Cut(rest, []byte(" HTTP/1.1\r\n"))
	if !ok || !p.to(target, paths) {
		return false
	}
	same := true // names as before
	for p.n = 0; !bytes.HasPrefix(rest, []byte("\r\n")); p.n++ {
		line, after, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok || p.n == plainLines {
			return false
		}
		known, ok := p.line(line)
		if !ok {
			return false
		}
		same, rest = same && known, after
	}
	if (!same || len(p.header) != p.n-1) && !p.gather() {
		return false
	}
	rest = rest[2:]
	length, ok := p.length()
	if !ok || len(rest) < length {
		return false
	}
	p.body, p.size = rest[:length:length], len(b)-len(rest)+length
	return true
}

func (p *plain) to(target []byte, paths []string) bool {
	for _, path := range paths {
		if string(target) == path {
			p.path = path
			return true
		}
	}
	return false
}

// line reads a header line; known is set when the line in its place had the same
// name before.
func (p *plain) line(line []byte) (known, ok bool) {
	name, value, ok := bytes.Cut(line, []byte{':'})
	if !ok || len(name) == 0 {
		return false, false
	}
	value = bytes.Trim(value, " ")
	if p.n == len(p.lines) {
		p.lines = append(p.lines, plainLine{values: make([]string, 1)})
	}
	l := &p.lines[p.n]
	if known = bytes.Equal(l.name, name); !known {
		if !isName(name) {
			return false, false
		}
		l.name, l.key = append(l.name[:0], name...), http.CanonicalHeaderKey(string(name))
	}
	if l.values[0] != string(value) {
		if !isPrintable(value) {
			return false, false
		}
		l.values[0] = string(value)
	} else if known {
		return true, true
	}
	l.usual = isUsual(l.key, l.values[0])
	return known, true
}

// isUsual reports whether a length is said plainly, and the host or the body's type
// is the usual one.
func isUsual(key, value string) bool {
	switch key {
	case "Content-Type":
		return value == "application/json"
	case "Host":
		return value != "" && strings.Trim(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-[]") == ""
	case "Content-Length":
		_, err := strconv.ParseUint(value, 10, 32)
		return err == nil && len(value) <= plainDigits
	}
	return true
}

// isName takes less than a header's name may be.
func isName(name []byte) bool {
	for _, c := range name {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

func isPrintable(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// gather makes the header of the lines. It fails where a name comes twice, no host
// is named, or a header says more than what is delivered.
func (p *plain) gather() bool {
	if p.header == nil {
		p.header = http.Header{}
	}
	clear(p.header)
	for _, l := range p.lines[:p.n] {
		if p.header[l.key] != nil {
			clear(p.header)
			return false
		}
		p.header[l.key] = l.values
	}
	for _, key := range []string{"Connection", "Content-Encoding", "Expect", "Http2-Settings", "Pragma", "Te", "Trailer", "Transfer-Encoding", "Upgrade"} {
		if p.header[key] != nil {
			clear(p.header)
			return false
		}
	}
	hosted := p.header["Host"] != nil
	delete(p.header, "Host") // as net/http does
	return hosted
}

// length reads how long the body is; ok is false where a header says something
// unusual.
func (p *plain) length() (n int, ok bool) {
	typed := false
	for i := range p.lines[:p.n] {
		l := &p.lines[i]
		if !l.usual {
			return 0, false
		}
		switch l.key {
		case "Content-Type":
			typed = true
		case "Content-Length":
			n, _ = strconv.Atoi(l.values[0])
		}
	}
	return n, typed && n > 0
}

// answer appends the answer to a delivery, as net/http would write it.
func (p *plain) answer(dst []byte, d *Delivery) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(d.Status), 10)
	dst = append(dst, ' ')
	dst = append(dst, http.StatusText(d.Status)...)
	dst = append(dst, "\r\nContent-Type: application/json\r\nDate: "...)
	if second := d.Time.Unix(); second != p.second || len(p.date) == 0 {
		p.second, p.date = second, d.Time.UTC().AppendFormat(p.date[:0], http.TimeFormat)
	}
	dst = append(dst, p.date...)
	if d.Status == http.StatusNoContent || d.Status == http.StatusNotModified {
		return append(dst, "\r\n\r\n"...) // which have no body
	}
	dst = append(dst, "\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(d.Answer)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, d.Answer...)
}

// plainDelivery judges a delivery and appends the answer to it.
func (h *Handler) plainDelivery(dst []byte, p *plain) []byte {
	if try, asked := h.judgePlain(p); asked {
		h.finish(context.Background(), &p.delivery, try)
	}
	return p.answer(dst, &p.delivery)
}

// judgePlain judges a delivery, as judge does.
func (h *Handler) judgePlain(p *plain) (try try, asked bool) {
	p.delivery = Delivery{Time: h.Now(), Method: http.MethodPost, Path: p.path, Header: p.header, Body: p.body}
	return h.judge(&p.delivery)
}
