package main

import (
	"os/exec"
	"syscall"
)

// together hands cmd its line as it is: cmd reads quotes in its own way, and not as
// Go writes them for other programs.
func together(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: cmdLine(cmd.Args[len(cmd.Args)-1])}
}

func patient(line string) string { return line }

func sweep(*exec.Cmd) {}
