package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/payloads"
)

// outside is the world a test runs the program in.
type outside struct {
	env      map[string]string
	files    fstest.MapFS
	in       io.Reader
	terminal bool
}

// run runs the program in a world where it is always the same moment.
func (o outside) run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Run(t.Context(), o.program(&out, &errs, args...))
	return out.String(), errs.String(), code
}

func (o outside) program(out, errs io.Writer, args ...string) Env {
	if o.in == nil {
		o.in = strings.NewReader("")
	}
	return Env{
		Args:      args,
		LookupEnv: func(name string) (string, bool) { v, ok := o.env[name]; return v, ok },
		Environ:   o.environ,
		In:        o.in, Out: out, Err: errs, OutTerminal: o.terminal, ErrTerminal: o.terminal,
		Now:      func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) },
		Seed:     func() uint64 { return 42 },
		Open:     func(name string) (fs.File, error) { return o.files.Open(strings.TrimPrefix(name, "/")) },
		Dir:      func(name string) fs.FS { sub, _ := fs.Sub(o.files, strings.TrimPrefix(name, "/")); return sub },
		Contract: payloads.FS,
		Version:  "1.2.3",
	}
}

func (o outside) environ() []string {
	var list []string
	for name, value := range o.env {
		list = append(list, name+"="+value)
	}
	return list
}

func TestColored(t *testing.T) {
	type env map[string]string
	for _, test := range []struct {
		flag     string
		env      env
		terminal bool
		want     bool
	}{
		{"auto", nil, true, true},
		{"auto", nil, false, false},
		{"", nil, true, true},
		{"", nil, false, false},

		{"always", nil, false, true},
		{"never", nil, true, false},
		{"always", env{"NO_COLOR": "1", "TERM": "dumb", "CLICOLOR": "0"}, false, true},
		{"never", env{"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, true, false},

		{"auto", env{"NO_COLOR": "1"}, true, false},
		{"auto", env{"NO_COLOR": "0"}, true, false}, // no-color.org: any value that is not empty
		{"auto", env{"NO_COLOR": ""}, true, true},
		{"auto", env{"NO_COLOR": "1", "FORCE_COLOR": "1"}, true, false},
		{"auto", env{"NO_COLOR": "1", "CLICOLOR_FORCE": "1"}, false, false},

		{"auto", env{"FORCE_COLOR": "1"}, false, true},
		{"auto", env{"FORCE_COLOR": "3"}, false, true},
		{"auto", env{"FORCE_COLOR": "0"}, false, false},
		{"auto", env{"FORCE_COLOR": "0"}, true, true},
		{"auto", env{"FORCE_COLOR": ""}, false, false},
		{"auto", env{"CLICOLOR_FORCE": "1"}, false, true},
		{"auto", env{"CLICOLOR_FORCE": "0"}, false, false},
		{"auto", env{"FORCE_COLOR": "1", "TERM": "dumb"}, false, true},
		{"auto", env{"CLICOLOR_FORCE": "1", "CLICOLOR": "0"}, false, true},

		{"auto", env{"TERM": "dumb"}, true, false},
		{"auto", env{"TERM": "dumb", "CLICOLOR": "1"}, true, false},
		{"auto", env{"TERM": "xterm-256color"}, true, true},
		{"auto", env{"TERM": "xterm-256color"}, false, false},
		{"auto", env{"CLICOLOR": "0"}, true, false},
		{"auto", env{"CLICOLOR": "1"}, true, true},
		{"auto", env{"CLICOLOR": "1"}, false, false},

		{"auto", env{"CI": "true"}, true, false},
		{"auto", env{"CI": "1"}, true, false},
		{"auto", env{"CI": "false"}, true, true},
		{"auto", env{"CI": ""}, true, true},
		{"auto", env{"CI": "true", "FORCE_COLOR": "1"}, false, true},
		{"always", env{"CI": "true"}, true, true},
	} {
		lookup := func(name string) (string, bool) { v, ok := test.env[name]; return v, ok }
		if got := colored(test.flag, lookup, attended(lookup, test.terminal)); got != test.want {
			t.Errorf("colored(%q, %v, terminal %t) = %t", test.flag, test.env, test.terminal, got)
		}
	}
}

func TestSplit(t *testing.T) {
	type found struct {
		Where string
		Raw   []byte
	}
	for _, test := range []struct {
		name, raw string
		want      []found
	}{
		{"nothing", "", nil},
		{"white space", " \n\t\r\n", nil},
		{"one", ` {"a":1} `, []found{{"f", []byte(`{"a":1}`)}}},
		{"one over several lines", "{\n\"a\":\n1}\n", []found{{"f", []byte("{\n\"a\":\n1}")}}},
		{"a scalar", "7\n", []found{{"f", []byte("7")}}},
		{"an array", `[{"a":1}, {"b":2}]`, []found{{"f[0]", []byte(`{"a":1}`)}, {"f[1]", []byte(`{"b":2}`)}}},
		{"an array of anything", `[1,[2],null]`, []found{{"f[0]", []byte("1")}, {"f[1]", []byte("[2]")}, {"f[2]", []byte("null")}}},
		{"an empty array", ` [] `, nil},
		{"lines", "{\"a\":1}\n{\"b\":2}\n", []found{{"f:1", []byte(`{"a":1}`)}, {"f:2", []byte(`{"b":2}`)}}},
		{"lines of Windows", "{\"a\":1}\r\n{\"b\":2}", []found{{"f:1", []byte(`{"a":1}`)}, {"f:2", []byte(`{"b":2}`)}}},
		{"lines with empty ones", "\n{\"a\":1}\n\n \n{\"b\":2}\n\n", []found{{"f:2", []byte(`{"a":1}`)}, {"f:5", []byte(`{"b":2}`)}}},
		{"a line", "{\"a\":1}\n", []found{{"f", []byte(`{"a":1}`)}}},
		{"a broken line among others", "{\"a\":1}\n{\"b\":\n", []found{{"f:1", []byte(`{"a":1}`)}, {"f:2", []byte(`{"b":`)}}},
		{"broken JSON", "{\n\"a\" 1\n}", []found{{"f", []byte("{\n\"a\" 1\n}")}}},
		{"a broken array", "[{\"a\":1},\n{\"b\":2}", []found{{"f", []byte("[{\"a\":1},\n{\"b\":2}")}}},
		{"no JSON", "hello\nworld\n", []found{{"f", []byte("hello\nworld")}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []found
			for _, it := range split("f", []byte(test.raw)) {
				got = append(got, found{it.where(), it.raw})
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzSplit holds that nothing of a recording is lost but white space, and that
// every payload of lines or an array is found again.
func FuzzSplit(f *testing.F) {
	for _, seed := range []string{"", "[]", `[{"a":1},2]`, "{\"a\":1}\n\n{\"b\":2}\r\n", "{\n\"a\":1}", "[1,\n{}", "x\n{}\ny", "\xff\n{}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var parts int
		for _, it := range split("f", raw) {
			if len(bytes.TrimSpace(it.raw)) == 0 {
				t.Fatalf("%q: %s is empty", raw, it.where())
			}
			if !bytes.Contains(raw, it.raw) {
				t.Fatalf("%q: %s is %q, which is not in it", raw, it.where(), it.raw)
			}
			parts += len(it.raw)
		}
		if parts == 0 && len(bytes.TrimSpace(raw)) > 0 && bytes.TrimSpace(raw)[0] != '[' {
			t.Fatalf("%q: no payload is found", raw)
		}
	})
}

// TestSettings holds the order of the sources: a flag, the environment for the
// command and for all commands, the project's file, the user's, the default.
func TestSettings(t *testing.T) {
	type env map[string]string
	project := func(text string) fstest.MapFS { return fstest.MapFS{"paytest.yaml": {Data: []byte(text)}} }
	both := fstest.MapFS{
		"paytest.yaml":                 {Data: []byte("send:\n  to: http://project:1\n")},
		"home/.x/paytest/paytest.yaml": {Data: []byte("to: http://user:1\n")},
	}
	home := env{"XDG_CONFIG_HOME": "/home/.x"}
	for _, test := range []struct {
		name  string
		env   env
		files fstest.MapFS
		args  []string
		want  string
	}{
		{"the default", nil, nil, nil, "http://localhost:3000/"},
		{"the user's file", home, fstest.MapFS{"home/.x/paytest/paytest.yaml": both["home/.x/paytest/paytest.yaml"]}, nil, "http://user:1/"},
		{"the project's file", home, both, nil, "http://project:1/"},
		{"the project's file, for all commands", nil, project("to: http://project:2\n"), nil, "http://project:2/"},
		{"a command's own in a file", nil, project("to: http://project:2\nsend:\n  to: http://project:3\n"), nil, "http://project:3/"},
		{"the environment", env{"PAYTEST_TO": "http://env:1"}, both, nil, "http://env:1/"},
		{"the environment, for a command", env{"PAYTEST_TO": "http://env:1", "PAYTEST_SEND_TO": "http://env:2"}, both, nil, "http://env:2/"},
		{"a flag", env{"PAYTEST_SEND_TO": "http://env:2"}, both, []string{"--to", "http://flag:1"}, "http://flag:1/"},
		{"a flag of the default's value", env{"PAYTEST_SEND_TO": "http://env:2"}, nil, []string{"--to", "http://localhost:3000"}, "http://localhost:3000/"},
		{"a named file", nil, fstest.MapFS{"paytest.yaml": both["paytest.yaml"], "x.yaml": {Data: []byte("to: http://x:1")}}, []string{"--config", "x.yaml"}, "http://x:1/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			args := append([]string{"send", "invoice", "pending", "--seed", "7", "--dry-run"}, test.args...)
			stdout, stderr, code := outside{env: test.env, files: test.files}.run(t, args...)
			if code != exitOK || !strings.HasPrefix(stdout, "POST "+test.want) {
				t.Errorf("exit %d\n%s%s", code, stdout, stderr)
			}
		})
	}
}

// TestSettingsOfEachKind sets a flag of every type from outside.
func TestSettingsOfEachKind(t *testing.T) {
	files := fstest.MapFS{"paytest.yaml": {Data: []byte("header: ['X-A: 1', 'X-B: a,b']\ntimeout: 2s\ncolor: always\nlisten:\n  always-ok: true\n")}}
	stdout, stderr, code := outside{files: files}.run(t, "config")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	plain := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(stdout, "")
	for _, line := range []string{
		`send\.header +X-A: \[hidden\], X-B: \[hidden\] +paytest\.yaml:1`, `send\.timeout +2s +paytest\.yaml:2`,
		`color +always +paytest\.yaml:3`, `listen\.always-ok +true +paytest\.yaml:5`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(plain) {
			t.Errorf("no line %s in\n%s", line, plain)
		}
	}
	stdout, _, _ = outside{files: files}.run(t, "send", "invoice", "pending", "--seed", "7", "--dry-run", "--color", "never")
	if !strings.Contains(stdout, "X-A: 1\n") || !strings.Contains(stdout, "X-B: a,b\n") {
		t.Errorf("the headers of the file are not in\n%s", stdout)
	}
}

// TestTerminalWidth runs what is likely to be long on a terminal of 80 columns.
func TestTerminalWidth(t *testing.T) {
	for _, args := range [][]string{
		{"--help"},
		{"send", "--help"},
		{"listen", "--help"},
		{"payload", "--help"},
		{"validate", "--help"},
		{"config", "--help"},
		{"payload", "invoice", "completed"},
		{"payload", "invoice", "pending", "--fact", "cashAmont=1"},
		{"nonsense"},
		{"send", "invoice", "ready"},
		{"listen", "nonsense"},
		{"send", "invoice", "pending", "--to", "http://user:x@localhost"},
	} {
		stdout, stderr, _ := outside{terminal: true, env: map[string]string{"NO_COLOR": "1"}}.run(t, args...)
		for line := range strings.Lines(stdout + stderr) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
	}
}

// closed is a pipe whose reader has gone.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// broken is a file that cannot be read to its end.
type broken struct{}

func (broken) Read([]byte) (int, error) { panic("the file bites") }

func TestExitCodes(t *testing.T) {
	t.Run("a panic is paytest's own failure", func(t *testing.T) {
		stdout, stderr, code := outside{in: broken{}}.run(t, "validate", "-")
		if code != exitInternal || stdout != "" || !strings.Contains(stderr, "the file bites") || strings.Contains(stderr, "goroutine") {
			t.Errorf("exit %d\n%s%s", code, stdout, stderr)
		}
	})
	t.Run("output that nobody reads is an error", func(t *testing.T) {
		var errs bytes.Buffer
		code := Run(t.Context(), outside{}.program(closed{}, &errs, "payload", "invoice", "pending", "--seed", "7"))
		if code == exitOK || !strings.Contains(errs.String(), "broken pipe") {
			t.Errorf("exit %d\n%s", code, &errs)
		}
	})
	t.Run("an interrupted delivery is none", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs bytes.Buffer
		code := Run(ctx, outside{}.program(&out, &errs, "send", "invoice", "pending", "--seed", "7", "--to", "http://127.0.0.1:1"))
		if code != exitInterrupted {
			t.Errorf("exit %d\n%s%s", code, &out, &errs)
		}
	})
	t.Run("a listener that is interrupted has done its work", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		var out, errs bytes.Buffer
		code := Run(ctx, outside{}.program(&out, &errs, "listen", ":0"))
		if code != exitOK || !strings.HasPrefix(out.String(), "0 deliveries") {
			t.Errorf("exit %d\n%s%s", code, &out, &errs)
		}
	})
}

// TestSeedIsPrinted holds that a random payment can be made again, byte by byte,
// from what is printed beside it.
func TestSeedIsPrinted(t *testing.T) {
	first, hint, _ := outside{}.run(t, "payload", "invoice", "complete")
	m := regexp.MustCompile(`--seed 42 --now \S+`).FindString(hint)
	if m == "" {
		t.Fatalf("no --seed 42 --now … in %q", hint)
	}
	again, _, _ := outside{}.run(t, append([]string{"payload", "invoice", "complete"}, strings.Fields(m)...)...)
	if diff := cmp.Diff(first, again); diff != "" || first == "" {
		t.Error(diff)
	}
}

// TestDataIsBounded holds that a body is not read without end.
func TestDataIsBounded(t *testing.T) {
	_, stderr, code := outside{in: zeros{}}.run(t, "send", "invoice", "pending", "--data", "-", "--dry-run")
	if code != exitUsage || !strings.Contains(stderr, "larger than") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// zeros is endless text.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

// waiting is standard input that nothing is typed into.
type waiting struct{ asked chan struct{} }

func (w waiting) Read([]byte) (int, error) {
	close(w.asked)
	select {} // as a terminal does
}

// TestInterruptedInput: who waits for input can still be interrupted.
func TestInterruptedInput(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	in := waiting{make(chan struct{})}
	go func() {
		<-in.asked
		interrupt()
	}()
	var out, errs bytes.Buffer
	env := outside{in: in}.program(&out, &errs, "validate")
	env.InTerminal = true
	if code := Run(ctx, env); code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	if !strings.Contains(errs.String(), "reading standard input; Ctrl-D ends it") {
		t.Errorf("the user was not told what is waited for: %s", &errs)
	}
}
