package report

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/conform"
)

// TestFailureCommand holds that a terminal's lines break the command where a shell
// puts it together again.
func TestFailureCommand(t *testing.T) {
	r := &conform.Report{Reproduce: `paytest conform --case %s --seed 7 --probe-url 'http://h/{id}' --probe-cmd 'it'\''s  a -b' --settle 1s`}
	res := conform.Result{Case: &conform.Case{ID: "I01"}, Status: conform.Failed}
	whole := "     again  " + r.Command("I01") + "\n"
	folded := `     again  paytest conform --case I01 \
            --seed 7 --probe-url \
            'http://h/{id}' \
            --probe-cmd \
            'it'\''s  a -b' --settle \
            1s
`
	for _, test := range []struct {
		width int
		folds bool
		want  string
	}{{40, true, folded}, {40, false, whole}, {0, true, whole}, {200, true, whole}} {
		var b bytes.Buffer
		NewPrinter(&b, false, test.width).ConformFailure(r, res, test.folds)
		_, got, _ := strings.Cut(b.String(), "     fix\n")
		if diff := cmp.Diff(test.want+"\n", got); diff != "" {
			t.Errorf("%d columns, folds %t:\n%s", test.width, test.folds, diff)
		}
	}
}
