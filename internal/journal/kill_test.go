package journal_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/journal"
)

// The child is this test program again, with one of these in its environment.
const (
	childFile = "JOURNAL_TEST_FILE"
	childBug  = "JOURNAL_TEST_BUG"
)

func TestMain(m *testing.M) {
	if file := os.Getenv(childFile); file != "" {
		if err := child(file, os.Getenv(childBug) != ""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child appends from eight sides until it is killed, and says on its standard
// output which record got which number, after it was acknowledged.
func child(file string, bug bool) error {
	j, _, err := journal.Open(osFS{}, file, journal.Options{MaxBytes: 100_000, Keep: 1000})
	if err != nil {
		return err
	}
	early := &journal.Early{J: j}
	ids := rand.Uint64()
	var once sync.Once
	var failed error
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				rec := journal.Record{ID: fmt.Sprintf("%x.%d.%d", ids, w, i), Body: make([]byte, 100*w)}
				appended := j.Append
				if bug {
					appended = early.AppendEarly
				}
				seq, err := appended(rec)
				if err == nil {
					_, err = fmt.Fprintf(os.Stdout, "%d %s\n", seq, rec.ID)
				}
				if err != nil {
					once.Do(func() { failed = err })
					return
				}
			}
		})
	}
	wg.Wait()
	return failed
}

// round runs a child, kills it after some records, and adds what it was told.
func round(t *testing.T, file string, after int, bug bool, acked map[string]string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childFile+"="+file)
	if bug {
		cmd.Env = append(cmd.Env, childBug+"=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 1; lines.Scan(); n++ {
		seq, id, ok := strings.Cut(lines.Text(), " ")
		if !ok {
			break // the kill tore it
		}
		if acked[seq] != "" {
			t.Errorf("record %s was acknowledged twice", seq)
		}
		acked[seq] = id
		if n == after {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the child ended by itself: %v", err)
	}
}

// lost opens the journal again and says which acknowledged records are not in
// it as they were acknowledged.
func lost(t *testing.T, file string, acked map[string]string) []string {
	t.Helper()
	j, rec, err := journal.Open(osFS{}, file, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	files, err := filepath.Glob(file + "*")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all(t, raw) {
			found[fmt.Sprint(r.Seq)] = r.ID
		}
	}
	if uint64(len(found)) != rec.LastSeq {
		t.Errorf("%d records are numbered up to %d", len(found), rec.LastSeq)
	}
	var out []string
	for seq, id := range acked {
		if found[seq] != id {
			out = append(out, fmt.Sprintf("record %s was acknowledged as %s and is %q", seq, id, found[seq]))
		}
	}
	return out
}

func TestKilled(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	file := filepath.Join(t.TempDir(), "deliveries")
	acked := map[string]string{}
	for range rounds {
		round(t, file, 1+rand.IntN(300), false, acked)
		for _, l := range lost(t, file, acked) {
			t.Error(l)
		}
	}
	t.Logf("%d records were acknowledged in %d rounds", len(acked), rounds)
}

// TestKillCatchesEarlyAcknowledgement shows that the test above can fail.
func TestKillCatchesEarlyAcknowledgement(t *testing.T) {
	for range 10 {
		file := filepath.Join(t.TempDir(), "deliveries")
		acked := map[string]string{}
		round(t, file, 1+rand.IntN(30), true, acked)
		if l := lost(t, file, acked); len(l) > 0 {
			t.Log(l[0])
			return
		}
	}
	t.Error("not caught")
}
