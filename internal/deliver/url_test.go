package deliver

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

const callback = "/callback/update-invoice"

func TestResolveURL(t *testing.T) {
	for base, want := range map[string]string{
		"3000":                               "http://localhost:3000" + callback,
		"3000/":                              "http://localhost:3000" + callback,
		"3000/hook":                          "http://localhost:3000/hook",
		":3000":                              "http://localhost:3000" + callback,
		":3000/hook?a=1":                     "http://localhost:3000/hook?a=1",
		":3000?a=1":                          "http://localhost:3000" + callback + "?a=1",
		"localhost:3000":                     "http://localhost:3000" + callback,
		"localhost:3000/hook":                "http://localhost:3000/hook",
		"localhost:3000?u=http://x":          "http://localhost:3000" + callback + "?u=http://x",
		"127.0.0.1:3000":                     "http://127.0.0.1:3000" + callback,
		"[::1]:3000":                         "http://[::1]:3000" + callback,
		"shop.test:80":                       "http://shop.test:80" + callback,
		"http://localhost":                   "http://localhost" + callback,
		"HTTP://localhost:3000/":             "http://localhost:3000" + callback,
		"https://shop.test":                  "https://shop.test" + callback,
		"https://shop.test/?a=1&a=%20":       "https://shop.test" + callback + "?a=1&a=%20",
		"https://shop.test/?":                "https://shop.test" + callback + "?",
		"https://shop.test/my%2Fhook":        "https://shop.test/my%2Fhook",
		"https://shop.test/callback":         "https://shop.test/callback",
		"https://shop.test/callback/":        "https://shop.test/callback/",
		"https://shop.test//":                "https://shop.test//",
		"http://[fe80::1%25eth0]:3000/a":     "http://[fe80::1%25eth0]:3000/a",
		"http://localhost:3000/@me":          "http://localhost:3000/@me",
		"http://localhost:65535":             "http://localhost:65535" + callback,
		"http://localhost:3000/a:b?c=d@e":    "http://localhost:3000/a:b?c=d@e",
		"http://shop.test/hook?next=http://": "http://shop.test/hook?next=http://",
	} {
		u, err := ResolveURL(base, callback)
		if err != nil {
			t.Errorf("ResolveURL(%q): %v", base, err)
			continue
		}
		if u.String() != want {
			t.Errorf("ResolveURL(%q) = %s, want %s", base, u, want)
		}
	}
}

func TestResolveURLPath(t *testing.T) {
	for path, want := range map[string]string{
		"":          "http://localhost:1/",
		"/":         "http://localhost:1/",
		"/a%2Fb":    "http://localhost:1/a%2Fb",
		"/a b":      "http://localhost:1/a%20b",
		"//evil":    "http://localhost:1//evil",
		"/../x":     "http://localhost:1/../x",
		"/callback": "http://localhost:1/callback",
	} {
		u, err := ResolveURL("1", path)
		if err != nil {
			t.Errorf("path %q: %v", path, err)
		} else if u.String() != want {
			t.Errorf("path %q: got %s, want %s", path, u, want)
		}
	}
	for _, path := range []string{"callback", "@evil", "/a?b", "/a#b", "/a\nb", "/a%", "/a\xff"} {
		if u, err := ResolveURL("1", path); err == nil {
			t.Errorf("path %q was accepted: %s", path, u)
		}
	}
}

func TestResolveURLRefuses(t *testing.T) {
	for base, want := range map[string]string{
		"":                                 "is empty",
		"localhost":                        "is not a URL",
		"invoice":                          "is not a URL",
		"ftp://shop.test":                  "scheme that is not supported",
		"file:///etc/passwd":               "scheme that is not supported",
		"javascript:alert":                 "neither an http:// or https:// URL",
		"http:localhost":                   "neither an http:// or https:// URL",
		"mailto:a@b":                       "user name or password",
		"http://user:secret@localhost":     "user name or password",
		"http://@localhost":                "user name or password",
		"user:secret@localhost:3000":       "user name or password",
		"http://":                          "has no host",
		"http:///hook":                     "has no host",
		"http://:3000":                     "has no host",
		"http://localhost/#x":              "fragment",
		"http://localhost#":                "fragment",
		"3000#x":                           "fragment",
		"http://local\nhost":               "control character",
		"http://localhost/\x00":            "control character",
		"http://localhost/\x7f":            "control character",
		"http://localhost/\u0085":          "control character",
		"http://localhost/\xff":            "not UTF-8",
		"http://%C2%85/":                   "not a name or an address",
		"http://localhost:0":               "not a number from 1 to 65535",
		"http://localhost:65536":           "not a number from 1 to 65535",
		"http://localhost:":                "not a number from 1 to 65535",
		"http://localhost:http":            "is not a URL",
		"http://localhost:-1":              "is not a URL",
		"99999":                            "not a number from 1 to 65535",
		"0":                                "not a number from 1 to 65535",
		":":                                "not a number from 1 to 65535",
		"http://::1":                       "",
		"::1":                              "",
		"http://[::1":                      "is not a URL",
		"http://[shop.test]:1":             "is not a URL",
		"http://[127.0.0.1]:1":             "is not a URL",
		"http://local host":                "is not a URL",
		"http://localhost\\@evil":          "is not a URL",
		" http://localhost":                "",
		strings.Repeat("a", maxURLBytes+1): "longer than",
	} {
		u, err := ResolveURL(base, callback)
		if err == nil {
			t.Errorf("ResolveURL(%q) accepted it as %s", base, u)
			continue
		}
		var target *TargetError
		if !errors.As(err, &target) || !strings.Contains(err.Error(), want) {
			t.Errorf("ResolveURL(%q): %v, want a TargetError with %q", base, err, want)
		}
	}
}

// A password must not reach the terminal by way of the message that refuses it.
func TestResolveURLHidesSecrets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := "S3CR3T" + rapid.StringMatching(`[ -"$-~]{0,8}`).Draw(t, "tail") + "S3CR3T"
		base := rapid.SampledFrom([]string{"http://", "https://", "ftp://", ""}).Draw(t, "scheme") +
			rapid.SampledFrom([]string{"u:" + secret, secret, secret + ":"}).Draw(t, "userinfo") +
			"@" + rapid.SampledFrom([]string{"localhost", "localhost:3000", "local host", "", ":x"}).Draw(t, "host")
		u, err := ResolveURL(base, callback)
		if err == nil {
			if u.User != nil || !strings.ContainsAny(secret, "/?") {
				t.Fatalf("%q was accepted as %s", base, u)
			}
			return
		}
		if strings.Contains(err.Error(), "S3CR3T") {
			t.Fatalf("%q: the message holds the secret: %v", base, err)
		}
	})
}

func FuzzResolveURL(f *testing.F) {
	for _, base := range []string{
		"3000", ":3000", "localhost:3000", "http://localhost", "https://u:p@shop.test/a?b#c", "http://[fe80::1%25a]:1/",
		"http://[::1]:3000/hook?a=%20", "a:b:c", "http://%41/", "http://a\x00", "//a", "http:a", "1/http://", "?://", "::1",
	} {
		f.Add(base, callback)
	}
	f.Add("3000", "//evil/%2F..%2f?")
	f.Fuzz(func(t *testing.T, base, path string) {
		u, err := ResolveURL(base, path)
		if err != nil {
			return
		}
		if u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Opaque != "" {
			t.Fatalf("%q: %#v", base, u)
		}
		if u.Scheme != "http" && u.Scheme != "https" {
			t.Fatalf("%q: scheme %q", base, u.Scheme)
		}
		if strings.ContainsFunc(u.Host, unicode.IsControl) || strings.ContainsFunc(u.String(), unicode.IsControl) {
			t.Fatalf("%q: control character in %q", base, u)
		}
		again, err := ResolveURL(u.String(), path)
		if err != nil {
			t.Fatalf("%q resolved to %q, which is refused: %v", base, u, err)
		}
		if again.String() != u.String() || again.Host != u.Host || again.Path != u.Path {
			t.Fatalf("%q resolved to %#v, which resolved to %#v", base, u, again)
		}
	})
}
