package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Signer signs one body after another with one secret, without allocating. It is not safe for concurrent use.
type Signer struct {
	scheme Scheme
	sum    func(dst, body []byte) []byte // a function, as in Secret: it holds what the secret makes
	room   [sha256.Size]byte
}

// Signer returns a Signer of a scheme that signs the body and nothing else: HMACHeader and "github". It is nil for the other schemes, which
// sign a time too, and where Sign has an error.
func (s Scheme) Signer(secret Secret) *Signer {
	_, unfit := s.claim(Message{}) // without the id and the time that the others need
	key, unusable := s.key(secret)
	if unfit != "" || unusable != "" {
		return nil
	}
	mac := hmac.New(sha256.New, key)
	return &Signer{scheme: s, sum: func(dst, body []byte) []byte {
		mac.Reset()
		mac.Write(body)
		return mac.Sum(dst)
	}}
}

// Append appends the value that Sign gives the header for the body. The body may lie in dst.
func (g *Signer) Append(dst, body []byte) []byte {
	mac := g.sum(g.room[:0], body)
	dst = append(dst, g.scheme.prefix...)
	if g.scheme.encoding == Base64 {
		return base64.StdEncoding.AppendEncode(dst, mac)
	}
	return hex.AppendEncode(dst, mac)
}
