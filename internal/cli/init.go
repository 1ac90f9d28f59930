package cli

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/report"
)

func newInit(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Write a paytest.yaml, a scenario and a CI workflow to begin",
		Long: `Write a commented paytest.yaml, an example scenario and a workflow for GitHub
Actions into this folder. A file that exists is left as it is.`,
		Example: `  paytest init`,
		Args:    atMost(0),
		RunE:    func(*cobra.Command, []string) error { return a.init() },
	}
}

// starter is a file that init writes.
type starter struct{ path, text string }

func (a *app) init() error {
	if _, err := a.contract(); err != nil {
		return err
	}
	for _, f := range starters(a.reference()) {
		if err := a.MakeDirs(path.Dir(f.path)); err != nil {
			return usage("%w", err)
		}
		err := a.CreateFile(f.path, []byte(a.examples(f.text)))
		switch {
		case errors.Is(err, fs.ErrExist):
			a.out.Line(report.S(report.Faint, "exists   %s", f.path))
		case err != nil:
			return usage("%w", err)
		default:
			a.out.Line(report.S(report.Good, "written  "), report.T("%s", f.path))
		}
	}
	a.out.Line(report.T("Next: start your server, and run "), report.S(report.Accent, "paytest run ./paytest/example.yaml"))
	return nil
}

// reference is what a workflow names this version of the Action by: its release,
// or else the branch that there always is.
func (a *app) reference() string {
	if a.Version != "" && !strings.Contains(a.Version, "-") {
		return "v" + a.Version
	}
	return "main"
}

func starters(reference string) []starter {
	return []starter{
		{"paytest.yaml", `# Settings of paytest for this project. Every lasting flag can stand here; paytest
# config shows the values in effect. The environment (PAYTEST_TO) goes before this
# file, and a flag before both.

# Where your endpoint is. A URL without a path gets the documented paths.
to: http://localhost:3000

# The file that holds the secret shared with the gateway; keep it out of git.
# secret-file: [.paytest-secret]

listen:
  # What counts as a violation, too: order, duplicates, unknown-fields,
  # unknown-values, gaps.
  strict: unknown-fields
`},
		{"paytest/example.yaml", `# One life of a payment. Play it with: paytest run ./paytest/example.yaml
# paytest run --schema prints the JSON Schema of this file, for editors.
description: The last webhook comes twice, and once more after its answer was lost.
outcome: {state}
steps:
{flow}  - send: {subject} {state}
    repeat: 2
    answer: 200        # a status, a list of them, or any (anything but 5xx)
  - wait: 10m
  - send: {subject} {state}
    fault: lost-ack    # or cut-body, slow-body, overlap
  - state: {subject} {state}
`},
		{".github/workflows/paytest.yml", `name: webhooks
on: [push, pull_request]
permissions:
  contents: read
jobs:
  paytest:
    runs-on: ubuntu-latest
    env:
      PAYTEST_SECRET: ${{ secrets.WEBHOOK_SECRET }}
    steps:
      - uses: actions/checkout@v4
      # Start your server here, so that it answers on the URL of paytest.yaml.

      # Whole lives of payments. An endpoint that refuses old events must take those
      # of three hours here.
      - uses: paytest/paytest@` + reference + `
        with:
          command: run
          args: |
            --all-paths
            --shuffle=20
          artifact: paytest-run
      # Attacks. Give --probe-url, too, so that they see what is credited.
      - uses: paytest/paytest@` + reference + `
        if: ${{ !cancelled() }}
        with:
          command: conform
          url: http://localhost:3000
          artifact: paytest-conform
`},
	}
}
