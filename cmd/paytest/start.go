package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/cli"
)

// shell is a command line for the system's shell, its messages on standard error.
func shell(ctx context.Context, line string, env []string) *exec.Cmd {
	program, flag := "sh", "-c"
	if runtime.GOOS == "windows" {
		program, flag = "cmd", "/C"
	}
	cmd := exec.CommandContext(ctx, program, flag, line)
	cmd.Env, cmd.Stderr = append(unsecret(os.Environ()), env...), os.Stderr
	together(cmd)
	return cmd
}

// unsecret is an environment without the secret, which is not for the programs that
// this one starts: they print what they like.
func unsecret(env []string) []string {
	return slices.DeleteFunc(env, func(s string) bool { return strings.HasPrefix(s, cli.SecretEnv+"=") })
}

// cmdLine is how cmd of Windows is started with a line: of a line in quotes it takes
// the outer ones away, and obeys the rest.
func cmdLine(line string) string { return `cmd /S /C "` + line + `"` }

// start runs a command line in the system's shell, its output on standard
// error. When ctx ends it is asked to end, and killed five seconds later. Where
// the system can tell, what it started in turn does not outlive it.
func start(ctx context.Context, line string, env []string) (wait func() error, err error) {
	cmd := shell(ctx, patient(line), env)
	cmd.Stdout, cmd.WaitDelay = os.Stderr, 5*time.Second
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
	cmd, out := shell(ctx, line, env), &bounded{left: maxOutput}
	cmd.Stdout, cmd.WaitDelay = out, time.Second
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
