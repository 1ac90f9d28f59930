package listen

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// tableLook is how often a table looks for connections that are idle.
const tableLook = time.Second

// errFailed is why a connection ends whose delivery made the program fail.
var errFailed = errors.New("a delivery made the program fail")

// tables answer the plain requests of many connections in rounds: what came is read
// and judged, recorded at once, and then answered. A goroutine for each connection
// finds nothing the first time it reads, is put to sleep and woken for each request,
// and again for its record.
type tables struct {
	all  []table
	next atomic.Uint32
}

// table is a goroutine. Its epoll is watched by the runtime's own, so that others
// have their turn between the rounds.
type table struct {
	front *front
	once  sync.Once
	epoll *os.File // nil where there is none
	raw   syscall.RawConn

	mu     sync.Mutex
	seats  map[int32]*seat // by number
	last   int32           // the last number that was given
	closed bool

	// Of a round.
	events   []syscall.EpollEvent
	came     []*seat
	judged   []*Delivery
	recorded time.Time
}

// seat is a connection at a table. It, and the dialog, are the table's until done is
// closed.
type seat struct {
	*dialog
	raw         syscall.RawConn
	number      int32
	read, write func(fd uintptr) bool
	n           int   // what the last of them returned, and at last sit
	err         error // what sit returns
	try         try
	asked       bool
	since       time.Duration // when the last request was answered
	done        chan struct{}
}

func newTables(f *front) *tables {
	ts := &tables{all: make([]table, runtime.GOMAXPROCS(0))}
	for i := range ts.all {
		ts.all[i].front = f
	}
	return ts
}

// sit has a connection's requests answered for as long as they are plain and come one
// by one, whole, and at once. Then d.buf[:n] is to be answered, or d.out to be
// written; where there is neither there is something to be read. It fails where the
// connection ends. sat is set where the deadlines were taken away.
func (ts *tables) sit(d *dialog) (n int, sat bool, err error) {
	conn, ok := d.Conn.(syscall.Conn)
	if !ok {
		return 0, false, nil
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	t := &ts.all[ts.next.Add(1)%uint32(len(ts.all))]
	t.once.Do(t.start)
	s := &seat{dialog: d, raw: raw, since: t.front.up(), done: make(chan struct{})}
	s.read = func(fd uintptr) bool {
		s.n, _ = syscall.Read(int(fd), s.buf)
		return true
	}
	s.write = func(fd uintptr) bool {
		s.n, _ = syscall.Write(int(fd), s.out)
		return true
	}
	d.table.Store(t)
	defer d.table.Store(nil)
	if !t.front.disarm(d.guest) {
		return 0, false, os.ErrDeadlineExceeded
	}
	if t.add(s) {
		<-s.done
		n, err = s.n, s.err
	}
	return n, true, err
}

// hurry makes all tables look for what has ended.
func (ts *tables) hurry() {
	for i := range ts.all {
		ts.all[i].hurry()
	}
}

func (t *table) start() {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return
	}
	if syscall.SetNonblock(fd, true) != nil {
		_ = syscall.Close(fd)
		return
	}
	file := os.NewFile(uintptr(fd), "epoll")
	raw, err := file.SyscallConn()
	if err != nil || file.SetReadDeadline(time.Time{}) != nil { // the runtime does not watch it
		_ = file.Close()
		return
	}
	t.events = make([]syscall.EpollEvent, MaxConnections)
	t.mu.Lock()
	t.epoll, t.raw, t.seats = file, raw, map[int32]*seat{}
	t.mu.Unlock()
	t.front.wg.Go(t.work)
}

func (t *table) hurry() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.epoll != nil {
		_ = t.epoll.SetReadDeadline(time.Unix(1, 0))
	}
}

// work makes rounds until all is over.
func (t *table) work() {
	defer func() { _ = t.epoll.Close() }()
	for {
		_ = t.epoll.SetReadDeadline(wall().Add(tableLook)) // before it looks, so that it need not be hurried twice
		if t.look() {
			return
		}
		_ = t.raw.Read(func(epoll uintptr) bool {
			t.round(int(epoll))
			return false
		})
	}
}

// look has those go that were shown out or are idle, and all when all is over.
func (t *table) look() (over bool) {
	now := t.front.up()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = t.front.over.Load()
	for _, s := range t.seats {
		if t.closed || s.shown.Load() || now-s.since > idleTimeout {
			t.remove(s, 0, os.ErrDeadlineExceeded)
		}
	}
	return t.closed
}

func (t *table) add(s *seat) bool {
	s.awaits() // before the lock: who shows it out has the crowd's, and wants this one
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.epoll == nil {
		return false
	}
	t.last++ // and not its descriptor, which another may have before this one is gone
	s.number = t.last
	t.seats[s.number] = s
	if t.control(s, syscall.EPOLL_CTL_ADD) != nil {
		delete(t.seats, s.number)
		return false
	}
	return true
}

// control has the epoll tell of a connection, or no more.
func (t *table) control(s *seat, op int) (err error) {
	ev := syscall.EpollEvent{Events: syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<31, Fd: s.number} // EPOLLET is 1<<31, but negative in syscall
	failed := s.raw.Control(func(fd uintptr) {
		if failed := t.raw.Control(func(epoll uintptr) { err = syscall.EpollCtl(int(epoll), op, int(fd), &ev) }); failed != nil {
			err = failed
		}
	})
	return errors.Join(failed, err)
}

// leave has a connection go on by itself.
func (t *table) leave(s *seat, n int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(s, n, err)
}

func (t *table) remove(s *seat, n int, err error) {
	_ = t.control(s, syscall.EPOLL_CTL_DEL) // of one that is closed nothing is told any more
	s.n, s.err = n, err
	delete(t.seats, s.number)
	close(s.done)
}

// round answers what came.
func (t *table) round(epoll int) {
	t.wait(epoll)
	t.each(t.take)
	t.record()
	t.each(t.report)
	now := t.front.up()
	t.each(func(s *seat) bool { return t.answer(s, now) })
}

// each does something for each connection of the round; those for which it returns
// false are no part of it any more.
func (t *table) each(do func(*seat) bool) {
	rest := t.came[:0]
	for _, s := range t.came {
		if do(s) {
			rest = append(rest, s)
		}
	}
	t.came = rest
}

// wait finds the connections that something came of; it does not wait for that.
func (t *table) wait(epoll int) {
	n, _ := syscall.EpollWait(epoll, t.events, 0)
	t.came = t.came[:0]
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, ev := range t.events[:max(n, 0)] {
		switch s := t.seats[ev.Fd]; {
		case s == nil:
		case ev.Events != syscall.EPOLLIN: // nothing is told of what comes after an end
			t.remove(s, 0, nil)
		default:
			t.came = append(t.came, s)
		}
	}
}

// take reads and judges a request.
func (t *table) take(s *seat) bool {
	if s.raw.Read(s.read) != nil || s.n <= 0 {
		t.leave(s, 0, nil) // who reads again is told why
		return false
	}
	s.waiting.Store(false)
	h, n := t.front.h, s.n
	if !s.plain.read(s.buf[:n], h.paths) || s.plain.size < n {
		t.leave(s, n, nil)
		return false
	}
	return t.safely(s, func() { s.try, s.asked = h.judgePlain(&s.plain) })
}

// record records what was judged.
func (t *table) record() {
	t.judged = t.judged[:0]
	for _, s := range t.came {
		if s.asked {
			t.judged = append(t.judged, &s.plain.delivery)
		}
	}
	if len(t.judged) == 0 {
		return
	}
	if !safely(func() { t.recorded, _ = t.front.h.record(t.judged) }) {
		t.each(t.failed)
	}
}

func (t *table) report(s *seat) bool {
	return !s.asked || t.safely(s, func() { t.front.h.report(&s.plain.delivery, s.try, t.recorded, false) })
}

func (t *table) answer(s *seat, now time.Duration) bool {
	s.out = s.plain.answer(s.out[:0], &s.plain.delivery)
	s.waits()
	sent := 0
	if s.raw.Write(s.write) == nil {
		sent = max(s.n, 0)
	}
	if sent < len(s.out) {
		s.out = s.out[sent:]
		t.leave(s, 0, nil) // who writes the rest waits, or is told why not
		return false
	}
	s.out, s.since = s.out[:0], now
	s.awaits()
	return true
}

// safely does something with a connection, which ends where that makes the program
// fail.
func (t *table) safely(s *seat, do func()) bool { return safely(do) || t.failed(s) }

func (t *table) failed(s *seat) bool {
	t.leave(s, 0, errFailed)
	return false
}

func safely(do func()) (ok bool) {
	defer func() { ok = recover() == nil }()
	do()
	return
}
