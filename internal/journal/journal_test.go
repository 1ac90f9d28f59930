package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/journal"
)

func record(i int) journal.Record {
	return journal.Record{
		Time: time.Date(2025, 9, 5, 10, 30, i, 0, time.UTC), Direction: journal.Received, Method: "POST",
		Path: "/callback", Body: []byte{0, 255, '"', '\n', byte(i)}, OK: true, ID: fmt.Sprint(i), Answer: journal.Answer{Status: 200, Body: `{"a":"<é>"}`},
	}
}

func open(t testing.TB, fsys journal.FS, name string, o journal.Options) *journal.Journal {
	t.Helper()
	j, _, err := journal.Open(fsys, name, o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func all(t testing.TB, raw []byte) []journal.Record {
	t.Helper()
	var out []journal.Record
	for e, err := range journal.Read(bytes.NewReader(raw)) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, e.Record)
	}
	return out
}

func TestFileOnDisk(t *testing.T) {
	file := filepath.Join(t.TempDir(), "deliveries.jsonl")
	var want []journal.Record
	for round := range 3 {
		j := open(t, osFS{}, file, journal.Options{})
		for i := range 4 {
			rec := record(round*4 + i)
			seq, err := j.Append(rec)
			if err != nil || seq != uint64(len(want)+1) {
				t.Fatal(seq, err)
			}
			rec.Seq = seq
			want = append(want, rec)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, all(t, raw), cmp.Transformer("empty", func(r journal.Record) journal.Record {
		if len(r.Headers) == 0 {
			r.Headers = nil
		}
		if len(r.Findings) == 0 {
			r.Findings = nil
		}
		return r
	})); diff != "" {
		t.Error(diff)
	}
	first, rest, _ := strings.Cut(string(raw), "\n")
	second, _, _ := strings.Cut(rest, "\n")
	if first != `{"type":"journal","version":1,"firstSeq":1}` {
		t.Error(first)
	}
	const line = `{"type":"delivery","seq":1,"time":"2025-09-05T10:30:00Z","direction":"received","method":"POST","path":"/callback",` +
		`"headers":{},"body":"AP8iCgA=","ok":true,"id":"0","duplicate":false,"findings":[],` +
		`"answer":{"status":200,"body":"{\"a\":\"<é>\"}"},"latencyMs":0}`
	if second != line {
		t.Errorf("got  %s\nwant %s", second, line)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}
}

func TestDiskFullAndThenNot(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{})
	if _, err := j.Append(record(1)); err != nil {
		t.Fatal(err)
	}
	before, _ := d.read(name)
	d.faults.space = 40
	for range 3 {
		if _, err := j.Append(record(2)); !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		if now, _ := d.read(name); !bytes.Equal(before, now) {
			t.Fatalf("left %q", now[len(before):])
		}
		d.faults.space = 40
	}
	d.faults = faults{space: 40, truncate: true}
	if _, err := j.Append(record(2)); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	d.faults = faults{space: -1, truncate: true}
	if _, err := j.Append(record(2)); !errors.Is(err, errDisk) {
		t.Fatal("wrote behind half a line", err)
	}
	if err := j.Close(); !errors.Is(err, errDisk) {
		t.Error("closed with half a line without a word", err)
	}
	d.faults = faults{space: -1}
	j = open(t, d, name, journal.Options{})
	if seq, err := j.Append(record(3)); seq != 2 || err != nil {
		t.Fatal(seq, err)
	}
	raw, _ := d.read(name)
	if got := all(t, raw); len(got) != 2 || got[1].ID != "3" {
		t.Error(got)
	}
}

func TestWhatCannotBeWritten(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{})
	before, _ := d.read(name)
	if _, err := j.Append(journal.Record{LatencyMS: math.NaN()}); err == nil {
		t.Error("wrote a latency that is no number")
	}
	if _, err := j.Append(journal.Record{Body: make([]byte, journal.MaxLine)}); !errors.Is(err, journal.ErrTooLong) {
		t.Error(err)
	}
	if now, _ := d.read(name); !bytes.Equal(before, now) {
		t.Errorf("left %q", now[len(before):])
	}
	large := journal.Record{Body: make([]byte, journal.MaxLine/4*3-300)}
	if _, err := j.Append(large); err != nil {
		t.Fatal(err)
	}
	raw, _ := d.read(name)
	if got := all(t, raw); len(got) != 1 || len(got[0].Body) != len(large.Body) {
		t.Error("the longest record cannot be read")
	}
}

// TestAppendAll holds that records which are appended at once are written in their
// order and share a wait for the disk, and that of what is wrong with one the others
// know nothing.
func TestAppendAll(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{})
	d.syncs = 0
	records := []journal.Record{record(0), {LatencyMS: math.NaN()}, record(2), {Body: make([]byte, journal.MaxLine)}, record(4)}
	errs := j.AppendAll(slices.Values(records))
	if len(errs) != len(records) {
		t.Fatalf("%v for %d records", errs, len(records))
	}
	for i, err := range errs {
		if (err != nil) != (i%2 == 1) {
			t.Errorf("record %d: %v", i, err)
		}
	}
	if !errors.Is(errs[3], journal.ErrTooLong) || d.syncs != 1 {
		t.Errorf("%v; %d syncs", errs[3], d.syncs)
	}
	if errs := j.AppendAll(slices.Values(records[:1])); errs != nil {
		t.Error(errs)
	}
	if errs := j.AppendAll(slices.Values(records[:0])); errs != nil {
		t.Error(errs)
	}
	d.faults.space = 40
	for i, err := range j.AppendAll(slices.Values(records)) {
		if (i%2 == 0) != errors.Is(err, syscall.ENOSPC) {
			t.Errorf("record %d on a full disk: %v", i, err)
		}
	}
	raw, _ := d.read(name)
	var got []string
	for _, r := range all(t, raw) {
		got = append(got, fmt.Sprint(r.Seq, " ", r.ID))
	}
	if diff := cmp.Diff([]string{"1 0", "2 2", "3 4", "4 0"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTextThatIsNotUTF8(t *testing.T) {
	rec := journal.Record{Path: "/\xff", Body: []byte("\xff"), Answer: journal.Answer{Body: "\xfe\u2028"}, Headers: map[string][]string{"X": {"\xe9"}}}
	raw, err := rec.Line()
	if err != nil {
		t.Fatal(err)
	}
	got := all(t, raw)[0]
	if got.Path != "/\ufffd" || string(got.Body) != "\xff" || got.Answer.Body != "\ufffd\u2028" || got.Headers["X"][0] != "\ufffd" {
		t.Errorf("%+v", got)
	}
}

func TestSomebodyElseWrites(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{})
	if _, err := j.Append(record(1)); err != nil {
		t.Fatal(err)
	}
	other := open(t, d, name, journal.Options{})
	if _, err := other.Append(record(2)); err != nil {
		t.Fatal(err)
	}
	before, _ := d.read(name)
	if _, err := j.Append(record(3)); !errors.Is(err, journal.ErrChanged) {
		t.Error(err)
	}
	if now, _ := d.read(name); !bytes.Equal(before, now) {
		t.Error("another program's record was overwritten")
	}
}

func TestSomebodyElseRotates(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{MaxBytes: 10})
	if _, err := j.Append(record(1)); err != nil {
		t.Fatal(err)
	}
	d.faults.create = true
	if _, err := j.Append(record(2)); !errors.Is(err, errDisk) {
		t.Fatal(err)
	}
	d.faults = faults{space: -1}
	d.plant(journal.HeaderLine(5))
	for range 2 {
		if _, err := j.Append(record(2)); !errors.Is(err, journal.ErrChanged) {
			t.Error(err)
		}
	}
}

func TestNumberIsTheJournals(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{})
	if seq, err := j.Append(journal.Record{Seq: 99}); seq != 1 || err != nil {
		t.Error(seq, err)
	}
	raw, _ := d.read(name)
	if _, last, _ := strings.Cut(string(raw), "\n"); strings.Count(last, `"seq":`) != 1 || !strings.HasPrefix(last, `{"type":"delivery","seq":1,`) {
		t.Error(last)
	}
}

func TestClose(t *testing.T) {
	j := open(t, newDisk(), name, journal.Options{})
	for range 2 {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := j.Append(record(1)); !errors.Is(err, journal.ErrClosed) {
		t.Error(err)
	}
}

func TestRotation(t *testing.T) {
	line, err := journal.Record{Seq: 1, ID: "1"}.Line()
	if err != nil {
		t.Fatal(err)
	}
	three := int64(len(journal.HeaderLine(1)) + 3*len(line))
	d := newDisk()
	j := open(t, d, name, journal.Options{MaxBytes: three, Keep: 2})
	for i := range 9 {
		if _, err := j.Append(journal.Record{ID: fmt.Sprint(i + 1)}); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(file string) string {
		raw, ok := d.read(file)
		if !ok {
			return "none"
		}
		var out []string
		for _, r := range all(t, raw) {
			out = append(out, fmt.Sprintf("%d=%s", r.Seq, r.ID))
		}
		return strings.Join(out, " ")
	}
	want := map[string]string{name: "7=7 8=8 9=9", name + ".1": "4=4 5=5 6=6", name + ".2": "1=1 2=2 3=3", name + ".3": "none"}
	for file, content := range want {
		if got := ids(file); got != content {
			t.Errorf("%s: %s, want %s", file, got, content)
		}
	}
	if _, err := j.Append(journal.Record{ID: strings.Repeat("x", 1000)}); err != nil {
		t.Fatal("a record longer than a file", err)
	}
	if got := ids(name + ".2"); got != "4=4 5=5 6=6" {
		t.Error(".2 is", got)
	}
	d.kill()
	delete(d.names, name)
	_, rec, err := journal.Open(d, name, journal.Options{MaxBytes: three, Keep: 2})
	if want := (journal.Recovery{LastSeq: 9}); rec != want || err != nil {
		t.Errorf("after the rotated files: %+v, %v", rec, err)
	}
}

// TestRotationFailsHalfway breaks every step of a rotation, once and for a
// while, and wants no kept record lost.
func TestRotationFailsHalfway(t *testing.T) {
	for _, f := range []faults{{rename: true}, {create: true}, {syncDir: true}, {sync: true}, {short: true}} {
		d := newDisk()
		j := open(t, d, name, journal.Options{MaxBytes: 400, Keep: 9})
		seq := uint64(0)
		for i := range 8 {
			f.space, d.faults = -1, f
			var err error
			for range 3 {
				var got uint64
				if got, err = j.Append(journal.Record{ID: fmt.Sprint(i)}); err == nil {
					if seq++; seq != got {
						t.Fatalf("%+v: %d is numbered %d", f, seq, got)
					}
				}
			}
			d.faults = faults{space: -1}
			if errors.Is(err, journal.ErrUnkept) {
				j = open(t, d, name, journal.Options{MaxBytes: 400, Keep: 9})
			}
			got, err := j.Append(journal.Record{ID: fmt.Sprint(i)})
			if seq++; err != nil || got != seq {
				t.Fatalf("%+v: %d is numbered %d, %v", f, seq, got, err)
			}
		}
		w := &world{d: d, o: journal.Options{Keep: 9}}
		found, err := w.read()
		if err != nil || uint64(len(found)) != seq {
			t.Errorf("%+v: %d of %d records are there: %v", f, len(found), seq, err)
		}
	}
}

func TestAppendsShareASync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := open(t, d, name, journal.Options{})
		d.hold, d.syncs = make(chan struct{}), 0
		var wg sync.WaitGroup
		for i := range 65 {
			wg.Go(func() {
				if _, err := j.Append(record(i)); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		if j.Waiting() != 64 {
			t.Errorf("%d wait behind the one that is written", j.Waiting())
		}
		d.hold <- struct{}{}
		synctest.Wait()
		d.hold <- struct{}{}
		wg.Wait()
		if d.syncs != 2 {
			t.Errorf("65 records took %d syncs", d.syncs)
		}
		raw, _ := d.read(name)
		if got := all(t, raw); len(got) != 65 {
			t.Errorf("%d records", len(got))
		}
	})
}

func TestEveryWaitingAppendFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		j := open(t, d, name, journal.Options{})
		d.hold = make(chan struct{})
		errs := make(chan error, 11)
		for i := range 11 {
			go func() {
				_, err := j.Append(record(i))
				errs <- err
			}()
			synctest.Wait()
		}
		d.hold <- struct{}{}
		synctest.Wait()
		d.mu.Lock()
		d.faults.sync = true
		d.mu.Unlock()
		close(d.hold)
		failed := 0
		for range 11 {
			if err := <-errs; errors.Is(err, errDisk) {
				failed++
			} else if err != nil {
				t.Error(err)
			}
		}
		if failed != 10 {
			t.Errorf("%d of the 10 that shared a failed sync were told", failed)
		}
	})
}

func TestConcurrentAppends(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{MaxBytes: 20_000, Keep: 1000})
	var wg sync.WaitGroup
	var mu sync.Mutex
	acked := map[uint64]string{}
	for w := range 16 {
		wg.Go(func() {
			for i := range 100 {
				id := fmt.Sprintf("%d.%d", w, i)
				if i%10 == w%10 {
					d.mu.Lock()
					d.faults = faults{space: i % 3 * 100, short: i%20 >= 10}
					d.mu.Unlock()
				}
				seq, err := j.Append(journal.Record{ID: id})
				if err != nil {
					d.mu.Lock()
					d.faults = faults{space: -1}
					d.mu.Unlock()
					continue
				}
				mu.Lock()
				if acked[seq] != "" {
					t.Errorf("%d is acknowledged twice", seq)
				}
				acked[seq] = id
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	d.cut(1)
	w := &world{d: d, o: journal.Options{MaxBytes: 20_000, Keep: 1000}}
	found, err := w.read()
	if err != nil {
		t.Fatal(err)
	}
	for seq, id := range acked {
		if found[seq] != id {
			t.Errorf("record %d is %q, want %q", seq, found[seq], id)
		}
	}
	if len(found) != len(acked) || len(acked) < 100 {
		t.Errorf("%d were acknowledged, %d are there", len(acked), len(found))
	}
}

func TestAppendsAtOnceShareOneWaitForTheDisk(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	files := &counted{}
	j := open(t, files, filepath.Join(t.TempDir(), name), journal.Options{})
	before := files.syncs.Load()
	var wg sync.WaitGroup
	for range 250 {
		wg.Go(func() {
			if _, err := j.Append(typical()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := files.syncs.Load() - before; n > 2 {
		t.Errorf("the disk was waited for %d times for 250 records that came at once", n)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}
