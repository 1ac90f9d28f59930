// Command servers holds what the figures are measured against: a sink for load
// generators, a bare handler for listeners, and the requests that both get.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

const usage = `usage:
  servers sink ADDR                 take requests, answer 200, and tell at the end how many a second
  servers bare ADDR                 the same with net/http
  servers requests PAYMENTS SECRET  write the signed requests of payments, each with its length before it
  servers request SECRET            write headers and body of one, as one line each`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "servers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch {
	case name == "sink" && len(args) == 1:
		return sink(ctx, args[0], os.Stdout)
	case name == "bare" && len(args) == 1:
		return bare(ctx, args[0])
	case name == "requests" && len(args) == 2:
		payments, err := strconv.ParseUint(args[0], 10, 32)
		if err != nil {
			return err
		}
		return requests(os.Stdout, payments, args[1])
	case name == "request" && len(args) == 1:
		return request(os.Stdout, args[0])
	}
	return fmt.Errorf("%v is not known\n%s", os.Args[1:], usage)
}
