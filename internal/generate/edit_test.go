package generate_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/generate"
	"github.com/paytest/paytest/internal/jsondoc"
)

func TestEdit(t *testing.T) {
	const doc = `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`
	for _, x := range []struct {
		kind       generate.EditKind
		expression string
		want       string // the document, or a part of the error
	}{
		{generate.Set, "a=1", `{"a":"1","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "a:=1", `{"a":1,"n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "a=", `{"a":"","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "a=b=c", `{"a":"b=c","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "a=null", `{"a":"null","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "n=8", `{"a":"x","n":8,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "n=eight", `{"a":"x","n":"eight","z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "n=null", `{"a":"x","n":"null","z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "z=7", `{"a":"x","n":7,"z":"7","o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, `n:="8"`, `{"a":"x","n":"8","z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "z=null", doc},
		{generate.Set, "o.b=z", `{"a":"x","n":7,"z":null,"o":{"b":"z","c.d":1},"l":[1,2]}`},
		{generate.Set, "/o/b=z", `{"a":"x","n":7,"z":null,"o":{"b":"z","c.d":1},"l":[1,2]}`},
		{generate.Set, `o.c\.d=2`, `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":2},"l":[1,2]}`},
		{generate.Set, "l.1=3", `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,3]}`},
		{generate.Set, "o:={}", `{"a":"x","n":7,"z":null,"o":{},"l":[1,2]}`},
		{generate.Set, "a=\xff", `{"a":"` + "\ufffd" + `","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Set, "q=1", `the document has no member "q" (--add adds it)`},
		{generate.Set, "o.bb=1", "did you mean o.b?"},
		{generate.Set, "l.2=1", "is not an index in it"},
		{generate.Set, "a.b=1", "is a string and has nothing inside it"},
		{generate.Set, "a", "it takes path=value, or path:=JSON"},
		{generate.Set, "=1", "empty path"},
		{generate.Set, "a..b=1", "has an empty part"},
		{generate.Set, "/a~2=1", "neither ~0"},
		{generate.Set, "a:=", "after := it takes JSON"},
		{generate.Set, "a:={", "after := it takes JSON"},
		{generate.Set, `a:={"x":1,"x":2}`, "appears twice"},
		{generate.Add, "q=1", `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2],"q":"1"}`},
		{generate.Add, "q.r:=1", `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2],"q":{"r":1}}`},
		{generate.Add, "l.-:=3", `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2,3]}`},
		{generate.Add, "n=8", `{"a":"x","n":8,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Add, "a.b=1", "is a string and has nothing inside it"},
		{generate.Add, "q:=" + strings.Repeat("[", 128) + strings.Repeat("]", 128), "deep"},
		{generate.Remove, "a", `{"n":7,"z":null,"o":{"b":"y","c.d":1},"l":[1,2]}`},
		{generate.Remove, "o.b", `{"a":"x","n":7,"z":null,"o":{"c.d":1},"l":[1,2]}`},
		{generate.Remove, "l.0", `{"a":"x","n":7,"z":null,"o":{"b":"y","c.d":1},"l":[2]}`},
		{generate.Remove, "b", `--remove "b": `},
		{generate.Remove, "", "empty path"},
		{generate.Remove, "l.x", "is not an index in it"},
	} {
		t.Run(string(x.kind)+" "+x.expression[:min(len(x.expression), 20)], func(t *testing.T) {
			v, err := jsondoc.Parse([]byte(doc))
			if err != nil {
				t.Fatal(err)
			}
			err = generate.Edit{Kind: x.kind, Expression: x.expression}.Apply(&v)
			got := string(v.AppendCanonical(nil))
			switch {
			case x.want[0] == '{' && (err != nil || got != x.want):
				t.Errorf("%v\ngot  %s\nwant %s", err, got, x.want)
			case x.want[0] != '{' && (err == nil || !strings.Contains(err.Error(), x.want)):
				t.Errorf("error %v, want %q", err, x.want)
			case err != nil && got != doc:
				t.Errorf("refused, and yet changed to %s", got)
			}
		})
	}
}

// FuzzEdit applies what users type: it is refused and nothing is changed, or
// the result is a document, and a second time changes nothing more.
func FuzzEdit(f *testing.F) {
	for _, x := range []string{
		"data.state=Fail", "/data/state=Fail", "data.a:=[1,2]", "data.Asset.id=1", `a\.b=1`, "data.balance=null", "l.-:=1", "=", ":=", "a:=", "/=1", "/~1/~0=x",
		"data.state", "data..state=1", "data.blockNum=1e400", "\xff=1", "a=\xff", strings.Repeat("a.", 127) + "a:=[]",
	} {
		for _, kind := range []byte("sar") {
			f.Add(kind, x)
		}
	}
	c := pack(f)
	base := c.Subject("transaction").State("created").Sample
	f.Fuzz(func(t *testing.T, kind byte, expression string) {
		e := generate.Edit{Kind: map[byte]generate.EditKind{'a': generate.Add, 'r': generate.Remove}[kind], Expression: expression}
		if e.Kind == "" {
			e.Kind = generate.Set
		}
		doc := base.Clone()
		before := doc.AppendLiteral(nil)
		err := e.Apply(&doc)
		after := doc.AppendLiteral(nil)
		if err != nil {
			if !bytes.Equal(before, after) || err.Error() == "" {
				t.Errorf("refused with %v, and yet changed to %s", err, after)
			}
			return
		}
		for _, raw := range [][]byte{after, doc.AppendCanonical(nil)} {
			if _, err := jsondoc.Parse(raw); err != nil {
				t.Fatalf("%s %q gives no JSON: %v\n%s", e.Kind, expression, err, raw)
			}
		}
		if e.Kind == generate.Set {
			if err := e.Apply(&doc); err != nil || !bytes.Equal(after, doc.AppendLiteral(nil)) {
				t.Errorf("%q again: %v\n%s\n%s", expression, err, after, doc.AppendLiteral(nil))
			}
		}
	})
}
