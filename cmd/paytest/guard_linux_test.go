package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	"github.com/paytest/paytest/internal/cli"
	"github.com/paytest/paytest/internal/tools/trust"
)

// guardedEnv says that this process is in a network of its own, and into which
// file it writes what it found.
const guardedEnv = "TEST_GUARDED"

// found is what a test in a network of its own found.
type found struct {
	Problems, Caught []string
	Figures          map[string]int
}

// TestTrustGuard sends every command to addresses that are not this machine's, in
// all the ways in which they can be written, and by names whose answers change,
// redirects and proxies of the environment: no connection is made. It runs in a
// network of its own, where these addresses do answer.
func TestTrustGuard(t *testing.T) {
	if file := os.Getenv(guardedEnv); file != "" {
		guarded(t, file)
		return
	}
	file := filepath.Join(t.TempDir(), "found.json")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestTrustGuard$")
	cmd.Env = append(os.Environ(), guardedEnv+"="+file)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this system allows no network of its own: %v", err)
	}
	raw, reading := os.ReadFile(file)
	var f found
	if err := errors.Join(err, reading, json.Unmarshal(raw, &f)); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, problem := range f.Problems {
		t.Error(problem)
	}
	for _, broken := range f.Caught {
		trust.Caught(t, broken)
	}
	for name, n := range f.Figures {
		trust.Figure(t, name, n)
	}
}

// trap counts the connections that are made to an address.
type trap struct {
	net.Listener
	n atomic.Int64
}

func setTrap(t *testing.T, address string) *trap {
	t.Helper()
	l, err := net.Listen("tcp", address)                                    //nolint:noctx // it is there at once
	for errors.Is(err, syscall.EADDRNOTAVAIL) && t.Context().Err() == nil { // an address takes a moment to be the system's own
		l, err = net.Listen("tcp", address) //nolint:noctx // as above
	}
	if err != nil {
		t.Fatal(err)
	}
	x := &trap{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			x.n.Add(1)
			_ = conn.Close()
		}
	}()
	return x
}

// own gives this network's loopback interface addresses of the world outside.
func own(t *testing.T) {
	t.Helper()
	call := func(family int, what uintptr, request []byte) {
		s, err := syscall.Socket(family, syscall.SOCK_DGRAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Close(s) }()
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(s), what, uintptr(unsafe.Pointer(&request[0]))); errno != 0 { //nolint:gosec // there is no other way
			t.Fatalf("%x: %v", what, errno)
		}
	}
	named := func(name string, rest ...byte) []byte {
		b := make([]byte, 40)
		copy(b, name)
		copy(b[16:], rest)
		return b
	}
	call(syscall.AF_INET, syscall.SIOCSIFFLAGS, named("lo", binary.NativeEndian.AppendUint16(nil, syscall.IFF_UP|syscall.IFF_RUNNING)...))
	for i, a := range []string{outer4, metadata} {
		ip := netip.MustParseAddr(a).As4()
		address := append(binary.NativeEndian.AppendUint16(nil, syscall.AF_INET), 0, 0)
		call(syscall.AF_INET, syscall.SIOCSIFADDR, named(fmt.Sprint("lo:", i+1), append(address, ip[:]...)...))
	}
	ip := netip.MustParseAddr(outer6).As16()
	six := binary.NativeEndian.AppendUint32(ip[:], 128)
	call(syscall.AF_INET6, syscall.SIOCSIFADDR, binary.NativeEndian.AppendUint32(six, 1))
}

// Addresses outside of every private network, which this one has.
const (
	outer4   = "203.0.113.7"
	outer6   = "2001:db8::7"
	metadata = "169.254.169.254"
)

// liar is a name server's answer: to the name of a number, what the number means
// as an address; to a name that flips, another address each second time.
type liar struct {
	mu    sync.Mutex
	asked int
}

func (l *liar) answer(name string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch name, _, _ := strings.Cut(strings.ToLower(name), "."); name {
	case "local":
		return []string{"127.0.0.1"}
	case "mixed":
		return []string{"127.0.0.1", outer4}
	case "flip":
		if l.asked++; l.asked%4 < 2 { // one query for each family
			return []string{"127.0.0.1"}
		}
	}
	return []string{outer4}
}

// resolver asks the liar.
func (l *liar) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			for err := error(nil); err == nil; {
				err = l.serve(server)
			}
		}()
		return client, nil
	}}
}

// serve answers one query in the form DNS has over a stream (RFC 1035, 4.2.2).
func (l *liar) serve(conn net.Conn) error {
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	query := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, query); err != nil {
		return err
	}
	var labels []string
	end := 12
	for query[end] != 0 {
		n := int(query[end])
		labels = append(labels, string(query[end+1:end+1+n]))
		end += 1 + n
	}
	kind := binary.BigEndian.Uint16(query[end+1:])
	reply := append([]byte{}, query[:end+5]...)
	copy(reply[2:12], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	for _, a := range l.answer(strings.Join(labels, ".")) {
		addr := netip.MustParseAddr(a)
		switch {
		case kind == 1:
			reply[7]++
			reply = append(append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4), addr.AsSlice()...)
		case kind == 28 && labels[0] == "mapped":
			reply[7]++
			wide := addr.As16()
			reply = append(append(reply, 0xc0, 12, 0, 28, 0, 1, 0, 0, 0, 0, 0, 16), wide[:]...)
		}
	}
	_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...))
	return err
}

// hosts are ways to write an address outside, or a name that leads there.
func hosts() []string {
	return []string{
		outer4, "[::ffff:203.0.113.7]", "[::ffff:cb00:7107]", "[0:0:0:0:0:ffff:cb00:7107]", "[" + outer6 + "]", "[2001:db8::7%25lo]", metadata, "[::ffff:169.254.169.254]", "2852039166",
		"3405803783", "0xcb007107", "0xCB.0x0.0x71.0x7", "0313.0.0161.07", "0313.0x0.113.7", "203.0.28935", "203.28935", "203.0.113.7.", "00000203.0.113.7",
		"203。0。113。7", "２０３.0.113.7", "remote.test", "REMOTE.test.", "mixed.test", "flip.test", "mapped.test",
		"localhost@203.0.113.7", "127.0.0.1:80@203.0.113.7", "127.0.0.1#@203.0.113.7", "127.0.0.1?@203.0.113.7", "127.0.0.1\\@203.0.113.7", "127.0.0.1%00@203.0.113.7", "127.0.0.1%2f@203.0.113.7", "localhost%23.remote.test", "localhost%2eremote.test",
	}
}

// sendingTo are the commands that send somewhere, given the URL.
func sendingTo(dir, shop, url string) [][]string {
	return [][]string{
		{"send", "invoice", "pending", "--retries", "0", "--to", url},
		{"run", "expired", "--retries", "0", "--to", url},
		{"replay", filepath.Join(dir, "sent.jsonl"), "--retries", "0", "--to", url},
		{"load", url, "--rate", "20/s", "--duration", "100ms"},
		{"conform", url, "--case", "D01"},
		{"conform", shop, "--case", "D01", "--settle", "1ms", "--probe-url", url + "/orders/{id}"},
		{"listen", "127.0.0.1:0", "--max-events", "1", "--exec", filepath.Join(dir, "pay.sh"), "--forward-to", url},
	}
}

// recordedElsewhere are commands that send what was recorded, with paths that may be
// taken for other hosts.
func recordedElsewhere(t *testing.T, dir, port string) (calls [][]string) {
	t.Helper()
	journal, err := os.ReadFile(filepath.Join(dir, "sent.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for i, path := range []string{"//" + outer4 + ":" + port + "/", "http://" + outer4 + ":" + port + "/", "@" + outer4 + ":" + port + "/", "/..//" + outer4, "/\\" + outer4 + ":" + port} {
		file := filepath.Join(dir, fmt.Sprintf("elsewhere%d.jsonl", i))
		quoted, _ := json.Marshal(path)
		elsewhere := strings.ReplaceAll(string(journal), `"path":"/callback/update-invoice"`, `"path":`+string(quoted))
		elsewhere = strings.ReplaceAll(elsewhere, `"url":"http://127.0.0.1:`, `"url":"http://`+outer4+`:`)
		if err := os.WriteFile(file, []byte(elsewhere), 0o600); err != nil || elsewhere == string(journal) {
			t.Fatal(err, elsewhere)
		}
		calls = append(calls, []string{"replay", file, "--retries", "0", "--to", "http://127.0.0.1:" + port})
	}
	return calls
}

// resent has the page of a listener send a delivery again to an endpoint, and returns
// how the page answered.
func resent(t *testing.T, endpoint string, args ...string) int {
	t.Helper()
	l := inProcess(t, outside(), append([]string{"listen", "127.0.0.1:0", "--no-signature", "--ui=127.0.0.1:0", "--forward-to", endpoint}, args...)...)
	defer l.end()
	path, body := newPayer(t).payload(t)
	if status, err := deliverTo(t, l.addr, path, body); err != nil || status != http.StatusBadGateway {
		t.Fatal(status, err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, l.ui+"api/deliveries/1/resend", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Origin", "http://"+request.URL.Host)
	request.Header.Set("Content-Type", "application/json")
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// try runs the program and returns its exit code.
func try(args []string) int {
	env := outside()
	env.Args, env.Out, env.Err, env.In = args, io.Discard, io.Discard, strings.NewReader("")
	return cli.Run(context.Background(), env)
}

// guarded is what TestTrustGuard does in its network.
func guarded(t *testing.T, file string) {
	own(t)
	outermost := setTrap(t, outer4+":0")
	_, port, _ := net.SplitHostPort(outermost.Addr().String())
	traps := []*trap{outermost, setTrap(t, "["+outer6+"]:"+port), setTrap(t, metadata+":"+port)}
	proxy := setTrap(t, "127.0.0.1:0")
	traps = append(traps, proxy)
	sprung := func() (n int) {
		for _, x := range traps {
			n += int(x.n.Swap(0))
		}
		return n
	}
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"} {
		t.Setenv(name, "http://"+proxy.Addr().String())
	}
	t.Setenv(cli.SecretEnv, shared)
	net.DefaultResolver = (&liar{}).resolver()
	// The same port on this machine answers, for names that lead here at first.
	var redirects atomic.Int64
	here, err := net.Listen("tcp", "127.0.0.1:"+port) //nolint:noctx // it is there at once
	if err != nil {
		t.Fatal(err)
	}
	statuses := []int{301, 302, 303, 307, 308}
	go func() {
		_ = http.Serve(here, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { //nolint:gosec // a test's own
			if !strings.HasPrefix(r.URL.Path, "/away") {
				return
			}
			n := int(redirects.Add(1))
			w.Header().Set("Location", []string{"http://" + outermost.Addr().String() + "/", "http://remote.test:" + port, "//" + outermost.Addr().String()}[n%3])
			w.WriteHeader(statuses[n%len(statuses)])
		}))
	}()
	dir, shop := stageFor(t), keepShop(t)
	var f found
	f.Figures = map[string]int{}
	check := func(what string, calls [][]string, mayPass bool) {
		for _, args := range calls {
			f.Figures["calls"]++
			code := try(args)
			if n := sprung(); n > 0 || code == 0 && !mayPass {
				f.Problems = append(f.Problems, fmt.Sprintf("%s, %s: exit code %d, %d connections", what, args, code, n))
			}
		}
	}
	if code := try([]string{"send", "invoice", "complete", "--to", shop, "--record", filepath.Join(dir, "sent.jsonl")}); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	for _, host := range hosts() {
		check("remote", sendingTo(dir, shop, "http://"+host+":"+port), strings.HasPrefix(host, "flip") || strings.HasPrefix(host, "mixed") || strings.Contains(host, "?")) // these may be this machine
	}
	f.Figures["ways to write an address"] = len(hosts())
	away := "http://127.0.0.1:" + port + "/away"
	for range statuses {
		check("redirected", sendingTo(dir, shop, away), true)
	}
	f.Figures["redirects"] = int(redirects.Load())
	check("recorded", recordedElsewhere(t, dir, port), true)
	if n, code := resent(t, "http://remote.test:"+port), sprung(); n != http.StatusOK || code != 0 {
		f.Problems = append(f.Problems, fmt.Sprintf("sent again by the page: answered %d, %d connections", n, code))
	}
	check("with proxies in the environment", sendingTo(dir, shop, "http://local.test:"+port), true)

	// What these traps are worth.
	for _, args := range sendingTo(dir, shop, "http://remote.test:"+port) {
		if _ = try(append(args, "--allow-remote")); sprung() == 0 {
			f.Problems = append(f.Problems, fmt.Sprintf("%s goes nowhere, not even where it may", args))
		} else {
			f.Caught = append(f.Caught, args[0]+" without the guard"+map[bool]string{true: ", for its probe"}[strings.Contains(fmt.Sprint(args), "--probe-url")])
		}
	}
	if resent(t, "http://remote.test:"+port, "--allow-remote"); sprung() < 2 {
		f.Problems = append(f.Problems, "what the page sends again goes nowhere, not even where it may")
	} else {
		f.Caught = append(f.Caught, "the page without the guard")
	}
	for what, url := range map[string]string{"follows redirects": away, "takes the environment's proxies": "http://local.test:" + port} {
		if answer, err := http.Get(url); err == nil { //nolint:gosec,noctx // that is the bug
			_ = answer.Body.Close()
		}
		if sprung() == 0 {
			f.Problems = append(f.Problems, "nobody catches who "+what)
		} else {
			f.Caught = append(f.Caught, what)
		}
	}
	raw, err := json.Marshal(f)
	if err == nil {
		err = os.WriteFile(file, raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
