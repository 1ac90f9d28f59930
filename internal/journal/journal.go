package journal

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"runtime"
	"sync"
)

// Options say how long a journal may get.
type Options struct {
	// MaxBytes is the size beyond which a file is not let grow, unless by a single
	// record: it becomes name.1, what was that name.2, and a new one is started. 0
	// never does.
	MaxBytes int64
	// Keep is how many such older files are kept, at least 1; the oldest is
	// replaced.
	Keep int
}

// maxWrite bounds what is written at once, in bytes, unless by a single record.
const maxWrite = 1 << 20

// How large the room for a line is, in bytes: at first, and at the most if it is to
// be used again.
const (
	usualLine = 2 << 10
	maxSpare  = 64 << 10
)

// Journal is a file of deliveries that is open for appending. It is safe for
// concurrent use.
type Journal struct {
	fs   FS
	name string
	o    Options

	mu      sync.Mutex
	pending *batch // what waits for its turn; nil when nothing does

	// turn holds one token; who holds it owns what is below.
	turn    chan struct{}
	closed  bool
	file    File // nil when a rotation failed half-way
	end     int64
	last    uint64
	records int
	// torn is set when the file may have more bytes than end.
	torn bool
	// unkept is why nothing more is taken, once a sync failed.
	unkept error
	buf    []byte // what is written at once

	spare sync.Pool // of *entry that nobody waits for
}

// batch is a number of records that are made durable together.
type batch struct {
	entries []*entry
	done    chan struct{} // closed when all entries have their outcome
}

type entry struct {
	rest []byte
	seq  uint64
	err  error
}

// Open opens a journal for appending, or makes one. A last line that was not
// written to its end is cut off. It fails with ErrNotJournal when the file is
// something else, with a *LineError when a line that is not the last is damaged,
// and with what the file system says; the file is then as it was.
func Open(fsys FS, name string, o Options) (*Journal, Recovery, error) {
	o.Keep = max(o.Keep, 1)
	j := &Journal{fs: fsys, name: name, o: o, turn: make(chan struct{}, 1)}
	rec, err := j.open()
	if err != nil {
		return nil, Recovery{}, fmt.Errorf("journal %s: %w", name, err)
	}
	return j, rec, nil
}

// Append writes a record and returns its number once it is durable: neither the
// program's end nor the machine's can then take it back. Records that are
// appended at the same time share the wait for the disk. After an error the next
// Append tries anew, so that a disk that was full can be used again as soon as it
// is not; the record that failed is not in the journal, unless the program dies
// before what was written of it could be cut off. After an error that wraps
// ErrUnkept every later Append fails with it.
func (j *Journal) Append(r Record) (uint64, error) {
	e := j.encoded(&r)
	j.write([]*entry{e})
	defer j.spare.Put(e)
	return e.seq, e.err
}

// AppendAll appends records as Append does, all of which wait for the disk once. It
// returns what went wrong with each, nil where nothing did.
func (j *Journal) AppendAll(records iter.Seq[Record]) []error {
	var entries []*entry
	for r := range records {
		entries = append(entries, j.encoded(&r))
	}
	j.write(entries)
	var errs []error
	for i, e := range entries {
		if e.err != nil {
			if errs == nil {
				errs = make([]error, len(entries))
			}
			errs[i] = e.err
		}
		j.spare.Put(e)
	}
	return errs
}

// encoded is a record as it is written, or why it cannot be.
func (j *Journal) encoded(r *Record) *entry {
	e, ok := j.spare.Get().(*entry)
	if !ok || cap(e.rest) > maxSpare {
		e = &entry{rest: make([]byte, 0, usualLine)}
	}
	e.seq = 0
	if e.rest, e.err = r.encode(e.rest[:0]); e.err != nil {
		e.err = fmt.Errorf("journal %s: %w", j.name, e.err)
	}
	return e
}

// write makes entries durable.
func (j *Journal) write(entries []*entry) {
	switch b, first := j.join(entries); {
	case b == nil:
	case first:
		j.turn <- struct{}{}
		j.commit(b)
		<-j.turn
	default:
		<-b.done
	}
}

// Close waits for what is being written and closes the file. Appends that wait
// for their turn fail with ErrClosed, as do later ones.
func (j *Journal) Close() error {
	j.turn <- struct{}{}
	defer func() { <-j.turn }()
	if j.closed {
		return nil
	}
	j.closed = true
	if j.file == nil {
		return nil
	}
	err := j.mend()
	if closing := j.file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fmt.Errorf("journal %s: close: %w", j.name, err)
	}
	return nil
}

// join puts entries into the batch that waits. Who is the first in it writes it.
// There is none where no entry can be written.
func (j *Journal) join(entries []*entry) (b *batch, first bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, e := range entries {
		if e.err != nil {
			continue
		}
		if j.pending == nil {
			j.pending, first = &batch{done: make(chan struct{})}, true
		}
		b = j.pending
		b.entries = append(b.entries, e)
	}
	return b, first
}

// gather lets deliveries that came at the same time join, even where there is but
// one processor, so that they share the wait for the disk.
func (j *Journal) gather(b *batch) {
	for joined := 0; ; runtime.Gosched() {
		j.mu.Lock()
		now := len(b.entries)
		if now <= joined {
			j.pending = nil
			j.mu.Unlock()
			return
		}
		j.mu.Unlock()
		joined = now
	}
}

// commit writes the batch that waits.
func (j *Journal) commit(b *batch) {
	j.gather(b)
	defer close(b.done)
	for entries := b.entries; len(entries) > 0; {
		n, err := j.store(entries)
		if err != nil {
			for _, e := range entries {
				e.err = fmt.Errorf("journal %s: the delivery was not recorded: %w", j.name, err)
			}
			return
		}
		entries = entries[n:]
	}
}

// store makes the first of the entries durable, at least one, and returns how
// many.
func (j *Journal) store(entries []*entry) (int, error) {
	if err := j.ready(); err != nil {
		return 0, err
	}
	buf := numbered(j.buf[:0], j.last+1, entries[0].rest)
	if j.records > 0 && j.full(len(buf)) {
		if err := j.rotate(); err != nil {
			return 0, fmt.Errorf("start a new file: %w", err)
		}
	}
	n := 1
	for n < len(entries) && len(buf) < maxWrite {
		whole := len(buf)
		buf = numbered(buf, j.last+uint64(n)+1, entries[n].rest)
		if j.full(len(buf)) {
			buf = buf[:whole]
			break
		}
		n++
	}
	if cap(buf) <= 2*maxWrite {
		j.buf = buf
	}
	if err := j.flush(buf); err != nil {
		return 0, err
	}
	for _, e := range entries[:n] {
		j.last++
		e.seq = j.last
	}
	j.records += n
	return n, nil
}

func (j *Journal) full(more int) bool {
	return j.o.MaxBytes > 0 && j.end+int64(more) > j.o.MaxBytes
}

func (j *Journal) flush(buf []byte) error {
	j.torn = true
	err := write(j.file, buf)
	if err == nil {
		err = j.keep(j.file.Sync())
	}
	if err != nil {
		_ = j.mend() // else the next turn does, or the next open
		return err
	}
	j.torn = false
	j.end += int64(len(buf))
	return nil
}

// mend cuts off what a failed write left. Until that is durable nothing is
// written: a record that was refused must not come back with the machine.
func (j *Journal) mend() error {
	if !j.torn {
		return nil
	}
	err := j.file.Truncate(j.end)
	if err == nil {
		err = j.keep(j.file.Sync())
	}
	if err != nil {
		return fmt.Errorf("cut off what was written in part: %w", err)
	}
	j.torn = false
	return nil
}

// reopen makes up for a rotation that failed half-way.
func (j *Journal) reopen() error {
	last := j.last
	_, err := j.open()
	if err == nil && j.last != last {
		err = errors.Join(ErrChanged, j.file.Close())
		j.file = nil
	}
	j.last = last
	return err
}

// ready brings the file to where the next record goes.
func (j *Journal) ready() error {
	switch {
	case j.closed:
		return ErrClosed
	case j.unkept != nil:
		return j.unkept
	}
	if j.file == nil {
		if err := j.reopen(); err != nil {
			return err
		}
	}
	if err := j.mend(); err != nil {
		return err
	}
	end, err := j.file.Seek(0, io.SeekEnd)
	if err == nil && end != j.end {
		err = ErrChanged
	}
	return err
}
