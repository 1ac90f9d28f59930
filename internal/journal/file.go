package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

var (
	// ErrNotJournal is wrapped when a file that is to be appended to is none of
	// ours. It was left as it is.
	ErrNotJournal = errors.New("the file is no journal of deliveries, and was left as it is: give another name")
	// ErrChanged is wrapped when something else wrote to the file, or cut it.
	ErrChanged = errors.New("another program changed the file: give every program a journal of its own")
	// ErrUnkept is wrapped when the disk failed to keep what it was given. The file
	// system may then show what the disk does not have, and take it for kept when it
	// is asked again: the journal takes no more records until it is opened anew.
	ErrUnkept = errors.New("the disk failed to keep what was written, so the journal takes nothing more: check the disk, and start again")
	// ErrClosed is wrapped when a closed journal is appended to.
	ErrClosed = errors.New("the journal is closed")
)

// FS is what a journal needs of a file system.
type FS interface {
	// Open opens a file for reading and writing. When there is none the error is
	// fs.ErrNotExist. It may lock the file, so that a second writer is refused.
	Open(name string) (File, error)
	// Create makes a file that only its owner can read and write, and opens it. It
	// fails when there is one of that name already, whatever it is.
	Create(name string) (File, error)
	// Rename gives a file another name and replaces the file that had it.
	Rename(from, to string) error
	// Stat says what has that name, and does not follow links.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes durable which names there are in the folder that holds name.
	SyncDir(name string) error
}

// File is an open file; *os.File is one.
type File interface {
	io.Reader
	io.Writer
	io.Seeker
	io.Closer
	// Sync makes durable what was written.
	Sync() error
	// Truncate cuts the file to that many bytes.
	Truncate(size int64) error
}

// Recovery says what was found in a journal when it was opened.
type Recovery struct {
	// CutBytes is the length of a last line that had not been written to its end,
	// and was cut off.
	CutBytes int64
	// Records is how many records the file holds, LastSeq the last one's number.
	// Where older files were rotated away LastSeq is the greater of the two.
	Records int
	LastSeq uint64
}

// maxSeq is the greatest number that every reader of JSON reads exactly.
const maxSeq = 1<<53 - 1

// contents are what a scan finds in a file.
type contents struct {
	Recovery
	// end is where the last whole line ends; 0 when not even the header is whole.
	end int64
	// hole is the first line that was not written as a whole, with others behind it.
	hole *LineError
}

// maxFlush bounds what is written before the disk is waited for.
const maxFlush = maxWrite + MaxLine

// scan reads a file from its start. Only what was written last can be torn: the
// last line, or several with a hole in them, since a disk writes pages in any
// order. Anything else that is no line of a journal is an error.
func scan(f File) (contents, error) {
	var c contents
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return c, err
	}
	s := newScanner(f)
	for s.next() {
		if c.hole != nil {
			continue // what follows was never acknowledged
		}
		if err := c.line(s); err != nil {
			return c, err
		}
	}
	if s.err != nil {
		return c, &LineError{s.line, s.err}
	}
	c.CutBytes = s.end - c.end
	if c.hole != nil && c.CutBytes > maxFlush {
		return c, unrepaired(c.hole)
	}
	return c, nil
}

func unrepaired(err *LineError) error {
	return fmt.Errorf("%w; nothing was changed: repair the line, or give another name", err)
}

func (c *contents) line(s *scanner) error {
	if s.line == 1 {
		return c.header(s)
	}
	h, err := s.head()
	switch {
	case errors.Is(err, ErrTorn), !s.whole:
		return nil
	case err != nil && bytes.IndexByte(s.raw, 0) >= 0:
		c.hole = &LineError{s.line, err}
		return nil
	case err == nil && h.Type == "delivery" && (h.Seq <= c.LastSeq || h.Seq > maxSeq):
		err = fmt.Errorf("record %d comes after record %d", h.Seq, c.LastSeq)
	}
	if err != nil {
		return unrepaired(&LineError{s.line, err})
	}
	if h.Type == "delivery" {
		c.Records++
		c.LastSeq = h.Seq
	}
	c.end = s.end
	return nil
}

func (c *contents) header(s *scanner) error {
	if !s.whole && tornHeader(string(s.raw)) {
		return nil
	}
	h, err := s.head()
	switch {
	case errors.Is(err, ErrVersion):
		return &LineError{s.line, err}
	case err != nil || h.Type != "journal" || !s.whole || h.FirstSeq == 0 || h.FirstSeq > maxSeq:
		return ErrNotJournal
	}
	c.LastSeq, c.end = h.FirstSeq-1, s.end
	return nil
}

// tornHeader reports whether s is the start of a header; after a power cut the
// rest can be zeros.
func tornHeader(s string) bool {
	if len(s) > maxPrefix {
		return false
	}
	s = strings.TrimRight(s, "\x00")
	rest, ok := strings.CutPrefix(s, headerStart)
	if !ok {
		return strings.HasPrefix(headerStart, s)
	}
	return strings.Trim(strings.TrimSuffix(rest, "}"), "0123456789") == ""
}

// open opens the journal's file, or makes it.
func (j *Journal) open() (Recovery, error) {
	f, err := j.fs.Open(j.name)
	if errors.Is(err, fs.ErrNotExist) {
		return j.create()
	}
	if err != nil {
		return Recovery{}, err
	}
	rec, err := j.adopt(f)
	if err != nil {
		j.file = nil
		return Recovery{}, errors.Join(err, f.Close())
	}
	return rec, nil
}

func (j *Journal) adopt(f File) (Recovery, error) {
	c, err := scan(f)
	switch {
	case err != nil:
		return c.Recovery, err
	case c.CutBytes > 0:
		err = f.Truncate(c.end)
	}
	if err != nil {
		return c.Recovery, fmt.Errorf("cut off a line that was not written to its end: %w", err)
	}
	if c.end == 0 {
		c.LastSeq, err = j.before()
		if err != nil {
			return c.Recovery, err
		}
		return c.Recovery, j.start(f, c.LastSeq)
	}
	if err := refresh(f, c.end); err != nil {
		return c.Recovery, err
	}
	j.file, j.end, j.last, j.records = f, c.end, c.LastSeq, c.Records
	return c.Recovery, j.settle()
}

// refresh writes again what one flush can have written. After a sync that failed
// a system may show bytes that the disk never got, and take the next sync for
// done: what would follow them would stand behind a hole.
func refresh(f File, end int64) error {
	from := max(0, end-maxFlush)
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	b := make([]byte, end-from)
	if _, err := io.ReadFull(f, b); err != nil {
		return err
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	return write(f, b)
}

func (j *Journal) create() (Recovery, error) {
	last, err := j.before()
	if err != nil {
		return Recovery{}, err
	}
	f, err := j.fs.Create(j.name)
	if err != nil {
		return Recovery{}, err
	}
	if err := j.start(f, last); err != nil {
		j.file = nil
		return Recovery{}, errors.Join(err, f.Close())
	}
	return Recovery{LastSeq: last}, nil
}

// before returns the number of the last record in the file that was rotated
// away last: what follows counts on from there.
func (j *Journal) before() (uint64, error) {
	f, err := j.fs.Open(j.rotated(1))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	c, err := scan(f)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if errors.Is(err, ErrNotJournal) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", j.rotated(1), err)
	}
	return c.LastSeq, nil
}

// start writes the header into an empty file.
func (j *Journal) start(f File, last uint64) error {
	line := HeaderLine(last + 1)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := write(f, line); err != nil {
		return err
	}
	j.file, j.end, j.last, j.records = f, int64(len(line)), last, 0
	return j.settle()
}

// settle makes the file as it was found durable, with its name: what is
// appended is worth no more than what stands before it.
func (j *Journal) settle() error {
	j.torn = false
	err := j.file.Sync()
	if err == nil {
		err = j.fs.SyncDir(j.name)
	}
	return j.keep(err)
}

// keep takes note of what a sync said: after one that failed there is no second.
func (j *Journal) keep(err error) error {
	if err == nil {
		return nil
	}
	j.unkept = fmt.Errorf("%w: %w", ErrUnkept, err)
	return j.unkept
}

func write(f File, b []byte) error {
	n, err := f.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}

func (j *Journal) rotated(n int) string { return fmt.Sprintf("%s.%d", j.name, n) }

// rotate moves the full file away and starts the next one. Whatever it does not
// come to is made up for by the next open: no name is ever moved twice.
func (j *Journal) rotate() error {
	f := j.file
	j.file = nil
	if err := f.Close(); err != nil {
		return err
	}
	free, err := j.free()
	if err != nil {
		return err
	}
	for i := free; i > 1; i-- {
		if err := j.fs.Rename(j.rotated(i-1), j.rotated(i)); err != nil {
			return err
		}
	}
	if err := j.fs.Rename(j.name, j.rotated(1)); err != nil {
		return err
	}
	_, err = j.create()
	return err
}

// free returns the first number that no rotated file has, or the last one that
// is kept. It is what makes a rotation that failed half-way lose nothing when
// it is tried again.
func (j *Journal) free() (int, error) {
	for i := 1; i < j.o.Keep; i++ {
		_, err := j.fs.Stat(j.rotated(i))
		if errors.Is(err, fs.ErrNotExist) {
			return i, nil
		}
		if err != nil {
			return 0, err
		}
	}
	return j.o.Keep, nil
}
