package config_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/config"
)

const (
	project = "./paytest.yaml"
	user    = "/home/u/.config/paytest/paytest.yaml"
)

func keys() []config.Key {
	return []config.Key{
		{Flag: "quiet"},
		{Command: "send", Flag: "to"},
		{Command: "send", Flag: "timeout"},
		{Command: "send", Flag: "header", List: true},
		{Command: "send", Flag: "allow-remote"},
		{Command: "send", Flag: "events"},
		{Command: "listen", Flag: "timeout"},
		{Command: "listen", Flag: "strict"},
		{Command: "listen", Flag: "header", List: true},
		{Command: "listen", Flag: "events", List: true},
		{Command: "schema export", Flag: "dir"},
	}
}

type files map[string]string

func (f files) read(path string) ([]byte, error) {
	text, ok := f[path]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

func environment(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

func environ(variables map[string]string) []string {
	var list []string
	for name, value := range variables {
		list = append(list, name+"="+value)
	}
	return list
}

func load(t *testing.T, env map[string]string, f files) *config.Config {
	t.Helper()
	c, err := config.Load(keys, config.Sources{
		LookupEnv: environment(env), Environ: environ(env), ReadFile: f.read, ProjectFile: project, UserFile: user,
	})
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	return c
}

func wantValue(t *testing.T, c *config.Config, command, flag, origin string, values ...string) {
	t.Helper()
	got, ok := c.Lookup(command, flag)
	want := config.Value{Values: values, Origin: origin}
	if diff := cmp.Diff(want, got); diff != "" || ok != (origin != "") {
		t.Errorf("Lookup(%q, %q) ok = %t, differs (-want +got):\n%s", command, flag, ok, diff)
	}
}

// Every combination of the six places where listen's timeout can stand.
func TestPrecedence(t *testing.T) {
	places := []struct{ name, text, origin string }{
		{"env listen", "1s", "env PAYTEST_LISTEN_TIMEOUT"},
		{"env", "2s", "env PAYTEST_TIMEOUT"},
		{"project listen", "listen:\n  timeout: 3s\n", project + ":2"},
		{"project", "timeout: 4s\n", project + ":"},
		{"user listen", "listen:\n  timeout: 5s\n", user + ":2"},
		{"user", "timeout: 6s\n", user + ":"},
	}
	for set := range 1 << len(places) {
		env, f := map[string]string{}, files{project: "", user: ""}
		winner, general := -1, -1
		for i := len(places) - 1; i >= 0; i-- {
			if set>>i&1 == 0 {
				continue
			}
			winner = i
			if i%2 == 1 {
				general = i
			}
			switch {
			case i == 0:
				env["PAYTEST_LISTEN_TIMEOUT"] = places[i].text
			case i == 1:
				env["PAYTEST_TIMEOUT"] = places[i].text
			case i < 4:
				f[project] = places[i].text + f[project]
			default:
				f[user] = places[i].text + f[user]
			}
		}
		t.Run(fmt.Sprintf("%06b", set), func(t *testing.T) {
			c := load(t, env, f)
			for command, want := range map[string]int{"listen": winner, "send": general} {
				got, ok := c.Lookup(command, "timeout")
				if ok != (want >= 0) {
					t.Fatalf("%s: found = %t, env %v, files %q", command, ok, env, f)
				}
				if !ok {
					continue
				}
				place := places[want]
				if !strings.HasPrefix(got.Origin, place.origin) || !strings.Contains(place.text, got.Values[0]) {
					t.Errorf("%s: got %v, want %s; env %v, files %q", command, got, place.name, env, f)
				}
			}
		})
	}
}

func TestOrigins(t *testing.T) {
	c := load(t,
		map[string]string{"PAYTEST_ALLOW_REMOTE": "true", "PAYTEST_SCHEMA_EXPORT_DIR": "out", "PAYTEST_STRICT": ""},
		files{
			project: "# local\nto: http://localhost:3000\nheader:\n  - \"X-Env: dev\"\n  - X-B\nlisten:\n  strict: order\n",
			user:    "timeout: 5s\nheader: [X-User]\nstrict: all\nlisten:\n  quiet: true\n",
		})
	wantValue(t, c, "send", "allow-remote", "env PAYTEST_ALLOW_REMOTE", "true")
	wantValue(t, c, "schema export", "dir", "env PAYTEST_SCHEMA_EXPORT_DIR", "out")
	wantValue(t, c, "send", "to", project+":2", "http://localhost:3000")
	wantValue(t, c, "send", "header", project+":3", "X-Env: dev", "X-B")
	wantValue(t, c, "listen", "header", project+":3", "X-Env: dev", "X-B")
	wantValue(t, c, "listen", "strict", project+":7", "order")
	wantValue(t, c, "listen", "timeout", user+":1", "5s")
	wantValue(t, c, "listen", "quiet", user+":5", "true")
	wantValue(t, c, "send", "quiet", "")
	wantValue(t, c, "listen", "to", "")
	wantValue(t, c, "explain", "timeout", "")
}

func TestFlagOfEveryCommand(t *testing.T) {
	for _, text := range []string{"quiet: true\n", "quiet: true\nlisten:\n", "quiet: true\nlisten: {}\n"} {
		c := load(t, nil, files{project: text})
		for _, command := range []string{"send", "listen", "explain", ""} {
			wantValue(t, c, command, "quiet", project+":1", "true")
		}
	}
}

func TestTextIsKept(t *testing.T) {
	tests := []struct{ written, want string }{
		{"5s", "5s"},
		{"0x10", "0x10"},
		{"010", "010"},
		{"on", "on"},
		{"yes", "yes"},
		{"TRUE", "TRUE"},
		{"1e3", "1e3"},
		{"1.50", "1.50"},
		{"1_000", "1_000"},
		{".inf", ".inf"},
		{"12:30:45", "12:30:45"},
		{"2026-01-01", "2026-01-01"},
		{"99999999999999999999", "99999999999999999999"},
		{"http://localhost:3000/a?b=c#d", "http://localhost:3000/a?b=c#d"},
		{"order # why", "order"},
		{`""`, ""},
		{`"null"`, "null"},
		{`"a\tb"`, "a\tb"},
		{"'it''s'", "it's"},
		{"|\n  a\n  b", "a\nb\n"},
	}
	for _, tt := range tests {
		c := load(t, nil, files{project: "to: " + tt.written + "\n"})
		wantValue(t, c, "send", "to", project+":1", tt.want)
	}
}

func TestRepeatable(t *testing.T) {
	tests := []struct {
		name, env, file, origin string
		values                  []string
	}{
		{"one text", "", "header: X-A\n", project + ":1", []string{"X-A"}},
		{"list", "", "header: [X-A, 1e3]\n", project + ":1", []string{"X-A", "1e3"}},
		{"empty list", "", "header: []\n", project + ":1", []string{}},
		{"env", "X-A: 1, 2", "header: [X-B]\n", "env PAYTEST_HEADER", []string{"X-A: 1, 2"}},
		{"env lines", "X-A\r\n\nX-B\n", "", "env PAYTEST_HEADER", []string{"X-A", "X-B"}},
		{"env without a line", "\n\n", "header: [X-B]\n", project + ":1", []string{"X-B"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, map[string]string{"PAYTEST_HEADER": tt.env}, files{project: tt.file})
			wantValue(t, c, "send", "header", tt.origin, tt.values...)
		})
	}
}

// The flag events may be repeated for listen only.
func TestListForSomeCommandsOnly(t *testing.T) {
	c := load(t, map[string]string{"PAYTEST_EVENTS": "a\nb"}, nil)
	wantValue(t, c, "send", "events", "env PAYTEST_EVENTS", "a\nb")
	c = load(t, map[string]string{"PAYTEST_LISTEN_EVENTS": "a\nb"}, nil)
	wantValue(t, c, "listen", "events", "env PAYTEST_LISTEN_EVENTS", "a", "b")
	c = load(t, nil, files{project: "listen: {events: [a, b]}\n"})
	wantValue(t, c, "listen", "events", project+":1", "a", "b")
	wantFault(t, "events: [a, b]\n", `paytest.yaml:1:1: "events" takes one value, not a list`)
}

func TestLookupGivesACopy(t *testing.T) {
	c := load(t, nil, files{project: "header: [X-A]\n"})
	value, _ := c.Lookup("send", "header")
	value.Values[0] = "changed"
	wantValue(t, c, "listen", "header", project+":1", "X-A")
}

func TestNoSources(t *testing.T) {
	c, err := config.Load(keys, config.Sources{})
	if err != nil {
		t.Fatal(err)
	}
	wantValue(t, c, "send", "to", "")
}

func TestRealEnvironmentIsNotRead(t *testing.T) {
	t.Setenv("PAYTEST_TO", "http://real")
	t.Setenv("PAYTEST_SEND_TO", "http://real")
	wantValue(t, load(t, nil, nil), "send", "to", "")
}

func TestUnreadableFiles(t *testing.T) {
	failing := func(err error) func(string) ([]byte, error) {
		return func(path string) ([]byte, error) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: err}
		}
	}
	tests := []struct {
		name string
		src  config.Sources
		want error
	}{
		{"missing", config.Sources{ProjectFile: project, UserFile: user, ReadFile: failing(fs.ErrNotExist)}, nil},
		{"HOME is no folder", config.Sources{UserFile: user, ReadFile: failing(syscall.ENOTDIR)}, nil},
		{"named and missing", config.Sources{ProjectFile: project, Explicit: true, ReadFile: failing(fs.ErrNotExist)}, fs.ErrNotExist},
		{"user missing beside named", config.Sources{UserFile: user, Explicit: true, ReadFile: failing(fs.ErrNotExist)}, nil},
		{"project forbidden", config.Sources{ProjectFile: project, ReadFile: failing(fs.ErrPermission)}, fs.ErrPermission},
		{"user forbidden", config.Sources{UserFile: user, ReadFile: failing(fs.ErrPermission)}, fs.ErrPermission},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Load(keys, tt.src)
			if !errors.Is(err, tt.want) {
				t.Errorf("Load error = %v, want %v", err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), tt.src.ProjectFile+tt.src.UserFile) {
				t.Errorf("error does not name the file: %v", err)
			}
		})
	}
}

func TestAmbiguousKeys(t *testing.T) {
	tests := []struct {
		name string
		keys []config.Key
		want string
	}{
		{
			"flag and flag of a command",
			[]config.Key{{Command: "listen", Flag: "strict"}, {Command: "send", Flag: "listen-strict"}},
			"ambiguous settings: PAYTEST_LISTEN_STRICT would set both listen.strict and listen-strict; rename one of the flags",
		},
		{
			"case only",
			[]config.Key{{Command: "send", Flag: "to"}, {Command: "send", Flag: "To"}},
			"ambiguous settings: PAYTEST_SEND_TO would set both send.to and send.To; rename one of the flags",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := config.Load(func() []config.Key { return tt.keys }, config.Sources{ReadFile: files{project: ""}.read, ProjectFile: project})
			if !errors.Is(err, config.ErrAmbiguous) || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
	if _, err := config.Load(func() []config.Key { return append(keys(), keys()...) }, config.Sources{ReadFile: files{project: ""}.read, ProjectFile: project}); err != nil {
		t.Errorf("the same keys twice: %v", err)
	}
}

func TestUnknownEnv(t *testing.T) {
	env := map[string]string{"PATH": "/bin", "PAYTEST_TMEOUT": "5s", "PAYTEST_TIMEOUT": "5s", "PAYTEST_SECRET": "x", "PAYTEST_LISTEN_QUIET": "true", "XPAYTEST_A": "1", "PAYTEST_": "", "paytest_tmeout": "5s"}
	for range 2 {
		if diff := cmp.Diff([]string{"PAYTEST_", "PAYTEST_SECRET", "PAYTEST_TMEOUT"}, load(t, env, nil).UnknownEnv()); diff != "" {
			t.Error(diff)
		}
	}
	if got := load(t, map[string]string{"PATH": "/bin"}, nil).UnknownEnv(); len(got) > 0 {
		t.Errorf("%q of nothing", got)
	}
}

// TestKeysOnDemand: what settings there are is asked for only by a source that
// says something, and once.
func TestKeysOnDemand(t *testing.T) {
	for _, test := range []struct {
		name  string
		env   map[string]string
		files files
		asked int
	}{
		{"nothing", nil, nil, 0},
		{"other variables", map[string]string{"PATH": "/bin", "HOME": "/home/u", "PAYTEST": "1"}, nil, 0},
		{"a variable", map[string]string{"PAYTEST_TO": "http://a"}, nil, 1},
		{"a variable in another case", map[string]string{"paytest_to": "http://a"}, nil, 1},
		{"a file", nil, files{project: "to: http://a\n"}, 1},
		{"the user's file", nil, files{user: "to: http://a\n"}, 1},
		{"all of them", map[string]string{"PAYTEST_TO": "http://a"}, files{project: "to: http://a\n", user: "to: http://a\n"}, 1},
	} {
		asked := 0
		_, err := config.Load(func() []config.Key { asked++; return keys() }, config.Sources{
			LookupEnv: environment(test.env), Environ: environ(test.env), ReadFile: test.files.read, ProjectFile: project, UserFile: user,
		})
		if err != nil || asked != test.asked {
			t.Errorf("%s: the keys were asked for %d times, want %d; %v", test.name, asked, test.asked, err)
		}
	}
}

func TestUserFilePath(t *testing.T) {
	tests := []struct {
		name, goos string
		env        map[string]string
		want       string
	}{
		{"XDG", "linux", map[string]string{"XDG_CONFIG_HOME": "/x", "HOME": "/home/u"}, "/x/paytest/paytest.yaml"},
		{"HOME", "linux", map[string]string{"HOME": "/home/u"}, "/home/u/.config/paytest/paytest.yaml"},
		{"macOS", "darwin", map[string]string{"HOME": "/Users/u"}, "/Users/u/.config/paytest/paytest.yaml"},
		{"empty XDG", "linux", map[string]string{"XDG_CONFIG_HOME": "", "HOME": "/home/u"}, "/home/u/.config/paytest/paytest.yaml"},
		{"relative XDG", "linux", map[string]string{"XDG_CONFIG_HOME": "x", "HOME": "/home/u"}, "/home/u/.config/paytest/paytest.yaml"},
		{"relative HOME", "linux", map[string]string{"HOME": "."}, ""},
		{"nothing", "linux", nil, ""},
		{"Windows", "windows", map[string]string{"AppData": `C:\Users\u\AppData\Roaming`, "HOME": "/home/u"}, `C:\Users\u\AppData\Roaming\paytest\paytest.yaml`},
		{"Windows, nothing", "windows", map[string]string{"HOME": "/home/u"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := config.UserFilePathOn(tt.goos, environment(tt.env)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	var many []config.Key
	for command := range 12 {
		for flag := range 10 {
			many = append(many, config.Key{Command: fmt.Sprint("command", command), Flag: fmt.Sprint("flag-", flag)})
		}
	}
	for name, f := range map[string]files{"no file": nil, "file": {project: "flag-1: 5s\ncommand2:\n  flag-3: on\n"}} {
		b.Run(name, func(b *testing.B) {
			src := config.Sources{LookupEnv: environment(nil), ReadFile: f.read, ProjectFile: project, UserFile: user}
			for b.Loop() {
				if _, err := config.Load(func() []config.Key { return many }, src); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
