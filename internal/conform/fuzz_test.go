package conform

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

// FuzzProbe reads any answer of a probe by any mapping: what is found is an amount
// that the answer holds, and an error says something.
func FuzzProbe(f *testing.F) {
	for _, seed := range [][2]string{
		{"", `{"state":"Complete","credited":"74.074074","refunded":"0","deliveries":"1","balance":"74.074074"}`},
		{"credited=ledger.sum, state=a.0", `{"ledger":{"sum":74.1},"a":["x"]}`},
		{"credited=.ledger[0]", `{"ledger":["1e3"]}`},
		{"state=", `{"state":null}`},
		{"", `{"credited":NaN}`},
		{"", `[]`},
		{"credited", ``},
		{"", `{"credited":{}}`},
		{"balance=x,balance=y", `{"x":"-1","y":"0.1"}`},
	} {
		f.Add(seed[0], []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, mapping string, raw []byte) {
		m, err := ParseMapping(mapping)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error that says nothing")
			}
			return
		}
		e, err := m.read(raw)
		if err != nil {
			return
		}
		if !e.Known {
			t.Errorf("%q: nothing is known, and no error", raw)
		}
		for _, member := range e.amounts() {
			if *member.value == nil {
				continue
			}
			if _, ok := payment.ParseAmount((*member.value).String()); !ok {
				t.Errorf("%q: %s is %s", raw, member.name, *member.value)
			}
		}
	})
}

// FuzzCatalog reads any file of cases: it is refused, or its cases are of the
// category that the file is called by.
func FuzzCatalog(f *testing.F) {
	const name = contract.ConformFolder + "/delivery.json"
	raw, err := fs.ReadFile(payloads.FS, name)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	for _, text := range []string{"", "{}", "null", `{"category":"money"}`, `{"category":"delivery","cases":[null]}`, `{"category":"delivery","cases":[{}]}`, strings.Replace(string(raw), `"id"`, `"ID"`, 1)} {
		f.Add([]byte(text))
	}
	c, err := contract.Load(payloads.FS)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Load(c, fstest.MapFS{name: {Data: raw}})
		if err != nil {
			return
		}
		for _, x := range got.Cases {
			if x.Category != "delivery" || x.ID == "" {
				t.Errorf("%q: %+v", raw, x)
			}
		}
	})
}
