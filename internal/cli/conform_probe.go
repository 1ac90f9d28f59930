package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
)

// hooks adds what asks and commands the merchant's application.
func (a *app) hooks(run *conform.Options, o *conformOptions) error {
	var err error
	if run.Mapping, err = conform.ParseMapping(o.probeMap); err != nil {
		return usage("--probe-map: %w", err)
	}
	switch {
	case o.probeURL != "" && o.probeCmd != "":
		return usage("--probe-url and --probe-cmd exclude each other: give one of them")
	case o.probeURL != "":
		if run.Probe, err = a.urlProbe(run, o); err != nil {
			return err
		}
	case o.probeCmd != "":
		run.Probe = a.cmdProbe(run, o)
	case o.probeMap != "":
		return usage("--probe-map needs a --probe-url or --probe-cmd")
	}
	if o.restartCmd != "" {
		run.Restart = a.hook("restart-cmd", o.restartCmd)
	}
	if o.failCmd != "" {
		run.Break = a.hook("fail-cmd", o.failCmd)
	}
	return nil
}

func (a *app) hook(flag, line string) func(context.Context) error {
	return func(ctx context.Context) error {
		if _, err := a.Output(ctx, line, nil); err != nil {
			return fmt.Errorf("--%s %s: %w", flag, line, err)
		}
		return nil
	}
}

// probeFacts are the identifiers a probe is given, by the name it knows them by.
func probeFacts(c *contract.Contract, facts map[string]string) (id, customer string) {
	if c.Roles.Customer != nil {
		customer = facts[c.Roles.Customer.Name]
	}
	return facts[c.Subjects[0].ID.Name], customer
}

func (a *app) urlProbe(run *conform.Options, o *conformOptions) (conform.Probe, error) {
	header, err := headers(o.probeHeaders)
	if err != nil {
		return nil, err
	}
	fill := func(facts map[string]string) (*url.URL, error) {
		id, customer := probeFacts(run.Contract, facts)
		pairs := []string{"{id}", url.PathEscape(id), "{customer}", url.PathEscape(customer)}
		for name, value := range facts {
			pairs = append(pairs, "{"+name+"}", url.PathEscape(value))
		}
		filled := strings.NewReplacer(pairs...).Replace(o.probeURL)
		if filled == o.probeURL {
			return nil, usage("--probe-url %s has no {id}: say where the payment's identifier goes", o.probeURL)
		}
		u, err := deliver.ResolveURL(filled, "/")
		if err != nil {
			return nil, usage("--probe-url: %w", err)
		}
		return u, nil
	}
	example := map[string]string{}
	for _, f := range run.Contract.Facts {
		example[f.Name] = "x"
	}
	if _, err := fill(example); err != nil {
		return nil, err
	}
	return func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
		u, err := fill(facts)
		if err != nil {
			return nil, false, err
		}
		r := run.Client.Get(ctx, u, header)
		switch {
		case r.Err != nil:
			return nil, false, r.Err
		case r.Status == http.StatusNotFound:
			return nil, false, nil
		case r.Status != http.StatusOK:
			return nil, false, fmt.Errorf("it answered %d; expected 200 with JSON, or 404 for an order nobody knows", r.Status)
		case r.Truncated:
			return nil, false, fmt.Errorf("its answer is longer than %d bytes", len(r.Body))
		}
		return r.Body, true, nil
	}, nil
}

func (a *app) cmdProbe(run *conform.Options, o *conformOptions) conform.Probe {
	return func(ctx context.Context, facts map[string]string) ([]byte, bool, error) {
		id, customer := probeFacts(run.Contract, facts)
		out, err := a.Output(ctx, o.probeCmd, []string{"PAYTEST_ID=" + id, "PAYTEST_CUSTOMER=" + customer})
		if err != nil {
			return nil, false, fmt.Errorf("--probe-cmd: %w", err)
		}
		out = bytes.TrimSpace(out)
		return out, len(out) > 0 && string(out) != "null", nil
	}
}

// mayBeHostile refuses hostile cases against a host that the user has not shown
// to be his own.
func (a *app) mayBeHostile(ctx context.Context, run *conform.Options, o *conformOptions) error {
	if !slices.ContainsFunc(run.Cases, func(spec *conform.Case) bool { return spec.Profile == conform.Hostile }) {
		return nil
	}
	u, err := run.URL(run.Contract.Paths()[0])
	if err != nil {
		return err
	}
	if !o.target.allowRemote || run.Client.CheckLocal(ctx, u) == nil {
		return nil // the guard refuses what is not local
	}
	host := u.Hostname()
	if o.hostileHost != host {
		return usage("hostile cases may harm %s, which is remote: add --hostile-host %s if it is yours", host, host)
	}
	sum := sha256.Sum256([]byte("paytest hostile cases against " + host))
	nonce, at := hex.EncodeToString(sum[:16]), *u
	at.Path, at.RawPath, at.RawQuery = "/.well-known/paytest-hostile", "", ""
	if r := run.Client.Get(ctx, &at, http.Header{}); r.Status != http.StatusOK || strings.TrimSpace(string(r.Body)) != nonce {
		return usage("hostile cases need a sign that %s is yours: let it serve the text %s at %s", host, nonce, at.String())
	}
	return nil
}
