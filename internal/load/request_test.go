package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/payment"
)

// TestRequestBytes looks at the bytes themselves.
func TestRequestBytes(t *testing.T) {
	o := options(t, "paid=1")
	o.To = "http://[fe80::1%25lo]:3000"
	heads, _, err := heads(&o)
	if err != nil {
		t.Fatal(err)
	}
	q := newRequests(&o, heads)
	w := &o.Mix.Outcomes[0].Walks[0]
	for i := range w.Steps {
		all, from, err := q.append([]byte("before"), &event{delivery: delivery{step: i}, walk: w})
		if err != nil {
			t.Fatal(err)
		}
		raw := all[from:]
		if !bytes.HasPrefix(all[:from], []byte("before")) {
			t.Errorf("%q is gone", "before")
		}
		head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
		lines := strings.Split(string(head), "\r\n")
		if lines[0] != "POST "+w.Steps[i].State.Path+" HTTP/1.1" || lines[1] != "Host: [fe80::1]:3000" || !json.Valid(body) {
			t.Errorf("%q", raw)
		}
		if last := lines[len(lines)-1]; last != fmt.Sprintf("Content-Length: %d", len(body)) || len(lines) != 6 {
			t.Errorf("%q", lines)
		}
	}
	room := make([]byte, 0, 4<<10)
	if n := testing.AllocsPerRun(1000, func() { _, _, _ = q.append(room, &event{delivery: delivery{step: 1}, walk: w}) }); n > 1 {
		t.Errorf("%g allocations", n)
	}
}

// TestRequestsOfEveryWalk holds that walks which give facts are as fast as others,
// and that each has its own.
func TestRequestsOfEveryWalk(t *testing.T) {
	o := options(t, "failed=1,expired=1")
	heads, _, err := heads(&o)
	if err != nil {
		t.Fatal(err)
	}
	q := newRequests(&o, heads)
	if err := q.rehearse(o.Mix); err != nil {
		t.Fatal(err)
	}
	room := make([]byte, 0, 4<<10)
	for i := range o.Mix.Outcomes {
		for j := range o.Mix.Outcomes[i].Walks {
			w := &o.Mix.Outcomes[i].Walks[j]
			for k, step := range w.Steps {
				e := &event{delivery: delivery{step: k}, walk: w}
				all, from, err := q.append(room, e)
				if err != nil {
					t.Fatal(err)
				}
				_, body, _ := bytes.Cut(all[from:], []byte("\r\n\r\n"))
				want, err := generate.Payload(o.Contract, payment.New(o.Contract, payment.Options{Seed: o.Seed, Start: o.Start, Toward: w.toward, Facts: w.facts}), step.State, generate.Options{Previous: step.From})
				if got := string(want.AppendCanonical(nil)); err != nil || string(body) != got {
					t.Errorf("%s, %s, %v:\ngot  %s\nwant %s", w.Name, step.State, err, body, got)
				}
				if n := testing.AllocsPerRun(100, func() { _, _, _ = q.append(room, e) }); n > 1 {
					t.Errorf("%s, %s: %g allocations", w.Name, step.State, n)
				}
			}
		}
	}
}
