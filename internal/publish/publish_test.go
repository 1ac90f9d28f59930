package publish_test

import (
	"bytes"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/publish"
	"github.com/paytest/paytest/payloads"
)

var update = flag.Bool("update", false, "rewrite the files in testdata/golden")

// endpoint is where the published requests of these tests go.
const endpoint = "http://localhost:3000"

func load(t testing.TB, pack fs.FS) *contract.Contract {
	t.Helper()
	c, err := contract.Load(pack)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signed is the contract of a carrier that signs as a scheme says.
func signed(t testing.TB, scheme string) *contract.Contract {
	t.Helper()
	pack := fstest.MapFS{}
	carrier := os.DirFS("../contract/testdata/shipment")
	if err := fs.WalkDir(carrier, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(carrier, name)
		pack[name] = &fstest.MapFile{Data: raw}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	signature := `{` + scheme + `, "answer": {"status": 401, "body": {"problem": "who are you"}, "source": "carrier/hooks"}, "source": "carrier/hooks"}`
	text := strings.Replace(string(pack["contract.json"].Data), `"delivery": {`, `"version": "7", "signature": `+signature+`, "delivery": {`, 1)
	pack["contract.json"] = &fstest.MapFile{Data: []byte(text)}
	return load(t, pack)
}

func write(t testing.TB, c *contract.Contract, format string) []byte {
	t.Helper()
	raw, err := publish.Write(c, format, publish.Options{Endpoint: endpoint})
	if err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return raw
}

// TestGolden holds what is published. Write it anew with
//
//	go test ./internal/publish -run TestGolden -update
func TestGolden(t *testing.T) {
	for _, format := range publish.Names() {
		t.Run(format, func(t *testing.T) {
			got := write(t, signed(t, `"scheme": "standard-webhooks"`), format)
			file := filepath.Join("testdata", "golden", format)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("-kept +written:\n%s", diff)
			}
		})
	}
}

// TestSame holds that the same contract, loaded twice, is written in the same
// bytes, ended by one newline.
func TestSame(t *testing.T) {
	for _, format := range publish.Names() {
		a, b := write(t, load(t, payloads.FS), format), write(t, load(t, payloads.FS), format)
		if !bytes.Equal(a, b) {
			t.Errorf("%s: %s", format, cmp.Diff(string(a), string(b)))
		}
		if !bytes.HasSuffix(a, []byte("}\n")) || bytes.HasSuffix(a, []byte("\n\n")) {
			t.Errorf("%s ends with %q", format, a[max(0, len(a)-10):])
		}
	}
}

// TestSigned holds that the scripts follow the recipe of each scheme, and that
// there are none where nothing is signed.
func TestSigned(t *testing.T) {
	for scheme, want := range map[string]string{
		`"header": "X-Sum"`:                       `value: signature`,
		`"header": "X-Sum", "prefix": "v1=\""`:    `value: \"v1=\\\"\" + signature`,
		`"scheme": "github"`:                      `value: \"sha256=\" + signature`,
		`"scheme": "stripe"`:                      `value: \"t=\" + time + \",v1=\" + signature`,
		`"scheme": "standard-webhooks"`:           `crypto.HmacSHA256(id + \".\" + time + \".\" + body, key)`,
		`"header": "X-Sum", "encoding": "base64"`: `toString(crypto.enc.Base64)`,
	} {
		if got := string(write(t, signed(t, scheme), "postman")); !strings.Contains(got, want) {
			t.Errorf("%s: %s is not in the script", scheme, want)
		}
	}
	unsigned := load(t, os.DirFS("../contract/testdata/shipment"))
	for _, format := range publish.Names() {
		if got := string(write(t, unsigned, format)); strings.Contains(strings.ToLower(got), "signature") || strings.Contains(got, "secret") {
			t.Errorf("%s speaks of signatures", format)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := publish.Write(load(t, payloads.FS), "raml", publish.Options{}); err == nil || !strings.Contains(err.Error(), `"raml"`) {
		t.Errorf("%v", err)
	}
}
