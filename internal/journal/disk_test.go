package journal_test

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing/fstest"
	"time"

	"github.com/paytest/paytest/internal/journal"
)

// osFS is the real file system.
type osFS struct{}

func (osFS) Open(name string) (journal.File, error) { return opened(os.OpenFile(name, os.O_RDWR, 0)) }

func (osFS) Create(name string) (journal.File, error) {
	return opened(os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600))
}

func (osFS) Rename(from, to string) error          { return os.Rename(from, to) }
func (osFS) Stat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

func (osFS) SyncDir(name string) error {
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func opened(f *os.File, err error) (journal.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

var (
	errDisk  = errors.New("the disk is broken")
	errStale = errors.New("the handle is from before the crash")
	errPower = errors.New("the power is gone")
)

// faults say what goes wrong from now on.
type faults struct {
	// space is how many more bytes fit; -1 is no limit.
	space int
	// short makes a write end early without saying why.
	short bool
	// sync makes Sync fail; lose makes what it should have written never be.
	sync, lose                        bool
	truncate, create, rename, syncDir bool
}

// lies are calls that say they did what they did not: each stands for a journal
// that forgets to make that call.
type lies struct{ sync, truncate, syncDir bool }

// disk is a file system in memory that knows what a power cut would leave.
type disk struct {
	mu     sync.Mutex
	faults faults
	lies   lies
	age    int // crashes so far
	syncs  int
	// fuse is how many more operations the power lasts for; -1 is without end.
	fuse int
	// unkept is set when a sync failed, until the next crash or opening.
	unkept bool
	// hold, when set, is received from by every Sync.
	hold chan struct{}

	names, durable map[string]*inode
	moves          []func(map[string]*inode)
}

type inode struct {
	now, durable []byte
	ops          []func([]byte) []byte
}

func newDisk() *disk {
	return &disk{faults: faults{space: -1}, fuse: -1, names: map[string]*inode{}, durable: map[string]*inode{}}
}

func (d *disk) move(f func(map[string]*inode)) {
	f(d.names)
	d.moves = append(d.moves, f)
}

func (n *inode) do(op func([]byte) []byte) {
	n.now = op(n.now)
	n.ops = append(n.ops, op)
}

func put(at int, data []byte) func([]byte) []byte {
	data = slices.Clone(data)
	return func(b []byte) []byte {
		out := append(slices.Clone(b), make([]byte, max(0, at+len(data)-len(b)))...)
		copy(out[at:], data)
		return out
	}
}

// power uses up the fuse.
func (d *disk) power() error {
	if d.fuse == 0 {
		return errPower
	}
	d.fuse = max(d.fuse-1, -1)
	return nil
}

// kill ends the program; what it wrote stays.
func (d *disk) kill() { d.age++ }

// cut ends the power: of what was not synced, something is left, in every file
// and in the folder.
func (d *disk) cut(seed uint64) {
	d.age++
	d.fuse = -1
	r := rand.New(rand.NewPCG(seed, 0))
	names := slices.Sorted(maps.Keys(d.names))
	for _, m := range d.moves[:r.IntN(len(d.moves)+1)] {
		m(d.durable)
	}
	all := map[*inode]bool{}
	for _, name := range names {
		all[d.names[name]] = true
		d.names[name].crash(r)
	}
	for _, name := range slices.Sorted(maps.Keys(d.durable)) {
		if n := d.durable[name]; !all[n] {
			all[n] = true
			n.crash(r)
		}
	}
	d.names, d.moves = maps.Clone(d.durable), nil
}

// crash leaves of what was not synced what a disk may: each page as it was after
// any of the writes, since pages go out in any order, and a size of any moment. A
// page that was never written reads as zeros.
func (n *inode) crash(r *rand.Rand) {
	states := [][]byte{n.durable}
	for _, op := range n.ops {
		states = append(states, op(states[len(states)-1]))
	}
	left := make([]byte, len(states[r.IntN(len(states))]))
	if r.IntN(2) == 0 { // the last page was not filled
		left = left[:max(min(len(left), len(n.durable)), len(left)-r.IntN(len(left)+1))]
	}
	page := []int{512, 512, 4096}[r.IntN(3)] // no disk writes less at once
	for at := 0; at < len(left); at += page {
		if from := states[r.IntN(len(states))]; at < len(from) {
			copy(left[at:min(at+page, len(left))], from[at:])
		}
	}
	n.now, n.durable, n.ops = left, left, nil
}

func (d *disk) read(name string) ([]byte, bool) {
	n, ok := d.names[name]
	if !ok {
		return nil, false
	}
	return n.now, true
}

// plant puts a journal of these bytes on the disk.
func (d *disk) plant(b []byte) {
	n := &inode{now: b, durable: b}
	d.names[name], d.durable[name] = n, n
}

func (d *disk) Open(name string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.power(); err != nil {
		return nil, err
	}
	n, ok := d.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &handle{d: d, n: n, age: d.age}, nil
}

func (d *disk) Create(name string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.power(); err != nil {
		return nil, err
	}
	switch {
	case d.faults.create:
		return nil, errDisk
	case d.names[name] != nil:
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	n := &inode{}
	d.move(func(m map[string]*inode) { m[name] = n })
	return &handle{d: d, n: n, age: d.age}, nil
}

func (d *disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.power(); err != nil {
		return err
	}
	switch {
	case d.faults.rename:
		return errDisk
	case d.names[from] == nil:
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	n := d.names[from]
	d.move(func(m map[string]*inode) {
		delete(m, from)
		m[to] = n
	})
	return nil
}

func (d *disk) Stat(name string) (fs.FileInfo, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.power(); err != nil {
		return nil, err
	}
	n, ok := d.names[name]
	if !ok {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrNotExist}
	}
	return fs.Stat(fstest.MapFS{"f": {Data: n.now, ModTime: time.Time{}}}, "f")
}

func (d *disk) SyncDir(string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.power(); err != nil {
		return err
	}
	switch {
	case d.faults.syncDir:
		d.unkept = true
		return errDisk
	case !d.lies.syncDir:
		d.durable, d.moves = maps.Clone(d.names), nil
	}
	return nil
}

type handle struct {
	d      *disk
	n      *inode
	at     int
	age    int
	closed bool
}

func (h *handle) use() error {
	switch {
	case h.closed:
		return fs.ErrClosed
	case h.age != h.d.age:
		return errStale
	}
	return h.d.power()
}

func (h *handle) Read(p []byte) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.use(); err != nil {
		return 0, err
	}
	if h.at >= len(h.n.now) {
		return 0, io.EOF
	}
	n := copy(p, h.n.now[h.at:])
	h.at += n
	return n, nil
}

func (h *handle) Write(p []byte) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.use(); err != nil {
		return 0, err
	}
	n, err := len(p), error(nil)
	if room := h.d.faults.space; room >= 0 && n > room {
		n, err = room, syscall.ENOSPC
	}
	if h.d.faults.short && n > 0 {
		n /= 2
	}
	if h.d.faults.space >= 0 {
		h.d.faults.space -= n
	}
	h.n.do(put(h.at, p[:n]))
	h.at += n
	return n, err
}

func (h *handle) Seek(offset int64, whence int) (int64, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.use(); err != nil {
		return 0, err
	}
	switch whence {
	case io.SeekStart:
		h.at = int(offset)
	case io.SeekEnd:
		h.at = len(h.n.now) + int(offset)
	default:
		h.at += int(offset)
	}
	return int64(h.at), nil
}

func (h *handle) Sync() error {
	if h.d.hold != nil {
		<-h.d.hold
	}
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	h.d.syncs++
	if err := h.use(); err != nil {
		return err
	}
	switch f := h.d.faults; {
	case f.sync && f.lose:
		h.n.ops = nil // as Linux does: the pages are clean, the disk never saw them
		h.d.unkept = true
		return errDisk
	case f.sync:
		h.d.unkept = true
		return errDisk
	case !h.d.lies.sync:
		for _, op := range h.n.ops {
			h.n.durable = op(h.n.durable)
		}
		h.n.ops = nil
	}
	return nil
}

func (h *handle) Truncate(size int64) error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if err := h.use(); err != nil {
		return err
	}
	if h.d.faults.truncate {
		return errDisk
	}
	if !h.d.lies.truncate {
		h.n.do(func(b []byte) []byte {
			return append(slices.Clone(b[:min(len(b), int(size))]), make([]byte, max(0, int(size)-len(b)))...)
		})
	}
	return nil
}

func (h *handle) Close() error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.closed {
		return fs.ErrClosed
	}
	h.closed = true
	return nil
}
