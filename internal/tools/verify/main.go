// Command verify runs every proof that paytest's word can be trusted, and prints a
// table of what was proven.
//
//	go run ./internal/tools/verify [-full] [-only REGEXP] [-seed N] [-fuzztime D] [-junit FILE] [-markdown FILE]
//
// A proof is a test whose name begins with TestTrust, or a fuzz target. Nothing
// lists them: they are found in the module's test files, and one that is found
// and does not run, or is skipped, fails. What a proof reports by t.Attr stands in
// the table; see package trust. A proof TestTrustX is joined by TestTrustXCatches.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"regexp"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, ".", os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// The exit codes are those of paytest where they mean the same.
const (
	proven   = 0
	failed   = 1
	misused  = 2
	internal = 70
)

// options are what the command line says.
type options struct {
	dir             string
	full            bool
	only            *regexp.Regexp
	seed            uint64
	fuzzing         time.Duration
	junit, markdown string
}

func run(ctx context.Context, dir string, args []string, out, progress io.Writer) int {
	o, err := parse(args, progress)
	if errors.Is(err, flag.ErrHelp) {
		return proven
	}
	if err != nil {
		return misused
	}
	o.dir = dir
	started := time.Now()
	proofs, err := discover(ctx, o)
	if err != nil {
		fmt.Fprintln(progress, "verify:", err)
		return misused
	}
	if len(proofs) == 0 {
		fmt.Fprintf(progress, "verify: no proof is called %s\n", o.only)
		return misused
	}
	s := &session{options: o, started: started, proofs: proofs, progress: progress}
	fmt.Fprintf(progress, "verify: %d proofs, seed %d\n", len(proofs), o.seed)
	s.run(ctx)
	return s.report(ctx, out)
}

func parse(args []string, errs io.Writer) (options, error) {
	var o options
	f := flag.NewFlagSet("verify", flag.ContinueOnError)
	f.SetOutput(errs)
	f.BoolVar(&o.full, "full", false, "try as much as is worth trying, which takes hours; otherwise what ten minutes allow")
	only := f.String("only", "", "run only the proofs whose name, such as internal/verify.EverySequence, matches this `regexp`")
	f.Uint64Var(&o.seed, "seed", uint64(rand.Uint32()), "repeat the run of this `number`")
	f.DurationVar(&o.fuzzing, "fuzztime", 0, "fuzz each target for this `duration`; otherwise a minute in a full run, and in a quick one what two minutes allow for all")
	f.StringVar(&o.junit, "junit", "", "write the verdicts as JUnit XML to this `file`")
	f.StringVar(&o.markdown, "markdown", "", "write the table into this Markdown `file`, after its line \""+marker+"\"")
	err := f.Parse(args)
	if err == nil && f.NArg() > 0 {
		err = fmt.Errorf("verify takes no argument such as %q", f.Arg(0))
		fmt.Fprintln(errs, "verify:", err)
	}
	if err == nil {
		if o.only, err = regexp.Compile(*only); err != nil {
			fmt.Fprintln(errs, "verify: -only:", err)
		}
	}
	return o, err
}
