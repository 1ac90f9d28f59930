package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/tools/trust"
)

// process is a listener that runs in a process of its own.
type process struct {
	cmd   *exec.Cmd
	addr  string
	ended chan struct{} // closed when all that it wrote was read
}

// runs starts a listener and waits until it takes deliveries.
func runs(t *testing.T, program string, args ...string) *process {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	r := &process{cmd: exec.CommandContext(t.Context(), path, args...), ended: make(chan struct{})}
	r.cmd.Stderr = os.Stderr
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	var ready struct{ Addr string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	r.addr = ready.Addr
	go func() {
		_, _ = io.Copy(io.Discard, lines)
		close(r.ended)
	}()
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill()
		<-r.ended
		_ = r.cmd.Wait()
	})
	return r
}

// memory is the most that a process ever had in memory, in bytes.
func (r *process) memory(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	if err != nil || m == nil {
		t.Fatalf("%v: %s", err, status)
	}
	kB, err := strconv.Atoi(string(m[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

// slow is a sender that does not come to an end.
type slow struct {
	conn net.Conn
	drip string        // what it sends now and then
	gone chan struct{} // closed when its connection is
	at   time.Time     // when that was
}

func (s *slow) isGone() bool {
	select {
	case <-s.gone:
		return true
	default:
		return false
	}
}

// slowSender opens the connection of one: the ways to be slow take turns.
func (p *payer) slowSender(t *testing.T, addr string, i int) *slow {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+i%50))} // one address has too few ports
	conn, err := (&net.Dialer{LocalAddr: from}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Errorf("sender %d: %v", i, err)
		return nil
	}
	s := &slow{conn: conn, gone: make(chan struct{})}
	path, body := p.payload(t)
	head := "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	var begin string
	switch i % 4 {
	case 0: // says nothing
	case 1:
		begin, s.drip = head+"X-Slow: ", "x"
	case 2:
		begin, s.drip = fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, listen.MaxBody, strings.Repeat(" ", 32<<10)), " "
	case 3: // delivers, and then says nothing
		begin = fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body)
	}
	_, _ = io.WriteString(conn, begin) // it may be closed already
	go func() {
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
		s.at = time.Now()
		close(s.gone)
	}()
	return s
}

// honest delivers over a new connection until ctx ends, and returns how long each
// delivery took.
func (p *payer) honest(ctx context.Context, t *testing.T, addr string) (took []time.Duration) {
	for ctx.Err() == nil {
		path, body := p.payload(t)
		began := time.Now()
		if status, err := deliverTo(t, addr, path, body); err != nil || status != http.StatusOK {
			t.Errorf("an honest sender got %d, %v", status, err)
			return took
		}
		took = append(took, time.Since(began))
	}
	return took
}

// crowd opens so many slow connections, from many sides.
func (p *payer) crowd(t *testing.T, addr string, size int) []*slow {
	all := make([]*slow, size)
	var next atomic.Int64
	var opening sync.WaitGroup
	for range senders {
		opening.Go(func() {
			for i := int(next.Add(1)) - 1; i < size; i = int(next.Add(1)) - 1 {
				all[i] = p.slowSender(t, addr, i)
			}
		})
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return all
}

// drip sends a little on every connection, once a second, until all are gone.
func drip(ctx context.Context, all []*slow) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		left := 0
		for _, s := range all {
			if !s.isGone() {
				left++
				_, _ = io.WriteString(s.conn, s.drip)
			}
		}
		if left == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// sockets is how many connections a process has, and places where it takes some.
func (r *process) sockets(t *testing.T) (n int) {
	t.Helper()
	folder := fmt.Sprintf("/proc/%d/fd", r.cmd.Process.Pid)
	open, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range open {
		if to, err := os.Readlink(filepath.Join(folder, f.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

// besieged says what is wrong with a listener that a crowd was sent to, and that had
// so many sockets before: who was answered last came last, so that all before have
// been let in or not. One stands at each place, and waits to be let in.
func besieged(ctx context.Context, p *payer, t *testing.T, r *process, places int) error {
	once, cancel := context.WithCancel(ctx)
	cancel()
	p.honest(&delivers{Context: once, left: 1}, t, r.addr)
	if held := r.sockets(t) - 2*places; held > listen.MaxConnections {
		return fmt.Errorf("it holds %d connections", held)
	}
	return nil
}

// delivers is a context that lasts for a number of deliveries.
type delivers struct {
	context.Context
	left int
}

func (d *delivers) Err() error {
	if d.left--; d.left >= 0 {
		return nil
	}
	return errors.New("enough")
}

// TestTrustSlowSenders besieges a listener with connections that drip headers or
// bodies, or are silent: there are never more than stated, honest senders are
// answered all the time, all the others are gone by themselves, and memory stays
// below what a thousand of them may take.
func TestTrustSlowSenders(t *testing.T) {
	t.Parallel()
	size := trust.Scale(1_200, 10_000, 10_000)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 3 * 10_000, Max: 3 * 10_000}); err != nil {
		var limit syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || limit.Cur < uint64(size+1000) {
			t.Skipf("this system allows %d open files, %d are needed: %v", limit.Cur, size+1000, err)
		}
	}
	p, r := newPayer(t), runs(t, "paytest", "listen", ":0", "--output", "ndjson")
	places := r.sockets(t)
	ctx, end := context.WithCancel(t.Context())
	latencies := make([][]time.Duration, 8)
	var honest sync.WaitGroup
	for i := range latencies {
		honest.Go(func() { latencies[i] = p.honest(ctx, t, r.addr) })
	}
	all := p.crowd(t, r.addr, size)
	opened := time.Now()
	if err := besieged(ctx, p, t, r, places); err != nil {
		t.Error(err)
	}
	drip(t.Context(), all)
	last := slices.MaxFunc(all, func(a, b *slow) int { return a.at.Compare(b.at) }).at.Sub(opened)
	end()
	honest.Wait()
	took := slices.Concat(latencies...)
	slices.Sort(took)
	used := r.memory(t)
	if used > mostMemory {
		t.Errorf("the listener took %d bytes, more than %d", used, mostMemory)
	}
	trust.Figure(t, "slow connections", size)
	trust.Figure(t, "all gone after", last.Round(time.Millisecond*100))
	trust.Figure(t, "honest deliveries", len(took))
	trust.Figure(t, "honest p99", took[len(took)*99/100].Round(time.Microsecond*10))
	trust.Figure(t, "memory MB", used>>20)
}

// TestTrustSlowSendersCatches holds that the test above fails for a listener that
// takes everybody.
func TestTrustSlowSendersCatches(t *testing.T) {
	p, r := newPayer(t), runs(t, "paytest-hospitable")
	places := r.sockets(t)
	all := p.crowd(t, r.addr, listen.MaxConnections+100)
	if err := besieged(t.Context(), p, t, r, places); err == nil {
		t.Error("not caught")
	} else {
		t.Log(err)
		trust.Caught(t, "takes every connection")
	}
	for _, s := range all {
		_ = s.conn.Close()
	}
}
