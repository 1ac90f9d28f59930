package cli

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/report"
	"github.com/paytest/paytest/internal/verify"
)

// recorder appends to a journal, and shows what it appends; a nil one does
// neither.
type recorder struct {
	app *app
	j   *journal.Journal // nil when nothing is kept
	ui  *ui              // nil when nobody looks
	bad sync.Once
}

func recordFlag(cmd *cobra.Command, path *string, what string) {
	cmd.Flags().StringVar(path, "record", "", "append "+what+" to this journal `file`")
	once(cmd, "record")
}

func (a *app) recorder(path string, o journal.Options) (*recorder, error) {
	if path == "" {
		return nil, nil //nolint:nilnil // a nil recorder records nothing
	}
	j, recovery, err := journal.Open(a.Files, path, o)
	if err != nil {
		return nil, usage("--record %s: %w", path, told{err, path})
	}
	if recovery.CutBytes > 0 {
		a.err.Line(report.S(report.Caution, "note:"), report.T(" %s ended in half a line, which was cut off (%s)", path, plural(int(recovery.CutBytes), "byte")))
	}
	if info, err := a.Files.Stat(path); err == nil && a.isExposed(info) {
		a.exposed(path)
	}
	return &recorder{app: a, j: j}, nil
}

func (r *recorder) close() {
	if r == nil || r.j == nil {
		return
	}
	if err := r.j.Close(); err != nil {
		r.warn(err)
	}
}

// warn says once that a record was lost.
func (r *recorder) warn(err error) {
	r.bad.Do(func() {
		r.app.err.Line(report.S(report.Bad, "warning:"), report.T(" the journal is not complete: %v", err))
	})
}

// sent records an attempt and what came back.
func (r *recorder) sent(d delivery, header http.Header, res deliver.Result) {
	if r == nil {
		return
	}
	rec := r.app.sentRecord(d, header, res)
	if r.ui != nil {
		r.ui.Add(rec)
	}
	if r.j == nil {
		return
	}
	if _, err := r.j.Append(rec); err != nil {
		r.warn(err)
	}
}

// sentRecord is an attempt as journals have it.
func (a *app) sentRecord(d delivery, header http.Header, res deliver.Result) journal.Record {
	rec := journal.Record{
		Time: res.Started.UTC(), Direction: journal.Sent, Attempt: res.Attempt, URL: withoutQuery(d.url), Method: http.MethodPost, Path: d.url.EscapedPath(),
		Headers: withoutCredentials(header), Body: d.body, OK: res.Success(a.loaded.Delivery.Success), Findings: []verify.Finding{},
		Answer: journal.Answer{Status: res.Status, Body: string(res.Body)}, LatencyMS: report.Milliseconds(res.Latency),
	}
	if d.state != nil {
		rec.Event, rec.Subject, rec.State = d.state.Event, d.state.Subject.Name, d.state.Wire
	}
	return rec
}

// received records deliveries; it returns when the records are durable.
func (r *recorder) received(ds []*verify.Delivery) []error {
	return r.j.AppendAll(func(yield func(journal.Record) bool) {
		for _, d := range ds {
			if !yield(record(d)) {
				return
			}
		}
	})
}

// record is a delivery as journals and programs read it.
func record(d *verify.Delivery) journal.Record {
	r := bareRecord(d)
	r.Headers = withoutCredentials(d.Header)
	return r
}

// bareRecord is a delivery and all that its headers say.
func bareRecord(d *verify.Delivery) journal.Record {
	v := report.NewVerdictJSON(&d.Verdict)
	return journal.Record{
		Time: d.Time.UTC(), Direction: journal.Received, Attempt: d.Attempt, Method: d.Method, Path: d.Path,
		Headers: d.Header, Body: d.Body,
		OK: v.OK, Event: v.Event, Subject: v.Subject, ID: v.ID, State: v.State, PreviousState: v.PreviousState, Duplicate: v.Duplicate, Findings: v.Findings,
		Signature: d.Signature, Forwarded: d.Forwarded,
		Answer: journal.Answer{Status: d.Status, Body: string(d.Answer)}, LatencyMS: report.Milliseconds(d.Latency),
	}
}

// withoutQuery is a URL without what may be a key to it.
func withoutQuery(u *url.URL) string {
	bare := *u
	bare.RawQuery, bare.User = "", nil
	return bare.String()
}

// keyless is a URL as it was typed, but for its query, which may be a key to it.
func keyless(typed string) string {
	bare, _, query := strings.Cut(typed, "?")
	if query {
		bare += "?…"
	}
	return bare
}

// withoutCredentials hides what lets its reader in somewhere. It returns the
// headers themselves where there is nothing to hide.
func withoutCredentials(h http.Header) http.Header {
	out, copied := h, false
	for key := range h {
		if !isCredential(key) {
			continue
		}
		if !copied {
			out, copied = h.Clone(), true
		}
		out[key] = []string{journal.Hidden}
	}
	return out
}

// isCredential reports whether a header of that name lets its reader in somewhere.
func isCredential(name string) bool {
	for i := range len(name) {
		part := ""
		switch name[i] | 0x20 {
		case 'a':
			if hasFolded(name[i:], "api-key") || hasFolded(name[i:], "apikey") {
				return true
			}
			part = "authorization"
		case 'c':
			part = "cookie"
		case 'p':
			part = "password"
		case 's':
			part = "secret"
		case 't':
			part = "token"
		default:
			continue
		}
		if hasFolded(name[i:], part) {
			return true
		}
	}
	return false
}

// hasFolded reports whether a name begins with that, whatever its case.
func hasFolded(name, begin string) bool {
	return len(name) >= len(begin) && strings.EqualFold(name[:len(begin)], begin)
}

// withoutHidden leaves out what withoutCredentials hid.
func withoutHidden(h http.Header) {
	maps.DeleteFunc(h, func(_ string, values []string) bool { return slices.Contains(values, journal.Hidden) })
}
