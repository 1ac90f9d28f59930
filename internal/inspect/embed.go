package inspect

import (
	"embed"
	"io/fs"
	"path"
)

// pageFiles is the page: plain files, served as they are.
//
//go:embed page
var pageFiles embed.FS

// asset is one file of the page.
type asset struct {
	media string
	data  []byte
}

// assets returns the files of the page by their place under it; the page itself
// is at the empty one.
func assets() map[string]asset {
	out := map[string]asset{}
	_ = fs.WalkDir(pageFiles, "page", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := pageFiles.ReadFile(name)
		out[name[len("page/"):]] = asset{mediaType(name), data}
		return err
	})
	out[""] = out["index.html"]
	return out
}

// mediaType does not ask the machine, whose tables differ.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	}
	return "application/octet-stream"
}
