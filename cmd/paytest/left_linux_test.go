package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/tools/trust"
)

// descriptors lists what this process has open.
func descriptors(t *testing.T) (open []string) {
	t.Helper()
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dir {
		if to, err := os.Readlink("/proc/self/fd/" + d.Name()); err == nil && !strings.HasPrefix(to, "anon_inode:") {
			open = append(open, to)
		}
	}
	slices.Sort(open)
	return open
}

// leaves runs a call in this process, and says what it leaves behind.
func (c call) leaves(t *testing.T, dir string, env cli.Env) error {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	w := &watched{until: c.until, then: interrupt}
	env.Args, env.In, env.Out, env.Err = c.args, strings.NewReader(""), w, w
	goroutines, before := goleak.IgnoreCurrent(), descriptors(t)
	if code := cli.Run(ctx, env); c.until == "" && code != c.code {
		t.Errorf("%s: exit code %d\n%s", c.line, code, w)
	}
	if err := goleak.Find(goroutines); err != nil {
		return err
	}
	if after := descriptors(t); !slices.Equal(before, after) {
		return fmt.Errorf("open before: %q, after: %q", before, after)
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && (strings.HasSuffix(path, ".part") || filepath.Base(filepath.Dir(path)) == "tmp") {
			err = fmt.Errorf("the file %s", path)
		}
		return err
	})
}

// staged is where the calls run in this process.
func staged(t *testing.T) (dir string, calls []call) {
	t.Helper()
	dir = stageFor(t)
	calls = everyCall(dir, keepShop(t), keepShop(t, "500"), keepShop(t, "double-credit"))
	temporary := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", temporary)
	t.Setenv(cli.SecretEnv, shared)
	t.Chdir(dir)
	return dir, calls
}

// TestTrustNothingLeft uses every command, so that it succeeds and fails, and looks
// for what it leaves behind: goroutines, descriptors, temporary and half files.
func TestTrustNothingLeft(t *testing.T) {
	dir, calls := staged(t)
	for range trust.Scale(1, 3, 20) {
		for _, c := range calls {
			if err := c.leaves(t, dir, outside()); err != nil {
				t.Errorf("%s leaves: %v", c.line, err)
			}
		}
		for _, old := range []string{"redacted.jsonl", "received.jsonl", "sent.jsonl"} {
			_ = os.Remove(filepath.Join(dir, old))
		}
		_ = os.RemoveAll(filepath.Join(dir, "pack"))
	}
	trust.Figure(t, "calls", len(calls)*trust.Scale(1, 3, 20))
}

// open is a file that nobody closes.
type open struct{ fs.File }

func (open) Close() error { return nil }

// TestTrustNothingLeftCatches holds that the test above fails for a program that
// leaves something behind.
func TestTrustNothingLeftCatches(t *testing.T) {
	dir, calls := staged(t)
	at := slices.IndexFunc(calls, func(c call) bool { return strings.HasPrefix(c.line, "sign ") && c.code == 0 })
	report := slices.IndexFunc(calls, func(c call) bool { return strings.HasPrefix(c.line, "run ") && c.code == 0 && c.until == "" })
	files, halves, goroutines := outside(), outside(), outside()
	files.Open = func(name string) (fs.File, error) {
		f, err := os.Open(name)
		return open{f}, err
	}
	halves.WriteFile = func(name string, data []byte) error { return createFile(name+".part", data) }
	stop := make(chan struct{})
	defer close(stop)
	goroutines.Environ = func() []string {
		go func() { <-stop }()
		return os.Environ()
	}
	for _, broken := range []struct {
		name string
		env  cli.Env
		call call
	}{{"leaves a file open", files, calls[at]}, {"leaves a goroutine", goroutines, calls[at]}, {"leaves half a file", halves, calls[report]}} {
		if err := broken.call.leaves(t, dir, broken.env); err == nil {
			t.Errorf("a program that %s is not caught", broken.name)
		} else {
			trust.Caught(t, broken.name)
		}
	}
}
