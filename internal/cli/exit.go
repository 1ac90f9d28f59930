package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/report"
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

func violated() error { return &exitError{code: exitViolation} }

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
	a.err.Paragraph([]report.Span{report.S(report.Bad, "error:"), report.T(" ")}, "  ", strings.ReplaceAll(strings.TrimSpace(shown.Error()), "\n", " ")+a.origin(shown))
	if code == exitUsage && cmd != nil {
		a.err.Line(report.S(report.Faint, "%s --help tells more", cmd.CommandPath()))
	}
	return code
}
