package cli

import (
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/publish"
	"github.com/paytest/paytest/internal/suggest"
)

type exportOptions struct{ format, out, endpoint string }

func newExport(a *app) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use:   "export --format FORMAT",
		Short: "Publish the contract: OpenAPI, AsyncAPI, Postman and more",
		Long: `Write the contract in a form that other programs read:

` + formatList() + `
It holds the events and their paths, the schema of each state, the documented
samples, the signature, the answers and the retries, and what was derived is
marked so. The same contract gives the same bytes.`,
		Example: `  paytest export --format openapi -o openapi.json
  paytest export --format jsonschema | jq '."$defs" | keys'
  paytest export --format postman -o gateway.postman_collection.json
  paytest export --format http -o gateway.http --endpoint http://localhost:8080`,
		Args:              atMost(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return a.export(&o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "", "write this `format`: "+strings.Join(publish.Names(), ", "))
	f.StringVarP(&o.out, "out", "o", "", "write to this `file` instead of standard output")
	f.StringVar(&o.endpoint, "endpoint", defaultTarget, "the receiver is at this `URL` unless the reader says otherwise")
	once(cmd, "format", "out")
	noFiles(cmd, "endpoint", cobra.ShellCompDirectiveNoFileComp)
	_ = cmd.RegisterFlagCompletionFunc("format", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var out []string
		for _, f := range publish.Formats() {
			out = append(out, f.Name+"\t"+f.Meaning)
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func formatList() string {
	var b strings.Builder
	for _, f := range publish.Formats() {
		b.WriteString("  " + f.Name + strings.Repeat(" ", 12-len(f.Name)) + f.Meaning + "\n")
	}
	return b.String()
}

func (a *app) export(o *exportOptions) error {
	if o.format == "" {
		return usage("export to what? Give --format%s", suggest.Among("", "formats", publish.Names()))
	}
	if err := oneOf("format", o.format, publish.Names()...); err != nil {
		return err
	}
	if u, err := url.Parse(o.endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.TrimSuffix(o.endpoint, "/") != u.Scheme+"://"+u.Host {
		return usage("--endpoint %q: it takes the URL of a server, without a path, such as %s", o.endpoint, defaultTarget)
	}
	c, err := a.contract()
	if err != nil {
		return err
	}
	raw, err := publish.Write(c, o.format, publish.Options{Endpoint: strings.TrimSuffix(o.endpoint, "/")})
	if err != nil {
		return err
	}
	if o.out == "" {
		a.out.Raw(raw)
		return nil
	}
	if err := a.WriteFile(o.out, raw); err != nil {
		return usage("--out: %w", err)
	}
	return nil
}
