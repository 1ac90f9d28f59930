package config

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"unicode"
)

const envPrefix = "PAYTEST_"

func envName(at scope) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.', '-', ' ':
			return '_'
		}
		return unicode.ToUpper(r)
	}, envPrefix+at.String())
}

// readEnv takes a repeatable flag's values one per line, without empty lines. A
// variable that is empty sets nothing.
func (c *Config) readEnv(keys func() []Key, lookupEnv func(string) (string, bool)) (layer, error) {
	found := layer{}
	if len(c.named) == 0 {
		return found, nil
	}
	settings, err := c.catalog(keys)
	if err != nil {
		return nil, err
	}
	for at, s := range settings.settings {
		text, _ := lookupEnv(s.env)
		values := []string{text}
		if s.list {
			values = strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
		}
		if text != "" && len(values) > 0 {
			found[at] = Value{Values: values, Origin: "env " + s.env}
		}
	}
	return found, nil
}

// prefixed lists the variables that may be settings, sorted. Some systems take
// names in any case.
func prefixed(environ []string) []string {
	var names []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		if len(name) >= len(envPrefix) && strings.EqualFold(name[:len(envPrefix)], envPrefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// UserFilePath returns the path of the user's file:
// $XDG_CONFIG_HOME/paytest/paytest.yaml, else
// $HOME/.config/paytest/paytest.yaml; on Windows
// %AppData%\paytest\paytest.yaml. It returns "" if the environment names no
// folder. A relative folder counts as none (XDG Base Directory Specification).
func UserFilePath(lookupEnv func(string) (string, bool)) string {
	return userFilePath(runtime.GOOS, lookupEnv)
}

func userFilePath(goos string, lookupEnv func(string) (string, bool)) string {
	if goos == "windows" {
		if dir, _ := lookupEnv("AppData"); dir != "" {
			return dir + `\paytest\paytest.yaml`
		}
		return ""
	}
	if dir, _ := lookupEnv("XDG_CONFIG_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "paytest", "paytest.yaml")
	}
	if home, _ := lookupEnv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".config", "paytest", "paytest.yaml")
	}
	return ""
}
