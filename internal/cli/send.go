package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/report"
)

// maxData is the largest body that --data takes, in bytes. It is larger than
// what a listener takes, so that this can be tested.
const maxData = 16 << 20

type sendOptions struct {
	payloadOptions
	to          string
	data        string
	dataGiven   bool
	headers     []string
	timeout     time.Duration
	dryRun      bool
	insecure    bool
	caCert      string
	proxy       string
	allowRemote bool
	output      string
}

// delivery is one body and where it goes.
type delivery struct {
	state *contract.State // nil for a body that is no event of the contract
	url   *url.URL
	body  []byte
}

func newSend(a *app) *cobra.Command {
	var o sendOptions
	cmd := &cobra.Command{
		Use:   "send SUBJECT STATE",
		Short: "Send a webhook to your endpoint",
		Long: `Send the webhook of a state to your endpoint, as the gateway does, and show what
came back. It succeeds when the endpoint answers what the contract asks for, in
time: exit 0. Any other answer is exit 1, no connection exit 3.

The documented path is appended to a --to without a path; a --to with a path is
used as it is. Redirects are not followed, and only this machine and private
networks are reached unless --allow-remote says otherwise.`,
		Example: `  paytest send {subject} {state}
  paytest send {subject} {state} --to http://localhost:8080/webhooks
  paytest send {subject} {state} --seed 7          twice: is the second a duplicate?
  paytest send --data @{file}`,
		Args:              atMost(2),
		ValidArgsFunction: a.completeStates,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return a.send(cmd.Context(), &o, args, cmd.Flags().Changed("timeout"))
		},
	}
	o.flags(a, cmd)
	f := cmd.Flags()
	f.StringVar(&o.to, "to", "http://localhost:3000", "send to this `URL`")
	f.StringVar(&o.data, "data", "", "send this `body`; @FILE reads a file, - standard input")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "send this header too, as `'Name: value'`; may be repeated")
	f.DurationVar(&o.timeout, "timeout", 5*time.Second, "wait this long for the whole answer")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be sent, and send nothing")
	f.BoolVarP(&o.insecure, "insecure", "k", false, "do not check the server's certificate")
	f.StringVar(&o.caCert, "cacert", "", "trust the certificates in this PEM `file`")
	f.StringVar(&o.proxy, "proxy", "", "go through the proxy at this `URL`; the environment's proxies are ignored")
	f.BoolVar(&o.allowRemote, "allow-remote", false, "allow a target outside this machine and its private networks")
	f.StringVar(&o.output, "output", "text", "write text or json, a line for each delivery")
	once(cmd, "data", "dry-run")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	for _, name := range []string{"to", "header", "timeout", "proxy"} {
		noFiles(cmd, name, cobra.ShellCompDirectiveNoFileComp)
	}
	return cmd
}

func (o *sendOptions) check(cmd *cobra.Command) error {
	o.dataGiven = cmd.Flags().Changed("data")
	if err := o.payloadOptions.check(cmd); err != nil {
		return err
	}
	if err := exclusive(cmd, "data", append(generated(), "documented", "set", "override", "add", "remove")...); err != nil {
		return err
	}
	return exclusive(cmd, "insecure", "cacert")
}

func (a *app) send(ctx context.Context, o *sendOptions, args []string, timeoutGiven bool) error {
	c, err := a.contract()
	if err != nil {
		return err
	}
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	if !timeoutGiven {
		o.timeout = c.Delivery.Timeout
	}
	header, err := headers(o.headers)
	if err != nil {
		return err
	}
	next, hints, err := a.deliveries(c, o, args)
	if err != nil {
		return err
	}
	client, err := a.client(o)
	if err != nil {
		return err
	}
	defer client.Close()
	worst := error(nil)
	for i := range max(o.count, 1) {
		d, err := next(i)
		if err != nil {
			return err
		}
		if o.dryRun {
			a.dryRun(d, header, o.output)
			continue
		}
		if err := a.deliver(ctx, c, client, d, header, o.output); err != nil {
			worst = err
			if ctx.Err() != nil || exitCode(err) != exitViolation {
				break
			}
		}
	}
	for _, hint := range hints {
		a.err.Line(report.S(report.Faint, "%s", hint))
	}
	return worst
}

func exitCode(err error) int {
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitInternal
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

func (a *app) client(o *sendOptions) (*deliver.Client, error) {
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
		return nil, usage("%w", err)
	}
	return client, nil
}

// deliveries returns a function that makes the delivery of each payment, and
// what to tell the user about them.
func (a *app) deliveries(c *contract.Contract, o *sendOptions, args []string) (func(int) (delivery, error), []string, error) {
	if o.dataGiven {
		d, err := a.dataDelivery(c, o, args)
		return func(int) (delivery, error) { return d, err }, nil, err
	}
	if len(args) == 0 {
		return nil, nil, usage("send what? It takes SUBJECT STATE, or --data%s", choices("", "subjects", c.SubjectNames()))
	}
	st, err := stateArgs(c, args)
	if err != nil {
		return nil, nil, err
	}
	m, err := a.maker(c, &o.payloadOptions, []*contract.State{st})
	if err != nil {
		return nil, nil, err
	}
	path := st.Path
	if st.IsInitial() {
		path = st.Subject.States[0].Path
	}
	u, err := deliver.ResolveURL(o.to, path)
	if err != nil {
		return nil, nil, usage("--to: %w", err)
	}
	return func(i int) (delivery, error) {
		doc, err := m.payload(st, i)
		return delivery{st, u, doc.AppendLiteral(nil)}, err
	}, m.hints(st), nil
}

// dataDelivery sends the user's own bytes; the path is that of the named state,
// or else that of the event they hold, or else --to must have one.
func (a *app) dataDelivery(c *contract.Contract, o *sendOptions, args []string) (delivery, error) {
	body, err := a.data(o.data)
	if err != nil {
		return delivery{}, err
	}
	d := delivery{body: body}
	path := ""
	if len(args) > 0 {
		if d.state, err = stateArgs(c, args); err != nil {
			return d, err
		}
		path = d.state.Path
	} else if doc, err := jsondoc.Parse(body); err == nil {
		if name := doc.At(c.Envelope.Event); name != nil && len(c.Event(name.Text)) > 0 {
			path = c.Event(name.Text)[0].Path
		}
	}
	if d.url, err = deliver.ResolveURL(o.to, path); err != nil {
		return d, usage("--to: %w", err)
	}
	if path == "" && strings.Trim(d.url.Path, "/") == "" {
		return d, usage("--data holds no event of the contract, so its path is unknown: name SUBJECT STATE, or give --to a path")
	}
	return d, nil
}

func (a *app) data(typed string) ([]byte, error) {
	var body []byte
	var err error
	switch name, isFile := strings.CutPrefix(typed, "@"); {
	case typed == "-" || typed == "@-":
		body, err = io.ReadAll(io.LimitReader(a.In, maxData+1))
	case isFile:
		body, err = a.readFile(name, maxData)
	default:
		return []byte(typed), nil
	}
	if err != nil {
		return nil, usage("--data: %w", err)
	}
	if len(body) > maxData {
		return nil, usage("--data %s: it is larger than %d MiB", typed, maxData>>20)
	}
	return body, nil
}

func (a *app) dryRun(d delivery, header http.Header, output string) {
	h := header.Clone()
	if h.Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if output == "json" {
		a.out.JSON("dry-run", map[string]any{"url": d.url.String(), "headers": h, "body": string(d.body)})
		return
	}
	a.out.Line(report.S(report.Strong, "POST %s", d.url))
	for name, values := range h {
		for _, v := range values {
			a.out.Line(report.T("%s: %s", name, v))
		}
	}
	a.out.Line()
	a.out.Line(report.T("%s", string(d.body)))
}

// deliver sends one delivery and shows both sides of it.
func (a *app) deliver(ctx context.Context, c *contract.Contract, client *deliver.Client, d delivery, header http.Header, output string) error {
	what := fmt.Sprintf("%d bytes", len(d.body))
	if d.state != nil {
		what = d.state.String()
	}
	if output == "text" {
		a.out.Line(report.S(report.Accent, "→ "), report.S(report.Strong, "%s", what), report.T("  %s", d.url))
	}
	r := client.Post(ctx, d.url, header, d.body)
	ok := r.Success(c.Delivery.Success)
	if output == "json" {
		a.out.JSON("delivery", sentJSON(d, r, ok))
	} else if r.Outcome == deliver.Answered {
		style := report.Good
		if !ok {
			style = report.Bad
		}
		a.out.Line(report.S(report.Accent, "← "), report.S(style, "%d", r.Status), report.T(" in %s  %s", report.Duration(r.Latency), oneLine(r)))
	}
	return sent(c, r, ok)
}

const maxShown = 200

func oneLine(r deliver.Result) string {
	s := strings.TrimSpace(string(r.Body))
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}

// sent turns a result into the program's end.
func sent(c *contract.Contract, r deliver.Result, ok bool) error {
	switch {
	case ok:
		return nil
	case r.Outcome == deliver.Answered:
		return &exitError{exitViolation, fmt.Errorf("answered %d; only %s counts as delivered (%s)", r.Status, statuses(c.Delivery.Success), c.Delivery.Source)}
	case r.Outcome == deliver.Unreachable:
		return &exitError{exitConnect, r.Err}
	case r.Outcome == deliver.Refused:
		return &exitError{exitUsage, r.Err}
	case r.Outcome == deliver.Canceled:
		return &exitError{exitInterrupted, r.Err}
	}
	return &exitError{exitViolation, r.Err}
}

func statuses(list []int) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprint(s)
	}
	return strings.Join(out, " or ")
}

type sentLine struct {
	OK        bool            `json:"ok"`
	URL       string          `json:"url"`
	Event     string          `json:"event,omitempty"`
	Subject   string          `json:"subject,omitempty"`
	State     string          `json:"state,omitempty"`
	Body      string          `json:"body"`
	Outcome   deliver.Outcome `json:"outcome"`
	Status    int             `json:"status,omitempty"`
	Headers   http.Header     `json:"headers,omitempty"`
	Answer    string          `json:"answer"`
	Truncated bool            `json:"truncated,omitempty"`
	LatencyMS float64         `json:"latencyMs"`
	Error     string          `json:"error,omitempty"`
}

func sentJSON(d delivery, r deliver.Result, ok bool) sentLine {
	line := sentLine{
		OK: ok, URL: d.url.String(), Body: string(d.body), Outcome: r.Outcome, Status: r.Status, Headers: r.Header,
		Answer: string(r.Body), Truncated: r.Truncated, LatencyMS: report.Milliseconds(r.Latency),
	}
	if d.state != nil {
		line.Event, line.Subject, line.State = d.state.Event, d.state.Subject.Name, d.state.Label()
	}
	if r.Err != nil {
		line.Error = r.Err.Error()
	}
	return line
}

func (a *app) version() string {
	if a.Version != "" {
		return a.Version
	}
	return "dev"
}
