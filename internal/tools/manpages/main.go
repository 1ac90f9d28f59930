// Command manpages writes the manual: a page for each command, compressed, for
// the folder that packages install into man1.
//
//	go run ./internal/tools/manpages VERSION DATE FOLDER
//
// The same arguments give the same bytes.
package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/payloads"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "manpages:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: manpages VERSION DATE FOLDER, and not %q", args)
	}
	day, err := time.Parse(time.RFC3339, args[1])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(args[2], 0o755); err != nil {
		return err
	}
	root := cli.Commands(cli.Env{Contract: payloads.FS})
	for name, page := range pages(root, args[0], day.UTC().Format(time.DateOnly)) {
		packed, err := compressed(page)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(args[2], name+".1.gz"), packed, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compressed is a page as packages carry it: as small as gzip makes it, without
// a name or a time in its header.
func compressed(page string) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(page)); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
