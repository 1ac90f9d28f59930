package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdEnded waits until a program that start began has ended by itself, and
// checks its exit code. What it wrote is then stdout and stderr:
//
//	ended NAME CODE
func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "ended NAME CODE")
	p := worldOf(ts).programs[args[0]]
	if p == nil {
		ts.Fatalf("%s was not started", args[0])
	}
	<-p.done
	_, _ = io.WriteString(ts.Stdout(), p.stdout.String())
	_, _ = io.WriteString(ts.Stderr(), p.stderr.String())
	checkCode(ts, args[1], p.err)
}

// exchange is a delivery that is under way.
type exchange struct {
	done   chan struct{} // closed when the connection is
	answer []byte
}

// cmdUnderway delivers the body in a file, and goes on as soon as the receiver
// is about to read it:
//
//	underway NAME URL FILE
func cmdUnderway(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 3, "underway NAME URL FILE")
	u, err := url.Parse(args[1])
	ts.Check(err)
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", u.Host)
	ts.Check(err)
	ts.Defer(func() { _ = conn.Close() })
	body := strings.TrimSpace(ts.ReadFile(args[2]))
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", u.Path, u.Host, len(body))
	ts.Check(err)
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil || !strings.Contains(line, "100") {
		ts.Fatalf("%q %v", line, err)
	}
	_, err = io.WriteString(conn, body)
	ts.Check(err)
	x := &exchange{done: make(chan struct{})}
	worldOf(ts).exchanges[args[0]] = x
	go func() {
		defer close(x.done)
		x.answer, _ = io.ReadAll(in)
	}()
}

// cmdAnswered waits until the connection of a delivery is closed, and makes what
// came back stdout:
//
//	answered NAME
func cmdAnswered(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 1, "answered NAME")
	x := worldOf(ts).exchanges[args[0]]
	if x == nil {
		ts.Fatalf("no delivery %s is under way", args[0])
	}
	<-x.done
	_, _ = ts.Stdout().Write(x.answer)
}

// cmdWatch reads what an inspector tells in the background, and goes on as soon
// as it tells something; answered has all of it, once it has ended:
//
//	watch NAME URL
func cmdWatch(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "watch NAME URL")
	r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, args[1], nil)
	ts.Check(err)
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(r)
	ts.Check(err)
	ts.Defer(func() { _ = answer.Body.Close() })
	in := bufio.NewReader(answer.Body)
	first, err := in.ReadBytes('\n')
	ts.Check(err)
	x := &exchange{done: make(chan struct{})}
	worldOf(ts).exchanges[args[0]] = x
	go func() {
		defer close(x.done)
		rest, _ := io.ReadAll(in)
		x.answer = append(first, rest...)
	}()
}
