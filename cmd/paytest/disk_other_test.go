//go:build !linux

package main

import "testing"

// fullDisk needs a system on which a disk can be mounted by one call.
func fullDisk(*testing.T) []trouble { return nil }
