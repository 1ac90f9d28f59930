package inspect

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

const (
	maxStreams = 16
	maxRows    = 1000
	// pace is how often a stream tells of what is new.
	pace = 100 * time.Millisecond
	// silence is how long a stream says nothing, for what stands between to keep it.
	silence = 15 * time.Second
	// patience is how long a reader may take for what is sent at once.
	patience = 10 * time.Second
)

// stream sends the rows, the old and then the new ones, to a reader that resumes
// where it was. One that is too slow is dropped: nothing waits for it.
func (h *handler) stream(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		refuse(w, http.StatusMethodNotAllowed, "a stream is for GET")
		return
	}
	defer h.streams.Add(-1)
	if h.streams.Add(1) > maxStreams {
		refuse(w, http.StatusServiceUnavailable, fmt.Sprintf("%d pages look already: close one", maxStreams))
		return
	}
	s := &stream{Inspector: h.Inspector, w: w, control: http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	s.sent = h.resumed(r)
	s.text.WriteString("retry: 1000\n\n")
	_, seen, _ := h.store.after(s.sent, 0)
	s.backlog = seen.Total
	s.event("status", seen)
	if s.flush() == nil {
		s.run(r.Context())
	}
}

// resumed is the number of the last row that the reader has.
func (i *Inspector) resumed(r *http.Request) uint64 {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if _, seen, _ := i.store.after(0, 0); err != nil || n > seen.Total {
		return 0 // it is of something else
	}
	return n
}

// stream is what one reader is sent.
type stream struct {
	*Inspector
	w       http.ResponseWriter
	control *http.ResponseController
	text    bytes.Buffer
	// sent is the number of the last row, backlog of the last one that was there at
	// the start.
	sent, backlog uint64
}

// run sends until there is nothing more, or the reader is gone.
func (s *stream) run(ctx context.Context) {
	alive := time.NewTicker(silence)
	defer alive.Stop()
	for {
		found, seen, changed := s.store.after(s.sent, maxRows)
		switch {
		case len(found) > 0:
			s.rows(found, seen)
		case !seen.Live:
			s.event("status", seen)
			s.event("end", struct{}{})
			_ = s.flush()
			return
		default:
			select {
			case <-changed:
			case <-alive.C:
				s.text.WriteString(": still here\n\n")
			case <-ctx.Done():
				return
			}
		}
		if s.flush() != nil || len(found) > 0 && !s.rest(ctx, seen) {
			return
		}
	}
}

// rows tells of records.
func (s *stream) rows(found []*entry, seen counts) {
	list := make([]Row, len(found))
	for i, e := range found {
		list[i] = s.row(e)
	}
	s.sent = list[len(list)-1].N
	fmt.Fprintf(&s.text, "id: %d\n", s.sent)
	s.event("rows", list)
	s.event("status", seen)
}

// rest waits before more is sent, unless it is late already. It reports whether
// anybody is left to send to.
func (s *stream) rest(ctx context.Context, seen counts) bool {
	if s.sent < s.backlog || !seen.Live {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(pace)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *stream) event(name string, data any) {
	fmt.Fprintf(&s.text, "event: %s\ndata: ", name)
	_ = json.NewEncoder(&s.text).Encode(data) // a store keeps only what can be
	s.text.WriteByte('\n')
}

// flush sends what was written, in time or not at all.
func (s *stream) flush() error {
	if s.text.Len() == 0 {
		return nil
	}
	defer s.text.Reset()
	if err := s.control.SetWriteDeadline(s.o.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := s.w.Write(s.text.Bytes()); err != nil {
		return err
	}
	return s.control.Flush()
}
