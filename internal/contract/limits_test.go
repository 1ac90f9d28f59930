package contract_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paytest/paytest/internal/contract"
	"github.com/paytest/paytest/internal/schema"
)

// accepted loads the small pack after a change.
func accepted(t *testing.T, change func(t *testing.T, pack fstest.MapFS)) *contract.Contract {
	t.Helper()
	pack := boxes(t)
	change(t, pack)
	c, err := contract.Load(pack)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// roles puts a member into the small pack's contract.
func roles(text string) func(t *testing.T, pack fstest.MapFS) {
	return replace(inContract, `"delivery": {`, `"roles": `+text+`, "delivery": {`)
}

// TestLoadTakesWhatIsJustAllowed goes to the edge of each limit.
func TestLoadTakesWhatIsJustAllowed(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, pack fstest.MapFS){
		"the smallest and the largest status": replace(inContract, `[204]`, `[100, 599]`),
		"an answer of 200":                    replace(inContract, `"status": 404`, `"status": 200`),
		"an answer of 599":                    replace(inContract, `"status": 404`, `"status": 599`),
		"no wait before a retry":              replace(inContract, `"timeout": "2s"`, `"timeout": "2s", "backoff": ["0s"]`),
		"the most retries":                    replace(inContract, `"timeout": "2s"`, `"timeout": "2s", "backoff": ["1s"`+strings.Repeat(`, "1s"`, 19)+`]`),
		"the most groups":                     statistics(`{"groups": ["size"` + strings.Repeat(`, "size"`, 15) + `], "source": "manual"}`),
		"the longest decimals": generator(`{"decimal": {"min": "` + strings.Repeat("1", 30) + `", "max": "` + strings.Repeat("1", 30) + `", "step": "0.` +
			strings.Repeat("0", 17) + `1", "places": 18}}`),
		"a range of one":                 generator(`{"integer": {"min": 7, "max": 7}}`),
		"a whole, and all that is below": replace(inFacts, `"percent": [10, 90]`, `"percent": [99, 99]`),
		"more than a whole":              replace(inFacts, `"percent": [10, 90]`, `"percent": [101, 101]`),
		"the first and the last letter":  replace(inContract, `"flow": {`, `"roles": {"states": {"paid": "box/sealed"}, "facts": {"price": "size"}}, "flow": {`),
	} {
		t.Run(name, func(t *testing.T) {
			accepted(t, change)
		})
	}
}

func TestRolesAreRead(t *testing.T) {
	c := accepted(t, roles(`{"states": {"paid": "box/sealed", "pending": "box/folded"}, "facts": {"price": "size"}, "mismatch": "small"}`))
	if c.Roles == nil {
		t.Fatal("no roles")
	}
	all := c.Roles.States()
	if len(all) != 9 || all["paid"] == nil || all["paid"].Name != "sealed" || all["pending"] == nil || all["failed"] != nil {
		t.Errorf("%v", all)
	}
	if c.Roles.Price == nil || c.Roles.Price.Name != "size" || c.Roles.Mismatch != "small" || c.Roles.Paid != all["paid"] {
		t.Errorf("%+v", c.Roles)
	}
	if without := accepted(t, func(*testing.T, fstest.MapFS) {}); without.Roles != nil {
		t.Errorf("%+v", without.Roles)
	}
}

func TestLoadRefusesRoles(t *testing.T) {
	refuse(t, []refusal{
		{"no object", roles(`[]`), inContract, "/roles", "it takes a JSON object"},
		{"another member", roles(`{"states": {}, "facts": {}, "role": 1}`), inContract, "/roles/role", "no field"},
		{"no role of a state", roles(`{"states": {"bought": "box/sealed"}, "facts": {}}`), inContract, "/roles/states/bought", "is no role of a state"},
		{"no role of a fact", roles(`{"states": {}, "facts": {"prise": "size"}}`), inContract, "/roles/facts/prise", "is no role of a fact"},
		{"nothing paid", roles(`{"states": {}, "facts": {"price": "size"}}`), inContract, "/roles", "names no state that is paid"},
		{"no price", roles(`{"states": {"paid": "box/sealed"}, "facts": {}}`), inContract, "/roles", "no fact that is the price"},
		{"no state", roles(`{"states": {"paid": "box/closed"}, "facts": {"price": "size"}}`), inContract, "/roles/states/paid", "box/closed"},
	})
}

func TestSignatureAndAnswersAreRead(t *testing.T) {
	c := accepted(t, replace(inContract, `"delivery": {`, `"signature": {"header": "X-Sign", "answer": {"status": 401, "body": {"no": 1}, "derived": "a guess"}, "source": "manual"}, "delivery": {`))
	s := c.Signature
	if s == nil || s.Header != "X-Sign" || s.Source != "manual" || s.Answer.Status != 401 || s.Answer.Derived != "a guess" || string(s.Answer.Body.AppendCanonical(nil)) != `{"no":1}` {
		t.Errorf("%+v", s)
	}
	if c.Delivery.Source != "manual" || c.Delivery.Timeout != 2*time.Second || c.Answers.WrongEvent.Status != 404 || c.Answers.WrongEvent.Source != "manual" {
		t.Errorf("%+v, %+v", c.Delivery, c.Answers)
	}
}

func TestBasis(t *testing.T) {
	for _, x := range [][3]string{{"a", "", "a"}, {"", "b", "derived: b"}, {"a", "b", "a (derived: b)"}, {"", "", ""}} {
		if got := contract.Basis(x[0], x[1]); got != x[2] {
			t.Errorf("Basis(%q, %q) = %q", x[0], x[1], got)
		}
	}
}

func TestPlaceholdersAtEveryPlace(t *testing.T) {
	long := strings.Repeat("9", 18)
	text := "{a}{b}{ {c/10} {d/" + long + "} {e/" + long + "9} {f/0} {1g} {h/} {}"
	want := []contract.Placeholder{
		{Start: 0, End: 3, Fact: "a"},
		{Start: 3, End: 6, Fact: "b"},
		{Start: 8, End: 14, Fact: "c", By: "10"},
		{Start: 15, End: 15 + len(long) + 4, Fact: "d", By: long},
	}
	if diff := cmp.Diff(want, contract.Placeholders(text)); diff != "" {
		t.Error(diff)
	}
	if got := contract.Placeholders("none"); got != nil {
		t.Error(got)
	}
}

// TestLoadRefusesWhatIsJustTooMuch goes one step beyond each limit.
func TestLoadRefusesWhatIsJustTooMuch(t *testing.T) {
	copies := func(percent string) func(t *testing.T, pack fstest.MapFS) {
		return replace(inFacts, `"percent": [10, 90]`, `"percent": `+percent)
	}
	const at = "/$defs/copy/generate/same/different/percent"
	refuse(t, []refusal{
		{"all of it", copies(`[100, 100]`), inFacts, at, "not 100"},
		{"all of it at the least", copies(`[100, 150]`), inFacts, at, "not 100"},
		{"all of it at the most", copies(`[50, 100]`), inFacts, at, "not 100"},
		{"a decimal that ends with its point", generator(`{"quotient": {"of": "size", "by": "1.", "places": 1}}`), inFacts, "/$defs/colour/generate/quotient/by", "takes a decimal"},
		{"a decimal with a letter", generator(`{"quotient": {"of": "size", "by": "1.x", "places": 1}}`), inFacts, "/$defs/colour/generate/quotient/by", "takes a decimal"},
		{"a decimal with many places", generator(`{"quotient": {"of": "size", "by": "0.` + strings.Repeat("1", 19) + `", "places": 1}}`), inFacts, "/$defs/colour/generate/quotient/by", "takes a decimal"},
		{"a name that begins with a digit", replace(inContract, `"name": "flat"`, `"name": "1flat"`), inContract, "/subjects/box/initial/name", "is no name"},
	})
}

func TestNamesTakeEveryLetter(t *testing.T) {
	for _, name := range []string{"azaz", "zaza"} {
		pack := boxes(t)
		for file := range pack {
			if strings.HasSuffix(file, ".json") {
				pack[file] = &fstest.MapFile{Data: []byte(strings.NewReplacer(`"flat"`, `"`+name+`"`).Replace(string(pack[file].Data)))}
			}
		}
		if _, err := contract.Load(pack); err != nil {
			t.Error(err)
		}
	}
}

// TestFilesAsLargeAsMayBe takes a file of a mebibyte, and none that is larger.
func TestFilesAsLargeAsMayBe(t *testing.T) {
	for size, ok := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		pack := boxes(t)
		raw := pack[inContract].Data
		pack[inContract] = &fstest.MapFile{Data: append(raw[:len(raw):len(raw)], strings.Repeat(" ", size-len(raw))...)}
		if _, err := contract.Load(pack); (err == nil) != ok {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestEveryAnswerIsListed(t *testing.T) {
	listed := func(c *contract.Contract) (out []string) {
		for _, a := range c.AllAnswers() {
			out = append(out, fmt.Sprint(a.Name, " ", a.Answer.Status))
		}
		return out
	}
	few := []string{"ok 204", "duplicate 204", "wrongEvent 404", "invalid 400", "conflict 409"}
	if diff := cmp.Diff(few, listed(load(t, boxes(t)))); diff != "" {
		t.Error(diff)
	}
	c := accepted(t, func(t *testing.T, pack fstest.MapFS) {
		replace(inContract, `"answers": {`, `"answers": {"broken": {"status": 500, "body": {}, "source": "manual"},`)(t, pack)
		replace(inContract, `"delivery": {`, `"signature": {"header": "X-Sign", "prefix": "~", "answer": {"status": 401, "body": {}, "source": "manual"}, "source": "manual"}, "delivery": {`)(t, pack)
	})
	if diff := cmp.Diff(append(few, "signature 401", "broken 500"), listed(c)); diff != "" {
		t.Error(diff)
	}
}

func TestStatesAreNotFoundByNothing(t *testing.T) {
	c := load(t, boxes(t))
	for _, s := range c.Subjects {
		if st := s.State(""); st != nil {
			t.Errorf("nothing is %s", st)
		}
		if st := s.State("nowhere"); st != nil {
			t.Errorf("nowhere is %s", st)
		}
	}
}

func TestTakesIsWhatTheTypeSays(t *testing.T) {
	c := accepted(t, replace(inFacts, `"moment": {"type": "string", "format": "date-time"}`, `"moment": {"type": "string", "format": "date-time", "description": "a time of day"}`))
	for fact, want := range map[string]string{"at": "a time of day", "code": "string, base58check", "count": "integer"} {
		if got := c.Fact(fact).Takes(); got != want {
			t.Errorf("%s takes %q, not %q", fact, got, want)
		}
	}
}

// TestAcceptorsCaptureTheFields reads each field of each sample where the acceptor
// says that it stands.
func TestAcceptorsCaptureTheFields(t *testing.T) {
	c := load(t, boxes(t))
	for _, st := range c.States() {
		raw, slots := st.Sample.AppendCanonical(nil), make([]schema.Slot, len(st.Fields()))
		a := st.Acceptor(c.Envelope)
		if a == nil || !a.Accept(raw, slots) {
			t.Errorf("%s: the sample is not accepted", st)
			continue
		}
		for i, f := range st.Fields() {
			want := ""
			if v := st.Sample.At(f.Pointer); v != nil {
				want = string(v.AppendCanonical(nil))
			}
			if got := string(raw[slots[i].Start:slots[i].End]); got != want {
				t.Errorf("%s: %s is %s, not %s", st, f.Path(), got, want)
			}
		}
	}
}

// unreadable is a pack of which one folder cannot be read.
type unreadable struct {
	fstest.MapFS
	folder string
}

func (u unreadable) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == u.folder {
		return nil, fs.ErrPermission
	}
	return u.MapFS.ReadDir(name)
}

func TestLoadRefusesFoldersThatCannotBeRead(t *testing.T) {
	for _, folder := range []string{".", "lid"} {
		_, err := contract.Load(unreadable{boxes(t), folder})
		if !errors.Is(err, fs.ErrPermission) && (err == nil || !strings.Contains(err.Error(), "cannot be read")) {
			t.Errorf("%s: %v", folder, err)
		}
	}
}

// TestFieldsStandAsInTheSample puts members that the sample does not have behind
// those that it has.
func TestFieldsStandAsInTheSample(t *testing.T) {
	c := accepted(t, replace(inFolded, `"size": {"$ref": "facts.json#/$defs/size"}`, `"size": {"$ref": "facts.json#/$defs/size"},
	  "note": {"type": "object", "properties": {"text": {"$ref": "facts.json#/$defs/text"}, "colour": {"$ref": "facts.json#/$defs/colour"}}},
	  "count": {"$ref": "facts.json#/$defs/count"}`))
	var got []string
	for _, f := range c.Subject("box").State("folded").Fields() {
		got = append(got, f.Path())
	}
	want := []string{"event", "state", "was", "at", "foldedAt", "boxId", "size", "note.colour", "note.text", "count"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadRefusesASampleWithoutItsEvent(t *testing.T) {
	refuse(t, []refusal{{"no event", func(t *testing.T, pack fstest.MapFS) {
		replace(inFolded, `"event": "box.changed", "state": "Folded", "was"`, `"state": "Folded", "was"`)(t, pack)
		replace(inFolded, `"required": ["event", `, `"required": [`)(t, pack)
	}, inFolded, "/sample/event", "expected \"box.changed\""}})
}

// TestManyTransitions takes as many as fit into a machine word, and not one more.
func TestManyTransitions(t *testing.T) {
	for edges, ok := range map[int]bool{64: true, 65: false} {
		pack := boxes(t)
		delete(pack, inSealed)
		replace(inContract, `["box/folded", "box/sealed"]`, `["box/folded"]`)(t, pack)
		all := `{"state": "folded", "trigger": "t", "source": "s"}, {"state": "flat", "trigger": "t", "source": "s"}`
		for i := range 7 {
			all += fmt.Sprintf(`, {"state": "s%d", "trigger": "t", "source": "s"}`, i)
		}
		from := map[int]string{7: `{"state": "flat", "trigger": "t", "source": "s"}`}
		for i := range edges - 57 {
			if i < 7 {
				from[i] = all
			}
		}
		for i, list := range from {
			if i < 7 || edges == 65 {
				copied(inFolded, fmt.Sprintf("box/s%d.json", i), `"Folded"`, fmt.Sprintf(`"S%d"`, i), `[{"state": "flat", "trigger": "someone does it", "source": "manual"}]`, "["+list+"]")(t, pack)
			}
		}
		c, err := contract.Load(pack)
		if (err == nil) != ok || ok && len(c.Subject("box").Edges) != edges {
			t.Errorf("%d transitions: %v", edges, err)
		}
	}
}
