package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/listen"
	model "github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/signature"
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
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	os.Exit(cli.Run(ctx, env))
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
	h := listen.New(listen.Options{Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: time.Now, OnDelivery: func(*verify.Delivery) {}})
	os.Exit(map[bool]int{true: 1}[http.Serve(listeners[0], h) != nil]) //nolint:gosec // that is the bug
}

// shopkeeper serves a model merchant, with the bug that is its argument, or answers
// with the status that is, and prints its URL. It ends with its standard input.
func shopkeeper() {
	arg := strings.Join(os.Args[1:], " ")
	status, err := strconv.Atoi(arg)
	h := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	if err != nil {
		c, err := contract.Load(payloads.FS)
		if err != nil {
			panic(err)
		}
		secret, err := signature.NewSecret([]byte(os.Getenv(cli.SecretEnv)))
		if err != nil {
			panic(err)
		}
		if h, err = model.New(model.Options{Contract: c, Secrets: []signature.Secret{secret}, Bug: arg, Now: time.Now, Wait: deliver.Sleep}); err != nil {
			panic(err)
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it is there at once
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%s\n", l.Addr())
	go func() { _ = http.Serve(l, h) }() //nolint:gosec // a test's own
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// blab is paytest with the bug that TestTrustSecrets must catch: it writes its
// secret, in a form that depends on what it is to do.
func blab() {
	secret := os.Getenv(cli.SecretEnv)
	switch os.Args[1] {
	case "version":
		fmt.Fprintln(os.Stderr, "debug: secret", secret)
	case "config":
		fmt.Printf("debug: key % x\n", secret)
		fmt.Printf("debug: key %x\n", secret)
	default:
		fmt.Println(base64.StdEncoding.EncodeToString([]byte("key=" + secret + "!")))
	}
}
