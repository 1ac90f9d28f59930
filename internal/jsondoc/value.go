// Package jsondoc holds JSON documents as the bytes had them: members in document order, numbers as written. It parses strictly, edits by
// pointer, and writes the bytes ECMAScript would write.
package jsondoc

import "fmt"

// Kind is the JSON type of a Value.
type Kind uint8

// The six JSON types.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

// String returns the name JSON Schema uses for the type: "null", "boolean", "number", "string", "array" or "object".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "boolean"
	case Number:
		return "number"
	case String:
		return "string"
	case Array:
		return "array"
	case Object:
		return "object"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Value is one JSON value. Only the fields of its Kind are meaningful; the zero Value is null. A copied Value shares its items and members
// with the original: use Clone before editing a copy.
type Value struct {
	Kind    Kind
	Bool    bool
	Text    string   // decoded text of a String; literal as written of a Number
	Items   []Value  // of an Array
	Members []Member // of an Object, in document order; names are unique in a parsed document
}

// Member is one name and value of an object.
type Member struct {
	Name  string
	Value Value
}

// NullValue returns null.
func NullValue() Value { return Value{} }

// BoolValue returns true or false.
func BoolValue(b bool) Value { return Value{Kind: Bool, Bool: b} }

// StringValue returns a string. Bytes that are not UTF-8 are written as U+FFFD.
func StringValue(s string) Value { return Value{Kind: String, Text: s} }

// NumberValue returns a number kept as written. It errs when literal is not a JSON number.
func NumberValue(literal string) (Value, error) {
	if end, _, problem := scanNumber([]byte(literal), 0); problem != "" || end != len(literal) {
		return Value{}, fmt.Errorf("%.80q is not a JSON number: write it like 12, -0.5 or 1e9", literal)
	}
	return Value{Kind: Number, Text: literal}, nil
}

// ArrayValue returns an array of the given items.
func ArrayValue(items ...Value) Value { return Value{Kind: Array, Items: items} }

// ObjectValue returns an object of the given members, in that order. The names must differ.
func ObjectValue(members ...Member) Value { return Value{Kind: Object, Members: members} }

// Member returns the value under name, or nil when v is not an object or has no such member.
func (v *Value) Member(name string) *Value {
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i].Value
		}
	}
	return nil
}

// Clone returns a copy that shares nothing with v.
func (v Value) Clone() Value {
	if v.Items != nil {
		items := make([]Value, len(v.Items))
		for i := range v.Items {
			items[i] = v.Items[i].Clone()
		}
		v.Items = items
	}
	if v.Members != nil {
		members := make([]Member, len(v.Members))
		for i := range v.Members {
			members[i] = Member{Name: v.Members[i].Name, Value: v.Members[i].Value.Clone()}
		}
		v.Members = members
	}
	return v
}

// depth counts the containers on the longest way down: 0 for a scalar, 1 for [].
func (v *Value) depth() int {
	if v.Kind != Array && v.Kind != Object {
		return 0
	}
	deepest := 0
	for i := range v.Items {
		deepest = max(deepest, v.Items[i].depth())
	}
	for i := range v.Members {
		deepest = max(deepest, v.Members[i].Value.depth())
	}
	return deepest + 1
}
