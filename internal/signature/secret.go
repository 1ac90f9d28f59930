package signature

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
)

// MaxSecretBytes is the longest secret NewSecret takes, in bytes, without its trailing newline.
const MaxSecretBytes = 64 << 10

// The reasons NewSecret refuses a secret. Neither quotes it.
var (
	ErrEmptySecret = errors.New("the secret is empty: put the shared secret there, one line")
	ErrLongSecret  = fmt.Errorf("the secret is longer than %d KiB: is this the right file?", MaxSecretBytes>>10)
)

const hidden = "[secret]"

// keyPrefix starts a secret of Standard Webhooks whose rest is the key in base64.
const keyPrefix = "whsec_"

// Secret is a shared secret. However it is printed or marshalled, only "[secret]" appears.
type Secret struct {
	// A function, because no printer, differ or dumper looks into one, not even where reflection is all it has.
	reveal func() []byte
}

// NewSecret copies b without one trailing newline (LF or CRLF), which files end with. The error is ErrEmptySecret or ErrLongSecret.
func NewSecret(b []byte) (Secret, error) {
	if trimmed, ok := bytes.CutSuffix(b, []byte("\n")); ok {
		b = bytes.TrimSuffix(trimmed, []byte("\r"))
	}
	switch {
	case len(b) == 0:
		return Secret{}, ErrEmptySecret
	case len(b) > MaxSecretBytes:
		return Secret{}, ErrLongSecret
	}
	held := bytes.Clone(b)
	return Secret{reveal: func() []byte { return held }}, nil
}

// minTold is how long a secret must be, in bytes, for In to find it: a shorter one may stand in any text by chance.
const minTold = 8

// In reports whether a text holds the secret. It does not find one shorter than 8 bytes.
func (s Secret) In(text []byte) bool {
	return s.reveal != nil && len(s.reveal()) >= minTold && bytes.Contains(text, s.reveal())
}

// String returns "[secret]".
func (Secret) String() string { return hidden }

// GoString returns "[secret]".
func (Secret) GoString() string { return hidden }

// Format writes "[secret]" whatever the verb and its flags.
func (Secret) Format(f fmt.State, _ rune) {
	_, _ = io.WriteString(f, hidden)
}

// MarshalText returns "[secret]".
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// MarshalJSON returns "[secret]" as a JSON string.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + hidden + `"`), nil }

// SecretError says which secret cannot be used and why, without quoting it.
type SecretError struct {
	Scheme  string
	Index   int // 0-based; -1 when it is not about one secret
	Problem string
}

func (e *SecretError) Error() string {
	if e.Index < 0 {
		return fmt.Sprintf("signature scheme %s: %s", e.Scheme, e.Problem)
	}
	return fmt.Sprintf("signature scheme %s: secret %d: %s", e.Scheme, e.Index+1, e.Problem)
}

// key returns the HMAC key the secret stands for in this scheme, or what is wrong with the secret.
func (s Scheme) key(secret Secret) (key []byte, problem string) {
	if secret.reveal == nil {
		return nil, "it is empty"
	}
	held := secret.reveal()
	encoded, ok := bytes.CutPrefix(held, []byte(keyPrefix))
	if s.layout != standardWebhooks || !ok {
		return held, ""
	}
	key, err := base64.StdEncoding.DecodeString(string(encoded))
	switch {
	case err != nil:
		return nil, "it starts with whsec_, but what follows is not base64: copy it whole, with its = at the end"
	case len(key) == 0:
		return nil, "nothing follows its whsec_: copy it whole"
	}
	return key, ""
}

// CheckSecrets says whether every secret can be used with the scheme, and that there are 1 to MaxSecrets of them. The error is a
// *SecretError. Verify treats a secret that fails this as one that never matches, so check when the secrets are read.
func (s Scheme) CheckSecrets(secrets []Secret) error {
	_, err := s.keys(secrets)
	return err
}

func (s Scheme) keys(secrets []Secret) ([][]byte, error) {
	switch {
	case len(secrets) == 0:
		return nil, &SecretError{Scheme: s.Name, Index: -1, Problem: "there is no secret: give one"}
	case len(secrets) > MaxSecrets:
		return nil, &SecretError{Scheme: s.Name, Index: -1, Problem: fmt.Sprintf("%d secrets: give at most %d", len(secrets), MaxSecrets)}
	}
	keys := make([][]byte, len(secrets))
	for i, secret := range secrets {
		key, problem := s.key(secret)
		if problem != "" {
			return nil, &SecretError{Scheme: s.Name, Index: i, Problem: problem}
		}
		keys[i] = key
	}
	return keys, nil
}
