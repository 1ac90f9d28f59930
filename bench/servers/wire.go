package main

import (
	"bufio"
	"fmt"
	"io"
	"os"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/payloads"
)

// together is how many payments are under way at a time: more than a client has
// connections, so that the events of one come in order.
const together = 256

// wire makes signed requests.
type wire struct {
	c      *contract.Contract
	writer *generate.Writer
	signer *signature.Signer
	body   []byte
	sum    []byte
}

func newWire(secretFile string) (*wire, error) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(secretFile)
	if err != nil {
		return nil, err
	}
	secret, err := signature.NewSecret(raw)
	if err != nil {
		return nil, err
	}
	signer := c.Signature.Scheme.Signer(secret)
	return &wire{c: c, writer: generate.NewWriter(c), signer: signer}, nil
}

// event leaves an event of a payment in body and its signature in sum.
func (w *wire) event(index uint64, st *contract.State) (err error) {
	o := payment.Options{Seed: 1, Index: index, Start: w.c.Epoch, Toward: w.c.Flow}
	if w.body, err = w.writer.Append(w.body[:0], o, st); err == nil {
		w.sum = w.signer.Append(w.sum[:0], w.body)
	}
	return err
}

// requests writes the events of payments, those of many by turns.
func requests(out io.Writer, payments uint64, secretFile string) error {
	w, err := newWire(secretFile)
	if err != nil {
		return err
	}
	to := bufio.NewWriterSize(out, 1<<20)
	for first := uint64(0); first < payments; first += together {
		for _, st := range w.c.Flow {
			for index := first; index < min(first+together, payments); index++ {
				if err := w.event(index, st); err != nil {
					return err
				}
				head := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n%s: %s\r\nContent-Length: %d\r\n\r\n",
					st.Path, w.c.Signature.Header, w.sum, len(w.body))
				_, _ = fmt.Fprintf(to, "%d\n%s%s", len(head)+len(w.body), head, w.body)
			}
		}
	}
	return to.Flush()
}

// request writes the path, the header and the body of the longest event of a flow.
func request(out io.Writer, secretFile string) error {
	w, err := newWire(secretFile)
	if err != nil {
		return err
	}
	last := w.c.Flow[len(w.c.Flow)-1]
	if err := w.event(0, last); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n%s: %s\n%s\n", last.Path, w.c.Signature.Header, w.sum, w.body)
	return err
}
