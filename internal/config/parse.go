package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// maxLocateBytes bounds what is parsed again to find the line of a fault.
const maxLocateBytes = 2 << 20

// parse returns the root of the only document, nil if there is none. The
// fault's path is for the caller to fill in.
func parse(data []byte) (*yaml.Node, *Error) {
	if len(data) > MaxFileBytes {
		return nil, &Error{Problem: fmt.Sprintf("the file is larger than %d bytes", MaxFileBytes)}
	}
	if !utf8.Valid(data) {
		return nil, &Error{Line: invalidLine(data), Problem: "the file is not UTF-8 text; save it as UTF-8"}
	}
	documents, err := decode(data)
	if err != nil {
		return nil, &Error{Line: faultLine(data), Problem: problem(err)}
	}
	if len(documents) == 0 {
		return nil, nil
	}
	if len(documents) > 1 {
		second := documents[1]
		return nil, &Error{Line: second.Line, Column: second.Column, Problem: "a second document begins here; keep one"}
	}
	return documents[0].Content[0], nil
}

// decode returns at most two documents. Parser v3.0.4 panics on some input
// (mikefarah/yq issue 2481), so a panic counts as a fault of the file.
func decode(data []byte) (documents []*yaml.Node, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the parser cannot read this")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	for len(documents) < 2 {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		documents = append(documents, &document)
	}
	return documents, nil
}

// faultLine returns the line after the longest run of whole lines that parses,
// or 0 if that is too much work: the parser's own line is missing on the first
// line, is one too low for some faults, and for others is where the enclosing
// mapping begins.
func faultLine(data []byte) int {
	lines := bytes.SplitAfter(data, []byte("\n"))
	if len(lines)*len(data) > maxLocateBytes {
		return 0
	}
	for n, end := len(lines)-1, len(data); n > 0; n-- {
		end -= len(lines[n])
		if _, err := decode(data[:end]); err == nil {
			return n + 1
		}
	}
	return 1
}

func invalidLine(data []byte) int {
	line := 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r == utf8.RuneError && size == 1 {
			break
		}
		if r == '\n' {
			line++
		}
		data = data[size:]
	}
	return line
}

// problem drops the parser's line, and the name of an alias: a value such as
// *secret is one to the parser.
func problem(err error) string {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		_, text, _ = strings.Cut(rest, ": ")
	}
	if strings.HasPrefix(text, "unknown anchor ") {
		text = "an alias (*) is not supported; write the value out, or quote it"
	}
	return "not valid YAML: " + text
}
