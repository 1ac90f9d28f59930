package load

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// slow is for how long a poller waits for an answer.
	slow = 50 * time.Millisecond
	// look is how often it looks for those that take longer, and for the end.
	look = 10 * time.Millisecond
	// pollEvents is of how many connections it is told at once.
	pollEvents = 128
	// knownBytes is how long an answer may be to be known again.
	knownBytes = 1 << 10
)

// pollers carry the exchanges of all connections at the highest rate, for as long
// as all of them are plain: the request goes out at once, and its answer comes soon
// and in one piece. From then on each worker goes on by itself.
//
// The runtime's own poller does not ask whether an answer is there for as long as
// any goroutine can run, but every 10 ms, and the endpoint would be charged for
// that; or else each read had to find nothing first. That is also why there are
// workers or pollers, and not some of each.
type pollers struct {
	run  *engine
	all  []poller
	wg   sync.WaitGroup
	over atomic.Bool
}

// poller is a goroutine that carries the exchanges of many connections.
type poller struct {
	once   sync.Once
	epoll  int                     // below 0 where there is none
	riders []atomic.Pointer[rider] // by the number of the worker

	mu     sync.Mutex
	closed bool // nothing is carried any more
}

// rider is a connection that is carried. What it points to is the poller's until
// back is closed.
type rider struct {
	w     *worker
	fd    int
	ended bool   // there are no more turns
	busy  bool   // a request is under way
	rest  []byte // of it, what could not be sent at once
	back  chan struct{}
	// known is the last answer, which left the connection fit for another, and its status:
	// the same bytes mean the same.
	known  []byte
	status int
}

func newPollers(e *engine) *pollers {
	return &pollers{run: e, all: make([]poller, len(e.recorders))}
}

// carry has a worker's exchanges carried, and returns when the worker has to go on,
// having finished the exchange that was under way. It returns false when there are
// no more.
func (ps *pollers) carry(w *worker) bool {
	if ps.over.Load() {
		return true
	}
	file := w.link.lend()
	if file == nil {
		ps.over.Store(true)
		return true
	}
	defer func() { _ = file.Close() }()
	p := &ps.all[w.number%len(ps.all)]
	p.once.Do(func() { ps.start(p) })
	r := &rider{w: w, fd: int(file.Fd()), back: make(chan struct{})}
	if p.epoll >= 0 && syscall.SetNonblock(r.fd, true) == nil && r.send() && p.add(r) {
		<-r.back
	}
	if r.ended {
		return false
	}
	ps.over.Store(true)
	if !r.busy {
		return true
	}
	err := w.link.adopt(file)
	if f := &w.flight; err == nil {
		f.status, err = w.link.exchange(w.run.start, f.began, r.rest)
	}
	return w.end(err)
}

func (ps *pollers) start(p *poller) {
	p.riders = make([]atomic.Pointer[rider], len(ps.run.workers))
	var err error
	if p.epoll, err = syscall.EpollCreate1(syscall.EPOLL_CLOEXEC); err != nil {
		p.epoll = -1
		return
	}
	ps.wg.Go(func() { ps.work(p) })
}

// stop ends the pollers; no worker is carried any more.
func (ps *pollers) stop() {
	ps.over.Store(true)
	ps.wg.Wait()
}

func (ps *pollers) work(p *poller) {
	defer func() { _ = syscall.Close(p.epoll) }()
	defer p.close()
	events := make([]syscall.EpollEvent, pollEvents)
	var free []*rider
	for looked := ps.run.since(); !ps.over.Load() && ps.run.ctx.Err() == nil; {
		n, _ := syscall.EpollWait(p.epoll, events, int(look/time.Millisecond)) // without any, all will be found slow
		free = free[:0]
		for _, ev := range events[:max(n, 0)] {
			r := p.riders[ev.Fd].Load()
			switch {
			case r == nil:
			case !r.answered():
				p.hand(r)
			case !r.busy:
				free = append(free, r)
			}
		}
		for _, r := range free { // at once, so that who reads them need not be woken for each
			if !r.send() {
				p.hand(r)
			}
		}
		if now := ps.run.since(); now-looked >= look {
			looked = now
			p.look(now)
		}
	}
}

// look hands back what takes long.
func (p *poller) look(now time.Duration) {
	for i := range p.riders {
		if r := p.riders[i].Load(); r != nil && now-r.w.flight.began >= slow {
			p.hand(r)
		}
	}
}

// close hands back everything.
func (p *poller) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for i := range p.riders {
		if r := p.riders[i].Load(); r != nil {
			p.hand(r)
		}
	}
}

func (p *poller) add(r *rider) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	number := r.w.number
	if syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, r.fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(number)}) != nil {
		return false
	}
	p.riders[number].Store(r)
	return true
}

// hand gives a connection back to its worker. What is told of it from then on is
// passed over.
func (p *poller) hand(r *rider) {
	p.riders[r.w.number].Store(nil)
	close(r.back)
}

// send sends the next request; it returns false when the worker has to go on.
func (r *rider) send() bool {
	if r.ended = !r.w.ready(); r.ended {
		return false
	}
	r.w.begin()
	r.busy = true
	f := &r.w.flight
	f.sent = uint64(len(f.request))
	n, err := syscall.Write(r.fd, f.request)
	if err != nil && !again(err) {
		r.busy = false
		r.w.end(os.NewSyscallError("write", err))
		return false
	}
	r.rest = f.request[max(n, 0):]
	return len(r.rest) == 0
}

// answered reads an answer; it returns false when the worker has to go on.
func (r *rider) answered() bool {
	a, keep := r.w.link.answers, false
	n, err := syscall.Read(r.fd, a.buf)
	switch {
	case err != nil && again(err):
		return true
	case err != nil:
		err = os.NewSyscallError("read", err)
	case n > 0 && bytes.Equal(a.buf[:n], r.known):
		a.got += uint64(n)
		r.w.flight.status, keep = r.status, true
	default:
		if r.w.flight.status, keep, err = a.whole(n); errors.Is(err, errPart) {
			return false
		}
		if n <= knownBytes {
			r.known, r.status = append(r.known[:0], a.buf[:n]...), r.w.flight.status
		}
	}
	r.busy = false
	return r.w.end(err) && err == nil && keep
}

// again reports whether a call that failed may be made again later.
func again(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
}

// lend gives the connection away as a file; it returns nil, and keeps it, where that
// cannot be done.
func (l *link) lend() *os.File {
	conn, ok := l.conn.(interface{ File() (*os.File, error) })
	if !ok {
		return nil
	}
	file, err := conn.File()
	if err != nil {
		return nil
	}
	l.drop()
	return file
}

// adopt takes a connection that was lent, with all that was read from it.
func (l *link) adopt(file *os.File) error {
	conn, err := net.FileConn(file)
	if err != nil {
		return err
	}
	l.answers.from = conn
	return l.use(conn)
}

// whole is next where the n bytes that buf starts with are all that came of the
// answer. With errPart nothing is taken: next can read it from the start.
func (a *answers) whole(n int) (status int, keep bool, err error) {
	a.from, a.r, a.w = nil, 0, n
	a.got += uint64(n)
	status, keep, err = a.next()
	if errors.Is(err, errPart) {
		a.r = 0
	}
	return status, keep, err
}
