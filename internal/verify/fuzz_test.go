package verify_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/verify"
)

// backwards reverses the members of every object.
func backwards(v *jsondoc.Value) {
	slices.Reverse(v.Members)
	for i := range v.Members {
		backwards(&v.Members[i].Value)
	}
	for i := range v.Items {
		backwards(&v.Items[i])
	}
}

func findingPlaces(v verify.Verdict) []string {
	var out []string
	for _, f := range v.Findings {
		if f.Code != verify.FactDisagreement { // names the later of the two
			out = append(out, string(f.Code)+" "+f.Pointer)
		}
	}
	slices.Sort(out)
	return out
}

// FuzzPayload judges hostile bytes: every finding has a place that can be read,
// and white space and the order of members change nothing.
func FuzzPayload(f *testing.F) {
	samples, err := filepath.Glob("../generate/testdata/documented/*.json")
	if err != nil || len(samples) != 7 {
		f.Fatal("no seeds", err)
	}
	for _, name := range samples {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
		f.Add(bytes.Replace(raw, []byte(`"data"`), []byte(`"data": null, "Data"`), 1))
		f.Add(bytes.ReplaceAll(raw, []byte(`"74.074074"`), []byte(`"74.07407400"`)))
	}
	for _, raw := range []string{
		"", "[]", "{}", "null", `{"event":"invoice.updated"}`, `{"event":"invoice.updated","data":{"state":"Wait","previousState":null}}`,
		`{"event":"transaction.created","timestamp":"2025-09-05T23:59:60.000Z","data":{"state":"Pending","Asset":[{}],"customer":{"id":"\u0000"}}}`,
		strings.Repeat("[", 300),
	} {
		f.Add([]byte(raw))
	}
	c := pack(f)
	f.Fuzz(func(t *testing.T, raw []byte) {
		k := verify.NewChecker(c, verify.Strict{})
		first := k.Check(raw, "")
		for _, x := range first.Findings {
			if _, err := jsondoc.ParsePointer(x.Pointer); err != nil || x.Code == "" || x.Message == "" || x.Severity == "" {
				t.Errorf("%+v: %v", x, err)
			}
		}
		again := k.Check(raw, "")
		if again.OK() != first.OK() || first.OK() && first.ID != "" && !again.Duplicate {
			t.Errorf("once %+v, again %+v", first, again)
		}
		doc, err := jsondoc.Parse(raw)
		if len(first.Findings) >= 100 {
			return // of more, only the first are told
		}
		if err != nil {
			if first.OK() {
				t.Errorf("%q passes: %v", raw, err)
			}
			return
		}
		backwards(&doc)
		for _, same := range [][]byte{doc.AppendIndent(nil, " \t"), doc.AppendLiteral(nil)} {
			v := verify.NewChecker(c, verify.Strict{}).Check(same, "")
			if diff := cmp.Diff(findingPlaces(first), findingPlaces(v)); diff != "" || v.State != first.State || v.ID != first.ID && first.OK() {
				t.Errorf("%s\n%s\n%s", raw, same, diff)
			}
		}
	})
}

// TestManyUnknownFields judges a payload that is nothing but members nobody
// knows, as large as any that is read.
func TestManyUnknownFields(t *testing.T) {
	c := pack(t)
	sample := state(t, c, "invoice/cancel").Sample.AppendCanonical(nil)
	var b strings.Builder
	b.Write(sample[:len(sample)-1])
	count := 0
	for b.Len() < 1<<20 {
		b.WriteString(`,"`)
		for n := count; n > 0; n /= 26 {
			b.WriteByte(byte('a' + n%26))
		}
		b.WriteString(`_":1`)
		count++
	}
	b.WriteString("}")
	if v := verify.Payload(c, []byte(b.String()), ""); v.Count(verify.Warning) != 100 || count < 1000 || !v.OK() {
		t.Errorf("of %d unknown members %d are told, want the first 100", count, v.Count(verify.Warning))
	}
}
