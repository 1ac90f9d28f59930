package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/journal"
)

const name = "deliveries"

// script is what happens to one journal.
type script struct {
	options journal.Options
	steps   []step
}

type step struct {
	kind string
	n    int
}

func scripts() *rapid.Generator[script] {
	kinds := []string{
		"append", "append", "append", "append", "batch", "batch", "space", "short", "sync", "lose", "truncate", "create", "rename", "folder",
		"heal", "heal", "reopen", "kill", "cut", "cut", "outage", "outage", "outage", "relapse",
	}
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		return step{rapid.SampledFrom(kinds).Draw(t, "kind"), rapid.IntRange(0, 1200).Draw(t, "n")}
	}), 1, 60)
	return rapid.Custom(func(t *rapid.T) script {
		return script{
			journal.Options{
				MaxBytes: rapid.SampledFrom([]int64{0, 0, 300, 1000, 3000}).Draw(t, "max"),
				Keep:     rapid.IntRange(0, 3).Draw(t, "keep"),
			},
			steps.Draw(t, "steps"),
		}
	})
}

// world is a journal on a disk, and what must be true of it.
type world struct {
	d *disk
	o journal.Options
	j *journal.Journal
	// truth are the contents of the records from the first on; refused is what was
	// attempted and not acknowledged since the last opening, at one time each.
	truth    []string
	refused  [][]string
	attempts int
	cuts     int
	// append is Append, or one with a bug.
	appendTo func(*journal.Journal, journal.Record) (uint64, error)
}

// bug is what a journal may do wrong.
type bug struct {
	lies
	appendTo func(*journal.Journal, journal.Record) (uint64, error)
}

// run plays a script, and returns how often the power was cut and what went wrong.
func run(s script, b bug) (cuts int, err error) {
	w := &world{d: newDisk(), o: s.options, appendTo: b.appendTo}
	if w.appendTo == nil {
		w.appendTo = (*journal.Journal).Append
	}
	w.d.lies = b.lies
	if err := w.open(); err != nil {
		return 0, err
	}
	for i, st := range append(slices.Clip(s.steps), step{"heal", 0}, step{"reopen", 0}, step{"append", 1}, step{"cut", 7}, step{"append", 1}, step{"kill", 0}) {
		if err := w.step(st); err != nil {
			return w.cuts, fmt.Errorf("step %d, %s %d: %w", i+1, st.kind, st.n, err)
		}
	}
	return w.cuts, nil
}

func (w *world) step(s step) error {
	f := &w.d.faults
	switch s.kind {
	case "append":
		return w.append(1, s.n)
	case "batch":
		return w.append(2+s.n%5, s.n/5)
	case "space":
		f.space = s.n
	case "short":
		f.short = true
	case "sync":
		f.sync, f.lose = true, false
	case "lose":
		f.sync, f.lose = true, true
	case "truncate":
		f.truncate = true
	case "create":
		f.create = true
	case "rename":
		f.rename = true
	case "folder":
		f.syncDir = true
	case "heal":
		*f = faults{space: -1}
	case "reopen":
		_ = w.j.Close()
		return w.open()
	case "kill":
		w.d.kill()
		return w.open()
	case "cut":
		return w.cut(s.n)
	case "outage": // while it writes
		w.d.fuse = s.n % 7
		if err := w.append(1+s.n%4, s.n/4); err != nil {
			return err
		}
		return w.cut(s.n)
	case "relapse": // while it is opened again
		w.d.faults = faults{space: -1}
		w.d.cut(uint64(s.n))
		w.d.fuse = s.n % 11
		_, _, _ = journal.Open(w.d, name, w.o)
		w.cuts++
		return w.cut(s.n)
	}
	return nil
}

func (w *world) cut(seed int) error {
	w.cuts++
	w.d.cut(uint64(seed))
	return w.open()
}

func (w *world) healthy() bool { return w.d.faults == faults{space: -1} && w.d.fuse < 0 && !w.d.unkept }

// append appends some records at the same time.
func (w *world) append(count, size int) error {
	ids, seqs, errs := make([]string, count), make([]uint64, count), make([]error, count)
	unkept := w.d.unkept
	var all sync.WaitGroup
	for i := range count {
		w.attempts++
		ids[i] = fmt.Sprintf("%d.%s", w.attempts, strings.Repeat("x", size))
		all.Go(func() { seqs[i], errs[i] = w.appendTo(w.j, journal.Record{ID: ids[i]}) })
	}
	all.Wait()
	acked, refused := map[uint64]string{}, []string(nil)
	for i, err := range errs {
		switch {
		case err != nil && w.healthy():
			return fmt.Errorf("nothing is broken and yet: %w", err)
		case err != nil:
			refused = append(refused, ids[i])
		case unkept:
			return fmt.Errorf("record %d was acknowledged after a sync that failed", seqs[i])
		default:
			acked[seqs[i]] = ids[i]
		}
	}
	for len(acked) > 0 {
		next := uint64(len(w.truth) + 1)
		if acked[next] == "" {
			return fmt.Errorf("record %d is not acknowledged, and %v are", next, keys(acked))
		}
		w.truth = append(w.truth, acked[next])
		delete(acked, next)
	}
	w.refused = append(w.refused, refused)
	return nil
}

// open opens the journal again, with a disk that works, and compares what it
// holds with what it was told.
func (w *world) open() error {
	w.d.faults, w.d.unkept = faults{space: -1}, false
	var rec journal.Recovery
	var err error
	if w.j, rec, err = journal.Open(w.d, name, w.o); err != nil {
		return err
	}
	found, err := w.read()
	if err != nil {
		return err
	}
	for seq := uint64(1); seq <= uint64(len(w.truth)); seq++ {
		id, ok := found[seq]
		if !ok && w.mayBeGone(found) && seq < slices.Min(keys(found)) {
			continue
		}
		if id != w.truth[seq-1] {
			return fmt.Errorf("record %d was acknowledged as %.20q and is %.20q", seq, w.truth[seq-1], id)
		}
	}
	if rec.LastSeq < uint64(len(w.truth)) {
		return fmt.Errorf("%d records were acknowledged, the last is %d", len(w.truth), rec.LastSeq)
	}
	for seq := uint64(len(w.truth) + 1); seq <= rec.LastSeq; seq++ {
		if !w.wasRefused(found[seq]) {
			return fmt.Errorf("record %d is invented, repeated or out of order: %.20q", seq, found[seq])
		}
		w.truth = append(w.truth, found[seq])
	}
	w.refused = nil
	return nil
}

// wasRefused takes a record, and those before it, from what was refused.
func (w *world) wasRefused(id string) bool {
	for i, together := range w.refused {
		if at := slices.Index(together, id); at >= 0 {
			w.refused[i] = slices.Delete(together, at, at+1)
			w.refused = w.refused[i:]
			return true
		}
	}
	return false
}

// mayBeGone reports whether records were rotated away for good.
func (w *world) mayBeGone(found map[uint64]string) bool {
	_, full := w.d.read(fmt.Sprintf("%s.%d", name, max(w.o.Keep, 1)))
	return w.o.MaxBytes > 0 && full && len(found) > 0
}

func keys(m map[uint64]string) []uint64 {
	var out []uint64
	for k := range m {
		out = append(out, k)
	}
	return out
}

// read reads all files, the oldest first, and wants them without a fault and
// their records numbered without a gap.
func (w *world) read() (map[uint64]string, error) {
	out := map[uint64]string{}
	last := uint64(0)
	for i := max(w.o.Keep, 1); i >= 0; i-- {
		file := fmt.Sprintf("%s.%d", name, i)
		if i == 0 {
			file = name
		}
		raw, ok := w.d.read(file)
		if !ok {
			continue
		}
		if w.o.MaxBytes > 0 && int64(len(raw)) > w.o.MaxBytes && bytes.Count(raw, []byte("\n")) > 2 {
			return nil, fmt.Errorf("%s has %d bytes", file, len(raw))
		}
		for e, err := range journal.Read(bytes.NewReader(raw)) {
			if err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			if last > 0 && e.Seq != last+1 {
				return nil, fmt.Errorf("%s line %d: record %d follows %d", file, e.Line, e.Seq, last)
			}
			last = e.Seq
			out[e.Seq] = e.ID
		}
	}
	return out, nil
}

func TestNoAcknowledgedRecordIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if _, err := run(scripts().Draw(t, "script"), bug{}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPowerCutAtEveryByte(t *testing.T) {
	d := newDisk()
	j, _, err := journal.Open(d, name, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var ends []int
	for i := range 3 {
		raw, _ := d.read(name)
		ends = append(ends, len(raw))
		if _, err := j.Append(record(i)); err != nil {
			t.Fatal(err)
		}
	}
	whole, _ := d.read(name)
	for n := range len(whole) {
		d := newDisk()
		d.plant(slices.Clone(whole[:n]))
		j, rec, err := journal.Open(d, name, journal.Options{})
		if err != nil {
			t.Fatalf("%d bytes: %v", n, err)
		}
		want := 0
		for _, end := range ends[1:] {
			if n >= end {
				want++
			}
		}
		if rec.Records != want || rec.LastSeq != uint64(want) {
			t.Errorf("%d bytes: %d records, the last is %d; want %d", n, rec.Records, rec.LastSeq, want)
		}
		cut := n - slices.Max(append([]int{0}, slices.DeleteFunc(slices.Clone(ends), func(e int) bool { return e > n })...))
		if rec.CutBytes != int64(cut) {
			t.Errorf("%d bytes: %d cut off, want %d", n, rec.CutBytes, cut)
		}
		if seq, err := j.Append(record(9)); err != nil || seq != uint64(want+1) {
			t.Errorf("%d bytes: the next is %d, %v", n, seq, err)
		}
		raw, _ := d.read(name)
		for _, err := range journal.Read(bytes.NewReader(raw)) {
			if err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	good := string(journal.HeaderLine(1))
	line := func(seq uint64) string {
		raw, err := journal.Record{Seq: seq}.Line()
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for _, tt := range []struct {
		name, content string
		is            error
		says          string
	}{
		{"text", "Dear diary,\n", journal.ErrNotJournal, ""},
		{"text without an end", "Dear diary", journal.ErrNotJournal, ""},
		{"other JSON", `{"a":1}` + "\n", journal.ErrNotJournal, ""},
		{"what listen prints", `{"type":"ready"}` + "\n" + line(1), journal.ErrNotJournal, ""},
		{"zeros", strings.Repeat("\x00", 100), journal.ErrNotJournal, ""},
		{"the number 0", string(journal.HeaderLine(0)), journal.ErrNotJournal, ""},
		{"a number too great", string(journal.HeaderLine(1 << 60)), journal.ErrNotJournal, ""},
		{"long header", strings.Repeat("x", journal.MaxLine+1), journal.ErrNotJournal, ""},
		{"newer", `{"type":"journal","version":2,"firstSeq":1}` + "\n", journal.ErrVersion, "line 1"},
		{"damage in the middle", good + line(1) + "{\n" + line(2), nil, "line 3: it is no line of a journal"},
		{"no object", good + "5\n", nil, "line 2"},
		{"no type", good + "{}\n", nil, `line 2: it is no line of a journal: it has no "type"`},
		{"out of order", good + line(2) + line(1), nil, "line 3: record 1 comes after record 2"},
		{"twice", good + line(1) + line(1), nil, "line 3: record 1 comes after record 1"},
		{"without a number", good + line(0), nil, "line 2: record 0 comes after record 0"},
		{"beyond numbers", good + line(1<<53), nil, "line 2"},
		{"long line in the middle", good + strings.Repeat("x", journal.MaxLine+1) + "\n" + line(1), journal.ErrTooLong, "line 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDisk()
			d.plant([]byte(tt.content))
			_, _, err := journal.Open(d, name, journal.Options{})
			switch {
			case err == nil:
				t.Fatal("opened")
			case tt.is != nil && !errors.Is(err, tt.is):
				t.Errorf("is not %v: %v", tt.is, err)
			case !strings.Contains(err.Error(), tt.says), !strings.Contains(err.Error(), name):
				t.Errorf("does not say %q and the name: %v", tt.says, err)
			}
			if raw, _ := d.read(name); string(raw) != tt.content {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenCuts(t *testing.T) {
	good := string(journal.HeaderLine(4))
	first, err := journal.Record{Seq: 4}.Line()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, tail string }{
		{"nothing", ""},
		{"half a line", `{"type":"delivery","se`},
		{"a line without its newline", string(first[:len(first)-1])},
		{"a last line that is no JSON", "{\"type\":\"deli\n"},
		{"an empty last line", "\n"},
		{"zeros", strings.Repeat("\x00", 5000)},
		{"more zeros than a line has", strings.Repeat("\x00", journal.MaxLine+5000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDisk()
			d.plant([]byte(good + string(first) + tt.tail))
			j, rec, err := journal.Open(d, name, journal.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if want := (journal.Recovery{CutBytes: int64(len(tt.tail)), Records: 1, LastSeq: 4}); rec != want {
				t.Errorf("%+v, want %+v", rec, want)
			}
			if raw, _ := d.read(name); string(raw) != good+string(first) {
				t.Errorf("the file is %q", raw)
			}
			if seq, err := j.Append(record(5)); seq != 5 || err != nil {
				t.Error(seq, err)
			}
		})
	}
}

func TestOpenTakesATornHeader(t *testing.T) {
	head := string(journal.HeaderLine(1))
	for _, torn := range []string{"", "{", head[:20], head[:len(head)-2], head[:len(head)-1], head[:20] + "\x00\x00", strings.Repeat("\x00", 44)} {
		d := newDisk()
		d.plant([]byte(torn))
		_, rec, err := journal.Open(d, name, journal.Options{})
		if want := (journal.Recovery{CutBytes: int64(len(torn))}); err != nil || rec != want {
			t.Errorf("%q: %+v, %v", torn, rec, err)
		}
		if raw, _ := d.read(name); string(raw) != head {
			t.Errorf("%q became %q", torn, raw)
		}
	}
}

func TestOpenSaysWhatTheFileSystemSays(t *testing.T) {
	for _, f := range []faults{{create: true, space: -1}, {space: 3}, {sync: true, space: -1}, {syncDir: true, space: -1}, {short: true, space: -1}} {
		d := newDisk()
		d.faults = f
		if _, _, err := journal.Open(d, name, journal.Options{}); err == nil {
			t.Errorf("%+v: opened", f)
		}
		d.faults = faults{space: -1}
		if _, rec, err := journal.Open(d, name, journal.Options{}); err != nil || rec.Records != 0 {
			t.Errorf("%+v: and then %v", f, err)
		}
	}
	d := newDisk()
	d.plant([]byte(string(journal.HeaderLine(1)) + "torn"))
	d.faults.truncate = true
	if _, _, err := journal.Open(d, name, journal.Options{}); !errors.Is(err, errDisk) {
		t.Error(err)
	}
	if _, _, err := journal.Open(osFS{}, t.TempDir(), journal.Options{}); err == nil {
		t.Error("a folder was opened")
	}
	if _, _, err := journal.Open(osFS{}, t.TempDir()+"/no/file", journal.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
