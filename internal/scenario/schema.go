package scenario

import (
	"bytes"
	_ "embed" // for the schema
)

//go:embed scenario.schema.json
var schemaJSON []byte

// Schema returns the JSON Schema of scenario files, for editors.
func Schema() []byte { return bytes.Clone(schemaJSON) }
