package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/signature"
)

// SecretEnv names the variable of the environment that holds a secret where there
// is no file for it. Commands that the program starts must not get it.
const SecretEnv = "PAYTEST_SECRET"

// documentedScheme is the contract's own.
const documentedScheme = "documented"

// secretOptions say how deliveries are signed, or how signatures are verified.
type secretOptions struct {
	files  []string
	scheme string
	off    bool
}

func (o *secretOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.Var(texts{&o.files}, "secret-file", "the shared secret is in this `file`, or in "+SecretEnv+"; may be repeated: the first signs, each verifies")
	f.StringVar(&o.scheme, "signature", documentedScheme, "sign and verify by this `scheme`: "+strings.Join(schemes(), ", "))
	f.BoolVar(&o.off, "no-signature", false, "neither sign nor verify, even if there is a secret")
	grouped(cmd, signatureFlags, "secret-file", "signature", "no-signature")
	_ = cmd.RegisterFlagCompletionFunc("signature", cobra.FixedCompletions(schemes(), cobra.ShellCompDirectiveNoFileComp))
}

const signatureFlags = "Signatures:"

func schemes() []string { return append([]string{documentedScheme}, signature.Names()...) }

// signer signs bodies, or does nothing where there is no secret.
type signer struct {
	scheme  signature.Scheme
	secrets []signature.Secret
	now     func() time.Time
}

// signer reads the secrets and finds the scheme.
func (a *app) signer(c *contract.Contract, o *secretOptions) (signer, error) {
	s := signer{now: a.Now}
	if err := oneOf("signature", o.scheme, schemes()...); err != nil {
		return s, err
	}
	if o.off {
		return s, nil
	}
	var err error
	if s.secrets, err = a.readSecrets(o.files); err != nil || len(s.secrets) == 0 {
		return s, err
	}
	if o.scheme != documentedScheme {
		s.scheme, _ = signature.Named(o.scheme)
	} else if c.Signature == nil {
		return s, usage("the contract documents no signature: name a --signature scheme, or give --no-signature")
	} else {
		s.scheme = c.Signature.Scheme
	}
	if err := s.scheme.CheckSecrets(s.secrets); err != nil {
		return s, usage("%w", err)
	}
	return s, nil
}

func (a *app) readSecrets(files []string) ([]signature.Secret, error) {
	var out []signature.Secret
	for _, name := range files {
		raw, exposed, err := a.secretFile(name)
		if err != nil {
			return nil, usage("--secret-file: %w", err)
		}
		if exposed {
			a.exposed(name)
		}
		s, err := signature.NewSecret(raw)
		if err != nil {
			return nil, usage("--secret-file %s: %w", name, err)
		}
		out = append(out, s)
	}
	if value, ok := a.LookupEnv(SecretEnv); ok && value != "" && len(files) == 0 {
		s, err := signature.NewSecret([]byte(value))
		if err != nil {
			return nil, usage("%s: %w", SecretEnv, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// secretFile reads a secret, and says whether others on the machine could, too.
func (a *app) secretFile(name string) (raw []byte, exposed bool, err error) {
	f, err := a.Open(name)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, false, err
	}
	raw, err = io.ReadAll(io.LimitReader(f, signature.MaxSecretBytes+2))
	return raw, a.isExposed(info), err
}

// isExposed reports whether others on the machine can read or write a file.
func (a *app) isExposed(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && !a.Windows
}

func (a *app) exposed(name string) {
	a.err.Line(report.S(report.Caution, "warning:"), report.T(" %s can be read by others on this machine: chmod 600 %s", name, name))
}

// sign returns the headers with the signature added. A retry gets the same
// signature, and two deliveries of one body the same identifier.
func (s signer) sign(h http.Header, body []byte) (http.Header, error) {
	if len(s.secrets) == 0 {
		return h, nil
	}
	sum := sha256.Sum256(body)
	signed, err := s.scheme.Sign(s.secrets, signature.Message{ID: "msg_" + hex.EncodeToString(sum[:12]), Time: s.now(), Body: body})
	if err != nil {
		return nil, err
	}
	out, given := h.Clone(), canonical(h)
	for name, values := range signed {
		if len(given[name]) == 0 {
			out[name] = values
		}
	}
	return out, nil
}

func newSign(a *app) *cobra.Command {
	var o secretOptions
	cmd := &cobra.Command{
		Use:   "sign [FILE|-]",
		Short: "Sign a body: print the headers that go with it",
		Long: `Sign the body in a file, or from standard input, byte for byte, and print the
headers that go with it. The secret is in a file or in ` + SecretEnv + `, never on
the command line.`,
		Example: `  paytest payload {subject} {state} --seed 7 | tr -d '\n' > body.json
  paytest sign body.json --secret-file secret.txt`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			s, body, err := a.signing(&o, args)
			if err != nil {
				return err
			}
			h, err := s.sign(http.Header{}, body)
			if err != nil {
				return usage("%w", err)
			}
			for _, name := range names(h) {
				a.out.Line(report.T("%s: %s", name, h.Get(name)))
			}
			return nil
		},
	}
	o.flags(cmd)
	return cmd
}

func newVerifySignature(a *app) *cobra.Command {
	var o secretOptions
	var typed []string
	cmd := &cobra.Command{
		Use:   "verify-signature [FILE|-]",
		Short: "Verify the signature of a body",
		Long: `Verify the signature of the body in a file, or from standard input: over the raw
bytes, and over the body as JSON.stringify writes it, as the documented verifier
does. Exit 0 when it is right, 1 when not.`,
		Example: `  paytest verify-signature body.json --secret-file secret.txt \
      -H "X-Signature: $SIGNATURE"`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := headers(typed)
			if err != nil {
				return err
			}
			s, body, err := a.signing(&o, args)
			if err != nil {
				return err
			}
			return a.verifySignature(s, canonical(h), body)
		},
	}
	o.flags(cmd)
	cmd.Flags().VarP(texts{&typed}, "header", "H", "a header that came with the body, as `'Name: value'`; may be repeated")
	once(cmd, "header")
	noFiles(cmd, "header", cobra.ShellCompDirectiveNoFileComp)
	return cmd
}

// signing reads what sign and verify-signature work on.
func (a *app) signing(o *secretOptions, args []string) (signer, []byte, error) {
	c, err := a.contract()
	if err != nil {
		return signer{}, nil, err
	}
	s, err := a.signer(c, o)
	if err == nil && len(s.secrets) == 0 {
		err = usage("there is no secret: give --secret-file, or set %s", SecretEnv)
	}
	if err != nil {
		return s, nil, err
	}
	name := "-"
	if len(args) == 1 {
		name = args[0]
	}
	body, err := a.body(name)
	return s, body, err
}

func (a *app) verifySignature(s signer, h http.Header, body []byte) error {
	res := s.scheme.Verify(s.secrets, h, body, s.now(), signature.DefaultTolerance)
	if !res.OK {
		return &exitError{exitViolation, fmt.Errorf("%s is %s: %s", s.scheme.Header(), res.Reason, res.Detail)}
	}
	what := map[signature.Family]string{
		signature.Both:         "the raw body, which is also what JSON.stringify writes",
		signature.Raw:          "the raw body; a verifier that re-serialises it would refuse",
		signature.Reserialised: "the re-serialised body; a verifier of the raw body would refuse",
	}[res.Family]
	a.out.Line(report.S(report.Good, "ok"), report.T("  %s fits %s (secret %d of %d)", s.scheme.Header(), what, res.Secret+1, len(s.secrets)))
	return nil
}

func canonical(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		for _, v := range values {
			out.Add(name, v)
		}
	}
	return out
}

func names(h http.Header) []string {
	var out []string
	for name := range h {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
