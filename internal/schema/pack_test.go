package schema_test

import (
	"io/fs"
	"path"
	"strconv"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
	"github.com/paytest/paytest/payloads"
)

// TestPackAgainstJudge takes each documented payload of the pack, spoils it at every place in every way, and holds the verdicts of its schema
// against the independent implementation.
func TestPackAgainstJudge(t *testing.T) {
	facts, err := fs.ReadFile(payloads.FS, "facts.json")
	if err != nil {
		t.Fatal(err)
	}
	states, err := fs.Glob(payloads.FS, "*/*.json")
	if err != nil || len(states) == 0 {
		t.Fatal(states, err)
	}
	for _, state := range states {
		if path.Dir(state) == contract.ConformFolder {
			continue
		}
		t.Run(state, func(t *testing.T) {
			raw, err := fs.ReadFile(payloads.FS, state)
			if err != nil {
				t.Fatal(err)
			}
			file := parse(t, string(raw))
			text := string(file.Member("schema").AppendLiteral(nil))
			compareMutants(t, text, string(facts), *file.Member("sample"))
		})
	}
}

func compareMutants(t *testing.T, raw, facts string, sample jsondoc.Value) {
	t.Helper()
	res := resources(t, raw, facts)
	ours, err := schema.NewCompiler(res, "source", "scope", "compare", "generate", "derived", "known").Compile("s.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := judged(map[string]string{"s.json": raw, "facts.json": facts})
	if err != nil {
		t.Fatal(err)
	}
	accepted, rejected := 0, 0
	for _, mutant := range mutants(t, sample) {
		found := ours.Validate(mutant)
		text := string(mutant.AppendLiteral(nil))
		if want := judgeAccepts(t, theirs, text); want != (found == nil) {
			t.Errorf("%s: judge accepts %t, we say %v", text, want, tell(found))
		}
		checkViolations(t, ours, res, mutant, found)
		if found == nil {
			accepted++
		} else {
			rejected++
		}
	}
	if accepted < 2 || rejected < 20 {
		t.Errorf("%d mutants accepted and %d rejected say too little", accepted, rejected)
	}
}

// mutants returns the sample and its neighbours by one edit.
func mutants(t *testing.T, sample jsondoc.Value) []jsondoc.Value {
	t.Helper()
	all := []jsondoc.Value{sample}
	change := func(apply func(v *jsondoc.Value) error) {
		v := sample.Clone()
		if err := apply(&v); err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	for _, p := range places(sample, nil) {
		for _, raw := range []string{`null`, `true`, `0`, `1.0`, `-1.5`, `""`, `"x"`, `"0"`, `"100.0000001"`, `"2024-02-30T00:00:00.000Z"`, `[]`, `{}`} {
			change(func(v *jsondoc.Value) error { return v.Set(p, parse(t, raw)) })
		}
		if len(p) > 0 {
			change(func(v *jsondoc.Value) error { return v.Remove(p) })
		}
		at := sample.At(p)
		if at.Kind == jsondoc.Object {
			change(func(v *jsondoc.Value) error { return v.Add(append(p, "undocumented"), jsondoc.NullValue()) })
		}
		if text := []rune(at.Text); at.Kind == jsondoc.String {
			change(func(v *jsondoc.Value) error { return v.Set(p, jsondoc.StringValue(at.Text+"0")) })
			change(func(v *jsondoc.Value) error { return v.Set(p, jsondoc.StringValue(string(text[:len(text)/2]))) })
		}
	}
	return all
}

func places(v jsondoc.Value, at jsondoc.Pointer) []jsondoc.Pointer {
	all := []jsondoc.Pointer{at}
	for i := range v.Items {
		all = append(all, places(v.Items[i], append(at[:len(at):len(at)], strconv.Itoa(i)))...)
	}
	for _, m := range v.Members {
		all = append(all, places(m.Value, append(at[:len(at):len(at)], m.Name))...)
	}
	return all
}
