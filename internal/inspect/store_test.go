package inspect

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// TestStoreIsBounded: whatever is added, what is kept is the latest, in order,
// within bounds, and the rest is counted.
func TestStoreIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStore(rapid.IntRange(1, 20).Draw(t, "records"), rapid.Int64Range(1, 20_000).Draw(t, "bytes"))
		var all []*entry
		for _, size := range rapid.SliceOfN(rapid.IntRange(0, 3000), 1, 100).Draw(t, "sizes") {
			all = append(all, s.put(journal.Record{Body: make([]byte, size), OK: true}))
			_, seen, _ := s.after(0, 0)
			kept, _, _ := s.after(0, len(all))
			bytes := int64(0)
			for i, e := range kept {
				if want := all[len(all)-len(kept)+i]; e != want || s.get(e.n) != want {
					t.Fatalf("record %d stands where %d belongs", e.n, want.n)
				}
				bytes += e.size
			}
			switch {
			case len(kept) == 0, len(kept) > s.maxRecords, bytes > s.maxBytes && len(kept) > 1, bytes != s.bytes:
				t.Fatalf("%d records of %d bytes are kept; at most %d of %d may", len(kept), bytes, s.maxRecords, s.maxBytes)
			case seen.Total != uint64(len(all)), seen.Forgotten != uint64(len(all)-len(kept)), seen.First != seen.Forgotten+1:
				t.Fatalf("%d of %d are kept, told are %+v", len(kept), len(all), seen)
			case s.get(seen.First-1) != nil, s.get(seen.Total+1) != nil, s.get(math.MaxUint64) != nil:
				t.Fatal("what is not kept is found")
			case len(s.list) > 2*len(kept)+1:
				t.Fatalf("room for %d, %d are kept", len(s.list), len(kept))
			}
		}
	})
}

// put adds a record.
func (s *store) put(r journal.Record) *entry {
	e := keep(r, func(string) bool { return false })
	s.add(e)
	return e
}

// TestKept: what is kept is what came, whatever becomes of that, but for what is
// not to be read.
func TestKept(t *testing.T) {
	body := []byte("a body")
	came := http.Header{"X-A": {"1", "2"}, "X-B": {""}, "X-Key": {"secret", "secret too"}, "": {"none"}, "X-Zero": {"a\x00b", strings.Repeat("x", 1000)}}
	e := keep(journal.Record{Body: body, Headers: came}, func(name string) bool { return name == "X-Key" })
	copy(body, "******")
	came["X-A"][0] = "changed"
	want := http.Header{"X-A": {"1", "2"}, "X-B": {""}, "X-Key": {journal.Hidden, journal.Hidden}, "": {"none"}, "X-Zero": {"a\x00b", strings.Repeat("x", 1000)}}
	if diff := cmp.Diff(want, e.header()); diff != "" || string(e.Body) != "a body" {
		t.Errorf("%q %s", e.Body, diff)
	}
	if bytes.Contains(e.headers, []byte("secret")) || cap(e.Body) != len(e.Body) {
		t.Errorf("%q in %d", e.headers, cap(e.Body))
	}
	if got := keep(journal.Record{}, nil); len(got.header()) != 0 || len(got.Body) != 0 {
		t.Errorf("of nothing there is %v", got)
	}
}

func TestStoreAfter(t *testing.T) {
	s := newStore(3, 1<<20)
	for range 5 {
		s.put(journal.Record{OK: true})
	}
	for _, test := range []struct {
		after uint64
		limit int
		want  string
	}{
		{0, 9, "[3 4 5]"},
		{1, 9, "[3 4 5]"},
		{2, 9, "[3 4 5]"},
		{3, 9, "[4 5]"},
		{4, 9, "[5]"},
		{5, 9, "[]"},
		{6, 9, "[]"},
		{math.MaxUint64, 9, "[]"},
		{0, 1, "[3]"},
		{3, 1, "[4]"},
		{0, 0, "[]"},
	} {
		found, _, _ := s.after(test.after, test.limit)
		numbers := []uint64{}
		for _, e := range found {
			numbers = append(numbers, e.n)
		}
		if got := fmt.Sprint(numbers); got != test.want {
			t.Errorf("after %d, at most %d: %s, want %s", test.after, test.limit, got, test.want)
		}
	}
}

// TestStoreAwakens: who waits hears of each record, and of the end, exactly where
// there was nothing before.
func TestStoreAwakens(t *testing.T) {
	s := newStore(10, 1<<20)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for n := uint64(0); ; {
				found, seen, changed := s.after(n, 3)
				switch {
				case len(found) > 0:
					n = found[len(found)-1].n
				case !seen.Live:
					if n != 100 {
						t.Errorf("the last was %d", n)
					}
					return
				default:
					<-changed
				}
			}
		})
	}
	for range 100 {
		s.put(journal.Record{OK: true})
	}
	s.end()
	readers.Wait()
}

func TestSize(t *testing.T) {
	small, _ := sizeOf(&journal.Record{})
	for name, r := range map[string]journal.Record{
		"body":    {Body: make([]byte, 5000)},
		"answer":  {Answer: journal.Answer{Body: strings.Repeat("x", 5000)}},
		"path":    {Path: strings.Repeat("x", 5000)},
		"URL":     {URL: strings.Repeat("x", 5000)},
		"ID":      {ID: strings.Repeat("x", 5000)},
		"header":  {Headers: http.Header{"X": {strings.Repeat("x", 2500), strings.Repeat("x", 2500)}}},
		"finding": {Findings: []verify.Finding{{Message: strings.Repeat("x", 2500), Got: strings.Repeat("x", 2500)}}},
	} {
		size, _ := sizeOf(&r)
		if got := size - small; got < 5000 || got > 5300 {
			t.Errorf("%s of 5000 bytes: %d", name, got)
		}
	}
}

func TestVerdict(t *testing.T) {
	of := func(s verify.Severity) verify.Finding { return verify.Finding{Severity: s, Code: "x"} }
	again := verify.Finding{Severity: verify.Note, Code: verify.Duplicate}
	for _, test := range []struct {
		ok       bool
		findings []verify.Finding
		want     string
	}{
		{true, nil, "ok"},
		{true, []verify.Finding{of("note")}, "note"},
		{true, []verify.Finding{again}, "duplicate"},
		{true, []verify.Finding{of("note"), again}, "duplicate"},
		{true, []verify.Finding{again, of("note")}, "duplicate"},
		{true, []verify.Finding{again, of("warning")}, "warning"},
		{true, []verify.Finding{of("warning"), again, of("note")}, "warning"},
		{false, []verify.Finding{of("note"), of("violation")}, "violation"},
		{false, []verify.Finding{of("warning"), of("violation")}, "violation"},
		{false, nil, "violation"},
		{true, []verify.Finding{of("who knows")}, "note"},
	} {
		if got := verdictOf(&journal.Record{OK: test.ok, Findings: test.findings}); got != test.want {
			t.Errorf("%v: %s, want %s", test.findings, got, test.want)
		}
	}
	s := newStore(1, 1<<20)
	for _, v := range []verify.Severity{"note", "warning", "warning", "violation"} {
		s.put(journal.Record{OK: v != "violation", Findings: []verify.Finding{of(v)}})
	}
	if s.seen.Violations != 1 || s.seen.Warnings != 2 || s.seen.Total != 4 {
		t.Errorf("counted are %+v", s.seen)
	}
}
