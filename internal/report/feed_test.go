package report

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/verify"
)

// gated is a reader that reads nothing until it is let.
type gated struct {
	entered, open chan struct{}
	text          bytes.Buffer
}

func newGated() *gated { return &gated{entered: make(chan struct{}, 1), open: make(chan struct{})} }

func (g *gated) Write(b []byte) (int, error) {
	select {
	case g.entered <- struct{}{}:
	default:
	}
	<-g.open
	return g.text.Write(b)
}

func numbered(i int, bad bool) Delivery {
	d := Delivery{Time: at(), Status: 200, Method: "POST", Path: "/" + strconv.Itoa(i)}
	if bad {
		d.Verdict.Findings = []verify.Finding{{Code: verify.WrongType, Severity: verify.Violation, Message: "wrong " + strconv.Itoa(i)}}
	}
	return d
}

// TestFeed holds that a feed writes what a printer writes, in that order.
func TestFeed(t *testing.T) {
	var want, got bytes.Buffer
	p := NewPrinter(&want, true, 40)
	f := NewFeed(NewPrinter(&got, true, 40))
	for i := range 500 {
		d := numbered(i, i%7 == 0)
		p.Delivery(d)
		f.Add(d)
	}
	f.Close()
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Error(diff)
	}
}

// TestFeedIsNotReadFrom adds more deliveries than can wait while nobody reads:
// nothing blocks, those that violate something are written, and the count of the
// others is exact.
func TestFeedIsNotReadFrom(t *testing.T) {
	g := newGated()
	f := NewFeed(NewPrinter(g, false, 0))
	f.Add(numbered(0, false))
	<-g.entered // the first is being written
	const all = 3 * maxWaiting
	for i := 1; i < all; i++ {
		f.Add(numbered(i, i%100 == 0))
	}
	close(g.open)
	f.Close()
	shown, left, bad, next := 0, 0, 0, 0
	for line := range strings.Lines(g.text.String()) {
		n := 0
		switch words := strings.Fields(line); {
		case words[0] == "…":
			if _, err := fmt.Sscanf(strings.ReplaceAll(words[1], ",", ""), "%d", &n); err != nil {
				t.Fatal(err)
			}
			left, next = left+n, next+n
		case words[0] == string(verify.WrongType):
			bad++
		default:
			if want := "/" + strconv.Itoa(next); words[3] != want {
				t.Fatalf("%s stands where %s should", words[3], want)
			}
			shown, next = shown+1, next+1
		}
	}
	if shown+left != all || left == 0 || shown < maxWaiting || bad != (all-1)/100 {
		t.Errorf("of %d, %d are shown, %d left out; %d of %d violations", all, shown, left, bad, (all-1)/100)
	}
}

// TestFeedIsBounded holds that violations do not fill the memory either.
func TestFeedIsBounded(t *testing.T) {
	g := newGated()
	f := NewFeed(NewPrinter(g, false, 0))
	f.Add(numbered(0, false))
	<-g.entered
	const over = 5
	for i := range maxViolations + over {
		f.Add(numbered(i, true))
	}
	close(g.open)
	f.Close()
	if got := strings.Count(g.text.String(), string(verify.WrongType)); got != maxViolations {
		t.Errorf("%d violations are shown", got)
	}
	if want := fmt.Sprintf("\n… %d deliveries are not shown: they come faster than this is read\n", over); !strings.HasSuffix(g.text.String(), want) {
		t.Errorf("it ends in %q", g.text.String()[g.text.Len()-200:])
	}
}

func TestFeedCountsOne(t *testing.T) {
	var b bytes.Buffer
	NewPrinter(&b, false, 0).left(1)
	if got := b.String(); got != "… 1 delivery is not shown: they come faster than this is read\n" {
		t.Error(got)
	}
}

// TestFeedCannotWrite holds that a closed pipe ends the writing and not the feed.
func TestFeedCannotWrite(t *testing.T) {
	p := NewPrinter(brokenPipe{}, false, 0)
	f := NewFeed(p)
	for i := range 200 {
		f.Add(numbered(i, false))
	}
	f.Close()
	if !errors.Is(p.Err(), errBroken) {
		t.Error(p.Err())
	}
}

var errBroken = errors.New("broken pipe")

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errBroken }
