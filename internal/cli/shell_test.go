package cli

import "testing"

func TestQuoted(t *testing.T) {
	for _, test := range []struct{ word, posix, windows string }{
		{"http://localhost:3000", "http://localhost:3000", "http://localhost:3000"},
		{"http://x/orders/{id}?a=b&c", "'http://x/orders/{id}?a=b&c'", `"http://x/orders/{id}?a=b&c"`},
		{`C:\keys\secret.txt`, `'C:\keys\secret.txt'`, `C:\keys\secret.txt`},
		{`C:\my keys\secret.txt`, `'C:\my keys\secret.txt'`, `"C:\my keys\secret.txt"`},
		{"state=a,credited=b", "state=a,credited=b", `"state=a,credited=b"`}, // PowerShell makes a list of a comma
		{"it's", `'it'\''s'`, `"it's"`},
		{`say "hi" to $x's`, `'say "hi" to $x'\''s'`, `'say "hi" to $x''s'`},
		{"", "''", `""`},
	} {
		if got := (&app{}).quoted(test.word); got != test.posix {
			t.Errorf("%s is quoted as %s, not as %s", test.word, got, test.posix)
		}
		if got := (&app{Env: Env{Windows: true}}).quoted(test.word); got != test.windows {
			t.Errorf("on Windows %s is quoted as %s, not as %s", test.word, got, test.windows)
		}
	}
}
