package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the golden parts of the scenarios")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"paytest": main, "paytest-early": early, "paytest-hospitable": hospitable, "paytest-shop": shopkeeper, "paytest-blab": blab})
}

// TestScripts runs the scenarios in testdata/script, each of which reads as a
// document of what a user sees. Besides testscript's own commands they use those
// of the functions below.
func TestScripts(t *testing.T) {
	action, err := filepath.Abs(filepath.Join("..", "..", "action"))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			// Under the race detector every program would otherwise end with a second's sleep.
			e.Setenv("GORACE", "atexit_sleep_ms=1 "+e.Getenv("GORACE"))
			e.Setenv("ACTION", action)
			e.Setenv("PEERS", peers())
			e.Values[worldKey{}] = &world{env: e.Vars, programs: map[string]*program{}, servers: map[string]*endpoint{}, exchanges: map[string]*exchange{}}
			return nil
		},
		// peers says that the validators of what is published are here.
		Condition: func(cond string) (bool, error) {
			if cond != "peers" {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat(filepath.Join(peers(), "node_modules", "newman"))
			_, missing := exec.LookPath("node")
			return err == nil && missing == nil, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":    cmdExits,
			"start":    cmdStart,
			"end":      cmdEnd,
			"serve":    cmdServe,
			"received": cmdReceived,
			"request":  cmdRequest,
			"types":    cmdTypes,
			"columns":  cmdColumns,
			"ended":    cmdEnded,
			"underway": cmdUnderway,
			"answered": cmdAnswered,
			"merchant": cmdMerchant,
			"bodies":   cmdBodies,
			"hides":    cmdHides,
			"alike":    cmdAlike,
			"junit":    cmdJUnit,
			"shop":     cmdShop,
			"watch":    cmdWatch,
			"releases": cmdReleases,
		},
	})
}

// peers is the folder of the validators.
func peers() string {
	path, err := filepath.Abs(filepath.Join("..", "..", "internal", "publish", "testdata"))
	if err != nil {
		panic(err)
	}
	return path
}

// world is what one scenario has running, and the environment it began with.
type world struct {
	env      []string
	programs map[string]*program
	servers  map[string]*endpoint

	exchanges map[string]*exchange
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world {
	w, ok := ts.Value(worldKey{}).(*world)
	if !ok {
		ts.Fatalf("the scenario has no world")
	}
	return w
}

func want(ts *testscript.TestScript, ok bool, usage string) {
	if !ok {
		ts.Fatalf("usage: %s", usage)
	}
}

// cmdExits runs a program that must end with this exit code:
//
//	exits CODE PROGRAM [ARGUMENT...]
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 1, "exits CODE PROGRAM [ARGUMENT...]")
	err := ts.Exec(args[1], args[2:]...)
	checkCode(ts, args[0], err)
}

func checkCode(ts *testscript.TestScript, wanted string, err error) {
	code := 0
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		code = exit.ExitCode()
	case err != nil:
		ts.Fatalf("it did not run: %v", err)
	}
	if strconv.Itoa(code) != wanted {
		ts.Fatalf("exit code %d, not %s", code, wanted)
	}
}

// program is one that runs beside the scenario.
type program struct {
	cmd            *exec.Cmd
	stdout, stderr *transcript
	done           chan struct{} // closed when it has ended
	err            error         // how it ended, once done is closed
}

// transcript keeps what a program writes and looks for the line that says where
// it listens.
type transcript struct {
	mu    sync.Mutex
	text  bytes.Buffer
	ready chan<- place
}

// place is where a program listens, or where it shows its page.
type place struct {
	url  string
	page bool
}

func inspecting() *regexp.Regexp {
	return regexp.MustCompile(`"type":"ready".*?"ui":"(http://[^"]+)"|^inspector: (http://\S+)`)
}

func listening() *regexp.Regexp {
	return regexp.MustCompile(`"type":"ready".*?"urls":\["(http://[^"]+)"|^listening on (http://\S+)`)
}

func (t *transcript) copy(from io.Reader) {
	line, page := listening(), inspecting()
	in := bufio.NewReader(from)
	for {
		s, err := in.ReadString('\n')
		t.mu.Lock()
		t.text.WriteString(s)
		t.mu.Unlock()
		if m := page.FindStringSubmatch(s); m != nil {
			t.ready <- place{m[1] + m[2], true}
		}
		if m := line.FindStringSubmatch(s); m != nil {
			t.ready <- place{m[1] + m[2], false}
		}
		if err != nil {
			return
		}
	}
}

func (t *transcript) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.text.String()
}

// cmdStart starts a listener or an inspector in the background, waits until it
// says that it is ready, and sets the variables NAME to its URL and NAME_addr to
// its HOST:PORT, NAME_ui to the URL of its page without the last slash, NAME_page
// to the HOST:PORT of that:
//
//	start NAME PROGRAM ARGUMENT...
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 2, "start NAME PROGRAM ARGUMENT...")
	w, name := worldOf(ts), args[0]
	ready := make(chan place, 2)
	p := &program{
		cmd:    exec.CommandContext(context.Background(), lookPath(ts, args[1]), args[2:]...),
		stdout: &transcript{ready: ready}, stderr: &transcript{ready: ready},
		done: make(chan struct{}),
	}
	p.cmd.Dir, p.cmd.Env = ts.MkAbs("."), w.env
	ts.Check(p.run())
	w.programs[name] = p
	ts.Defer(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	for waiting := true; waiting; {
		select {
		case at := <-ready:
			if at.page {
				ts.Setenv(name+"_ui", strings.TrimSuffix(at.url, "/"))
				ts.Setenv(name+"_page", strings.Split(at.url, "/")[2])
				waiting = args[2] == "listen"
				continue
			}
			ts.Setenv(name, at.url)
			ts.Setenv(name+"_addr", strings.TrimPrefix(at.url, "http://"))
			waiting = false
		case <-p.done:
			ts.Fatalf("%s ended before it was ready: %v\n%s%s", name, p.err, p.stdout, p.stderr)
		}
	}
}

// run starts the program; done is closed when it has ended and all it wrote has
// been read.
func (p *program) run() error {
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	errs, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.stdout.copy(out) })
	readers.Go(func() { p.stderr.copy(errs) })
	go func() {
		readers.Wait()
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return nil
}

func lookPath(ts *testscript.TestScript, name string) string {
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		path := filepath.Join(dir, name+ts.Getenv("exe"))
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	ts.Fatalf("there is no program %s", name)
	return ""
}

// cmdEnd sends a signal to a program that start began, waits for its end and
// checks its exit code. What it wrote is then stdout and stderr:
//
//	end NAME SIGNAL CODE
func cmdEnd(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	want(ts, !neg && len(args) == 3 && signals[args[1]] != nil, "end NAME INT|TERM CODE")
	p := worldOf(ts).programs[args[0]]
	if p == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	ts.Check(p.cmd.Process.Signal(signals[args[1]]))
	<-p.done
	_, _ = io.WriteString(ts.Stdout(), p.stdout.String())
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	checkCode(ts, args[2], p.err)
}

// endpoint is a merchant's server as far as send can see it.
type endpoint struct {
	answer   func(http.ResponseWriter, *http.Request)
	mu       sync.Mutex
	received bytes.Buffer
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	e.mu.Lock()
	fmt.Fprintf(&e.received, "%s %s\n", r.Method, r.URL)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&e.received, "%s: %s\n", name, strings.Join(r.Header[name], ", "))
	}
	fmt.Fprintf(&e.received, "\n%s\n", body)
	e.mu.Unlock()
	e.answer(w, r)
}

// cmdServe starts a server that answers every request in one way, and sets the
// variable NAME to its URL:
//
//	serve NAME STATUS [BODY [HEADER:VALUE...]]
//	serve NAME slow      never answers
//	serve NAME stalls    answers 200, and never ends its answer
//	serve NAME closes    closes the connection in place of an answer
//	serve NAME hostile   answers 200, with all that moves a terminal's cursor
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 1, "serve NAME STATUS|slow|stalls|closes|hostile [BODY [HEADER:VALUE...]]")
	e := &endpoint{}
	switch status, err := strconv.Atoi(args[1]); {
	case err == nil:
		e.answer = fixed(status, args[2:])
	case args[1] == "slow":
		e.answer = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	case args[1] == "stalls":
		e.answer = func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "so ")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}
	case args[1] == "closes":
		e.answer = func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	case args[1] == "hostile":
		e.answer = fixed(http.StatusOK, []string{"\x1b[2Jred\r\nalert\u202e\u2028\x9b\xff"})
	default:
		ts.Fatalf("serve: unknown %q", args[1])
	}
	server := httptest.NewServer(e)
	ts.Defer(server.Close)
	worldOf(ts).servers[args[0]] = e
	ts.Setenv(args[0], server.URL)
}

func fixed(status int, args []string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, h := range args[min(1, len(args)):] {
			name, value, _ := strings.Cut(h, ":")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		if len(args) > 0 {
			_, _ = io.WriteString(w, args[0])
		}
	}
}

// cmdReceived makes what a server got stdout:
//
//	received NAME
func cmdReceived(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "received NAME")
	e := worldOf(ts).servers[args[0]]
	if e == nil {
		ts.Fatalf("%s does not serve", args[0])
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = ts.Stdout().Write(e.received.Bytes())
}

// cmdRequest makes a request as a browser or a health check does; status and
// body of the answer become stdout:
//
//	request METHOD URL [HEADER:VALUE...]
func cmdRequest(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 1, "request METHOD URL [HEADER:VALUE...]")
	r, err := http.NewRequestWithContext(context.Background(), args[0], args[1], nil)
	ts.Check(err)
	for _, h := range args[2:] {
		name, value, _ := strings.Cut(h, ":")
		r.Header.Set(name, value)
		if name == "Host" {
			r.Host = value
		}
	}
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	ts.Check(err)
	body, err := io.ReadAll(answer.Body)
	ts.Check(err)
	ts.Check(answer.Body.Close())
	_, _ = fmt.Fprintf(ts.Stdout(), "%d\n%s\n", answer.StatusCode, body)
}

// cmdTypes checks that each line of a file is one JSON object, and that the
// types of these objects are, in this order, those given:
//
//	types FILE TYPE...
func cmdTypes(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) > 0, "types FILE TYPE...")
	var got []string
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		var object struct{ Type string }
		if err := json.Unmarshal([]byte(line), &object); err != nil || !strings.HasSuffix(line, "\n") {
			ts.Fatalf("%q is not a line of JSON: %v", line, err)
		}
		got = append(got, object.Type)
	}
	if !slices.Equal(got, args[1:]) {
		ts.Fatalf("the lines have the types %q, not %q", got, args[1:])
	}
}

// cmdColumns checks that no line of a file is wider than this:
//
//	columns WIDTH FILE
func cmdColumns(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "columns WIDTH FILE")
	width, err := strconv.Atoi(args[0])
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[1])) {
		if line = strings.TrimSuffix(line, "\n"); utf8.RuneCountInString(line) > width {
			ts.Fatalf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
}
