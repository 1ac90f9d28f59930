package publish

import (
	"strconv"

	"github.com/paytest/paytest/internal/jsondoc"
)

// object is a JSON object of those members that are there.
func object(members ...jsondoc.Member) jsondoc.Value {
	out := jsondoc.Value{Kind: jsondoc.Object}
	for _, m := range members {
		if m.Name != "" {
			out.Members = append(out.Members, m)
		}
	}
	return out
}

func member(name string, v jsondoc.Value) jsondoc.Member { return jsondoc.Member{Name: name, Value: v} }

// when is a member that is there only when something holds.
func when(holds bool, name string, v jsondoc.Value) jsondoc.Member {
	if !holds {
		return jsondoc.Member{}
	}
	return member(name, v)
}

// text is a member that holds a text; it is not there when the text is empty.
func text(name, s string) jsondoc.Member { return when(s != "", name, str(s)) }

func str(s string) jsondoc.Value { return jsondoc.StringValue(s) }

func num(n int) jsondoc.Value { return jsondoc.Value{Kind: jsondoc.Number, Text: strconv.Itoa(n)} }

func yes() jsondoc.Value { return jsondoc.BoolValue(true) }

func array(items ...jsondoc.Value) jsondoc.Value {
	return jsondoc.Value{Kind: jsondoc.Array, Items: items}
}

// each is an array of what every item is made into.
func each[T any](items []T, of func(T) jsondoc.Value) jsondoc.Value {
	out := array()
	for _, x := range items {
		out.Items = append(out.Items, of(x))
	}
	return out
}

// ref points to another place of the same document.
func ref(to string) jsondoc.Value { return object(text("$ref", to)) }
