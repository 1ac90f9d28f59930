package verify_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/verify"
	"github.com/paytest/paytest/payloads"
)

// loose is the payments' contract, in which members may be absent that facts do not
// hang on.
func loose(t *testing.T) fs.FS {
	t.Helper()
	required := regexp.MustCompile(`"required": \[[^\]]*\]`)
	out := fstest.MapFS{}
	for _, folder := range []string{".", "invoice", "transaction"} {
		files, err := fs.Glob(payloads.FS, path.Join(folder, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		keep := []string{"event", "timestamp", "data", "state", "previousState", map[string]string{"invoice": "invoiceId", "transaction": "id"}[folder]}
		for _, name := range files {
			text, err := fs.ReadFile(payloads.FS, name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = &fstest.MapFile{Data: required.ReplaceAllFunc(text, func(list []byte) []byte {
				var kept []string
				for _, word := range keep {
					if bytes.Contains(list, []byte(`"`+word+`"`)) && (word != "id" || bytes.Contains(list, []byte(`"state"`))) {
						kept = append(kept, `"`+word+`"`)
					}
				}
				return []byte(`"required": [` + strings.Join(kept, ", ") + `]`)
			})}
		}
	}
	return out
}

// lot draws deliveries about few subjects, sound, spoiled or unusual, the same ones
// in every run.
type lot struct {
	t *testing.T
	c *contract.Contract
	r *rand.Rand
	// drop is how many more of 12 changes leave a field out that may be absent.
	drop int
}

func (l lot) draw() []byte {
	states := l.c.States()
	st := states[l.r.IntN(len(states))]
	seed := uint64(l.r.IntN(2))
	toward := [][]*contract.State{nil, nil, {states[l.r.IntN(len(states))]}}[l.r.IntN(3)]
	p := payment.New(l.c, payment.Options{Seed: seed, Start: l.c.Epoch, Toward: toward})
	doc, err := generate.Payload(l.c, p, st, generate.Options{Previous: st.From[l.r.IntN(len(st.From))].From, Force: true})
	if err != nil {
		l.t.Fatal(err)
	}
	doc = doc.Clone()
	other := payment.New(l.c, payment.Options{Seed: 7 + uint64(l.r.IntN(2)), Start: l.c.Epoch})
	for range max(0, l.r.IntN(5)-2) {
		l.change(&doc, st, other)
	}
	if l.r.IntN(3) == 0 {
		l.shift(&doc, st)
	}
	if l.r.IntN(15) == 0 {
		return doc.AppendIndent(nil, "  ")
	}
	return doc.AppendLiteral(nil)
}

// shift moves the event's own time.
func (l lot) shift(doc *jsondoc.Value, st *contract.State) {
	for _, f := range st.Fields() {
		if at := doc.At(f.Pointer); f.Fact.Scope == nil && f.Fact.Compare == contract.Time && at != nil {
			_ = doc.Set(f.Pointer, jsondoc.StringValue(payment.Shift(at.Text, time.Duration(l.r.IntN(40)-20)*time.Minute)))
		}
	}
}

// change spoils a field, or takes its value from another payment.
func (l lot) change(doc *jsondoc.Value, st *contract.State, other *payment.Payment) {
	f := st.Fields()[l.r.IntN(len(st.Fields()))]
	v := other.Fact(f.Fact, st)
	at := doc.At(f.Pointer)
	if at == nil {
		return
	}
	switch kind := l.r.IntN(12); {
	case kind == 0:
		v = jsondoc.NullValue()
	case kind == 1 || kind > 11-l.drop && !f.Required:
		_ = doc.Remove(f.Pointer)
		return
	case kind == 2 && at.Kind == jsondoc.String && f.Fact.Compare == contract.Decimal:
		v = jsondoc.StringValue(at.Text + "0")
	case kind == 3 && at.Kind == jsondoc.String:
		v = jsondoc.StringValue(strings.ToUpper(at.Text))
	case kind == 4 && at.Kind == jsondoc.String:
		v = jsondoc.StringValue(at.Text + strings.Repeat("x", 130))
	case kind == 5 && at.Kind == jsondoc.Number:
		v = jsondoc.Value{Kind: jsondoc.Number, Text: at.Text + ".0"}
	case kind <= 7 && f.Fact.Compare == contract.Time:
		v = jsondoc.StringValue(payment.Shift(at.Text, time.Duration(l.r.IntN(40)-20)*time.Minute))
	}
	_ = doc.Set(f.Pointer, v)
}

// appendShort writes how a verdict was found, and what kind of things it says.
func appendShort(out []byte, v verify.Verdict) []byte {
	if v.Quick() {
		out = append(out, "quick "...)
	}
	if v.State != nil {
		out = fmt.Appendf(out, "%s", v.State)
	}
	if v.Edge != nil {
		out = fmt.Appendf(out, " %s", v.Edge)
	}
	for _, f := range v.Findings {
		out = fmt.Appendf(out, ", %s", f.Code)
	}
	return append(out, '\n')
}

// TestDrawnHistories holds what is said of drawn histories, how it is found, and what
// is remembered, under contracts that demand one thing or another.
func TestDrawnHistories(t *testing.T) {
	const complete, created, sealed = "invoice/complete.json", "transaction/created.json", "box/sealed.json"
	first := `{"notBefore": ["timestamp", "completedAt"], "derived": "an event is not reported before it happens"},`
	shipment, box := os.DirFS("../contract/testdata/shipment"), os.DirFS("../contract/testdata/box")
	var out []byte
	for i, x := range []struct {
		name   string
		fs     fs.FS
		strict verify.Strict
		silent bool
		drop   int
		// limit is how many subjects are remembered, forgets whether deliveries are
		// forgotten before their subjects.
		limit   int
		forgets bool
	}{
		{"payments", payloads.FS, verify.Strict{}, false, 0, 100, false},
		{"payments", payloads.FS, verify.Strict{}, true, 0, 100, false},
		{"payments, order and duplicates", payloads.FS, verify.Strict{Order: true, Duplicates: true, Gaps: true}, false, 0, 100, false},
		{"payments, unknown fields and values", payloads.FS, verify.Strict{UnknownFields: true, UnknownValues: true}, true, 0, 100, false},
		{"shipments", shipment, verify.Strict{}, false, 0, 100, false},
		{"shipments", shipment, verify.Strict{}, true, 0, 100, false},
		{"shipments by their weight", verify.Edited(t, shipment, [3]string{"shipment/returned.json", `"reason": "weight"`, `"weight": "1.000"`}), verify.Strict{}, true, 0, 100, false},
		{"boxes", box, verify.Strict{}, false, 0, 100, false},
		{"boxes, never without a lid", verify.Edited(t, box, [3]string{sealed, `"when": {"size": "1.0"}, `, ""}, [3]string{"lid/lost.json", `"sample"`, `"relations": [{"never": "box/folded", "source": "x"}], "sample"`}), verify.Strict{}, true, 0, 100, false},
		{"an event's time before another", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"notBefore": ["completedAt", "timestamp"], "source": "x"},`}), verify.Strict{}, false, 0, 100, false},
		{"an event's time and no other", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"equal": ["completedAt", "timestamp"], "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"a name unlike the event", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"different": ["event", "customerName"], "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"by the state left", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"different": ["title", "customerName"], "when": {"previousState": "Pending"}, "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"by who pays", verify.Edited(t, payloads.FS, [3]string{created, `"derived": "an event`, `"when": {"customerId": "x"}, "derived": "an event`}), verify.Strict{}, false, 0, 100, false},
		{"payments with members left out", loose(t), verify.Strict{}, false, 8, 100, false},
		{"payments with members left out", loose(t), verify.Strict{}, true, 8, 100, false},
		{"payments with members left out", loose(t), verify.Strict{Order: true}, false, 8, 100, false},
		{"payments, with room for few", loose(t), verify.Strict{}, false, 3, 3, false},
		{"payments, with room for fewer", loose(t), verify.Strict{}, true, 3, 2, false},
		{"payments, with room for one", loose(t), verify.Strict{}, false, 3, 1, false},
		{"payments, forgotten before their subjects", loose(t), verify.Strict{}, false, 3, 100, true},
		{"shipments, forgotten before their subjects", shipment, verify.Strict{}, false, 0, 5, true},
		{"an amount unlike a name", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"different": ["customerName", "cryptoAmount"], "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"one asset unlike another", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"different": ["cashAssetId", "cryptoAssetId"], "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"the same asset", verify.Edited(t, payloads.FS, [3]string{complete, first, `{"equal": ["cashAssetId", "cryptoAssetId"], "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"what the event does not tell", verify.Edited(t, loose(t), [3]string{created, `"relations": [`, `"relations": [{"different": ["previousState", "customerName"], "source": "x"},`}), verify.Strict{}, false, 10, 100, false},
		{"an amount like a name", verify.Edited(t, payloads.FS, [3]string{"invoice/pending.json", `"relations": [`, `"relations": [{"equal": ["customerName", "cryptoAmount"], "when": {"previousState": "Wait"}, "source": "x"},`}), verify.Strict{}, true, 0, 100, false},
		{"what another subject tells", verify.Edited(t, payloads.FS, [3]string{"invoice/wait.json", `"relations": [`, `"relations": [{"different": ["receivedAmount", "cryptoAmount"], "source": "x"},`}), verify.Strict{}, false, 0, 100, false},
	} {
		c, err := contract.Load(x.fs)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		out = fmt.Appendf(out, "== %s, silent %t\n", x.name, x.silent)
		l := lot{t, c, rand.New(rand.NewPCG(uint64(i), 0)), x.drop}
		for range 14 {
			k := verify.NewLimitedChecker(c, x.strict, x.limit)
			var whole []byte
			for n := range 8 {
				if x.forgets && n%3 == 2 {
					k.Forget()
				}
				v := k.Check(l.draw(), "")
				if x.silent {
					k.Silence()
				}
				out = appendShort(out, v)
				whole = appendVerdict(whole, v)
			}
			all := k.Remembered()
			s := k.Summary()
			whole = append(whole, strings.Join(append(all, s.Gaps...), "\n")...)
			out = fmt.Appendf(out, "%s, %d gaps; in full %08x\n\n", all[len(all)-1], s.GapCount, crc32.ChecksumIEEE(whole))
		}
	}
	golden(t, "drawn.txt", out)
}
