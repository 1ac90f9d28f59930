//go:build unix

package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocs runs every command of the documents, and holds what they show to what
// is shown: README.md and docs. Each document has a folder and an endpoint of its
// own, and its commands run in a terminal of 80 columns. A comment before a block
// says what else there is to know:
//
//	<!-- test:
//	skip REASON          the block cannot be run here
//	file NAME            the block is this file's text
//	run COMMAND          run this first, unseen
//	needs PROGRAM        without it the document is not run
//	endpoint WORDS       what answers on port 3000 from here on: "signed" and the
//	                     name of a bug, where it has one
//	clone                run in a clone of the repository
//	exits CODE           the last command ends with this code
//	volatile NAMES       more parts that are different each time: amounts, columns,
//	                     hashes, lateness, numbers, waits
//	meanwhile COMMAND    run this when the last command is ready, then end that
//	beside               the last command goes on until the next block has been run
//	-->
//
// Rewrite what the documents show with
//
//	go test ./cmd/paytest -run TestDocs -update
func TestDocs(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("the documents' commands are for bash, which is not here")
	}
	for _, name := range documents(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("..", "..", filepath.FromSlash(name))
			source, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := newStage(t, bash)
			shown := s.play(readPage(source))
			if *update && string(shown) != string(source) && !t.Failed() {
				if err := os.WriteFile(path, shown, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d commands run; %d blocks not run: %s", s.ran, len(s.skipped), strings.Join(s.skipped, "; "))
		})
	}
}

// stage is where a document is played.
type stage struct {
	t         *testing.T
	bash, dir string
	env       []string
	ports     map[string]string // by the port that the document names
	ran       int
	skipped   []string
	code      int // of the last command
	endpoint  func()
	words     []string // what the endpoint is
	beside    *running // what goes on while a block runs
	next      *running // what goes on while the next one does
}

func newStage(t *testing.T, bash string) *stage {
	s := &stage{t: t, bash: bash, dir: t.TempDir(), ports: map[string]string{}}
	home := t.TempDir()
	s.write(filepath.Join(home, ".config", "paytest", "paytest.yaml"), "to: http://localhost:"+s.port("3000")+"\n")
	s.write(filepath.Join(s.dir, "secret.txt"), shopSecret+"\n")
	s.env = append(s.env, "PATH="+os.Getenv("PATH"), "HOME="+home, "TERM=xterm", "NO_COLOR=1", "LC_ALL=C.UTF-8", "WEBHOOK_SECRET="+shopSecret, "GORACE=atexit_sleep_ms=1")
	t.Cleanup(s.unserve)
	return s
}

func (s *stage) write(path, text string) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// port is the free port of this machine that stands for one that a document
// names: one of as many digits, which no program gets that asks for any.
func (s *stage) port(named string) string {
	for s.ports[named] == "" {
		n := 2000 + rand.IntN(7999)
		if len(named) == 5 {
			n = 12000 + rand.IntN(18000)
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(n)) //nolint:noctx // it is there at once
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			s.t.Fatal(err)
		}
		s.ports[named] = strconv.Itoa(n)
	}
	return s.ports[named]
}

// real puts the ports of this machine into a text of the document.
func (s *stage) real(text string) string {
	return regexp.MustCompile(`:\d{4,5}\b`).ReplaceAllStringFunc(text, func(p string) string { return ":" + s.port(p[1:]) })
}

// documented puts the document's ports into what a program shows.
func (s *stage) documented(text string) string {
	for named, real := range s.ports {
		text = regexp.MustCompile(`:`+real+`\b`).ReplaceAllString(text, ":"+named)
	}
	return text
}

// played is a block that was run, and what each of its commands shows.
type played struct {
	*block
	commands []told
	shows    []*running
}

// play runs a document's blocks, and returns the document as it should be.
func (s *stage) play(p *page) []byte {
	var runs []played
	for i := range p.blocks {
		b := &p.blocks[i]
		s.obey(b)
		if commands, shows, ran := s.block(b); ran {
			s.end(s.beside)
			s.beside, s.next = s.next, nil
			runs = append(runs, played{b, commands, shows})
		}
	}
	s.end(s.beside)
	var out []byte
	at := 0
	for _, r := range runs {
		if shown := s.compare(r); len(r.commands) > 0 && shown != r.text {
			out = append(append(out, p.source[at:r.start]...), shown...)
			at = r.stop
		}
	}
	return append(out, p.source[at:]...)
}

// obey does what comments order before a block.
func (s *stage) obey(b *block) {
	for _, o := range b.orders {
		switch o.verb {
		case "run":
			s.must(b, o.rest)
		case "needs":
			if _, err := exec.LookPath(o.rest); err != nil {
				s.t.Skipf("line %d: it needs %s, which is not here", b.line, o.rest)
			}
		case "endpoint":
			s.unserve()
			s.words = strings.Fields(o.rest)
		case "skip", "file", "clone", "exits", "volatile", "meanwhile", "beside":
		default:
			s.t.Errorf("line %d: a comment orders %q, which nobody knows", b.line, o.verb)
		}
	}
}

// must runs a command that nobody sees, and that succeeds.
func (s *stage) must(b *block, command string) {
	s.serve(command)
	if r := s.start(b, "set -o pipefail\n"+command); r.wait() != 0 {
		s.t.Errorf("line %d: exit code %d: %s\n%s", b.line, r.code, command, r.text())
	}
}

// block runs a block. It returns false for one that is not to be run, and no
// commands for one whose output is not shown.
func (s *stage) block(b *block) (commands []told, shows []*running, ran bool) {
	reason, skip := b.order("skip")
	name, isFile := b.order("file")
	switch {
	case skip && reason == "":
		s.t.Errorf("line %d: a block is skipped without a reason", b.line)
	case skip:
		s.skipped = append(s.skipped, fmt.Sprintf("line %d, %s", b.line, reason))
	case isFile:
		s.write(filepath.Join(s.dir, name), s.real(b.text))
	case b.indented:
		s.t.Errorf("line %d: an indented block has no language, so nobody knows whether to run it: fence it", b.line)
	case b.language == "console":
		commands, shows = s.console(b)
		return commands, shows, true
	case b.language == "sh":
		s.script(b)
		return nil, nil, true
	case b.text != "":
		s.t.Errorf("line %d: a block of %q is neither run nor a file: say file NAME or skip REASON in a comment", b.line, b.language)
	}
	return nil, nil, false
}

// script runs a block whose output is not shown, command by command.
func (s *stage) script(b *block) {
	command := ""
	for line := range strings.Lines(b.text) {
		command += line
		if strings.HasSuffix(line, "\\\n") {
			continue
		}
		if text := strings.TrimSpace(command); text != "" && !strings.HasPrefix(text, "#") {
			s.ran++
			s.must(b, command)
		}
		command = ""
	}
}

// console runs a transcript.
func (s *stage) console(b *block) (commands []told, shows []*running) {
	commands, err := readTranscript(b.text)
	if err != nil {
		s.t.Errorf("line %d: %v", b.line, err)
	}
	meanwhile, waits := b.order("meanwhile")
	_, beside := b.order("beside")
	for i, c := range commands {
		s.ran++
		s.serve(c.command)
		r := s.start(b, c.command)
		r.shown = c.output
		shows = append(shows, r)
		last := i == len(commands)-1
		switch {
		case last && beside:
			r.ready()
			s.next = r
		case last && waits:
			r.ready()
			before := s.beside
			s.beside = r
			s.must(b, meanwhile)
			s.beside = before
			s.end(r)
		default:
			s.code = r.wait()
			s.checkCode(b, commands, i)
		}
	}
	return commands, shows
}

// checkCode holds that a command succeeds, unless the document says that it does
// not: in a comment, or by asking for the code next.
func (s *stage) checkCode(b *block, commands []told, i int) {
	wanted := 0
	if i+1 < len(commands) {
		if strings.Contains(commands[i+1].command, "$?") {
			return
		}
	} else if code, ok := b.order("exits"); ok {
		wanted, _ = strconv.Atoi(code)
	}
	if s.code != wanted {
		s.t.Errorf("line %d: exit code %d, not %d: %s", b.line, s.code, wanted, commands[i].command)
	}
}

// end waits for a program that ran beside another, and interrupts it where the
// document shows that.
func (s *stage) end(r *running) {
	if r == nil {
		return
	}
	if before, _, ok := strings.Cut(r.shown, "^C"); ok {
		r.lines(strings.Count(before, "\n"))
		_, _ = r.terminal.Write([]byte{3})
	}
	r.wait()
}

// compare holds what was shown against what came, and returns the block as it
// should be.
func (s *stage) compare(r played) string {
	var out strings.Builder
	volatile, _ := r.order("volatile")
	for i, c := range r.commands {
		came := s.documented(r.shows[i].text())
		was, err := shaped(c.output, strings.Fields(volatile))
		if err != nil {
			s.t.Fatalf("line %d: %v", r.line, err)
		}
		is, _ := shaped(came, strings.Fields(volatile))
		out.WriteString(c.typed)
		if was == is {
			out.WriteString(c.output)
			continue
		}
		out.WriteString(came)
		if !*update {
			s.t.Errorf("line %d: what %q shows is not what it is said to show (-said +shown):\n%s", r.line, strings.TrimSpace(c.command), cmp.Diff(was, is))
		}
	}
	return out.String()
}
