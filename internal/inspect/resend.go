package inspect

import (
	"net/http"
	"slices"

	"github.com/paytest/paytest/internal/journal"
)

// maxResends bounds how many deliveries are under way at a time.
const maxResends = 4

// resendable reports whether a record may go to the target: only what has a path
// of the contract does.
func (i *Inspector) resendable(e *entry) bool {
	return i.o.Resend != nil && i.o.Target != "" && slices.Contains(i.c.Paths(), e.Path)
}

// resend delivers a record to the target again, and shows what came back.
func (h *handler) resend(w http.ResponseWriter, r *http.Request) {
	e := h.numbered(w, r)
	switch {
	case e == nil:
		return
	case h.o.Resend == nil || h.o.Target == "":
		refuse(w, http.StatusConflict, "there is nowhere to send it to: listen with --forward-to")
		return
	case !h.resendable(e):
		refuse(w, http.StatusConflict, "its path is none of the contract's, so it was not forwarded either")
		return
	}
	defer h.resends.Add(-1)
	if h.resends.Add(1) > maxResends {
		refuse(w, http.StatusTooManyRequests, "others are being sent: try again when they are answered")
		return
	}
	again := e.Record
	again.Headers = e.header()
	back, err := h.o.Resend(r.Context(), again)
	if err != nil {
		refuse(w, http.StatusBadGateway, "it could not be sent: "+err.Error())
		return
	}
	back.Direction = journal.Sent
	shown := keep(back, h.o.Hidden)
	h.store.add(shown)
	reply(w, http.StatusOK, struct {
		Row Row `json:"row"`
	}{h.row(shown)})
}
