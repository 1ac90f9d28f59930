// Package config finds values for the flags a user did not give: in the
// environment, in the project's file, in the user's file, in this order. The
// legal settings are the program's flags, handed over by the caller.
//
// At the top of a file a flag's name sets it for every command that has it;
// under a command's name it sets it for that command only. The environment does
// the same with PAYTEST_TIMEOUT and PAYTEST_LISTEN_TIMEOUT. Within one source
// the command's own value wins; between sources the higher source wins, however
// general. A repeatable flag's list replaces the lower sources' list.
package config

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// keyDelimiter is neither in flag names nor in command names.
const keyDelimiter = "::"

// Key is a flag that may be set from outside the command line.
type Key struct {
	// Command is the command's path without the program's name, such as
	// "listen"; "" is a flag that every command has.
	Command string
	// Flag is the flag's long name without dashes.
	Flag string
	// List says that the flag may be repeated.
	List bool
}

// Sources are where values come from.
type Sources struct {
	// LookupEnv is os.LookupEnv; nil is an empty environment.
	LookupEnv func(name string) (string, bool)
	// Environ lists the same environment as NAME=value, as os.Environ does.
	Environ []string
	// ReadFile is os.ReadFile, or one that stops after MaxFileBytes+1.
	ReadFile func(path string) ([]byte, error)
	// ProjectFile and UserFile are paths, printed as they are; "" is none.
	// A file that does not exist sets nothing.
	ProjectFile, UserFile string
	// Explicit says that the user named ProjectFile, so it must exist.
	Explicit bool
}

// Value is what a source says about one flag.
type Value struct {
	// Values has one element for a plain flag and any number, even none, for a
	// repeatable one; each is the text the user wrote.
	Values []string
	// Origin is "env NAME" or "path:line".
	Origin string
}

// Config is the values of all sources together.
type Config struct {
	merged   *viper.Viper // nil when no source says anything
	settings *catalog     // nil when nobody had to know what settings there are
	named    []string     // variables of the environment with paytest's prefix
}

// Load reads every source; it asks for the keys only when one of them says
// something. A file that breaks the rules gives an *Error, which tells where; two
// keys that share one environment variable give ErrAmbiguous; a file that cannot
// be read gives ReadFile's error. No error shows a value.
func Load(keys func() []Key, src Sources) (*Config, error) {
	c := &Config{}
	if src.LookupEnv != nil {
		c.named = prefixed(src.Environ)
	}
	user, err := c.readFile(keys, src, src.UserFile, false)
	if err != nil {
		return nil, err
	}
	project, err := c.readFile(keys, src, src.ProjectFile, src.Explicit)
	if err != nil {
		return nil, err
	}
	env, err := c.readEnv(keys, src.LookupEnv)
	if err != nil || len(user)+len(project)+len(env) == 0 {
		return c, err
	}
	c.merged = viper.NewWithOptions(viper.KeyDelimiter(keyDelimiter))
	for _, source := range []layer{user, project, env} {
		if err := c.merged.MergeConfigMap(c.settings.perCommand(source)); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// catalog makes the catalog once.
func (c *Config) catalog(keys func() []Key) (*catalog, error) {
	if c.settings != nil {
		return c.settings, nil
	}
	settings, err := newCatalog(keys())
	if err == nil {
		c.settings = settings
	}
	return settings, err
}

// Lookup returns the value of a command's flag and true, or false if no source
// sets it. A command without keys of its own has the flags every command has.
func (c *Config) Lookup(command, flag string) (Value, bool) {
	if c.merged == nil {
		return Value{}, false
	}
	if !c.settings.commands[command] {
		command = ""
	}
	value, ok := c.merged.Get(command + keyDelimiter + flag).(Value)
	value.Values = slices.Clone(value.Values)
	return value, ok
}

// Envs returns the names of the environment's variables that set flags, if anything
// is set at all.
func (c *Config) Envs() []string {
	if c.settings == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(c.settings.envs))
}

// UnknownEnv returns the sorted names of the environment's variables that have
// paytest's prefix and set no flag. The caller may know them: the program has
// variables that are not flags.
func (c *Config) UnknownEnv() []string {
	return slices.DeleteFunc(slices.Clone(c.named), func(name string) bool {
		_, known := c.settings.envs[name]
		return known || !strings.HasPrefix(name, envPrefix)
	})
}
