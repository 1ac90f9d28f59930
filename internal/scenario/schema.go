package scenario

import (
	"bytes"
	_ "embed" // for the schema
)

//go:embed scenario.schema.json
var schemaJSON []byte //nolint:gochecknoglobals // go:embed needs a variable

// Schema returns the JSON Schema of scenario files, for editors.
func Schema() []byte { return bytes.Clone(schemaJSON) }
