//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// together makes a command end with all that it started.
func together(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		err := syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		if errors.Is(err, syscall.ESRCH) {
			err = os.ErrProcessDone
		}
		return err
	}
}

// patient makes the shell wait for the program that it runs when both are asked
// to end.
func patient(line string) string { return "trap 'exit 143' TERM\n" + line }

// sweep ends what a command that has ended left behind.
func sweep(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
