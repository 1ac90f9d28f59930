package inspect

import (
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
)

const (
	apiPrefix  = "api/"
	maxRequest = 64 << 10
)

// handler answers requests.
type handler struct {
	*Inspector
	guard *guard
	mux   *http.ServeMux
}

// Handler serves the page under /TOKEN/ and nothing else. It answers requests for
// these addresses, for localhost on their ports, and for these host names.
func (i *Inspector) Handler(addresses []net.Addr, names ...string) http.Handler {
	h := &handler{Inspector: i, guard: newGuard(i.o.Token, addresses, names), mux: http.NewServeMux()}
	h.mux.HandleFunc("GET /api/contract", h.contract)
	h.mux.HandleFunc("GET /api/stream", h.stream)
	h.mux.HandleFunc("GET /api/deliveries/{n}", h.delivery)
	h.mux.HandleFunc("POST /api/deliveries/{n}/resend", h.resend)
	h.mux.HandleFunc("GET /api/payments", h.payment)
	h.mux.HandleFunc("GET /api/overview", h.overview)
	h.mux.HandleFunc("GET /", h.page)
	return h
}

// ServeHTTP lets a request in, or not.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	protect(w.Header())
	if !h.guard.here(r.Host) {
		refuse(w, http.StatusMisdirectedRequest, "this server is not called so: use the URL that was printed")
		return
	}
	rest, ok := h.guard.asked(r)
	if !ok {
		refuse(w, http.StatusNotFound, "not found")
		return
	}
	if !own(r) {
		refuse(w, http.StatusForbidden, "requests of other sites are refused")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	inner := r.Clone(r.Context())
	inner.URL.Path, inner.URL.RawPath = "/"+rest, ""
	h.mux.ServeHTTP(w, inner)
}

// page serves a file of the page.
func (h *handler) page(w http.ResponseWriter, r *http.Request) {
	file, ok := h.assets[strings.TrimPrefix(r.URL.Path, "/")]
	if !ok {
		refuse(w, http.StatusNotFound, "not found")
		return
	}
	w.Header().Set("Content-Type", file.media)
	w.Header().Set("Content-Length", strconv.Itoa(len(file.data)))
	_, _ = w.Write(file.data)
}

type failure struct {
	Error string `json:"error"`
}

func refuse(w http.ResponseWriter, status int, why string) { reply(w, status, failure{why}) }

func reply(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer has no JSON form"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data)
}
