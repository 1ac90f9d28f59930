package listen

import "sync"

// lanes keep what concerns one subject in the order in which it came, while
// different subjects go on side by side.
type lanes struct {
	mu   sync.Mutex
	last map[string]chan struct{} // closed when the last one in the lane is done
}

// enter waits for everything that entered the lane before, and returns what to
// call when done.
func (l *lanes) enter(lane string) (done func()) {
	mine := make(chan struct{})
	l.mu.Lock()
	if l.last == nil {
		l.last = map[string]chan struct{}{}
	}
	before := l.last[lane]
	l.last[lane] = mine
	l.mu.Unlock()
	if before != nil {
		<-before
	}
	return func() {
		l.mu.Lock()
		if l.last[lane] == mine {
			delete(l.last, lane)
		}
		l.mu.Unlock()
		close(mine)
	}
}
