package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/inspect"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/internal/verify"
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

The page is served on this machine alone, unless --ui says otherwise, and only
to who has the URL that is printed: it holds a secret.`,
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
	u, err := a.newUI(inspect.Options{Title: name, Received: defaultTarget})
	if err != nil {
		return err
	}
	if err := a.fill(u.Inspector, name); err != nil {
		return err
	}
	u.End()
	if err := u.listen(ctx, ui); err != nil {
		return err
	}
	defer u.close()
	u.told(a)
	a.err.Line(report.S(report.Faint, "Ctrl-C ends it"))
	return u.serve(ctx)
}

// fill reads a journal; a torn last line is told and left out.
func (a *app) fill(i *inspect.Inspector, name string) error {
	in := a.In
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
	token     string
	listeners []net.Listener
	names     []string
	url       string
}

// newUI makes an inspector that is not served yet.
func (a *app) newUI(o inspect.Options) (*ui, error) {
	c, err := a.contract()
	if err != nil {
		return nil, err
	}
	o.Contract, o.Now, o.Program, o.Version, o.Hidden = c, a.Now, "paytest", a.version(), isCredential
	o.Token = strings.ToLower(rand.Text())
	return &ui{Inspector: inspect.New(o), token: o.Token}, nil
}

// openUI makes an inspector and listens on the address where it is to be served.
func (a *app) openUI(ctx context.Context, address string, o inspect.Options) (*ui, error) {
	u, err := a.newUI(o)
	if err != nil {
		return nil, err
	}
	if err := u.listen(ctx, address); err != nil {
		return nil, err
	}
	return u, nil
}

func (u *ui) listen(ctx context.Context, address string) error {
	listeners, err := listen.Open(ctx, address)
	switch {
	case errors.Is(err, listen.ErrAddress):
		return usage("--ui: %w", err)
	case err != nil:
		return &exitError{exitConnect, err}
	}
	u.listeners, u.url = listeners, "http://"+reachable(listeners[0].Addr())+"/"+u.token+"/"
	if host, _, err := listen.ParseAddress(address); err == nil {
		u.names = []string{host}
	}
	return nil
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

func (u *ui) close() { closeAll(u.listeners) }

func (u *ui) told(a *app) {
	a.err.Line(report.T("inspector: "), report.S(report.Strong, "%s", u.url))
}

// start serves until the returned function is called, whatever becomes of ctx:
// the last deliveries are to be seen, too.
func (u *ui) start(ctx context.Context, a *app) (end func()) {
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := u.serve(serving); err != nil {
			a.err.Line(report.S(report.Bad, "warning:"), report.T(" %v", err))
		}
	}()
	return func() {
		stop()
		<-ended
	}
}

// uiFlag declares --ui for what runs beside it.
func uiFlag(cmd *cobra.Command, address *string) {
	cmd.Flags().StringVar(address, "ui", "", "show what comes in the browser, on a page at this `address` ("+uiAddress+" where none is given)")
	cmd.Flags().Lookup("ui").NoOptDefVal = uiAddress
	once(cmd, "ui")
	noFiles(cmd, "ui", cobra.ShellCompDirectiveNoFileComp)
}

// openUI makes the inspector of a session that listens on an address.
func (s *session) openUI(ctx context.Context, address string) error {
	if s.o.ui == "" {
		return nil
	}
	o := inspect.Options{Title: "listening on " + address, Live: true, Received: "http://" + address}
	if s.o.forwardTo != "" {
		u, err := deliver.ResolveURL(s.o.forwardTo, "")
		if err != nil {
			return usage("--forward-to: %w", err)
		}
		o.Target, o.Resend = withoutQuery(u), s.resend
	}
	var err error
	s.ui, err = s.app.openUI(ctx, s.o.ui, o)
	return err
}

// resend delivers to --forward-to what came in before.
func (s *session) resend(ctx context.Context, r journal.Record) (journal.Record, error) {
	u, err := deliver.ResolveURL(s.o.forwardTo, r.Path)
	if err != nil {
		return journal.Record{}, err
	}
	header := passed(r.Headers)
	withoutHidden(header)
	res := s.forward.Post(ctx, u, header, r.Body)
	back := s.sentRecord(delivery{url: u, body: r.Body}, header, res)
	back.Attempt = 1
	if !back.OK {
		back.Findings = []verify.Finding{*s.wrongAnswer(fmt.Sprintf("the endpoint answered %d", res.Status), fmt.Sprint(res.Status))}
	}
	if res.Outcome != deliver.Answered {
		back.Findings = []verify.Finding{*s.wrongAnswer(fmt.Sprintf("the endpoint did not answer: %v", res.Err), string(res.Outcome))}
	}
	return back, nil
}

// shown plays every scenario, shows what is sent, and goes on showing it until it
// is interrupted.
func (r *runner) shown(ctx context.Context, scenarios []*scenario.Scenario) error {
	to, err := deliver.ResolveURL(r.t.to, "")
	if err != nil {
		return usage("--to: %w", err)
	}
	u, err := r.openUI(ctx, r.o.ui, inspect.Options{Title: "sent to " + withoutQuery(to), Live: true, Received: withoutQuery(to)})
	if err != nil {
		return err
	}
	defer u.close()
	if r.journal == nil {
		r.journal = &recorder{app: r.app}
	}
	r.journal.ui = u
	u.told(r.app)
	defer u.start(ctx, r.app)()
	if err = r.all(ctx, scenarios); ctx.Err() == nil {
		u.End()
		r.err.Line(report.S(report.Faint, "Ctrl-C ends the inspector"))
		<-ctx.Done()
	}
	return err
}
