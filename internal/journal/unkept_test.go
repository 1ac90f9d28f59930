package journal_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/journal"
)

// TestSyncFails: what a disk failed to keep is not written behind, however often
// it says later that all is well, until the journal is opened anew.
func TestSyncFails(t *testing.T) {
	for _, lose := range []bool{false, true} {
		d := newDisk()
		j := open(t, d, name, journal.Options{})
		if _, err := j.Append(record(1)); err != nil {
			t.Fatal(err)
		}
		d.faults = faults{space: -1, sync: true, lose: lose}
		if _, err := j.Append(record(2)); !errors.Is(err, journal.ErrUnkept) || !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		d.faults = faults{space: -1}
		for range 3 {
			if _, err := j.Append(record(3)); !errors.Is(err, journal.ErrUnkept) {
				t.Fatal("acknowledged", err)
			}
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
		d.cut(1)
		j = open(t, d, name, journal.Options{})
		if seq, err := j.Append(record(4)); seq != 2 && seq != 3 || err != nil {
			t.Error(seq, err)
		}
	}
}

// TestOpenCutsHoles: of what was written at once a disk may have kept the end, and
// not the beginning. What is longer than was ever written at once is damage.
func TestOpenCutsHoles(t *testing.T) {
	d := newDisk()
	j := open(t, d, name, journal.Options{})
	for i := range 3 {
		if _, err := j.Append(record(i)); err != nil {
			t.Fatal(err)
		}
	}
	raw, _ := d.read(name)
	ends := bytes.SplitAfter(raw, []byte("\n"))
	whole := bytes.Join(ends[:2], nil)
	hole := bytes.Repeat([]byte{0}, len(ends[2]))
	for _, torn := range [][]byte{
		slices.Concat(whole, hole, ends[3]),
		slices.Concat(whole, ends[2][:10], hole[10:], ends[3]),
		slices.Concat(whole, hole, []byte("\n"), ends[3]),
		slices.Concat(whole, hole, ends[3], hole, ends[3][:9]),
	} {
		d.plant(torn)
		j, rec, err := journal.Open(d, name, journal.Options{})
		if want := (journal.Recovery{CutBytes: int64(len(torn) - len(whole)), Records: 1, LastSeq: 1}); err != nil || rec != want {
			t.Fatalf("%+v, %v", rec, err)
		}
		if seq, err := j.Append(record(9)); seq != 2 || err != nil {
			t.Error(seq, err)
		}
	}
	d.plant(slices.Concat(whole, hole, bytes.Repeat(ends[3], 6<<20/len(ends[3]))))
	if _, _, err := journal.Open(d, name, journal.Options{}); err == nil || !strings.Contains(err.Error(), "line 3: it is no line of a journal") {
		t.Error("opened", err)
	}
}
