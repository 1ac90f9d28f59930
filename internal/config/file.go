package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/paytest/paytest/internal/suggest"
)

// MaxFileBytes is the size above which a file is refused.
const MaxFileBytes = 1 << 20

// Error is a fault in a file.
type Error struct {
	// Path is the file's path as it was given.
	Path string
	// Line and Column count from 1; 0 is unknown.
	Line, Column int
	// Problem says what is wrong and what to do. It shows names, never values.
	Problem string
}

func (e *Error) Error() string {
	where := e.Path
	for _, number := range []int{e.Line, e.Column} {
		if number > 0 {
			where += ":" + strconv.Itoa(number)
		}
	}
	return where + ": " + e.Problem
}

func (c *Config) readFile(keys func() []Key, src Sources, path string, mustExist bool) (layer, error) {
	if path == "" {
		return nil, nil
	}
	data, err := src.ReadFile(path)
	// A HOME of /dev/null gives ENOTDIR.
	if !mustExist && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the configuration file %s: %w", path, err)
	}
	settings, err := c.catalog(keys)
	if err != nil {
		return nil, err
	}
	f := file{path: path, settings: settings, values: layer{}, lines: map[scope]int{}}
	if err := f.read(data); err != nil {
		return nil, err
	}
	return f.values, nil
}

type file struct {
	path     string
	settings *catalog
	values   layer
	lines    map[scope]int
}

func (f *file) read(data []byte) error {
	root, fault := parse(data)
	if fault != nil {
		fault.Path = f.path
		return fault
	}
	if root == nil || isNull(root) {
		return nil
	}
	if root.Kind != yaml.MappingNode {
		return f.fault(root, "the file must hold settings, one a line, such as timeout: 5s")
	}
	if err := f.plain(root); err != nil {
		return err
	}
	return f.section("", root)
}

// section reads the settings of one command, or of the top of the file. A
// command with nothing under it is no fault: its settings may be comments.
func (f *file) section(command string, node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if err := f.entry(command, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (f *file) entry(command string, name, value *yaml.Node) error {
	if err := f.plain(name); err != nil {
		return err
	}
	if name.Kind != yaml.ScalarNode {
		return f.fault(name, "a setting's name must be a single word")
	}
	if err := f.plain(value); err != nil {
		return err
	}
	at := scope{command, name.Value}
	if first, ok := f.lines[at]; ok {
		return f.fault(name, "%s is set twice, the first time on line %d; keep one", quote(name.Value), first)
	}
	s, isFlag := f.settings.settings[at]
	isCommand := command == "" && f.settings.commands[name.Value]
	switch {
	case isCommand && (value.Kind == yaml.MappingNode || isNull(value) && !isFlag):
		f.lines[at] = name.Line
		return f.section(name.Value, value)
	case isFlag:
		f.lines[at] = name.Line
		return f.set(at, s, name, value)
	case isCommand:
		return f.fault(name, "%s is a command: write its settings under it, indented", quote(name.Value))
	}
	return f.unknown(command, name)
}

func (f *file) set(at scope, s setting, name, value *yaml.Node) error {
	if value.Kind == yaml.MappingNode {
		return f.fault(name, "%s takes a value, not a group of settings", quote(at.flag))
	}
	items := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		if !s.list {
			return f.fault(name, "%s takes one value, not a list", quote(at.flag))
		}
		items = value.Content
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		text, err := f.text(name, item)
		if err != nil {
			return err
		}
		texts = append(texts, text)
	}
	f.values[at] = Value{Values: texts, Origin: f.path + ":" + strconv.Itoa(name.Line)}
	return nil
}

// text returns the literal text, so that no YAML type changes it. A value that
// is not there is reported at its name: the parser places it lines later.
func (f *file) text(name, node *yaml.Node) (string, error) {
	if err := f.plain(node); err != nil {
		return "", err
	}
	if node.Kind != yaml.ScalarNode {
		return "", f.fault(node, "each value of %s must be a text", quote(name.Value))
	}
	if isNull(node) {
		return "", f.fault(name, `%s has no value; write one ("" for an empty text) or remove it`, quote(name.Value))
	}
	return node.Value, nil
}

// plain refuses what makes a file mean more than it shows.
func (f *file) plain(node *yaml.Node) error {
	switch {
	case node.Kind == yaml.AliasNode:
		return f.fault(node, "an alias (*) is not supported; write the value out, or quote it")
	case node.Anchor != "":
		return f.fault(node, "an anchor (&) is not supported; remove it, or quote the value")
	case node.Style&yaml.TaggedStyle != 0:
		return f.fault(node, "a tag (!) is not supported; remove it, or quote the value")
	}
	return nil
}

func (f *file) unknown(command string, name *yaml.Node) error {
	hint := suggest.DidYouMean(name.Value, f.settings.names(command))
	if command == "" {
		return f.fault(name, "unknown setting %s%s", quote(name.Value), hint)
	}
	return f.fault(name, "unknown setting %s of %s%s", quote(name.Value), command, hint)
}

func (f *file) fault(node *yaml.Node, format string, args ...any) error {
	return &Error{Path: f.path, Line: node.Line, Column: node.Column, Problem: fmt.Sprintf(format, args...)}
}

func isNull(node *yaml.Node) bool {
	return node.Kind == yaml.ScalarNode && node.ShortTag() == "!!null"
}

func quote(name string) string {
	const most = 40
	if runes := []rune(name); len(runes) > most {
		name = string(runes[:most]) + "…"
	}
	return strconv.Quote(name)
}
