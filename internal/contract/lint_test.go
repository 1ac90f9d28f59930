package contract_test

import (
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
)

// TestLint holds that every problem of a stage is told, and none that only follows
// from another.
func TestLint(t *testing.T) {
	both := func(changes ...func(*testing.T, fstest.MapFS)) func(*testing.T, fstest.MapFS) {
		return func(t *testing.T, pack fstest.MapFS) {
			for _, change := range changes {
				change(t, pack)
			}
		}
	}
	for _, test := range []struct {
		name  string
		spoil func(*testing.T, fstest.MapFS)
		want  []string // where
	}{
		{"nothing", both(), nil},
		{"no files", func(_ *testing.T, p fstest.MapFS) { clear(p) }, []string{"contract.json"}},
		{"no JSON", write("contract.json", "{"), []string{"contract.json"}},
		{"no subjects", both(replace("contract.json", `"subjects"`, `"subject"`), write("box/odd.json", "{")), []string{"contract.json/subject", "contract.json/subjects"}},
		{
			"reading", both(
				replace("contract.json", `"timeout": "2s"`, `"timeout": "soon"`),
				replace("facts.json", `{"pick": ["red", "blue"]}`, `{"pick": []}`), // a later stage
				write("box/odd.json", `{"evnt": 1}`), write("lid/odd.json", "{"), write("notes.json", "{}"),
			),
			[]string{"contract.json/delivery/timeout", "notes.json", "box/odd.json/evnt", "lid/odd.json"},
		},
		{
			"linking", both(
				replace("facts.json", `{"pick": ["red", "blue"]}`, `{"pick": []}`),
				relation(`{"equal": ["colour", "color"], "source": "manual"}`),
				replace("contract.json", `"flow"`, `"roles": {"states": {}, "facts": {}}, "flow"`),
			),
			[]string{"box/sealed.json/relations/0/equal/1", "facts.json/$defs/colour/generate/pick", "contract.json/roles"},
		},
		{
			"reading, after a part that the rest does not need", both(
				replace("contract.json", `"name": "boxes and their lids"`, `"name": 1`),
				replace("contract.json", `"timeout": "2s"`, `"timeout": "soon"`),
			),
			[]string{"contract.json/name", "contract.json/delivery/timeout"},
		},
		{
			"reading, and not what is wrong with a schema", both(
				replace("contract.json", `"timeout": "2s"`, `"timeout": "soon"`),
				replace("box/folded.json", `"type": "object"`, `"type": "objec"`),
			),
			[]string{"contract.json/delivery/timeout"},
		},
		{
			"schemas, and not what is wrong with a relation", both(
				replace("box/folded.json", `"type": "object"`, `"type": "objec"`),
				relation(`{"equal": ["colour", "color"], "source": "manual"}`),
			),
			[]string{"box/folded.json/schema/type"},
		},
		{
			"linking, and not which fact needs itself, or where no path leads", both(
				relation(`{"equal": ["colour", "color"], "source": "manual"}`),
				replace("facts.json", `{"pick": ["red", "blue"]}`, `{"same": {"as": "colour"}}`),
				replace("box/folded.json", `"state": "flat"`, `"state": "sealed"`),
			),
			[]string{"box/sealed.json/relations/0/equal/1"},
		},
		{"what needs itself", replace("facts.json", `{"pick": ["red", "blue"]}`, `{"same": {"as": "colour"}}`), []string{"facts.json/$defs/colour/generate"}},
		{
			"samples", both(
				replace("box/sealed.json", `"state": "Sealed", "was"`, `"state": "sealed", "was"`),
				replace("lid/lost.json", `"state": "Lost", "lidId"`, `"state": "lost", "lidId"`),
			),
			[]string{"box/sealed.json/sample/state", "lid/lost.json/sample/state"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			pack := boxes(t)
			test.spoil(t, pack)
			c, problems := contract.Lint(pack)
			var where []string
			for _, p := range problems {
				le, ok := p.(*contract.LoadError) //nolint:errorlint // it is not wrapped
				if !ok {
					t.Fatalf("%v", p)
				}
				where = append(where, le.File+le.Pointer.String())
			}
			if diff := cmp.Diff(test.want, where); diff != "" || (c == nil) != (problems != nil) {
				t.Errorf("%v %s", problems, diff)
			}
			_, err := contract.Load(pack)
			if len(problems) > 0 && (err == nil || err.Error() != problems[0].Error()) {
				t.Errorf("Load: %v", err)
			}
		})
	}
}
