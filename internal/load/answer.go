package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	readBytes = 4 << 10  // that are read at once, at first
	lineBytes = 16 << 10 // of one line of a head
	headBytes = 64 << 10 // of the lines of a head, or a trailer
	bodyBytes = 1 << 20  // of a body; what is longer is not read
	interims  = 8        // 1xx answers before the final one
)

// MalformedError says why what came is no HTTP/1.1 answer.
type MalformedError struct{ Problem string }

func (e *MalformedError) Error() string { return "no HTTP/1.1 answer: " + e.Problem }

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

// answers reads one answer after the other from a connection, and no more of one
// than it must. It does not allocate unless something is wrong.
type answers struct {
	from io.Reader // nil when no more comes
	buf  []byte
	r, w int    // what of buf is not read yet
	got  uint64 // bytes that came
	head int    // bytes that this head may still have
}

func newAnswers() *answers { return &answers{buf: make([]byte, readBytes)} }

// reset starts with a new connection.
func (a *answers) reset(from io.Reader) { a.from, a.r, a.w = from, 0, 0 }

// errPart is that some of an answer has not come.
var errPart = errors.New("part of the answer has not come")

// framing is what a head says of the body and the connection.
type framing struct {
	status  int
	size    int64 // -1 until a Content-Length came
	chunked bool
	keep    bool
}

// next reads an answer to its end. keep says whether the connection may carry
// another request. Errors are *MalformedError, io.ErrUnexpectedEOF for an answer
// that broke off, io.EOF where none began, or the connection's.
func (a *answers) next() (status int, keep bool, err error) {
	var f framing
	for n := 0; f.status < 200; n++ {
		if n > interims {
			return 0, false, malformed("more than %d interim answers", interims)
		}
		if f, err = a.readHead(n == 0); err != nil {
			return 0, false, err
		}
	}
	complete, err := a.readBody(&f)
	if err == nil && complete && a.r < a.w {
		err = malformed("more came than the answer")
	}
	return f.status, f.keep && complete, err
}

func (a *answers) readHead(first bool) (framing, error) {
	f := framing{size: -1}
	a.head = headBytes
	line, err := a.line()
	if err != nil {
		if first && errors.Is(err, io.ErrUnexpectedEOF) && a.r == a.w {
			err = io.EOF
		}
		return f, err
	}
	if err := f.statusLine(line); err != nil {
		return f, err
	}
	for {
		line, err := a.line()
		if err != nil || len(line) == 0 {
			return f, err
		}
		if err := f.field(line); err != nil {
			return f, err
		}
	}
}

// line returns the next line without its end, valid until the next call.
func (a *answers) line() ([]byte, error) {
	line, err := a.untilLF()
	return bytes.TrimSuffix(line, []byte{'\r'}), err
}

// strictLine is line for a body in chunks, whose lines end with CR LF and not,
// as lines of a head may, with LF alone (RFC 9112, sections 2.2 and 7.1).
func (a *answers) strictLine() ([]byte, error) {
	line, err := a.untilLF()
	if err != nil {
		return nil, err
	}
	if bare, ended := bytes.CutSuffix(line, []byte{'\r'}); ended {
		return bare, nil
	}
	return nil, malformed("a line between its chunks ends with a bare LF")
}

func (a *answers) untilLF() ([]byte, error) {
	for from := a.r; ; {
		if i := bytes.IndexByte(a.buf[from:a.w], '\n'); i >= 0 {
			line := a.buf[a.r : from+i]
			a.r = from + i + 1
			if a.head -= len(line) + 1; a.head < 0 {
				return nil, malformed("its head is longer than %d KiB", headBytes>>10)
			}
			return line, nil
		}
		scanned := a.w - a.r
		if scanned == lineBytes {
			return nil, malformed("a line of its head is longer than %d KiB", lineBytes>>10)
		}
		if err := a.fill(); err != nil {
			return nil, err
		}
		from = a.r + scanned
	}
}

// fill reads more behind what is not read yet.
func (a *answers) fill() error {
	if a.from == nil {
		return errPart
	}
	if a.r > 0 {
		a.w = copy(a.buf, a.buf[a.r:a.w])
		a.r = 0
	}
	if a.w == len(a.buf) {
		a.buf = append(a.buf, make([]byte, lineBytes-len(a.buf))...)
	}
	n, err := a.from.Read(a.buf[a.w:])
	a.w += n
	a.got += uint64(n)
	switch {
	case n > 0:
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case err == nil:
		return io.ErrNoProgress
	}
	return err
}

// statusLine reads "HTTP/1.1 200 OK".
func (f *framing) statusLine(line []byte) error {
	const version = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || string(line[:len(version)]) != version || line[len(version)+1] != ' ' ||
		len(line) > len("HTTP/1.1 200") && line[len("HTTP/1.1 200")] != ' ' {
		return malformed("it starts with %.40q", line)
	}
	for _, c := range line[len("HTTP/1.1 "):len("HTTP/1.1 200")] {
		if c < '0' || c > '9' {
			return malformed("its status is %.3q", line[len("HTTP/1.1 "):])
		}
		f.status = 10*f.status + int(c-'0')
	}
	if f.status < 100 || f.status == 101 {
		return malformed("its status is %d", f.status)
	}
	f.keep = line[len(version)] != '0'
	return nil
}

// field reads a header field; most are of no interest.
func (f *framing) field(line []byte) error {
	i := bytes.IndexByte(line, ':')
	if i < 0 {
		if line[0] == ' ' || line[0] == '\t' { // RFC 9112, section 5.2: a folded line continues a value
			return nil
		}
		return malformed("%.40q is no header field", line)
	}
	value := func() []byte { return bytes.Trim(line[i+1:], " \t") }
	switch name := line[:i]; {
	case is(name, "content-length"):
		return f.length(value())
	case is(name, "transfer-encoding"):
		if f.chunked || !is(value(), "chunked") {
			return malformed("its Transfer-Encoding is %.40q", value())
		}
		f.chunked = true
	case is(name, "connection"):
		f.connection(value())
	}
	return nil
}

// is compares with a lower-case ASCII word.
func is(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

func (f *framing) length(value []byte) error {
	var n int64
	for _, c := range value {
		if c < '0' || c > '9' || n > 1<<56 {
			return malformed("its Content-Length is %.40q", value)
		}
		n = 10*n + int64(c-'0')
	}
	if len(value) == 0 || f.size >= 0 && f.size != n {
		return malformed("it has no Content-Length, or two that differ")
	}
	f.size = n
	return nil
}

func (f *framing) connection(value []byte) {
	for len(value) > 0 {
		option, rest, _ := bytes.Cut(value, []byte{','})
		switch option = bytes.Trim(option, " \t"); {
		case is(option, "close"):
			f.keep = false
		case is(option, "keep-alive"):
			f.keep = true
		}
		value = rest
	}
}

// readBody reads and drops the body, as RFC 9112, section 6.3 frames it; complete
// is false where the end was not read because the body is long.
func (a *answers) readBody(f *framing) (complete bool, err error) {
	switch {
	case f.status == 204 || f.status == 304:
		return true, nil
	case f.chunked:
		f.keep = f.keep && f.size < 0
		return a.chunks()
	case f.size >= 0:
		if f.size > bodyBytes {
			return false, a.skip(bodyBytes)
		}
		return true, a.skip(f.size)
	}
	f.keep = false
	for n := int64(0); n <= bodyBytes; {
		n += int64(a.w - a.r)
		a.r = a.w
		if err := a.fill(); errors.Is(err, io.ErrUnexpectedEOF) {
			return true, nil
		} else if err != nil {
			return false, err
		}
	}
	a.r = a.w
	return false, nil
}

// skip drops n bytes.
func (a *answers) skip(n int64) error {
	for {
		d := min(n, int64(a.w-a.r))
		a.r += int(d)
		if n -= d; n == 0 {
			return nil
		}
		if err := a.fill(); err != nil {
			return err
		}
	}
}

func (a *answers) chunks() (complete bool, err error) {
	for left := int64(bodyBytes); ; {
		a.head = headBytes
		line, err := a.strictLine()
		if err != nil {
			return false, err
		}
		size, err := chunkSize(line)
		if err != nil {
			return false, err
		}
		if size == 0 {
			return a.trailer()
		}
		if left -= size; left < 0 {
			return false, a.skip(left + size)
		}
		if err := a.skip(size); err != nil {
			return false, err
		}
		if line, err := a.strictLine(); err != nil {
			return false, err
		} else if len(line) != 0 {
			return false, malformed("a chunk does not end where it says")
		}
	}
}

func chunkSize(line []byte) (int64, error) {
	text, _, _ := bytes.Cut(line, []byte{';'})
	text = bytes.TrimRight(text, " \t")
	var n int64
	for _, c := range text {
		d := hexadecimal(c)
		if d < 0 || n > 1<<56 {
			return 0, malformed("the size of a chunk is %.40q", line)
		}
		n = n<<4 | int64(d)
	}
	if len(text) == 0 {
		return 0, malformed("a chunk has no size")
	}
	return n, nil
}

func hexadecimal(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (a *answers) trailer() (complete bool, err error) {
	a.head = headBytes
	for {
		line, err := a.strictLine()
		switch {
		case err != nil || len(line) == 0:
			return err == nil, err
		case !isField(line):
			return false, malformed("%.40q behind its chunks is no field", line)
		}
	}
}

// isField reports whether a line is a name, a colon and a value (RFC 9110,
// section 5).
func isField(line []byte) bool {
	name, value, colon := bytes.Cut(line, []byte{':'})
	if !colon || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	for _, c := range value {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
