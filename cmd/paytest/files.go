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

var (
	errNoFile = errors.New("it is no regular file, and only such a one can be a journal")
	errLink   = errors.New("it is a link, and may lead to another's file: name the file itself")
)

func (files) Open(name string) (cli.File, error) {
	info, err := os.Lstat(name)
	switch {
	case err != nil:
		return nil, err
	case info.Mode().Type() == fs.ModeSymlink:
		return nil, errLink
	case !info.Mode().IsRegular():
		return nil, errNoFile // a pipe or a device could be read without end, and keeps nothing
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	if opened, err := f.Stat(); err != nil || !os.SameFile(info, opened) {
		return nil, errors.Join(errLink, err, f.Close()) // it became one
	}
	return f, nil
}

func (files) Create(name string) (cli.File, error) {
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
}

func (files) Rename(from, to string) error { return os.Rename(from, to) }

func (files) Stat(name string) (fs.FileInfo, error) { return os.Lstat(name) }

// folder is a folder's files and nothing else: no link leads out of it.
type folder string

func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	return root.Open(filepath.FromSlash(name))
}

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

// writeFile writes a whole file or leaves what was there. It holds payloads, so a
// new one is for its owner alone; an old one stays as readable as it was.
func writeFile(name string, data []byte) error {
	mode := fs.FileMode(0o600)
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return os.WriteFile(name, data, mode) // such as /dev/stdout
	} else if err == nil {
		mode = info.Mode().Perm()
	}
	part := fmt.Sprintf("%s.%d.part", name, os.Getpid())
	if err := create(part, data, mode); err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, errors.Unwrap(err))
	}
	err := os.Rename(part, name)
	if err != nil {
		_ = os.Remove(part)
	}
	return err
}

// createFile writes a file that must not be there yet; it is meant to be shared.
func createFile(name string, data []byte) error { return create(name, data, 0o666) }

// create makes a file with this mode, less what the umask takes.
func create(name string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(name)
	}
	return err
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

// writeFolder writes a folder beside where it is to be, and gives it its name when
// all of it is there.
func writeFolder(name string, files fs.FS) error {
	if _, err := os.Lstat(name); err == nil {
		return fs.ErrExist
	}
	name = filepath.Clean(name)
	if err := makeDirs(filepath.Dir(name)); err != nil {
		return err
	}
	part, err := os.MkdirTemp(filepath.Dir(name), "."+filepath.Base(name)+".part-*")
	if err != nil {
		return err
	}
	err = os.CopyFS(part, files)
	if err == nil {
		err = os.Chmod(part, 0o755)
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		_ = os.RemoveAll(part)
	}
	return err
}
