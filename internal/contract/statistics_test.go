package contract_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/payloads"
)

// statistics gives the pack statistics.
func statistics(text string) func(t *testing.T, pack fstest.MapFS) {
	return replace(inContract, `"flow": {`, `"statistics": `+text+`, "flow": {`)
}

func TestStatistics(t *testing.T) {
	pack := boxes(t)
	statistics(`{"groups": ["boxId", "size"], "averages": [{"fact": "size", "by": "boxId"}, {"fact": "size"}], "source": "manual", "derived": "so"}`)(t, pack)
	c := load(t, pack)
	s := c.Statistics
	if len(s.Groups) != 2 || s.Groups[1] != c.Fact("size") || s.Source != "manual (derived: so)" {
		t.Errorf("groups %v of %q", s.Groups, s.Source)
	}
	if len(s.Averages) != 2 || s.Averages[0] != (contract.Average{Fact: c.Fact("size"), By: c.Fact("boxId")}) || s.Averages[1].By != nil {
		t.Errorf("averages %v", s.Averages)
	}
	if load(t, boxes(t)).Statistics != nil {
		t.Error("a pack without statistics has some")
	}
}

func TestBuiltInStatistics(t *testing.T) {
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	if c.Statistics == nil || len(c.Statistics.Groups) == 0 || len(c.Statistics.Averages) == 0 {
		t.Errorf("the gateway's documents mention statistics; the pack has %v", c.Statistics)
	}
}

func TestLoadRefusesStatistics(t *testing.T) {
	many := `"size"` + strings.Repeat(`, "size"`, 16)
	refuse(t, []refusal{
		{"no object", statistics(`[]`), inContract, "/statistics", "it takes a JSON object"},
		{"without origin", statistics(`{}`), inContract, "/statistics", `neither "source" nor "derived"`},
		{"another field", statistics(`{"means": [], "source": "manual"}`), inContract, "/statistics/means", "no field"},
		{"no list", statistics(`{"groups": "size", "source": "manual"}`), inContract, "/statistics/groups", "it takes a JSON array"},
		{"group by no fact", statistics(`{"groups": ["size", "sizes"], "source": "manual"}`), inContract, "/statistics/groups/1", "is no fact in facts.json; did you mean size?"},
		{"group by a number", statistics(`{"groups": [1], "source": "manual"}`), inContract, "/statistics/groups/0", "it takes a JSON string"},
		{"group by a fact of an event", statistics(`{"groups": ["at"], "source": "manual"}`), inContract, "/statistics/groups/0", "belongs to a single event"},
		{"too many groups", statistics(`{"groups": [` + many + `], "source": "manual"}`), inContract, "/statistics/groups", "names 17; it takes at most 16"},
		{"average as text", statistics(`{"averages": ["size"], "source": "manual"}`), inContract, "/statistics/averages/0", "it takes a JSON object"},
		{"average of nothing", statistics(`{"averages": [{}], "source": "manual"}`), inContract, "/statistics/averages/0/fact", "is missing"},
		{"average of no fact", statistics(`{"averages": [{"fact": "sise"}], "source": "manual"}`), inContract, "/statistics/averages/0/fact", "did you mean size?"},
		{"average of a text", statistics(`{"averages": [{"fact": "boxId"}], "source": "manual"}`), inContract, "/statistics/averages/0/fact", "which is no decimal"},
		{"average of an event's", statistics(`{"averages": [{"fact": "at"}], "source": "manual"}`), inContract, "/statistics/averages/0/fact", "belongs to a single event"},
		{"average by no fact", statistics(`{"averages": [{"fact": "size", "by": "boxid"}], "source": "manual"}`), inContract, "/statistics/averages/0/by", "did you mean boxId?"},
		{"average by what is told elsewhere", statistics(`{"averages": [{"fact": "size", "by": "lidId"}], "source": "manual"}`), inContract, "/statistics/averages/0/by", "no event carries both it and size"},
	})
}
