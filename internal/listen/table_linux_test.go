package listen_test

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/listen"
)

// timed is a listener that knows of the last connection which time it had to write.
type timed struct {
	net.Listener
	until atomic.Pointer[time.Time]
}

type timedConn struct {
	*net.TCPConn
	of *timed
}

func (l *timed) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return nil, err
	}
	return &timedConn{tcp, l}, tcp.SetWriteBuffer(4 << 10) // soon full
}

func (c *timedConn) SetDeadline(t time.Time) error {
	c.of.until.Store(&t)
	return c.TCPConn.SetDeadline(t)
}

func (c *timedConn) SetWriteDeadline(t time.Time) error {
	c.of.until.Store(&t)
	return c.TCPConn.SetWriteDeadline(t)
}

// TestTableUnread holds that who reads no answers keeps nobody waiting, gets each of
// them later, and has some time for that.
func TestTableUnread(t *testing.T) {
	oneTable(t)
	c := load(t)
	path, body := post(t, c, "invoice", "pending", 1)
	var members []string
	for n := range 300 {
		members = append(members, fmt.Sprintf(`"m%d":1`, n))
	}
	wrong := sent(path, []byte("{"+strings.Join(members, ",")+","+string(body[1:]))) // whose answer is long
	var reported atomic.Int64
	h := lender(c, func(o *listen.Options) { o.OnDelivery = func(*listen.Delivery) { reported.Add(1) } })
	var clock *timed
	i := newInnBehind(t, h, func(ln net.Listener) net.Listener {
		clock = &timed{Listener: ln}
		return clock
	})
	other := i.seated(sent(path, body), 0)
	v := i.visitBy(&net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) { // before the other side knows how much it may send
		failed := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return errors.Join(failed, err)
	}})
	v.say(sent(path, body))
	v.hear()
	i.sat(2)
	n := 0
	for ; n == 0 || sitting() > 1; n++ {
		v.say(wrong)
		for reported.Load() < int64(n+3) && sitting() > 1 {
			runtime.Gosched()
		}
	}
	for clock.until.Load().IsZero() {
		runtime.Gosched()
	}
	other.say(sent(path, body))
	other.hear()
	for range n {
		if got := v.hear(); !strings.Contains(got, `"pointer":"/m99"`) {
			t.Errorf("answered %.100q", got)
		}
	}
	i.close()
}
