package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/paytest/paytest/internal/cli"
)

// files is the real file system, as journals need it.
type files struct{}

var errNoFile = errors.New("it is no regular file, and only such a one can be a journal")

func (files) Open(name string) (cli.File, error) {
	// A pipe or a device could be read without end, and keeps nothing.
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	return os.OpenFile(name, os.O_RDWR, 0)
}

func (files) Create(name string) (cli.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

func (files) Rename(from, to string) error { return os.Rename(from, to) }

func (files) Stat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// SyncDir is a wish on systems that cannot open a folder.
func (files) SyncDir(name string) error {
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	err = dir.Sync()
	if errors.Is(err, os.ErrInvalid) || errors.Is(err, fs.ErrPermission) {
		err = nil
	}
	return errors.Join(err, dir.Close())
}

// writeFile writes a whole file or leaves what was there.
func writeFile(name string, data []byte) error {
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, data, 0o600) // such as /dev/stdout
	}
	part := fmt.Sprintf("%s.%d.part", name, os.Getpid())
	if err := createFile(part, data); err != nil {
		_ = os.Remove(part)
		return fmt.Errorf("%s cannot be written: %w", name, errors.Unwrap(err))
	}
	err := os.Rename(part, name)
	if err != nil {
		_ = os.Remove(part)
	}
	return err
}

// createFile writes a file that must not be there yet.
func createFile(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) // less what the umask takes
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func appendFile(name string, data []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func makeDirs(name string) error { return os.MkdirAll(name, 0o755) }
