package generate_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/signature"
)

// fresh is more payments than are remembered.
const fresh = 1 << 62

// BenchmarkWriter writes each state's payload, of another payment every time.
func BenchmarkWriter(b *testing.B) {
	c := pack(b)
	for _, st := range c.States() {
		b.Run(benchName(st), func(b *testing.B) { benchWriter(b, c, []*contract.State{st}, fresh, nil) })
	}
}

// BenchmarkWriterAgain writes what has been drawn already: an event of a payment
// whose other events were written before.
func BenchmarkWriterAgain(b *testing.B) {
	c := pack(b)
	for _, st := range c.States() {
		b.Run(benchName(st), func(b *testing.B) { benchWriter(b, c, []*contract.State{st}, 16, nil) })
	}
}

// BenchmarkWriterFlow writes the events of whole payments, as they are sent.
func BenchmarkWriterFlow(b *testing.B) {
	c := pack(b)
	benchWriter(b, c, c.Flow, fresh, nil)
}

// BenchmarkWriterSigned signs them too.
func BenchmarkWriterSigned(b *testing.B) {
	secret, err := signature.NewSecret([]byte("whsec-of-a-merchant"))
	if err != nil {
		b.Fatal(err)
	}
	c := pack(b)
	benchWriter(b, c, c.Flow, fresh, signature.HMACHeader("X-Signature", "", signature.Hex).Signer(secret))
}

// benchWriter writes the events of so many payments, a power of two, again and
// again.
func benchWriter(b *testing.B, c *contract.Contract, events []*contract.State, payments uint64, signer *signature.Signer) {
	w, dst, size, next := generate.NewWriter(c), []byte(nil), 0, 0
	o := payment.Options{Seed: 7, Start: c.Epoch}
	write := func() {
		var err error
		if dst, err = w.Append(dst[:0], o, events[next]); err != nil {
			b.Fatal(err)
		}
		size = len(dst)
		if signer != nil {
			dst = signer.Append(dst, dst)
		}
		if next++; next == len(events) {
			next, o.Index = 0, (o.Index+1)&(payments-1)
		}
	}
	for range 1000 {
		write()
	}
	b.ReportAllocs()
	for b.Loop() {
		write()
	}
	b.SetBytes(int64(size))
}

// BenchmarkStruct is the peer: encoding/json of a struct with the members of the
// payload. Its values are there already; nothing is drawn.
func BenchmarkStruct(b *testing.B) {
	c := pack(b)
	for _, st := range c.States() {
		b.Run(benchName(st), func(b *testing.B) {
			x, size := peer(b, c, st)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				if got, err := json.Marshal(x); err != nil || len(got) != size {
					b.Fatalf("%v: %s", err, got)
				}
			}
		})
	}
}

// BenchmarkEncoder is the peer without the copy that json.Marshal returns: an
// encoder into one buffer, which is used again.
func BenchmarkEncoder(b *testing.B) {
	c := pack(b)
	for _, st := range c.States() {
		b.Run(benchName(st), func(b *testing.B) {
			x, size := peer(b, c, st)
			var buf bytes.Buffer
			e := json.NewEncoder(&buf)
			e.SetEscapeHTML(false)
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				buf.Reset()
				if err := e.Encode(x); err != nil || buf.Len() != size+len("\n") {
					b.Fatalf("%v: %s", err, buf.Bytes())
				}
			}
		})
	}
}

// peer returns a struct that encoding/json writes as the payload of a state, and
// how long that is.
func peer(t testing.TB, c *contract.Contract, st *contract.State) (x any, size int) {
	t.Helper()
	doc := generated(t, c, payment.Options{Seed: 7, Start: c.Epoch}, st)
	want := doc.AppendCanonical(nil)
	v := reflect.New(structOf(&doc))
	if err := json.Unmarshal(want, v.Interface()); err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(v.Interface())
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v\ngot  %s\nwant %s", err, got, want)
	}
	return v.Interface(), len(want)
}

// structOf is the type a Go programmer would write down for a payload.
func structOf(doc *jsondoc.Value) reflect.Type {
	switch doc.Kind {
	case jsondoc.String:
		return reflect.TypeFor[string]()
	case jsondoc.Number:
		return reflect.TypeFor[int64]()
	case jsondoc.Bool:
		return reflect.TypeFor[bool]()
	case jsondoc.Null:
		return reflect.TypeFor[*string]()
	case jsondoc.Array, jsondoc.Object:
	}
	var fields []reflect.StructField
	for _, m := range doc.Members {
		fields = append(fields, reflect.StructField{
			Name: "F_" + m.Name, Type: structOf(&m.Value), Tag: reflect.StructTag(`json:"` + m.Name + `"`),
		})
	}
	return reflect.StructOf(fields)
}

func benchName(st *contract.State) string { return strings.ReplaceAll(st.String(), " ", "-") }
