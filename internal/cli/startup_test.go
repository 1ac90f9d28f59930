package cli

import (
	"bytes"
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"

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
