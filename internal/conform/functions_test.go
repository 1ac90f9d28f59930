package conform

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

// TestEveryCaseHasAFunction shows that the pack describes each case that can be
// carried out, and none besides.
func TestEveryCaseHasAFunction(t *testing.T) {
	t.Parallel()
	catalog := &Catalog{Meanings: map[string]string{}}
	for _, category := range categories() {
		if err := catalog.read(payloads.FS, contract.ConformFolder+"/"+category+".json"); err != nil {
			t.Fatal(err)
		}
	}
	var described []string
	for _, spec := range catalog.Cases {
		described = append(described, spec.ID)
	}
	slices.Sort(described)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(functions())), described); diff != "" {
		t.Error(diff)
	}
}

func TestAbbreviated(t *testing.T) {
	t.Parallel()
	got := abbreviated([]string{"a: answered 500; bad", "b: answered 500; bad", "c: answered 500; bad", "d: answered 502; bad", "credited twice", "credited twice"})
	want := []string{"a: answered 500; bad", "b: the same", "c: the same", "d: answered 502; bad", "credited twice", "credited twice"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
