// Command paytest tests webhook endpoints against a payment gateway's contract.
package main

import (
	"context"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/payloads"
)

// version is set by the linker in releases.
var version = ""

func main() { os.Exit(run()) }

func run() int {
	ctx, end := context.WithCancel(context.Background())
	defer end()
	i := &interrupts{ctx, sync.OnceFunc(func() { watch(end) })}
	return cli.Run(i, i.whole(outside()))
}

// interrupts is a context that an interrupt ends. Until somebody waits for that,
// an interrupt ends the program: to watch for it takes a thread, which a short
// command would start and not use.
type interrupts struct {
	context.Context
	watch func()
}

func (i *interrupts) Done() <-chan struct{} {
	i.watch()
	return i.Context.Done()
}

// whole is the outside world in which no interrupt leaves half a file behind.
func (i *interrupts) whole(env cli.Env) cli.Env {
	for _, write := range []*func(string, []byte) error{&env.WriteFile, &env.CreateFile, &env.AppendFile} {
		inner := *write
		*write = func(name string, data []byte) error {
			i.watch()
			return inner(name, data)
		}
	}
	folder := env.WriteFolder
	env.WriteFolder = func(name string, files fs.FS) error {
		i.watch()
		return folder(name, files)
	}
	return env
}

func watch(end func()) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-came
		end()
	}()
}

// outside is the outside world as it is.
func outside() cli.Env {
	return cli.Env{
		Args:        os.Args[1:],
		LookupEnv:   os.LookupEnv,
		Environ:     os.Environ,
		In:          os.Stdin,
		Out:         os.Stdout,
		Err:         os.Stderr,
		InTerminal:  isatty.IsTerminal(os.Stdin.Fd()),
		OutTerminal: isatty.IsTerminal(os.Stdout.Fd()),
		ErrTerminal: isatty.IsTerminal(os.Stderr.Fd()),
		Now:         time.Now,
		Seed:        func() uint64 { return uint64(rand.Uint32()) },
		Open:        func(name string) (fs.File, error) { return os.Open(name) },
		Dir:         func(name string) fs.FS { return folder(name) },
		Start:       start,
		Output:      output,
		Files:       files{},
		WriteFile:   writeFile,
		CreateFile:  createFile,
		MakeDirs:    makeDirs,
		WriteFolder: writeFolder,
		AppendFile:  appendFile,
		Contract:    payloads.FS,
		Windows:     runtime.GOOS == "windows",
		Version:     version,
	}
}
