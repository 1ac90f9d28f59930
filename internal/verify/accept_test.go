package verify

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/payloads"
)

func builtin(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func made(t testing.TB, c *contract.Contract, st *contract.State, seed uint64) []byte {
	t.Helper()
	doc, err := generate.Payload(c, payment.New(c, payment.Options{Seed: seed, Start: c.Epoch, Toward: []*contract.State{st}}), st, generate.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return doc.AppendCanonical(nil)
}

// sameVerdict holds the short way against the long one, which it may only save.
func sameVerdict(t testing.TB, c *contract.Contract, raw []byte, path string) (short bool) {
	t.Helper()
	got, ok := accept(c, raw, path)
	if !ok {
		return false
	}
	want := explain(c, raw, path)
	if got.Event != want.Event || got.State != want.State || got.Edge != want.Edge || got.Previous != want.Previous || got.ID != want.ID {
		t.Fatalf("%s\naccepted as %s %s %s, explained as %s %s %s", raw, got.State, got.Edge, got.ID, want.State, want.Edge, want.ID)
	}
	if diff := cmp.Diff(want.Findings, got.Findings); diff != "" {
		t.Fatalf("%s\nexplained -, accepted +\n%s", raw, diff)
	}
	if len(got.values) != len(want.values) {
		t.Fatalf("%s\naccepted with %d facts, explained with %d", raw, len(got.values), len(want.values))
	}
	for i, x := range got.values {
		if y := want.values[i]; x.field != y.field || !jsondoc.Equal(x.v, y.v) || x.v.Text != y.v.Text {
			t.Fatalf("%s\n%s is %q, and %q when explained", raw, x.field.Path(), x.v.Text, y.v.Text)
		}
	}
	return true
}

// TestAcceptIsUsed: every payload as the gateway sends it goes the short way.
func TestAcceptIsUsed(t *testing.T) {
	c := builtin(t)
	for _, st := range c.States() {
		for seed := range uint64(300) {
			if raw := made(t, c, st, seed); !sameVerdict(t, c, raw, st.Path) {
				t.Fatalf("the long way for %s", raw)
			}
		}
		sameVerdict(t, c, st.Sample.AppendCanonical(nil), "")
		if _, ok := accept(c, st.Sample.AppendCanonical(nil), "/elsewhere"); ok {
			t.Errorf("%s was accepted on a path of another event", st)
		}
	}
}

// TestAcceptOfDamaged: whatever was done to a payload, the verdict is that of the
// long way.
func TestAcceptOfDamaged(t *testing.T) {
	c, r := builtin(t), rand.New(rand.NewPCG(1, 2))
	const alphabet = `{}[]":,\ 0123456789.-eEtruefalsnPendigComplRjcWaK` + "\x00\x7f\xff\u00e9"
	for _, st := range c.States() {
		raw := made(t, c, st, 1)
		for range 3000 {
			damaged := append([]byte(nil), raw...)
			for range 1 + r.IntN(3) {
				i := r.IntN(len(damaged))
				switch r.IntN(3) {
				case 0:
					damaged[i] = alphabet[r.IntN(len(alphabet))]
				case 1:
					damaged = append(damaged[:i], damaged[i+1:]...)
				case 2:
					damaged = append(damaged[:i], append([]byte{alphabet[r.IntN(len(alphabet))]}, damaged[i:]...)...)
				}
			}
			sameVerdict(t, c, damaged, "")
		}
	}
}

func FuzzAccept(f *testing.F) {
	c := builtin(f)
	for _, st := range c.States() {
		f.Add(made(f, c, st, 1))
	}
	f.Fuzz(func(t *testing.T, raw []byte) { sameVerdict(t, c, raw, "") })
}
