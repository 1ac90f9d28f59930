package conform

import (
	"slices"
	"strings"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// mistake is a value of a wrong type in place of another.
type mistake struct {
	what string
	of   func(v jsondoc.Value) jsondoc.Value
}

// wrongValues are types that a value has not. A number in place of an amount is
// a case of its own, and text in place of a number can be read only one way.
func wrongValues(v jsondoc.Value) []mistake {
	list := mistake{"in a list", func(v jsondoc.Value) jsondoc.Value { return jsondoc.ArrayValue(v) }}
	object := mistake{"in an object", func(v jsondoc.Value) jsondoc.Value {
		return jsondoc.ObjectValue(jsondoc.Member{Name: "value", Value: v})
	}}
	yes := mistake{"true", func(jsondoc.Value) jsondoc.Value { return jsondoc.BoolValue(true) }}
	switch v.Kind {
	case jsondoc.Null:
		return []mistake{list, object, yes}
	case jsondoc.Object:
		return []mistake{list, yes}
	default:
		return []mistake{object, yes}
	}
}

// retyped gives the member at a place a value of a wrong type.
func retyped(name string, at jsondoc.Pointer, wrong mistake) edit {
	return func(e *event) {
		called(name + " " + wrong.what)(e)
		if v := e.doc.At(at); v != nil {
			put(at, wrong.of(*v))(e)
		}
	}
}

// retypedFacts gives facts values of a wrong type, wherever they stand.
func retypedFacts(facts []*contract.Fact, wrong mistake) edit {
	return func(e *event) {
		called(namesOf(facts) + " " + wrong.what)(e)
		for _, field := range e.state.Fields() {
			if v := e.doc.At(field.Pointer); v != nil && slices.Contains(facts, field.Fact) {
				put(field.Pointer, wrong.of(*v))(e)
			}
		}
	}
}

func namesOf(facts []*contract.Fact) string {
	names := make([]string, len(facts))
	for i, f := range facts {
		names[i] = f.Name
	}
	return strings.Join(names, " and ")
}

// decidingFacts are the facts of which an endpoint must make sense before it
// credits a payment, in groups of which it needs all: which payment it is, how
// much, in what, and for whom, if it is known to keep accounts.
func (t *trial) decidingFacts() [][]*contract.Fact {
	r, unit := t.s.roles, t.s.learned.unit
	assets := slices.DeleteFunc([]*contract.Fact{r.Asset, r.CashAsset}, func(f *contract.Fact) bool {
		return f == nil || f == r.Asset && unit == r.Cash && unit != nil || f == r.CashAsset && unit == r.Price
	})
	amounts := t.amountFacts()
	if unit != nil {
		amounts = []*contract.Fact{unit}
	}
	out := [][]*contract.Fact{t.payer(), amounts}
	if len(assets) > 0 {
		out = append(out, assets)
	}
	if r.Customer != nil && t.s.learned.tellsBalance {
		out = append(out, []*contract.Fact{r.Customer})
	}
	return out
}
