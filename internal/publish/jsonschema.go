package publish

import (
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// jsonSchema is one schema for all events: exactly one state's holds.
func jsonSchema(c *contract.Contract, _ Options) (*jsondoc.Value, error) {
	l := newLibrary(c, "#/$defs/")
	for _, f := range c.Facts {
		l.wanted(f.Schema())
	}
	return object(
		"$schema", schema.Dialect,
		"$id", "urn:paytest:"+slug(c.Name),
		"title", c.Name,
		"description", rules(c),
		"oneOf", each(c.States(), l.state),
		"$defs", l.all(),
	), nil
}
