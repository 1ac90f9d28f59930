package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/signature"
)

// How far the target's clock may be off before it is worth a word, and before
// signatures that cover the time are refused. An HTTP date counts in seconds.
const (
	skewNoticed = 3 * time.Second
	skewRefused = signature.DefaultTolerance
)

const doctorName = "doctor"

// How a check ends.
const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
)

// check is one thing that doctor looked at.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"`
	Detail string `json:"detail"`
	// Do says what to do, where there is something.
	Do string `json:"do,omitempty"`
}

type doctorOptions struct {
	conform conformOptions
	output  string
}

func newDoctor(a *app) *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   doctorName,
		Short: "Check the settings, the ports, the secret and the target",
		Long: `Check whether everything is as the other commands need it: the contract, the
settings and where each came from, the ports, the secret, whether the target can
be reached and how far its clock is off, and the probe of conform. What conform
is set to holds here, too. Nothing is delivered: the target gets one GET.

Exit 1 when a check fails. A warning is worth reading, and no failure.`,
		Example: `  paytest doctor
  paytest doctor --to http://localhost:8080 --secret-file secret.txt
  paytest doctor --output json`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.doctor(cmd, &o) },
	}
	o.conform.target.reach(cmd)
	o.conform.probeFlags(cmd)
	cmd.Flags().StringVar(&o.output, "output", "text", "write text or json, a line for each check")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (a *app) doctor(cmd *cobra.Command, o *doctorOptions) error {
	if err := oneOf("output", o.output, "text", "json"); err != nil {
		return err
	}
	a.asConform(cmd)
	checks := []check{{"version", checkOK, "paytest " + a.build(), ""}}
	c, found := a.checkContract()
	checks = append(checks, found)
	checks = append(checks, a.checkSettings(cmd)...)
	checks = append(checks, a.checkSecret(&o.conform.target.secrets)...)
	if c != nil {
		checks = append(checks, a.checkTarget(cmd, c, &o.conform)...)
	}
	checks = append(checks, a.checkPorts(cmd.Context(), o.conform.target.to)...)
	return a.diagnose(checks, o.output == "json")
}

// asConform gives flags that nobody set what conform is set to.
func (a *app) asConform(cmd *cobra.Command) {
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		v, ok := a.config.Lookup("conform", f.Name)
		if !ok || f.Changed || f.Name == "output" {
			return
		}
		a.origins[f.Name] = v.Origin
		for _, text := range v.Values {
			if err := cmd.Flags().Set(f.Name, text); err != nil && a.wrong == nil {
				a.wrong = usage("%s: %s: %q: it takes %s", v.Origin, f.Name, text, takes(f.Value.Type()))
			}
		}
	})
}

// diagnose tells what was found.
func (a *app) diagnose(checks []check, asJSON bool) error {
	counts := map[string]int{checkOK: 0, checkWarn: 0, checkFail: 0}
	styles := map[string]report.Style{checkOK: report.Good, checkWarn: report.Caution, checkFail: report.Bad}
	for _, c := range checks {
		counts[c.Status]++
		if asJSON {
			a.out.JSON("check", c)
			continue
		}
		a.out.Paragraph([]report.Span{report.S(styles[c.Status], "%-4s", c.Status), report.T("  %-8s  ", c.Name)}, strings.Repeat(" ", 16), c.Detail)
		if c.Do != "" {
			a.out.Paragraph([]report.Span{report.T("%14s→ ", "")}, strings.Repeat(" ", 16), c.Do)
		}
	}
	if asJSON {
		a.out.JSON("summary", counts)
	} else {
		a.out.Line(report.T("%s, %d failed, %s", plural(len(checks), "check"), counts[checkFail], plural(counts[checkWarn], "warning")))
	}
	if counts[checkFail] > 0 {
		return violated()
	}
	return nil
}

// checkContract loads the whole pack, which other commands do as far as needed.
func (a *app) checkContract() (*contract.Contract, check) {
	c, err := contract.Load(a.pack())
	if err != nil {
		return nil, check{"contract", checkFail, err.Error(), "mend the file that is named, or leave --contract out"}
	}
	a.loaded = c
	where := "built in"
	if a.contractPath != "" {
		where = a.contractPath
	}
	return c, check{"contract", checkOK, fmt.Sprintf("%s, %s: %s, %s", c.Name, where, plural(len(c.Subjects), "subject"), plural(len(c.States()), "state")), ""}
}

// checkSettings lists what the settings say, each where it says it.
func (a *app) checkSettings(cmd *cobra.Command) []check {
	var origins []string
	says := map[string]string{}
	named := map[string]int{}
	for _, k := range settings(cmd.Root()) {
		v, ok := a.config.Lookup(k.Command, k.Flag)
		if !ok {
			continue
		}
		name := k.Flag
		if named[v.Origin]++; k.Command != "" && named[v.Origin] == 1 {
			name = k.Command + "." + k.Flag
		}
		if named[v.Origin] == 1 {
			origins = append(origins, v.Origin)
		}
		says[v.Origin] = name + " is " + shownSetting(k.Flag, v.Values)
	}
	slices.Sort(origins)
	var out []check
	if a.wrong != nil {
		out = append(out, check{"settings", checkFail, a.wrong.Error(), "mend it: other commands refuse it"})
	}
	for _, origin := range origins {
		out = append(out, check{"settings", checkOK, origin + ": " + says[origin], ""})
	}
	if len(out) == 0 {
		out = append(out, check{"settings", checkOK, "none: everything has its default", ""})
	}
	for _, name := range a.unknownEnv() {
		out = append(out, check{"settings", checkWarn, name + " is set, but is no setting" + a.nearEnv(name), "correct its name, or unset it"})
	}
	return out
}

// checkSecret never shows a secret, nor how long it is.
func (a *app) checkSecret(o *secretOptions) []check {
	if o.off {
		return []check{{"secret", checkOK, "not used: --no-signature", ""}}
	}
	var out []check
	for _, name := range o.files {
		raw, exposed, err := a.secretFile(name)
		if err == nil {
			_, err = signature.NewSecret(raw)
		}
		switch {
		case err != nil:
			out = append(out, check{"secret", checkFail, fmt.Sprintf("%s: %v", name, told{err, name}), "give the file that holds the secret you share with the gateway"})
		case exposed:
			out = append(out, check{"secret", checkWarn, name + " can be read by others on this machine", "chmod 600 " + name})
		default:
			out = append(out, check{"secret", checkOK, name + ", readable to you alone", ""})
		}
	}
	value, _ := a.LookupEnv(SecretEnv)
	switch {
	case len(out) > 0 && value != "":
		out = append(out, check{"secret", checkWarn, SecretEnv + " is set, too, and --secret-file goes before it", "unset one of them"})
	case len(out) > 0:
	case value == "":
		out = append(out, check{"secret", checkWarn, "none: nothing is signed, and signatures are not tested", "give --secret-file, or set " + SecretEnv})
	default:
		if _, err := signature.NewSecret([]byte(value)); err != nil {
			return []check{{"secret", checkFail, fmt.Sprintf("%s: %v", SecretEnv, err), "set it to the secret you share with the gateway"}}
		}
		out = append(out, check{"secret", checkOK, "in " + SecretEnv, ""})
	}
	return out
}

// checkTarget asks the target something that any server answers, and the probe
// for a payment that nobody has made.
func (a *app) checkTarget(cmd *cobra.Command, c *contract.Contract, o *conformOptions) []check {
	secrets := o.target.secrets
	o.target.secrets = secretOptions{off: true, scheme: documentedScheme} // checked by itself
	t, err := a.target(c, cmd, &o.target, 0)
	o.target.secrets = secrets
	var u *url.URL
	if err == nil {
		u, err = t.url(c.Paths()[0])
	}
	if err != nil {
		return []check{{"target", checkFail, err.Error(), "correct the setting"}}
	}
	defer t.client.Close()
	r := t.client.Get(cmd.Context(), u, t.header)
	if r.Err != nil {
		return []check{{"target", checkFail, fmt.Sprintf("%s: %v", withoutQuery(u), r.Err), "nothing can be delivered until that is mended"}}
	}
	out := []check{{"target", checkOK, fmt.Sprintf("%s answers, %d in %s", withoutQuery(u), r.Status, report.Duration(r.Latency)), ""}, clockSkew(r.Header, a.Now())}
	return append(out, a.checkProbe(cmd.Context(), c, t.client, o))
}

// clockSkew compares the target's clock, as it tells it, with this machine's.
func clockSkew(h http.Header, now time.Time) check {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return check{"clock", checkWarn, "the target does not tell the time", "compare the two clocks yourself: an endpoint that checks times refuses what is too old"}
	}
	skew, where := now.Sub(date).Round(time.Second), "behind"
	if skew < 0 {
		skew, where = -skew, "ahead of"
	}
	detail := fmt.Sprintf("the target's is %s %s this machine's", skew, where)
	switch {
	case skew <= skewNoticed:
		return check{"clock", checkOK, "the target's and this machine's agree", ""}
	case skew <= skewRefused:
		return check{"clock", checkWarn, detail, "let both machines set their clocks by NTP"}
	}
	return check{"clock", checkFail, detail + ": deliveries look forged or replayed", "let both machines set their clocks by NTP"}
}

func (a *app) checkProbe(ctx context.Context, c *contract.Contract, client *deliver.Client, o *conformOptions) check {
	run := &conform.Options{Contract: c, Client: client}
	if err := a.hooks(run, o); err != nil {
		return check{"probe", checkFail, err.Error(), "correct the setting"}
	}
	if run.Probe == nil {
		return check{"probe", checkWarn, "none: what becomes of a payment stays unproven", "give conform a --probe-url or --probe-cmd; docs/ci.md tells how"}
	}
	facts := map[string]string{}
	for _, f := range c.Facts {
		facts[f.Name] = "paytest-doctor"
	}
	switch _, known, err := run.Probe(ctx, facts); {
	case err != nil:
		return check{"probe", checkFail, err.Error(), "let it answer 200 with JSON, and 404 for an order that it does not know"}
	case known:
		return check{"probe", checkWarn, "it answers, and knows an order that nobody has made", "let it answer 404, or null, for an order that it does not know"}
	}
	return check{"probe", checkOK, "it answers, and does not know an order that nobody has made", ""}
}

// checkPorts tries the ports that listen and the inspector would take.
func (a *app) checkPorts(ctx context.Context, target string) []check {
	address := ":3000"
	if v, ok := a.config.Lookup("listen", "addr"); ok && len(v.Values) == 1 {
		address = v.Values[0]
	}
	out := []check{}
	for _, p := range []struct{ name, address, otherwise string }{
		{"listen", address, "paytest listen :8080"}, {"--ui", uiAddress, "--ui=:4041"},
	} {
		listeners, err := listen.Open(ctx, p.address)
		closeAll(listeners)
		switch {
		case err == nil:
			out = append(out, check{"port", checkOK, p.address + " is free for " + p.name, ""})
		case samePort(p.address, target):
			out = append(out, check{"port", checkOK, p.address + " is your endpoint's; listen takes another, such as :8080", ""})
		default:
			out = append(out, check{"port", checkWarn, p.address + " is taken", "give another one: " + p.otherwise})
		}
	}
	return out
}

func samePort(address, target string) bool {
	_, port, err := listen.ParseAddress(address)
	u, wrong := deliver.ResolveURL(target, "/")
	return err == nil && wrong == nil && u.Port() == strconv.Itoa(int(port))
}
