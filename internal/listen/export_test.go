package listen

// Remember makes a handler remember no more than this number of deliveries by
// their attempts.
func (h *Handler) Remember(n int) { h.attempts = newAttempts(n) }

// Busy returns how many lanes somebody is in.
func (h *Handler) Busy() int {
	h.lanes.mu.Lock()
	defer h.lanes.mu.Unlock()
	return len(h.lanes.last)
}

// Lanes are lanes to test.
type Lanes struct{ lanes }

// Enter is enter.
func (l *Lanes) Enter(lane string) func() { return l.enter(lane) }

// Entered returns how many lanes somebody is in or waits for.
func (l *Lanes) Entered() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.last)
}
