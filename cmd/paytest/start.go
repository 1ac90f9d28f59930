package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// start runs a command line in the system's shell, its output on standard
// error. When ctx ends it is asked to end, and killed five seconds later. Where
// the system can tell, what it started in turn does not outlive it.
func start(ctx context.Context, line string, env []string) (wait func() error, err error) {
	shell, flag := "sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/C"
	}
	cmd := exec.CommandContext(ctx, shell, flag, patient(line))
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.WaitDelay = 5 * time.Second
	together(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return func() error {
		defer sweep(cmd)
		return cmd.Wait()
	}, nil
}

// maxOutput is how much a command may print, in bytes.
const maxOutput = 1 << 20

// output runs a command line in the system's shell and returns what it prints.
// What the command leaves running goes on.
func output(ctx context.Context, line string, env []string) ([]byte, error) {
	shell, flag := "sh", "-c"
	if runtime.GOOS == "windows" {
		shell, flag = "cmd", "/C"
	}
	cmd := exec.CommandContext(ctx, shell, flag, line)
	cmd.Env = append(os.Environ(), env...)
	out := &bounded{left: maxOutput}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	cmd.WaitDelay = time.Second
	together(cmd)
	err := cmd.Run()
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil // it left something running that holds its output
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if err == nil && out.left < 0 {
		err = fmt.Errorf("it printed more than %d bytes", maxOutput)
	}
	return bytes.Clone(out.b.Bytes()), err
}

// bounded keeps the first bytes that are written to it.
type bounded struct {
	mu   sync.Mutex
	b    bytes.Buffer
	left int // below zero when there were more
}

func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(p[:min(len(p), max(w.left, 0))])
	w.left -= len(p)
	return len(p), nil
}
