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

// BenchmarkWriter writes each state's payload, of another payment every time.
func BenchmarkWriter(b *testing.B) {
	c := pack(b)
	for _, st := range c.States() {
		b.Run(benchName(st), func(b *testing.B) {
			benchWriter(b, c, func(n uint64) (uint64, *contract.State) { return n, st }, nil)
		})
	}
}

// BenchmarkWriterAgain writes what has been drawn already: an event of a payment
// whose other events were written before.
func BenchmarkWriterAgain(b *testing.B) {
	c := pack(b)
	for _, st := range c.States() {
		b.Run(benchName(st), func(b *testing.B) {
			benchWriter(b, c, func(n uint64) (uint64, *contract.State) { return n % 16, st }, nil)
		})
	}
}

// BenchmarkWriterFlow writes the events of whole payments, as they are sent.
func BenchmarkWriterFlow(b *testing.B) { benchFlow(b, nil) }

// BenchmarkWriterSigned signs them too.
func BenchmarkWriterSigned(b *testing.B) {
	secret, err := signature.NewSecret([]byte("whsec-of-a-merchant"))
	if err != nil {
		b.Fatal(err)
	}
	benchFlow(b, signature.HMACHeader("X-Signature", "", signature.Hex).Signer(secret))
}

func benchFlow(b *testing.B, signer *signature.Signer) {
	c := pack(b)
	benchWriter(b, c, func(n uint64) (uint64, *contract.State) {
		events := uint64(len(c.Flow))
		return n / events, c.Flow[n%events]
	}, signer)
}

func benchWriter(b *testing.B, c *contract.Contract, event func(n uint64) (index uint64, st *contract.State), signer *signature.Signer) {
	w, dst, size := generate.NewWriter(c), []byte(nil), 0
	o := payment.Options{Seed: 7, Start: c.Epoch}
	write := func(n uint64) {
		index, st := event(n)
		o.Index = index
		var err error
		if dst, err = w.Append(dst[:0], o, st); err != nil {
			b.Fatal(err)
		}
		size = len(dst)
		if signer != nil {
			dst = signer.Append(dst, dst)
		}
	}
	for n := range uint64(1000) {
		write(n)
	}
	b.ReportAllocs()
	for n := uint64(0); b.Loop(); n++ {
		write(n)
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
