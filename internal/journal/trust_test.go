package journal_test

import (
	"testing"

	"github.com/paytest/paytest/internal/journal"
	"github.com/paytest/paytest/internal/tools/trust"
)

// cutPower plays scripts until the power was cut so often.
func cutPower(seed uint64, cuts int, b bug) (played int, err error) {
	for done := 0; done < cuts; played++ {
		n, err := run(scripts().Example(int(seed&(1<<40-1))+played), b)
		if err != nil {
			return played + 1, err
		}
		done += n
	}
	return played, nil
}

// TestTrustPowerCuts cuts the power of a disk that writes pages in any order, loses
// what was not synced, tears what was being written, and fails in all ways: no
// acknowledged record is lost, none is invented, the journal opens again, and after
// a sync that failed nothing is acknowledged.
func TestTrustPowerCuts(t *testing.T) {
	cuts := trust.Scale(1000, 10_000, 300_000)
	played, err := cutPower(trust.Seed(t), cuts, bug{})
	if err != nil {
		t.Error(err)
	}
	trust.Figure(t, "power cuts", cuts)
	trust.Figure(t, "scripts", played)
}

// TestTrustPowerCutsCatches shows that the test above fails for a journal that does
// not make one of the calls it has to, or forgets what it was told.
func TestTrustPowerCutsCatches(t *testing.T) {
	for _, b := range []struct {
		name string
		bug  bug
	}{
		{"acknowledges before it syncs", bug{lies: lies{sync: true}}},
		{"does not cut off what failed", bug{lies: lies{truncate: true}}},
		{"does not sync the folder", bug{lies: lies{syncDir: true}}},
		{"goes on after a sync that failed", bug{appendTo: journal.AppendAnyway}},
	} {
		if _, err := cutPower(trust.Seed(t), 1000, b.bug); err != nil {
			t.Logf("a journal that %s: %v", b.name, err)
			trust.Caught(t, b.name)
			continue
		}
		t.Errorf("a journal that %s is not caught", b.name)
	}
}
