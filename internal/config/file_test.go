package config_test

import (
	"errors"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/paytest/paytest/internal/config"
)

func loadFile(text string) (*config.Config, error) {
	f := files{"paytest.yaml": text}
	return config.Load(keys, config.Sources{ReadFile: f.read, ProjectFile: "paytest.yaml"})
}

func wantFault(t *testing.T, text, want string) {
	t.Helper()
	_, err := loadFile(text)
	var fault *config.Error
	if !errors.As(err, &fault) {
		t.Fatalf("%.80q: error %v, want a *config.Error: %s", text, err, want)
	}
	if got := fault.Error(); got != want {
		t.Errorf("%.80q:\ngot  %s\nwant %s", text, got, want)
	}
}

const (
	noAlias  = "an alias (*) is not supported; write the value out, or quote it"
	noAnchor = "an anchor (&) is not supported; remove it, or quote the value"
	noTag    = "a tag (!) is not supported; remove it, or quote the value"
	noValue  = `write one ("" for an empty text) or remove it`
)

func TestFaults(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"mistyped", "to: x\n\n\ntmeout: 5s\n", `paytest.yaml:4:1: unknown setting "tmeout"; did you mean timeout?`},
		{"mistyped command", "lisen:\n  strict: order\n", `paytest.yaml:1:1: unknown setting "lisen"; did you mean listen?`},
		{"mistyped under a command", "listen:\n  strcit: order\n", `paytest.yaml:2:3: unknown setting "strcit" of listen; did you mean strict?`},
		{"another command's flag", "listen:\n  to: x\n", `paytest.yaml:2:3: unknown setting "to" of listen`},
		{"other case", "TO: x\n", `paytest.yaml:1:1: unknown setting "TO"; did you mean to?`},
		{"nothing near", "xyzzy: 1\n", `paytest.yaml:1:1: unknown setting "xyzzy"`},
		{"command in a command", "listen:\n  send:\n    to: x\n", `paytest.yaml:2:3: unknown setting "send" of listen`},
		{"merge key", "<<: {to: x}\n", `paytest.yaml:1:1: unknown setting "<<"`},
		{"empty name", "\"\": x\n", `paytest.yaml:1:1: unknown setting ""`},
		{"escaped name", "\"a\\eb\": x\n", `paytest.yaml:1:1: unknown setting "a\x1bb"`},
		{"long name", "k" + strings.Repeat("é", 60) + ": x\n", `paytest.yaml:1:1: unknown setting "k` + strings.Repeat("é", 39) + `…"`},
		{"list as name", "[to]: x\n", `paytest.yaml:1:1: a setting's name must be a single word`},

		{"twice", "to: x\ntimeout: 5s\nto: y\n", `paytest.yaml:3:1: "to" is set twice, the first time on line 1; keep one`},
		{"twice under a command", "listen: {strict: a, strict: b}\n", `paytest.yaml:1:21: "strict" is set twice, the first time on line 1; keep one`},
		{"command twice", "listen:\n  strict: a\nlisten:\n  timeout: 1s\n", `paytest.yaml:3:1: "listen" is set twice, the first time on line 1; keep one`},

		{"group for a flag", "to:\n  url: x\n", `paytest.yaml:1:1: "to" takes a value, not a group of settings`},
		{"list for a plain flag", "to:\n  - x\n", `paytest.yaml:1:1: "to" takes one value, not a list`},
		{"list in a list", "header:\n  - [x]\n", `paytest.yaml:2:5: each value of "header" must be a text`},
		{"group in a list", "header:\n  - X-Env: dev\n", `paytest.yaml:2:5: each value of "header" must be a text`},
		{"text for a command", "listen: order\n", `paytest.yaml:1:1: "listen" is a command: write its settings under it, indented`},
		{"list for a command", "listen: [strict]\n", `paytest.yaml:1:1: "listen" is a command: write its settings under it, indented`},
		{"no value", "to:\n", `paytest.yaml:1:1: "to" has no value; ` + noValue},
		{"null", "timeout: ~\n", `paytest.yaml:1:1: "timeout" has no value; ` + noValue},
		{"null in a list", "header: [x, null]\n", `paytest.yaml:1:1: "header" has no value; ` + noValue},
		{"list as file", "- to: x\n", `paytest.yaml:1:1: the file must hold settings, one a line, such as timeout: 5s`},
		{"text as file", "to\n", `paytest.yaml:1:1: the file must hold settings, one a line, such as timeout: 5s`},

		{"alias", "to: &a x\nevents: *a\n", `paytest.yaml:1:5: ` + noAnchor},
		{"alias as name", "? &a to\n: x\n", `paytest.yaml:1:3: ` + noAnchor},
		{"anchor on the file", "&a\nto: x\n", `paytest.yaml:1:1: ` + noAnchor},
		{"anchor on a command", "listen: &a\n  strict: x\n", `paytest.yaml:1:9: ` + noAnchor},
		{"anchor on a list", "header: &a [x]\n", `paytest.yaml:1:9: ` + noAnchor},
		{"anchor in a list", "header: [&a x]\n", `paytest.yaml:1:10: ` + noAnchor},
		{"list in itself", "header: &a [*a]\n", `paytest.yaml:1:9: ` + noAnchor},
		{"alias to nothing", "timeout: 5s\nto: *hunter2\nquiet: true\n", `paytest.yaml:2: not valid YAML: ` + noAlias},
		{"tag", "to: !!binary aHVudGVyMg==\n", `paytest.yaml:1:5: ` + noTag},
		{"own tag", "to: !hunter2 x\n", `paytest.yaml:1:5: ` + noTag},
		{"tag on the file", "!!map\nto: x\n", `paytest.yaml:1:1: ` + noTag},

		{"first line", "to: hunter2: x\n", `paytest.yaml:1: not valid YAML: mapping values are not allowed in this context`},
		{"indentation", "to: x\nlisten:\n  strict: hunter2\n timeout: 5s\n", `paytest.yaml:4: not valid YAML: did not find expected key`},
		{"tab", "listen:\n\tstrict: hunter2\n", `paytest.yaml:2: not valid YAML: found character that cannot start any token`},
		{"open quote", "timeout: 5s\nto: \"hunter2\nquiet: true\n\n", `paytest.yaml:2: not valid YAML: found unexpected end of stream`},
		{"open list", "timeout: 5s\nheader: [hunter2\nquiet: true\n", `paytest.yaml:2: not valid YAML: did not find expected ',' or ']'`},
		{"stray bracket", "timeout: 5s\n}\n", `paytest.yaml:2: not valid YAML: did not find expected key`},
		{"no colon", "timeout: 5s\nhunter2\n", `paytest.yaml:2: not valid YAML: could not find expected ':'`},
		{"control character", "timeout: 5s\nto: a\x01\n", `paytest.yaml:2: not valid YAML: control characters are not allowed`},
		{"Windows line ends", "timeout: 5s\r\nto: \"hunter2\r\n", `paytest.yaml:2: not valid YAML: found unexpected end of stream`},
		{"second document", "to: x\n---\nto: y\n", `paytest.yaml:2:1: a second document begins here; keep one`},
		{"empty second document", "to: x\n---\n", `paytest.yaml:2:1: a second document begins here; keep one`},
		{"broken second document", "to: x\n---\nto: \"hunter2\n", `paytest.yaml:3: not valid YAML: found unexpected end of stream`},
		{"Latin-1", "to: x\nevents: caf\xe9\n", `paytest.yaml:2: the file is not UTF-8 text; save it as UTF-8`},
		{"UTF-16", "\xff\xfet\x00o\x00", `paytest.yaml:1: the file is not UTF-8 text; save it as UTF-8`},
		{"too large", "#" + strings.Repeat(" ", config.MaxFileBytes), `paytest.yaml: the file is larger than 1048576 bytes`},
		{"broken and long", "to: \"" + strings.Repeat("hunter2\n", 1<<15), `paytest.yaml: not valid YAML: found unexpected end of stream`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantFault(t, tt.text, tt.want)
		})
	}
}

func TestFilesThatSetNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# to: x\n", "---\n", "---\n...\n", "{}\n", "\ufeff", "listen:\n  # strict: order\nsend: {}\n"} {
		c, err := loadFile(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		wantValue(t, c, "listen", "strict", "")
	}
}

func TestLargestFile(t *testing.T) {
	start := "to: x\n#"
	c, err := loadFile(start + strings.Repeat(" ", config.MaxFileBytes-len(start)))
	if err != nil {
		t.Fatal(err)
	}
	wantValue(t, c, "send", "to", "paytest.yaml:1", "x")
}

func TestNestingIsBounded(t *testing.T) {
	for _, open := range []string{"[", "{to: ", "? ", "- ", "&a [", "listen:\n "} {
		if _, err := loadFile("header: " + strings.Repeat(open, config.MaxFileBytes/len(open)-8)); err == nil {
			t.Errorf("a megabyte of %q was accepted", open)
		}
	}
}

// FuzzFile checks that any file is accepted, or refused with a bounded printable
// message about one of its lines, and that what is accepted comes from a line that
// names the flag.
func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"to: http://localhost:3000\ntimeout: 5s\nheader:\n  - \"X-Env: dev\"\nlisten:\n  strict: order\n",
		"listen: {events: [a, b], \"str\\x69ct\": 0x10}\r\nquiet: on",
		"? to\n: |\n  x\nschema export:\n  dir: out\n",
		"to: &a [*a]\n", "<<: *a\n", "--- # c\nto: x\n...\n---\n", "\ufeffto: 'x\n\ny'\n", "#\r\u2028to: 1\n",
		"to: x\n  # foot\n\n# head\nlisten:\n  # only a comment\n", "header:\n- x\n-\n", "\tto: x", "to: hunter2: x\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := loadFile(text)
		if err != nil {
			checkMessage(t, text, err)
			return
		}
		for _, key := range keys() {
			if value, ok := c.Lookup(key.Command, key.Flag); ok {
				checkOrigin(t, text, key, value)
			}
		}
	})
}

func checkMessage(t *testing.T, text string, err error) {
	t.Helper()
	var fault *config.Error
	if !errors.As(err, &fault) {
		t.Fatalf("%q: untyped error %v", text, err)
	}
	if lines := len(linesOf(text)); fault.Line > lines {
		t.Errorf("%q: fault on line %d of %d: %v", text, fault.Line, lines, err)
	}
	if message := err.Error(); len(message) > 400 || strings.ContainsFunc(message, unicode.IsControl) {
		t.Errorf("%q: message %q", text, message)
	}
}

func checkOrigin(t *testing.T, text string, key config.Key, value config.Value) {
	t.Helper()
	path, number, _ := strings.Cut(value.Origin, ":")
	line, err := strconv.Atoi(number)
	lines := linesOf(text)
	if path != "paytest.yaml" || err != nil || line < 1 || line > len(lines) {
		t.Fatalf("%q: %s has origin %q, the file has %d lines", text, key.Flag, value.Origin, len(lines))
	}
	if named := lines[line-1]; !strings.Contains(named, key.Flag) && !strings.Contains(named, `"`) {
		t.Errorf("%q: %s has origin %q, which reads %q", text, key.Flag, value.Origin, named)
	}
	if !key.List && len(value.Values) != 1 {
		t.Errorf("%q: %s has values %q", text, key.Flag, value.Values)
	}
}

// linesOf splits where YAML 1.1 does.
func linesOf(text string) []string {
	breaks := strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")
	return strings.Split(breaks.Replace(text), "\n")
}
