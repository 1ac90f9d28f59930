package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/payloads"
)

// senders is how many deliver at the same time.
const senders = 64

// payer makes the payloads of one payment after the other.
type payer struct {
	c    *contract.Contract
	mu   sync.Mutex
	next uint64
	sent map[string]bool
}

func (p *payer) payload(t *testing.T) (path string, body []byte) {
	p.mu.Lock()
	index := p.next
	p.next++
	p.mu.Unlock()
	st := p.c.Flow[0]
	made := payment.New(p.c, payment.Options{Seed: 7, Index: index, Start: p.c.Epoch, Toward: p.c.Flow})
	doc, err := generate.Payload(p.c, made, st, generate.Options{})
	if err != nil {
		t.Error(err)
	}
	body = doc.AppendCanonical(nil)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[string(body)] = true
	return st.Path, body
}

// killed starts a listener that records to a file, delivers to it from all sides
// and kills it after so many acknowledgements. It returns what was acknowledged.
func (p *payer) killed(t *testing.T, program, file string, after int) []string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "listen", ":0", "--output", "ndjson", "--record", file)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadBytes('\n')
	var ready struct{ Addr string }
	if err == nil {
		err = json.Unmarshal(line, &ready)
	}
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	var all sync.WaitGroup
	all.Go(func() { _, _ = io.Copy(io.Discard, lines) })
	acked := make(chan string)
	transport := &http.Transport{MaxIdleConnsPerHost: senders}
	var alive sync.WaitGroup
	for range senders {
		alive.Go(func() { p.deliver(t, transport, "http://"+ready.Addr, acked) })
	}
	all.Go(func() {
		alive.Wait()
		close(acked)
	})
	var got []string
	for body := range acked {
		if got = append(got, body); len(got) == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
	}
	all.Wait()
	transport.CloseIdleConnections()
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the listener ended by itself: %v", err)
	}
	return got
}

// deliver sends until the listener does not answer any more.
func (p *payer) deliver(t *testing.T, transport http.RoundTripper, url string, acked chan<- string) {
	for {
		path, body := p.payload(t)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
			return
		}
		request.Header.Set("Content-Type", "application/json")
		answer, err := transport.RoundTrip(request)
		if err != nil {
			return
		}
		// What counts for a sender is the status: with it the delivery is acknowledged.
		if answer.StatusCode != http.StatusOK {
			t.Errorf("answered %s", answer.Status)
		}
		acked <- string(body)
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			return
		}
	}
}

// recorded opens a journal as the next session would, and counts the bodies in it
// and in those that were rotated away.
func recorded(t *testing.T, file string) map[string]int {
	t.Helper()
	j, _, err := journal.Open(files{}, file, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	var raw []byte
	for i := 9; i >= 0; i-- {
		part, err := os.ReadFile(strings.TrimSuffix(fmt.Sprintf("%s.%d", file, i), ".0"))
		if err != nil && (i == 0 || !errors.Is(err, fs.ErrNotExist)) {
			t.Fatal(err)
		}
		raw = append(raw, part...)
	}
	bodies, last := map[string]int{}, uint64(0)
	for e, err := range journal.Read(bytes.NewReader(raw)) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Seq != last+1 || e.Answer.Status != http.StatusOK {
			t.Errorf("record %d comes after %d, answered %d", e.Seq, last, e.Answer.Status)
		}
		last = e.Seq
		bodies[string(e.Body)]++
	}
	return bodies
}

func newPayer(t *testing.T) *payer {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return &payer{c: c, sent: map[string]bool{}}
}

// lies says what of a journal is not as it was sent and acknowledged.
func (p *payer) lies(t *testing.T, file string, acked []string) (out []string) {
	bodies := recorded(t, file)
	for _, body := range acked {
		if bodies[body] != 1 {
			out = append(out, fmt.Sprintf("acknowledged, and %d times in the journal: %.200s", bodies[body], body))
		}
	}
	for body, n := range bodies {
		if !p.sent[body] || n != 1 {
			out = append(out, fmt.Sprintf("%d times in the journal, and sent: %v: %.200s", n, p.sent[body], body))
		}
	}
	return out
}

// TestTrustKilledListener kills listeners that record under load, ten of them on
// one journal: what was acknowledged is in it, once, and nothing that nobody sent.
func TestTrustKilledListener(t *testing.T) {
	rounds := trust.Scale(5, 200, 1000)
	p, dir, total, random := newPayer(t), t.TempDir(), 0, trust.Rand(t)
	var acked []string
	for round := range rounds {
		if round%10 == 0 {
			acked = nil
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.jsonl", round/10))
		some := p.killed(t, "paytest", file, 1+random.IntN(300))
		acked = append(acked, some...)
		for _, lie := range p.lies(t, file, acked) {
			t.Errorf("round %d: %s", round, lie)
		}
		total += len(some)
	}
	trust.Figure(t, "kills", rounds)
	trust.Figure(t, "acknowledged", total)
}

// TestTrustKilledListenerCatches holds that the test above fails for a program
// that acknowledges before it writes.
func TestTrustKilledListenerCatches(t *testing.T) {
	p, file := newPayer(t), filepath.Join(t.TempDir(), "deliveries.jsonl")
	if lies := p.lies(t, file, p.killed(t, "paytest-early", file, 1+trust.Rand(t).IntN(100))); len(lies) == 0 {
		t.Error("not caught")
	} else {
		trust.Caught(t, "acknowledges before it writes")
	}
}
