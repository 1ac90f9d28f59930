// Command mutate breaks a package in every small way it knows, one at a time, and
// runs the package's own tests against each: a mutant that no test fails for shows
// what the tests do not hold.
//
//	go run ./internal/tools/mutate [-only REGEXP] [-without REGEXP] [-sample N] [-seed N] [-explained FILE] PACKAGE…
//
// All mutants of a package are compiled into one test binary, by an overlay that
// leaves the tree alone, and the environment chooses the one that is alive. A test
// runs only against mutants that it comes upon.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

const (
	held    = 0 // every survivor is explained
	alive   = 1
	misused = 2
	broke   = 70
)

type options struct {
	sample    int
	seed      uint64
	explained string
	only      *regexp.Regexp
	// without leaves tests out; it is nil where all run.
	without *regexp.Regexp
}

func run(ctx context.Context, args []string, out, progress io.Writer) int {
	var o options
	f := flag.NewFlagSet("mutate", flag.ContinueOnError)
	f.SetOutput(progress)
	f.IntVar(&o.sample, "sample", 0, "try only this `number` of mutants of each package; otherwise all")
	f.Uint64Var(&o.seed, "seed", 1, "the `number` that chooses the sample")
	f.StringVar(&o.explained, "explained", "internal/tools/mutate/explained.txt", "the `file` that explains survivors")
	only := f.String("only", "", "try only mutants whose name, as it is shown, matches this `regexp`")
	without := f.String("without", "", "leave out tests whose name matches this `regexp`, for a quick first look")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return held
	} else if err != nil {
		return misused
	}
	known, err := explanations(o.explained)
	if err == nil {
		o.only, err = regexp.Compile(*only)
	}
	if err == nil && *without != "" {
		o.without, err = regexp.Compile(*without)
	}
	if err != nil {
		fmt.Fprintln(progress, "mutate:", err)
		return misused
	}
	code := held
	for _, path := range f.Args() {
		r, err := mutate(ctx, path, o, progress)
		if r != nil && r.show(out, known) > 0 { // what was tried, when interrupted
			code = alive
		}
		if err != nil {
			fmt.Fprintf(progress, "mutate: %s: %v\n", path, err)
			return broke
		}
	}
	return code
}
