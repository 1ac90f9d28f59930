package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadPage holds what the tests of documents see of one.
func TestReadPage(t *testing.T) {
	p := readPage([]byte("# One `two`\n\n## 두 번째: a/b\n\n## One two\n\n[l](a.md#x) ![i](b.png) <https://c.example>\n\n" +
		"<img src=\"d.png\">\n\n<!-- not for tests -->\n<!-- test: exits 1 -->\n<!-- test:\nrun touch x\nvolatile a b\n-->\n```console\n$ one\nout\n$ two \\\n> three\n```\n\n    four\n"))
	if diff := cmp.Diff([]string{"one-two", "두-번째-ab", "one-two-1"}, p.anchors()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"a.md#x", "b.png", "https://c.example", "d.png"}, p.links); diff != "" {
		t.Error(diff)
	}
	if len(p.blocks) != 2 || p.blocks[0].language != "console" || p.blocks[0].line != 18 || !p.blocks[1].indented {
		t.Fatalf("%+v", p.blocks)
	}
	if diff := cmp.Diff([]order{{"exits", "1"}, {"run", "touch x"}, {"volatile", "a b"}}, p.blocks[0].orders, cmp.AllowUnexported(order{})); diff != "" {
		t.Error(diff)
	}
	commands, err := readTranscript(p.blocks[0].text)
	want := []told{{"one\n", "$ one\n", "out\n"}, {"two \\\nthree\n", "$ two \\\n> three\n", ""}}
	if diff := cmp.Diff(want, commands, cmp.AllowUnexported(told{})); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if _, err := readTranscript("out\n$ one\n"); err == nil {
		t.Error("output without a command is taken")
	}
}

// TestShaped holds that only what is volatile is taken for the same.
func TestShaped(t *testing.T) {
	for _, test := range []struct {
		a, b, volatile string
		same           bool
	}{
		{"in 2.7 ms", "in 816 µs", "", true},
		{"19:49:40.572  200", "09:01:00.000  200", "", true},
		{"19:49:40.572  200", "09:01:00.000  409", "", false},
		{"invoice 3ac0f8a5-599a…", "invoice 00000000-0000…", "", true},
		{"--seed 3353409424", "--seed 12345678", "", true},
		{"--seed 7", "--seed 8", "", false},
		{"http://127.0.0.1:42381", "http://127.0.0.1:33333", "", true},
		{"http://127.0.0.1:3000", "http://127.0.0.1:8080", "", false},
		{"within 5s", "within 4s", "", false},
		{"credited 1.234567", "credited 2.469134", "", false},
		{"credited 1.234567", "credited 2.469134", "amounts", true},
		{"credited 1.234567", "debited 1.234567", "amounts", false},
		{"sent  12  3.4 ms", "sent 7 812 µs", "numbers", true},
		{"sent  12", "lost 12", "numbers", false},
		{"  count  rate\nall  12", "   count   rate\nall 112", "numbers", true},
	} {
		a, err := shaped(test.a, strings.Fields(test.volatile))
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := shaped(test.b, strings.Fields(test.volatile)); (a == b) != test.same {
			t.Errorf("%q and %q: the same is %v", test.a, test.b, a == b)
		}
	}
	if _, err := shaped("x", []string{"everything"}); err == nil {
		t.Error("an unknown part is volatile")
	}
}

// TestLeads holds that a link that leads nowhere is told.
func TestLeads(t *testing.T) {
	pages := map[string]*page{"README.md": readPage([]byte("# A\n\n[b](#b)\n")), "docs/conform.md": readPage([]byte("# C\n"))}
	for link, ok := range map[string]bool{
		"#a": true, "#b": false, "docs/conform.md": true, "docs/conform.md#c": true, "docs/conform.md#a": false,
		"docs/nothing.md": false, "payloads": true, "payloads#x": false, "https://example.com/nothing": true, ":": false,
	} {
		if problem, _ := leads(pages, "README.md", link); (problem == "") != ok {
			t.Errorf("%s: %q", link, problem)
		}
	}
}
