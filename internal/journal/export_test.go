package journal

// heldBack is how many records an early journal has acknowledged and not written:
// more than one, so that whoever is killed has told of one.
const heldBack = 4

// AppendEarly is Append with the bug that the crash tests must catch: it
// acknowledges a record before it writes it. The record is written by a later call.
func (e *Early) AppendEarly(r Record) (uint64, error) {
	e.J.turn <- struct{}{}
	defer func() { <-e.J.turn }()
	rest, err := r.encode(nil)
	if err != nil {
		return 0, err
	}
	if len(e.late) == heldBack {
		if _, err := e.J.store([]*entry{{rest: e.late[0]}}); err != nil {
			return 0, err
		}
		e.late = e.late[1:]
	}
	e.late = append(e.late, rest)
	return e.J.last + uint64(len(e.late)), nil
}

// Early is a journal that acknowledges too early.
type Early struct {
	J    *Journal
	late [][]byte
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

// AppendAnyway is Append with the bug that a sync which failed is forgotten.
func AppendAnyway(j *Journal, r Record) (uint64, error) {
	j.turn <- struct{}{}
	j.unkept = nil
	<-j.turn
	return j.Append(r)
}
