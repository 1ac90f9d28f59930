package author

import (
	"embed"
	"io/fs"
)

// scaffold is the pack to start from.
//
//go:embed scaffold
var scaffold embed.FS

// Scaffold is a small pack that works as it is: to be written into a folder, and
// changed.
func Scaffold() (fs.FS, error) { return fs.Sub(scaffold, "scaffold") }
