package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/tools/trust"
	"github.com/paytest/paytest/payloads"
)

// rule is what the pack's files say of one member, as the test itself reads them.
type rule struct {
	types           []string
	pattern, format string
	minLength       int
	minimum         bool
	enum, known     []any
	members         map[string]*rule
	required        []string
}

// ruling reads rules out of the pack with nothing but encoding/json.
type ruling struct{ facts map[string]any }

func (r ruling) read(node map[string]any) *rule {
	out := &rule{members: map[string]*rule{}}
	r.into(out, node)
	return out
}

func (r ruling) into(out *rule, node map[string]any) {
	if ref, ok := node["$ref"].(string); ok {
		fact, _ := r.facts[ref[strings.LastIndex(ref, "/")+1:]].(map[string]any)
		r.into(out, fact)
	}
	switch t := node["type"].(type) {
	case string:
		out.types = []string{t}
	case []any:
		out.types = texts(t)
	}
	text := func(name, old string) string {
		if s, ok := node[name].(string); ok {
			return s
		}
		return old
	}
	out.pattern, out.format = text("pattern", out.pattern), text("format", out.format)
	if n, ok := node["minLength"].(float64); ok {
		out.minLength = int(n)
	}
	if n, ok := node["minimum"].(float64); ok && n >= 0 {
		out.minimum = true
	}
	if list, ok := node["enum"].([]any); ok {
		out.enum = list
	}
	if list, ok := node["known"].([]any); ok {
		out.known = list
	}
	for name, member := range object(node["properties"]) {
		out.members[name] = r.read(object(member))
	}
	required, _ := node["required"].([]any)
	out.required = texts(required)
}

func texts(all []any) (out []string) {
	for _, x := range all {
		out = append(out, fmt.Sprint(x))
	}
	return out
}

func object(v any) map[string]any { m, _ := v.(map[string]any); return m }

func rules(t *testing.T, st *contract.State) *rule {
	t.Helper()
	load := func(name string) (out map[string]any) {
		raw, err := fs.ReadFile(payloads.FS, name)
		if err == nil {
			err = json.Unmarshal(raw, &out)
		}
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	facts := object(load("facts.json")["$defs"])
	return ruling{facts}.read(object(load(st.Subject.Name + "/" + st.Name + ".json")["schema"]))
}

func (r *rule) takes(kind string) bool {
	return slices.Contains(r.types, kind) || kind == "integer" && slices.Contains(r.types, "number")
}

// refuses reports whether a text of the right type is still wrong.
func (r *rule) refuses(text string) bool {
	uuid := regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	switch {
	case r.pattern != "" && !regexp.MustCompile(r.pattern).MatchString(text), len([]rune(text)) < r.minLength:
		return true
	case r.format == "uuid":
		return !uuid.MatchString(text)
	case r.format == "base58check":
		return !checksummed(text)
	}
	return false
}

// checksummed reads base58check by way of one big number.
func checksummed(text string) bool {
	n := new(big.Int)
	for _, r := range text {
		digit := strings.IndexRune("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz", r)
		if digit < 0 {
			return false
		}
		n.Add(n.Mul(n, big.NewInt(58)), big.NewInt(int64(digit)))
	}
	raw := append(make([]byte, len(text)-len(strings.TrimLeft(text, "1"))), n.Bytes()...)
	if len(raw) < 4 {
		return false
	}
	split := len(raw) - 4
	first := sha256.Sum256(raw[:split])
	second := sha256.Sum256(first[:])
	return bytes.Equal(second[:4], raw[split:])
}

// spoiled is a payload with one thing wrong, and what is to be said of it.
type spoiled struct {
	raw     []byte
	class   string
	code    Code
	pointer string
	// strict is set for what only a strict judge refuses.
	strict bool
}

// spoil returns every mutant of a payload that the rules refuse.
func spoil(t *testing.T, st *contract.State, r *rule, doc jsondoc.Value) []spoiled {
	t.Helper()
	var out []spoiled
	var walk func(r *rule, at jsondoc.Pointer)
	edit := func(class string, code Code, strict bool, pointer string, apply func(*jsondoc.Value) error) {
		v := doc.Clone()
		if err := apply(&v); err != nil {
			t.Fatal(err)
		}
		out = append(out, spoiled{v.AppendLiteral(nil), class, code, pointer, strict})
	}
	walk = func(r *rule, at jsondoc.Pointer) {
		set := func(class string, code Code, strict bool, x jsondoc.Value) {
			edit(class, code, strict, at.String(), func(v *jsondoc.Value) error {
				*v.At(at) = x
				return nil
			})
		}
		was := *doc.At(at)
		for kind, x := range everyKind() {
			if !r.takes(kind) {
				class := "mistyped"
				if kind == "null" {
					class = "null"
				}
				set(class, WrongType, false, x)
			}
		}
		if was.Kind == jsondoc.String {
			for _, x := range textsNear(was.Text) {
				if code, strict, wrong := r.wrong(at, x); wrong {
					set("out of form", code, strict, jsondoc.StringValue(x))
				}
			}
		}
		if was.Kind == jsondoc.Number && r.minimum {
			set("out of form", WrongValue, false, jsondoc.Value{Kind: jsondoc.Number, Text: "-1"})
		}
		for _, known := range r.known {
			if n, ok := known.(float64); ok {
				set("named value changed", UnknownValue, true, jsondoc.Value{Kind: jsondoc.Number, Text: fmt.Sprint(n + 5)})
			}
		}
		if was.Kind != jsondoc.Object {
			return
		}
		edit("extra", UnknownField, true, append(slices.Clone(at), "undocumented").String(), func(v *jsondoc.Value) error {
			return v.Add(append(slices.Clone(at), "undocumented"), jsondoc.NullValue())
		})
		for _, m := range was.Members {
			here := append(slices.Clone(at), m.Name)
			if slices.Contains(r.required, m.Name) {
				edit("removed", MissingField, false, here.String(), func(v *jsondoc.Value) error { return v.Remove(here) })
			}
			edit("key twice", DuplicateKey, false, here.String(), func(v *jsondoc.Value) error {
				parent := v.At(at)
				parent.Members = append(parent.Members, m)
				return nil
			})
			if r.members[m.Name] == nil {
				t.Fatalf("%s: the test found no rule of %s", st, here)
			}
			walk(r.members[m.Name], here)
		}
	}
	walk(r, nil)
	return out
}

// wrong says what is to be said of a text in the place of a good one.
func (r *rule) wrong(at jsondoc.Pointer, text string) (code Code, strict, wrong bool) {
	switch place := at.String(); {
	case place == "/event":
		return UnknownEvent, false, true
	case place == "/data/state":
		return UnknownState, false, true
	case place == "/data/previousState":
		return IllegalTransition, false, true
	case r.refuses(text), len(r.enum) > 0:
		return WrongValue, false, true
	case len(r.known) > 0:
		return UnknownValue, true, true
	}
	return "", false, false
}

func everyKind() map[string]jsondoc.Value {
	return map[string]jsondoc.Value{
		"null": jsondoc.NullValue(), "boolean": jsondoc.BoolValue(false), "integer": {Kind: jsondoc.Number, Text: "7"},
		"fraction": {Kind: jsondoc.Number, Text: "7.5"}, "string": jsondoc.StringValue("7"), "array": jsondoc.ArrayValue(), "object": jsondoc.ObjectValue(),
	}
}

// textsNear are a text's neighbours: one character more, less, or another.
func textsNear(text string) []string {
	runes := []rune(text)
	out := []string{"", text + "\n", text + "0", " " + text, text + "\x00", "-" + text, strings.ToUpper(text) + "_"}
	for i, r := range runes {
		other := r + 1
		if r == '9' || r == 'Z' || r == 'z' {
			other = r - 1
		}
		out = append(out, string(append(append(slices.Clone(runes[:i]), other), runes[i+1:]...)), string(append(slices.Clone(runes[:i]), runes[i+1:]...)))
	}
	out = slices.DeleteFunc(out, func(s string) bool { return s == text })
	slices.Sort(out)
	return slices.Compact(out)
}

// checking is the ways in which a payload is judged.
type checking struct {
	quick   func(c *contract.Contract, raw []byte, path string) (Verdict, bool)
	explain func(c *contract.Contract, raw []byte, path string) Verdict
}

// faults holds mutants against a way of judging, and returns the first that is
// judged wrongly.
func (x checking) faults(c *contract.Contract, k *Checker, path string, all []spoiled) string {
	before := k.Memory()
	for _, m := range all {
		long := x.explain(c, m.raw, path)
		f := slices.IndexFunc(long.Findings, func(f Finding) bool { return f.Code == m.code && f.Pointer == m.pointer })
		if f < 0 || !m.strict && long.OK() || m.strict != (long.Findings[f].Severity == Warning) {
			return fmt.Sprintf("%s: no %s at %q, but %+v\n%s", m.class, m.code, m.pointer, long.Findings, m.raw)
		}
		if short, ok := x.quick(c, m.raw, path); ok && (short.OK() != long.OK() || !cmp.Equal(short.Findings, long.Findings)) {
			return fmt.Sprintf("%s: accepted with %+v, explained with %+v\n%s", m.class, short.Findings, long.Findings, m.raw)
		}
		if v := k.Check(m.raw, path); v.OK() || k.Memory() != before {
			return fmt.Sprintf("%s: a strict checker takes or remembers it: %+v\n%s", m.class, v.Findings, m.raw)
		}
	}
	return ""
}

// everyMutant holds the mutants of payloads of every state against a way of
// judging.
func everyMutant(t *testing.T, x checking, seeds uint64) (classes map[string]int, wrong string) {
	t.Helper()
	c := builtin(t)
	k := newChecker(c, Strict{UnknownFields: true, UnknownValues: true}, 1<<10, 1<<20)
	classes = map[string]int{}
	first := trust.Seed(t)
	for _, st := range c.States() {
		r := rules(t, st)
		for seed := range seeds {
			doc, err := jsondoc.Parse(made(t, c, st, first+seed))
			if err != nil {
				t.Fatal(err)
			}
			all := spoil(t, st, r, doc)
			for _, m := range all {
				classes[m.class]++
			}
			if wrong = x.faults(c, k, st.Path, all); wrong != "" {
				return classes, fmt.Sprintf("%s: %s", st, wrong)
			}
		}
	}
	return classes, ""
}

// TestTrustEverySchemaMutant spoils payloads of every state in every place and
// way: each is refused, for the right reason and in the right place, by the long
// way, the short way and a checker, which remembers none of them.
func TestTrustEverySchemaMutant(t *testing.T) {
	classes, wrong := everyMutant(t, checking{accept, explain}, trust.Scale[uint64](1, 20, 400))
	if wrong != "" {
		t.Fatal(wrong)
	}
	for _, class := range []string{"removed", "mistyped", "null", "out of form", "named value changed", "key twice", "extra"} {
		if classes[class] == 0 {
			t.Errorf("there is no mutant of the class %q", class)
		}
		trust.Figure(t, class, classes[class])
	}
}

// TestTrustEverySchemaMutantCatches holds that the test above fails for judges that
// are wrong.
func TestTrustEverySchemaMutantCatches(t *testing.T) {
	rid := func(v Verdict, code Code) Verdict {
		v.Findings = slices.DeleteFunc(slices.Clone(v.Findings), func(f Finding) bool { return f.Code == code })
		return v
	}
	long := func(change func(Verdict) Verdict) checking {
		return checking{accept, func(c *contract.Contract, raw []byte, path string) Verdict { return change(explain(c, raw, path)) }}
	}
	for name, x := range map[string]checking{
		"misses a member that is missing": long(func(v Verdict) Verdict { return rid(v, MissingField) }),
		"misses a key that comes twice":   long(func(v Verdict) Verdict { return rid(v, DuplicateKey) }),
		"misses a member nobody knows":    long(func(v Verdict) Verdict { return rid(v, UnknownField) }),
		"says the place of the object": long(func(v Verdict) Verdict {
			v.Findings = slices.Clone(v.Findings)
			for i, f := range v.Findings {
				v.Findings[i].Pointer = f.Pointer[:max(0, strings.LastIndexByte(f.Pointer, '/'))]
			}
			return v
		}),
		"accepts null for everything": {explain: explain, quick: func(c *contract.Contract, raw []byte, path string) (Verdict, bool) {
			if bytes.Contains(raw, []byte(":null,")) && bytes.Contains(raw, []byte("Cancel")) {
				return Verdict{}, true
			}
			return accept(c, raw, path)
		}},
	} {
		if _, wrong := everyMutant(t, x, 1); wrong == "" {
			t.Errorf("a judge that %s is not caught", name)
		} else {
			trust.Caught(t, name)
		}
	}
}
