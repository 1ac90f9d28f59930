package jsondoc_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/paytest/paytest/internal/jsondoc"
)

func TestParsePath(t *testing.T) {
	for _, test := range []struct {
		path string
		want jsondoc.Pointer
	}{
		{"data.transaction.id", jsondoc.Pointer{"data", "transaction", "id"}},
		{"/data/transaction/id", jsondoc.Pointer{"data", "transaction", "id"}},
		{"a.0.b", jsondoc.Pointer{"a", "0", "b"}},
		{`a\.b.c\\`, jsondoc.Pointer{"a.b", `c\`}},
		{"/", jsondoc.Pointer{""}},
		{"/a//b", jsondoc.Pointer{"a", "", "b"}},
		{"/a~1b~0c~01", jsondoc.Pointer{"a/b~c~1"}},
		{"a/b", jsondoc.Pointer{"a/b"}},
		{"-", jsondoc.Pointer{"-"}},
		{"", nil},
		{".", nil},
		{"a.", nil},
		{".a", nil},
		{"a..b", nil},
		{`a\`, nil},
		{`a\b`, nil},
		{"/a~2", nil},
		{"/a~", nil},
		{"a\xff", nil},
		{"/a\xff", nil},
		{strings.Repeat("a.", jsondoc.MaxDepth) + "a", nil},
		{strings.Repeat("/a", jsondoc.MaxDepth+1), nil},
	} {
		got, err := jsondoc.ParsePath(test.path)
		if (err == nil) != (test.want != nil) || !slices.Equal(got, test.want) {
			t.Errorf("ParsePath(%q) = %q, %v; want %q", test.path, got, err, test.want)
		}
	}
}

func TestParsePointerRefusesPath(t *testing.T) {
	if p, err := jsondoc.ParsePointer("a"); err == nil {
		t.Errorf("accepted as %q", p)
	}
	if p, err := jsondoc.ParsePointer(""); err != nil || len(p) != 0 {
		t.Errorf("%q, %v; want the whole document", p, err)
	}
}

const sample = `{"data":{"id":"x","items":[1,{"b":2}]},"state":"pending"}`

func TestEdits(t *testing.T) {
	one := jsondoc.StringValue("N")
	for _, test := range []struct{ edit, path, want, prefix, members string }{
		{"set", "/data/id", `{"data":{"id":"N","items":[1,{"b":2}]},"state":"pending"}`, "", ""},
		{"set", "/data/items/1/b", `{"data":{"id":"x","items":[1,{"b":"N"}]},"state":"pending"}`, "", ""},
		{"set", "", `"N"`, "", ""},
		{"set", "/data/nope", "", "/data", "id,items"},
		{"set", "/data/id/deep", "", "/data/id", ""},
		{"set", "/data/items/2", "", "/data/items", ""},
		{"set", "/data/items/01", "", "/data/items", ""},
		{"set", "/data/items/-", "", "/data/items", ""},
		{"set", "/nope/a/b", "", "", "data,state"},
		{"add", "/data/id", `{"data":{"id":"N","items":[1,{"b":2}]},"state":"pending"}`, "", ""},
		{"add", "/data/new/deep/er", `{"data":{"id":"x","items":[1,{"b":2}],"new":{"deep":{"er":"N"}}},"state":"pending"}`, "", ""},
		{"add", "/data/items/2", `{"data":{"id":"x","items":[1,{"b":2},"N"]},"state":"pending"}`, "", ""},
		{"add", "/data/items/-/c", `{"data":{"id":"x","items":[1,{"b":2},{"c":"N"}]},"state":"pending"}`, "", ""},
		{"add", "/data/items/0", `{"data":{"id":"x","items":["N",{"b":2}]},"state":"pending"}`, "", ""},
		{"add", "/data/items/3", "", "/data/items", ""},
		{"add", "/state/a", "", "/state", ""},
		{"remove", "/data/items/0", `{"data":{"id":"x","items":[{"b":2}]},"state":"pending"}`, "", ""},
		{"remove", "/data", `{"state":"pending"}`, "", ""},
		{"remove", "/data/nope", "", "/data", "id,items"},
		{"remove", "/data/items/-", "", "/data/items", ""},
		{"remove", "/nope/a", "", "", "data,state"},
		{"remove", "/state/a", "", "/state", ""},
		{"remove", "", "", "", ""},
	} {
		v := parse(t, sample)
		p, err := jsondoc.ParsePointer(test.path)
		if err != nil {
			t.Fatal(err)
		}
		err = edit(&v, test.edit, p, one)
		var refused *jsondoc.PathError
		if test.want == "" {
			if !errors.As(err, &refused) || refused.Prefix.String() != test.prefix || strings.Join(refused.Members, ",") != test.members {
				t.Errorf("%s %s: %#v; want prefix %q, members %q", test.edit, test.path, err, test.prefix, test.members)
			}
			test.want = sample
		} else if err != nil {
			t.Errorf("%s %s: %v", test.edit, test.path, err)
		}
		if got := string(v.AppendLiteral(nil)); got != test.want {
			t.Errorf("%s %s: %s, want %s", test.edit, test.path, got, test.want)
		}
	}
}

func edit(v *jsondoc.Value, how string, p jsondoc.Pointer, nv jsondoc.Value) error {
	switch how {
	case "set":
		return v.Set(p, nv)
	case "add":
		return v.Add(p, nv)
	}
	return v.Remove(p)
}

func TestEditsKeepDepth(t *testing.T) {
	deep := parse(t, strings.Repeat("[", jsondoc.MaxDepth)+strings.Repeat("]", jsondoc.MaxDepth))
	v := parse(t, `{"a":1}`)
	if err := v.Set(jsondoc.Pointer{"a"}, deep); err == nil {
		t.Error("Set went beyond MaxDepth")
	}
	if err := v.Add(jsondoc.Pointer{"b"}, deep); err == nil {
		t.Error("Add went beyond MaxDepth")
	}
	if err := v.Set(nil, deep); err != nil {
		t.Error(err)
	}
}

// TestEditsLeaveCopiesAlone: adding and removing in a copied Value must not show in the original, nor in another copy.
func TestEditsLeaveCopiesAlone(t *testing.T) {
	original := parse(t, `{"a":1,"b":[1,2,3],"c":3}`)
	first, second, third := original, original, original
	for _, err := range []error{
		first.Add(jsondoc.Pointer{"x"}, jsondoc.NullValue()),
		second.Add(jsondoc.Pointer{"y"}, jsondoc.NullValue()),
		third.Remove(jsondoc.Pointer{"a"}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for v, want := range map[*jsondoc.Value]string{
		&original: `{"a":1,"b":[1,2,3],"c":3}`, &first: `{"a":1,"b":[1,2,3],"c":3,"x":null}`,
		&second: `{"a":1,"b":[1,2,3],"c":3,"y":null}`, &third: `{"b":[1,2,3],"c":3}`,
	} {
		if got := string(v.AppendLiteral(nil)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestCloneSharesNothing(t *testing.T) {
	original := parse(t, sample)
	cloned := original.Clone()
	if err := cloned.Set(jsondoc.Pointer{"data", "items", "1", "b"}, jsondoc.NullValue()); err != nil {
		t.Fatal(err)
	}
	if got := string(original.AppendLiteral(nil)); got != sample {
		t.Errorf("the original became %s", got)
	}
}

func TestPathRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := jsondoc.Pointer(rapid.SliceOfN(rapid.String(), 1, 6).Draw(t, "tokens"))
		got, err := jsondoc.ParsePath(p.String())
		if err != nil || !slices.Equal(got, p) {
			t.Fatalf("%q by its pointer %q: %q, %v", p, p.String(), got, err)
		}
		if slices.Contains(p, "") || p[0][0] == '/' {
			return
		}
		var escaped []string
		for _, token := range p {
			escaped = append(escaped, strings.NewReplacer(`\`, `\\`, ".", `\.`).Replace(token))
		}
		dotted := strings.Join(escaped, ".")
		if got, err := jsondoc.ParsePath(dotted); err != nil || !slices.Equal(got, p) {
			t.Fatalf("%q by its path %q: %q, %v", p, dotted, got, err)
		}
	})
}

// FuzzEdit holds the edits to their laws: what was set is there, what was removed is one less, what was refused changes nothing.
func FuzzEdit(f *testing.F) {
	for _, path := range []string{"data.id", "/data/items/-", "/data/items/1/b", "data.items.2.x", "/", `a\.b`, "state.x", "/data/items/00"} {
		f.Add(sample, path)
	}
	f.Add(`[]`, "/0/-/0")
	f.Fuzz(func(t *testing.T, raw, path string) {
		p, err := jsondoc.ParsePath(path)
		v, parseErr := jsondoc.Parse([]byte(raw))
		if err != nil || parseErr != nil {
			return
		}
		if again, err := jsondoc.ParsePath(p.String()); err != nil || !slices.Equal(again, p) {
			t.Fatalf("path %q: pointer %q reads back as %q, %v", path, p.String(), again, err)
		}
		mark := jsondoc.StringValue("mark")
		for _, how := range []string{"set", "add", "remove"} {
			checkEdit(t, v, how, p, mark)
		}
	})
}

func checkEdit(t *testing.T, v jsondoc.Value, how string, p jsondoc.Pointer, mark jsondoc.Value) {
	t.Helper()
	edited := v.Clone()
	existed := v.At(p) != nil
	err := edit(&edited, how, p, mark)
	if how != "add" && existed != (err == nil) {
		t.Fatalf("%s %q: existed %t, error %v", how, p, existed, err)
	}
	if err != nil {
		if !reflect.DeepEqual(v, edited) {
			t.Fatalf("%s %q failed and changed the document", how, p)
		}
		return
	}
	if found := edited.At(p); how != "remove" && !slices.Contains(p, "-") && (found == nil || found.Text != "mark") {
		t.Fatalf("%s %q: %v is there", how, p, found)
	}
	if _, err := jsondoc.Parse(edited.AppendLiteral(nil)); err != nil {
		t.Fatalf("%s %q: the result is %v", how, p, err)
	}
}
