package conform

import (
	"net/http"
	"net/url"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
)

// line is a connection that deliveries share. Where the endpoint has closed it,
// which it may do after any answer, another one is opened.
type line struct {
	t *trial
	u *url.URL
	w *wire
}

func (t *trial) line(st *contract.State) *line {
	u, err := t.s.URL(st.Path)
	if err != nil {
		panic(stopCase{err.Error()})
	}
	return &line{t: t, u: u}
}

func (l *line) open() { l.w = l.t.dial(l.u) }

func (l *line) close() {
	if l.w != nil {
		l.w.close()
	}
	l.w = nil
}

// deliver sends a request, and once more over another connection where nothing
// but the end of a used one came back.
func (l *line) deliver(raw []byte) *deliver.Result {
	used := l.w != nil
	if !used {
		l.open()
	}
	l.w.started = l.t.s.Now()
	l.w.limit(l.t.s.Timeout)
	l.w.write(raw)
	r := l.answer()
	if used && r.Outcome == deliver.Unknown && r.Status == 0 {
		return l.deliver(raw)
	}
	return r
}

// answer reads the next answer, and closes the line where it was the last.
func (l *line) answer() *deliver.Result {
	r := l.w.answer(http.MethodPost)
	if r.Outcome != deliver.Answered || l.w.last {
		l.close()
	}
	return r
}
