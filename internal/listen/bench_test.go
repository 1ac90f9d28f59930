package listen_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

// reply is an http.ResponseWriter that throws away what it is told.
type reply struct{ header http.Header }

func (r *reply) Header() http.Header              { return r.header }
func (r *reply) Write(b []byte) (int, error)      { return len(b), nil }
func (r *reply) WriteHeader(int)                  {}
func (r *reply) SetWriteDeadline(time.Time) error { return nil }

// requests are the deliveries of many payments, signed.
func requests(b *testing.B, c *contract.Contract, payments int, secret signature.Secret) []*http.Request {
	b.Helper()
	scheme := signature.HMACHeader(c.Signature.Header, "", signature.Hex)
	var out []*http.Request
	for i := range payments {
		p := payment.New(c, payment.Options{Seed: 1, Index: uint64(i), Start: c.Epoch, Toward: c.Flow})
		for _, st := range c.Flow {
			doc, err := generate.Payload(c, p, st, generate.Options{})
			if err != nil {
				b.Fatal(err)
			}
			body := doc.AppendCanonical(nil)
			r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, st.Path, nil)
			if err != nil {
				b.Fatal(err)
			}
			header, err := scheme.Sign([]signature.Secret{secret}, signature.Message{Body: body})
			if err != nil {
				b.Fatal(err)
			}
			r.Header = header
			r.Header.Set("Content-Type", "application/json")
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
			out = append(out, r)
		}
	}
	return out
}

// BenchmarkHandler is what a listener does with a delivery, the network apart;
// BenchmarkBare is a handler that reads it and answers.
func BenchmarkHandler(b *testing.B) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		b.Fatal(err)
	}
	secret, err := signature.NewSecret([]byte("secret"))
	if err != nil {
		b.Fatal(err)
	}
	all := requests(b, c, 5000, secret)
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"status":"ok"}`)
	})
	options := func(signed bool) listen.Options {
		o := listen.Options{Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: time.Now, OnDelivery: func(*listen.Delivery) {}, Lend: true}
		if signed {
			o.Secrets, o.Scheme = []signature.Secret{secret}, signature.HMACHeader(c.Signature.Header, "", signature.Hex)
		}
		return o
	}
	for name, fresh := range map[string]func() http.Handler{
		"bare":     func() http.Handler { return bare },
		"unsigned": func() http.Handler { return listen.New(options(false)) },
		"signed":   func() http.Handler { return listen.New(options(true)) },
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			w, h := &reply{http.Header{}}, fresh()
			for i := 0; b.Loop(); i++ {
				if i%len(all) == 0 {
					h = fresh() // else the deliveries would be repeated ones
				}
				r := all[i%len(all)]
				r.Body, _ = r.GetBody()
				h.ServeHTTP(w, r)
			}
		})
	}
}
