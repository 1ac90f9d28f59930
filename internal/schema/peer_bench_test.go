package schema_test

import (
	"bytes"
	"io/fs"
	"path"
	"testing"

	judge "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

// BenchmarkSanthosh is the peer: it decodes the payload and validates it, base58check
// included, as BenchmarkAccept does.
func BenchmarkSanthosh(b *testing.B) {
	eachState(b, func(b *testing.B, st *contract.State, _ subject, raw []byte) {
		s := peer(b, st)
		for b.Loop() {
			doc, err := judge.UnmarshalJSON(bytes.NewReader(raw))
			if err != nil || s.Validate(doc) != nil {
				b.Fatal("refused")
			}
		}
	})
}

// peer compiles a state's schema with the independent implementation.
func peer(t testing.TB, st *contract.State) *judge.Schema {
	t.Helper()
	c := judge.NewCompiler()
	c.DefaultDraft(judge.Draft2020)
	c.AssertFormat()
	c.RegisterFormat(&judge.Format{Name: "base58check", Validate: base58check})
	for _, file := range []string{"facts.json", st.File} {
		raw, err := fs.ReadFile(payloads.FS, file)
		if err != nil {
			t.Fatal(err)
		}
		document, err := judge.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if state, ok := document.(map[string]any); ok && file == st.File {
			document = state["schema"]
		}
		if err := c.AddResource("mem:///"+path.Base(file), document); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile("mem:///" + path.Base(st.File))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
