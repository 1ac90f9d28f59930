//go:build unix

package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/paytest/paytest/internal/deliver"
	shop "github.com/paytest/paytest/internal/merchant"
	"github.com/paytest/paytest/internal/signature"
)

// running is a command in a terminal of its own.
type running struct {
	terminal *os.File
	command  *exec.Cmd
	shown    string        // what the document says of it
	done     chan struct{} // closed when it has ended, and all is read
	code     int           // once done is closed

	mu   sync.Mutex
	came strings.Builder
	more chan struct{} // closed and made anew when more has come
}

// start runs a command line as bash does.
func (s *stage) start(b *block, command string) *running {
	s.t.Helper()
	line := s.real(command)
	if strings.Contains(line, "$?") {
		line = "(exit " + strconv.Itoa(s.code) + ")\n" + line
	}
	r := &running{command: exec.CommandContext(context.Background(), s.bash, "-c", line), done: make(chan struct{}), more: make(chan struct{})}
	r.command.Env, r.command.Dir = s.env, s.dir
	if _, ok := b.order("clone"); ok {
		r.command.Dir = filepath.Join("..", "..")
		r.command.Env = append(slices.Clone(s.env), goEnv(s.t)...)
	}
	terminal, err := pty.StartWithSize(r.command, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		s.t.Fatal(err)
	}
	r.terminal = terminal
	s.t.Cleanup(func() {
		_ = r.command.Process.Kill()
		<-r.done
	})
	go r.read()
	return r
}

// goEnv is where the go command finds what it has built, whatever the HOME.
func goEnv(t *testing.T) []string {
	t.Helper()
	names := []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOTOOLCHAIN"}
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var env []string
	for i, value := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		env = append(env, names[i]+"="+value)
	}
	return env
}

// read takes what the command shows until it has ended.
func (r *running) read() {
	defer close(r.done)
	buf := make([]byte, 4096)
	for {
		n, err := r.terminal.Read(buf)
		r.mu.Lock()
		r.came.Write(buf[:n])
		close(r.more)
		r.more = make(chan struct{})
		r.mu.Unlock()
		if err != nil { // Linux has EIO for the end
			break
		}
	}
	err := r.command.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		r.code = exit.ExitCode()
	}
	_ = r.terminal.Close()
}

func (r *running) wait() int {
	<-r.done
	return r.code
}

// text is what a reader sees in the terminal.
func (r *running) text() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out strings.Builder
	for line := range strings.Lines(r.came.String()) {
		line, ended := strings.CutSuffix(line, "\n")
		line = strings.TrimRight(line, "\r")
		line = line[strings.LastIndex(line, "\r")+1:]
		line = strings.ReplaceAll(line, "\x1b[2K", "")
		if out.WriteString(line); ended || line != "" {
			out.WriteString("\n")
		}
	}
	return out.String()
}

// until waits until what came fulfils a condition, or the command has ended.
func (r *running) until(fulfilled func(text string) bool, patience <-chan time.Time) {
	for {
		r.mu.Lock()
		text, more := r.came.String(), r.more
		r.mu.Unlock()
		if fulfilled(text) {
			return
		}
		select {
		case <-more:
		case <-r.done:
			return
		case <-patience:
			return
		}
	}
}

// ready waits until a listener or an inspector says that it serves.
func (r *running) ready() {
	r.until(regexp.MustCompile(`(?m)^(listening on|inspector:) .*\n|"type":"ready".*\n`).MatchString, nil)
}

// lines waits for as many lines as the document shows. When the document is not
// true any more they may never come: then it goes on, and the comparison tells.
func (r *running) lines(n int) {
	r.until(func(text string) bool { return strings.Count(text, "\n") >= n }, time.After(5*time.Second))
}

// forever is how old an event may be for an endpoint that trusts everybody: the
// payments of documents happen when the gateway's own samples do.
const forever = 100 * 365 * 24 * time.Hour

// serve makes the document's endpoint answer on port 3000, unless the command
// itself listens there.
func (s *stage) serve(command string) {
	if regexp.MustCompile(`paytest listen :3000\b`).MatchString(command) {
		s.unserve()
		return
	}
	if s.endpoint != nil || s.beside != nil && strings.Contains(strings.Join(s.beside.command.Args, " "), "paytest listen :"+s.port("3000")) {
		return
	}
	o := shop.Options{Contract: builtIn(s.t), Now: time.Now, Wait: deliver.Sleep, Tolerance: forever}
	for _, word := range s.words {
		if word != "signed" {
			o.Bug = word
			continue
		}
		secret, err := signature.NewSecret([]byte(shopSecret))
		if err != nil {
			s.t.Fatal(err)
		}
		o.Secrets, o.Tolerance = []signature.Secret{secret}, 0
	}
	m, err := shop.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+s.port("3000")) //nolint:noctx // it is there at once
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- m.Serve(ctx, l) }()
	s.endpoint = func() {
		stop()
		if err := <-ended; err != nil {
			s.t.Error(err)
		}
	}
}

func (s *stage) unserve() {
	if s.endpoint != nil {
		s.endpoint()
		s.endpoint = nil
	}
}
