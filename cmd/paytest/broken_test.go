package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

// held is how many bytes of its journal a paytest-early keeps to itself: more
// than the deliveries of one round.
const held = 4 << 20

// early is paytest with the bug that TestTrustKilledListener must catch: a delivery
// is acknowledged before it is written.
func early() {
	env := outside()
	env.Files = lateFiles{}
	os.Exit(cli.Run(context.Background(), env))
}

type lateFiles struct{ files }

func (f lateFiles) Create(name string) (cli.File, error) {
	file, err := f.files.Create(name)
	return &lateFile{File: file}, err
}

// lateFile leaves what it is told to write to a buffer, as a program does that
// forgets to flush.
type lateFile struct {
	cli.File
	kept []byte
}

func (f *lateFile) Write(b []byte) (int, error) {
	f.kept = append(f.kept, b...)
	if len(f.kept) > held {
		if _, err := f.File.Write(f.kept); err != nil {
			return 0, err
		}
		f.kept = nil
	}
	return len(b), nil
}

func (f *lateFile) Seek(offset int64, whence int) (int64, error) {
	n, err := f.File.Seek(offset, whence)
	if whence == io.SeekEnd {
		n += int64(len(f.kept))
	}
	return n, err
}

// hospitable is a listener with the bugs that TestTrustSlowSenders must catch: it
// takes everybody, and waits for ever.
func hospitable() {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		panic(err)
	}
	listeners, err := listen.Open(context.Background(), ":0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("{\"type\":\"ready\",\"addr\":%q}\n", listeners[0].Addr())
	h := listen.New(listen.Options{Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: time.Now, OnDelivery: func(verify.Delivery) {}})
	os.Exit(map[bool]int{true: 1}[http.Serve(listeners[0], h) != nil]) //nolint:gosec // that is the bug
}
