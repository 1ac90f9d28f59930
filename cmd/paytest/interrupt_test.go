package main

import (
	"path/filepath"
	"testing"

	"github.com/paytest/paytest/internal/cli"
)

// TestWholeFiles holds that interrupts are watched for before a file is written.
func TestWholeFiles(t *testing.T) {
	for name, of := range map[string]func(cli.Env) func(string, []byte) error{
		"WriteFile":  func(e cli.Env) func(string, []byte) error { return e.WriteFile },
		"CreateFile": func(e cli.Env) func(string, []byte) error { return e.CreateFile },
		"AppendFile": func(e cli.Env) func(string, []byte) error { return e.AppendFile },
	} {
		watched := false
		i := &interrupts{t.Context(), func() { watched = true }}
		if err := of(i.whole(outside()))(filepath.Join(t.TempDir(), "file"), []byte("x")); err != nil || !watched {
			t.Errorf("%s: watched: %v, %v", name, watched, err)
		}
	}
}
