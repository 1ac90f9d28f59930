package verify

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

// edited is a folder with some texts in its files replaced.
func edited(t *testing.T, from fs.FS, edits ...[3]string) fs.FS {
	t.Helper()
	out := fstest.MapFS{}
	err := fs.WalkDir(from, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, path)
		out[path] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range edits {
		was := string(out[x[0]].Data)
		if !strings.Contains(was, x[1]) {
			t.Fatalf("%s has no %s", x[0], x[1])
		}
		out[x[0]].Data = []byte(strings.Replace(was, x[1], x[2], 1))
	}
	return out
}

func boxes() fs.FS { return os.DirFS("../contract/testdata/box") }

// planText writes a plan out.
func planText(k *Checker, p *plan) string {
	at := func(i int) string {
		if i < 0 {
			return "-"
		}
		return p.st.Fields()[i].Path()
	}
	keeps := func(i int) string {
		if i < 0 {
			return "-"
		}
		return p.st.Fields()[p.kept[i].field].Path()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d, previous %s, plain %t, unusual %t\n", p.st, p.index, p.own, at(p.previous), p.plain, p.unusual)
	for kind, fields := range p.ids {
		for _, i := range fields {
			fmt.Fprintf(&b, "  %s is %s\n", k.c.Subjects[kind].Name, at(i))
		}
	}
	for _, m := range p.moves {
		fmt.Fprintf(&b, "  %s is %s\n", m.token, m.edge)
	}
	for _, x := range p.twins {
		fmt.Fprintf(&b, "  %s and %s are the same\n", at(x[0]), at(x[1]))
	}
	for _, n := range p.named {
		fmt.Fprintf(&b, "  %s is one of %s\n", at(n.field), n.tokens)
	}
	for i, x := range p.kept {
		fmt.Fprintf(&b, "  keeps %s, fact %s of %d, like %d", keeps(i), k.c.Facts[x.fact].Name, x.kind, x.like)
		for _, l := range x.known {
			fmt.Fprintf(&b, ", %s", l.token)
			if l.code != k.coder.of(k.c.Facts[x.fact], []byte(l.token)) || string(l.v.AppendLiteral(nil)) != l.token {
				fmt.Fprintf(&b, " with another code or value")
			}
		}
		fmt.Fprintf(&b, "%s\n", map[bool]string{true: ", a stamp"}[x.stamp])
	}
	for _, i := range p.spoken {
		fmt.Fprintf(&b, "  speaks %s\n", at(i))
	}
	for _, d := range p.demands {
		fmt.Fprintf(&b, "  demands %s", d.rel.Kind)
		if d.never >= 0 {
			fmt.Fprintf(&b, " %s", k.states[d.never])
		} else {
			fmt.Fprintf(&b, " %+v of %s, %+v of %s", d.a, keeps(d.a.field), d.b, keeps(d.b.field))
		}
		for i, w := range d.when {
			fmt.Fprintf(&b, ", when %s is %s", keeps(w.field), d.rel.When[i].Value.AppendLiteral(nil))
			if w.code != k.coder.of(d.rel.When[i].Fact, d.rel.When[i].Value.AppendLiteral(nil)) {
				fmt.Fprintf(&b, " by another code")
			}
		}
		b.WriteByte('\n')
	}
	for _, s := range p.stamps {
		fmt.Fprintf(&b, "  stamp %s, earliest %t\n", keeps(s.field), s.earliest)
	}
	for _, n := range p.nevers {
		fmt.Fprintf(&b, "  never %s\n", k.states[n])
	}
	return b.String()
}

// TestPlans holds what is known of each state's deliveries before one comes, for
// contracts that demand one thing or another.
func TestPlans(t *testing.T) {
	shipment, box := os.DirFS("../contract/testdata/shipment"), boxes()
	const returned, complete, created, sealed = "shipment/returned.json", "invoice/complete.json", "transaction/created.json", "box/sealed.json"
	when, first := `"reason": "weight"`, `{"notBefore": ["timestamp", "completedAt"], "derived": "an event is not reported before it happens"},`
	var out strings.Builder
	for _, x := range []struct {
		name, only string
		fs         fs.FS
	}{
		{"the payments", "", payloads.FS},
		{"the shipments", "", shipment},
		{"the boxes", "", box},
		{"a condition on an amount", "shipment returned", edited(t, shipment, [3]string{returned, when, `"weight": "1.000"`})},
		{"two conditions", "shipment returned", edited(t, shipment, [3]string{returned, when, `"reason": "weight", "carrier": "Hermes"`})},
		{"a condition on an identity", "shipment returned", edited(t, shipment, [3]string{returned, when, `"shipmentId": "00112233445566aa"`})},
		{"an equality of identities", "shipment returned", edited(t, shipment, [3]string{returned, `"scaleWeight",`, `"shipmentId",`}, [3]string{returned, `"weight"`, `"parcelId"`})},
		{"an equality with an identity", "shipment returned", edited(t, shipment, [3]string{returned, `"scaleWeight",`, `"carrier",`}, [3]string{returned, `"weight"`, `"parcelId"`})},
		{"a time after one of the same event", "invoice complete", edited(t, payloads.FS, [3]string{complete, first, `{"notBefore": ["completedAt", "timestamp"], "source": "x"},`})},
		{"an equality of times", "invoice complete", edited(t, payloads.FS, [3]string{complete, first, `{"equal": ["completedAt", "timestamp"], "source": "x"},`})},
		{"a difference of an amount and a name", "invoice complete", edited(t, payloads.FS, [3]string{complete, first, `{"different": ["customerName", "cryptoAmount"], "source": "x"},`})},
		{"an event's time and itself", "invoice complete", edited(t, payloads.FS, [3]string{complete, first, `{"notBefore": ["timestamp", "timestamp"], "source": "x"},`})},
		{"an event's own name", "invoice complete", edited(t, payloads.FS, [3]string{complete, first, `{"different": ["event", "customerName"], "source": "x"},`})},
		{"a condition on the event's own", "invoice complete", edited(t, payloads.FS, [3]string{complete, `"derived": "an invoice completes`, `"when": {"previousState": "Pending"}, "derived": "an invoice completes`})},
		{"a condition on the event's name", "invoice complete", edited(t, payloads.FS, [3]string{complete, `"derived": "an invoice completes`, `"when": {"event": "invoice.updated"}, "derived": "an invoice completes`})},
		{"only known by its size", "box sealed", edited(t, box, [3]string{sealed, `"when": {"size": "1.0"}, `, ""})},
		{"a condition on what is told twice", "transaction created", edited(t, payloads.FS, [3]string{created, `"derived": "an event`, `"when": {"customerId": "x"}, "derived": "an event`})},
		{"a condition on a number with a fraction", "invoice complete", edited(t, payloads.FS, [3]string{complete, `"derived": "an event`, `"when": {"cashAssetId": 1.0}, "derived": "an event`})},
		{"a condition on another one's identity", "invoice complete", edited(t, payloads.FS, [3]string{complete, `"derived": "an event`, `"when": {"transactionId": "x"}, "derived": "an event`})},
		{"an event's time told twice", "invoice complete", edited(t, payloads.FS, [3]string{complete, `#/$defs/completedAt`, `#/$defs/timestamp`})},
		{"many known values", "invoice complete", edited(t, payloads.FS, [3]string{complete, `{"$ref": "facts.json#/$defs/customerName"}`, `{"$ref": "facts.json#/$defs/customerName", "known": ["1", "2", null, "3", "4", "5", "6", "7", "8", "9", "10"]}`})},
	} {
		c, err := contract.Load(x.fs)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		k := NewChecker(c, Strict{})
		fmt.Fprintf(&out, "== %s\n", x.name)
		for i, st := range k.states {
			if x.only != "" && st.String() != x.only {
				continue
			}
			for line := range strings.Lines(planText(k, k.plan(i))) {
				if x.only == "" || line[0] != ' ' || !strings.Contains(out.String(), line) {
					out.WriteString(line)
				}
			}
		}
	}
	path := filepath.Join("testdata", "plans.txt")
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("%s (-kept +now):\n%s", path, diff)
	}
}
