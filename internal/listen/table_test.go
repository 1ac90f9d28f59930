package listen_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/listen"
)

// opaque is a listener whose connections are nothing but that, so that none sits at
// a table.
type opaque struct{ net.Listener }

func (o opaque) Accept() (net.Conn, error) {
	conn, err := o.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{conn}, nil
}

// inns is for how many connections an inn has room.
const inns = 10

// inn is a handler behind a listener of this machine.
type inn struct {
	t    *testing.T
	addr string
	stop context.CancelFunc
	done chan error
	// tables says that there may be some.
	tables bool
}

func newInn(t *testing.T, h http.Handler) *inn {
	t.Helper()
	return newInnBehind(t, h, func(ln net.Listener) net.Listener { return ln })
}

// newInnBehind is an inn whose listener is changed before.
func newInnBehind(t *testing.T, h http.Handler, change func(net.Listener) net.Listener) *inn {
	t.Helper()
	ln := open(t, "127.0.0.1:0")[0]
	addr, changed := ln.Addr().String(), change(ln)
	_, closed := changed.(opaque)
	ctx, cancel := context.WithCancel(t.Context())
	i := &inn{t, addr, cancel, make(chan error, 1), !closed && runtime.GOOS == "linux"}
	go func() { i.done <- listen.ServeFew(ctx, []net.Listener{changed}, h, inns) }()
	return i
}

func (i *inn) close() {
	i.t.Helper()
	i.stop()
	if err := <-i.done; err != nil {
		i.t.Error(err)
	}
}

// visitor is a connection to an inn.
type visitor struct {
	*net.TCPConn
	t *testing.T
	r *bufio.Reader
}

func (i *inn) visit() *visitor {
	i.t.Helper()
	return i.visitBy(&net.Dialer{})
}

func (i *inn) visitBy(d *net.Dialer) *visitor {
	i.t.Helper()
	conn, err := d.DialContext(i.t.Context(), "tcp", i.addr)
	if err != nil {
		i.t.Fatal(err)
	}
	i.t.Cleanup(func() { _ = conn.Close() })
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		i.t.Fatalf("the connection is a %T", conn)
	}
	return &visitor{tcp, i.t, bufio.NewReader(tcp)}
}

func (v *visitor) say(raw string) {
	v.t.Helper()
	if _, err := io.WriteString(v, raw); err != nil {
		v.t.Error(err)
	}
}

// hear returns the next answer, without what differs between two of the same.
func (v *visitor) hear() string {
	v.t.Helper()
	answer, err := http.ReadResponse(v.r, nil)
	if err != nil {
		v.t.Error(err)
		return ""
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		v.t.Error(err)
	}
	answer.Header.Del("Date")
	return fmt.Sprint(answer.StatusCode, answer.Header, string(body))
}

// rest returns all that comes until the end.
func (v *visitor) rest() string {
	all, err := io.ReadAll(v.r)
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		v.t.Error(err)
	}
	return regexp.MustCompile(`Date: [^\r]*`).ReplaceAllString(string(all), "Date")
}

// sitting is how many connections sit at tables.
func sitting() int {
	stacks := make([]byte, 1<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "listen.(*tables).sit(")
}

// sat waits until so many connections sit at tables, where there are any.
func (i *inn) sat(n int) {
	for i.tables && sitting() != n {
		runtime.Gosched()
	}
}

// seated is a visitor that has been answered once, and sits.
func (i *inn) seated(raw string, others int) *visitor {
	i.t.Helper()
	v := i.visit()
	v.say(raw)
	if got := v.hear(); !strings.HasPrefix(got, "200") {
		i.t.Errorf("answered %q", got)
	}
	i.sat(others + 1)
	return v
}

// held are deliveries that wait to be let go on.
type held struct{ entered, release chan struct{} }

func newHeld() held { return held{make(chan struct{}), make(chan struct{})} }

func (h held) wait() {
	h.entered <- struct{}{}
	<-h.release
}

// record records a delivery; that takes long for one that is named slow.
func (h held) record(d *listen.Delivery) error {
	if d.Header.Get("X-Name") == "slow" {
		h.wait()
	}
	return nil
}

// part is what a visitor says, how many answers come then, and whether it sits.
type part struct {
	raw     string
	answers int
	sits    bool
}

// TestTable holds that a connection that sits at a table gets the same answers, to the
// byte, and the same reports, as one that does not, whatever comes on it; and that it
// sits again where it can.
func TestTable(t *testing.T) {
	oneTable(t)
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 1)
	_, complete := post(t, c, "invoice", "complete", 1)
	_, cancel := post(t, c, "invoice", "cancel", 1)
	_, fail := post(t, c, "invoice", "fail", 1)
	first, second, third, other := sent(path, pending), sent(path, complete), sent(path, cancel), sent(path, fail)
	sized := func(n int) string {
		return sent(path, complete, "X-Pad: "+strings.Repeat("x", n-len(sent(path, complete, "X-Pad: "))))
	}
	for name, parts := range map[string][]part{
		"nothing more":            nil,
		"one by one":              {{second, 1, true}, {second, 1, true}, {third, 1, true}},
		"not asked for":           {{other, 1, true}, {second, 1, true}, {other + third, 2, true}},
		"no JSON":                 {{sent(path, []byte("{")), 1, true}, {second, 1, true}},
		"two at once":             {{second + second, 2, true}, {third, 1, true}},
		"line ends before":        {{"\r\n\r\n" + second, 1, true}, {third, 1, true}},
		"a line end behind":       {{second + "\r\n", 1, true}, {third, 1, true}},
		"a line end alone":        {{"\r\n", 0, true}, {second, 1, true}},
		"LF before":               {{"\n" + second, 1, false}},
		"half a head":             {{second[:30], 0, false}, {second[30:] + third, 2, false}},
		"half a body":             {{second[:len(second)-3], 0, false}, {second[len(second)-3:], 1, false}, {third, 1, false}},
		"one and a half":          {{second + third[:30], 1, false}, {third[30:], 1, false}},
		"another method":          {{"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 1, false}, {second, 1, false}},
		"another path":            {{sent("/other", pending), 1, false}, {second, 1, false}},
		"a header twice":          {{sent(path, complete, "X-A: 1", "X-A: 2"), 1, false}, {second, 1, false}},
		"chunks":                  {{strings.Replace(sent(path, nil, "Transfer-Encoding: chunked"), "Content-Length: 0\r\n", "", 1) + "2\r\n{}\r\n0\r\n\r\n", 1, false}},
		"no more than this":       {{sent(path, complete, "Connection: close"), 1, false}},
		"nonsense":                {{"nonsense\r\n\r\n", 1, false}},
		"almost all of the room":  {{sized(4095), 1, true}, {third, 1, true}},
		"all of the room":         {{sized(4096), 1, true}, {third, 1, true}},
		"more than the room":      {{sized(4097), 1, false}, {third, 1, false}},
		"much more than the room": {{sent(path, []byte(strings.Repeat(" ", 100<<10)+string(complete))), 1, false}, {third, 1, false}},
	} {
		t.Run(name, func(t *testing.T) {
			var said, reports [2][]string
			for way := range said {
				note := func(what string, d *listen.Delivery) {
					reports[way] = append(reports[way], fmt.Sprintf("%s %s %v %d %.100s %d %s %v", what, d.Path, d.Header, len(d.Body), d.Body, d.Status, d.Answer, d.Verdict.Findings))
				}
				h := lender(c, func(o *listen.Options) {
					o.Filter = func(_, state string) bool { return state != "Fail" }
					o.Record = each(func(d *listen.Delivery) error { note("recorded", d); return nil })
					o.OnDelivery = func(d *listen.Delivery) { note("reported", d) }
				})
				i := newInnBehind(t, h, func(ln net.Listener) net.Listener {
					if way == 1 {
						return opaque{ln}
					}
					return ln
				})
				v := i.seated(first, 0)
				for _, part := range parts {
					v.say(part.raw)
					for range part.answers {
						said[way] = append(said[way], v.hear())
					}
					if part.sits {
						i.sat(1)
					} else {
						i.sat(0)
					}
				}
				if err := v.CloseWrite(); err != nil {
					t.Error(err)
				}
				said[way] = append(said[way], v.rest())
				i.sat(0)
				i.close()
			}
			if diff := cmp.Diff(said[1], said[0]); diff != "" {
				t.Errorf("answers (-its own goroutine +table):\n%s", diff)
			}
			if diff := cmp.Diff(reports[1], reports[0]); diff != "" {
				t.Errorf("reports (-its own goroutine +table):\n%s", diff)
			}
		})
	}
}

// TestTableMany holds that every delivery of many connections is recorded and then
// answered, once and in its turn, however it comes.
func TestTableMany(t *testing.T) {
	c := load(t)
	const visitors, deliveries = 10, 40
	var mu sync.Mutex
	recorded := map[string]int{}
	i := newInn(t, lender(c, func(o *listen.Options) {
		o.Record = each(func(d *listen.Delivery) error {
			mu.Lock()
			defer mu.Unlock()
			recorded[string(d.Body)]++
			return nil
		})
	}))
	var wg sync.WaitGroup
	for n := range visitors {
		v, random := i.visit(), rand.New(rand.NewPCG(1, uint64(n)))
		var raws, bodies []string
		for k := range deliveries {
			path, body := post(t, c, "invoice", "pending", uint64(n*deliveries+k))
			raws, bodies = append(raws, sent(path, body)), append(bodies, string(body))
		}
		hear := func(body string) {
			got := v.hear()
			mu.Lock()
			defer mu.Unlock()
			if !strings.HasPrefix(got, "200") || recorded[body] != 1 {
				t.Errorf("answered %q, with %d records of it", got, recorded[body])
			}
		}
		if n%2 == 0 { // waits for each answer
			wg.Go(func() {
				for k, raw := range raws {
					v.say(raw)
					hear(bodies[k])
				}
			})
			continue
		}
		wg.Go(func() {
			for raw := strings.Join(raws, ""); raw != ""; {
				size := min(len(raw), 1+random.IntN(2500))
				v.say(raw[:size])
				raw = raw[size:]
			}
		})
		wg.Go(func() {
			for _, body := range bodies {
				hear(body)
			}
		})
	}
	wg.Wait()
	i.close()
}

// oneTable has all sit at one table.
func oneTable(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

// TestTableRecords holds that what came while the disk was waited for is recorded at
// once, and that of those only what could not be recorded is refused.
func TestTableRecords(t *testing.T) {
	oneTable(t)
	c := load(t)
	const others = 6
	var mu sync.Mutex
	times := 0
	entered, release := make(chan struct{}), make(chan struct{})
	i := newInn(t, lender(c, func(o *listen.Options) {
		o.Record = func(ds []*listen.Delivery) []error {
			mu.Lock()
			times++
			now := times
			mu.Unlock()
			if now == others+2 {
				close(entered)
				<-release
			}
			errs := make([]error, len(ds))
			for k, d := range ds {
				if strings.Contains(d.Header.Get("X-Name"), "bad") {
					errs[k] = errors.New("full")
				}
			}
			return errs
		}
	}))
	var visitors []*visitor
	for n := range others + 1 {
		path, body := post(t, c, "invoice", "pending", uint64(n))
		visitors = append(visitors, i.seated(sent(path, body), n))
	}
	deliver := func(n int, name string) {
		path, body := post(t, c, "invoice", "complete", uint64(n))
		visitors[n].say(sent(path, body, "X-Name: "+name))
	}
	deliver(others, "first")
	<-entered
	for n := range others {
		deliver(n, []string{"good", "bad"}[n%2])
	}
	close(release)
	for n, v := range visitors {
		want := "200"
		if n%2 == 1 && n < others {
			want = "503"
		}
		if got := v.hear(); !strings.HasPrefix(got, want) {
			t.Errorf("visitor %d is answered %q, not %s", n, got, want)
		}
	}
	i.close()
	if i.tables && times == 2*others+2 {
		t.Error("each is recorded by itself")
	}
}

// TestTableFails holds that a delivery that makes the program fail while it is judged
// or reported costs its own connection alone, and one that fails while they are
// recorded no more than those; the table goes on.
func TestTableFails(t *testing.T) {
	oneTable(t)
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	for _, where := range []string{"judged", "recorded", "reported"} {
		t.Run(where, func(t *testing.T) {
			fail := func(now string, d *listen.Delivery) {
				if now == where && d.Header.Get("X-Name") == "bad" {
					panic("a bug")
				}
			}
			var breaks atomic.Bool
			i := newInn(t, lender(c, func(o *listen.Options) {
				o.Now = func() time.Time {
					if breaks.Swap(false) {
						panic("a bug")
					}
					return time.Now()
				}
				o.Record = each(func(d *listen.Delivery) error { fail("recorded", d); return nil })
				o.OnDelivery = func(d *listen.Delivery) { fail("reported", d) }
			}))
			good := i.seated(sent(path, body), 0)
			bad := i.seated(sent(path, body), 1)
			breaks.Store(where == "judged")
			bad.say(sent(path, body, "X-Name: bad"))
			if got := bad.rest(); got != "" {
				t.Errorf("answered %q", got)
			}
			i.sat(1)
			good.say(sent(path, body))
			if got := good.hear(); !strings.HasPrefix(got, "200") {
				t.Errorf("answered %q", got)
			}
			i.close()
		})
	}
}

// TestTableLeaves holds that a connection that sits is ended at once when the listener
// ends, while a delivery under way is recorded and answered before.
func TestTableLeaves(t *testing.T) {
	c := load(t)
	path, pending := post(t, c, "invoice", "pending", 1)
	_, complete := post(t, c, "invoice", "complete", 1)
	held := newHeld()
	i := newInn(t, lender(c, func(o *listen.Options) { o.Record = each(held.record) }))
	idle := i.seated(sent(path, pending), 0)
	busy := i.seated(sent(path, pending), 1)
	busy.say(sent(path, complete, "X-Name: slow"))
	<-held.entered
	i.stop()
	if !i.tables || runtime.GOMAXPROCS(0) > 1 { // they sit at two tables
		if got := idle.rest(); got != "" {
			t.Errorf("the idle connection is told %q", got)
		}
	}
	select {
	case err := <-i.done:
		t.Fatalf("ended with a delivery under way: %v", err)
	default:
	}
	close(held.release)
	if got := busy.rest(); !strings.HasPrefix(got, "HTTP/1.1 200 OK\r\n") {
		t.Errorf("answered %q", got)
	}
	if got := idle.rest(); got != "" {
		t.Errorf("the idle connection is told %q", got)
	}
	if err := <-i.done; err != nil {
		t.Error(err)
	}
}

// TestTableCrowd holds that who sits for longest makes room for another.
func TestTableCrowd(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	i := newInn(t, lender(c, nil))
	var visitors []*visitor
	for n := range inns {
		visitors = append(visitors, i.seated(sent(path, body), n))
	}
	for n := range inns + 1 { // so that the second is the one that waits for longest
		visitors[n%inns].say(sent(path, body))
		visitors[n%inns].hear()
	}
	for n := range 2 {
		i.seated(sent(path, body), inns-1)
		if got := visitors[n+1].rest(); got != "" {
			t.Errorf("who makes room is told %q", got)
		}
	}
	for _, v := range append(visitors[:1], visitors[3:]...) {
		v.say(sent(path, body))
		if got := v.hear(); !strings.HasPrefix(got, "200") {
			t.Errorf("answered %q", got)
		}
	}
	i.close()
}

// TestTableCrowdBusy holds that who is being answered makes no room, at a table or
// not.
func TestTableCrowdBusy(t *testing.T) {
	oneTable(t)
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	slow := sent(path, body, "X-Name: slow")
	for name, raw := range map[string]string{"at a table": slow, "not at one": slow + sent(path, body)} {
		t.Run(name, func(t *testing.T) {
			held := newHeld()
			i := newInn(t, lender(c, func(o *listen.Options) { o.Record = each(held.record) }))
			var visitors []*visitor
			for n := range inns {
				visitors = append(visitors, i.seated(sent(path, body), n))
			}
			visitors[0].say(raw)
			<-held.entered
			another := i.visit()
			if got := visitors[1].rest(); got != "" {
				t.Errorf("who makes room is told %q", got)
			}
			close(held.release)
			another.say(sent(path, body))
			for _, v := range []*visitor{visitors[0], another} {
				if got := v.hear(); !strings.HasPrefix(got, "200") {
					t.Errorf("answered %q", got)
				}
			}
			i.close()
		})
	}
}

// TestTableThrong holds that where many more come than there is room for, each is
// answered or sent away, whole, and the listener ends.
func TestTableThrong(t *testing.T) {
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	i := newInn(t, lender(c, nil))
	var wg sync.WaitGroup
	var answered atomic.Int64
	for range 4 * inns {
		wg.Go(func() {
			for range 10 {
				v := i.visit()
				for range 3 {
					_, _ = io.WriteString(v, sent(path, body)) // who was sent away hears nothing
					answer, err := http.ReadResponse(v.r, nil)
					if err != nil {
						break
					}
					if _, err := io.Copy(io.Discard, answer.Body); err != nil || answer.StatusCode != http.StatusOK {
						t.Errorf("answered %d, %v", answer.StatusCode, err)
					}
					_ = answer.Body.Close()
					answered.Add(1)
				}
				_ = v.Close()
			}
		})
	}
	wg.Wait()
	i.close()
	if answered.Load() == 0 {
		t.Error("nobody was answered")
	}
}

// TestTableGone holds that who goes away without a word costs nobody else anything,
// whenever that is.
func TestTableGone(t *testing.T) {
	oneTable(t)
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	held := newHeld()
	var waits atomic.Bool
	i := newInn(t, lender(c, func(o *listen.Options) {
		o.Record = each(held.record)
		o.Filter = func(string, string) bool { // while others are still to be read
			if waits.Swap(false) {
				held.wait()
			}
			return true
		}
	}))
	other := i.seated(sent(path, body), 0)
	reset := func(v *visitor) {
		if err := errors.Join(v.SetLinger(0), v.Close()); err != nil {
			t.Error(err)
		}
	}
	reset(i.seated(sent(path, body), 1))
	i.sat(1)
	slow := i.seated(sent(path, body), 1)
	slow.say(sent(path, body, "X-Name: slow"))
	<-held.entered
	reset(slow)
	held.release <- struct{}{}
	i.sat(1)

	slow, early := i.seated(sent(path, body), 1), i.seated(sent(path, body), 2)
	slow.say(sent(path, body, "X-Name: slow"))
	<-held.entered
	other.say(sent(path, body))
	early.say(sent(path, body))
	waits.Store(true)
	held.release <- struct{}{}
	<-held.entered
	reset(early)
	held.release <- struct{}{}
	if got := other.hear(); !strings.HasPrefix(got, "200") {
		t.Errorf("answered %q", got)
	}
	i.sat(2)
	other.say(sent(path, body))
	if got := other.hear(); !strings.HasPrefix(got, "200") {
		t.Errorf("answered %q", got)
	}
	i.close()
}

// TestTableIdle holds that who sits and says nothing more is sent away, and nobody
// else.
func TestTableIdle(t *testing.T) {
	oneTable(t)
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	i := newInn(t, lender(c, nil))
	other := i.seated(sent(path, body), 0)
	idle := i.seated(sent(path, body), 1)
	for gone := gone(idle); ; {
		last := isClosed(gone)
		other.say(sent(path, body))
		if got := other.hear(); !strings.HasPrefix(got, "200") {
			t.Fatalf("answered %q", got)
		}
		if last {
			break
		}
	}
	i.sat(1)
	i.close()
}
