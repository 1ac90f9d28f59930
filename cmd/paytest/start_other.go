//go:build !unix && !windows

package main

import "os/exec"

// together leaves it to the system what becomes of what a command started.
func together(*exec.Cmd) {}

func patient(line string) string { return line }

func sweep(*exec.Cmd) {}
