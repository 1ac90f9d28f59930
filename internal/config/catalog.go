package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// ErrAmbiguous is returned for keys that one environment variable would set
// together, such as the flag listen-strict and the flag strict of listen.
var ErrAmbiguous = errors.New("ambiguous settings")

// scope is a place in a file: a flag under a command's name, or at the top if
// the command is "".
type scope struct{ command, flag string }

func (s scope) String() string {
	if s.command == "" {
		return s.flag
	}
	return s.command + "." + s.flag
}

type setting struct {
	env  string
	list bool
}

// layer is what one source says, as the user wrote it.
type layer map[scope]Value

// catalog is every place where a value may stand.
type catalog struct {
	commands map[string]bool
	settings map[scope]setting
	// flags are each command's own; under "" those that every command has.
	flags map[string][]string
	envs  map[string]scope
}

func newCatalog(keys []Key) (*catalog, error) {
	c := &catalog{
		commands: map[string]bool{},
		settings: make(map[scope]setting, 2*len(keys)),
		flags:    map[string][]string{},
		envs:     make(map[string]scope, 2*len(keys)),
	}
	for _, key := range keys {
		if key.Command != "" {
			c.commands[key.Command] = true
		}
	}
	for _, key := range keys {
		if err := c.add(key); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *catalog) add(key Key) error {
	commands := []string{key.Command}
	if key.Command == "" {
		commands = append(slices.Sorted(maps.Keys(c.commands)), "")
	}
	for _, command := range commands {
		c.flags[command] = append(c.flags[command], key.Flag)
		if err := c.allow(scope{command, key.Flag}, key.List); err != nil {
			return err
		}
	}
	return c.allow(scope{"", key.Flag}, key.List)
}

// allow makes a place legal; a list is allowed where all who share it take one.
func (c *catalog) allow(at scope, list bool) error {
	if known, ok := c.settings[at]; ok {
		c.settings[at] = setting{env: known.env, list: known.list && list}
		return nil
	}
	env := envName(at)
	if other, taken := c.envs[env]; taken {
		return fmt.Errorf("%w: %s would set both %s and %s; rename one of the flags", ErrAmbiguous, env, other, at)
	}
	c.envs[env] = at
	c.settings[at] = setting{env: env, list: list}
	return nil
}

// perCommand spells out what a layer says for each command's each flag, in the
// form viper merges.
func (c *catalog) perCommand(source layer) map[string]any {
	spelled := map[string]any{}
	if len(source) == 0 {
		return spelled
	}
	for command, flags := range c.flags {
		values := map[string]any{}
		for _, flag := range flags {
			if value, ok := source.find(command, flag); ok {
				values[flag] = value
			}
		}
		spelled[command] = values
	}
	return spelled
}

func (l layer) find(command, flag string) (Value, bool) {
	if value, ok := l[scope{command, flag}]; ok {
		return value, true
	}
	value, ok := l[scope{"", flag}]
	return value, ok
}

// names lists what may stand at the top of a file, or under a command.
func (c *catalog) names(command string) []string {
	var names []string
	for at := range c.settings {
		if at.command == command {
			names = append(names, at.flag)
		}
	}
	if command == "" {
		names = slices.AppendSeq(names, maps.Keys(c.commands))
	}
	return names
}
