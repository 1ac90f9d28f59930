package generate_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func state(t testing.TB, c *contract.Contract, ref string) *contract.State {
	t.Helper()
	subject, name, _ := strings.Cut(ref, "/")
	st := c.Subject(subject).State(name)
	if st == nil {
		t.Fatalf("there is no %s", ref)
	}
	return st
}

// documented are the gateway's own samples, byte for byte, and their states.
func documented(t *testing.T, c *contract.Contract) map[*contract.State][]byte {
	t.Helper()
	files := map[string]string{
		"invoice.updated.pending.json": "invoice/pending", "invoice.updated.complete.json": "invoice/complete",
		"invoice.updated.cancel.json": "invoice/cancel", "invoice.updated.fail.json": "invoice/fail",
		"transaction.created.pending.json": "transaction/created", "transaction.updated.complete.json": "transaction/complete",
		"transaction.updated.fail.json": "transaction/fail",
	}
	there, err := filepath.Glob("testdata/documented/*.json")
	if err != nil || len(there) != len(files) {
		t.Fatalf("%d samples, want %d: %v", len(there), len(files), err)
	}
	out := map[*contract.State][]byte{}
	for name, ref := range files {
		raw, err := os.ReadFile(filepath.Join("testdata", "documented", name))
		if err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, raw); err != nil {
			t.Fatal(err)
		}
		out[state(t, c, ref)] = compact.Bytes()
	}
	return out
}

func TestSamplesAreTheDocumentedOnes(t *testing.T) {
	c := pack(t)
	for st, want := range documented(t, c) {
		for how, got := range map[string][]byte{"canonical": st.Sample.AppendCanonical(nil), "literal": st.Sample.AppendLiteral(nil)} {
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s, %s: %s", st, how, diff)
			}
		}
	}
}

// TestGeneratedFromDocumentedFacts gives the facts of a sample to the
// generator: what comes out is the sample, so no place is left out.
func TestGeneratedFromDocumentedFacts(t *testing.T) {
	c := pack(t)
	for st, want := range documented(t, c) {
		o := payment.Options{Seed: 4, Start: c.Epoch, Toward: []*contract.State{st}, Facts: map[*contract.Fact]jsondoc.Value{}}
		for _, f := range st.Fields() {
			if v := st.Sample.At(f.Pointer); v != nil && !slices.Contains([]string{"event", "state", "previousState"}, f.Fact.Name) {
				o.Facts[f.Fact] = *v
			}
		}
		doc := generated(t, c, o, st)
		if diff := cmp.Diff(string(want), string(doc.AppendCanonical(nil))); diff != "" {
			t.Errorf("%s: %s", st, diff)
		}
		free := generated(t, c, payment.Options{Seed: 4, Start: c.Epoch}, st)
		if bytes.Equal(free.AppendCanonical(nil), want) {
			t.Errorf("%s is always the sample", st)
		}
		if diff := cmp.Diff(members(&st.Sample, ""), members(&free, "")); diff != "" {
			t.Errorf("%s has other members than the sample: %s", st, diff)
		}
	}
}

// members lists the paths and types of a document.
func members(v *jsondoc.Value, at string) []string {
	out := []string{at + " " + v.Kind.String()}
	for i := range v.Members {
		out = append(out, members(&v.Members[i].Value, at+"/"+v.Members[i].Name)...)
	}
	return out
}

func generated(t interface{ Fatal(...any) }, c *contract.Contract, o payment.Options, st *contract.State) jsondoc.Value {
	doc, err := generate.Payload(c, payment.New(c, o), st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func drawn(t *rapid.T, c *contract.Contract) payment.Options {
	return payment.Options{
		Seed: rapid.Uint64().Draw(t, "seed"), Index: rapid.Uint64Range(0, 1e6).Draw(t, "index"),
		Start: c.Epoch.Add(time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "start")) * time.Second),
	}
}

func TestPayloadsOfOnePaymentAgree(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		text := func(ref, path string) string {
			subject, name, _ := strings.Cut(ref, "/")
			doc := generated(t, c, o, c.Subject(subject).State(name))
			v := doc.At(strings.Split(path, "."))
			if v == nil {
				t.Fatalf("%s has no %s", ref, path)
			}
			return string(v.AppendCanonical(nil))
		}
		for _, same := range [][]string{
			{
				"invoice/wait data.invoiceId", "invoice/pending data.invoiceId", "invoice/complete data.invoiceId", "invoice/fail data.invoiceId",
				"invoice/cancel data.invoiceId", "invoice/reject data.invoiceId", "transaction/created data.invoiceId",
				"transaction/complete data.invoiceId", "transaction/fail data.invoiceId",
			},
			{
				"invoice/pending data.customerId", "invoice/cancel data.customerId", "transaction/created data.customerId",
				"transaction/created data.customer.id", "transaction/fail data.customerId",
			},
			{"invoice/pending data.customerName", "invoice/fail data.customerName", "transaction/created data.customer.name"},
			{"invoice/pending data.title", "invoice/complete data.title", "invoice/reject data.title"},
			{"invoice/pending data.cashAmount", "invoice/wait data.cashAmount", "invoice/complete data.cashAmount"},
			{
				"invoice/pending data.cryptoAmount", "invoice/complete data.cryptoAmount", "invoice/fail data.transaction.expectedAmount",
				"transaction/created data.amount", "transaction/complete data.amount",
			},
			{
				"transaction/created data.id", "transaction/complete data.id", "transaction/fail data.id", "invoice/pending data.transaction.id",
				"invoice/complete data.transaction.id", "invoice/fail data.transaction.id",
			},
			{"transaction/created data.detail", "transaction/fail data.detail", "invoice/pending data.transaction.detail", "invoice/fail data.transaction.detail"},
			{"transaction/created data.from", "invoice/complete data.transaction.from"},
			{"transaction/created data.to", "invoice/complete data.transaction.to"},
			{"transaction/created data.blockNum", "invoice/complete data.transaction.blockNum"},
			{
				"transaction/created data.assetId", "transaction/created data.Asset.id", "transaction/complete data.Asset.id",
				"invoice/complete data.cryptoAssetId",
			},
			{"invoice/complete timestamp", "invoice/complete data.completedAt"},
			{"invoice/cancel timestamp", "invoice/cancel data.expiredAt"},
			{"transaction/complete timestamp", "transaction/complete data.finalizedAt"},
			{"transaction/created timestamp", "transaction/created data.createdAt", "transaction/created data.updatedAt"},
		} {
			ref, path, _ := strings.Cut(same[0], " ")
			want := text(ref, path)
			for _, other := range same[1:] {
				ref, path, _ := strings.Cut(other, " ")
				if got := text(ref, path); got != want {
					t.Errorf("%s is %s, %s is %s", same[0], want, other, got)
				}
			}
		}
	})
}

func TestSameSeedSameBytes(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		st := rapid.SampledFrom(c.States()).Draw(t, "state")
		one := generated(t, c, o, st)
		p := payment.New(c, o)
		for _, other := range rapid.Permutation(c.States()).Draw(t, "others") {
			if _, err := generate.Payload(c, p, other, generate.Options{}); err != nil {
				t.Fatal(err)
			}
		}
		two, err := generate.Payload(c, p, st, generate.Options{})
		if err != nil || !bytes.Equal(one.AppendCanonical(nil), two.AppendCanonical(nil)) {
			t.Fatalf("%v\n%s\n%s", err, one.AppendCanonical(nil), two.AppendCanonical(nil))
		}
	})
}

// TestBodiesAreAFixedPoint shows that a receiver who parses a body and writes
// it again gets the bytes that were sent.
func TestBodiesAreAFixedPoint(t *testing.T) {
	c := pack(t)
	rapid.Check(t, func(t *rapid.T) {
		o := drawn(t, c)
		o.Facts = map[*contract.Fact]jsondoc.Value{c.Fact("customerName"): jsondoc.StringValue(rapid.String().Draw(t, "name"))}
		doc := generated(t, c, o, rapid.SampledFrom(c.States()).Draw(t, "state"))
		sent := doc.AppendCanonical(nil)
		back, err := jsondoc.Parse(sent)
		if err != nil {
			t.Fatal(err)
		}
		if again := back.AppendCanonical(nil); !bytes.Equal(sent, again) {
			t.Errorf("sent  %s\nagain %s", sent, again)
		}
	})
}

func TestPreviousState(t *testing.T) {
	c := pack(t)
	at := c.Envelope.PreviousState
	for _, x := range []struct {
		state, previous string
		force           bool
		want, err       string
	}{
		{"invoice/pending", "", false, `"Ready"`, ""},
		{"invoice/pending", "wait", false, `"Wait"`, ""},
		{"invoice/pending", "cancel", false, "", "no transition leads from Cancel to Pending: invoice pending comes from ready or wait (--force"},
		{"invoice/pending", "cancel", true, `"Cancel"`, ""},
		{"invoice/complete", "complete", true, `"Complete"`, ""},
		{"invoice/ready", "", false, "", "no webhook carries invoice ready"},
		{"invoice/ready", "", true, "null", ""},
		{"invoice/ready", "fail", true, `"Fail"`, ""},
		{"transaction/complete", "", false, `"Pending"`, ""},
		{"transaction/complete", "unseen", true, "null", ""},
		{"transaction/unseen", "", false, "", "no webhook carries transaction unseen"},
		{"transaction/unseen", "", true, "", "cannot be forced"},
	} {
		o := generate.Options{Force: x.force}
		st := state(t, c, x.state)
		if x.previous != "" {
			o.Previous = st.Subject.State(x.previous)
		}
		doc, err := generate.Payload(c, payment.New(c, payment.Options{Start: c.Epoch}), st, o)
		if x.err != "" {
			if err == nil || !strings.Contains(err.Error(), x.err) {
				t.Errorf("%s from %q: %v, want %q", x.state, x.previous, err, x.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s from %q: %v", x.state, x.previous, err)
		} else if got := doc.At(at); got == nil || string(got.AppendCanonical(nil)) != x.want {
			t.Errorf("%s from %q: %s", x.state, x.previous, doc.AppendCanonical(nil))
		}
	}
}

func TestReadyNamesTheStatesThatExist(t *testing.T) {
	c := pack(t)
	_, err := generate.Payload(c, payment.New(c, payment.Options{}), state(t, c, "invoice/ready"), generate.Options{})
	for _, word := range []string{"wait", "pending", "complete", "fail", "cancel", "reject", "--force"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not say %s", err, word)
		}
	}
	doc, err := generate.Payload(c, payment.New(c, payment.Options{Start: c.Epoch}), state(t, c, "invoice/ready"), generate.Options{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		" object", "/event string", "/timestamp string", "/data object", "/data/invoiceId string", "/data/customerId string",
		"/data/customerName string", "/data/state string", "/data/previousState null", "/data/title string",
	}
	if diff := cmp.Diff(want, members(&doc, "")); diff != "" {
		t.Error(diff)
	}
}

// TestGivenFactsStandEverywhere gives each fact in turn and looks for it in
// every payload that carries it.
func TestGivenFactsStandEverywhere(t *testing.T) {
	c := pack(t)
	for _, f := range c.Facts {
		if slices.Contains([]string{"event", "state", "previousState"}, f.Name) {
			continue
		}
		marker := jsondoc.StringValue("given " + f.Name)
		for _, st := range c.States() {
			doc := generated(t, c, payment.Options{Start: c.Epoch, Facts: map[*contract.Fact]jsondoc.Value{f: marker}}, st)
			for _, field := range st.Fields() {
				if v := doc.At(field.Pointer); field.Fact == f && (v == nil || v.Text != marker.Text) {
					t.Errorf("%s: %s is %v", st, field.Path(), v)
				}
			}
		}
	}
}
