package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
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
