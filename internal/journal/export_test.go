package journal

import "context"

// AppendEarly is Append with the bug that the crash tests must catch: it
// acknowledges a record before it writes it. The record is written by the next
// call.
func (e *Early) AppendEarly(ctx context.Context, r Record) (uint64, error) {
	e.J.turn <- struct{}{}
	defer func() { <-e.J.turn }()
	rest, err := r.encode(nil)
	if err != nil {
		return 0, err
	}
	if e.late != nil {
		if _, err := e.J.store([]*entry{{rest: e.late}}); err != nil {
			return 0, err
		}
	}
	e.late = rest
	return e.J.last + 1, ctx.Err()
}

// Early is a journal that acknowledges too early.
type Early struct {
	J    *Journal
	late []byte
}

// Waiting returns how many records wait for their turn to be written.
func (j *Journal) Waiting() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.pending == nil {
		return 0
	}
	return len(j.pending.entries)
}
