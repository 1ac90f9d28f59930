//go:build unix

package main

import (
	"os/exec"
	"strings"
	"testing"
)

// TestTerminal holds what is written to a terminal: color and a line that tells
// how far it is, where somebody looks, and neither in CI, in a terminal that can
// do nothing, and where NO_COLOR asks for no color.
func TestTerminal(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no bash to start programs in a terminal")
	}
	for _, test := range []struct {
		env          string
		color, moves bool
	}{
		{"A=b", true, true},
		{"NO_COLOR=1", false, true},
		{"TERM=dumb", false, false},
		{"CI=true", false, false},
		{"CI=false", true, true},
	} {
		t.Run(test.env, func(t *testing.T) {
			t.Parallel()
			s := newStage(t, bash)
			s.serve("")
			r := s.start(&block{}, "unset NO_COLOR; export "+test.env+"; paytest conform --no-signature --only delivery,I01 --seed 7")
			r.wait()
			shown := r.came.String()
			if !strings.Contains(shown, "delivery") {
				t.Fatalf("%q", shown)
			}
			if color := strings.Contains(shown, "\x1b[3") || strings.Contains(shown, "\x1b[1") || strings.Contains(shown, "\x1b[2m"); color != test.color {
				t.Errorf("color %t: %q", color, shown)
			}
			if moves := strings.Contains(shown, "\x1b[2K"); moves != test.moves {
				t.Errorf("it moves %t: %q", moves, shown)
			}
			if !test.color && !test.moves && strings.Contains(strings.ReplaceAll(shown, "\r\n", ""), "\r") || !test.color && !test.moves && strings.Contains(shown, "\x1b") {
				t.Errorf("it is not plain: %q", shown)
			}
		})
	}
}
