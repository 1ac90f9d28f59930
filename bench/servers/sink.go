package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"syscall"
	"time"
)

const (
	maxRequest = 64 << 10
	raw        = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n" + answer
)

// well takes requests off connections. It is one thread around epoll, so that the
// load generators are what is measured, not the goroutines of their peer.
type well struct {
	listener, poll int
	open           map[int32]*peer
	count          int
	first, last    time.Time
}

// peer is a connection: what has come and is not yet a whole request.
type peer struct {
	buf [maxRequest]byte
	n   int
}

// sink answers until ctx ends, then writes how many requests came and how many
// seconds passed between the first and the last.
func sink(ctx context.Context, addr string, out io.Writer) error {
	w := &well{open: map[int32]*peer{}}
	if err := w.listen(addr); err != nil {
		return fmt.Errorf("sink on %s: %w", addr, err)
	}
	events := make([]syscall.EpollEvent, 256)
	for ctx.Err() == nil {
		n, err := syscall.EpollWait(w.poll, events, 100)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		if n > 0 {
			w.last = time.Now()
		}
		for _, e := range events[:max(0, n)] {
			if e.Fd == int32(w.listener) {
				w.accept()
			} else if !w.serve(e.Fd) {
				_ = syscall.Close(int(e.Fd))
				delete(w.open, e.Fd)
			}
		}
	}
	_, err := fmt.Fprintln(out, w.count, w.last.Sub(w.first).Seconds())
	return err
}

func (w *well) listen(addr string) error {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return err
	}
	if w.poll, err = syscall.EpollCreate1(0); err != nil {
		return err
	}
	if w.listener, err = syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_NONBLOCK, 0); err != nil {
		return err
	}
	if err := syscall.SetsockoptInt(w.listener, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return err
	}
	if err := syscall.Bind(w.listener, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}); err != nil {
		return err
	}
	if err := syscall.Listen(w.listener, 1024); err != nil {
		return err
	}
	return w.watch(w.listener)
}

func (w *well) watch(fd int) error {
	return syscall.EpollCtl(w.poll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)})
}

func (w *well) accept() {
	fd, _, err := syscall.Accept4(w.listener, syscall.SOCK_NONBLOCK)
	if err != nil {
		return
	}
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1)
	w.open[int32(fd)] = &peer{}
	if w.watch(fd) != nil {
		_ = syscall.Close(fd)
	}
}

// serve answers the requests that are whole; false ends the connection.
func (w *well) serve(fd int32) bool {
	p := w.open[fd]
	m, err := syscall.Read(int(fd), p.buf[p.n:])
	if err != nil {
		return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
	}
	if m == 0 {
		return false
	}
	p.n += m
	for size := whole(p.buf[:p.n]); size > 0; size = whole(p.buf[:p.n]) {
		p.n = copy(p.buf[:], p.buf[size:p.n])
		if w.count == 0 {
			w.first = w.last
		}
		w.count++
		if _, err := syscall.Write(int(fd), []byte(raw)); err != nil {
			return false
		}
	}
	return p.n < len(p.buf)
}

// whole returns the length of the first request, or 0 when more of it must come.
func whole(b []byte) int {
	head := bytes.Index(b, []byte("\r\n\r\n"))
	if head < 0 {
		return 0
	}
	size := 0
	for _, name := range []string{"\r\nContent-Length: ", "\r\ncontent-length: "} {
		if at := bytes.Index(b[:head], []byte(name)); at >= 0 {
			digits, _, _ := bytes.Cut(b[at+len(name):head], []byte("\r\n"))
			size, _ = strconv.Atoi(string(digits))
		}
	}
	if len(b) < head+4+size {
		return 0
	}
	return head + 4 + size
}
