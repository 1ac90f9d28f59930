package load

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
)

const (
	bodyRoom    = 1 << 10  // for a body, at first
	tailRoom    = 256      // for the fields that differ from request to request, at first
	maxTailRoom = 64 << 10 // for the longest that signatures can be
)

// requests makes the bytes of one request after the other: first the body, behind
// room for the head; then the signature over it; then the head, so that it ends
// where the body starts.
type requests struct {
	o       *Options
	writers map[*Walk]*generate.Writer // for the walks that give facts; for the others that of nil
	sign    func(dst, body []byte) ([]byte, error)
	heads   [][]byte // by the state's slot
	room    int
	tail    []byte
}

func newRequests(o *Options, heads [][]byte) *requests {
	q := &requests{o: o, writers: map[*Walk]*generate.Writer{}, sign: newSigner(o), heads: heads, tail: make([]byte, 0, tailRoom)}
	for _, h := range heads {
		q.room = max(q.room, len(h)+tailRoom)
	}
	return q
}

// append appends the request of an event, which begins at a place that it returns:
// before that are some bytes that mean nothing.
func (q *requests) append(buf []byte, e *event) (out []byte, from int, err error) {
	step := e.of()
	p := payment.Options{Seed: q.o.Seed, Index: e.index, Start: q.o.Start.Add(e.shift), Moments: q.o.Moments, Toward: e.walk.toward}
	at := len(buf) + q.room
	out, err = q.writerOf(e.walk).AppendFrom(slices.Grow(buf, q.room+bodyRoom)[:at], p, step.State, step.From)
	if err != nil {
		return buf, 0, err
	}
	if q.tail, err = q.sign(q.tail[:0], out[at:]); err != nil {
		return buf, 0, err
	}
	q.tail = append(q.tail, "Content-Length: "...)
	q.tail = strconv.AppendInt(q.tail, int64(len(out)-at), 10)
	q.tail = append(q.tail, "\r\n\r\n"...)
	head := q.heads[step.slot]
	from = at - len(q.tail) - len(head)
	if from < len(buf) {
		return q.widen(buf, e)
	}
	copy(out[from:], head)
	copy(out[from+len(head):], q.tail)
	return out, from, nil
}

func (q *requests) writerOf(w *Walk) *generate.Writer {
	facts := w.facts
	if len(facts) == 0 {
		w = nil
	}
	writer := q.writers[w]
	if writer == nil {
		writer = generate.NewWriterOf(q.o.Contract, facts)
		q.writers[w] = writer
	}
	return writer
}

// widen makes more room for the head, and then the request.
func (q *requests) widen(buf []byte, e *event) ([]byte, int, error) {
	if len(q.tail) > maxTailRoom {
		return buf, 0, fmt.Errorf("the signature's headers are longer than %d KiB", maxTailRoom>>10)
	}
	q.room += len(q.tail)
	return q.append(buf, e)
}

// newSigner returns what appends the header fields that sign a body, unless the
// user has given the header.
func newSigner(o *Options) func(dst, body []byte) ([]byte, error) {
	if _, given := canonical(o.Header)[o.Scheme.Header()]; given || len(o.Secrets) == 0 {
		return func(dst, _ []byte) ([]byte, error) { return dst, nil }
	}
	if g := o.Scheme.Signer(o.Secrets[0]); g != nil {
		field := o.Scheme.Header() + ": "
		return func(dst, body []byte) ([]byte, error) {
			return append(g.Append(append(dst, field...), body), "\r\n"...), nil
		}
	}
	return func(dst, body []byte) ([]byte, error) {
		sum := sha256.Sum256(body)
		h, err := o.Scheme.Sign(o.Secrets, signature.Message{ID: "msg_" + hex.EncodeToString(sum[:12]), Time: o.Now(), Body: body})
		if err != nil {
			return nil, err
		}
		return appendFields(dst, h), nil
	}
}

func appendFields(dst []byte, h http.Header) []byte {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			dst = append(dst, name...)
			dst = append(dst, ": "...)
			dst = append(dst, v...)
			dst = append(dst, "\r\n"...)
		}
	}
	return dst
}

func canonical(h http.Header) http.Header {
	out := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, v := range h[name] {
			out.Add(name, v)
		}
	}
	return out
}

// heads returns what requests start with, for each state that is sent: the request
// line and the fields that stay the same. Every path leads to the same host, that
// of the URL that is returned.
func heads(o *Options) (out [][]byte, at *url.URL, err error) {
	header := canonical(o.Header)
	for name, value := range map[string]string{"Content-Type": "application/json", "User-Agent": cmp.Or(o.UserAgent, "paytest")} {
		if _, given := header[name]; !given {
			header.Set(name, value)
		}
	}
	for name, values := range header {
		for _, v := range values {
			if _, _, err := deliver.ParseHeader(name + ":" + v); err != nil {
				return nil, nil, err
			}
		}
	}
	host := header.Get("Host")
	header.Del("Host")
	for _, st := range o.Mix.states {
		if at, err = deliver.ResolveURL(o.To, st.Path); err != nil {
			return nil, nil, err
		}
		h := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n", at.RequestURI(), cmp.Or(host, unzoned(at.Host)))
		out = append(out, appendFields(h, header))
	}
	return out, at, nil
}

// unzoned drops the zone of an IPv6 address, which means nothing to the receiver.
func unzoned(host string) string {
	from, to := strings.IndexByte(host, '%'), strings.LastIndexByte(host, ']')
	if from < 0 || to < from {
		return host
	}
	return host[:from] + host[to:]
}

// rehearse makes every request of the mix once, so that what cannot be made is
// known before the run.
func (q *requests) rehearse(m *Mix) error {
	for i := range m.Outcomes {
		for j := range m.Outcomes[i].Walks {
			w := &m.Outcomes[i].Walks[j]
			for k := range w.Steps {
				if _, _, err := q.append(nil, &event{delivery: delivery{step: k}, walk: w}); err != nil {
					return fmt.Errorf("%s, %s: %w", w.Name, w.Steps[k].State, err)
				}
			}
		}
	}
	return nil
}
