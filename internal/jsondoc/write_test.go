package jsondoc_test

import (
	"bufio"
	"bytes"
	"embed"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/paytest/paytest/internal/jsondoc"
)

//go:embed testdata/canonical.jsonl
var recorded embed.FS

// TestCanonicalRecorded compares with what node v20 wrote for the same documents: one [document, JSON.stringify(JSON.parse(document))] a line.
func TestCanonicalRecorded(t *testing.T) {
	file, err := recorded.ReadFile("testdata/canonical.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for lines := bufio.NewScanner(bytes.NewReader(file)); lines.Scan(); count++ {
		var pair [2]string
		if err := json.Unmarshal(lines.Bytes(), &pair); err != nil {
			t.Fatal(err)
		}
		v := parse(t, pair[0])
		if got := string(v.AppendCanonical(nil)); got != pair[1] {
			t.Errorf("%q: canonical %q, node wrote %q", pair[0], got, pair[1])
		}
	}
	if count < 100 {
		t.Errorf("%d recorded documents", count)
	}
}

// TestCanonicalNode compares with node itself over many generated documents, in one process.
func TestCanonicalNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skipf("no node here to compare with: %v", err)
	}
	random := rand.New(rand.NewPCG(20, 12))
	documents := make([]string, 20_000)
	for i := range documents {
		documents[i] = randomDocument(random, 3)
	}
	input, err := json.Marshal(documents)
	if err != nil {
		t.Fatal(err)
	}
	const script = `const all = JSON.parse(require("fs").readFileSync(0, "utf8"));
		console.log(JSON.stringify(all.map(text => JSON.stringify(JSON.parse(text)))))`
	command := exec.CommandContext(t.Context(), node, "-e", script)
	command.Stdin = bytes.NewReader(input)
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	if err := json.Unmarshal(output, &want); err != nil {
		t.Fatal(err)
	}
	for i, document := range documents {
		v := parse(t, document)
		if got := string(v.AppendCanonical(nil)); got != want[i] {
			t.Errorf("%q: canonical %q, node writes %q", document, got, want[i])
		}
	}
}

// randomDocument writes a document with the numbers, names and texts writers disagree about.
func randomDocument(random *rand.Rand, depth int) string {
	switch kind := random.IntN(8); {
	case kind == 0 && depth > 0:
		items := make([]string, random.IntN(4))
		for i := range items {
			items[i] = randomDocument(random, depth-1)
		}
		return "[" + strings.Join(items, " ,") + "]"
	case kind <= 3 && depth > 0:
		return randomObject(random, depth)
	case kind <= 5:
		return randomNumber(random)
	case kind == 6:
		return []string{"true", "false", "null"}[random.IntN(3)]
	}
	return randomString(random)
}

func randomObject(random *rand.Rand, depth int) string {
	var members []string
	seen := map[string]bool{}
	for range random.IntN(8) {
		name := randomName(random)
		if !seen[name] {
			seen[name] = true
			members = append(members, fmt.Sprintf("%q : %s", name, randomDocument(random, depth-1)))
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func randomName(random *rand.Rand) string {
	switch random.IntN(4) {
	case 0:
		return strconv.Itoa(random.IntN(12))
	case 1:
		return strconv.FormatUint(math.MaxUint32-2+uint64(random.IntN(5)), 10)
	case 2:
		return []string{"", "-1", "01", "1.0", "1e3", "-0", "00", "99999999999", "4294967296", "__proto__", "toString"}[random.IntN(11)]
	}
	return string(rune('a' + random.IntN(6)))
}

func randomNumber(random *rand.Rand) string {
	switch random.IntN(5) {
	case 0:
		for {
			f := math.Float64frombits(random.Uint64())
			if !math.IsNaN(f) && !math.IsInf(f, 0) {
				return strconv.FormatFloat(f, 'g', 1+random.IntN(20), 64)
			}
		}
	case 1:
		return fmt.Sprintf("%d.%0*d", random.IntN(100), 1+random.IntN(8), random.IntN(100_000_000)%10)
	case 2:
		return fmt.Sprintf("%s%d.%de%+d", []string{"", "-"}[random.IntN(2)], random.IntN(10), random.IntN(1000), random.IntN(60)-30)
	case 3:
		return fmt.Sprintf("%dE%d", 1+random.IntN(9), random.IntN(800)-400)
	}
	return strconv.FormatUint(random.Uint64()>>random.IntN(64), 10)
}

func randomString(random *rand.Rand) string {
	var raw [6]byte
	binary.LittleEndian.PutUint32(raw[:], random.Uint32())
	pool := []string{
		"\\u0000", "\\u001f", "\\u007f", "\u007f", "\u2028", "\u2029", "<", ">", "&", "\\/", "\\\"", "\\\\", "\\b", "\\f", "\\n", "\\r",
		"\\t", "\\ud83d\\ude00", "😀", "é", "\\u00E9", "\ufeff", "\uffff", "\u200b", "a", " ",
	}
	var b strings.Builder
	for _, c := range raw {
		b.WriteString(pool[int(c)%len(pool)])
	}
	return `"` + b.String() + `"`
}

func TestAppendLiteralAndIndent(t *testing.T) {
	v := parse(t, `{ "b" : 1.50 , "1" : [ ] , "a" : [ { } , [ 1e2 , "<\u0001" ] ] }`)
	if got, want := string(v.AppendLiteral([]byte("x"))), `x{"b":1.50,"1":[],"a":[{},[1e2,"<\u0001"]]}`; got != want {
		t.Errorf("AppendLiteral: %s, want %s", got, want)
	}
	want := "x{\n  \"b\": 1.50,\n  \"1\": [],\n  \"a\": [\n    {},\n    [\n      1e2,\n      \"<\\u0001\"\n    ]\n  ]\n}"
	if got := string(v.AppendIndent([]byte("x"), "  ")); got != want {
		t.Errorf("AppendIndent: %s, want %s", got, want)
	}
}

func TestWritersReplaceInvalidUTF8(t *testing.T) {
	if got := string(jsondoc.StringValue("a\xffb").AppendCanonical(nil)); got != "\"a\ufffdb\"" {
		t.Errorf("%q", got)
	}
}
