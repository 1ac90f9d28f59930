package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/tools/trust"
)

// listensOn lists the addresses that a process listens on.
func listensOn(pid int) (out []netip.AddrPort) {
	mine := map[string]bool{}
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid)) // it may have ended
	for _, fd := range fds {
		to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
		if inode, ok := strings.CutPrefix(to, "socket:["); ok {
			mine[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && mine[f[9]] {
				out = append(out, kernelAddress(f[1]))
			}
		}
	}
	return out
}

// kernelAddress reads an address as /proc/net/tcp has it: in words of 32 bits.
func kernelAddress(s string) netip.AddrPort {
	ip, port, _ := strings.Cut(s, ":")
	raw, _ := hex.DecodeString(ip)
	for i := 0; i+4 <= len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	addr, _ := netip.AddrFromSlice(raw)
	p, _ := hex.DecodeString(port)
	return netip.AddrPortFrom(addr.Unmap(), uint16(p[0])<<8|uint16(p[1]))
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// doors runs a call and says where it was seen to listen. It
// is interrupted where it does not end by itself.
func (c call) doors(t *testing.T, dir string) map[netip.Addr]bool {
	t.Helper()
	path, err := exec.LookPath("paytest")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, strings.Fields(strings.ReplaceAll(c.line, "$DIR", dir))...)
	w := &watched{until: c.until, then: func() { _ = cmd.Process.Signal(os.Interrupt) }}
	seen := map[netip.Addr]bool{}
	var mu sync.Mutex
	look := func() {
		at := listensOn(cmd.Process.Pid)
		mu.Lock()
		defer mu.Unlock()
		for _, a := range at {
			seen[a.Addr()] = true
		}
	}
	cmd.Stdout = writer(func(p []byte) (int, error) {
		_ = cmd.Process.Signal(syscall.SIGSTOP) // what is over soon is held
		look()
		_ = cmd.Process.Signal(syscall.SIGCONT)
		return w.Write(p)
	})
	cmd.Dir, cmd.Stderr = dir, cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait()
	}()
	for ticks := time.NewTicker(time.Millisecond); ; {
		select {
		case <-ended:
			ticks.Stop()
			return seen
		case <-ticks.C: // not all say something while they listen
			look()
		}
	}
}

// TestTrustLoopback looks, by what the kernel says of the process, where each
// command listens that does: nowhere but on this machine itself.
func TestTrustLoopback(t *testing.T) {
	t.Parallel()
	dir, shop := stageFor(t), keepShop(t)
	seenBy := 0
	if out := (call{line: "send", args: []string{"send", "invoice", "complete", "--to", shop, "--record", "sent.jsonl"}}).play(t, "paytest", dir); out == "" {
		t.Fatal("nothing was sent")
	}
	for _, c := range []call{
		{line: "listen :0", until: "Ctrl-C ends it"},
		{line: "listen 0", until: "Ctrl-C ends it"},
		{line: "listen localhost:0", until: "Ctrl-C ends it"},
		{line: "listen --addr :0 --forward-to :1", until: "Ctrl-C ends it"},
		{line: "listen :0 --ui=:0", until: "Ctrl-C ends it"},
		{line: "listen :0 --ui=0", until: "Ctrl-C ends it"},
		{line: "inspect $DIR/sent.jsonl --ui :0", until: "Ctrl-C ends it"},
		{line: "inspect $DIR/sent.jsonl --ui 0", until: "Ctrl-C ends it"},
		{line: "run expired --retries 0 --ui=:0 --to " + shop, until: "Ctrl-C ends"},
		{line: "demo"},
		{line: "demo --bug double-credit"},
	} {
		seen := c.doors(t, dir)
		for tries := 0; len(seen) == 0 && tries < 20; tries++ { // what is over soon may not be seen
			seen = c.doors(t, dir)
		}
		if len(seen) == 0 {
			t.Errorf("paytest %s: it was not seen to listen", c.line)
		}
		for a := range seen {
			if seenBy++; !a.IsLoopback() {
				t.Errorf("paytest %s listens on %s", c.line, a)
			}
		}
	}
	trust.Figure(t, "listeners seen", seenBy)
}

// TestTrustLoopbackCatches holds that the test above sees who listens for others.
func TestTrustLoopbackCatches(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", "[::]:0"} {
		seen := call{line: "listen " + address, until: "Ctrl-C ends it"}.doors(t, t.TempDir())
		open := false
		for a := range seen {
			open = open || !a.IsLoopback()
		}
		if !open {
			t.Errorf("%s is not seen, but %v", address, seen)
		} else {
			trust.Caught(t, "listens on "+address)
		}
	}
}

// underWay ends a listener while deliveries are under way to the endpoint behind
// it, and says what is wrong with what becomes of them.
func (p *payer) underWay(t *testing.T, program string, signal os.Signal, n int) error {
	var inside atomic.Int64
	all, release := make(chan struct{}), make(chan struct{})
	app := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		if int(inside.Add(1)) == n {
			close(all)
		}
		<-release
	}))
	defer app.Close()
	free := sync.OnceFunc(func() { close(release) })
	defer free()
	file := filepath.Join(t.TempDir(), "all.jsonl")
	l := runs(t, program, "listen", "127.0.0.1:0", "--output", "ndjson", "--record", file, "--forward-to", app.URL)
	var acked, refused []string
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		acked, refused = p.deliveries(t, l.addr, n)
	}()
	<-all
	if err := l.cmd.Process.Signal(signal); err != nil {
		return err
	}
	for { // nobody is let in any more
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", l.addr)
		if err != nil {
			break
		}
		_ = conn.Close()
	}
	free()
	<-answered
	<-l.ended
	_ = l.cmd.Wait()
	switch {
	case len(acked) != n || len(refused) > 0:
		return fmt.Errorf("%d of %d are acknowledged", len(acked), n)
	case l.cmd.ProcessState.ExitCode() != 0:
		return errors.New(l.cmd.ProcessState.String())
	}
	if lies := p.lies(t, file, acked); len(lies) > 0 {
		return errors.New(lies[0])
	}
	if recorded := recorded(t, file); len(recorded) != n {
		return fmt.Errorf("%d of %d are recorded", len(recorded), n)
	}
	return nil
}

// TestTrustDrain ends listeners while deliveries are under way: nobody else is let
// in, each of them gets its answer and is recorded, and the program ends well.
func TestTrustDrain(t *testing.T) {
	p, rounds, n := newPayer(t), trust.Scale(2, 30, 1000), 64
	for round := range rounds {
		signal := []os.Signal{syscall.SIGTERM, os.Interrupt}[round%2]
		if err := p.underWay(t, "paytest", signal, n); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
	trust.Figure(t, "ended", rounds)
	trust.Figure(t, "under way", rounds*n)
}

// TestTrustDrainCatches holds that the test above fails for a program that does
// not end well.
func TestTrustDrainCatches(t *testing.T) {
	for _, broken := range []struct {
		name, program string
		signal        os.Signal
	}{{"ends without what it has not written", "paytest-early", syscall.SIGTERM}, {"ends at once", "paytest", syscall.SIGKILL}} {
		if err := newPayer(t).underWay(t, broken.program, broken.signal, 8); err == nil {
			t.Errorf("a program that %s is not caught", broken.name)
		} else {
			t.Log(err)
			trust.Caught(t, broken.name)
		}
	}
}
