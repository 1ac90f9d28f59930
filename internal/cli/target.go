package cli

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
)

// defaultTarget is where an endpoint that is being written most often listens.
const defaultTarget = "http://localhost:3000"

// targetOptions say where deliveries go, and how; send, run and replay share
// them.
type targetOptions struct {
	to          string
	headers     []string
	timeout     time.Duration
	insecure    bool
	caCert      string
	proxy       string
	allowRemote bool
	retries     int
	backoff     string
	jitter      float64
	secrets     secretOptions
}

// flags declares the flags; retries is the default number of them.
func (o *targetOptions) flags(cmd *cobra.Command, retries string) {
	o.reach(cmd)
	f := cmd.Flags()
	f.StringVar(&o.proxy, "proxy", "", "go through the proxy at this `URL`; the environment's proxies are ignored")
	f.IntVar(&o.retries, "retries", -1, "try again this `number` of times")
	f.StringVar(&o.backoff, "backoff", "", "wait this long before each retry, as `1s,2s,4s`")
	f.Float64Var(&o.jitter, "jitter", 0, "spread the waits by this `share`: 0.2 is up to 20 % shorter or longer")
	grouped(cmd, deliveryFlags, "proxy", "retries", "backoff", "jitter")
	for name, value := range map[string]string{"backoff": byContract, "retries": retries} {
		f.Lookup(name).DefValue = value
	}
	for _, name := range []string{"proxy", "retries", "backoff", "jitter"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
}

// reach declares the flags that say how one delivery reaches the endpoint.
func (o *targetOptions) reach(cmd *cobra.Command) {
	o.retries = -1
	f := cmd.Flags()
	f.StringVar(&o.to, "to", defaultTarget, "send to this `URL`")
	f.VarP(texts{&o.headers}, "header", "H", "send this header too, as `'Name: value'`; may be repeated")
	f.DurationVar(&o.timeout, "timeout", 0, "wait this `duration` for the whole answer")
	f.BoolVarP(&o.insecure, "insecure", "k", false, "do not check the server's certificate")
	f.StringVar(&o.caCert, "cacert", "", "trust the certificates in this PEM `file`")
	f.BoolVar(&o.allowRemote, "allow-remote", false, "allow a target outside this machine and its private networks")
	o.secrets.flags(cmd)
	grouped(cmd, deliveryFlags, "to", "header", "timeout", "insecure", "cacert", "allow-remote")
	f.Lookup("timeout").DefValue = byContract
	for _, name := range []string{"to", "header", "timeout"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
}

// argument takes the URL that a command may be given without --to; it goes before
// a setting of that.
func (a *app) argument(o *targetOptions, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if a.given["to"] {
		return usage("the URL %s and --to exclude each other: give one of them", args[0])
	}
	delete(a.origins, "to")
	o.to = args[0]
	return nil
}

const deliveryFlags = "How it is delivered:"

// byContract is the default of what the contract says.
const byContract = "as the contract says"

// target delivers as the options say.
type target struct {
	client  *deliver.Client
	header  http.Header
	policy  deliver.Policy
	signer  signer
	to      string
	success []int
}

// target checks the options. Without --retries, retries of them are made.
func (a *app) target(c *contract.Contract, cmd *cobra.Command, o *targetOptions, retries int) (*target, error) {
	switch {
	case a.given["insecure"] && !a.given["cacert"]:
		o.caCert = "" // the command line goes before the settings
	case a.given["cacert"] && !a.given["insecure"]:
		o.insecure = false
	}
	if o.insecure && o.caCert != "" {
		return nil, usage("--insecure and --cacert exclude each other: give one of them")
	}
	header, err := headers(o.headers)
	if err != nil {
		return nil, err
	}
	client, err := a.client(c, cmd, o)
	if err != nil {
		return nil, err
	}
	t := &target{client: client, header: header, to: o.to, success: c.Delivery.Success}
	if t.policy, err = policy(c, o, retries); err != nil {
		return nil, err
	}
	t.signer, err = a.signer(c, &o.secrets)
	return t, err
}

func policy(c *contract.Contract, o *targetOptions, retries int) (deliver.Policy, error) {
	p := deliver.Policy{Success: c.Delivery.Success, Backoff: c.Delivery.Backoff, Jitter: o.jitter, Rand: rand.Float64}
	if o.backoff != "" {
		var err error
		if p.Backoff, err = deliver.ParseBackoff(o.backoff); err != nil {
			return p, usage("%w", err)
		}
		retries = len(p.Backoff)
	}
	if o.retries >= 0 {
		retries = o.retries
	}
	if o.retries < -1 || o.retries > deliver.MaxRetries || o.jitter < 0 || o.jitter > 1 {
		return p, usage("--retries takes a number from 0 to %d, --jitter a share from 0 to 1", deliver.MaxRetries)
	}
	for len(p.Backoff) < retries {
		next := time.Second
		if n := len(p.Backoff); n > 0 {
			next = min(2*p.Backoff[n-1], deliver.MaxBackoff)
		}
		p.Backoff = append(p.Backoff[:len(p.Backoff):len(p.Backoff)], next)
	}
	p.Backoff = p.Backoff[:retries]
	return p, nil
}

func headers(typed []string) (http.Header, error) {
	h := http.Header{}
	for _, s := range typed {
		name, value, err := deliver.ParseHeader(s)
		if err != nil {
			return nil, usage("--header: %w", err)
		}
		h[name] = append(h[name], value)
	}
	return h, nil
}

func (a *app) client(c *contract.Contract, cmd *cobra.Command, o *targetOptions) (*deliver.Client, error) {
	if !cmd.Flags().Changed("timeout") {
		o.timeout = c.Delivery.Timeout
	}
	if o.timeout <= 0 {
		return nil, usage("--timeout %s: it takes a duration above zero, such as 5s", o.timeout)
	}
	var pem []byte
	if o.caCert != "" {
		var err error
		if pem, err = a.readFile(o.caCert, maxData); err != nil {
			return nil, usage("--cacert: %w", err)
		}
	}
	client, err := deliver.New(deliver.Options{
		Timeout: o.timeout, Insecure: o.insecure, CACert: pem, Proxy: o.proxy, AllowRemote: o.allowRemote,
		UserAgent: "paytest/" + a.version(), Now: a.Now,
	})
	if err != nil {
		return nil, usage("%w", beneath(err))
	}
	return client, nil
}

// url resolves where a delivery to a documented path goes.
func (t *target) url(path string) (*url.URL, error) {
	u, err := deliver.ResolveURL(t.to, path)
	if err != nil {
		return nil, usage("--to: %w", err)
	}
	return u, nil
}

// deliver signs a body and delivers it.
func (t *target) deliver(ctx context.Context, d delivery, p deliver.Policy, f deliver.Fault, wait func(context.Context, time.Duration) error, each func(int, deliver.Result)) deliver.Delivery {
	header, err := t.signer.sign(t.header, d.body)
	if err != nil {
		return deliver.Delivery{Attempts: []deliver.Result{{Outcome: deliver.Refused, Err: fmt.Errorf("cannot sign: %w", err)}}}
	}
	return t.client.Deliver(ctx, d.url, header, d.body, p, f, wait, each)
}
