package conform_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/conform"
	"github.com/paytest/paytest/internal/merchant"
)

var update = flag.Bool("update", false, "write the golden files")

// TestCorrectMerchant shows that the model merchant fails nothing and leaves
// nothing unproven, whatever the seed. SEEDS is how many are tried.
func TestCorrectMerchant(t *testing.T) {
	t.Parallel()
	seeds := 1
	if s := os.Getenv("SEEDS"); s != "" {
		var err error
		if seeds, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	for seed := range uint64(seeds) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				o := options(t, model(t, ""))
				o.Seed = seed
				nothingWrong(t, o)
			})
		})
	}
}

// TestOverTCP shows the same of what is a matter of connections, where those are
// real.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	m := newModel(t, "", func(*merchant.Options) {})
	o := options(t, subject{endpoint: serveTCP(t, m.Serve), probe: true, change: hooks(m)})
	quick(&o)
	o.Cases = slices.DeleteFunc(o.Cases, func(spec *conform.Case) bool {
		return !slices.Contains([]string{"delivery", "idempotency", "protocol", "resilience"}, spec.Category) && spec.ID != "X15" && spec.ID != "X16"
	})
	nothingWrong(t, o)
}

func nothingWrong(t *testing.T, o conform.Options) {
	t.Helper()
	for _, res := range run(t, o).Results {
		overPlainHTTP := res.Status == conform.NotRun && strings.Contains(res.Problem, "https")
		if res.Status != conform.Passed && !overPlainHTTP {
			t.Errorf("%s is %s: %s", res.Case.ID, res.Status, res.Problem)
		}
	}
}

// TestBugMatrix shows that each bug is caught by the case it names, and writes
// what catches what to the docs.
func TestBugMatrix(t *testing.T) {
	t.Parallel()
	_, catalog := pack(t)
	caught := map[string][]merchant.Bug{}
	for _, b := range merchant.Bugs() {
		t.Run(b.Name, func(t *testing.T) {
			t.Parallel()
			inNoTime(t, func(t *testing.T) {
				r := against(t, b.Name, b.Case)
				if len(r.Results) != 1 || r.Results[0].Status != conform.Failed {
					t.Errorf("%s: %s does not catch it: %+v %s", b.Says, b.Case, r.Results, r.Problem)
				}
			})
		})
		caught[b.Case] = append(caught[b.Case], b)
	}
	golden(t, "../../docs/conform.md", matrix(catalog, caught))
}

func matrix(catalog *conform.Catalog, caught map[string][]merchant.Bug) string {
	var b strings.Builder
	b.WriteString("# What `paytest conform` tests, and how we know that it does\n\n")
	b.WriteString("Written by `go test ./internal/conform -run TestBugMatrix -update`, which starts a model merchant with one bug at\n")
	b.WriteString("a time and demands that the case named beside it fails. Without a bug, no case may fail or stay unproven\n")
	b.WriteString("(`TestCorrectMerchant`). `paytest demo --bug NAME` shows one of them.\n")
	b.WriteString("\nBefore an event that must be accepted, a case sends those that come before it in the documented flow, as far as\n")
	b.WriteString("the endpoint serves them: one that is strict about the order holds, too (`TestStrictMerchants`).\n")
	b.WriteString("\nAn endpoint that `--events` says is told of transfers alone, and that the probe shows to credit by them, is tested\n")
	b.WriteString("with a confirmed transfer in the place of a paid payment (`TestTransfersAlone`).\n")
	b.WriteString("\nThe first payments are plain ones. From them is learned in which unit amounts are told (`TestUnits`), whether\n")
	b.WriteString("effects come later than answers (`TestLateEffects`), and which events credit (`TestWhatCredits`). Who credits by\n")
	b.WriteString("transfers though told of payments, too, is sent both by some cases (`TestWhatCreditsIsToldOfAll`). In the end it is\n")
	b.WriteString("looked whether any payment that was credited once has been credited again (`TestCreditedLater`).\n")
	last := ""
	for _, spec := range catalog.Cases {
		if spec.Category != last {
			fmt.Fprintf(&b, "\n## %s\n\n%s.\n\n| case | severity | profile | sent | must hold | source | bug that it catches |\n|---|---|---|---|---|---|---|\n",
				spec.Category, strings.ToUpper(catalog.Meanings[spec.Category][:1])+catalog.Meanings[spec.Category][1:])
			last = spec.Category
		}
		var names []string
		for _, bug := range caught[spec.ID] {
			names = append(names, fmt.Sprintf("`%s`: %s", bug.Name, cell(bug.Says)))
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", spec.ID, spec.Severity, spec.Profile, cell(spec.Sent), cell(spec.Holds), cell(spec.Source), strings.Join(names, "<br>"))
	}
	return b.String()
}

// cell writes a text so that it stays one cell of a table.
func cell(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ").Replace(s)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is not what the cases and bugs say; go test ./internal/conform -run TestBugMatrix -update writes it", name)
	}
}

// TestRaceIsAlwaysFound shows that I02 finds keys that are looked up before an
// await and remembered after it, in every run.
func TestRaceIsAlwaysFound(t *testing.T) {
	t.Parallel()
	for _, b := range merchant.Bugs() {
		if b.Case != "I02" {
			continue
		}
		for i := range 20 {
			m := newModel(t, b.Name, func(*merchant.Options) {})
			r := run(t, options(t, subject{endpoint: serveTCP(t, m.Serve), probe: true}, b.Case))
			if r.Results[0].Status != conform.Failed {
				t.Fatalf("%s, run %d: %s", b.Name, i, r.Results[0].Problem)
			}
		}
	}
}
