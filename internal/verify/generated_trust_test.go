package verify

import (
	"bytes"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	judge "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/payment"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/payloads"
)

// way is a state and one that leads there.
type way struct {
	st    *contract.State
	from  *contract.State
	judge *judge.Schema
}

func ways(t *testing.T, c *contract.Contract) []way {
	t.Helper()
	var out []way
	for _, st := range c.States() {
		j := judgeOf(t, st)
		for _, e := range st.From {
			out = append(out, way{st, e.From, j})
		}
	}
	return out
}

// judgeOf is the state's schema as another implementation reads it.
func judgeOf(t *testing.T, st *contract.State) *judge.Schema {
	t.Helper()
	k := judge.NewCompiler()
	k.DefaultDraft(judge.Draft2020)
	k.AssertFormat()
	k.RegisterFormat(&judge.Format{Name: "base58check", Validate: func(v any) error {
		if s, ok := v.(string); ok && !checksummed(s) {
			return fmt.Errorf("%q has no checksum", s)
		}
		return nil
	}})
	file, err := fs.ReadFile(payloads.FS, st.Subject.Name+"/"+st.Name+".json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsondoc.Parse(file)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := fs.ReadFile(payloads.FS, "facts.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"s.json": string(doc.Member("schema").AppendLiteral(nil)), "facts.json": string(facts)} {
		v, err := judge.UnmarshalJSON(strings.NewReader(text))
		if err == nil {
			err = k.AddResource("mem:///"+name, v)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	s, err := k.Compile("mem:///s.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// generated makes n payloads, each of another payment, and returns the first that
// is not accepted. The write may spoil what was generated.
func generated(t *testing.T, seed, n uint64, write func(raw []byte) []byte) (judged uint64, wrong string) {
	t.Helper()
	const each = 1000 // of them one is held against the other judges
	c := builtin(t)
	all := ways(t, c)
	k := NewChecker(c, Strict{Order: true, Duplicates: true, UnknownFields: true, UnknownValues: true})
	var next, others atomic.Uint64
	var found atomic.Pointer[string]
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			w, raw := generate.NewWriter(c), []byte(nil)
			for i := next.Add(1) - 1; i < n && found.Load() == nil; i = next.Add(1) - 1 {
				at := all[i%uint64(len(all))]
				o := payment.Options{Seed: seed, Index: i, Start: c.Epoch.Add(time.Duration(i) * time.Millisecond), Toward: []*contract.State{at.st}}
				var err error
				if raw, err = w.AppendFrom(raw[:0], o, at.st, at.from); err != nil {
					text := err.Error()
					found.CompareAndSwap(nil, &text)
					return
				}
				sent := bytes.Clone(write(raw))
				text := at.refused(k.Check(sent, at.st.Path))
				if text == "" && i/uint64(len(all))%each == 0 {
					others.Add(1)
					text = at.refusedByOthers(c, sent)
				}
				if text != "" {
					text = fmt.Sprintf("payload %d of seed %d, %s: %s\n%s", i, seed, at.st, text, sent)
					found.CompareAndSwap(nil, &text)
				}
			}
		})
	}
	workers.Wait()
	if text := found.Load(); text != nil {
		wrong = *text
	}
	return others.Load(), wrong
}

func (w way) refused(v Verdict) string {
	if !v.OK() || v.Duplicate || v.State != w.st || v.Edge == nil || v.Edge.From != w.from || v.ID == "" {
		return fmt.Sprintf("%+v", v.Findings)
	}
	for _, f := range v.Findings {
		if f.Code != Gap {
			return fmt.Sprintf("%+v", f)
		}
	}
	return ""
}

// refusedByOthers asks the long way, and another implementation of JSON and of
// JSON Schema.
func (w way) refusedByOthers(c *contract.Contract, raw []byte) string {
	if v := explain(c, raw, w.st.Path); len(v.Findings) > 0 {
		return fmt.Sprintf("the long way: %+v", v.Findings)
	}
	doc, err := judge.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = w.judge.Validate(doc)
	}
	if err != nil {
		return fmt.Sprintf("the other judge: %v", err)
	}
	return ""
}

// TestTrustEveryGeneratedPayload makes payloads of every state by every
// transition, each of another payment, and delivers all of them to one strict
// checker: none is refused, although the checker must forget most of them.
func TestTrustEveryGeneratedPayload(t *testing.T) {
	n := trust.Scale[uint64](20_000, 2_000_000, 10_000_000)
	judged, wrong := generated(t, trust.Seed(t), n, func(raw []byte) []byte { return raw })
	if wrong != "" {
		t.Error(wrong)
	}
	trust.Figure(t, "accepted", n)
	trust.Figure(t, "accepted by another judge too", judged)
}

// TestTrustEveryGeneratedPayloadCatches holds that the test above fails for a
// generator that is wrong now and then.
func TestTrustEveryGeneratedPayloadCatches(t *testing.T) {
	for name, write := range map[string]func([]byte) []byte{
		"writes an amount with a zero in front": func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(`"cryptoAmount":"1`), []byte(`"cryptoAmount":"01`), 1)
		},
		"writes one wrong address in many": func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(`"to":"TXa`), []byte(`"to":"TXb`), 1)
		},
		"uses an identity twice": func(raw []byte) []byte {
			at := bytes.Index(raw, []byte(`"invoiceId":"`)) + len(`"invoiceId":"`)
			copy(raw[at:], "00000000-0000-4000-8000-000000000000")
			return raw
		},
		"writes what nobody knows": func(raw []byte) []byte {
			return bytes.Replace(raw, []byte(`"data":{`), []byte(`"data":{"x":1,`), 1)
		},
	} {
		if _, wrong := generated(t, 1, 50_000, write); wrong == "" {
			t.Errorf("a generator that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
