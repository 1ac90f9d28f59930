package cli

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/payloads"
)

// TestNeeded holds which commands are made for a command line.
func TestNeeded(t *testing.T) {
	all := make([]string, 0, len(commands()))
	for _, c := range commands() {
		all = append(all, c.name)
		if made := c.make(&app{}).Name(); made != c.name {
			t.Errorf("%s is made for %s", made, c.name)
		}
	}
	for _, test := range []struct {
		args string
		want []string
	}{
		{"", all},
		{"version", []string{"version"}},
		{"version --help", []string{"version"}},
		{"payload invoice complete", []string{"payload"}},
		{"__complete send invoice", []string{"send"}},
		{"__completeNoDesc send invoice", []string{"send"}},
		{"__complete send", all}, // the name itself is completed
		{"__complete", all},
		{"versio", all}, // did you mean version?
		{"--color never version", all},
		{"help version", all},
		{"completion bash", all},
		{"config", all},
		{"--help", all},
	} {
		var got []string
		for _, c := range needed(strings.Fields(test.args)) {
			got = append(got, c.name)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.args, diff)
		}
	}
}

// watched is a contract's pack that knows which of its files were read.
type watched struct {
	fs.FS
	opened map[string]bool
}

func (w watched) Open(name string) (fs.File, error) {
	if strings.Contains(name, ".json") {
		w.opened[name] = true
	}
	return w.FS.Open(name)
}

// unwatched is a context of which nobody waits for the end.
type unwatched struct {
	context.Context
	t    *testing.T
	args string
}

func (u unwatched) Done() <-chan struct{} {
	u.t.Errorf("%s waits to be interrupted", u.args)
	return u.Context.Done()
}

// TestOpened holds what commands read: nothing that they do not use. None of
// these commands waits for anything, nor has a thread wait for signals.
func TestOpened(t *testing.T) {
	pack, err := fs.Glob(payloads.FS, "*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range []string{"invoice", "transaction"} {
		states, err := fs.Glob(payloads.FS, folder+"/*.json")
		if err != nil {
			t.Fatal(err)
		}
		pack = append(pack, states...)
	}
	for _, test := range []struct {
		args string
		want []string
	}{
		{"version", nil},
		{"--version", nil},
		{"help send", pack}, // its examples are of the contract
		{"completion bash", nil},
		{"config", nil},
		{"__complete sen", nil},
		{"__complete send --output ", nil},
		{"__complete send invoice ", pack},
		{"payload invoice complete", pack},
		{"explain invoice complete", pack},
		{"graph", pack},
	} {
		w := watched{payloads.FS, map[string]bool{}}
		args := strings.Fields(test.args)
		if strings.HasSuffix(test.args, " ") {
			args = append(args, "")
		}
		var out, errs bytes.Buffer
		env := outside{}.program(&out, &errs, args...)
		env.Contract = w
		if code := Run(unwatched{t.Context(), t, test.args}, env); code != exitOK || out.Len() == 0 {
			t.Errorf("%s: exit %d: %s", test.args, code, &errs)
		}
		var got []string
		for name := range w.opened {
			got = append(got, name)
		}
		slices.Sort(got)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: opened (-want +got): %s", test.args, diff)
		}
	}
}

// TestContractIsCheckedWhole holds that a user's contract is refused for what is
// wrong in any file of it, whichever a command needs.
func TestContractIsCheckedWhole(t *testing.T) {
	files := fstest.MapFS{}
	err := fs.WalkDir(payloads.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		raw, err := fs.ReadFile(payloads.FS, name)
		files["mine/"+name] = &fstest.MapFile{Data: raw}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"payload", "transaction", "created", "--contract", "/mine"}
	if _, stderr, code := (outside{files: files}).run(t, args...); code != exitOK {
		t.Fatalf("a sound contract: exit %d: %s", code, stderr)
	}
	for _, test := range []struct{ old, with, want string }{
		{`"state": "Complete"`, `"state": "Completed"`, "invoice/complete.json: /sample/data/state: the sample "},
		{`"type": "object"`, `"type": "objec"`, "invoice/complete.json: /schema/type: "},
		{`"timestamp": "2025`, `"timestamp": "2025th`, "invoice/complete.json: /sample/timestamp: the sample fails its own schema"},
	} {
		spoilt := maps.Clone(files)
		old := string(files["mine/invoice/complete.json"].Data)
		if !strings.Contains(old, test.old) {
			t.Fatalf("there is no %s in\n%s", test.old, old)
		}
		spoilt["mine/invoice/complete.json"] = &fstest.MapFile{Data: []byte(strings.Replace(old, test.old, test.with, 1))}
		stdout, stderr, code := outside{files: spoilt}.run(t, args...)
		if code != exitUsage || stdout != "" || !strings.Contains(strings.Join(strings.Fields(stderr), " "), "--contract /mine: contract: "+test.want) {
			t.Errorf("%s: exit %d\n%s%s", test.with, code, stdout, stderr)
		}
	}
}
