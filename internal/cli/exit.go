package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
)

// The exit codes, whose meaning ExitCodes tells.
const (
	exitOK          = 0
	exitViolation   = 1
	exitUsage       = 2
	exitConnect     = 3
	exitMissing     = 4
	exitInternal    = 70
	exitInterrupted = 130
)

// ExitCode is what the program ends with.
type ExitCode struct {
	Code    int
	Meaning string
}

// ExitCodes lists every exit code there is.
func ExitCodes() []ExitCode {
	return []ExitCode{
		{exitOK, "all is well"},
		{exitViolation, "the contract is violated: by the payloads, or by your endpoint's answer"},
		{exitUsage, "the command line, a setting or a file is wrong; the message says what to do"},
		{exitConnect, "the target cannot be reached, or the port not be bound"},
		{exitMissing, "an expected event never came"},
		{exitInternal, "paytest itself failed: please report it"},
		{exitInterrupted, "interrupted"},
	}
}

// exitError ends the program with a code. Without an error nothing is printed:
// what is to be said has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// beneath is what is wrong, without the kind of error that is told before it.
func beneath(err error) error {
	kinds, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	all := kinds.Unwrap()
	return all[len(all)-1]
}

// told is an error about a file whose name has been told already.
type told struct {
	error

	file string
}

func (n told) Error() string {
	text := strings.Replace(n.error.Error(), "journal "+n.file+": ", "", 1)
	text = strings.TrimPrefix(text, n.file+" ")
	if at, ok := errors.AsType[*fs.PathError](n.error); ok && at.Path == n.file {
		text = strings.Replace(text, at.Op+" "+at.Path+": ", "", 1)
	}
	return text
}

func (n told) Unwrap() error { return n.error }

func violated() error { return &exitError{code: exitViolation} }

// maxListed is how many files of a folder are looked at for the one that was meant.
const maxListed = 1000

// nearFile says which file may have been meant by one that is not there.
func (a *app) nearFile(err error) string {
	var missing *fs.PathError
	if !errors.As(err, &missing) || !errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	folder, name := filepath.Split(missing.Path)
	at, err := a.Dir(cmp.Or(folder, ".")).Open(".")
	if err != nil {
		return "; there is no folder " + folder
	}
	defer func() { _ = at.Close() }()
	list, ok := at.(fs.ReadDirFile)
	if !ok {
		return ""
	}
	entries, _ := list.ReadDir(maxListed)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if near := suggest.Nearest(name, names); near != "" {
		return "; did you mean " + folder + near + "?"
	}
	return ""
}

// exit prints the error, if there is one to print, and returns the code.
func (a *app) exit(ctx context.Context, cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	code, shown := exitInternal, err
	var e *exitError
	switch {
	case errors.As(err, &e):
		code, shown = e.code, e.err
		if inner := e; errors.As(e.err, &inner) && inner.code == exitInterrupted {
			code = exitInterrupted // whatever it was that could not be read
		}
	case ctx.Err() != nil:
		code, shown = exitInterrupted, errors.New("interrupted")
	case strings.HasPrefix(err.Error(), "unknown command"): // cobra has no type for it
		code = exitUsage
	}
	if shown == nil {
		return code
	}
	a.err.Paragraph([]report.Span{report.S(report.Bad, "error:"), report.T(" ")}, "  ", strings.ReplaceAll(strings.TrimSpace(shown.Error()), "\n", " ")+a.nearFile(shown)+a.origin(shown))
	if code == exitUsage && cmd != nil {
		a.err.Line(report.S(report.Faint, "%s --help tells more", cmd.CommandPath()))
	}
	return code
}
