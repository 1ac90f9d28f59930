package scenario_test

import (
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/scenario"
	"github.com/paytest/paytest/payloads"
)

func pack(t testing.TB) *contract.Contract {
	t.Helper()
	c, err := contract.Load(payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func builtin(t testing.TB, c *contract.Contract) []*scenario.Scenario {
	t.Helper()
	all, err := scenario.Builtin(c, payloads.FS)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func find(t testing.TB, c *contract.Contract, name string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Find(builtin(t, c), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parse reads a scenario that must be right; each line loses the indentation of
// the first.
func parse(t testing.TB, c *contract.Contract, text string) *scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse(c, "x.yaml", []byte(flush(text)))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// flush moves an indented text to the left; tabs behind the indentation stay.
func flush(text string) string {
	text = strings.TrimPrefix(text, "\n")
	indent := text[:len(text)-len(strings.TrimLeft(text, "\t"))]
	var out strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\t")) {
		out.WriteString(strings.TrimPrefix(line, indent))
	}
	return out.String()
}

func plan(t testing.TB, c *contract.Contract, s *scenario.Scenario, o scenario.Options) []scenario.Planned {
	t.Helper()
	p, err := scenario.Plan(c, s, o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func state(t testing.TB, c *contract.Contract, ref string) *contract.State {
	t.Helper()
	subject, name, _ := strings.Cut(ref, " ")
	if s := c.Subject(subject); s != nil && s.State(name) != nil {
		return s.State(name)
	}
	t.Fatalf("there is no state %s", ref)
	return nil
}
