package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/inspect"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/report"
)

// uiAddress is where the inspector is served when no address is given.
const uiAddress = "127.0.0.1:4040"

func newInspect(a *app) *cobra.Command {
	var ui string
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Look at recorded webhooks in the browser",
		Long: `Serve a page that shows the webhooks of a journal until interrupted: the
deliveries and what was found in them, where each payment stands, and what all
of them cover. - reads standard input.

The page is served to this machine alone, unless --ui says otherwise, and to who
has the URL that is printed: it holds a secret.`,
		Example: `  paytest inspect webhooks.jsonl
  paytest inspect webhooks.jsonl --ui :0        on any free port`,
		Args: atMost(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("inspect what? It takes a journal, as --record writes it")
			}
			return a.inspect(cmd.Context(), args[0], ui)
		},
	}
	cmd.Flags().StringVar(&ui, "ui", uiAddress, "serve the page on this `address`")
	once(cmd, "ui")
	noFiles(cmd, "ui", cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

func (a *app) inspect(ctx context.Context, name, ui string) error {
	u, err := a.openUI(ctx, ui, inspect.Options{Title: name})
	if err != nil {
		return err
	}
	defer u.close()
	if err := a.fill(u.Inspector, name); err != nil {
		return err
	}
	u.End()
	a.err.Line(report.T("inspector: "), report.S(report.Strong, "%s", u.url))
	a.err.Line(report.S(report.Faint, "Ctrl-C ends it"))
	return u.serve(ctx)
}

// fill reads a journal; a torn last line is told and left out.
func (a *app) fill(i *inspect.Inspector, name string) error {
	var in io.Reader = a.In
	if name != "-" {
		f, err := a.Open(name)
		if err != nil {
			return usage("%w", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	n := 0
	for e, err := range journal.Read(in) {
		switch {
		case err != nil && isTorn(err):
			a.err.Line(report.S(report.Caution, "note:"), report.T(" %s ends in half a line, which is left out", name))
		case err != nil:
			return journalError(name, err)
		default:
			i.Add(e.Record)
			n++
		}
	}
	if n == 0 {
		return usage("%s holds no delivery: it takes a journal, as --record writes it", name)
	}
	return nil
}

// ui is an inspector and where it is served.
type ui struct {
	*inspect.Inspector
	listeners []net.Listener
	names     []string
	url       string
}

// openUI listens on an address and makes the inspector that is to be served there.
func (a *app) openUI(ctx context.Context, address string, o inspect.Options) (*ui, error) {
	c, err := a.contract()
	if err != nil {
		return nil, err
	}
	listeners, err := listen.Open(ctx, address)
	switch {
	case errors.Is(err, listen.ErrAddress):
		return nil, usage("--ui: %w", err)
	case err != nil:
		return nil, &exitError{exitConnect, err}
	}
	o.Contract, o.Now, o.Program, o.Version, o.Token = c, a.Now, "paytest", a.version(), strings.ToLower(rand.Text())
	u := &ui{Inspector: inspect.New(o), listeners: listeners, url: "http://" + reachable(listeners[0].Addr()) + "/" + o.Token + "/"}
	if host, _, err := listen.ParseAddress(address); err == nil {
		u.names = []string{host}
	}
	return u, nil
}

// reachable is an address as a browser on this machine reaches it.
func reachable(a net.Addr) string {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil || !at.Addr().IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(at.Port())))
}

func (u *ui) serve(ctx context.Context) error {
	if err := u.Serve(ctx, u.listeners, u.names...); err != nil {
		return &exitError{exitConnect, err}
	}
	return nil
}

func (u *ui) close() {
	for _, ln := range u.listeners {
		_ = ln.Close()
	}
}
