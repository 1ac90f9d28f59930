package publish

import (
	"strconv"

	"github.com/paytest/paytest/internal/jsondoc"
)

// object is a JSON object of names and values by turns; put says what a value is.
func object(pairs ...any) *jsondoc.Value {
	o := &jsondoc.Value{Kind: jsondoc.Object}
	put(o, pairs...)
	return o
}

// put appends members, names and values by turns: a value is a text, a whole number
// or a *jsondoc.Value. A text that is empty and a nil are left out with their name.
func put(o *jsondoc.Value, pairs ...any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		if v := value(pairs[i+1]); v != nil && pairs[i+1] != "" {
			o.Members = append(o.Members, jsondoc.Member{Name: name, Value: *v})
		}
	}
}

func value(of any) *jsondoc.Value {
	switch x := of.(type) {
	case string:
		return str(x)
	case int:
		return num(x)
	case *jsondoc.Value: // nil, too
		return x
	}
	return nil
}

func str(s string) *jsondoc.Value { return &jsondoc.Value{Kind: jsondoc.String, Text: s} }

func num(n int) *jsondoc.Value {
	return &jsondoc.Value{Kind: jsondoc.Number, Text: strconv.Itoa(n)}
}

func yes() *jsondoc.Value { return &jsondoc.Value{Kind: jsondoc.Bool, Bool: true} }

func array(items ...*jsondoc.Value) *jsondoc.Value {
	out := &jsondoc.Value{Kind: jsondoc.Array}
	for _, v := range items {
		out.Items = append(out.Items, *v)
	}
	return out
}

// each is an array of what every item is made into.
func each[T any](items []T, of func(T) *jsondoc.Value) *jsondoc.Value {
	out := array()
	for _, x := range items {
		out.Items = append(out.Items, *of(x))
	}
	return out
}

// some is the same, and nil where there is no item.
func some[T any](items []T, of func(T) *jsondoc.Value) *jsondoc.Value {
	if len(items) == 0 {
		return nil
	}
	return each(items, of)
}

// ref points to another place of the same document.
func ref(to string) *jsondoc.Value { return object("$ref", to) }
