package cli

import (
	"crypto/rand"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/journal"
)

// journalError places an error as editors read it: file:line:column.
func journalError(name string, err error) error {
	var line *journal.LineError
	if errors.As(err, &line) {
		return usage("%s:%d:1: %w", name, line.Line, line.Err)
	}
	return usage("%s: %w", name, err)
}

func isTorn(err error) bool { return errors.Is(err, journal.ErrTorn) }

func newRedact(a *app) *cobra.Command {
	var seed, output string
	cmd := &cobra.Command{
		Use:   "redact FILE",
		Short: "Replace what is personal in a journal",
		Long: `Replace names, identifiers, hashes and addresses in a journal by others of the
same form: equal ones by equal ones, so that what hung together still does, and
the journal can be kept as a fixture. Signatures and other headers are left out.
Amounts, times and block numbers stay; on a public chain they can be looked up.

Without --seed the replacements are different each time, and nobody can find out
the old values by trying.`,
		Example: `  paytest redact webhooks.jsonl -o fixture.jsonl
  paytest listen --record webhooks.jsonl    makes a journal`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage("redact what? It takes a journal, as --record writes it")
			}
			return a.redact(args[0], seed, output)
		},
	}
	cmd.Flags().StringVar(&seed, "seed", "", "make the replacements of this `text`, always the same; keep it secret")
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to this `file` instead of standard output")
	once(cmd, "seed", "output")
	noFiles(cmd, "seed", cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

func (a *app) redact(name, seed, output string) error {
	c, err := a.contract()
	if err != nil {
		return err
	}
	entries, err := a.journalEntries(name)
	if err != nil {
		return err
	}
	key := []byte(seed)
	if seed == "" {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	r := journal.NewRedactor(c, key)
	out := journal.HeaderLine(1)
	for i, e := range entries {
		rec := r.Record(e.Record)
		rec.Seq = uint64(i + 1)
		line, err := rec.Line()
		if err != nil {
			return usage("%s: line %d: %w", name, e.Line, err)
		}
		out = append(out, line...)
	}
	if output == "" {
		a.out.Raw(out)
		return nil
	}
	err = a.CreateFile(output, out)
	if errors.Is(err, fs.ErrExist) {
		return usage("--output %s: there is such a file, and it is not overwritten: give another name", output)
	}
	if err != nil {
		return usage("--output: %w", err)
	}
	return nil
}
