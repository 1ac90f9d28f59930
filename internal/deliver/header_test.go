package deliver

import (
	"bufio"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseHeader(t *testing.T) {
	for in, want := range map[string][2]string{
		"X-A: b":               {"X-A", "b"},
		"X-A:b":                {"X-A", "b"},
		"x-a: \t b c \t":       {"x-a", "b c"},
		"X-A:":                 {"X-A", ""},
		"X-A: b:c":             {"X-A", "b:c"},
		"X-A: a\tb":            {"X-A", "a\tb"},
		"X-A: ü":               {"X-A", "ü"},
		"X-A: \xff":            {"X-A", "\xff"},
		"Host: shop.test:8080": {"Host", "shop.test:8080"},
		"host: [::1]:80":       {"host", "[::1]:80"},
		"!#$%&'*+-.^_`|~9z: x": {"!#$%&'*+-.^_`|~9z", "x"},
	} {
		name, value, err := ParseHeader(in)
		if err != nil || name != want[0] || value != want[1] {
			t.Errorf("ParseHeader(%q) = %q, %q, %v, want %q", in, name, value, err, want)
		}
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "has no colon",
		"X-A":                     "has no colon",
		": b":                     "not a header name",
		" X-A: b":                 "not a header name",
		"X-A : b":                 "not a header name",
		"X A: b":                  "not a header name",
		"X\nA: b":                 "not a header name",
		"Ü: b":                    "not a header name",
		"X-\xff: b":               "not a header name",
		"(x): b":                  "not a header name",
		"X-A: b\r\nX-B: c":        "line break",
		"X-A: b\n":                "line break",
		"X-A: \r":                 "line break",
		"X-A: \x00":               "line break",
		"X-A: \x1b[31m":           "line break",
		"X-A: \x7f":               "line break",
		"Content-Length: 3":       "set by the client",
		"content-length: 3":       "set by the client",
		"TRANSFER-ENCODING: gzip": "set by the client",
		"Connection: close":       "set by the client",
		"Trailer: X":              "set by the client",
		"Upgrade: h2c":            "set by the client",
		"Host:":                   "not host or host:port",
		"Host: a b":               "not host or host:port",
		"Host: a/b":               "not host or host:port",
		"Host: u@a":               "not host or host:port",
		"hOST: bücher.test":       "not host or host:port",
	} {
		_, _, err := ParseHeader(in)
		var header *HeaderError
		if !errors.As(err, &header) || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseHeader(%q): %v, want a HeaderError with %q", in, err, want)
		}
	}
}

func TestParseHeaderHidesValue(t *testing.T) {
	for in, shown := range map[string]string{
		"Authorization: S3CR3T\x00": "Authorization", "Authorization S3CR3T": "Authorization", "Bearer S3CR3T:": "Bearer", "S3CR3T": `"S…"`, "S3CR3T/: x": `"S…"`,
	} {
		_, _, err := ParseHeader(in)
		if err == nil || strings.Contains(err.Error(), "S3CR3T") || !strings.Contains(err.Error(), shown) {
			t.Errorf("the message holds the value: %v", err)
		}
	}
}

func TestRequestHeader(t *testing.T) {
	user := http.Header{"x-a": {"1"}, "X-A": {"2", "3"}, "content-type": {"text/plain"}, "hOST": {"other.test"}}
	got, host, err := requestHeader(user, "paytest/1")
	if err != nil {
		t.Fatal(err)
	}
	want := http.Header{"X-A": {"2", "3", "1"}, "Content-Type": {"text/plain"}, "User-Agent": {"paytest/1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if host != "other.test" {
		t.Errorf("host %q", host)
	}
	for _, name := range []string{"Host", "User-Agent"} {
		if _, _, err := requestHeader(http.Header{name: {"a"}, strings.ToLower(name): {"b"}}, ""); err == nil {
			t.Errorf("two values of %s were accepted", name)
		}
	}
}

// The judge is net/http's server side: what ParseHeader lets through must arrive
// as one header of that name and value, and nothing else.
func FuzzParseHeader(f *testing.F) {
	for _, s := range []string{"X-A: b", "X-A:b", "X-A", ":", "a:\r\nb: c", "host: a", "Content-Length: 1", "x: \x00", "x:\xff", "x: \t y \t "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		name, value, err := ParseHeader(s)
		if err != nil {
			return
		}
		if again, v, err := ParseHeader(name + ":" + value); err != nil || again != name || v != value {
			t.Fatalf("%q parsed to %q, %q, which parsed to %q, %q, %v", s, name, value, again, v, err)
		}
		canonical := http.CanonicalHeaderKey(name)
		if canonical == "Host" {
			return
		}
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader("POST / HTTP/1.1\r\nHost: h\r\n" + name + ": " + value + "\r\n\r\n")))
		if err != nil {
			t.Fatalf("%q: net/http refuses what was accepted: %v", s, err)
		}
		want := http.Header{canonical: {value}}
		if canonical == "Pragma" && value == "no-cache" {
			want["Cache-Control"] = []string{"no-cache"}
		}
		if diff := cmp.Diff(want, req.Header); diff != "" {
			t.Fatalf("%q: %s", s, diff)
		}
	})
}
