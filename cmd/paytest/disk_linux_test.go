package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// fullDisk is a disk of its own that can be filled, where one may be mounted.
func fullDisk(t *testing.T) []trouble {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Logf("no disk can be mounted: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	ballast := filepath.Join(dir, "ballast")
	fill := func() error {
		f, err := os.Create(ballast)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if _, err = io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		return nil
	}
	return []trouble{{name: "a full disk", env: outside(), dir: dir, begin: fill, end: func() error { return os.Remove(ballast) }, says: "no space left on device"}}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
