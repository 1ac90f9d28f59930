package merchant

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// Limits of the server: nobody can hold a connection, or fill the memory, for
// longer or with more than these.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 15 * time.Second
	writeTimeout  = 20 * time.Second
	idleTimeout   = 60 * time.Second
	drainTimeout  = 5 * time.Second
	maxHeader     = 16 << 10 // bytes
	maxFields     = 128      // header fields
	maxBody       = 1 << 20  // bytes
)

// probePath is where GET shows a payment, by its id.
const probePath = "/orders/"

// Serve takes deliveries on l until ctx ends, then lets those under way finish,
// for at most 5 seconds. It closes l.
func (m *Merchant) Serve(ctx context.Context, l net.Listener) error {
	if m.naive() {
		return m.serveNaively(ctx, l)
	}
	srv := &http.Server{
		Handler: m, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout + m.Slow,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeader, ErrorLog: log.New(io.Discard, "", 0),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	l = m.spoilServer(srv, l)
	go func() { failed <- srv.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTimeout)
	defer cancel()
	if shut := srv.Shutdown(drain); shut != nil {
		_ = srv.Close()
	}
	if err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the merchant stopped: %w", err)
	}
	return nil
}

// reply is what a request is answered.
type reply struct {
	status int
	body   jsondoc.Value
	event  *event // what was read of the delivery; nil where that was nothing
}

//go:noinline
func answered(a contract.Answer) *reply { return &reply{status: a.Status, body: a.Body} }

//go:noinline
func refused(status int, why string) *reply {
	return &reply{status: status, body: object("error", why)}
}

func (m *Merchant) broke() *reply {
	return refused(http.StatusInternalServerError, "Internal server error")
}

func (m *Merchant) invalid() *reply { return answered(m.Contract.Answers.Invalid) }

//go:noinline
func object(pairs ...string) jsondoc.Value {
	var members []jsondoc.Member
	for i := 0; i < len(pairs); i += 2 {
		members = append(members, jsondoc.Member{Name: pairs[i], Value: jsondoc.StringValue(pairs[i+1])})
	}
	return jsondoc.ObjectValue(members...)
}

// ServeHTTP answers one delivery, or the probe.
func (m *Merchant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id, probe := strings.CutPrefix(r.URL.Path, probePath)
	if probe {
		m.write(w, r, m.probe(r, id))
		return
	}
	done := m.enter(r)
	a := m.receive(w, r)
	done(a)
	m.write(w, r, a)
}

func (m *Merchant) write(w http.ResponseWriter, r *http.Request, a *reply) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case a.status == http.StatusMethodNotAllowed && strings.HasPrefix(r.URL.Path, probePath):
		h.Set("Allow", http.MethodGet)
	case a.status == http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodPost)
	}
	if len(r.TransferEncoding) > 0 {
		// Who sent a length beside the chunks may mean something else by what
		// follows (RFC 9112, section 6.1), and net/http hides that there was one.
		h.Set("Connection", "close")
	}
	body := m.spoilAnswer(h, a)
	w.WriteHeader(a.status)
	_, _ = w.Write(body)
}

// receive takes a delivery through all its steps, each of which can refuse it.
func (m *Merchant) receive(w http.ResponseWriter, r *http.Request) *reply {
	if no := m.spoilDoor(r); no != nil {
		return no
	}
	path, no := m.door(r)
	if no != nil {
		return no
	}
	body, no := m.read(w, r)
	if no != nil {
		return no
	}
	if no = m.signed(r.Header, body); no != nil {
		return no
	}
	doc, no := m.parse(body)
	if no != nil {
		return no
	}
	e, no := m.understand(&doc, path)
	if no != nil {
		return no
	}
	e.body, e.target = body, r.URL.Path
	a := m.process(r.Context(), e)
	a.event = e
	return a
}

// door judges what can be judged before the body is read. It returns the
// contract's path that the delivery came to.
func (m *Merchant) door(r *http.Request) (path string, no *reply) {
	path = m.route(r)
	fields := 0
	for _, values := range r.Header {
		fields += len(values)
	}
	switch {
	case fields > maxFields:
		return path, refused(http.StatusRequestHeaderFieldsTooLarge, "Too many header fields")
	case !slices.Contains(m.Contract.Paths(), path):
		return path, refused(http.StatusNotFound, "Not found")
	case r.Method != http.MethodPost && !m.takesMethod(r.Method):
		return path, refused(http.StatusMethodNotAllowed, "Method not allowed")
	case !oneOf(r.Header.Values("Expect"), "100-continue"):
		return path, refused(http.StatusExpectationFailed, "Unknown expectation")
	case !m.isJSON(r.Header.Values("Content-Type")):
		return path, refused(http.StatusUnsupportedMediaType, "A delivery is JSON in UTF-8")
	case !oneOf(r.Header.Values("Content-Encoding"), "identity") && !m.decodes(r):
		return path, refused(http.StatusUnsupportedMediaType, "A delivery is not compressed")
	}
	return path, nil
}

// oneOf reports whether a header is absent, or is there once with that value.
func oneOf(values []string, want string) bool {
	return len(values) == 0 || len(values) == 1 && strings.EqualFold(strings.TrimSpace(values[0]), want)
}

func (m *Merchant) isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return len(contentType) == 0
	}
	media, parameters, err := mime.ParseMediaType(contentType[0])
	charset := parameters["charset"]
	json := media == "application/json" || strings.HasSuffix(media, "+json")
	utf8 := charset == "" || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8")
	return err == nil && json && (utf8 || m.has("charset-ignored"))
}

// read takes the whole body before anything is made of it.
func (m *Merchant) read(w http.ResponseWriter, r *http.Request) ([]byte, *reply) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, refused(http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB")
	case err != nil:
		m.cut()
		return nil, refused(http.StatusBadRequest, "The body could not be read to its end")
	}
	return m.spoilBody(r, body)
}
