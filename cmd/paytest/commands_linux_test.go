package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/tools/trust"
)

// keepShop starts a shopkeeper and returns its URL.
func keepShop(t *testing.T, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("paytest-shop")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), cli.SecretEnv+"="+shared), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return strings.TrimSpace(line)
}

// The secrets that must be nowhere.
const (
	shared   = "p3pper<&>'the-shared-secret"
	retired  = "an0ther-secret-that-was-in-use"
	bearer   = "bearer-t0ken-of-the-endpoint"
	password = "pa55w0rd-of-the-proxy"
	seedling = "s33d-of-the-redaction"
	access   = "acce55-key-in-the-query"
)

func secrets() []string { return []string{shared, retired, bearer, password, seedling, access} }

// call is one use of the program.
type call struct {
	line string // what is typed, its arguments without spaces
	code int
	// until is what it writes before it is interrupted; empty if it ends by itself.
	until string
	args  []string
}

// everyCall uses every command, and every way in which one is given a secret, so
// that it succeeds and fails.
func everyCall(dir, shop, bad, buggy string) []call {
	const reports, all = "--report json=$DIR/NAME.json --report junit=$DIR/NAME.xml --report markdown=$DIR/NAME.md", "--secret-file $DIR/shared.txt -H Authorization:$BEARER"
	calls := []call{
		{line: "send invoice complete --to $SHOP?key=$KEY --record $DIR/sent.jsonl " + all},
		{line: "send invoice complete --to $SHOP?key=$KEY --output json"},
		{line: "send invoice pending --to $BAD --retries 0 --record $DIR/sent.jsonl " + all, code: 1},
		{line: "send invoice pending --to http://127.0.0.1:1?key=$KEY --retries 0 --record $DIR/sent.jsonl " + all, code: 3},
		{line: "send invoice pending --to http://user:$PASSWORD@localhost " + all, code: 2},
		{line: "send invoice pending --to $SHOP --retries 0 --proxy http://user:$PASSWORD@127.0.0.1:1 " + all, code: 3},
		{line: "send invoice pending --to $SHOP --retries 0 --proxy ftp://user:$PASSWORD@127.0.0.1:1 " + all, code: 2},
		{line: "send invoice pending --to $SHOP --signature standard-webhooks --secret-file $DIR/base.txt", code: 2},
		{line: "send invoice pending --to $SHOP --header $BEARER", code: 2},
		{line: "run paid --to $SHOP?key=$KEY --record $DIR/run.jsonl --report ndjson=$DIR/run.ndjson " + reports + " " + all},
		{line: "run expired --to $BAD?key=$KEY --retries 0 --record $DIR/run.jsonl " + reports + " " + all, code: 1},
		{line: "run expired --to $SHOP --ui 127.0.0.1:0 " + all, code: 2},
		{line: "run expired --to $SHOP?key=$KEY --ui=127.0.0.1:0 " + all, until: "Ctrl-C ends the inspector"},
		{line: "conform $SHOP?key=$KEY --probe-url $SHOP/orders/{id}?key=$KEY --probe-header Authorization:$BEARER --retired-secret-file $DIR/retired.txt --case I01,X01,X08 --seed 7 --report html=$DIR/conform.html " + reports + " " + all},
		{line: "conform $SHOP --probe-cmd $DIR/probe.sh --restart-cmd $DIR/dump.sh --fail-cmd $DIR/dump.sh --case I01,I05,I11 --settle 10ms --report html=$DIR/failed.html " + reports + " " + all, code: 2},
		{line: "conform $BAD?key=$KEY --case I01 " + all, code: 1},
		{line: "conform $BUGGY?key=$KEY --probe-url $BUGGY/orders/{id}?key=$KEY --probe-header Authorization:$BEARER --case I01 --report html=$DIR/buggy.html " + reports + " " + all, code: 1},
		{line: "load $SHOP?key=$KEY --rate 20/s --duration 300ms --report json=$DIR/load.json --report html=$DIR/load.html --report markdown=$DIR/load.md " + all},
		{line: "load $BAD?key=$KEY --rate 20/s --duration 300ms --fail-if errors>1% --report json=$DIR/load.json --report html=$DIR/load.html " + all, code: 1},
		{line: "listen :0 --secret-file $DIR/shared.txt --secret-file $DIR/retired.txt --max-events 1 --exec $DIR/pay.sh --record $DIR/received.jsonl --output ndjson " + reports},
		{line: "listen :0 --secret-file $DIR/retired.txt --max-events 1 --exec $DIR/pay.sh --record $DIR/received.jsonl " + reports, code: 1},
		{line: "listen :0 --forward-to $SHOP?key=$KEY --ui=127.0.0.1:0 --max-events 1 --exec $DIR/pay.sh --record $DIR/passed.jsonl"},
		{line: "listen :0 --forward-to $BAD?key=$KEY --max-events 1 --exec $DIR/pay.sh --output ndjson", code: 1},
		{line: "listen :0 --forward-to http://user:$PASSWORD@localhost", code: 2},
		{line: "replay $DIR/sent.jsonl --to $SHOP?key=$KEY --resign " + reports + " " + all},
		{line: "replay $DIR/received.jsonl --to $BAD?key=$KEY --retries 0 " + all, code: 1},
		{line: "inspect $DIR/received.jsonl --ui :0", until: "Ctrl-C ends it"},
		{line: "sign $DIR/body.json"},
		{line: "sign $DIR/body.json --signature standard-webhooks --secret-file $DIR/base.txt", code: 2},
		{line: "verify-signature $DIR/body.json -H X-Signature:00", code: 1},
		{line: "redact $DIR/received.jsonl --seed $SEED -o $DIR/redacted.jsonl"},
		{line: "redact $DIR/received.jsonl --seed $SEED -o $DIR/redacted.jsonl", code: 2},
		{line: "validate $DIR/received.jsonl " + reports, code: 1},
		{line: "validate $DIR/body.json"},
		{line: "payload invoice complete"},
		{line: "explain invoice complete"},
		{line: "graph --coverage $DIR/received.jsonl --format svg"},
		{line: "export --format postman -o $DIR/exported.json --endpoint $SHOP"},
		{line: "doctor --to $SHOP --probe-url $SHOP/orders/{id} --probe-header Authorization:$BEARER " + all},
		{line: "doctor --to http://127.0.0.1:1 --output json " + all, code: 1},
		{line: "config"},
		{line: "doctor --contract $DIR", code: 1},
		{line: "export --format http"},
		{line: "contract new $DIR/pack"},
		{line: "contract lint $DIR/pack"},
		{line: "contract diff built-in $DIR/pack", code: 1},
		{line: "init"},
		{line: "version"},
		{line: "demo"},
		{line: "demo --bug double-credit"},
	}
	for i, c := range calls {
		fill := strings.NewReplacer("$DIR", dir, "$SHOP", shop, "$BAD", bad, "$BUGGY", buggy, "$BEARER", bearer, "$PASSWORD", password, "$SEED", seedling, "$KEY", access, "NAME", fmt.Sprint("report", i))
		calls[i].args = strings.Fields(fill.Replace(c.line))
	}
	return calls
}

// stageFor writes what the calls read into a folder.
func stageFor(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	program, err := exec.LookPath("paytest")
	if err != nil {
		t.Fatal(err)
	}
	body := newPayer(t)
	_, payload := body.payload(t)
	for name, text := range map[string]string{
		"shared.txt": shared + "\n", "retired.txt": retired + "\n", "base.txt": "whsec_!!!" + shared, "body.json": string(payload),
		"pay.sh":   fmt.Sprintf("#!/bin/sh\n%s/dump.sh\nexec %s send transaction created --to $PAYTEST_URL --retries 0 --secret-file %s/shared.txt\n", dir, program, dir),
		"dump.sh":  fmt.Sprintf("#!/bin/sh\nfor p in $$ $PPID; do tr '\\0' '\\n' </proc/$p/cmdline; done >%[1]s/dumped.$$\ntr '\\0' '\\n' </proc/$$/environ >>%[1]s/dumped.$$\nenv >>%[1]s/dumped.$$\n", dir),
		"probe.sh": fmt.Sprintf("#!/bin/sh\n%s/dump.sh\nenv | grep PAYTEST >&2\necho null\n", dir),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), map[bool]fs.FileMode{true: 0o700, false: 0o600}[strings.HasSuffix(name, ".sh")]); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// play runs the program as a process and returns what it wrote.
func (c call) play(t *testing.T, program, dir string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, c.args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), cli.SecretEnv+"="+shared, "TMPDIR="+filepath.Join(dir, "tmp"))
	w := &watched{until: c.until, then: func() { _ = cmd.Process.Signal(os.Interrupt) }}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Run(); cmd.ProcessState == nil || c.until == "" && cmd.ProcessState.ExitCode() != c.code {
		t.Errorf("%s: %v\n%s", c.line, err, w)
	}
	return w.String()
}

// watched keeps what is written, and does something when it has come so far.
type watched struct {
	mu    sync.Mutex
	b     bytes.Buffer
	until string
	then  func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(p)
	if w.until != "" && bytes.Contains(w.b.Bytes(), []byte(w.until)) {
		w.until = ""
		w.then()
	}
	return len(p), nil
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// forms are a secret as it may be written.
func forms(secret string) []string {
	quoted, _ := json.Marshal(secret)
	out := []string{
		secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret))), url.QueryEscape(secret), url.PathEscape(secret),
		html.EscapeString(secret), strings.Trim(string(quoted), `"`), strconv.Quote(secret)[1 : len(secret)+1],
	}
	for shift := range 3 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
			out = append(out, text[(shift*8+5)/6:len(text)-2])
		}
	}
	return out
}

// leaked says where a secret stands in a text.
func leaked(text string) (found []string) {
	for _, secret := range secrets() {
		for _, form := range forms(secret) {
			if at := strings.Index(text, form); at >= 0 {
				found = append(found, text[max(0, at-60):at+len(form)])
			}
		}
	}
	return found
}

// TestTrustSecrets uses every command, so that it succeeds and fails, and looks
// for each secret in all that is written: to the terminal, to journals and reports,
// and into the environment and the arguments of what it starts.
func TestTrustSecrets(t *testing.T) {
	dir, played, written := stageFor(t), 0, 0
	for _, c := range everyCall(dir, keepShop(t), keepShop(t, "500"), keepShop(t, "double-credit")) {
		out := c.play(t, "paytest", dir)
		played, written = played+1, written+len(out)
		for _, where := range leaked(out) {
			t.Errorf("%s\nwrote %q", c.line, where)
		}
	}
	files := 0
	given := []string{"shared.txt", "retired.txt", "base.txt"}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || slices.Contains(given, d.Name()) {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files, written = files+1, written+len(raw)
		text := string(raw)
		if strings.HasPrefix(d.Name(), "dumped.") { // what is typed is an argument
			text = strings.NewReplacer("Authorization:"+bearer, "", "?key="+access, "").Replace(text)
		}
		for _, where := range leaked(text) {
			t.Errorf("%s holds %q", d.Name(), where)
		}
		info, err := d.Info()
		if open := []string{"redacted.jsonl", "paytest.yaml", "example.yaml", "paytest.yml"}; info.Mode().Perm()&0o077 != 0 && !strings.HasPrefix(path, filepath.Join(dir, "pack")) && !slices.Contains(open, d.Name()) && !strings.HasPrefix(d.Name(), "dumped.") {
			t.Errorf("%s can be read by others: %v", d.Name(), info.Mode())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if dumps, err := filepath.Glob(filepath.Join(dir, "dumped.*")); err != nil || len(dumps) < 5 {
		t.Errorf("%d started commands wrote what they were given: %v", len(dumps), err)
	}
	trust.Figure(t, "calls", played)
	trust.Figure(t, "files", files)
	trust.Figure(t, "bytes searched", written)
}

// TestEveryCall holds that no command is left out.
func TestEveryCall(t *testing.T) {
	var out bytes.Buffer
	env := outside()
	env.Args, env.Out = []string{"__complete", ""}, &out
	cli.Run(t.Context(), env)
	calls := everyCall("", "", "", "")
	for line := range strings.Lines(out.String()) {
		name, _, ok := strings.Cut(line, "\t")
		if !ok || slices.Contains([]string{"help", "completion"}, name) {
			continue
		}
		if !slices.ContainsFunc(calls, func(c call) bool { return c.args[0] == name }) {
			t.Errorf("nothing calls %s", name)
		}
	}
}

// TestTrustSecretsCatches holds that the search above finds a secret in each form.
func TestTrustSecretsCatches(t *testing.T) {
	dir := stageFor(t)
	for line, form := range map[string]string{"version": "writes its secret as it is", "config": "writes its secret in hexadecimal", "sign": "writes its secret in base64"} {
		if len(leaked(call{line: line, args: []string{line}}.play(t, "paytest-blab", dir))) == 0 {
			t.Errorf("a program that %s is not caught", form)
		} else {
			trust.Caught(t, form)
		}
	}
}
