package listen_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/listen"
	"github.com/paytest/paytest/internal/signature"
	"github.com/paytest/paytest/internal/verify"
)

// ending is a handler behind a listener of pipes.
type ending struct {
	*pipes
	t    *testing.T
	stop context.CancelFunc
	done chan error
}

func front(t *testing.T, h http.Handler) *ending {
	ctx, cancel := context.WithCancel(t.Context())
	s := &ending{newPipes(), t, cancel, make(chan error, 1)}
	go func() { s.done <- listen.Serve(ctx, []net.Listener{s}, h, nobody) }()
	return s
}

func (s *ending) end() {
	s.stop()
	if err := <-s.done; err != nil {
		s.t.Error(err)
	}
}

// say sends bytes over a new connection and returns all that comes back.
func (s *ending) say(raw string) string {
	conn := s.dial()
	defer func() { _ = conn.Close() }()
	go func() { _, _ = io.WriteString(conn, raw) }()
	said, _ := io.ReadAll(conn)
	return string(said)
}

func lender(c *contract.Contract, change func(*listen.Options)) *listen.Handler {
	o := listen.Options{
		Contract: c, Checker: verify.NewChecker(c, verify.Strict{}), Now: time.Now, OnDelivery: func(*listen.Delivery) {}, Lend: true,
	}
	if change != nil {
		change(&o)
	}
	return listen.New(o)
}

func sent(path string, body []byte, lines ...string) string {
	head := []string{"POST " + path + " HTTP/1.1", "Host: localhost:3000", "Content-Type: application/json", fmt.Sprintf("Content-Length: %d", len(body))}
	return strings.Join(append(head, lines...), "\r\n") + "\r\n\r\n" + string(body)
}

// TestFront holds that deliveries are answered and reported in the same way, to the
// byte, by the short way and by net/http, which a request that closes its connection
// is left to.
func TestFront(t *testing.T) {
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 1)
	_, complete := post(t, c, "invoice", "complete", 1)
	_, cancel := post(t, c, "invoice", "cancel", 1)
	created, other := post(t, c, "transaction", "created", 2)
	secret, err := signature.NewSecret([]byte("a secret of this test"))
	if err != nil {
		t.Fatal(err)
	}
	scheme := signature.HMACHeader(c.Signature.Header, "", signature.Hex)
	header, err := scheme.Sign([]signature.Secret{secret}, signature.Message{Body: complete})
	if err != nil {
		t.Fatal(err)
	}
	signed := c.Signature.Header + ": " + header.Get(c.Signature.Header)
	only := func(event, _ string) bool { return strings.HasPrefix(event, "invoice") }
	for _, test := range []struct {
		name   string
		change func(*listen.Options)
		sent   []string
	}{
		{"legal, and again", nil, []string{sent(path, pending), sent(path, complete), sent(path, complete)}},
		{"illegal", nil, []string{sent(path, complete), sent(path, cancel)}},
		{"no JSON", nil, []string{sent(path, []byte("{")), sent(path, pending)}},
		{"wrong path", nil, []string{sent(created, pending), sent(created, other)}},
		{"always ok", func(o *listen.Options) { o.AlwaysOK = true }, []string{sent(path, []byte("{"))}},
		{"signatures", func(o *listen.Options) { o.Secrets, o.Scheme = []signature.Secret{secret}, scheme }, []string{
			sent(path, complete, signed), sent(path, pending, signed), sent(path, pending), sent(path, complete, signed),
		}},
		{"filtered", func(o *listen.Options) { o.Filter = only }, []string{sent(created, other), sent(path, pending)}},
		{"not recorded", func(o *listen.Options) { o.Record = each(func(*listen.Delivery) error { return errors.New("full") }) }, []string{sent(path, pending)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var got [2][]string
				var reports [2][]string
				for way := range got {
					h := lender(c, func(o *listen.Options) {
						o.OnDelivery = func(d *listen.Delivery) {
							reports[way] = append(reports[way], fmt.Sprintf("%s %s %s %d %s %v %q", d.Method, d.Path, d.Body, d.Status, d.Answer, d.Verdict.Findings, d.Signature))
						}
						if test.change != nil {
							test.change(o)
						}
					})
					s := front(t, h)
					for _, raw := range test.sent {
						if way == 1 {
							raw = strings.Replace(raw, "\r\n", "\r\nConnection: close\r\n", 1)
						}
						conn := s.dial()
						go func() { _, _ = io.WriteString(conn, raw) }()
						answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
						if err != nil {
							t.Fatal(err)
						}
						body, _ := io.ReadAll(answer.Body)
						_ = answer.Body.Close()
						got[way] = append(got[way], fmt.Sprint(answer.Proto, answer.Status, answer.Header, answer.ContentLength, string(body)))
						_ = conn.Close()
					}
					s.end()
				}
				for i, long := range got[1] {
					got[1][i] = strings.Replace(long, "Connection:[close] ", "", 1)
				}
				if diff := cmp.Diff(got[1], got[0]); diff != "" {
					t.Errorf("answers (-net/http +short way):\n%s", diff)
				}
				if diff := cmp.Diff(reports[1], reports[0]); diff != "" {
					t.Errorf("reports (-net/http +short way):\n%s", diff)
				}
			})
		})
	}
}

// TestFrontPipelined holds that requests sent at once are answered in turn, whichever
// way each takes.
func TestFrontPipelined(t *testing.T) {
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 1)
	_, complete := post(t, c, "invoice", "complete", 1)
	synctest.Test(t, func(t *testing.T) {
		s := front(t, lender(c, nil))
		said := s.say(sent(path, pending) + sent(path, complete) + "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + sent(path, complete, "Connection: close"))
		var got []string
		for r := bufio.NewReader(strings.NewReader(said)); ; {
			answer, err := http.ReadResponse(r, nil)
			if err != nil {
				break
			}
			body, _ := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			got = append(got, fmt.Sprint(answer.StatusCode, " ", string(body)))
		}
		if want := []string{`200 {"status":"ok"}`, `200 {"status":"ok"}`, `200 {"status":"ok"}`}; len(got) != 4 || !slices.Equal(got[:3], want) || !strings.HasPrefix(got[3], `200 {"status":"duplicate"`) {
			t.Errorf("answered %q", got)
		}
		s.end()
	})
}

// TestFrontLineEnds holds that line ends behind a body, which some senders write, are
// no request, and that what is ambiguous is told of the request that it is in.
func TestFrontLineEnds(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	plain, other := sent(path, body), sent(path, body, "X-Tab: a\tb")
	last := sent(path, body, "Connection: close")
	bare := strings.Replace(last, "\r\nHost", "\nHost", 1)
	for name, test := range map[string]struct{ sent, statuses string }{
		"behind a plain request":        {plain + "\r\n" + last, "200 200"},
		"two behind a plain request":    {plain + "\r\n\r\n" + plain + "\r\n" + last, "200 200 200"},
		"behind another":                {other + "\r\n" + last, "200 200"},
		"before the first":              {"\r\n" + last, "400"},
		"LF alone behind a plain one":   {plain + "\n" + last, "200 400"},
		"LF alone behind another":       {other + "\n" + last, "200 400"},
		"a plain one before a bare LF":  {plain + bare, "200 400"},
		"another before a bare LF":      {other + bare, "200 400"},
		"another, and one, before that": {other + plain + bare, "200 200 400"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := front(t, lender(c, nil))
				var got []string
				for _, hit := range regexp.MustCompile(`HTTP/1\.1 (\d+)`).FindAllStringSubmatch(s.say(test.sent), -1) {
					got = append(got, hit[1])
				}
				if strings.Join(got, " ") != test.statuses {
					t.Errorf("answered %q, not %s", got, test.statuses)
				}
				s.end()
			})
		})
	}
}

// TestFrontSlowSenders holds that the short way lets nobody hold a connection for
// longer than net/http does, also after a request that was answered.
func TestFrontSlowSenders(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	whole := sent(path, body)
	for _, test := range []struct {
		name string
		sent string
		want time.Duration
		line string // the first of the last answer
	}{
		{"nothing at all", "", 8 * time.Second, ""},
		{"half a header", whole[:40], 5 * time.Second, ""},
		{"half a body", whole[:len(whole)-1], 7 * time.Second, "HTTP/1.1 400 Bad Request"},
		{"a request, then nothing", whole, 7 * time.Second, "HTTP/1.1 200 OK"},
		{"a request, then half a header", whole + whole[:40], 5 * time.Second, "HTTP/1.1 200 OK"},
		{"a request, then half a body", whole + whole[:len(whole)-1], 7 * time.Second, "HTTP/1.1 400 Bad Request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := front(t, lender(c, nil))
				began := time.Now()
				said := s.say(test.sent)
				if took := time.Since(began); took != test.want {
					t.Errorf("closed after %s, not %s", took, test.want)
				}
				line, _, _ := strings.Cut(said[max(0, strings.LastIndex(said, "HTTP/1.1")):], "\r\n")
				if line != test.line {
					t.Errorf("answered %q", said)
				}
				s.end()
			})
		})
	}
}

// TestFrontUnread holds that who reads no answers is cut off.
func TestFrontUnread(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	synctest.Test(t, func(t *testing.T) {
		s := front(t, lender(c, nil))
		conn, began := s.dial(), time.Now()
		for range 100 { // the first answer is never read
			if _, err := io.WriteString(conn, sent(path, body)); err != nil {
				break
			}
		}
		if took := time.Since(began); took != 20*time.Second {
			t.Errorf("cut off after %s", took)
		}
		_ = conn.Close()
		s.end()
	})
}

// TestFrontLeaves holds that a connection that waits is ended at once when the
// listener ends, while a delivery under way is recorded and answered before.
func TestFrontLeaves(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	synctest.Test(t, func(t *testing.T) {
		entered, release := make(chan struct{}), make(chan struct{})
		s := front(t, lender(c, func(o *listen.Options) {
			o.Record = each(func(*listen.Delivery) error {
				close(entered)
				<-release
				return nil
			})
		}))
		idle, busy := s.dial(), s.dial()
		answered := make(chan string, 1)
		go func() {
			_, _ = io.WriteString(busy, sent(path, body))
			said, _ := io.ReadAll(busy)
			answered <- string(said)
		}()
		<-entered
		began := time.Now()
		s.stop()
		if said, err := io.ReadAll(idle); err != nil || len(said) > 0 {
			t.Errorf("the idle connection said %q, %v", said, err)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the idle connection was ended after %s", took)
		}
		synctest.Wait()
		select {
		case err := <-s.done:
			t.Fatalf("ended with a delivery under way: %v", err)
		default:
		}
		close(release)
		if said := <-answered; !strings.HasPrefix(said, "HTTP/1.1 200 OK\r\n") {
			t.Errorf("answered %q", said)
		}
		if err := <-s.done; err != nil {
			t.Error(err)
		}
		_ = idle.Close()
		_ = busy.Close()
	})
}

// TestFrontSurvives holds that a delivery that makes the program fail costs its own
// connection alone.
func TestFrontSurvives(t *testing.T) {
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 1)
	_, complete := post(t, c, "invoice", "complete", 1)
	synctest.Test(t, func(t *testing.T) {
		first := true
		s := front(t, lender(c, func(o *listen.Options) {
			o.OnDelivery = func(*listen.Delivery) {
				if first {
					first = false
					panic("a bug")
				}
			}
		}))
		if said := s.say(sent(path, pending)); said != "" {
			t.Errorf("answered %q", said)
		}
		conn := s.dial()
		go func() { _, _ = io.WriteString(conn, sent(path, complete)) }()
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			t.Errorf("answered %s", answer.Status)
		}
		_ = conn.Close()
		s.end()
	})
}
