package publish_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	judge "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

// published compiles the published schema with a validator that is not ours.
func published(t *testing.T, c *contract.Contract) *judge.Schema {
	t.Helper()
	doc, err := judge.UnmarshalJSON(bytes.NewReader(write(t, c, "jsonschema")))
	if err != nil {
		t.Fatal(err)
	}
	compiler := judge.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("https://contract.test/schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("https://contract.test/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// payloadsOf are the samples, and events of made-up payments, from each state that
// leads there.
func payloadsOf(t *testing.T, c *contract.Contract) []jsondoc.Value {
	t.Helper()
	var out []jsondoc.Value
	for _, st := range c.States() {
		out = append(out, st.Sample)
		for seed := range uint64(5) {
			for _, e := range st.From {
				p := payment.New(c, payment.Options{Seed: seed, Start: c.Epoch.Add(time.Hour), Toward: []*contract.State{st}})
				doc, err := generate.Payload(c, p, st, generate.Options{Previous: e.From})
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, doc)
			}
		}
	}
	return out
}

// places are the pointers to every value below the top.
func places(v jsondoc.Value, at jsondoc.Pointer) []jsondoc.Pointer {
	var out []jsondoc.Pointer
	for _, m := range v.Members {
		inner := append(slices.Clone(at), m.Name)
		out = append(append(out, inner), places(m.Value, inner)...)
	}
	return out
}

// mutants are copies of a payload with one value changed.
func mutants(v jsondoc.Value) map[string]jsondoc.Value {
	out := map[string]jsondoc.Value{}
	for _, at := range places(v, nil) {
		for name, to := range map[string]jsondoc.Value{
			"number": {Kind: jsondoc.Number, Text: "-0.5"}, "text": jsondoc.StringValue("~"), "null": {}, "list": jsondoc.ArrayValue(), "object": jsondoc.ObjectValue(),
		} {
			m := v.Clone()
			*m.At(at) = to
			out[at.String()+" "+name] = m
		}
		m := v.Clone()
		if err := m.Remove(at); err == nil {
			out[at.String()+" removed"] = m
		}
		extra := v.Clone()
		if err := extra.Add(append(slices.Clone(at[:len(at)-1]), "unheard-of"), jsondoc.BoolValue(true)); err == nil {
			out[at.String()+" beside another"] = extra
		}
	}
	return out
}

// judged is what this program says of a payload by itself, but for what no schema
// can say: that one fact is told twice, differently.
func judged(c *contract.Contract, raw []byte) bool {
	return !slices.ContainsFunc(verify.Payload(c, raw, "").Findings, func(f verify.Finding) bool {
		return f.Severity == verify.Violation && f.Code != verify.FactDisagreement
	})
}

// TestSchemaAgrees holds that the published schema accepts and refuses what this
// program does.
func TestSchemaAgrees(t *testing.T) {
	for _, c := range []*contract.Contract{load(t, payloads.FS), signed(t, `"scheme": "stripe"`)} {
		s := published(t, c)
		accepts := func(v jsondoc.Value) error {
			doc, err := judge.UnmarshalJSON(bytes.NewReader(v.AppendCanonical(nil)))
			if err != nil {
				t.Fatal(err)
			}
			return s.Validate(doc)
		}
		accepted, refused := 0, 0
		for _, v := range payloadsOf(t, c) {
			if err := accepts(v); err != nil {
				t.Fatalf("%s: %v", v.AppendCanonical(nil), err)
			}
			for what, m := range mutants(v) {
				raw := m.AppendCanonical(nil)
				err, ok := accepts(m), judged(c, raw)
				if (err == nil) != ok {
					t.Fatalf("%s: %s: the schema says %v, paytest %v", what, raw, err, fmt.Sprint(verify.Payload(c, raw, "").Findings))
				}
				if ok {
					accepted++
				} else {
					refused++
				}
			}
		}
		if accepted < 100 || refused < 1000 {
			t.Errorf("%d mutants accepted, %d refused", accepted, refused)
		}
		t.Logf("%s: %d mutants accepted, %d refused", c.Name, accepted, refused)
	}
}
