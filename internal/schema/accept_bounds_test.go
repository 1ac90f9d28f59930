package schema_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
)

// wide is a schema of an object with some members.
func wide(members int, each string) string {
	var all []string
	for i := range members {
		all = append(all, fmt.Sprintf(`"p%d":%s`, i, each))
	}
	return `{"type":"object","properties":{` + strings.Join(all, ",") + `}}`
}

// TestAcceptorsAreBounded finds out how large and how deep a schema may be.
func TestAcceptorsAreBounded(t *testing.T) {
	accepts := func(raw string) bool {
		_, ok := compile(t, raw).Acceptor(nil, nil)
		return ok
	}
	// One, 49 by twenty, and so many more as are left.
	thousand := func(rest int) string {
		return strings.TrimSuffix(wide(49, wide(19, "true")), "}}") + `,"rest":` + wide(rest, "true") + `}}`
	}
	if !accepts(thousand(18)) || accepts(thousand(19)) {
		t.Errorf("1000 values: %t, 1001: %t", accepts(thousand(18)), accepts(thousand(19)))
	}
	deep := func(levels int) string {
		var defs []string
		for i := range levels {
			defs = append(defs, fmt.Sprintf(`"a%d":{"type":"array","items":{"$ref":"#/$defs/a%d"}}`, i+1, i))
		}
		return fmt.Sprintf(`{"$ref":"#/$defs/a%d","$defs":{"a0":{"type":"null"},%s}}`, levels, strings.Join(defs, ","))
	}
	if most := jsondoc.MaxDepth - 1; !accepts(deep(most)) || accepts(deep(most+1)) {
		t.Errorf("%d arrays: %t, one more: %t", most, accepts(deep(most)), accepts(deep(most+1)))
	}
}
