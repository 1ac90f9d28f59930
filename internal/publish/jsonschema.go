package publish

import (
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
	"github.com/paytest/paytest/internal/schema"
)

// jsonSchema is one schema for all events: exactly one state's holds.
func jsonSchema(c *contract.Contract, _ Options) (jsondoc.Value, error) {
	l := newLibrary(c, "#/$defs/")
	for _, f := range c.Facts {
		l.wanted(f.Schema())
	}
	return object(
		text("$schema", schema.Dialect),
		text("$id", "urn:paytest:"+slug(c.Name)),
		text("title", c.Name),
		text("description", rules(c)),
		member("oneOf", each(c.States(), l.state)),
		member("$defs", object(l.all()...)),
	), nil
}
