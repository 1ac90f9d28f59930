package inspect

import (
	"encoding/binary"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// recordBytes is what a record takes besides its texts.
const recordBytes = 640

// maxSize is how many bytes the length of a header takes at the most: none is
// longer than 256 MiB.
const maxSize = 4

// entry is a kept record and its number, from 1. Its body and its headers lie in
// one piece of memory of its own, in which a garbage collector need not look for
// more.
type entry struct {
	n    uint64
	size int64
	// headers are names and values, in turn, each with its length before it.
	headers []byte
	journal.Record
}

// keep makes an entry of a record; hidden says of which headers the value is not to
// be read.
func keep(r journal.Record, hidden func(name string) bool) *entry {
	size, flat := sizeOf(&r)
	e := &entry{size: size, Record: r}
	own := append(make([]byte, 0, flat), r.Body...)
	for name, values := range r.Headers {
		for _, v := range values {
			if hidden(name) {
				v = journal.Hidden
			}
			own = sized(sized(own, name), v)
		}
	}
	e.Body, e.headers, e.Headers = own[:len(r.Body):len(r.Body)], own[len(r.Body):], nil
	e.expressible()
	return e
}

func sized(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// header are the headers of the record.
func (e *entry) header() http.Header {
	out, rest := http.Header{}, e.headers
	next := func() string {
		n, skip := binary.Uvarint(rest)
		s := string(rest[skip : skip+int(n)]) //nolint:gosec // keep wrote it
		rest = rest[skip+int(n):]             //nolint:gosec // keep wrote it
		return s
	}
	for len(rest) > 0 {
		name := next()
		out[name] = append(out[name], next())
	}
	return out
}

// counts are what a store has seen since the start.
type counts struct {
	// Total counts all records, Violations and Warnings those with such a verdict.
	Total      uint64 `json:"total"`
	Violations uint64 `json:"violations"`
	Warnings   uint64 `json:"warnings"`
	// Forgotten counts those that are no longer kept; First is the number of the
	// oldest one that is, one beyond Total where there is none.
	Forgotten uint64 `json:"forgotten"`
	First     uint64 `json:"first"`
	// Live says that more may come.
	Live bool `json:"live"`
}

// store keeps the latest records within bounds. Who adds to it waits for nobody;
// who reads from it remembers how far, and comes for more.
type store struct {
	maxRecords int
	maxBytes   int64

	mu    sync.Mutex
	list  []*entry // the kept ones are those from head on
	head  int
	bytes int64
	seen  counts
	wake  chan struct{} // closed when something changes; nil when nobody waits
}

func newStore(maxRecords int, maxBytes int64) *store {
	return &store{maxRecords: maxRecords, maxBytes: maxBytes, seen: counts{First: 1, Live: true}}
}

// add keeps an entry, and forgets the oldest where there is no room.
func (s *store) add(e *entry) {
	v := verdictOf(&e.Record)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Total++
	switch v {
	case violation:
		s.seen.Violations++
	case warning:
		s.seen.Warnings++
	}
	e.n = s.seen.Total
	s.list = append(s.list, e)
	s.bytes += e.size
	for kept := len(s.list) - s.head; kept > 1 && (kept > s.maxRecords || s.bytes > s.maxBytes); kept-- {
		s.forget()
	}
	s.awaken()
}

func (s *store) forget() {
	s.bytes -= s.list[s.head].size
	s.list[s.head] = nil
	s.head++
	s.seen.Forgotten++
	s.seen.First++
	if s.head > len(s.list)/2 {
		n := copy(s.list, s.list[s.head:])
		clear(s.list[n:])
		s.list, s.head = s.list[:n], 0
	}
}

func (s *store) awaken() {
	if s.wake != nil {
		close(s.wake)
		s.wake = nil
	}
}

// end says that nothing more will come.
func (s *store) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Live = false
	s.awaken()
}

// after returns the oldest records beyond number n, at most limit, and what was
// counted so far. Without any, changed is closed when there may be some.
func (s *store) after(n uint64, limit int) (found []*entry, seen counts, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.list[s.head:]
	kept = kept[min(max(n, s.seen.Forgotten)-s.seen.Forgotten, uint64(len(kept))):]
	found = append(found, kept[:min(limit, len(kept))]...)
	if len(found) == 0 && s.wake == nil {
		s.wake = make(chan struct{})
	}
	return found, s.seen, s.wake
}

// get returns a record by its number, or nil when it is not kept.
func (s *store) get(n uint64) *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n < s.seen.First || n > s.seen.Total {
		return nil
	}
	return s.list[s.head+int(n-s.seen.First)] //nolint:gosec // less than what is kept
}

// expressible leaves out what has no JSON form.
func (e *entry) expressible() {
	e.Time = e.Time.UTC()
	if y := e.Time.Year(); y < 1 || y > 9999 {
		e.Time = time.Time{}
	}
	if math.IsNaN(e.LatencyMS) || math.IsInf(e.LatencyMS, 0) {
		e.LatencyMS = 0
	}
}

// sizeOf is roughly what a record takes, and how much of that its body and its
// headers do.
func sizeOf(r *journal.Record) (size int64, flat int) {
	flat = len(r.Body)
	for name, values := range r.Headers {
		for _, v := range values {
			flat += len(name) + max(len(v), len(journal.Hidden)) + 2*maxSize
		}
	}
	n := recordBytes + flat + len(r.Answer.Body) + len(r.Path) + len(r.URL) + len(r.ID) + len(r.Redacted)
	for i := range r.Findings {
		f := &r.Findings[i]
		n += 112 + len(f.Pointer) + len(f.Message) + len(f.Expected) + len(f.Got) + len(f.Source)
	}
	return int64(n), flat
}

// The verdicts, the worst last.
const (
	sound     = "ok"
	duplicate = "duplicate"
	note      = "note"
	warning   = "warning"
	violation = "violation"
)

// verdictOf is the worst that was found.
func verdictOf(r *journal.Record) string {
	worst := sound
	for i := range r.Findings {
		switch f := &r.Findings[i]; {
		case f.Severity == verify.Violation:
			return violation
		case f.Severity == verify.Warning:
			worst = warning
		case f.Code == verify.Duplicate && worst != warning:
			worst = duplicate
		case worst == sound:
			worst = note
		}
	}
	if !r.OK {
		return violation
	}
	return worst
}
