package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/deliver"
	"github.com/paytest/paytest/payloads"
)

// TestHostileCases shows that a remote host is attacked only where its user has
// named it twice, and it serves the text that was asked for.
func TestHostileCases(t *testing.T) {
	t.Parallel()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	served := "nothing"
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; r.URL.Path != "/.well-known/paytest-hostile" || r.Method != http.MethodGet {
			t.Errorf("%s %s", r.Method, r.URL)
		}
		_, _ = io.WriteString(w, served+"\n")
	}))
	defer server.Close()
	client, err := deliver.New(deliver.Options{AllowRemote: true, Now: time.Now, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server.Listener.Addr().String())
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const remote = "203.0.113.7"
	try := func(host, named string, profile conform.Profile) string {
		o := conformOptions{hostileHost: named}
		o.target.allowRemote = true
		err := new(app).mayBeHostile(t.Context(), &conform.Options{
			Contract: c, Client: client, Cases: []*conform.Case{{Profile: conform.Core}, {Profile: profile}},
			URL: func(path string) (*url.URL, error) { return deliver.ResolveURL("http://"+host, path) },
		}, &o)
		if err == nil {
			return ""
		}
		return err.Error()
	}
	for _, tt := range []struct{ host, named, profile, want string }{
		{"127.0.0.1:3000", "", "hostile", ""},
		{"192.168.1.2", "", "hostile", ""},
		{remote, "", "full", ""},
		{remote, "", "hostile", "add --hostile-host " + remote},
		{remote, "203.0.113.8", "hostile", "add --hostile-host " + remote},
	} {
		if got := try(tt.host, tt.named, conform.Profile(tt.profile)); got != tt.want && (tt.want == "" || !strings.Contains(got, tt.want)) {
			t.Errorf("%+v: %q", tt, got)
		}
	}
	if asked != 0 {
		t.Errorf("the host was asked %d times before it was named twice", asked)
	}
	told := try(remote, remote, conform.Hostile)
	nonce := regexp.MustCompile(`[0-9a-f]{32}`).FindString(told)
	if nonce == "" || !strings.Contains(told, "http://"+remote+"/.well-known/paytest-hostile") {
		t.Fatalf("it says %q", told)
	}
	if served = nonce[1:]; try(remote, remote, conform.Hostile) == "" {
		t.Error("another text is taken for the sign")
	}
	if served = nonce; try(remote, remote, conform.Hostile) != "" {
		t.Error("the sign is not taken")
	}
}
