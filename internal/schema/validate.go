package schema

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/paytest/paytest/internal/jsondoc"
)

// Violation is one place where a document breaks a schema.
type Violation struct {
	Pointer       jsondoc.Pointer // into the document; for a missing member, where it should be
	Keyword       string          // the violated keyword; "false" for the boolean schema
	Expected      string          // for people, bounded
	Got           string          // the JSON that was there, cut short if long, or "nothing"
	Resource      string
	SchemaPointer jsondoc.Pointer // where the violated keyword stands in Resource
}

// Validate returns every violation of the schema by v, nil when v is valid, in an order that depends only on both: a schema's own keywords
// before allOf, anyOf, oneOf, not and if, missing members before present ones, members in document order. A value of the wrong type gives
// one violation, and so does a violated anyOf, oneOf or not. The same schema at the same place reports once, however many ways lead there.
func (s *Schema) Validate(v jsondoc.Value) []Violation {
	w := walk{}
	w.judge(s, &v)
	return w.found
}

// verdict is what a schema says of a value.
type verdict uint8

const (
	valid verdict = iota
	invalid
	wrongType // invalid because of its type: nothing else about the value is worth saying
)

func (a verdict) and(b verdict) verdict { return max(a, b) }

// walk is one run over one document.
type walk struct {
	path  []step
	quiet int // >0 while branches are tried: verdicts only
	found []Violation
	memo  map[visit]outcome
}

// step is one token of the way to the value at hand; indexes become text only when a violation needs them.
type step struct {
	name  string
	index int // -1 for a member
}

func (s step) token() string {
	if s.index < 0 {
		return s.name
	}
	return strconv.Itoa(s.index)
}

type visit struct {
	schema *Schema
	value  *jsondoc.Value
}

type outcome struct {
	verdict  verdict
	reported bool
}

// judge evaluates s on v. Only a $ref lets many ways lead to one schema, so remembering its targets keeps the whole run polynomial.
func (w *walk) judge(s *Schema, v *jsondoc.Value) verdict {
	if s.Always != nil {
		return w.check(*s.Always, s, "false", v)
	}
	result := w.checkType(s, v)
	if result == valid && s.Ref != nil {
		result = w.judgeTarget(s.Ref, v)
	}
	if result == wrongType {
		return result
	}
	result = result.and(w.checkValue(s, v))
	switch v.Kind {
	case jsondoc.Number:
		result = result.and(w.checkNumber(s, v))
	case jsondoc.String:
		result = result.and(w.checkString(s, v))
	case jsondoc.Array:
		result = result.and(w.checkArray(s, v))
	case jsondoc.Object:
		result = result.and(w.checkObject(s, v))
	case jsondoc.Null, jsondoc.Bool:
	}
	return result.and(w.checkBranches(s, v))
}

func (w *walk) judgeTarget(s *Schema, v *jsondoc.Value) verdict {
	key := visit{s, v}
	if known, found := w.memo[key]; found && (known.verdict == valid || known.reported || w.quiet > 0) {
		return known.verdict
	}
	result := w.judge(s, v)
	if w.memo == nil {
		w.memo = map[visit]outcome{}
	}
	w.memo[key] = outcome{verdict: result, reported: w.quiet == 0}
	return result
}

// try is the verdict alone.
func (w *walk) try(s *Schema, v *jsondoc.Value) verdict {
	w.quiet++
	result := w.judge(s, v)
	w.quiet--
	return result
}

// check records a violation of keyword unless ok.
func (w *walk) check(ok bool, s *Schema, keyword string, v *jsondoc.Value) verdict {
	if ok {
		return valid
	}
	if w.quiet == 0 {
		w.record(s, keyword, expected(s, keyword), brief(v))
	}
	return invalid
}

func (w *walk) record(s *Schema, keyword, expected, got string) {
	at := make(jsondoc.Pointer, len(w.path))
	for i, step := range w.path {
		at[i] = step.token()
	}
	place := below(s.Pointer, keyword)
	if s.Always != nil {
		place = slices.Clone(s.Pointer)
	}
	w.found = append(w.found, Violation{
		Pointer: at, Keyword: keyword, Expected: expected, Got: got, Resource: s.Resource, SchemaPointer: place,
	})
}

// within judges a member or item of the value at hand.
func (w *walk) within(to step, s *Schema, v *jsondoc.Value) verdict {
	w.path = append(w.path, to)
	result := w.judge(s, v)
	w.path = w.path[:len(w.path)-1]
	return min(result, invalid)
}

func (w *walk) checkType(s *Schema, v *jsondoc.Value) verdict {
	if len(s.Types) == 0 || slices.ContainsFunc(s.Types, func(name string) bool { return hasType(v, name) }) {
		return valid
	}
	w.check(false, s, "type", v)
	return wrongType
}

func hasType(v *jsondoc.Value, name string) bool {
	if name == "integer" {
		return v.IsInteger()
	}
	return v.Kind.String() == name
}

func (w *walk) checkValue(s *Schema, v *jsondoc.Value) verdict {
	result := w.check(s.Const == nil || jsondoc.Equal(*s.Const, *v), s, "const", v)
	listed := s.Enum == nil || slices.ContainsFunc(s.Enum, func(one jsondoc.Value) bool { return jsondoc.Equal(one, *v) })
	return result.and(w.check(listed, s, "enum", v))
}

func (w *walk) checkNumber(s *Schema, v *jsondoc.Value) verdict {
	compare := func(limit *jsondoc.Value, sign int) int {
		if limit == nil {
			return 1
		}
		return sign * jsondoc.CompareNumbers(*v, *limit)
	}
	return w.check(compare(s.Minimum, 1) >= 0, s, "minimum", v).
		and(w.check(compare(s.Maximum, -1) >= 0, s, "maximum", v)).
		and(w.check(compare(s.ExclusiveMinimum, 1) > 0, s, "exclusiveMinimum", v)).
		and(w.check(compare(s.ExclusiveMaximum, -1) > 0, s, "exclusiveMaximum", v))
}

func (w *walk) checkString(s *Schema, v *jsondoc.Value) verdict {
	result := valid
	if s.MinLength != nil || s.MaxLength != nil {
		length := utf8.RuneCountInString(v.Text)
		result = w.check(s.MinLength == nil || length >= *s.MinLength, s, "minLength", v).
			and(w.check(s.MaxLength == nil || length <= *s.MaxLength, s, "maxLength", v))
	}
	return result.
		and(w.check(s.Pattern == nil || s.Pattern.MatchString(v.Text), s, "pattern", v)).
		and(w.check(s.Format == "" || judgeOf(s.Format)(v.Text), s, "format", v))
}

func (w *walk) checkArray(s *Schema, v *jsondoc.Value) verdict {
	result := w.check(s.MinItems == nil || len(v.Items) >= *s.MinItems, s, "minItems", v).
		and(w.check(s.MaxItems == nil || len(v.Items) <= *s.MaxItems, s, "maxItems", v))
	if s.Items == nil {
		return result
	}
	for i := range v.Items {
		result = result.and(w.within(step{index: i}, s.Items, &v.Items[i]))
	}
	return result
}

func (w *walk) checkObject(s *Schema, v *jsondoc.Value) verdict {
	result := w.checkRequired(s, v)
	if s.Properties == nil && s.AdditionalProperties == nil {
		return result
	}
	for i := range v.Members {
		m := &v.Members[i]
		if declared := s.declared(m.Name); declared != nil {
			result = result.and(w.within(step{name: m.Name, index: -1}, declared, &m.Value))
		} else if s.AdditionalProperties != nil {
			result = result.and(w.checkAdditional(s, m))
		}
	}
	return result
}

func (w *walk) checkRequired(s *Schema, v *jsondoc.Value) verdict {
	result := valid
	for _, name := range s.Required {
		if v.Member(name) != nil {
			continue
		}
		result = invalid
		if w.quiet == 0 {
			w.path = append(w.path, step{name: name, index: -1})
			w.record(s, "required", expectedMember(s, name), "nothing")
			w.path = w.path[:len(w.path)-1]
		}
	}
	return result
}

func (w *walk) checkAdditional(s *Schema, m *jsondoc.Member) verdict {
	to := step{name: m.Name, index: -1}
	if s.AdditionalProperties.Always == nil {
		return w.within(to, s.AdditionalProperties, &m.Value)
	}
	w.path = append(w.path, to)
	result := w.check(*s.AdditionalProperties.Always, s, "additionalProperties", &m.Value)
	w.path = w.path[:len(w.path)-1]
	return result
}

func (w *walk) checkBranches(s *Schema, v *jsondoc.Value) verdict {
	result := valid
	for _, branch := range s.AllOf {
		if result = result.and(w.judge(branch, v)); result == wrongType {
			return result
		}
	}
	if s.AnyOf != nil {
		accepts := slices.ContainsFunc(s.AnyOf, func(branch *Schema) bool { return w.try(branch, v) == valid })
		result = result.and(w.check(accepts, s, "anyOf", v))
	}
	if s.OneOf != nil {
		result = result.and(w.checkOneOf(s, v))
	}
	if s.Not != nil {
		result = result.and(w.check(w.try(s.Not, v) != valid, s, "not", v))
	}
	if s.If == nil {
		return result
	}
	chosen := s.Then
	if w.try(s.If, v) != valid {
		chosen = s.Else
	}
	if chosen == nil {
		return result
	}
	return result.and(w.judge(chosen, v))
}

func (w *walk) checkOneOf(s *Schema, v *jsondoc.Value) verdict {
	var accepting []int
	for i, branch := range s.OneOf {
		if w.try(branch, v) == valid {
			accepting = append(accepting, i)
		}
	}
	if len(accepting) == 1 {
		return valid
	}
	if w.quiet == 0 {
		w.record(s, "oneOf", expectedOneOf(s, accepting), brief(v))
	}
	return invalid
}
