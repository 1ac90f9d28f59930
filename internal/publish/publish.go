// Package publish writes a contract in the forms that other programs read:
// OpenAPI, AsyncAPI, JSON Schema, a Postman collection and requests for an editor.
// Whatever the contract says stands in each of them, in the form's own words where
// it has them and else in members that start with x-.
package publish

import (
	"fmt"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/jsondoc"
)

// Format is a form in which a contract is published.
type Format struct {
	Name string
	// Meaning says in a few words what it is.
	Meaning string

	write func(*contract.Contract, Options) ([]byte, error)
}

// Options say what the contract itself does not.
type Options struct {
	// Endpoint is where requests go unless their reader says otherwise: an http or
	// https URL without a path.
	Endpoint string
}

// Formats lists the formats.
func Formats() []Format {
	return []Format{
		{"openapi", "an OpenAPI 3.1 description with webhooks", document(openAPI)},
		{"asyncapi", "an AsyncAPI 3.0 description", document(asyncAPI)},
		{"jsonschema", "one JSON Schema 2020-12 that every payload satisfies", document(jsonSchema)},
		{"postman", "a Postman collection v2.1 that signs its requests", document(postman)},
		{"http", "requests for an editor: JetBrains and httpYac", requests},
	}
}

// Names lists the formats' names.
func Names() []string {
	var out []string
	for _, f := range Formats() {
		out = append(out, f.Name)
	}
	return out
}

// Write returns the contract in a format, by its name: the same bytes for the same
// contract and options, with a newline at their end.
func Write(c *contract.Contract, format string, o Options) ([]byte, error) {
	for _, f := range Formats() {
		if f.Name == format {
			return f.write(c, o)
		}
	}
	return nil, fmt.Errorf("there is no format %.40q", format)
}

// document writes a format that is a JSON document.
func document(of func(*contract.Contract, Options) (*jsondoc.Value, error)) func(*contract.Contract, Options) ([]byte, error) {
	return func(c *contract.Contract, o Options) ([]byte, error) {
		v, err := of(c, o)
		if err != nil {
			return nil, err
		}
		return append(v.AppendIndent(nil, "  "), '\n'), nil
	}
}
