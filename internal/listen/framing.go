package listen

import (
	"bytes"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
)

// What readers of HTTP disagree about, and net/http does not mention when it puts
// up with it.
const (
	bareLF     = "a line of its head ends with LF alone, and not with CR LF"
	foldedLine = "a header goes on in a second line"
	twoLengths = "it has two Content-Length headers"
	twoEnds    = "it has both Content-Length and Transfer-Encoding, which say where it ends"
)

// misframed says what is ambiguous about the request, or an earlier one of its
// connection; empty when nothing is. What stands behind it may have been read, too.
func misframed(r *http.Request) string {
	if g, ok := r.Context().Value(guestKey{}).(*guest); ok {
		return g.said()
	}
	return ""
}

// watched is a connection that looks at the bytes while they are read, and
// follows where requests begin and end.
type watched struct {
	net.Conn

	asleep bool
	// unread was read before the connection was woken, and is read again.
	unread []byte

	odd atomic.Pointer[oddity]
	// heads is how many requests have begun, for who reads; served is how many the
	// server has taken, for who answers.
	heads, served int
	part          []byte // of a line that has not ended
	look          stage
	left          uint64 // bytes of a body or a chunk

	first            bool // whether the next line is a request's first
	lengths          int
	length           uint64
	chunked, foreign bool
}

// oddity is what is ambiguous about a request, which is counted from 1.
type oddity struct {
	what string
	at   int
}

// stage is what stands next on a connection.
type stage uint8

const (
	inHead stage = iota
	inBody
	inChunkLine
	inChunk
	inTrailer
	lost // what comes is no request that net/http would take
)

// CloseWrite ends what is sent, as http.Server does before it closes.
func (w *watched) CloseWrite() error {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Read reads, and looks at what was read.
func (w *watched) Read(b []byte) (n int, err error) {
	if len(w.unread) > 0 {
		n = copy(b, w.unread)
		w.unread = w.unread[n:]
	} else {
		n, err = w.Conn.Read(b)
	}
	if !w.asleep {
		w.watch(b[:n])
	}
	return n, err
}

// wake says that the connection goes on with unread, which begins a request, or the
// line ends that net/http passes over behind one that was answered.
func (w *watched) wake(unread []byte, answered bool) {
	w.asleep = false
	if answered {
		ends := lineEnds(unread)
		w.watch(unread[:ends])
		unread = unread[ends:]
	}
	w.unread = unread
}

// lineEnds is how many bytes of line ends a text begins with, at most four: so many
// are passed over behind a POST.
func lineEnds(b []byte) int {
	head := b[:min(len(b), 4)]
	return len(head) - len(bytes.TrimLeft(head, "\r\n"))
}

func (w *watched) watch(b []byte) {
	for len(b) > 0 && w.look != lost {
		if w.look == inBody || w.look == inChunk {
			n := min(uint64(len(b)), w.left)
			b, w.left = b[n:], w.left-n
			if w.left == 0 {
				w.next()
			}
			continue
		}
		end := bytes.IndexByte(b, '\n')
		if end < 0 || len(w.part) > maxHeader {
			w.part = append(w.part, b...)
			if len(w.part) > 2*maxHeader {
				w.look = lost
			}
			return
		}
		line := b[:end]
		if len(w.part) > 0 {
			line = append(w.part, line...)
			w.part = w.part[:0]
		}
		b = b[end+1:]
		w.line(line)
	}
}

// next begins what follows a body or a chunk.
func (w *watched) next() {
	if w.look == inChunk {
		w.look = inChunkLine
		return
	}
	w.look, w.first = inHead, true
}

// line takes in a line, without its LF.
func (w *watched) line(line []byte) {
	line, whole := bytes.CutSuffix(line, []byte{'\r'})
	switch {
	case w.look == inChunkLine:
		size, _, _ := bytes.Cut(line, []byte{';'})
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 63)
		switch {
		case err != nil:
			w.look = lost
		case n == 0:
			w.look = inTrailer
		default:
			w.look, w.left = inChunk, n+2 // and the line's end
		}
		return
	case w.first && len(line) > 0:
		w.heads++
	}
	between := w.first && len(line) == 0
	switch {
	case !whole && between:
		w.note(bareLF, w.heads+1)
	case !whole:
		w.note(bareLF, w.heads)
	}
	switch {
	case w.look == inTrailer && len(line) == 0:
		w.look, w.first = inHead, true
	case w.look == inTrailer:
	case between:
	case w.first:
		w.first, w.lengths, w.length, w.chunked = false, 0, 0, false
	case len(line) == 0:
		w.body()
	case line[0] == ' ' || line[0] == '\t':
		w.note(foldedLine, w.heads)
	default:
		w.header(line)
	}
}

func (w *watched) header(line []byte) {
	name, value, _ := bytes.Cut(line, []byte{':'})
	switch {
	case named(name, "Content-Length"):
		n, err := strconv.ParseUint(string(bytes.TrimSpace(value)), 10, 63)
		if err != nil {
			w.foreign = true
		}
		w.lengths, w.length = w.lengths+1, n
	case named(name, "Transfer-Encoding"):
		w.chunked = true
	}
}

func named(name []byte, want string) bool {
	return len(name) == len(want) && strings.EqualFold(string(name), want)
}

// body begins what stands behind a head.
func (w *watched) body() {
	if w.lengths > 1 {
		w.note(twoLengths, w.heads)
	}
	if w.lengths > 0 && w.chunked {
		w.note(twoEnds, w.heads)
	}
	switch {
	case w.foreign:
		w.look = lost
	case w.chunked:
		w.look = inChunkLine
	case w.length > 0:
		w.look, w.left = inBody, w.length
	default:
		w.first = true
	}
}

func (w *watched) note(what string, at int) { w.odd.CompareAndSwap(nil, &oddity{what, at}) }

// said is the first thing that was noted of the request that is served, or of one
// before.
func (w *watched) said() string {
	if odd := w.odd.Load(); odd != nil && odd.at <= w.served {
		return odd.what
	}
	return ""
}
