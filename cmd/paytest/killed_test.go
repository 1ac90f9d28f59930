package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

// senders is how many deliver at the same time.
const senders = 64

// held is how many bytes of its journal a paytest-early keeps to itself: more
// than the deliveries of one round.
const held = 4 << 20

// early is paytest with the bug that TestKilledListener must catch: a delivery
// is acknowledged before it is written.
func early() {
	env := outside()
	env.Files = lateFiles{}
	os.Exit(cli.Run(context.Background(), env))
}

type lateFiles struct{ files }

func (f lateFiles) Create(name string) (cli.File, error) {
	file, err := f.files.Create(name)
	return &lateFile{File: file}, err
}

// lateFile leaves what it is told to write to a buffer, as a program does that
// forgets to flush.
type lateFile struct {
	cli.File
	kept []byte
}

func (f *lateFile) Write(b []byte) (int, error) {
	f.kept = append(f.kept, b...)
	if len(f.kept) > held {
		if _, err := f.File.Write(f.kept); err != nil {
			return 0, err
		}
		f.kept = nil
	}
	return len(b), nil
}

func (f *lateFile) Seek(offset int64, whence int) (int64, error) {
	n, err := f.File.Seek(offset, whence)
	if whence == io.SeekEnd {
		n += int64(len(f.kept))
	}
	return n, err
}

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

// recorded opens a journal as the next session would, and counts the bodies
// in it.
func recorded(t *testing.T, file string) map[string]int {
	t.Helper()
	j, _, err := journal.Open(files{}, file, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	bodies, last := map[string]int{}, uint64(0)
	for e, err := range journal.Read(f) {
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

// TestKilledListener kills listeners that record under load, ten of them
// on one journal: what was acknowledged is in it, once, and nothing that
// nobody sent. More rounds: KILL_ROUNDS=200 go test ./cmd/paytest -run TestKilledListener$
func TestKilledListener(t *testing.T) {
	rounds := 20
	if testing.Short() {
		rounds = 2
	}
	if n, err := strconv.Atoi(os.Getenv("KILL_ROUNDS")); err == nil {
		rounds = n
	}
	p, dir, total := newPayer(t), t.TempDir(), 0
	for round := range rounds {
		file := filepath.Join(dir, fmt.Sprintf("%d.jsonl", round/10))
		acked := p.killed(t, "paytest", file, 1+rand.IntN(300))
		bodies := recorded(t, file)
		for _, body := range acked {
			if bodies[body] != 1 {
				t.Errorf("round %d: acknowledged, and %d times in the journal: %.200s", round, bodies[body], body)
			}
		}
		for body, n := range bodies {
			if !p.sent[body] || n != 1 {
				t.Errorf("round %d: %d times in the journal, and sent: %v: %.200s", round, n, p.sent[body], body)
			}
		}
		total += len(acked)
	}
	t.Logf("%d deliveries were acknowledged in %d rounds", total, rounds)
}

// TestKilledListenerCatches holds that the test above fails for a program that
// acknowledges before it writes.
func TestKilledListenerCatches(t *testing.T) {
	p, file := newPayer(t), filepath.Join(t.TempDir(), "deliveries.jsonl")
	acked := p.killed(t, "paytest-early", file, 1+rand.IntN(100))
	bodies := recorded(t, file)
	for _, body := range acked {
		if bodies[body] == 0 {
			return
		}
	}
	t.Error("not caught")
}
