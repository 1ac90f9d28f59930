package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/suggest"
)

// demoSecrets are shared by the demo's two ends, and by nobody else: the one in
// use, the one before it that is still taken, and one that no longer is.
func demoSecrets() ([]signature.Secret, error) {
	var out []signature.Secret
	for _, text := range []string{"the secret of the demo", "the secret before it", "a secret of old"} {
		s, err := signature.NewSecret([]byte(text))
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func completeBugs(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var out []string
	for _, b := range merchant.Bugs() {
		out = append(out, b.Name+"\t"+b.Says)
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) listBugs() {
	for _, b := range merchant.Bugs() {
		a.out.Paragraph([]report.Span{report.S(report.Accent, "%-24s", b.Name), report.S(report.Faint, " %-4s ", b.Case)}, strings.Repeat(" ", 30), b.Says)
	}
}

func findBug(name string) (merchant.Bug, error) {
	var names []string
	for _, b := range merchant.Bugs() {
		if b.Name == name {
			return b, nil
		}
		names = append(names, b.Name)
	}
	if near := suggest.Nearest(name, names); near != "" {
		return merchant.Bug{}, usage("--bug: there is no bug %q; did you mean %s?", name, near)
	}
	return merchant.Bug{}, usage("--bug: there is no bug %q; --bugs lists them", name)
}

// demoConform runs the case that catches a bug against a merchant who has it; one
// without a name has none.
func (a *app) demoConform(ctx context.Context, c *contract.Contract, bug merchant.Bug) (*conform.Report, error) {
	catalog, err := a.catalog(c)
	if err != nil {
		return nil, usage("%w", err)
	}
	cases, err := catalog.Select(conform.Selection{Cases: []string{bug.Case}})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	run, served, err := a.demoRun(ctx, c, bug)
	if err != nil {
		return nil, err
	}
	defer run.Client.Close()
	run.Catalog, run.Cases = catalog, cases
	r, err := conform.Run(ctx, *run)
	stop()
	return r, errors.Join(err, <-served)
}

// demoRun starts the merchant and says how to attack it.
func (a *app) demoRun(ctx context.Context, c *contract.Contract, bug merchant.Bug) (*conform.Options, <-chan error, error) {
	secrets, err := demoSecrets()
	if err != nil {
		return nil, nil, err
	}
	run := &conform.Options{
		Contract: c, Profile: conform.Core, Timeout: c.Delivery.Timeout, Secrets: secrets[:2], Retired: secrets[2:],
		Settle: 2 * time.Second, Soak: 10 * time.Second, Budget: time.Minute, Patience: patience, Limit: 10 * time.Minute,
		Serves: func(*contract.State) bool { return true },
		Seed:   a.Seed(), Salt: uint64(a.Now().UnixNano()), Now: a.Now, Wait: deliver.Sleep, Version: a.version(),
	}
	if c.Signature != nil {
		run.Scheme = c.Signature.Scheme
	}
	m, err := merchant.New(merchant.Options{Contract: c, Secrets: run.Secrets, Bug: bug.Name, Now: a.Now, Wait: deliver.Sleep})
	if err != nil {
		return nil, nil, usage("%w", err)
	}
	run.Break = func(context.Context) error { m.FailNext(); return nil }
	run.Restart = func(context.Context) error { m.Restart(); return nil }
	listeners, err := listen.Open(ctx, ":0")
	if err != nil {
		return nil, nil, &exitError{exitConnect, err}
	}
	for _, l := range listeners[1:] {
		_ = l.Close()
	}
	served := make(chan error, 1)
	go func(l net.Listener) { served <- m.Serve(ctx, l) }(listeners[0])
	run.Target = "http://" + listeners[0].Addr().String()
	run.Reproduce = "paytest demo --bug " + bug.Name
	run.URL = func(path string) (*url.URL, error) { return deliver.ResolveURL(run.Target, path) }
	if run.Client, err = deliver.New(deliver.Options{Timeout: run.Timeout, UserAgent: "paytest/" + a.version(), Now: a.Now}); err != nil {
		return nil, nil, err
	}
	if run.Mapping, err = conform.ParseMapping(""); err != nil {
		return nil, nil, err
	}
	run.Probe, err = a.urlProbe(run, &conformOptions{probeURL: run.Target + "/orders/{id}"})
	return run, served, err
}

// demoBug shows the suite catching one bug.
func (a *app) demoBug(ctx context.Context, c *contract.Contract, name string) error {
	bug, err := findBug(name)
	if err != nil {
		return err
	}
	a.out.Paragraph([]report.Span{report.T("A merchant's endpoint with one bug, "), report.S(report.Strong, "%s", bug.Name), report.T(": ")}, "", bug.Says)
	a.out.Line()
	r, err := a.demoConform(ctx, c, bug)
	if err != nil {
		return err
	}
	failed := r.Failures(conform.Low)
	if len(failed) == 0 {
		return fmt.Errorf("the bug %s was not caught by case %s", bug.Name, bug.Case)
	}
	a.out.ConformFailure(r, failed[0], !a.Windows)
	a.out.Line(report.S(report.Good, "Caught by case %s. ", bug.Case), report.T("Does your endpoint have it?"))
	a.out.Line(report.S(report.Accent, "  paytest conform http://localhost:3000 --case %s \\", bug.Case))
	a.out.Line(report.S(report.Accent, "    --probe-url 'http://localhost:3000/orders/{id}'"))
	return nil
}

// demoCredits sends a payment twice to a merchant who is right and to one who is
// not, and shows what each made of it. A contract without cases has no merchant.
func (a *app) demoCredits(ctx context.Context, c *contract.Contract) error {
	if c.Roles == nil {
		return nil
	}
	bugs := merchant.Bugs()
	bug := bugs[slices.IndexFunc(bugs, func(b merchant.Bug) bool { return b.Case == "I01" })]
	a.out.Line()
	a.out.Line(report.T("Then %s comes twice, to two endpoints that answer 200 each time:", c.Roles.Paid))
	a.out.Line()
	for _, b := range []merchant.Bug{{Case: bug.Case}, bug} {
		r, err := a.demoConform(ctx, c, b)
		if err != nil {
			return err
		}
		if failed := r.Failures(conform.Low); len(failed) > 0 && b.Name != "" {
			a.out.Paragraph([]report.Span{report.S(report.Bad, "   caught    ")}, strings.Repeat(" ", 13), failed[0].Problem)
			a.out.Paragraph([]report.Span{report.T("%-13s", "")}, strings.Repeat(" ", 13), failed[0].Case.Costs)
			continue
		}
		if r.Count("", conform.Passed) != 1 || b.Name != "" {
			return fmt.Errorf("the demo's case %s came out wrong for the bug %q", b.Case, b.Name)
		}
		a.out.Line(report.S(report.Good, "   right     "), report.T("credited once, as its own application says"))
	}
	return nil
}
