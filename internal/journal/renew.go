package journal

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
)

// Renewal says how recorded payloads are made new, so that an endpoint that has
// seen them takes them again.
type Renewal struct {
	// IDs gives each subject a new identifier, and its hashes with it: equal ones
	// equal new ones, determined by Seed.
	IDs  bool
	Seed []byte
	// Shift moves every time by that much; 0 leaves them.
	Shift time.Duration
}

// Renew returns a payload made new; what is no payload of the contract, and what
// is not to be renewed, stays as it is, byte for byte.
func (n Renewal) Renew(c *contract.Contract, raw []byte) []byte {
	v := verify.Payload(c, raw, "")
	doc, err := jsondoc.Parse(raw)
	if err != nil || v.State == nil || !n.IDs && n.Shift == 0 {
		return raw
	}
	for _, f := range v.State.Fields() {
		at := doc.At(f.Pointer)
		switch {
		case at == nil || at.Kind != jsondoc.String:
		case n.IDs && identifies(c, f.Fact):
			*at = n.id(c, f.Fact, v.State, at.Text)
		case n.Shift != 0 && f.Fact.Compare == contract.Time:
			at.Text = payment.Shift(at.Text, n.Shift)
		}
	}
	return doc.AppendLiteral(nil)
}

// Moment returns the latest time that a payload tells, which is when its event
// happened; it reports false for what is no payload of the contract.
func Moment(c *contract.Contract, raw []byte) (time.Time, bool) {
	v := verify.Payload(c, raw, "")
	doc, err := jsondoc.Parse(raw)
	if err != nil || v.State == nil {
		return time.Time{}, false
	}
	var latest time.Time
	for _, f := range v.State.Fields() {
		at := doc.At(f.Pointer)
		if at == nil || at.Kind != jsondoc.String || f.Fact.Compare != contract.Time {
			continue
		}
		if t, ok := payment.Moment(at.Text); ok && t.After(latest) {
			latest = t
		}
	}
	return latest, !latest.IsZero()
}

// identifies reports whether the fact names a subject, or is a hash that no two
// of them share.
func identifies(c *contract.Contract, f *contract.Fact) bool {
	for _, s := range c.Subjects {
		if s.ID == f {
			return true
		}
	}
	return f.Generate != nil && f.Generate.Kind == contract.Hex
}

func (n Renewal) id(c *contract.Contract, f *contract.Fact, st *contract.State, old string) jsondoc.Value {
	mac := hmac.New(sha256.New, n.Seed)
	_, _ = mac.Write([]byte(f.Name + "\x00" + old))
	seed := binary.BigEndian.Uint64(mac.Sum(nil))
	return payment.New(c, payment.Options{Seed: seed}).Fact(f, st)
}
