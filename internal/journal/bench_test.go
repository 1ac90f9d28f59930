package journal_test

import (
	"bytes"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/verify"
)

// typical is a record of a delivery that a listener takes.
func typical() journal.Record {
	return journal.Record{
		Time: time.Now(), Direction: journal.Received, Attempt: 1, Method: "POST", Path: "/webhooks/payments", Body: bytes.Repeat([]byte("x"), 600), OK: true,
		Headers: http.Header{"Content-Type": {"application/json"}, "Content-Length": {"600"}, "X-Signature": {"0123456789abcdef0123456789abcdef"}},
		Event:   "an.event", Subject: "subject", ID: "0123456789abcdef", State: "State", Findings: []verify.Finding{}, Answer: journal.Answer{Status: 200, Body: `{"status":"ok"}`},
		LatencyMS: 0.25, Signature: "both",
	}
}

func BenchmarkLine(b *testing.B) {
	rec := typical()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := rec.Line(); err != nil {
			b.Fatal(err)
		}
	}
}

// counted counts what is made durable.
type counted struct {
	osFS
	syncs atomic.Int64
}

func (c *counted) Create(name string) (journal.File, error) {
	f, err := c.osFS.Create(name)
	return &countedFile{f, c}, err
}

type countedFile struct {
	journal.File
	of *counted
}

func (f *countedFile) Sync() error {
	f.of.syncs.Add(1)
	return f.File.Sync()
}

// BenchmarkAppend measures the disk, too; TMPDIR says which.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			files := &counted{}
			j := open(b, files, filepath.Join(b.TempDir(), name), journal.Options{})
			rec := typical()
			var wg sync.WaitGroup
			work := make(chan struct{})
			for range writers {
				wg.Go(func() {
					for range work {
						if _, err := j.Append(rec); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.ReportMetric(float64(b.N)/float64(files.syncs.Load()), "records/sync")
			if err := j.Close(); err != nil {
				b.Error(err)
			}
		})
	}
}

// BenchmarkAppendAll is what each of 64 records takes that are appended at once.
func BenchmarkAppendAll(b *testing.B) {
	j := open(b, osFS{}, filepath.Join(b.TempDir(), name), journal.Options{})
	records := slices.Repeat([]journal.Record{typical()}, 64)
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(records) {
		if errs := j.AppendAll(slices.Values(records[:min(len(records), b.N-n)])); errs != nil {
			b.Error(errs)
		}
	}
	if err := j.Close(); err != nil {
		b.Error(err)
	}
}
