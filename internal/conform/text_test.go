package conform_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/paytest/paytest/internal/conform"
)

// page answers with a page that holds a text.
func page(kind, text string) func(http.ResponseWriter, int, string) {
	return func(w http.ResponseWriter, status int, _ string) {
		w.Header()["Content-Type"] = nil
		if kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	const turned = "\u202egnp.eciovni\u202c"
	tryAll(t, []attacked{
		{name: "a name refused", ids: "U02", front: refusing(400, "Jose\u0301"), want: conform.Failed, says: "decomposed"},
		{name: "emoji lost", ids: "U01", front: answering("\U0001F4B8", status(400)), want: conform.Failed, says: "emoji"},
		{name: "emoji dropped", ids: "U01", front: refusing(200, "\U0001F4B8"), want: conform.Failed, says: "not credited"},
		{name: "shown on a page", ids: "U03", front: answering(turned, page("text/html; charset=utf-8", "<p>"+turned)), want: conform.Failed, says: "page (text/html)"},
		{name: "shown in JSON", ids: "U03", front: answering(turned, page("application/json", `"`+turned+`"`)), want: conform.Passed},
		{name: "NUL breaks it", ids: "U04", front: refusing(500, `\u0000`), want: conform.Failed, says: "NUL"},
		{name: "NUL dropped", ids: "U04", front: refusing(200, `\u0000`), want: conform.Passed},
		{name: "ids cut, and taken for duplicates", ids: "U06", bug: "truncated-ids", front: inPlaceOf(200, `{}`, 409), want: conform.Failed, says: "ends in b"},
		{name: "long ids refused", ids: "U06", front: refusing(400, "xxxxxxxxxx"), want: conform.Passed},
	})
}
