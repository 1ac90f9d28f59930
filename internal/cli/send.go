package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/suggest"
)

// maxData is the largest body that --data takes, in bytes. It is larger than
// what a listener takes, so that this can be tested.
const maxData = 16 << 20

type sendOptions struct {
	payloadOptions
	target    targetOptions
	data      string
	dataGiven bool
	dryRun    bool
	fault     string
	output    string
	record    string
	journal   *recorder
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
time: exit 0. Any other answer is exit 1, no connection exit 3. With a secret
it is signed.

The documented path is appended to a --to without a path; a --to with a path is
used as it is. Redirects are not followed, and only this machine and private
networks are reached unless --allow-remote says otherwise.`,
		Example: `  paytest send {subject} {state}
  paytest send {subject} {state} --to http://localhost:8080/webhooks
  paytest send {subject} {state} --seed 7     twice: is the second a duplicate?
  paytest send --data @{file}`,
		Args:              atMost(2),
		ValidArgsFunction: a.completeStates,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd); err != nil {
				return err
			}
			return a.send(cmd, &o, args)
		},
	}
	o.flags(a, cmd)
	f := cmd.Flags()
	o.target.flags(cmd, "0; with --fault as the contract says")
	f.StringVar(&o.data, "data", "", "send this `body`; @FILE reads a file, - standard input")
	f.BoolVar(&o.dryRun, "dry-run", false, "show what would be sent, and send nothing")
	f.StringVar(&o.fault, "fault", "", "misbehave in the first attempt: "+strings.Join(faultNames(), ", "))
	recordFlag(cmd, &o.record, "what is sent, and the answers,")
	f.StringVar(&o.output, "output", "text", "write text or json, a line for each delivery")
	once(cmd, "data", "dry-run", "fault")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fault", cobra.FixedCompletions(faultNames(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func faultNames() []string {
	var out []string
	for _, f := range deliver.Faults() {
		out = append(out, string(f))
	}
	return out
}

func (o *sendOptions) check(cmd *cobra.Command) error {
	o.dataGiven = cmd.Flags().Changed("data")
	if err := o.payloadOptions.check(cmd); err != nil {
		return err
	}
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	if o.fault != "" {
		if err := oneOf("fault", o.fault, faultNames()...); err != nil {
			return err
		}
	}
	return exclusive(cmd, "data", append(generated(), "documented", "set", "override", "add", "remove")...)
}

func (a *app) send(cmd *cobra.Command, o *sendOptions, args []string) error {
	c, err := a.contract()
	if err != nil {
		return err
	}
	retries := 0
	if o.fault != "" {
		retries = len(c.Delivery.Backoff) // a fault is followed by a sound attempt
	}
	t, err := a.target(c, cmd, &o.target, retries)
	if err != nil {
		return err
	}
	defer t.client.Close()
	if o.journal, err = a.recorder(o.record, journal.Options{}); err != nil {
		return err
	}
	defer o.journal.close()
	next, hints, err := a.deliveries(c, o, t, args)
	if err != nil {
		return err
	}
	var worst error
	for i := range max(o.count, 1) {
		d, err := next(i)
		if err != nil {
			return err
		}
		if o.dryRun {
			if err := a.dryRun(d, t, o.output); err != nil {
				return err
			}
			continue
		}
		if err := a.deliver(cmd.Context(), c, t, d, o); err != nil {
			worst = err
			if cmd.Context().Err() != nil || exitCode(err) != exitViolation {
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

// deliveries returns a function that makes the delivery of each payment, and
// what to tell the user about them.
func (a *app) deliveries(c *contract.Contract, o *sendOptions, t *target, args []string) (func(int) (delivery, error), []string, error) {
	if o.dataGiven {
		d, err := a.dataDelivery(c, o, t, args)
		return func(int) (delivery, error) { return d, err }, nil, err
	}
	if len(args) == 0 {
		return nil, nil, usage("send what? It takes SUBJECT STATE, or --data%s", suggest.Among("", "subjects", c.SubjectNames()))
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
	u, err := t.url(path)
	if err != nil {
		return nil, nil, err
	}
	return func(i int) (delivery, error) {
		doc, err := m.payload(st, i)
		return delivery{st, u, doc.AppendLiteral(nil)}, err
	}, m.hints(st), nil
}

// dataDelivery sends the user's own bytes; the path is that of the named state,
// or else that of the event they hold, or else --to must have one.
func (a *app) dataDelivery(c *contract.Contract, o *sendOptions, t *target, args []string) (delivery, error) {
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
	if d.url, err = t.url(path); err != nil {
		return d, err
	}
	if path == "" && strings.Trim(d.url.Path, "/") == "" {
		return d, usage("--data holds no event of the contract, so its path is unknown: name SUBJECT STATE, or give --to a path")
	}
	return d, nil
}

func (a *app) data(typed string) ([]byte, error) {
	name, isFile := strings.CutPrefix(typed, "@")
	if !isFile && typed != "-" {
		return []byte(typed), nil
	}
	return a.body(name)
}

// body reads a body from a file, or from standard input where name is "-".
func (a *app) body(name string) ([]byte, error) {
	var body []byte
	var err error
	if name == "-" {
		body, err = a.input(maxData)
	} else {
		body, err = a.readFile(name, maxData)
	}
	switch {
	case err != nil:
		return nil, usage("the body cannot be read: %w", err)
	case len(body) > maxData:
		return nil, usage("%s is larger than %d MiB", name, maxData>>20)
	}
	return body, nil
}

func (a *app) dryRun(d delivery, t *target, output string) error {
	h, err := t.signer.sign(t.header.Clone(), d.body)
	if err != nil {
		return usage("%w", err)
	}
	if canonical(h).Get("Content-Type") == "" {
		h.Set("Content-Type", "application/json")
	}
	if output == "json" {
		a.out.JSON("dry-run", map[string]any{"url": d.url.String(), "headers": h, "body": string(d.body)})
		return nil
	}
	a.out.Line(report.S(report.Strong, "POST %s", d.url))
	for _, name := range names(h) {
		for _, v := range h[name] {
			a.out.Line(report.T("%s: %s", name, v))
		}
	}
	a.out.Line()
	a.out.Line(report.T("%s", string(d.body)))
	return nil
}

// deliver sends one delivery and shows both sides of it.
func (a *app) deliver(ctx context.Context, c *contract.Contract, t *target, d delivery, o *sendOptions) error {
	what := fmt.Sprintf("%d bytes", len(d.body))
	if d.state != nil {
		what = d.state.String()
	}
	if o.output == "text" {
		a.out.Line(report.S(report.Accent, "→ "), report.S(report.Strong, "%s", what), report.T("  %s", keyless(d.url.String())))
	}
	done := t.deliver(ctx, d, t.policy, deliver.Fault(o.fault), nil, func(_ int, r deliver.Result) {
		ok := r.Success(c.Delivery.Success)
		o.journal.sent(d, t.header, r)
		if o.output == "json" {
			a.out.JSON("delivery", sentJSON(d, r, ok))
		} else {
			a.attempt(r, ok)
		}
	})
	return sent(c, done)
}

// attempt shows what came back.
func (a *app) attempt(r deliver.Result, ok bool) {
	style := report.Good
	if !ok {
		style = report.Bad
	}
	if r.Outcome == deliver.Answered {
		a.out.Line(report.S(report.Accent, "← "), report.S(style, "%d", r.Status), report.T(" in %s  %s", report.Duration(r.Latency), oneLine(r)))
	} else if r.Outcome != deliver.Refused {
		a.out.Line(report.S(report.Accent, "← "), report.S(style, "%s", r.Outcome), report.T(" after %s", report.Duration(r.Latency)))
	}
}

const maxShown = 200

func oneLine(r deliver.Result) string {
	s := strings.TrimSpace(string(r.Body))
	if len(s) > maxShown {
		s = strings.ToValidUTF8(s[:maxShown], "") + "…"
	}
	return s
}

// sent turns a delivery into the program's end.
func sent(c *contract.Contract, d deliver.Delivery) error {
	if d.Outcome() == deliver.Success {
		return nil
	}
	if d.Err != nil {
		return &exitError{exitInterrupted, d.Err}
	}
	r, again := d.Attempts[len(d.Attempts)-1], ""
	if n := len(d.Attempts); n > 1 {
		again = fmt.Sprintf(", after %d attempts", n)
	}
	switch r.Outcome {
	case deliver.Answered:
		return &exitError{exitViolation, fmt.Errorf("answered %d%s; only %s counts as delivered (%s)", r.Status, again, statuses(c.Delivery.Success), c.Delivery.Source)}
	case deliver.Unreachable:
		return &exitError{exitConnect, r.Err}
	case deliver.Refused:
		return &exitError{exitUsage, r.Err}
	case deliver.Canceled:
		return &exitError{exitInterrupted, r.Err}
	default:
		return &exitError{exitViolation, r.Err}
	}
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
	Attempt   int             `json:"attempt"`
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
		OK: ok, Attempt: r.Attempt, URL: withoutQuery(d.url), Body: string(d.body), Outcome: r.Outcome, Status: r.Status, Headers: r.Header,
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
