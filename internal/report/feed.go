package report

import (
	"bytes"
	"sync"

	"github.com/paytest/paytest/internal/verify"
)

// How many deliveries wait for a slow reader at the most: ordinary ones, and with
// those that violate something, of which nobody should miss one.
const (
	maxWaiting    = 4096
	maxViolations = 4 * maxWaiting
)

// together is how many deliveries are written at once at the most.
const together = 64

// Feed writes received deliveries to a Printer, as Printer.Delivery does, without
// making those who deliver wait for whoever reads: when too many are waiting to be
// written, new ones are left out, and a line says how many. Ordinary ones are left
// out long before those that violate something. Until Close it alone may use the
// Printer.
type Feed struct {
	p    *Printer
	done chan struct{}

	mu      sync.Mutex
	more    sync.Cond // on mu: something waits, or no more will
	waiting []waiting
	skipped int // since the last of those waiting
	closed  bool
}

// waiting is a delivery to write, and how many before it are left out.
type waiting struct {
	Delivery
	skipped int
}

// NewFeed returns a Feed; Close ends it.
func NewFeed(p *Printer) *Feed {
	f := &Feed{p: p, done: make(chan struct{})}
	f.more.L = &f.mu
	go f.run()
	return f
}

// Add has a delivery written, unless too many wait already. It keeps neither its
// body, nor its headers, nor its answer, and waits for nobody.
func (f *Feed) Add(d Delivery) {
	most := maxWaiting
	if d.Verdict.Count(verify.Violation) > 0 {
		most = maxViolations
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.waiting) >= most {
		f.skipped++
		return
	}
	d.Body, d.Header, d.Answer = nil, nil, nil
	f.waiting = append(f.waiting, waiting{d, f.skipped})
	f.skipped = 0
	f.more.Signal()
}

// Close returns when all that waits is written, however long that takes.
func (f *Feed) Close() {
	f.mu.Lock()
	f.closed = true
	f.more.Signal()
	f.mu.Unlock()
	<-f.done
}

func (f *Feed) run() {
	defer close(f.done)
	var text bytes.Buffer
	page := &Printer{w: &text, width: f.p.width, styles: f.p.styles}
	var batch []waiting
	for {
		var skipped int
		if batch, skipped = f.next(batch[:0]); len(batch) == 0 && skipped == 0 {
			return
		}
		text.Reset()
		for _, w := range batch {
			page.left(w.skipped)
			page.Delivery(w.Delivery)
		}
		page.left(skipped)
		f.p.Raw(text.Bytes())
		clear(batch)
	}
}

// next waits for deliveries and takes some, at the very end with the number of
// those left out after them; nothing is left when it returns none.
func (f *Feed) next(batch []waiting) (some []waiting, skipped int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.waiting) == 0 && !f.closed && f.skipped == 0 {
		f.more.Wait()
	}
	n := min(together, len(f.waiting))
	batch = append(batch, f.waiting[:n]...)
	clear(f.waiting[:n])
	f.waiting = f.waiting[n:]
	if len(f.waiting) == 0 {
		skipped, f.skipped = f.skipped, 0
	}
	return batch, skipped
}

// left says how many deliveries are left out here.
func (p *Printer) left(n int) {
	switch n {
	case 0:
	case 1:
		p.Line(S(Caution, "… 1 delivery is not shown: they come faster than this is read"))
	default:
		p.Line(S(Caution, "… %s deliveries are not shown: they come faster than this is read", grouped(uint64(n))))
	}
}
