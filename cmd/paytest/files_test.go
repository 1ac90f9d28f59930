package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
)

// TestWriteFile: a report is for its owner alone, unless there was one that was
// not; a link is replaced, and what it leads to is left alone.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"old", "target"} {
		if err := os.WriteFile(at(name), []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(at("target"), at("link")); err != nil {
		t.Skip("this system makes no symbolic links, and what is done with them is not tested:", err)
	}
	for name, mode := range map[string]fs.FileMode{"new": 0o600, "old": 0o644, "link": 0o644} {
		if err := writeFile(at(name), []byte("new")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Lstat(at(name))
		if err != nil || info.Mode() != mode && runtime.GOOS != "windows" {
			t.Errorf("%s has the mode %v, %v", name, info.Mode(), err)
		}
	}
	for name, want := range map[string]string{"new": "new", "old": "new", "link": "new", "target": "old"} {
		if got, err := os.ReadFile(at(name)); string(got) != want {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	alone(t, dir, 4)
}

// alone holds that a folder has so many files, and no half ones.
func alone(t *testing.T, dir string, n int) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil || len(all) != n {
		t.Errorf("%d files: %v, %v", len(all), all, err)
	}
}

// TestWriteFileFails: a disk that is full leaves what was there, and nothing else.
func TestWriteFileFails(t *testing.T) {
	for _, full := range fullDisk(t) {
		file := filepath.Join(full.dir, "report")
		if err := writeFile(file, []byte("old")); err != nil {
			t.Fatal(err)
		}
		if err := full.begin(); err != nil {
			t.Fatal(err)
		}
		err := writeFile(file, make([]byte, 1<<20))
		if !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), file+" cannot be written: no space left") {
			t.Error(err)
		}
		if err := createFile(file+".2", make([]byte, 1<<20)); !errors.Is(err, syscall.ENOSPC) {
			t.Error(err)
		}
		if got, err := os.ReadFile(file); string(got) != "old" {
			t.Errorf("it holds %q, %v", got, err)
		}
		alone(t, full.dir, 2)
	}
}

// TestJournalIsNoLink: who can make a link must not choose what is written to.
func TestJournalIsNoLink(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.Symlink(file, link); err != nil {
		t.Skip("this system makes no symbolic links, and what is done with them is not tested:", err)
	}
	if _, err := (files{}).Open(link); !errors.Is(err, errLink) {
		t.Errorf("a link to nothing: %v", err)
	}
	if _, err := (files{}).Create(link); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link to nothing, made: %v", err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (files{}).Open(link); !errors.Is(err, errLink) {
		t.Errorf("a link to a file: %v", err)
	}
	if _, err := (files{}).Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestFolder: a contract that came from elsewhere reads nothing but itself.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	pack := filepath.Join(dir, "pack")
	if err := os.CopyFS(pack, fstest.MapFS{"a/b.json": {Data: []byte("inside")}}); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(folder(pack), "a/b.json"); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("outside"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"near.json": "a/b.json", "up.json": "../secret", "far.json": filepath.Join(dir, "secret"), "out": dir} {
		if err := os.Symlink(to, filepath.Join(pack, name)); err != nil {
			t.Skip("this system makes no symbolic links, and what is done with them is not tested:", err)
		}
	}
	for name, want := range map[string]string{"near.json": "inside", "up.json": "", "far.json": "", "out/secret": "", "../secret": "", "/etc/passwd": ""} {
		if got, err := fs.ReadFile(folder(pack), name); string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
