package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/tools/trust"
)

// faulty is the real file system until it breaks.
type faulty struct {
	files
	// broken is what is broken: nothing, space, sync or names.
	broken atomic.Value
	// deaf is the bug that TestTrustDisk must catch: errors are not listened to.
	deaf bool
}

func (f *faulty) is(what string) bool { return f.broken.Load() == what }

func (f *faulty) Open(name string) (cli.File, error) {
	file, err := f.files.Open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

func (f *faulty) Create(name string) (cli.File, error) {
	if f.is("names") {
		return nil, &os.PathError{Op: "open", Path: name, Err: syscall.EROFS}
	}
	file, err := f.files.Create(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

func (f *faulty) Rename(from, to string) error {
	if f.is("names") {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: syscall.EROFS}
	}
	return f.files.Rename(from, to)
}

type faultyFile struct {
	cli.File
	f *faulty
}

func (f *faultyFile) Write(b []byte) (int, error) {
	if !f.f.is("space") {
		return f.File.Write(b)
	}
	if f.f.deaf {
		return len(b), nil
	}
	n, err := f.File.Write(b[:len(b)/2])
	if err == nil {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *faultyFile) Sync() error {
	if f.f.is("sync") {
		return syscall.EIO
	}
	return f.File.Sync()
}

// inside is a listener in this process.
type inside struct {
	addr  string
	ui    string // the URL of its page; empty without one
	mu    sync.Mutex
	lines []string // what it wrote
	end   func() (code int)
}

// inProcess runs a listener in a world.
func inProcess(t *testing.T, env cli.Env, args ...string) *inside {
	t.Helper()
	r, w := io.Pipe()
	var errs bytes.Buffer
	env.Args, env.Out, env.Err = append(args, "--output", "ndjson"), w, &errs
	ctx, stop := context.WithCancel(t.Context())
	codes := make(chan int, 1)
	go func() {
		codes <- cli.Run(ctx, env)
		_ = w.Close()
	}()
	in := bufio.NewScanner(r)
	in.Buffer(nil, 1<<20)
	var ready struct{ Addr, UI string }
	if !in.Scan() || json.Unmarshal(in.Bytes(), &ready) != nil || ready.Addr == "" {
		t.Fatalf("it ended with %d: %q %s", <-codes, in.Text(), &errs)
	}
	i := &inside{addr: ready.Addr, ui: ready.UI}
	var reading sync.WaitGroup
	reading.Go(func() {
		for in.Scan() {
			i.mu.Lock()
			i.lines = append(i.lines, in.Text())
			i.mu.Unlock()
		}
	})
	i.end = sync.OnceValue(func() int {
		stop()
		reading.Wait()
		return <-codes
	})
	t.Cleanup(func() { i.end() })
	return i
}

// forget forgets what it wrote.
func (i *inside) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.lines = nil
}

// deliverTo delivers over a new connection, and returns how it was answered.
func deliverTo(t *testing.T, addr, path string, body []byte) (status int, err error) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, answer.Body.Close()
}

// abreast is how many senders there are at a time: fewer than the connections
// that a listener holds.
const abreast = 500

// deliveries sends some, many at the same time; it returns those that were acknowledged
// and those that were refused. Others were not answered.
func (p *payer) deliveries(t *testing.T, addr string, n int) (acked, refused []string) {
	var mu sync.Mutex
	var all errgroup.Group
	all.SetLimit(abreast)
	for range n {
		all.Go(func() error {
			path, body := p.payload(t)
			status, err := deliverTo(t, addr, path, body)
			if err != nil {
				return nil // it was not answered
			}
			mu.Lock()
			defer mu.Unlock()
			switch status {
			case http.StatusOK:
				acked = append(acked, string(body))
			case http.StatusServiceUnavailable:
				refused = append(refused, string(body))
			default:
				t.Errorf("answered %d", status)
			}
			return nil
		})
	}
	_ = all.Wait()
	return acked, refused
}

// trouble is what befalls a journal in a folder.
type trouble struct {
	name       string
	env        cli.Env
	dir        string
	args       []string
	begin, end func() error
	says       string
	// lasts is set when it does not end by itself: the program must be started again.
	lasts bool
}

// befall lets a listener record, breaks its disk, and mends it; it says what is
// wrong with what became of the deliveries.
func (p *payer) befall(t *testing.T, x trouble, each int) (refused int, err error) {
	file := filepath.Join(x.dir, "all.jsonl")
	l := inProcess(t, x.env, append([]string{"listen", "127.0.0.1:0", "--record", file}, x.args...)...)
	acked, lost := p.deliveries(t, l.addr, each)
	if len(lost) > 0 {
		return 0, errors.New("it refuses what it could record")
	}
	if err := x.begin(); err != nil {
		t.Fatal(err)
	}
	// A file may have room for a little more on a disk that has none.
	taken, lost := p.deliveries(t, l.addr, each)
	if err := x.end(); err != nil {
		t.Fatal(err)
	}
	if len(lost) == 0 {
		return 0, errors.New("it refuses nothing while the disk is broken")
	}
	more, refusedStill := p.deliveries(t, l.addr, each)
	if x.lasts && len(more) > 0 || !x.lasts && len(refusedStill) > 0 {
		return 0, fmt.Errorf("afterwards %d are acknowledged, %d refused", len(more), len(refusedStill))
	}
	acked, lost = slices.Concat(acked, taken, more), append(lost, refusedStill...)
	if n := len(acked) + len(lost); n != 3*each {
		return 0, fmt.Errorf("%d of %d deliveries are answered", n, 3*each)
	}
	if code := l.end(); code != 1 {
		return 0, fmt.Errorf("exit code %d", code)
	}
	told := 0
	for _, line := range l.lines {
		if strings.Contains(line, `"code":"not-recorded","severity":"violation","message":"the delivery was not recorded, and so not acknowledged: journal `+file) && strings.Contains(line, x.says) {
			told++
		}
	}
	if told != len(lost) {
		return 0, fmt.Errorf("%d of %d refused deliveries are told of in clear words: %q", told, len(lost), l.lines)
	}
	if lies := p.lies(t, file, acked); len(lies) > 0 {
		return 0, fmt.Errorf("%s", lies[0])
	}
	bodies := recorded(t, file)
	for _, body := range lost {
		if bodies[body] > 0 && !x.lasts {
			return 0, fmt.Errorf("a refused delivery is in the journal: %.200s", body)
		}
	}
	return len(lost), nil
}

// seam is a trouble that can be had on any machine.
func seam(t *testing.T, broken, says string, deaf bool) trouble {
	f := &faulty{deaf: deaf}
	f.broken.Store("")
	env := outside()
	env.Files = f
	set := func(what string) func() error {
		return func() error {
			f.broken.Store(what)
			return nil
		}
	}
	return trouble{name: broken, env: env, dir: t.TempDir(), begin: set(broken), end: set(""), says: says}
}

// TestTrustDisk breaks the disk below a listener: what cannot be recorded is
// answered 503 and told of in clear words, nothing that was acknowledged is lost,
// and it goes on where that is safe. A full disk is a real one where one can be
// mounted.
func TestTrustDisk(t *testing.T) {
	sync, names := seam(t, "sync", "the disk failed to keep what was written", false), seam(t, "names", "read-only file system", false)
	sync.lasts, names.args = true, []string{"--record-max", "1"}
	p, each, total := newPayer(t), trust.Scale(8, 200, 2000), 0
	var kinds []string
	for _, x := range append(fullDisk(t), seam(t, "space", "no space left on device", false), sync, names) {
		n := each
		if x.args != nil {
			n = 4 // each has a file of its own, and nine old ones are kept
		}
		refused, err := p.befall(t, x, n)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
		total, kinds = total+refused, append(kinds, x.name)
	}
	trust.Figure(t, "broken", strings.Join(kinds, ", "))
	trust.Figure(t, "refused and told", total)
}

// TestTrustDiskCatches holds that the test above fails for a listener that does
// not hear what the disk says.
func TestTrustDiskCatches(t *testing.T) {
	if _, err := newPayer(t).befall(t, seam(t, "space", "no space left on device", true), 8); err == nil {
		t.Error("not caught")
	} else {
		t.Log(err)
		trust.Caught(t, "does not hear that the disk is full")
	}
}
