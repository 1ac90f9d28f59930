package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
)

var (
	// ErrTorn is wrapped when the last line of a journal was not written to its end.
	ErrTorn = errors.New("the line was not written to its end")
	// ErrVersion is wrapped when a journal was written by a newer program.
	ErrVersion = fmt.Errorf("the journal is of a newer version than %d, which is the newest that this program reads", Version)
)

// LineError says which line of a journal is wrong.
type LineError struct {
	Line int // from 1
	Err  error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

func (e *LineError) Unwrap() error { return e.Err }

// Entry is a record and the line it stands on, from 1.
type Entry struct {
	Line int
	Record
}

// Read returns the deliveries of a journal, or of what listen writes as NDJSON,
// in the order of the file. Lines of another type are skipped. A line that
// cannot be read gives an Entry without a record and a *LineError, which wraps
// ErrTorn (the last line alone), ErrTooLong or ErrVersion where one of these is
// the cause; reading goes on behind it. It ends when r fails, with that error.
func Read(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s := newScanner(r)
		for s.next() {
			rec, found, err := s.record()
			if err != nil {
				err = &LineError{s.line, err}
			} else if !found {
				continue
			}
			if !yield(Entry{s.line, rec}, err) {
				return
			}
		}
		if s.err != nil {
			yield(Entry{Line: s.line}, &LineError{s.line, s.err})
		}
	}
}

// scanner goes through a file line by line and holds no more than one of them.
type scanner struct {
	r *bufio.Reader
	// line is the number of the current line, start its offset, end the offset
	// behind it.
	line       int
	start, end int64
	// raw is the line without its end; of a long one it is what fits.
	raw []byte
	// whole is set when the line ends with a newline, long when it is longer than
	// MaxLine.
	whole, long bool
	// err is why the file could not be read on; the line it happened in is lost.
	err error
}

func newScanner(r io.Reader) *scanner { return &scanner{r: bufio.NewReaderSize(r, 64<<10)} }

func (s *scanner) next() bool {
	s.raw, s.start, s.whole, s.long = s.raw[:0], s.end, false, false
	s.line++
	for {
		part, err := s.r.ReadSlice('\n')
		s.end += int64(len(part))
		if s.long || len(s.raw)+len(part) > MaxLine {
			s.long = true
		} else {
			s.raw = append(s.raw, part...)
		}
		switch {
		case err == nil:
			s.whole = true
			s.raw = bytes.TrimSuffix(s.raw, []byte{'\n'})
			return true
		case errors.Is(err, io.EOF):
			return s.end > s.start
		case !errors.Is(err, bufio.ErrBufferFull):
			s.err = err
			return false
		}
	}
}

// last reports whether nothing follows the line.
func (s *scanner) last() bool {
	if !s.whole {
		return true
	}
	_, err := s.r.Peek(1)
	return errors.Is(err, io.EOF)
}

// head is what every line tells before it is known what it is.
type head struct {
	Type     string `json:"type"`
	Version  int    `json:"version"`
	FirstSeq uint64 `json:"firstSeq"`
	Seq      uint64 `json:"seq"`
}

func (s *scanner) blank() bool { return !s.long && len(bytes.TrimSpace(s.raw)) == 0 }

// head reads what the line is. A line that is no JSON is torn when it is the
// last one.
func (s *scanner) head() (head, error) {
	var h head
	if s.long {
		if !s.whole {
			return h, fmt.Errorf("%w, and %w", ErrTooLong, ErrTorn)
		}
		return h, ErrTooLong
	}
	if err := json.Unmarshal(s.raw, &h); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) && s.last() {
			return h, fmt.Errorf("%w: %w", ErrTorn, err)
		}
		return h, fmt.Errorf("it is no line of a journal: %w", err)
	}
	if h.Type == "" {
		return h, errors.New(`it is no line of a journal: it has no "type"`)
	}
	if h.Type == "journal" && h.Version > Version {
		return h, ErrVersion
	}
	return h, nil
}

// record reads the delivery on the line, where it is one.
func (s *scanner) record() (r Record, found bool, err error) {
	if s.blank() {
		return r, false, nil
	}
	h, err := s.head()
	if err != nil || h.Type != "delivery" {
		return r, false, err
	}
	if err := json.Unmarshal(s.raw, &r); err != nil {
		return Record{}, false, fmt.Errorf("the delivery on it cannot be read: %w", err)
	}
	return r, true, nil
}
