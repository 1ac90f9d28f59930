package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.yaml.in/yaml/v3"
)

// cmdReleases serves a project's releases as GitHub does, and sets the variable
// NAME to their URL. VERSION is the latest; none says that there is none. Its
// program is a script that prints its version:
//
//	releases NAME VERSION|none
//
// Of v6.6.6 the archives are not what was released, v4.0.3 is forbidden, v3.0.2
// leads to a local file, and v5.0.0 has checksums of nothing.
func cmdReleases(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, !neg && len(args) == 2, "releases NAME VERSION|none")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /latest", func(w http.ResponseWriter, r *http.Request) {
		to := "/tag/" + args[1]
		if args[1] == "none" {
			to = "/releases"
		}
		http.Redirect(w, r, to, http.StatusFound)
	})
	mux.HandleFunc("GET /download/v4.0.3/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	mux.HandleFunc("GET /download/v3.0.2/", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("GET /download/v5.0.0/checksums.txt", func(http.ResponseWriter, *http.Request) {})
	for _, version := range []string{"v1.2.3", "v2.0.0-rc.1", "v6.6.6"} {
		var sums bytes.Buffer
		for name, archive := range archives(ts, version) {
			fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(archive), name)
			if version == "v6.6.6" {
				archive = append(archive, '!')
			}
			mux.HandleFunc("GET /download/"+version+"/"+name, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
		}
		mux.HandleFunc("GET /download/"+version+"/checksums.txt", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(sums.Bytes()) })
	}
	server := httptest.NewServer(mux)
	ts.Defer(server.Close)
	ts.Setenv(args[0], server.URL)
}

// archives packs a program for every system.
func archives(ts *testscript.TestScript, version string) map[string][]byte {
	out := map[string][]byte{}
	for _, system := range []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"} {
		program := fmt.Sprintf("#!/bin/sh\necho \"paytest %s %s $*\"\n", version, system)
		name := "paytest_" + version[1:] + "_" + system
		var b bytes.Buffer
		if strings.HasPrefix(system, "windows") {
			w := zip.NewWriter(&b)
			h := &zip.FileHeader{Name: "paytest.exe", Method: zip.Deflate}
			h.SetMode(0o755)
			f, err := w.CreateHeader(h)
			ts.Check(err)
			_, err = f.Write([]byte(program))
			ts.Check(err)
			ts.Check(w.Close())
			out[name+".zip"] = b.Bytes()
			continue
		}
		packer := gzip.NewWriter(&b)
		w := tar.NewWriter(packer)
		for _, file := range []struct{ name, text string }{{"README.md", "read me"}, {"paytest", program}} {
			ts.Check(w.WriteHeader(&tar.Header{Name: file.name, Mode: 0o755, Size: int64(len(file.text))}))
			_, err := w.Write([]byte(file.text))
			ts.Check(err)
		}
		ts.Check(w.Close())
		ts.Check(packer.Close())
		out[name+".tar.gz"] = b.Bytes()
	}
	return out
}

// TestAction holds that action.yml uses each of its inputs, that nothing from
// outside is written into a shell script, and that the actions it and the
// workflows use are pinned.
func TestAction(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var action struct {
		Inputs map[string]any
		Runs   struct {
			Steps []struct {
				Run  string
				Env  map[string]string
				With map[string]string
				If   string
				Dir  string `yaml:"working-directory"`
			}
		}
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		t.Fatal(err)
	}
	used := ""
	for _, step := range action.Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			t.Errorf("a shell reads what GitHub wrote into %q", step.Run)
		}
		used += fmt.Sprintln(step.Env, step.With, step.If, step.Dir)
	}
	for name := range action.Inputs {
		if !strings.Contains(used, "inputs."+name+" ") {
			t.Errorf("the input %s is not used", name)
		}
	}
	workflows, err := filepath.Glob(filepath.Join("..", "..", ".github", "workflows", "*.yml"))
	if err != nil || len(workflows) == 0 {
		t.Fatalf("%d workflows, %v", len(workflows), err)
	}
	pinned := regexp.MustCompile(`^\s*(- )?uses: ([a-zA-Z0-9/-]+@[0-9a-f]{40} # v[0-9.]+|\./\.github/workflows/[a-z]+\.yml)\n$`)
	for _, name := range append(workflows, filepath.Join("..", "..", "action.yml")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "uses:") && !pinned.MatchString(line) {
				t.Errorf("%s: not pinned: %s", name, line)
			}
		}
	}
}
